"""Pin the registered deployments to a release: each names the folder and the interpreter that its runs use.

A run that is under way keeps the release that it began with; the next one takes the release that is pinned then,
whatever release the worker itself was started from. Pools whose runs bring their own image have nothing to pin.

Prefect is asked by its REST API: its client takes seconds to import, and belongs to the release, not to who deploys it.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any, Final, Self

import httpx
import stamina

from backstop.errors import BackstopError
from deployments.busy import TRIES, is_busy
from deployments.catalog import POOL

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType

PAGE: Final = 200
"""The most that the server gives at once."""

ANSWER_S: Final = 30.0


class Pins:
    """The deployments of our work pool; a context manager.

    Args:
        api_url: Address that `PREFECT_API_URL` takes.
    """

    def __init__(self, api_url: str) -> None:
        self._client = httpx.Client(base_url=api_url.rstrip("/"), timeout=ANSWER_S)

    def registered(self) -> list[dict[str, Any]]:
        """Return every deployment of the pool as the server tells it.

        Raises:
            BackstopError: the server refuses.
        """
        found: list[dict[str, Any]] = []
        ours = {"work_pools": {"name": {"any_": [POOL]}}}
        while page := self._ask("POST", "/deployments/filter", {**ours, "limit": PAGE, "offset": len(found)}):
            found += page
        return found

    def pin(self, root: Path, environment: Mapping[str, str]) -> int:
        """Pin every deployment of the pool to the release in a folder; return how many there are.

        Args:
            root: The release.
            environment: What its runs need to know beside the worker's own environment; no secrets.

        Raises:
            BackstopError: the server refuses.
        """
        if self._ask("GET", f"/work_pools/{POOL}")["type"] != "process":
            return 0
        command = shlex.join([str(root / ".venv" / "bin" / "python"), "-m", "prefect.engine"])
        wanted = {"working_dir": str(root), "command": command, "env": dict(environment)}
        found = self.registered()
        for each in found:
            known = each["job_variables"] or {}
            self._ask("PATCH", f"/deployments/{each['id']}", {"job_variables": {**known, **wanted}})
        return len(found)

    def name_of(self, deployment: Mapping[str, Any]) -> str:
        """Return what stays the same when a deployment is removed and registered again; its id does not."""
        return f"{deployment.get('entrypoint')} ({deployment['name']})"

    def remove_all_but(self, kept: set[str]) -> list[str]:
        """Remove deployments whose name (`name_of`) is not among those to keep; return the names of those removed.

        Raises:
            BackstopError: the server refuses.
        """
        strangers = {self.name_of(each): each["id"] for each in self.registered()}
        for name in kept:
            strangers.pop(name, None)
        for identifier in strangers.values():
            self._ask("DELETE", f"/deployments/{identifier}")
        return list(strangers)

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        try:
            answer = self._answer(method, path, body)
        except httpx.HTTPError as error:
            why = str(error).partition("\n")[0]  # httpx goes on with a link to a dictionary of codes
            raise BackstopError(
                f"The Prefect server refused {method} {path} ({why}); look at its log, then deploy again.",
                source="prefect",
            ) from error
        return answer.json() if answer.content else None

    @stamina.retry(on=is_busy, attempts=TRIES)
    def _answer(self, method: str, path: str, body: Mapping[str, Any] | None) -> httpx.Response:
        return self._client.request(method, path, json=body).raise_for_status()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()
