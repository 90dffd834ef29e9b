"""What every benchmark says: the machine, N, median and spread, as tables, and as a file that the claims page is made of.

report = Report("slate", "The main job")
table = report.table("fetching", "388 box scores at 50 ms", unit="s")
table.row("one at a time", seconds)                  # the first row is what the others are compared with
table.row("the fetch stage", staged, archived="yes") # further columns by name
report.close()                                       # prints; writes FILE where `--record FILE` was given
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import math
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.table import Table as Drawn

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).with_name("results")
"""Where `python -m benchmarks` leaves one file a benchmark."""

REAL_TIME = frozenset({"SCHED_FIFO", "SCHED_RR"})
"""Linux's policies under which a benchmark runs as on a quiet machine: `chrt -r 5 python -m benchmarks NAME`."""

MOST = 101
"""Values that are recorded of a row: of more, the percentiles."""


@dataclass(frozen=True)
class Row:
    """One arrangement: its name, what each round gave, and further columns."""

    name: str
    values: list[float]
    more: dict[str, str] = field(default_factory=dict)

    @property
    def median(self) -> float:
        """The middle of the rounds."""
        return statistics.median(self.values)

    def thinned(self) -> Row:
        """Return it with the percentiles of its values where there are more than a page wants to keep."""
        if len(self.values) <= MOST:
            return self
        ordered, last = sorted(self.values), len(self.values) - 1
        kept = [ordered[round(last * share / 100)] for share in range(101)]
        return Row(self.name, kept, {"values": f"{len(self.values):,}", **self.more})

    @property
    def spread(self) -> str:
        """The lowest and the highest round."""
        return f"{figure(min(self.values))} to {figure(max(self.values))}" if len(self.values) > 1 else "one round"


@dataclass(frozen=True)
class Stamp:
    """When and where a table was measured.

    Attributes:
        taken: Day, as the machine has it.
        commit: Of the code; with a plus sign where it had changes that were not committed.
        machine: Processor, cores, memory, system.
        python: Its version, and whether the benchmark ran ahead of everything else.
        load: How busy the machine was.
    """

    taken: str
    commit: str
    machine: str
    python: str
    load: str

    def __str__(self) -> str:
        return f"{self.machine}; {self.python}; load {self.load}; {self.taken}, commit {self.commit}"


@dataclass
class Table:
    """Arrangements measured side by side in one run; the first one is the base of the ratios.

    Attributes:
        key: Its name in the recorded file.
        title: What was measured, with its size.
        unit: Of the values.
        better: Whether less or more of it is better; decides which way the ratio goes.
        rows: In the order of adding.
        stamp: When and where it was measured; given to it when it is recorded.
    """

    key: str
    title: str
    unit: str
    better: Literal["less", "more"] = "less"
    rows: list[Row] = field(default_factory=list)
    stamp: Stamp | None = None

    def row(self, name: str, values: Sequence[float] | float, **more: object) -> Row:
        """Add an arrangement; `more` are further columns, shown as they are."""
        given = [float(each) for each in values] if isinstance(values, Sequence) else [float(values)]
        self.rows.append(Row(name, given, {column: str(value) for column, value in more.items()}))
        return self.rows[-1]

    def times(self, row: Row) -> float:
        """Return how many times better than the first row a row is; not a number when it is compared with nothing."""
        first, this = self.rows[0].median, row.median
        above, below = (first, this) if self.better == "less" else (this, first)
        return above / below if below else math.nan

    def drawn(self) -> Drawn:
        """Return it for the terminal."""
        made = Drawn(title=self.title, title_justify="left")
        made.add_column("arrangement")
        columns = list(dict.fromkeys(column for row in self.rows for column in row.more))
        for heading in (f"median {self.unit}", "spread", "N", "x the first", *columns):
            made.add_column(heading, justify="right")
        for row in self.rows:
            times = self.times(row)
            cells = (figure(row.median), row.spread, str(len(row.values)), "" if math.isnan(times) else f"{times:.2f}")
            made.add_row(row.name, *cells, *(row.more.get(column, "") for column in columns))
        return made


class Report:
    """The tables of one benchmark.

    Args:
        name: Of the module: `python -m benchmarks.NAME` makes it again.
        record: The file to write; none by default.
        add: Whether to keep the tables of that file that this run does not make.
    """

    def __init__(self, name: str, record: Path | None = None, *, add: bool = False) -> None:
        self.name = name
        self.record = record
        self.add = add
        self.tables: list[Table] = []
        self.console = Console(width=150, highlight=False)
        self.began = stamp()
        self.console.print(f"{self.began}")

    def table(self, key: str, title: str, *, unit: str, better: Literal["less", "more"] = "less") -> Table:
        """Begin a table."""
        self.tables.append(Table(key, title, unit, better))
        return self.tables[-1]

    def close(self) -> None:
        """Print every table, and write them where that was asked for."""
        for table in self.tables:
            self.console.print(table.drawn())
        self.save()

    def save(self) -> None:
        """Write what there is so far; a benchmark that takes long may do so after each table."""
        if self.record is not None:
            self.record.write_text(json.dumps(self.told(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    def told(self) -> dict[str, Any]:
        """Return what is recorded; a table that is recorded for the first time is stamped."""
        for table in self.tables:
            table.stamp = table.stamp or self._stamp()
        kept = self._kept() if self.add else []
        taken = [asdict(replace(table, rows=[row.thinned() for row in table.rows])) for table in self.tables]
        return {"benchmark": self.name, "tables": [*kept, *taken]}

    def _stamp(self) -> Stamp:
        """The commit is that from which the code was read, whatever was committed while it ran."""
        return replace(self.began, load=f"{self.began.load} before, {_load()} after")

    def _kept(self) -> list[dict[str, Any]]:
        """Return the tables in the file that this run did not make, with the stamps that they have."""
        if self.record is None or not self.record.exists():
            return []
        made = {table.key for table in self.tables}
        return [
            table for table in json.loads(self.record.read_text(encoding="utf-8"))["tables"] if table["key"] not in made
        ]


def arguments(description: str | None, *, rounds: int | None = None) -> argparse.ArgumentParser:
    """Return the parser that every benchmark begins with: `--record FILE` and, where it has any, `--rounds N`."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--record", type=Path, help="also write the figures to this file (JSON)")
    if rounds is not None:
        parser.add_argument("--rounds", type=int, default=rounds)
    return parser


def read(name: str, folder: Path = RESULTS) -> dict[str, Table]:
    """Return the tables that a benchmark recorded, by key; none when it was never recorded."""
    path = folder / f"{name}.json"
    if not path.exists():
        return {}
    told = json.loads(path.read_text(encoding="utf-8"))
    return {each["key"]: _table(each) for each in told["tables"]}


def _table(told: dict[str, Any]) -> Table:
    rows = [Row(**row) for row in told["rows"]]
    return Table(**{**told, "rows": rows, "stamp": Stamp(**told["stamp"]) if told.get("stamp") else None})


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that a call takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def marked(text: str, what: str, lines: Iterable[str]) -> str:
    """Return a page with the lines between its two marks renewed.

    Args:
        text: Of the page.
        what: The word in the marks, `<!-- WHAT: written by python -m benchmarks.claims -->` and `<!-- end of WHAT -->`.
        lines: What now stands between them.
    """
    start, end = f"<!-- {what}: written by python -m benchmarks.claims -->", f"<!-- end of {what} -->"
    before, rest = text.split(start)
    _, after = rest.split(end)
    return "\n\n".join([before.rstrip("\n"), start, "\n".join(lines), end]) + after


def figure(value: float) -> str:
    """Return a number with three figures that mean something: 21.4, 1.65, 0.0123, 117,250; 99.98 is not made 100."""
    if 99 < value < 100:
        return f"{math.floor(value * 100) / 100:.2f}"
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def stamp() -> Stamp:
    """Return today, the commit, what runs it and how busy that is."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    hardware = f"{os.cpu_count()} x {_processor()}, {memory:.0f} GB, {platform.system()} {platform.release()}"
    python = f"Python {platform.python_version()}{_priority()}"
    return Stamp(dt.date.today().isoformat(), commit(), hardware, python, _load())  # noqa: DTZ011


def _load() -> str:
    return f"{os.getloadavg()[0]:.1f}"


def _priority() -> str:
    policy = os.sched_getscheduler(0) if hasattr(os, "sched_getscheduler") else None
    ahead = any(getattr(os, name, None) == policy for name in REAL_TIME) if policy is not None else False
    return ", ahead of all others (real-time priority)" if ahead else ""


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())


WRITTEN = (":(top,exclude)benchmarks/results", ":(top,exclude)*.md")
"""Records and pages, which a benchmark that ran before has written anew: they are no change of the code."""


def commit() -> str:
    """Return the short name of the commit measured, with a plus sign where code had changes that are not committed."""
    name = _git("describe", "--always")
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ":/", *WRITTEN)
    return f"{name or 'unknown'}{'+' if changed else ''}"


def _git(*words: str) -> str:
    said = subprocess.run(["git", *words], check=False, capture_output=True, text=True)
    return said.stdout.strip()
