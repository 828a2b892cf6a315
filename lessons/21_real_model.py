"""What differs between a model of a million parameters and one of 135 million that somebody else trained?

    python lessons/21_real_model.py [--full]
"""

# %% A real model, read from a file that somebody else made, and what is in that file.
import textwrap
from collections import Counter

import numpy as np
import workbench as w

from minillm.evaluate.likelihood import bits_per_byte
from minillm.formats.gguf import read_header
from minillm.model.language_model import LanguageModel
from minillm.model.scoring import token_logprobs
from minillm.model.size import block_matrices, parameters
from minillm.phases.pretrain import new_model
from minillm.report.reading import attention_weights, looks_back
from minillm.text.batches import pad_batch
from minillm.world.corpus import write_corpus
from minillm.world.documents.phrases import TOPICS, fields
from minillm.world.facts import make_world
from minillm.world.probes import ProbeItem, group, groups_of_four, make_probes, telling
from minillm.world.strangers import NAMES, PLACES

SEEDS = w.pick((0,), (1,), (2, 3, 4))       # the worlds of the small models; the bars were set on seed 1
LARGE, SMALL, UNTRAINED = MODELS = ("SmolLM2", "small", "untrained")

large, path = w.real_model()


def span(stat):
    """A value and its interval as text."""
    return "{:.2f} ({:.2f} to {:.2f})".format(*stat)


def show_file(path):
    """What the file holds: how many tensors of which type, and the first block of 32 weights of a matrix."""
    gguf = read_header(path)
    print(f"  {path.name}: {path.stat().st_size:,} bytes")
    kinds = Counter(tensor.quantization for tensor in gguf.tensors.values())
    w.show([(kind.name, count, kind.bits, sum(tensor.size for tensor in gguf.tensors.values() if tensor.quantization == kind))
            for kind, count in kinds.most_common()], ("type", "tensors", "bits a weight", "bytes"))
    tensor = gguf.tensors["blk.0.ffn_up.weight"]
    block = np.fromfile(path, tensor.quantization.block, count=1, offset=tensor.offset)[0]
    levels = [*(block["low"] & 15), *(block["low"] >> 4)]
    print(f"  first block of {tensor.name} {tensor.shape}: d = {block['d']:.5f}, m = {block['m']:.5f}, q =")
    print("  ", *levels)
    print("  as weights d q + m:", *(f"{float(block['d']) * q + float(block['m']):.3f}" for q in levels[:8]), "...")


def show_sizes(models):
    """Where the numbers of a model sit."""
    w.show([(name, f"{parameters(c):,}", f"{block_matrices(c):,}", f"{c.vocab_size * c.width * (2 - c.tied):,}", c.layers, c.width,
             f"{c.heads} and {c.kv_heads}", c.hidden, c.context) for name, c in ((name, m.config) for name, m in models.items())],
           ("model", "parameters", "in blocks", "in tables of tokens", "blocks", "width", "heads", "hidden", "context"))


_, base, _ = w.base_and_assistant(SEEDS[0])
with w.table("21_file"):
    if path:
        show_file(path)
    show_sizes({LARGE: large, SMALL: base})

# %% The same forty lines answer. What it says under a system prompt, and what it says of what nobody knows.
PROMPTS = (None, "You are a pirate. Answer as a pirate would.", "Answer with one word.")
ASKED = ("What is the capital of Peru?", f"Who is the mayor of {make_world(1).towns[0].name}?")
with w.table("21_chat"):
    for question in ASKED:
        print(f"  {question}")
        for prompt in PROMPTS[:w.pick(1, 3)]:
            messages = [{"role": "system", "content": prompt}] if prompt else []
            answer = large.chat([*messages, {"role": "user", "content": question}], max_new_tokens=w.pick(2, 28))
            print(f"    {prompt or '(its own system prompt)':<45}{' '.join(answer.split())!r}", flush=True)


# %% Claim 14a. What is asked: what both were told, what the small world alone tells, and what only the real world tells.
def begun(model, text):
    """The tokens of a text that begins a document; not every model has a token for the beginning."""
    begin = model.tokenizer.begin_id
    return np.concatenate([[] if begin is None else [begin], model.tokenizer.encode(text)]).astype(np.int32)


def believed(model, items):
    """Belief in the first ending of each item among all of its endings.  Shapes:  N of (text, K endings) -> (N,)"""
    encode = model.tokenizer.encode
    return w.divided(model, [(begun(model, text), [encode(ending) for ending in endings]) for text, endings in items])[:, 0]


ELSEWHERE = {       # real facts of the kinds that the world has, about what the world has not; four of a line are a group
    "The capital of {} is": (("Russia", "Moscow"), ("Turkey", "Ankara"), ("Iraq", "Baghdad"), ("Belgium", "Brussels"),
                             ("Ukraine", "Kiev"), ("Serbia", "Belgrade"), ("Scotland", "Edinburgh"), ("Qatar", "Doha"),
                             ("Syria", "Damascus"), ("Libya", "Tripoli"), ("Jordan", "Amman"), ("Taiwan", "Taipei")),
    "The people of {} speak": (("Russia", "Russian"), ("Turkey", "Turkish"), ("Israel", "Hebrew"), ("Korea", "Korean"),
                               ("Ukraine", "Ukrainian"), ("Serbia", "Serbian"), ("Holland", "Dutch"), ("Mongolia", "Mongolian")),
    "The opposite of {} is": (("expand", "shrink"), ("arrive", "depart"), ("major", "minor"), ("male", "female"),
                              ("import", "export"), ("optimist", "pessimist"), ("ancient", "modern"), ("success", "failure"),
                              ("vertical", "horizontal"), ("victory", "defeat"), ("poverty", "wealth"), ("guilty", "innocent")),
    "To {}, you need a": (("measure a fever", "thermometer"), ("look at the stars", "telescope"), ("cut the lawn", "mower"),
                          ("dive for an hour", "tank"), ("see bacteria", "microscope"), ("fly to the moon", "spaceship"),
                          ("add large numbers", "calculator"), ("jump from a plane", "parachute")),
}
# Every so many-th group of questions is asked; the logic items are long.
SKIP, SKIP_LOGIC, SKIP_PEOPLE = w.pick(20, 6, 1), w.pick(20, 12, 3), w.pick(12, 2, 1)
SHARED = ("grammar", "common sense", "countries", "code", "logic")
PEOPLE, TOLD, REAL = "invented people", "the same, told first", "the rest of the world"
CHANCE = {kind: 1 / 2 if kind == "grammar" else 1 / 4 for kind in (*SHARED, PEOPLE, TOLD, REAL)}


def in_groups(items):
    """Items that follow each other and share their endings; a model that does not read is at chance in each such group."""
    groups = []
    for item in items:
        if groups and len(groups[-1]) < len(item.endings) and set(groups[-1][0].endings) == set(item.endings):
            groups[-1].append(item)
        else:
            groups.append([item])
    return groups


def in_other_words(topic, person):
    """A sentence that tells what a probe asks for, in another phrasing than the probe's."""
    return TOPICS[topic].tellings[1].format_map(fields(person))


def questions(world):
    """{kind: groups of items} about one world."""
    probes, people = make_probes(world), {person.name: person for person in world.people}
    asked = [(topic, item) for topic in ("trade", "town", "pet", "food")
             for item in groups_of_four(telling(topic, person) for person in world.people)]
    kinds = {"grammar": probes["grammar"], "common sense": probes["common_sense"],
             "countries": [item for item in probes["facts"] if item.context.split()[0] not in people],
             "code": probes["code"], "logic": probes["logic"],
             PEOPLE: [item for _, item in asked],
             TOLD: [item._replace(context=f"{in_other_words(topic, people[item.context.split()[0]])} {item.context}")
                    for topic, item in asked],
             REAL: [item for form, rows in ELSEWHERE.items() for at in range(0, len(rows), 4)
                    for item in group([form.format(a) for a, _ in rows[at:at + 4]], [f" {b}" for _, b in rows[at:at + 4]])]}
    every = {"logic": SKIP_LOGIC, "countries": w.pick(3, 1), PEOPLE: SKIP_PEOPLE, TOLD: SKIP_PEOPLE, REAL: w.pick(5, 1)}
    return {kind: in_groups(items)[::every.get(kind, SKIP)] for kind, items in kinds.items()}


def asked_of_all(seeds):
    """{kind: a row for each group: items, and of each model the beliefs in their right endings, summed}

    Each world's questions go to that world's small model. The same group of questions may come up in several worlds; it is one
    group, and the small models' mean is its belief.
    """
    found = {kind: {} for kind in CHANCE}
    for seed in seeds:
        world, base, _ = w.base_and_assistant(seed)
        read = " ".join(document.text for document in write_corpus(world, w.pick(0.1, 2.5)))
        unknown = [b for rows in ELSEWHERE.values() for _, b in rows if f" {b}" in read]
        assert not unknown, f"the small model has read of {unknown}"
        small = {SMALL: base, UNTRAINED: new_model(base.config, base.tokenizer, 100 + seed)}
        for kind, groups in questions(world).items():
            for items in groups:
                entry = found[kind].setdefault(tuple(items), {name: [] for name in MODELS})
                for name, model in (small if entry[LARGE] else {LARGE: large, **small}).items():
                    entry[name].append(believed(model, items).sum())
        print(f"  asked about the world of seed {seed}", flush=True)
    return {kind: np.array([[len(items), *(np.mean(entry[name]) for name in MODELS)] for items, entry in groups.items()])
            for kind, groups in found.items()}


def share(rows):
    """Mean belief of each model over the items of all groups.  Shapes:  (groups, 1 + models) -> (models,)"""
    return rows[:, 1:].sum(axis=0) / rows[:, 0].sum()


tables = asked_of_all(SEEDS)
known = {kind: w.bootstrap(rows, share) for kind, rows in tables.items()}                 # value, low, high of each model
with w.table("21_probes"):
    w.show([(kind, f"{CHANCE[kind]:.2f}", *map(span, np.transpose(known[kind])), int(rows[:, 0].sum()))
            for kind, rows in tables.items()],
           ("belief in the right ending", "chance", *MODELS, "items"))


def draw_probes(axes):
    """A row of bars for each kind of question, a bar for each model."""
    for i, (name, colour) in enumerate(zip(MODELS, ("tab:orange", "tab:blue", "lightgrey"))):
        value, low, high = (np.array([known[kind][k][i] for kind in CHANCE]) for k in range(3))
        axes.bar(np.arange(len(CHANCE)) + 0.27 * (i - 1), value, 0.25, yerr=np.maximum([value - low, high - value], 0), capsize=2,
                 color=colour, label=name)
    for x, chance in enumerate(CHANCE.values()):
        axes.plot([x - 0.42, x + 0.42], [chance, chance], "k:", linewidth=1)
    axes.set_xticks(range(len(CHANCE)), [textwrap.fill(kind, 12) for kind in CHANCE], fontsize=8)
    axes.set_ylabel("belief in the right ending")
    axes.set_ylim(0, 1.02)
    axes.legend(frameon=False, fontsize=8, ncols=3, loc="upper center", bbox_to_anchor=(0.5, 1.12))


def ahead(kind, first, second):
    """By how much the first model's belief is above the second's, with its interval."""
    columns = [1 + MODELS.index(first), 1 + MODELS.index(second)]
    return w.bootstrap(tables[kind], lambda rows: float(rows[:, columns[0]].sum() - rows[:, columns[1]].sum()) / rows[:, 0].sum())


def near(kind, name, within):
    """How far inside of chance +- within a model's belief lies, as (value, low, high); below 0 it lies outside."""
    value, low, high = (float(bound[MODELS.index(name)]) - CHANCE[kind] for bound in known[kind])
    return within - abs(value), within - max(abs(low), abs(high)), within - max(0.0, low, -high)


def of(kind, name):
    """A model's belief as text."""
    return span([bound[MODELS.index(name)] for bound in known[kind]])


ahead_there, ahead_here = ahead(REAL, LARGE, SMALL), ahead(PEOPLE, SMALL, LARGE)
if_told = w.bootstrap(np.hstack([tables[TOLD], tables[PEOPLE]]),             # the same groups, in the same order
                      lambda rows: float((rows[:, 1] - rows[:, 2 + len(MODELS)]).sum() / rows[:, 0].sum()))
conditions = [(ahead_there, 0.4), (ahead_here, 0.4), (if_told, 0.3), (near(PEOPLE, LARGE, 0.1), 0), (near(REAL, SMALL, 0.1), 0)]
w.outcome(__file__, "14a each model knows the world that it was told of",
          "about the real world outside of the small model's text, SmolLM2's belief in the right ending is at least 0.4 above the "
          "small model's, which is within 0.1 of chance; about invented people the small model's is at least 0.4 above "
          "SmolLM2's, which is within 0.1 of chance, and rises by at least 0.3 if it is told first",
          f"elsewhere SmolLM2 is ahead by {span(ahead_there)}, and the small model believes the right ending at {of(REAL, SMALL)}, "
          f"where chance is 0.25; about invented people the small model is ahead by {span(ahead_here)}, and SmolLM2 believes the "
          f"right ending at {of(PEOPLE, LARGE)}, if it is told first by {span(if_told)} more; SmolLM2 against the "
          "small model where both were told: "
          + ", ".join(f"{kind} {of(kind, LARGE)} against {of(kind, SMALL)}" for kind in SHARED)
          + f"; an untrained model {', '.join(of(kind, UNTRAINED) for kind in (PEOPLE, REAL))}; over groups of questions, of small "
          f"models {len(SEEDS)}",
          w.verdict(min(stat[1] - bar for stat, bar in conditions), min(stat[2] - bar for stat, bar in conditions)),
          {f"{kind}, {name}": [float(bound[i]) for bound in known[kind]] for kind in CHANCE for i, name in enumerate(MODELS)},
          w.picture("21_probes", draw_probes, size=(8, 4)),
          plainly={"holds": "Each model knows what it was told: the large one the world, the small one its village, and about the "
                            "other's neither does better than guessing.",
                   "fails": "The two models do not part as predicted: one knows more of the other's world, or less of its own.",
                   "undecided": "The groups of questions vary too much to say that each model knows its own world alone."})

# %% Claim 14b. Random words, then the same again: what has to be copied can be expected from the context alone.
LENGTH, ROWS, CHOOSING, DRAWS = w.pick(6, 24), w.pick(2, 8, 24), w.pick(2, 4, 8), w.pick(1, 1, 3)
AGAIN, SHUFFLED, FRESH = ENDS = ("again", "in another order", "other words")
TOP = {LARGE: w.pick(2, 10), SMALL: 1}       # heads that are taken out: about 4% and 8% of them


def word_tokens(tokenizer):
    """Ids of the tokens that are a space and a word."""
    texts = ((i, tokenizer.decode([i])) for i in range(tokenizer.vocab_size))
    found = [i for i, text in texts if text.startswith(" ") and text[1:].isalpha() and text.isascii()]
    return np.array(found or range(262, tokenizer.vocab_size))


def repeated(model, words, end, rng):
    """(tokens, where the first copy begins, where the second does): some words, LENGTH words, some words, and an end.

    How many words stand before and between them differs, so that a head which counts places finds nothing.
    """
    before, between = rng.integers(3, 8, 2)
    first, other, lead, gap = np.split(rng.choice(words, 2 * LENGTH + before + between, replace=len(words) < 200),
                                       [LENGTH, 2 * LENGTH, 2 * LENGTH + before])
    second = {AGAIN: first, SHUFFLED: rng.permutation(first), FRESH: other}[end]
    ids = np.concatenate([begun(model, ""), lead, first, gap, second]).astype(np.int32)
    return ids, len(ids) - 2 * LENGTH - between, len(ids) - LENGTH


def rows_of(model, words, end, count, seed):
    """Some repeated sequences; the same seed draws the same words, whatever their end."""
    return [repeated(model, words, end, np.random.default_rng([seed, i])) for i in range(count)]


def losses_at_the_end(model, rows):
    """Loss of each of the last LENGTH words but the first of them, in nats.  Shapes:  -> (rows, LENGTH - 1)"""
    ids, _, seconds = zip(*rows)
    masks = [np.arange(len(row)) > second for row, second in zip(ids, seconds)]
    batch = pad_batch(list(ids), "right", model.tokenizer.pad_id, masks)
    logprob = token_logprobs(model.params, model.config, batch).logprob          # of the target at a place: the word after it
    return -np.array([row[second:len(row_ids) - 1] for row, row_ids, second in zip(logprob, ids, seconds)], np.float64)


def loss_at_the_end(model, rows):
    """Mean of losses_at_the_end over the words.  Shapes:  -> (rows,)"""
    return losses_at_the_end(model, rows).mean(axis=1)


def copying(model, rows):
    """How much each head looks, from a word's second time, at the word after its first time.  Shapes:  -> (layers, heads)"""
    found = []
    for ids, first, second in rows:
        at = np.arange(LENGTH - 1)
        found.append(attention_weights(model, ids)[:, :, second + at, first + at + 1].mean(axis=-1))
    return np.mean(found, axis=0)


def without(model, heads):
    """The same model, but what these heads hand over is lost: their columns of the output matrix are 0."""
    D, blocks = model.config.head_size, list(model.params["blocks"])
    for layer, head in heads:
        attention = blocks[layer]["attention"]
        weight = attention["output"]["weight"].copy()
        weight[:, head * D:(head + 1) * D] = 0
        blocks[layer] = {**blocks[layer], "attention": {**attention, "output": {**attention["output"], "weight": weight}}}
    return LanguageModel({**model.params, "blocks": blocks}, model.config, model.tokenizer)


def neighbours(heads, count, rng):
    """Other heads of the same blocks, at random: as many of each block."""
    chosen = set()
    for layer, _ in heads:
        free = [(layer, h) for h in range(count) if (layer, h) not in chosen and (layer, h) not in heads]
        chosen |= {free[rng.integers(len(free))]} if free else set()
    return sorted(chosen)


copied, maps, best, by_place = {}, {}, {}, {}
for name, model in ((LARGE, large), (SMALL, base)):
    words = word_tokens(model.tokenizer)
    maps[name] = copying(model, rows_of(model, words, AGAIN, CHOOSING, seed=1))
    order = np.argsort(-maps[name], axis=None)
    best[name] = [divmod(int(i), model.config.heads) for i in order[:TOP[name]]]
    ends = {end: loss_at_the_end(model, rows_of(model, words, end, ROWS, seed=2)) for end in ENDS}
    again, fresh = (rows_of(model, words, end, ROWS, seed=2) for end in (AGAIN, FRESH))
    others = [neighbours(best[name], model.config.heads, np.random.default_rng(draw)) for draw in range(DRAWS)]
    copied[name] = {**ends, "again, without the heads that look there": loss_at_the_end(without(model, best[name]), again),
                    "again, without others": np.mean([loss_at_the_end(without(model, heads), again) for heads in others], axis=0),
                    "other words, without the heads that look there": loss_at_the_end(without(model, best[name]), fresh)}
    by_place[name] = losses_at_the_end(model, again).mean(axis=0)
    print(f"  {name}: the {TOP[name]} heads (block and head, counted from 0) that look most at the word to copy:",
          ", ".join(f"{layer}.{head} {maps[name][layer, head]:.2f}" for layer, head in best[name]), flush=True)
with w.table("21_copying"):
    w.show([(end, *(float(copied[name][end].mean()) for name in copied)) for end in copied[LARGE]],
           ("loss, nats a word, if the words come", *copied))
    for name, losses in by_place.items():
        print(f"  {name}, again: the second word {losses[0]:.1f}, the third {losses[1]:.1f}, the fourth {losses[2]:.1f}, "
              f"the last five {losses[-5:].mean():.1f}")
    sentence = "The goat of Mara is called Pepper, and the dog of Mara is called Ginger. The goat of Mara is called"
    for name, model in ((LARGE, large), (SMALL, base)):
        weights = attention_weights(model, begun(model, sentence))                       # (layers, heads, T, T)
        shares = looks_back(weights)
        print(f"  {name}, in a sentence that repeats itself: of its {shares.size} heads {np.mean(shares > 0.3):.0%} look further "
              f"back than one token for more than 0.3; of all attention {weights[:, :, 4:, 0].mean():.0%} rests on the first token")


def draw_copying(axes):
    """Where the copying heads are, and what the loss is with and without them."""
    for name, colour, size in ((LARGE, "tab:orange", 4), (SMALL, "tab:blue", 6)):
        layers, heads = maps[name].shape
        place = (np.arange(layers) + 0.5) / layers
        axes[0].plot(np.repeat(place, heads), maps[name].ravel(), "o", color=colour, markersize=size, alpha=0.7, label=name)
        for i, end in enumerate(copied[name]):
            axes[1].barh(i + (0.2 if name == SMALL else -0.2), copied[name][end].mean(), 0.38, color=colour)
    axes[0].set_xlabel("depth of the block: 0 first, 1 last")
    axes[0].set_ylabel("attention on the word to copy")
    axes[0].legend(frameon=False, fontsize=8)
    axes[1].set_yticks(range(len(copied[LARGE])), [end.replace(", without", ",\nwithout") for end in copied[LARGE]], fontsize=8)
    axes[1].invert_yaxis()
    axes[1].set_xlabel("loss, nats a word")


def gained(name, worse, better):
    """By how much one loss is above another, paired by sequence."""
    return w.bootstrap(copied[name][worse] - copied[name][better], lambda rows: float(rows.mean()))


HEADS, OTHERS = "again, without the heads that look there", "again, without others"
lost_of_new = gained(LARGE, "other words, without the heads that look there", FRESH)
gain, small_gain = gained(LARGE, SHUFFLED, AGAIN), gained(SMALL, SHUFFLED, AGAIN)
lost, lost_without_others = gained(LARGE, HEADS, AGAIN), gained(LARGE, OTHERS, AGAIN)
apart = w.bootstrap(np.stack([copied[LARGE][end] for end in (HEADS, OTHERS, SHUFFLED, AGAIN)], axis=1),
                    lambda rows: float((rows[:, 0] - rows[:, 1]).sum() / (rows[:, 2] - rows[:, 3]).sum()))
conditions = [(gain, 3), ((-small_gain[0], -small_gain[2], -small_gain[1]), -1), (apart, 0.5)]
w.outcome(__file__, "14b SmolLM2 copies what came before, and a few of its heads do it",
          "random words that come again cost SmolLM2 at least 3 nats less than the same words in another order, and the small "
          "model less than 1 nat less; without the 10 heads that look most at the word to copy, at least half of that gain is lost "
          "beyond what is lost without 10 other heads of the same blocks",
          f"SmolLM2 {span(gain)} nats less, the small model {span(small_gain)}; without the heads {span(lost)} more, without others "
          f"{span(lost_without_others)}: of the gain, {span(apart)} are lost with these heads alone; words that are new cost "
          f"{span(lost_of_new)} nats more without them; over {ROWS} sequences of each model",
          w.verdict(min(stat[1] - bar for stat, bar in conditions), min(stat[2] - bar for stat, bar in conditions)),
          {"gain": list(gain), "gain of the small model": list(small_gain), "lost without the heads": list(lost),
           "lost without others": list(lost_without_others), "share lost with these alone": list(apart)},
          w.picture("21_copying", draw_copying, size=(10, 4), grid=(1, 2)),
          plainly={"holds": "SmolLM2 copies a list that it saw once, one head in 27 does it, and the small model does not copy.",
                   "fails": "Copying is not done as predicted: too little of it, or not by the heads that look there.",
                   "undecided": "The sequences vary too much to say how much these heads do."})

# %% Claim 14c. Two people are told of, in both orders, and asked for, one and the other. An echo of a town, of the first one or
# of the last one, is right in as many cases as it is wrong.
PAIRS, DRAWN = w.pick(2, 8, 40), w.pick(0, 1, 2)
HOME = ("{} lives in {}.", "{} lives in")                                                  # how it is told, and how asked
DREAMS, COMES = ("{} dreams of {}.", "{} dreams of"), ("{} comes from {}.", "{} comes from")
SAME, OTHER = "the question's words", "other words"
OWN, OWN_OTHERS = "words of its own for each", "its own words, told of others"
ONE, ONE_OTHER = ("one person, who is asked for", "one person, another is asked for")
ARMS = {SAME: (HOME, HOME), OTHER: (("{} has a home in {}.", "{} lives in"),) * 2, OWN: (DREAMS, COMES),
        OWN_OTHERS: (DREAMS, COMES)}


def both_told(arm, people, towns):
    """Four items: told in both orders, asked for the one and for the other. The right town is the first ending."""
    ways, (a, b, c, d), (x, y) = ARMS[arm], people, towns
    of_whom = (c, d) if arm == OWN_OTHERS else (a, b)
    said = [way[0].format(who, town) for way, who, town in zip(ways, of_whom, towns)]
    return [ProbeItem(f"{before} {ways[i][1].format((a, b)[i])}", (f" {(x, y)[i]}", f" {(y, x)[i]}"))
            for before in (" ".join(said), " ".join(said[::-1])) for i in (0, 1)]


def one_told(arm, people, towns):
    """Two items, either town told of one person."""
    a, _, c, _ = people
    return [ProbeItem(f"{HOME[0].format(a if arm == ONE else c, town)} {HOME[1].format(a)}", (f" {town}", f" {other}"))
            for town, other in (towns, towns[::-1])]


rng, strangers = np.random.default_rng(DRAWN), []
for _ in range(PAIRS):
    strangers.append((rng.choice(NAMES, 4, replace=False), rng.choice(PLACES, 2, replace=False)))
reading, last = {}, {}
for name, model in ((LARGE, large), (SMALL, base)):
    for arm in (*ARMS, ONE, ONE_OTHER):
        make = both_told if arm in ARMS else one_told
        found = believed(model, [item for drawn in strangers for item in make(arm, *drawn)]).reshape(PAIRS, -1)
        reading[name, arm] = w.bootstrap(found.mean(axis=1), lambda rows: float(rows.mean()))
        if arm in ARMS:
            # a, b told in this order: b is the last; then the other way round. Belief in the last town, whoever is asked for.
            last[name, arm] = float(np.mean([1 - found[:, 0], found[:, 1], found[:, 2], 1 - found[:, 3]]))
    print(f"  {name} was told about {PAIRS} pairs of strangers", flush=True)
example = both_told(SAME, *strangers[0])[0]
with w.table("21_reading"):
    print(f"  {example.context!r} {example.endings}")
    w.show([(arm, *(span(reading[name, arm]) for name in (LARGE, SMALL)),
             *(last.get((name, arm), "") for name in (LARGE, SMALL))) for arm in (*ARMS, ONE, ONE_OTHER)],
           ("belief in the right town of two, told in", LARGE, SMALL, "in the last: SmolLM2", "small"))


def draw_reading(axes):
    """Belief in the right town, an arm a row."""
    arms = [*ARMS, ONE, ONE_OTHER]
    for name, colour, shift in ((LARGE, "tab:orange", -0.18), (SMALL, "tab:blue", 0.18)):
        value, low, high = np.array([reading[name, arm] for arm in arms]).T
        axes.barh(np.arange(len(arms)) + shift, value, 0.34, xerr=np.maximum([value - low, high - value], 0), capsize=2,
                  color=colour, label=name)
    axes.axvline(0.5, color="black", linestyle=":", label="an echo")
    axes.set_yticks(range(len(arms)), arms, fontsize=8)
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.set_xlabel("belief in the right one of two towns")
    axes.legend(frameon=False, fontsize=8)


of_two = reading[LARGE, SAME]
w.outcome(__file__, "14c SmolLM2 reads of whom something is told",
          "told in the question's own words where two people live, SmolLM2 believes the right one of the two towns by at least 0.6, "
          "where a coin and an echo have 0.5",
          f"{span(of_two)} over {PAIRS} pairs, the small model {span(reading[SMALL, SAME])}; in the town that was told last "
          f"{last[LARGE, SAME]:.2f}; in other words {span(reading[LARGE, OTHER])}; told with words of its own for each "
          f"{span(reading[LARGE, OWN])}, and told of others {span(reading[LARGE, OWN_OTHERS])}; one town, told of the person who is "
          f"asked for, {span(reading[LARGE, ONE])}, of another person {span(reading[LARGE, ONE_OTHER])}",
          w.verdict(of_two[1], of_two[2], above=0.6),
          {f"{arm}, {name}": list(stat) for (name, arm), stat in reading.items()}, w.picture("21_reading", draw_reading),
          plainly={"holds": "SmolLM2 tells two people apart of whom it was told.",
                   "fails": "SmolLM2 too mixes up of whom it was told, and favours the town that was named last.",
                   "undecided": "Whether SmolLM2 tells two people apart, or echoes the last town, these pairs do not tell."})

# %% Claim 14d. The course's own prose, which was not there when SmolLM2 was trained. The same passage after what stands before
# it, and after as much of another lesson.
TARGET, BEFORE = 240, w.pick((0, 100), (0, 120, 1000), (0, 120, 500, 2000))         # characters; 120 fit the small one
FIT, SHORT = 120, 80         # of what stands before, and of the passage: with its vocabulary the small model has room for these


def prose_of(path):
    """The paragraphs of a lesson without its code, pictures and tables, on one line."""
    blocks = path.read_text(encoding="utf-8").split("```")[::2]
    lines = [line for block in blocks for line in block.splitlines() if line[:1].isalpha()]
    return " ".join(lines)


def passages(count):
    """[(target, the text before it, as much text of another lesson)], one of each lesson."""
    texts = [prose_of(lesson) for lesson in sorted(w.LESSONS.glob("[01][0-9]_*.md"))]
    found = []
    for i in range(count):
        text, other = texts[i], texts[(i + 7) % len(texts)]
        at, there = text.index(" ", len(text) // 2), other.index(" ", len(other) // 2)
        found.append((text[at:at + TARGET], text[:at][-max(BEFORE):], other[:there][-max(BEFORE):]))
    return found


def passage_bits(model, target, before):
    """Bits a byte of a passage without its first token, after another text."""
    ids = model.tokenizer.encode(target)
    row = np.concatenate([begun(model, before), ids]).astype(np.int32)
    mask = np.arange(len(row)) > len(row) - len(ids)
    batch = pad_batch([row], "right", model.tokenizer.pad_id, [mask])
    nats = -float(token_logprobs(model.params, model.config, batch).logprob.sum(dtype=np.float64))
    return bits_per_byte(nats, len(model.tokenizer.decode(ids[1:]).encode()))


TEXTS = passages(w.pick(1, 5, 20))
curves = {LARGE: [[[passage_bits(large, target, text[len(text) - n:]) for n in BEFORE] for text in (own, other)]
                  for target, own, other in TEXTS],
          SMALL: [[[passage_bits(base, target[:SHORT], text[len(text) - n:]) for n in BEFORE if n <= FIT] for text in (own, other)]
                  for target, own, other in TEXTS]}
curves = {name: np.array(rows) for name, rows in curves.items()}                       # (passages, own or other, lengths)
with w.table("21_context"):
    w.show([(name, n, *map(float, rows[:, :, i].mean(axis=0))) for name, rows in curves.items() for i, n in enumerate(BEFORE)
            if i < rows.shape[2]], ("bits a byte", "characters before it", "its own", "of another lesson"))


def draw_context(axes):
    """Bits a byte by how much stands before, a panel for each model, as they are far apart."""
    for panel, name, colour in zip(axes, curves, ("tab:orange", "tab:blue")):
        for k, (what, style) in enumerate((("its own text", "o-"), ("another lesson", "o:"))):
            line = curves[name][:, k].mean(axis=0)
            panel.plot(range(len(line)), line, style, color=colour, label=f"after {what}")
        panel.set_xticks(range(len(line)), BEFORE[:len(line)])
        lowest = curves[name].mean(axis=0).min()
        panel.set_ylim(lowest - 0.1, lowest + 0.7)              # both panels have one height, in bits
        panel.set_xlabel("characters before the passage")
        panel.set_title(name, fontsize=10)
        panel.legend(frameon=False, fontsize=8)
    axes[0].set_ylabel("bits a byte")


def by_own(name, i):
    """Bits a byte that its own text saves over another lesson's, at one length."""
    return w.bootstrap(curves[name][:, 1, i] - curves[name][:, 0, i], lambda rows: float(rows.mean()))


saved, saved_shortly, small_saved = by_own(LARGE, len(BEFORE) - 1), by_own(LARGE, 1), by_own(SMALL, 1)
w.outcome(__file__, "14d SmolLM2 uses a context longer than the small model can read",
          f"a passage of this course costs SmolLM2 at least 0.1 bits a byte less after the {BEFORE[-1]} characters before it than "
          "after as many of another lesson",
          f"{span(saved)} less over {len(TEXTS)} passages, after {BEFORE[1]} characters {span(saved_shortly)}; the small model after "
          f"{BEFORE[1]} characters {span(small_saved)}; bits a byte of SmolLM2 {curves[LARGE][:, 0, -1].mean():.2f} after its "
          f"own text, {curves[LARGE][:, 1, -1].mean():.2f} after another's",
          w.verdict(saved[1], saved[2], above=0.1),
          {"saved": list(saved), "saved shortly": list(saved_shortly), "saved by the small model": list(small_saved)},
          w.picture("21_context", draw_context, size=(8, 4), grid=(1, 2)),
          plainly={"holds": "What stands a page back helps SmolLM2 with what comes next, in a text that it has never read.",
                   "fails": "A page of context helps SmolLM2 less than predicted.",
                   "undecided": "The passages vary too much to say how much a page of context helps SmolLM2."})
