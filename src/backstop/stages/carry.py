"""Carry over what is kept of games of which this time nothing came: a day's partition is replaced whole."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import polars as pl

from backstop import tables
from backstop.sources.parsed import Parsed
from backstop.stages import receive, schedules
from backstop.stages.settled import morning_after

if TYPE_CHECKING:
    from collections.abc import Collection

    from backstop.stages.house import House
    from backstop.stages.receive import Received


SAME_PRICE: Final = ("game_pk", "bookmaker", "market", "player_name", "line", "side")
"""What a price is of, under whichever event it is listed."""


def over(house: House, received: Received, day: dt.date) -> Received:
    """Add the kept quotes of games that have begun, as far as they did not come anew: their last prices stand.

    A day's partition is replaced whole, so without this a refresh of the evening's prices would lose the afternoon's.
    Events stay listed while they are played, and a book that was last touched before the start is told still, so that
    one book's price says nothing of the others'. A game whose start the books have put off has not begun.
    Rows that are carried over count as rows that came in, and go through the rules once more.

    Args:
        house: The opened rooms.
        received: Quotes that came, with their games.
        day: The slate.
    """
    now, came = house.clock.now(), received.parsed.frame
    begun = schedules.games_of(house, day).filter(pl.col("start_at") <= now)["game_pk"].implode()
    put_off = came.filter(pl.col("commence_at") > now)["game_pk"].drop_nulls().implode()
    kept = receive.known(house, tables.QUOTES, day)
    ours = kept.filter(pl.col("game_pk").is_in(begun) & ~pl.col("game_pk").is_in(put_off))
    return _with(received, ours.join(came, on=SAME_PRICE, how="anti"))


def scores(
    house: House, players: Received, lines: Received, told: Collection[int], day: dt.date
) -> tuple[Received, Received]:
    """Add what is kept of games whose box score did not come: their line-ups, and their lines once they are final.

    Line-ups that were posted stand. Lines that were taken while a game was under way are no result: they are left out.

    Args:
        house: The opened rooms.
        players: Line-ups that came.
        lines: Box-score lines that came.
        told: `game_pk` of the games whose box score came.
        day: The slate.
    """
    owed = pl.col("game_pk").is_in(set(schedules.games_of(house, day)["game_pk"]) - set(told))
    players = _with(players, receive.known(house, tables.PLAYERS, day).filter(owed))
    entry = house.ledger.entry(tables.BOX.name, day.isoformat())
    if entry is None or entry.closed_at is None or entry.closed_at < morning_after(day):
        return players, lines
    return players, _with(lines, receive.known(house, tables.BOX, day).filter(owed))


def _with(received: Received, carried: pl.DataFrame) -> Received:
    if carried.is_empty():
        return received
    parsed = received.parsed
    frame = parsed.frame.vstack(carried.select(parsed.frame.columns))
    return replace(received, parsed=Parsed(frame, parsed.rejected, parsed.rows_in + carried.height, parsed.drift))
