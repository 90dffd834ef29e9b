"""The table of measurements in src/gx_polars/README.md, from what `benchmarks.gx_polars` recorded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.report import Row, Table, figure, marked, read

BENCH = "gx_polars"
PAGE = Path(__file__).resolve().parents[1] / "src" / "gx_polars" / "README.md"
PEAK = "peak MB above the frame"


def page() -> str:
    """Return the README with its measurements renewed."""
    return marked(PAGE.read_text(encoding="utf-8"), "measured", _lines())


def _lines() -> Iterator[str]:
    tables = read(BENCH)
    if not tables:
        yield "Not recorded yet: `python -m benchmarks gx_polars`."
        return
    stamps = dict.fromkeys(str(table.stamp) for table in tables.values())
    yield (
        "Milliseconds of one validation of 26 checks on 20 columns, result format SUMMARY where nothing else is said: the median, each "
        "tool in a process of its own. `python -m benchmarks gx_polars` measures it "
        "again; single runs, processor time and checks failed are in `benchmarks/results`.\n"
    )
    yield f"Measured on {' and on '.join(stamps)}.\n"
    for kind, title in (("clean", "No row is bad"), ("dirty", "1 % of the rows is bad for each of ten checks")):
        sizes = {int(key.partition("_")[2]): table for key, table in tables.items() if key.startswith(kind)}
        if sizes:
            yield from _table(title, dict(sorted(sizes.items())))
            yield ""


def _table(title: str, sizes: dict[int, Table]) -> Iterator[str]:
    largest = sizes[max(sizes)]
    headings = [title, *(f"{rows:,} rows" for rows in sizes), "to the first", "peak MB above the frame"]
    yield f"| {' | '.join(headings)} |"
    yield f"| --- |{' ---: |' * (len(headings) - 1)}"
    for row in largest.rows:
        cells = [_cell(table, row.name) for table in sizes.values()]
        ratio = f"{1 / largest.times(row):.2f}"
        yield f"| {row.name} | {' | '.join(cells)} | {ratio} | {row.more.get(PEAK, '')} |"


def _cell(table: Table, name: str) -> str:
    found: Row | None = next((row for row in table.rows if row.name == name), None)
    return "" if found is None else figure(found.median)
