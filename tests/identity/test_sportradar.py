"""SportRadar's players find their MLBAM id, or a reason."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from backstop.identity.match import REASON_NOBODY, REASON_SEVERAL
from backstop.identity.sportradar import CROSSWALK, REASON_TAKEN, as_players, as_tables, crosswalk
from backstop.sources.sportradar.summary import SUMMARY
from backstop.tables import BOX, PLAYERS
from tests.identity.frames import DAY, players


def summary(*rows: tuple[str, str, str, int | None]) -> pl.DataFrame:
    """Players as (id, name, team, MLBAM id) of one game, LAD at home."""
    made: list[dict[str, Any]] = [
        {**dict.fromkeys(SUMMARY.schema), "game_id_sportradar": "g", "game_date": DAY, "player_id_sportradar": player,
         "full_name": name, "team": team, "player_id_mlbam": mlbam, "is_home": team == "LAD", "slot": 1,
         "is_starting_pitcher": False}
        for player, name, team, mlbam in rows
    ]  # fmt: skip
    return pl.DataFrame(made, schema=SUMMARY.schema)


KNOWN = players((1, 571970, "Max Muncy", "LAD"), (1, 691777, "Max Muncy", "ATH"), (1, 571510, "Matt Boyd", "LAD"))


def test_the_id_of_the_feed_counts_before_the_name() -> None:
    found = crosswalk(summary(("a", "Max Muncy", "LAD", 7)), KNOWN)
    assert found.select("player_id_mlbam", "matched_by").row(0) == (7, "feed")


def test_names_are_compared_within_the_team() -> None:
    found = crosswalk(summary(("a", "Max Muncy", "LAD", None), ("b", "Max Muncy", "ATH", None)), KNOWN)
    assert found.select("team", "player_id_mlbam").rows() == [("ATH", 691777), ("LAD", 571970)]


def test_a_given_name_may_stand_for_another() -> None:
    found = crosswalk(summary(("a", "Matthew Boyd", "LAD", None)), KNOWN)
    assert found.select("player_id_mlbam", "matched_by").row(0) == (571510, "given name")


def test_two_men_of_one_name_in_a_team_are_never_guessed() -> None:
    twins = players((1, 1, "Luis García", "LAD"), (1, 2, "Luis Garcia", "LAD"))
    found = crosswalk(summary(("a", "Luis Garcia", "LAD", None), ("b", "Nobody", "LAD", None)), twins)
    assert found["player_id_mlbam"].null_count() == 2
    assert found["reason"].to_list() == [REASON_SEVERAL, REASON_NOBODY]


@pytest.mark.parametrize("given", [None, 1])
def test_two_of_the_feeds_players_are_never_taken_for_one_man(given: int | None) -> None:
    """The rosters know one Luis Garcia, the feed lists him and another: only its own id tells who is who."""
    known = players((1, 1, "Luis García", "LAD"), (1, 3, "Will Smith", "LAD"))
    listed = summary(
        ("a", "Luis Garcia", "LAD", given), ("b", "Luis Garcia Jr.", "LAD", None), ("c", "W. Smith", "LAD", 3)
    )
    found = {row["player_id_sportradar"]: row for row in crosswalk(listed, known).to_dicts()}
    assert (found["b"]["player_id_mlbam"], found["b"]["matched_by"], found["b"]["reason"]) == (None, None, REASON_TAKEN)
    assert found["a"]["player_id_mlbam"] == given
    assert found["a"]["reason"] == (None if given else REASON_TAKEN)
    assert found["c"]["player_id_mlbam"] == 3


def test_a_player_who_changed_clubs_is_found_on_both_rosters() -> None:
    """He is listed for two teams on one day: one of the feed's ids, one man."""
    known = players((1, 9, "Jo Doe", "LAD"), (2, 9, "Jo Doe", "ATH"))
    found = crosswalk(summary(("a", "Jo Doe", "LAD", None), ("a", "Jo Doe", "ATH", None)), known)
    assert found.select("team", "player_id_mlbam", "reason").rows() == [("ATH", 9, None), ("LAD", 9, None)]


@pytest.mark.parametrize(
    ("name", "expected", "by"),
    [
        ("MAX MUNCY", 571970, "name"),
        ("  Max   Muncy ", 571970, "name"),
        ("Max J. Muncy", 571970, "without middle initial"),
        ("Maxwell Muncy", 571970, "given name"),
        ("大谷 翔平", None, None),
        ("", None, None),
        (None, None, None),
    ],
)
def test_the_form_by_which_a_name_was_found_is_told(name: Any, expected: int | None, by: str | None) -> None:
    found = crosswalk(summary(("a", name, "LAD", None)), KNOWN).row(0, named=True)
    assert (found["player_id_mlbam"], found["matched_by"]) == (expected, by)
    assert found["reason"] == (None if expected else REASON_NOBODY)


def test_nobody_on_either_side_is_an_empty_crosswalk() -> None:
    assert crosswalk(summary(), KNOWN).schema == CROSSWALK
    assert crosswalk(summary(), KNOWN).is_empty()
    found = crosswalk(summary(("a", "Max Muncy", "LAD", None)), players())
    assert found["reason"].to_list() == [REASON_NOBODY]


def test_a_player_listed_twice_in_a_summary_is_one_row() -> None:
    both = summary(("a", "Max Muncy", "LAD", None), ("a", "Max Muncy", "LAD", None))
    assert len(crosswalk(both, KNOWN)) == 1


def test_a_summary_becomes_players_of_the_game() -> None:
    both = summary(("a", "Max Muncy", "LAD", None), ("b", "Max Muncy", "ATH", None), ("c", "Nobody", "ATH", None))
    listed = as_players(both, pl.DataFrame({"game_id_sportradar": ["g"], "game_pk": [1]}), crosswalk(both, KNOWN))
    assert listed.schema == PLAYERS.schema
    assert listed.select("player_id_mlbam", "team", "opponent", "is_home").rows() == [
        (571970, "LAD", "ATH", True), (691777, "ATH", "LAD", False),
    ]  # fmt: skip


GAME = pl.DataFrame({"game_id_sportradar": ["g"], "game_pk": [1]})


def scored(**counts: dict[str, Any]) -> pl.DataFrame:
    """Players by id with what stands in their row; LAD at home."""
    made = [
        {**dict.fromkeys(SUMMARY.schema), "game_id_sportradar": "g", "game_date": DAY, "player_id_sportradar": player,
         "full_name": f"Player {player}", "team": "LAD", "is_home": True, "is_starting_pitcher": False} | row
        for player, row in counts.items()
    ]  # fmt: skip
    return pl.DataFrame(made, schema=SUMMARY.schema)


def tables_of(listed: pl.DataFrame, known: pl.DataFrame = KNOWN, games: pl.DataFrame = GAME):
    return as_tables(listed, games, crosswalk(listed, known))


def test_who_appeared_has_a_line_in_the_box_score_and_who_did_not_is_on_the_roster_alone() -> None:
    listed = scored(
        a={"player_id_mlbam": 11, "slot": 3, "plate_appearances": 4, "hits": 2, "total_bases": 5, "walks": 0},
        b={"player_id_mlbam": 12, "is_starting_pitcher": True, "batters_faced": 25, "outs_recorded": 17},
        c={"player_id_mlbam": 13},
        d={"player_id_mlbam": 14, "stolen_bases": 0},
    )
    people, box = tables_of(listed)
    assert people.frame.schema == PLAYERS.schema
    assert box.frame.schema == BOX.schema
    assert people.frame["player_id_mlbam"].to_list() == [11, 12, 13, 14]
    lines = box.frame.select(
        "player_id_mlbam", "is_starter", "plate_appearances", "hits", "total_bases", "outs_recorded"
    )
    assert lines.rows() == [
        (11, True, 4, 2, 5, None), (12, True, None, None, None, 17), (14, False, None, None, None, None),
    ]  # fmt: skip
    assert people.rejected_by_rule == box.rejected_by_rule == {}


def test_who_has_no_mlbam_id_is_rejected_by_name_with_the_reason_and_every_row_is_accounted_for() -> None:
    listed = scored(a={"player_id_mlbam": 11, "hits": 1}, b={"hits": 1}, c={"full_name": None})
    people, box = tables_of(listed)
    assert (people.rows_in, box.rows_in) == (3, 2)
    assert people.rejected_by_rule == {"unknown_player": 2}
    assert box.rejected_by_rule == {"unknown_player": 1}
    assert box.rejected["reason"].to_list() == [f"Player b (LAD) has no MLBAM id: {REASON_NOBODY}"]


def test_two_ids_that_the_feed_itself_gives_to_one_man_are_one_row_and_the_other_is_named() -> None:
    people, box = tables_of(scored(a={"player_id_mlbam": 11, "hits": 1}, b={"player_id_mlbam": 11, "hits": 2}))
    assert (len(people.frame), len(box.frame)) == (1, 1)
    assert people.rejected_by_rule == box.rejected_by_rule == {"superseded": 1}


def test_a_game_whose_number_nobody_knows_tells_of_nobody() -> None:
    unknown = pl.DataFrame({"game_id_sportradar": ["g"], "game_pk": [None]}, schema_overrides={"game_pk": pl.Int64})
    assert as_players(scored(a={"player_id_mlbam": 11}), unknown, crosswalk(scored(), KNOWN)).is_empty()
    elsewhere = pl.DataFrame({"game_id_sportradar": ["h"], "game_pk": [2]})
    people, box = tables_of(scored(a={"player_id_mlbam": 11, "hits": 1}), games=elsewhere)
    assert people.frame.is_empty()
    assert box.frame.is_empty()


def test_the_opponent_is_unknown_while_one_side_alone_is_listed() -> None:
    people, _ = tables_of(scored(a={"player_id_mlbam": 11}))
    assert people.frame.select("team", "opponent").rows() == [("LAD", None)]
