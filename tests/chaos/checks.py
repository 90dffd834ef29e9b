"""What must hold after a seed: every row accounted for, every slate as on calm days, nothing left behind.

What may differ from the calm season: rows of pitches that the feed itself sent twice or damaged (`repeats`) stand in
quarantine besides those of the calm season, and count as rows that came in. Every value of every row that was loaded is
the same; when and by whom it was fetched is not compared.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import polars as pl

from backstop import tables
from backstop.errors import IncompleteVersion
from backstop.lake.states import State as Stage
from backstop.settings import Settings
from backstop.stages import rebuild
from backstop.stages.house import House
from backstop.store.keys import KEYS
from backstop.store.kinds import kind_of
from tests.chaos.site import Site
from tests.operations.books import Books
from tests.operations.pools import answered

FOR_EVER = [
    re.compile(re.escape(kind.pattern).replace(r"\{\{\{day\}\}\}", r"\{[0-9-]+\}").replace(r"\{sport\}", r"[a-z]+"))
    for kind in KEYS
    if kind.lifetime == "for ever"
]
"""Keys that may lack a lifetime."""

GATE_LEASE_S = 15.0
"""A slot of a worker that was killed is free after this long: its lease was three beats of five seconds."""

OF_THE_FEED = {"repeats": {tables.PITCHES.name}}
"""Faults by which a feed sends more rows, with the tables of which more may stand in quarantine."""


@dataclass
class State:
    """What a home holds: its books, its slates as a reader gets them, the ledger's states."""

    books: Books
    slates: dict[tuple[dt.date, str], pl.DataFrame]
    ledger: dict[tuple[str, str], str]


def state_of(settings: Settings, days: Sequence[dt.date]) -> State:
    """Read it."""
    house = House(settings)
    try:
        books = Books.of(house, days[-1])
        for each in rebuild.verify(house, days[:-1]):
            if not each.equal or not each.rows:
                books.wrong.append(f"{each.kind} of {each.day}: Redis and the lake differ ({each})")
        slates = {}
        for day, kind in itertools.product(days, ("props", "features")):
            try:
                slates[day, kind] = getattr(house.reader, kind)(day).sort(kind_of(kind).key)
            except IncompleteVersion as error:
                books.wrong.append(str(error))
                slates[day, kind] = pl.DataFrame()
        ledger = {(entry.table, entry.key): str(entry.state) for entry in house.ledger.entries()}
        for entry in house.ledger.entries():
            if entry.state is Stage.RUNNING or entry.lease_owner or entry.lease_until:
                books.wrong.append(f"{entry.table} {entry.key} is still held by {entry.run_id}")
        return State(books, slates, ledger)
    finally:
        house.close()


def differences(found: State, calm: State, kinds: set[str]) -> list[str]:
    """Return what is not as after the calm season, in words."""
    wrong = [*found.books.wrong]
    if lost := found.books.lost(calm.books):
        wrong.append(f"{lost} rows are lost")
    if doubled := _doubled(found.books, calm.books):
        wrong.append(f"{doubled} rows are there twice, or were never there on calm days")
    if not wrong:
        wrong += [f"{place} has other values" for place in found.books.values_that_differ(calm.books)]
    for (day, kind), rows in calm.slates.items():
        wrong += _compared(f"{kind} of {day} as read", found.slates[day, kind], rows)
    wrong += _refused(found.books.refused, calm.books.refused, kinds)
    for place in sorted(calm.ledger.keys() | found.ledger.keys()):
        if calm.ledger.get(place) != found.ledger.get(place):
            wrong.append(f"{' '.join(place)} is {found.ledger.get(place)}, {calm.ledger.get(place)} on calm days")
    return wrong


def _doubled(found: Books, calm: Books) -> int:
    """Return rows that are twice in a table, or in none of the calm season's."""
    return found.doubled(Books(calm.rows, calm.whole, found.refused))


def _compared(name: str, found: pl.DataFrame, calm: pl.DataFrame) -> list[str]:
    if found.columns != calm.columns or found.height != calm.height:
        return [f"{name}: {found.height} rows of {found.width} columns, {calm.height} of {calm.width} on calm days"]
    columns = [column for column in calm.columns if not found[column].equals(calm[column], null_equal=True)]
    return [f"{name}: {', '.join(columns)} have other values"] if columns else []


def _refused(found: dict[Any, int], calm: dict[Any, int], kinds: set[str]) -> list[str]:
    """Return what stands in quarantine, or does not, against the rule."""
    more = set().union(*(OF_THE_FEED.get(kind, set()) for kind in kinds))
    wrong = []
    for place in sorted(found.keys() | calm.keys()):
        here, there = found.get(place, 0), calm.get(place, 0)
        if here < there or (here > there and place[0] not in more):
            wrong.append(f"quarantine has {here} rows of {' '.join(place)}, {there} on calm days")
    return wrong


def left_behind(site: Site, settings: Settings) -> list[str]:
    """Return what should be gone after the last run: keys without a lifetime, leases, slots."""
    return [*lasting_keys(site.client), *leases(site.client), *slots(site.prefect.api_url)]


def lasting_keys(client: Any) -> list[str]:
    """Return keys without a lifetime that `keys.KEYS` does not know as such."""
    lasting = [key.decode() for key in client.scan_iter(count=1000) if client.ttl(key) == -1]
    return [f"{key} lasts for ever" for key in lasting if not any(one.fullmatch(key) for one in FOR_EVER)]


def leases(client: Any) -> list[str]:
    """Return slots of the net's gates that nobody frees.

    Whoever ended by itself gave his slots back; those of a process that was killed run out by themselves, soon.
    """
    wrong = []
    now_ms = time.time() * 1000
    for key in client.scan_iter("bs:net:*:gate:alive"):
        for worker, until_ms in client.zrange(key, 0, -1, withscores=True):
            pid = int(worker.decode().split("-")[0])
            left_s = (until_ms - now_ms) / 1000
            if left_s > GATE_LEASE_S:
                wrong.append(f"process {pid} holds slots of {key.decode()} for another {left_s:.0f} s")
    return wrong


def slots(api_url: str) -> list[str]:
    """Return concurrency limits of the Prefect server that say somebody holds a slot."""
    with httpx.Client(base_url=api_url, timeout=60) as client:
        named = answered(lambda: client.post("/v2/concurrency_limits/filter", json={}))
        tagged = answered(lambda: client.post("/concurrency_limits/filter", json={}))
        at_work = {"flow_runs": {"state": {"type": {"any_": ["RUNNING", "PENDING", "CANCELLING"]}}}}
        open_runs = answered(lambda: client.post("/flow_runs/filter", json=at_work))
    held = [f"{each['name']}: {each['active_slots']} slots" for each in named if each["active_slots"]]
    held += [f"{each['tag']}: {len(each['active_slots'])} slots" for each in tagged if each["active_slots"]]
    runs = [f"{run['name']} is {run['state_name']}" for run in open_runs]
    return [f"Prefect: {each}" for each in [*held, *runs]]


__all__ = ["State", "differences", "lasting_keys", "leases", "left_behind", "slots", "state_of"]
