"""All phases in order, on the embedded world or on a reader's own files; each leaves its part in the run's folder.

    tokenizer -> pretrain -> finetune (and task, domain) -> preferences -> reward_model -> policy_gradient

A stage reads what the stages before it left in the folder, so each can also run alone.
"""

import json
import time
from dataclasses import replace
from functools import partial

import numpy as np

from minillm import tree
from minillm.evaluate import measure
from minillm.evaluate.entropy import bigram_loss, unigram_loss
from minillm.phases import finetune as finetuning
from minillm.phases import policy_gradient as rl
from minillm.phases import preferences as ranking
from minillm.phases import pretrain as pretraining
from minillm.phases import reward_model as rewarding
from minillm.run import EVALUATION, STAGES, divided_rankings, documents_of, load_reward_model, save_config
from minillm.text import corpus
from minillm.text.tokenizer import Tokenizer, train_tokenizer
from minillm.train.run_folder import merge_results, read_results, write_whole
from minillm.world.conversations import make_conversations
from minillm.world.jargon import domain_documents
from minillm.world.messages import TASK_PROMPT, labelled_messages
from minillm.world.probes import make_probes
from minillm.world.raters import SimulatedRater
from minillm.world.requests import make_requests

LEAST_ROOM = 8          # tokens that a prompt must leave for the answer


def check_world_fits(run, tokenizer, context):
    """Refuse a context that the embedded world's questions do not fit in, before anything is trained.

    Raises:  ValueError that says how long they are.
    """
    probes = [tokenizer.encode(text + max(endings, key=len)) for items in make_probes(run.world()).values()
              for text, endings in items]
    asked = [tokenizer.encode_chat(request.messages(), ask=True) for request in run.requests()]
    tasks = [tokenizer.encode_chat(finetuning.task_conversation(TASK_PROMPT, text, label), ask=False)
             for text, label in labelled_messages(run.world(), 300, run.rng("evaluation"), "held_out")]
    needed = max(len(ids) for ids in probes + asked + tasks) + LEAST_ROOM
    if needed > context:
        raise ValueError(f"the embedded world's questions need a context of {needed} tokens in this vocabulary of "
                         f"{tokenizer.vocab_size}, the model has {context}; use --model.context {needed}"
                         + (" or a larger --tokenizer.vocab_size" if tokenizer.kind == "bpe" else ""))


def stage_tokenizer(run, data=None):
    """Learn the vocabulary from the training text; writes tokenizer.json."""
    train, validation = documents_of(run, data)
    size, kind = run.config.tokenizer.vocab_size, run.config.tokenizer.kind
    # Without merges, a character that only the validation text has could not be encoded at all.
    tokenizer = train_tokenizer(train if kind == "bpe" else train + validation, size, kind)
    tokenizer.save(run.folder / "tokenizer.json")
    sample = train[0][:60]
    pieces = "|".join(tokenizer.decode([i]) for i in tokenizer.encode(sample)[:12])
    run.say(f"tokenizer: {tokenizer.vocab_size:,} tokens; {sample!r} becomes {pieces!r}...")
    return {"tokenizer": {"vocab_size": tokenizer.vocab_size}}


def stage_pretrain(run, data=None):
    """Phase 1. Measures the validation loss against counting, and the five probes."""
    tokenizer = Tokenizer.load(run.folder / "tokenizer.json")
    train, validation = documents_of(run, data)
    stream, held_out = tokenizer.encode_documents(train), tokenizer.encode_documents(validation)
    if data is None:
        check_world_fits(run, tokenizer, run.config.model.context)
    model = pretraining.new_model(run.config.model, tokenizer, run.config.seed)
    untrained = pretraining.new_model(run.config.model, tokenizer, run.config.seed)
    run.say(f"pretrain: {len(stream):,} tokens of text, {count_of(model):,} parameters")
    pretraining.pretrain(model, stream, held_out, run.config.pretrain, run.config.seed, run.journal("pretrain"))
    V = tokenizer.vocab_size
    results = {"pretrain": {**pretraining.validate(model, held_out, sum(len(text.encode()) for text in validation)),
                            "uniform_loss": float(np.log(V)), "unigram_loss": unigram_loss(stream, held_out, V),
                            "bigram_loss": bigram_loss(stream, held_out, V),
                            "tokens": len(stream), "parameters": count_of(model)}}
    if data is None:
        results["probes"] = measure.probe_results(model, untrained, run.world())
    return results


def stage_finetune(run, data=None):
    """Phase 2. On the embedded world: instructions, one task and one domain, each from the base model."""
    model, settings, seed = run.model("pretrain"), run.config.finetune, run.config.seed
    if data is not None:
        conversations, held_out = corpus.split_documents(corpus.load_conversations(data), 0.05, run.rng("finetune"))
        left_out = finetuning.finetune(model, conversations, settings, seed, run.journal("finetune"), held_out)
        run.say(f"finetune: {left_out:,} of {len(conversations):,} conversations are longer than the context "
                f"of {model.config.context} tokens and were left out")
        return {}
    check_world_fits(run, model.tokenizer, model.config.context)
    world, rng = run.world(), run.rng("finetune")
    base = run.model("pretrain")
    conversations = [item.messages for item in make_conversations(world, settings.conversations, rng)]
    held_out = [item.messages for item in make_conversations(world, 200, rng, "held_out")]
    replay = model.tokenizer.encode_documents(documents_of(run)[0])
    finetuning.finetune(model, conversations, settings, seed, run.journal("finetune"), held_out, replay)
    requests = run.requests()
    return {"finetune": {
        "instruction_accuracy": {"base": measure.instruction_accuracy(base, requests),
                                 "finetuned": measure.instruction_accuracy(model, requests)},
        "task_accuracy": finetune_side(run, world, base, "task"),
        "domain_bits_per_byte": finetune_side(run, world, base, "domain")}}


def finetune_side(run, world, base, kind):
    """The two fine-tunings that nothing builds on: one task, one domain.  Returns {"base", "finetuned"}"""
    model, settings, seed = run.model("pretrain"), run.config.finetune, run.config.seed
    rng = np.random.default_rng([seed, STAGES.index("finetune"), 1])
    if kind == "task":
        settings = replace(settings, steps=settings.task_steps)
        held_out = labelled_messages(world, 300, rng, "held_out")
        finetuning.finetune_task(model, labelled_messages(world, 1500, rng, "train"), TASK_PROMPT,
                                 settings, seed, run.journal("task"))
        score = partial(measure.task_accuracy, messages=held_out)
    else:
        settings = replace(settings, steps=settings.domain_steps)
        held_out = domain_documents(world, 100, rng, "held_out")
        stream = model.tokenizer.encode_documents(domain_documents(world, 1500, rng, "train"))
        finetuning.finetune_domain(model, stream, settings, seed, run.journal("domain"))
        score = partial(measure.domain_bits_per_byte, documents=held_out)
    return {"base": score(base), "finetuned": score(model)}


def stage_preferences(run):
    """Phase 3, steps 1 and 2: sample and rank, for training and for measuring."""
    model, settings, rng = run.model("finetune"), run.config.preferences, run.rng("preferences")
    rater = SimulatedRater(settings.noise)
    requests = make_requests(run.world(), settings.prompts, rng, "train")
    for name, asked in (("preferences", requests), ("preferences_held_out", run.requests())):
        rankings = ranking.collect_rankings(model, [(request.messages(), request) for request in asked],
                                            rater.rank, settings, rng)
        if not rankings:
            raise ValueError(f"the raters ranked all responses to all of {len(asked):,} prompts equal, so there is "
                             "nothing to learn; fine-tune longer, or sample more --preferences.responses")
        lines = [json.dumps({**item._asdict(), "rater": "simulated"}) for item in rankings]
        write_whole(run.folder / f"{name}.jsonl", "\n".join(lines) + "\n")
        run.say(f"{name}: {len(rankings):,} prompts with {settings.responses} ranked responses each")
    return {}


def stage_reward_model(run, data=None):
    """Phase 3, step 3: learn the rankings."""
    model, settings, seed = run.model("finetune"), run.config.reward, run.config.seed
    rankings, held_out = divided_rankings(run, data)
    heads = rewarding.reward_heads(model, seed)
    rewarding.train_reward_model(model, heads, rankings, settings, seed, run.journal("reward_model"))
    accuracy, _ = rewarding.held_out_accuracy(model, heads, held_out)
    return {"reward_model": {"pair_accuracy": accuracy}}


def stage_policy_gradient(run, data=None):
    """Phase 3, step 4: optimize against the reward model; gold scores are measured, never trained on."""
    policy, settings, seed = run.model("finetune"), run.config.rlhf, run.config.seed
    judge_model, judge_heads = load_reward_model(run)
    rng = run.rng("policy_gradient")
    if data is not None:
        requests = None
        prompts = [record["prompt"] for record in corpus.load_preferences(data)]
    else:
        requests = make_requests(run.world(), settings.prompts, rng, "train")
        prompts = [request.messages() for request in requests]
    asked = [policy.tokenizer.encode_chat(messages, ask=True) for messages in prompts]
    fit = [n for n, ids in enumerate(asked) if len(ids) + LEAST_ROOM <= policy.config.context]
    if not fit:
        raise ValueError(f"none of {len(asked):,} prompts leaves room for {LEAST_ROOM} tokens of an answer in the "
                         f"context of {policy.config.context}; use shorter prompts, or pretrain with more context")
    if len(fit) < len(asked):
        run.say(f"policy_gradient: {len(asked) - len(fit):,} of {len(asked):,} prompts leave no room for an answer "
                f"in the context of {policy.config.context} tokens and were left out")
    asked = [asked[n] for n in fit]
    score = standardized(policy, partial(rewarding.reward_scores, judge_model, judge_heads), asked, settings, rng)

    def measured(sequences, masks, numbers):
        texts = [policy.tokenizer.decode(ids[mask]) for ids, mask in zip(sequences, masks)]
        chosen = [requests[fit[n]] for n in numbers]
        return {f"gold_{mark}": value for mark, value in measure.mean_marks(chosen, texts).items()}
    rl.policy_gradient(policy, rl.value_heads(policy, seed), asked, score, settings, seed,
                       run.journal("policy_gradient"), measured if requests else None)
    if requests is None:
        return {}
    finetuned, held_out = run.model("finetune"), run.requests()
    results, before, after, ended = measure.alignment_results(finetuned, policy, held_out, settings.temperature, seed)
    return {"rlhf": {**results, "kl": policy_kl(policy, finetuned, held_out, settings, seed)},
            "generation": {"stopped": ended}}


def standardized(policy, score_sequences, asked, settings, rng):
    """The reward in units of its spread over the fine-tuned model's own responses, with mean 0."""
    chosen = [asked[n] for n in rng.choice(len(asked), min(256, len(asked)), replace=False)]
    first = score_sequences(rl.respond(policy, chosen, settings, rng)[0])
    mean, spread = float(first.mean()), float(first.std())

    def score(sequences, _):
        return (score_sequences(sequences) - mean) / max(spread, 1e-6)
    return score


def policy_kl(policy, reference, requests, settings, seed):
    """KL(policy || reference) on held-out prompts, in nats a response, estimated from one sample each (k1)."""
    prompts = [policy.tokenizer.encode_chat(request.messages(), ask=True) for request in requests]
    sequences, masks = rl.respond(policy, prompts, settings, np.random.default_rng([seed, EVALUATION, 1]))
    return rl.divergence(policy, reference, sequences, masks, settings.temperature)


def count_of(model):
    """Number of parameters."""
    return tree.count(model.params)


STAGE_FUNCTIONS = {"tokenizer": stage_tokenizer, "pretrain": stage_pretrain, "finetune": stage_finetune,
                   "preferences": stage_preferences, "reward_model": stage_reward_model,
                   "policy_gradient": stage_policy_gradient}


def run_stage(run, stage, **data):
    """Run one stage, unless a resumed run has it behind it; its results and seconds go into results.json."""
    if run.resume and stage in read_results(run.folder).get("seconds", {}):
        run.say(f"{stage}: done before")
        return
    began = time.perf_counter()
    results = STAGE_FUNCTIONS[stage](run, **data)
    merge_results(run.folder, {**results, "seconds": {stage: round(time.perf_counter() - began, 1)}})


def run_all(run):
    """Everything `minillm run` does, on the embedded world."""
    save_config(run)
    for stage in STAGES:
        run_stage(run, stage)
    seconds = read_results(run.folder)["seconds"]
    total = round(sum(value for name, value in seconds.items() if name != "total"), 1)
    return merge_results(run.folder, {"seconds": {"total": total}})
