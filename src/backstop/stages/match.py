"""Match: quotes to the day's games and to the players of their two teams."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

from backstop import tables
from backstop.identity.match import match_quotes
from backstop.sources.parsed import Parsed
from backstop.stages import plan, receive

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backstop.stages.fetch import FetchedBatch
    from backstop.stages.house import House
    from backstop.stages.receive import Received


def matched_quotes(house: House, batches: Sequence[FetchedBatch], day: dt.date) -> tuple[Received, str]:
    """Return the day's quotes with their games and players, and a sentence on how many names were recognised."""
    received = receive.quotes(house, batches, day)
    games = plan.games_of(house, day)
    players = (
        house.lake.read(tables.PLAYERS.name, day)
        if day in house.lake.days(tables.PLAYERS.name)
        else tables.PLAYERS.empty()
    )
    matched = match_quotes(received.parsed.frame, games, players)
    parsed = received.parsed
    sentence = (
        f"{parsed.frame.height:,} quotes; {matched.unmatched_share:.2%} of the (name, game) pairs were not recognised."
    )
    return replace(received, parsed=Parsed(matched.quotes, parsed.rejected, parsed.rows_in, parsed.drift)), sentence
