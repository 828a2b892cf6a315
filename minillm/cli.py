"""The command `minillm VERB`.  `minillm VERB --help` lists the flags of a verb."""

import difflib
import os
import sys
import textwrap
from contextlib import suppress

from minillm import __version__
from minillm.training.interrupt import handled_by, quit_now, restore, was_interrupted

OVERVIEW = """minillm trains a language model, from raw text to an aligned assistant.

  minillm run     everything, on the embedded world, and a report: runs/run-001/

stage by stage
{stages}

begin with a model that others trained
  minillm import DIR|FILE --name NAME         a folder of Hugging Face, or GGUF
  minillm import DIR --base RUN --name NAME   an adapter of PEFT, on its base

use and look
  minillm next     [RUN] "The cat sat"  the likeliest next words, as bars
  minillm generate [RUN] "Once upon"    continue a text
  minillm chat     [RUN]                talk with it
  minillm eval     [RUN]                measure the run's models again
  minillm report   [RUN [OTHER]]        write its page, or two runs side by side

learn
  minillm lesson [NN] list the lessons, run one, or check exercises (--check)
  minillm site        the lessons as web pages, with the source beside the text
  minillm trace       one training step as a table, one row per tensor
  minillm scale       what training GPT-3, GPT-4 and Llama 2 70B took

RUN is a run's folder or its name under runs/; without it, the newest that fits.
Flags of a verb: minillm VERB --help. Version: minillm --version.
--data FILE gives a stage your own data in place of the embedded world."""

RUN_HELP = "Run all stages on the embedded world, and write the report."
USING = {
    "next": "Draw the likeliest next words of a text as bars.",
    "generate": "Continue a text.",
    "chat": "Talk with a model, line by line; /help lists what else a line can do.",
    "eval": "Measure the models of a run again.",
    "report": "Write the run's report.html again; with OTHER, a page with both side by side.",
}
LEARNING = {
    "lesson": "List the lessons, or run one of them.",
    "site": "Write the lessons as static pages, with the source beside the text.",
    "trace": "One training step of a fresh model as a table: every tensor, forward and backward.",
    "scale": "Parameters, FLOPs, time and cost of published models, computed from their shapes.",
}


def training_verbs():
    """The verbs that train: run, and the stages."""
    from minillm.runs.stages import BY_NAME

    return ("run", *BY_NAME)


def overview():
    """What `minillm --help` prints."""
    from minillm.runs.stages import STAGES

    lines = []
    for stage in STAGES:
        verb = f"minillm {stage.name} [RUN]"
        about = stage.label + ("; --data" if stage.data else "")
        lines += textwrap.wrap(f"  {verb:<25}{about}", 80, subsequent_indent=" " * 27)
    return OVERVIEW.format(stages="\n".join(lines))


def training_parser(verb):
    """The parser of a verb that trains."""
    from minillm.runs.config import PRESETS
    from minillm.runs.stages import BY_NAME, own_sections
    from minillm.terminal.flags import Parser, add_dials, add_dials_everywhere

    stage = BY_NAME.get(verb)
    parser = Parser(prog=f"minillm {verb}", allow_abbrev=False, usage="%(prog)s [RUN] [FLAGS]",
                    description=stage.help if stage else RUN_HELP)
    parser.add_argument("run", nargs="?", metavar="RUN",
                        help="the run to work in (default: a new run, or the newest)")
    parser.add_argument("--name", help="name of a new run; with RUN, it starts from copies of "
                                       "RUN's stages")
    parser.add_argument("--root", default="runs", metavar="DIR",
                        help="the folder of all runs (default runs)")
    parser.add_argument("--preset", choices=tuple(PRESETS),
                        help="a model family and its settings (default llama)")
    parser.add_argument("--config", metavar="FILE.toml",
                        help="file of settings; flags override it")
    parser.add_argument("--seed", metavar="N",
                        help="seed of every random choice (default 0)")
    parser.add_argument("--data", metavar="PATH", help=help_of_data(stage))
    parser.add_argument("--resume", action="store_true", help="resume a stage where it stopped")
    parser.add_argument("--quiet", action="store_true", help="print no progress")
    if verb == "rank":
        who = parser.add_mutually_exclusive_group()
        who.add_argument("--simulated", action="store_true",
                         help="simulated raters rank (default)")
        who.add_argument("--human", action="store_true", help="you rank, at the terminal")
    if stage is None:
        add_dials_everywhere(parser)
    add_dials(parser, own_sections(stage) if stage else (), dotted_help=stage is None)
    return parser


def help_of_data(stage):
    """The help line of --data."""
    if stage is None:
        return "(not here: the verbs of single stages take data)"
    if stage.name == "rank":
        return 'with --human: prompts, JSONL of {"prompt"} or conversations'
    return stage.data.help if stage.data else "(this stage takes no data)"


def using_parser(verb):
    """The parser of a verb that uses a model or looks at a run."""
    from minillm.runs.stages import SPEAKERS
    from minillm.terminal.flags import Parser, add_sampling

    parser = Parser(prog=f"minillm {verb}", description=USING[verb], allow_abbrev=False)
    if verb in ("next", "generate"):
        parser.add_argument("words", nargs="*", metavar="[RUN] TEXT",
                            help="a text; before it, if you like, a run")
    else:
        parser.add_argument("run", nargs="?", metavar="RUN",
                            help="folder of a run, stage or step (default: the newest run)")
    if verb == "report":
        parser.add_argument("other", nargs="?", metavar="OTHER",
                            help="another run, to be laid beside RUN in RUN/report-OTHER.html")
    parser.add_argument("--root", default="runs", metavar="DIR",
                        help="the folder of all runs (default runs)")
    if verb in ("next", "generate", "chat"):
        default = "the most trained one" if verb == "chat" else "pretrain, the base model"
        parser.add_argument("--stage", choices=SPEAKERS,
                            help=f"which model of the run (default {default})")
    if verb in ("next", "generate"):
        parser.add_argument("--count", type=int, default=10 if verb == "next" else 1, metavar="N",
                            help="number of words or texts (default %(default)s)")
    if verb in ("generate", "chat"):
        add_sampling(parser, 0.8 if verb == "generate" else 0.0)
    if verb in ("next", "generate", "chat"):
        parser.add_argument("--int8", action="store_true",
                            help="round the weights to int8: tokens come sooner from a model that "
                                 "does not fit the processor's cache")
    if verb == "chat":
        parser.add_argument("--system", metavar="TEXT", help="a system prompt")
    if verb == "eval":
        parser.add_argument("--quiet", action="store_true", help="print no progress")
    return parser


def learning_parser(verb):
    """The parser of a verb for learning."""
    from minillm.config import MODELS
    from minillm.terminal.flags import Parser, number

    parser = Parser(prog=f"minillm {verb}", description=LEARNING[verb], allow_abbrev=False)
    if verb == "lesson":
        parser.add_argument("number", nargs="?", metavar="NN",
                            help="the lesson to run (default: list them)")
        parser.add_argument("--full", action="store_true",
                            help="the long version, whose results the table of claims shows")
        parser.add_argument("--text", action="store_true",
                            help="only print the path of the lesson's text")
        parser.add_argument("--guess", type=int, metavar="N",
                            help="keep your guess, to be compared with the answer after a run")
        parser.add_argument("--check", action="store_true",
                            help="check the functions that you wrote for the lesson's exercises")
    if verb == "site":
        parser.add_argument("--out", default="build/site", metavar="DIR",
                            help="folder to write to (default build/site)")
    if verb == "trace":
        parser.add_argument("--preset", choices=tuple(MODELS), default="micro",
                            help="the model family (default micro)")
        parser.add_argument("--rows", type=int, default=2, metavar="N",
                            help="sequences in the batch (default 2)")
        parser.add_argument("--plain", action="store_true", help="use the kernels' NumPy twins")
    if verb == "scale":
        parser.add_argument("--gpu-flops", type=number, default=312e12, metavar="X",
                            help="peak of one GPU, FLOP/s (default 312e12, A100 in bfloat16)")
        parser.add_argument("--utilization", type=number, default=0.4, metavar="X",
                            help="share of the peak that is used (default 0.4)")
        parser.add_argument("--dollars-per-gpu-hour", type=number, default=1.5, metavar="X",
                            help="price (default 1.5)")
    return parser


def dispatch(argv):
    """Find the verb, read its flags, run it.  Raises:  ValueError for a mistake of the user."""
    verb, rest = argv[0], argv[1:]
    if verb in LEARNING:
        args = parsed(learning_parser(verb), verb, rest)
        from minillm.terminal import learning
        return getattr(learning, verb)(args)
    if verb in USING:
        args = parsed(using_parser(verb), verb, rest)
        from minillm.terminal import chatting, measuring, talking
        return {"next": talking.next_verb, "generate": talking.generate, "chat": chatting.chat,
                "eval": measuring.evaluate, "report": measuring.report}[verb](args)
    if verb == "import":
        from minillm.terminal import importing
        return importing.import_verb(parsed(importing.parser(), verb, rest))
    if verb in training_verbs():
        args = parsed(training_parser(verb), verb, rest)
        from minillm.terminal import rank, training
        return {"run": training.run_everything, "rank": rank.rank}.get(verb, training.train)(args)
    if verb.startswith("-"):
        raise ValueError(f"the verb comes first, then its flags ({verb}); see: minillm --help")
    verbs = [*training_verbs(), "import", *USING, *LEARNING]
    near = difflib.get_close_matches(verb, verbs, n=1)
    raise ValueError(f"unknown verb {verb!r}; "
                     + (f"did you mean {near[0]}?" if near else "verbs: " + ", ".join(verbs)))


def parsed(parser, verb, words):
    """The flags of a verb.  Raises:  ValueError for a mistake of the user."""
    from minillm.terminal.flags import parse

    args = parse(parser, words)
    args.verb = verb
    return args


def tell(message):
    """One line on stderr, if that can be written to."""
    with suppress(OSError):
        print("minillm: " + " ".join(str(message).split()), file=sys.stderr)


def spoken(error):
    """The message of an error in the user's files or settings."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)


def ready_streams():
    """Make the streams accept any character; open those that the caller has closed."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))
    for stream in (sys.stdin, sys.stdout):
        if hasattr(stream, "reconfigure"):
            # A pipe may contain any bytes, and a terminal's encoding may lack some characters.
            stream.reconfigure(errors="replace")


def main(argv=None):
    """The command.  Returns the exit status: 0; 1 training, or the check of an exercise, failed;
    2 bad input; 130 interrupted."""
    argv = sys.argv[1:] if argv is None else list(argv)
    ready_streams()
    if "--plain" in argv:
        os.environ["MINILLM_KERNELS"] = "plain"         # before any kernel is imported
    before, status = handled_by(quit_now), 0
    try:
        if not argv or argv[0] in ("-h", "--help", "help"):
            print(overview())
        elif argv[0] in ("--version", "-V"):
            print(f"minillm {__version__}")
        else:
            status = dispatch(argv) or 0
        sys.stdout.flush()
        return status
    except Exception as error:
        return status_after(error)
    except KeyboardInterrupt as error:
        return status_after(error)
    finally:
        restore(before)


def status_after(error):
    """Say what went wrong, in one line.  Returns the exit status; re-raises a bug of this program.
    """
    if was_interrupted(error):              # numba passes a Ctrl-C on inside other errors
        tell(error if isinstance(error, KeyboardInterrupt) and str(error) else "interrupted")
        return 130
    if isinstance(error, BrokenPipeError):  # `minillm next ... | head -1`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    if isinstance(error, (ValueError, OSError, MemoryError)):
        tell(spoken(error) or "out of memory; use a smaller model or fewer rows")
        return 2
    if isinstance(error, FloatingPointError):
        tell(error)
        return 1
    if isinstance(error, ModuleNotFoundError):
        tell(f"the package {error.name} is missing; pip install {error.name}")
        return 1
    raise error
