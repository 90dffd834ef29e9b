"""The recipe for Great Expectations' own pages of a day does what the page says."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlparse

from backstop.clock import FixedClock
from backstop.lake.tables import Lake
from expectations import props
from tests.expectations import frames

ROOT = Path(__file__).resolve().parents[2]


def test_the_pages_of_a_day_come_from_the_suite_over_the_lake(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    lake = Lake(tmp_path / ".backstop" / "lake")
    broken = frames.props().with_columns(prob_over=frames.props()["prob_over"] + 2)
    lake.write("out_props", frames.DAY, broken)
    section = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8").partition("## Data Docs of a day")[2]
    recipe = section.partition("```python\n")[2].partition("```")[0]
    # a context gives the rules that are added to it ids: those of this process keep none
    monkeypatch.setattr(props, "props_suite", props.props_suite.__wrapped__)
    exec(recipe, {})  # noqa: S102 - what the page tells a reader to run
    success, site = capsys.readouterr().out.split()[-2:]
    assert success == "False"
    index = Path(unquote(urlparse(site).path))
    assert index.is_relative_to(tmp_path / "data-docs")
    (page,) = [each for each in index.parent.rglob("*.html") if "validations" in each.parts]
    text = re.sub(r"<[^>]+>", " ", page.read_text(encoding="utf-8"))
    assert "prob_over" in text
    assert "2025-05-02" in text
