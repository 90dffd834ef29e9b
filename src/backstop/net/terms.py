"""What each feed tolerates, and what is tolerated of it: requests at once and per second, bytes of an answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import httpx

from backstop.limits import MAX_IN_FLIGHT_PER_HOST
from backstop.net import address
from backstop.settings import Feed, Settings

if TYPE_CHECKING:
    from collections.abc import Iterable


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
"""Terms of the demo, the recorded server and whatever else is on this machine: the promise of 25, nothing more."""


def terms_of(feed: Feed, settings: Settings) -> Terms:
    """Return the limits at the address where the settings find the feed.

    Another address than the feed's own is a proxy in front of it, and the feed counts what comes through it; only the
    simulated upstream and this machine itself are no feed.
    """
    own = settings.upstream != "live" or address.is_loopback(httpx.URL(settings.url_of(feed)).host)
    return OWN_SERVER if own else LIVE_TERMS[feed]


def tightest(terms: Iterable[Terms]) -> Terms:
    """Return the limits that keep within each of those given: feeds at one address share its gate."""
    known = list(terms)
    paced = [each for each in known if each.per_second is not None]
    return Terms(
        cap=min(each.cap for each in known),
        first_width=min(each.first_width for each in known),
        per_second=min((each.per_second for each in paced if each.per_second is not None), default=None),
        burst=min((each.burst for each in paced), default=1),
    )
