"""How far does counting go, and what does each part of a transformer add to it?

    python lessons/02_counting.py [--full]
"""

# %% Short stories in tokens, a tenth of them held out.
import textwrap

import numpy as np
import workbench as w

from minillm import tree
from minillm.config import ModelConfig, OptimizerConfig
from minillm.layers.attention import attention_backward, attention_forward
from minillm.layers.embedding import embedding_backward, embedding_forward
from minillm.layers.feed_forward import feed_forward_backward, feed_forward_forward
from minillm.layers.norm import norm_backward, norm_forward
from minillm.losses.next_token import next_token_backward, next_token_forward
from minillm.model.transformer import head_backward, head_forward, one_document, transformer_init
from minillm.objectives.next_token import next_token_objective
from minillm.objectives.objective import Objective
from minillm.text.batches import Batch, window_batch, windows
from minillm.text.learning import train_tokenizer
from minillm.training.loop import train
from minillm.world.corpus import write_corpus
from minillm.world.facts import make_world

STEPS, SEEDS = w.pick(4, 1000), w.pick((0,), (0,), (10, 11, 12))
SAMPLED_AT, ROWS, CONTEXT = w.pick((0, 2, 4), (0, 100, 1000)), 32, 32

texts = [document.text for document in write_corpus(make_world(0), w.pick(0.05, 1.0), kinds=["stories"])]
cut = len(texts) * 9 // 10
tokenizer = train_tokenizer(texts[:cut], w.pick(400, 1024))
stream, held_out = (tokenizer.encode_documents(part) for part in (texts[:cut], texts[cut:]))
V, BEGIN = tokenizer.vocab_size, tokenizer.begin_id
print(f"  {len(stream)} tokens to learn from, {len(held_out)} held out, {V} in the vocabulary")


# %% Rung 1, counting: how often does token b follow token a? One division makes probabilities of it.
def counted(ids, extra):
    """P(next | current) from the counts of pairs, `extra` added to each count.  Shapes:  ids (N,) -> (V, V)"""
    counts = np.full((V, V), float(extra))
    np.add.at(counts, (ids[:-1], ids[1:]), 1)
    return counts / counts.sum(axis=1, keepdims=True)


def loss_of(probs, ids):
    """-mean log P(next | current), over what follows within a document.  Shapes:  probs (V, V), ids (N,) -> ()"""
    inside = ids[1:] != BEGIN
    return -np.log(probs[ids[:-1], ids[1:]][inside]).mean()


# 0 would give a pair that never came a probability of 0, and a loss without bound. How much is best is tried on training text.
part = len(stream) * 9 // 10
EXTRA = min((0.001, 0.003, 0.01, 0.03, 0.1), key=lambda extra: loss_of(counted(stream[:part], extra), stream[part:]))
counted_loss = loss_of(counted(stream, EXTRA), held_out)
print(f"  counting, with {EXTRA} added to each count: held-out loss {counted_loss:.3f}")

# %% Why not count longer contexts? The longer, the more of them come in held-out text that never came in training.
for n in (2, 3, 5, 8, 12):
    grams = [set(zip(*(ids[k:].tolist() for k in range(n)))) for ids in (stream, held_out)]
    print(f"  {n} tokens in a row: {V ** n:.0e} possible, {len(grams[0])} seen, "
          f"{np.mean([gram not in grams[0] for gram in grams[1]]):.0%} of those held out were never seen")


# %% Rung 2, the same table by gradient descent: a row of V scores (logits) for each token, all of them 0 at the start.
def table_objective(params, batch):
    """Loss and gradients of the table: token a's row is the logits of what follows.  Shapes:  table (V, V)"""
    logits, rows = embedding_forward(batch.tokens, params["embedding"]["table"])                # (B, T, V)
    loss, cache = next_token_forward(logits.reshape(-1, V), batch.targets.reshape(-1), batch.weights.reshape(-1))
    dlogits = next_token_backward(1.0, cache).reshape(logits.shape)
    return Objective(float(loss), {"embedding": {"table": embedding_backward(dlogits, rows)}}, float(batch.weights.sum()), {})


# %% Rungs 3 to 6: the table becomes two thin ones, then attention, the feed-forward layer and more blocks come between them.
def forward(params, batch, config):
    """Logits after each token; a block has the parts that its parameters name.

    Shapes:  Batch of (B, T) -> logits (B T, V), and what the backward pass needs
    """
    x, token = embedding_forward(batch.tokens, params["embedding"]["token"])        # (B, T, C)
    parts = []
    for block in params["blocks"]:
        if "attention" in block:
            n, norm = norm_forward(x, block["norm1"], config.norm, config.norm_eps)
            x, attention = attention_forward(n, block["attention"], config, batch.positions,
                                             batch.visible_from, residual=x)        # x + attention(n)
            parts.append(("norm1", norm, "attention", attention, attention_backward))
        if "feed_forward" in block:
            n, norm = norm_forward(x, block["norm2"], config.norm, config.norm_eps)
            x, feed = feed_forward_forward(n, block["feed_forward"], residual=x)    # x + feed_forward(n)
            parts.append(("norm2", norm, "feed_forward", feed, feed_forward_backward))
    h, norm = norm_forward(x, params["norm"], config.norm, config.norm_eps)
    logits, head = head_forward(h.reshape(-1, config.width), params)                # (B T, V)
    return logits, (token, parts, norm, head, x.shape)


def backward(dlogits, cache, blocks):
    """forward in reverse: gradients with the keys of the parameters."""
    token, parts, norm, head, shape = cache
    dh, d_head = head_backward(dlogits, head)
    dx, d_norm = norm_backward(dh.reshape(shape), norm)
    d_blocks = [{} for _ in blocks]
    owners = [i for i, block in enumerate(blocks) for name in ("attention", "feed_forward") if name in block]
    for owner, (norm_name, norm, name, part, part_backward) in reversed(list(zip(owners, parts))):
        dn, d_part = part_backward(dx, part)
        dx, d_part_norm = norm_backward(dn, norm, residual=dx)
        d_blocks[owner].update({norm_name: d_part_norm, name: d_part})
    return {"embedding": {"token": embedding_backward(dx, token)}, "blocks": d_blocks, "norm": d_norm, "head": d_head}


def objective_of(config):
    """The objective of one rung's model, for the training loop."""
    def objective(params, batch):
        logits, cache = forward(params, batch, config)
        loss, loss_cache = next_token_forward(logits, batch.targets.reshape(-1), batch.weights.reshape(-1))
        grads = backward(next_token_backward(1.0, loss_cache), cache, params["blocks"])
        return Objective(float(loss), grads, float(batch.weights.sum()), {})
    return objective


# %% One loop for all rungs: a batch of windows, loss and gradients, an AdamW step (lesson 04).
def fitted(params, objective, seed, lr=4e-3, look=lambda step, params: None):
    """Train for STEPS steps; look(step, params) before the first step and after each.

    Returns (params, the loss of each step).
    """
    settings, curve = OptimizerConfig(steps=STEPS, lr=lr, warmup_share=0.02, weight_decay=0.01), []

    def batch_at(step):
        return [window_batch(stream, step, ROWS, CONTEXT, seed, BEGIN)]

    def watch(state, record):
        curve.append(record["loss"])
        look(len(curve), state.params)
    look(0, params)
    train(params, settings, batch_at, objective, watch=watch)
    return params, curve


def held_out_loss(params, objective):
    """Mean loss over the held-out stories, each token weighted alike."""
    parts = [objective(params, batch) for batch in windows(held_out, CONTEXT, BEGIN, ROWS) if batch.weights.any()]
    return sum(part.loss * part.weight for part in parts) / sum(part.weight for part in parts)


def sampled(next_logits, count=40, seed=1):
    """Text drawn token by token from next_logits(ids) (V,), after the token that begins a story."""
    rng, ids = np.random.default_rng(seed), [BEGIN]
    while len(ids) <= count:
        logits = next_logits(np.array(ids[-CONTEXT:], np.int32)[None]).astype(float)
        weights = np.exp(logits - logits.max())
        ids.append(int(rng.choice(V, p=weights / weights.sum())))
        if ids[-1] == BEGIN:
            break
    return repr(tokenizer.decode([i for i in ids if i != BEGIN]))


def last_logits(params, config):
    """next_logits of a model, for sampled."""
    def logits(ids):
        batch = Batch(ids, ids, np.ones(ids.shape), *one_document(ids))
        return forward(params, batch, config)[0][-1]
    return logits


# %% The rungs. The control has as many parameters as the rung with attention and a feed-forward layer, and no attention.
def rung(kept, layers, hidden, seed):
    """(params, config) of a model whose blocks have only the parts `kept`, named as in the package."""
    config = ModelConfig(vocab_size=V, context=CONTEXT, layers=max(1, layers), width=64, heads=4, kv_heads=4, hidden=hidden)
    params = transformer_init(config, np.random.default_rng(seed))
    blocks = [{name: part for name, part in block.items() if name in kept} for block in params["blocks"][:layers]]
    return {**params, "blocks": blocks}, config


ATTENTION, FEED_FORWARD = ("norm1", "attention"), ("norm2", "feed_forward")
WIDER = 160 + 4 * 64 * 64 // (3 * 64)       # attention's 4 C^2 numbers, spent on the feed-forward layer's 3 C F
WIDEST = 160 + 2 * WIDER                    # two more blocks' numbers, spent on the width of one
RUNGS = {"embedding": ((), 0, 160), "control: no attention": (FEED_FORWARD, 1, WIDER), "attention": (ATTENTION, 1, 160),
         "feed-forward": (ATTENTION + FEED_FORWARD, 1, 160), 
         "control: one wide block": (ATTENTION + FEED_FORWARD, 1, WIDEST), "depth": (ATTENTION + FEED_FORWARD, 3, 160)}

losses, curves = {name: [] for name in ("counting", "table", *RUNGS)}, {}
for seed in SEEDS:
    shown = []
    losses["counting"].append(counted_loss)
    table, curves["table"] = fitted({"embedding": {"table": np.zeros((V, V), np.float32)}}, table_objective, seed, lr=0.1)
    losses["table"].append(held_out_loss(table, table_objective))
    shown.append(("counting", V * V, counted_loss, sampled(lambda ids: np.log(counted(stream, EXTRA)[ids[0, -1]]))))
    shown.append(("table", V * V, losses["table"][-1], sampled(lambda ids: table["embedding"]["table"][ids[0, -1]])))
    for name, (kept, layers, hidden) in RUNGS.items():
        params, config = rung(kept, layers, hidden, seed)
        objective, samples = objective_of(config), {}

        def look(step, now):
            if step in SAMPLED_AT:
                samples[step] = (held_out_loss(now, objective), sampled(last_logits(now, config)))
        params, curves[name] = fitted(params, objective, seed, look=look)
        losses[name].append(samples[STEPS][0])
        shown.append((name, tree.count(params), *samples[STEPS]))
    if seed == SEEDS[0]:
        told = [f"{name} ({size:,} parameters, held-out loss {loss:.2f}): {text}" for name, size, loss, text in shown]
        told += [f"depth after {step} steps (held-out loss {loss:.2f}): {text}" for step, (loss, text) in samples.items()]
        told = [part for line in told for part in textwrap.wrap(line, 112, subsequent_indent="    ")]
        print("\n  samples\n    " + "\n    ".join(told))

# %% The last rung is the package's transformer: the same loss, the same gradients, to the last bit.
batch = window_batch(stream, 0, ROWS, CONTEXT, 0, BEGIN)
ours, theirs = objective(params, batch), next_token_objective(params, batch, config)
assert np.isclose(ours.loss, theirs.loss, rtol=1e-6)
for name, one, other in tree.zipped(ours.grads, theirs.grads):
    np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5, err_msg=name)
print(f"\n  loss {ours.loss:.4f} here, {theirs.loss:.4f} by the package's own objective; the gradients agree")


def draw(axes):
    """Loss in training over the steps, each rung a line; the counted pairs as a level."""
    axes.axhline(counted_loss, color="grey", linestyle=":", label="counting (held-out)")
    for name, curve in curves.items():
        mean = np.convolve(curve, np.ones(25) / 25, "valid")
        axes.plot(np.arange(len(mean)) + 13, mean, "--" if name.startswith("control") else "-", label=name)
    axes.set_xlabel("step")
    axes.set_ylabel("loss, nats a token (mean of 25 steps)")
    axes.legend(frameon=False)


# %% The claims. Both have a control with as many parameters: it tells what an addition does from what its size does.
def gain(name, below):
    """How far one rung's held-out loss lies below another's: mean and interval over the seeds."""
    return w.interval(np.subtract(losses[below], losses[name]))


BAR, MOST, DEPTH_BAR = 0.3, 0.05, 0.05
context, size = gain("attention", "counting"), gain("control: no attention", "counting")
verdicts = {w.verdict(*context[1:], above=BAR), {"holds": "fails", "fails": "holds"}.get(w.verdict(*size[1:], above=MOST))}
judged = "holds" if verdicts == {"holds"} else "fails" if "fails" in verdicts else "undecided"
steps = [(name, gain(name, below)[0]) for below, name in (("counting", "embedding"), ("embedding", "attention"),
                                                          ("attention", "feed-forward"), ("feed-forward", "depth"))]
w.outcome(__file__, "1b what attention adds is context, not parameters",
          f"held-out loss with attention at least {BAR} nats below counted pairs; a larger model without attention "
          f"at most {MOST} below them",
          f"attention {context[0]:.2f} below ({context[1]:.2f} to {context[2]:.2f} over {len(SEEDS)} seeds), the larger model "
          f"without it {size[0]:.2f} ({size[1]:.2f} to {size[2]:.2f}); each rung below the one before: "
          + ", ".join(f"{name} {mean:.2f}" for name, mean in steps), judged,
          {"attention": context, "no attention": size, "samples": told}, w.picture("02_rungs", draw),
          plainly={"holds": "A model that sees the context predicts far better than a table of pairs, and a larger model that "
                            "does not see it is hardly better than the table.",
                   "fails": "Attention gains less over a table of pairs than was predicted, or a larger model without attention "
                            "gains as well.",
                   "undecided": "Whether it is the context or the size that lowers the loss cannot be told from so few seeds."})
deep = gain("depth", "control: one wide block")
w.outcome(__file__, "1c depth is more than parameters",
          f"three blocks at least {DEPTH_BAR} nats below one block of as many parameters",
          f"{deep[0]:.2f} below ({deep[1]:.2f} to {deep[2]:.2f} over {len(SEEDS)} seeds)",
          w.verdict(*deep[1:], above=DEPTH_BAR), {"depth": deep},
          plainly={"holds": "Three blocks predict better than one block of as many parameters.",
                   "fails": "Three blocks are not better than one block of as many parameters by as much as was predicted.",
                   "undecided": "Whether three blocks predict better than one of as many parameters cannot be told from so few "
                                "seeds."})
