"""Which days' box scores are whole in the lake, and which a backfill still has to ask for."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from backstop import tables
from backstop.sources.parsed import Parsed, rejections
from backstop.sources.statsapi import boxscore
from backstop.stages import carry, plan
from backstop.stages.fetch import FetchedBatch, Missed
from backstop.stages.receive import Received
from backstop.stages.settled import knows_line_ups, morning_after, settled_at, without_scores
from tests.stages.rows import DAY, games

BOTH = (tables.PLAYERS.name, tables.BOX.name)
NEXT = DAY + dt.timedelta(days=1)


def keep(house, *names, day=DAY, degraded=""):
    for name in names:
        house.lake.write(name, day, tables.BOX.empty() if name == tables.BOX.name else tables.PLAYERS.empty())
        house.ledger.begin(name, day.isoformat(), run_id="r")
        if degraded:
            house.ledger.degrade(name, day.isoformat(), run_id="r", rows_in=0, rows_loaded=0, reason=degraded)
        else:
            house.ledger.complete(name, day.isoformat(), run_id="r", rows_in=0, rows_loaded=0)


@pytest.fixture
def later(clock):
    clock.at = settled_at(NEXT)
    return clock


def test_days_kept_when_they_were_whole_are_not_asked_for_again(house, later):
    keep(house, *BOTH)
    assert without_scores(house, [DAY, NEXT]) == [NEXT]
    assert without_scores(house, []) == []


def test_a_day_kept_before_its_scorers_were_done_is_asked_for_again(house, clock):
    clock.at = settled_at(DAY) - dt.timedelta(seconds=1)
    keep(house, *BOTH)
    assert without_scores(house, [DAY]) == [DAY]
    clock.at += dt.timedelta(seconds=1)
    keep(house, *BOTH)
    assert without_scores(house, [DAY]) == []


@pytest.mark.parametrize("name", BOTH)
def test_half_of_a_day_is_not_whole(house, later, name):
    keep(house, name)
    assert without_scores(house, [DAY]) == [DAY]


@pytest.mark.parametrize("name", BOTH)
def test_a_day_with_gaps_an_outdated_one_and_one_whose_file_is_gone_are_not_whole(house, later, name):
    keep(house, *BOTH)
    house.ledger.stale(name, [DAY.isoformat()], reason="test")
    keep(house, *BOTH, day=NEXT)
    keep(house, name, day=NEXT, degraded="half of the line-ups lack a slot")
    gone = NEXT + dt.timedelta(days=1)
    keep(house, *BOTH, day=gone)
    house.lake.remove(name, gone)
    assert without_scores(house, [DAY, NEXT, gone]) == [DAY, NEXT, gone]


def test_a_day_of_which_a_box_score_was_missed_is_outdated_with_the_reason(house, later):
    keep(house, *BOTH)
    first, second = boxscore.plan([1, 2])
    plan.settle_scores(house, DAY, [FetchedBatch(1, (), ())])
    assert without_scores(house, [DAY]) == [], "nothing was missed"
    missed = tuple(Missed(item, "UpstreamUnavailable", f"game {item.key} is down") for item in (first, second))
    plan.settle_scores(house, DAY, [FetchedBatch(1, (), missed)])
    assert without_scores(house, [DAY]) == [DAY]
    entry = house.ledger.entry(tables.BOX.name, DAY.isoformat())
    assert entry.reason == "2 of its box scores were not had: game 1 is down"


def rows(table: tables.Table, *keys: tuple[int, int], **known: object) -> pl.DataFrame:
    shared = {"game_date": DAY} | known
    full = [{name: ({"game_pk": game, "player_id_mlbam": who} | shared).get(name) for name in table.schema}
            for game, who in keys]  # fmt: skip
    return pl.DataFrame(full, schema=table.schema)


def received(table: tables.Table, frame: pl.DataFrame) -> Received:
    return Received(table.name, DAY, Parsed(frame, rejections(()), frame.height), "ref")


def carried(house):
    """Game 1 came, game 2 did not, game 3 came without anybody, game 9 is not of this day any more."""
    house.lake.write(tables.GAMES.name, DAY, games(DAY, 1, 2, 3))
    for table in (tables.PLAYERS, tables.BOX):
        house.lake.write(table.name, DAY, rows(table, (1, 10), (2, 20), (3, 30), (9, 90)))
    came = [received(table, rows(table, (1, 10), (1, 11))) for table in (tables.PLAYERS, tables.BOX)]
    both = carry.scores(house, *came, {1, 3}, DAY)
    assert [each.parsed.rows_in for each in both] == [each.parsed.frame.height for each in both]
    return [each.parsed.frame.select("game_pk", "player_id_mlbam").rows() for each in both]


def test_line_ups_and_final_lines_of_a_game_whose_box_score_did_not_come_stay(house, later):
    keep(house, tables.BOX.name)
    whole = [(1, 10), (1, 11), (2, 20)]
    assert carried(house) == [whole, whole]


def test_lines_of_a_game_that_was_under_way_are_no_result(house, clock):
    clock.at = morning_after(DAY) - dt.timedelta(seconds=1)
    keep(house, tables.BOX.name)
    line_ups, lines = carried(house)
    assert line_ups == [(1, 10), (1, 11), (2, 20)]
    assert lines == [(1, 10), (1, 11)]


def test_without_kept_rows_what_came_is_all(house):
    house.lake.write(tables.GAMES.name, DAY, games(DAY, 1))
    came = [received(table, rows(table, (1, 10))) for table in (tables.PLAYERS, tables.BOX)]
    assert carry.scores(house, *came, {1}, DAY) == tuple(came)


@pytest.mark.parametrize("degraded", ["", "a line-up lacks a slot"])
def test_line_ups_are_known_with_gaps_or_without_once_the_day_is_whole(house, later, degraded):
    keep(house, tables.PLAYERS.name, degraded=degraded)
    assert knows_line_ups(house, DAY)
    house.ledger.stale(tables.PLAYERS.name, [DAY.isoformat()], reason="a box score was missed")
    assert not knows_line_ups(house, DAY)
