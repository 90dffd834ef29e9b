"""The body of an answer: read within limits, decompressed with care, looked at before it is believed."""

from __future__ import annotations

import hashlib
import zlib
from typing import TYPE_CHECKING, Final

from backstop.errors import ResponseTooLarge, UpstreamMalformed
from backstop.excerpt import excerpt
from backstop.net.item import Body, Item

if TYPE_CHECKING:
    import httpx

BOMB_FROM_BYTES: Final = 16 * 1024 * 1024
"""Below this size no expansion is dangerous."""

BOMB_RATIO: Final = 100
"""Decoded by received bytes; Savant's CSV packs about 8 to 1, a bomb 1,000 to 1."""

_GZIP_WBITS: Final = 31
_BOM: Final = b"\xef\xbb\xbf"


async def read(response: httpx.Response, item: Item, limit: int) -> bytes:
    """Read a whole body, decoded, of at most `limit` bytes.

    Raises:
        ResponseTooLarge: the announced, received or decoded size is over the limit, or it expands like a bomb.
        UpstreamMalformed: the content encoding is one that was not asked for, or the compressed body is cut.
    """
    announced = response.headers.get("content-length")
    if announced is not None and announced.isdecimal() and int(announced) > limit:
        raise _too_large(item, f"announces {int(announced):,} bytes", limit)
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding == "identity":
        return await _read_plain(response, item, limit)
    if encoding in {"gzip", "x-gzip"}:
        return await _read_gzip(response, item, limit)
    raise UpstreamMalformed(
        f"{item.feed.value} sent {item.table} {item.key} in the encoding {excerpt(encoding, 60)!r} although only "
        "gzip was accepted; look for a proxy in between.",
        source=item.feed.value,
    )


def _too_large(item: Item, what: str, limit: int) -> ResponseTooLarge:
    return ResponseTooLarge(
        f"The answer of {item.feed.value} to {item.table} {item.key} {what}, the limit is {limit:,}; "
        "split the request.",
        source=item.feed.value,
    )


async def _read_plain(response: httpx.Response, item: Item, limit: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.aiter_raw():
        size += len(chunk)
        if size > limit:
            raise _too_large(item, f"has more than {limit:,} bytes", limit)
        chunks.append(chunk)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


async def _read_gzip(response: httpx.Response, item: Item, limit: int) -> bytes:
    out = bytearray()
    received = 0
    inflater = zlib.decompressobj(_GZIP_WBITS)
    async for chunk in response.aiter_raw():
        received += len(chunk)
        data = chunk
        while data:
            if inflater.eof:  # a gzip body may have several members
                inflater = zlib.decompressobj(_GZIP_WBITS)
            # never inflate more than the limit at once, however small the chunk is
            allowed = min(limit + 1, max(BOMB_FROM_BYTES, received * BOMB_RATIO)) - len(out)
            if allowed <= 0:
                raise _too_large(item, f"expands {len(out) // received}-fold to more than {len(out):,} bytes", limit)
            out += _inflate(inflater, data, allowed, item)
            data = inflater.unconsumed_tail or (inflater.unused_data if inflater.eof else b"")
        if len(out) > limit:
            raise _too_large(item, f"has more than {limit:,} bytes when decompressed", limit)
    if not inflater.eof and received:
        raise UpstreamMalformed(
            f"The compressed answer of {item.feed.value} to {item.table} {item.key} ends in the middle, "
            f"after {received:,} bytes; ask again.",
            source=item.feed.value,
        )
    return bytes(out)


def _inflate(inflater: zlib._Decompress, data: bytes, allowed: int, item: Item) -> bytes:
    try:
        return inflater.decompress(data, allowed)
    except zlib.error as error:
        raise UpstreamMalformed(
            f"{item.feed.value} sent {item.table} {item.key} as gzip that cannot be decompressed ({error}); ask again.",
            source=item.feed.value,
        ) from None


def check(item: Item, body: bytes) -> None:
    """Look whether a body can be what was asked for, before anything parses it.

    A day without games is an empty CSV at Savant, so an empty CSV passes here.

    Raises:
        UpstreamMalformed: HTML where data was expected, an empty or cut JSON text.
    """
    start = body[:64].removeprefix(_BOM).lstrip()
    if item.body is Body.CSV:
        if start.startswith(b"<"):
            raise _malformed(item, body, "a CSV header")
        return
    if not start.startswith((b"{", b"[")):
        raise _malformed(item, body, "JSON")
    if not body[-64:].rstrip().endswith(b"}" if start.startswith(b"{") else b"]"):
        raise UpstreamMalformed(
            f"The JSON answer of {item.feed.value} to {item.table} {item.key} is cut after {len(body):,} bytes; "
            "ask again.",
            source=item.feed.value,
        )


def _malformed(item: Item, body: bytes, expected: str) -> UpstreamMalformed:
    seen = excerpt(body[:120].decode("utf-8", "replace"), 60)
    return UpstreamMalformed(
        f"{item.feed.value} answered {item.table} {item.key} with {seen!r}, expected {expected}; "
        "the feed may be in maintenance, ask again later.",
        source=item.feed.value,
    )


def name_of(body: bytes) -> str:
    """Return the SHA-256 of a body, hexadecimal: its name in the archive."""
    return hashlib.sha256(body).hexdigest()
