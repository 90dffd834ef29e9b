"""Write docs/claims.md, the tables of both READMEs and docs/operations.md from what the benchmarks recorded: python -m benchmarks.claims [--check]

Each claim names the benchmark, the table and the two rows that it rests on; one whose rows do not exist is an error, so
that no figure outlives its measurement. `python -m benchmarks` records everything anew and then calls this.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks import gx_polars_readme as validators
from benchmarks import promises, sizing_table
from benchmarks.report import RESULTS, Row, Table, figure, read

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "claims.md"
README = ROOT / "README.md"
START, END = "<!-- measured: written by python -m benchmarks.claims -->", "<!-- end of measured -->"


ONE, OURS = "one SET at a time, JSON object", "Backstop"
LIMIT = "redis-benchmark, our HSETs ready-made, -P 16"
ELSEWHERE = {"chaos": "make chaos", "coverage": "make coverage", "fuzz": "make fuzz", "kill_matrix": "make kill-matrix"}
"""What is recorded beside the benchmarks, and the command that makes it."""

PANDAS, SELECT = "GX + pandas (numpy)", "hand-written select"


@dataclass(frozen=True)
class Claim:
    """One measured statement.

    Attributes:
        about: What is compared.
        bench: Module of the benchmark.
        table: Key of its table.
        ours: Name of our row.
        base: Name of the row that it stands beside; none where the figure stands alone.
        claimed: What the system that Backstop replaces said of it, without a measurement.
        readme: Whether the README shows it.
        column: What is read of the rows instead of their values: a figure that was recorded beside them, in the same unit.
    """

    about: str
    bench: str
    table: str
    ours: str
    base: str | None = None
    claimed: str = ""
    readme: bool = False
    column: str = ""

    @property
    def command(self) -> str:
        """What prints it."""
        return ELSEWHERE.get(self.bench, f"python -m benchmarks.{self.bench}")

    def found(self) -> tuple[Table, Row, Row | None]:
        """Return the table and the rows that it rests on.

        Raises:
            LookupError: The benchmark did not record them.
        """
        tables = read(self.bench)
        if self.table not in tables:
            raise LookupError(f"{self.bench} recorded no table {self.table!r}: {self.command}")
        table = tables[self.table]
        return table, _row(table, self.ours), _row(table, self.base) if self.base else None

    def read(self) -> tuple[Table, Row, Row | None]:
        """Return the same with the figures that are compared: those of the column, where one is named."""
        table, ours, base = self.found()
        return table, self._column(ours), self._column(base) if base else None

    def _column(self, row: Row) -> Row:
        return Row(row.name, [float(row.more[self.column].replace(",", ""))]) if self.column else row

    @property
    def recorded(self) -> bool:
        """Whether its benchmark was run to the end and recorded."""
        return bool(read(self.bench))

    def result(self) -> str:
        """Return the outcome in words: who is how many times better, or the figure alone."""
        table, ours, base = self.read()
        if base is None:
            return f"{figure(ours.median)} {table.unit}"
        times = base.median / ours.median if table.better == "less" else ours.median / base.median
        return f"**{figure(times)} times better**" if times >= 1 else f"**{base.name} wins**, {figure(1 / times)} times"

    def line(self) -> str:
        """Return its line of the page."""
        table, ours, base = self.read()
        beside = f"{base.name}: {_said(base, table)}" if base else "-"
        cells = (self.about, self.claimed or "-", beside, _said(ours, table), self.result(), f"`{self.command}`")
        return f"| {' | '.join(cells)} |"


def _row(table: Table, name: str) -> Row:
    for row in table.rows:
        if row.name == name or row.name.startswith(f"{name} "):
            return row
    raise LookupError(f"{table.key}: no row {name!r} among {[row.name for row in table.rows]}")


def _said(row: Row, table: Table) -> str:
    spread = f" ({row.spread}, N={row.more.get('values', len(row.values))})" if len(row.values) > 1 else ""
    return f"{figure(row.median)} {table.unit}{spread}"


CLAIMS = (
    Claim("a day from an empty home, same steps, same rows", "replaced", "processing", "the flow slate-refresh", "one by one", "70 % less time", readme=True),
    Claim("the same, beside batches in turn without Prefect", "replaced", "processing", "the flow slate-refresh", "batches, one after another"),
    Claim("box scores in batches of 50, 25 at once", "fetch_stage", "batches", "the fetch stage", "httpx, one request at a time", "70 % less time", readme=True),
    Claim("1,000 items at 50 ms", "fetch_engine", "widths", "engine, gate from 10 to 25", "httpx, one at a time", readme=True),
    Claim("the same, beside as many at once", "fetch_engine", "widths", "engine, gate from 10 to 25", "httpx, 25 at once", readme=True),
    Claim("processor time of a request, Redis gate and archive included", "fetch_engine", "overhead", "engine + Redis + archive", "bare httpx", readme=True),
    Claim("wall time of the same, 25 at once, no latency", "fetch_engine", "overhead", "engine + Redis + archive", "bare httpx", readme=True, column="wall_us"),
    Claim("props into Redis", "redis_load", "load_props", OURS, ONE, "5 to 10 times faster writes", readme=True),
    Claim("features into Redis", "redis_load", "load_features", OURS, ONE, "5 to 10 times faster writes"),
    Claim("memory of a slate in a process that reads it", "cache", "memory", "L1, every player's rows", "dict of decoded JSON objects", "half the memory", readme=True),
    Claim("share of reads that the first cache answers", "cache", "rates", "L1, after warm-up", None, "over 85 %", readme=True),
    Claim("the same while a tenth of the players is repriced every 30 s", "cache", "rates", "L1, 10 % of the players repriced every 30 s", None, "over 85 %", readme=True),
    Claim("props of 50 players generated and priced over HTTP, first after a flip", "api", "generation", "after a flip", None, "under 2 s", readme=True),
    Claim("props generated", "props_kernel", "kernel", "Polars expressions", "Python, row by row", "300 a second", readme=True),
    Claim("a slate priced again: 300 players, 14 markets, 10 books", "props_kernel", "slate", "price"),
    Claim("two books joined, de-vigged, EV, Kelly, Parquet", "props_kernel", "quotes", "price and write"),
    Claim("May to July 2025 walked through, lake to predictions", "props_kernel", "walk", "walk"),
    Claim("reads answered while every feed is down half of an hour", "availability", "reads", "answered", "reading through to the feed", "99.9 %", readme=True),
    Claim("seasons under faults after which no row is lost and no slate differs", "chaos", "seeds", "held", None, "zero data loss", readme=True),
    Claim("damaged answers of feeds that are read with every row accounted for, or refused by name", "fuzz", "answers", "no crash", None, "zero data loss"),
    Claim("branches of the code that the tests take", "coverage", "branches", "everything"),
    Claim("what Prefect adds to a slate of 30 batches", "orchestration", "slate", "the tasks, inside the flow", "the functions under plain asyncio", readme=True),
    Claim("the same with beginning and ending the flow run", "orchestration", "slate", "the tasks, the whole call of the flow", "the functions under plain asyncio"),
    Claim("memory that 1,000 task runs leave while their flow runs", "orchestration", "memory", "more while the flow runs"),
    Claim("memory that is left when two such flows are over", "orchestration", "memory", "more when two such flows are over"),
    Claim("memory of a process after the last day of a backfill, beside after a quarter of the days", "backfill", "flat", "after the last day", "after the first quarter of the days"),
    Claim("a day that is complete, in a backfill of many", "backfill", "backfill", "a day that is complete, the whole run over its days"),
    Claim("30 days of the demo league made up: games, pitches, plays, box scores", "demo_league", "month", "generated"),
    Claim("a cached read over HTTP at 500 a second", "api", "cached", "a read"),
    Claim("a version from its flip to one of 500 WebSockets", "api", "live", "a version"),
    Claim("a version from its flip to a process's readers", "cache", "flip", "hot keys read again before"),
    Claim("the same when the line that it is heard on was just cut", "cache", "flip", "the line that it is heard on just cut"),
)  # fmt: skip
"""In the order of the page."""

PEERS = (
    Claim("a month of pitches at 200 ms, into one frame", "pybaseball_fetch", "calm", "Backstop, fetch stage", "pybaseball, threads", readme=True),
    Claim("props into the same Redis", "redis_load", "load_props", OURS, "Feast", readme=True),
    Claim("features into the same Redis", "redis_load", "load_features", OURS, "Feast"),
    Claim("props into Redis, beside the server's own limit", "redis_load", "load_props", OURS, LIMIT),
    Claim("features into Redis, beside the server's own limit", "redis_load", "load_features", OURS, LIMIT),
    *(
        Claim(f"{rows:,} rows validated, 26 checks", "gx_polars", f"clean_{rows}", "gx_polars.validate", peer, readme=rows == 1_000_000 and peer == PANDAS)
        for rows in (50, 1_000_000)
        for peer in (PANDAS, "pandera", "pointblank", "dataframely", SELECT)
    ),
    *(
        Claim(f"{rows:,} rows through a ValidationDefinition", "gx_polars", f"clean_{rows}", "GX + gx_polars, ValidationDefinition", PANDAS)
        for rows in (50, 1_000_000)
    ),
)  # fmt: skip
"""Beside the tools that people use, each in its own environment."""

INTRODUCTION = """\
# Claims

Every figure here was printed by the command beside it; `make bench` runs them all and writes this page. Where nothing else
is said, figures are medians with the lowest and the highest round in brackets. A peer that wins is shown as winning.
"""


AGAINST_THE_MARKET = (
    "Strikeouts, the last quotes before the first pitch, de-vigged and averaged over the books; log loss and Brier "
    "score on the same rows (`python -m benchmarks.props_market`). A positive difference: the market is better.\n"
)


def page() -> str:
    """Return the text of docs/claims.md."""
    head = (
        "| What | The replaced system said | Beside | Ours | Result | Command |\n| --- | --- | --- | --- | --- | --- |"
    )
    parts = [
        INTRODUCTION,
        *(_machines()),
        "\n## What the system that Backstop replaces claimed\n",
        head,
        *(claim.line() for claim in CLAIMS if claim.recorded),
        "\n## Beside other tools\n",
        "The same rows, the same machine, the same run; each tool in an environment of its own.\n",
        head,
        *(claim.line() for claim in PEERS if claim.recorded),
        *_market(),
        *_open(),
        "\n## Promises that are tests\n",
        *promises.lines(),
    ]
    return "\n".join(parts) + "\n"


def _market() -> list[str]:
    """Return the model beside the market on the recorded quotes, with the counts; nothing where it was not recorded."""
    scored = {key: table for key, table in read("props_market").items() if key != "missed"}
    if not scored:
        return []
    lines = [
        "\n## The model beside the market\n",
        AGAINST_THE_MARKET,
        "| Rows | Market | Brier | Model | Brier | Model minus market, 95 % |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for table in scored.values():
        market, model = (_row(table, name) for name in ("market, de-vigged consensus", "model"))
        beyond = model.more["minus market, 95 %"]
        scores = (f"{row.median:.4f} | {row.more['Brier']}" for row in (market, model))
        lines.append(f"| {table.title} | {' | '.join(scores)} | {beyond} |")
    return lines


def _open() -> list[str]:
    """Return what is claimed nowhere because nothing was recorded."""
    waiting = [claim for claim in (*CLAIMS, *PEERS) if not claim.recorded]
    if not waiting:
        return []
    lines = ["\n## Not recorded\n", "Written, and no figure is given until they were run on a quiet machine:\n"]
    return lines + [f"- `{command}`" for command in dict.fromkeys(claim.command for claim in waiting)]


def _machines() -> list[str]:
    lines = ["| Benchmark | Taken | At commit | Machine |", "| --- | --- | --- | --- |"]
    for path in sorted(RESULTS.glob("*.json")):
        told = json.loads(path.read_text(encoding="utf-8"))
        lines.append(f"| {told['benchmark']} | {told['taken']} | {told['commit']} | {'; '.join(told['machine'])} |")
    return lines


def readme() -> str:
    """Return the README with its table renewed."""
    rows = ["| What | Beside | Ours | Command |", "| --- | --- | --- | --- |"]
    for claim in (*CLAIMS, *PEERS):
        if claim.readme and claim.recorded:
            table, ours, base = claim.read()
            beside = f"{base.name}: {figure(base.median)} {table.unit}" if base else "-"
            mine = f"{figure(ours.median)} {table.unit}" + (f", {claim.result()}" if base else "")
            rows.append(f"| {claim.about} | {beside} | {mine} | `{claim.command}` |")
    table_text = "\n".join([START, *rows, END])
    return re.sub(f"{re.escape(START)}.*?{re.escape(END)}", lambda _: table_text, README.read_text(encoding="utf-8"), flags=re.DOTALL)  # fmt: skip


def main() -> int:
    """Write both, or with `--check` say whether they are up to date."""
    pairs = (
        (PAGE, page()),
        (README, readme()),
        (validators.PAGE, validators.page()),
        (sizing_table.PAGE, sizing_table.page()),
    )
    if "--check" in sys.argv[1:]:
        old = [path.name for path, text in pairs if path.read_text(encoding="utf-8") != text]
        print("\n".join(f"{name} is not what the results say: python -m benchmarks.claims" for name in old), end="")
        return 1 if old else 0
    for path, text in pairs:
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
