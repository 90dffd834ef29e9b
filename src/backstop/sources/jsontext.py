"""JSON answers: decoded with or without byte order mark, web pages and error objects refused."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
from collections.abc import Iterable
from typing import Any, Final

import orjson

from backstop.errors import UpstreamMalformed
from backstop.excerpt import excerpt, names
from backstop.sources.csvtext import refuse_html, strip
from backstop.sources.parsed import Drift


def decode(body: bytes, *, source: str) -> Any:
    """Decode a JSON body.

    Raises:
        UpstreamMalformed: the body is empty, a web page, or not JSON (also when it was cut).
    """
    refuse_html(body, source)
    text = strip(body)
    if not text:
        raise UpstreamMalformed(f"{source} answered an empty body where JSON was expected; ask again.", source=source)
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise UpstreamMalformed(
            f"{source} answered {len(body)} bytes that are not JSON ({error}); it was probably cut, ask again.",
            source=source,
        ) from error


def decode_object(body: bytes, *keys: str, source: str) -> dict[str, Any]:
    """Decode a JSON object that has the given keys.

    Raises:
        UpstreamMalformed: it is something else; the message of an error object is quoted.
    """
    value = decode(body, source=source)
    if isinstance(value, dict) and all(key in value for key in keys):
        return value
    if isinstance(value, dict):
        said = excerpt(str(value.get("message") or "")) or names(sorted(value))
        raise UpstreamMalformed(
            f"{source} answered an object without {' and '.join(repr(key) for key in keys)} ({said}); ask again.",
            source=source,
        )
    raise UpstreamMalformed(
        f"{source} answered a {type(value).__name__}, expected an object; ask again.", source=source
    )


def decode_list(body: bytes, key: str, *, source: str) -> list[Any]:
    """Decode a JSON object and return the list that stands under a key.

    Raises:
        UpstreamMalformed: there is no such object, or something else than a list in it.
    """
    return as_list(decode_object(body, key, source=source)[key], key, source=source)


def as_list(value: Any, name: str, *, source: str) -> list[Any]:
    """Return the value if it is a list.

    Raises:
        UpstreamMalformed: it is not.
    """
    if not isinstance(value, list):
        raise UpstreamMalformed(
            f"{source} answered {name!r} as {type(value).__name__}, expected a list; ask again.", source=source
        )
    return value


def dig(block: Any, *keys: str) -> Any:
    """Go down nested objects; `None` where one is absent.

    >>> dig({"team": {"id": 116}}, "team", "id"), dig({"team": None}, "team", "id")
    (116, None)
    """
    for key in keys:
        block = block.get(key) if isinstance(block, dict) else None
    return block


def mapping(value: Any) -> dict[str, Any]:
    """Return the value if it is an object, an empty one otherwise: what is absent is absent below it too."""
    return value if isinstance(value, dict) else {}


LONGEST_NUMBER: Final = 15
"""Digits: more do not fit into 64 bits as outs, and thousands of them Python refuses to read."""


def whole(text: Any) -> int | None:
    """Return the number that a text of digits writes; `None` for any other value, and for more digits than an id has.

    >>> whole("116"), whole("-1"), whole("1.0"), whole(116)
    (116, None, None, None)
    """
    digits = isinstance(text, str) and text.isascii() and text.isdecimal() and len(text) <= LONGEST_NUMBER
    return int(text) if digits else None


YEARS: Final = range(1900, 2200)
"""Years of games: a feed that does not know a time may say the year 1, for which no zone can be reckoned."""

_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def instant(text: Any) -> dt.datetime | None:
    """Read an ISO instant, or seconds since 1970, as UTC; `None` when it is not one, has no zone, or is of no game.

    >>> instant("2025-06-15T23:10:00Z").isoformat()
    '2025-06-15T23:10:00+00:00'
    """
    value: dt.datetime | None = None
    if isinstance(text, int | float) and not isinstance(text, bool) and 0 < text < 10**11:
        value = dt.datetime.fromtimestamp(text, dt.UTC)
    elif isinstance(text, str):
        with contextlib.suppress(ValueError):
            value = dt.datetime.fromisoformat(text)
    known = value is not None and value.tzinfo is not None and value.year in YEARS
    return value.astimezone(dt.UTC) if value is not None and known else None


def day(text: Any) -> dt.date | None:
    """Read a `YYYY-MM-DD` date; `None` when it is not one."""
    if not isinstance(text, str) or not _DAY.fullmatch(text):
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


def drift_of(records: Iterable[Any], known: frozenset[str], needed: frozenset[str]) -> Drift:
    """Compare the keys of JSON objects with the known ones: `gone` are needed ones that some object lacks."""
    seen: set[str] = set()
    gone: set[str] = set()
    for record in records:
        if isinstance(record, dict):
            seen |= record.keys()
            gone |= needed - record.keys()
    return Drift(added=tuple(sorted(seen - known)), gone=tuple(sorted(gone)))
