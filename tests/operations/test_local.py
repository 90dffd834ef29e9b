"""Jobs of one machine before anything is started: what is refused, what there is nothing to do for, what is ended."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
from types import SimpleNamespace

import polars as pl
import pytest

import tests.docs.conftest  # noqa: F401 - Great Expectations is loaded with its warnings let pass
from backstop import tables
from backstop.errors import BackstopError, UsageError
from backstop.features.tally import tally
from backstop.settings import Settings
from backstop.stages import project
from backstop.stages.days import Condition
from backstop.stages.house import House
from backstop.store import embedded
from deployments import job, kept, local, replaying
from tests.features.season import pitches
from tests.flows.league import close_houses
from tests.stages.rows import games

FIRST, LAST = dt.date(2025, 6, 1), dt.date(2025, 6, 3)
RANGE = {
    "first": FIRST, "last": LAST, "parallel": 2, "prices": False, "degraded": False, "credit_limit": None, "spread_days": 0
}  # fmt: skip


@pytest.fixture
def settings(tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith(("BACKSTOP_", "PREFECT_"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    yield Settings(_env_file=None, home=tmp_path / "home", upstream="live", history_first_season=2025)
    for home in (tmp_path / "home", tmp_path / "home" / "demo"):
        close_houses(home)


@pytest.fixture
def nothing_starts(monkeypatch):
    def started(*_, **__):
        raise AssertionError("a server was started")

    monkeypatch.setattr(job.machine, "started", started)


def closed(settings, day, **rows):
    house = House.of(settings)
    house.ledger.begin(tables.PROPS.name, str(day), run_id="r")
    house.ledger.complete(tables.PROPS.name, str(day), run_id="r", rows_in=1, rows_loaded=1)


@pytest.mark.usefixtures("nothing_starts")
def test_a_plan_names_the_days_that_lack_a_slate_and_starts_nothing(settings):
    closed(settings, FIRST)
    plan = local.planned(settings, RANGE)
    assert (plan.todo, dict(plan.skipped)) == ((FIRST + dt.timedelta(days=1), LAST), {Condition.COMPLETE: 1})


@pytest.mark.usefixtures("nothing_starts")
def test_a_backfill_of_days_that_are_all_done_says_so_and_starts_nothing(settings, capsys):
    for ago in range(3):
        closed(settings, LAST - dt.timedelta(days=ago))
    local.backfill(settings, **RANGE)
    assert capsys.readouterr().out.strip() == local.planned(settings, RANGE).sentence()


@pytest.mark.usefixtures("nothing_starts")
@pytest.mark.parametrize(
    ("command", "said"),
    [
        (lambda settings: local.refresh(dt.date(2024, 6, 1), settings), "the first day kept as history"),
        (lambda settings: local.refresh(dt.date(9999, 12, 31), settings), "lies in the future"),
        (lambda settings: local.fetch_history(dt.date(9999, 12, 31), settings), "lies in the future"),
        (lambda settings: replaying.replay(settings, None, None), "No row like that is in quarantine"),
        (lambda settings: replaying.replay(settings, "core_quotes", FIRST), "No row like that is in quarantine"),
    ],
)
def test_what_makes_no_sense_is_refused_before_a_server_is_started(settings, command, said):
    with pytest.raises(UsageError, match=said):
        command(settings)


@contextlib.contextmanager
def at_work(settings, title, *, keep=False):
    """A command whose servers are up and whose runs do nothing."""
    up = SimpleNamespace(house=House.of(settings), settings=settings, prefect=None)
    yield SimpleNamespace(up=up, console=None, page="page", run=lambda *_, **__: None)


def test_a_back_test_of_days_without_games_writes_nothing(settings, monkeypatch, tmp_path):
    monkeypatch.setattr(job, "at_work", at_work)
    monkeypatch.setattr(local, "_history", lambda *_: None)
    house = House.of(local.with_season_before(settings, FIRST))
    house.lake.write(tables.GAMES.name, FIRST, games(FIRST, 1, status="Postponed"))
    with pytest.raises(UsageError, match=f"No game was played from {FIRST} to {LAST}; nothing to predict"):
        local.backtest(FIRST, LAST, settings, tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


def test_a_back_test_of_the_postseason_says_that_it_is_not_walked_through(settings, monkeypatch, tmp_path):
    monkeypatch.setattr(job, "at_work", at_work)
    monkeypatch.setattr(local, "_history", lambda *_: None)
    house = House.of(local.with_season_before(settings, FIRST))
    house.lake.write(tables.GAMES.name, FIRST, games(FIRST, 1, 2, game_type="D"))
    house.lake.write(tables.GAMES.name, LAST, games(LAST, 3, game_type="S"))
    with pytest.raises(UsageError, match=f"None of the 2 games from {FIRST} to {LAST} is of a regular season"):
        local.backtest(FIRST, LAST, settings, tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize(
    ("year", "said"),
    [(2024, ["in sample 2024-04-03 to 2024-04-04: ", " was fitted on days up to 2024-09-30"]), (2025, [])],
)
def test_a_back_test_of_days_that_the_numbers_in_use_saw_says_so(settings, monkeypatch, tmp_path, capsys, year, said):
    monkeypatch.setattr(job, "at_work", at_work)
    monkeypatch.setattr(local, "_history", lambda *_: None)
    first, last = dt.date(year, 4, 3), dt.date(year, 4, 4)
    settings = local.with_season_before(settings.model_copy(update={"history_first_season": 2024}), first)
    house = House.of(settings)
    for (day,), rows in tally(pitches(4, first=dt.date(year, 4, 1))).group_by("game_date"):
        house.lake.write(project.TALLIES, day, rows)
    local.backtest(first, last, settings, tmp_path / "out.csv")
    told = capsys.readouterr().out
    assert "predictions from" in told
    assert ("in sample" in told) is bool(said)
    assert all(words in told for words in said)


def test_what_was_left_running_is_ended_and_named(settings, capsys):
    embedded.ensure(settings.home / "redis")
    kept.note(settings.home, [], settings.home / "redis")
    local.stop(settings)
    assert capsys.readouterr().out == f"ended Redis under {settings.home / 'redis'}\n"
    local.stop(settings)
    assert capsys.readouterr().out == "nothing was left running\n"


def test_a_run_that_left_days_to_do_says_how_many_and_fails(settings, monkeypatch):
    from deployments import show
    from tasks.backfill import BackfillSummary

    plan = local.planned(settings, RANGE)
    summary = BackfillSummary(plan, {Condition.FAILED: 2}, {FIRST: "the feed was down", LAST: "too"})
    state = SimpleNamespace(is_final=lambda: True, result=lambda **_: summary)

    @contextlib.contextmanager
    def work(*_, **__):
        yield SimpleNamespace(state=lambda *_, **__: state, page="page", console=None)

    shown = []
    monkeypatch.setattr(job, "at_work", work)
    monkeypatch.setattr(show, "backfill", lambda *told: shown.append(told))
    with pytest.raises(BackstopError, match=r"^2 days are still to do; the same command does only those"):
        local.backfill(settings, **RANGE)
    assert shown == [(None, summary, "page")]


def test_rows_of_quarantine_are_replayed_by_the_runs_that_their_tables_need(settings, monkeypatch, capsys):
    from rich.console import Console

    house = House.of(settings.model_copy(update={"upstream": f"replay:{settings.archive_dir}"}))
    row = pl.DataFrame({"row": ['{"n": 1}'], "rule": ["r"], "reason": ["why"]})
    for table, day in (("core_pitches", FIRST), ("core_quotes", LAST)):
        house.quarantine.put(table, day, row, run_id="r", raw_ref=None)
    ran = []

    def run(flow, day):
        ran.append((flow.name, day))
        return SimpleNamespace(version=1)

    @contextlib.contextmanager
    def work(settings, title, *, keep=False):
        ran.append(title)
        up = SimpleNamespace(house=House.of(settings))
        yield SimpleNamespace(up=up, console=Console(width=200), run=run)

    monkeypatch.setattr(replaying.job, "at_work", work)
    replaying.replay(settings, None, None)
    assert ran[0] == "replay of 2 quarantined rows"
    assert ("history-refresh", FIRST + dt.timedelta(days=1)) in ran
    assert f"core_pitches {FIRST}: 1 rows were in quarantine, 1 are" in capsys.readouterr().out
