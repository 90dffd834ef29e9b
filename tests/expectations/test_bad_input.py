"""What must not spoil a slate: each kind from the lake's history to the reader, in the steps that the tasks wrap."""

from __future__ import annotations

import datetime as dt
import itertools
import math

import polars as pl
import pytest

from backstop import tables
from backstop.features.tally import tally
from backstop.props import settle
from backstop.stages import keep, project, publish
from expectations.check import check
from expectations.features import features_suite
from expectations.props import props_suite
from tests.features.season import FIRST, batter, pitcher, pitches, slate
from tests.stages.conftest import clock, redis_url, settings, store  # noqa: F401 - fixtures
from tests.stages.test_grade import full, quotes_of

NUMBER = 12
DAY = FIRST + dt.timedelta(days=NUMBER)
HITTER = batter(0, 1)


@pytest.fixture(scope="module")
def tallies():
    return tally(pitches(NUMBER))


@pytest.fixture
def league(store, tallies):  # noqa: F811 - the fixture imported above
    """Twelve days of history and the line-ups of the next."""
    for (day,), rows in tallies.group_by("game_date"):
        store.lake.write(project.TALLIES, day, rows)
    games, players = slate(NUMBER)
    store.lake.write("core_games", DAY, games)
    store.lake.write("core_players", DAY, players)
    return store


def sifted(house, table, file, suite):
    rows = pl.read_parquet(file)
    verdict = check(rows, suite)
    checked = keep.Checked(
        table, DAY, rows.height, verdict.kept, verdict.rejected, verdict.blocked, rules=verdict.rules
    )
    return keep.sift(house, checked, file, "run")


def published(house, *, features=None, props=None, run_id="run"):
    """Publish the slate; `features` and `props` spoil the rows on their way. Return who is absent, and what is read."""
    path, gaps = project.build_features(house, DAY, run_id)
    if features:
        features(pl.read_parquet(path)).write_parquet(path)
    everybody = pl.read_parquet(path)["player_id_mlbam"].unique().to_list()
    staged = project.project(house, DAY, run_id, 1, everybody, path, priced=True)
    if props:
        props(pl.read_parquet(staged.props)).write_parquet(staged.props)
    outcomes = [
        sifted(house, "out_features", staged.features, features_suite()),
        sifted(house, "out_props", staged.props, props_suite()),
    ]
    draft = publish.open_draft(house, DAY, run_id)
    loaded = publish.load(house, draft, staged)
    publish.publish(house, draft, DAY, [staged], [loaded], 0, gaps, outcomes[1])
    return {gap.key: gap.reason for gap in gaps}, house.reader.props(DAY), outcomes


def test_a_line_up_of_eight_leaves_out_the_starter_who_faces_it_by_name_and_nobody_else(league):
    players = league.lake.read("core_players", DAY)
    game = players.filter(player_id_mlbam=HITTER)["game_pk"].item()
    facing = players.filter(pl.col("is_starting_pitcher") & (pl.col("game_pk") == game) & (pl.col("team") != "AAA"))
    _, whole, _ = published(league)
    league.lake.write("core_players", DAY, players.filter(pl.col("player_id_mlbam") != HITTER))
    absent, props, _ = published(league, run_id="again")
    starter = facing["player_id_mlbam"].item()
    assert absent == {f"game {game} player {starter}": "the line-up of AAA has 8 names, not 9"}
    assert set(whole["player_id_mlbam"]) - set(props["player_id_mlbam"]) == {HITTER, starter}


def test_a_starter_scratched_after_the_projection_is_void_and_his_replacement_projected_on_the_next_run(league):
    _, before, _ = published(league)
    scratched, replacement = pitcher(0, NUMBER), pitcher(0, NUMBER + 1)
    box = pl.DataFrame(
        {"game_pk": before.filter(player_id_mlbam=scratched)["game_pk"][:1], "player_id_mlbam": replacement}
    )
    played = full(tables.BOX, box.with_columns(game_date=pl.lit(DAY), is_starter=pl.lit(value=True), batters_faced=20))
    games = league.lake.read("core_games", DAY)
    over = games.with_columns(status=pl.lit("Final"), abstract_status=pl.lit("Final"))
    settled = settle.settle(before, played, over).filter(player_id_mlbam=scratched)
    assert set(settled["result"]) == {"void"}
    assert set(settled["reason"]) == {"he did not start"}
    changed = {scratched: replacement}
    starters = pl.col("home_starter_id_mlbam", "away_starter_id_mlbam")
    league.lake.write("core_games", DAY, games.with_columns(starters.replace(changed)))
    players = league.lake.read("core_players", DAY)
    league.lake.write("core_players", DAY, players.with_columns(pl.col("player_id_mlbam").replace(changed)))
    _, after, _ = published(league, run_id="again")
    assert replacement in set(after["player_id_mlbam"])
    assert scratched not in set(after["player_id_mlbam"])


def test_a_player_without_history_is_projected_from_the_prior_of_his_role_and_says_so(league):
    players = league.lake.read("core_players", DAY)
    league.lake.write("core_players", DAY, players.with_columns(pl.col("player_id_mlbam").replace(HITTER, 999_999)))
    _, props, _ = published(league)
    assert props.filter(player_id_mlbam=999_999)["prob_over"].is_between(0, 1).all()
    features = league.reader.player(999_999, DAY).features
    assert [row["prior_only"] for row in features] == [True]
    assert features[0]["history_pa"] == 0


def test_a_quote_at_an_impossible_price_prices_nothing(league):
    _, plain, _ = published(league)
    quotes = quotes_of(plain, 2.1, dt.datetime(2024, 4, 13, 12, tzinfo=dt.UTC))
    impossible = itertools.cycle([1.0, 0.0, -110.0, math.nan, math.inf])
    prices = [next(impossible) if side == "over" else price for side, price in quotes["side", "price_decimal"].rows()]
    assert quotes.filter(side="over").height >= 5
    league.lake.write("core_quotes", DAY, quotes.with_columns(price_decimal=pl.Series(prices, dtype=pl.Float64)))
    _, props, _ = published(league, run_id="again")
    hits = props.filter(market="batter_hits", line=0.5)
    assert set(hits["best_side"]) == {"under"}
    assert hits["market_prob_over"].null_count() == hits.height


def test_a_market_with_one_side_has_a_best_price_but_no_fair_one_and_no_stake(league):
    _, plain, _ = published(league)
    quotes = quotes_of(plain, 2.1, dt.datetime(2024, 4, 13, 12, tzinfo=dt.UTC)).filter(side="over")
    league.lake.write("core_quotes", DAY, quotes)
    _, props, _ = published(league, run_id="again")
    hits = props.filter(market="batter_hits", line=0.5)
    assert (hits["best_price_decimal"] == 2.1).all()
    for column in ("market_prob_over", "market_prob_low", "edge", "edge_band"):
        assert hits[column].null_count() == hits.height
    assert (hits["kelly_quarter"] == 0).all()


@pytest.mark.parametrize("column", ["prob_over", "prob_under", "mean", "fair_over_decimal"])
def test_nan_in_a_prop_is_quarantined_and_never_published(league, column):
    def spoil(props):
        one = pl.int_range(pl.len()) == 5
        return props.with_columns(pl.when(one).then(pl.lit(math.nan)).otherwise(column).alias(column))

    _, props, (_, outcome) = published(league, props=spoil)
    assert outcome.quarantined == 1
    assert props.height == outcome.loaded == outcome.rows_in - 1
    assert props[column].drop_nulls().is_finite().all()


def test_nan_in_a_feature_reaches_no_reader_as_a_feature_or_as_a_prop(league):
    def spoil(features):
        his = pl.col("player_id_mlbam") == HITTER
        return features.with_columns(
            vs_starter_single=pl.when(his).then(pl.lit(math.nan)).otherwise("vs_starter_single")
        )

    _, props, (features, _) = published(league, features=spoil)
    assert features.quarantined == 1
    assert props.filter(pl.col("prob_over").is_nan()).is_empty()
    assert league.reader.player(HITTER, DAY).features == []
