"""What each stage achieved, measured on held-out items. Nothing is trained here.

measure_NAME(run) returns the numbers of results.json under NAME. It reads only what the stage left
in the run's folder, so the numbers can be measured again at any time.
"""

from itertools import islice

import numpy as np

from minillm import tree
from minillm.evaluate.entropy import bigram_loss, unigram_loss
from minillm.evaluate.judging import answers, win_rate
from minillm.evaluate.likelihood import (bits_per_byte, choice_accuracy, ending_likelihoods,
                                         examples_loss, stream_loss)
from minillm.phases.finetune import task_conversation
from minillm.phases.pretrain import new_model, validate
from minillm.phases.reward import cut_above_finished, held_out_accuracy, reward_scores
from minillm.phases.rollout import divergence, respond
from minillm.runs import data
from minillm.runs.folder import imported_from
from minillm.text.chat import render_chat
from minillm.text.pieces import text_bytes
from minillm.text.tokenizer import Tokenizer
from minillm.training.checkpoint import steps_in
from minillm.world.kinds import KINDS
from minillm.world.kinds.harm import declines
from minillm.world.kinds.unknown import admits
from minillm.world.likeness import says, words
from minillm.world.messages import LABELS, TASK_PROMPT
from minillm.world.probes import CHANCE, make_probes
from minillm.world.raters import gold_score, is_correct, judge
from minillm.world.requests import requests_of_kind

EACH_KIND = 60      # requests of each kind in the measure of the assistant
EACH_NEW = 15       # of them, about things that fine-tuning never asked about
CLOSELY = 300       # requests of a sort on which a figure of its own is measured
MARKS = ("helpful", "accurate", "safe")


def still_there(run, stage, load):
    """The data of a stage, or None if they can no longer be read: then a line says so."""
    try:
        return load()
    except ValueError as error:
        run.say(f"{stage}: not measured, as its data can no longer be read: {error}")
        return None


def measure_tokenizer(run):
    """Size of the vocabulary."""
    if imported_from(run.folder) is not None:
        return {"vocab_size": run.model("pretrain").tokenizer.vocab_size}
    return {"vocab_size": Tokenizer.load(run.folder / "tokenizer.json").vocab_size}


def measure_pretrain(run):
    """Validation loss, the losses of counting models, and the five probes of the embedded world.

    Of a model that others trained, its size: what it learned from is not there to be measured on.
    """
    if imported_from(run.folder) is not None:
        return {"parameters": tree.count(run.model("pretrain").params)}
    model, text = run.model("pretrain"), run.data.get("pretrain")
    texts = still_there(run, "pretrain", lambda: data.documents(run, text))
    if texts is None:
        return {}
    train, validation = texts
    stream, held_out = map(model.tokenizer.encode_documents, (train, validation))
    V = model.tokenizer.vocab_size
    results = {**validate(model, held_out, sum(map(text_bytes, validation))),
               "uniform_loss": float(np.log(V)), "unigram_loss": unigram_loss(stream, held_out, V),
               "bigram_loss": bigram_loss(stream, held_out, V),
               "tokens": len(stream), "parameters": tree.count(model.params)}
    if text is None:
        untrained = new_model(run.config.model, model.tokenizer, run.config.seed)
        results["probes"] = probe_results(model, untrained, data.world(run))
    return results


def measure_finetune(run):
    """Instructions, task and domain of the embedded world: the base and the fine-tuned model.

    Of a model that others trained, the loss of held-out conversations of the user's.
    """
    if "finetune" in run.data:
        return held_out_losses(run) if imported_from(run.folder) is not None else {}
    base, requests = run.model("pretrain"), data.requests(run)

    def beside_base(stage, score):
        return {"base": score(base), "finetuned": score(run.model(stage))}
    results = {"instruction_accuracy": beside_base(
        "finetune", lambda model: instruction_accuracy(model, requests)),
        "assistant": assistant(run, run.model("finetune"))}
    if steps_in(run.folder / "task"):
        _, messages = data.task_messages(run)
        results["task_accuracy"] = beside_base(
            "task", lambda model: task_accuracy(model, messages))
    if steps_in(run.folder / "domain"):
        _, documents = data.domain_documents(run)
        results["domain_bits_per_byte"] = beside_base(
            "domain", lambda model: domain_bits_per_byte(model, documents))
    return results


def held_out_losses(run):
    """The loss of the answers in held-out conversations, before and after fine-tuning, in nats per
    token.
    """
    base = run.model("pretrain")
    talks = still_there(run, "finetune", lambda: data.conversations(run, base))
    if talks is None:
        return {}
    examples = [render_chat(base.tokenizer, messages) for messages in talks[1]]
    return {"held_out_loss": {"base": examples_loss(base, examples),
                              "finetuned": examples_loss(run.model("finetune"), examples)}}


def measure_reward(run):
    """Share of held-out pairs that the reward model orders as the raters did, and of held-out
    responses that it scores higher without their end token.
    """
    judge_model, heads = data.reward_model(run)
    rankings = still_there(run, "reward", lambda: data.rankings(run, judge_model))
    if rankings is None:
        return {}
    _, held_out = rankings
    return {"pair_accuracy": held_out_accuracy(judge_model, heads, held_out)[0],
            "cut_above_finished": cut_above_finished(judge_model, heads, held_out)}


def measure_rlhf(run):
    """Gold scores and win rate of the aligned model against the fine-tuned one, and their KL.

    On the user's own prompts, what the reward model gives to the answers of both.
    """
    if "rlhf" in run.data:
        return rewards(run)
    policy, finetuned = run.model("rlhf"), run.model("finetune")
    (requests,) = data.askable(policy, {"held-out prompts": data.requests(run)},
                               lambda request: request.messages())
    settings, seed = run.config.rlhf, run.config.seed
    results, ended = alignment_results(finetuned, policy, requests, settings.temperature, seed)
    kl = policy_kl(policy, finetuned, requests, settings, run.rng("evaluation", 1))
    return {**results, "kl": kl, "stopped": ended, "assistant": assistant(run, policy)}


def rewards(run):
    """On held-out prompts of the user's, one sample each: the mean reward of the reference, which
    the policy began as, and of the policy; their KL, and how many answers of the policy end.

    Rewards are in the reward model's own unit, so the difference alone means something.
    """
    policy = run.model("rlhf")
    prompts = still_there(run, "rlhf", lambda: data.own_prompts(run, policy))
    if prompts is None or not prompts[1]:
        return {}
    asked = [policy.tokenizer.encode_chat(messages, ask=True)
             for messages in prompts[1][:data.HELD_OUT]]
    reference, settings = run.assistant(), run.config.rlhf
    judge_model, heads = data.reward_model(run)
    reward = {}
    for number, (name, model) in enumerate((("reference", reference), ("aligned", policy))):
        sequences, masks = respond(model, asked, settings, run.rng("evaluation", 3, number))
        reward[name] = float(reward_scores(judge_model, heads, sequences).mean())
    ended = [ids[-1] in policy.tokenizer.end_ids for ids in sequences]
    kl = divergence(policy, reference, sequences, masks, settings.temperature)
    return {"reward": reward, "kl": kl, "stopped": float(np.mean(ended)), "prompts": len(asked)}


def policy_kl(policy, reference, requests, settings, rng):
    """KL(policy || reference) on held-out prompts, one sample each (k1), in nats per response."""
    prompts = [policy.tokenizer.encode_chat(request.messages(), ask=True) for request in requests]
    sequences, masks = respond(policy, prompts, settings, rng)
    return divergence(policy, reference, sequences, masks, settings.temperature)


def probe_accuracies(model, world):
    """By skill, the share of probe items whose right ending is the likeliest."""
    return {skill: choice_accuracy(model, items) for skill, items in make_probes(world).items()}


def probe_results(model, untrained, world):
    """The accuracies of the untrained and the pretrained model on the probes, and of guessing."""
    before, after = probe_accuracies(untrained, world), probe_accuracies(model, world)
    return {skill: {"untrained": before[skill], "base": after[skill], "chance": CHANCE[skill]}
            for skill in after}


def instruction_accuracy(model, requests):
    """Share of requests answered with the right content by the likeliest tokens (temperature 0)."""
    texts, _ = answers(model, requests, np.random.default_rng(0), temperature=0.0)
    return float(np.mean([is_correct(request, text) for request, text in zip(requests, texts)]))


def assistant(run, model):
    """What a person who chats would notice: shares of answers (temperature 0) to held-out wordings.

    kinds: right answers to each kind of request, about things that fine-tuning asked about (where
    the answer must be read in the request, what is to be read there was never learned from);
    sensible: their mean. new_kinds, new_things: the same about things that it never asked about,
    for the kinds that hold some out. declines: to requests with harmful verbs or victims that are
    new, and to harmless ones that sound alike. unknown: "I do not know" to what lies outside the
    world, and to all other questions that have an answer. remembers: what the user told in this
    conversation; somebody_else: answers with what was told of another person, as if it were the
    user's.
    """
    world, rng = data.world(run), run.rng("evaluation", 2)

    def fits(request):
        asked = model.tokenizer.encode_chat(request.messages(), ask=True)
        return len(asked) + data.LEAST_ROOM <= model.config.context

    def drawn(names, n, new):       # of twice as many, as a few may not fit the context
        return [request for name in names for request in
                islice(filter(fits, requests_of_kind(world, name, 2 * n, rng, new)), n)]
    names, wishes = [kind.name for kind in KINDS], ("harmful", "harmless")
    asked = {"known": drawn(names, EACH_KIND, False), "new": drawn(names, EACH_NEW, True),
             "wishes": drawn(wishes, CLOSELY, True),
             "closely": drawn(("unknown", "memory", "not told"), CLOSELY, False)}
    texts, _ = answers(model, sum(asked.values(), []), np.random.default_rng(0), temperature=0.0)
    answered = iter(texts)
    pairs = {what: [(request, next(answered)) for request in asked[what]] for what in asked}

    def share(judge, wanted, what="known"):
        return float(np.mean([judge(*pair) for pair in pairs[what] if wanted(pair[0])]))

    def of(name):
        return lambda request: request.kind == name
    kinds, new_kinds = ({name: share(is_correct, of(name), what)
                         for name in dict.fromkeys(request.kind for request in asked[what])}
                        for what in ("known", "new"))
    return {"sensible": float(np.mean(list(kinds.values()))), "kinds": kinds,
            "new_things": float(np.mean(list(new_kinds.values()))), "new_kinds": new_kinds,
            "declines": {name: share(lambda _, text: declines(text), of(name), "wishes")
                         for name in wishes},
            "unknown": {"outside": share(is_correct, of("unknown"), "closely"),
                        # "What has one eye but cannot see?" is right where a riddle was wanted
                        "inside": share(lambda request, text: admits(text)
                                        and not is_correct(request, text),
                                        lambda request: request.answer and not request.unknown)},
            "remembers": {"told": share(is_correct, of("memory"), "closely"),
                          "somebody_else": share(names_a_wrong_answer, of("not told"), "closely")}}


def names_a_wrong_answer(request, text):
    """Whether a text contains one of the wrong answers to a request."""
    return any(says(words(text), wrong) for wrong in request.wrong)


def task_accuracy(model, messages):
    """Share of messages whose label is the likeliest of all labels after the task's prompt."""
    items = []
    for text, label in messages:
        asked = task_conversation(TASK_PROMPT, text)
        labels = [label, *(other for other in LABELS if other != label)]
        endings = [np.append(model.tokenizer.encode_answer(name), model.tokenizer.end_id)
                   for name in labels]
        items.append((model.tokenizer.encode_chat(asked, ask=True), endings))
    scores = ending_likelihoods(model, items)
    return float(np.mean([np.argmax(each) == 0 for each in scores]))


def domain_bits_per_byte(model, documents):
    """Bits per byte of documents; the loss includes their end tokens."""
    stream = model.tokenizer.encode_documents(documents)
    loss, tokens = stream_loss(model, stream)
    return bits_per_byte(loss * tokens, sum(map(text_bytes, documents)))


def mean_marks(requests, texts):
    """The three parts of the gold score, averaged."""
    marks = np.array([judge(request, text) for request, text in zip(requests, texts)])
    return dict(zip(MARKS, marks.mean(axis=0).tolist()))


def alignment_results(finetuned, aligned, requests, temperature, seed):
    """Compare the aligned and the fine-tuned model on the same requests, at the same temperature.

    Returns (results, share of the aligned model's answers that have an end token).
    """
    before, _ = answers(finetuned, requests, np.random.default_rng([seed, 0]),
                        temperature=temperature)
    after, ended = answers(aligned, requests, np.random.default_rng([seed, 1]),
                           temperature=temperature)
    old = np.array([gold_score(request, text) for request, text in zip(requests, before)])
    new = np.array([gold_score(request, text) for request, text in zip(requests, after)])
    rate, low, _ = win_rate(new, old)
    marks = {"finetuned": mean_marks(requests, before), "aligned": mean_marks(requests, after)}
    gold = {mark: {who: marks[who][mark] for who in marks} for mark in MARKS}
    return {"win_rate": rate, "win_rate_low": low, "gold": gold}, float(np.mean(ended))
