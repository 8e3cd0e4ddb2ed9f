"""Reads Python values from text without executing it: literals and ``dict(key=value)``."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any


def evaluate(node: ast.expr, words: Mapping[str, Any] | None = None) -> Any:
    """Return the value of an expression of literals and ``dict(...)`` calls.

    Args:
        node: a parsed expression.
        words: values of bare names; None refuses names, a name it lacks stands for itself.

    Raises:
        ValueError: the expression is anything else.
    """
    if isinstance(node, ast.Name) and words is not None:
        return words.get(node.id.lower(), node.id)
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        kind = {ast.List: list, ast.Tuple: tuple, ast.Set: set}[type(node)]
        return kind(evaluate(element, words) for element in node.elts)
    if isinstance(node, ast.Dict) and None not in node.keys:
        keys = [evaluate(key, words) for key in node.keys if key is not None]
        return dict(zip(keys, (evaluate(value, words) for value in node.values), strict=True))
    if isinstance(node, ast.Call):
        return _dict_call(node, words)
    return ast.literal_eval(node)


def _dict_call(node: ast.Call, words: Mapping[str, Any] | None) -> dict[str, Any]:
    if not _is_dict(node):
        raise ValueError("only dict(key=value, ...) and dict({key: value, ...}) can be called")
    given = evaluate(node.args[0], words) if node.args else {}
    return {**given, **{str(keyword.arg): evaluate(keyword.value, words) for keyword in node.keywords}}


def _is_dict(node: ast.expr) -> bool:
    """Return whether a call is ``dict(key=value)``, or ``dict({key: value})`` as MMEngine writes odd keys."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.func.id != "dict":
        return False
    displays = len(node.args) <= 1 and all(isinstance(given, ast.Dict) for given in node.args)
    return displays and all(keyword.arg is not None for keyword in node.keywords)


def assignments(text: str, as_text: bool = False) -> dict[str, Any]:
    """Return the values of a module of ``name = value`` lines, such as a checkpoint's config.

    Args:
        text: of the module.
        as_text: what is no literal stands as its text (``inf``, ``torch.float32``), to be compared only.

    Raises:
        ValueError: a statement is something else; nothing of ``text`` is ever executed.
    """
    try:
        return _values(ast.parse(text).body, _tolerant if as_text else evaluate)
    except SyntaxError as error:
        raise ValueError(f"not Python: {error}") from error
    except (TypeError, RecursionError, MemoryError) as error:  # keys that are none, nesting of any depth
        raise ValueError(f"not settings: {error or 'nested too deeply'}") from error


def _values(statements: list[ast.stmt], read: Callable[[ast.expr], Any]) -> dict[str, Any]:
    values = {}
    for statement in statements:
        target = statement.targets[0] if isinstance(statement, ast.Assign) else None
        if not isinstance(statement, ast.Assign) or not isinstance(target, ast.Name):
            raise ValueError(f"line {statement.lineno}: only NAME = VALUE can be read")
        values[target.id] = read(statement.value)
    return values


def _tolerant(node: ast.expr) -> Any:
    """Return the value of an expression with the text of what is no literal in its place."""
    if isinstance(node, ast.List | ast.Tuple):
        return [_tolerant(element) for element in node.elts]
    if isinstance(node, ast.Dict) and None not in node.keys:
        keys = [_tolerant(key) for key in node.keys if key is not None]
        return dict(zip(keys, map(_tolerant, node.values), strict=True))
    if isinstance(node, ast.Call) and _is_dict(node):
        given = _tolerant(node.args[0]) if node.args else {}
        return {**given, **{str(keyword.arg): _tolerant(keyword.value) for keyword in node.keywords}}
    try:
        return evaluate(node)
    except ValueError:
        return ast.unparse(node)
