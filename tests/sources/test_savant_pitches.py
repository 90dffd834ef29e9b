"""Pitches: what is asked, what is refused, what is taken, and that no row is lost."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from random import Random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from backstop.errors import RowCapReached, SchemaDrift, UpstreamMalformed
from backstop.sources.parsed import Parsed
from backstop.sources.savant import pitches
from backstop.sources.savant.vocabulary import COLUMNS_2026
from backstop.tables import PITCHES
from tests.sources.answers import answer, recorded
from tests.sources.savant_rows import PitchDay

DAY = dt.date(2025, 6, 15)
ITEM = pitches.plan([DAY])[0]
BY_GAME = pitches.split(ITEM, [777245])[0]
"""An item without bounds on the date, for recordings of other days."""


def parse(body: bytes) -> Parsed:
    pitches.inspect(body)
    return pitches.parse(answer(ITEM, body))


OPTIONAL = set(COLUMNS_2026) - pitches.NEEDED - pitches.NULLABLE


def test_a_day_is_one_request_with_both_bounds_inclusive() -> None:
    item = pitches.plan([DAY])[0]
    assert item.path == "/statcast_search/csv"
    assert item.params == (
        ("all", "true"), ("type", "details"), ("game_date_gt", "2025-06-15"), ("game_date_lt", "2025-06-15"),
    )  # fmt: skip
    assert (item.table, item.key) == ("core_pitches", "2025-06-15")


def test_a_capped_day_is_split_by_game() -> None:
    items = pitches.split(ITEM, [777245, 777246])
    assert [item.key for item in items] == ["2025-06-15/777245", "2025-06-15/777246"]
    assert dict(items[1].params)["game_pk"] == "777246"
    assert len({item.fingerprint for item in items}) == 2


def test_a_row_becomes_a_pitch_in_our_columns_and_types(day: PitchDay) -> None:
    parsed = parse(day.write())
    assert parsed.frame.schema == PITCHES.schema
    assert (parsed.rows_in, len(parsed.frame), len(parsed.rejected)) == (4, 4, 0)
    row = parsed.frame.row(3, named=True)
    assert (row["batter_id_mlbam"], row["release_speed_mph"], row["events"], row["season"]) == (
        592450,
        97.1,
        "walk",
        2025,
    )
    assert row["player_name"] == "Skubal, Tarik"
    assert row["launch_speed_mph"] is None


def test_rows_come_sorted_by_key_whatever_the_order_of_the_answer(day: PitchDay) -> None:
    day.rows.reverse()
    assert parse(day.write()).frame["pitch_number"].to_list() == [1, 2, 3, 4]


@pytest.mark.parametrize("kind", ["bom", "crlf", "last line end"])
def test_byte_order_mark_and_line_ends_do_not_matter(day: PitchDay, kind: str) -> None:
    body = day.write(
        bom=kind == "bom", line_end="\r\n" if kind == "crlf" else "\n", last_line_end=kind == "last line end"
    )
    assert_frame_equal(parse(body).frame, parse(day.write()).frame)


@pytest.mark.parametrize("null", ["", "null", "NA", "--"])
def test_every_spelling_of_null_is_null(day: PitchDay, null: str) -> None:
    day.rows[0]["bat_speed"] = null
    assert parse(day.write()).frame["bat_speed_mph"][0] is None


def test_columns_are_bound_by_name_so_that_an_inserted_one_shifts_nothing(day: PitchDay) -> None:
    before = parse(day.write()).frame
    day.columns.insert(3, "spin_axis_of_2027")
    parsed = parse(day.write())
    assert_frame_equal(parsed.frame, before)
    assert parsed.drift.added == ("spin_axis_of_2027",)


def test_an_absent_optional_column_is_null_and_reported_by_name(day: PitchDay) -> None:
    day.columns.remove("bat_speed")
    parsed = parse(day.write())
    assert parsed.frame["bat_speed_mph"].null_count() == 4
    assert parsed.drift.gone == ("bat_speed",)


@pytest.mark.parametrize("column", ["at_bat_number", "events"])
def test_an_absent_needed_column_is_schema_drift(day: PitchDay, column: str) -> None:
    day.columns.remove(column)
    with pytest.raises(SchemaDrift, match=column):
        parse(day.write())


def test_of_a_doubled_header_name_the_first_column_counts(day: PitchDay) -> None:
    day.columns += ["pitcher", "fielder_2"]
    parsed = parse(day.write())
    assert parsed.frame["pitcher_id_mlbam"].to_list() == [669373] * 4
    assert parsed.drift.duplicated == ("fielder_2", "pitcher")


def test_a_row_that_cannot_be_cast_is_set_apart_with_its_value(day: PitchDay) -> None:
    day.rows[1]["release_speed"] = "fast"
    parsed = parse(day.write())
    assert (len(parsed.frame), parsed.rejected_by_rule) == (3, {"cast": 1})
    rejected = parsed.rejected.row(0, named=True)
    assert "release_speed is 'fast'" in rejected["reason"]
    assert json.loads(rejected["row"])["pitch_number"] == "2"


def test_a_number_too_large_for_its_column_is_set_apart_and_never_wraps(day: PitchDay) -> None:
    day.rows[0]["inning"] = "70000"
    parsed = parse(day.write())
    assert parsed.rejected_by_rule == {"cast": 1}


def test_whole_numbers_written_with_a_decimal_are_read(day: PitchDay) -> None:
    day.rows[0]["zone"] = "6.0"
    assert parse(day.write()).frame["zone"][0] == 6


def test_a_row_without_a_needed_value_is_set_apart(day: PitchDay) -> None:
    day.rows[2]["batter"] = "null"
    assert parse(day.write()).rejected_by_rule == {"missing_value": 1}


def test_a_column_that_is_mostly_of_another_type_is_named_as_retyped(day: PitchDay) -> None:
    for row in day.rows[:3]:
        row["plate_x"] = "left"
    parsed = parse(day.write())
    assert parsed.drift.retyped == ("plate_x",)
    assert parsed.rejected_by_rule == {"cast": 3}


def test_a_needed_column_of_another_type_is_schema_drift(day: PitchDay) -> None:
    for row in day.rows:
        row["batter"] = "Judge, Aaron"
    with pytest.raises(SchemaDrift, match="batter"):
        parse(day.write())


def test_a_pitch_that_stands_twice_counts_once_and_the_later_row_wins(day: PitchDay) -> None:
    day.rows.append(dict(day.rows[0], description="called_strike"))
    parsed = parse(day.write())
    assert parsed.rejected_by_rule == {"superseded": 1}
    assert parsed.frame["description"][0] == "called_strike"


def test_a_row_of_another_day_than_asked_is_set_apart(day: PitchDay) -> None:
    day.rows[0]["game_date"] = "2025-06-14"
    parsed = parse(day.write())
    assert parsed.rejected_by_rule == {"other_day": 1}


def test_old_abbreviations_become_those_of_today(day: PitchDay) -> None:
    for row in day.rows:
        row |= {"home_team": "OAK", "away_team": "ARI"}
    frame = parse(day.write()).frame
    assert frame.select("home_team", "away_team").unique().row(0) == ("ATH", "AZ")


@pytest.mark.parametrize("cells", [3, 150])
def test_a_line_with_a_wrong_number_of_fields_is_set_apart_and_the_others_stay(day: PitchDay, cells: int) -> None:
    lines = day.write().split(b"\n")
    lines.insert(2, b",".join([b"1"] * cells))
    parsed = parse(b"\n".join(lines))
    assert (len(parsed.frame), parsed.rejected_by_rule, parsed.rows_in) == (4, {"field_count": 1}, 5)


def test_blank_lines_are_no_rows(day: PitchDay) -> None:
    lines = day.write().split(b"\n")
    parsed = parse(b"\n".join([lines[0], b"", *lines[1:], b"", b""]))
    assert (parsed.rows_in, len(parsed.frame)) == (4, 4)


@pytest.mark.parametrize("body", [b"", b"\r\n", b"\xef\xbb\xbf", b"  \n"])
def test_an_empty_answer_is_a_day_without_games(body: bytes) -> None:
    parsed = parse(body)
    assert (parsed.rows_in, parsed.frame.schema) == (0, PITCHES.schema)


def test_a_header_alone_is_a_day_without_games(day: PitchDay) -> None:
    day.rows.clear()
    assert parse(day.write()).rows_in == 0


@pytest.mark.parametrize("columns", [[*COLUMNS_2026, "of_2031"], list(COLUMNS_2026[:80])])
def test_a_header_of_an_era_to_come_is_whole_when_its_line_ends(day: PitchDay, columns: list[str]) -> None:
    day.rows.clear()
    day.columns = columns
    pitches.inspect(day.write(last_line_end=True))
    with pytest.raises(UpstreamMalformed, match="cut"):
        pitches.inspect(day.write())


@settings(deadline=None, max_examples=50)
@given(st.randoms(use_true_random=False), st.sets(st.sampled_from(sorted(OPTIONAL)), max_size=40), st.integers(0, 5))
def test_columns_may_stand_in_any_order_with_some_gone_added_and_doubled(
    random: Random, gone: set[str], added: int
) -> None:
    usual, day = parse(PitchDay().write()).frame, PitchDay()
    names = [name for name in day.columns if name not in gone] + [f"new_{n}" for n in range(added)]
    random.shuffle(names)
    doubled = random.sample(names, 3)
    day.columns = [*names, *doubled]
    pitches.inspect(day.write(last_line_end=True))
    parsed = parse(day.write())
    absent = [name for upstream, name in PITCHES.upstream_names.items() if upstream in gone]
    expected = usual.with_columns(pl.lit(None, PITCHES.schema[name]).alias(name) for name in absent)
    assert_frame_equal(parsed.frame, expected)
    assert set(parsed.drift.gone) == gone
    assert set(parsed.drift.added) == {f"new_{n}" for n in range(added)}
    assert set(parsed.drift.duplicated) == set(doubled)


@pytest.mark.parametrize(
    "body", [b"x" * 5_000_000, b"a,\x1b[31m" * 90_000, bytes(range(256)) * 300], ids=["long", "colours", "bytes"]
)
def test_what_a_feed_wrote_never_makes_a_long_or_unprintable_sentence(body: bytes) -> None:
    with pytest.raises(UpstreamMalformed) as caught:
        pitches.inspect(body)
    assert len(caught.value.message) < 500
    assert caught.value.message.isprintable()


def test_the_reason_of_a_rejected_row_is_short_however_long_its_value(day: PitchDay) -> None:
    day.rows[1]["release_speed"] = "9" * 100_000 + "x"
    rejected = parse(day.write()).rejected.row(0, named=True)
    assert len(rejected["reason"]) < 600
    assert len(rejected["row"]) > 100_000


@pytest.mark.parametrize(
    "body", [b"<html><head><title>524: A timeout occurred</title></head></html>", b"\n <!DOCTYPE html><h1>502</h1>"]
)
def test_a_web_page_is_refused_with_its_title(body: bytes) -> None:
    with pytest.raises(UpstreamMalformed, match=r"524: A timeout|502") as caught:
        pitches.inspect(body)
    assert caught.value.retryable


def test_an_error_as_data_is_refused_with_its_text() -> None:
    with pytest.raises(UpstreamMalformed, match="Query Timeout"):
        pitches.inspect(b'"error"\n"Error: Query Timeout. Please try to limit your query to less data."\n')


def test_the_grouped_table_of_the_same_address_is_refused() -> None:
    with pytest.raises(UpstreamMalformed, match="another table"):
        pitches.inspect(b"pitches,player_id,player_name,total_pitches,ba\n10,1,a,10,.300\n")


def test_an_answer_cut_anywhere_before_its_last_field_is_refused(day: PitchDay) -> None:
    body = day.write()
    header = body.partition(b"\n")[0]
    start_of_last_field = body.rfind(b",") + 1
    for end in range(1, start_of_last_field):
        if body[end : end + 1] == b"\n" or body[end - 1 : end] == b"\n":
            continue  # a cut at a line end cannot be seen in the text: the length header or the schedule tells
        cut = header[:end].decode().split(",")
        if end < len(header) and len(cut) >= 89 and cut[-1] in pitches.KNOWN:
            continue  # nor can a header that ends after a known name, as that of another era
        with pytest.raises(UpstreamMalformed):
            pitches.inspect(body[:end])


@pytest.mark.parametrize("cap", [25_000, 30_000, 40_000])
def test_exactly_as_many_rows_as_a_cap_means_incomplete(cap: int, day: PitchDay) -> None:
    lines = day.write().split(b"\n")
    capped = b"\n".join([lines[0], *[lines[1]] * cap])
    with pytest.raises(RowCapReached, match="split"):
        pitches.inspect(capped)
    pitches.inspect(capped + b"\n" + lines[1])


TWO_LINES = 'Aaron Judge walks, on four "pitches".\nAnthony Volpe to 2nd.'


@pytest.mark.parametrize("places", [[0], [3], [0, 1, 2, 3]])
@pytest.mark.parametrize("misshapen", [b"", b"\nonly"])
def test_a_line_end_in_the_text_of_a_play_ends_no_row(day: PitchDay, places: list[int], misshapen: bytes) -> None:
    plain = parse(day.write()).frame
    for place in places:
        day.rows[place]["des"] = TWO_LINES
    header, _, rest = day.write().partition(b"\n")
    body = header + misshapen + b"\n" + rest
    pitches.inspect(body)
    parsed = parse(body)
    assert_frame_equal(parsed.frame, plain)
    assert (parsed.rows_in, parsed.rejected_by_rule) == ((5, {"field_count": 1}) if misshapen else (4, {}))


def test_line_ends_in_texts_do_not_hide_that_the_cap_was_reached(day: PitchDay) -> None:
    day.rows[1]["des"] = TWO_LINES
    header, first, rest = day.write().split(b"\n", 2)
    second = rest[: rest.index(b"2nd.") + rest[rest.index(b"2nd.") :].index(b"\n")]
    with pytest.raises(RowCapReached, match="exactly 25,000 rows"):
        pitches.inspect(b"\n".join([header, *[first] * 24_999, second]))
    pitches.inspect(b"\n".join([header, *[first] * 24_998, second]))


@pytest.mark.parametrize("cut", [1, 10, 30])
def test_an_answer_cut_after_a_line_end_in_a_text_is_refused(day: PitchDay, cut: int) -> None:
    day.rows[3]["des"] = TWO_LINES
    body = day.write()
    with pytest.raises(UpstreamMalformed, match="the answer was cut"):
        pitches.inspect(body[: body.index(b"Anthony Volpe") + cut])


def test_the_parts_of_a_split_day_make_the_day(day: PitchDay) -> None:
    whole = parse(day.write())
    halves = []
    for rows in (day.rows[:2], day.rows[1:]):
        part = PitchDay()
        part.rows = rows
        halves.append(parse(part.write()))
    merged = pitches.merge(halves)
    assert_frame_equal(merged.frame, whole.frame)
    assert (merged.rows_in, merged.rejected_by_rule) == (5, {"superseded": 1})


ERAS = {
    "pybaseball_small_request_raw.csv.gz": (2507, ("fielder_2", "pitcher"), {"spin_axis", "bat_speed", "arm_angle"}),
    "pybaseball_single_game_request_raw.csv.gz": (336, ("fielder_2", "pitcher"), {"spin_axis"}),
    "pybaseball_raw_darvish_data.csv.gz": (438, ("fielder_2", "pitcher"), {"spin_axis"}),
    "pybaseball_statcast_batter_raw.csv": (6, ("fielder_2", "pitcher"), {"bat_speed"}),
    "nedupelekwa_savant_data.csv.gz": (5927, ("fielder_2", "pitcher"), {"bat_speed"}),
    "abdwr3e_sc_2023-06-11.csv.gz": (4418, (), {"bat_speed"}),
    "sdv_2023_05_01_statcast.csv.gz": (7009, (), {"bat_speed"}),
    "teajay_sc_2024-05-12.csv.gz": (4426, (), {"arm_angle"}),
    "sdv_2024_06_01_statcast.csv.gz": (7597, (), {"arm_angle"}),
    "cease_no_hitter_2024_savant_data.csv.gz": (114, (), {"miss_distance"}),
    "arminn3_batter_592450_2025.csv.gz": (2762, (), {"miss_distance"}),
    "shlee_skubal_2025_raw.csv.gz": (3152, (), set()),
    "troyhorn_savant_data2_empty.csv": (0, (), set()),
}
"""Recording: rows, doubled header names, some of the columns that its era lacks."""


@pytest.mark.realdata
@pytest.mark.parametrize("name", ERAS)
def test_every_schema_era_is_read_whole(realdata: Path, name: str) -> None:
    rows, doubled, lacking = ERAS[name]
    body = recorded(realdata / "savant/raw_csv" / name)
    pitches.inspect(body)
    parsed = pitches.parse(answer(BY_GAME, body))
    assert (parsed.rows_in, len(parsed.frame), len(parsed.rejected)) == (rows, rows, 0)
    assert parsed.drift.duplicated == doubled
    assert lacking <= set(parsed.drift.gone)
    assert not parsed.drift.retyped
    assert (
        parsed.frame.select("batter_id_mlbam", "pitcher_id_mlbam", "stand", "home_team").null_count().row(0) == (0,) * 4
    )


@pytest.mark.realdata
def test_every_recording_in_the_folder_is_read_whole(realdata: Path) -> None:
    """Also those that are added later."""
    files = sorted((realdata / "savant/raw_csv").glob("*.csv*"))
    assert len(files) >= len(ERAS)
    for file in files:
        body = recorded(file)
        pitches.inspect(body)
        parsed = pitches.parse(answer(BY_GAME, body))
        assert (len(parsed.frame), len(parsed.rejected)) == (parsed.rows_in, 0), file.name


@pytest.mark.realdata
def test_the_text_null_of_2020_is_null_and_not_a_value(realdata: Path) -> None:
    body = recorded(realdata / "savant/raw_csv/pybaseball_small_request_raw.csv.gz")
    frame = pitches.parse(answer(BY_GAME, body)).frame
    assert not frame["events"].is_in(["null"]).any()
    assert frame["events"].null_count() > 1500


def test_a_frame_of_pitches_can_be_joined_by_its_key(day: PitchDay) -> None:
    frame = parse(day.write()).frame
    assert frame.select(pl.struct(PITCHES.key).is_unique().all()).item()
