"""How a player's value is packed: as it is (`plain`), or with zstd and a dictionary of the version's first rows.

The dictionary is kept with the version, so a version is always read with the one it was written with. Without it zstd
saves next to nothing on values this small.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import zstandard

if TYPE_CHECKING:
    from collections.abc import Sequence

LEVEL: Final = 1
"""Level 3 takes half as long again and saves two bytes in a hundred."""

DICTIONARY_BYTES: Final = 16 * 1024
SAMPLES: Final = 1000
"""Values that a dictionary is trained on: a tenth of a second."""

SAMPLE_BYTES: Final = 1024 * 1024
FEWEST: Final = 20
"""Fewer samples make no dictionary."""


class Codec(StrEnum):
    """Names of the ways to pack."""

    PLAIN = "plain"
    ZSTD = "zstd"


@dataclass(frozen=True)
class Packing:
    """Packs and unpacks the values of one kind of one version.

    Args:
        codec: How.
        dictionary: zstd's dictionary, empty for none.
    """

    codec: Codec
    dictionary: bytes = b""
    _trained: zstandard.ZstdCompressionDict | None = field(init=False, default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.dictionary:
            trained = zstandard.ZstdCompressionDict(self.dictionary)
            # without this, every value pays for digesting the dictionary again
            trained.precompute_compress(level=LEVEL)
            object.__setattr__(self, "_trained", trained)

    def pack(self, values: list[bytes]) -> list[bytes]:
        """Return values as they go to Redis."""
        if self.codec is Codec.PLAIN:
            return values
        # the reader is given the dictionary anyway: checksum and dictionary id would cost 8 bytes a value
        compressor = zstandard.ZstdCompressor(
            level=LEVEL, dict_data=self._trained, write_checksum=False, write_dict_id=False
        )
        return list(map(compressor.compress, values))

    def unpack(self, values: Sequence[bytes]) -> list[bytes]:
        """Return values as they were."""
        if self.codec is Codec.PLAIN:
            return list(values)
        return list(map(zstandard.ZstdDecompressor(dict_data=self._trained).decompress, values))


def train(values: Sequence[bytes]) -> bytes:
    """Return a dictionary for values like these, empty when they are too few to learn from."""
    step = max(1, len(values) // SAMPLES)
    samples: list[bytes | bytearray | memoryview[int]] = list(values[::step])
    while len(samples) > FEWEST and sum(map(len, samples)) > SAMPLE_BYTES:
        samples = samples[::2]
    if len(samples) < FEWEST:
        return b""
    try:
        return zstandard.train_dictionary(DICTIONARY_BYTES, samples).as_bytes()
    except zstandard.ZstdError:
        # samples without anything in common: compressing without a dictionary is right then
        return b""
