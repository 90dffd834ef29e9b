"""Answers made by hand, as the network room would hand them over."""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

from backstop.net.item import Answer, Item

NOON = dt.datetime(2025, 6, 15, 16, 0, tzinfo=dt.UTC)


def answer(item: Item, body: bytes | str | Any, *, at: dt.datetime = NOON) -> Answer:
    """Answer an item with a body; what is neither bytes nor text is written as JSON."""
    if isinstance(body, str):
        body = body.encode()
    elif not isinstance(body, bytes):
        body = json.dumps(body).encode()
    return Answer(item, 200, body, at, hashlib.sha256(body).hexdigest())


def recorded(path: Path) -> bytes:
    """Read a recording, unpacked if it is packed."""
    body = path.read_bytes()
    return gzip.decompress(body) if path.suffix == ".gz" else body
