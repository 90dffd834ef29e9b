"""Props kernel, pricing and the walk through a season, side by side in one run.

    python -m benchmarks.props_kernel [FOLDER OF RECORDED PITCHES]

Wall time depends on what else runs on the machine; CPU time says what the work itself costs.
"""

from __future__ import annotations

import datetime as dt
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

from backstop.features.outcomes import OUTCOMES
from backstop.features.tally import tally
from backstop.props import backtest
from backstop.props.expressions import COUNTED, HITS, PROPS_PER_BATTER, over_lines
from backstop.props.generate import SCHEMA
from backstop.props.kernel import at_least, count_distribution, sum_distribution
from backstop.props.markets import MARKETS
from backstop.props.price import price
from backstop.tables import PITCHES, QUOTES

TURNS = 6
SEED = 1
RUNS = 7
ITEM_BYTES = 8


def chances(batters: int) -> tuple[np.ndarray, np.ndarray, pl.DataFrame]:
    """Outcome probabilities of six plate appearances and how likely each of them is, for so many batters."""
    random = np.random.default_rng(SEED)
    p = random.dirichlet(np.array([22, 8, 1, 14, 5, 0.5, 3, 47]), size=(batters, TURNS))
    reach = np.sort(random.random((batters, TURNS)), axis=1)[:, ::-1]
    columns = {f"reach_{k + 1}": np.ascontiguousarray(reach[:, k]) for k in range(TURNS)}
    columns |= {f"{o}_{k + 1}": np.ascontiguousarray(p[:, k, i]) for k in range(TURNS) for i, o in enumerate(OUTCOMES)}
    return p, reach, pl.DataFrame(columns)


def per_row(p: np.ndarray, reach: np.ndarray) -> list[float]:
    """Compute the same fourteen lines with Python loops, batter by batter."""
    index = {name: i for i, name in enumerate(OUTCOMES)}
    found = []
    for turns, stays in zip(p.tolist(), reach.tolist(), strict=True):
        for outcomes, lines in COUNTED.values():
            state = [1.0] + [0.0] * TURNS
            over = [0.0] * (lines + 1)
            for turn, stay in zip(turns, stays, strict=True):
                q = sum(turn[index[o]] for o in outcomes)
                for j in range(1, lines + 1):
                    over[j] += stay * q * state[j - 1]
                for s in range(TURNS, 0, -1):
                    state[s] = state[s] * (1 - q) + state[s - 1] * q
                state[0] *= 1 - q
            found += over[1:]
        state = [1.0] + [0.0] * 4 * TURNS
        over = [0.0] * 5
        for turn, stay in zip(turns, stays, strict=True):
            worth = [turn[index[o]] for o in HITS]
            for j in (2, 3, 4):
                for s in range(j):
                    over[j] += stay * state[s] * sum(worth[max(j - s - 1, 0) :])
            none = 1 - sum(worth)
            state = [
                state[s] * none + sum(state[s - b] * worth[b - 1] for b in range(1, 5) if s >= b)
                for s in range(len(state))
            ]
        found += over[2:]
    return found


def arrays(p: np.ndarray, reach: np.ndarray) -> list[np.ndarray]:
    """The full distributions that a slate is projected with."""
    edges = np.concatenate([np.ones((len(p), 1)), reach, np.zeros((len(p), 1))], axis=1)
    tries = edges[:, :-1] - edges[:, 1:]
    found = []
    for outcomes, _ in COUNTED.values():
        q = p[:, :, [OUTCOMES.index(o) for o in outcomes]].sum(axis=2)
        found.append(at_least(count_distribution(q, tries, TURNS)))
    bases = p[:, :, [OUTCOMES.index(o) for o in HITS]]
    values = np.concatenate([1 - bases.sum(axis=2, keepdims=True), bases], axis=2)
    return [*found, at_least(sum_distribution(values, tries, 4 * TURNS))]


def slate(players: int, markets: int, books: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Props of so many players and two-sided quotes of every book on each."""
    random = np.random.default_rng(SEED)
    count = players * markets
    p = random.uniform(0.1, 0.9, count)
    props = pl.DataFrame(
        {
            "game_pk": np.repeat(np.arange(players) // 20 + 1, markets),
            "player_id_mlbam": np.repeat(np.arange(players) + 1, markets),
            "market": list(MARKETS)[:markets] * players,
            "line": np.full(count, 0.5),
            "prob_over": p,
            "prob_push": np.zeros(count),
            "prob_under": 1 - p,
        }
    )
    lacking = [pl.lit(None, dtype=dtype).alias(name) for name, dtype in SCHEMA.items() if name not in props.columns]
    props = props.with_columns(lacking).select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items())
    parts = []
    for book in range(books):
        theirs = np.clip(p + random.normal(0, 0.03, count), 0.03, 0.97)
        for side, fair in (("over", theirs), ("under", 1 - theirs)):
            quoted = pl.Series(1 / np.minimum(fair * 1.045, 0.99))
            key = props.select("game_pk", "player_id_mlbam", "market", "line")
            parts.append(key.with_columns(bookmaker=pl.lit(f"book{book:02}"), side=pl.lit(side), price_decimal=quoted))
    quotes = pl.concat(parts)
    lacking = [
        pl.lit(None, dtype=dtype).alias(name) for name, dtype in QUOTES.schema.items() if name not in quotes.columns
    ]
    return props, quotes.with_columns(lacking).select(pl.col(n).cast(dtype) for n, dtype in QUOTES.schema.items())


def measure(work: Callable[[], object], runs: int = RUNS) -> tuple[float, float, float]:
    """Return median wall, spread of wall (max - min) and median CPU seconds, after one run to warm up."""
    work()
    walls, cpus = [], []
    for _ in range(runs):
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return statistics.median(walls), max(walls) - min(walls), statistics.median(cpus)


def row(name: str, amount: int, unit: str, result: tuple[float, float, float]) -> float:
    wall, spread, cpu = result
    print(
        f"{name:46s} {amount:>10,} {wall * 1e3:10.1f} {spread * 1e3:9.1f} {cpu * 1e3:9.1f} "
        f"{amount / wall / 1e6:10.3f} {amount / cpu / 1e6:12.3f}  {unit}"
    )
    return amount / cpu


def bandwidth() -> float:
    """Bytes per second that one copy of a large array moves, read and written."""
    large = np.ones(32_000_000)
    target = np.empty_like(large)
    wall, _, _ = measure(lambda: np.copyto(target, large), 5)
    return 2 * large.nbytes / wall


def recorded(folder: Path) -> pl.DataFrame:
    """Tallies of the recorded seasons."""
    parts = []
    for path in sorted(folder.glob("statcast_*_all_pitches_*.parquet")):
        scan = pl.scan_parquet(path)
        known = set(scan.collect_schema().names())
        columns = [
            (pl.col(c.upstream or c.name) if (c.upstream or c.name) in known else pl.lit(None))
            .cast(c.dtype)
            .alias(c.name)
            for c in PITCHES.columns
        ]
        parts.append(tally(scan.select(columns)))
    return pl.concat(parts)


def main() -> None:
    print(
        f"machine: {platform.processor() or platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    )
    print(
        f"Python {platform.python_version()}, Polars {pl.__version__}, NumPy {np.__version__}; medians of {RUNS} runs"
    )
    print(f"{'':46s} {'N':>10s} {'wall ms':>10s} {'spread':>9s} {'CPU ms':>9s} {'M/s wall':>10s} {'M/s per core':>12s}")
    p, reach, _ = chances(2_000)
    slow = row("kernel, Python per row", 2_000 * PROPS_PER_BATTER, "props", measure(lambda: per_row(p, reach), 3))
    p, reach, _ = chances(20_000)
    row("kernel, NumPy full distributions", 20_000 * PROPS_PER_BATTER, "props", measure(lambda: arrays(p, reach)))
    _, _, frame = chances(200_000)
    lines = measure(lambda: over_lines(frame.lazy(), TURNS).collect(engine="streaming"))
    fast = row("kernel, Polars expressions", 200_000 * PROPS_PER_BATTER, "props", lines)
    touched = (frame.width + PROPS_PER_BATTER) * ITEM_BYTES / PROPS_PER_BATTER
    limit = bandwidth() / touched
    print(f"Polars against Python per row: {fast / slow:.0f}x per core")
    print(
        f"bytes read and written per prop {touched:.0f}; memory moves {limit * touched / 1e9:.1f} GB/s, so at most "
        f"{limit / 1e6:.0f} M props/s: the expressions reach {fast / limit:.1%} of it per core"
    )
    props, quotes = slate(300, 14, 10)
    row(
        "slate re-priced, 300 players x 14 x 10 books",
        quotes.height // 2,
        "quotes",
        measure(lambda: price(props, quotes)),
    )
    props, quotes = slate(20_000, 14, 2)
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "props.parquet"
        ends = measure(lambda: price(props, quotes).write_parquet(target, compression="lz4", statistics=False), 3)
    row("two books joined, de-vigged, priced, Parquet", quotes.height // 2, "quotes", ends)
    if len(sys.argv) > 1:
        tallies = recorded(Path(sys.argv[1]))
        first, last = dt.date(2025, 5, 1), dt.date(2025, 7, 31)
        wall, cpu = time.perf_counter(), time.process_time()
        predicted = backtest.run(tallies, first, last)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        print(f"walk-forward {first} to {last}: {predicted.height:,} predictions, {wall:.1f} s wall, {cpu:.1f} s CPU")


if __name__ == "__main__":
    main()
