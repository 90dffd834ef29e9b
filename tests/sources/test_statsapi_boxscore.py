"""Box scores: rosters before the game, line-ups once posted, statistics afterwards."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from backstop.errors import UpstreamMalformed, UsageError
from backstop.net.item import Answer
from backstop.sources.statsapi import boxscore, schedule
from backstop.sources.statsapi.boxscore import BoxParsed
from backstop.tables import BOX, GAMES, PLAYERS
from tests.sources.answers import answer, recorded

PK = 777245


def games(**changes: Any) -> pl.DataFrame:
    row: dict[str, Any] = dict.fromkeys(GAMES.schema)
    row |= {"game_pk": PK, "game_date": dt.date(2025, 6, 15), "home_starter_id_mlbam": 100}
    return pl.DataFrame([row | changes], schema=GAMES.schema)


def entry(player: int, **changes: Any) -> dict[str, Any]:
    """A man on the roster who has done nothing yet."""
    listed = {
        "person": {"id": player, "fullName": f"Player {player}"},
        "jerseyNumber": "9",
        "position": {"abbreviation": "SS"},
        "stats": {"batting": {}, "pitching": {}, "fielding": {}},
    }
    return listed | changes


def batting(**changes: Any) -> dict[str, Any]:
    zeros = dict.fromkeys(boxscore.BATTING.values(), 0)
    return {"batting": zeros | changes, "pitching": {}, "fielding": {}}


def pitching(innings: str = "6.2", outs: int | None = 20, **changes: Any) -> dict[str, Any]:
    line: dict[str, Any] = dict.fromkeys(boxscore.PITCHING.values(), 0) | {"inningsPitched": innings, "gamesStarted": 0}
    line["outs"] = outs
    return {"batting": {}, "pitching": line | changes, "fielding": {}}


def box(*home: dict[str, Any], order: list[int] | None = None, pitchers: list[int] | None = None) -> dict[str, Any]:
    def side(team: int, entries: tuple[dict[str, Any], ...]) -> dict[str, Any]:
        return {
            "team": {"id": team},
            "players": {f"ID{one['person']['id']}": one for one in entries},
            "battingOrder": order or [],
            "pitchers": pitchers or [],
        }

    return {"teams": {"home": side(116, home), "away": side(113, (entry(900),))}}


def parse(body: Any, listed: pl.DataFrame | None = None) -> BoxParsed:
    got: Answer = answer(boxscore.plan([PK])[0], body)
    boxscore.inspect(got.body)
    return boxscore.parse(got, games() if listed is None else listed)


def player(parsed: BoxParsed, player_id: int) -> dict[str, Any]:
    return parsed.players.frame.filter(pl.col("player_id_mlbam") == player_id).row(0, named=True)


def line(parsed: BoxParsed, player_id: int) -> dict[str, Any]:
    return parsed.box.frame.filter(pl.col("player_id_mlbam") == player_id).row(0, named=True)


def test_each_game_is_asked_by_itself() -> None:
    item = boxscore.plan([PK])[0]
    assert (item.path, item.key, item.table) == (f"/api/v1/game/{PK}/boxscore", str(PK), "core_box")


def test_before_the_game_everybody_on_both_rosters_is_there_and_nobody_appeared() -> None:
    parsed = parse(box(entry(1), entry(100)))
    assert parsed.players.frame.schema == PLAYERS.schema
    assert parsed.players.frame["player_id_mlbam"].to_list() == [1, 100, 900]
    assert parsed.players.frame["slot"].null_count() == 3
    assert (parsed.box.rows_in, parsed.box.frame.schema) == (0, BOX.schema)


def test_each_player_stands_with_his_team_and_the_opponent() -> None:
    parsed = parse(box(entry(1)))
    assert (player(parsed, 1)["team"], player(parsed, 1)["opponent"], player(parsed, 1)["is_home"]) == (
        "DET",
        "CIN",
        True,
    )
    assert (player(parsed, 900)["team"], player(parsed, 900)["is_home"]) == ("CIN", False)


def test_before_the_game_the_probable_pitcher_is_the_starting_pitcher() -> None:
    assert player(parse(box(entry(100))), 100)["is_starting_pitcher"]


def test_after_the_game_who_started_counts_and_not_who_was_probable() -> None:
    parsed = parse(box(entry(100), entry(101, stats=pitching(gamesStarted=1)), pitchers=[101]))
    assert player(parsed, 101)["is_starting_pitcher"]
    assert not player(parsed, 100)["is_starting_pitcher"]


def test_a_posted_order_without_player_codes_gives_the_slots() -> None:
    parsed = parse(box(*(entry(n) for n in range(1, 11)), order=list(range(1, 10))))
    assert [player(parsed, n)["slot"] for n in range(1, 11)] == [*range(1, 10), None]


def test_the_three_digit_code_tells_starters_from_substitutes() -> None:
    starter = entry(1, battingOrder="900", stats=batting(plateAppearances=2))
    substitute = entry(2, battingOrder="901", stats=batting(plateAppearances=2))
    # the list of that name holds who bats now: the substitute
    parsed = parse(box(starter, substitute, order=[2]))
    assert (player(parsed, 1)["slot"], player(parsed, 2)["slot"]) == (9, None)
    assert (line(parsed, 1)["is_starter"], line(parsed, 2)["is_starter"]) == (True, False)


def test_a_batter_has_batting_columns_and_no_pitching_ones() -> None:
    row = line(parse(box(entry(1, battingOrder="100", stats=batting(hits=2, runs=1, rbi=3, stolenBases=1)))), 1)
    assert (row["hits"], row["runs"], row["rbi"], row["stolen_bases"], row["outs_recorded"]) == (2, 1, 3, 1, None)


def test_a_pitcher_who_did_not_bat_has_no_batting_columns_even_if_zeros_are_sent() -> None:
    stats = pitching(gamesStarted=1, strikeOuts=8) | {"batting": batting()["batting"]}
    row = line(parse(box(entry(100, stats=stats))), 100)
    assert (row["plate_appearances"], row["hits"]) == (None, None)
    assert (row["pitcher_strikeouts"], row["outs_recorded"], row["is_starter"]) == (8, 20, True)


def test_a_two_way_player_has_both() -> None:
    stats = batting(plateAppearances=4, hits=1) | {"pitching": pitching(gamesStarted=1)["pitching"]}
    row = line(parse(box(entry(100, battingOrder="100", stats=stats))), 100)
    assert (row["hits"], row["outs_recorded"]) == (1, 20)


def test_a_pinch_runner_appeared_without_a_plate_appearance() -> None:
    row = line(parse(box(entry(1, battingOrder="401", stats=batting(runs=1)))), 1)
    assert (row["plate_appearances"], row["runs"]) == (0, 1)


@pytest.mark.parametrize(
    ("innings", "outs"), [("6.2", 20), ("0.1", 1), ("9", 27), ("-.--", None), ("1.3", None), ("", None), (None, None)]
)
def test_innings_are_read_as_outs(innings: Any, outs: int | None) -> None:
    assert boxscore.outs_of(innings) == outs


def test_outs_are_taken_from_the_innings_where_they_are_absent() -> None:
    assert line(parse(box(entry(100, stats=pitching("5.1", None)))), 100)["outs_recorded"] == 16


def test_outs_that_contradict_the_innings_are_set_apart() -> None:
    parsed = parse(box(entry(100, stats=pitching("6.2", 19))))
    assert parsed.box.rejected_by_rule == {"outs": 1}
    assert len(parsed.players.frame) == 2


def test_an_entry_without_a_person_is_set_apart_and_the_others_stay() -> None:
    body = box(entry(1))
    body["teams"]["home"]["players"]["ID5"] = {"stats": batting(hits=1)}
    parsed = parse(body)
    assert parsed.players.rejected_by_rule == {"missing_key": 1}
    assert parsed.box.rejected_by_rule == {"missing_key": 1}
    assert len(parsed.players.frame) == 2


def test_a_placeholder_where_a_count_should_be_is_set_apart() -> None:
    assert parse(box(entry(1, stats=batting(hits="-")))).box.rejected_by_rule == {"type": 1}


def test_a_game_that_the_schedule_lacks_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match=str(PK)):
        parse(box(), games().clear())


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"message":"Object not found"}', b'{"teams":{"home":{}}}'])
def test_what_is_no_box_score_is_refused(body: bytes) -> None:
    with pytest.raises(UpstreamMalformed):
        boxscore.inspect(body)


@pytest.mark.realdata
def test_a_recorded_box_score_is_read_whole(realdata: Path) -> None:
    listed = schedule.parse(
        answer(
            schedule.plan(dt.date(2024, 7, 1), dt.date(2024, 7, 1))[0],
            recorded(realdata / "mlb_statsapi/darkside/schedule.json"),
        )
    ).frame
    body = recorded(realdata / "mlb_statsapi/darkside/boxscore.json.gz")
    parsed = boxscore.parse(answer(boxscore.plan([744914])[0], body), listed)
    assert (len(parsed.players.frame), len(parsed.players.rejected), len(parsed.box.rejected)) == (50, 0, 0)
    assert not parsed.players.drift
    starters = parsed.players.frame.filter("is_starting_pitcher")
    assert sorted(starters["full_name"]) == ["Hunter Brown", "Yariel Rodríguez"]
    slots = parsed.players.frame.drop_nulls("slot").group_by("team").agg(pl.col("slot").sort())
    assert slots["slot"].to_list() == [list(range(1, 10))] * 2
    outs = parsed.box.frame.group_by("team").agg(pl.col("outs_recorded").sum()).sort("team")
    assert outs.rows() == [("HOU", 27), ("TOR", 27)]
    runs = parsed.box.frame.group_by("team").agg(pl.col("runs").sum()).sort("team")
    assert runs.rows() == [("HOU", 3), ("TOR", 1)]
