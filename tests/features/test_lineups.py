"""Who of a slate can be projected: sides, places and starters as they are posted, doubled, missing or out of range."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest

from backstop.features.lineups import ABSENCE_SCHEMA, NO_HISTORY, place
from backstop.tables import GAMES, PLAYERS

DAY = dt.date(2025, 6, 15)
HOME, AWAY = list(range(101, 110)), list(range(201, 210))
ARMS = {True: 190, False: 290}


def table(rows: list[dict[str, Any]], schema: dict[str, pl.DataType]) -> pl.DataFrame:
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema)


def game(pk: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "game_pk": pk, "game_date": DAY, "home_team": "DET", "away_team": "CIN", "status": "Scheduled", "season": 2025,
    } | changes  # fmt: skip


def player(
    who: int, *, home: bool, slot: int | None = None, starts: bool | None = False, pk: int = 1
) -> dict[str, Any]:
    team, other = ("DET", "CIN") if home else ("CIN", "DET")
    return {
        "game_pk": pk, "game_date": DAY, "player_id_mlbam": who, "full_name": f"P {who}", "team": team, "opponent": other,
        "is_home": home, "slot": slot, "is_starting_pitcher": starts,
    }  # fmt: skip


def posted(pk: int = 1) -> list[dict[str, Any]]:
    """Both line-ups of a game with their starting pitchers, and a man on each bench."""
    rows = [
        player(who, home=home, slot=n, pk=pk)
        for home, nine in ((True, HOME), (False, AWAY))
        for n, who in enumerate(nine, 1)
    ]
    arms = [player(who, home=home, starts=True, pk=pk) for home, who in ARMS.items()]
    return [*rows, *arms, player(150, home=True, starts=None, pk=pk), player(250, home=False, pk=pk)]


def told(
    games: list[dict[str, Any]], people: list[dict[str, Any]], **more: bool
) -> tuple[Any, list[tuple[int | None, str, str]]]:
    slate = place(table(games, GAMES.schema), table(people, PLAYERS.schema), **more)
    assert dict(slate.absent.schema) == ABSENCE_SCHEMA
    return slate, slate.absent.select("player_id_mlbam", "role", "reason").rows()


def test_a_whole_game_is_eighteen_batters_and_two_starters_in_order():
    slate, absent = told([game()], posted()[::-1])
    assert absent == []
    assert slate.batters["player_id_mlbam"].to_list() == [*AWAY, *HOME]
    assert slate.batters["slot"].to_list() == [*range(1, 10)] * 2
    assert slate.batters["opposing_starter_id_mlbam"].to_list() == [ARMS[True]] * 9 + [ARMS[False]] * 9
    assert slate.starters.select("player_id_mlbam", "is_home", "opponent").rows() == [
        (290, False, "DET"),
        (190, True, "CIN"),
    ]


def test_a_doubleheader_is_two_games_with_line_ups_of_their_own():
    slate, absent = told([game(1), game(2)], [*posted(1), *(row for row in posted(2) if row["slot"] != 4)])
    assert {(pk, len(rows)) for (pk,), rows in slate.batters.group_by("game_pk")} == {(1, 18), (2, 16)}
    assert [(who, role) for who, role, _ in absent] == [(190, "starter"), (290, "starter")]
    assert {reason for *_, reason in absent} == {
        "the line-up of CIN has 8 names, not 9",
        "the line-up of DET has 8 names, not 9",
    }


@pytest.mark.parametrize("slot", [0, 10, -1, 99])
def test_a_place_that_does_not_exist_is_named_and_holds_nobody(slot: int):
    rows = [row | {"slot": slot} if row["player_id_mlbam"] == 103 else row for row in posted()]
    slate, absent = told([game()], rows)
    assert absent == [
        (103, "batter", f"place {slot} in the batting order does not exist"),
        (290, "starter", "the line-up of DET has 8 names, not 9"),
    ]
    assert 103 not in slate.batters["player_id_mlbam"]


def test_three_in_one_place_hold_it_none_of_them():
    rows = [row | {"slot": 5} if row["player_id_mlbam"] in (104, 106) else row for row in posted()]
    slate, absent = told([game()], rows)
    assert [who for who, role, _ in absent if role == "batter"] == [104, 105, 106]
    assert {reason for _, role, reason in absent if role == "batter"} == {
        "two players hold place 5 in the batting order of DET"
    }
    assert slate.batters.filter("is_home")["slot"].to_list() == [1, 2, 3, 7, 8, 9]


def test_two_named_starters_are_none_and_their_opponents_cannot_be_projected():
    slate, absent = told([game()], [*posted(), player(191, home=True, starts=True)])
    assert (None, "starter", "no single starting pitcher of DET is named") in absent
    assert [who for who, role, reason in absent if role == "batter"] == AWAY
    assert slate.batters["player_id_mlbam"].to_list() == HOME
    assert slate.starters["player_id_mlbam"].to_list() == [290]


def test_the_schedules_starter_counts_only_where_no_line_up_names_one():
    without = [row for row in posted() if row["player_id_mlbam"] != 190]
    slate, absent = told([game(home_starter_id_mlbam=777, away_starter_id_mlbam=888)], without)
    assert absent == []
    arms = dict(slate.starters.select("player_id_mlbam", "player_name").iter_rows())
    assert arms == {777: None, 290: "P 290"}
    slate, _ = told([game(home_starter_id_mlbam=150)], without)
    assert dict(slate.starters.select("player_id_mlbam", "player_name").iter_rows())[150] == "P 150"


def test_before_anything_is_posted_each_side_is_absent_as_a_whole():
    slate, absent = told([game()], [])
    assert slate.batters.is_empty()
    assert slate.starters.is_empty()
    assert absent == [
        (None, "batter", "no line-up of CIN is known"), (None, "batter", "no line-up of DET is known"),
        (None, "starter", "no single starting pitcher of CIN is named"), (None, "starter", "no single starting pitcher of DET is named"),
    ]  # fmt: skip


def test_a_starter_who_faces_a_line_up_that_nobody_knows_says_so():
    _, absent = told([game()], [row for row in posted() if row["slot"] is None])
    assert (190, "starter", "he faces CIN, whose line-up is not known") in absent


@pytest.mark.parametrize("status", ["Postponed", "Cancelled", "Canceled", "Postponed: Rain"])
def test_a_game_that_is_off_is_absent_with_its_word_and_nobody_of_it_is_named(status: str):
    slate, absent = told([game(1, status=status), game(2)], [*posted(1), *posted(2)])
    assert absent == [(None, "batter", f"the game is {status.lower()}")]
    assert slate.batters["game_pk"].unique().to_list() == slate.lineups["game_pk"].unique().to_list() == [2]


def test_a_game_whose_state_is_not_known_is_projected():
    assert told([game(status=None)], posted())[1] == []


def test_players_of_no_game_of_the_slate_are_passed_over():
    slate, absent = told([game(1)], [*posted(1), *posted(99)])
    assert absent == []
    assert slate.lineups["game_pk"].unique().to_list() == [1]


def test_without_history_everybody_is_absent_for_that():
    slate, absent = told([game()], posted(), has_history=False)
    assert slate.batters.is_empty()
    assert slate.starters.is_empty()
    assert [(who, reason) for who, _, reason in absent] == [(who, NO_HISTORY) for who in [*HOME, *AWAY, 190, 290]]


def test_no_games_are_no_slate():
    slate, absent = told([], [])
    assert absent == []
    assert slate.batters.is_empty()
