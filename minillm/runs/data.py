"""Where the data of a run come from: the user's own data, or the embedded world.

Every function takes the Run. Each stage has its own random generators, so one stage's settings do
not change another's data (task_messages and domain_documents start from the same one). Functions
that return a pair return (training data, held-out data). `note` is called with a line on as what
the user's data were read, and with one on what was left out: by the stage, before its first step.
Whoever reads the same data again leaves it out.
"""

import json
from functools import lru_cache

from minillm.config import require
from minillm.phases import rank, reward
from minillm.phases.finetune import task_conversation
from minillm.runs.folder import imported_from
from minillm.text import corpus
from minillm.text.corpus import unsaid
from minillm.text.fitting import LONGER, that_fit
from minillm.text.templates import indented
from minillm.training.checkpoint import load_checkpoint, subtree
from minillm.world import jargon
from minillm.world.conversations import conversation_texts, make_conversations
from minillm.world.corpus import write_corpus
from minillm.world.curriculum import make_curriculum
from minillm.world.facts import make_world
from minillm.world.messages import TASK_PROMPT, labelled_messages
from minillm.world.probes import make_probes
from minillm.world.requests import make_requests

HELD_OUT = 400          # requests that no stage learns from
LEAST_ROOM = 8          # tokens that a prompt must leave for the answer
VOCABULARY_CONVERSATIONS = 4000     # at most; the vocabulary is learned from them and the text
RANKINGS = "rankings.jsonl"             # written by the stage `rank`, in its folder
RANKINGS_HELD_OUT = "held_out.jsonl"


@lru_cache(maxsize=2)
def world_of(seed):
    """The embedded world of a seed."""
    return make_world(seed)


@lru_cache(maxsize=2)
def world_texts(seed, megabytes):
    """The embedded world's documents, as texts."""
    return [document.text for document in write_corpus(world_of(seed), megabytes)]


def world(run):
    """The embedded world of this run."""
    return world_of(run.config.seed)


def own_text(run):
    """The path of the user's own text, or None: the tokenizer and the pretraining share it."""
    return run.data.get("tokenizer") or run.data.get("pretrain")


def documents(run, path=None, note=unsaid):
    """Texts of the embedded world, or the user's own texts."""
    rng = run.rng("tokenizer")
    if path is not None:
        texts = corpus.load_documents(path, note)
        try:
            return corpus.split_documents(texts, 0.1, rng)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None
    texts = world_texts(run.config.seed, run.config.pretrain.megabytes)
    return corpus.split_documents(texts, 0.03, rng)


def vocabulary_texts(run, texts):
    """What the embedded world's vocabulary is learned from: texts, and messages of fine-tuning.

    Words that people type and documents seldom have would else be cut into many tokens.
    """
    count = min(VOCABULARY_CONVERSATIONS, run.config.finetune.conversations)
    said = conversation_texts(world(run), count, run.rng("finetune"))
    return texts + indented(said)


def requests(run):
    """Requests with held-out phrasings and entities, for measurements only."""
    return make_requests(world(run), HELD_OUT, run.rng("evaluation"), "held_out")


def training_requests(run, count, rng):
    """Requests with the phrasings and entities of the training data."""
    return make_requests(world(run), count, rng, "train")


def held_out_prompts(run, model):
    """What fine-tuning has not seen: (prompts as messages, the world's requests or None).

    Raises:  ValueError if the user's own conversations can no longer be read.
    """
    if "finetune" not in run.data and imported_from(run.folder) is not None:
        return own_prompts(run, model)[1], None
    if "finetune" not in run.data:
        asked = requests(run)
        return [request.messages() for request in asked], asked
    _, held_out = conversations(run, model)
    prompts = [messages[:max(n for n, each in enumerate(messages) if each["role"] == "assistant")]
               for messages in held_out]
    return [messages for messages in prompts if messages], None


def askable_requests(run, model, count, rng, note=unsaid):
    """Requests that leave the model room for an answer: `count` to learn from, and held-out ones.
    """
    return askable(model, {"prompts": training_requests(run, count, rng),
                           "held-out prompts": requests(run)},
                   lambda request: request.messages(), note)


def askable(model, parts, messages_of, note=unsaid):
    """The prompts of each part that leave the model room for an answer (see fitting.that_fit)."""
    return that_fit(parts,
                    lambda item: [model.tokenizer.encode_chat(messages_of(item), ask=True)],
                    model.config.context, note, room=LEAST_ROOM)


def conversations(run, model, note=unsaid):
    """(to learn from, held out): conversations (messages) of the embedded world; or of the user's
    own, those that fit the context.
    """
    rng, path = run.rng("finetune"), run.data.get("finetune")
    if path is not None:
        longer_by = LONGER if imported_from(run.folder) is None else \
            "import the model again with --context"
        (fit,) = that_fit({"conversations": corpus.load_conversations(path, note)},
                          lambda messages: [model.tokenizer.encode_chat(messages, ask=False)],
                          model.config.context, note, least=2, longer_by=longer_by)
        return corpus.split_documents(fit, 0.05, rng)
    drawn = [make_conversations(world(run), run.config.finetune.conversations, rng),
             make_conversations(world(run), 200, rng, "held_out")]
    return [[item.messages for item in items] for items in drawn]


def first_conversations(run):
    """Lists of easier conversations, for the first steps of fine-tuning on the embedded world: as
    many as these steps have rows; a row holds one or more.
    """
    settings = run.config.finetune
    if "finetune" in run.data or not settings.first_steps:
        return []
    return make_curriculum(settings.first_steps * settings.rows, run.rng("finetune").spawn(1)[0])


def task_messages(run):
    """Labelled messages of the one task that a model is fine-tuned for."""
    rng = run.rng("finetune", 1)
    held_out = labelled_messages(world(run), 300, rng, "held_out")
    return labelled_messages(world(run), 1500, rng, "train"), held_out


def domain_documents(run):
    """Documents of the one domain that a model is fine-tuned for."""
    rng = run.rng("finetune", 1)
    held_out = jargon.domain_documents(world(run), 100, rng, "held_out")
    return jargon.domain_documents(world(run), 1500, rng, "train"), held_out


def rankings(run, model, note=unsaid):
    """The user's own pairs, or the run's rankings, that fit the context and are not all ties.

    If the run has no held-out rankings (it has none after ranking by hand), a tenth is held out.
    """
    path = run.data.get("reward")
    if path is None:
        parts = ranked(run.folder / "rank", note)
    else:
        pairs = rank.from_pairs(corpus.load_preferences(path, note))
        parts = {"preference pairs": untied(path, pairs, "preference pairs", 2, note)}
    fit = that_fit(parts, lambda ranking: reward.rendered_ranking(model.tokenizer, ranking),
                   model.config.context, note, least=2 if len(parts) == 1 else 1)
    return fit if len(fit) == 2 else corpus.split_documents(fit[0], 0.1, run.rng("reward"))


def ranked(folder, note=unsaid):
    """What the stage `rank` left, without ties: {"rankings": ...}, and "held-out rankings" if they
    were set apart.

    Raises:  ValueError if there are too few to learn from and to hold out.
    """
    paths = {"rankings": folder / RANKINGS, "held-out rankings": folder / RANKINGS_HELD_OUT}
    there = {what: path for what, path in paths.items() if what == "rankings" or path.exists()}
    least = 2 if len(there) == 1 else 1
    return {what: untied(path, rank.read_rankings(path), what, least, note)
            for what, path in there.items()}


def untied(path, rankings, what, least, note=unsaid):
    """The rankings in which not all responses are equal: those teach nothing."""
    useful = [ranking for ranking in rankings if len(set(ranking.ranks)) > 1]
    require(len(useful) >= least,
            f"{path} has {len(useful)} {what} that are not all ties; {least} or more are needed"
            + (", because some are held out" if least == 2 else ""))
    if len(useful) < len(rankings):
        note(f"{len(rankings) - len(useful):,} of {len(rankings):,} {what} are ties "
             "and were left out")
    return useful


def prompts(run, model, rng, note=unsaid):
    """What the policy is asked, with room for an answer: (prompts as messages, the world's requests
    or None if the prompts are the user's own).
    """
    if "rlhf" in run.data:
        return own_prompts(run, model, note)[0], None
    chosen, _ = askable_requests(run, model, run.config.rlhf.prompts, rng, note)
    return [request.messages() for request in chosen], chosen


def own_prompts(run, model, note=unsaid):
    """The user's own prompts with room for an answer: (those that the policy is asked, those that
    are held out, each once).

    Held out is what the reward model has not learned from, if it learned from the same file, and
    else a tenth. If all prompts are the same, none is held out. Without a file there are none.
    """
    path = run.data.get("rlhf")
    if path is None:
        return [], []
    own = [record["prompt"] for record in corpus.load_asked(path, note)]
    (fit,) = askable(model, {"prompts": own}, lambda messages: messages, note)
    distinct = {json.dumps(messages): messages for messages in fit}
    if len(distinct) < 2:
        return fit, []
    apart = set()
    if run.data.get("reward") == path:
        seen, unseen = ({json.dumps(ranking.prompt) for ranking in part}
                        for part in rankings(run, model))
        apart = (unseen - seen) & distinct.keys()
    if not 0 < len(apart) < len(distinct):
        apart = set(corpus.split_documents(list(distinct), 0.1, run.rng("rlhf", 1))[1])
    return ([messages for messages in fit if json.dumps(messages) not in apart],
            [messages for key, messages in distinct.items() if key in apart])


def reward_model(run):
    """The reward model of the run: a language model and its reward head."""
    saved = load_checkpoint(run.folder / "reward")
    heads = reward.reward_heads(saved.model, 0)
    return saved.model, {name: subtree(saved.training, f"heads.{name}", head)
                         for name, head in heads.items()}


def check_world_fits(run, tokenizer, context):
    """Refuse a context that is too short for the embedded world's questions, before training.

    Raises:  ValueError that says how long they are.
    """
    probes = [tokenizer.encode(text + max(endings, key=len))
              for items in make_probes(world(run)).values() for text, endings in items]
    asked = [tokenizer.encode_chat(request.messages(), ask=True) for request in requests(run)]
    messages = labelled_messages(world(run), 300, run.rng("evaluation"), "held_out")
    tasks = [tokenizer.encode_chat(task_conversation(TASK_PROMPT, text, label), ask=False)
             for text, label in messages]
    needed = max(len(ids) for ids in probes + asked + tasks) + LEAST_ROOM
    if needed > context:
        raise ValueError(
            f"the embedded world's questions need a context of {needed} tokens in this vocabulary "
            f"of {tokenizer.vocab_size}, the model has {context}; use --model.context {needed}"
            + (" or a larger --tokenizer.vocab_size" if tokenizer.kind == "bpe" else ""))
