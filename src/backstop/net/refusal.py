"""What a status other than 200 means, feed by feed.

The decision is made on (status, error code): The Odds API answers 401 for a wrong key and for spent credits alike,
SportRadar 403 for too many requests in a second, 596 for a path that does not exist.
"""

from __future__ import annotations

import datetime as dt
import email.utils
from typing import TYPE_CHECKING, Any, Final

import orjson

from backstop.errors import OutOfCredits, RateLimited, UpstreamError, UpstreamRefused, UpstreamUnavailable
from backstop.excerpt import excerpt
from backstop.settings import Feed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backstop.net.item import Item

RETRYABLE_4XX: Final = frozenset({408, 425})
FORBIDDEN: Final = 403
TOO_MANY: Final = 429
SERVER_ERROR: Final = 500
NOT_A_FEED_ROUTE: Final = 596
"""SportRadar's gateway: no such service."""

MOST_OF_A_CODE: Final = 60

DEFAULT_PAUSE_S: Final = 2.0
"""Pause after a 429 that names none: what The Odds API documents."""

LONGEST_PAUSE_S: Final = 24 * 3600.0
"""A pause holds for all workers: who names a longer one, or one without end, is asked again after a day."""

_HINTS: Final[dict[str, str]] = {
    "MISSING_KEY": "set BACKSTOP_THEODDS_KEY",
    "INVALID_KEY": "check BACKSTOP_THEODDS_KEY",
    "DEACTIVATED_KEY": "renew BACKSTOP_THEODDS_KEY",
    "HISTORICAL_UNAVAILABLE_ON_FREE_USAGE_PLAN": "historical odds need a paid plan",
    "EVENT_NOT_FOUND": "the event is most likely over; take it out of the plan",
    "INVALID_MARKET": "one unknown market fails the whole call; check the market keys",
}
_HINT_BY_STATUS: Final[dict[int, str]] = {
    **dict.fromkeys(
        (301, 302, 303, 307, 308), "it sends to another address, which is not followed; check the feed's address"
    ),
    401: "check the key",
    403: "check the key and the plan",
    404: "check the path and the ids",
    422: "check the parameters",
}


def retry_after_s(headers: Mapping[str, str], now: dt.datetime) -> float | None:
    """Read `Retry-After`, which is a number of seconds or a date; `None` when absent or unreadable, a day at most.

    A date is compared with the answer's own `Date` where it has one: the two come from one clock.
    """
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    if text.isdecimal():
        return min(float(text), LONGEST_PAUSE_S)
    until, sent = _http_date(text), _http_date(headers.get("date", ""))
    return None if until is None else min(max(0.0, (until - (sent or now)).total_seconds()), LONGEST_PAUSE_S)


def _http_date(text: str) -> dt.datetime | None:
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def refusal(item: Item, status: int, headers: Mapping[str, str], body: bytes, now: dt.datetime) -> UpstreamError:
    """Return the error that a status other than 200 and 304 stands for."""
    code, text = _code_and_text(body)
    told = f"{item.feed.value} answered {item.table} {item.key} with {status}{f' {code}' if code else ''}"
    said = f" ({text})" if text else ""
    source = item.feed.value
    pause = retry_after_s(headers, now)
    if status == TOO_MANY or _over_qps(item, status, body):
        wait = DEFAULT_PAUSE_S if pause is None else pause
        return RateLimited(f"{told}{said}: too many requests; wait {wait:g} s.", source=source, retry_after_s=wait)
    if code == "OUT_OF_USAGE_CREDITS" or _over_quota(item, status, body):
        return OutOfCredits(
            f"{told}{said}: the plan's credits are spent; wait for the reset on the 1st.", source=source
        )
    if status in RETRYABLE_4XX or (status >= SERVER_ERROR and status != NOT_A_FEED_ROUTE):
        return UpstreamUnavailable(f"{told}{said}: ask again later.", source=source, retry_after_s=pause)
    hint = _HINTS.get(code) or _HINT_BY_STATUS.get(status, "asking again cannot help; check the request")
    return UpstreamRefused(f"{told}{said}: {hint}.", source=source)


def _over_qps(item: Item, status: int, body: bytes) -> bool:
    return item.feed is Feed.SPORTRADAR and status == FORBIDDEN and b"Over Qps" in body


def _over_quota(item: Item, status: int, body: bytes) -> bool:
    return item.feed is Feed.SPORTRADAR and status == FORBIDDEN and b"Over Rate" in body


def _code_and_text(body: bytes) -> tuple[str, str]:
    try:
        parsed: Any = orjson.loads(body.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError:
        return "", ""
    if not isinstance(parsed, dict):
        return "", ""
    code, text = (str(parsed.get(name) or "") for name in ("error_code", "message"))
    return excerpt(code, MOST_OF_A_CODE), excerpt(text)
