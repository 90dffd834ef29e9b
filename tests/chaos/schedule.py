"""What a seed brings: the days of a short season, where its ledger is, and what goes wrong on which day."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass

from tests.operations import moments

FIRST = dt.date(2025, 4, 4)
"""The first day of the demo league with two days of history: the smallest slate."""

LONGEST = 3

WITHIN = {
    "flow": "kill -9 of the flow's process",
    "disk-full": "no space left for the lake",
    "file-limit": "a disk that fills up in the middle of a write",
    "read-only": "the lake is read-only",
    "clock": "the clock jumps",
}
"""Strikes in the run's own process."""

WITHOUT = {
    "server": "kill -9 of the Prefect server",
    "worker": "kill -9 of the Prefect worker that started the run",
    "upstream": "kill -9 of the feeds' server",
    "redis": "kill -9 of Redis, which keeps nothing",
    "memory": "Redis is out of memory",
    "postgres": "kill -9 of PostgreSQL",
}
"""Strikes at a server while the run is under way."""

REFUSING = frozenset({"disk-full", "file-limit", "read-only", "memory"})
"""Strikes after which writes are refused: one after the last write of a run changes nothing and does not count."""

CONTENT = {
    "storm": "feeds fail, cut off, answer with web pages",
    "schema": "columns come and go in mid-season",
    "repeats": "rows twice and rows that cannot be",
    "order": "rows and answers in another order",
    "revised": "first answers lack a game and walks",
}
"""What feeds do for a whole day's run."""

KINDS = {**WITHIN, **WITHOUT, **CONTENT}

WEIGHTS = {**dict.fromkeys(KINDS, 3.0), "flow": 8.0, "upstream": 1.5}
"""The flow's process, which dies most, is killed more often."""

LEDGER_ON_POSTGRES = 0.2
A_BACKFILL = 0.2
TWO_ON_A_DAY = 0.25


@dataclass(frozen=True)
class Blow:
    """One fault.

    Attributes:
        kind: One of `KINDS`.
        stage: At the worst moment of which stage; empty for a crossing.
        share: Or after which share of the crossings that a calm run makes.
        amount: Bytes of a file limit, hours of a jump, bytes of memory left, strength of a storm (2 opens breakers).
        late: Whether the server that was killed is started only after the run went on.
    """

    kind: str
    stage: str = ""
    share: float = 0.0
    amount: float = 0.0
    late: bool = False

    def __str__(self) -> str:
        if self.kind in CONTENT:
            return self.kind if self.amount < 2 else f"heavy {self.kind}"
        more = {"clock": f" {self.amount:+.0f} h", "file-limit": f" {self.amount:.0f} B"}.get(self.kind, "")
        return f"{self.kind}{more} at {self.stage or f'{self.share:.0%}'}{', back late' if self.late else ''}"


@dataclass(frozen=True)
class Schedule:
    """A seed's season.

    Attributes:
        seed: What everything here was drawn from.
        days: Slate after slate.
        postgres: Whether the ledger is on PostgreSQL, otherwise SQLite.
        backfill: Whether one backfill makes all days, otherwise a refresh each.
        blows: What goes wrong on which day; all of it on the first for a backfill.
    """

    seed: int
    days: tuple[dt.date, ...]
    postgres: bool
    backfill: bool
    blows: dict[dt.date, tuple[Blow, ...]]

    def __str__(self) -> str:
        form = "backfill" if self.backfill else "refreshes"
        told = "; ".join(f"{day:%m-%d} {', '.join(map(str, blows))}" for day, blows in self.blows.items())
        return f"{len(self.days)} days by {form}, {'PostgreSQL' if self.postgres else 'SQLite'}: {told or 'calm'}"

    @property
    def kinds(self) -> list[str]:
        return [blow.kind for blows in self.blows.values() for blow in blows]


def of(seed: int) -> Schedule:
    """Draw a seed's schedule.

    >>> of(7) == of(7)
    True
    """
    draw = random.Random(f"chaos {seed}")
    days = tuple(FIRST + dt.timedelta(days=n) for n in range(draw.choices((1, 2, LONGEST), (2, 3, 1))[0]))
    postgres, backfill = draw.random() < LEDGER_ON_POSTGRES, draw.random() < A_BACKFILL
    struck = days[:1] if backfill else [day for day in days if draw.random() < 0.8] or days[:1]
    blows = {day: _blows(draw, postgres=postgres) for day in struck}
    return Schedule(seed, days, postgres, backfill, blows)


def of_kinds(seed: int, *kinds: str) -> Schedule:
    """Return one slate with these faults: what a test that wants just these plays."""
    blows = tuple(_blow(random.Random(f"chaos {seed} {kind}"), kind) for kind in kinds)
    return Schedule(seed, (FIRST,), postgres="postgres" in kinds, backfill=False, blows={FIRST: blows})


def _blows(draw: random.Random, *, postgres: bool) -> tuple[Blow, ...]:
    known = [kind for kind in KINDS if kind != "postgres" or postgres]
    weights = [WEIGHTS[kind] * (4 if kind == "postgres" else 1) for kind in known]
    first = _blow(draw, draw.choices(known, weights)[0])
    if draw.random() >= TWO_ON_A_DAY:
        return (first,)
    # beside a strike what feeds do, and beside that a strike: two strikes would wait for each other
    others = [kind for kind in known if (kind in CONTENT) != (first.kind in CONTENT)]
    return tuple(sorted((first, _blow(draw, draw.choice(others))), key=lambda blow: blow.kind not in CONTENT))


def _blow(draw: random.Random, kind: str) -> Blow:
    if kind in CONTENT:
        return Blow(kind, amount=draw.choice((1, 1, 1, 2)) if kind == "storm" else 0.0)
    in_stage = kind in {"flow", *WITHOUT} and draw.random() < 0.4
    stage = draw.choice(moments.STAGES) if in_stage else ""
    amount = {
        "clock": draw.choice((-1, 1)) * draw.choice((1, 26, 24 * 40, 24 * 400)),
        "file-limit": draw.choice((0, 2_000, 20_000, 60_000, 120_000)),
        "memory": draw.choice((0, 20_000, 200_000)),
    }.get(kind, 0.0)
    share = 0.0 if stage else round(draw.uniform(0.02, 1.0), 3)
    late = kind in WITHOUT and kind != "worker" and draw.random() < 0.5
    return Blow(kind, stage, share, amount, late)
