"""Thirty clubs, each found under all of its names."""

from __future__ import annotations

import pytest

from backstop.sources import teams


def test_there_are_thirty_clubs_and_no_name_is_shared() -> None:
    assert len(teams.TEAMS) == len(teams.BY_ID_MLBAM) == len(teams.BY_ID_SPORTRADAR) == 30
    codes = [code for team in teams.TEAMS for code in {team.abbreviation, team.retrosheet, *team.aliases}]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize(
    ("code", "today"),
    [("OAK", "ATH"), ("ARI", "AZ"), ("CHW", "CWS"), ("WSN", "WSH"), ("WAS", "WSH"), ("ANA", "LAA"), ("NYA", "NYY")],
)
def test_old_and_foreign_abbreviations_lead_to_todays(code: str, today: str) -> None:
    assert teams.ABBREVIATIONS[code] == today


def test_the_athletics_keep_their_old_name_in_the_odds_feed() -> None:
    assert teams.ODDS_API_NAME["ATH"] == "Oakland Athletics"
    assert teams.BY_NAME["Athletics"] is teams.BY_NAME["Oakland Athletics"]


def test_an_unknown_team_has_no_abbreviation_unless_one_is_given() -> None:
    assert teams.abbreviation_of(9000) is None
    assert teams.abbreviation_of(9000, "SEU") == "SEU"
    assert teams.abbreviation_of(None, "OAK") == "ATH"
