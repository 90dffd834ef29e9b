"""Redis's errors in Backstop's words: whose fault, and is another try worth it?"""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Final

from redis import exceptions

from backstop.errors import BackstopError, IncompleteVersion, StaleVersion, StoreError, StoreUnavailable, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

OF_PIPELINE: Final = re.compile(
    r"Command # \d+ \((?P<name>\S+)(?: (?P<key>\S*))?.*?\) of pipeline caused error: "
    r"(?:\('(?P<quoted>.*)',\)|(?P<answer>.*))",
    re.DOTALL,
)

MOVING: Final = re.compile(r"TRYAGAIN|[Aa]ttempted to access a non local key")
"""What a node says of commands, and of scripts, whose keys are in part on another one."""

NO_MEMORY: Final = ("is at its maxmemory", "Raise maxmemory or keep fewer versions.")
NO_DISK: Final = ("cannot write its data to disk", "Free some space where it keeps them; Redis goes on by itself then.")
"""What is the matter with a server that takes no writes, and what mends it."""


@contextlib.contextmanager
def explained(doing: str) -> Iterator[None]:
    """Turn what redis-py raises while `doing` something into an error of our tree.

    Raises:
        StoreUnavailable: no connection, a timeout, LOADING, a cluster that is down or moves the keys.
        StaleVersion: a newer version is published already.
        IncompleteVersion: a version does not hold every row.
        UsageError: there is no such version.
        StoreError: Redis refused for a reason that a retry does not remove.
    """
    try:
        yield
    except (exceptions.RedisError, exceptions.RedisClusterException) as error:
        raise explain(error, doing) from error


def explain(error: Exception, doing: str) -> BackstopError:
    """Return the error of our tree that stands for one of redis-py's, or for one that came as an answer."""
    text = answer_in(str(error))
    if isinstance(error, exceptions.ReadOnlyError) or "READONLY" in text:
        return StoreError(
            f"Redis is a read-only replica, so {doing} failed. Point BACKSTOP_REDIS_URL at the master, or at the "
            "sentinels so that the master is found.",
            source="redis",
        )
    no_memory = isinstance(error, exceptions.OutOfMemoryError) or "OOM " in text
    if no_memory or "MISCONF" in text:
        state, step = NO_MEMORY if no_memory else NO_DISK
        return StoreError(
            f"Redis {state}, so {doing} failed; what was published before still stands. {step}", source="redis"
        )
    if isinstance(error, exceptions.AuthenticationError | exceptions.NoPermissionError):
        return StoreError(
            f"Redis refused the login or the right for {doing} ({text}). Check BACKSTOP_REDIS_URL.", source="redis"
        )
    return _unavailable(error, text, doing) or _ours(text, doing)


def _unavailable(error: Exception, text: str, doing: str) -> StoreUnavailable | None:
    """Return what another try may mend."""
    if isinstance(error, exceptions.BusyLoadingError) or "LOADING" in text:
        return StoreUnavailable(
            f"Redis is still loading its data, so {doing} failed. Try again in a moment.", source="redis"
        )
    lost = (exceptions.ConnectionError, exceptions.TimeoutError, exceptions.ClusterDownError)
    if isinstance(error, (*lost, exceptions.RedisClusterException)):
        return StoreUnavailable(
            f"Redis does not answer, so {doing} failed ({text}). Check that it runs and BACKSTOP_REDIS_URL, "
            "then run again.",
            source="redis",
        )
    # after those that are down, which are of one class with it
    if isinstance(error, exceptions.ClusterError | exceptions.TryAgainError) or MOVING.search(text):
        return StoreUnavailable(
            f"The cluster is moving the keys to another node, so {doing} failed; what was published before still "
            f"stands ({text}). Run again when they are there.",
            source="redis",
        )
    return None


def answer_in(text: str) -> str:
    """Return an error of a pipeline in the words of one that was sent by itself: its command, key and answer alone.

    >>> answer_in("Command # 1 (HMGET k version) of pipeline caused error: ('WRONGTYPE Operation',)")
    'HMGET k caused error: WRONGTYPE Operation'
    """
    found = OF_PIPELINE.fullmatch(text)
    if found is None:
        return text
    # redis-py quotes the answer as a tuple on an event loop, and puts a script where the key would be
    command = found["name"] if found["name"] == "EVAL" else f"{found['name']} {found['key']}"
    return f"{command} caused error: {found['quoted'] or found['answer']}"


def _ours(text: str, doing: str) -> BackstopError:
    """Read the errors that our own scripts return."""
    # redis-py and ours put the command before the answer
    word, *rest = text.rpartition("caused error: ")[2].split(" ")
    if word == "STALE":
        return StaleVersion(
            f"Version {rest[0]} is published and newer, so {doing} was refused. Newer wins; nothing needs to be done.",
            source="redis",
        )
    if word == "INCOMPLETE":
        return IncompleteVersion(
            # a run's name is in the key, and may hold spaces
            f"{' '.join(rest[:-2])} holds {rest[-2]} entries, expected {rest[-1]}, so {doing} was refused. "
            "Load the slate again.",
            source="redis",
        )
    if word == "GONE":
        return IncompleteVersion(
            f"The version that was being written is gone (its time ran out, it was abandoned, or Redis lost its data), "
            f"so {doing} was refused. Open a new one and load the slate again.",
            source="redis",
        )
    if word == "CLOSED":
        return StoreError(
            f"The version is {rest[0] if rest else 'not open'} and takes no more rows, so {doing} was refused. "
            "Open a new one.",
            source="redis",
        )
    if word == "UNKNOWN":
        return UsageError(
            f"Version {rest[0]} is not among the published ones that are kept, so {doing} was refused. "
            "List the versions to see which are.",
            source="redis",
        )
    return StoreError(f"Redis refused: {text} ({doing}).", source="redis")
