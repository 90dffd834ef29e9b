from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backstop.errors import OutOfCredits, RateLimited, UpstreamError, UpstreamRefused, UpstreamUnavailable
from backstop.net.item import Item
from backstop.net.refusal import refusal, retry_after_s
from backstop.settings import Feed

NOW = dt.datetime(2025, 6, 15, 12, tzinfo=dt.UTC)
ODDS = Item(Feed.THEODDS, "core_quotes", "e1", "/v4/odds")
STATS = Item(Feed.STATSAPI, "core_games", "2025-06-15", "/api/v1/schedule")
RADAR = Item(Feed.SPORTRADAR, "core_games", "2025-06-15", "/mlb/trial/v8/en/games")


def code(name: str) -> bytes:
    return f'{{"message": "what it says", "error_code": "{name}", "details_url": "https://x"}}'.encode()


@pytest.mark.parametrize(
    ("item", "status", "body", "kind", "word"),
    [
        (ODDS, 401, code("MISSING_KEY"), UpstreamRefused, "BACKSTOP_THEODDS_KEY"),
        (ODDS, 401, code("INVALID_KEY"), UpstreamRefused, "BACKSTOP_THEODDS_KEY"),
        (ODDS, 401, code("DEACTIVATED_KEY"), UpstreamRefused, "renew"),
        (ODDS, 401, code("OUT_OF_USAGE_CREDITS"), OutOfCredits, "reset on the 1st"),
        (ODDS, 401, code("HISTORICAL_UNAVAILABLE_ON_FREE_USAGE_PLAN"), UpstreamRefused, "paid plan"),
        (ODDS, 403, code("HISTORICAL_UNAVAILABLE_ON_FREE_USAGE_PLAN"), UpstreamRefused, "paid plan"),
        (ODDS, 404, code("EVENT_NOT_FOUND"), UpstreamRefused, "most likely over"),
        (ODDS, 422, code("INVALID_MARKET"), UpstreamRefused, "one unknown market fails the whole call"),
        (ODDS, 422, code("HISTORICAL_MARKETS_UNAVAILABLE_AT_DATE"), UpstreamRefused, "check the parameters"),
        (ODDS, 429, code("EXCEEDED_FREQ_LIMIT"), RateLimited, "wait 2 s"),
        (STATS, 404, b'\xef\xbb\xbf{"messageNumber":10,"message":"Object not found"}', UpstreamRefused, "Object not found"),
        (STATS, 500, b'\xef\xbb\xbf{"messageNumber":1,"message":"Internal error occurred"}', UpstreamUnavailable, "Internal"),
        (STATS, 502, b"<html>Bad Gateway</html>", UpstreamUnavailable, "502"),
        (STATS, 524, b"<html>A timeout occurred</html>", UpstreamUnavailable, "524"),
        (STATS, 301, b"", UpstreamRefused, "301"),
        (RADAR, 403, b"<h1>Developer Over Qps</h1>", RateLimited, "too many requests"),
        (RADAR, 403, b"<h1>Developer Over Rate</h1>", OutOfCredits, "spent"),
        (RADAR, 403, b"<h1>Developer Inactive</h1>", UpstreamRefused, "check the key"),
        (RADAR, 596, b"<h1>596 Service Not Found</h1>", UpstreamRefused, "596"),
        (STATS, 403, b"<h1>Developer Over Qps</h1>", UpstreamRefused, "403"),
        (ODDS, 500, b"[1, 2]", UpstreamUnavailable, "500"),
    ],
)  # fmt: skip
def test_the_verdict_depends_on_status_and_code(
    item: Item, status: int, body: bytes, kind: type[UpstreamError], word: str
) -> None:
    error = refusal(item, status, {}, body, NOW)
    assert type(error) is kind
    assert word in str(error)
    assert str(status) in str(error)
    assert error.source == item.feed.value


@given(st.integers(100, 599).filter(lambda status: status not in {200, 304}))
def test_of_the_4xx_only_408_425_and_429_are_worth_another_try(status: int) -> None:
    error = refusal(STATS, status, {}, b"", NOW)
    if 400 <= status < 500:
        assert error.retryable is (status in {408, 425, 429})
    elif status >= 500:
        assert error.retryable is (status != 596)
    else:
        assert not error.retryable


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "86401"}, 86400.0),
        ({"retry-after": "9" * 400}, 86400.0),
        ({"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT"}, 86400.0),
        ({"retry-after": "-7"}, None),
        ({"retry-after": "1e3"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": " 7 "}, 7.0),
        ({"retry-after": "Sun, 15 Jun 2025 12:00:30 GMT"}, 30.0),
        ({"retry-after": "Sun, 15 Jun 2025 11:00:00 GMT"}, 0.0),
        ({"retry-after": "Sun, 15 Jun 2025 13:00:30 GMT", "date": "Sun, 15 Jun 2025 13:00:00 GMT"}, 30.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "1.5"}, None),
    ],
)  # fmt: skip
def test_retry_after_is_seconds_or_a_date(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_s(headers, NOW) == seconds
