"""An upstream server as a child process of tests, benchmarks and the demo run."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from backstop.demo.app import FAULTS_PATH, STATS_PATH
from backstop.demo.serve import READY
from backstop.errors import UpstreamUnavailable, UsageError

STOP_WITHIN_S = 5.0


@dataclass
class Upstream:
    """A running server on loopback; a context manager that stops it.

    Attributes:
        base_url: Address without a slash at its end.
        pid: Process id of the server.
    """

    base_url: str
    pid: int
    _process: subprocess.Popen[str]

    @classmethod
    def start(
        cls,
        spec: str = "demo",
        *,
        faults: str | None = None,
        latency_ms: float = 0,
        seed: int | None = None,
        port: int = 0,
        detached: bool = False,
        log: Path | None = None,
        extra: Sequence[str] = (),
        program: str = "backstop.demo.serve",
    ) -> Upstream:
        """Start a server and wait until it answers.

        Args:
            spec: `demo`, or `recorded:DIR`.
            faults: A scenario (`calm`, `storm`, ...), or rules like `savant:html=0.2,statsapi:429=0.1`.
            latency_ms: Pause before every answer.
            seed: Of the simulated league and of the faults.
            port: 0 takes a free one.
            detached: Whether it outlives this process; otherwise it ends with it, also when this one is killed.
            log: File that takes what the server says besides its address; a detached one must not hold our streams.
            extra: Further options of the program.
            program: Module that serves.

        Raises:
            UpstreamUnavailable: the server ended before it answered.
        """
        options = ["--port", str(port), "--latency-ms", str(latency_ms), *extra]
        options += [] if detached else ["--with-parent"]
        options += ["--faults", faults] if faults else []
        options += ["--seed", str(seed)] if seed is not None else []
        with log.open("ab") if log else contextlib.nullcontext() as said:
            process = subprocess.Popen(
                [sys.executable, "-m", program, spec, *options],
                stdin=subprocess.DEVNULL if detached else subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
                start_new_session=detached,
            )
        line = process.stdout.readline() if process.stdout else ""
        server = cls(line.removeprefix(READY).partition(" ")[0], process.pid, process)
        if not line.startswith(READY):
            server.stop()
            raise UpstreamUnavailable(
                f"The upstream server for {spec!r} ended with code {process.returncode} before it answered; "
                "its own word stands above.",
                source=spec,
            )
        return server

    def stop(self) -> None:
        """End the server and wait for it."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()

    def stats(self) -> dict[str, Any]:
        """Return what the server counted: requests, statuses, in_flight, max_in_flight."""
        found: dict[str, Any] = httpx.get(self.base_url + STATS_PATH, timeout=10).json()
        return found

    def set_faults(self, text: str) -> None:
        """Change what goes wrong from now on: a scenario's name, or rules.

        Raises:
            UsageError: the server knows no such fault.
        """
        answer = httpx.put(self.base_url + FAULTS_PATH, content=text, timeout=10)
        if answer.is_client_error:
            raise UsageError(answer.text)
        answer.raise_for_status()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
