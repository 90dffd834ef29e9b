"""The model fitted on the lake's own past: on command, by itself, kept only where it is better, never leaking back."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re

import polars as pl
import pytest

from backstop.errors import DataError
from backstop.features.tally import tally
from backstop.fitting.model import FEWEST_DAYS, Verdict
from backstop.lake.states import State
from backstop.props import refit as kept_fits
from backstop.props.calibration import Calibration, Platt
from backstop.props.fitted import Fitted
from backstop.stages import project, publish, refitting
from backstop.stages.house import House
from tests.features.season import pitches

FIRST = dt.date(2025, 4, 1)
DAYS = 36
LAST = FIRST + dt.timedelta(days=DAYS - 1)
MARKETS = pl.DataFrame(schema={"market": pl.String, "props": pl.Int64, "log_loss": pl.Float64, "in_use": pl.Float64})


@pytest.fixture(scope="module")
def tallies():
    return tally(pitches(DAYS, first=FIRST))


def fill(house: House, tallies: pl.DataFrame) -> House:
    for (day,), rows in tallies.group_by("game_date"):
        house.lake.write(project.TALLIES, day, rows)
    return house


@pytest.fixture
def league(house, tallies):
    return fill(house, tallies)


def day(number: int) -> dt.date:
    return FIRST + dt.timedelta(days=number)


def test_a_month_fits_the_model_and_says_how_it_did_beside_the_fit_in_use_on_days_that_neither_saw(league):
    kept_fits.keep(league.lake, another(day(10), "first"))
    kept_fits.keep(league.lake, another(day(30), "later"))
    done = refitting.refit(league, day(4), LAST)
    assert done.verdict is not None
    assert (done.verdict.first, done.verdict.last) == (day(28), LAST)
    assert done.kept is done.verdict.better
    assert done.verdict.seen_until is None
    assert done.in_use == another(day(10), "first"), "the newest one that saw nothing of the days that are judged"
    assert done.until_now == another(day(30), "later")
    parts = (done.fitted.parameters, done.fitted.ladders, done.fitted.calibration)
    (version,) = {part.version for part in parts}
    assert re.fullmatch("lake-20250405-20250506-[0-9a-f]{6}", version)
    assert {part.last_day for part in parts} == {LAST}
    assert {part.trained_on for part in parts} == {"lake, 2025-04-05 to 2025-05-06"}
    assert done.fitted.parameters != Fitted.shipped().parameters
    markets = done.verdict.markets
    assert markets.select(pl.col("props", "log_loss", "log_loss_in_use").is_not_null().all()).row(0) == (True,) * 3
    weighted = (markets["props"] * (markets["log_loss"] - markets["log_loss_in_use"])).sum() / markets["props"].sum()
    assert done.verdict.difference == pytest.approx(weighted)
    # without box scores nothing is known of runs: the ladders stay, the outs are fitted where starts suffice
    assert done.fitted.ladders.markets == done.in_use.ladders.markets


def test_a_shorter_window_fits_the_calibration_alone(league):
    done = refitting.refit(league, day(20), day(20 + FEWEST_DAYS // 2))
    assert done.verdict is None
    assert done.kept
    assert done.fitted.parameters == Fitted.shipped().parameters
    assert done.fitted.ladders == Fitted.shipped().ladders
    assert done.fitted.calibration.version.startswith("lake-20250421-20250506-")
    assert kept_fits.latest(league.lake, day(36)) == done.fitted
    assert kept_fits.latest(league.lake, day(35)) == Fitted.shipped()


def test_too_few_games_are_refused_and_nothing_is_kept(league):
    with pytest.raises(DataError, match="too few games to fit a calibration"):
        refitting.refit(league, day(1), day(1))
    assert kept_fits.latest(league.lake, day(300)) == Fitted.shipped()


@pytest.mark.parametrize(
    ("difference", "error", "better"),
    [(-0.002, 0.001, True), (-0.001, 0.002, False), (0.001, 0.0001, False), (0, 0, False)],
)
def test_better_means_by_more_than_the_standard_error(difference, error, better):
    assert Verdict(FIRST, LAST, MARKETS, difference, error).better is better


def another(last_day: dt.date, version: str) -> Fitted:
    """A fit that differs in every part."""
    shipped, named = Fitted.shipped(), {"version": version, "last_day": last_day}
    ladders = shipped.ladders.model_copy(update=named)
    parameters = shipped.parameters.model_copy(update={**named, "season_weights": (1.0, 1.0, 1.0, 1.0)})
    platt = Calibration(
        version=version, trained_on="here", last_day=last_day, markets={"batter_hits": Platt(slope=0.5)}
    )
    return Fitted(parameters, ladders, platt)


def test_a_fit_comes_back_from_the_lake_as_it_was_kept(house):
    for number in (3, 9):
        kept_fits.keep(house.lake, another(day(number), f"v{number}"))
    assert kept_fits.latest(house.lake, day(3)) == Fitted.shipped()
    assert kept_fits.latest(house.lake, day(4)) == kept_fits.latest(house.lake, day(9)) == another(day(3), "v3")
    assert kept_fits.latest(house.lake, day(10)) == another(day(9), "v9")
    kept_fits.keep(house.lake, another(day(9), "again"))
    assert kept_fits.latest(house.lake, day(10)).version == "again+again"


def test_plain_values_give_the_same_fit():
    fitted = another(LAST, "x")
    assert Fitted.parse(fitted.dumped()) == fitted


def test_every_part_behind_a_version_is_recorded_once_under_its_own_last_day(house):
    mixed = dataclasses.replace(Fitted.shipped(), calibration=another(day(2), "mine").calibration)
    for _ in range(2):
        kept_fits.record(house.lake, mixed)
    rows = house.lake.scan(kept_fits.MODELS).collect().sort("game_date", "kind")
    shipped = Fitted.shipped().parameters.last_day
    assert rows.select("game_date", "kind").rows() == [
        (shipped, "ladders"),
        (shipped, "parameters"),
        (day(2), "calibration"),
    ]
    kept_fits.record(house.lake, mixed.uncalibrated())
    assert house.lake.scan(kept_fits.MODELS).collect().height == 3


def test_a_slate_tells_its_readers_of_a_fit_that_is_not_the_shipped_one(house):
    assert "fitted" not in publish.meta_of(house, day(5), "one", 0, ())
    kept_fits.keep(house.lake, another(day(3), "own"))
    assert "fitted" not in publish.meta_of(house, day(5), "one", 0, ()), "a run has one fit from its start to its end"
    assert Fitted.of_meta(publish.meta_of(house, day(5), "two", 0, ())) == another(day(3), "own")
    assert "fitted" not in publish.meta_of(house, day(3), "three", 0, ())


def with_days(house: House, tallies: pl.DataFrame, numbers: range) -> None:
    one = tallies.filter(pl.col("game_date") == FIRST)
    for number in numbers:
        house.lake.write(project.TALLIES, day(number), one.with_columns(game_date=pl.lit(day(number))))


def test_a_refit_is_due_after_sixty_days_with_games_that_the_last_did_not_see(house, tallies):
    with_days(house, tallies, range(59))
    assert refitting.due(house, day(200)) is None
    with_days(house, tallies, range(59, 60))
    assert refitting.due(house, day(59)) is None, "the day itself is not over"
    assert refitting.due(house, day(60)) == (day(0), day(59))
    kept_fits.keep(house.lake, another(day(10), "own"))
    assert refitting.due(house, day(60)) is None


def test_days_that_the_shipped_fit_saw_do_not_make_a_refit_due(house, tallies):
    old = Fitted.shipped().calibration.last_day
    one = tallies.filter(pl.col("game_date") == FIRST)
    for number in range(80):
        day_before = old - dt.timedelta(days=number)
        house.lake.write(project.TALLIES, day_before, one.with_columns(game_date=pl.lit(day_before)))
    assert refitting.due(house, day(0)) is None


def test_the_window_is_the_newest_season(house, tallies, monkeypatch):
    monkeypatch.setattr(refitting, "REFIT_AFTER", 5)
    monkeypatch.setattr(refitting, "SEASON_DAYS", 7)
    with_days(house, tallies, range(12))
    assert refitting.due(house, day(30)) == (day(5), day(11))


def test_what_is_due_is_done_once_and_noted(league, monkeypatch):
    monkeypatch.setattr(refitting, "REFIT_AFTER", 10)
    monkeypatch.setattr(refitting, "SEASON_DAYS", 12)
    done = refitting.when_due(league, day(36), "run")
    assert done is not None
    assert done.fitted.calibration.last_day == LAST
    entry = league.ledger.entry(kept_fits.TABLE, str(LAST))
    assert entry.state is State.COMPLETE
    assert refitting.when_due(league, day(36), "run") is None


def test_a_try_that_was_not_kept_waits_for_new_days_too(house, tallies):
    with_days(house, tallies, range(70))
    house.ledger.begin(kept_fits.TABLE, str(day(69)), run_id="run")
    house.ledger.complete(kept_fits.TABLE, str(day(69)), run_id="run", rows_in=0)
    assert refitting.due(house, day(100)) is None


def test_with_the_numbers_of_a_fit_a_slate_is_projected_features_and_all(league):
    from tests.features.season import slate

    games, players = slate(DAYS)
    games, players = (frame.with_columns(game_date=pl.lit(day(DAYS))) for frame in (games, players))
    league.lake.write("core_games", day(DAYS), games)
    league.lake.write("core_players", day(DAYS), players)

    def served(fitted):
        if fitted:
            kept_fits.keep(league.lake, fitted)
        path, _ = project.build_features(league, day(DAYS), "run")
        return pl.read_parquet(path)

    shipped = served(None)
    base = Fitted.shipped()
    steadier = base.parameters.model_copy(
        update={"batter_k": tuple(k * 8 for k in base.parameters.batter_k), "last_day": LAST, "version": "k"}
    )
    calm = served(Fitted(steadier, base.ladders, base.calibration.model_copy(update={"last_day": LAST})))
    spread = [frame.filter(role="batter")["rate_strikeout"].std() for frame in (shipped, calm)]
    assert spread[1] < spread[0] / 1.5
