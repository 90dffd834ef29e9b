"""Recorded lists of games, of people and of registers, as other programs leave them: what is served, what is left out."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import logging
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from backstop.demo.recorded import files
from backstop.demo.recorded.answers import Answers
from backstop.demo.recorded.names import Names
from backstop.demo.recorded.pitches import PitchFile
from backstop.demo.recorded.world import RecordedWorld
from tests.demo import folder as f

LISTED = "game_pk,official_date,game_date,status,home_team_id,away_team_id,home_score,away_score,series_description,double_header"
TEAMS = {"home": {"team": {"id": 136}}, "away": {"team": {"id": 121}, "score": 2, "probablePitcher": {"id": 7}}}
GAME = {
    "gamePk": 1, "gameType": "R", "gameDate": "2031-05-04T20:10:00Z", "officialDate": "2031-05-04", "teams": TEAMS,
    "status": {"detailedState": "Final", "abstractGameState": "Final"}, "doubleHeader": "N", "gameNumber": 1,
}  # fmt: skip


def wrote(path: Path, text: str | bytes | Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    body = text if isinstance(text, bytes) else (text if isinstance(text, str) else json.dumps(text)).encode()
    path.write_bytes(gzip.compress(body) if path.suffix == ".gz" else body)
    return path


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("5,2031-05-04,2031-05-04T20:10:00Z,Final,136,121,4,3,Regular Season,N", (4, 3, "Final", "R", 1, "N")),
        ("5,2031-05-04,2031-05-04T20:10:00Z,In Progress,136,121,0,1,NL Wild Card Series,", (0, 1, "Live", "F", 1, "N")),
        (
            "5,2031-05-04,2031-05-04T20:10:00Z,Scheduled,136,121,0,0,World Series,S",
            (None, None, "Preview", "W", 1, "S"),
        ),
        ("5,2031-05-04,2031-05-04T20:10:00Z,Warmup,136,121,,,Spring Training,N", (None, None, "Preview", "S", 1, "N")),
        ("5,2031-05-04,2031-05-04T20:10:00Z,Postponed,136,121,,,?,N", (None, None, "Final", "R", 1, "N")),
    ],
)
def test_a_row_of_a_list_is_a_game(tmp_path: Path, row: str, expected: tuple[Any, ...]):
    wrote(tmp_path / "games.csv", f"{LISTED}\n{row}\n")
    (game,) = Answers(tmp_path).games.values()
    found = (game.home.score, game.away.score, game.abstract, game.game_type, game.number, game.doubleheader)
    assert found == expected
    assert (game.game_pk, game.day, game.home.club.abbr, game.away.club.abbr) == (5, dt.date(2031, 5, 4), "SEA", "NYM")
    assert game.start_at == dt.datetime(2031, 5, 4, 20, 10, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    "row",
    [
        "x,2031-05-04,2031-05-04T20:10:00Z,Final,136,121,4,3,,N", "5,2031-05-34,2031-05-04T20:10:00Z,Final,136,121,4,3,,N",
        "5,2031-05-04,soon,Final,136,121,4,3,,N", "5,2031-05-04,2031-05-04T20:10:00Z,Final,,121,4,3,,N",
        "5,2031-05-04,2031-05-04T20:10:00Z,Final,136,9999,4,3,,N", "5,2031-05-04,2031-05-04T20:10:00Z,Final,136,121,four,3,,N",
    ],
)  # fmt: skip
def test_a_row_that_makes_no_sense_leaves_the_others_alone(tmp_path: Path, row: str):
    good = "6,2031-05-05,2031-05-05T20:10:00Z,Final,136,121,4,3,,N"
    wrote(tmp_path / "some" / "games.csv.gz", f"{LISTED}\n{row}\n{good}\n")
    assert list(Answers(tmp_path).games) == [6]


def test_games_of_one_day_are_numbered_by_their_start_and_a_whole_answer_counts_before_a_row(tmp_path: Path):
    rows = [
        f"{pk},2031-05-04,2031-05-04T{hour}:10:00Z,Final,136,121,1,0,,Y" for pk, hour in ((8, 23), (1, 18), (9, 20))
    ]
    wrote(tmp_path / "games.csv", "\n".join([LISTED, *rows]))
    wrote(tmp_path / "day.json", {"dates": [{"games": [GAME]}]})
    games = Answers(tmp_path).games
    assert {pk: game.number for pk, game in games.items()} == {8: 3, 1: 1, 9: 2}
    assert (games[1].away.score, games[1].home.score, games[1].away.starter) == (2, None, 7)
    assert games[1].recorded == GAME
    assert games[8].recorded is None


@pytest.mark.parametrize(
    "answer",
    [
        {"dates": None}, {"dates": 7}, {"dates": [None, 3, {}]}, {"dates": [{"games": None}]}, {"dates": [{"games": {"a": 1}}]},
        {"dates": [{"games": [None, 7, [], {}]}]}, {"dates": [{"games": [GAME | {"teams": None}]}]},
        {"dates": [{"games": [GAME | {"gameDate": None}]}]}, {"dates": [{"games": [GAME | {"officialDate": "2031-5-4"}]}]},
        {"dates": [{"games": [GAME | {"teams": TEAMS | {"home": {"team": {"id": 9999}}}}]}]}, [1, 2], None, "text",
        {"gamePk": "1", "liveData": {"boxscore": {}}}, {"gamePk": 1, "liveData": {"boxscore": []}},
    ],
)  # fmt: skip
def test_an_answer_of_another_shape_is_no_game_and_no_fault(tmp_path: Path, answer: Any):
    wrote(tmp_path / "a.json", answer)
    wrote(tmp_path / "b.json.gz", {"dates": [{"games": [GAME | {"gamePk": 2}]}]})
    held = Answers(tmp_path)
    assert list(held.games) == [2]
    assert held.by_path == {}


def test_a_live_feed_is_served_with_its_box_score_as_it_was(tmp_path: Path):
    feed = {"gamePk": 3, "liveData": {"boxscore": {"teams": {"home": 1}}, "plays": {}}}
    wrote(tmp_path / "live.json", b"\xef\xbb\xbf" + json.dumps(feed).encode())
    held = Answers(tmp_path).by_path
    assert json.loads(held["/api/v1.1/game/3/feed/live"]) == feed
    assert json.loads(held["/api/v1/game/3/boxscore"]) == {"teams": {"home": 1}}


def test_files_that_cannot_be_read_are_named_and_left_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    wrote(tmp_path / "cut.json", '{"a": ')
    wrote(tmp_path / "whole.json", {"a": 1})
    (tmp_path / "no.json.gz").write_bytes(b"no gzip")
    (tmp_path / "no.csv.gz").write_bytes(b"\x1f\x8bno")
    wrote(tmp_path / "empty.csv", b"")
    wrote(tmp_path / "whole.csv", b"\xef\xbb\xbfa,b\n1,2,3\n")
    (tmp_path / "no.parquet").write_bytes(b"PAR1")
    with caplog.at_level(logging.WARNING):
        assert list(files.json(tmp_path)) == [{"a": 1}]
        assert [frame.to_dicts() for _, frame in files.csv(tmp_path)] == [[{"a": "1", "b": "2"}]]
        assert list(files.parquet(tmp_path)) == []
    named = {record.getMessage().partition(" cannot be read")[0].rpartition("/")[2] for record in caplog.records}
    assert {"cut.json", "no.json.gz", "no.parquet"} <= named
    assert not named & {"whole.json", "whole.csv", "empty.csv"}


PEOPLE = "player_id,full_name,use_name,last_name,bat_side,pitch_hand,position_abbr,birth_date"


def register(folder: Path, **columns: list[Any]) -> None:
    base = {"key_mlbam": [1, 2, None], "name_first": ["Al", "Bo", "Cy"], "name_last": ["Aa", "Bb", "Cc"]}
    path = folder / "register" / "r.parquet"
    path.parent.mkdir(parents=True)
    pl.DataFrame(base | columns).write_parquet(path)


def names(folder: Path, *pitch_files: PitchFile) -> Names:
    return Names(folder, list(pitch_files))


def test_nobody_is_known_of_an_empty_folder(tmp_path: Path):
    held = names(tmp_path)
    assert held.table.is_empty()
    assert held.person(1) is None
    assert held.register("0").is_empty()
    assert held.savant.columns == ["player_id", "name"]


@pytest.mark.parametrize(
    "births", [([2000, 1999, 1850], [2, 13, 1], [30, 1, 1]), (["2000", "x", None], ["2", "1", "1"], ["30", "1", "1"])]
)
def test_a_birth_in_the_register_that_is_no_date_leaves_its_people_as_they_are(
    tmp_path: Path, births: tuple[list, ...]
):
    register(tmp_path, **dict(zip(("birth_year", "birth_month", "birth_day"), births, strict=True)))
    held = names(tmp_path)
    assert [held.person(n).birth_date for n in (1, 2)] == [None, None]
    assert held.person(2).full_name == "Bo Bb"


def test_of_the_registers_suffixes_only_true_ones_belong_to_a_name(tmp_path: Path):
    register(
        tmp_path, name_suffix=["Jr.", "Maria", None], birth_year=[1990, 1991, 1], birth_month=[4, 5, 1], birth_day=[6, 7, 1]
    )  # fmt: skip
    held = names(tmp_path)
    assert [held.person(n).full_name for n in (1, 2)] == ["Al Aa Jr.", "Bo Bb"]
    assert held.person(1).birth_date == dt.date(1990, 4, 6)
    assert dict(held.savant.iter_rows()) == {1: "Aa Jr., Al", 2: "Bb, Bo"}
    assert held.register("0").is_empty(), "without a UUID nobody stands in a file of the register"


def test_a_list_counts_before_the_register_and_facts_are_filled_in(tmp_path: Path):
    rows = ["1,Al Aa-Bee Jr.,Al,Aa-Bee,S,R,SS,", "x,No Number,No,Number,R,R,C,", "3,Mononym,,Mononym,,,,1999-01-02"]
    wrote(tmp_path / "mlb_statsapi" / "people.csv", "\n".join([PEOPLE, *rows]))
    register(tmp_path, birth_year=[1990, 1991, 1], birth_month=[4, 5, 1], birth_day=[6, 7, 1])
    held = names(tmp_path)
    one, three = held.person(1), held.person(3)
    assert (one.full_name, one.last_name, one.bats, one.throws, one.position) == (
        "Al Aa-Bee Jr.",
        "Aa-Bee Jr.",
        "S",
        "R",
        "SS",
    )
    assert one.birth_date == dt.date(1990, 4, 6)
    assert (three.full_name, three.birth_date, three.bats) == ("Mononym", dt.date(1999, 1, 2), None)
    assert len(held.table) == 3


def test_who_bears_the_names_of_a_pitch_file_is_told_by_whose_ids_have_one_name_each(tmp_path: Path):
    f.write(tmp_path, wide=f.pitches())
    world = RecordedWorld(tmp_path)
    pitcher, batter = f.AWAY_IDS[9], f.HOME_IDS[0]
    assert world.person(pitcher).full_name == f"{pitcher} Hurler"
    assert world.person(batter) is None


def test_a_file_of_the_register_holds_those_whose_uuid_begins_so(tmp_path: Path):
    register(tmp_path, key_uuid=["0a", "1b", "0c"])
    held = names(tmp_path)
    assert held.register("0")["name_last"].to_list() == ["Aa", "Cc"]
    assert held.register("f").is_empty()
