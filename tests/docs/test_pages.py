"""The documents say what the code says."""

from __future__ import annotations

import ast
import itertools
import re
import tomllib
from pathlib import Path

import pytest
import yaml

from scripts import pages

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"\[[^\]]*\]\((?!https?:|#|mailto:)([^)#\s]+)[^)]*\)")


@pytest.mark.parametrize("name", pages.PAGES)
def test_a_generated_page_is_up_to_date(name):
    assert (pages.REFERENCE / name).read_text(encoding="utf-8") == pages.text(name), "run python -m scripts.pages"


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "SECURITY.md", "src/gx_polars/README.md"])
def test_links_lead_somewhere(page):
    path = ROOT / page
    broken = [
        target for target in LINK.findall(path.read_text(encoding="utf-8")) if not (path.parent / target).exists()
    ]
    assert broken == []


def test_every_document_is_on_the_map():
    nav = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("nav:")[2]
    shown = set(re.findall(r"[\w./-]+\.md", str(yaml.safe_load("nav:" + nav))))
    there = {str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.md")}
    assert shown == there


def test_the_architecture_names_every_room_and_its_imports_as_the_contract_orders_them():
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    library = ROOT / "src" / "backstop"
    rooms = {path.parent.name for path in library.glob("*/__init__.py")}
    assert set(re.findall(r"^\| `(\w+)/` \|", text.partition("And outside")[0], re.MULTILINE)) == rooms
    places = dict(re.findall(r"^\| `([\w/]+)/` \|.*\| ([^|]+) \|$", text, re.MULTILINE))
    begin = [
        (library / place if place in rooms else ROOT / place) / file
        for place, files in places.items()
        for file in re.findall(r"`([\w/]+\.py)`", files)
    ]
    assert len(begin) > 20
    assert [str(path) for path in begin if not path.is_file()] == []
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    (layers,) = (each["layers"] for each in contracts if each.get("containers") == ["backstop"])
    floor = {room: number for number, layer in enumerate(layers) for room in re.findall(r"\w+", layer)}
    (arrows,) = (line for line in text.splitlines() if "cli, api, client ─►" in line)
    drawn = [re.findall(r"\w+", part) for part in arrows.split("─►")]
    floors = [{floor[room] for room in part if room in floor} for part in drawn]
    assert all(max(upper) < min(lower) for upper, lower in itertools.pairwise(floors))
    assert {room for part in drawn for room in part} >= rooms


def test_the_architecture_tells_what_a_room_imports_of_the_others():
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    library = ROOT / "src" / "backstop"
    rooms = {path.parent.name for path in library.glob("*/__init__.py")}
    told = dict(re.findall(r"^\| `(\w+)/` \| [^|]+ \| ([\w, -]+) \| [^|]+ \|$", text, re.MULTILINE))
    assert {room: set(re.findall(r"\w+", uses)) for room, uses in told.items()} == {
        room: {each for path in (library / room).rglob("*.py") for each in _imported(path) & rooms} - {room}
        for room in rooms
    }


def _imported(path: Path) -> set[str]:
    """Rooms, and modules beside them, that a module imports: anywhere in it, for types only too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{each.name}" for each in node.names}
    return {name.split(".")[1] for name in found if name.startswith("backstop.")}


def test_every_line_of_the_threat_model_names_tests_that_exist():
    table = (ROOT / "SECURITY.md").read_text(encoding="utf-8").partition("what holds\n")[2].partition("\n## ")[0]
    lines = [line.rstrip(" |").rpartition("| ")[2] for line in table.splitlines() if line.startswith("| ")][2:]
    named = [re.findall(r"`([\w/]+)`", cell) for cell in lines]
    assert len(named) > 10
    assert all(named)
    missing = [name for name in itertools.chain(*named) if not (_test(name).is_dir() or _test(name, ".py").is_file())]
    assert missing == []


def _test(name: str, end: str = "") -> Path:
    return ROOT / "tests" / f"{name}{end}"
