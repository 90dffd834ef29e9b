"""What is cached: four namespaces with a lifetime each, and the collections that live in them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from backstop.limits import SLATE_FRESH_S

if TYPE_CHECKING:
    from backstop.cache.pointer import Pointer


class Namespace(Enum):
    """Name and lifetime in seconds of what is cached.

    Entries belong to one published version and never change, so a lifetime does not guard against old values: the
    pointer does. It bounds how long an entry that nobody reads any more takes room.
    """

    PROPS = ("props", SLATE_FRESH_S)
    FEATURES = ("features", 6 * 3600)
    ODDS = ("odds", 60)
    METADATA = ("metadata", 24 * 3600)

    def __init__(self, label: str, lifetime_s: float) -> None:
        self.label = label
        self.lifetime_s = lifetime_s


Load = Callable[["Pointer", Sequence[str]], Awaitable[Sequence[Any]]]
"""Gives the values of ids in one version, in their order; `None` for an id that the version has not."""


@dataclass(frozen=True, slots=True)
class Collection:
    """Values of one sort, found by id within a version.

    Attributes:
        name: Part of every key.
        namespace: Says how long values live.
        load: Reads or makes values that are in neither cache.
        shared: Whether values, which must be bytes then, are also kept compressed in Redis for other processes: right
            for what is expensive to make, useless for what is read from Redis as it is.
        carried: Whether what was hot is read again at a flip.
    """

    name: str
    namespace: Namespace
    load: Load
    shared: bool = False
    carried: bool = True
