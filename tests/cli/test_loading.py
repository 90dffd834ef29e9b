"""Commands that load the checkout while they work, or hand over to it: what fails there is said where it is needed."""

from __future__ import annotations

import datetime as dt
import threading
from types import SimpleNamespace

import polars as pl
import pytest

from backstop.cli import feeds, grading
from backstop.errors import ConfigurationError, UsageError
from backstop.stages import training

PAST = ("--from", "2025-06-01", "--to", "2025-06-02")


def later(monkeypatch, load):
    monkeypatch.setattr(feeds, "deployments", load)
    waiting = feeds._Later("rules")
    waiting.start()
    return waiting


def test_rules_that_load_beside_the_work_are_waited_for_where_the_first_rows_need_them(monkeypatch):
    ready = threading.Event()

    def load(name):
        assert ready.wait(60)
        return SimpleNamespace(apply=lambda *given: (name, given))

    waiting = later(monkeypatch, load)
    ready.set()
    assert waiting.apply(1, 2) == ("rules", (1, 2))
    assert waiting.apply(3) == ("rules", (3,))


@pytest.mark.parametrize(
    "error",
    [ConfigurationError("The flows are not installed here."), ImportError("no great_expectations"), SystemExit(3)],
)
def test_rules_that_cannot_be_loaded_fail_where_they_are_needed_and_each_time(monkeypatch, error):
    def load(_):
        raise error

    waiting = later(monkeypatch, load)
    for _ in range(2):
        with pytest.raises(type(error)) as raised:
            waiting.apply(1)
        assert raised.value is error


@pytest.fixture
def answers(tmp_path, monkeypatch):
    """A folder of that name where the command is given."""
    (tmp_path / "answers").mkdir()
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("upstream", ["demo", "recorded:answers"])
def test_sources_of_an_upstream_from_which_nothing_was_fetched_say_so(backstop, store, upstream, answers):
    ended = backstop("sources", "--upstream", upstream)
    assert ended.code == 2
    assert ended.err.startswith(f"Nothing was fetched from {upstream} within a week under ")


def test_an_archive_has_no_feeds_to_tell_of(backstop, store, answers):
    ended = backstop("sources", "--upstream", "replay:answers")
    assert (ended.code, ended.out) == (0, "replay:answers: answers come from an archive, no feed is asked.\n")


@pytest.fixture
def handed(environment):
    """What was handed to the modules of the checkout."""
    calls = []

    def own_home(settings):
        return settings.model_copy(update={"home": settings.home / "demo"})

    def module(name):
        def called(function):
            return lambda *given: calls.append((name, function, *given))

        known = {each: called(each) for each in ("fetch_history", "backtest", "grade")}
        return SimpleNamespace(own_home=own_home, **known)

    environment.setattr(grading, "deployments", module)
    return calls


def test_features_fetch_the_history_up_to_the_day_after_the_range_and_read_the_leagues_own_lake(
    backstop, handed, environment, tmp_path
):
    asked = []

    def rows(house, first, last, *, rebuild):
        asked.append((house.settings.home, first, last, rebuild))
        found = pl.DataFrame({"player_id_mlbam": [1, 2], "game_date": [first, last]})
        return SimpleNamespace(rows=found, without_history=[first], served=[first], rebuilt=[last], in_sample=[last])

    environment.setattr(training, "rows", rows)
    out = tmp_path / "rows.csv"
    ended = backstop("features", *PAST, "--out", str(out), "--upstream", "demo", "--rebuild")
    assert (ended.code, ended.err) == (0, "")
    ((module, function, until, settings),) = handed
    assert (module, function, until, settings.upstream) == ("local", "fetch_history", dt.date(2025, 6, 3), "demo")
    assert asked == [(tmp_path / "home" / "demo", dt.date(2025, 6, 1), dt.date(2025, 6, 2), True)]
    assert out.read_text() == ("player_id_mlbam,game_date,in_sample\n1,2025-06-01,false\n2,2025-06-02,true\n")
    assert ended.out.splitlines() == [
        "in sample 1 days, 2025-06-02 to 2025-06-02: the numbers behind their rows were fitted on them or on later days",
        "missing 2025-06-01: its games are over, but the lake has no pitches of it",
        f"2 rows of 2 days, 1 as served, 1 built as of each day; written to {out}",
    ]


def test_features_of_a_lake_without_those_days_write_nothing_and_fetch_nothing(backstop, handed, tmp_path):
    ended = backstop("features", *PAST, "--out", str(tmp_path / "rows.csv"))
    assert ended.code == 2
    assert ended.err.startswith("The lake has no game from 2025-06-01 to 2025-06-02; nothing written.")
    assert handed == []
    assert not (tmp_path / "rows.csv").exists()


def test_a_back_test_and_a_grading_are_handed_over_with_their_days_and_their_upstream(backstop, handed, tmp_path):
    out = tmp_path / "rows.parquet"
    assert backstop("backtest", "2025-06-01", "2025-06-02", "--out", str(out), "--upstream", "demo").code == 0
    assert backstop("grade", "2025-06-15").code == 0
    first, second = handed
    assert (first[1], first[2], first[3], first[4].upstream, first[5]) == (
        "backtest", dt.date(2025, 6, 1), dt.date(2025, 6, 2), "demo", out
    )  # fmt: skip
    assert (second[1], second[2], second[3].upstream) == ("grade", dt.date(2025, 6, 15), "live")


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        ("2025-06-02", "2025-06-01", "ends before it begins; give the earlier date first"),
        ("2025-06-01", "9999-12-31", "is not over; choose a range that ends on a day whose games are known"),
        ("2025-6-1", "2025-06-02", "is not a date"),
    ],
)
def test_a_range_that_is_none_is_refused(first, last, said):
    with pytest.raises(UsageError, match=said):
        grading.past_days(first, last)


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        ("2025-06-02", "2025-06-01", "ends before it begins"),
        ("9999-12-30", "9999-12-31", "lies in the future; today is"),
        ("2001-01-01", "2025-01-01", r"has 8,767 days; fetch a season at a time"),
    ],
)
def test_a_range_of_a_fetch_is_bounded_on_both_sides(first, last, said):
    with pytest.raises(UsageError, match=said):
        feeds._days(first, last)


def test_a_range_may_be_one_day_or_cross_a_year():
    assert feeds._days("2025-06-01", None) == [dt.date(2025, 6, 1)]
    assert [str(day) for day in feeds._days("2024-12-31", "2025-01-01")] == ["2024-12-31", "2025-01-01"]
    assert len(feeds._days("2024-02-28", "2024-03-01")) == 3, "a leap day is a day"
