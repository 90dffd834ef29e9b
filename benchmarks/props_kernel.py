"""Props kernel, rows of props, pricing and the walk through a season, side by side in one run.

    python -m benchmarks.props_kernel                    # two minutes
    python -m benchmarks.props_kernel --recorded FOLDER  # of recordings; ../shared/realdata by default, where it is

Wall time depends on what else runs on the machine; processor time says what the work itself costs.
"""

from __future__ import annotations

import datetime as dt
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

from backstop.demo.recorded.pitches import Pitches
from backstop.features.outcomes import OUTCOMES
from backstop.features.tally import tally
from backstop.props import backtest
from backstop.props.generate import SCHEMA, generate
from backstop.props.markets import MARKETS
from backstop.props.price import price
from backstop.props.project import COUNTED, HITS, TOTAL_BASES, TURNS, batter_sums
from backstop.tables import PITCHES, QUOTES
from benchmarks import api
from benchmarks.report import Report, Table, arguments

SUMMED = (*COUNTED, TOTAL_BASES)
"""Batters' markets that the kernel sums over plate appearances."""

LINES = sum(len(MARKETS[key].lines) for key in SUMMED)
SEED = 1
RECORDED = Path(__file__).resolve().parents[2] / "shared" / "realdata"
ITEM_BYTES = 8
FIRST_SEASON = 2024


def chances(batters: int) -> tuple[np.ndarray, np.ndarray]:
    """Outcome probabilities of each plate appearance and how likely it is reached, in memory as the features come."""
    random = np.random.default_rng(SEED)
    p = random.dirichlet(np.array([22, 8, 1, 14, 5, 0.5, 3, 47]), size=(batters, TURNS))
    reach = np.sort(random.random((batters, TURNS)), axis=1)[:, ::-1]
    return np.asfortranarray(p), np.asfortranarray(reach)


def per_row(p: np.ndarray, reach: np.ndarray) -> list[list[float]]:
    """Compute the default lines of the same markets with Python loops, batter by batter."""
    index = {name: i for i, name in enumerate(OUTCOMES)}
    found = []
    for turns, stays in zip(p.tolist(), reach.tolist(), strict=True):
        lines: list[float] = []
        for key, outcomes in COUNTED.items():
            most = len(MARKETS[key].lines)
            state = [1.0] + [0.0] * TURNS
            over = [0.0] * (most + 1)
            for turn, stay in zip(turns, stays, strict=True):
                q = sum(turn[index[o]] for o in outcomes)
                for j in range(1, most + 1):
                    over[j] += stay * q * state[j - 1]
                for s in range(TURNS, 0, -1):
                    state[s] = state[s] * (1 - q) + state[s - 1] * q
                state[0] *= 1 - q
            lines += over[1:]
        most = len(MARKETS[TOTAL_BASES].lines)
        state = [1.0] + [0.0] * 4 * TURNS
        over = [0.0] * (most + 1)
        for turn, stay in zip(turns, stays, strict=True):
            worth = [turn[index[o]] for o in HITS]
            for j in range(1, most + 1):
                for s in range(j):
                    over[j] += stay * state[s] * sum(worth[j - s - 1 :])
            none = 1 - sum(worth)
            state = [
                state[s] * none + sum(state[s - b] * worth[b - 1] for b in range(1, 5) if s >= b)
                for s in range(len(state))
            ]
        found.append(lines + over[1:])
    return found


def arrays(p: np.ndarray, reach: np.ndarray) -> list[np.ndarray]:
    """The full distributions of those markets, by the functions that a slate is projected with."""
    edges = np.concatenate([np.ones((len(p), 1)), reach, np.zeros((len(p), 1))], axis=1)
    tries = edges[:, :-1] - edges[:, 1:]
    return list(batter_sums(list(SUMMED), p, tries).values())


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


def measure(work: Callable[[], object], rounds: int) -> tuple[list[float], list[float]]:
    """Return the wall and the processor seconds of each round, after one to warm up."""
    work()
    walls, cpus = [], []
    for _ in range(rounds):
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return walls, cpus


def rates(table: Table, name: str, amount: int, work: Callable[[], object], rounds: int, **more: object) -> float:
    """Add a row of millions per second; return the rate per second of processor time."""
    walls, cpus = measure(work, rounds)
    core = amount / min(cpus)
    table.row(
        name,
        [amount / wall / 1e6 for wall in walls],
        **{"size": f"{amount:,}", "M/s per core": f"{core / 1e6:.2f}", **more},
    )
    return core


def bandwidth(rounds: int) -> float:
    """Bytes per second that one copy of a large array moves, read and written."""
    large = np.ones(32_000_000)
    target = np.empty_like(large)
    walls, _ = measure(lambda: np.copyto(target, large), rounds)
    return 2 * large.nbytes / min(walls)


def recorded(folder: Path, last: dt.date) -> pl.DataFrame:
    """Tallies of the recorded seasons from 2024 to a day: the pitches that the recorded upstream serves, all files merged."""
    pitches = Pitches(folder / "savant" / "pitches")
    parts = []
    for year in range(FIRST_SEASON, last.year + 1):
        for month in range(3, 11):
            first = dt.date(year, month, 1)
            raw = pitches.days(first, min(dt.date(year, month + 1, 1) - dt.timedelta(days=1), last))
            if first <= last and len(raw):
                columns = [
                    (pl.col(c.upstream or c.name) if (c.upstream or c.name) in raw.columns else pl.lit(None))
                    .cast(c.dtype, strict=False)
                    .alias(c.name)
                    for c in PITCHES.columns
                ]
                parts.append(tally(raw.select(columns)))
    return pl.concat(parts)


def kernel(report: Report, rounds: int) -> None:
    """The batters' lines from their plate appearances, row by row and as every slate does it, beside memory's limit."""
    title = f"Props kernel: {LINES} lines of a batter, {len(SUMMED)} markets"
    table = report.table("kernel", title, unit="M props/s", better="more")
    given = chances(2_000)
    rates(table, "Python, row by row", 2_000 * LINES, lambda: per_row(*given), rounds)
    for batters in (300, 20_000):
        players = chances(batters)
        name = "NumPy, whole distributions" + (f", a slate of {batters}" if batters < 1_000 else "")
        rates(table, name, batters * LINES, lambda players=players: arrays(*players), rounds)
    cells = TURNS * len(OUTCOMES) + TURNS + sum(MARKETS[key].highest + 2 for key in SUMMED)
    touched = cells * ITEM_BYTES / LINES
    moved = bandwidth(rounds)
    reached = f"{table.rows[-1].median * 1e6 * touched / moved:.0%} of it reached"
    table.row(
        "what memory would allow",
        moved / touched / 1e6,
        size=f"{touched:.0f} bytes a prop at {moved / 1e9:.1f} GB/s, {reached}",
    )


def generating(report: Report, rounds: int) -> None:
    """A slate's features to its rows of props: every market, ids, lines, calibrated probabilities, fair prices."""
    features = api.frames()["features"][:300]
    table = report.table("rows", "A slate's rows of props from its features: 300 players", unit="ms")
    walls, cpus = measure(lambda: generate(features), 3 * rounds)
    rows, core = f"{generate(features).height:,}", f"{min(cpus) * 1e3:.1f}"
    table.row("generate", [wall * 1e3 for wall in walls], rows=rows, **{"processor ms": core})


def pricing(report: Report, rounds: int) -> None:
    """One slate priced again, and a season's worth from quotes to Parquet."""
    props, quotes = slate(300, 14, 10)
    table = report.table("slate", "One slate priced again: 300 players x 14 markets x 10 books", unit="ms")
    walls, cpus = measure(lambda: price(props, quotes), 3 * rounds)
    table.row("price", [wall * 1e3 for wall in walls], **{"processor ms": f"{min(cpus) * 1e3:.1f}"})
    props, quotes = slate(20_000, 14, 2)
    table = report.table(
        "quotes", "Two books joined, de-vigged, EV, Kelly, Parquet", unit="M two-sided quotes/s", better="more"
    )
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "props.parquet"

        def end_to_end() -> None:
            price(props, quotes).write_parquet(target, compression="lz4", statistics=False)

        rates(table, "price and write", quotes.height // 2, end_to_end, rounds)


def season(report: Report, folder: Path) -> None:
    """The walk through May to July 2025: every day's features and props from the days before it."""
    first, last = dt.date(2025, 5, 1), dt.date(2025, 7, 31)
    tallies = recorded(folder, last)
    table = report.table("walk", f"Walk-forward {first} to {last}, lake to predictions", unit="s")
    wall, cpu = time.perf_counter(), time.process_time()
    predicted = backtest.run(tallies, first, last)
    seconds, worked = time.perf_counter() - wall, time.process_time() - cpu
    table.row("walk", seconds, predictions=f"{predicted.height:,}", **{"processor s": f"{worked:.1f}"})


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__, rounds=5)
    parser.add_argument("--recorded", type=Path, default=RECORDED, help="folder of recordings")
    given = parser.parse_args()
    report = Report("props_kernel", given.record)
    kernel(report, given.rounds)
    generating(report, given.rounds)
    pricing(report, given.rounds)
    if (given.recorded / "savant" / "pitches").is_dir():
        season(report, given.recorded)
    report.close()


if __name__ == "__main__":
    main()
