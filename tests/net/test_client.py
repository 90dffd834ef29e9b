from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt

import pytest

from backstop.clock import FixedClock
from backstop.errors import (
    BreakerOpen,
    ConfigurationError,
    DeadlineExceeded,
    RateLimited,
    ResponseTooLarge,
    RowCapReached,
    UpstreamError,
    UpstreamMalformed,
    UpstreamRefused,
    UpstreamUnavailable,
)
from backstop.net.archive import Archive
from backstop.net.breaker import BreakerTerms, Moved, State
from backstop.net.client import Fetcher
from backstop.net.item import Answer, Body, Item, Secret
from backstop.net.retry import RetryTerms
from backstop.settings import Feed, Settings
from tests.net.server import FaultServer, Say, on_loop, until

QUICK = RetryTerms(attempts=4, first_wait_s=0.001, longest_wait_s=0.005, jitter_s=0.001)
ONCE = RetryTerms(attempts=1)
GAMES = Item(Feed.STATSAPI, "core_games", "2025-06-15", "/api/v1/schedule", (("date", "2025-06-15"),))
PITCHES = Item(Feed.SAVANT, "core_pitches", "2025-06-15", "/statcast_search/csv", body=Body.CSV)
HTML = b"<!DOCTYPE html><html><body>524: A timeout occurred</body></html>"


def numbered(count: int) -> list[Item]:
    return [dataclasses.replace(GAMES, key=str(n), path=f"/api/v1/game/{n}") for n in range(count)]


@on_loop
async def test_an_item_comes_back_as_it_was_sent(server: FaultServer, settings: Settings, clock: FixedClock) -> None:
    server.on(GAMES.path, Say(b'{"dates":[]}', headers=(("Content-Type", "application/json"),)))
    async with Fetcher(settings, clock=clock) as fetcher:
        answer = await fetcher.fetch(GAMES)
    assert (answer.status, answer.body, answer.attempts, answer.from_archive) == (200, b'{"dates":[]}', 1, False)
    assert answer.fetched_at == clock.now()
    assert dict(answer.headers) == {"content-type": "application/json"}
    assert server.heard[0].target == "/api/v1/schedule?date=2025-06-15"


@pytest.mark.parametrize(
    "fault",
    [
        Say(status=500),
        Say(status=503),
        Say(status=408),
        Say(status=425),
        Say(status=429, headers=(("Retry-After", "0"),)),
        Say(reset=True),
        Say(HTML),
        Say(b""),
        Say(b'{"dates":[', until_close=True),
        Say(b'{"dates":[]}', claim=100),
        Say(b'{"dates":[]}', cut=5),
        Say(b'{"dates":[]}' * 50, gzip=True, cut=20),
        Say(b"not gzip at all", headers=(("Content-Encoding", "gzip"),)),
        Say(b"\x28\xb5\x2f\xfd", headers=(("Content-Encoding", "zstd"),)),
    ],
    ids=[
        "500",
        "503",
        "408",
        "425",
        "429",
        "reset",
        "html",
        "empty",
        "cut-json",
        "long-claim",
        "cut",
        "cut-gzip",
        "no-gzip",
        "zstd",
    ],
)
@on_loop
async def test_a_passing_fault_is_tried_again(
    server: FaultServer, settings: Settings, clock: FixedClock, fault: Say
) -> None:
    server.on(GAMES.path, fault, fault, Say())
    async with Fetcher(settings, clock=clock, retry_terms=QUICK) as fetcher:
        answer = await fetcher.fetch(GAMES)
    assert answer.body == b'{"ok":true}'
    assert answer.attempts == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 410, 422, 451, 301, 304, 596])
@on_loop
async def test_a_refusal_is_never_tried_again(
    server: FaultServer, settings: Settings, clock: FixedClock, status: int
) -> None:
    server.on(GAMES.path, Say(status=status))
    async with Fetcher(settings, clock=clock, retry_terms=QUICK) as fetcher:
        with pytest.raises(UpstreamRefused) as caught:
            await fetcher.fetch(GAMES)
    assert str(status) in str(caught.value)
    assert caught.value.source == "statsapi"
    assert len(server.heard) == 1


@on_loop
async def test_failures_of_feeds_are_values_in_the_order_of_the_items(
    server: FaultServer, settings: Settings, clock: FixedClock
) -> None:
    items = numbered(5)
    server.on(items[1].path, Say(status=404))
    server.on(items[3].path, Say(status=500))
    done: list[str] = []
    async with Fetcher(settings, clock=clock, retry_terms=QUICK) as fetcher:
        outcomes = await fetcher.fetch_many(items, on_done=lambda item, _: done.append(item.key))
    kinds = [type(outcome) for outcome in outcomes]
    assert kinds == [Answer, UpstreamRefused, Answer, UpstreamUnavailable, Answer]
    assert sorted(done) == ["0", "1", "2", "3", "4"]
    assert [outcome.item.key for outcome in outcomes if isinstance(outcome, Answer)] == ["0", "2", "4"]


@on_loop
async def test_a_batch_may_let_go_of_each_body_as_soon_as_it_was_seen(
    server: FaultServer, settings: Settings, clock: FixedClock
) -> None:
    server.fallback = Say(b'{"ok": true}')
    seen: dict[str, int] = {}

    def look(item: Item, outcome: object) -> None:
        assert isinstance(outcome, Answer)
        seen[item.key] = len(outcome.body)

    async with Fetcher(settings, clock=clock) as fetcher:
        outcomes = await fetcher.fetch_many(numbered(3), on_done=look, bodies=False)
        whole = await fetcher.fetch_many(numbered(3))
    assert seen == {"0": 12, "1": 12, "2": 12}
    assert [getattr(outcome, "body", None) for outcome in outcomes] == [b""] * 3
    assert [getattr(each, "content_hash", "") for each in outcomes] == [
        getattr(each, "content_hash", None) for each in whole
    ]


@on_loop
async def test_what_the_inspection_calls_malformed_is_tried_again(
    server: FaultServer, settings: Settings, clock: FixedClock
) -> None:
    server.on(PITCHES.path, Say(b"error\nError: Query Timeout"), Say(b"pitch_type\nFF\n"))

    def inspect(body: bytes) -> None:
        if body.startswith(b"error"):
            raise UpstreamMalformed("savant answered with an error column; ask again.")

    async with Fetcher(settings, clock=clock, retry_terms=QUICK) as fetcher:
        answer = await fetcher.fetch(PITCHES, inspect)
    assert answer.body == b"pitch_type\nFF\n"
    assert answer.attempts == 2


@on_loop
async def test_a_row_cap_is_not_tried_again_but_archived_for_the_replay(
    server: FaultServer, settings: Settings, clock: FixedClock, archive: Archive
) -> None:
    server.on(PITCHES.path, Say(b"pitch_type\nFF\n"))

    def capped(body: bytes) -> None:
        raise RowCapReached("25,000 rows")

    async with Fetcher(settings, clock=clock, archive=archive) as fetcher:
        with pytest.raises(RowCapReached):
            await fetcher.fetch(PITCHES, capped)
    assert len(server.heard) == 1
    replayed = settings.model_copy(update={"upstream": f"replay:{archive.root}"})
    async with Fetcher(replayed, clock=clock) as fetcher:
        with pytest.raises(RowCapReached):
            await fetcher.fetch(PITCHES, capped)


@on_loop
async def test_an_empty_csv_is_left_to_the_inspection(
    server: FaultServer, settings: Settings, clock: FixedClock
) -> None:
    server.on(PITCHES.path, Say(b""))
    async with Fetcher(settings, clock=clock) as fetcher:
        assert (await fetcher.fetch(PITCHES)).body == b""


@on_loop
async def test_a_slow_drip_ends_with_the_time_limit(server: FaultServer, settings: Settings, clock: FixedClock) -> None:
    server.on(GAMES.path, Say(b"{" + b" " * 5000 + b"}", drip_s=0.02))
    hurried = settings.model_copy(update={"request_timeout_s": 0.2})
    async with Fetcher(hurried, clock=clock, retry_terms=ONCE) as fetcher:
        with pytest.raises(UpstreamUnavailable, match=r"within 0\.2 s"):
            await fetcher.fetch(GAMES)


@on_loop
async def test_the_time_budget_bounds_all_attempts_together(
    server: FaultServer, settings: Settings, clock: FixedClock
) -> None:
    server.on(GAMES.path, Say(status=500, delay_s=0.02))
    loop = asyncio.get_running_loop()
    async with Fetcher(settings, clock=clock, retry_terms=dataclasses.replace(QUICK, attempts=10_000)) as fetcher:
        began = loop.time()
        with pytest.raises((DeadlineExceeded, UpstreamUnavailable, BreakerOpen)):
            await fetcher.fetch(GAMES, budget_s=0.3)
    assert loop.time() - began < 2
    assert len(server.heard) < 20


@on_loop
async def test_a_named_pause_longer_than_the_budget_is_handed_to_the_caller(
    server: FaultServer, settings: Settings, clock: FixedClock
) -> None:
    server.on(GAMES.path, Say(status=429, headers=(("Retry-After", "3600"),)))
    async with Fetcher(settings, clock=clock) as fetcher:
        with pytest.raises(RateLimited) as caught:
            await fetcher.fetch(GAMES)
    assert caught.value.retry_after_s == 3600
    assert len(server.heard) == 1


@on_loop
async def test_a_long_pause_fails_the_items_behind_it_too_instead_of_holding_them(
    server: FaultServer, settings: Settings, clock: FixedClock
) -> None:
    server.fallback = Say(status=429, headers=(("Retry-After", "3600"),))
    async with Fetcher(settings, clock=clock) as fetcher, asyncio.timeout(20):
        outcomes = await fetcher.fetch_many(numbered(100))
    assert all(isinstance(outcome, RateLimited) for outcome in outcomes)
    assert {outcome.source for outcome in outcomes if isinstance(outcome, RateLimited)} == {"statsapi"}
    assert len(server.heard) <= 25


@pytest.mark.parametrize("date", [None, "Sun, 15 Jun 2025 12:00:00 GMT"])
@on_loop
async def test_a_pause_may_be_named_as_seconds_or_as_a_date(
    server: FaultServer, settings: Settings, clock: FixedClock, date: str | None
) -> None:
    when = "1" if date is None else "Sun, 15 Jun 2025 12:00:01 GMT"
    headers = (("Retry-After", when), *((("Date", date),) if date else ()))
    server.on(GAMES.path, Say(status=429, headers=headers), Say())
    async with Fetcher(settings, clock=clock, retry_terms=QUICK) as fetcher:
        answer = await fetcher.fetch(GAMES)
    assert answer.attempts == 2
    first, second = (heard.at for heard in server.heard)
    assert 0.95 < second - first < 5


@on_loop
async def test_an_unchanged_answer_comes_from_the_archive_on_the_feeds_word(
    server: FaultServer, settings: Settings, clock: FixedClock, archive: Archive
) -> None:
    server.on(GAMES.path, Say(b'{"big":1}', headers=(("ETag", '"v1"'),)))
    async with Fetcher(settings, clock=clock, archive=archive) as fetcher:
        first = await fetcher.fetch(GAMES)
        clock.advance(600)
        await until(lambda: not fetcher._coalescer._flights)
        second = await fetcher.fetch(GAMES)
    assert server.heard[1].headers["if-none-match"] == '"v1"'
    assert (second.status, second.body, second.revalidated) == (200, first.body, True)
    assert second.fetched_at == first.fetched_at + dt.timedelta(seconds=600)
    assert len(list(archive.entries(GAMES))) == 2


@on_loop
async def test_a_damaged_archive_is_healed_by_asking_for_everything(
    server: FaultServer, settings: Settings, clock: FixedClock, archive: Archive
) -> None:
    server.on(GAMES.path, Say(b'{"big":1}', headers=(("ETag", '"v1"'),)))
    async with Fetcher(settings, clock=clock, archive=archive) as fetcher:
        first = await fetcher.fetch(GAMES)
        (path,) = archive.root.glob("objects/*/*.zst")
        path.write_bytes(b"garbage")
        await until(lambda: not fetcher._coalescer._flights)
        second = await fetcher.fetch(GAMES)
        assert second.body == first.body
        assert archive.body(first.content_hash) == first.body
    assert "if-none-match" not in server.heard[2].headers


@on_loop
async def test_a_replay_needs_no_network(
    server: FaultServer, settings: Settings, clock: FixedClock, archive: Archive
) -> None:
    async with Fetcher(settings, clock=clock, archive=archive) as fetcher:
        recorded = await fetcher.fetch(GAMES)
    heard = len(server.heard)
    replayed = settings.model_copy(update={"upstream": f"replay:{archive.root}"})
    async with Fetcher(replayed, clock=clock) as fetcher:
        answer = await fetcher.fetch(GAMES)
        unknown = dataclasses.replace(GAMES, path="/other")
        with pytest.raises(UpstreamRefused, match="holds no answer"):
            await fetcher.fetch(unknown)
    assert (answer.body, answer.from_archive, answer.attempts) == (recorded.body, True, 0)
    assert len(server.heard) == heard


@on_loop
async def test_one_damaged_body_is_one_gap_of_a_replay_and_the_archive_is_left_alone(
    server: FaultServer, settings: Settings, clock: FixedClock, archive: Archive
) -> None:
    items = numbered(3)
    for number, item in enumerate(items):
        server.on(item.path, Say(b'{"number": %d}' % number))
    async with Fetcher(settings, clock=clock, archive=archive) as fetcher:
        await fetcher.fetch_many(items)
    damaged = archive.newest(items[1])
    assert damaged is not None
    (path,) = archive.root.glob(f"objects/*/{damaged.content_hash}.zst")
    path.write_bytes(b"rotten")
    before = sorted(archive.root.rglob("*"))
    async with Fetcher(settings.model_copy(update={"upstream": f"replay:{archive.root}"}), clock=clock) as fetcher:
        first, gap, last = await fetcher.fetch_many(items)
    assert [answer.body for answer in (first, last) if isinstance(answer, Answer)] == [
        b'{"number": 0}',
        b'{"number": 2}',
    ]
    assert isinstance(gap, UpstreamRefused)
    assert gap.message.startswith(f"{items[1].table} {items[1].key}: The content {damaged.content_hash}")
    assert "is damaged" in gap.message
    assert (sorted(archive.root.rglob("*")), path.read_bytes()) == (before, b"rotten")


@pytest.mark.parametrize(
    "say",
    [
        Say(b" " * 2_000_000),
        Say(b" " * 2_000_000, until_close=True),
        Say(b" " * 2_000_000, gzip=True),
        Say(b"{}", claim=2_000_000),
    ],
    ids=["announced", "unannounced", "compressed", "claimed"],
)
@on_loop
async def test_an_answer_over_the_size_limit_is_refused(
    server: FaultServer, settings: Settings, clock: FixedClock, say: Say
) -> None:
    server.on(GAMES.path, say)
    async with Fetcher(settings, clock=clock, max_bytes=1_000_000, retry_terms=QUICK) as fetcher:
        with pytest.raises(ResponseTooLarge):
            await fetcher.fetch(GAMES)
    assert len(server.heard) == 1


@on_loop
async def test_each_feed_has_a_size_limit_of_its_own(
    server: FaultServer, settings: Settings, clock: FixedClock
) -> None:
    """Ten megabytes: a large search of Savant's, and no event of any book."""
    server.fallback = Say(b"[" + b" " * 10_000_000 + b"]", gzip=False)
    event = dataclasses.replace(GAMES, feed=Feed.THEODDS, path="/v4/event")
    async with Fetcher(settings, clock=clock, retry_terms=QUICK) as fetcher:
        assert len((await fetcher.fetch(dataclasses.replace(GAMES, feed=Feed.SAVANT))).body) == 10_000_002
        with pytest.raises(ResponseTooLarge, match="the limit is 8,388,608"):
            await fetcher.fetch(event)


@on_loop
async def test_a_decompression_bomb_is_refused_while_it_streams(
    server: FaultServer, settings: Settings, clock: FixedClock
) -> None:
    server.on(GAMES.path, Say(bytes(200_000_000), gzip=True))
    async with Fetcher(settings, clock=clock) as fetcher:
        with pytest.raises(ResponseTooLarge, match="expands"):
            await fetcher.fetch(GAMES)


@on_loop
async def test_connections_are_used_again(server: FaultServer, settings: Settings, clock: FixedClock) -> None:
    async with Fetcher(settings, clock=clock) as fetcher:
        for item in numbered(20):
            await fetcher.fetch(item)
    assert server.connections == 1


@on_loop
async def test_identical_requests_under_way_share_one_call(
    server: FaultServer, settings: Settings, clock: FixedClock
) -> None:
    server.on(GAMES.path, Say(hold=True))
    other = dataclasses.replace(GAMES, table="core_players")
    async with Fetcher(settings, clock=clock) as fetcher:
        waiting = [asyncio.ensure_future(fetcher.fetch(item)) for item in [GAMES] * 9 + [other]]
        await until(lambda: len(server.heard) == 1)
        server.let_go()
        answers = await asyncio.gather(*waiting)
        late = await fetcher.fetch(GAMES)
    assert len(server.heard) == 1
    assert [answer.item for answer in answers] == [GAMES] * 9 + [other]
    assert late.body == answers[0].body


@on_loop
async def test_a_feed_that_is_down_is_left_alone_until_one_probe_gets_through(
    server: FaultServer, settings: Settings, clock: FixedClock, caplog: pytest.LogCaptureFixture
) -> None:
    server.fallback = Say(status=503)
    moves: list[Moved] = []
    terms = BreakerTerms(at_least=5, first_pause_s=0.1, longest_pause_s=0.4)
    async with Fetcher(settings, clock=clock, retry_terms=ONCE, breaker_terms=terms) as fetcher:
        fetcher.listen(moves.append)
        for item in numbered(5):
            with pytest.raises(UpstreamUnavailable):
                await fetcher.fetch(item)
        with pytest.raises(BreakerOpen) as caught:
            await fetcher.fetch(GAMES, budget_s=0.01)
        assert caught.value.retry_after_s is not None
        assert len(server.heard) == 5
        (health,) = [feed for feed in fetcher.health() if feed.feed == "statsapi"]
        assert (health.breaker, health.open_since) == ("open", clock.now())
        (warned,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
        assert warned == (f"statsapi: breaker open after closed: 5 of the last 5 requests failed; {health.last_error}")
        assert "503" in warned
        server.fallback = Say(hold=True)
        waiting = [asyncio.ensure_future(fetcher.fetch(GAMES))]
        waiting += [asyncio.ensure_future(fetcher.fetch(item)) for item in numbered(8)[5:]]
        await until(lambda: len(server.heard) == 6)
        server.let_go()
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert not [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    assert [(move.before, move.after) for move in moves] == [
        (State.CLOSED, State.OPEN),
        (State.OPEN, State.HALF_OPEN),
        (State.HALF_OPEN, State.CLOSED),
    ]


@on_loop
async def test_hundreds_of_items_stay_within_the_gate(
    server: FaultServer, settings: Settings, clock: FixedClock
) -> None:
    server.fallback = Say(delay_s=0.01)
    async with Fetcher(settings, clock=clock) as fetcher:
        outcomes = await fetcher.fetch_many(numbered(300))
    assert not [outcome for outcome in outcomes if isinstance(outcome, UpstreamError)]
    assert server.most_in_flight <= 25


@on_loop
async def test_a_paid_feed_at_its_own_address_wants_a_key(clock: FixedClock) -> None:
    item = Item(Feed.THEODDS, "events", "x", "/v4/sports", secret=Secret.QUERY_API_KEY)
    async with Fetcher(Settings(_env_file=None, theodds_key=None), clock=clock) as fetcher:
        with pytest.raises(ConfigurationError, match="BACKSTOP_THEODDS_KEY"):
            await fetcher.fetch(item)


@on_loop
async def test_an_address_that_is_none_is_named(settings: Settings, clock: FixedClock) -> None:
    wrong = settings.model_copy(update={"upstream": "live", "statsapi_url": "ftp://nonsense"})
    with pytest.raises(ConfigurationError, match="nonsense"):
        await Fetcher(wrong, clock=clock).__aenter__()


@on_loop
async def test_a_server_that_is_not_there_is_unavailable(settings: Settings, clock: FixedClock) -> None:
    async with Fetcher(settings.pointed_at("http://127.0.0.1:9"), clock=clock, retry_terms=ONCE) as fetcher:
        with pytest.raises(UpstreamUnavailable, match="ConnectError"):
            await fetcher.fetch(GAMES)


@on_loop
async def test_what_happened_is_counted(server: FaultServer, settings: Settings, clock: FixedClock) -> None:
    server.on("/api/v1/game/0", Say(status=500), Say(b'{"n":0}'))
    server.on("/api/v1/game/1", Say(status=404))
    server.on("/api/v1/game/2", Say(b'{"n":2}', hold=True))
    items = numbered(3)
    async with Fetcher(settings, clock=clock, retry_terms=QUICK) as fetcher:
        waiting = asyncio.ensure_future(fetcher.fetch_many([*items, items[2]]))
        await until(lambda: len(server.heard) == 4)
        server.let_go()
        await waiting
        counts = fetcher.counts()["statsapi"]
    assert (counts.items, counts.answers, counts.failures, counts.joined) == (4, 3, 1, 1)
    assert (counts.requests, counts.retries, counts.openings, counts.revalidated) == (4, 1, 0, 0)
    assert counts.received_bytes == len(b'{"ok":true}') * 2 + len(b'{"n":0}') + len(b'{"n":2}')


@on_loop
async def test_an_answer_that_cannot_change_any_more_is_not_asked_for_twice(
    server: FaultServer, settings: Settings, clock: FixedClock, archive: Archive
) -> None:
    settled = dataclasses.replace(GAMES, settled_at=clock.now())
    early = clock.now() - dt.timedelta(seconds=1)
    archive.put(GAMES, b'{"early":1}', fetched_at=early, headers=(), status=200)
    for _ in range(2):
        async with Fetcher(settings, clock=clock, archive=archive) as fetcher:
            answer = await fetcher.fetch(settled)
            counts = fetcher.counts()["statsapi"]
    assert len(server.heard) == 1
    assert (answer.from_archive, answer.body) == (True, b'{"ok":true}')
    assert (counts.items, counts.requests, counts.answers, counts.archived) == (1, 0, 1, 1)
