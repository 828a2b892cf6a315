"""What happens to one token on its way through the model, and what does the model learn from it?

    python lessons/04_one_token.py
"""

# %% Four words and a model of 58 numbers. They were chosen so that each line below can be checked on paper.
import numpy as np
import workbench as w

from minillm import tree
from minillm.config import ModelConfig, OptimizerConfig
from minillm.layers.attention import attention_forward
from minillm.layers.block import block_forward
from minillm.layers.feed_forward import feed_forward_forward
from minillm.layers.norm import norm_forward
from minillm.losses.next_token import next_token_backward, next_token_forward
from minillm.model.transformer import embed, head_forward, one_document, transformer_forward
from minillm.objectives.next_token import next_token_objective
from minillm.optim.adamw import adamw_init, adamw_update
from minillm.text.batches import Batch
from minillm.training.loop import accumulate

WORDS = ["the", "cat", "sat", "mat"]
CONFIG = ModelConfig(vocab_size=4, context=4, layers=1, width=2, heads=1, kv_heads=1, hidden=2, position="learned",
                     norm_eps=1e-12)


def small_params():
    """The model's parameters."""
    log3, one, row = np.log(3), np.eye(2, dtype=np.float32), lambda *rows: np.array(rows, np.float32)
    attention = {"query": {"weight": np.float32(log3 / np.sqrt(2)) * one}, "key": {"weight": one.copy()},
                 "value": {"weight": row((0, 0), (4, 4))}, "output": {"weight": one.copy()}}
    feed_forward = {"gate": {"weight": row((log3, 0), (0, 0))}, "up": {"weight": row((4 / (3 * log3), 0), (1, 1))},
                    "down": {"weight": row((6, 1), (0, 1))}}
    return {"embedding": {"token": row((1, 1), (1, -1), (-1, 1), (-1, -1)), "position": np.zeros((4, 2), np.float32)},
            "blocks": [{"norm1": {"gain": np.ones(2, np.float32)}, "attention": attention,
                        "norm2": {"gain": np.ones(2, np.float32)}, "feed_forward": feed_forward}],
            "norm": {"gain": np.ones(2, np.float32)},
            "head": {"weight": row((0, 0), (-1, 1), (1, -1), (0.5, 1.5))}}


def told(name, value):
    """Print a tensor with its name and shape."""
    print(f"  {name:<26}{str(np.shape(value)):<12}{(np.round(np.asarray(value, float), 3) + 0.0).tolist()}")


# %% The text, "the cat", as ids: one row (B = 1) of two tokens (T = 2).
params, block = small_params(), small_params()["blocks"][0]
tokens = np.array([[WORDS.index("the"), WORDS.index("cat")]], np.int32)
place = one_document(tokens)
print(f"  a model of {tree.count(params)} numbers, {params['embedding']['position'].size} of them positions and here 0")
told("tokens", tokens)

# %% Embedding: a row of the table for each token.
x, *_ = embed(tokens, params["embedding"], place[0])
told("x = embedding", x)

# %% The block, part by part: what attention brings to "cat" from "the", then the feed-forward layer.
n1, _ = norm_forward(x, block["norm1"], "rmsnorm", CONFIG.norm_eps)
after, attention = attention_forward(n1, block["attention"], CONFIG, *place, residual=x)
q, k, v = attention.q[0, :, 0], attention.k[0, :, 0], attention.v[0, :, 0]
scores = np.where(np.tri(2, dtype=bool), q @ k.T / np.sqrt(2), -np.inf)
weights = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
told("norm1(x)", n1)
told("queries", q)
told("keys", k)
told("values", v)
told("scores", scores)
told("attention weights", weights)
told("x + attention", after)
n2, _ = norm_forward(after, block["norm2"], "rmsnorm", CONFIG.norm_eps)
y, feed_forward = feed_forward_forward(n2, block["feed_forward"], residual=after)
told("norm2(x)", n2)
told("gate", feed_forward.gate)
told("up", feed_forward.up)
told("x + feed_forward", y)
assert np.array_equal(y, block_forward(x, block, CONFIG, *place)[0])

# %% The whole body, then a score (logit) for each word, then probabilities.
h, _ = transformer_forward(tokens, params, CONFIG, *place)
logits, _ = head_forward(h[0], params)
probs = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
told("h = norm(x)", h)
told("logits", logits)
told("probabilities", probs)

# %% The loss: how surprised the model is by the words that come, "cat" after "the" and "sat" after "the cat".
targets = np.array([WORDS.index("cat"), WORDS.index("sat")], np.int32)
told("-log p of each target", -np.log(probs[[0, 1], targets]))
loss, cache = next_token_forward(logits.copy(), targets, np.array([0.0, 1.0], np.float32))     # weight 0: ignored
told("loss of the second", loss)
told("its gradient, dlogits", next_token_backward(1.0, cache))


# %% accumulate: two texts of two and one targets, one after the other; each target counts the same.
def batch_of(*words):
    """A Batch of one row: the words but the last, and their targets."""
    ids = np.array([[WORDS.index(word) for word in words]], np.int32)
    row = ids[:, :-1].copy()
    return Batch(row, ids[:, 1:].copy(), np.ones(row.shape, np.float32), *one_document(row))


def objective(params, batch):
    """Loss and gradients of a batch."""
    return next_token_objective(params, batch, CONFIG)


parts = [batch_of("the", "cat", "sat"), batch_of("the", "mat")]
first, second = (objective(params, batch) for batch in parts)
together = accumulate(objective, params, parts)
print(f"\n  losses {first.loss:.3f} over 2 targets and {second.loss:.3f} over 1: together {together.loss:.3f}, "
      f"not the plain mean {(first.loss + second.loss) / 2:.3f}")

# %% adamw_update: one step, and each number whose gradient is not 0 has moved by the learning rate.
settings = OptimizerConfig(weight_decay=0.0)
before = tree.copy(params)
adamw_update(params, together.grads, adamw_init(params), 0.01, settings)
for name, new, old, grad in tree.zipped(params, before, together.grads):
    if name in ("head.weight", "blocks.0.attention.query.weight"):
        told(f"{name}", grad)
        told("  moved by", new - old)
print(f"  the loss was {together.loss:.4f} and is {accumulate(objective, params, parts).loss:.4f}")

# %% Many steps: the model learns these two texts by heart, as far as they can be learned.
state, curve = adamw_init(params), []
for step in range(w.pick(5, 300)):
    part = accumulate(objective, params, parts)
    adamw_update(params, part.grads, state, 0.01, settings)
    curve.append(part.loss)
print(f"  after {len(curve)} steps {curve[-1]:.4f}; the least possible is {2 * np.log(2) / 3:.4f}: after \"the\" come two words")
