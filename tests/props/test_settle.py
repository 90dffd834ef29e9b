from __future__ import annotations

import polars as pl
import pytest

from backstop.props.settle import settle, unsettled
from backstop.tables import BOX, GAMES


def rows_of(table, rows):
    frame = pl.DataFrame(list(rows), infer_schema_length=None)
    lacking = [pl.lit(None, dtype=dtype).alias(n) for n, dtype in table.schema.items() if n not in frame.columns]
    return frame.with_columns(lacking).select(pl.col(n).cast(dtype) for n, dtype in table.schema.items())


def box(*rows):
    return rows_of(BOX, rows)


def games(status="Final", state="Final"):
    return rows_of(GAMES, ({"game_pk": pk, "status": status, "abstract_status": state} for pk in (1, 2)))


HITTER = {"game_pk": 1, "player_id_mlbam": 10, "is_starter": True, "plate_appearances": 4, "hits": 2, "doubles": 1}
HITTER |= {"triples": 0, "home_runs": 0, "total_bases": 3, "walks": 0, "strikeouts": 1}
PITCHER = {"game_pk": 1, "player_id_mlbam": 20, "is_starter": True, "batters_faced": 22, "pitcher_strikeouts": 6}
PITCHER |= {"outs_recorded": 17, "pitcher_walks": 2, "hits_allowed": 5}
RELIEF = {"game_pk": 1, "player_id_mlbam": 21, "is_starter": False, "batters_faced": 4, "pitcher_strikeouts": 2}
BENCH = {"game_pk": 1, "player_id_mlbam": 11, "is_starter": False, "plate_appearances": 0}
PINCH = HITTER | {"player_id_mlbam": 12, "is_starter": False, "plate_appearances": 1, "hits": 1}
HURT = HITTER | {"player_id_mlbam": 13, "plate_appearances": 0, "hits": 0}


def settled(player, market, line, game=1, listed=None, **rest):
    props = pl.DataFrame({"game_pk": [game], "player_id_mlbam": [player], "market": [market], "line": [line]})
    told = box(HITTER, PITCHER, RELIEF, BENCH, PINCH, HURT)
    return settle(props, told, games() if listed is None else listed, **rest).row(0, named=True)


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
        (11, "batter_hits", 1, "void", "he did not start"),
        (12, "batter_hits", 1, "void", "he did not start"),
        (13, "batter_hits", 1, "void", "he did not bat"),
        (99, "batter_hits", 1, "void", "he did not start"),
        (10, "batter_rbis", 1, "open", "the box score lacks the count"),
        (10, "batter_hits_runs_rbis", 1, "open", "the box score lacks the count"),
        (10, "batter_hits", 2, "open", "the game has no box score"),
    ],
)
def test_what_cannot_be_settled_says_why(player, market, game, result, reason):
    row = settled(player, market, 0.5, game)
    assert (row["outcome"], row["result"], row["reason"]) == (None, result, reason)


@pytest.mark.parametrize(
    ("status", "state"),
    [("In Progress", "Live"), ("Suspended", "Live"), ("Suspended: Rain", "Live"), ("Delayed Start: Rain", "Preview"),
     ("Scheduled", "Preview"), (None, None)],
)  # fmt: skip
@pytest.mark.parametrize(("market", "line"), [("batter_hits", 0.5), ("batter_hits", 2.5), ("pitcher_outs", 20.5)])
def test_nothing_is_settled_on_the_lines_of_a_game_that_is_not_over(status, state, market, line):
    row = settled(10 if market == "batter_hits" else 20, market, line, listed=games(status, state))
    assert (row["outcome"], row["result"], row["reason"]) == (None, "open", "the game is not over")


@pytest.mark.parametrize("status", ["Postponed", "Cancelled", "Canceled", "Postponed: Rain"])
@pytest.mark.parametrize("game", [1, 2])
@pytest.mark.parametrize("state", ["Final", "Preview"])
def test_a_game_that_is_off_voids_its_props_with_a_box_score_or_without(status, game, state):
    row = settled(10, "batter_hits", 0.5, game, listed=games(status, state))
    assert (row["outcome"], row["result"], row["reason"]) == (None, "void", "the game was postponed or cancelled")


def test_a_game_that_the_day_does_not_list_is_void_only_where_it_is_known_to_have_been_moved():
    empty = games().clear()
    assert settled(10, "batter_hits", 0.5, listed=empty)["reason"] == "the day's schedule does not list the game"
    assert settled(10, "batter_hits", 0.5, listed=empty)["result"] == "open"
    moved = settled(10, "batter_hits", 0.5, listed=empty, moved={1})
    assert (moved["result"], moved["reason"]) == ("void", "the game was moved to another day")
    assert settled(10, "batter_hits", 0.5, 2, listed=empty, moved={1})["result"] == "open"


@pytest.mark.parametrize("status", ["Completed Early", "Completed Early: Rain", "Forfeit"])
@pytest.mark.parametrize(
    ("player", "market", "line", "result"),
    [
        (10, "batter_hits", 1.5, "over"),
        (10, "batter_hits", 2.5, "void"),
        (10, "batter_hits", 2.0, "void"),
        (20, "pitcher_strikeouts", 5.5, "over"),
        (20, "pitcher_outs", 17.5, "void"),
    ],
)
def test_of_a_game_that_was_called_early_only_what_was_reached_stands(status, player, market, line, result):
    row = settled(player, market, line, listed=games(status))
    why = None if result == "over" else "the game was called early"
    assert (row["result"], row["reason"], row["outcome"] is None) == (result, why, result == "void")


def test_who_lacks_a_line_because_it_was_refused_is_not_void():
    for player, market in ((99, "batter_hits"), (99, "pitcher_outs")):
        row = settled(player, market, 0.5, refused={99, 10, 12})
        assert (row["result"], row["reason"]) == ("open", "his line in the box score was refused")
    assert settled(98, "batter_hits", 0.5, refused={99})["result"] == "void"
    # a line that stands counts, whatever was refused of him in another game
    assert settled(10, "batter_hits", 0.5, refused={10})["result"] == "over"
    assert settled(12, "batter_hits", 0.5, refused={12})["result"] == "void"


def test_what_is_not_settled_is_counted_by_reason():
    props = pl.DataFrame(
        {"game_pk": [1, 1, 2], "player_id_mlbam": [10, 99, 10], "market": ["batter_hits"] * 3, "line": [0.5] * 3}
    )
    listed = unsettled(settle(props, box(HITTER), games()))
    assert listed.rows() == [
        ("batter_hits", "open", "the game has no box score", 1),
        ("batter_hits", "void", "he did not start", 1),
    ]


def test_every_prop_keeps_its_place_and_gets_one_result():
    props = pl.DataFrame(
        {
            "game_pk": [2, 1, 1],
            "player_id_mlbam": [10, 20, 10],
            "market": ["batter_hits", "pitcher_outs", "batter_hits"],
        }
    ).with_columns(line=pl.lit(0.5))
    done = settle(props, box(HITTER, PITCHER), games())
    assert done.select(props.columns).equals(props)
    assert done["result"].to_list() == ["open", "over", "over"]
