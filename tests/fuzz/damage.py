"""Damage a body: bytes, lines, cells and values of a tree, as transport, hosts and feeds do it, and worse."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

WORDS = (
    "", "null", "NaN", "nan", "Infinity", "-0", "1e400", "9" * 40, "0x1F", "1_000", "١٢", "-", "--", ".---", "TRUE", "[]", "{}",
    "2025-02-30", "2025-06-15T25:00:00Z", "9999-12-31", "0000-00-00", "\ufeff", "\x00", "\u202e", "'", '"', '""', ",", "=1+1",
    "../../etc/passwd", "a" * 5000, "\ud7ff", "🧢", "Ünïcödé", " ", "\t", "\r", "<html>",
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 10**30, -(10**30), 1e308, float("nan"), float("inf"), "", [], {}, [[]], [{}], {"": None},
    [None] * 3, *WORDS,
)  # fmt: skip
DEEP = b"[" * 20_000 + b"]" * 20_000


def damaged(body: bytes, chance: random.Random) -> bytes:
    """Return the body with one to three wounds."""
    tree = body.lstrip()[:1] in (b"{", b"[")
    ways: list[Callable[[bytes, random.Random], bytes]] = [*BYTES, *((_tree,) * 6 if tree else LINES * 2)]
    for _ in range(chance.randint(1, 3)):
        body = chance.choice(ways)(body, chance)
    return body


def _flip(body: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(body) or 1)
    return body[:at] + bytes([chance.randrange(256)]) + body[at + 1 :]


def _truncate(body: bytes, chance: random.Random) -> bytes:
    return body[: chance.randrange(len(body) + 1)]


def _twice(body: bytes, chance: random.Random) -> bytes:
    first, second = sorted(chance.randrange(len(body) + 1) for _ in range(2))
    return body[:second] + body[first:]


def _insert(body: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(body) + 1)
    return body[:at] + chance.choice(WORDS).encode("utf-8", "surrogatepass") + body[at:]


def _other(body: bytes, chance: random.Random) -> bytes:
    return chance.choice((b"", b"\xef\xbb\xbf" + body, b"<!doctype html>" + body, DEEP, body.replace(b"\n", b"\r\n"), b"\xff\xfe"))  # fmt: skip


def _line(body: bytes, chance: random.Random) -> bytes:
    lines = body.split(b"\n")
    at, to = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[at], lines[to] = chance.choice(((lines[to], lines[at]), (lines[at], lines[at]), (b"", lines[to])))
    return b"\n".join(lines)


def _cell(body: bytes, chance: random.Random) -> bytes:
    lines = body.split(b"\n")
    at = chance.randrange(min(len(lines), 20))  # often in the header
    cells = lines[at].split(b",")
    where = chance.randrange(len(cells))
    word = chance.choice(WORDS).encode("utf-8", "surrogatepass")
    cells[where : where + 1] = chance.choice(([word], [], [cells[where], word], [b'"' + word + b'"']))
    lines[at] = b",".join(cells)
    return b"\n".join(lines)


def _column(body: bytes, chance: random.Random) -> bytes:
    lines = [line.split(b",") for line in body.split(b"\n")]
    where, word = chance.randrange(len(lines[0])), chance.choice(WORDS).encode("utf-8", "surrogatepass")
    for cells in lines[1:]:
        if where < len(cells):
            cells[where] = word
    return b"\n".join(b",".join(cells) for cells in lines)


def _tree(body: bytes, chance: random.Random) -> bytes:
    try:
        root = json.loads(body)
    except (ValueError, RecursionError):
        return body
    holders: list[tuple[Any, Any]] = []

    def walk(value: Any) -> None:
        for key, below in value.items() if isinstance(value, dict) else enumerate(value):
            holders.append((value, key))
            if isinstance(below, dict | list):
                walk(below)

    if isinstance(root, dict | list):
        walk(root)
    if not holders:
        return body
    holder, key = chance.choice(holders)
    if isinstance(holder, dict) and chance.random() < 0.3:
        del holder[key]
    elif chance.random() < 0.2:
        holder[key] = [holder[key]] * 2
    else:
        holder[key] = chance.choice(VALUES)
    return json.dumps(root).encode("utf-8", "surrogatepass")


BYTES = [_flip, _truncate, _twice, _insert, _other]
LINES = [_line, _cell, _column]
