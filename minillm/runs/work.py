"""How each stage is run: get its data, call its phase, leave the results in the run's folder.

A stage reads what earlier stages left, so each can be run separately. Final results are measured in
measures.py.
"""

from functools import partial

from minillm import tree
from minillm.config import require
from minillm.formats.durable import write_atomically
from minillm.phases import finetune, pretrain, rank, reward, rlhf
from minillm.phases.rollout import respond
from minillm.phases.tokenizer import learn_vocabulary
from minillm.runs import data, measures
from minillm.runs.hints import command
from minillm.runs.memory import standardized_on
from minillm.text.tokenizer import Tokenizer
from minillm.training.progress import filled
from minillm.world.corpus import to_read_again
from minillm.world.messages import TASK_PROMPT
from minillm.world.raters import SimulatedRater


def told(run, stage):
    """The `note` of runs/data.py for a stage: it prints what the stage reads and leaves out."""
    return lambda line: run.say(filled(f"{stage}: {line}"))


def run_tokenizer(run):
    """Learn the vocabulary from the training text and, on the embedded world, what is said in
    conversations; leaves tokenizer.json.
    """
    path = data.own_text(run)
    note = told(run, "tokenizer") if "pretrain" not in run.data else data.unsaid
    train, validation = data.documents(run, path, note)
    learned = train if path is not None else data.vocabulary_texts(run, train)
    tokenizer = learn_vocabulary(learned, validation, run.config.tokenizer)
    tokenizer.save(run.folder / "tokenizer.json")
    pieces = "|".join(tokenizer.decode([i]) for i in tokenizer.encode(train[0][:40])[:12])
    run.say(f"tokenizer: {tokenizer.vocab_size:,} tokens; the text is cut so:\n  {pieces!r}...")


def run_pretrain(run):
    """Phase 1, on the embedded world's documents or the user's own text."""
    tokenizer = Tokenizer.load(run.folder / "tokenizer.json")
    train, validation = data.documents(run, run.data.get("pretrain"), told(run, "pretrain"))
    stream, held_out = map(tokenizer.encode_documents, (train, validation))
    if "pretrain" not in run.data:
        data.check_world_fits(run, tokenizer, run.config.model.context)
    model = pretrain.new_model(run.config.model, tokenizer, run.config.seed)
    run.say(f"pretrain: {len(stream):,} tokens of text, {tree.count(model.params):,} parameters")
    pretrain.pretrain(model, stream, held_out, run.config.pretrain, run.config.seed,
                      run.recorder("pretrain"))


def run_finetune(run):
    """Phase 2. On the embedded world, three models are fine-tuned, each from the base model:
    instructions, one task, one domain. With the user's own data, one model on the conversations.
    """
    model, settings, seed = run.model("pretrain"), run.config.finetune, run.config.seed
    own, replay = "finetune" in run.data, None
    if not own:
        data.check_world_fits(run, model.tokenizer, model.config.context)
        replay = model.tokenizer.encode_documents(to_read_again(data.documents(run)[0]))
    note = told(run, "finetune")
    learned, held_out = data.conversations(run, model, note)
    if settings.lora:
        shown = finetune.adapter_for(model, settings, seed)
        trained, whole = tree.count(shown.params), tree.count(model.params)
        run.say(f"finetune: LoRA of rank {shown.rank}: {trained:,} parameters are trained beside "
                f"{whole:,} ({trained / whole:.1%})")
    finetune.finetune(model, learned, settings, seed, run.recorder("finetune"), held_out, replay,
                      note, data.first_conversations(run))
    if own:
        return
    messages, _ = data.task_messages(run)
    finetune.finetune_task(run.model("pretrain"), messages, TASK_PROMPT, settings.for_task, seed,
                           run.recorder("task"))
    model = run.model("pretrain")
    stream = model.tokenizer.encode_documents(data.domain_documents(run)[0])
    finetune.finetune_domain(model, stream, settings.for_domain, seed, run.recorder("domain"))


def run_rank(run):
    """Phase 3, steps 1 and 2: sample responses and rank them, for training and for measuring."""
    model, settings, rng = run.assistant(), run.config.rank, run.rng("rank")
    there = rank.read_records(run.folder / "rank" / data.RANKINGS)
    require(all(rater != "human" for _, rater in there),
            f"{run.folder} holds rankings that a person gave, which are never replaced; go on "
            f"ranking: {command('rank', run.folder, '--human')}, or learn from them: "
            f"{command('reward', run.folder)}")
    rater = SimulatedRater(settings.noise)
    training, held_out = data.askable_requests(run, model, settings.prompts, rng,
                                               told(run, "rank"))
    (run.folder / "rank").mkdir(exist_ok=True)
    made = {}
    for name, requests in ((data.RANKINGS, training), (data.RANKINGS_HELD_OUT, held_out)):
        asked = [(request.messages(), request) for request in requests]
        rankings = rank.collect_rankings(model, asked, rater.rank, settings, rng)
        if not rankings:
            raise ValueError(f"the raters ranked all responses to all of {len(asked):,} prompts "
                             "equal, so there is nothing to learn; fine-tune longer, or sample "
                             "more --rank.responses")
        made[name] = [rank.ranking_line(item, "simulated") for item in rankings]
        run.say(f"rank: {len(rankings):,} prompts with {settings.responses} ranked responses "
                f"each, in rank/{name}")
    for name in (data.RANKINGS_HELD_OUT, data.RANKINGS):    # the last is there: all of it is
        write_atomically(run.folder / "rank" / name, "\n".join(made[name]) + "\n")


def run_reward(run):
    """Phase 3, step 3: learn the rankings."""
    model, seed = run.assistant(), run.config.seed
    if "reward" not in run.data and rank.cut_torn_line(run.folder / "rank" / data.RANKINGS):
        run.say("reward: the last line of the rankings was cut off and is left out")
    learned, _ = data.rankings(run, model, told(run, "reward"))
    reward.train_reward_model(model, reward.reward_heads(model, seed), learned, run.config.reward,
                              seed, run.recorder("reward"))


def run_rlhf(run):
    """Phase 3, step 4: optimize against the reward model; gold marks are only logged."""
    policy, settings, seed = run.assistant(), run.config.rlhf, run.config.seed
    judge_model, judge_heads = data.reward_model(run)
    rng = run.rng("rlhf")
    prompts, requests = data.prompts(run, policy, rng, told(run, "rlhf"))
    asked = [policy.tokenizer.encode_chat(messages, ask=True) for messages in prompts]
    scores = partial(reward.reward_scores, judge_model, judge_heads)
    score = standardized(policy, scores, asked, settings, rng)

    def gold_marks(sequences, masks, numbers):
        texts = [policy.tokenizer.decode_answer(ids[mask]) for ids, mask in zip(sequences, masks)]
        marks = measures.mean_marks([requests[n] for n in numbers], texts)
        return {f"gold_{mark}": value for mark, value in marks.items()}

    rlhf.rlhf(policy, rlhf.value_heads(policy, seed), asked, score, settings, seed,
              run.recorder("rlhf"), gold_marks if requests else None)


def standardized(policy, score_sequences, asked, settings, rng):
    """The reward, shifted and scaled to mean 0 and standard deviation 1 on the initial policy."""
    count = min(standardized_on(settings), len(asked))
    chosen = [asked[n] for n in rng.choice(len(asked), count, replace=False)]
    first = score_sequences(respond(policy, chosen, settings, rng)[0])
    mean, spread = float(first.mean()), float(first.std())

    def score(sequences, _):
        return (score_sequences(sequences) - mean) / max(spread, 1e-6)
    return score
