"""The command `minillm`: what a reader types.  `minillm VERB --help` lists the flags of a verb."""

import difflib
import os
import sys

from minillm import __version__
from minillm.terminal.machine import ready_machine
from minillm.terminal.flags import Parser, add_dials, number, parse

OVERVIEW = """minillm trains a language model from raw text to an aligned assistant, phase by phase.

  minillm run                   everything, on the embedded world, and a report: runs/run-001/

phase by phase
  minillm tokenizer [RUN]       learn a vocabulary
  minillm pretrain  [RUN]       1. predict the next token              --data TEXT.txt
  minillm finetune  [RUN]       2. learn to follow instructions        --data CONVERSATIONS.jsonl
  minillm rank      [RUN]       3. rank responses                      --simulated, or --human
  minillm reward    [RUN]          learn a reward model from rankings  --data PREFERENCES.jsonl
  minillm rlhf      [RUN]          optimize the model against it

use and look
  minillm next     [RUN] "The cat sat on the"     the likeliest next words, as bars
  minillm generate [RUN] "Once upon a time"       continue a text
  minillm chat     [RUN]                          talk with it
  minillm eval     [RUN]                          measure its models again
  minillm report   [RUN]                          write report.html again

learn
  minillm lesson [NN]           list the lessons, or run one
  minillm site                  write the lessons as pages, the source beside them
  minillm trace                 one training step as a table, a row a tensor
  minillm scale                 what GPT-3, GPT-4 and Llama 2 70B took, and what they would take here

RUN is a run's folder or its name under runs/; without one, the newest that fits is taken.
Flags of a verb: minillm VERB --help. Version: minillm --version."""

TRAINING = {
    "run": "Do everything on the embedded world: all phases and the report.",
    "tokenizer": "Learn a vocabulary from text.",
    "pretrain": "Phase 1: predict the next token. Learns a vocabulary first, unless RUN has one.",
    "finetune": "Phase 2: go on with chosen examples: conversations; in the world also a task and a domain.",
    "rank": "Phase 3, first half: sample responses and rank them, by simulated raters or by hand.",
    "reward": "Phase 3, second half: learn to predict the rankings.",
    "rlhf": "Phase 3, the end: optimize the fine-tuned model against the reward model.",
}
USING = {
    "next": "Draw the likeliest next words of a text as bars.",
    "generate": "Continue a text.",
    "chat": "Talk with a model, line by line.",
    "eval": "Measure the models of a run again.",
    "report": "Write the run's report.html again.",
}
LEARNING = {
    "lesson": "List the lessons, or run one of them.",
    "site": "Write the lessons as static pages, with the source beside the text.",
    "trace": "One training step of a fresh model as a table: every tensor, forward and backward.",
    "scale": "Parameters, FLOPs, time and cost of published models, computed from their shapes.",
}
PHASE_CHOICES = ("pretrain", "finetune", "policy_gradient")
OWN_DATA = {"tokenizer": "text: a .txt file, a folder, or JSONL of {\"text\"}",
            "pretrain": "text: a .txt file, a folder, or JSONL of {\"text\"}",
            "finetune": "conversations: JSONL of {\"messages\"}",
            "rank": "with --human: prompts, JSONL of {\"prompt\"} or {\"messages\"}",
            "reward": "JSONL of {\"prompt\", \"chosen\", \"rejected\"}",
            "rlhf": "prompts: JSONL of {\"prompt\", \"chosen\", \"rejected\"}",
            "run": "(the phases' own verbs take data)"}


def training_parser(verb):
    """The parser of a verb that trains."""
    from minillm.config import PRESETS
    from minillm.terminal.training import OWN

    parser = Parser(prog=f"minillm {verb}", description=TRAINING[verb], allow_abbrev=False)
    parser.add_argument("run", nargs="?", metavar="RUN", help="where to work (a new run, or the newest)")
    parser.add_argument("--name", help="name of a new run; with an earlier RUN, it starts from copies of it")
    parser.add_argument("--root", default="runs", metavar="DIR", help="where the runs are (default runs)")
    parser.add_argument("--preset", choices=tuple(PRESETS), help="a family and its settings (default llama)")
    parser.add_argument("--config", metavar="FILE.toml", help="settings; flags come on top of them")
    parser.add_argument("--seed", metavar="N", help="every random choice follows from it (default 0)")
    parser.add_argument("--data", metavar="PATH", help=OWN_DATA[verb])
    parser.add_argument("--resume", action="store_true", help="go on where a phase stopped")
    parser.add_argument("--quiet", action="store_true", help="print no progress")
    if verb == "rank":
        who = parser.add_mutually_exclusive_group()
        who.add_argument("--simulated", action="store_true", help="simulated raters rank (default)")
        who.add_argument("--human", action="store_true", help="you rank, at the terminal")
    add_dials(parser, OWN[verb], dotted_help=verb == "run")
    return parser


def using_parser(verb):
    """The parser of a verb that uses a model or looks at a run."""
    parser = Parser(prog=f"minillm {verb}", description=USING[verb], allow_abbrev=False)
    if verb in ("next", "generate"):
        parser.add_argument("words", nargs="*", metavar="[RUN] TEXT", help="a text, after the run if you like")
    else:
        parser.add_argument("run", nargs="?", metavar="RUN", help="run, phase or step (default the newest)")
    parser.add_argument("--root", default="runs", metavar="DIR", help="where the runs are (default runs)")
    if verb in ("next", "generate", "chat"):
        default = "the most trained" if verb == "chat" else "pretrain, the base model"
        parser.add_argument("--phase", choices=PHASE_CHOICES, help=f"model of the run (default {default})")
    if verb in ("next", "generate"):
        parser.add_argument("--count", type=int, default=10 if verb == "next" else 1, metavar="N",
                            help="how many (default %(default)s)")
    if verb in ("generate", "chat"):
        add_sampling(parser, 0.8 if verb == "generate" else 0.0)
    if verb == "chat":
        parser.add_argument("--system", metavar="TEXT", help="a system prompt")
    if verb == "eval":
        parser.add_argument("--quiet", action="store_true", help="print no progress")
    return parser


def learning_parser(verb):
    """The parser of a verb that teaches."""
    parser = Parser(prog=f"minillm {verb}", description=LEARNING[verb], allow_abbrev=False)
    if verb == "lesson":
        parser.add_argument("number", nargs="?", metavar="NN", help="the lesson to run (default: list them)")
        parser.add_argument("--full", action="store_true", help="as long as the table of claims needs")
        parser.add_argument("--text", action="store_true", help="print the path of its text, run nothing")
    if verb == "site":
        parser.add_argument("--out", default="build/site", metavar="DIR", help="where to (default build/site)")
    if verb == "trace":
        from minillm.config import PRESETS
        parser.add_argument("--preset", choices=tuple(PRESETS), default="micro", help="the model (default micro)")
        parser.add_argument("--rows", type=int, default=2, metavar="N", help="sequences in the batch (default 2)")
        parser.add_argument("--plain", action="store_true", help="the NumPy twins of the kernels")
    if verb == "scale":
        parser.add_argument("--gpu-flops", type=number, default=312e12, metavar="X",
                            help="peak of one GPU, FLOP/s (default 312e12, A100 in bfloat16)")
        parser.add_argument("--utilization", type=number, default=0.4, metavar="X", help="share of it in use (0.4)")
        parser.add_argument("--dollars-per-gpu-hour", type=number, default=1.5, metavar="X", help="price (1.5)")
    return parser


def add_sampling(parser, temperature):
    """The flags of sampling."""
    parser.add_argument("--temperature", type=number, default=temperature, metavar="X",
                        help="0 takes the likeliest token each time (default %(default)s)")
    parser.add_argument("--top-k", type=int, default=0, metavar="N", help="sample from the N likeliest; 0 all")
    parser.add_argument("--top-p", type=number, default=1.0, metavar="X", help="from the fewest of mass X")
    parser.add_argument("--max-new-tokens", type=int, default=64, metavar="N", help="at most (default 64)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the sampling (default 0)")


def dispatch(argv):
    """Find the verb, read its flags, do it.  Raises:  ValueError for what a user got wrong."""
    verb, rest = argv[0], argv[1:]
    if verb in TRAINING:
        args = parse(training_parser(verb), rest)
        args.verb = verb
        from minillm.terminal import rank, training
        return {"run": training.run_everything, "rank": rank.rank}.get(verb, training.train)(args)
    if verb in USING:
        args = parse(using_parser(verb), rest)
        args.verb = verb
        from minillm.terminal import talking
        if verb in ("eval", "report"):
            from minillm.terminal import measuring
            return {"eval": measuring.evaluate, "report": measuring.report}[verb](args)
        return {"next": talking.next_verb, "generate": talking.generate, "chat": talking.chat}[verb](args)
    if verb in LEARNING:
        args = parse(learning_parser(verb), rest)
        if getattr(args, "plain", False):
            os.environ["MINILLM_KERNELS"] = "plain"      # before the kernels are imported
        from minillm.terminal import learning
        return getattr(learning, verb)(args)
    if verb.startswith("-"):
        raise ValueError(f"the verb comes first, then its flags ({verb}); see: minillm --help")
    verbs = [*TRAINING, *USING, *LEARNING]
    near = difflib.get_close_matches(verb, verbs, n=1)
    raise ValueError(f"unknown verb {verb!r}; " + (f"did you mean {near[0]}?" if near else
                                                   "verbs: " + ", ".join(verbs)))


def tell(message):
    """One line on stderr."""
    print("minillm: " + " ".join(str(message).split()), file=sys.stderr)


def spoken(error):
    """An error of a user's files or settings in words."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)


def ready_streams():
    """Streams that take any character, and that are there even where a caller closed them."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))
    for stream in (sys.stdin, sys.stdout):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")        # a pipe may bring, and a terminal lack, any character


def main(argv=None):
    """The command.  Returns the exit status: 0; 1 training failed; 2 bad input; 130 interrupted."""
    argv = sys.argv[1:] if argv is None else list(argv)
    ready_streams()
    ready_machine()
    try:
        if not argv or argv[0] in ("-h", "--help", "help"):
            print(OVERVIEW)
        elif argv[0] in ("--version", "-V"):
            print(f"minillm {__version__}")
        else:
            dispatch(argv)
        sys.stdout.flush()
        return 0
    except BrokenPipeError:                             # `minillm next ... | head -1`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (ValueError, OSError, MemoryError) as error:
        tell(spoken(error) or "out of memory; use a smaller model or fewer rows")
        return 2
    except FloatingPointError as error:
        tell(error)
        return 1
    except ModuleNotFoundError as error:
        tell(f"the package {error.name} is missing; pip install {error.name}")
        return 1
    except KeyboardInterrupt:
        return interrupted(argv[0])
    except SystemError as error:                        # how numba passes on a Ctrl-C inside a kernel
        if isinstance(error.__cause__, KeyboardInterrupt):
            return interrupted(argv[0])
        raise


def interrupted(verb):
    """Say that a Ctrl-C ended the command, and how to go on.  Returns the exit status."""
    further = f"; what was saved is kept, go on with: minillm {verb} --resume" if verb in TRAINING else ""
    tell("interrupted" + further)
    return 130
