"""Write docs/claims.md, the tables of both READMEs, docs/operations.md and docs/projections.md from what the benchmarks recorded: python -m benchmarks.claims [--check]

Each claim (`benchmarks.claimed`) names the benchmark, the table and the two rows that it rests on; one whose rows were
not recorded is listed as such, so that no figure outlives its measurement. `python -m benchmarks` calls this at its end.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from benchmarks import gx_polars_readme as validators
from benchmarks import projection_tables, promises, sizing_table
from benchmarks.claim import ELSEWHERE, Claim
from benchmarks.claimed import ALONE, CLAIMS, PEERS, PLAIN, REPLACED
from benchmarks.report import RESULTS, Stamp, read

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "claims.md"
README = ROOT / "README.md"
START, END = "<!-- measured: written by python -m benchmarks.claims -->", "<!-- end of measured -->"
LASTS_ALL = "about an hour on two quiet cores"
"""README.md, the Makefile and `python -m benchmarks --help` say it in the same words."""

LASTS = {
    "chaos": "200 seeds, half an hour to an hour",
    "fuzz": "15 minutes",
    "coverage": "about an hour",
    "kill_matrix": "10 minutes",
}
"""What is recorded beside the benchmarks, and how long it takes on two cores."""

INTRODUCTION = """\
# Claims

Every figure here was printed and recorded by the command beside it, which also writes this page anew. `make bench` runs all
that begin with `python -m benchmarks`: {hour}. The others run for themselves:
{others}.

Where nothing else is said, figures are medians with the lowest and the highest round in brackets, and a ratio is that of the
medians with our worst round against their best and our best against their worst in brackets. A peer that wins is shown as
winning.
"""

SAME = "The same rows, the same machine, the same run."
KEPT = "It measured none of it. *Kept* is what holds of ours, by the median and by the worst round."
ENVIRONMENTS = (
    f"{SAME} pybaseball and Feast have an environment each; GX with pandas, pandera, pointblank and dataframely share a third "
    "one and have a process each; ours runs in the project's."
)
SECTIONS: tuple[tuple[str, str, tuple[Claim, ...]], ...] = (
    ("What the system that Backstop replaces said", KEPT, REPLACED),
    ("Beside what one would write without it", SAME, PLAIN),
    ("Beside other tools", ENVIRONMENTS, PEERS),
    ("Figures that stand for themselves", "One run each, where no spread is given.", ALONE),
)

AGAINST_THE_MARKET = (
    "Strikeouts, the last quotes before the first pitch, de-vigged and averaged over the books; log loss and Brier "
    "score on the same rows (`python -m benchmarks props_market`). A positive difference: the market is better.\n"
)


def page() -> str:
    """Return the text of docs/claims.md."""
    others = ", ".join(f"`{ELSEWHERE[bench]}` ({lasts})" for bench, lasts in LASTS.items())
    parts = [INTRODUCTION.format(hour=LASTS_ALL, others=others)]
    for title, about, claims in SECTIONS:
        parts += [f"## {title}\n", *([f"{about}\n"] if about else []), *_table(claims), ""]
    parts += [*_market(), *_open(), "## Promises that are tests\n", *promises.lines(), "", *_taken()]
    return "\n".join(parts) + "\n"


def _table(claims: Iterable[Claim]) -> Iterator[str]:
    """Yield the lines of a table; its columns are those that its claims have."""
    claims = [claim for claim in claims if claim.recorded]
    said, compared = any(claim.said for claim in claims), any(claim.result() for claim in claims)
    yield _line("What", *(["It said"] if said else []), "Measured", *(["Result"] if compared else []), "Command")
    yield _line(*["---"] * (3 + said + compared))
    for claim in claims:
        before = [claim.said.text] if claim.said else []
        yield _line(claim.about, *before, claim.measured(), *([claim.result()] if compared else []), _command(claim))


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _command(claim: Claim) -> str:
    stamp = claim.found()[0].stamp
    elsewhere = stamp is not None and stamp.machine != usual()
    return f"`{claim.command}`{' (another machine)' if elsewhere else ''}"


def _market() -> list[str]:
    """Return the model beside the market on the recorded quotes, with the counts; nothing where it was not recorded."""
    lines = list(projection_tables.market())
    return ["## The model beside the market\n", AGAINST_THE_MARKET, *lines, ""] if lines else []


def _open() -> list[str]:
    """Return what is claimed nowhere because nothing was recorded."""
    waiting = [claim for claim in CLAIMS if not claim.recorded]
    if not waiting:
        return []
    lines = ["## Not recorded\n", "Written, and no figure is given until they were run on a quiet machine:\n"]
    by_command: dict[str, list[str]] = {}
    for claim in waiting:
        by_command.setdefault(claim.command, []).append(claim.about)
    return [*lines, *(f"- `{command}`: {'; '.join(abouts)}" for command, abouts in by_command.items()), ""]


def _stamps() -> Iterator[tuple[str, str, Stamp]]:
    for path in sorted(RESULTS.glob("*.json")):
        for table in read(path.stem).values():
            if table.stamp is not None:
                yield path.stem, table.key, table.stamp


def usual() -> str:
    """Return the machine of most tables."""
    machines = Counter(stamp.machine for _, _, stamp in _stamps())
    return machines.most_common(1)[0][0] if machines else ""


def _taken() -> Iterator[str]:
    """Yield when and where each table was measured; tables of a benchmark that have the same stamp in one line."""
    yield "## When and where\n"
    yield (
        f"{usual()}, where nothing else is said. A plus sign behind a commit: the code had changes that were not committed. Load: "
        "processes that wanted a core in the minute before the run and in its last one, the run's own among them.\n"
    )
    yield _line("Benchmark", "Tables", "Taken", "Commit", "Load", "Python and machine")
    yield _line(*["---"] * 6)
    groups: dict[tuple[str, Stamp], list[str]] = {}
    for bench, key, stamp in _stamps():
        groups.setdefault((bench, stamp), []).append(key)
    for (bench, stamp), keys in groups.items():
        every = len(keys) == len(read(bench))
        where = stamp.python if stamp.machine == usual() else f"{stamp.python}; **another machine**: {stamp.machine}"
        yield _line(bench, "all" if every else ", ".join(keys), stamp.taken, stamp.commit, stamp.load, where)


def readme() -> str:
    """Return the README with its table renewed."""
    rows = [_line("What", "Measured", "Result", "Command"), _line(*["---"] * 4)]
    for claim in CLAIMS:
        if claim.recorded and (claim.readme or claim.peer_wins):
            said = f" (said: {claim.said.text})" if claim.said else ""
            rows.append(
                _line(f"{claim.about}{said}", claim.measured(spread=False), claim.result(spread=False), _command(claim))
            )
    table_text = "\n".join([START, *rows, END])
    return re.sub(f"{re.escape(START)}.*?{re.escape(END)}", lambda _: table_text, README.read_text(encoding="utf-8"), flags=re.DOTALL)  # fmt: skip


def lost(benches: Iterable[str], folder: Path, left_out: Collection[str] = ()) -> list[str]:
    """Return what is missing of the claims on these benchmarks in a folder, those on tables that were left out apart."""
    asked = set(benches)
    wanted = (claim for claim in CLAIMS if claim.bench in asked and claim.table not in left_out)
    return [error for claim in wanted if (error := claim.missing(folder))]


def main() -> int:
    """Write both, or with `--check` say whether they are up to date."""
    pairs = (
        (PAGE, page()),
        (README, readme()),
        (validators.PAGE, validators.page()),
        (sizing_table.PAGE, sizing_table.page()),
        (projection_tables.PAGE, projection_tables.page()),
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
