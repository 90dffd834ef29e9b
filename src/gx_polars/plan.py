"""The single pass: many asks become one `select`, and one more for those that need to look closer."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import polars as pl

from gx_polars.ask import Ask, Probe, Rows
from gx_polars.batch import PolarsBatchData
from gx_polars.errors import MetricFailed
from gx_polars.faults import Answers, Where, answers_apart

CollectEngine: TypeAlias = Literal["auto", "in-memory", "streaming"]


@dataclass(slots=True)
class Pass:
    """One group of probes over the same rows, and where each probe's values are found in the answer."""

    rows: Rows
    exprs: list[pl.Expr] = field(default_factory=list)
    slots: dict[Hashable, tuple[Probe, int, int]] = field(default_factory=dict)

    def add(self, probe: Probe) -> None:
        """Take up a probe unless an equal one is there."""
        if probe.key in self.slots:
            return
        start = len(self.exprs)
        self.exprs.extend(expr.alias(str(start + i)) for i, expr in enumerate(probe.exprs))
        self.slots[probe.key] = (probe, start, len(self.exprs))


@dataclass(frozen=True, slots=True)
class Outcome:
    """Values and failures of the metrics of one run, by metric id."""

    values: dict[Hashable, Any]
    failures: dict[Hashable, Exception]


class Plan:
    """Asks of one schema, grouped and aliased once, so that a run is a `select` and little else."""

    def __init__(self, asks: Mapping[Hashable, Ask]) -> None:
        self.asks = dict(asks)
        self.passes = _passes(self.asks)

    def run(self, batch: PolarsBatchData, engine: CollectEngine = "auto") -> Outcome:
        """Compute every ask on a batch.

        Args:
            batch: The data; its schema is the one the asks were made for.
            engine: The Polars engine for lazy frames.

        Returns:
            The values, and for each metric that could not be computed the error; one never hides another.
        """
        outcome = Outcome({}, {})
        asks, passes = self.asks, self.passes
        while asks:
            answers = _answers(passes, batch, engine)
            asks = _settle(asks, answers, outcome)
            passes = _passes(asks)
        return outcome


def _passes(asks: Mapping[Hashable, Ask]) -> list[Pass]:
    return _grouped((ask.probe.rows, ask.probe) for ask in asks.values())


def _grouped(wheres: Iterable[Where]) -> list[Pass]:
    groups: dict[Hashable, Pass] = {}
    for rows, probe in wheres:
        groups.setdefault(rows.key, Pass(rows)).add(probe)
    return list(groups.values())


def _settle(asks: Mapping[Hashable, Ask], answers: Answers, outcome: Outcome) -> dict[Hashable, Ask]:
    """Give each ask its answer; return those that answered with a further ask."""
    further: dict[Hashable, Ask] = {}
    for name, ask in asks.items():
        answer = answers[ask.probe.rows.key, ask.probe.key]
        if isinstance(answer, MetricFailed):
            outcome.failures[name] = answer
            continue
        try:
            value = ask.then(answer)
        except Exception as error:  # noqa: BLE001 - a user's function may raise anything
            outcome.failures[name] = error
            continue
        if isinstance(value, Ask):
            further[name] = value
        else:
            outcome.values[name] = value
    return further


def _answers(passes: list[Pass], batch: PolarsBatchData, engine: CollectEngine) -> Answers:
    try:
        return _in_one_pass(passes, batch, engine)
    except Exception as error:  # noqa: BLE001 - a user's function inside the plan may raise anything
        wheres = [(item.rows, probe) for item in passes for probe, _, _ in item.slots.values()]
        return answers_apart(
            wheres,
            batch,
            attempt=lambda some: _in_one_pass(_grouped(some), batch, engine),
            compute=lambda frame: frame.collect(engine=engine),
            error=error,
        )


def _in_one_pass(passes: list[Pass], batch: PolarsBatchData, engine: CollectEngine) -> Answers:
    frames = _collect([(item.rows, item.exprs) for item in passes], batch, engine)
    answers: Answers = {}
    for item, frame in zip(passes, frames, strict=True):
        values = [series[0] for series in frame.get_columns()]
        for key, (probe, start, stop) in item.slots.items():
            answers[item.rows.key, key] = _read(probe, values[start:stop], batch)
    return answers


def _read(probe: Probe, values: list[Any], batch: PolarsBatchData) -> Any:
    try:
        return probe.read(values, batch)
    except Exception as error:  # noqa: BLE001 - a user's function may raise anything
        return MetricFailed.of(error, batch)


def _collect(
    selections: list[tuple[Rows, list[pl.Expr]]], batch: PolarsBatchData, engine: CollectEngine
) -> list[pl.DataFrame]:
    if len(selections) == 1 and selections[0][0].keep is None and isinstance(batch.frame, pl.DataFrame):
        return [batch.frame.select(selections[0][1])]
    lazy = [rows.of(batch).select(exprs) for rows, exprs in selections]
    if len(lazy) == 1:
        return [lazy[0].collect(engine=engine)]
    return pl.collect_all(lazy, engine=engine)
