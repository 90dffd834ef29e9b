"""Which fit is used where: one per run, the slate's own afterwards, and what a refit is weighed against."""

from __future__ import annotations

import dataclasses
import datetime as dt

import polars as pl
import pytest

from backstop.errors import DataError
from backstop.fitting.model import Verdict
from backstop.lake.states import State
from backstop.props import refit as kept_fits
from backstop.props.fitted import Fitted
from backstop.stages import fits, project, publish, rebuild, refitting, training
from tests.features.season import slate
from tests.stages.test_refitting import DAYS, FIRST, LAST, MARKETS, another, day, fill, tallies  # noqa: F401 - a fixture

KEPT = "Kept: slates after 2025-05-06 are projected with new+new."


@pytest.fixture
def league(house, tallies):  # noqa: F811 - the fixture
    return fill(house, tallies)


def post(house, number):
    """Put line-ups of a day into the lake."""
    games, players = (frame.with_columns(game_date=pl.lit(day(number))) for frame in slate(number))
    house.lake.write("core_games", day(number), games)
    house.lake.write("core_players", day(number), players)


def steadier(last_day, version):
    """Players are pulled to the league eight times as hard."""
    base = Fitted.shipped()
    named = {"last_day": last_day, "version": version}
    k = {"batter_k": tuple(each * 8 for each in base.parameters.batter_k)}
    return Fitted(base.parameters.model_copy(update=named | k), base.ladders, base.calibration.model_copy(update=named))


def test_a_fit_that_is_kept_while_a_run_is_under_way_waits_for_the_next_one(league):
    post(league, DAYS)
    path, _ = project.build_features(league, day(DAYS), "run")
    kept_fits.keep(league.lake, steadier(LAST, "late"))
    everybody = pl.read_parquet(path)["player_id_mlbam"].to_list()
    staged = project.project(league, day(DAYS), "run", 1, everybody, path, priced=False)
    assert set(pl.read_parquet(staged.props)["model_version"]) == {Fitted.shipped().version}
    assert "fitted" not in publish.meta_of(league, day(DAYS), "run", 0, ())
    assert "late" not in league.lake.scan(kept_fits.MODELS).collect()["version"].to_list()
    project.build_features(league, day(DAYS), "next")
    assert fits.of_run(league, day(DAYS), "next") == steadier(LAST, "late")


@pytest.mark.parametrize("number", [DAYS - 1, DAYS], ids=["tallied", "not tallied yet"])
def test_a_days_features_built_again_are_those_that_were_served_with_a_kept_fit(league, number):
    post(league, number)
    kept_fits.keep(league.lake, steadier(day(DAYS - 2), "own"))
    path, _ = project.build_features(league, day(number), "run")
    served = pl.read_parquet(path)
    league.lake.write(project.FEATURES, day(number), served)
    again = training.rows(league, day(number), day(number), rebuild=True)
    assert again.rebuilt == (day(number),)
    key = ["game_pk", "role", "player_id_mlbam"]
    assert again.rows.equals(served.sort(key))


def test_each_day_of_a_range_is_built_with_the_fit_of_its_own_day(league):
    kept_fits.keep(league.lake, steadier(day(DAYS - 3), "own"))
    with_it = training.rows(league, day(DAYS - 3), LAST).rows
    league.lake.remove(kept_fits.TABLE, day(DAYS - 3))
    shipped = training.rows(league, day(DAYS - 3), LAST).rows
    same = [with_it.filter(game_date=day(each)).equals(shipped.filter(game_date=day(each))) for each in (33, 34, 35)]
    assert same == [True, False, False]


def test_what_readers_are_told_comes_from_the_lake_where_redis_lost_it(store):
    draft = publish.open_draft(store, day(3), "run")
    meta = another(day(1), "own").told()
    published = store.writer.publish(draft, {"features": 0, "props": 0}, meta)
    rebuild.remember(store, draft, published, meta)
    assert Fitted.of_meta(rebuild.meta(store, day(3))) == another(day(1), "own")
    store.redis.flushall()
    assert Fitted.of_meta(rebuild.meta(store, day(3))) == another(day(1), "own")
    assert rebuild.meta(store, day(4)) == {}


def test_a_digest_tells_fits_of_one_window_apart():
    one = another(LAST, "lake-1")
    other = dataclasses.replace(one, calibration=one.calibration.model_copy(update={"markets": {}}))
    assert one.signed("lake-1") == one.signed("lake-1")
    assert one.signed("lake-1").version != other.signed("lake-1").version
    only = dataclasses.replace(Fitted.shipped(), calibration=one.calibration).signed("lake-1")
    assert only.parameters == Fitted.shipped().parameters
    assert only.calibration.version.startswith("lake-1-")


@pytest.mark.parametrize(
    ("kept", "until_now", "told"),
    [
        (True, "first", KEPT),
        (
            True,
            "later",
            f"{KEPT} It takes the place of later+later, which saw some of the days that were judged and was not compared.",
        ),
        (False, "later", "Not kept: it is not better than first+first; later+later stays in use."),
    ],
)
def test_the_outcome_says_what_was_not_compared(kept, until_now, told):
    verdict = Verdict(day(28), LAST, MARKETS, -0.1, 0.01)
    fitted, first, later = another(LAST, "new"), another(day(10), "first"), another(day(30), until_now)
    until = first if until_now == "first" else later
    assert refitting.Refit(fitted, first, verdict, kept, until).outcome == told


@pytest.mark.parametrize(
    ("seen_until", "told"),
    [(None, "which neither saw"), (day(29), "of which first+first saw those up to 2025-04-30, which favours it")],
)
def test_days_that_the_one_in_use_saw_are_named(seen_until, told):
    first = another(day(10), "first")
    verdict = Verdict(day(28), LAST, MARKETS, -0.1, 0.01, seen_until)
    assert refitting.Refit(another(LAST, "new"), first, verdict, kept=True, until_now=first).unseen == told


def test_a_calibration_of_parameters_that_were_replaced_meanwhile_is_refused(league):
    kept_fits.keep(league.lake, another(day(30), "full"))
    with pytest.raises(DataError, match=r"replaced by full, which saw days up to 2025-05-01\. Choose days after"):
        refitting.refit(league, day(24), LAST)
    assert kept_fits.latest(league.lake, day(DAYS)) == another(day(30), "full")


def test_a_refit_that_failed_is_noted_and_due_again(league, monkeypatch):
    monkeypatch.setattr(refitting, "REFIT_AFTER", 1)
    monkeypatch.setattr(refitting, "SEASON_DAYS", 1)
    for attempt in (1, 2):
        with pytest.raises(DataError, match="too few games"):
            refitting.when_due(league, day(DAYS), f"run-{attempt}")
        entry = league.ledger.entry(kept_fits.TABLE, str(LAST))
        assert (entry.state, entry.attempts) == (State.FAILED, attempt)
        assert "too few games" in entry.reason


def test_a_refit_holds_its_key_for_as_long_as_it_may_take_and_one_that_was_killed_does_not_count(league, monkeypatch):
    monkeypatch.setattr(refitting, "REFIT_AFTER", 10)

    def killed(house, *_window):
        entry = house.ledger.entry(kept_fits.TABLE, str(LAST))
        assert entry.lease_until - house.clock.now() == dt.timedelta(hours=1)
        raise KeyboardInterrupt

    monkeypatch.setattr(refitting, "refit", killed)
    with pytest.raises(KeyboardInterrupt):
        refitting.when_due(league, day(DAYS), "run")
    assert league.ledger.entry(kept_fits.TABLE, str(LAST)).state is State.RUNNING
    assert refitting.due(league, day(DAYS)) == (FIRST, LAST)
