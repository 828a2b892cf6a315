"""The verbs that continue a text: generate, next; and which model a verb means."""

import sys
from contextlib import contextmanager
from pathlib import Path

from minillm.config import check_range, require
from minillm.evaluate.next_words import next_words, shown
from minillm.model.sampling import check_settings
from minillm.runs import memory
from minillm.runs.checks import require_memory
from minillm.runs.folder import is_run as has_record
from minillm.runs.plan import find_run
from minillm.runs.run import model_folder, newest_run
from minillm.runs.stages import SPEAKERS
from minillm.terminal.bars import bars, can_show_blocks, printable
from minillm.terminal.flags import MAX_NEW_TOKENS
from minillm.training.checkpoint import (REWARD_HEAD, CheckpointError, find_checkpoint,
                                         load_checkpoint, steps_in)


def checkpoint_of(word, root, stage, default=None):
    """The checkpoint's folder that RUN and --stage mean.

    default: the stage that is meant without --stage; None: the most trained one.
    Raises:  CheckpointError if there is none; ValueError for a --stage of what is no run.
    """
    if word is None:
        folder = newest_run(root, [stage or default or SPEAKERS[0]])
    else:
        folder = find_run(word, root)
    if not is_run(folder):
        require(stage is None, f"{folder} is not the folder of a run, so it has no --stage "
                               f"{stage}; leave the flag out, or give the run")
        return find_checkpoint(folder)
    stage = stage or default
    if stage is None:
        return model_folder(folder)
    if not steps_in(folder / stage):
        there = [name for name in SPEAKERS if steps_in(folder / name)]
        raise CheckpointError(f"{folder} has no stage {stage}; "
                              f"it has: {', '.join(there) or 'none yet'}")
    return find_checkpoint(folder / stage)


def is_run(folder):
    """Whether a folder is the folder of a run, not of a stage or a step."""
    return (folder / "run.json").exists() or any(steps_in(folder / name) for name in SPEAKERS)


def load(args, default):
    """(the model that a verb's RUN and --stage mean, its folder).

    Raises:  ValueError for a reward model, which has learned to score, not to write.
    """
    folder = checkpoint_of(args.run, args.root, args.stage, default)
    if args.run is None:
        note_choice(folder, args.root)
    saved = load_checkpoint(folder)
    require(not any(name.startswith(REWARD_HEAD) for name in saved.training),
            f"{folder} is a reward model: it scores answers and writes none; "
            f"give another stage of the run: {', '.join(SPEAKERS)}")
    with naming(folder):
        return saved.model.quantized() if args.int8 else saved.model, folder


def note_choice(folder, root):
    """Say on stderr which of several runs was taken as the newest; `import` makes one, too."""
    count = sum(map(has_record, Path(root).iterdir()))
    if count > 1:
        print(f"minillm: the newest of {count} runs: {folder}", file=sys.stderr, flush=True)


@contextmanager
def naming(folder):
    """Name the model in the message of an error in its numbers."""
    try:
        yield
    except FloatingPointError as error:
        raise FloatingPointError(f"{folder}: {error}") from None


def check_flags(args):
    """Refuse the flags of sampling before a model is loaded.  Raises:  ValueError"""
    check_settings(args.temperature, args.top_k, args.top_p)
    check_range("max_new_tokens", args.max_new_tokens, "[1, inf)")
    check_range("seed", args.seed, "[0, inf)")


def sampling(args, model):
    """The flags of sampling as keywords.

    Raises:  ValueError for more new tokens than the context has; the default is cut to it.
    """
    longest, context = args.max_new_tokens, model.config.context
    require(longest <= max(context, MAX_NEW_TOKENS),
            f"max_new_tokens is {longest}; the model's context has {context} tokens")
    return {"max_new_tokens": longest, "temperature": args.temperature,
            "top_k": args.top_k, "top_p": args.top_p}


def run_and_text(args):
    """[RUN] TEXT: one word is the text, two are the run and the text.

    Raises:  ValueError for more.
    """
    require(1 <= len(args.words) <= 2,
            f"give one text in quotes; before it, if you like, a run: minillm {args.verb} [RUN] "
            f"\"The cat\" ({len(args.words)} words were given)")
    args.run = args.words[0] if len(args.words) == 2 else None
    require(args.run is not None or not (Path(args.words[0]) / "run.json").exists(),
            f"{args.words[0]} is a run; give a text after it, in quotes")
    return args.words[-1]


def generate(args):
    """Print --count continuations of a text."""
    text = run_and_text(args)
    check_range("count", args.count, "[1, inf)")
    check_flags(args)
    model, folder = load(args, "pretrain")
    require_memory(f"{args.count:,} continuations",
                   memory.generate(model.config, args.count, len(model.prompt_ids(text)),
                                   args.max_new_tokens), "lower --count or --max-new-tokens")
    with naming(folder):
        texts = model.generate([text] * args.count, seed=args.seed, **sampling(args, model))
    for number, continuation in enumerate(texts, 1):
        if args.count > 1:
            print(f"--- {number}")
        print(printable(text + continuation))


def next_verb(args):
    """Draw the likeliest next words as bars."""
    text = run_and_text(args)
    check_range("count", args.count, "[1, 100]")
    model, folder = load(args, "pretrain")
    with naming(folder):
        found = next_words(model, text, args.count)
    rows = [(printable(shown(word, text.rstrip(" "))), probability) for word, probability in found]
    print(printable(text))
    print(bars(rows, blocks=can_show_blocks()))


def read_line(prompt):
    """One line from the terminal or a pipe; None at the end of input."""
    try:
        return input(prompt)
    except EOFError:
        if prompt:
            print()
        return None
