"""Check that a text contains one right Python function, without executing its code."""

import ast
import re

LONGEST = 300  # characters; a longer text is not parsed
NUMBERS = (-3, 2, 5, 11, 4)  # test inputs: whole numbers of both signs


def same_function(source, text):
    """Whether the only function in a text computes what the lambda in `source` computes.

    Each must be a lambda, or a def that returns one expression. The expression may use parameters,
    whole numbers, +, -, *, % and ==. A small interpreter evaluates both on a few inputs and
    compares.
    """
    truth, tried = _parse(source), _parse(_extract(text))
    if truth is None or tried is None or len(truth[0]) != len(tried[0]):
        return False
    return all(_value(truth, inputs) == _value(tried, inputs) for inputs in _inputs(len(truth[0])))


def _extract(text):
    """The source of the only function in a text, or "" if there is not exactly one.

    This is the def with its indented lines, or the lambda to the end of its line.
    """
    if len(text) > LONGEST or len(re.findall(r"\b(?:def|lambda)\b", text)) != 1:
        return ""
    found = re.search(r"^def .*(?:\n[ \t]+.*)*", text, re.MULTILINE)
    if found:
        return found.group()
    found = re.search(r"\blambda\b[^\n]*", text)
    return found.group() if found else ""


def _parse(source):
    """(parameter names, expression) of a function's source, or None if it is not one expression."""
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
    """Five tuples of `count` numbers from NUMBERS, one starting at each number."""
    return [tuple(NUMBERS[(start + i) % len(NUMBERS)] for i in range(count))
            for start in range(len(NUMBERS))]


def _value(function, inputs):
    """The value of a parsed function for these arguments, or None if it has none."""
    names, expression = function
    return _evaluate(expression, dict(zip(names, inputs)))


def _evaluate(node, variables):
    """The value of an expression of the kind that same_function reads; None for any other."""
    if isinstance(node, ast.Name):
        return variables.get(node.id)
    if isinstance(node, ast.Constant):
        return node.value if type(node.value) is int else None
    if isinstance(node, ast.Compare):
        sides = [_evaluate(side, variables) for side in (node.left, *node.comparators)]
        compared = len(sides) == 2 and isinstance(node.ops[0], ast.Eq) and None not in sides
        return sides[0] == sides[1] if compared else None
    if not isinstance(node, ast.BinOp):
        return None
    left, right = _evaluate(node.left, variables), _evaluate(node.right, variables)
    if left is None or right is None:
        return None
    if isinstance(node.op, ast.Add):
        return left + right
    if isinstance(node.op, ast.Sub):
        return left - right
    if isinstance(node.op, ast.Mod):
        return left % right if right != 0 else None
    return left * right if isinstance(node.op, ast.Mult) else None
