"""The Chadwick register: who has an id at MLB, under which names, and born when."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from backstop.errors import UpstreamMalformed
from backstop.sources import chadwick
from tests.sources.answers import answer

HEADER = (
    "key_person,key_uuid,key_mlbam,key_retro,key_bbref,key_bbref_minors,key_fangraphs,name_last,name_first,name_given,"
    "name_suffix,birth_year,birth_month,birth_day,mlb_played_first,mlb_played_last"
)
JUDGE = "p,1b9e,592450,judga001,judgeaa01,judge-000aar,15640,Judge,Aaron,Aaron James,,1992,4,26,2016,2025"
JUNIOR = "p,1acc,665487,tatif002,tatisfe02,,19709,Tatis,Fernando,Fernando Gabriel,Jr.,1999,1,2,2019,2025"
NOBODY = "p,1000,,doexj001,,,,Doe,John,John,,1850,,,1871,1871"


def parsed(*lines: str):
    body = "\n".join([HEADER, *lines, ""]).encode()
    chadwick.inspect(body)
    return chadwick.parse(answer(chadwick.plan()[1], body))


def test_sixteen_files_hold_everybody():
    items = chadwick.plan()
    assert len({item.path for item in items}) == len({item.key for item in items}) == 16


def test_only_people_with_an_id_at_mlb_are_rows():
    found = parsed(JUDGE, NOBODY, JUNIOR)
    assert found.frame["player_id_mlbam"].to_list() == [592450, 665487]
    assert found.rejected.is_empty()
    row = found.frame.row(0, named=True)
    assert (row["player_id_bbref"], row["name_given"], row["birth_year"], row["name_suffix"]) == (
        "judgeaa01", "Aaron James", 1992, None
    )  # fmt: skip
    assert parsed(NOBODY).frame.is_empty()


@pytest.mark.parametrize("again", [JUDGE, JUDGE.replace("Aaron,Aaron", "Aron,Aaron")])
def test_an_id_that_stands_twice_is_one_row_and_the_other_is_accounted_for(again: str):
    found = parsed(JUDGE, again)
    assert len(found.frame) == 1
    assert (len(found.frame) + len(found.rejected), found.rows_in) == (2, 2)
    assert found.rejected_by_rule == {"superseded": 1}
    whole = chadwick.whole([parsed(JUDGE), parsed(JUNIOR), parsed(again)])
    assert whole.frame["player_id_mlbam"].to_list() == [592450, 665487]


@pytest.mark.parametrize(
    ("first", "last", "suffix", "name"),
    [
        ("Aaron", "Judge", None, "Aaron Judge"), ("Fernando", "Tatis", "Jr.", "Fernando Tatis Jr."),
        ("José", "Ramírez", None, "José Ramírez"), (None, "Pelé", None, None),
    ],
)  # fmt: skip
def test_a_name_is_written_as_the_stats_api_writes_it(first, last, suffix, name):
    row = pl.DataFrame(
        {"name_first": [first], "name_last": [last], "name_suffix": [suffix]},
        schema=dict.fromkeys(("name_first", "name_last", "name_suffix"), pl.String),
    )
    assert row.select(chadwick.full_name()).item() == name


@pytest.mark.parametrize("dtype", [pl.Int16, pl.String])
@pytest.mark.parametrize(
    ("year", "month", "day", "born"),
    [
        (1992, 4, 26, dt.date(1992, 4, 26)), (1996, 2, 29, dt.date(1996, 2, 29)), (1997, 2, 29, None), (1992, 13, 1, None),
        (1992, 0, 0, None), (0, 0, 0, None), (1992, 4, None, None), (None, 4, 26, None), (1850, 12, 31, dt.date(1850, 12, 31)),
    ],
)  # fmt: skip
def test_a_birth_that_is_no_date_is_not_known_and_stops_nobody(year, month, day, born, dtype):
    row = pl.DataFrame({"birth_year": [year, 2000], "birth_month": [month, 1], "birth_day": [day, 1]}).cast(dtype)
    assert row.select(chadwick.birth_date()).to_series().to_list() == [born, dt.date(2000, 1, 1)]


@pytest.mark.parametrize(
    "body", [b"", b"<!DOCTYPE html><html></html>", b"404: Not Found", b'{"message": "moved"}', b"a,b\n1,2\n"]
)
def test_what_is_no_file_of_people_is_refused(body: bytes):
    with pytest.raises(UpstreamMalformed):
        chadwick.inspect(body)


def test_a_file_that_was_cut_in_a_line_is_refused_or_short_by_that_line_alone():
    whole = f"{HEADER}\n{JUDGE}\n{JUNIOR}\n"
    for end in range(len(HEADER) + len(JUDGE) + 10, len(whole) - 1, 7):
        try:
            found = chadwick.parse(answer(chadwick.plan()[1], whole[:end]))
        except UpstreamMalformed:
            continue
        assert found.frame["player_id_mlbam"].to_list()[:1] == [592450]
        assert len(found.frame) + len(found.rejected) <= 2
