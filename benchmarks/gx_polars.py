"""Great Expectations on Polars beside the pandas engine, pandera, pointblank, dataframely and a hand-written `select`.

    python -m benchmarks.gx_polars                                  # everything, about ten minutes
    python -m benchmarks.gx_polars --rows 50 2500 --rounds 1        # small tables only
    python -m benchmarks.gx_polars --peers-python /path/bin/python  # the peers from an environment that is there

26 checks on 20 columns, 50 to a million rows, clean and with 1 % of rows spoilt for each of ten checks. Each tool runs in a
process of its own, one process at a time, after a warm-up on 50 rows; the tools take turns within a round, so that a busy
minute of the machine falls on all of them. Ratios are to the hand-written `select` of the same rounds, of the medians,
of the best runs and of the processor time of all threads; on a machine with other work only the last two mean anything. The peak is what one
validation adds to the resident memory of the process with the table loaded. The peers live in `.bench-venv`, made from
`benchmarks/peers.txt`; without them their lines are left out, and it is said so.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.gx_polars_table import write
from benchmarks.gx_polars_tools import PEERS, TOOLS

ROOT = Path(__file__).resolve().parents[1]
LIMIT = "hand-written select"
RUNS = {50: 21, 2_500: 21, 100_000: 9, 1_000_000: 5}
ON_CLEAN_ONLY = {"gx_polars.validate, scan"}


@dataclass
class Measured:
    """What one tool needed for one table, over all rounds."""

    ms: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)
    peak_mb: list[float] = field(default_factory=list)
    failed: int = -1

    @property
    def median(self) -> float:
        return statistics.median(self.ms)

    @property
    def best(self) -> float:
        return min(self.ms)

    @property
    def cpu(self) -> float:
        return statistics.median(self.cpu_ms)


def peers_python(given: Path | None, console: Console) -> Path | None:
    """The interpreter with the peers, made on first use; None (and a line that says why) where it cannot be made."""
    if given is not None:
        return given
    folder = ROOT / ".bench-venv"
    python = folder / "bin" / "python"
    if not python.exists():
        console.print(f"Making {folder.name} from benchmarks/peers.txt ...")
        venv.create(folder, with_pip=True)
        command = [str(python), "-m", "pip", "install", "--quiet", "-r", str(ROOT / "benchmarks" / "peers.txt")]
        if subprocess.run(command, check=False).returncode != 0:
            console.print(
                "The peers could not be installed: pandera, pointblank, dataframely, arrow-backed pandas left out."
            )
            return None
    return python


def run_tool(python: Path, tool: str, path: Path, runs: int) -> dict[str, object]:
    """One process: one tool on one table."""
    command = [str(python), "-m", "benchmarks.gx_polars_tools", tool, str(path), str(runs)]
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}", "TQDM_DISABLE": "1"}
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT, env=environment)
    if done.returncode != 0:
        raise RuntimeError(f"{tool} on {path.name} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    answer: dict[str, object] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer


def measure(
    tools: list[str], path: Path, runs: int, rounds: int, peers: Path | None, console: Console
) -> dict[str, Measured]:
    """Every tool on one table, in turns."""
    measured: dict[str, Measured] = {}
    for tool in tools * rounds:
        python = peers if tool in PEERS else Path(sys.executable)
        if python is None or (tool in ON_CLEAN_ONLY and path.name.startswith("dirty")):
            continue
        answer = run_tool(python, tool, path, runs)
        into = measured.setdefault(tool, Measured())
        print(f"{path.stem} {tool}: best {min(answer['ms']):,.1f} ms", file=sys.stderr, flush=True)
        into.ms += answer["ms"]
        into.cpu_ms += answer["cpu_ms"]
        into.peak_mb += [answer["peak_mb"]] if answer["peak_mb"] is not None else []
        into.failed = answer["failed"]
    counts = {tool: each.failed for tool, each in measured.items()}
    if len(set(counts.values())) > 1:
        console.print(f"[yellow]The tools do not agree on how many checks fail on {path.stem}: {counts}")
    return measured


def table(title: str, measured: dict[str, Measured]) -> Table:
    """One table: tool, median, best and worst run and processor time with ratios to the limit, peak memory."""
    made = Table(title=title, title_justify="left")
    for heading in (
        "tool",
        "median ms",
        "x limit",
        "best ms",
        "x limit",
        "worst ms",
        "processor ms",
        "x limit",
        "peak MB above the frame",
        "checks failed",
    ):
        made.add_column(heading, justify="left" if heading == "tool" else "right")
    limit = measured.get(LIMIT)
    for tool, each in measured.items():
        of_median = f"{each.median / limit.median:.2f}" if limit else "-"
        of_best = f"{each.best / limit.best:.2f}" if limit else "-"
        peak = f"{statistics.median(each.peak_mb):,.0f}" if each.peak_mb else "-"
        of_cpu = f"{each.cpu / limit.cpu:.2f}" if limit else "-"
        times = (f"{each.median:,.1f}", of_median, f"{each.best:,.1f}", of_best, f"{max(each.ms):,.1f}")
        times += (f"{each.cpu:,.1f}", of_cpu)
        made.add_row(tool, *times, peak, str(each.failed))
    return made


def summary(found: dict[tuple[str, int], dict[str, Measured]], tools: list[str]) -> Iterator[str]:
    """The table of the README in Markdown: median milliseconds and peak of every tool for every table."""
    sizes = [f"{rows:,}{' dirty' if kind == 'dirty' else ''}" for kind, rows in found]
    yield f"| Tool | {' | '.join(sizes)} | peak MB |"
    yield f"| --- |{' ---: |' * (len(sizes) + 1)}"
    largest = max(found, key=lambda each: (each[1], each[0] == "clean"))
    for tool in tools:
        cells = [_short(measured[tool].median) if tool in measured else "" for measured in found.values()]
        peak = found[largest].get(tool, Measured()).peak_mb
        if any(cells):
            yield f"| {tool} | {' | '.join(cells)} | {f'{statistics.median(peak):,.0f}' if peak else ''} |"


def _short(ms: float) -> str:
    return f"{ms:,.1f}" if ms < 10 else f"{ms:,.0f}"


def machine() -> Iterator[str]:
    model = next((line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if "model name" in line), "?")
    memory = next((int(line.split()[1]) >> 20 for line in _lines("/proc/meminfo") if "MemTotal" in line), 0)
    yield f"{os.cpu_count()} x {model}, {memory} GB, {platform.system()} {platform.release()}"
    yield f"Python {platform.python_version()}, load {', '.join(f'{each:.1f}' for each in os.getloadavg())}"


def _lines(path: str) -> list[str]:
    return Path(path).read_text(encoding="utf-8").splitlines() if Path(path).exists() else []


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=list(RUNS))
    parser.add_argument("--data", nargs="+", choices=["clean", "dirty"], default=["clean", "dirty"])
    parser.add_argument("--tools", nargs="+", choices=list(TOOLS), default=list(TOOLS))
    parser.add_argument("--rounds", type=int, default=2, help="processes for each tool and table")
    parser.add_argument("--peers-python", type=Path, help="an interpreter that has benchmarks/peers.txt installed")
    return parser.parse_args()


def main() -> None:
    asked, console = arguments(), Console(width=170)
    peers = peers_python(asked.peers_python, console) if PEERS & set(asked.tools) else None
    for line in machine():
        console.print(line)
    found: dict[tuple[str, int], dict[str, Measured]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for kind in asked.data:
            for rows in asked.rows:
                runs = RUNS.get(rows, 5)
                path = write(Path(folder), rows, kind)
                measured = found[kind, rows] = measure(asked.tools, path, runs, asked.rounds, peers, console)
                title = f"{kind}, {rows:,} rows x 20 columns, 26 checks; N = {runs} x {asked.rounds} processes"
                console.print(table(title, measured))
    print(*summary(found, asked.tools), sep="\n")


if __name__ == "__main__":
    main()
