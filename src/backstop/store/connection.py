"""Connect to whatever the settings name: one Redis, a master behind sentinels, a cluster, or the embedded server.

redis://host:6379/0   rediss://host (TLS)   unix:///path
redis+sentinel://host:26379,host:26379/service/0
redis+cluster://host:7000,host:7001
"""

from __future__ import annotations

import contextlib
import random
import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

import redis
import redis.asyncio
from redis.asyncio.cluster import RedisCluster as AsyncRedisCluster
from redis.asyncio.retry import Retry as AsyncRetry
from redis.asyncio.sentinel import Sentinel as AsyncSentinel
from redis.backoff import ExponentialWithJitterBackoff
from redis.cluster import ClusterNode, RedisCluster
from redis.exceptions import ResponseError
from redis.retry import Retry
from redis.sentinel import Sentinel

from backstop.errors import ConfigurationError
from backstop.heeding import heeding
from backstop.store import embedded
from backstop.store.faults import explained

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backstop.settings import Settings

CONNECT_S: Final = 5.0
ANSWER_S: Final = 15.0
"""The longest script takes milliseconds; a server that is silent for this long is not coming back by itself."""

RETRIES: Final = 5
"""Tries after a lost connection: one at once, then 0.05 to 1 s apart they outlast a failover of a second or two."""

POOL: Final = 64
PORTS: Final = range(1, 65_536)
_DIGITS: Final = re.compile("[0-9]{1,5}")
SCHEMES: Final = ("redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel", "redis+cluster", "rediss+cluster")


_CHANCE: Final = random.SystemRandom()
"""Not the process's own generator: processes forked from one would wait equally long, and come back at once."""


class Pauses(ExponentialWithJitterBackoff):
    """Pauses between tries, none before the first: where only a line was cut, a listener is back within 100 ms."""

    def compute(self, failures: int) -> float:
        """Return the seconds to wait after so many failures in a row."""
        if failures <= 1:
            return 0.0
        return float(min(self._cap, _CHANCE.random() * self._base * 2 ** (failures - 1)))


def url_of(settings: Settings) -> str:
    """Return the URL of the Redis to use, starting the embedded server when the settings name none."""
    return settings.redis_url or embedded.ensure(settings.home / "redis")


def connect(settings: Settings) -> Any:
    """Return a connected client with bytes replies: `redis.Redis`, or `RedisCluster` for a cluster URL.

    Raises:
        ConfigurationError: the URL is none that is known.
        StoreUnavailable: nobody answers there.
    """
    return connect_url(url_of(settings))


def connect_url(url: str) -> Any:
    """Return a connected client for a URL.

    Raises:
        ConfigurationError: the URL is none that is known.
        StoreUnavailable: nobody answers there.
    """
    scheme = _scheme(url)
    backoff = Retry(Pauses(base=0.05, cap=1), RETRIES)
    options: dict[str, Any] = {"socket_connect_timeout": CONNECT_S, "socket_timeout": ANSWER_S, "retry": backoff}
    with _readable(url), explained(f"connecting to {_shown(url)}"):
        client: Any
        if scheme.endswith("+cluster"):
            nodes = [ClusterNode(host, port) for host, port in _hosts(url, 6379)]  # type: ignore[no-untyped-call]
            client = RedisCluster(startup_nodes=nodes, **_login(url), **options)
        elif scheme.endswith("+sentinel"):
            service, database = _service(url)
            sentinel = Sentinel(_hosts(url, 26379), socket_timeout=CONNECT_S)  # type: ignore[no-untyped-call]
            client = sentinel.master_for(  # type: ignore[no-untyped-call]
                service, db=database, **_login(url), **options
            )
        else:
            client = redis.Redis.from_url(url, **options)
        with _serving_reads():
            client.ping()
    return client


async def connect_async(settings: Settings) -> Any:
    """Return a connected asyncio client of the Redis to use, as `connect_url_async` does.

    Raises:
        ConfigurationError: the URL is none that is known.
        StoreUnavailable: nobody answers there.
    """
    return await connect_url_async(url_of(settings))


async def connect_url_async(url: str) -> Any:
    """Return a connected asyncio client with bytes replies; its pool makes callers wait instead of refusing them.

    Raises:
        ConfigurationError: the URL is none that is known.
        StoreUnavailable: nobody answers there.
    """
    scheme = _scheme(url)
    backoff = AsyncRetry(Pauses(base=0.05, cap=1), RETRIES)
    options: dict[str, Any] = {"socket_connect_timeout": CONNECT_S, "socket_timeout": ANSWER_S, "retry": backoff}
    with _readable(url), explained(f"connecting to {_shown(url)}"):
        client: Any
        if scheme.endswith("+cluster"):
            nodes = [redis.asyncio.cluster.ClusterNode(host, port) for host, port in _hosts(url, 6379)]
            client = AsyncRedisCluster(startup_nodes=nodes, **_login(url), **options)
        elif scheme.endswith("+sentinel"):
            service, database = _service(url)
            sentinel = AsyncSentinel(_hosts(url, 26379), socket_timeout=CONNECT_S)  # type: ignore[no-untyped-call]
            client = sentinel.master_for(service, db=database, **_login(url), **options)
        else:
            pool = redis.asyncio.BlockingConnectionPool.from_url(url, max_connections=POOL, timeout=ANSWER_S, **options)
            client = redis.asyncio.Redis.from_pool(pool)
        with _serving_reads():
            await heeding(client).ping()
    return client


@contextlib.contextmanager
def _serving_reads() -> Iterator[None]:
    """Take a server that cannot write to its disk for one that answers: it refuses a PING with the writes."""
    try:
        yield
    except ResponseError as error:
        if "MISCONF" not in str(error):
            raise


@contextlib.contextmanager
def _readable(url: str) -> Iterator[None]:
    """Turn what redis-py raises for an address that it cannot read: a port that is no number, an unknown option.

    Its own words are left out: they quote the address, and may quote a part of the password. An option is looked at
    no earlier than when the first connection is opened, so this spans the greeting too.
    """
    try:
        yield
    except (ValueError, TypeError, OverflowError):
        raise ConfigurationError(
            f"{_shown(url)!r} cannot be read as the address of a Redis; expected one like redis://127.0.0.1:6379/0 "
            "with a port from 1 to 65535. Check BACKSTOP_REDIS_URL."
        ) from None


def _scheme(url: str) -> str:
    # what is in no environment comes as None
    scheme = url.partition("://")[0] if isinstance(url, str) else ""
    if scheme not in SCHEMES:
        raise ConfigurationError(
            f"{_shown(str(url))!r} is not the address of a Redis; expected one that starts with {', '.join(SCHEMES)}."
        )
    return scheme


def _hosts(url: str, port: int) -> list[tuple[str, int]]:
    """Return the hosts of a URL that names several."""
    places = urlsplit(url).netloc.rpartition("@")[2]
    found = []
    for place in places.split(","):
        if place.startswith("["):
            # an IPv6 address has colons of its own
            host, _, rest = place[1:].partition("]")
            number = rest.removeprefix(":") if rest else str(port)
        else:
            host, _, number = place.rpartition(":") if ":" in place else (place, "", str(port))
        if not host or not _DIGITS.fullmatch(number) or int(number) not in PORTS:
            # the place itself may be a part of a password that holds a slash
            raise ConfigurationError(
                f"{_shown(url)!r} names a host that cannot be read; expected host:port,host:port with ports from 1 to "
                "65535. Check BACKSTOP_REDIS_URL."
            )
        found.append((host, int(number)))
    return found


def _service(url: str) -> tuple[str, int]:
    """Return the service and database that a sentinel URL names."""
    service, _, database = urlsplit(url).path.strip("/").partition("/")
    if not service or not _DIGITS.fullmatch(database or "0"):
        raise ConfigurationError(
            f"{_shown(url)!r} names no service; expected redis+sentinel://host:26379,host:26379/service/0."
        )
    return service, int(database or 0)


def _login(url: str) -> dict[str, Any]:
    """Return user, password and TLS of a URL."""
    login = urlsplit(url).netloc.rpartition("@")[0]
    user, _, password = login.partition(":")
    options: dict[str, Any] = dict(parse_qsl(urlsplit(url).query))
    if user:
        options["username"] = unquote(user)
    if password:
        options["password"] = unquote(password)
    if url.startswith("rediss"):
        options["ssl"] = True
    return options


def _shown(url: str) -> str:
    """Return a URL without its password."""
    head, at, tail = url.rpartition("@")
    return f"{head.partition('://')[0]}://...@{tail}" if at else url
