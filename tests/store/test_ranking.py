"""The rows that are kept ready, against a slow reference: nulls, ties, few rows and markets, any order."""

import math

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backstop.store import ranking
from backstop.store.kinds import ALL_MARKETS, PROPS
from backstop.store.ranking import Ranking

SCORES = st.one_of(st.none(), st.sampled_from([0.0, -0.5, 0.25, 1.0]), st.floats(-1, 1))
ROWS = st.lists(st.tuples(st.integers(1, 6), st.sampled_from(["hits", "runs", "wälks"]), SCORES, SCORES), min_size=1)


def frame_of(rows):
    players, markets, evs, edges = zip(*rows, strict=True)
    names = [f"p{n:03}" for n in range(len(rows))]
    columns = {"player_id_mlbam": players, "prop_id": names, "market": markets, "ev_per_unit": evs, "edge": edges}
    types = {"player_id_mlbam": pl.Int64, "market": pl.String, "ev_per_unit": pl.Float64, "edge": pl.Float64}
    return pl.DataFrame(columns, schema_overrides=types, strict=False)


@pytest.fixture(autouse=True, params=[(7, 3, 1000), (2, 1, 6)], ids=["all rows told", "most rows fall short"])
def few(monkeypatch, request):
    """So few rows kept ready that others fall short, also of what the first rows tell."""
    for name, count in zip(("TOP_OF_ALL", "TOP_PER_MARKET", "RANKED_ROWS"), request.param, strict=True):
        monkeypatch.setattr(ranking, name, count)


def best_of(frame):
    """The rows that are kept ready: a frame of row, market and score per order."""
    schema = {"row": pl.Int64, "market": pl.String, "score": pl.Float64}
    found = {order: [pl.DataFrame(schema=schema)] for order, _ in PROPS.orders}
    for some in Ranking.of(PROPS, frame).best():
        told = {"row": some.rows, "market": [some.market] * len(some.rows), "score": some.scores}
        found[some.order].append(pl.DataFrame(told, schema=schema))
    return {order: pl.concat(parts) for order, parts in found.items()}


def best_scores(frame, column, market, most):
    """The scores of the best rows, by sorting all of them."""
    chosen = frame if market == ALL_MARKETS else frame.filter(market=market)
    return sorted(chosen[column].drop_nulls().to_list(), reverse=True)[:most]


@settings(max_examples=200)
@given(rows=ROWS)
def test_the_best_rows_are_those_that_sorting_finds(rows):
    frame = frame_of(rows)
    for order, column in PROPS.orders:
        best = best_of(frame)[order]
        for market in {*frame["market"].to_list(), ALL_MARKETS}:
            mine = best.filter(market=market)
            most = ranking.TOP_OF_ALL if market == ALL_MARKETS else ranking.TOP_PER_MARKET
            assert sorted(mine["score"].to_list(), reverse=True) == best_scores(frame, column, market, most)
            assert mine["row"].is_unique().all()
            there = frame[mine["row"].to_list()]
            assert there[column].to_list() == mine["score"].to_list()
            assert market == ALL_MARKETS or set(there["market"]) <= {market}


def test_a_market_without_any_score_has_no_best_rows_and_hinders_no_other():
    frame = frame_of([(1, "hits", None, 0.5), (2, "runs", 0.25, None), (3, "runs", math.nan, 0.25)])
    best = best_of(frame)
    assert sorted(best["ev"].select("market", "score").rows()) == [("all", 0.25), ("runs", 0.25)]
    assert sorted(best["edge"].select("market", "score").rows()) == [
        ("all", 0.25), ("all", 0.5), ("hits", 0.5), ("runs", 0.25),
    ]  # fmt: skip


def test_slates_without_any_price_have_no_best_rows():
    best = best_of(frame_of([(n, "hits", None, None) for n in range(40)]))
    assert [frame.height for frame in best.values()] == [0, 0]


def test_a_row_whose_market_is_not_known_is_among_the_best_of_all_alone():
    frame = frame_of([(1, None, 0.9, 0.9), (2, "hits", 0.1, 0.1)])
    ev = best_of(frame)["ev"]
    assert sorted(ev.filter(market=ALL_MARKETS)["score"].to_list()) == [0.1, 0.9]
    assert ev.filter(pl.col("market") != ALL_MARKETS).select("market", "score").rows() == [("hits", 0.1)]


def test_scores_of_single_precision_are_ranked_as_doubles():
    frame = frame_of([(n, "hits", n / 10, n / 10) for n in range(10)]).with_columns(pl.col("edge").cast(pl.Float32))
    edge = best_of(frame)["edge"].filter(market="hits")
    assert edge.schema["score"] == pl.Float64
    assert sorted(edge["score"].to_list()) == pytest.approx([0.7, 0.8, 0.9][-ranking.TOP_PER_MARKET :])
