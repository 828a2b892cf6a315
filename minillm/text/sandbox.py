"""A chat template in Jinja, run so that a file from anywhere can do no harm.

jinja2's sandbox keeps a template away from Python. This adds what the sandbox does not bound: time
and memory. A template may use the parts of Jinja in the tables below; a clock is looked at in every
round of a loop, and no text grows beyond a limit. All else is refused by name, but only when it is
reached: most templates have a branch for tools, which minillm never takes.
"""

from datetime import datetime
from functools import lru_cache
from time import thread_time

from minillm.config import require

MOST_SOURCE = 1 << 16       # characters of a template
MOST_TEXT = 1 << 22         # characters of a conversation as text, or of any part of it
MOST_SECONDS = 1.0          # of this thread's computing
NODES = {"Template", "Output", "TemplateData", "For", "If", "Assign", "ExprStmt", "Break",
         "Continue", "Name", "NSRef", "Const", "Tuple", "List", "Dict", "Pair", "Keyword",
         "CondExpr", "Filter", "Test", "Call", "Getitem", "Getattr", "Slice", "Concat", "Compare",
         "Operand", "And", "Or", "Not", "Add", "Sub", "Mul", "Mod", "FloorDiv", "Neg"}
FILTERS = {"trim", "length", "count", "upper", "lower", "title", "capitalize", "default", "d",
           "string", "int", "first", "last", "list", "join", "tojson", "safe", "items", "select",
         "reject", "selectattr", "rejectattr", "map"}
METHODS = {str: {"strip", "lstrip", "rstrip", "split", "startswith", "endswith", "lower", "upper",
                 "title", "capitalize"},
           dict: {"get", "items", "keys", "values"}}
PLAIN = (str, int, float, type(None))


class Refused(ValueError):
    """What the template says of a conversation that it does not render."""


def render(source, messages, ask, names):
    """The text of a conversation.

    source: Jinja; messages: of {"role", "content"}; names: {"bos_token": spelling, ...}

    Raises:  ValueError of one line for a template that cannot be run, or does not take this
             conversation
    """
    import jinja2

    template, clock = _compiled(source)
    clock.stop = thread_time() + MOST_SECONDS
    parts, size = [], 0
    try:
        for part in template.generate(messages=[dict(message) for message in messages],
                                      add_generation_prompt=ask, tools=None, documents=None,
                                      **names):
            size += len(part)
            require(size <= MOST_TEXT, f"it writes more than {MOST_TEXT:,} characters")
            parts.append(part)
    except Refused:
        raise
    except (jinja2.TemplateError, ArithmeticError, LookupError, TypeError, ValueError,
            AttributeError, RecursionError) as error:
        raise ValueError(f"the chat template cannot be run: {_line(error)}") from None
    return "".join(parts)


@lru_cache(8)
def _compiled(source):
    """The template of this source, and its clock."""
    import jinja2

    require(len(source) <= MOST_SOURCE, f"the chat template has {len(source):,} characters; "
                                        f"minillm runs up to {MOST_SOURCE:,}")
    try:
        return _bounded(source)
    except (jinja2.TemplateError, ValueError, RecursionError, MemoryError, SyntaxError) as error:
        raise ValueError(f"the chat template cannot be run: {_line(error)}") from None


def _line(error):
    text = " ".join(str(error).split())
    return text[:200] or type(error).__name__


class Clock:
    """When a rendering has taken too long."""
    stop = 0.0

    def look(self):
        """Raises:  ValueError if it has."""
        require(thread_time() < self.stop, f"it takes longer than {MOST_SECONDS:g} s")

    def timed(self, items):
        """The items of a loop; the clock is looked at before each."""
        for item in items:
            self.look()
            yield item


def refuse(message=""):
    """What templates call raise_exception."""
    raise Refused(f"the chat template refuses this conversation: {_line(message)}")


def now(format):
    """What templates call strftime_now."""
    require(isinstance(format, str) and len(format) <= 100, "strftime_now takes a short format")
    return datetime.now().strftime(format)


def plain(value):
    """A value to be written: a text or a number, because what holds others can be any size."""
    from jinja2 import Undefined

    require(isinstance(value, (*PLAIN, Undefined)), f"it writes a {type(value).__name__} as text")
    return value


def joined(items, between=""):
    """The filter `join`, of texts alone."""
    items = list(items)
    require(all(isinstance(item, PLAIN) for item in items), "it joins what is no text")
    texts = [str(item) for item in items]
    require(sum(map(len, texts)) + len(texts) * len(str(between)) <= MOST_TEXT, "it joins too much")
    return str(between).join(texts)


def in_json(value, **_):
    """The filter `tojson`, of a text or a number."""
    import json

    require(isinstance(value, PLAIN), "it writes more than a text or a number as JSON")
    return json.dumps(value, ensure_ascii=False)


def _bounded(source):
    """Compile a template: of the allowed parts, with what is bounded in place of what is not."""
    from jinja2 import nodes
    from jinja2.visitor import NodeTransformer

    def filtered(node, name, *args):
        args = [nodes.Const(arg) for arg in args]
        return nodes.Filter(node, name, args, [], None, None, lineno=node.lineno)

    class Bound(NodeTransformer):
        """Refuses nodes, times loops, and turns ~ into +, whose size is checked."""

        def generic_visit(self, node, *args, **kwargs):
            name = type(node).__name__
            require(name in NODES, f"it uses {name}, which minillm does not run")
            node = super().generic_visit(node, *args, **kwargs)
            if name == "Filter" and node.name not in FILTERS:
                return filtered(node.node, "refused", f"the filter {node.name!r}")
            if name in ("List", "Dict", "Tuple") and getattr(node, "ctx", "load") == "load":
                inner = [one for item in node.items
                         for one in ((item.key, item.value) if name == "Dict" else (item,))]
                if not all(isinstance(one, nodes.Const) for one in inner):      # may hold itself
                    none = nodes.Const(None, lineno=node.lineno)
                    return filtered(none, "refused", f"a {name.lower()} of what is computed")
            return node

        def visit_For(self, node):
            require(not node.recursive, "it uses a recursive loop")
            node = self.generic_visit(node)
            node.iter = filtered(node.iter, "timed")
            return node

        def visit_Concat(self, node):
            whole, *rest = [filtered(one, "string") for one in self.generic_visit(node).nodes]
            for one in rest:
                whole = nodes.Add(whole, one, lineno=node.lineno)
            return whole

    clock = Clock()
    environment = _environment(clock)
    tree = Bound().visit(environment.parse(source))
    tree.set_environment(environment)
    return environment.from_string(tree), clock


def _environment(clock):
    """The sandbox, set up as transformers does, with our limits."""
    from jinja2 import Undefined
    from jinja2.ext import Extension
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Generation(Extension):
        """{% generation %} marks what the model says, for the library; here it does nothing."""
        tags = {"generation"}

        def parse(self, parser):
            next(parser.stream)
            return parser.parse_statements(["name:endgeneration"], drop_needle=True)

    class Environment(ImmutableSandboxedEnvironment):
        intercepted_binops = frozenset("+ - * % // **".split())

        def call_binop(self, context, operator, left, right):
            clock.look()
            if operator == "+" and isinstance(left, str) and isinstance(right, str):
                require(len(left) + len(right) <= MOST_TEXT, "it makes a text that is too long")
            else:
                require(all(isinstance(one, int) and abs(one) < 2**63 for one in (left, right)),
                        f"it computes {type(left).__name__} {operator} {type(right).__name__}")
            return super().call_binop(context, operator, left, right)

        def call(self, context, called, /, *args, **kwargs):
            clock.look()
            owner, name = getattr(called, "__self__", None), getattr(called, "__name__", "")
            if not any(called is one for one in self.globals.values()):
                allowed = next((METHODS[kind] for kind in METHODS if type(owner) is kind), ())
                require(name in allowed, f"it calls {name or type(called).__name__}()")
            return super().call(context, called, *args, **kwargs)

    environment = Environment(trim_blocks=True, lstrip_blocks=True, finalize=plain,
                              extensions=["jinja2.ext.loopcontrols", Generation])
    kept = {name: environment.globals[name] for name in ("namespace", "range")}
    environment.globals.clear()
    environment.globals.update(kept, raise_exception=refuse, strftime_now=now)

    def text_of(value):
        return str("" if isinstance(value, Undefined) else plain(value))

    def refused(_, what):
        raise ValueError(f"it uses {what}, which minillm does not run")
    allowed = {name: environment.filters[name] for name in FILTERS if name in environment.filters}
    environment.filters.clear()
    environment.filters.update(allowed, join=joined, tojson=in_json, string=text_of,
                               timed=clock.timed, refused=refused)
    return environment
