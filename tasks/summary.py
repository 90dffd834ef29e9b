"""The result of a refresh: counts that add up, gaps that are named; shown as artifacts of the run."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.runtime import flow_run
from prefect.states import Completed

from backstop.stages.house import House
from backstop.stages.outcome import Gap, Outcome
from tasks import artifacts
from tasks.runs import run_id, say, tell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prefect.client.schemas.objects import State

    from backstop.store.loader import Published

GAPS_SHOWN = 50
TOP_PROPS = 20
ROW_SHOWN = 1500
"""Characters of a quarantined row."""


@dataclass(frozen=True)
class SlateSummary:
    """What a refresh came to.

    Attributes:
        day: The slate.
        run_id: The flow run.
        version: Published version; `None` on an off day.
        outcomes: Rows by table: in, loaded, quarantined, in failed batches.
        gaps: What is missing, named.
        note: Why nothing was published, when nothing was.
    """

    day: dt.date
    run_id: str
    version: int | None
    outcomes: tuple[Outcome, ...]
    gaps: tuple[Gap, ...] = ()
    note: str = ""

    @property
    def notes(self) -> tuple[str, ...]:
        """What is worth knowing and is no gap: a feed that another one stood in for, names that were recognised."""
        return tuple(dict.fromkeys(note for outcome in self.outcomes for note in outcome.notes))

    @property
    def quality(self) -> str:
        """`complete`, `degraded` or `empty`."""
        if self.version is None:
            return "empty"
        return "degraded" if self.gaps else "complete"


@dataclass(frozen=True)
class HistorySummary:
    """What fetching history came to: rows by table, and the days that are missing, named."""

    until: dt.date
    outcomes: tuple[Outcome, ...]
    gaps: tuple[Gap, ...]


@task(name="report", task_run_name="report slate {day}", cache_policy=NO_CACHE)
def report_slate(
    day: dt.date, published: Published | None, outcomes: Sequence[Outcome], gaps: Sequence[Gap], note: str = ""
) -> SlateSummary:
    """Put the run's artifacts beside it: a validation report per table, the slate's best prices, the counts."""
    version = published.version if published else None
    summary = SlateSummary(day, run_id(), version, tuple(outcomes), tuple(gaps), note)
    for outcome in outcomes:
        described = f"{outcome.table} of {day}: {outcome.loaded:,} of {outcome.rows_in:,} rows passed"
        artifacts.markdown(
            f"validation-{outcome.table.replace('_', '-')}", validation_markdown(day, outcome), described
        )
    artifacts.markdown("slate-summary", summary_markdown(summary), f"Slate {day}: {summary.quality}")
    if address := House.current().settings.board_url:
        artifacts.link("board", address, "The board", f"Slate {day} as readers see it")
    if version is not None:
        top = House.current().reader.props(day, limit=TOP_PROPS).select(PROP_COLUMNS)
        artifacts.table("slate-best-prices", top.to_dicts(), f"Best-priced props of {day}")
    if summary.quality == "degraded" and flow_run.id:
        tell("degraded", day, f"The slate of {day} is published with {len(gaps)} gaps: {gaps[0].key}: {gaps[0].reason}")
    say(f"Slate {day} is {summary.quality}{f', version {version}' if version else ''}; {len(gaps)} gaps.")
    return summary


PROP_COLUMNS = (
    "player_name", "team", "opponent", "market", "line", "prob_over", "best_side", "best_book", "best_price_decimal",
    "ev_per_unit", "edge", "edge_band",
)  # fmt: skip


def validation_markdown(day: dt.date, outcome: Outcome) -> str:
    """Write one table's validation as markdown: counts, broken rules, drift, the worst rows, gaps."""
    lines = [
        f"# {outcome.table} · {day}",
        "",
        "| rows in | loaded | quarantined | in failed batches |",
        "| ---: | ---: | ---: | ---: |",
        f"| {outcome.rows_in:,} | {outcome.loaded:,} | {outcome.quarantined:,} | {outcome.failed:,} |",
        "",
    ]
    if outcome.rules:
        lines += ["| broken rule | rows |", "| --- | ---: |"]
        lines += [f"| {rule} | {rows:,} |" for rule, rows in sorted(outcome.rules.items(), key=lambda each: -each[1])]
    else:
        lines.append("Every rule held for every row.")
    if outcome.drift:
        lines += ["", "**Columns drifted**: " + "; ".join(outcome.drift)]
    if outcome.worst:
        lines += ["", f"**The worst of {outcome.quarantined:,} quarantined rows**"]
    for each in outcome.worst:
        lines += ["", f"{each.rule}: {each.reason}", "", "```json", each.row[:ROW_SHOWN], "```"]
    lines += _gap_lines(outcome.gaps)
    return "\n".join(lines)


def summary_markdown(summary: SlateSummary) -> str:
    """Write the whole run as markdown: state, counts by table, gaps."""
    lines = [
        f"# Slate {summary.day} · {summary.quality}",
        "",
        f"Version {summary.version}." if summary.version else f"Nothing published: {summary.note}.",
        "",
        "| table | rows in | loaded | quarantined | in failed batches |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {each.table} | {each.rows_in:,} | {each.loaded:,} | {each.quarantined:,} | {each.failed:,} |"
        for each in summary.outcomes
    ]
    if summary.notes:
        lines += ["", *(f"- {note}" for note in summary.notes)]
    return "\n".join(lines + _gap_lines(summary.gaps))


def _gap_lines(gaps: Sequence[Gap]) -> list[str]:
    if not gaps:
        return []
    lines = ["", f"**{len(gaps)} gaps**", "", "| table | what | why |", "| --- | --- | --- |"]
    lines += [
        f"| {gap.table} | {artifacts.cell(gap.key)} | {artifacts.cell(gap.reason)} |" for gap in gaps[:GAPS_SHOWN]
    ]
    if len(gaps) > GAPS_SHOWN:
        lines.append(f"| | and {len(gaps) - GAPS_SHOWN} more | |")
    return lines


def all_gaps(outcomes: Sequence[Outcome], *lost: Sequence[Gap]) -> list[Gap]:
    """Return every gap of a run once, in the order in which the stages met them."""
    named = [gap for outcome in outcomes for gap in outcome.gaps]
    return list(dict.fromkeys([*named, *(gap for gaps in lost for gap in gaps)]))


NOTHING: dict[str, str] = {"history": "NoHistory", "still to begin": "AllBegun", "another run": "Overtaken"}
"""Names of the final state when nothing was published, by words of the note."""


def finished(summary: SlateSummary) -> State[SlateSummary]:
    """Return the final state of the flow: completed, and named for what it is worth."""
    nothing = next((name for words, name in NOTHING.items() if words in summary.note), "NoGames")
    names = {"complete": "Completed", "degraded": "Degraded", "empty": nothing}
    message = summary.note or f"version {summary.version}, {len(summary.gaps)} gaps"
    return Completed(name=names[summary.quality], message=message, data=summary)
