"""The second level: values that were expensive to make, compressed in Redis for every process.

Nothing depends on it: what cannot be read from here is made again, what cannot be written is counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import zstandard
from redis.exceptions import RedisError

PLAIN, PACKED = b"p", b"z"
LEVEL: Final = 3
SMALLEST: Final = 256
"""Shorter values are kept as they are: a zstd frame saves nothing on them."""

LARGEST: Final = 64 * 1024 * 1024
"""A value that claims to unpack to more is not one of ours."""


def pack(value: bytes) -> bytes:
    """Return a value as Redis keeps it."""
    if len(value) < SMALLEST:
        return PLAIN + value
    packed = zstandard.ZstdCompressor(level=LEVEL).compress(value)
    return PACKED + packed if len(packed) < len(value) else PLAIN + value


def unpack(stored: bytes) -> bytes | None:
    """Return a value as it was; `None` when these bytes are not one of ours."""
    head, body = stored[:1], stored[1:]
    if head == PLAIN:
        return body
    if head != PACKED:
        return None
    try:
        size = zstandard.frame_content_size(body)
        if not 0 <= size <= LARGEST:
            return None
        return zstandard.ZstdDecompressor().decompress(body, max_output_size=LARGEST)
    except zstandard.ZstdError:
        return None


@dataclass(slots=True)
class SharedCounts:
    """What happened since the start; bytes as they are in Redis."""

    hits: int = 0
    misses: int = 0
    stored: int = 0
    failed: int = 0
    bytes_read: int = 0
    bytes_written: int = 0


class Shared:
    """Values in Redis."""

    def __init__(self) -> None:
        self.counts = SharedCounts()

    async def get(self, redis: Any, keys: Sequence[str]) -> list[bytes | None]:
        """Return the values of keys of one slate, `None` for those that are not there.

        Raises:
            redis.exceptions.RedisError: Redis does not answer.
        """
        stored: list[bytes | None] = await redis.mget(keys)
        values = [None if each is None else unpack(each) for each in stored]
        for packed, value in zip(stored, values, strict=True):
            if packed is None or value is None:
                self.counts.misses += 1
            else:
                self.counts.hits += 1
                self.counts.bytes_read += len(packed)
        return values

    async def put(self, redis: Any, values: Sequence[tuple[str, bytes]], lifetime_s: float) -> None:
        """Keep values; a Redis that does not take them is counted, not raised."""
        pipeline = redis.pipeline(transaction=False)
        packed = [(key, pack(value)) for key, value in values]
        for key, value in packed:
            pipeline.set(key, value, px=int(lifetime_s * 1000))
        try:
            await pipeline.execute()
        except RedisError:
            self.counts.failed += len(packed)
            return
        self.counts.stored += len(packed)
        self.counts.bytes_written += sum(len(value) for _, value in packed)
