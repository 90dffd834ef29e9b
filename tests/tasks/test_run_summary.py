"""What a refresh came to, in the words of its page and in the name of its state."""

from __future__ import annotations

import datetime as dt

import pytest

from backstop.stages.days import Condition, Day
from backstop.stages.outcome import Gap, Outcome, Refused
from tasks import calendar
from tasks.summary import ROW_SHOWN, SlateSummary, all_gaps, finished, summary_markdown, validation_markdown

DAY = dt.date(2025, 6, 15)
GAP = Gap("core_quotes", "an event", "not fetched")


def slate(**changes):
    return SlateSummary(**{"day": DAY, "run_id": "r", "version": 3, "outcomes": (), **changes})


def test_a_table_of_which_every_row_passed_says_so_and_nothing_more():
    page = validation_markdown(DAY, Outcome("core_games", keys=1, rows_in=1_200, loaded=1_200))
    assert page == (
        "# core_games · 2025-06-15\n"
        "\n"
        "| rows in | loaded | quarantined | in failed batches |\n"
        "| ---: | ---: | ---: | ---: |\n"
        "| 1,200 | 1,200 | 0 | 0 |\n"
        "\n"
        "Every rule held for every row."
    )


def test_broken_rules_are_listed_the_most_frequent_first_with_drift_worst_rows_and_gaps():
    worst = (Refused("line_in_range", "a line is below 100", "x" * (ROW_SHOWN + 1)),)
    outcome = Outcome(
        "core_quotes",
        rows_in=10,
        loaded=7,
        quarantined=3,
        rules={"rare": 1, "frequent": 1_002},
        drift=("new column spin_axis", "gone column zone"),
        worst=worst,
        gaps=(GAP,),
    )
    lines = validation_markdown(DAY, outcome).splitlines()
    assert lines[6:10] == ["| broken rule | rows |", "| --- | ---: |", "| frequent | 1,002 |", "| rare | 1 |"]
    assert "**Columns drifted**: new column spin_axis; gone column zone" in lines
    assert "**The worst of 3 quarantined rows**" in lines
    assert lines[lines.index("```json") + 1] == "x" * ROW_SHOWN
    assert lines[-1] == "| core_quotes | an event | not fetched |"


@pytest.mark.parametrize(
    ("gaps", "last"), [(50, "| t | 49 | r |"), (51, "| | and 1 more | |"), (1_200, "| | and 1150 more | |")]
)
def test_fifty_gaps_are_shown_and_the_others_counted(gaps, last):
    page = summary_markdown(slate(gaps=tuple(Gap("t", str(number), "r") for number in range(gaps))))
    assert f"**{gaps} gaps**" in page
    assert page.splitlines()[-1] == last
    assert page.count("\n| t |") == 50


def test_the_page_of_a_run_has_its_version_its_counts_and_each_note_once():
    outcomes = (
        Outcome("core_games", rows_in=2, loaded=2, notes=("SportRadar answered for MLB",)),
        Outcome("core_box", rows_in=3, loaded=2, quarantined=1, notes=("SportRadar answered for MLB", "two names")),
    )
    lines = summary_markdown(slate(outcomes=outcomes)).splitlines()
    assert lines[:3] == ["# Slate 2025-06-15 · complete", "", "Version 3."]
    assert lines[6:8] == ["| core_games | 2 | 2 | 0 | 0 |", "| core_box | 3 | 2 | 1 | 0 |"]
    assert lines[8:] == ["", "- SportRadar answered for MLB", "- two names"]


@pytest.mark.parametrize(
    ("changes", "quality", "name", "message"),
    [
        ({}, "complete", "Completed", "version 3, 0 gaps"),
        ({"gaps": (GAP,)}, "degraded", "Degraded", "version 3, 1 gaps"),
        ({"version": None, "note": "2025-06-15 has no games"}, "empty", "NoGames", "2025-06-15 has no games"),
        ({"version": None, "note": "2025-06-15 has no history before it"}, "empty", "NoHistory", "2025-06-15 has no history before it"),
        ({"version": None, "note": "2025-06-15 has no games still to begin"}, "empty", "AllBegun", "2025-06-15 has no games still to begin"),
        ({"version": None, "note": "another run has renewed 2025-06-15 since this one was due"}, "empty", "Overtaken", "another run has renewed 2025-06-15 since this one was due"),
        ({"version": None, "gaps": (GAP,)}, "empty", "NoGames", "version None, 1 gaps"),
    ],
)  # fmt: skip
def test_a_run_ends_completed_and_its_state_is_named_for_what_it_is_worth(changes, quality, name, message):
    known = slate(**changes)
    state = finished(known)
    assert known.quality == quality
    assert state.is_completed()
    assert (state.name, state.message) == (name, message)
    assert state.data is known


def test_a_gap_that_two_stages_met_is_one_gap_in_the_order_of_the_stages():
    other, last = Gap("core_box", "1", "late"), Gap("out_props", "batch 1", "refused")
    assert all_gaps([Outcome("core_quotes", gaps=(GAP, other))], [other, last], (GAP,)) == [GAP, other, last]
    assert all_gaps([]) == []


# the season at a glance


def drawn(*days):
    return calendar.markdown(days).splitlines()


def test_a_year_end_keeps_its_weeks_apart_and_every_day_under_its_weekday():
    days = [Day(dt.date(2024, 12, 28) + dt.timedelta(days=number), Condition.EMPTY) for number in range(9)]
    lines = drawn(*days)
    assert lines[2:9] == [
        "**December 2024**", "", "| week | Mon | Tue | Wed | Thu | Fri | Sat | Sun |",
        "| --- | :---: | :---: | :---: | :---: | :---: | :---: | :---: |",
        "| 52 |  |  |  |  |  | 28 empty | 29 empty |", "| 1 | 30 empty | 31 empty |  |  |  |  |  |", "",
    ]  # fmt: skip
    assert lines[13] == "| 1 |  |  | 1 empty | 2 empty | 3 empty | 4 empty | 5 empty |"
    assert lines[-1] == "0 complete, 0 degraded, 9 empty, 0 failed, 0 running, 0 missing"


def test_what_needs_a_look_is_bold_and_what_failed_is_listed_with_its_reason():
    found = drawn(
        *(Day(DAY + dt.timedelta(days=number), each, reason="a|b") for number, each in enumerate(Condition)),
    )
    cells = " ".join(found)
    for loud in ("16 degraded", "18 failed", "20 missing"):
        assert f"**{loud}**" in cells
    for calm in ("15 complete", "17 empty", "19 running"):
        assert f" {calm} " in cells
    assert found[-1] == "| 2025-06-18 | a\\|b |"


def test_a_calendar_of_nothing_says_so():
    assert drawn()[-1] == "0 complete, 0 degraded, 0 empty, 0 failed, 0 running, 0 missing"
