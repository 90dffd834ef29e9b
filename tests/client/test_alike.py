"""Both clients of one Redis answer alike: slates, players, refusals, and each thing that may be wrong with what is stored."""

from __future__ import annotations

import asyncio
import datetime as dt

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backstop.client import AsyncClient, Client
from backstop.errors import (
    BackstopError,
    ConfigurationError,
    IncompleteVersion,
    StoreError,
    StoreUnavailable,
    UsageError,
)
from backstop.props import markets
from backstop.store.keys import SlateKeys
from backstop.store.slates import Slates
from tests.client.conftest import Waited
from tests.store.rows import DAY, MARKETS, props
from tests.store.servers import Server

PROJECTED = f"the markets are {', '.join(sorted(markets.MARKETS))}."
NO_DAY = "is no baseball day; expected a date, for example date(2025, 6, 15)."
NEXT = DAY + dt.timedelta(days=1)
PLAYER = 600_003


@pytest.fixture
def pair(redis, redis_url, clock):
    """Open both clients of a Redis; all that were opened are closed."""
    opened = []

    def pair(url=redis_url):
        one, other = Client.open(url), Waited(url, clock)
        one.reading.clock = clock
        opened.extend((one, other))
        return one, other

    yield pair
    for client in opened:
        client.close()


def plainly(answer):
    """An answer as values that can be compared: frames as rows, ages about, errors by kind and sentence."""
    match answer:
        case pl.DataFrame():
            return answer.to_dicts()
        case list():
            return [plainly(each) for each in answer]
        case BackstopError():
            return type(answer), answer.message, answer.retry_after_s
        case dt.date() | int() | str() | None:
            return answer
    told = {name: getattr(answer, name) for name in dir(answer) if not name.startswith("_")}
    told = {name: value for name, value in told.items() if not callable(value)}
    for name, value in told.items():
        if name == "age_s" and value is not None:
            told[name] = pytest.approx(value, abs=1.1)  # the server's clock tells whole seconds
        elif name in {"slate", "props", "features", "values"}:
            told[name] = plainly(value) if not isinstance(value, dict) else {}
    return told


def answer_of(client, method, *args, **options):
    try:
        return getattr(client, method)(*args, **options)
    except BackstopError as error:
        return error


def both(clients, method, *args, **options):
    """What the two answer, which must be the same; returns the first one's answer."""
    answers = [answer_of(client, method, *args, **options) for client in clients]
    assert plainly(answers[0]) == plainly(answers[1]), method
    return answers[0]


DAYS = st.sampled_from([None, DAY, NEXT, dt.date(2020, 2, 29)])
PLAYERS = st.lists(st.sampled_from([PLAYER, 600_000, 600_029, 1, 2**62]), max_size=5)
QUESTIONS = st.one_of(
    st.tuples(st.just("days"), st.just(()), st.just({})),
    st.tuples(st.just("slate"), st.tuples(DAYS), st.just({})),
    st.tuples(st.just("player"), st.tuples(st.sampled_from([PLAYER, 1]), DAYS), st.just({})),
    st.tuples(st.just("players"), st.tuples(PLAYERS, DAYS), st.just({})),
    st.tuples(
        st.just("top"),
        st.tuples(st.sampled_from([None, *MARKETS, "no_such_market"])),
        st.fixed_dictionaries(
            {
                "day": DAYS,
                "team": st.sampled_from([None, "NYY", "nobody"]),
                "limit": st.sampled_from([-1, 0, 1, 3, 25, 5000]),
                "sort": st.sampled_from(["ev", "edge", "luck", ""]),
            }
        ),
    ),
)
STEPS = st.lists(st.sampled_from(["publish", "publish next", "roll back", "age"]) | QUESTIONS, min_size=4, max_size=12)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, seed=st.integers(1, 5))
def test_whatever_is_published_and_asked_both_answer_the_same(pair, publish, redis, clock, steps, seed):
    redis.flushall()
    clients = pair()
    for step in steps:
        match step:
            case "publish":
                publish(DAY, seed=seed)
            case "publish next":
                publish(NEXT, seed=seed + 1, players=12)
            case "roll back":
                answer_of(Slates(redis), "rollback", DAY)
            case "age":
                clock.advance(200)
            case (method, args, options):
                both(clients, method, *args, **options)


@pytest.mark.parametrize("market", [None, *MARKETS])
@pytest.mark.parametrize(("sort", "column"), [("ev", "ev_per_unit"), ("edge", "edge")])
def test_fewer_of_the_best_are_the_first_of_more_of_them(pair, publish, market, sort, column):
    """The few are kept ready in Redis, the many are sorted by the reader: by value, props without one last."""
    publish(DAY, seed=3)
    clients = pair()
    whole = both(clients, "top", market, limit=100_000, sort=sort).props
    rows = props(30, seed=3)
    wanted = rows if market is None else rows.filter(pl.col("market") == market)
    assert whole.height == wanted.height
    assert whole[column].to_list() == wanted[column].sort(descending=True, nulls_last=True).to_list()
    for limit in (1, 2, 19, 20, 21, 60, whole.height, whole.height + 1):
        few = both(clients, "top", market, limit=limit, sort=sort).props
        assert few["prop_id"].to_list() == whole["prop_id"].head(limit).to_list(), limit


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"limit": 0}, "A limit of 0 shows nothing; expected 1 or more."),
        ({"limit": -5}, "A limit of -5 shows nothing; expected 1 or more."),
        ({"limit": "5"}, "A limit of '5' is no number of props; expected a whole one, 1 or more."),
        ({"sort": "EV"}, "'EV' is not a way to sort props; expected one of ev, edge."),
        ({"market": "hits"}, f"'hits' is not a market that is projected; {PROJECTED}"),
        ({"market": ["batter_hits"]}, f"['batter_hits'] is not a market that is projected; {PROJECTED}"),
        ({"day": "2025-06-15"}, f"'2025-06-15' {NO_DAY}"),
        ({"day": dt.datetime(2025, 6, 15, tzinfo=dt.UTC)}, f"datetime.datetime(2025, 6, 15, 0, 0, tzinfo=datetime.timezone.utc) {NO_DAY}"),
    ],
)  # fmt: skip
def test_a_question_without_sense_is_refused_in_the_same_sentence(pair, publish, options, sentence):
    publish(DAY)
    refused = both(pair(), "top", **options)
    assert isinstance(refused, UsageError)
    assert refused.message == sentence


@pytest.mark.parametrize("wrong", [str(PLAYER), float(PLAYER), None])
def test_an_id_that_is_no_whole_number_is_refused_and_not_missing(pair, publish, wrong):
    publish(DAY)
    clients = pair()
    told = f"{wrong!r} is no player's id; expected MLBAM's whole number, for example 592450."
    for method, asked in (("player", wrong), ("players", [PLAYER, wrong])):
        refused = both(clients, method, asked)
        assert (type(refused), refused.message) == (UsageError, told)
    for method, asked in (("player", PLAYER), ("players", [PLAYER]), ("slate", None)):
        refused = both(clients, method, *([] if asked is None else [asked]), "today")
        assert (type(refused), refused.message) == (UsageError, f"'today' {NO_DAY}")


@pytest.mark.parametrize("wrong", [PLAYER, None, str(PLAYER)])
def test_one_id_where_several_are_asked_for_is_told_how_they_are_given(pair, wrong):
    refused = both(pair(), "players", wrong)
    told = f"{wrong!r} is no list of players' ids; expected one, for example [592450]."
    assert (type(refused), refused.message) == (UsageError, told)


def test_a_limit_of_a_column_is_a_limit(pair, publish):
    publish(DAY)
    first, _ = pair()
    assert answer_of(first, "top", limit=np.int64(3)).props.equals(answer_of(first, "top", limit=3).props)


def test_ids_of_a_column_are_ids(pair, publish):
    publish(DAY)
    clients, ids = pair(), [600_001, 600_002]
    asked = both(clients, "players", ids)
    for column in (np.array(ids), pl.Series(ids), iter(ids), np.array(ids, np.int32)):
        views = [answer_of(clients[0], "players", column)]
        assert plainly(views[0]) == plainly(asked)


@pytest.mark.parametrize("url", [None, 6379])
def test_an_address_that_the_environment_does_not_have_is_named(url):
    told = f"'{url}' is not the address of a Redis; expected one that starts with redis, "
    with pytest.raises(ConfigurationError, match=told):
        Client.open(url)
    with pytest.raises(ConfigurationError, match=told):
        asyncio.run(AsyncClient.open(url))


def lose_meta(redis, keys):
    redis.delete(keys.meta(1))


def lose_rows(redis, keys):
    for key in redis.keys(f"{keys.version_prefix}1:*"):
        if key.decode() != keys.meta(1):
            redis.delete(key)


def lose_pointer(redis, keys):
    redis.delete(keys.current)


def of_another_release(redis, keys):
    redis.hset(keys.meta(1), "form", "77")


def of_another_type(redis, keys):
    redis.delete(keys.current)
    redis.set(keys.current, "text")


FAULTS = [
    (lose_meta, "missing", False),
    (lose_meta, "missing", True),
    (lose_pointer, "missing", False),
    (lose_pointer, "missing", True),
    (of_another_type, StoreError, False),
    (of_another_type, StoreError, True),
    # a version never changes: what was read of it is not read again
    (of_another_release, StoreError, False),
    (of_another_release, "fresh", True),
]


@pytest.mark.parametrize(
    ("strike", "expected", "known"),
    FAULTS,
    ids=[f"{each[0].__name__}-{'read' if each[2] else 'new'}" for each in FAULTS],
)
def test_what_is_wrong_with_what_is_stored_both_tell_alike(pair, publish, redis, strike, expected, known):
    publish(DAY)
    clients = pair()
    if known:
        both(clients, "player", PLAYER, DAY)
    strike(redis, SlateKeys(DAY))
    for method, args in (("slate", (DAY,)), ("player", (PLAYER, DAY)), ("top", ())):
        found = both(clients, method, *args, **({"day": DAY} if method == "top" else {}))
        if isinstance(expected, str):
            assert found.state == expected, method
        else:
            assert isinstance(found, expected), method
            assert not isinstance(found, StoreUnavailable)


def test_rows_that_are_gone_are_never_a_smaller_slate(pair, publish, redis):
    publish(DAY)
    clients = pair()
    both(clients, "slate", DAY)
    lose_rows(redis, SlateKeys(DAY))
    whole = both(clients, "top", day=DAY, limit=100_000)
    assert isinstance(whole, IncompleteVersion)
    assert "Redis holds 0 rows of version 1, 360 were published" in whole.message
    assert "backstop redis rebuild" in whole.message


@pytest.mark.parametrize("wrong", ["killed", "password"])
def test_a_server_that_goes_or_turns_away_is_told_alike_and_nothing_secret_with_it(pair, publish, tmp_path, wrong):
    with Server(tmp_path / "redis") as server:
        clients = pair(server.url)
        assert both(clients, "days") == []
        if wrong == "killed":
            server.kill()
        else:
            clients[0].redis.config_set("requirepass", "open-sesame")
            for each in clients:
                each.close() if isinstance(each, Client) else each.runner.run(each.client.close())
        found = [answer_of(client, "slate") for client in clients]
        kind, step = (
            (StoreUnavailable, "Check that it runs") if wrong == "killed" else (StoreError, "Check BACKSTOP_REDIS_URL")
        )
        assert [type(each) for each in found] == [kind, kind]
        assert all(step in each.message and "open-sesame" not in each.message for each in found)
