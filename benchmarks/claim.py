"""One measured statement: the rows that it rests on, who is how many times better, and whether what was said was kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchmarks.report import RESULTS, Row, Table, figure, read

ELSEWHERE = {
    "chaos": "make chaos",
    "coverage": "make coverage",
    "fuzz": "make fuzz",
    "kill_matrix": "make kill-matrix",
}
"""What is recorded beside the benchmarks, and the command that makes it."""


def command_of(bench: str) -> str:
    """Return what records a benchmark in its full size and renews the pages."""
    return ELSEWHERE.get(bench, f"python -m benchmarks {bench}")


@dataclass(frozen=True)
class Said:
    """What the system that Backstop replaces said of itself, without a measurement.

    Attributes:
        text: Its words.
        times: So many times better than the row beside ours it is, if that holds.
        figure: Or our row is at least so good, in the table's unit.
        none: Or this row of the table is zero.
    """

    text: str
    times: float = 0.0
    figure: float | None = None
    none: str = ""


@dataclass(frozen=True)
class Ratio:
    """How many times better ours is: by the medians, our worst round against their best, our best against their worst."""

    median: float
    worst: float
    best: float

    @classmethod
    def of(cls, table: Table, ours: Row, base: Row) -> Ratio:
        """Compare two rows."""
        low, high = min(ours.values) / max(base.values), max(ours.values) / min(base.values)
        if table.better == "more":
            return cls(ours.median / base.median, low, high)
        return cls(base.median / ours.median, 1 / high, 1 / low)


@dataclass(frozen=True)
class Claim:
    """One measured statement.

    Attributes:
        about: What is compared.
        bench: Module of the benchmark.
        table: Key of its table.
        ours: Name of our row.
        base: Name of the row that it stands beside; none where the figure stands alone.
        said: What the system that Backstop replaces said of it.
        readme: Whether the README shows it; it shows what a peer wins in any case.
        percent: Whether less of it is said in percent.
    """

    about: str
    bench: str
    table: str
    ours: str
    base: str | None = None
    said: Said | None = None
    readme: bool = False
    percent: bool = False

    @property
    def command(self) -> str:
        """What records it anew."""
        return command_of(self.bench)

    def found(self, folder: Path = RESULTS) -> tuple[Table, Row, Row | None]:
        """Return the table and the rows that it rests on.

        Raises:
            LookupError: The benchmark did not record them.
        """
        tables = read(self.bench, folder)
        if self.table not in tables:
            raise LookupError(f"{self.bench} recorded no table {self.table!r}: {self.command}")
        table = tables[self.table]
        return table, row_of(table, self.ours), row_of(table, self.base) if self.base else None

    def missing(self, folder: Path = RESULTS) -> str | None:
        """Return what was not recorded of its rows; `None` when all were."""
        try:
            self.found(folder)
        except LookupError as error:
            return str(error)
        return None

    @property
    def recorded(self) -> bool:
        """Whether its rows were measured."""
        return self.missing() is None

    @property
    def peer_wins(self) -> bool:
        """Whether what ours stands beside is better, even in its worst round."""
        table, ours, base = self.found()
        return base is not None and Ratio.of(table, ours, base).best < 1

    def result(self, *, spread: bool = True) -> str:
        """Return the outcome in words: who is how many times better; of a figure alone nothing but what was said of it."""
        table, ours, base = self.found()
        parts = [self._ratio(table, ours, base, spread=spread)] if base else []
        if self.said:
            parts.append(self._kept(table, ours, base))
        return "; ".join(parts)

    def measured(self, *, spread: bool = True) -> str:
        """Return our figure, and where there is one the other that it stands beside."""
        table, ours, base = self.found()
        beside = f", beside {base.name}: {shown(base, table, spread=spread)}" if base else ""
        return f"{shown(ours, table, spread=spread)}{beside}"

    def _ratio(self, table: Table, ours: Row, base: Row, *, spread: bool) -> str:
        ratio = Ratio.of(table, ours, base)
        if ratio.median == ratio.worst == ratio.best == 1:
            return "the same"
        if ratio.median >= 1:
            said, low, high = f"**{figure(ratio.median)} times better**", ratio.worst, ratio.best
        else:
            said, low, high = f"**{base.name} wins**, {figure(1 / ratio.median)} times", 1 / ratio.best, 1 / ratio.worst
        if self.percent and ratio.median > 1:
            said = f"**{_less(ratio.median)} % less** ({_less(ratio.worst)} % our worst round against their best)"
        elif spread and low != high:
            said += f" ({figure(low)} to {figure(high)})"
        return said + (", rounds overlap" if low < 1 < high else "")

    def _kept(self, table: Table, ours: Row, base: Row | None) -> str:
        said = self.said
        assert said is not None
        if said.none:
            median = worst = row_of(table, said.none).median == 0
        elif said.figure is None:
            assert base is not None
            ratio = Ratio.of(table, ours, base)
            median, worst = ratio.median >= said.times, ratio.worst >= said.times
        else:
            median, worst = _reaches(table, ours.median, said.figure), _reaches(table, _worst(table, ours), said.figure)
        if median == worst:
            return "kept" if median else "**not kept**"
        return "kept by the median, **not by the worst round**"


def _less(times: float) -> str:
    return f"{100 * (1 - 1 / times):.0f}"


def _reaches(table: Table, value: float, wanted: float) -> bool:
    return value <= wanted if table.better == "less" else value >= wanted


def _worst(table: Table, row: Row) -> float:
    return max(row.values) if table.better == "less" else min(row.values)


@dataclass(frozen=True)
class Drift(Claim):
    """What a quantity came to in the course of a run: `base` at first, `ours` at last, `peak` at the highest."""

    peak: str = ""

    @property
    def peer_wins(self) -> bool:
        """Nobody does."""
        return False

    def result(self, *, spread: bool = True) -> str:  # noqa: ARG002 - who grows less is no comparison
        """Return nothing: the drift is part of what was measured."""
        return ""

    def measured(self, *, spread: bool = True) -> str:  # noqa: ARG002 - of one run there is none
        """Return the three figures and the drift from the first to the last."""
        table, last, first = self.found()
        assert first is not None
        peak = row_of(table, self.peak)
        words = [f"{figure(row.median)} {table.unit} {row.name}" for row in (first, last, peak)]
        return f"{words[0]}, {words[1]} ({100 * (last.median / first.median - 1):+.1f} %), {words[2]}"


def row_of(table: Table, name: str) -> Row:
    """Return a row by its name, or by the words that its name begins with.

    Raises:
        LookupError: There is none.
    """
    for row in table.rows:
        if row.name == name or row.name.startswith(f"{name} "):
            return row
    raise LookupError(f"{table.key}: no row {name!r} among {[row.name for row in table.rows]}")


def shown(row: Row, table: Table, *, spread: bool = True) -> str:
    """Return a row's figure with its unit, and with its spread and number where there is more than one value."""
    several = f" ({row.spread}, N={row.more.get('values', len(row.values))})" if len(row.values) > 1 else ""
    return f"{figure(row.median)} {table.unit}{several if spread else ''}"
