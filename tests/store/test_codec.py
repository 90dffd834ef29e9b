import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from backstop.errors import DataError, SchemaDrift
from backstop.store import blocks, codec, decode
from backstop.store.blocks import Rows
from backstop.store.columns import Columns, text_columns
from backstop.store.kinds import FEATURES, PROPS
from backstop.store.packing import Codec, Packing, train
from backstop.store.ranking import Ranking
from tests.store.rows import DAY, features, props

ROW = st.fixed_dictionaries(
    {
        "text": st.one_of(
            st.none(), st.text(max_size=12), st.sampled_from(['"', "\\", '\\"', "\n", "\x00", "null", ""])
        ),
        "number": st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False)),
        "small": st.one_of(st.none(), st.floats(width=32, allow_nan=False, allow_infinity=False)),
        "whole": st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)),
        "yes": st.one_of(st.none(), st.booleans()),
        "day": st.one_of(st.none(), st.dates(dt.date(1900, 1, 1), dt.date(2200, 1, 1))),
        "at": st.one_of(
            st.none(),
            st.integers(-(10**15), 7 * 10**15).map(
                lambda us: dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=us)
            ),
        ),
    }
)
SCHEMA = {
    "text": pl.String, "number": pl.Float64, "small": pl.Float32, "whole": pl.Int64, "yes": pl.Boolean,
    "day": pl.Date, "at": pl.Datetime("us", "UTC"),
}  # fmt: skip


def only_block(kind, frame):
    (block,) = Rows.of(kind, frame).blocks()
    return block


@settings(deadline=None)
@given(rows=st.lists(ROW, min_size=1, max_size=12), players=st.integers(1, 4))
def test_every_value_comes_back_equal(rows, players):
    frame = pl.DataFrame(rows, schema=SCHEMA).with_columns(
        player_id_mlbam=pl.int_range(pl.len()) % players, game_pk=pl.int_range(pl.len()), role=pl.lit("batter")
    )
    columns = Columns.of(FEATURES, frame)
    values, dicts = [], []
    for block in Rows.of(FEATURES, frame).blocks(3):
        encoded = codec.encode(FEATURES, columns, block)
        values += zip(encoded.ids.tolist(), encoded.values, strict=True)
    for player, value in values:
        dicts += decode.rows_of(columns, player, value)
    expected = frame.sort("player_id_mlbam", "game_pk").select(columns.names)
    assert_frame_equal(decode.frame_of(columns, values), expected, check_exact=True)
    assert dicts == expected.to_dicts()


def test_values_of_several_masks_come_back_in_their_order():
    """A text that all rows of a player share in one block and not in another changes the mask between them."""
    frame = props(40)
    mixed = frame.with_columns(team=pl.when(pl.int_range(pl.len()) % 480 < 240).then("team").otherwise("prop_id"))
    columns = Columns.of(PROPS, mixed)
    encoded = [codec.encode(PROPS, columns, block) for block in Rows.of(PROPS, mixed).blocks(120)]
    assert len({each.mask for each in encoded}) == 2
    values = [pair for each in encoded for pair in zip(each.ids.tolist(), each.values, strict=True)]
    woven = values[::2] + values[1::2]
    order = [player for player, _ in woven]
    expected = pl.concat([mixed.filter(player_id_mlbam=player).sort("prop_id") for player in order])
    assert_frame_equal(decode.frame_of(columns, woven), expected.select(columns.names))


def test_a_text_too_long_for_its_length_is_refused_and_the_longest_is_not():
    for length, fits in ((65_534, True), (65_535, False)):
        frame = features(1).head(1).with_columns(full_name=pl.lit("x" * length))
        columns = Columns.of(FEATURES, frame)
        if fits:
            (value,) = codec.encode(FEATURES, columns, frame).values
            assert decode.rows_of(columns, frame["player_id_mlbam"][0], value) == frame.to_dicts()
        else:
            with pytest.raises(DataError, match=r"full_name of 65,535 bytes"):
                codec.encode(FEATURES, columns, frame)


@given(shuffle=st.randoms(use_true_random=False))
def test_rows_in_any_order_make_the_same_blocks(shuffle):
    frame = props(9, lines=1)
    places = list(range(len(frame)))
    shuffle.shuffle(places)
    rows, mixed = Rows.of(PROPS, frame.sort(PROPS.key)), Rows.of(PROPS, frame[places])
    assert rows.order is None
    assert_frame_equal(pl.concat(rows.blocks(10)), pl.concat(mixed.blocks(10)))


@pytest.mark.parametrize("order", ["ev", "edge"])
def test_the_best_rows_are_known_before_any_is_serialised(order):
    frame = props(80)
    column = dict(PROPS.orders)[order]
    best = {some.market: some for some in Ranking.of(PROPS, frame).best() if some.order == order}
    for market, most in (("all", 300), ("batter_hits", 100)):
        mine = frame if market == "all" else frame.filter(market=market)
        expected = mine.filter(pl.col(column).is_not_null()).sort(column, descending=True).head(most)
        found = sorted(zip(best[market].scores.tolist(), best[market].rows.tolist(), strict=True), reverse=True)
        assert frame[[row for _, row in found]]["prop_id"].to_list() == expected["prop_id"].to_list()
        assert [score for score, _ in found] == expected[column].to_list()


@pytest.mark.parametrize("step", [1, -1, 7])
def test_the_order_is_the_same_when_it_is_found_in_slices(monkeypatch, step):
    frame = props(40, lines=1)
    mixed = frame[[n * step % len(frame) for n in range(len(frame))]]
    whole = Rows.of(PROPS, mixed)
    monkeypatch.setattr(blocks, "ORDERED_ROWS", 25)
    sliced = Rows.of(PROPS, mixed)
    assert sliced.order.to_list() == whole.order.to_list()


def test_a_block_never_divides_a_player():
    frame = props(30)
    sizes = [block["player_id_mlbam"].n_unique() * 12 - len(block) for block in Rows.of(PROPS, frame).blocks(50)]
    assert len(sizes) > 3
    assert set(sizes) == {0}


def test_a_block_is_begun_when_the_one_before_it_is_ready_and_not_yet_taken():
    frame, said = props(3), []

    class Told(codec.Block):
        def begin(self):
            said.append(f"begin {self.rows['player_id_mlbam'][0]}")
            super().begin()

    columns = Columns.of(PROPS, frame)
    values = []
    with ThreadPoolExecutor(1) as beside:
        blocks = (Told(PROPS, columns, block, beside) for block in Rows.of(PROPS, frame).blocks(12))
        for block in codec.in_turn(blocks, lambda: said.append("meanwhile") or True):
            values += next(block.tiles()).values
            said.append(f"taken {block.rows['player_id_mlbam'][0]}")
        again = (Told(PROPS, columns, block, beside) for block in Rows.of(PROPS, frame).blocks(12))
        assert list(codec.in_turn(again, lambda: False)) == []
    first, second, third = sorted(frame["player_id_mlbam"].unique())
    assert said == [
        f"begin {first}", "meanwhile", f"begin {second}", f"taken {first}", f"begin {third}", f"taken {second}",
        f"taken {third}", f"begin {first}",
    ]  # fmt: skip
    assert values == codec.encode(PROPS, columns, only_block(PROPS, frame)).values
    assert list(codec.in_turn(iter([]), lambda: True)) == []


@pytest.mark.parametrize("later", ["BOS", None])
def test_a_text_that_differs_within_a_player_only_far_below_stands_in_each_row(later):
    frame = props(60)
    row = len(frame) - 1
    assert row > codec.GUESSED_ROWS
    team = pl.when(pl.int_range(pl.len()) == row).then(pl.lit(later)).otherwise(pl.lit("NYY"))
    block = only_block(PROPS, frame.sort(PROPS.key).with_columns(team=team))
    columns = Columns.of(PROPS, block)
    encoded = codec.encode(PROPS, columns, block)
    alike = codec.encode(PROPS, columns, block.with_columns(team=pl.lit("NYY")))
    assert encoded.mask == alike.mask & ~(1 << text_columns(columns).index("team"))
    values = zip(encoded.ids.tolist(), encoded.values, strict=True)
    assert_frame_equal(decode.frame_of(columns, values), block.select(columns.names))


def test_a_member_of_a_sorted_set_is_the_row_with_its_player():
    block = only_block(PROPS, props(3))
    columns = Columns.of(PROPS, block)
    encoded = codec.encode(PROPS, columns, block)
    members = encoded.members(np.arange(len(block)))
    for row in (0, 17, 35):
        player, value = decode.member_of(members[row])
        assert decode.rows_of(columns, player, value) == block.select(columns.names)[row].to_dicts()
        whole = encoded.values[encoded.ids.tolist().index(player)]
        assert decode.stands_in(columns, members[row], whole)
        other = block.with_columns(edge=pl.lit(0.123))[row]
        (changed,) = codec.encode(PROPS, columns, other).members(np.array([0]))
        assert not decode.stands_in(columns, changed, whole)


def test_texts_that_all_rows_of_a_player_share_stand_once():
    block = only_block(PROPS, props(3))
    value = codec.encode(PROPS, Columns.of(PROPS, block), block).values[0]
    assert value.count("José Núñez".encode()) == 1
    assert value.count(b"batter_hits") == 2 * 3


@pytest.mark.parametrize(
    "names", [["player_id_mlbam", "game_pk", "role"], ["player_id_mlbam", "game_pk", "role", "slot"]]
)
def test_rows_of_few_columns_survive(names):
    frame = features(30).select(names)
    columns = Columns.of(FEATURES, frame)
    block = only_block(FEATURES, frame)
    encoded = codec.encode(FEATURES, columns, block)
    values = zip(encoded.ids.tolist(), encoded.values, strict=True)
    assert_frame_equal(decode.frame_of(columns, values), block.select(columns.names))


def test_a_type_that_cannot_be_brought_back_is_refused():
    frame = features(2).with_columns(hits=pl.Series([[1], [2], [3]][: len(features(2))]))
    with pytest.raises(SchemaDrift, match="hits List"):
        Columns.of(FEATURES, frame)
    with pytest.raises(SchemaDrift, match="expected Int64"):
        Columns.of(FEATURES, features(2).with_columns(pl.col("player_id_mlbam").cast(pl.String)))


def values() -> list[bytes]:
    block = only_block(FEATURES, features(500))
    return codec.encode(FEATURES, Columns.of(FEATURES, block), block).values


def test_a_trained_dictionary_saves_a_fifth_of_what_zstd_alone_leaves():
    plain = values()
    dictionary = train(plain)
    with_it, without = Packing(Codec.ZSTD, dictionary), Packing(Codec.ZSTD)
    assert with_it.unpack(with_it.pack(plain)) == plain
    assert without.unpack(without.pack(plain)) == plain
    assert sum(map(len, with_it.pack(plain))) < 0.8 * sum(map(len, without.pack(plain)))


@pytest.mark.parametrize("few", [[], [b"x"], [b"same"] * 200])
def test_values_that_teach_nothing_are_packed_without_a_dictionary(few):
    packing = Packing(Codec.ZSTD, train(few))
    assert packing.unpack(packing.pack(few)) == few


def test_a_zstd_slate_reads_like_a_plain_one(redis, clock, reader):
    from backstop.store.loader import SlateWriter
    from tests.store.conftest import CUTOFF

    draft = (writer := SlateWriter(redis, clock, codec="zstd")).open(DAY, cutoff=CUTOFF, run_id="z")
    writer.load(draft, "props", props(200))
    writer.load(draft, "features", features(200))
    writer.publish(draft, {"props": 2400, "features": len(features(200))}, {})
    assert_frame_equal(reader.props(DAY).sort("prop_id"), props(200).sort("prop_id"), check_column_order=False)
    assert len(reader.player(600_003, DAY).props) == 12
    assert len(reader.props(DAY, limit=20)) == 20
