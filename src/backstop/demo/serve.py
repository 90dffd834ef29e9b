"""The upstream server as a program: `python -m backstop.demo.serve demo` or `... recorded:DIR`."""

from __future__ import annotations

import argparse
import dataclasses
import datetime as dt
import os
import select
import signal
import socket
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import uvicorn

from backstop.demo.app import Front
from backstop.demo.faults import SCENARIOS, Plan, scenario
from backstop.demo.league.world import NOON, SEED, LeagueWorld
from backstop.demo.recorded.world import RecordedWorld
from backstop.demo.wire import Protocol
from backstop.demo.world import World
from backstop.errors import BackstopError, UsageError

READY = "upstream ready at "
"""Begins the one line that the server prints when it answers."""

WATCH_EVERY_S = 0.5
BACKLOG = 512


def open_world(spec: str, seed: int, now: dt.datetime = NOON) -> World:
    """Return the world that a spec names.

    Args:
        spec: `demo`, or `recorded:DIR`.
        seed: Of the simulated season.
        now: Where the clock of the simulated season stands.

    Raises:
        UsageError: the spec is neither `demo` nor `recorded:DIR`, or the folder holds nothing.
    """
    kind, _, folder = spec.partition(":")
    if kind == "recorded" and folder:
        return RecordedWorld(Path(folder).expanduser())
    if spec == "demo":
        return LeagueWorld(seed, now)
    raise UsageError(f"{spec!r} is no upstream that can be served; expected demo or recorded:DIR.")


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until told to stop; return the exit code."""
    options = _options(argv)
    if options.with_parent:
        threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    try:
        chosen = scenario(options.faults)
        if options.credits is not None:
            chosen = dataclasses.replace(chosen, credits=options.credits)
        world = open_world(options.spec, options.seed, options.now)
        listener = _listen(options.port)
    except BackstopError as error:
        sys.stderr.write(f"{error.message}\n")
        return error.exit_code
    plan = Plan(chosen, options.seed)
    app = Front(world, plan, latency_s=options.latency_ms / 1000, key_required=options.require_key)
    config = uvicorn.Config(
        app,
        http=Protocol,
        log_level="warning",
        access_log=False,
        lifespan="off",
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_keep_alive=30,
    )
    threading.Thread(target=world.warm, daemon=True).start()
    _Server(config, listener.getsockname()[1], options.spec).run(sockets=[listener])
    return 0


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, port: int, spec: str) -> None:
        super().__init__(config)
        self._line = f"{READY}http://127.0.0.1:{port} ({spec}, pid {os.getpid()})\n"

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        sys.stdout.write(self._line)
        sys.stdout.flush()
        # nobody need read on, and whoever started this may be gone before it
        sys.stdout = sys.stderr


def _listen(port: int) -> socket.socket:
    # the protocol is named so that asyncio switches Nagle off: 40 ms per answer otherwise
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        raise UsageError(f"Port {port} of 127.0.0.1 cannot be had ({error.strerror}); choose another, or 0.") from error
    return listener


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="backstop upstream", description="Serve the upstreams' dialects on loopback.")
    parser.add_argument("spec", nargs="?", default="demo", help="demo, or recorded:DIR")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--seed", type=int, default=SEED, help="of the simulated season and of the faults")
    parser.add_argument("--now", type=_instant, default=NOON, help="where the simulated clock stands, ISO 8601 in UTC")
    parser.add_argument("--latency-ms", type=float, default=0, help="pause before every answer")
    parser.add_argument("--faults", default="calm", help=f"{', '.join(SCENARIOS)}, or rules like savant:html=0.2")
    parser.add_argument("--credits", type=int, help="of The Odds API")
    parser.add_argument("--require-key", action="store_true", help="refuse paid feeds without a key")
    parser.add_argument("--with-parent", action="store_true", help="end when the process that started this one ends")
    return parser.parse_args(argv)


def _instant(text: str) -> dt.datetime:
    at = dt.datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=dt.UTC)


def _end_with_parent(parent: int) -> None:
    """Leave when standard input closes or the parent is gone, also after it was killed."""
    while os.getppid() == parent:
        readable, _, _ = select.select([sys.stdin], [], [], WATCH_EVERY_S)
        if readable and not os.read(sys.stdin.fileno(), 1024):
            break
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
