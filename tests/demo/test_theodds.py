"""The Odds API's refusals and parameters, as the upstream server speaks them."""

from __future__ import annotations

import httpx
import pytest

from backstop.demo.account import Account
from backstop.demo.dialects.theodds import Refusal, book_key, decimal_price
from backstop.demo.upstream import Upstream

BASE = "/v4/sports/baseball_mlb"
PAST = "/v4/historical/sports/baseball_mlb"


@pytest.fixture
def event(demo: httpx.Client) -> str:
    return demo.get(f"{BASE}/events", timeout=60).json()[1]["id"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"markets": "batter_hits,batter_lunches"}, "INVALID_MARKET"),
        ({"regions": ""}, "MISSING_REGION"),
        ({"regions": "moon"}, "INVALID_REGION"),
        ({"oddsFormat": "fractional"}, "INVALID_ODDS_FORMAT"),
        ({"dateFormat": "roman"}, "INVALID_DATE_FORMAT"),
    ],
)
def test_wrong_parameters_are_refused_with_their_code(demo: httpx.Client, event: str, change: dict, code: str):
    params = {"markets": "batter_hits", "regions": "us"} | change
    answer = demo.get(f"{BASE}/events/{event}/odds", params=params)
    assert (answer.status_code, answer.json()["error_code"]) == (422, code)


@pytest.mark.parametrize(
    ("date", "code"),
    [
        (None, "MISSING_HISTORICAL_TIMESTAMP"),
        ("2025-05-02T17:00:00+00:00", "INVALID_HISTORICAL_TIMESTAMP"),
        ("2025-05-02T17:00:00.5Z", "INVALID_HISTORICAL_TIMESTAMP"),
        ("2025-13-02T17:00:00Z", "INVALID_HISTORICAL_TIMESTAMP"),
    ],
)
def test_instants_have_one_form(demo: httpx.Client, date: str | None, code: str):
    answer = demo.get(f"{PAST}/events", params={"date": date} if date else {})
    assert (answer.status_code, answer.json()["error_code"]) == (422, code)


def test_a_prop_is_no_featured_market_and_an_unknown_event_is_not_found(demo: httpx.Client):
    featured = demo.get(f"{BASE}/odds", params={"markets": "batter_hits", "regions": "us"})
    assert (featured.status_code, featured.json()["error_code"]) == (422, "INVALID_MARKET")
    unknown = demo.get(f"{BASE}/events/{'0' * 32}/odds", params={"markets": "batter_hits", "regions": "us"})
    assert (unknown.status_code, unknown.json()["error_code"]) == (404, "EVENT_NOT_FOUND")
    sport = demo.get("/v4/sports/cricket_ipl/events")
    assert (sport.status_code, sport.json()["error_code"]) == (404, "UNKNOWN_SPORT")


def test_a_window_narrows_the_events_and_must_not_be_upside_down(demo: httpx.Client):
    events = demo.get(f"{BASE}/events", timeout=60).json()
    first = events[0]["commence_time"]
    only = demo.get(f"{BASE}/events", params={"commenceTimeFrom": first, "commenceTimeTo": first}).json()
    assert [event["id"] for event in only] == [event["id"] for event in events if event["commence_time"] == first]
    answer = demo.get(
        f"{BASE}/events", params={"commenceTimeFrom": "2025-05-03T00:00:00Z", "commenceTimeTo": "2025-05-02T00:00:00Z"}
    )
    assert answer.json()["error_code"] == "INVALID_COMMENCE_TIME_RANGE"


def test_named_books_count_instead_of_regions_and_cost_by_tens(demo: httpx.Client, event: str):
    params = {"markets": "batter_hits,batter_walks", "bookmakers": "betmgm"}
    answer = demo.get(f"{BASE}/events/{event}/odds", params=params)
    assert [book["key"] for book in answer.json()["bookmakers"]] == ["betmgm"]
    assert answer.headers["x-requests-last"] == "2"
    nothing = demo.get(f"{BASE}/events/{event}/odds", params={"markets": "batter_hits", "regions": "eu"})
    assert (nothing.json()["bookmakers"], nothing.headers["x-requests-last"]) == ([], "0")


def test_prices_are_decimal_unless_american_is_asked(demo: httpx.Client, event: str):
    params = {"markets": "pitcher_strikeouts", "regions": "us"}
    path = f"{BASE}/events/{event}/odds"
    decimal, american = demo.get(path, params=params), demo.get(path, params=params | {"oddsFormat": "american"})

    def prices(answer: httpx.Response) -> list:
        books = answer.json()["bookmakers"]
        return [outcome["price"] for book in books for market in book["markets"] for outcome in market["outcomes"]]

    assert prices(decimal) == [decimal_price(price) for price in prices(american)]
    assert all(isinstance(price, int) and abs(price) >= 100 for price in prices(american))


def test_unix_dates_are_seconds(demo: httpx.Client, event: str):
    params = {"markets": "batter_hits", "regions": "us", "dateFormat": "unix"}
    assert isinstance(demo.get(f"{BASE}/events/{event}/odds", params=params).json()["commence_time"], int)


def test_where_a_key_is_required_none_is_a_401():
    with Upstream.start("demo", extra=["--require-key"]) as server:
        missing = httpx.get(f"{server.base_url}{BASE}/events", timeout=60)
        assert (missing.status_code, missing.json()["error_code"]) == (401, "MISSING_KEY")
        assert httpx.get(f"{server.base_url}{BASE}/events", params={"apiKey": "k"}, timeout=60).is_success


def test_an_account_spends_all_or_nothing():
    account = Account(10)
    assert account.spend(7)["x-requests-remaining"] == "3"
    with pytest.raises(Refusal) as refused:
        account.spend(4)
    assert (refused.value.status, refused.value.code) == (401, "OUT_OF_USAGE_CREDITS")
    assert account.headers(0) == {"x-requests-remaining": "3", "x-requests-used": "7", "x-requests-last": "0"}


@pytest.mark.parametrize(
    ("title", "key"),
    [("DraftKings", "draftkings"), ("MyBookie.ag", "mybookieag"), ("Caesars", "williamhill_us"), ("BetMGM", "betmgm")],
)
def test_books_have_keys(title: str, key: str):
    assert book_key(title) == key
