"""What is history on a day: rows before it, and of a game that was resumed nothing before the day after its last part."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from backstop.errors import DataError
from backstop.features import asof
from backstop.features.build import absences, build
from backstop.features.sums import add_up
from backstop.features.walk import walk
from tests.features.season import FIRST, slate

DAY = dt.date(2024, 4, 10)
OFF_DAY = FIRST + dt.timedelta(days=11)


def day(number):
    return FIRST + dt.timedelta(days=number)


def known(rows, *games):
    told = pl.DataFrame(games, schema={"game_pk": pl.Int64, "known_on": pl.Date}, orient="row")
    return asof.resumed(rows.lazy(), told).collect()


ROWS = pl.DataFrame({"game_pk": [1, 2, 3], "game_date": [DAY, DAY, DAY - dt.timedelta(days=1)]})


@pytest.mark.parametrize(
    ("resumed_on", "cutoff", "seen"),
    [
        (DAY + dt.timedelta(days=3), DAY, [3]),
        (DAY + dt.timedelta(days=3), DAY + dt.timedelta(days=1), [2, 3]),
        (DAY + dt.timedelta(days=3), DAY + dt.timedelta(days=3), [2, 3]),
        (DAY + dt.timedelta(days=3), DAY + dt.timedelta(days=4), [1, 2, 3]),
        (DAY, DAY + dt.timedelta(days=1), [1, 2, 3]),
        (DAY - dt.timedelta(days=5), DAY, [3]),
        (dt.date.max, dt.date(9999, 1, 1), [2, 3]),
    ],
    ids=["its day", "the day after", "the day it goes on", "the day after that", "resumed the same day",
         "a date before the game's", "still suspended"],
)  # fmt: skip
@pytest.mark.parametrize("lazy", [True, False])
def test_a_resumed_game_is_history_from_the_day_after_its_resumption(resumed_on, cutoff, seen, lazy):
    rows = known(ROWS, (1, resumed_on))
    assert asof.history(rows.lazy() if lazy else rows, cutoff).lazy().collect()["game_pk"].to_list() == seen


def test_without_resumed_games_rows_are_what_they_were():
    assert_frame_equal(known(ROWS), ROWS)
    assert asof.day_of(ROWS) == "game_date"


def test_rows_known_only_later_are_refused_with_the_day(tallies):
    games, players = slate(15)
    late = known(tallies.filter(pl.col("game_date") < day(15)), (int(tallies["game_pk"].min()), day(15)))
    for refused in (build, absences):
        with pytest.raises(DataError, match=f"History for {day(15)} holds rows dated {day(15)}"):
            refused(late, games, players, cutoff=day(15))


@pytest.mark.parametrize("resumed_on", [day(9), OFF_DAY, day(40)], ids=["a day of games", "an off day", "never here"])
def test_a_walk_gives_the_rows_that_each_day_alone_would_have(tallies, resumed_on):
    played = tallies.filter(pl.col("game_date") != OFF_DAY)
    game = played.filter(game_date=day(6))["game_pk"][0]
    rows = known(played, (game, resumed_on))
    for cutoff, frame in walk(rows, day(5), day(14)):
        number = (cutoff - FIRST).days
        history = asof.history(rows, cutoff)
        alone = build(history, *slate(number), cutoff=cutoff).drop("player_name")
        assert_frame_equal(frame.drop("player_name"), alone, check_exact=True)
        assert (game in history["game_pk"]) is (cutoff > resumed_on)
        assert frame["as_of"].max() == max(d for d in history["known_on"])


def test_the_last_day_of_sums_is_that_of_the_resumption(tallies):
    first = tallies.filter(game_date=FIRST)
    assert add_up(known(first, (int(first["game_pk"][0]), day(8)))).last_day == day(8)
