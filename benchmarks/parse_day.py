"""Time of inspecting and parsing one day of pitches, against common ways to read the same CSV.

    .venv/bin/python -m benchmarks.parse_day [DAY.csv]

Without a file a day of 4,500 pitches with 118 columns is made up. A season has about 260 days with games.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import os
import platform
import random
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl
from rich.console import Console
from rich.table import Table

from backstop.net.item import Answer
from backstop.sources.savant import pitches
from backstop.sources.savant.vocabulary import COLUMNS_2026

DAY = dt.date(2025, 6, 15)
RUNS = 25


def made_up_day(rows: int = 4_500) -> bytes:
    """Write a day as Savant does: strings with commas quoted, numbers unrounded, two thirds of the last columns empty."""
    draw = random.Random(7)
    columns = [name for name in COLUMNS_2026 if name != "miss_distance"]
    fixed = {
        "game_date": DAY.isoformat(), "game_type": "R", "stand": "R", "p_throws": "L", "home_team": "DET",
        "away_team": "CIN", "type": "S", "inning_topbot": "Top", "description": "called_strike", "pitch_type": "FF",
        "player_name": "Skubal, Tarik", "des": "Somebody grounds out, second baseman to first baseman.",
    }  # fmt: skip
    small = {"balls", "strikes", "outs_when_up", "inning", "zone", "launch_speed_angle", "bat_score", "post_bat_score",
             "post_home_score", "post_away_score", "on_1b", "on_2b", "on_3b", "woba_denom"}  # fmt: skip
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    for n in range(rows):
        keys = {
            "game_pk": 777_000 + n // 300, "at_bat_number": n % 300 // 4 + 1, "pitch_number": n % 4 + 1,
            "game_year": 2025, "batter": 592_450, "pitcher": 669_373, "events": "single" if n % 4 == 3 else "",
        }  # fmt: skip
        row = keys | fixed | {name: draw.randrange(4) for name in small}
        writer.writerow(
            [row.get(name, f"{draw.random() * 100:.12f}" if draw.random() < 0.6 else "") for name in columns]
        )
    return out.getvalue().removesuffix("\n").encode()


def measured(run: Callable[[], object]) -> list[float]:
    """Return milliseconds of each run, sorted."""
    run()
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        run()
        times.append((time.perf_counter() - start) * 1e3)
    return sorted(times)


def main() -> None:
    body = Path(sys.argv[1]).read_bytes() if len(sys.argv) > 1 else made_up_day()
    item = pitches.split(pitches.plan([DAY])[0], [0])[0]
    answer = Answer(item, 200, body, dt.datetime.now(dt.UTC), "")
    parsed = pitches.parse(answer)
    text = body.decode("utf-8-sig")
    cases: list[tuple[str, Callable[[], object]]] = [
        ("inspect", lambda: pitches.inspect(body)),
        ("parse: count fields, bind, cast, keys", lambda: pitches.parse(answer)),
        ("polars.read_csv, types guessed, all columns", lambda: pl.read_csv(body, infer_schema_length=None)),
        ("csv.reader, no types", lambda: list(csv.reader(io.StringIO(text)))),
    ]
    columns = len(pitches.csvtext.header_of(body))
    table = Table(title=f"{parsed.rows_in:,} rows x {columns} columns, {len(body):,} bytes")
    for name in ("what", "median ms", "fastest ms", "p90 ms"):
        table.add_column(name, justify="left" if name == "what" else "right")
    for name, run in cases:
        times = measured(run)
        table.add_row(name, f"{statistics.median(times):.1f}", f"{times[0]:.1f}", f"{times[int(RUNS * 0.9)]:.1f}")
    console = Console()
    console.print(
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, N = {RUNS}"
    )
    console.print(table)


if __name__ == "__main__":
    main()
