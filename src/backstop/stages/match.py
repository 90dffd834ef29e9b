"""Match: quotes to the day's games and to the players of their two teams."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from backstop import tables
from backstop.identity.match import match_quotes
from backstop.sources import parsed as parsing
from backstop.sources.parsed import Parsed
from backstop.stages import receive

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backstop.stages.fetch import FetchedBatch
    from backstop.stages.house import House
    from backstop.stages.receive import Received


def matched_quotes(house: House, batches: Sequence[FetchedBatch], day: dt.date) -> tuple[Received, str]:
    """Return the day's quotes with their games and players, and a sentence on how many names were recognised."""
    received = receive.quotes(house, batches, day)
    # games that are off too: quotes for them are recognised as such and do not count as unknown names
    games = receive.known(house, tables.GAMES, day)
    players = receive.known(house, tables.PLAYERS, day)
    matched = match_quotes(received.parsed.frame, games, players)
    parsed = received.parsed
    filled = Parsed(matched.quotes, parsed.rejected, parsed.rows_in, parsed.drift)
    return replace(received, parsed=_without_roster(filled, players)), matched.sentence()


def _without_roster(parsed: Parsed, players: pl.DataFrame) -> Parsed:
    """Put quotes aside whose game is known and its rosters are not: their names are not to blame.

    Left among the others they would count as unknown names, and one box score that could not be had would block the
    prices of every game.
    """
    lacks = pl.col("game_pk").is_not_null() & ~pl.col("game_pk").is_in(players["game_pk"].unique().implode())
    reason = "The rosters of the game could not be had, so nobody can say who is meant."
    aside = parsing.rejections([(row, "no_roster", reason) for row in parsed.frame.filter(lacks).to_dicts()])
    return replace(parsed, frame=parsed.frame.filter(~lacks), rejected=pl.concat([parsed.rejected, aside]))
