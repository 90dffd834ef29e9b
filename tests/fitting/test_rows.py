"""What a training window gathers: rows as of each day, what happened beside them, and nothing of later days."""

from __future__ import annotations

import dataclasses
import datetime as dt

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from backstop.features import asof
from backstop.features.build import SCHEMA
from backstop.features.parameters import default
from backstop.features.walk import walk
from backstop.fitting.rows import PLAYER, box_results, gather, happened, no_results, plain, together
from backstop.tables import BOX

PLAIN = plain(default())


@pytest.fixture(scope="module")
def rows(window):
    return gather(window, PLAIN)


def test_the_features_are_those_that_a_walk_through_the_same_days_yields(rows, window):
    walked = pl.concat([frame for _, frame in walk(window.tallies, window.first, window.last, parameters=PLAIN)])
    mine = rows.features.drop("as_of").sort("game_pk", "role", "player_id_mlbam")
    assert_frame_equal(mine, walked.drop("as_of").sort("game_pk", "role", "player_id_mlbam"), check_exact=True)
    assert mine.columns == [name for name in SCHEMA if name != "as_of"]


def test_a_day_later_changes_nothing_of_the_days_before(rows, window):
    shorter = gather(window.until(window.last - dt.timedelta(days=4)), PLAIN)
    early = rows.features.filter(pl.col("game_date") < window.last - dt.timedelta(days=4))
    assert 0 < early.height == shorter.features.height < rows.features.height
    assert_frame_equal(early, shorter.features, check_exact=True)


def test_a_window_until_a_day_holds_nothing_of_a_game_that_was_finished_on_it_or_later(window):
    """Its own players may stand on the slate all the same: what box scores say of them must be gone as well."""
    game, day = window.played["game_pk"].min(), window.last - dt.timedelta(days=4)
    told = pl.DataFrame({"game_id": [str(game), "0"], "player_id": "1", "market": "batter_rbis", "value": [2, 1]})
    resumed = asof.resumed(window.tallies.lazy(), pl.DataFrame({"game_pk": [game], "known_on": [day]})).collect()
    held = dataclasses.replace(window, tallies=resumed, results=told)
    before, after = held.until(day), held.until(day + dt.timedelta(days=1))
    assert game not in before.tallies["game_pk"]
    assert before.results["game_id"].to_list() == ["0"]
    assert game in after.played["game_pk"]
    assert after.results["game_id"].to_list() == [str(game), "0"]


def test_without_terms_the_batters_faced_are_the_mean_of_recent_starts(rows):
    started = rows.features.filter(pl.col("role") == "starter")
    # every start of the small season is of 24 turns at bat
    assert started["batters_faced_mean"].round(6).is_between(21.6, 24.0).all()


def test_what_happened_adds_up_to_what_was_played(window):
    counted = happened(window.played)
    batters, starters = counted.filter(role="batter"), counted.filter(role="starter")
    played = window.played
    assert batters["turns"].sum() == played.filter(pl.col("slot") > 0)["plate_appearances"].sum()
    assert batters["refined_count"].sum() == played.filter(pl.col("slot") > 0)["n_home_run"].sum()
    assert starters["turns"].sum() == played.filter("pitcher_started")["plate_appearances"].sum()
    assert starters["refined_count"].sum() == played.filter("pitcher_started")["n_strikeout"].sum()
    assert starters["outs"].sum() == played.filter("pitcher_started")["outs_recorded"].sum()
    assert counted.select(PLAYER).is_unique().all()


def test_joined_rows_hold_each_player_of_the_role_who_came_up(rows):
    for role, each_day in (("batter", 36), ("starter", 4)):
        joined = rows.joined(role)
        assert set(joined["role"]) == {role}
        assert joined.height == each_day * joined["game_date"].n_unique()
        assert joined["turns"].min() > 0


def test_rates_over_the_leagues_centre_on_one(rows):
    starters = rows.joined("starter")
    assert 0.8 < starters["rate"].mean() < 1.2


def test_batters_who_are_left_out_are_in_no_row_and_their_opponents_stay(window, rows):
    someone = rows.features.filter(role="batter").select("game_pk", "player_id_mlbam").head(3)
    without = gather(dataclasses.replace(window, left_out=someone), PLAIN)
    assert without.features.height == rows.features.height - 3
    assert without.features.filter(role="starter").equals(rows.features.filter(role="starter"))
    aside = dataclasses.replace(window, left_out=someone)
    gone = window.played.height - aside.batted.height
    assert (
        gone
        == window.played.join(
            someone.rename({"player_id_mlbam": "batter_id_mlbam"}), on=["game_pk", "batter_id_mlbam"], how="semi"
        ).height
    )
    assert window.batted.equals(window.played)


def test_windows_together_are_their_rows_one_after_the_other(window):
    middle = window.first + dt.timedelta(days=9)
    parts = [window.until(middle), dataclasses.replace(window, first=middle)]
    whole = together([gather(each, PLAIN) for each in parts])
    assert whole.features.equals(gather(window, PLAIN).features)
    assert whole.happened.height == happened(window.played).height


def test_a_window_without_games_is_empty_and_typed(window):
    nothing = gather(dataclasses.replace(window, first=dt.date(2030, 1, 1), last=dt.date(2030, 1, 9)), PLAIN)
    assert nothing.features.schema == pl.Schema(SCHEMA)
    assert nothing.joined("starter").is_empty()
    assert nothing.joined("batter").is_empty()


def box(**columns) -> pl.DataFrame:
    row = {name: [columns.get(name)] for name in BOX.schema}
    return pl.DataFrame(row, schema=dict(BOX.schema))


PLAYED = {
    "game_pk": 7, "player_id_mlbam": 9, "plate_appearances": 5, "batters_faced": 0, "is_starter": True, "hits": 3,
    "doubles": 1, "triples": 0, "home_runs": 1, "total_bases": 7, "runs": 2, "rbi": 4, "strikeouts": 1, "walks": 0,
    "stolen_bases": 0,
}  # fmt: skip


def test_box_scores_settle_every_batters_market():
    found = dict(box_results(box(**PLAYED)).select("market", "value").iter_rows())
    assert found == {
        "batter_hits": 3, "batter_total_bases": 7, "batter_home_runs": 1, "batter_strikeouts": 1, "batter_walks": 0,
        "batter_singles": 1, "batter_doubles": 1, "batter_runs_scored": 2, "batter_rbis": 4,
        "batter_hits_runs_rbis": 9, "batter_stolen_bases": 0,
    }  # fmt: skip


def test_a_count_that_the_feed_does_not_tell_leaves_its_markets_out():
    found = box_results(box(**{**PLAYED, "rbi": None, "stolen_bases": None}))
    assert {"batter_rbis", "batter_hits_runs_rbis", "batter_stolen_bases"}.isdisjoint(found["market"])
    assert "batter_runs_scored" in found["market"]


@pytest.mark.parametrize(
    ("changed", "markets"),
    [
        ({"plate_appearances": 0}, 0),
        ({"plate_appearances": 0, "batters_faced": 20, "earned_runs": 3, "outs_recorded": 15}, 2),
        ({"plate_appearances": 0, "batters_faced": 20, "earned_runs": 3, "is_starter": False}, 0),
    ],
    ids=["he neither batted nor pitched", "he started as a pitcher", "he came in relief"],
)
def test_only_batters_who_came_up_and_pitchers_who_started_count(changed, markets):
    assert box_results(box(**{**PLAYED, **changed})).height == markets


def test_no_results_have_the_columns_of_results():
    assert no_results().schema == box_results(box(**PLAYED)).schema
