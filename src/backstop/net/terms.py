"""What each feed tolerates, and what is tolerated of it: requests at once and per second, bytes of an answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from backstop.limits import MAX_IN_FLIGHT_PER_HOST
from backstop.settings import LIVE_HOSTS, Feed, Settings


@dataclass(frozen=True, slots=True)
class Terms:
    """The limits that hold at one host.

    Attributes:
        cap: Requests in flight at most, over all processes.
        first_width: Requests in flight to begin with; the gate grows from here to the cap.
        per_second: Requests started per second at most, over all processes; `None` is without limit.
        burst: Requests that may start at once after a quiet time.
    """

    cap: int = MAX_IN_FLIGHT_PER_HOST
    first_width: int = 10
    per_second: float | None = None
    burst: int = 1


LIVE_TERMS: Final[dict[Feed, Terms]] = {
    # No published limit; clients that fire a request per day at once report hangs, resets and instant timeouts.
    Feed.SAVANT: Terms(cap=2, first_width=2),
    # No published limit; individual, non-bulk use.
    Feed.STATSAPI: Terms(),
    # 30 requests a second, 429 EXCEEDED_FREQ_LIMIT beyond.
    Feed.THEODDS: Terms(per_second=25.0, burst=5),
    # Trial keys: 1 request a second; two at once, so that a slow answer does not eat the next second's request.
    Feed.SPORTRADAR: Terms(cap=2, first_width=2, per_second=1.0),
    # Sixteen static files, once a week.
    Feed.CHADWICK: Terms(cap=2, first_width=2),
}

_MIB: Final = 1024 * 1024

LARGEST_ANSWER: Final[dict[Feed, int]] = {
    # A capped search, 25,000 rows of 119 columns, is about 25 MB; a leaderboard less than 1 MB.
    Feed.SAVANT: 64 * _MIB,
    # A live feed is the largest: 0.7 and 2.3 MB in the recordings.
    Feed.STATSAPI: 16 * _MIB,
    # An event's props from all books of a region: some hundred kB.
    Feed.THEODDS: 8 * _MIB,
    # Summaries of a full day, rosters and statistics of fifteen games: a few MB.
    Feed.SPORTRADAR: 32 * _MIB,
    # A sixteenth of the register of everybody in baseball: a few MB.
    Feed.CHADWICK: 32 * _MIB,
}
"""Bytes of a decoded answer at most. Times `cap` it is what the answers under way from a feed can take in all workers
together: 128 MB from Savant, 400 from the Stats API, 200 from The Odds API, 64 from each of the others."""

OWN_SERVER: Final = Terms()
"""Terms of the demo, recorded or any other server that is not the feed's own: the promise of 25, nothing more."""


def terms_of(feed: Feed, settings: Settings) -> Terms:
    """Return the limits at the address where the settings find the feed."""
    at_home = settings.url_of(feed) == LIVE_HOSTS[feed]
    return LIVE_TERMS[feed] if at_home else OWN_SERVER
