"""The documents say what the code says."""

from __future__ import annotations

import itertools
import re
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
