"""Batters faced by rest, the season's age and what is known of the starter, case by case."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from backstop.features.build import build
from backstop.features.opportunity import workload
from backstop.features.parameters import Workload, default
from backstop.features.tally import tally
from tests.features.season import pitcher, pitches, slate

TERMS = Workload(
    level=0.0, home=0.0, lineup_on_base=0.0, short_rest=-4.0, long_rest=-3.0, opening=-1.5, relief_few=0.0,
    first_from_relief=-8.0, debut=-1.0,
)  # fmt: skip
FITTED = default().model_copy(update={"workload": TERMS})


@pytest.mark.parametrize(
    ("rest", "season_age", "starts", "relief", "faced"),
    [
        (5, 60, 9, 0.0, 22.0), (4, 60, 9, 0.0, 18.0), (4, 3, 9, 0.0, 18.0), (12, 60, 9, 0.0, 22.0),
        (13, 60, 9, 0.0, 19.0), (13, 22, 9, 0.0, 19.0), (13, 21, 9, 0.0, 20.5), (180, 0, 9, 0.0, 20.5),
        (None, 0, 0, None, 21.0), (None, 60, 0, None, 21.0), (None, 0, 0, 1.0, 14.0),
    ],
)  # fmt: skip
def test_a_long_rest_is_the_winter_while_the_season_is_young(rest, season_age, starts, relief, faced):
    row = {"recent_mean": 22.0, "starts": starts, "relief_share": relief, "days_rest": rest, "season_age": season_age}
    frame = pl.DataFrame([row | {"is_home": True, "lineup_on_base": 0.0}], schema_overrides={"days_rest": pl.Int64})
    assert frame.select(workload(FITTED)).item() == faced


def test_a_fit_that_was_kept_before_there_was_such_a_term_is_read_and_knows_one_long_rest():
    kept = FITTED.model_dump(mode="json")
    del kept["workload"]["opening"]
    row = {"recent_mean": 22.0, "starts": 9, "relief_share": 0.0, "days_rest": 180, "season_age": 0}
    frame = pl.DataFrame([row | {"is_home": True, "lineup_on_base": 0.0}])
    assert frame.select(workload(type(FITTED).model_validate(kept))).item() == 19.0


@pytest.mark.parametrize(("played", "after", "dropped"), [(0, 0, -1.5), (1, 1, -1.5), (1, 21, -1.5), (1, 22, -3.0)])
def test_the_season_is_as_old_as_its_first_game_known_before_the_day(played, after, dropped):
    """Of the year before ten days are known, of this one none or the first; he pitched last in the year before."""
    opened = dt.date(2025, 4, 1)
    parts = [pitches(10, seed=1, first=dt.date(2024, 4, 1))]
    if played:
        parts.append(
            pitches(1, seed=2, first=opened).with_columns(
                pl.col("game_pk") + 1000, pitcher_id_mlbam=pl.lit(999_999, pl.Int64)
            )
        )
    history = tally(pl.concat(parts))
    cutoff = opened + dt.timedelta(days=after)
    games, players = slate(after, first=opened)
    means = []
    for terms in (TERMS, TERMS.model_copy(update={"opening": 0.0, "long_rest": 0.0})):
        fit = FITTED.model_copy(update={"workload": terms})
        features = build(history, games, players, cutoff=cutoff, parameters=fit)
        means.append(features.filter(player_id_mlbam=pitcher(0, after))["batters_faced_mean"].item())
    assert means[0] - means[1] == pytest.approx(dropped)
