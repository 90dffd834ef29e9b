"""The kill -9 matrix in docs/operations.md, from what `tests.operations.matrix` recorded."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.report import read

BENCH = "kill_matrix"
COLUMNS = {
    "killed": "killed with -9",
    "stage": "at",
    "ended": "that run",
    "repeats": "repeated",
    "rows": "rows after",
    "lost": "lost",
    "doubled": "doubled",
    "wrong": "does not add up",
}
NUMBERS = {"repeats", "rows", "lost", "doubled"}
HEADER = (
    f"| {' | '.join(COLUMNS.values())} |\n| {' | '.join('---:' if name in NUMBERS else '---' for name in COLUMNS)} |"
)


def line(cell: dict[str, str]) -> str:
    """Return one cell of the matrix as a line of the table."""
    return f"| {' | '.join(cell[name] for name in COLUMNS)} |"


def lines() -> Iterator[str]:
    """Write the table of a whole run, or that there is no record of one."""
    tables = read(BENCH)
    if not tables:
        yield "No run was recorded yet: `make kill-matrix` carries it out and writes the table here."
        return
    cells = tables["cells"]
    yield f"{cells.title}; {cells.stamp}.\n"
    yield HEADER
    yield from (line(row.more) for row in cells.rows)
