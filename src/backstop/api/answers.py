"""HTTP responses: entity tags, freshness headers, compression; bodies are bytes prepared before a request comes."""

from __future__ import annotations

import asyncio
import hashlib
import re
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson
import zstandard
from starlette.responses import Response

from backstop.cache import keys
from backstop.limits import SLATE_FRESH_S

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request

    from backstop.cache.pointer import Freshness, Pointer
    from backstop.store.reader import State

JSON: Final = "application/json"
WEIGHT: Final = re.compile(r"[01](\.\d{0,3})?", re.ASCII)
ENCODINGS: Final = ("zstd", "gzip")
"""In the order in which they are preferred."""

LEAST_WEIGHT: Final = 0.001
"""Below it is 0, which refuses."""

SMALLEST: Final = 1024
"""Shorter bodies fit one packet as they are."""

IN_THREAD: Final = 256 * 1024
"""Longer bodies are compressed beside the event loop: a millisecond each would show in everybody's answers."""

ZSTD_LEVEL: Final = 1
GZIP_LEVEL: Final = 1
"""Answers are made once and read once; level 6 takes four times as long for a tenth less."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The version that an answer was made of, and how far it may be relied on."""

    pointer: Pointer
    freshness: Freshness

    def headers(self) -> dict[str, str]:
        """Return what every answer about a slate says, also one without a body."""
        return {
            "Backstop-State": self.freshness.state.value,
            "Backstop-Age-S": f"{self.freshness.age_s:.1f}",
            "Backstop-Version": str(self.pointer.version),
            "Backstop-Fresh-For-S": str(SLATE_FRESH_S),
            "Cache-Control": "no-cache",
            "Vary": "Accept, Accept-Encoding",
        }

    def opening(self) -> bytes:
        """Return the members that change with time, as the beginning of a JSON object."""
        return b'{"state":"%b","age_s":%.1f,' % (self.freshness.state.value.encode(), self.freshness.age_s)


def tag(pointer: Pointer, request: Request, state: State) -> str:
    """Return the entity tag of an answer that tells its state: another one when the slate becomes stale or pinned."""
    asked = hashlib.sha256(f"{request.url.path}?{request.url.query}|{told(request, 'accept')}".encode())
    held = ".pinned" if pointer.pinned else ""
    return f'W/"{pointer.edition};{keys.code()}.{asked.hexdigest()[:8]}.{state.value}{held}"'


def tag_of_edition(pointer: Pointer) -> str:
    """Return the entity tag of an answer that depends on nothing but the edition, and on the code that made it.

    All tags are weak: a body has the same one in each encoding (RFC 9110, 8.8.3).
    """
    return f'W/"{pointer.edition};{keys.code()}"'


def is_known(request: Request, etag: str) -> bool:
    """Return whether the caller has what he would get (RFC 9110, 13.1.2: weak comparison)."""
    given = told(request, "if-none-match")
    bare = etag.removeprefix("W/")
    return any(each.strip().removeprefix("W/") == bare for each in given.split(",")) or given.strip() == "*"


def told(request: Request, header: str) -> str:
    """Return a list that a header has: it may come in several lines (RFC 9110, 5.3)."""
    return ",".join(request.headers.getlist(header))


def encoding_of(request: Request, among: Sequence[str] = ENCODINGS) -> str:
    """Return the encoding that the caller likes best, the first of equals; empty for none (RFC 9110, 12.5.3).

    >>> from starlette.requests import Request
    >>> def accepting(text): return Request({"type": "http", "headers": [(b"accept-encoding", text)]})
    >>> [encoding_of(accepting(text)) for text in (b"gzip, zstd", b"zstd;q=0.5, *", b"gzip;q=0.5, identity", b"")]
    ['zstd', 'gzip', '', '']
    """
    accepted = weights(told(request, "accept-encoding"))
    liked = {name: accepted.get(name, accepted.get("*", 0.0)) for name in among}
    best = max(among, key=lambda name: liked[name])
    return best if liked[best] >= max(accepted.get("identity", 0.0), LEAST_WEIGHT) else ""


def weights(header: str) -> dict[str, float]:
    """Return what a caller accepts, each with its weight (RFC 9110, 12.4.2); one that cannot be read counts as 1.

    >>> weights("text/html, application/json;charset=utf-8;q=0.5, */*; Q=0")
    {'text/html': 1.0, 'application/json': 0.5, '*/*': 0.0}
    """
    read: dict[str, float] = {}
    for part in header.lower().split(","):
        name, *parameters = (each.strip() for each in part.split(";"))
        weight = next((each[2:] for each in parameters if each.startswith("q=")), "1")
        read[name] = float(weight) if WEIGHT.fullmatch(weight) else 1.0
    return read


def compress(body: bytes, encoding: str) -> bytes:
    """Return a body in an encoding."""
    if encoding == "zstd":
        return zstandard.ZstdCompressor(level=ZSTD_LEVEL).compress(body)
    maker = zlib.compressobj(GZIP_LEVEL, wbits=31)
    return maker.compress(body) + maker.flush()


async def answer(
    request: Request,
    body: bytes,
    *,
    headers: Mapping[str, str] | None = None,
    media: str = JSON,
    status: int = 200,
) -> Response:
    """Return a body in the encoding that the caller likes."""
    extra = {"Vary": "Accept-Encoding", **(headers or {})}
    encoding = encoding_of(request) if len(body) >= SMALLEST else ""
    if encoding:
        compressed = compress(body, encoding) if len(body) < IN_THREAD else await asyncio.to_thread(
            compress, body, encoding
        )  # fmt: skip
        return Response(compressed, status, media_type=media, headers={**extra, "Content-Encoding": encoding})
    return Response(body, status, media_type=media, headers=extra)


def not_modified(headers: Mapping[str, str], etag: str) -> Response:
    """Return the answer to a caller who has it already."""
    return Response(status_code=304, headers={**headers, "ETag": etag})


async def plain(request: Request, document: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:  # noqa: E501 # fmt: skip
    """Return a small document that belongs to no slate."""
    return await answer(
        request, orjson.dumps(document), status=status, headers={"Cache-Control": "no-store", **(headers or {})}
    )
