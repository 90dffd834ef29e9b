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


@pytest.mark.parametrize(
    ("name", "club"),
    [
        ("St. Louis Cardinals", "STL"), ("St.Louis Cardinals", "STL"), ("St Louis Cardinals", "STL"),
        ("CHICAGO WHITE SOX", "CWS"), (" Boston  Red Sox ", "BOS"), ("Athletics", "ATH"), ("Oakland Athletics", "ATH"),
        ("Cleveland Indians", "CLE"), ("Florida Marlins", "MIA"), ("Los Angeles Angels of Anaheim", "LAA"),
    ],
)  # fmt: skip
def test_a_club_is_found_by_its_name_however_a_feed_spaces_it(name: str, club: str) -> None:
    team = teams.named(name)
    assert team is not None
    assert team.abbreviation == club


@pytest.mark.parametrize("name", ["", "National League", "Chicago", "Red Sox", None, 116, ["Boston Red Sox"]])
def test_what_is_no_clubs_full_name_is_nobody(name: object) -> None:
    assert teams.named(name) is None


def test_letters_alone_tell_every_name_from_the_others() -> None:
    for name, team in teams.BY_NAME.items():
        assert teams.named(name) is team


@pytest.mark.parametrize("code", ["COL", "CHN", "WAS", "FLA"])
def test_a_guest_with_the_abbreviation_of_a_club_is_not_that_club(code: str) -> None:
    """Colombia and China come to spring games, and colleges do."""
    assert teams.abbreviation_of(792, code) is None


def test_an_unknown_team_has_no_abbreviation_unless_one_is_given() -> None:
    assert teams.abbreviation_of(9000) is None
    assert teams.abbreviation_of(9000, "SEU") == "SEU"
    assert teams.abbreviation_of(None, "OAK") == "ATH"
    assert teams.abbreviation_of(9000, ["OAK"]) is None
