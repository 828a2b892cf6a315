"""What does a system prompt change, and can a model learn from a conversation?

    python lessons/14_prompts_and_statelessness.py [--full]
"""

# %% A base model and the assistant that was made of it.
import hashlib
from functools import partial

import numpy as np
import workbench as w

from minillm import tree
from minillm.objectives.next_token import next_token_objective
from minillm.phases.finetune import FinetuneConfig
from minillm.text.batches import pad_batch
from minillm.text.chat import render_chat
from minillm.training.loop import train
from minillm.world.kinds.kind import wordings
from minillm.world.kinds.told import OWN
from minillm.world.kinds.told_of_others import OTHERS
from minillm.world.manners import MANNERS, SENTENCE, WORD, bare
from minillm.world.requests import make_requests
from minillm.world.reserved import is_reserved
from minillm.world.strangers import PLACES, RELATIVES

SEEDS = w.pick((0,), (1,), (1, 2, 3, 4))

# %% Claim 6. The same question under different system prompts. The prompts are those that fine-tuning never uses.
HELD_OUT = {style: next(manner.held_prompts for manner in MANNERS if manner.style == style) for style in (WORD, SENTENCE)}
PROMPTS = {"one word": HELD_OUT[WORD], "its words shuffled": ("word one only Use.", "word with one answer Always."),
           "full sentence": HELD_OUT[SENTENCE], "none": (None,)}


def conversation(question, system=None):
    """The messages of one question."""
    said = [] if system is None else [{"role": "system", "content": system}]
    return [*said, {"role": "user", "content": question}]


def beliefs_among(model, asked):
    """Belief of a model in each of the few possible answers to conversations.  asked: N of (messages, K texts) -> (N, K)"""
    encode, end = model.tokenizer.encode_answer, model.tokenizer.end_id
    return w.divided(model, [(model.tokenizer.encode_chat(messages, ask=True), [np.append(encode(text), end) for text in texts])
                             for messages, texts in asked])


def one_word(model, requests, prompts):
    """(belief in the one-word answer against the full sentence, share of answers that are one word) under some prompts."""
    asked = [(conversation(request.question, prompt), (bare(request.answer), request.sentence))
             for request in requests for prompt in prompts]
    said = model.chat([messages for messages, _ in asked], max_new_tokens=24)
    return beliefs_among(model, asked)[:, 0].mean(), np.mean([len(text.split()) == 1 for text in said])


words = {name: [] for name in ("base", "assistant")}         # rows (prompts, 2), a seed each
for seed in SEEDS:
    world, base, assistant = w.base_and_assistant(seed)
    requests = [request for request in make_requests(world, w.pick(40, 600), np.random.default_rng([seed, 25]), "held_out")
                if request.answer and " " not in request.answer and not request.harmful and not request.earlier][:w.pick(4, 60)]
    for name, model in (("base", base), ("assistant", assistant)):
        words[name].append([one_word(model, requests, prompts) for prompts in PROMPTS.values()])
    request = requests[0]
    print(f"  {request.question}")
    for name, prompts in PROMPTS.items():
        print(f"    {name:<20}{assistant.chat(conversation(request.question, prompts[0]), max_new_tokens=24)!r}")
words = {name: np.array(rows) for name, rows in words.items()}                            # (seeds, prompts, 2)
w.show([(name, prompt, *words[name][:, i].mean(axis=0)) for name in words for i, prompt in enumerate(PROMPTS)],
       ("model", "system prompt asks for", "belief in the one-word answer", "one-word answers said"))


def draw_words(axes):
    """What is said under each prompt, by each model."""
    for i, (name, colour) in enumerate((("base", "lightgrey"), ("assistant", "tab:blue"))):
        said = [w.interval(column) for column in words[name][:, :, 1].T]
        errors = None if len(SEEDS) == 1 else [[mean - low for mean, low, _ in said], [high - mean for mean, _, high in said]]
        axes.bar(np.arange(len(PROMPTS)) + 0.4 * i - 0.2, [mean for mean, *_ in said], 0.38, color=colour, label=name,
                 yerr=errors, capsize=3)
    axes.set_xticks(range(len(PROMPTS)), list(PROMPTS))
    axes.set_ylabel("share of answers that are one word")
    axes.legend(frameon=False)


asked_for, shuffled, sentence, _ = words["assistant"].transpose(1, 0, 2)                  # (seeds, 2) each
more_belief, more_said = (w.interval(column) for column in (asked_for - sentence).T)
order = w.interval((asked_for - shuffled)[:, 1])
of_base = w.interval(words["base"][:, 0, 1] - words["base"][:, 2, 1])
w.outcome(__file__, "6 a system prompt sets what the fine-tuned model says next",
          "under a system prompt that asks for one word, in a wording that fine-tuning never used, at least 0.2 more of the "
          "assistant's answers are one word than under one that asks for a full sentence",
          f"{more_said[0]:.2f} more ({more_said[1]:.2f} to {more_said[2]:.2f} over {len(SEEDS)} seeds): "
          f"{asked_for[:, 1].mean():.2f} against {sentence[:, 1].mean():.2f}; with the words shuffled "
          f"{shuffled[:, 1].mean():.2f}, with them in order {order[0]:+.2f} ({order[1]:+.2f} to {order[2]:+.2f}); belief in "
          f"the one-word answer {more_belief[0]:+.2f} ({more_belief[1]:+.2f} to {more_belief[2]:+.2f}); one-word answers of "
          f"the base model {of_base[0]:+.2f} ({of_base[1]:+.2f} to {of_base[2]:+.2f})",
          w.verdict(more_said[1], more_said[2], above=0.2),
          {"said": list(more_said), "belief": list(more_belief), "word order": list(order)},
          w.picture("14_system_prompt", draw_words),
          plainly={"holds": "A system prompt in words that it never met changes what the assistant says, and what the base "
                            "model says hardly at all.",
                   "fails": "A system prompt in words that it never met does not change what the assistant says by as much.",
                   "undecided": "The prompt's effect differs too much between assistants to say; more seeds would tell."})

# %% Claim 10. The user tells where somebody lives, and asks for it. Towns and wordings are those that fine-tuning never uses in
# such conversations, so the answer can only be read from the conversation.
MINE, THEIRS = (next(fact for fact in facts if fact.sort == "town") for facts in (OWN, OTHERS))
TOWNS = [town for town in PLACES if is_reserved("told", town, one_in=6)][:w.pick(3, None)]
PAIRS = (("I have my home in {v}.", "My {r} has a home in {v}."), ("I settled down in {v}.", "My {r} settled down in {v}."),
         ("I own a house in {v}.", "My {r} owns a house in {v}."))           # the same words, but for whose home it is
WORDINGS = (0, 2)            # the paraphrases of a question that fine-tuning never uses
KIN = w.pick(1, 2, 8)        # of how many relatives it is told in their place
NEUTRAL, REPEATING = "I see.", "repeats the fact"                             # what the assistant replies to it
REPLIES = (NEUTRAL, REPEATING)
for mine, theirs in PAIRS:
    assert mine not in wordings(MINE.told, MINE.told_paraphrases, held_out=False)
    assert theirs not in wordings(THEIRS.told, THEIRS.told_paraphrases, held_out=False)


def fact_about(relative):
    """The fact about the user ("") or about a relative."""
    return THEIRS if relative else MINE


def filled(text, town="", relative=""):
    """A wording with its slots filled."""
    return text.format(v=town, r=relative)


def telling(town, relative="", reply=NEUTRAL, pair=0):
    """The turns in which the user tells where somebody lives, and the assistant's reply.

    As it was taught to, it repeats the fact: "I will remember that you live in Lima." But then the
    answer, "You live in Lima.", is only to be copied. A neutral reply leaves it to be read.
    """
    clause = filled(fact_about(relative).forms[0], town, relative).removesuffix(".")
    return [{"role": "user", "content": filled(PAIRS[pair][bool(relative)], town, relative)},
            {"role": "assistant", "content": NEUTRAL if reply == NEUTRAL else f"I will remember that y{clause[1:]}."}]


def asking(relative="", wording=0):
    """The turn in which the user asks where somebody lives."""
    return [{"role": "user", "content": filled(fact_about(relative).asked_paraphrases[wording], relative=relative)}]


def answers(towns, relative=""):
    """The sentences that say that somebody lives in each of these towns."""
    return [filled(fact_about(relative).forms[0], town, relative) for town in towns]


ONE_STEP = FinetuneConfig(steps=1, rows=1, optimizer="adamw", lr=1e-3, warmup_share=0, final_lr=1.0)


def one_step(model, lessons):
    """A copy of the model after one step of fine-tuning on a few (messages, answer)."""
    copy = w.copy_of(model)
    ids, masks = zip(*(render_chat(copy.tokenizer, [*messages, {"role": "assistant", "content": answer}])
                       for messages, answer in lessons))
    batch = pad_batch(list(ids), "right", copy.tokenizer.pad_id, list(masks))
    train(copy.params, ONE_STEP, lambda step: [batch], partial(next_token_objective, config=copy.config))
    return copy


def fingerprint(model):
    """SHA-256 over all weights."""
    digest = hashlib.sha256()
    for _, leaf in tree.named_leaves(model.params):
        digest.update(leaf.tobytes())
    return digest.hexdigest()


# %% Belief in one town among all of them, for the question where the user lives, and what each arm puts before it. The arms
# "told another town" and "told of a relative" are controls: the first says what the question alone brings up, the second what
# comes of a town that was merely mentioned. Each is there twice, by the assistant's reply; the claim rests on the neutral one.
TELLINGS = ("told", "told another town", "told of a relative")
LATER = ("a new conversation", "after one step", "after one step, of a relative")
ARMS = [(arm, reply) for reply in REPLIES for arm in TELLINGS] + [(arm, "") for arm in LATER]
APART = [("told of both", reply) for reply in REPLIES] + [("after one step on both", "")]
SAID = ("told, says the town", "told of a relative, says the town", "told of a relative, says that it was not told")


def believed(model, befores, relative=""):
    """Belief in each town after the turns that stand before the question; a mean over the question's wordings.

    befores: N lists of turns; relative: whom the question is about, or "" for the user
    Shapes:  -> (N, towns)
    """
    asked = [(turns + asking(relative, n), answers(TOWNS, relative)) for turns in befores for n in WORDINGS]
    return beliefs_among(model, asked).reshape(len(befores), len(WORDINGS), -1).mean(axis=1)


def right_of_two(model, cases):
    """Mean belief in the right one of two towns: (asked about the user, asked about the relative).

    cases: (turns before, the user's town, the relative's town, the relative)
    """
    asked = [question for before, town, other, relative in cases for n in WORDINGS
             for question in ((before + asking("", n), answers([town, other])),
                              (before + asking(relative, n), answers([other, town], relative)))]
    return beliefs_among(model, asked)[:, 0].reshape(-1, 2).mean(axis=0)


def said_after(model, befores):
    """What the model says when it is asked where the user lives, in the first wording."""
    return model.chat([turns + asking() for turns in befores], max_new_tokens=24)


def share_with(parts, texts):
    """Share of the texts that contain at least one of their parts.  Shapes:  N tuples of texts, N texts -> a number"""
    return np.mean([any(part in text for part in some) for some, text in zip(parts, texts)])


belief = {arm: [] for arm in ARMS + APART}                            # a value a seed
answered = {(what, reply): [] for reply in REPLIES for what in SAID}
by_owner = {reply: [] for reply in REPLIES}
for seed in SEEDS:
    world, _, assistant = w.base_and_assistant(seed)
    hashed, K = fingerprint(assistant), len(TOWNS)
    kin = [RELATIVES[(seed + i) % len(RELATIVES)] for i in range(KIN)]
    for reply in REPLIES:
        mine = [telling(town, "", reply, pair) for pair in range(len(PAIRS)) for town in TOWNS]
        theirs = [telling(town, relative, reply, pair) for relative in kin for pair in range(len(PAIRS)) for town in TOWNS]
        told, of_relative = (believed(assistant, befores).reshape(-1, K, K).mean(axis=0) for befores in (mine, theirs))
        own = np.trace(told) / K                                      # (told, believed): the diagonal is the told town
        belief["told", reply].append(own)
        belief["told another town", reply].append((told.sum() / K - own) / (K - 1))
        belief["told of a relative", reply].append(np.trace(of_relative) / K)
        texts, others = said_after(assistant, mine), said_after(assistant, theirs)
        names = [(town,) for town in TOWNS]
        expected = names * len(PAIRS), names * len(PAIRS) * KIN, [("not told", "not know")] * len(others)
        for what, parts, said in zip(SAID, expected, (texts, others, others)):
            answered[what, reply].append(share_with(parts, said))
        # Every town of the user's with every other of the relative's, told in both orders.
        both = []
        for i, k in np.ndindex(K, K):
            if i != k:
                town, other, relative, pair = TOWNS[i], TOWNS[k], kin[(i + k) % KIN], (i + 2 * k) % len(PAIRS)
                turns = telling(town, "", reply, pair), telling(other, relative, reply, pair)
                both += [(turns[0] + turns[1], town, other, relative), (turns[1] + turns[0], town, other, relative)]
        by_owner[reply].append(right_of_two(assistant, both))
        belief["told of both", reply].append(by_owner[reply][-1].mean())
    later = []                                                        # a row for each town
    for i, town in enumerate(TOWNS):
        other, relative = TOWNS[(i + 1) % K], kin[i % KIN]
        lesson, contrast = (asking(), answers(TOWNS)[i]), (asking(relative), answers([other], relative)[0])
        learned, learned_both = one_step(assistant, [lesson]), one_step(assistant, [lesson, contrast])
        later.append([believed(assistant, [[]])[0, i], believed(learned, [[]])[0, i], believed(learned, [[]], relative)[0, i],
                      right_of_two(learned_both, [([], town, other, relative)]).mean()])
    for arm, value in zip([(arm, "") for arm in LATER] + APART[-1:], np.mean(later, axis=0)):
        belief[arm].append(value)
    assert fingerprint(assistant) == hashed                           # no conversation has changed a weight
belief = {arm: np.array(values) for arm, values in belief.items()}
answered = {what: np.mean(values) for what, values in answered.items()}
stats = {arm: w.interval(values) for arm, values in belief.items()}
for reply in REPLIES:
    print(f"  {reply:<18}" + " / ".join(turn["content"] for turn in telling(TOWNS[0], "", reply) + asking())
          + "  |  " + " / ".join(turn["content"] for turn in telling(TOWNS[0], RELATIVES[0], reply)))
w.show([(*arm, *stats[arm]) for arm in ARMS], (f"belief in the town, of {len(TOWNS)}", "reply", "mean", "from", "to"))
w.show([(*way, *stats[way]) for way in APART], ("two people, two towns: belief in the right one", "reply", "mean", "from", "to"))
w.show([(*what, float(share)) for what, share in answered.items()], ("what is said", "reply", "share of answers"))


def draw_memory(axes):
    """Belief in the told town, an arm a bar."""
    for i, arm in enumerate(ARMS):
        mean, low, high = stats[arm]
        axes.barh(i, mean, xerr=None if np.isinf(low) else [[mean - low], [high - mean]], capsize=3,
                  color={NEUTRAL: "tab:blue", REPEATING: "lightsteelblue", "": "lightgrey"}[arm[1]])
    axes.axvline(1 / len(TOWNS), color="black", linestyle=":", label="chance")
    axes.set_yticks(range(len(ARMS)), [f"{arm} ({reply})" if reply else arm for arm, reply in ARMS])
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.set_xlabel("belief in the town")
    axes.legend(frameon=False)


def found_with(reply):
    """What was found in the arms with one of the replies."""
    said = "a neutral reply" if reply == NEUTRAL else "a reply that repeats the fact"
    above = ", ".join(f"above {arm} {mean:.2f} ({low:.2f} to {high:.2f})" for arm, (mean, low, high) in rises[reply].items())
    mean, low, high = stats["told of both", reply]
    user, relative = np.mean(by_owner[reply], axis=0)
    return (f"with {said}, told {stats['told', reply][0]:.2f}, {above}; of two towns told of two people, belief in the right one "
            f"{mean:.2f} ({low:.2f} to {high:.2f}), asked about the user {user:.2f}, about the relative {relative:.2f}; answers: "
            + ", ".join(f"{what} {answered[what, reply]:.2f}" for what in SAID))


# %% The claim. A bar of 0 over "told of a relative" could not be missed by an assistant that only echoes, as its interval would lie
# around 0; and there the right answer, "You have not told me that.", is no town at all. So reading is judged where both towns are
# told, by a bar above a coin.
rises = {reply: {arm: w.interval(belief["told", reply] - belief[arm, reply]) for arm in TELLINGS[1:]} for reply in REPLIES}
kept = w.interval(belief[LATER[1], ""] - belief[LATER[0], ""])
bars = [(rises[NEUTRAL]["told another town"], 0.2), (stats["told of both", NEUTRAL], 0.6), (kept, 0.1)]
failings = ("uses what it was told less than predicted", "mixes up of whom it was told", "does not keep it after one step of training")
failed = " and ".join(text for text, (found, bar) in zip(failings, bars) if found[2] < bar)
w.outcome(__file__, "10 a model cannot learn from a conversation",
          "with a reply that does not repeat what was told: told where the user lives, the assistant believes that town, among "
          "those that could be asked for, by at least 0.2 more than when told another; told where the user and a relative live, it "
          "believes the right one of the two towns by at least 0.6, where a coin and an echo have 0.5; in a new conversation only "
          "one step of fine-tuning brings the town up, by at least 0.1",
          "; ".join(found_with(reply) for reply in REPLIES)
          + f"; in a new conversation {stats[LATER[0], ''][0]:.2f}; one step raises it by {kept[0]:.2f} ({kept[1]:.2f} to "
          f"{kept[2]:.2f}), to {stats[LATER[1], ''][0]:.2f}, and about a relative to {stats[LATER[2], ''][0]:.2f}; one "
          f"step on a town for each of two people, belief in the right one {stats[APART[-1]][0]:.2f}; {len(SEEDS)} seeds",
          w.verdict(min(above[1] - bar for above, bar in bars), min(above[2] - bar for above, bar in bars)),
          {**{", ".join(filter(None, arm)): list(stat) for arm, stat in stats.items()},
           **{f"above {arm}, {reply}": list(above) for reply, arms in rises.items() for arm, above in arms.items()}},
          w.picture("14_memory", draw_memory),
          plainly={"holds": "A fact that was told is read while it stands in the context, even where no reply repeats it; only a "
                            "step of training keeps it.",
                   "fails": f"The assistant {failed}.",
                   "undecided": "Whether the assistant reads what was told of whom, or echoes a word, these seeds do not tell."})
