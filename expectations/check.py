"""Apply a suite to rows: which pass, which go to quarantine under which rule, what blocks the table."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

import gx_polars
from backstop.sources.parsed import NOT_WRONG, REJECTED, raw_text
from backstop.stages.keep import Checked
from expectations.rules import version_of

if TYPE_CHECKING:
    import great_expectations as gx

    from backstop.sources.parsed import Parsed
    from backstop.stages.receive import Received

LARGEST_REJECTED_SHARE = 0.25
"""When more rows than this break row rules, the feed or the rules have changed: the table is blocked."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule that did not hold.

    Attributes:
        rule: Its name.
        reason: Why the rule exists.
        severity: `critical` or `warning`.
        rows: Rows that break it; 0 for a rule about the table as a whole.
        observed: What was seen, in words.
        evaluated: Whether the rule could be evaluated at all; one that could not did not hold.
    """

    rule: str
    reason: str
    severity: str
    rows: int
    observed: str
    evaluated: bool = True

    def sentence(self) -> str:
        """Say what was expected, what was seen, and why it matters."""
        return f"expected {self.rule}, saw {self.observed} ({self.reason})"


@dataclass(frozen=True)
class Verdict:
    """What a suite says of rows.

    Attributes:
        rows_in: Rows given.
        kept: Rows that break no critical row rule.
        rejected: The others: `row` (JSON), `rule`, `reason`.
        broken: Every rule that did not hold, warnings too.
        checked: Number of rules evaluated.
    """

    rows_in: int
    kept: pl.DataFrame
    rejected: pl.DataFrame
    broken: tuple[Broken, ...]
    checked: int

    @classmethod
    def unjudged(cls, frame: pl.DataFrame) -> Verdict:
        """Return what is said of rows for which there are no rules."""
        return cls(frame.height, frame, pl.DataFrame(schema=REJECTED), (), 0)

    @property
    def blocked(self) -> tuple[str, ...]:
        """Sentences of critical rules about the table that did not hold."""
        return tuple(each.sentence() for each in self.broken if each.severity == "critical" and not each.rows)

    @property
    def degraded(self) -> tuple[str, ...]:
        """Sentences of other rules about the table that did not hold."""
        return tuple(each.sentence() for each in self.broken if each.severity != "critical" and not each.rows)

    @property
    def rules(self) -> dict[str, int]:
        """Rows by broken row rule; warnings are marked."""
        return {
            each.rule if each.severity == "critical" else f"warning: {each.rule}": each.rows
            for each in self.broken
            if each.rows
        }


def check(frame: pl.DataFrame, suite: gx.ExpectationSuite) -> Verdict:
    """Apply a suite to the rows of one table.

    Rows that break a critical row rule are rejected with every such rule named. A rule with `mostly` also speaks of
    the table: when fewer rows hold than it asks, it blocks.
    """
    result = gx_polars.validate(frame, suite, result_format="SUMMARY")
    broken = tuple(_broken(each) for each in result.results if not each.success or _rows(each))
    critical = [each for each in broken if each.rows and each.severity == "critical"]
    # a critical rule that could not be evaluated blocks the table: which rows break it cannot be told then
    unknown = any(each.severity == "critical" and not each.evaluated for each in broken)
    kept, rejected = (
        (frame, pl.DataFrame(schema=REJECTED)) if unknown or not critical else _split(frame, suite, critical)
    )
    share = rejected.height / max(frame.height, 1)
    excess = tuple(_missed_mostly(result)) + (_too_many(share) if share > LARGEST_REJECTED_SHARE else ())
    return Verdict(frame.height, kept, rejected, broken + excess, len(result.results))


def judge(received: Received, suite: gx.ExpectationSuite | None) -> Checked:
    """Apply a table's suite to received rows; of a table without one the parser's own rules are all there are.

    Rows that the parser rejected stay rejected.
    """
    parsed = received.parsed
    verdict = Verdict.unjudged(parsed.frame) if suite is None else check(parsed.frame, suite)
    return Checked(
        table=received.table,
        day=received.day,
        rows_in=parsed.rows_in,
        kept=verdict.kept,
        rejected=parsed.rejected.vstack(verdict.rejected),
        blocked=verdict.blocked + unreadable(parsed),
        degraded=verdict.degraded,
        rules={**parsed.rejected_by_rule, **verdict.rules},
        drift=(parsed.drift.sentence(),) if parsed.drift else (),
        raw_ref=received.raw_ref,
        suite_version="" if suite is None else version_of(suite),
    )


def unreadable(parsed: Parsed) -> tuple[str, ...]:
    """Return the sentence that blocks a table of whose rows too many could not even be parsed; empty otherwise."""
    wrong = sum(rows for rule, rows in parsed.rejected_by_rule.items() if rule not in NOT_WRONG)
    share = wrong / max(parsed.rows_in, 1)
    return tuple(each.sentence() for each in _too_many(share)) if share > LARGEST_REJECTED_SHARE else ()


def _rows(outcome: Any) -> int:
    """Return the rows that break the rule, 0 for a rule about the table."""
    result = outcome.result or {}
    counted = "observed_value" if _condition(outcome) else "unexpected_count"
    return int(result.get(counted) or 0)


def _condition(outcome: Any) -> str | None:
    """Return the SQL condition of a rule that no row may meet, `None` for other rules."""
    condition: str | None = (outcome.expectation_config.meta or {}).get("never")
    return condition


def _failure(outcome: Any) -> str | None:
    """Return why a rule could not be evaluated, `None` when it was; the reason may stand under the metric's name."""
    info = outcome.exception_info or {}
    raised = [each for each in (info, *info.values()) if isinstance(each, dict) and each.get("raised_exception")]
    return str(raised[0].get("exception_message")).partition("\n")[0] if raised else None


def _broken(outcome: Any) -> Broken:
    config, result = outcome.expectation_config, outcome.result or {}
    meta = config.meta or {}
    return Broken(
        rule=meta.get("rule", config.type),
        reason=meta.get("reason", ""),
        severity=str(getattr(config.severity, "value", config.severity)),
        rows=_rows(outcome),
        observed=_observed(outcome, result),
        evaluated=_failure(outcome) is None,
    )


def _observed(outcome: Any, result: dict[str, Any]) -> str:
    if failure := _failure(outcome):
        return f"a rule that could not be evaluated: {failure}"
    if rows := _rows(outcome):
        examples = ", ".join(str(value) for value in (result.get("partial_unexpected_list") or [])[:3])
        return f"{rows} rows that break it, for example {examples}"
    if mismatched := result.get("details", {}).get("mismatched"):
        return "; ".join(f"{kind}: {', '.join(names)}" for kind, names in mismatched.items())
    return str(result.get("observed_value", "something else"))


def _split(
    frame: pl.DataFrame, suite: gx.ExpectationSuite, critical: list[Broken]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Separate the rows that break a critical rule."""
    reasons = {each.rule: each.reason for each in critical}
    metas = [each.meta for each in suite.expectations if each.meta]
    conditions = {each["rule"]: each["never"] for each in metas if "never" in each}
    rules = frame.select(
        pl.concat_list(
            gx_polars.row_mask(frame, suite, severity="critical"),
            *(
                pl.when(pl.sql_expr(condition)).then(pl.lit(rule))
                for rule, condition in conditions.items()
                if rule in reasons
            ),
        ).list.drop_nulls()
    ).to_series()
    bad = rules.list.len() > 0
    rejected = pl.DataFrame(
        {
            "row": [_json(row) for row in frame.filter(bad).iter_rows(named=True)],
            "rule": rules.filter(bad).list.join("; "),
            "reason": rules.filter(bad).list.eval(pl.element().replace_strict(reasons)).list.join("; "),
        },
        schema=REJECTED,
    )
    return frame.filter(~bad), rejected


def _json(row: dict[str, Any]) -> str:
    """Write a row as JSON; NaN and infinity, for which JSON has no number, as text: they are the evidence."""
    written = {
        name: str(value) if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in row.items()
    }
    return raw_text(written)


def _missed_mostly(result: Any) -> list[Broken]:
    """Return row rules with a `mostly` below one that fewer rows hold than it asks: they speak of the table."""
    missed = []
    for outcome in result.results:
        mostly = outcome.expectation_config.kwargs.get("mostly", 1.0)
        if not outcome.success and mostly < 1.0 and _rows(outcome):
            share = 100 - (outcome.result.get("unexpected_percent") or 0.0)
            meta = outcome.expectation_config.meta
            missed.append(
                Broken(f"{meta['rule']} in {mostly:.1%} of rows", meta["reason"], "critical", 0, f"{share:.1f}%")
            )
    return missed


def _too_many(share: float) -> tuple[Broken, ...]:
    return (
        Broken(
            f"at most {LARGEST_REJECTED_SHARE:.0%} of rows in quarantine",
            "more than that is another feed or another rule, not bad rows",
            "critical",
            0,
            f"{share:.1%}",
        ),
    )
