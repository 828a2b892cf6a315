"""Flags from the dataclasses of dials: `--section.key`; also `--key` for a verb's own sections."""

import argparse
import difflib
import json
import math
import sys
from dataclasses import fields

from minillm.config import idle, refuse_idle, updated
from minillm.runs.config import DEFAULT, PRESETS, SECTIONS
from minillm.text.files import read_text

EVERYWHERE = ("precision",)     # keys that `minillm run` sets in all sections that have them
MAX_NEW_TOKENS = 64     # default of the verbs that generate
METAVARS = {int: "N", float: "X", str: "WORD", bool: "true|false"}


class Formatter(argparse.HelpFormatter):
    """argparse's help, a flag's value behind the last of its names, as in Python 3.13."""

    def _format_action_invocation(self, action):
        if not action.option_strings or action.nargs == 0:
            return super()._format_action_invocation(action)
        value = self._format_args(action, self._get_default_metavar_for_optional(action))
        return f"{', '.join(action.option_strings)} {value}"


class Parser(argparse.ArgumentParser):
    """argparse that raises ValueError, so that all mistakes of users are handled in one place."""

    def __init__(self, **settings):
        super().__init__(formatter_class=Formatter, **settings)

    def error(self, message):
        raise ValueError(f"{message}; see: {self.prog} --help")


def add_dials(parser, own, dotted_help=False):
    """Add a flag for every key of the configuration.

    The keys of the sections in `own` are also bare flags; an equal key in two sections belongs to
    the first. Other sections have only dotted flags, which the help shows if dotted_help is true.
    """
    taken = set(parser._option_string_actions)
    for name in [*own, *(other for other in SECTIONS if other not in own)]:
        section = getattr(PRESETS[DEFAULT], name)
        purpose = type(section).__doc__.splitlines()[0].rstrip(".")     # argparse adds a colon
        group = parser.add_argument_group(f"{name}: {purpose}")
        for item in fields(section):
            key = item.name.replace("_", "-")
            names = [f"--{name}.{key}"]
            if name in own and f"--{key}" not in taken:
                names.insert(0, f"--{key}")
                taken.add(f"--{key}")
            shown = name in own or dotted_help
            value = getattr(section, item.name)
            choices = item.metadata.get("choices")
            group.add_argument(*names, dest=f"{name}.{item.name}", default=argparse.SUPPRESS,
                               metavar="|".join(choices) if choices else METAVARS[type(value)],
                               help=help_line(item, value) if shown else argparse.SUPPRESS)


def add_dials_everywhere(parser):
    """Add the flags of `minillm run` that set a key in every section that has it."""
    for key in EVERYWHERE:
        item = next(item for kind in SECTIONS.values() for item in fields(kind) if item.name == key)
        parser.add_argument(f"--{key}", default=argparse.SUPPRESS,
                            metavar="|".join(item.metadata["choices"]),
                            help="of all stages: "
                                 + help_line(item, getattr(PRESETS[DEFAULT].pretrain, key)))


def help_line(item, value):
    """The knob's help with its default; % is doubled because argparse formats the text."""
    word = str(value).lower() if isinstance(value, bool) else value
    return f"{item.metadata['help']} (default {word})".replace("%", "%%")


def plain_flags(argv):
    """--micro_batches=4 -> --micro-batches=4; values, and all words after --, are not changed."""
    out = []
    for place, word in enumerate(argv):
        if word == "--":
            return out + argv[place:]
        if word.startswith("--"):
            flag, equals, value = word.partition("=")
            word = flag.replace("_", "-") + equals + value
        out.append(word)
    return out


def parse(parser, argv):
    """Parse a verb's arguments.

    Raises:  ValueError for an unknown flag, with the nearest known one.
    """
    args, extra = parser.parse_known_args(plain_flags(list(argv)))
    unknown = [word for word in extra if word.startswith("-") and word != "--"]
    if unknown:
        flag = unknown[0].partition("=")[0]
        known = list(parser._option_string_actions)
        raise ValueError(f"unknown flag {flag}; {nearest_flag(flag, known, parser.prog)}")
    if extra:
        raise ValueError(f"{extra[0]!r} is one word too many; see: {parser.prog} --help")
    return args


def nearest_flag(flag, known, prog):
    """Half a sentence that suggests a flag: first one with the same key, then a similar one."""
    same_key = [name for name in known if name.rpartition(".")[2] == flag.lstrip("-")]
    if same_key:
        same_key.sort(key=lambda name: "pretrain." not in name)
        return f"did you mean {same_key[0]}?"
    near = difflib.get_close_matches(flag, known, n=1, cutoff=0.6)
    return f"did you mean {near[0]}?" if near else f"see: {prog} --help"


def changes_of(args):
    """The configuration flags that were given, as a nested dict of text."""
    changes = {}
    for name, value in vars(args).items():
        section, dot, key = name.partition(".")
        if dot:
            changes.setdefault(section, {})[key] = value
    for name, kind in SECTIONS.items():
        for key in EVERYWHERE:
            if hasattr(args, key) and key in kind.__dataclass_fields__:
                changes.setdefault(name, {}).setdefault(key, getattr(args, key))
    if getattr(args, "seed", None) is not None:
        changes["seed"] = args.seed
    return changes


def read_toml(path):
    """A configuration file as nested plain values.  Raises:  ValueError that names the file."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    text = read_text(path, may_be_empty=True)
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: is not a TOML file ({error})") from None


def resolve(args, base=None):
    """The configuration: preset (or `base`, that of a run), changed by --config, then by flags.

    Raises:  ValueError for an unknown key, a value that is out of range, or a dial that does
             nothing.
    """
    if base is None:
        base = PRESETS[args.preset or DEFAULT]
    elif args.preset is not None:
        raise ValueError("--preset is for a new run, and this run has begun; leave it out")
    content, changes = {}, changes_of(args)
    if args.config is not None:
        content = read_toml(args.config)
        try:
            base = updated(base, content)
        except ValueError as error:
            raise ValueError(f"{args.config}: {error}") from None
    config = updated(base, changes)
    refuse_idle(config, content, f"{args.config}: ")
    refuse_idle(config, changes)
    return config


def as_toml(config, names=None):
    """The configuration as TOML, one line per section; the text can be used as a --config file.

    Dials that do nothing are left out.
    """
    lines = [f"seed = {config.seed}"]
    for name in SECTIONS if names is None else names:
        section = getattr(config, name)
        pairs = [f"{item.name} = {toml_value(getattr(section, item.name))}"
                 for item in fields(section) if idle(section, item.name) is None]
        lines.append(f"{name} = {{{', '.join(pairs)}}}")
    return "\n".join(lines)


def toml_value(value):
    """One value as TOML writes it."""
    if isinstance(value, (bool, str)):
        return json.dumps(value)
    return repr(value)


def add_sampling(parser, temperature):
    """The flags of sampling."""
    parser.add_argument("--temperature", type=number, default=temperature, metavar="X",
                        help="0 takes the likeliest token each time (default %(default)s)")
    parser.add_argument("--top-k", type=int, default=0, metavar="N",
                        help="sample from the N likeliest tokens; 0: from all")
    parser.add_argument("--top-p", type=number, default=1.0, metavar="X",
                        help="sample from the fewest tokens with total probability X")
    parser.add_argument("--max-new-tokens", type=int, default=MAX_NEW_TOKENS, metavar="N",
                        help="most tokens to generate (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0, metavar="N",
                        help="seed of the sampling (default 0)")


def number(text):
    """A finite number from the command line, for argparse."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError
    return value
