"""The suites for whoever keeps rows outside of a flow: `backstop fetch` applies the same rules as the runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backstop import tables
from backstop.identity.match import borne
from backstop.settings import Settings
from expectations.check import judge
from expectations.games import games_suite
from expectations.pitches import pitches_suite
from expectations.players import box_suite, players_suite
from expectations.quotes import quotes_suite

if TYPE_CHECKING:
    import great_expectations as gx

    from backstop.stages.keep import Checked
    from backstop.stages.receive import Received


def apply(received: Received, games: int | None) -> Checked:
    """Apply a table's suite to received rows; of a table without one the parser's own rules are all there are.

    Args:
        received: Rows of one table and day.
        games: Finished games of the day; `None` when the schedule does not say, or it does not matter.
    """
    return judge(received, suite_of(received, games))


def suite_of(received: Received, games: int | None) -> gx.ExpectationSuite | None:
    """Return the suite of a table; `None` for one that has none."""
    if received.table == tables.PITCHES.name:
        return pitches_suite(received.day, games)
    if received.table == tables.QUOTES.name:
        return quotes_suite(received.day, 1.0 - borne(received.parsed.frame, Settings().unmatched_names_limit))
    suites = {tables.GAMES.name: games_suite, tables.PLAYERS.name: players_suite, tables.BOX.name: box_suite}
    found = suites.get(received.table)
    return None if found is None else found()
