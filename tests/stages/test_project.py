"""From the lake's history to a batch of props: the newest calibration, every market, nothing that cannot be served."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json

import polars as pl
import pytest

from backstop import tables
from backstop.features.tally import tally
from backstop.props import generate, refit
from backstop.props.calibration import Calibration, Platt
from backstop.props.fitted import Fitted
from backstop.props.markets import MARKETS
from backstop.stages import project
from tests.features.season import FIRST, pitches, slate

NUMBER = 12
DAY = FIRST + dt.timedelta(days=NUMBER)


@pytest.fixture(scope="module")
def tallies():
    return tally(pitches(NUMBER))


@pytest.fixture
def league(house, tallies):
    """Twelve days of history and the line-ups of the next."""
    for (day,), rows in tallies.group_by("game_date"):
        house.lake.write(project.TALLIES, day, rows)
    games, players = slate(NUMBER)
    house.lake.write("core_games", DAY, games)
    house.lake.write("core_players", DAY, players)
    return house


def props_of(house):
    features, _ = project.build_features(house, DAY, "run")
    everybody = pl.read_parquet(features)["player_id_mlbam"].to_list()
    return pl.read_parquet(project.project(house, DAY, "run", 1, everybody, features, priced=False).props)


def test_every_market_is_projected_whether_books_are_asked_for_it_or_not(league):
    assert set(props_of(league)["market"]) == set(MARKETS) - {"batter_stolen_bases"}


def box_scores(house, day, turns):
    """One line of so many turns at bat, a steal in fifty, for every starter."""
    players = house.lake.read("core_players", DAY)["player_id_mlbam"]
    rows = {"game_pk": 1, "player_id_mlbam": players, "plate_appearances": turns, "stolen_bases": turns // 50}
    box = pl.DataFrame(rows).with_columns(game_date=pl.lit(day))
    lacking = [pl.lit(None, dtype=dtype).alias(name) for name, dtype in tables.BOX.schema.items() if name not in box]
    house.lake.write(
        "core_box", day, box.with_columns(lacking).cast(dict(tables.BOX.schema)).select(*tables.BOX.schema)
    )


@pytest.mark.parametrize(
    ("age", "turns", "projected"),
    [(1, 1000, True), (1, 50, False), (0, 1000, False)],
    ids=["enough of them", "too few", "only of the day itself"],
)
def test_stolen_bases_are_projected_where_box_scores_of_earlier_days_tell_of_them(league, age, turns, projected):
    box_scores(league, DAY - dt.timedelta(days=age), turns)
    props = props_of(league)
    steals = props.filter(market="batter_stolen_bases")
    batters = props.filter(market="batter_walks", line=0.5).height
    assert steals.height == (batters if projected else 0)
    assert steals["prob_over"].is_between(0.05, 0.11).all()


def test_the_newest_calibration_that_saw_only_earlier_days_is_used_and_named(league):
    plain = props_of(league)
    for age, slope in ((1, 0.5), (2, 0.7), (0, 0.9)):
        day = DAY - dt.timedelta(days=age)
        fitted = Calibration(
            version=f"fit-{age}", trained_on="here", last_day=day, markets={"batter_hits": Platt(slope=slope)}
        )
        refit.keep(league.lake, dataclasses.replace(Fitted.shipped(), calibration=fitted))
    moved = props_of(league)
    assert moved["model_version"].str.ends_with("+fit-1").all()
    assert not plain["model_version"].str.ends_with("+fit-1").any()
    hits = [frame.filter(market="batter_hits", line=0.5)["prob_over"] for frame in (plain, moved)]
    assert ((hits[1] - 0.5).abs() <= (hits[0] - 0.5).abs() + 0.05).all()


def test_the_numbers_behind_a_model_version_lie_in_the_lake_with_their_training_window(league):
    before = DAY - dt.timedelta(days=1)
    mine = Calibration(version="fit", trained_on="here", last_day=before, markets={"m": Platt()})
    refit.keep(league.lake, dataclasses.replace(Fitted.shipped(), calibration=mine))
    version = props_of(league)["model_version"].unique().item()
    kept = league.lake.scan(refit.MODELS).collect()
    named = dict(kept.select("kind", "version").iter_rows())
    assert set(named) == {"parameters", "ladders", "calibration"}
    assert f"{named['parameters']}+{named['calibration']}" == version
    for row in kept.to_dicts():
        assert row["trained_on"]
        assert json.loads(row["fitted"])["last_day"] == str(row["game_date"])
    props_of(league)
    assert league.lake.scan(refit.MODELS).collect().equals(kept)


def test_features_as_readers_are_served_them_give_the_same_props_to_the_last_bit(league):
    path, _ = project.build_features(league, DAY, "run")
    features = pl.read_parquet(path)
    served = project.served(features)
    assert not any(dtype.is_nested() for dtype in served.schema.values())
    assert project.projectable(served).equals(features)
    assert generate.generate(project.projectable(served)).equals(generate.generate(features))


def test_a_batch_of_quotes_of_an_earlier_run_prices_nothing(league):
    priced = props_of(league)
    assert priced.schema == tables.PROPS.schema
    assert (priced["books"] == 0).all()


def test_quotes_that_nothing_was_projected_for_are_counted_with_the_reason(league):
    features, _ = project.build_features(league, DAY, "run")
    starter, other = pl.read_parquet(features)["player_id_mlbam"].unique().sort().head(2)
    staged = project.project(league, DAY, "run", 1, [starter], features, priced=False)
    game_pk = pl.read_parquet(staged.props)["game_pk"][0]
    keys = {"game_pk": game_pk, "market": "batter_hits", "line": 0.5, "price_decimal": 2.0}
    rows = [keys | {"player_id_mlbam": starter}, *[keys | {"player_id_mlbam": other}] * 2, keys | {"game_pk": None}]
    quotes = pl.concat([tables.QUOTES.empty(), pl.DataFrame(rows)], how="diagonal_relaxed")
    league.lake.write("core_quotes", DAY, quotes.cast(tables.QUOTES.schema).with_columns(game_date=pl.lit(DAY)))
    assert project.unpriced(league, DAY, [staged]) == (
        "3 of 4 quotes have no projection: 2 because the player is not projected, 1 because the event matches no game"
    )
    assert project.unpriced(league, DAY, []) == ""


def board_of(features, *lines, sides=("over", "under")):
    """Quotes of one book for every starter at some lines of hits; the second book is 3 % better on every price."""
    rows = [
        {
            "game_pk": row["game_pk"], "player_id_mlbam": row["player_id_mlbam"], "market": "batter_hits", "line": line,
            "side": side, "bookmaker": book, "price_decimal": (1.5 + line) * better,
        }
        for row in features.to_dicts()
        for line in lines
        for side in sides
        for book, better in (("one", 1.0), ("two", 1.03))
    ]  # fmt: skip
    quotes = pl.concat([tables.QUOTES.empty(), pl.DataFrame(rows)], how="diagonal_relaxed")
    return quotes.with_columns(game_date=pl.lit(DAY)).cast(tables.QUOTES.schema)


def test_alternate_lines_add_props_and_change_nothing_of_the_main_ones(league):
    path, _ = project.build_features(league, DAY, "run")
    features = pl.read_parquet(path).filter(pl.col("slot").is_not_null())
    everybody = features["player_id_mlbam"].to_list()
    main, further = board_of(features, 0.5, 1.5), board_of(features, 3.5, 4.5, sides=("over",))

    def priced(quotes):
        league.lake.write("core_quotes", DAY, quotes)
        staged = project.project(league, DAY, "run", 1, everybody, path, priced=True)
        return pl.read_parquet(staged.props), project.unpriced(league, DAY, [staged])

    (plain, _), (wide, lost) = priced(main), priced(pl.concat([main, further]))
    assert lost == ""
    assert wide.join(plain, on="prop_id", how="semi").equals(plain)
    added = wide.join(plain, on="prop_id", how="anti")
    assert sorted(added["line"].unique()) == [3.5, 4.5]
    assert added.height == 2 * len(everybody)
    for column, only in {
        "books": 2,
        "best_side": "over",
        "best_book": "two",
        "market_prob_over": None,
        "edge": None,
    }.items():
        assert added[column].unique().to_list() == [only]
    assert added.sort("line")["best_price_decimal"].unique(maintain_order=True).to_list() == pytest.approx([5.15, 6.18])
    hits = wide.filter(market="batter_hits").sort("player_id_mlbam", "line")
    falls = hits.group_by("player_id_mlbam").agg(pl.col("prob_over").diff().drop_nulls().lt(0).all())
    assert falls["prob_over"].all()
    assert (hits["prob_over"] + hits["prob_under"]).to_list() == pytest.approx([1.0] * hits.height)
