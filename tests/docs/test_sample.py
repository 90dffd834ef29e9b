"""What README says that `make run` prints is what the command prints of such a run: headings, columns, words, numbers' form."""

from __future__ import annotations

import datetime as dt
import io
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
from rich.console import Console

from backstop.cli import tables
from backstop.identity.match import Matched
from backstop.props.markets import MARKETS
from backstop.settings import Settings
from backstop.stages.outcome import Gap, Outcome, Refused
from backstop.store.views import SlateView, State
from deployments import show
from deployments.server import PrefectServer
from expectations.quotes import quotes_suite
from tasks.summary import SlateSummary

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
SAMPLE = README.partition("It ends like this:\n\n```text\n")[2].partition("```")[0].splitlines()
LEFT_OUT = re.compile(r"^\(\w+ more\)$|^[╭╰]")
DAY = dt.date(2025, 5, 2)


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in re.split("[│┃]", line.strip("│┃ \n"))]


def plain(line: str) -> str:
    return " | ".join(cells(line)) if re.match("[│┃]", line) else line.strip()


def number(text: str) -> float:
    return float(text.replace(",", "").replace("−", "-"))


def rows(columns: int) -> list[list[str]]:
    """The sample's lines of a table with so many columns, without its heading."""
    return [cells(line) for line in SAMPLE if line.startswith("│") and len(cells(line)) == columns][1:]


def row_of(shown: list[str]) -> dict[str, Any]:
    """The prop that a line of the sample shows."""
    player, market, line, over, fair_over, fair_under, best, ev, edge = shown
    name, team = re.fullmatch(r"(.+) \((\w+)\)", player).groups()
    side, price, book = best.split()
    return {
        "player_name": name, "team": team, "line": number(line), "prob_over": number(over), "ev_per_unit": number(ev),
        "market": next(key for key in MARKETS if key.replace("_", " ").removeprefix("batter ") == market),
        "fair_over_decimal": number(fair_over), "fair_under_decimal": number(fair_under), "best_side": side,
        "best_book": book, "best_price_decimal": number(price), "edge": number(edge.split(" ± ")[0]),
        "edge_band": number(edge.split(" ± ")[1].removesuffix(" none")), "kelly_quarter": 0.01,
    }  # fmt: skip


def missing() -> list[Gap]:
    told = [line.removeprefix("missing ") for line in SAMPLE if line.startswith("missing ")]
    return [Gap(each.split(" ", 1)[0], *each.split(" ", 1)[1].split(": ", 1)) for each in told]


def refused() -> Refused:
    rule = next(each for each in quotes_suite(DAY).expectations if each.meta["rule"] == "player is known")
    row = "".join(re.sub(r"^│ | *│$", "", line).strip() for line in SAMPLE if line.startswith(("│ player is", '│ "')))
    return Refused(rule.meta["rule"], rule.meta["reason"], row.partition(" — ")[2])


@pytest.fixture(scope="module")
def printed() -> list[str]:
    """What the command prints of a run with the sample's numbers."""
    heading = re.search(r"version (\d+) · (\w+), 0 s old · (\w+) · (\d+) games · ([\d,]+) props", SAMPLE[0])
    meta = {"quality": heading[3], "games": [{}] * int(heading[4])}
    props_count = int(number(heading[5]))
    view = SlateView(DAY, State(heading[2]), int(heading[1]), 0.0, meta=meta, props_count=props_count)
    best = [row_of(each) for each in rows(9)]
    others = [best[-1] | {"kelly_quarter": None}] * (props_count - len(best))
    house = SimpleNamespace(
        reader=SimpleNamespace(
            slate=lambda _: view, props=lambda _: pl.DataFrame([*best, *others], infer_schema_length=None)
        )
    )
    pairs = re.search(r"^([\d.]+)% of (\d+) quoted .*: (.+)$", "\n".join(SAMPLE), re.MULTILINE)
    report = pl.DataFrame({"player_id_mlbam": [None, *range(1, int(pairs[2]))], "player_name": pairs[3], "reason": "-"})
    unmatched = Matched(pl.DataFrame(), report, 1 / int(pairs[2])).sentence()
    counts = [(name, *(int(number(each)) for each in numbers)) for name, *numbers in rows(5)]
    outcomes = [Outcome(name, 1, *numbers) for name, *numbers in counts]
    outcomes.append(Outcome("core_nothing", worst=(refused(),), notes=(unmatched,)))
    named = missing()
    gaps = int(re.search(r"(\d+) gaps named above", "\n".join(SAMPLE))[1])
    summary = SlateSummary(DAY, "r", 1, tuple(outcomes), (*named, *[named[-1]] * (gaps - len(named))))
    page = re.search(r"^run page  (\S+)$", "\n".join(SAMPLE), re.MULTILINE)[1]
    console = Console(file=io.StringIO(), width=tables.WIDTH)
    show.result(console, house, summary, page, number(re.search(r"; ([\d.]+) s$", "\n".join(SAMPLE), re.MULTILINE)[1]))
    server = PrefectServer("http://127.0.0.1:1/api", SimpleNamespace())
    show.afterwards(console, Settings(_env_file=None, home=Path(".backstop/demo")), server, DAY, keep=False)
    return [plain(line) for line in console.file.getvalue().splitlines()]


def as_shown() -> list[str]:
    """The lines of the sample that stand for themselves: nothing cut out of them, no sentence of another step."""
    whole = [line for line in SAMPLE if not LEFT_OUT.match(line) and "..." not in line]
    return [line for line in whole if "have no projection" not in line]


def test_the_sample_is_long_enough_to_say_something():
    assert len(as_shown()) >= 22
    assert len(rows(9)) == 3
    assert len(rows(5)) == 7


@pytest.mark.parametrize("line", as_shown())
def test_every_line_of_the_sample_is_printed_today(printed, line):
    assert plain(line) in printed


def test_the_quarantined_row_is_introduced_as_the_sample_shows(printed):
    begins = next(plain(line) for line in SAMPLE if line.startswith("│ player is known"))[:80]
    assert any(line.startswith(begins) for line in printed)
    assert any("a quarantined row" in line for line in printed)


def test_the_counts_of_the_sample_add_up():
    assert all(number(row[1]) == sum(number(each) for each in row[2:]) for row in rows(5))


def test_all_that_is_left_out_of_the_sample_is_counted():
    more = {"one": 1, "five": 5, "nine": 9}
    left = [more[line.strip("()").split()[0]] for line in SAMPLE if re.fullmatch(r"\(\w+ more\)", line)]
    gaps = int(next(found[1] for line in SAMPLE if (found := re.search(r"(\d+) gaps named above", line))))
    assert left == [show.TOP - len(rows(9)), gaps - len(missing())]
