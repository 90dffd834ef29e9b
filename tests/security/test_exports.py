"""What feeds call their players must not run in a spreadsheet, nor name a path."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backstop.cli.export import write
from backstop.net.archive import Archive
from backstop.net.item import Item
from backstop.settings import Feed

AT = dt.datetime(2025, 6, 15, 12, tzinfo=dt.UTC)
FORMULAS = [
    "=1+1",
    "+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    '=HYPERLINK("http://x","y")',
    "=cmd|' /C calc'!A0",
    "\n=1",
    "＝1+1",
    "＠x",
]
TRICKS = [
    "../../../etc/passwd", "/etc/passwd", "..", ".", "", "a/b", "a\x00b", "C:\\x", "~root", "$HOME", "%2e%2e%2f", "\n", "é" * 300,
    "x" * 100_000, "\ud7ff", "con", "-rf", "*",
]  # fmt: skip


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_is_text_in_csv_and_untouched_in_parquet(tmp_path: Path, text: str) -> None:
    frame = pl.DataFrame(
        {"player_name": [text, "J. O'Neil-Smith", None], "ev": [-0.5, 1.0, 2.0], "parts": [[text], [], []]}
    )
    write(frame, tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["player_name"] for row in rows] == [f"'{text}", "J. O'Neil-Smith", ""]
    assert [row["ev"] for row in rows] == ["-0.5", "1.0", "2.0"]
    assert rows[0]["parts"].startswith("[")
    write(frame, tmp_path / "out.parquet")
    assert pl.read_parquet(tmp_path / "out.parquet").equals(frame)


@pytest.mark.parametrize("dtype", [pl.Categorical(), pl.Enum(["=1+1", "BOS"])])
def test_a_formula_is_text_in_csv_whatever_polars_keeps_it_as(tmp_path: Path, dtype: pl.DataType) -> None:
    write(pl.DataFrame({"team": pl.Series(["=1+1", "BOS"], dtype=dtype)}), tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text() == "team\n'=1+1\nBOS\n"


@given(st.text(max_size=8))
def test_no_text_begins_as_a_formula_does(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    out = tmp_path_factory.getbasetemp() / "any.csv"
    write(pl.DataFrame({"a": [text], "b": ["x"]}), out)
    with out.open(newline="", encoding="utf-8") as file:
        (_, row) = list(csv.reader(file))
    assert not row[0].startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"))


@pytest.mark.parametrize("word", TRICKS, ids=range(len(TRICKS)))
def test_what_a_feed_calls_things_names_no_file_of_the_archive(tmp_path: Path, word: str) -> None:
    archive = Archive(tmp_path / "archive")
    item = Item(Feed.THEODDS, word, word, f"/v4/{word}", (("eventIds", word),))
    name = archive.put(item, b"{}", fetched_at=AT, headers=(("etag", word),), status=200)
    found = archive.latest(item)
    assert found is not None
    assert found.content_hash == name
    files = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())
    print_ = item.fingerprint
    assert files == [f"archive/index/{print_[:2]}/{print_}.jsonl", f"archive/objects/{name[:2]}/{name}.zst"]
