"""Artifacts, sent in the background: a thread of their own talks to the server while the run goes on.

An artifact is a write to the server's database. SQLite refuses one now and then while task runs are recorded, and
Prefect's client then sleeps two seconds and more: measured, half of a small slate's time. Whoever ends a process that
ran flows calls `flush`; an interpreter that ends by itself waits for the thread.
"""

from __future__ import annotations

import atexit
import contextlib
import contextvars
import logging
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import orjson
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import ArtifactCreate, ArtifactUpdate
from prefect.runtime import flow_run, task_run
from prefect.settings import get_current_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

_logger: Final = logging.getLogger(__name__)
_thread: Final = ThreadPoolExecutor(1, thread_name_prefix="artifacts")
_pending: Final[set[Future[None]]] = set()
_clients: Final[dict[str, SyncPrefectClient]] = {}
_open: Final = contextlib.ExitStack()
atexit.register(_open.close)  # the thread has ended by then
_meters: Final[dict[tuple[str, str], UUID]] = {}
"""Progress artifacts by run and key: they are brought up, not made again."""

FLUSH_LIMIT_S: Final = 30.0
DONE: Final = 100.0
"""Percent: nothing comes after it."""


def markdown(key: str, text: str, description: str) -> None:
    """Put a text beside the run."""
    _put("markdown", key, text, description)


def table(key: str, rows: Sequence[dict[str, Any]], description: str) -> None:
    """Put rows beside the run; numbers that are none become null."""
    _put("table", key, orjson.dumps(list(rows), default=str).decode(), description)


def image(key: str, url: str, description: str) -> None:
    """Put a picture beside the run, by its address or as a data URL."""
    _put("image", key, url, description)


def link(key: str, address: str, text: str, description: str) -> None:
    """Put an address beside the run."""
    _put("markdown", key, f"[{text}]({address})", description)


def progress(key: str, percent: float, description: str) -> None:
    """Bring up the run's progress under a key."""
    _put("progress", key, percent, description)


def cell(text: str) -> str:
    """Return a text as the cell of a markdown table: on one line, its bars no borders."""
    return " ".join(text.split()).replace("|", "\\|")


def flush() -> None:
    """Wait until everything that was put is on the server."""
    wait(list(_pending), FLUSH_LIMIT_S)


def _put(kind: str, key: str, data: Any, description: str) -> None:
    run = flow_run.id
    if not run:
        return  # outside of a run there is no page
    artifact = ArtifactCreate(
        type=kind, key=key, data=data, description=description, flow_run_id=UUID(run),
        task_run_id=UUID(task_run.id) if task_run.id else None,
    )  # fmt: skip
    # the copy carries the settings; the run's own client is closed when the run ends
    sent = _thread.submit(contextvars.copy_context().run, _send, artifact)
    _pending.add(sent)
    sent.add_done_callback(_sent)


def _send(artifact: ArtifactCreate) -> None:
    api = get_current_settings().api
    client = _clients.get(str(api.url))
    if client is None:
        key = api.key.get_secret_value() if api.key else None
        client = _clients[str(api.url)] = _open.enter_context(SyncPrefectClient(str(api.url), api_key=key))
    meter = (str(artifact.flow_run_id), str(artifact.key))
    if artifact.type != "progress":
        client.create_artifact(artifact)
        return
    if meter in _meters:
        client.update_artifact(_meters[meter], ArtifactUpdate(data=artifact.data, description=artifact.description))
    else:
        _meters[meter] = client.create_artifact(artifact).id
    if artifact.data == DONE:
        del _meters[meter]  # a backfill's process sees a day's meter for each of its days


def _sent(done: Future[None]) -> None:
    _pending.discard(done)
    if error := done.exception():
        _logger.warning("An artifact could not be sent: %s", error)
