"""The messages of the WebSocket and their fields, read from the code that sends them."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)
Fields = dict[str, list[str]]


def message_fields() -> dict[str, list[str]]:
    """Return the fields of each message by its type, from the dictionaries that have one."""
    trees = [
        ast.parse((ROOT / "src" / "backstop" / "api" / name).read_text(encoding="utf-8"))
        for name in ("deltas.py", "live.py", "feeds.py")
    ]
    functions = [each for tree in trees for each in ast.walk(tree) if isinstance(each, _FUNCTIONS)]
    returned = {each.name: _returned(each) for each in functions}
    found: dict[str, list[str]] = {}
    for function in functions:
        named = _named(function, returned)
        for node in (each for each in ast.walk(function) if isinstance(each, ast.Dict)):
            pairs = zip(node.keys, node.values, strict=True)
            kind = next(
                (value.value for key, value in pairs if _is_type(key) and isinstance(value, ast.Constant)), None
            )
            if isinstance(kind, str):
                found[kind] = [field for field in _fields(node, named, returned) if field != "type"]
    return found


def _is_type(key: ast.expr | None) -> bool:
    return isinstance(key, ast.Constant) and key.value == "type"


def _returned(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    """Return the keys of the dictionary that a function returns; none when it returns something else."""
    named = _named(function, {})
    dicts = [each.value for each in ast.walk(function) if isinstance(each, ast.Return)]
    return next((_fields(each, named, {}) for each in reversed(dicts) if isinstance(each, ast.Dict)), [])


def _named(function: ast.AST, returned: Fields) -> Fields:
    """Return the keys of dictionaries that a function gives a name before it puts them into a message."""
    found: Fields = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found[node.targets[0].id] = _fields(node.value, found, returned)
    return found


def _fields(node: ast.expr, named: Fields, returned: Fields) -> list[str]:
    """Return the keys of a dictionary: written out, known by a name, or returned by a method."""
    if isinstance(node, ast.Name):
        return named.get(node.id, [])
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return returned.get(node.func.attr, [])
    keys: list[str] = []
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            keys += [str(key.value)] if isinstance(key, ast.Constant) else _fields(value, named, returned)
    return keys
