"""Check that a text holds one right Python function, without ever running it."""

import ast
import re

LONGEST = 300  # characters that are looked at
NUMBERS = (-3, 2, 5, 11, 4)


def same_function(source, text):
    """Whether the one function in a text computes what the lambda in `source` computes.

    Both must be a lambda, or a def that returns one expression of parameters, whole numbers, + - and *.
    They are compared on a few inputs by an interpreter of that small language.
    """
    truth, tried = _parse(source), _parse(_extract(text))
    if truth is None or tried is None or len(truth[0]) != len(tried[0]):
        return False
    return all(_value(truth, inputs) == _value(tried, inputs) for inputs in _inputs(len(truth[0])))


def _extract(text):
    """The source of the only function in a text: the def with its indented lines, or the lambda; else ""."""
    if len(text) > LONGEST or len(re.findall(r"\b(?:def|lambda)\b", text)) != 1:
        return ""
    found = re.search(r"^def .*(?:\n[ \t]+.*)*", text, re.MULTILINE)
    if found:
        return found.group()
    found = re.search(r"\blambda\b[^\n]*", text)
    return found.group() if found else ""


def _parse(source):
    """(parameter names, expression) of a function's source, or None where it is outside of the language."""
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError):
        return None
    if len(body) != 1:
        return None
    node = body[0]
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Lambda):
        return _names(node.value.args), node.value.body
    if isinstance(node, ast.FunctionDef):
        lines = [line for line in node.body if not _is_docstring(line)]
        if len(lines) == 1 and isinstance(lines[0], ast.Return):
            return _names(node.args), lines[0].value
    return None


def _names(arguments):
    return [argument.arg for argument in arguments.args]


def _is_docstring(node):
    constant = node.value if isinstance(node, ast.Expr) else None
    return isinstance(constant, ast.Constant) and isinstance(constant.value, str)


def _inputs(count):
    """A few tuples of `count` different numbers."""
    return [tuple(NUMBERS[(start + i) % len(NUMBERS)] for i in range(count)) for start in range(len(NUMBERS))]


def _value(function, inputs):
    names, expression = function
    return _evaluate(expression, dict(zip(names, inputs)))


def _evaluate(node, variables):
    """The value of an expression of + - * over variables and whole numbers; None for anything else."""
    if isinstance(node, ast.Name):
        return variables.get(node.id)
    if isinstance(node, ast.Constant):
        return node.value if type(node.value) is int else None
    if not isinstance(node, ast.BinOp):
        return None
    left, right = _evaluate(node.left, variables), _evaluate(node.right, variables)
    if left is None or right is None:
        return None
    if isinstance(node.op, ast.Add):
        return left + right
    if isinstance(node.op, ast.Sub):
        return left - right
    return left * right if isinstance(node.op, ast.Mult) else None
