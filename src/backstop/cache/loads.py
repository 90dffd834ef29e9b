"""Loads: what no level holds is read or computed once for all who wait for it, and kept for later readers."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable
from typing import TYPE_CHECKING, Any

from backstop.cache import keys
from backstop.cache.memory import Key, Memory
from backstop.cache.shared import Shared
from backstop.errors import StoreError

if TYPE_CHECKING:
    from backstop.cache.line import Line
    from backstop.cache.namespaces import Collection
    from backstop.cache.pointer import Pointer


class Loads:
    """Fills the first level from the second, or from a collection's own load.

    Args:
        line: To Redis.
        memory: The first level.
        spawn: Runs a load beside whoever asked for it first.
    """

    def __init__(self, line: Line, memory: Memory, spawn: Callable[[Coroutine[Any, Any, None]], object]) -> None:
        self.line = line
        self.memory = memory
        self.shared = Shared()
        self.made: Counter[str] = Counter()
        self.joined = 0
        self._spawn = spawn
        self._flights: dict[Key, asyncio.Future[Any]] = {}

    def board(self, collection: Collection, pointer: Pointer, names: Iterable[str]) -> dict[str, asyncio.Future[Any]]:
        """Return a future per id: that of a load under way where there is one, of a new one for the rest."""
        loop = asyncio.get_running_loop()
        flights: dict[str, asyncio.Future[Any]] = {}
        new: list[str] = []
        for name in names:
            flight = self._flights.get((collection.name, pointer.edition, name))
            if flight is None:
                flight = self._flights[(collection.name, pointer.edition, name)] = loop.create_future()
                # a load that fails when nobody waits any more is not worth a warning
                flight.add_done_callback(_retrieved)
                new.append(name)
            else:
                self.joined += 1
            flights[name] = flight
        if new:
            self._spawn(self._load(collection, pointer, new))
        return flights

    async def _load(self, collection: Collection, pointer: Pointer, names: list[str]) -> None:
        try:
            values = await self._from_below(collection, pointer, names)
        except BaseException as error:
            failure = error if isinstance(error, Exception) else self.line.unavailable()
            for name in names:
                self._flights.pop((collection.name, pointer.edition, name)).set_exception(failure)
            if not isinstance(error, Exception):
                raise
            return
        for name in names:
            key, value = (collection.name, pointer.edition, name), values[name]
            if value is not None:
                self.memory.put(key, value, collection.namespace.lifetime_s)
            self._flights.pop(key).set_result(value)

    async def _from_below(self, collection: Collection, pointer: Pointer, names: list[str]) -> dict[str, Any]:
        """Return values from the second level, and those that it has not from the collection's own load."""
        found: dict[str, Any] = {}
        if collection.shared:
            spelled = [keys.entry(pointer, collection.name, name) for name in names]
            with contextlib.suppress(StoreError):  # it may be possible to make it without Redis
                async with self.line.using(f"reading {collection.name}") as redis:
                    found = dict(zip(names, await self.shared.get(redis, spelled), strict=True))
        missing = [name for name in names if found.get(name) is None]
        if not missing:
            return found
        self.made[collection.name] += len(missing)
        made = dict(zip(missing, await collection.load(pointer, missing), strict=True))
        if collection.shared:
            await self._share(collection, pointer, [(name, made[name]) for name in missing if made[name] is not None])
        return {**found, **made}

    async def _share(self, collection: Collection, pointer: Pointer, values: list[tuple[str, bytes]]) -> None:
        if not values:
            return
        spelled = [(keys.entry(pointer, collection.name, name), value) for name, value in values]
        with contextlib.suppress(StoreError):  # counted by the line; the value itself is there
            async with self.line.using(f"keeping {collection.name}") as redis:
                await self.shared.put(redis, spelled, collection.namespace.lifetime_s)


def _retrieved(flight: asyncio.Future[Any]) -> None:
    if not flight.cancelled():
        flight.exception()
