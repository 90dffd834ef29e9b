from __future__ import annotations

import asyncio
import os

from hypothesis import given
from hypothesis import strategies as st

from backstop.cache.shared import PACKED, PLAIN, Shared, pack, unpack
from backstop.settings import Settings
from backstop.store import connection


@given(st.binary(max_size=2000))
def test_any_value_comes_back_as_it_was(value):
    assert unpack(pack(value)) == value


def test_values_that_shrink_are_packed_and_others_left_as_they_are():
    assert pack(b'{"a":1}' * 200)[:1] == PACKED
    assert len(pack(b'{"a":1}' * 200)) < 100
    assert pack(os.urandom(1000))[:1] == PLAIN
    assert pack(b"short")[:1] == PLAIN


@given(st.binary(max_size=300))
def test_bytes_that_are_none_of_ours_are_no_value_and_no_error(stored):
    unpack(stored)
    assert unpack(PACKED + b"no frame" + stored) is None
    assert unpack(b"?" + stored) is None
    assert unpack(b"") is None


def test_a_frame_that_claims_to_be_huge_is_not_unpacked():
    bomb = PACKED + b"\x28\xb5\x2f\xfd\xe0" + (1 << 40).to_bytes(8, "little") + bytes(20)
    assert unpack(bomb) is None


def test_values_are_kept_for_their_lifetime_and_counted(embedded_url):
    async def run():
        client = await connection.connect_async(Settings(redis_url=embedded_url))
        await client.flushall()
        shared = Shared()
        await shared.put(client, [("bs:mlb:{2025-06-15}:cache:a", b"v" * 1000)], 60)
        found = await shared.get(client, ["bs:mlb:{2025-06-15}:cache:a", "bs:mlb:{2025-06-15}:cache:b"])
        left = await client.pttl("bs:mlb:{2025-06-15}:cache:a")
        await client.aclose()
        return shared, found, left

    shared, found, left = asyncio.run(run())
    assert found == [b"v" * 1000, None]
    assert 59_000 < left <= 60_000
    assert (shared.counts.hits, shared.counts.misses, shared.counts.stored) == (1, 1, 1)
    assert shared.counts.bytes_written < 100
