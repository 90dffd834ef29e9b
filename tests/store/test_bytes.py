"""The bytes of values against a slow reference, and when a frame counts as being in order already."""

import struct

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backstop.errors import DataError
from backstop.store import codec
from backstop.store.blocks import Rows
from backstop.store.columns import Columns, Layout
from backstop.store.kinds import PROPS
from backstop.store.pairs import Pairs

NUMBERS = [f"n{place}" for place in range(17)]
"""More than two bytes of a bitmap hold."""

TEXTS = ["team", "märket", "side"]
TEXT = st.one_of(st.none(), st.sampled_from(["", "NYY", "BOS", "José", "a text of more than twelve bytes"]))
ROW = st.tuples(
    st.integers(1, 3), st.lists(st.one_of(st.none(), st.floats(-9, 9)), min_size=17, max_size=17), TEXT, TEXT, TEXT
)


@pytest.fixture(autouse=True, params=[1, 512])
def guessed(monkeypatch, request):
    """The first row alone lets every text seem to be the same in all rows of a player."""
    monkeypatch.setattr(codec, "GUESSED_ROWS", request.param)


def frame_of(rows):
    """Rows in the order of their key; `side` is the same for a player."""
    side_of = {player: side for player, *_, side in rows}
    made = [
        {"player_id_mlbam": player, "prop_id": f"p{n:03}", "ev_per_unit": 0.5, "edge": None}
        | dict(zip(NUMBERS, numbers, strict=True))
        | dict(zip(TEXTS, (team, market, side_of[player]), strict=True))
        for n, (player, numbers, team, market, _) in enumerate(sorted(rows, key=lambda row: row[0]))
    ]
    schema = {"player_id_mlbam": pl.Int64, "prop_id": pl.String, "ev_per_unit": pl.Float64, "edge": pl.Float64}
    return pl.DataFrame(made, schema=schema | dict.fromkeys(NUMBERS, pl.Float64) | dict.fromkeys(TEXTS, pl.String))


def encoded_of(rows):
    frame = frame_of(rows)
    columns = Columns.of(PROPS, frame)
    return frame, columns, codec.encode(PROPS, columns, frame)


def value_of(rows, mask):
    """A player's value, byte by byte, as `codec` describes it."""
    texts = ["prop_id", *TEXTS]
    shared = [name for place, name in enumerate(texts) if mask >> place & 1]
    own = [name for name in texts if name not in shared]
    fixed = ["ev_per_unit", "edge", *NUMBERS]

    def length(text):
        return struct.pack("<H", 0xFFFF if text is None else len(text.encode()))

    value = struct.pack("<IQ", len(rows), mask)
    for row in rows:
        nulls = sum(1 << place for place, name in enumerate(fixed) if row[name] is None)
        value += nulls.to_bytes(3, "little") + b"".join(
            struct.pack("<d", 0.0 if row[name] is None else row[name]) for name in fixed
        )
        value += b"".join(length(row[name]) for name in own)
    value += b"".join(length(rows[0][name]) for name in shared)
    value += "".join(rows[0][name] or "" for name in shared).encode()
    return value + "".join(row[name] or "" for row in rows for name in own).encode()


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROW, min_size=1, max_size=9))
def test_values_are_the_bytes_that_are_described(rows):
    frame, _, encoded = encoded_of(rows)
    per_player = [part.to_dicts() for part in frame.partition_by("player_id_mlbam", maintain_order=True)]
    alike = [
        1 << place
        for place, name in enumerate(["prop_id", *TEXTS])
        if len(per_player) < len(frame) and all(len({row[name] for row in some}) == 1 for some in per_player)
    ]
    assert encoded.mask == sum(alike)
    assert encoded.values == [value_of(some, encoded.mask) for some in per_player]
    assert encoded.sizes.tolist() == list(map(len, encoded.values))
    spelled = Pairs.of(codec.spelled(encoded.ids), encoded.sizes.tolist(), [encoded.values])
    assert Pairs.woven([encoded.heads, *encoded.parts]).text() == spelled.text()


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROW, min_size=3, max_size=9))
def test_tiles_and_members_are_the_bytes_of_the_whole(rows):
    frame, columns, whole = encoded_of(rows)
    cut = list(codec.Block(PROPS, columns, frame).tiles(Layout.of(columns, whole.mask).record.itemsize))
    assert len(cut) == len(whole.values)
    assert [value for each in cut for value in each.values] == whole.values
    members = [member for each in cut for member in each.members(np.arange(int(each.counts.sum())))]
    assert members == [
        struct.pack("<q", row["player_id_mlbam"]) + value_of([row], whole.mask) for row in frame.iter_rows(named=True)
    ]


def keys(*pairs):
    players, props = zip(*pairs, strict=True)
    return pl.DataFrame(
        {"player_id_mlbam": players, "prop_id": props, "n": range(len(pairs))},
        schema_overrides={"player_id_mlbam": pl.Int64, "prop_id": pl.String},
    )


@pytest.mark.parametrize(
    ("pairs", "order"),
    [
        ([(1, "a")], None),
        ([(1, "a"), (1, "b"), (2, "a")], None),
        ([(1, "B"), (1, "a"), (1, "ä")], None),  # by bytes
        ([(1, "b"), (1, "a"), (2, "a")], [1, 0, 2]),
        ([(2, "a"), (1, "b"), (1, "a")], [2, 1, 0]),
    ],
)
def test_a_frame_is_put_in_order_only_if_it_is_not(pairs, order):
    rows = Rows.of(PROPS, keys(*pairs))
    assert (rows.order if rows.order is None else rows.order.to_list()) == order
    assert pl.concat(rows.blocks())["n"].to_list() == (order or list(range(len(pairs))))


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        ([(1, "a"), (1, "a")], r"props holds \{'player_id_mlbam': 1, 'prop_id': 'a'\} twice; expected each key once"),
        ([(2, "a"), (1, "b"), (2, "a")], "'player_id_mlbam': 2, 'prop_id': 'a'} twice"),
        ([(1, "a"), (1, None)], "A row of props has no player_id_mlbam or prop_id; expected one in each row"),
        ([(1, None)], "A row of props has no player_id_mlbam or prop_id"),
        ([(1, None), (1, None)], "A row of props has no player_id_mlbam or prop_id"),
        ([(1, "a"), (None, "a")], "A row of props has no player_id_mlbam or prop_id"),
    ],
)
def test_a_key_that_is_null_or_comes_twice_is_refused_in_any_order(pairs, said):
    for some in (pairs, pairs[::-1]):
        with pytest.raises(DataError, match=said):
            list(Rows.of(PROPS, keys(*some)).blocks())
