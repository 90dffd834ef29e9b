"""Match: quotes to the day's games and to the players of their two teams."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import polars as pl

from backstop import tables
from backstop.errors import ValidationFailed
from backstop.identity import match as names
from backstop.identity.games import GAME_OFF, GAME_UNCLEAR, NO_GAME
from backstop.identity.match import Matched
from backstop.sources import parsed as parsing
from backstop.sources.parsed import Parsed
from backstop.stages import receive, register

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backstop.stages.fetch import FetchedBatch
    from backstop.stages.house import House
    from backstop.stages.receive import Received

REPORT: Final = "core_name_matches"
"""Table of the match reports: one row per slate, event and quoted name."""

SECOND_EVENTS: Final = "sr:"
"""How event ids of the second source begin."""

NOT_MEANT: Final = (GAME_OFF, GAME_UNCLEAR)


@dataclass(frozen=True)
class Recognised:
    """A day's quotes with their games and players.

    Attributes:
        received: The quotes as rows to be checked and kept.
        matched: Who was recognised; names of games without rosters are left out, they are not to blame.
    """

    received: Received
    matched: Matched

    @property
    def sentence(self) -> str:
        """How many names were recognised, and who was not."""
        return self.matched.sentence()

    def borne(self, limit: float) -> float:
        """Return the share of quotes that may be of an unknown player (`identity.match.borne`)."""
        return names.borne(self.matched.quotes, limit)

    def refusal(self, limit: float) -> tuple[str, ...]:
        """Return why the quotes must not be used: too many names match nobody; empty when they may be."""
        try:
            self.matched.check(limit)
        except ValidationFailed as error:
            return (error.message,)
        return ()


def matched_quotes(house: House, batches: Sequence[FetchedBatch], day: dt.date) -> Recognised:
    """Find game and player of the day's quotes, and keep the report on the names (`core_name_matches`).

    Quotes of the second source count for games only of which the preferred one gave none.
    """
    received = receive.quotes(house, batches, day)
    # games that are off too: quotes for them are recognised as such and do not count as unknown names
    games = receive.known(house, tables.GAMES, day)
    players = receive.known(house, tables.PLAYERS, day)
    parsed = received.parsed
    found = _by_feed(parsed.frame, games, players, register.names(house))
    filled = _preferred(Parsed(found.quotes, parsed.rejected, parsed.rows_in, parsed.drift))
    # the names that count: of quotes that were not put aside for another reason
    kept = _without_roster(_without_game(filled, found.report), players)
    report = found.report.join(kept.frame.select("event_id_theodds").unique(), on="event_id_theodds", how="semi")
    if not report.is_empty():
        house.lake.write(REPORT, day, report.with_columns(pl.lit(day).alias("game_date")))
    return Recognised(replace(received, parsed=kept), names.matched(kept.frame, report))


def _by_feed(quotes: pl.DataFrame, games: pl.DataFrame, players: pl.DataFrame, known_as: pl.DataFrame) -> Matched:
    """Match each feed's events by themselves: two feeds list a game once each, which is no doubleheader."""
    second = pl.col("event_id_theodds").str.starts_with(SECOND_EVENTS)
    by_feed = (quotes.filter(~second), quotes.filter(second))
    parts = [names.match_quotes(part, games, players, known_as) for part in by_feed]
    frame = pl.concat([part.quotes for part in parts])
    return names.matched(frame, pl.concat([part.report for part in parts]))


def _preferred(parsed: Parsed) -> Parsed:
    """Put the second source's quotes aside for games that the preferred one has prices for."""
    second = pl.col("event_id_theodds").str.starts_with(SECOND_EVENTS)
    priced = parsed.frame.filter(~second)["game_pk"].drop_nulls().unique()
    outdone = second & pl.col("game_pk").is_in(priced.implode()).fill_null(value=False)
    reason = "The preferred feed has prices of the game."
    aside = parsing.rejections([(row, "superseded", reason) for row in parsed.frame.filter(outdone).to_dicts()])
    return replace(parsed, frame=parsed.frame.filter(~outdone), rejected=pl.concat([parsed.rejected, aside]))


def _without_game(parsed: Parsed, report: pl.DataFrame) -> Parsed:
    """Put quotes aside of events whose game is off or elsewhere, or of which nobody can say which game they mean.

    Left among the others one such event would count as unknown names, and block the prices of every game. A game that
    was moved is listed under its new day alone, and its old event has none. Where so many have none that the schedule
    is in doubt, their names count.
    """
    events = report.select("event_id_theodds", "reason").unique("event_id_theodds")
    strays = events.filter(pl.col("reason") == NO_GAME)
    aside_for = NOT_MEANT if strays.height * 2 >= events.height else (*NOT_MEANT, NO_GAME)
    lost = report.filter(pl.col("reason").is_in(aside_for)).select("event_id_theodds", "reason").unique()
    aside = parsed.frame.join(lost, on="event_id_theodds")
    rows = [(row, "no_game", f"{row.pop('reason').capitalize()}.") for row in aside.to_dicts()]
    left = parsed.frame.join(lost, on="event_id_theodds", how="anti", maintain_order="left")
    return replace(parsed, frame=left, rejected=pl.concat([parsed.rejected, parsing.rejections(rows)]))


def _without_roster(parsed: Parsed, players: pl.DataFrame) -> Parsed:
    """Put quotes aside whose game is known and its rosters are not: their names are not to blame.

    Left among the others they would count as unknown names, and one box score that could not be had would block the
    prices of every game.
    """
    lacks = pl.col("game_pk").is_not_null() & ~pl.col("game_pk").is_in(players["game_pk"].unique().implode())
    reason = "The rosters of the game could not be had, so nobody can say who is meant."
    aside = parsing.rejections([(row, "no_roster", reason) for row in parsed.frame.filter(lacks).to_dicts()])
    return replace(parsed, frame=parsed.frame.filter(~lacks), rejected=pl.concat([parsed.rejected, aside]))
