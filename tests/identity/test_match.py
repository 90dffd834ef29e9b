"""Quoted names find their player within the two teams of the game, or nobody."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backstop.errors import ValidationFailed
from backstop.identity.games import match_events
from backstop.identity.match import Matched, borne, match_quotes
from backstop.tables import QUOTES
from tests.identity.frames import at, games, players, quotes

GAME = games((1, "LAD", "ATH", at(20)))


def found(quoted: pl.DataFrame, listed: pl.DataFrame, schedule: pl.DataFrame = GAME) -> dict[str, int | None]:
    matched = match_quotes(quoted, schedule, listed)
    assert len(matched.quotes) == len(quoted)
    assert matched.quotes.schema == QUOTES.schema
    return dict(matched.quotes.select("player_name", "player_id_mlbam").iter_rows())


def reason(quoted: pl.DataFrame, listed: pl.DataFrame, schedule: pl.DataFrame = GAME) -> str:
    return match_quotes(quoted, schedule, listed).report["reason"].item()  # type: ignore[no-any-return]


def test_a_name_finds_its_player_whatever_the_accents() -> None:
    assert found(quotes(["Teoscar Hernandez"]), players((1, 606192, "Teoscar Hernández", "LAD"))) == {
        "Teoscar Hernandez": 606192
    }


def test_the_game_is_filled_in_too() -> None:
    matched = match_quotes(quotes(["Nobody"]), GAME, players())
    assert matched.quotes["game_pk"].to_list() == [1]


def test_a_player_of_another_game_is_nobody() -> None:
    listed = players((2, 5, "Aaron Judge", "NYY"))
    assert found(quotes(["Aaron Judge"]), listed) == {"Aaron Judge": None}
    assert reason(quotes(["Aaron Judge"]), listed) == "nobody of the two teams has this name"


def test_same_names_in_other_games_are_told_apart_by_the_team() -> None:
    listed = players((1, 571970, "Max Muncy", "LAD"), (2, 691777, "Max Muncy", "ATH"))
    both = pl.concat([
        quotes(["Max Muncy"], event="a", away="SF"), quotes(["Max Muncy"], event="b", home="ATH", away="KC"),
    ])  # fmt: skip
    schedule = games((1, "LAD", "SF", at(20)), (2, "ATH", "KC", at(20)))
    matched = match_quotes(both, schedule, listed)
    assert matched.quotes.select("event_id_theodds", "player_id_mlbam").rows() == [("a", 571970), ("b", 691777)]


def test_two_players_of_one_name_in_one_game_are_never_guessed() -> None:
    listed = players((1, 571970, "Max Muncy", "LAD"), (1, 691777, "Max Muncy", "ATH"))
    assert found(quotes(["Max Muncy"]), listed) == {"Max Muncy": None}
    assert reason(quotes(["Max Muncy"]), listed) == "two players of the game have this name"


def test_a_quoted_suffix_tells_two_players_apart_but_its_absence_does_not() -> None:
    listed = players((1, 671277, "Luis García Jr.", "WSH"), (1, 472610, "Luis García", "LAD"))
    assert found(quotes(["Luis Garcia Jr."]), listed) == {"Luis Garcia Jr.": 671277}
    assert found(quotes(["Luis Garcia"]), listed) == {"Luis Garcia": None}


@pytest.mark.parametrize(
    ("quoted", "listed", "by"),
    [
        ("Ronald Acuna Jr.", "Ronald Acuña Jr.", "name and suffix"),
        ("Ronald Acuna Jr.", "Ronald Acuña", "name"),
        ("Michael A. Taylor", "Michael Taylor", "without middle initial"),
        ("Matthew Boyd", "Matt Boyd", "given name"),
    ],
)
def test_the_report_says_by_which_pass_a_name_was_matched(quoted: str, listed: str, by: str) -> None:
    matched = match_quotes(quotes([quoted]), GAME, players((1, 7, listed, "LAD")))
    assert matched.report["matched_by"].to_list() == [by]


def test_a_looser_pass_that_fits_two_players_guesses_neither() -> None:
    listed = players((1, 7, "Matt Boyd", "LAD"), (1, 8, "Matty Boyd", "ATH"), (1, 9, "Matthew B. Boyd", "ATH"))
    assert found(quotes(["Mat Boyd"]), listed) == {"Mat Boyd": None}
    listed = players((1, 7, "Mike Smith", "LAD"), (1, 8, "Michael B. Smith", "ATH"))
    assert found(quotes(["Michael Q. Smith"]), listed)["Michael Q. Smith"] in {8, None}
    assert found(quotes(["Mikey Smith", "Mike Q. Smith"]), listed)["Mikey Smith"] is None


def test_the_share_counts_event_and_name_pairs_and_not_quotes() -> None:
    many = pl.concat([quotes(["A B"]), quotes(["A B"]).with_columns(line=pl.lit(1.5)), quotes(["C D"])])
    matched = match_quotes(many, GAME, players((1, 7, "A B", "LAD")))
    assert matched.unmatched_share == 0.5
    assert matched.unmatched["player_name"].to_list() == ["C D"]
    assert matched.report["quotes"].to_list() == [2, 1]


def test_without_quotes_nothing_is_unmatched() -> None:
    matched = match_quotes(QUOTES.empty(), GAME, players())
    assert (matched.unmatched_share, len(matched.quotes), len(matched.report)) == (0.0, 0, 0)


@pytest.mark.parametrize("status", ["Postponed", "Postponed: Rain", "Cancelled: Snow"])
def test_names_of_a_postponed_game_are_reported_but_do_not_count_as_unmatched(status: str) -> None:
    off = games((1, "LAD", "ATH", at(20)), status=status)
    matched = match_quotes(quotes(["A B"]), off, players((1, 7, "A B", "LAD")))
    assert matched.report["reason"].to_list() == ["the game is postponed or cancelled"]
    assert matched.unmatched_share == 0.0


def test_too_many_unmatched_names_are_a_failure_that_names_them() -> None:
    matched = match_quotes(quotes(["A B", "C D"]), GAME, players((1, 7, "A B", "LAD")))
    matched.check(0.5)
    with pytest.raises(ValidationFailed, match=r"50\.00% of 2 quoted .* match nobody: C D\. At most 2\.0% may"):
        matched.check(0.02)


def small_slate(known: int, *unknown: str) -> Matched:
    """Name so many players that the roster has, and others."""
    listed = players(*((1, n, f"Player {chr(97 + n)}", "LAD") for n in range(known)))
    return match_quotes(quotes([*listed["full_name"], *unknown]), GAME, listed)


@pytest.mark.parametrize(
    ("known", "unknown", "refused"),
    [
        (10, ("X Y",), False),
        (10, ("X Y", "X Z"), False),
        (10, ("X Y", "X Z", "X W"), True),
        (3, ("X Y",), False),
        (2, ("X Y",), True),
        (0, ("X Y",), True),
        (25, ("X Y", "X Z", "X W"), True),
    ],
)
def test_one_unknown_name_or_two_refuse_no_small_slate_unless_they_are_more_than_a_quarter(known, unknown, refused):
    """Of 11 names one is 9 %, of 12 two are 17 %: call-ups, not broken rosters."""
    matched = small_slate(known, *unknown)
    assert matched.unmatched["player_name"].sort().to_list() == sorted(unknown)
    if refused:
        with pytest.raises(ValidationFailed, match=r"At most 2\.0% may, 25% where they are fewer than 3: look at"):
            matched.check(0.02)
    else:
        matched.check(0.02)


@pytest.mark.parametrize(("limit", "borne_share"), [(0.0, 0.0), (0.02, 0.25), (0.25, 0.25), (0.4, 0.4)])
def test_a_wider_limit_holds_for_few_names_too(limit, borne_share):
    few = small_slate(3, "X Y").report
    assert borne(few, limit) == borne(few.clear(), limit) == borne_share
    assert borne(small_slate(3, "X Y", "X Z", "X W").report, limit) == limit


def test_a_limit_of_nothing_refuses_one_unknown_name_among_many() -> None:
    with pytest.raises(ValidationFailed, match=r"match nobody: X Y\. None may: look at"):
        small_slate(25, "X Y").check(0)
    small_slate(25).check(0)


def test_a_name_in_two_events_is_one_name() -> None:
    """A doubleheader lists its players twice: one that nobody knows is still one."""
    both = pl.concat([quotes(["X Y"], event=event) for event in ("e", "f", "g")])
    assert borne(match_quotes(both, GAME, players()).report, 0.02) == 0.25


def test_names_of_an_event_without_a_game_count_as_unmatched() -> None:
    matched = match_quotes(quotes(["A B"], home="NYY"), GAME, players())
    assert matched.report["reason"].to_list() == ["no game of these teams on the day"]
    assert matched.unmatched_share == 1.0


def doubleheader_events(*starts: tuple[str, dt.datetime]) -> pl.DataFrame:
    frames = [quotes(["A B"], event=event, start=start) for event, start in starts]
    return pl.concat(frames).select("event_id_theodds", "commence_at", "game_date", "home_team", "away_team")


DOUBLEHEADER = games((1, "LAD", "ATH", at(17)), (2, "LAD", "ATH", at(23)))


def pks(events: pl.DataFrame, schedule: pl.DataFrame) -> list[int | None]:
    return match_events(events, schedule)["game_pk"].to_list()


def test_two_events_of_a_doubleheader_are_its_games_in_order() -> None:
    # a placeholder: the second game is listed five minutes after the first
    events = doubleheader_events(("a", at(17, 5)), ("b", at(17, 10)))
    assert pks(events, DOUBLEHEADER) == [1, 2]


def test_a_single_event_of_a_doubleheader_is_the_game_with_the_nearest_start() -> None:
    assert pks(doubleheader_events(("a", at(22, 40))), DOUBLEHEADER) == [2]


def test_an_event_as_near_to_both_games_is_neither() -> None:
    assert pks(doubleheader_events(("a", at(20))), DOUBLEHEADER) == [None]


def test_a_moved_start_within_the_day_does_not_matter_without_a_doubleheader() -> None:
    assert pks(doubleheader_events(("a", at(23))), games((1, "LAD", "ATH", at(17)))) == [1]


ONLY = games((1, "LAD", "ATH", at(23, 10)))


def test_two_events_near_the_only_game_are_both_that_game() -> None:
    # as of CIN and AZ on 6 June 2025: listed again a minute later
    assert pks(doubleheader_events(("a", at(23, 11)), ("b", at(23, 12))), ONLY) == [1, 1]


@pytest.mark.parametrize("start", [at(20, 10), at(18, 30)])
def test_of_two_events_the_one_hours_before_the_only_game_is_not_that_game(start: dt.datetime) -> None:
    # 20:10: the start before it was moved to the evening (LAD and SF, 15 June 2025); 18:30: the resumption of the
    # evening before's suspended game, which the schedule lists under that day (BOS and CIN, 2 July 2025)
    assert pks(doubleheader_events(("a", start), ("b", at(23, 10))), ONLY) == [None, 1]


WASHED_OUT = pl.concat([games((1, "LAD", "ATH", at(17))), games((2, "LAD", "ATH", at(23)), status="Postponed")])


def test_the_event_of_the_washed_out_half_of_a_doubleheader_is_off_and_the_other_is_played() -> None:
    found = match_events(doubleheader_events(("a", at(17, 5)), ("b", at(22))), WASHED_OUT)
    assert found.select("game_pk", "reason").rows() == [(1, None), (None, "the game is postponed or cancelled")]


def test_a_single_event_is_the_half_of_a_doubleheader_that_it_is_nearest_to() -> None:
    assert pks(doubleheader_events(("a", at(18))), WASHED_OUT) == [1]
    assert pks(doubleheader_events(("a", at(22))), WASHED_OUT) == [None]


NAMES = st.lists(
    st.sampled_from(
        ["Max Muncy", "Luis Garcia", "Luis García Jr.", "Michael A. Taylor", "Matt Boyd", "Matthew Boyd", "X"]
    ),
    max_size=5,
    unique=True,
)


@settings(deadline=None)
@given(quoted=NAMES, home=NAMES, away=NAMES)
def test_every_quote_comes_out_once_and_a_match_is_always_on_the_roster(
    quoted: list[str], home: list[str], away: list[str]
) -> None:
    rows = [(1, n, name, "LAD") for n, name in enumerate(home)]
    rows += [(1, 100 + n, name, "ATH") for n, name in enumerate(away)]
    matched = match_quotes(quotes(quoted), GAME, players(*rows))
    assert sorted(matched.quotes["player_name"]) == sorted(quoted)
    assert set(matched.quotes["player_id_mlbam"].drop_nulls()) <= {player for _, player, _, _ in rows}
    explained = matched.report.select((pl.col("player_id_mlbam").is_null() == pl.col("reason").is_not_null()).all())
    assert explained.item()


def test_a_name_that_the_roster_spells_otherwise_is_found_through_the_register() -> None:
    roster = players((1, 660271, "Hyun Jin Ryu", "LAD"), (1, 7, "Jin Ryu", "ATH"))
    known_as = pl.DataFrame({"player_id_mlbam": [660271, 99], "full_name": ["Hyun-Jin Alexander Ryu", "Somebody Else"]})
    quoted = quotes(["Hyun Jin Alexander Ryu", "Somebody Else"])
    assert match_quotes(quoted, GAME, roster).unmatched_share == 1.0
    matched = match_quotes(quoted, GAME, roster, known_as)
    assert matched.report.select("player_name", "player_id_mlbam", "matched_by").rows() == [
        ("Hyun Jin Alexander Ryu", 660271, "register"), ("Somebody Else", None, None),
    ]  # fmt: skip


def test_a_further_name_that_two_players_of_the_game_have_is_never_guessed() -> None:
    roster = players((1, 1, "Luis Garcia", "LAD"), (1, 2, "Luis A. Garcia", "ATH"))
    known_as = pl.DataFrame({"player_id_mlbam": [1, 2], "full_name": ["Luis Felipe Garcia"] * 2})
    assert match_quotes(quotes(["Luis Felipe Garcia"]), GAME, roster, known_as).unmatched_share == 1.0
