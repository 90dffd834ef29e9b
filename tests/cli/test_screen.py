"""The one screen of `status`: the answer first, and every state of what it is made of."""

from __future__ import annotations

import datetime as dt
import io
from types import SimpleNamespace

import polars as pl
import pytest
from rich.console import Console

from backstop.cli import feedtables, screen
from backstop.stages.days import Condition, Day
from backstop.stages.standing import Standing
from backstop.store.slates import Diff

TODAY = dt.date(2025, 6, 15)
NOON = dt.datetime(2025, 6, 15, 16, tzinfo=dt.UTC)
SQUARE = "the [/b] feed [red]"


@pytest.fixture
def console():
    return Console(file=io.StringIO(), width=200, force_terminal=False)


def said(console):
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def standing(**changes):
    known = {
        "at": NOON, "season": {}, "recent": [Day(TODAY, Condition.MISSING)], "slate": None, "games": 0,
        "first_pitch_at": None, "feeds": [], "quarantine": {}, "closed": [], "problems": [],
    }  # fmt: skip
    return Standing(**(known | changes))


def feed(**changes):
    known = {
        "feed": "savant", "host": "https://h", "breaker": "closed", "open_since": None, "last_success_at": None,
        "last_error": None, "credits_left": None, "gate_width": 25, "gate_cap": 25,
    }  # fmt: skip
    counts = SimpleNamespace(requests=1_200, retries=3, failures=0)
    return SimpleNamespace(health=SimpleNamespace(**(known | changes)), counts=counts)


def test_when_all_is_right_that_is_the_first_line_and_empty_parts_are_said_to_be_empty(console):
    screen.status(console, standing(), [])
    lines = said(console)
    assert lines[:4] == [
        "All is right.",
        "today     2025-06-15: no games that count",
        "season    no day of this year",
        "quarantine  empty",
    ]
    assert not [line for line in lines if "Feeds" in line or "Last runs" in line]


@pytest.mark.parametrize(
    ("problems", "first"), [([SQUARE], "1 thing needs a look"), ([SQUARE, "another"], "2 things need a look")]
)
def test_what_needs_a_look_comes_first_in_its_own_words(console, problems, first):
    screen.status(console, standing(problems=problems), [])
    assert said(console)[: len(problems) + 1] == [first, *(f"  {each}" for each in problems)]


@pytest.mark.parametrize(
    ("slate", "first_pitch_at", "line"),
    [
        (None, NOON, "today     2025-06-15: missing, 15 games from 16:00 UTC; Redis does not answer"),
        (
            SimpleNamespace(state="missing", version=None, age_s=None),
            None,
            "today     2025-06-15: missing, 15 games, starts to be determined; served missing",
        ),
        (
            SimpleNamespace(state="stale", version=7, age_s=3_725.0),
            NOON,
            "today     2025-06-15: missing, 15 games from 16:00 UTC; served stale, version 7, 1 h 2 min old",
        ),
    ],
)
def test_today_is_said_with_its_games_and_with_what_readers_are_served(console, slate, first_pitch_at, line):
    screen.status(console, standing(games=15, slate=slate, first_pitch_at=first_pitch_at), [])
    assert line in said(console)


def cells(console, mark):
    rows = [line for line in said(console) if mark in line]
    return [[cell.strip() for cell in row.strip("│").split("│")] for row in rows]


def test_the_last_days_are_listed_newest_first_each_with_its_state_and_reason(console):
    recent = [
        Day(TODAY - dt.timedelta(days=1), Condition.FAILED, reason=f"{SQUARE}{'x' * 100}", closed_at=NOON),
        Day(TODAY, Condition.COMPLETE, props=1_404, closed_at=NOON),
    ]
    screen.status(console, standing(recent=recent), [])
    newest, before = cells(console, "06-15 16:00")
    assert newest == ["2025-06-15", "complete", "1,404", "06-15 16:00", ""]
    assert before == ["2025-06-14", "failed", "", "06-15 16:00", (SQUARE + "x" * 100)[: screen.REASON]]


@pytest.mark.parametrize("condition", list(Condition))
def test_every_condition_has_a_style(console, condition):
    screen.status(console, standing(recent=[Day(TODAY, condition)], season={condition: 3}), [])
    assert f"season    3 {condition}" in said(console)


def test_feeds_are_told_with_their_breaker_their_last_success_and_what_is_left(console):
    down = feed(feed="theodds", breaker="open", last_success_at=NOON, credits_left=19_000, last_error=SQUARE)
    screen.status(console, standing(feeds=[feed(), down], quarantine={"core_quotes": 1_002, "core_box": 1}), [])
    assert "quarantine  core_quotes 1,002, core_box 1" in said(console)
    assert cells(console, "savant") == [["savant", "closed", "never seen", "–", ""]]
    assert cells(console, "theodds") == [["theodds", "open", "06-15 16:00", "19,000", SQUARE]]


def test_runs_are_told_whether_they_have_begun_or_not(console):
    runs = [
        {"name": SQUARE, "state": "Completed", "began": "2025-06-15 16:00", "took_s": 61.6},
        {"name": "later", "state": "Scheduled", "began": None, "took_s": 0},
    ]
    screen.status(console, standing(), runs)
    assert cells(console, "Completed") == [[SQUARE, "Completed", "2025-06-15 16:00", "62 s"]]
    assert cells(console, "Scheduled") == [["later", "Scheduled", "", ""]]


def test_the_feeds_of_sources_are_told_with_gate_and_counts(console):
    console.print(feedtables.states([feed(open_since=NOON, gate_width=4, last_error=SQUARE)]))
    assert cells(console, "savant") == [
        ["savant", "closed", "2025-06-15 16:00:00", "4 of 25", "–", "–", "1,200", "3", "0", SQUARE]
    ]


def test_a_difference_counts_everything_and_shows_fifteen_rows_of_each_kind(console):
    rows = pl.DataFrame({"prop_id": [f"[red]{number}" for number in range(1_200)]})
    screen.difference(console, Diff(rows, rows.head(0), rows.head(2)))
    lines = said(console)
    assert lines[0] == "1,200 added, 0 gone, 2 fields changed"
    shown = [line for line in lines if "[red]" in line]
    assert len(shown) == screen.ROWS + 2
    assert "[red]14" in shown[14]
