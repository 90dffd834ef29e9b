"""The tables of docs/projections.md, from what was recorded: scores, the market, the league's truth, the speed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks import truth_table
from benchmarks.claim import row_of
from benchmarks.report import Table, figure, marked, read

PAGE = Path(__file__).resolve().parents[1] / "docs" / "projections.md"
SCORES = ("n", "over", "Brier", "ECE (floor)", "minus A", "minus C", "minus D")
"""Columns of `benchmarks.props_score` beside the log loss."""

CONSENSUS, MODEL, BEYOND = "market, de-vigged consensus", "model", "minus market, 95 %"


def page() -> str:
    """Return docs/projections.md with every table renewed."""
    text = PAGE.read_text(encoding="utf-8")
    for what, lines in (("scores", scores()), ("market", market()), ("truth", truth_table.lines()), ("speed", speed())):
        text = marked(text, what, lines)
    return text


def scores() -> Iterator[str]:
    """Write a row per market and line: the log loss and what stands beside it."""
    tables = read("props_score")
    if not tables:
        yield "No scores were recorded yet: `python -m benchmarks props_score` measures them."
        return
    table = tables["score"]
    least = min(float(row.more["coverage"]) for row in table.rows)
    yield f"{table.title}; {100 * least:g} % of the rows of each line have a prediction; {table.stamp}.\n"
    yield f"| market | line | log loss | {' | '.join(SCORES)} |"
    yield f"| --- | --- |{' ---: |' * (len(SCORES) + 1)}"
    for row in table.rows:
        key, _, line = row.name.rpartition(" ")
        cells = [f"{row.median:.5f}", *(row.more[name] for name in SCORES)]
        yield f"| {key} | {line} | {' | '.join(cells)} |"


def market() -> Iterator[str]:
    """Write a row per kind of line, the model beside the market, and by how much both miss; nothing without a record."""
    tables = read("props_market")
    compared = [table for key, table in tables.items() if key != "missed"]
    if not compared:
        return
    yield "| Rows | Market | Brier | Model | Brier | Model minus market, 95 % |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for table in compared:
        theirs, ours = row_of(table, CONSENSUS), row_of(table, MODEL)
        cells = [cell for row in (theirs, ours) for cell in (f"{row.median:.4f}", row.more["Brier"])]
        yield f"| {table.title} | {' | '.join(cells)} | {ours.more[BEYOND]} |"
    better = sum(row_of(table, CONSENSUS).median < row_of(table, MODEL).median for table in compared)
    missed = " and ".join(f"the {row.name} by {row.median:.2f}" for row in tables["missed"].rows)
    yield f"\nThe market has the lower log loss in {better} of {len(compared)} rows. On average {missed} strikeouts."


def speed() -> Iterator[str]:
    """Write a row per arrangement of the kernel, the pricing and the walk, with what a core does of it."""
    yield "| What | Arrangement | Median | Spread | A core |"
    yield "| --- | --- | ---: | ---: | ---: |"
    tables = read("props_kernel")
    for table in tables.values():
        yield from _speeds(table)
    if tables:
        yield f"\n{next(iter(tables.values())).stamp}."


def _speeds(table: Table) -> Iterator[str]:
    per_core = {"M/s per core": "M/s", "processor ms": "ms", "processor s": "s"}
    for row in table.rows:
        core = next((f"{row.more[name]} {unit}" for name, unit in per_core.items() if name in row.more), "")
        median = f"{figure(row.median)} {table.unit}"
        yield f"| {table.title} | {row.name} | {median} | {row.spread} | {core or row.more.get('size', '')} |"
