"""Serves the board's files: the page, and its modules, styles and font under an address that names their content.

There is no build step: the files in `static/` are what the browser gets. Their address holds a digest over all of them,
so a browser keeps them for a year and a new release is seen at once; only the page is asked for again each time.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Final

from starlette.responses import Response

from backstop.api.answers import encoding_of, is_known

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.applications import Starlette
    from starlette.requests import Request

TYPES: Final = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "woff2": "font/woff2",
    "txt": "text/plain; charset=utf-8",
}
PACKED: Final = {"woff2"}
"""Suffixes of files that are compressed already."""

PAGE: Final = "index.html"
ASSETS_MARK: Final = b"{assets}"
"""Stands in the page for the address of the other files."""

DIRECTIVES: Final = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "font-src": "'self'",
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
    # names of players and books are upstream data: the browser itself refuses to read any text as markup
    "require-trusted-types-for": "'script'",
    "trusted-types": "'none'",
}
POLICY: Final = "; ".join(f"{name} {value}" for name, value in DIRECTIVES.items())
SECURITY: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
NOT_MODIFIED: Final = 304


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is sent.

    Attributes:
        body: Its bytes.
        packed: Its bytes with gzip; the same bytes where compression gains nothing.
        etag: Names the content, whatever its encoding.
        media_type: Content type.
    """

    body: bytes
    packed: bytes
    etag: str
    media_type: str

    @classmethod
    def of(cls, name: str, body: bytes) -> Asset:
        """Prepare a file by its name and bytes."""
        suffix = name.rpartition(".")[2]
        packed = body if suffix in PACKED else gzip.compress(body, mtime=0)
        return cls(body, packed, f'W/"{hashlib.sha256(body).hexdigest()[:16]}"', TYPES[suffix])

    def answer(self, request: Request, cache_control: str) -> Response:
        """Return the file, or 304 to a browser that has it."""
        headers = {**SECURITY, "ETag": self.etag, "Cache-Control": cache_control, "Vary": "Accept-Encoding"}
        if is_known(request, self.etag):
            return Response(status_code=NOT_MODIFIED, headers=headers)
        small = self.packed is not self.body and encoding_of(request, ["gzip"])
        if small:
            headers["Content-Encoding"] = "gzip"
        return Response(self.packed if small else self.body, headers=headers, media_type=self.media_type)


@functools.cache
def files() -> Mapping[str, bytes]:
    """Return the board's files by name, read once."""
    folder = resources.files(__package__).joinpath("static")
    return {each.name: each.read_bytes() for each in sorted(folder.iterdir(), key=lambda file: file.name)}


@functools.cache
def digest() -> str:
    """Return the name of this state of the files."""
    seen = hashlib.sha256()
    for name, body in files().items():
        seen.update(f"{name}:{len(body)}:".encode() + body)
    return seen.hexdigest()[:12]


@functools.cache
def assets() -> Mapping[str, Asset]:
    """Return the files as they are sent; the page names the address of the others."""
    address = f"/board/{digest()}".encode()
    return {name: Asset.of(name, body.replace(ASSETS_MARK, address)) for name, body in files().items()}


async def page(request: Request) -> Response:
    """Answer `/`: the page, which a browser asks for again each time."""
    return assets()[PAGE].answer(request, "no-cache")


async def asset(request: Request) -> Response:
    """Answer `/board/{digest}/{name}`: a file that never changes under this address."""
    found = assets().get(request.path_params["name"])
    if found is None or request.path_params["digest"] != digest():
        return Response("There is no such file; load the page again.", 404, SECURITY, TYPES["txt"])
    return found.answer(request, "public, max-age=31536000, immutable")


def mount(app: Starlette) -> None:
    """Add the board to an application: the page at `/`, its files under `/board/`."""
    app.add_route("/", page, methods=["GET"], include_in_schema=False)
    app.add_route("/board/{digest}/{name}", asset, methods=["GET"], include_in_schema=False)
