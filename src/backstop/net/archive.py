"""Raw answers kept verbatim: named by their content, found by request and time.

Layout under the root:

    objects/ab/abcdef....zst     a body, compressed; its name is the SHA-256 of the uncompressed bytes
    index/01/0123....jsonl       one line per answer to the request of that fingerprint, oldest first

Several processes may write at once: an object is written beside its place and renamed onto it, a line is appended in
one write under a lock. A line without its end (the writer was killed) is not read and does not spoil the next. What is
pruned meanwhile costs no answer: an index is rewritten under the lock that appends take, and a body stays for
`UNNAMED_FOR` after it was kept last, although no line that was read names it.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson
import zstandard

from backstop.errors import LakeError
from backstop.net import lines
from backstop.net.content import name_of
from backstop.net.item import Answer, Item

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LEVEL: Final = 1  # on Savant's CSV smaller than level 3 and twice as fast
_TAIL_BYTES: Final = 16 * 1024

UNNAMED_FOR: Final = dt.timedelta(hours=1)
"""A body is written before its line: no writer lies longer between the two, and no scan of the index takes longer."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the index.

    Attributes:
        fetched_at: When the answer was complete, UTC.
        content_hash: Name of the body.
        status: HTTP status.
        headers: Kept response headers, lower-case names.
    """

    fetched_at: dt.datetime
    content_hash: str
    status: int
    headers: tuple[tuple[str, str], ...]

    def header(self, name: str) -> str | None:
        """Return a header's value, `None` when it was not sent."""
        return next((value for key, value in self.headers if key == name), None)


class Pruned(NamedTuple):
    """What was forgotten: lines of the index, bodies, and the bytes that they took."""

    entries: int
    bodies: int
    size: int


class Archive:
    """The raw answers under one folder.

    Args:
        root: Folder; it and its parents are made at the first write.
        replayed: Whether answers are replayed from it: what is damaged stays as it lies.
    """

    def __init__(self, root: Path, *, replayed: bool = False) -> None:
        self.root = root
        self._replayed = replayed
        self._local = threading.local()

    def put(
        self, item: Item, body: bytes, *, fetched_at: dt.datetime, headers: tuple[tuple[str, str], ...], status: int
    ) -> str:
        """Keep an answer and return the name of its content.

        A body that is here already is not written again; the line in the index is.
        """
        content_hash = name_of(body)
        self._write_object(content_hash, body)
        self.note(item, Entry(fetched_at, content_hash, status, headers), size=len(body))
        return content_hash

    def note(self, item: Item, entry: Entry, *, size: int) -> None:
        """Append a line to the index for a body that is here already, as after a 304."""
        line = orjson.dumps(
            {
                "fetched_at": entry.fetched_at.isoformat(),
                "sha256": entry.content_hash,
                "status": entry.status,
                "bytes": size,
                "feed": item.feed.value,
                "table": item.table,
                "key": item.key,
                "path": item.path,
                "params": item.params,
                "headers": entry.headers,
            }
        )
        lines.append(self._index_path(item), line)

    def again(self, item: Item, entry: Entry, *, fetched_at: dt.datetime, size: int) -> None:
        """Note that the feed gave the same answer again."""
        self.note(item, Entry(fetched_at, entry.content_hash, entry.status, entry.headers), size=size)

    def entries(self, item: Item) -> Iterator[Entry]:
        """Yield the answers to a request, oldest written first."""
        try:
            data = self._index_path(item).read_bytes()
        except FileNotFoundError:
            return
        for line in data.split(b"\n"):
            entry = _entry(line)
            if entry is not None:
                yield entry

    def last(self, item: Item) -> Entry | None:
        """Return the answer that was written last and whose body is here; reads only the end of the index."""
        try:
            with self._index_path(item).open("rb") as file:
                file.seek(-min(_TAIL_BYTES, file.seek(0, os.SEEK_END)), os.SEEK_END)
                tail = file.read()
        except FileNotFoundError:
            return None
        for line in reversed(tail.split(b"\n")):
            entry = _entry(line)
            if entry is not None:
                return entry if self.has(entry.content_hash) else None
        return None

    def newest(self, item: Item, not_after: dt.datetime | None = None) -> Entry | None:
        """Return the index line of the newest answer, not later than `not_after`; `None` without one."""
        best: Entry | None = None
        for entry in self.entries(item):
            if not_after is not None and entry.fetched_at > not_after:
                continue
            if best is None or entry.fetched_at >= best.fetched_at:
                best = entry
        return best

    def latest(self, item: Item, not_after: dt.datetime | None = None) -> Answer | None:
        """Return the newest answer to a request, not later than `not_after`; `None` without one.

        Raises:
            LakeError: the index names a body that is missing or damaged.
        """
        entry = self.newest(item, not_after)
        if entry is None:
            return None
        return Answer(
            item=item,
            status=entry.status,
            body=self.body(entry.content_hash),
            fetched_at=entry.fetched_at,
            content_hash=entry.content_hash,
            headers=entry.headers,
            from_archive=True,
            attempts=0,
        )

    def body(self, content_hash: str) -> bytes:
        """Return a body by the name of its content.

        Raises:
            LakeError: it is missing, or its bytes are not those that its name promises.
        """
        path = self._object_path(content_hash)
        try:
            body = zstandard.decompress(path.read_bytes())
        except FileNotFoundError:
            raise LakeError(f"The archive {self.root} holds no content {content_hash}; fetch it again.") from None
        except zstandard.ZstdError:
            body = b""
        if name_of(body) != content_hash:
            if self._replayed:
                raise LakeError(f"The content {content_hash} in the archive {self.root} is damaged; fetch it again.")
            path.replace(path.with_suffix(".damaged"))  # out of the way, so that the next answer is kept
            raise LakeError(f"The archived content {content_hash} is damaged and was set aside; fetch it again.")
        return body

    def has(self, content_hash: str) -> bool:
        """Tell whether a body is here."""
        return self._object_path(content_hash).exists()

    def prune(
        self, before: dt.datetime, *, keep_newest: bool = True, unnamed_for: dt.timedelta = UNNAMED_FOR
    ) -> Pruned:
        """Forget answers that were complete before an instant, and bodies that no answer names any more.

        Args:
            before: Answers from then on stay.
            keep_newest: Whether the newest answer to each request stays however old it is: replays need it.
            unnamed_for: How long ago a body must have been kept to go; shorter only while nobody fetches.
        """
        oldest = time.time() - unnamed_for.total_seconds()
        named: set[str] = set()
        entries = bodies = size = 0
        for path in sorted(self.root.glob("index/*/*.jsonl")):
            with lines.locked(path):
                known = [(entry, line) for line in path.read_bytes().split(b"\n") if (entry := _entry(line))]
                newest = max((entry.fetched_at for entry, _ in known), default=None)
                kept = [
                    (entry, line)
                    for entry, line in known
                    if entry.fetched_at >= before or (keep_newest and entry.fetched_at == newest)
                ]
                named |= {entry.content_hash for entry, _ in kept}
                entries += len(known) - len(kept)
                lines.rewrite(path, [line for _, line in kept], changed=len(kept) != len(known))
        for path in sorted(self.root.glob("objects/*/*.zst")):
            if path.stem not in named and (about := path.stat()).st_mtime <= oldest:
                size += about.st_size
                bodies += 1
                path.unlink()
        return Pruned(entries, bodies, size)

    def _index_path(self, item: Item) -> Path:
        name = item.fingerprint
        return self.root / "index" / name[:2] / f"{name}.jsonl"

    def _object_path(self, content_hash: str) -> Path:
        return self.root / "objects" / content_hash[:2] / f"{content_hash}.zst"

    def _write_object(self, content_hash: str, body: bytes) -> None:
        path = self._object_path(content_hash)
        if path.exists():
            with contextlib.suppress(FileNotFoundError):  # pruned this moment
                os.utime(path)
                return
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}.part")
        draft.write_bytes(self._compressor().compress(body))
        draft.replace(path)

    def _compressor(self) -> zstandard.ZstdCompressor:
        compressor = getattr(self._local, "compressor", None)
        if compressor is None:  # one per thread: they are not safe to share
            compressor = self._local.compressor = zstandard.ZstdCompressor(level=_LEVEL)
        return compressor


def _entry(line: bytes) -> Entry | None:
    if not line.endswith(b"}"):  # empty, or torn by a kill
        return None
    try:
        raw: dict[str, Any] = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return Entry(
        fetched_at=dt.datetime.fromisoformat(raw["fetched_at"]),
        content_hash=raw["sha256"],
        status=raw["status"],
        headers=tuple((name, value) for name, value in raw["headers"]),
    )
