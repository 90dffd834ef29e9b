"""What a terminal shows of a run: steps while it works, then rows, gaps and where to look; words of feeds are no markup."""

from __future__ import annotations

import datetime as dt
import io
from types import SimpleNamespace

import pytest
from rich.console import Console

from backstop import telemetry
from backstop.cli import progress
from backstop.settings import Settings
from backstop.stages.backfill import Backfill
from backstop.stages.days import Condition
from backstop.stages.outcome import Gap, Outcome, Refused
from deployments import show
from deployments.server import PrefectServer
from tasks.backfill import BackfillSummary
from tasks.grade import GradeSummary
from tasks.summary import HistorySummary, SlateSummary

DAY = dt.date(2025, 4, 4)
PAGE = "http://127.0.0.1:4200/runs/flow-run/1"
SQUARE = "the feed said [/b] and [red]"


@pytest.fixture
def console():
    return Console(file=io.StringIO(), width=200, force_terminal=False)


def said(console):
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def slate(**changes):
    return SlateSummary(**{"day": DAY, "run_id": "r", "version": None, "outcomes": (), "note": "no games", **changes})


def test_an_off_day_says_that_there_is_nothing_to_publish_and_asks_redis_nothing(console):
    show.result(console, None, slate(note="2025-04-21 has no games [/b]"), PAGE, 1.26)
    lines = said(console)
    assert lines[0] == "2025-04-21 has no games [/b]: nothing to publish."
    assert lines[-2] == f"run page  {PAGE}"
    assert lines[-1].endswith("; 1.3 s")


def test_rows_are_counted_by_table_and_tables_that_nobody_touched_are_left_out(console):
    outcomes = (
        Outcome("core_games", keys=1, rows_in=1_404, loaded=1_400, quarantined=3, failed=1),
        Outcome("core_box"),
        Outcome("core_quotes", keys=2),
    )
    show.history(console, HistorySummary(DAY, outcomes, ()))
    table = [line.split() for line in said(console) if line.startswith(("│", "|"))]
    assert [[cell for cell in row if cell not in "│|"] for row in table] == [
        ["core_games", "1,404", "1,400", "3", "1"],
        ["core_quotes", "0", "0", "0", "0"],
    ]


def test_ten_gaps_are_named_in_their_own_words_and_the_others_counted(console):
    gaps = tuple(Gap("core_quotes", f"game {number} [x]", SQUARE) for number in range(12))
    show.history(console, HistorySummary(DAY, (), gaps))
    missing = [line for line in said(console) if line.startswith("missing")]
    assert missing[:10] == [f"missing core_quotes game {number} [x]: {SQUARE}" for number in range(10)]
    assert missing[10:] == ["missing 2 more; the run's page lists them"]


def test_one_quarantined_row_is_shown_and_the_gaps_are_counted_in_the_last_line(console):
    worst = (Refused("line within", "no such line [/b]", '{"line": 99}'), Refused("a; b", "two rules", "{}"))
    outcome = Outcome("core_quotes", keys=1, rows_in=2, quarantined=2, worst=worst, notes=("SportRadar answered",))
    summary = slate(outcomes=(outcome,), gaps=(Gap("core_quotes", "g", SQUARE),))
    show.result(console, None, summary, PAGE, 2.0)
    text = "\n".join(said(console))
    assert "a; b: two rules — {}" in text, "who broke most rules is the worst"
    assert "no such line" not in text
    assert f"missing core_quotes g: {SQUARE}" in text
    assert said(console)[-1] == f"slate {DAY}: {summary.quality}, 1 gaps named above; 2.0 s"


def test_a_backfill_names_ten_days_that_are_left_and_counts_the_rest(console):
    days = [DAY + dt.timedelta(days=number) for number in range(12)]
    plan = Backfill(days[0], days[-1], tuple(days), {}, 0, None)
    summary = BackfillSummary(plan, {Condition.FAILED: 12}, dict.fromkeys(reversed(days), SQUARE))
    show.backfill(console, summary, PAGE)
    assert said(console) == [
        "12 days worked on: 12 failed",
        *(f"to do {day}: {SQUARE}" for day in days[:10]),
        "to do 2 more; the run's page lists them",
        f"run page  {PAGE}",
    ]


def test_a_backfill_that_had_nothing_to_do_says_so(console):
    show.backfill(console, BackfillSummary(Backfill(DAY, DAY, (), {}, 0, None), {}, {}), PAGE)
    assert said(console)[0] == "0 days worked on: none"


def test_a_grade_shows_a_dash_for_a_score_that_there_is_none_of_and_why_props_are_open(console):
    row = {"market": "batter_hits", "model_version": "m1", "props": 1_200, "brier": 0.23456, "share_over": 0.5}
    waiting = {"result": "void", "market": "batter_hits", "props": 1_003, "reason": SQUARE}
    show.grade(console, GradeSummary(DAY, [row], [waiting]))
    lines = said(console)
    assert lines[0] == f"Grade of {DAY} · model m1"
    cells = next(line for line in lines if "batter_hits" in line and "1,200" in line).replace("│", " ").split()
    assert cells[:4] == ["batter_hits", "1,200", "0.5000", "–"]
    assert cells[4] == "0.2346"
    assert lines[-1] == f"void  batter_hits: 1,003 props, {SQUARE}"


def test_a_day_without_a_grade_has_no_model(console):
    show.grade(console, GradeSummary(DAY, [], []))
    assert said(console)[0] == f"Grade of {DAY} · model none"


def test_steps_appear_as_they_are_told_and_add_up(console):
    with progress.shown(console, "refresh [DAY]".replace("[DAY]", str(DAY))):
        telemetry.emit(telemetry.Progress("fetch", total=3, done=1, note="day [/b] 1"))
        telemetry.emit(telemetry.Progress("fetch", total=2, done=1))
        telemetry.emit(telemetry.Progress("load", total=1, done=1, note="batch 1"))
    text = "\n".join(said(console))
    assert f"refresh {DAY}" in text
    assert "2/5" in text
    assert "1/1" in text
    telemetry.emit(telemetry.Progress("fetch", done=1))
    assert "3/5" not in "\n".join(said(console)), "nobody listens any more"


@pytest.mark.parametrize(
    ("redis_url", "told"),
    [("unix:///home/redis/s", ", Redis unix:///home/redis/s"), ("redis://:secret@store:6379/0", ""), (None, "")],
)
def test_servers_that_stay_up_are_named_without_anybodys_password(console, redis_url, told):
    settings = Settings(_env_file=None, home="/home/b", redis_url=redis_url, upstream="http://127.0.0.1:8765")
    prefect = PrefectServer("http://127.0.0.1:4200/api", None)
    show.afterwards(console, settings, prefect, DAY, keep=True)
    assert said(console) == [
        f"read it with: BACKSTOP_HOME=/home/b .venv/bin/backstop slate {DAY}",
        f"left running: Prefect http://127.0.0.1:4200, upstream http://127.0.0.1:8765{told}",
        "end them with: make stop (or backstop stop)",
    ]


@pytest.mark.parametrize(("ours", "lines"), [(True, 2), (False, 1)])
def test_servers_of_our_own_are_said_to_be_stopped_and_nobody_elses(console, ours, lines):
    prefect = PrefectServer("http://127.0.0.1:4200/api", SimpleNamespace(pid=1) if ours else None)
    show.afterwards(console, Settings(_env_file=None, home="/home/b"), prefect, DAY, keep=False)
    assert len(said(console)) == lines
    assert ("KEEP=1" in said(console)[-1]) is ours
