"""How much does training take as models grow, and is more always better?

    python lessons/19_scale.py [--full]
"""

# %% The published models, from their shapes alone: `minillm scale` prints the same numbers.
import numpy as np
import workbench as w

from minillm.evaluate.likelihood import ending_likelihoods, stream_loss
from minillm.evaluate.scale import A100_FLOPS, PUBLISHED, UTILIZATION, gpu_hours, told_figures
from minillm.model.size import parameters, training_flops
from minillm.phases.finetune import FinetuneConfig, finetune_task
from minillm.phases.pretrain import PretrainConfig, pretrain
from minillm.runs.measures import task_accuracy
from minillm.text.learning import train_tokenizer
from minillm.training.recorder import MemoryRecorder
from minillm.world.corpus import write_corpus
from minillm.world.facts import make_world
from minillm.world.messages import LABELS, TASK_PROMPT, labelled_messages

SEEDS = w.pick((0,), (1,), (1, 2, 3))
rows, sizes_off, hours_off = [], {}, {}
for model in PUBLISHED:
    counted, hours = parameters(model.config), gpu_hours(model.config, model.tokens, A100_FLOPS * UTILIZATION)
    if model.parameters:
        sizes_off[model.name] = counted / model.parameters - 1
    if model.gpu_hours:
        hours_off[model.name] = hours / model.gpu_hours - 1
    rows.append((model.name + ("" if model.verified else " *"), f"{counted / 1e9:.1f} B",
                 f"{model.parameters / 1e9:.0f} B" if model.parameters else "unknown",
                 f"{training_flops(model.config, model.tokens):.2e}", f"{hours:,.0f}",
                 f"{model.gpu_hours:,.0f}" if model.gpu_hours else "unknown",
                 f"{UTILIZATION * hours / model.gpu_hours:.0%}" if model.gpu_hours else "unknown"))
w.show(rows, ("model (* a guess)", "parameters", "published", "6 N D", f"A100 hours at {UTILIZATION:.0%}", "published",
              "share of the peak that the published hours mean"))
size_off, hour_off = (max(off.values(), key=abs) for off in (sizes_off, hours_off))
each = ", ".join(f"{name} {off:+.0%}" for name, off in hours_off.items())
w.outcome(__file__, "11a published sizes and GPU hours follow from published shapes",
          "the parameters of GPT-3 and of Llama 2 in three sizes, counted from their shapes, are within 5% of those published; "
          f"the A100 hours of Llama 2, at {UTILIZATION:.0%} of the peak for all three, are within 15% of the published ones",
          f"parameters off by {size_off:+.1%} at most; hours: {each}",
          "holds" if abs(size_off) < 0.05 and abs(hour_off) < 0.15 else "fails",
          {"parameters off by": size_off, **{f"hours, {name}": off for name, off in hours_off.items()}},
          plainly={"holds": "The sizes of published models, and nearly their GPU hours, follow from their published shapes.",
                   "fails": "A size or a number of GPU hours is further from what follows from the published shapes than was "
                            "predicted.",
                   "undecided": "What was published is not enough to decide."})

# %% What is told of three models, beside what can be computed.
TOLD = told_figures()


def checked(model):
    """What is told of a model against what is computed: in words, and the outcome."""
    figures = [figure for figure in TOLD if figure.model == model]
    outcomes = {figure.outcome for figure in figures}
    words = "; ".join(f"{f.what}: told {f.words(f.told)}, computed {f.words(f.computed)} ({f.why})" for f in figures)
    return words, "fails" if "differs" in outcomes else "undecided" if "unknown" in outcomes else "holds"


w.outcome(__file__, "11c told: GPT-3 has 175 billion parameters, read 570 GB of text and cost about 5 million dollars",
          "the parameters within 5%, text and cost within a factor of 1.5 of what follows from its published shape and tokens",
          *checked("GPT-3 175B"),
          plainly={"holds": "What is told of GPT-3 agrees with what follows from its published shape.",
                   "fails": "Not all that is told of GPT-3 agrees with what follows from its published shape; the reason stands "
                            "beside each figure.",
                   "undecided": "Not enough is published of GPT-3 to check all that is told of it."})
w.outcome(__file__, "11d told: GPT-4 has about 1.7 trillion parameters, its data are unknown, it cost about 100 million dollars",
          "nobody published what it would take to check these: unknown, and so undecided", *checked("GPT-4"),
          plainly={"holds": "What is told of GPT-4 agrees with what follows from what was published.",
                   "fails": "Not all that is told of GPT-4 agrees with what follows from what was published.",
                   "undecided": "Nobody published what it would take to check what is told of GPT-4."})
w.outcome(__file__, "11e told: Llama 2 70B read 2 trillion tokens and cost about 2 million dollars",
          "the parameters within 5%, tokens and cost within a factor of 1.5 of what follows from its published shape and hours",
          *checked("Llama 2 70B"),
          plainly={"holds": "What is told of Llama 2 70B agrees with what follows from its published shape and hours.",
                   "fails": "Not all that is told of Llama 2 70B agrees with what follows from its published shape and hours.",
                   "undecided": "Not enough is published of Llama 2 70B to check all that is told of it."})

# %% A scaling law of this machine's own: sizes x budgets, on the world's text. The loss is that of text that was not read.
WIDTHS, ROWS, CONTEXT = w.pick((16, 24), (32, 48, 64), (32, 48, 64, 96)), w.pick(4, 16), 64
BUDGETS = w.pick((2, 4, 8), (120, 240, 480), (640, 1280, 2560))                 # steps of ROWS x CONTEXT tokens
RATES = w.pick((4e-3,), (8e-3, 1.6e-2), (6e-3, 1.2e-2, 2.4e-2))                 # tried for each size, at the smallest budget
TEXTS = [document.text for document in write_corpus(make_world(SEEDS[0]), w.pick(0.1, 1.5, 5))]
TOKENIZER, KEPT = train_tokenizer(TEXTS[:400], 384), len(TEXTS) * 19 // 20
STREAM = TOKENIZER.encode_documents(TEXTS[:KEPT])
UNREAD = TOKENIZER.encode_documents(TEXTS[KEPT:])[:w.pick(500, 20_000)]


def leaves(tree):
    """All arrays of a nested dict or list."""
    tree = dict(enumerate(tree)) if isinstance(tree, list) else tree
    return [leaf for part in tree.values() for leaf in leaves(part)] if isinstance(tree, dict) else [tree]


def run(width, steps, rate):
    """(loss on unread text, mean loss of the last tenth of the steps, all parameters) of a model that is trained anew."""
    model = w.small_model(TOKENIZER, SEEDS[0], width=width, hidden=2 * width, heads=4, kv_heads=4, context=CONTEXT)
    settings = PretrainConfig(steps=steps, rows=ROWS, lr=rate, warmup_share=min(1, 40 / steps), short_share=0,
                              validation_every=steps)
    recorder = MemoryRecorder()
    pretrain(model, STREAM, UNREAD[:200], settings, SEEDS[0], recorder)
    losses = [record["loss"] for record in recorder.records]
    size = sum(leaf.size for leaf in leaves(model.params))
    return stream_loss(model, UNREAD)[0], float(np.mean(losses[-max(1, steps // 10):])), size


cells, rates = [], []                                                           # cells: (parameters, tokens, loss)
for width in WIDTHS:
    tried = {rate: run(width, BUDGETS[0], rate) for rate in RATES}
    rate = min(tried, key=lambda rate: tried[rate][1])                          # by what it read: the loss stays unseen
    rates.append((width, rate, *(tried[r][1] for r in RATES)))
    for steps in BUDGETS:
        loss, _, size = tried[rate] if steps == BUDGETS[0] else run(width, steps, rate)
        cells.append((size, steps * ROWS * CONTEXT, loss))
        print(f"  {size:,} parameters, {cells[-1][1]:,} tokens, rate {rate:g}: loss {loss:.3f}", flush=True)
cells = np.array(cells)
w.show(rates, ("width", "rate taken", *(f"loss at {rate:g}" for rate in RATES)))


# %% Fit L = E + A / N^alpha + B / D^beta: Huber's loss of log L, as for Chinchilla, by Newton's steps with damping.
def law(theta, N, D):
    """The three terms of the law.  theta: (log E, log A, log B, alpha, beta), N in 10^5, D in 10^6.  Shapes:  -> (3, cells)"""
    e, a, b, alpha, beta = theta
    n, d = np.log(N / 1e5), np.log(D / 1e6)
    return np.exp([e + 0 * n, a - alpha * n, b - beta * d])


def huber(r, delta=1e-3):
    """r^2 / 2 near 0, delta (|r| - delta / 2) beyond delta: a run that is far off pulls no harder than others."""
    return np.where(np.abs(r) <= delta, r * r / 2, delta * (np.abs(r) - delta / 2)).sum()


def descended(theta, cells, steps=200, delta=1e-3):
    """(theta, error) after damped Gauss-Newton steps, each row weighted by Huber's min(1, delta / |r|)."""
    (N, D, loss), damping = cells.T, 1e-2

    def error(theta):
        return huber(np.log(law(theta, N, D).sum(axis=0)) - np.log(loss), delta)
    best = error(theta)
    for _ in range(steps):
        terms = law(theta, N, D)
        total = terms.sum(axis=0)
        r = np.log(total) - np.log(loss)
        J = np.stack([*terms, -terms[1] * np.log(N / 1e5), -terms[2] * np.log(D / 1e6)], axis=1) / total[:, None]
        weighted = J * np.minimum(1, delta / np.maximum(np.abs(r), 1e-12))[:, None]
        square = weighted.T @ J
        moved = theta - np.linalg.solve(square + damping * np.diag(np.diag(square)) + 1e-12 * np.eye(5), weighted.T @ r)
        tried = error(moved) if np.abs(moved).max() < 20 else np.inf
        theta, best, damping = (moved, tried, damping / 3) if tried < best else (theta, best, min(damping * 3, 1e6))
    return theta, best


def fitted(cells):
    """theta with the smallest error, from several starts."""
    low = np.log(cells[:, 2].min() / 3)
    starts = [np.array([low, low, low, alpha, beta]) for alpha in (0.2, 0.6, 1.2) for beta in (0.2, 0.6, 1.2)]
    return min((descended(start, cells) for start in starts), key=lambda found: found[1])[0]


def predicted(theta, cell):
    """The loss that the law gives for a cell."""
    return float(law(theta, cell[0], cell[1]).sum())


largest, others = cells[-1], cells[:-1]                                         # the most parameters and the most tokens
theta = fitted(others)
rng, again = np.random.default_rng(0), []
for _ in range(w.pick(3, 100, 400)):                                            # the bootstrap: cells drawn with replacement
    drawn = others[rng.integers(0, len(others), len(others))]
    if len(np.unique(drawn[:, 0])) > 1 and len(np.unique(drawn[:, 1])) > 1:
        again.append(descended(theta, drawn, 60)[0])
found_loss = float(largest[2])
off = predicted(theta, largest) / found_loss - 1
low, high = np.percentile([predicted(t, largest) / found_loss - 1 for t in again], (2.5, 97.5))
design = np.column_stack([np.ones(len(others)), np.log(others[:, :2])])         # the control without a floor: one power of each
line = np.linalg.lstsq(design, np.log(others[:, 2]), rcond=None)[0]
naive = {"the same model at half the tokens": cells[-2, 2] / found_loss - 1,
         "one power law, no floor": float(np.exp(line @ [1, *np.log(largest[:2])])) / found_loss - 1}
(alpha, beta), (alphas, betas) = theta[3:], np.percentile(np.array(again)[:, 3:], (2.5, 97.5), axis=0).T
floor = float(np.exp(theta[0]))
table = cells[:, 2].reshape(len(WIDTHS), len(BUDGETS))
w.show([(f"{int(size):,}", *row) for size, row in zip(cells[::len(BUDGETS), 0], table)],
       ("parameters", *(f"loss at {int(D):,} tokens" for D in cells[:len(BUDGETS), 1])))
w.show([("the law", predicted(theta, largest), off), *((name, (1 + o) * found_loss, o) for name, o in naive.items())],
       ("the largest run, predicted by", "loss", "off by"))
w.show([("alpha", alpha, *alphas, 0.34), ("beta", beta, *betas, 0.28)], ("exponent", "fitted", "from", "to", "Chinchilla's"))


def draw_law(axes):
    """Loss against tokens, a line a size, the law through all but the largest run."""
    grid = np.geomspace(cells[0, 1], largest[1], 50)
    for number, (size, row) in enumerate(zip(cells[::len(BUDGETS), 0], table)):
        axes.plot(cells[:len(BUDGETS), 1], row, "o", color=f"C{number}", label=f"{int(size):,}")
        axes.plot(grid, law(theta, np.full(50, size), grid).sum(axis=0), "-", color=f"C{number}", linewidth=1)
    axes.plot(largest[1], largest[2], "o", color="black", markersize=11, fillstyle="none", label="left out of the fit")
    axes.set_xscale("log", base=2)
    axes.set_xlabel("tokens read")
    axes.set_ylabel("loss on unread text, nats a token")
    axes.legend(frameon=False, title="parameters")


falls = bool((np.diff(table, axis=0) < 0).all() and (np.diff(table, axis=1) < 0).all())
inside = w.verdict(max(low, -high), max(abs(low), abs(high)), above=0.05)       # of the error: holds where all of it is above
near = abs(naive["the same model at half the tokens"]) > abs(off)               # else the law tells no more than its neighbour
judged = "fails" if not falls or inside == "holds" else "holds" if inside == "fails" and near else "undecided"
w.outcome(__file__, "11b loss falls as a power of size and data",
          "the loss falls with every step up in size and in tokens; the law, fitted to all other runs, predicts the loss of the "
          "largest within 5%, and nearer than the loss of the same model at half the tokens is",
          f"falls everywhere: {falls}; {found_loss:.3f} found, {predicted(theta, largest):.3f} predicted: off by {off:+.1%} "
          f"({low:+.1%} to {high:+.1%}, bootstrap over {len(others)} runs); at half the tokens "
          f"{naive['the same model at half the tokens']:+.1%}, without a floor {naive['one power law, no floor']:+.1%}; "
          f"alpha {alpha:.2f} ({alphas[0]:.2f} to {alphas[1]:.2f}), beta {beta:.2f} ({betas[0]:.2f} to {betas[1]:.2f}), "
          f"E {floor:.2f} (Chinchilla: 0.34 and 0.28)", judged,
          {"off by": [off, float(low), float(high)], "alpha": [float(alpha), *map(float, alphas)],
           "beta": [float(beta), *map(float, betas)], "E": floor, **{n: float(o) for n, o in naive.items()}},
          w.picture("19_law", draw_law),
          plainly={"holds": "The loss falls with size and data by a law that predicts the largest run from the smaller ones.",
                   "fails": "The loss does not fall at every step, or the largest run is not where the law of the smaller ones "
                            "puts it.",
                   "undecided": "The law's prediction of the largest run is too uncertain, or no nearer than a simpler guess."})

# %% Parameters as memory cells: random facts, key -> value, read until no more of them stay. How many bits do?
VALUES = tuple("abcdefghijklmnop")          # 16 values: a fact holds 4 bits
KEYS = [f"{a}{b}{c}" for a in "qrstuvwxyz" for b in "qrstuvwxyz" for c in "qrstuvwxyz"]
WINDOW, WINDOWS = 48, 8                     # tokens; a fact has 6 of them with its begin and its end
SIZES, OFFERED = (6, 10), 2.3                                                   # bits of facts for each parameter: more than 2
EXPOSURES = w.pick((2, 4), (10, 100), (100, 500, 1000))


def memory(width, seed):
    """A model of one block for random facts."""
    return w.small_model(train_tokenizer(["".join(VALUES) + "qrstuvwxyz"], kind="characters"), seed, width=width,
                         hidden=2 * width, heads=1, kv_heads=1, context=WINDOW, layers=1)


def size_of(width):
    """Its parameters."""
    return sum(leaf.size for leaf in leaves(memory(width, 0).params))


def bits_stored(width, exposures, seed):
    """Bits recalled a parameter when each fact was read so often: 4 bits a fact, less what is still not known."""
    rng, model = np.random.default_rng(seed), memory(width, seed)
    count = round(OFFERED * size_of(width) / 4)
    facts = {KEYS[i]: VALUES[int(rng.integers(16))] for i in rng.permutation(len(KEYS))[:count]}
    w.read(model, [f"{key}{value}" for key, value in facts.items()], round(exposures * 6 * count / (WINDOW * WINDOWS)), seed,
           rows=WINDOWS, lr=3e-2)
    belief = w.beliefs(model, list(facts), VALUES)
    known = 4 + np.log2(belief[np.arange(count), [VALUES.index(value) for value in facts.values()]] + 1e-9)
    return float(known.sum()) / size_of(width)


stored = {(width, read): np.array([bits_stored(width, read, seed) for seed in SEEDS]) for width in SIZES for read in EXPOSURES}
kept = {key: w.interval(values) for key, values in stored.items()}
w.show([(size_of(width), read, *kept[width, read]) for width, read in stored],
       ("parameters", "exposures", "bits a parameter", "from", "to"))


def draw_memory(axes):
    """Bits a parameter against how often each fact was read, a line a size, and what was published of large models."""
    for width in SIZES:
        mean, low, high = np.array([kept[width, read] for read in EXPOSURES]).T
        axes.errorbar(EXPOSURES, mean, yerr=np.where(np.isfinite(low), (high - low) / 2, 0), marker="o", capsize=3,
                      label=f"{size_of(width):,} parameters")
    axes.plot((100, 1000), (1, 2), "k*", markersize=10, label="published, of large models")
    axes.axhline(OFFERED, color="grey", linestyle="--", label="all that there is to know")
    axes.set_xscale("log")
    axes.set_xlabel("exposures: how often each fact was read")
    axes.set_ylabel("bits of facts a parameter")
    axes.legend(frameon=False)


few, nearly, many = EXPOSURES[0], EXPOSURES[-2], EXPOSURES[-1]
top = {width: kept[width, many] for width in SIZES}
growth = {width: w.interval(stored[width, many] / stored[width, nearly] - 1) for width in SIZES}
ratio = w.interval(stored[SIZES[1], many] / stored[SIZES[0], many])             # of bits a parameter: 1 where cells are alike
listed = ", ".join("{:,} parameters {:.2f} ({:.2f} to {:.2f})".format(size_of(width), *top[width]) for width in SIZES)
gained = ", ".join("{:+.0%} ({:+.0%} to {:+.0%})".format(*growth[width]) for width in SIZES)
bounds = [(stat[1] - 0.5, stat[2] - 0.5) for stat in top.values()] + [(2 - stat[2], 2 - stat[1]) for stat in top.values()] \
    + [(2 - ratio[2], 2 - ratio[1]), (ratio[1] - 0.5, ratio[2] - 0.5)]
w.outcome(__file__, "12a parameters are memory cells",
          f"offered {OFFERED} bits a parameter and read {many:,} times, each of two sizes keeps between 0.5 and 2 bits a "
          "parameter, and the two keep alike, within a factor of 2",
          f"bits a parameter: {listed}; the larger keeps {ratio[0]:.2f} times as many a parameter ({ratio[1]:.2f} to "
          f"{ratio[2]:.2f}); still gained since {nearly:,} exposures: {gained}; {len(SEEDS)} seeds",
          w.verdict(min(low for low, _ in bounds), min(high for _, high in bounds)),
          {"ratio": list(ratio), **{f"bits a parameter, {size_of(width)} parameters, {read} exposures": list(stat)
                                    for (width, read), stat in kept.items()}}, w.picture("19_memory", draw_memory),
          plainly={"holds": "Each parameter keeps about as much of random facts in a small model as in a larger one: between "
                            "half a bit and two bits.",
                   "fails": "At least one of the two models keeps more or less for each parameter than was predicted, or the "
                            "two differ too much.",
                   "undecided": "How many bits a parameter keeps lies too near one of the bars for so few seeds to decide."})
larger = SIZES[1]
beyond = w.interval(stored[larger, many] - 1.5 * stored[larger, few])
shares = "; ".join("{:.2f} ({:.2f} to {:.2f})".format(*kept[larger, read]) + f" at {read:,}" for read in EXPOSURES)
w.outcome(__file__, "12c what is read more often is kept better",
          f"of facts read {many:,} times, a model keeps at least 1.5 times the bits that it keeps of facts read {few:,} times "
          "(published of large models: 2 bits a parameter at 1,000 exposures, 1 at 100)",
          f"{size_of(larger):,} parameters: bits a parameter {shares} exposures; over 1.5 times as many by {beyond[0]:.2f} bits "
          f"a parameter ({beyond[1]:.2f} to {beyond[2]:.2f} over {len(SEEDS)} seeds)", w.verdict(beyond[1], beyond[2]),
          {f"bits a parameter, {read} exposures": list(kept[larger, read]) for read in EXPOSURES}, "19_memory.png",
          plainly={"holds": "Facts that are read more often are kept clearly better.",
                   "fails": "Facts that are read more often are kept better by less than was predicted, if at all.",
                   "undecided": "How much better facts are kept that are read more often is too uncertain to say whether it is "
                                "as much as was predicted."})

# %% More is not always better: two sizes, each before and after a fine-tuning for a task. Which difference is the larger?
def with_examples(model, messages, examples):
    """Task accuracy of a model that reads texts, not chats: the shortest example of each label, then the message."""
    begin, encode, room = [model.tokenizer.begin_id], model.tokenizer.encode, model.config.context - 8      # for label and begin
    shown = "".join(f"{min((text for text, label in examples if label == name), key=len)}\n{name}\n" for name in LABELS)
    items = [(np.concatenate([begin, encode(f"{shown}{text}\n")[-room:]]),
              [encode(name) for name in (label, *(other for other in LABELS if other != label))]) for text, label in messages]
    return float(np.mean([np.argmax(each) == 0 for each in ending_likelihoods(model, items)]))


TASK = FinetuneConfig(steps=w.pick(2, 150), warmup_share=20 / 150, lr=4e-3)
scores = {name: [] for name in ("small", "small, fine-tuned", "large, untrained", "large",
                               "large, four examples", "large, fine-tuned")}
for seed in SEEDS:
    world, base, _ = w.base_and_assistant(seed)
    small = w.small_model(base.tokenizer, seed, width=32, hidden=64, context=128)
    blank = w.small_model(base.tokenizer, seed, **{name: getattr(base.config, name) for name in (
        "context", "layers", "width", "heads", "kv_heads", "hidden")})
    held_out = labelled_messages(world, w.pick(8, 200, 400), np.random.default_rng([seed, 5]), "held_out")
    messages = labelled_messages(world, w.pick(40, 1500), np.random.default_rng(seed), "train")
    w.read(small, [document.text for document in write_corpus(world, w.pick(0.05, 0.5))], w.pick(2, 100), seed, rows=8)
    scores["large, untrained"].append(task_accuracy(blank, held_out))
    scores["large, four examples"].append(with_examples(base, held_out, messages))
    for name, model, rate in (("small", small, 4e-3), ("large", w.copy_of(base), 1e-3)):
        scores[name].append(task_accuracy(model, held_out))
        finetune_task(model, messages, TASK_PROMPT, FinetuneConfig(**{**vars(TASK), "lr": rate}), seed, MemoryRecorder())
        scores[f"{name}, fine-tuned"].append(task_accuracy(model, held_out))
scores = {name: np.array(values) for name, values in scores.items()}
w.show([(name, *w.interval(values)) for name, values in scores.items()], ("model", "task accuracy", "from", "to"))
asked = np.maximum(scores["large"], scores["large, four examples"])              # in the manner that suits it better
ahead = w.interval(scores["small, fine-tuned"] - asked)
by_size = w.interval(scores["large, fine-tuned"] - scores["small, fine-tuned"])
more = w.interval(scores["small, fine-tuned"] - asked - (scores["large, fine-tuned"] - scores["small, fine-tuned"]))
counts = [sum(leaf.size for leaf in leaves(model.params)) for model in (base, small)]
w.outcome(__file__, "12b more is not always better",
          "a fine-tuned model of a sixth of the size beats the larger base, asked as a chat or with examples, by at least 0.2, "
          "and by more than the larger is ahead when it is fine-tuned alike",
          f"{counts[1]:,} against {counts[0]:,} parameters: ahead by {ahead[0]:.2f} ({ahead[1]:.2f} to {ahead[2]:.2f}); "
          f"fine-tuned alike, the larger is ahead by {by_size[0]:+.2f} ({by_size[1]:+.2f} to {by_size[2]:+.2f}); the base is "
          f"right in {scores['large'].mean():.2f}, with four examples in {scores['large, four examples'].mean():.2f}, untrained "
          f"in {scores['large, untrained'].mean():.2f}; {len(SEEDS)} seeds",
          w.verdict(min(ahead[1] - 0.2, more[1]), min(ahead[2] - 0.2, more[2])),
          {"ahead": list(ahead), "by size": list(by_size), **{n: list(w.interval(v)) for n, v in scores.items()}},
          plainly={"holds": "A small model that was trained for a task does it better than a larger one that was not, and this "
                            "matters more than size does once both are trained for it.",
                   "fails": "The small model that was trained for the task is ahead of the larger one by less than was "
                            "predicted, or size matters more.",
                   "undecided": "By how much training for the task matters more than size varies too much between seeds to "
                                "decide."})
