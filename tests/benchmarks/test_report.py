"""The arithmetic of every benchmark: medians, ratios, percentiles, what is kept of a record."""

from __future__ import annotations

import datetime as dt
import json
import math
import os
import re
import subprocess
from dataclasses import replace
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import report as reporting
from benchmarks.report import MOST, Report, Row, Stamp, Table, arguments, commit, figure, read, stamp, timed
from tests.here import only_here


def table(better, first, other):
    return Table("t", "title", "s", better, [Row("first", first), Row("other", other)])


@pytest.mark.parametrize(
    ("better", "first", "other", "times"),
    [
        ("less", [10.0], [2.0], 5.0),
        ("less", [2.0], [10.0], 0.2),
        ("more", [10.0], [2.0], 0.2),
        ("more", [2.0], [10.0], 5.0),
        ("less", [1.0, 3.0, 100.0], [1.0, 2.0], 2.0),  # medians, 3 and 1.5, not means
    ],
)
def test_a_ratio_says_how_many_times_better_than_the_first(better, first, other, times):
    measured = table(better, first, other)
    assert measured.times(measured.rows[1]) == pytest.approx(times)
    assert measured.times(measured.rows[0]) == 1.0


@pytest.mark.parametrize(("better", "first", "other"), [("less", [1.0], [0.0]), ("more", [0.0], [1.0])])
def test_a_ratio_to_nothing_is_no_number(better, first, other):
    measured = table(better, first, other)
    assert math.isnan(measured.times(measured.rows[1]))


@given(st.lists(st.floats(0, 1e6), min_size=MOST + 1, max_size=400))
def test_of_many_values_the_percentiles_are_kept_with_both_ends_and_the_median(values):
    row = Row("r", values)
    kept = row.thinned()
    assert len(kept.values) == MOST
    assert (kept.values[0], kept.values[-1]) == (min(values), max(values))
    assert kept.values == sorted(kept.values)
    assert set(kept.values) <= set(values)
    ordered = sorted(values)
    middle = len(ordered) // 2
    assert ordered[middle - 1] <= kept.median <= ordered[min(middle + 1, len(ordered) - 1)]
    assert kept.more == {"values": f"{len(values):,}"}


def test_few_values_are_kept_as_they_are():
    row = Row("r", [3.0] * MOST, {"rows": "1"})
    assert row.thinned() is row


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"), (0.0123456, "0.0123"), (1.645, "1.65"), (9.999, "10"), (21.44, "21.4"), (98.96, "99"), (99.0001, "99.00"),
        (99.999, "99.99"), (100, "100"), (1234.5, "1,234"), (-0.5, "-0.5"), (-1234.4, "-1,234"), (1e-9, "1e-09"),
    ],
)  # fmt: skip
def test_a_figure_has_three_digits_that_mean_something(value, text):
    assert figure(value) == text


@pytest.mark.parametrize(
    ("values", "text"), [([2.0], "one round"), ([3.0, 1.0, 2.0], "1 to 3"), ([5.0, 5.0], "5 to 5")]
)
def test_the_spread_is_the_lowest_and_the_highest_round(values, text):
    assert Row("r", values).spread == text


def test_rows_of_different_columns_are_drawn_in_one_table():
    made = Table("t", "title", "s")
    made.row("one", [1.0, 3.0], rows="7,000")
    made.row("two", 4, said="no complaint")
    drawn = made.drawn()
    assert [str(column.header) for column in drawn.columns] == [
        "arrangement", "median s", "spread", "N", "x the first", "rows", "said"
    ]  # fmt: skip
    assert [list(column.cells) for column in drawn.columns[1:]] == [
        ["2", "4"], ["1 to 3", "one round"], ["2", "1"], ["1.00", "0.50"], ["7,000", ""], ["", "no complaint"]
    ]  # fmt: skip


def test_a_record_says_what_when_where_and_of_which_commit(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    report = Report("x", tmp_path / "x.json")
    report.table("a", "A", unit="s").row("r", [1.0])
    report.close()
    told = json.loads((tmp_path / "x.json").read_text())
    assert set(told) == {"benchmark", "tables"}
    (kept,) = read("x", tmp_path).values()
    now = stamp()
    assert kept.stamp == replace(now, load=kept.stamp.load)
    assert (told["benchmark"], kept.stamp.commit, kept.stamp.taken) == (
        "x",
        "unknown",
        f"{dt.datetime.now().astimezone().date()}",
    )
    assert re.fullmatch(r"\d+\.\d before, \d+\.\d after", kept.stamp.load)


def test_a_part_that_is_run_again_replaces_its_tables_and_keeps_the_others(tmp_path):
    path = tmp_path / "x.json"
    first = Report("x", path)
    for key in ("a", "b"):
        first.table(key, key, unit="s").row("r", [1.0])
    first.close()
    second = Report("x", path, add=True)
    second.table("b", "b", unit="s").row("r", [2.0])
    second.close()
    assert {key: found.rows[0].values for key, found in read("x", tmp_path).items()} == {"a": [1.0], "b": [2.0]}
    Report("x", path).save()
    assert read("x", tmp_path) == {}


def test_a_table_keeps_its_own_stamp_when_another_is_run_again(tmp_path, monkeypatch):
    path = tmp_path / "x.json"
    old, new = (
        Stamp(f"2026-11-{day}", commit, "2 cores", "Python 3.11.7", "0.0")
        for day, commit in ((28, "aaa"), (29, "bbb+"))
    )
    for made, keys in ((old, ("a", "b")), (new, ("b",))):
        monkeypatch.setattr(reporting, "stamp", lambda made=made: made)
        report = Report("x", path, add=True)
        for key in keys:
            report.table(key, key, unit="s").row("r", [1.0])
        report.close()
    stamps = {key: table.stamp for key, table in read("x", tmp_path).items()}
    assert {key: (each.taken, each.commit) for key, each in stamps.items()} == {
        "a": ("2026-11-28", "aaa"),
        "b": ("2026-11-29", "bbb+"),
    }


def test_a_table_is_stamped_when_it_is_first_recorded_and_not_again(tmp_path, monkeypatch):
    loads = iter([0.5, 1.0, 2.0])
    only_here(monkeypatch, os, "getloadavg", lambda: (next(loads), 9.0, 9.0))
    report = Report("x", tmp_path / "x.json")
    report.table("a", "a", unit="s").row("r", [1.0])
    report.save()
    report.table("b", "b", unit="s").row("r", [1.0])
    report.save()
    assert [table.stamp.load for table in read("x", tmp_path).values()] == [
        "0.5 before, 1.0 after",
        "0.5 before, 2.0 after",
    ]


def test_without_a_record_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    report = Report("x")
    report.table("a", "A", unit="s").row("r", [1.0])
    report.close()
    assert list(tmp_path.iterdir()) == []


def test_a_benchmark_that_was_never_recorded_has_no_tables(tmp_path):
    assert read("nothing", tmp_path) == {}


def test_a_commit_with_changes_has_a_plus(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@localhost"]
    (tmp_path / "file").write_text("1")
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
        subprocess.run([*git, *command], check=True)
    clean = commit()
    assert len(clean) >= 7
    (tmp_path / "file").write_text("2")
    assert commit() == f"{clean}+"


def test_records_and_pages_that_were_written_anew_are_no_change_of_the_code(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@localhost"]
    written = [tmp_path / "benchmarks" / "results" / "a.json", tmp_path / "README.md", tmp_path / "docs" / "claims.md"]
    for path in (*written, tmp_path / "benchmarks" / "a.py"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("1")
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
        subprocess.run([*git, *command], check=True)
    clean = commit()
    for path in (*written, tmp_path / "new.py"):
        path.write_text("2")
    monkeypatch.chdir(tmp_path / "docs")
    assert commit() == clean
    (tmp_path / "benchmarks" / "a.py").write_text("2")
    assert commit() == f"{clean}+"


def test_every_benchmark_knows_where_to_record_and_how_often():
    asked = arguments("what it is", rounds=4).parse_args(["--record", "x.json"])
    assert (asked.rounds, str(asked.record)) == (4, "x.json")
    assert not hasattr(arguments("what it is").parse_args([]), "rounds")


def test_a_call_is_timed_by_a_clock_that_only_goes_forward(monkeypatch):
    ticks = iter([10.0, 12.5])
    monkeypatch.setattr(reporting, "time", SimpleNamespace(perf_counter=lambda: next(ticks)))
    called = []
    assert timed(lambda: called.append(1)) == 2.5
    assert called == [1]
