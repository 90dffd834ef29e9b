"""CONTRIBUTING's recipes name what is there: definitions in the files they send to, and every place that names the sport."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
NAME = r"`(\w+)`"
PLACE = r"`((?:src|tests|deployments|expectations|tasks|flows)/[\w/]+\.py)`"
NAMED_IN = re.compile(rf"((?:{NAME}(?:,\s+|\s+(?:or|and)\s+)?)+)\s+(?:in|of)\s+{PLACE}")
"""`ONE`, `TWO` or `THREE` in `path.py`"""
NAMED_AFTER = re.compile(rf"{PLACE}: ([^.]*)\.")
"""`path.py`: a member of `One`, its line in `TWO`."""
NOT_DEFINED = {"first_width", "cap"}
"""Fields, not definitions."""
WHOLE = ("src/backstop/demo/",)
"""Folders that the table of the sport names as a whole."""


def definitions(path: str) -> set[str]:
    """Return the names that a module defines: functions, classes, constants, methods."""
    found: set[str] = set()
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.arg):
            found.add(node.arg if isinstance(node, ast.arg) else node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
    return found


def sent() -> list[tuple[str, str]]:
    """Return what the recipes send to: a path and a name that is to be found there."""
    pairs = [(match[3], name) for match in NAMED_IN.finditer(TEXT) for name in re.findall(NAME, match[1])]
    after = [(match[1], name) for match in NAMED_AFTER.finditer(TEXT) for name in re.findall(NAME, match[2])]
    return sorted({*pairs, *(each for each in after if each[1] not in NOT_DEFINED)})


def test_the_recipes_send_to_many_names():
    assert len(sent()) >= 20


@pytest.mark.parametrize(("path", "name"), sent(), ids=lambda each: each)
def test_a_name_that_a_recipe_sends_to_is_defined_there(path, name):
    if name in {"inspect", "parse"}:  # what a table of the registry is made with
        assert f"{name}=" in (ROOT / path).read_text(encoding="utf-8") or name in definitions(path)
        return
    assert name in definitions(path)


def test_the_places_that_name_the_sport_are_all_in_the_list():
    pattern = re.search(r"grep -rnE '([^']+)' src tasks deployments", TEXT)
    assert pattern
    naming = [
        str(path.relative_to(ROOT))
        for folder in ("src", "tasks", "deployments")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if re.search(pattern[1], path.read_text(encoding="utf-8"))
    ]
    assert len(naming) > 5
    assert [path for path in naming if f"`{path}`" not in TEXT and not path.startswith(WHOLE)] == []


@pytest.mark.parametrize("title", ["feed", "market", "rule", "sport"])
def test_a_recipe_is_under_a_page(title):
    text = TEXT.partition(f"## Add a {title}\n")[2].partition("\n## ")[0]
    lines = text.strip().splitlines()
    assert 5 <= len(lines) <= 60
