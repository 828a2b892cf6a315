"""The verbs that use a model: generate, chat, next."""

import sys

import numpy as np

from minillm.config import require
from minillm.evaluate.next_words import next_words, shown
from minillm.runs.plan import find_run
from minillm.runs.run import model_folder, newest_run
from minillm.runs.stages import SPEAKERS
from minillm.terminal.bars import bars, can_show_blocks, printable
from minillm.train.checkpoint import CheckpointError, load_checkpoint, steps_in

LEAST_ROOM = 8      # tokens that an answer must have room for


def checkpoint_of(word, root, stage):
    """The checkpoint's folder of a stage's model, or of the run's most trained model.

    Raises:  CheckpointError if there is none.
    """
    folder = newest_run(root, [stage or SPEAKERS[0]]) if word is None else find_run(word, root)
    if stage is None or not is_run(folder):
        return model_folder(folder)
    if not steps_in(folder / stage):
        there = [name for name in SPEAKERS if steps_in(folder / name)]
        raise CheckpointError(f"{folder} has no stage {stage}; "
                              f"it has: {', '.join(there) or 'none yet'}")
    return model_folder(folder / stage)


def is_run(folder):
    """Whether a folder is the folder of a run, not of a stage or a step."""
    return (folder / "run.json").exists() or any(steps_in(folder / name) for name in SPEAKERS)


def load(args, default):
    """The model that a verb's RUN and --stage mean."""
    stage = args.stage
    if stage is None and (args.run is None or is_run(find_run(args.run, args.root))):
        stage = default
    return load_checkpoint(checkpoint_of(args.run, args.root, stage)).model


def sampling(args, model):
    """The flags of sampling as keywords; max_new_tokens is at most the context."""
    return {"max_new_tokens": min(args.max_new_tokens, model.config.context),
            "temperature": args.temperature, "top_k": args.top_k, "top_p": args.top_p}


def run_and_text(args):
    """[RUN] TEXT: one word is the text, two are the run and the text.

    Raises:  ValueError for more.
    """
    require(1 <= len(args.words) <= 2,
            f"give one text in quotes; before it, if you like, a run: minillm {args.verb} [RUN] "
            f"\"The cat\" ({len(args.words)} words were given)")
    args.run = args.words[0] if len(args.words) == 2 else None
    return args.words[-1]


def generate(args):
    """Print --count continuations of a text."""
    text = run_and_text(args)
    require(args.count >= 1, f"count is {args.count}; it must be 1 or more")
    require(args.seed >= 0, f"seed is {args.seed}; it must be 0 or more")
    model = load(args, "pretrain")
    texts = model.generate([text] * args.count, seed=args.seed, **sampling(args, model))
    for number, continuation in enumerate(texts, 1):
        if args.count > 1:
            print(f"--- {number}")
        print(printable(text + continuation))


def next_verb(args):
    """Draw the likeliest next words as bars."""
    text = run_and_text(args)
    require(1 <= args.count <= 100, f"count is {args.count}; it must lie between 1 and 100")
    model = load(args, "pretrain")
    found = next_words(model, text, args.count)
    rows = [(printable(shown(word, text.rstrip(" "))), probability) for word, probability in found]
    print(printable(text))
    print(bars(rows, blocks=can_show_blocks()))


def chat(args):
    """A conversation, line by line, until the end of input."""
    require(args.seed >= 0, f"seed is {args.seed}; it must be 0 or more")
    model, rng = load(args, None), np.random.default_rng(args.seed)
    begin = [] if args.system is None else [{"role": "system", "content": args.system}]
    check_room(model, [*begin, {"role": "user", "content": ""}], "the system prompt")
    asking = sys.stdin.isatty()
    if asking:
        print("Write a line; an empty one or Ctrl-D ends the conversation.")
    messages = list(begin)
    while (line := read_line("you> " if asking else "")) is not None:
        if not line.strip():
            if asking:
                break
            continue
        try:
            messages, answer = respond(model, messages, begin, line, rng, args)
        except ValueError as error:         # a character that the vocabulary does not have
            answer = f"({error})"
        if not asking:
            print(f"you> {printable(line)}")
        print(f"model> {printable(answer)}", flush=True)


def respond(model, messages, begin, line, rng, args):
    """Answer one line; if the context is full, start a new conversation.

    Returns the conversation and the answer.
    """
    asked = [*messages, {"role": "user", "content": line}]
    if room(model, asked) < LEAST_ROOM:
        anew = [*begin, {"role": "user", "content": line}]
        if room(model, anew) < LEAST_ROOM:
            used = model.config.context - room(model, anew)
            return messages, (f"(that line is too long: {used} tokens, of a context of "
                              f"{model.config.context})")
        if len(messages) > len(begin):
            print(f"(the context of {model.config.context} tokens is full; "
                  "a new conversation starts)")
        asked = anew
    (answer,), _ = model.answer([asked], rng, **sampling(args, model))
    return [*asked, {"role": "assistant", "content": answer}], answer


def room(model, messages):
    """Tokens left for the answer."""
    return model.config.context - len(model.tokenizer.encode_chat(messages, ask=True))


def check_room(model, messages, what):
    """Raises:  ValueError if `messages` leave no room for an answer."""
    left = room(model, messages)
    require(left >= LEAST_ROOM,
            f"{what} has {model.config.context - left} tokens; it must leave room for a question "
            f"and an answer in the context of {model.config.context}")


def read_line(prompt):
    """One line from the terminal or a pipe; None at the end of input."""
    try:
        return input(prompt)
    except EOFError:
        if prompt:
            print()
        return None
