"""What the fetcher takes from the archive, and what it keeps there."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from backstop.clock import FixedClock
from backstop.errors import (
    RowCapReached,
    UpstreamRefused,
)
from backstop.net.archive import Archive
from backstop.net.client import Fetcher
from backstop.net.item import Answer, Body, Item
from backstop.settings import Feed, Settings
from tests.net.server import FaultServer, Say, on_loop, until

GAMES = Item(Feed.STATSAPI, "core_games", "2025-06-15", "/api/v1/schedule", (("date", "2025-06-15"),))
PITCHES = Item(Feed.SAVANT, "core_pitches", "2025-06-15", "/statcast_search/csv", body=Body.CSV)


def numbered(count: int) -> list[Item]:
    return [dataclasses.replace(GAMES, key=str(n), path=f"/api/v1/game/{n}") for n in range(count)]


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
