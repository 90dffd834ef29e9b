from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import os
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backstop.errors import LakeError
from backstop.net.archive import Archive
from backstop.net.item import Item
from backstop.settings import Feed

ITEM = Item(Feed.SAVANT, "core_pitches", "2025-06-15", "/statcast_search/csv", (("game_date_gt", "2025-06-15"),))
NOON = dt.datetime(2025, 6, 15, 12, tzinfo=dt.UTC)
AT_ONCE = dt.timedelta(0)


def put(archive: Archive, body: bytes, hours: int = 0, item: Item = ITEM) -> str:
    at = NOON + dt.timedelta(hours=hours)
    return archive.put(item, body, fetched_at=at, headers=(("etag", '"x"'),), status=200)


def test_what_was_put_comes_back_byte_for_byte(archive: Archive) -> None:
    body = bytes(range(256)) * 1000
    content_hash = put(archive, body)
    assert content_hash == hashlib.sha256(body).hexdigest()
    answer = archive.latest(ITEM)
    assert answer is not None
    assert (answer.body, answer.content_hash, answer.fetched_at, answer.status) == (body, content_hash, NOON, 200)
    assert (answer.from_archive, answer.attempts, answer.headers) == (True, 0, (("etag", '"x"'),))


def test_the_same_content_is_kept_once(archive: Archive) -> None:
    for hours in range(5):
        put(archive, b"same", hours)
    assert len(list(archive.root.glob("objects/*/*.zst"))) == 1
    assert len(list(archive.entries(ITEM))) == 5


def test_the_newest_answer_not_after_an_instant(archive: Archive) -> None:
    for hours, body in [(0, b"noon"), (4, b"four"), (2, b"two")]:
        put(archive, body, hours)
    latest = archive.latest(ITEM)
    assert latest is not None
    assert latest.body == b"four"
    early = archive.latest(ITEM, not_after=NOON + dt.timedelta(hours=3))
    assert early is not None
    assert early.body == b"two"
    assert archive.latest(ITEM, not_after=NOON - dt.timedelta(seconds=1)) is None


def test_an_unknown_request_has_no_answer(archive: Archive) -> None:
    assert archive.latest(ITEM) is None
    assert archive.last(ITEM) is None


def test_requests_are_told_apart_by_path_and_parameters_whatever_their_order(archive: Archive) -> None:
    both = dataclasses.replace(ITEM, params=(("a", "1"), ("b", "2")))
    swapped = dataclasses.replace(ITEM, params=(("b", "2"), ("a", "1")))
    put(archive, b"both", item=both)
    assert archive.latest(swapped) is not None
    assert archive.latest(ITEM) is None


def test_a_line_torn_by_a_kill_is_skipped_and_does_not_spoil_the_next(archive: Archive) -> None:
    put(archive, b"one")
    (index,) = archive.root.glob("index/*/*.jsonl")
    index.write_bytes(index.read_bytes() + b'{"fetched_at": "2025-06-1')
    assert [entry.content_hash for entry in archive.entries(ITEM)] == [hashlib.sha256(b"one").hexdigest()]
    last = archive.last(ITEM)
    assert last is not None
    assert last.content_hash == hashlib.sha256(b"one").hexdigest()
    put(archive, b"two", 1)
    assert len(list(archive.entries(ITEM))) == 2


def test_a_damaged_body_is_said_to_be_so_and_set_aside(archive: Archive) -> None:
    content_hash = put(archive, b"sound")
    (path,) = archive.root.glob("objects/*/*.zst")
    path.write_bytes(b"rotten")
    with pytest.raises(LakeError, match="damaged"):
        archive.body(content_hash)
    with pytest.raises(LakeError, match="holds no content"):
        archive.body(content_hash)
    assert put(archive, b"sound") == content_hash
    assert archive.body(content_hash) == b"sound"


def test_the_end_of_a_long_index_is_found_without_reading_it_all(archive: Archive) -> None:
    for hours in range(300):
        put(archive, f"{hours % 3}".encode(), hours)
    last = archive.last(ITEM)
    assert last is not None
    assert last.fetched_at == NOON + dt.timedelta(hours=299)


def test_several_processes_write_one_archive(archive: Archive) -> None:
    code = """
    import datetime as dt, pathlib, sys
    from backstop.net.archive import Archive
    from backstop.net.item import Item
    from backstop.settings import Feed
    archive, name = Archive(pathlib.Path(sys.argv[1])), sys.argv[2]
    item = Item(Feed.SAVANT, "t", "k", "/p")
    for n in range(200):
        at = dt.datetime(2025, 6, 15, tzinfo=dt.UTC) + dt.timedelta(seconds=n)
        archive.put(item, f"{n}".encode() * 50, fetched_at=at, headers=(("writer", name),), status=200)
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(archive.root)]
    processes = [subprocess.Popen([*command, name]) for name in "abcd"]
    assert [process.wait() for process in processes] == [0] * 4
    entries = list(archive.entries(Item(Feed.SAVANT, "t", "k", "/p")))
    assert len(entries) == 800
    assert {entry.header("writer") for entry in entries} == set("abcd")
    assert len({entry.content_hash for entry in entries}) == 200
    assert all(archive.body(entry.content_hash) for entry in entries[::40])
    assert not list(archive.root.rglob("*.part"))


@given(bodies=st.lists(st.binary(max_size=200), min_size=1, max_size=8))
@settings(deadline=None, max_examples=30)
def test_round_trip_of_any_bytes(tmp_path_factory: pytest.TempPathFactory, bodies: list[bytes]) -> None:
    archive = Archive(Path(tmp_path_factory.mktemp("archive")))
    hashes = [put(archive, body, hours) for hours, body in enumerate(bodies)]
    assert [archive.body(content_hash) for content_hash in hashes] == bodies
    latest = archive.latest(ITEM)
    assert latest is not None
    assert latest.body == bodies[-1]


def test_pruning_keeps_the_newest_answer_to_each_request_and_every_body_that_is_named(archive: Archive) -> None:
    other = dataclasses.replace(ITEM, params=(("game_date_gt", "2025-06-16"),))
    for hours, body in [(0, b"first"), (1, b"shared"), (2, b"third")]:
        put(archive, body, hours)
    put(archive, b"shared", 0, other)
    pruned = archive.prune(NOON + dt.timedelta(days=1), unnamed_for=AT_ONCE)
    assert (pruned.entries, pruned.bodies) == (2, 1)
    assert [entry.content_hash for entry in archive.entries(ITEM)] == [hashlib.sha256(b"third").hexdigest()]
    assert archive.latest(other).body == b"shared"  # type: ignore[union-attr]
    assert archive.prune(NOON + dt.timedelta(days=1), unnamed_for=AT_ONCE) == (0, 0, 0)


def test_pruning_everything_leaves_nothing(archive: Archive) -> None:
    put(archive, b"old")
    assert archive.prune(NOON, keep_newest=False, unnamed_for=AT_ONCE) == (0, 0, 0)
    later = NOON + dt.timedelta(seconds=1)
    assert archive.prune(later, keep_newest=False, unnamed_for=AT_ONCE)[:2] == (1, 1)
    assert archive.latest(ITEM) is None
    assert not list(archive.root.glob("index/*/*.jsonl"))


def test_a_body_whose_line_is_still_to_come_is_not_pruned(archive: Archive) -> None:
    archive._write_object(hashlib.sha256(b"new").hexdigest(), b"new")
    old = archive._object_path(put(archive, b"old"))
    os.utime(old, (0, 0))
    later = NOON + dt.timedelta(days=1)
    put(archive, b"old", 25)  # the same answer again, and its line not read yet
    assert archive.prune(later, keep_newest=False)[:2] == (1, 0)
    archive._index_path(ITEM).unlink()
    assert archive.prune(later) == (0, 0, 0)
    assert archive.body(hashlib.sha256(b"new").hexdigest()) == b"new"
    assert old.exists()


def test_no_answer_is_lost_that_is_kept_while_another_process_prunes(archive: Archive) -> None:
    items = [dataclasses.replace(ITEM, params=(("game_date_gt", str(number)),)) for number in range(4)]
    done = threading.Event()

    def prune() -> None:
        while not done.is_set():
            archive.prune(NOON, keep_newest=False)

    with ThreadPoolExecutor(2) as pool:
        pruning = pool.submit(prune)
        for hours in range(1, 100):
            for item in items:
                put(archive, f"old {hours}".encode(), -hours, item)
                put(archive, f"new {hours} {item.params}".encode(), hours, item)
        done.set()
        pruning.result()
    for item in items:
        kept = {entry.content_hash for entry in archive.entries(item) if entry.fetched_at >= NOON}
        assert len(kept) == 99
        assert all(archive.has(each) for each in kept)


def test_a_damaged_body_of_a_replayed_archive_stays_as_it_lies(archive: Archive) -> None:
    content_hash = put(archive, b"sound")
    (path,) = archive.root.glob("objects/*/*.zst")
    path.write_bytes(b"rotten")
    with pytest.raises(LakeError, match="damaged"):
        Archive(archive.root, replayed=True).body(content_hash)
    assert [each.read_bytes() for each in archive.root.glob("objects/*/*")] == [b"rotten"]
