"""Which game an event is: against a reference that goes through the cases one by one."""

from __future__ import annotations

import datetime as dt
import random

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backstop.identity.games import GAME_OFF, GAME_UNCLEAR, NO_GAME, match_events
from tests.identity.frames import DAY, at, games

EVENTS = {
    "event_id_theodds": pl.String(), "commence_at": pl.Datetime("us", "UTC"), "game_date": pl.Date(),
    "home_team": pl.String(), "away_team": pl.String(),
}  # fmt: skip


def events(*rows: tuple[str, str, str, dt.datetime]) -> pl.DataFrame:
    made = [
        {"event_id_theodds": event, "home_team": home, "away_team": away, "commence_at": start, "game_date": DAY}
        for event, home, away, start in rows
    ]
    return pl.DataFrame(made, schema=EVENTS)


def found(listed: pl.DataFrame, scheduled: pl.DataFrame) -> dict[str, tuple[int | None, str | None]]:
    return {event: (game, reason) for event, game, reason in match_events(listed, scheduled).iter_rows()}


def reference(starts: list[int], playing: list[int], off: set[int]) -> dict[str, tuple[int | None, str | None]]:
    """Events by start and games by start, of two clubs on one day: whom each event means."""
    order = sorted(range(len(starts)), key=lambda n: (starts[n], n))
    rank = sorted(range(len(playing)), key=lambda n: (playing[n], n))
    meant: dict[int, int | None] = {}
    for place, event in enumerate(order):
        if len(playing) == len(starts):
            meant[event] = rank[place]
        elif len(playing) == 1:
            meant[event] = 0 if abs(starts[event] - playing[0]) <= 2 else None
        else:
            apart = [abs(starts[event] - start) for start in playing]
            nearest = [n for n, distance in enumerate(apart) if distance == min(apart)] if apart else []
            meant[event] = nearest[0] if len(nearest) == 1 else None
    if len(playing) not in (1, len(starts)):
        # a game that several events are nearest to is none of theirs
        near = {event: _nearest(starts[event], playing) for event in meant}
        for event, game in list(meant.items()):
            claims = [other for other, ones in near.items() if game in ones]
            clear = game is not None and claims == [event] and abs(starts[event] - playing[game]) <= 2
            meant[event] = game if clear else None
    out: dict[str, tuple[int | None, str | None]] = {}
    for event, game in meant.items():
        if not playing:
            out[f"e{event}"] = (None, NO_GAME)
        elif game is None:
            out[f"e{event}"] = (None, GAME_UNCLEAR)
        elif game in off:
            out[f"e{event}"] = (None, GAME_OFF)
        else:
            out[f"e{event}"] = (game + 1, None)
    return out


def _nearest(start: int, playing: list[int]) -> list[int]:
    apart = [abs(start - each) for each in playing]
    return [n for n, distance in enumerate(apart) if distance == min(apart)]


HOURS = st.lists(st.integers(16, 27), max_size=3)


@given(HOURS, HOURS, st.sets(st.integers(0, 2)), st.randoms())
def test_every_event_means_the_game_that_the_cases_say_whatever_the_order_of_the_rows(
    starts: list[int], playing: list[int], off: set[int], shuffle: random.Random
) -> None:
    listed = [(f"e{n}", "DET", "CIN", at(hour)) for n, hour in enumerate(starts)]
    scheduled = [
        games((n + 1, "DET", "CIN", at(hour)), status="Postponed" if n in off else "Final")
        for n, hour in enumerate(playing)
    ]
    if len(set(starts)) == len(starts) and len(set(playing)) == len(playing):
        shuffle.shuffle(listed)
        shuffle.shuffle(scheduled)
    assert found(events(*listed), pl.concat([games(), *scheduled])) == reference(starts, playing, off)


@pytest.mark.parametrize(("home", "away"), [("CIN", "DET"), ("DET", "NYY"), ("NYY", "CIN")])
def test_games_of_other_clubs_and_of_the_clubs_the_other_way_round_are_not_meant(home: str, away: str) -> None:
    assert found(events(("e", "DET", "CIN", at(20))), games((1, home, away, at(20)))) == {"e": (None, NO_GAME)}


def test_a_game_of_another_day_is_not_meant() -> None:
    other = games((1, "DET", "CIN", at(20))).with_columns(game_date=pl.lit(DAY + dt.timedelta(days=1)))
    assert found(events(("e", "DET", "CIN", at(20))), other) == {"e": (None, NO_GAME)}


def test_a_club_of_which_nobody_knows_the_name_has_no_game() -> None:
    listed = events(("e", "DET", "CIN", at(20))).with_columns(home_team=pl.lit(None, pl.String))
    assert found(listed, games((1, "DET", "CIN", at(20)))) == {"e": (None, NO_GAME)}


def test_no_events_have_no_games() -> None:
    assert match_events(events(), games((1, "DET", "CIN", at(20)))).is_empty()


def test_a_game_whose_state_is_not_known_is_meant_all_the_same() -> None:
    scheduled = games((1, "DET", "CIN", at(20))).with_columns(status=pl.lit(None, pl.String))
    assert found(events(("e", "DET", "CIN", at(20))), scheduled) == {"e": (1, None)}


PLACEHOLDER = at(27) + dt.timedelta(minutes=33)
"""03:33 UTC: where the Stats API lists the second game of a traditional doubleheader until the first is over."""


def test_the_second_game_s_prices_do_not_go_to_the_first_once_the_first_is_not_quoted_any_more() -> None:
    scheduled = games((1, "DET", "CIN", at(17)), (2, "DET", "CIN", PLACEHOLDER))
    both = events(("first", "DET", "CIN", at(17)), ("second", "DET", "CIN", at(20)))
    assert found(both, scheduled) == {"first": (1, None), "second": (2, None)}
    left = events(("second", "DET", "CIN", at(20)))
    assert found(left, scheduled) == {"second": (None, GAME_UNCLEAR)}
    told = games((1, "DET", "CIN", at(17)), (2, "DET", "CIN", at(20) + dt.timedelta(minutes=40)))
    assert found(left, told) == {"second": (2, None)}


def twice(*starts: dt.datetime, tbd: int) -> pl.DataFrame:
    """A doubleheader by the games' numbers, of which one start is to be determined."""
    listed = games(*((number, "DET", "CIN", start) for number, start in enumerate(starts, 1)))
    numbers = pl.col("game_pk").cast(pl.Int16)
    return listed.with_columns(game_number=numbers, start_is_tbd=numbers == tbd).reverse()


@pytest.mark.parametrize(
    ("hour", "meant"),
    [(15, (1, None)), (17, (1, None)), (19, (1, None)), (19.1, (2, None)), (23, (2, None)), (12, (None, GAME_UNCLEAR))],
)
@pytest.mark.parametrize("placeholder", [PLACEHOLDER, at(17), at(12)])
def test_prices_long_after_the_first_game_are_the_second_s_whose_start_is_to_be_determined(hour, meant, placeholder):
    listed = events(("e", "DET", "CIN", at(0) + dt.timedelta(hours=hour)))
    assert found(listed, twice(at(17), placeholder, tbd=2)) == {"e": meant}


def test_three_events_of_two_games_are_not_guessed_nor_is_one_where_no_start_is_known() -> None:
    late = events(*((event, "DET", "CIN", at(hour)) for event, hour in (("a", 20), ("b", 22), ("c", 23))))
    listed = twice(at(17), PLACEHOLDER, tbd=2)
    assert set(found(late, listed).values()) == {(None, GAME_UNCLEAR)}
    neither = listed.with_columns(start_is_tbd=True)
    assert found(events(("a", "DET", "CIN", at(22))), neither) == {"a": (None, GAME_UNCLEAR)}


@pytest.mark.parametrize("first", [PLACEHOLDER, at(23)])
def test_games_of_one_start_or_of_a_placeholder_behind_the_second_are_in_the_order_of_their_numbers(first) -> None:
    both = events(("first", "DET", "CIN", at(17)), ("second", "DET", "CIN", at(23)))
    assert found(both, twice(first, at(23), tbd=1)) == {"first": (1, None), "second": (2, None)}


def test_the_only_event_of_two_clubs_means_their_only_game_however_long_it_was_put_off() -> None:
    assert found(events(("e", "DET", "CIN", at(23))), games((1, "DET", "CIN", at(17)))) == {"e": (1, None)}
