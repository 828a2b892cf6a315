"""Small deliberate mistakes, made from the source's syntax tree."""

import ast
import itertools
from typing import NamedTuple

SYMBOLS = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
           ast.Is: "is", ast.IsNot: "is not", ast.In: "in", ast.NotIn: "not in", ast.Add: "+",
           ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%",
           ast.And: "and", ast.Or: "or", ast.BitAnd: "&", ast.BitOr: "|"}


def both_ways(*pairs):
    return {old: new for a, b in pairs for old, new in ((a, b), (b, a))}


# By the operator's name: what stands in the source, and what it becomes.
SWAPS = {"comparison": both_ways(("<", "<="), (">", ">="), ("==", "!="), ("is", "is not"),
                                 ("in", "not in")),
         "plus-minus": both_ways(("+", "-")),
         "times-divide": both_ways(("*", "/"), ("//", "%")),
         "and-or": both_ways(("and", "or"), ("&", "|"))}
FUNCTIONS = both_ways(("min", "max"), ("minimum", "maximum"), ("argmin", "argmax"),
                      ("zeros", "ones"), ("zeros_like", "ones_like"), ("repeat", "tile"))
AXES = {"0": "1", "1": "0", "2": "1", "-1": "0"}
UNTOUCHED = {"annotation", "returns", "decorator_list", "msg"}      # fields of syntax nodes


class Change(NamedTuple):
    """One edit of a source: the bytes from start to end become text."""
    operator: str
    where: str      # the function it is in
    start: int
    end: int
    text: str


def walk(node, where=""):
    """Every syntax node that may be changed, with the function it is in.

    Annotations, what is raised, f-strings, messages of assertions, and the fields of records with
    their defaults are left out.
    """
    if isinstance(node, (ast.Raise, ast.JoinedStr)):
        return
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        where = f"{where}.{node.name}".lstrip(".")
    yield node, where
    for field, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            is_field = isinstance(node, ast.ClassDef) and isinstance(child, ast.AnnAssign)
            if isinstance(child, ast.AST) and field not in UNTOUCHED and not is_field:
                yield from walk(child, where)


def changes(source):
    """Every Change that the operators know for this source, in the order of the walk."""
    text = Text(source)
    tree = ast.parse(source)
    apart = numbers_of_other_operators(tree)
    for node, where in walk(tree):
        for operator in (swapped, moved, left_out):
            for name, start, end, new in operator(node, text):
                if not (name == "constant" and id(node) in apart):
                    yield Change(name, where, start, end, new)


class Text:
    """Where a syntax node stands in its source, in bytes."""

    def __init__(self, source):
        self.raw = source.encode()
        lengths = map(len, self.raw.splitlines(keepends=True))
        self.lines = [0, *itertools.accumulate(lengths)]

    def begin(self, node):
        return self.lines[node.lineno - 1] + node.col_offset

    def end(self, node):
        return self.lines[node.end_lineno - 1] + node.end_col_offset

    def span(self, node):
        return self.begin(node), self.end(node)

    def of(self, node):
        return self.raw[self.begin(node):self.end(node)].decode()


def swapped(node, text):
    """Something in another's place: operators between two nodes, min and max, zeros and ones."""
    match node:
        case ast.Compare(left=left, ops=ops, comparators=others):
            triples = zip([left, *others], ops, others)
        case ast.BinOp(left=left, op=op, right=right) if not (is_text(left) or is_text(right)):
            triples = [(left, op, right)]
        case ast.AugAssign(target=left, op=op, value=right):
            triples = [(left, op, right)]
        case ast.BoolOp(op=op, values=values):
            triples = [(left, op, right) for left, right in itertools.pairwise(values)]
        case _:
            triples = []
    for left, op, right in triples:
        old = SYMBOLS.get(type(op))
        start, end = text.end(left), text.begin(right)      # parentheses and line breaks stay
        for name, table in SWAPS.items():
            if old in table:
                yield name, start, end, text.raw[start:end].decode().replace(old, table[old], 1)
    if isinstance(node, ast.Call):
        function = ast.unparse(node.func).rpartition(".")[2]
        if function in FUNCTIONS:
            end = text.end(node.func)
            yield "function", end - len(function), end, FUNCTIONS[function]


def moved(node, text):
    """Another value: constants, bounds, axes, conditions, what a function returns."""
    match node:
        case ast.Constant(value=value) if type(value) in (int, float):
            yield "constant", *text.span(node), repr(value + 1)
        case ast.Subscript(slice=index):
            for item in index.elts if isinstance(index, ast.Tuple) else [index]:
                if is_number(item):
                    yield "bound", *text.span(item), str(ast.literal_eval(item) + 1)
                for bound in (item.lower, item.upper) if isinstance(item, ast.Slice) else ():
                    if bound is not None:
                        more = (ast.literal_eval(bound) + 1 if is_number(bound)
                                else ast.unparse(ast.BinOp(bound, ast.Add(), ast.Constant(1))))
                        yield "bound", *text.span(bound), str(more)
        case ast.keyword(arg="axis", value=value) if ast.unparse(value) in AXES:
            yield "axis", *text.span(value), AXES[ast.unparse(value)]
        case ast.If(test=test) | ast.IfExp(test=test):
            yield "condition", *text.span(test), "True"
            yield "condition", *text.span(test), "False"
        case ast.comprehension(ifs=[test, *_]):
            yield "condition", *text.span(test), "True"
        case ast.Return(value=ast.Constant() | ast.Dict() | ast.List(elts=[]) | None):
            pass
        case ast.Return(value=ast.Tuple(elts=[first, *_])):
            yield "return", *text.span(first), f"0 * ({text.of(first)})"
        case ast.Return(value=ast.Call(func=ast.Name(id=name), args=[first, *_])) if is_class(name):
            yield "return", *text.span(first), f"0 * ({text.of(first)})"
        case ast.Return(value=value):
            yield "return", *text.span(value), f"0 * ({text.of(value)})"


def left_out(node, text):
    """Something missing: `not`, a sign, a default, a keyword argument, a call."""
    match node:
        case ast.UnaryOp(op=ast.Not()):
            yield "not dropped", text.begin(node), text.begin(node) + len("not "), ""
        case ast.UnaryOp(op=ast.USub()) if not is_number(node):
            yield "plus-minus", text.begin(node), text.begin(node) + len("-"), ""
        case ast.arguments(args=args, defaults=defaults):
            # Of the positional ones the first alone: after a default there must be defaults.
            optional = [*list(zip(args[len(args) - len(defaults):], defaults))[:1],
                        *zip(node.kwonlyargs, node.kw_defaults)]
            for argument, default in optional:
                if default is not None:
                    yield "default dropped", text.end(argument), text.end(default), ""
        case ast.Expr(value=ast.Call()):
            yield "call deleted", *text.span(node), "pass"
        case ast.Call(args=args, keywords=keywords):
            arguments = sorted([*args, *keywords], key=text.begin)
            for at, argument in enumerate(arguments):
                if not isinstance(argument, ast.keyword) or argument.arg is None:
                    continue
                if at > 0:                                  # with the comma before it, or after it
                    yield "keyword dropped", text.end(arguments[at - 1]), text.end(argument), ""
                else:
                    end = text.begin(arguments[1]) if arguments[1:] else text.end(argument)
                    yield "keyword dropped", text.begin(argument), end, ""


def numbers_of_other_operators(tree):
    """Constants in bounds and axes, which have operators of their own, and behind a minus.

    reshape takes -2 for -1.
    """
    found = set()
    for node in ast.walk(tree):
        match node:
            case ast.Subscript(slice=part) | ast.keyword(arg="axis", value=part):
                found |= {id(number) for number in ast.walk(part)}
            case ast.UnaryOp(operand=ast.Constant() as number):
                found.add(id(number))
    return found


def is_text(node):
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant)
                                               and isinstance(node.value, str))


def is_class(name):
    return name[0].isupper()


def is_number(node):
    node = node.operand if isinstance(node, ast.UnaryOp) else node
    return isinstance(node, ast.Constant) and type(node.value) is int
