"""Size of a model, computed from its configuration only: parameters, bytes and operations."""

from dataclasses import replace

FLOAT = 4               # bytes of a float32
GAPS = 0.3              # of experts' arrays, whose sizes change with every batch: what freed ones
#                         leave between others


def parameters(config):
    """Number of parameters of a model, without building it.

        tables V C (twice if untied), learned positions T C;
        per block: attention 2 C^2 + 2 C G D, feed-forward 2 or 3 C F, two norms;
        with experts, the feed-forward E times, and a router E C

    Shapes:  ModelConfig with its vocab_size -> int
    """
    C, F, inner = config.width, config.hidden, config.kv_heads * config.head_size
    norm = C * (2 if config.bias and config.norm == "layernorm" else 1)
    ups = 2 if config.activation == "swiglu" else 1
    feed_forwards = config.experts or 1
    qkv = C + 2 * inner if config.qkv_bias else 0
    biases = qkv + C + feed_forwards * (C + ups * F) if config.bias else 0
    tables = config.vocab_size * C * (1 if config.tied else 2)
    positions = config.context * C if config.position == "learned" else 0
    vectors = config.layers * (biases + 2 * norm) + norm
    return tables + positions + block_matrices(config) + vectors


def block_matrices(config):
    """Number of weights in the matrices of all blocks, without biases and gains."""
    C, F, inner = config.width, config.hidden, config.kv_heads * config.head_size
    ups = 2 if config.activation == "swiglu" else 1
    feed_forwards = (config.experts or 1) * (ups + 1) * C * F + config.experts * C
    return config.layers * (2 * C * C + 2 * C * inner + feed_forwards)


def active_parameters(config):
    """Number of parameters that work on a token: of the experts, the chosen ones and the router.

    Shapes:  ModelConfig with its vocab_size -> int, the same as parameters without experts
    """
    if config.experts == 0:
        return parameters(config)
    idle = config.experts - config.active_experts
    chosen = replace(config, experts=config.active_experts)
    return parameters(chosen) + config.layers * idle * config.width


def weight_bytes(config):
    """Bytes of a model's weights in float32."""
    return FLOAT * parameters(config)


def block_activations(config, precision="float32"):
    """Numbers per token that a block keeps for its backward pass, by what they are.

    The residual stream twice, the two norms' outputs, queries and attention's output: 6 C;
    keys and values: 2 G D; gate, up and hidden of the feed-forward: 3 F (2 F with GELU);
    the softmax's denominators: H. In bfloat16 the factors of the products take half the room:
    both norms' outputs, hidden, and attention's output, which is kept in float32 as well.
    With experts, expert_activations take the feed-forward's place; the router's input, n2, stays
    float32.
    """
    C, F, inner = config.width, config.hidden, config.kv_heads * config.head_size
    before = F * (2 if config.activation == "swiglu" else 1)    # gate and up
    rounded = 0.5 if precision == "bfloat16" else 1             # factors of products
    attention = (5.5 if precision == "bfloat16" else 6) * C + 2 * inner + config.heads
    if config.experts == 0:
        return attention + before + rounded * F
    return attention + (1 - rounded) * C + expert_activations(config, precision)


def expert_activations(config, precision="float32"):
    """Numbers per token that the experts of a block keep for their backward pass; 0 without any.

    The feed-forward K times, each with its own input and output, 2 C; who chose what, 7 K; the
    router's probabilities, E.
    """
    if config.experts == 0:
        return 0
    rounded = 0.5 if precision == "bfloat16" else 1             # factors of products
    before = config.hidden * (2 if config.activation == "swiglu" else 1)
    each = (1 + rounded) * config.width + before + rounded * config.hidden + 7
    return config.active_experts * each + config.experts


def pass_bytes(config, tokens, targets, recompute=False, precision="float32"):
    """Bytes of a forward and backward pass over `tokens`, of which `targets` have logits.

        tokens (blocks + one block's gradients + head) + targets (V + 2 C)

    A recomputed block keeps its input alone, and one block at a time has the rest. In bfloat16 the
    gradient of the logits is there twice, once rounded. An upper bound where targets are few: what
    the last block and the final norm have for targets alone is counted for all tokens.
    """
    C, block = config.width, block_activations(config, precision)
    block += GAPS * expert_activations(config, precision)
    logits = config.vocab_size * (1.5 if precision == "bfloat16" else 1)
    blocks = config.layers * C + block if recompute else config.layers * block
    gradients = config.hidden * (3 if config.activation == "swiglu" else 2) + 3 * C
    head = 4 * C                # final norm's input and output, and the gradients of both
    return FLOAT * (tokens * (blocks + gradients + head) + targets * (logits + 2 * C))


def scoring_bytes(config, tokens, targets):
    """Bytes of a forward pass alone: every block's input, two blocks at work, the logits."""
    C = config.width
    blocks = config.layers * C + 2 * block_activations(config)
    return FLOAT * (tokens * (blocks + 2 * C) + targets * (config.vocab_size + C))


def decoding_bytes(config, rows, prompts, prompt, length):
    """Bytes of answering in a batch: the prompts' forward pass, and the key/value cache.

    rows: answers; prompts: different prompts among them; prompt, length: tokens of a prompt and of
    prompt and answer together. The prompts are read block by block, and of each one the keys and
    values are kept. That cache is then copied for the rows, layer by layer.
    """
    layer = 2 * config.kv_heads * config.head_size * length
    reading = prompt * (block_activations(config) + 2 * config.width)
    return FLOAT * (max(prompts * (config.layers * layer + reading),
                        (config.layers + 1) * rows * layer) + 2 * rows * config.vocab_size)


def training_bytes(config, settings, learning, looking):
    """Bytes of training: weights, gradients, moments, and the largest of what comes and goes.

    settings: OptimizerConfig; learning: bytes of a forward and backward pass; looking: bytes of an
    evaluation between steps.
    Several micro-batches need their sum beside each one's gradients. When the checkpoint is read
    again, its moments come on top of the memory that the process keeps (kernels/threads.py). AdamW
    has two for each weight, Muon one for those of the blocks' matrices.
    """
    weights = weight_bytes(config)
    without = FLOAT * block_matrices(config) if settings.optimizer == "muon" else 0
    moments = 2 * weights - without
    gradients = weights if settings.micro_batches == 1 else 2 * weights
    return weights + 2 * moments + max(gradients + learning, weights + looking)


def training_flops(config, tokens):
    """Multiplications and additions of a training:  FLOPs = 6 * active parameters * tokens.

    Each parameter is multiplied and added once forward and twice backward, for every token that it
    works on: of the experts, a token has the chosen ones alone. An input table of its own (untied)
    is counted too, though it is only looked up: that makes the figure too high by 0.4% for Llama 2
    70B, and by some 45% for a model of 1.5 million parameters.
    Source:  Kaplan et al. 2020, arXiv:2001.08361, section 2.1, who leave tables out.
    """
    return 6.0 * active_parameters(config) * tokens


def flops_a_token(config):
    """training_flops and attention_flops of one token, without the tables that are only looked up.

    A table of learned positions is one, and that of tokens if the head is another (untied). So
    models of different families that do the same work have the same figure.
    """
    looked_up = config.width * ((0 if config.tied else config.vocab_size)
                                + (config.context if config.position == "learned" else 0))
    return training_flops(config, 1) - 6.0 * looked_up + attention_flops(config, 1)


def attention_flops(config, tokens):
    """FLOPs of scores and weighted values, which training_flops leaves out:

        12 * layers * width * context per token, half of them masked

    In a layer with a window W a token sees W (1 - W / (2 context)) keys, in place of context / 2.
    Source:  Kaplan et al. 2020, arXiv:2001.08361, table 1: 2 n_layer n_ctx d_attn forward, and
             3 times that in training.
    """
    dense = 12.0 * config.layers * config.width * config.context / 2 * tokens
    if config.window == 0:
        return dense
    W, T = min(config.window, config.context), config.context
    local = config.layers // 2 / config.layers          # share of the layers
    return dense * (1 - local + local * (W - W * W / (2 * T)) / (T / 2))
