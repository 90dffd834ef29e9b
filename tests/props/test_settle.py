from __future__ import annotations

import polars as pl
import pytest

from backstop.props.settle import settle, unsettled
from backstop.tables import BOX


def box(*rows):
    frame = pl.DataFrame(list(rows), infer_schema_length=None)
    lacking = [pl.lit(None, dtype=dtype).alias(n) for n, dtype in BOX.schema.items() if n not in frame.columns]
    return frame.with_columns(lacking).select(pl.col(n).cast(dtype) for n, dtype in BOX.schema.items())


HITTER = {"game_pk": 1, "player_id_mlbam": 10, "is_starter": True, "plate_appearances": 4, "hits": 2, "doubles": 1}
HITTER |= {"triples": 0, "home_runs": 0, "total_bases": 3, "walks": 0, "strikeouts": 1}
PITCHER = {"game_pk": 1, "player_id_mlbam": 20, "is_starter": True, "batters_faced": 22, "pitcher_strikeouts": 6}
PITCHER |= {"outs_recorded": 17, "pitcher_walks": 2, "hits_allowed": 5}
RELIEF = {"game_pk": 1, "player_id_mlbam": 21, "is_starter": False, "batters_faced": 4, "pitcher_strikeouts": 2}
BENCH = {"game_pk": 1, "player_id_mlbam": 11, "is_starter": False, "plate_appearances": 0}


def settled(player, market, line, game=1):
    props = pl.DataFrame({"game_pk": [game], "player_id_mlbam": [player], "market": [market], "line": [line]})
    return settle(props, box(HITTER, PITCHER, RELIEF, BENCH)).row(0, named=True)


@pytest.mark.parametrize(
    ("player", "market", "line", "outcome", "result"),
    [
        (10, "batter_hits", 1.5, 2, "over"),
        (10, "batter_hits", 2.5, 2, "under"),
        (10, "batter_hits", 2.0, 2, "push"),
        (10, "batter_singles", 0.5, 1, "over"),
        (10, "batter_total_bases", 3.5, 3, "under"),
        (20, "pitcher_strikeouts", 5.5, 6, "over"),
        (20, "pitcher_outs", 17.5, 17, "under"),
    ],
)
def test_a_prop_settles_on_its_count(player, market, line, outcome, result):
    row = settled(player, market, line)
    assert (row["outcome"], row["result"], row["reason"]) == (outcome, result, None)


@pytest.mark.parametrize(
    ("player", "market", "game", "result", "reason"),
    [
        (21, "pitcher_strikeouts", 1, "void", "he did not start"),
        (99, "pitcher_strikeouts", 1, "void", "he did not start"),
        (11, "batter_hits", 1, "void", "he did not bat"),
        (99, "batter_hits", 1, "void", "he did not bat"),
        (10, "batter_rbis", 1, "open", "the box score lacks the count"),
        (10, "batter_hits_runs_rbis", 1, "open", "the box score lacks the count"),
        (10, "batter_hits", 2, "open", "the game has no box score"),
    ],
)
def test_what_cannot_be_settled_says_why(player, market, game, result, reason):
    row = settled(player, market, 0.5, game)
    assert (row["outcome"], row["result"], row["reason"]) == (None, result, reason)


def test_what_is_not_settled_is_counted_by_reason():
    props = pl.DataFrame(
        {"game_pk": [1, 1, 2], "player_id_mlbam": [10, 99, 10], "market": ["batter_hits"] * 3, "line": [0.5] * 3}
    )
    listed = unsettled(settle(props, box(HITTER)))
    assert listed.rows() == [
        ("batter_hits", "open", "the game has no box score", 1),
        ("batter_hits", "void", "he did not bat", 1),
    ]


def test_every_prop_keeps_its_place_and_gets_one_result():
    props = pl.DataFrame(
        {
            "game_pk": [2, 1, 1],
            "player_id_mlbam": [10, 20, 10],
            "market": ["batter_hits", "pitcher_outs", "batter_hits"],
        }
    ).with_columns(line=pl.lit(0.5))
    done = settle(props, box(HITTER, PITCHER))
    assert done.select(props.columns).equals(props)
    assert done["result"].to_list() == ["open", "over", "over"]
