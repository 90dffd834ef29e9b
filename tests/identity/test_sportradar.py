"""SportRadar's players find their MLBAM id, or a reason."""

from __future__ import annotations

from typing import Any

import polars as pl

from backstop.identity.sportradar import as_players, crosswalk
from backstop.sources.sportradar.summary import SUMMARY
from backstop.tables import PLAYERS
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
    assert found["reason"].null_count() == 0


def test_a_summary_becomes_players_of_the_game() -> None:
    both = summary(("a", "Max Muncy", "LAD", None), ("b", "Max Muncy", "ATH", None), ("c", "Nobody", "ATH", None))
    listed = as_players(both, pl.DataFrame({"game_id_sportradar": ["g"], "game_pk": [1]}), crosswalk(both, KNOWN))
    assert listed.schema == PLAYERS.schema
    assert listed.select("player_id_mlbam", "team", "opponent", "is_home").rows() == [
        (571970, "LAD", "ATH", True), (691777, "ATH", "LAD", False),
    ]  # fmt: skip
