"""Size of a model, computed from its configuration only: parameters, bytes and operations."""

FLOAT = 4               # bytes of a float32


def parameters(config):
    """Number of parameters of a model, without building it.

        tables V C (twice if untied), learned positions T C;
        per block: attention 2 C^2 + 2 C G D, feed-forward 2 or 3 C F, two norms

    Shapes:  ModelConfig with its vocab_size -> int
    """
    C, F, inner = config.width, config.hidden, config.kv_heads * config.head_size
    norm = C * (2 if config.bias and config.norm == "layernorm" else 1)
    attention = 2 * C * C + 2 * C * inner + (2 * C + 2 * inner if config.bias else 0)
    ups = 2 if config.activation == "swiglu" else 1
    feed_forward = (ups + 1) * C * F + (ups * F + C if config.bias else 0)
    tables = config.vocab_size * C * (1 if config.tied else 2)
    positions = config.context * C if config.position == "learned" else 0
    return tables + positions + config.layers * (attention + feed_forward + 2 * norm) + norm


def weight_bytes(config):
    """Bytes of a model's weights in float32."""
    return FLOAT * parameters(config)


def training_bytes(config, rows):
    """Approximate bytes of training: weights, gradients, two moments, and the activations.

    Activations are those of one micro-batch of `rows` sequences: about 12 * width + 4 * hidden
    numbers per token and block, and the logits with their gradient.
    """
    tokens = rows * config.context
    per_block = 12 * config.width + 4 * config.hidden
    activations = tokens * (config.layers * per_block + 2 * config.vocab_size)
    return 4 * weight_bytes(config) + FLOAT * activations


def training_flops(config, tokens):
    """Multiplications and additions of a training:  FLOPs = 6 * parameters * tokens.

    Each parameter is multiplied and added once forward and twice backward, for every token.
    Source:  Kaplan et al. 2020, arXiv:2001.08361, section 2.1.
    """
    return 6.0 * parameters(config) * tokens


def attention_flops(config, tokens):
    """FLOPs of scores and weighted values, which training_flops leaves out:

        12 * layers * width * context per token, half of them masked

    Source:  Kaplan et al. 2020, arXiv:2001.08361, table 1: 2 n_layer n_ctx d_attn forward, and
             3 times that in training.
    """
    return 12.0 * config.layers * config.width * config.context / 2 * tokens
