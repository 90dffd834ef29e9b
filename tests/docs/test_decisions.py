"""The decisions: numbered without a gap, each with the three parts that a reader looks for, all on the map."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "adr"
DECISIONS = sorted(path.name for path in FOLDER.iterdir())


def test_they_are_numbered_without_a_gap_and_the_map_has_them_in_order():
    assert [name[:4] for name in DECISIONS] == [f"{number:04}" for number in range(1, len(DECISIONS) + 1)]
    nav = yaml.safe_load("nav:" + (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("nav:")[2])["nav"]
    (changing,) = (part["Develop"] for part in nav if "Develop" in part)
    (shown,) = (part["Decisions"] for part in changing if "Decisions" in part)
    assert [page for entry in shown for page in entry.values()] == [f"adr/{name}" for name in DECISIONS]


@pytest.mark.parametrize("name", DECISIONS)
def test_each_has_a_title_with_its_number_and_says_context_decision_and_consequences(name):
    first, *lines = (FOLDER / name).read_text(encoding="utf-8").splitlines()
    assert re.fullmatch(rf"# {name[:4]} · \S.*", first)
    parts = "\n".join(lines).split("\n## ")[1:]
    assert [part.partition("\n")[0] for part in parts] == ["Context", "Decision", "Consequences"]
    assert all(part.partition("\n")[2].strip() for part in parts)


@pytest.mark.parametrize("name", DECISIONS)
def test_what_it_names_of_the_code_is_there(name):
    text = (FOLDER / name).read_text(encoding="utf-8")
    roots = (ROOT, ROOT / "src" / "backstop", ROOT / "src")
    named = re.findall(r"`((?:\w+/)+\w+\.(?:py|toml|sh|md))`", text)
    assert [each for each in named if not any((root / each).is_file() for root in roots)] == []
    modules = {each.replace(".", "/") for each in re.findall(r"`((?:backstop|stages|features|benchmarks)\.\w+)`", text)}
    missing = [
        each
        for each in modules
        if not any((root / f"{each}.py").is_file() or (root / each).is_dir() for root in roots)
    ]
    assert missing == []
