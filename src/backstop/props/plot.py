"""Draws calibration plots as PNG: forecast against frequency, with the line of perfect calibration.

Nothing in the locked dependencies writes pictures, and ten points need only pixels, so this module sets them itself.
"""

from __future__ import annotations

import struct
import zlib
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Colour = tuple[int, int, int]

WIDTH: Final = 420
HEIGHT: Final = 430
LEFT: Final = 56
TOP: Final = 44
SIDE: Final = 340
"""Pixels of the square in which probabilities 0 to 1 lie."""

INK: Final = (40, 44, 52)
GRID: Final = (226, 229, 234)
LINE: Final = (150, 156, 166)
POINT: Final = (28, 98, 184)
LARGEST_POINT: Final = 7

GLYPHS: Final = {
    "0": "75557", "1": "26227", "2": "71747", "3": "71717", "4": "55711", "5": "74717", "6": "74757", "7": "71111",
    "8": "75757", "9": "75717", ".": "00002", "=": "07070", "-": "00700", "_": "00007", " ": "00000", "A": "25755",
    "B": "65656", "C": "34443", "D": "65556", "E": "74647", "F": "74644", "G": "34553", "H": "55755", "I": "72227",
    "J": "11152", "K": "55655", "L": "44447", "M": "57755", "N": "65555", "O": "25552", "P": "65644", "Q": "25563",
    "R": "65655", "S": "34216", "T": "72222", "U": "55557", "V": "55552", "W": "55775", "X": "55255", "Y": "55222",
    "Z": "71247", "+": "02720",
}  # fmt: skip
"""Letters of three by five pixels: one octal digit per row, its bits from left to right."""


def calibration_png(bins: pl.DataFrame, title: str) -> bytes:
    """Return a PNG picture of a calibration table.

    Args:
        bins: Result of `grade.reliability`: `props`, `mean_prob_over`, `share_over`; at least one row.
        title: Stands above the square; letters, digits and `.=-_+`, others are left blank.
    """
    picture = np.full((HEIGHT, WIDTH, 3), 255, dtype=np.uint8)
    _write(picture, LEFT, 16, title, scale=2)
    for tenth in range(0, 11, 2):
        x, y = _place(tenth / 10, tenth / 10)
        picture[TOP : TOP + SIDE + 1, x] = GRID
        picture[y, LEFT : LEFT + SIDE + 1] = GRID
        _write(picture, x - 10, TOP + SIDE + 8, f"{tenth / 10:.1f}", scale=2)
        _write(picture, LEFT - 32, y - 5, f"{tenth / 10:.1f}", scale=2)
    _write(picture, LEFT + SIDE // 2 - 36, TOP + SIDE + 26, "FORECAST", scale=2)
    _write(picture, 4, TOP - 24, "SEEN", scale=2)
    diagonal = np.arange(SIDE + 1)
    picture[TOP + SIDE - diagonal, LEFT + diagonal] = LINE
    largest = int(bins.select(pl.col("props").max()).item())
    for props, forecast, seen in bins.select("props", "mean_prob_over", "share_over").iter_rows():
        radius = max(2, round(LARGEST_POINT * float(np.sqrt(props / largest))))
        _dot(picture, *_place(forecast, seen), radius)
    return _encode(picture)


def _place(forecast: float, seen: float) -> tuple[int, int]:
    """Return the pixel of a pair of probabilities."""
    return LEFT + round(forecast * SIDE), TOP + SIDE - round(seen * SIDE)


def _dot(picture: Pixels, x: int, y: int, radius: int) -> None:
    rows, columns = np.ogrid[:HEIGHT, :WIDTH]
    picture[(rows - y) ** 2 + (columns - x) ** 2 <= radius**2] = POINT


def _write(picture: Pixels, x: int, y: int, text: str, *, scale: int, colour: Colour = INK) -> None:
    """Set a line of text; what does not fit into the picture is cut off."""
    for letter in text.upper():
        for row, digit in enumerate(GLYPHS.get(letter, GLYPHS[" "])):
            for column in range(3):
                if int(digit) >> (2 - column) & 1:
                    top, left = y + row * scale, max(x + column * scale, 0)
                    picture[top : top + scale, left : left + scale] = colour
        x += 4 * scale


def _encode(picture: Pixels) -> bytes:
    """Return the picture as PNG: eight bits per channel, RGB, no filter (PNG specification, W3C 2003)."""
    height, width, _ = picture.shape
    rows = np.concatenate([np.zeros((height, 1), dtype=np.uint8), picture.reshape(height, width * 3)], axis=1)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows.tobytes(), 9)) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
