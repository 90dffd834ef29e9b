"""A version's sheet against plain Python: filters, orders with nulls last, pages that put together are the whole."""

import json

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backstop.api.sheet import ORDERS, Asked, Sheet, ordered, spelled

NUMBER = st.one_of(st.none(), st.sampled_from([0.0, 0.5, -0.25]), st.floats(-1, 1))
ROW = st.fixed_dictionaries(
    {
        "market": st.sampled_from(["hits", "runs"]),
        "team": st.sampled_from(["NYY", "SD"]),
        "player_id_mlbam": st.integers(1, 3),
        "game_pk": st.integers(1, 2),
        "edge": NUMBER,
        "ev_per_unit": NUMBER,
        "line": st.sampled_from([0.5, 1.5]),
        "prob_over": st.floats(0, 1),
        "player_name": st.sampled_from(["José Ramírez", 'Ha-Seong "Kim"', "Ÿ\n", ""]),
    }
)
ROWS = st.lists(ROW, max_size=14).map(lambda rows: [{"prop_id": f"p{n:02}", **row} for n, row in enumerate(rows)])
TYPES = {"prop_id": pl.String, "market": pl.String, "team": pl.String, "player_id_mlbam": pl.Int64, "game_pk": pl.Int64}
TYPES |= dict.fromkeys(["edge", "ev_per_unit", "line", "prob_over"], pl.Float64) | {"player_name": pl.String}
SOME = st.builds(
    Asked,
    market=st.sampled_from([None, "hits", "steals"]),
    team=st.sampled_from([None, "SD"]),
    player=st.sampled_from([None, 1, 9]),
    game=st.sampled_from([None, 2]),
    min_edge=st.sampled_from([None, 0.0, -1.0, 0.5]),
    sort=st.sampled_from(list(ORDERS)),
    descending=st.booleans(),
)


def sheet_of(rows):
    return Sheet.of(pl.DataFrame(rows, schema=TYPES))


def meets(row, asked):
    wanted = {"market": asked.market, "team": asked.team, "player_id_mlbam": asked.player, "game_pk": asked.game}
    if any(value is not None and row[name] != value for name, value in wanted.items()):
        return False
    return asked.min_edge is None or (row["edge"] is not None and row["edge"] >= asked.min_edge)


def expected(rows, asked):
    column, found = ORDERS[asked.sort], [row for row in rows if meets(row, asked)]
    told = sorted((row for row in found if row[column] is not None), key=lambda row: row["prop_id"])
    told.sort(key=lambda row: row[column], reverse=asked.descending)
    return [row["prop_id"] for row in [*told, *(row for row in found if row[column] is None)]]


@settings(max_examples=150)
@given(rows=ROWS, asked=SOME)
def test_what_is_found_is_what_was_asked_for_in_that_order(rows, asked):
    assert sheet_of(rows).find(asked)["prop_id"].to_list() == expected(rows, asked)


@given(rows=ROWS, asked=SOME, limit=st.integers(1, 5))
def test_parts_put_together_are_the_whole_and_each_tells_the_total(rows, asked, limit):
    sheet, found = sheet_of(rows), []
    whole = sheet.find(asked).to_dicts()
    for offset in range(0, len(rows) + limit, limit):
        part = sheet.part(asked, offset, limit)
        assert part.total == len(whole)
        assert part.size_bytes > len(part.rows)
        found += json.loads(part.rows)
    assert found == whole


@given(asked=SOME)
def test_a_question_is_made_again_from_its_name_and_no_two_share_one(asked):
    assert Asked.named(asked.name) == asked
    assert Asked(market="x\"'", team=None).name != Asked(market=None, team="x\"'").name


def test_rows_are_spelled_with_nulls_dates_and_letters_of_every_kind():
    frame = pl.DataFrame({"a": ['é\u2028"\\', None], "b": [0.1, None], "c": [True, None], "d": [2**53 + 1, None]})
    assert [json.loads(row) for row in spelled(frame)] == frame.to_dicts()
    assert spelled(frame.clear()) == []


def test_a_version_without_props_has_a_sheet_with_every_column():
    sheet = Sheet.of(pl.DataFrame())
    assert sheet.part(Asked(), 0, 50).rows == b"[]"
    assert {"prop_id", "edge", "ev_per_unit", "market"} <= set(sheet.frame.columns)
    assert all(sheet.find(Asked(sort=sort, descending=False)).is_empty() for sort in ORDERS)


@pytest.mark.parametrize("descending", [True, False])
def test_equal_values_stand_in_the_order_of_their_props_either_way(descending):
    frame = pl.DataFrame({"prop_id": ["b", "a", "d", "c"], "edge": [0.1, 0.1, None, None]})
    assert ordered(frame, "edge", descending=descending)["prop_id"].to_list() == ["a", "b", "c", "d"]
