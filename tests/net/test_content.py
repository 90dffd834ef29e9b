from __future__ import annotations

import asyncio
import gzip
import itertools
import os
from collections.abc import AsyncIterator

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backstop.errors import ResponseTooLarge, UpstreamMalformed
from backstop.net import content
from backstop.net.item import Body, Item
from backstop.settings import Feed

JSON = Item(Feed.STATSAPI, "core_games", "k", "/p")
CSV = Item(Feed.SAVANT, "core_pitches", "k", "/p", body=Body.CSV)


def response(chunks: list[bytes], **headers: str) -> httpx.Response:
    async def stream() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    return httpx.Response(
        200, headers={name.replace("_", "-"): value for name, value in headers.items()}, content=stream()
    )


def read(chunks: list[bytes], limit: int = 1_000_000, **headers: str) -> bytes:
    return asyncio.run(content.read(response(chunks, **headers), JSON, limit))


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[a:b] for a, b in itertools.pairwise(edges)]


@given(st.binary(max_size=2000), st.lists(st.integers(0, 5000), max_size=8), st.booleans())
@settings(max_examples=80, deadline=None)
def test_any_body_in_any_chunks_comes_out_whole(body: bytes, places: list[int], packed: bool) -> None:
    if packed:
        assert read(cut(gzip.compress(body), places), content_encoding="gzip") == body
    else:
        assert read(cut(body, places)) == body


def test_a_gzip_body_may_have_several_members() -> None:
    assert read([gzip.compress(b"one") + gzip.compress(b"two")], content_encoding="gzip") == b"onetwo"


@given(st.integers(1, 400))
@settings(max_examples=40, deadline=None)
def test_a_gzip_body_that_is_cut_anywhere_is_malformed(keep: int) -> None:
    packed = gzip.compress(os.urandom(400))
    with pytest.raises(UpstreamMalformed):
        read([packed[: min(keep, len(packed) - 1)]], content_encoding="gzip")


def test_a_body_of_exactly_the_limit_passes_and_one_byte_more_does_not() -> None:
    assert len(read([b"x" * 100], limit=100)) == 100
    assert len(read([gzip.compress(b"x" * 100)], limit=100, content_encoding="gzip")) == 100
    for chunks, headers in [([b"x" * 101], {}), ([gzip.compress(b"x" * 101)], {"content_encoding": "gzip"})]:
        with pytest.raises(ResponseTooLarge):
            read(chunks, limit=100, **headers)


def test_a_bomb_is_refused_long_before_the_limit() -> None:
    with pytest.raises(ResponseTooLarge, match="expands"):
        read([gzip.compress(bytes(60_000_000))], limit=10**12, content_encoding="gzip")


def test_data_that_packs_well_is_no_bomb() -> None:
    body = b"pitch_type,release_speed\n" + b"FF,95.1\n" * 500_000
    assert read([gzip.compress(body)], limit=10**9, content_encoding="gzip") == body


@pytest.mark.parametrize("body", [b"{}", b"[]", b'\xef\xbb\xbf{"a": 1}', b"\n [1, 2]\r\n ", b'{"a": "x]"}'])
def test_json_that_is_whole_passes(body: bytes) -> None:
    content.check(JSON, body)


@pytest.mark.parametrize(
    "body", [b"", b"  ", b"<html>", b"null", b"\xef\xbb\xbf", b'{"a": [1, 2]', b"[1, 2", b"{", b"oops}"]
)
def test_json_that_is_not_is_malformed(body: bytes) -> None:
    with pytest.raises(UpstreamMalformed, match="ask again"):
        content.check(JSON, body)


@pytest.mark.parametrize("body", [b"", b"\r\n", b"\xef\xbb\xbfpitch_type\n", b"error\nError: Query Timeout"])
def test_a_csv_is_left_to_its_parser_unless_it_is_a_page(body: bytes) -> None:
    content.check(CSV, body)


@pytest.mark.parametrize("body", [b"<!DOCTYPE html>", b"\n\n <html>", b"\xef\xbb\xbf<html>"])
def test_a_page_instead_of_a_csv_is_malformed(body: bytes) -> None:
    with pytest.raises(UpstreamMalformed, match="expected a CSV header"):
        content.check(CSV, body)
