"""How much does training take as models grow, and is more always better?

    python lessons/19_scale.py [--full]
"""

# %% The published models, from their shapes alone: `minillm scale` prints the same table.
from itertools import product

import numpy as np
import workbench as w

from minillm.evaluate.scale import PUBLISHED
from minillm.model.size import parameters, training_flops
from minillm.phases.finetune import FinetuneConfig, finetune_task
from minillm.runs.measures import task_accuracy
from minillm.text.tokenizer import train_tokenizer
from minillm.training.recorder import MemoryRecorder
from minillm.world.corpus import write_corpus
from minillm.world.facts import make_world
from minillm.world.messages import TASK_PROMPT, labelled_messages

SEEDS = w.pick((0,), (0, 1, 2))
errors = []
for model in PUBLISHED:
    flops = training_flops(model.config, model.tokens)
    if model.verified:
        errors += [parameters(model.config) / model.parameters - 1, flops / model.flops - 1]
    print(f"  {model.name:<14} {parameters(model.config) / 1e9:7.1f} B parameters (published {model.parameters / 1e9:.0f} B), "
          f"{flops:.2e} FLOPs (published {model.flops:.2e}){'' if model.verified else '  UNVERIFIED'}")
worst = float(np.abs(errors).max())
w.outcome(__file__, "11a published sizes follow from published shapes",
          "parameters and 6 N D of GPT-3 and Llama 2 70B, computed from their shapes, are within 5% of what was published",
          f"largest difference {100 * worst:.1f}%", "holds" if worst < 0.05 else "fails", {"largest difference": worst})

# %% A scaling law of this machine's own: sizes x budgets, on the world's text.
WIDTHS, BUDGETS = w.pick((16, 24), (16, 32, 48, 64, 96), (16, 24, 32, 48, 64, 96)), w.pick((2, 4), (40, 80, 160, 320))
TEXTS = [document.text for document in write_corpus(make_world(0), w.pick(0.05, 1.5))]
TOKENIZER = train_tokenizer(TEXTS[:400], 512)
ROWS, CONTEXT = w.pick(4, 16), 64


def final_loss(width, steps, seed):
    """(parameters of the blocks, tokens read, mean loss of the last tenth of the steps, parameters with the tables)."""
    model = w.small_model(TOKENIZER, seed, width=width, hidden=2 * width, heads=4, kv_heads=4, context=CONTEXT)
    N = sum(leaf.size for block in model.params["blocks"] for leaf in leaves(block))
    whole = sum(leaf.size for leaf in leaves({**model.params, "blocks": dict(enumerate(model.params["blocks"]))}))
    losses = [record["loss"] for record in w.read(model, TEXTS, steps, seed, rows=ROWS)]
    return N, steps * ROWS * CONTEXT, float(np.mean(losses[-max(1, steps // 10):])), whole


def leaves(tree):
    """All arrays of a nested dict."""
    return [leaf for part in tree.values() for leaf in leaves(part)] if isinstance(tree, dict) else [tree]


runs = np.array([final_loss(width, steps, seed) for width in WIDTHS for steps in BUDGETS for seed in SEEDS[:w.pick(1, 1, 2)]])


# %% Fit L = E + A / N^alpha + B / D^beta: the exponents by grid, coarse and then fine; the rest by least squares.
def fit(runs, size=0):
    """(alpha, beta, E, largest |residual|) with the smallest squared error.

    size: the column that counts as N, 0 for the blocks alone and 3 for all parameters.
    """
    N, D, loss, best = runs[:, size], runs[:, 1], runs[:, 2], (np.inf, 0.775, 0.775)
    for step, reach in ((0.05, 0.725), (0.01, 0.04)):
        middles = best[1:3]
        for alpha, beta in product(*(np.arange(middle - reach, middle + reach + 1e-9, step) for middle in middles)):
            design = np.column_stack([np.ones(len(N)), (N / 1e4) ** -alpha, (D / 1e5) ** -beta])
            solution, *_ = np.linalg.lstsq(design, loss, rcond=None)
            residual = design @ solution - loss
            error = float(np.sum(residual ** 2)) + (1e3 if (solution < 0).any() else 0)
            best = min(best, (error, alpha, beta, solution[0], np.abs(residual).max()))
    return tuple(map(float, best[1:]))


def bootstrap(size):
    """fit of all runs, and the 95% interval of each of its numbers over resampled runs.  Returns (fit, low, high)"""
    rng = np.random.default_rng(0)
    again = [fit(runs[rng.integers(0, len(runs), len(runs))], size) for _ in range(w.pick(2, 20, 200))]
    return fit(runs, size), *np.percentile(again, (2.5, 97.5), axis=0)


(alpha, beta, floor, residual), low, high = bootstrap(0)
whole, whole_low, whole_high = bootstrap(3)
w.show([(counted, name, values[j], lows[j], highs[j], values[3])
        for counted, values, lows, highs in (("blocks", (alpha, beta, floor, residual), low, high),
                                             ("tables too", whole, whole_low, whole_high))
        for j, name in enumerate(("alpha", "beta"))],
       ("N counts", "exponent", "fitted", "from", "to", "largest residual of the fit, nats"))
rise = np.array([[np.mean([r[2] for r in runs[(runs[:, 0] == N)] if r[1] == D]) for D in np.unique(runs[:, 1])]
                 for N in np.unique(runs[:, 0])])
w.show([(int(N), int(all_of), *row) for N, all_of, row in zip(np.unique(runs[:, 0]), np.unique(runs[:, 3]), rise)],
       ("parameters in blocks", "with the tables", *(f"{int(D):,} tokens" for D in np.unique(runs[:, 1]))))


def draw_law(axes):
    """Loss against tokens, a line a size."""
    for N, row in zip(np.unique(runs[:, 0]), rise):
        axes.plot(np.unique(runs[:, 1]), row, "o-", label=f"{int(N):,}")
    axes.set_xscale("log", base=2)
    axes.set_xlabel("tokens read")
    axes.set_ylabel("loss, nats a token")
    axes.legend(frameon=False, title="parameters in blocks")


both = bool((np.diff(rise[:, -1]) < 0).all() and (np.diff(rise, axis=1) < 0).all())


def agrees(low, high, published):
    """Whether an interval says that an exponent is the published one: "holds", "fails" or "undecided".

    It holds where the interval contains it and is narrow enough to exclude half and double of it.
    """
    if not low <= published <= high:
        return "fails"
    return "holds" if low > published / 2 and high < 2 * published else "undecided"


exponents = [agrees(low[0], high[0], 0.34), agrees(low[1], high[1], 0.28)]
judged = "fails" if not both or "fails" in exponents else "undecided" if "undecided" in exponents else "holds"
w.outcome(__file__, "11b loss falls as a power of size and data",
          "the loss falls with every step up in tokens, and in size at the largest budget; the exponents' intervals contain "
          "Chinchilla's 0.34 and 0.28",
          f"falls everywhere: {both}; alpha {alpha:.2f} ({low[0]:.2f} to {high[0]:.2f}), beta {beta:.2f} ({low[1]:.2f} to "
          f"{high[1]:.2f}), E {floor:.2f}; bootstrap over {len(runs)} runs; largest residual {residual:.2f} nats; with the tables "
          f"counted, alpha {whole[0]:.2f} ({whole_low[0]:.2f} to {whole_high[0]:.2f})", judged,
          {"alpha": [alpha, low[0], high[0]], "beta": [beta, low[1], high[1]], "largest residual": residual,
           "alpha with tables": [whole[0], whole_low[0], whole_high[0]],
           "beta with tables": [whole[1], whole_low[1], whole_high[1]], "largest residual with tables": whole[3]}, w.picture("19_law", draw_law))

# %% Parameters as memory cells: random facts, key -> value, read again and again. How many bits stay?
VALUES = tuple("abcdefghijklmnop")          # 16 values: a fact holds 4 bits
KEYS = [f"{a}{b}{c}" for a in "qrstuvwxyz" for b in "qrstuvwxyz" for c in "qrstuvwxyz"]
WINDOW, WINDOWS = 48, 16                    # tokens; a fact has 6 of them with its begin and its end


def bits_stored(width, count, exposures, seed):
    """(parameters, bits recalled) when each fact was read so often: 4 bits a fact, less what is still not known."""
    rng = np.random.default_rng(seed)
    facts = {KEYS[i]: VALUES[int(rng.integers(16))] for i in rng.permutation(len(KEYS))[:count]}
    texts = [f"{key}{value}" for key, value in facts.items()]
    model = w.small_model(train_tokenizer([*texts, "".join(VALUES)], kind="characters"), seed, width=width, hidden=2 * width, heads=2,
                          kv_heads=2, context=WINDOW, layers=1)
    steps = round(exposures * 6 * count / (WINDOW * WINDOWS))
    w.read(model, texts, steps, seed, rows=WINDOWS, lr=1e-2)
    belief = w.beliefs(model, list(facts), VALUES)
    known = np.log2(16) + np.log2(belief[np.arange(count), [VALUES.index(value) for value in facts.values()]] + 1e-9)
    return sum(leaf.size for leaf in leaves({**model.params, "blocks": {"0": model.params["blocks"][0]}})), float(known.sum())


SIZES, FACTS, EXPOSURES = w.pick((4, 8), (4, 8, 16)), w.pick(250, 1000), w.pick((2, 20), (10, 30, 100), (30, 100, 300, 1000))
stored = {(width, read): np.array([bits_stored(width, FACTS, read, seed) for seed in SEEDS])
          for width in SIZES for read in EXPOSURES}
ratio = {key: w.interval(found[:, 1] / found[:, 0]) for key, found in stored.items()}
w.show([(int(stored[key][0, 0]), key[1], stored[key][:, 1].mean(), *ratio[key]) for key in stored],
       ("parameters", "exposures", f"bits of {4 * FACTS}", "bits a parameter", "from", "to"))


def draw_memory(axes):
    """Bits a parameter against how often each fact was read, a line a size, and what was published of large models."""
    for width in SIZES:
        mean, low, high = np.array([ratio[width, read] for read in EXPOSURES]).T
        axes.errorbar(EXPOSURES, mean, yerr=np.where(np.isfinite(low), (high - low) / 2, 0), marker="o", capsize=3,
                      label=f"{int(stored[width, EXPOSURES[0]][0, 0]):,} parameters")
    axes.plot((100, 1000), (1, 2), "k*", markersize=10, label="published, of large models")
    axes.set_xscale("log")
    axes.set_xlabel("exposures: how often each fact was read")
    axes.set_ylabel("bits of facts a parameter")
    axes.legend(frameon=False)


few, many = EXPOSURES[-1] // 10, EXPOSURES[-1]
more = w.interval(stored[SIZES[-1], many][:, 1] - stored[SIZES[0], many][:, 1])
offered = {width: float(4 * FACTS / stored[width, many][0, 0]) for width in SIZES}      # bits of facts a parameter
able = [width for width in SIZES if offered[width] > 2]         # the others cannot keep 2: there are not so many to be had
top = max((ratio[width, read] for width in able for read in EXPOSURES), key=lambda r: r[2])
w.show([(int(stored[width, many][0, 0]), offered[width], "yes" if width in able else "no") for width in SIZES],
       ("parameters", "bits of facts for each", "could keep more than 2"))
w.outcome(__file__, "12a parameters are memory cells",
          "the larger model keeps more bits of the same facts, and no model that is offered more than 2 bits a parameter keeps "
          "more than 2",
          f"read {many:,} times, {more[0]:.0f} bits more ({more[1]:.0f} to {more[2]:.0f} over {len(SEEDS)} seeds); offered "
          f"{' and '.join(f'{offered[width]:.1f}' for width in able)} bits a parameter, at most {top[0]:.2f} are kept "
          f"({top[1]:.2f} to {top[2]:.2f})", w.verdict(min(more[1], 2 - top[2]), min(more[2], 2 - top[1])),
          {"bits more": list(more), "bits a parameter": list(top),
           **{f"bits a parameter, {int(found[0, 0])} parameters, {read} exposures": list(ratio[width, read])
              for (width, read), found in stored.items()},
           **{f"bits, {int(found[0, 0])} parameters, {read} exposures": list(w.interval(found[:, 1]))
              for (width, read), found in stored.items()}}, w.picture("19_memory", draw_memory))
middle = SIZES[1]                               # of the largest one, 2 bits a parameter would be more than the facts hold
size, kept = stored[middle, many][0, 0], {read: stored[middle, read][:, 1] for read in EXPOSURES}
beyond = w.interval((kept[many] - 1.5 * kept[few]) / size)
shares = "; ".join("{:.2f} ({:.2f} to {:.2f})".format(*ratio[middle, read]) + f" at {read:,}" for read in EXPOSURES)
w.outcome(__file__, "12c what is read more often is kept better",
          f"{int(size):,} parameters keep, of facts read {many:,} times, at least 1.5 times the bits that they keep of facts read "
          f"{few:,} times (published of large models: 2 bits a parameter at 1,000 exposures, 1 at 100)",
          f"bits a parameter {shares} exposures; over 1.5 times as many by {beyond[0]:.2f} bits a parameter "
          f"({beyond[1]:.2f} to {beyond[2]:.2f} over {len(SEEDS)} seeds)", w.verdict(beyond[1], beyond[2]),
          {f"bits a parameter, {read} exposures": list(ratio[middle, read]) for read in EXPOSURES}, "19_memory.png")

# %% More is not always better: a small model, fine-tuned for a task, against a base model seven times its size.
BASES = w.pick((0,), (0,), (0, 1, 2))
scores = {"large base": [], "small, fine-tuned": [], "small, before": []}
for seed in BASES:
    world, base, _ = w.base_and_assistant(seed)
    small = w.small_model(base.tokenizer, seed, width=32, hidden=64, context=128)
    held_out = labelled_messages(world, w.pick(8, 200), np.random.default_rng(5), "held_out")
    texts = [document.text for document in write_corpus(world, w.pick(0.05, 0.5))]
    w.read(small, texts, w.pick(2, 100), seed, rows=8)
    scores["large base"].append(task_accuracy(base, held_out))
    scores["small, before"].append(task_accuracy(small, held_out))
    messages = labelled_messages(world, w.pick(40, 1500), np.random.default_rng(seed), "train")
    finetune_task(small, messages, TASK_PROMPT, FinetuneConfig(steps=w.pick(2, 150), warmup_share=20 / 150, lr=4e-3), seed,
                  MemoryRecorder())
    scores["small, fine-tuned"].append(task_accuracy(small, held_out))
w.show([(name, *w.interval(values)) for name, values in scores.items()], ("model", "task accuracy", "from", "to"))
ahead = w.interval(np.subtract(scores["small, fine-tuned"], scores["large base"]))
sizes = [sum(leaf.size for leaf in leaves({**m.params, "blocks": dict(enumerate(m.params["blocks"]))})) for m in (base, small)]
w.outcome(__file__, "12b more is not always better",
          "a fine-tuned model of a seventh of the size beats the larger base on its task by at least 0.2",
          f"{sizes[1]:,} against {sizes[0]:,} parameters: ahead by {ahead[0]:.2f} ({ahead[1]:.2f} to {ahead[2]:.2f} over "
          f"{len(BASES)} seeds)", w.verdict(ahead[1], ahead[2], above=0.2), {"ahead": list(ahead)})
