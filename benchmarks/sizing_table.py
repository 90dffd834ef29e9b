"""A league day multiplied to seasons and sports, and the two tables in docs/operations.md, from what was recorded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from backstop.limits import MAX_IN_FLIGHT_PER_HOST
from backstop.store.keys import SLATE_TTL_S
from benchmarks import kill_table
from benchmarks.report import figure, marked, read

BENCH = "sizing"
PAGE = Path(__file__).resolve().parents[1] / "docs" / "operations.md"

LATENCY_S = 0.3
"""Of a feed on the internet; a page of Savant takes longer, a box score less."""

SEASON_DAYS = 185


@dataclass(frozen=True)
class Scale:
    """So many seasons of so many sports, whose feeds are at hosts of their own."""

    name: str
    sports: int
    seasons: int

    @property
    def days(self) -> int:
        """League days."""
        return self.sports * self.seasons * SEASON_DAYS


SCALES = (
    Scale("1 season", 1, 1),
    Scale("10 seasons", 1, 10),
    Scale("10 sports x 1 season", 10, 1),
    Scale("10 sports x 10 seasons", 10, 10),
)

LABELS = {
    "requests": "requests",
    "task_runs": "task runs",
    "batches": "of these, batches of up to 50",
    "wall_s": "s from begin to end, alone",
    "flow_cpu_s": "CPU s of the flow's process",
    "server_cpu_s": "CPU s of the Prefect server",
    "redis_cpu_s": "CPU s of Redis",
    "lake_mb": "MB more in the lake",
    "archive_mb": "MB more in the archive",
    "redis_mb": "MB more in Redis",
    "prefect_mb": "MB more in Prefect's database",
}
COLUMNS = {
    "days": "days",
    "batches": "batches",
    "requests": "requests",
    "cpu_s": "CPU s",
    "lake_gb": "lake GB",
    "archive_gb": "archive GB",
    "redis_gb": "Redis GB",
    "prefect_gb": "Prefect GB",
}


@dataclass(frozen=True)
class Load:
    """What a scale comes to: the league days, what a day costs on average, the hours that each part is busy."""

    scale: Scale
    day: Mapping[str, float]
    busy: Mapping[str, float]

    @property
    def bottleneck(self) -> str:
        """What is busy for longest."""
        return max(self.busy, key=lambda what: self.busy[what])

    @property
    def hours(self) -> float:
        """How long the backfill takes at the least."""
        return self.busy[self.bottleneck]

    @property
    def redis_gb(self) -> float:
        """What lies in Redis at the highest: a slate leaves it two weeks after it was published."""
        held = min(1.0, SLATE_TTL_S / 3600 / self.hours) if self.hours else 1.0
        return self.day["redis_mb"] * self.scale.days * held / 1e3

    def columns(self) -> dict[str, str]:
        """Return the columns of its row."""
        day, days = self.day, self.scale.days
        gigabytes = {name: day[f"{name}_mb"] * days / 1e3 for name in ("lake", "archive", "prefect")}
        return {
            "bottleneck": self.bottleneck,
            "days": f"{days:,}",
            "batches": f"{day['batches'] * days:,.0f}",
            "requests": f"{day['requests'] * days:,.0f}",
            "cpu_s": f"{_cpu(day) * days:,.0f}",
            "redis_gb": figure(self.redis_gb),
            **{f"{name}_gb": figure(value) for name, value in gigabytes.items()},
        }


def _cpu(day: Mapping[str, float]) -> float:
    return day["flow_cpu_s"] + day["server_cpu_s"] + day["redis_cpu_s"]


def extrapolated(day: Mapping[str, float], scale: Scale, cores: int) -> Load:
    """Multiply what a day costs; each part is busy for as long as it would be if nothing else took time.

    Args:
        day: What a league day costs on average, by the names of `LABELS`.
        scale: What is backfilled.
        cores: Of the machine, all of which workers use.
    """
    waited = day["requests"] * LATENCY_S / (MAX_IN_FLIGHT_PER_HOST * scale.sports)
    seconds = {
        f"CPU, {cores} cores": _cpu(day) / cores,
        "the Prefect server, a core": day["server_cpu_s"],
        "Redis, a core": day["redis_cpu_s"],
        "the feeds, 25 requests at once": waited,
    }
    return Load(scale, day, {what: each * scale.days / 3600 for what, each in seconds.items()})


def page() -> str:
    """Return docs/operations.md with its sizing and what a kill -9 costs renewed."""
    text = marked(PAGE.read_text(encoding="utf-8"), "measured", lines())
    return marked(text, "killed", kill_table.lines())


def lines() -> Iterator[str]:
    """Write both tables, or that there is no record of them."""
    tables = read(BENCH)
    if not tables:
        yield "No figures were recorded yet: `python -m benchmarks sizing` measures them and writes both tables here."
        return
    yield f"{tables['day'].title}; {tables['day'].stamp}.\n"
    yield "| A league day | median | lowest to highest |\n| --- | ---: | ---: |"
    for row in tables["day"].rows:
        yield f"| {LABELS[row.name]} | {figure(row.median)} | {row.spread} |"
    yield ""
    yield f"| A backfill of | {' | '.join(COLUMNS.values())} | hours at the least | bottleneck |"
    yield f"| --- |{' ---: |' * (len(COLUMNS) + 1)} --- |"
    for row in tables["scales"].rows:
        cells = [row.more[name] for name in COLUMNS]
        yield f"| {row.name} | {' | '.join(cells)} | {figure(row.median)} | {row.more['bottleneck']} |"
