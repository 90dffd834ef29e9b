"""The validate tasks: one per table; rows that pass are kept, rows that do not go to quarantine with the rule."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl
from prefect import task
from prefect.cache_policies import NO_CACHE

from backstop import tables
from backstop.errors import DataError, LeaseHeld, UpstreamError, UpstreamUnavailable, ValidationFailed
from backstop.settings import Feed
from backstop.stages import carry, match, plan, receive, schedules
from backstop.stages.fetch import Fetched, FetchedBatch
from backstop.stages.house import House
from backstop.stages.keep import Checked, blocked, keep, sift, unread
from backstop.stages.outcome import Gap, Outcome, total
from backstop.stages.project import FEATURES, Sifted, Staged
from backstop.telemetry import Progress, emit
from expectations.check import check, judge
from expectations.features import features_suite
from expectations.games import games_suite
from expectations.pitches import pitches_suite
from expectations.players import box_suite, players_suite
from expectations.props import props_suite
from expectations.quotes import quotes_suite
from expectations.rules import version_of
from tasks import progress
from tasks.runs import report, run_id

if TYPE_CHECKING:
    from pathlib import Path

    import great_expectations as gx


@task(name="validate-games", task_run_name="validate schedule", cache_policy=NO_CACHE)
def validate_games(batches: list[FetchedBatch], day: dt.date) -> Outcome:
    """Check the schedule of every day that was asked for and keep it; days without games are marked as empty."""
    house, run = House.current(), run_id()
    kept = [keep(house, judge(each, games_suite()), run) for each in receive.games_by_day(house, batches)]
    plan.settle_schedule(house, receive.days_covered(batches), run, receive.stood_in(batches))
    outcome = total(tables.GAMES.name, [*kept, *_missed(tables.GAMES.name, batches)])
    progress.reached(day, "schedule")
    return report(outcome, "Schedule")


@task(
    name="validate-pitches",
    task_run_name="validate pitches · batch {number:02d}",
    cache_policy=NO_CACHE,
)
def validate_pitches(number: int, batch: FetchedBatch, day: dt.date) -> Outcome:
    """Check the pitches of each day in the batch against the rules and the schedule, and keep them."""
    house, run = House.current(), run_id()
    games = dict(schedules.finished_games(house, day).iter_rows())
    kept = []
    for each, answers in receive.answers_by_day(batch).items():
        kept.append(_kept_pitches(house, each, answers, games.get(each), run))
        emit(Progress("validate pitches", total=1, done=1, note=each.isoformat()))
    outcome = total(tables.PITCHES.name, [*kept, *_missed(tables.PITCHES.name, [batch])])
    return report(outcome, f"Pitches, batch {number}")


def _kept_pitches(house: House, day: dt.date, answers: list[Fetched], games: int | None, run: str) -> Outcome:
    """Keep one day of pitches; one that cannot be read, or that another run holds, is a gap and leaves the others."""
    try:
        received = receive.pitches_of(house, day, answers)
        return keep(house, receive.with_lacks(house, judge(received, pitches_suite(day, games))), run)
    except LeaseHeld as error:
        return Outcome(tables.PITCHES.name, keys=1, gaps=(Gap(tables.PITCHES.name, day.isoformat(), error.message),))
    except (DataError, UpstreamError) as error:
        return unread(house, tables.PITCHES.name, day, error, run)


@task(name="validate-players", task_run_name="validate line-ups", cache_policy=NO_CACHE)
def validate_players(batches: list[FetchedBatch], day: dt.date) -> tuple[Outcome, Outcome]:
    """Check rosters, line-ups and box-score lines of the day's games, and keep them.

    Without batches nobody was asked: the day stays in the lake as it is.

    Raises:
        UpstreamUnavailable: none of them came. What is kept stays, and nobody publishes it again as if it were of now.
    """
    outcomes = _kept_players(batches, day) if batches else (Outcome(tables.PLAYERS.name), Outcome(tables.BOX.name))
    progress.reached(day, "line-ups")
    return outcomes


@task(name="validate-box-scores", task_run_name="validate box scores of {day}", cache_policy=NO_CACHE)
def validate_box_scores(day: dt.date, batch: FetchedBatch) -> tuple[Outcome, Outcome]:
    """Check and keep what one batch brought of a day, in a run that works on many.

    Raises:
        UpstreamUnavailable: nothing came.
    """
    return _kept_players([batch], day)


def _kept_players(batches: list[FetchedBatch], day: dt.date) -> tuple[Outcome, Outcome]:
    house, run = House.current(), run_id()
    missed = [lost for batch in batches for lost in batch.missed]
    if missed and not any(batch.answers for batch in batches):
        raise UpstreamUnavailable(
            f"None of the {len(missed)} box scores of {day} came ({missed[0].sentence}), so nobody can say who plays. "
            "What is kept stays as it is; run the day again when the feed answers.",
            source=Feed.STATSAPI,
        )
    came, box = receive.box_scores(house, batches, day)
    players, box = carry.scores(house, came, box, receive.games_told(batches, came.parsed.frame), day)
    known = keep(house, judge(players, players_suite()), run)
    lines = keep(house, judge(box, box_suite()), run)
    plan.settle_scores(house, day, batches)
    untold = receive.games_untold(house, batches, came.parsed.frame, day)
    lost = [*_missed(tables.PLAYERS.name, batches), Outcome(tables.PLAYERS.name, gaps=untold)]
    return (
        report(total(tables.PLAYERS.name, [known, *lost]), "Players"),
        report(total(tables.BOX.name, [lines]), "Box scores"),
    )


@task(name="validate-quotes", task_run_name="validate quotes", cache_policy=NO_CACHE)
def validate_quotes(batches: list[FetchedBatch], day: dt.date, events: list[FetchedBatch]) -> Outcome:
    """Match quotes to games and players, check them, and keep them; a list of events that was missed is a gap too."""
    house, run = House.current(), run_id()
    names = match.matched_quotes(house, [*events, *batches], day)
    limit = house.settings.unmatched_names_limit
    checked = judge(carry.over(house, names.received, day), quotes_suite(day, 1.0 - names.borne(limit)))
    refused = names.refusal(limit)
    kept = keep(house, replace(checked, blocked=checked.blocked + refused), run)
    kept = replace(kept, notes=(names.sentence,) if names.matched.report.height else ())
    progress.reached(day, "quotes")
    return report(total(tables.QUOTES.name, [kept, *_missed(tables.QUOTES.name, [*events, *batches])]), "Quotes")


@task(
    name="validate-props",
    task_run_name="validate props · batch {number:02d}",
    cache_policy=NO_CACHE,
)
def validate_props(number: int, staged: Staged, day: dt.date) -> Sifted:
    """Check a batch's features and props; rows that break a rule are quarantined and never loaded."""
    features, no_features = _staged(day, FEATURES, staged.features, features_suite())
    props, no_props = _staged(day, tables.PROPS.name, staged.props, props_suite())
    report(features.balanced(), f"Features, batch {number}")
    report(props.balanced(), f"Props, batch {number}")
    emit(Progress("validate props", done=1, note=f"batch {number}"))
    return Sifted(staged, features, props, refused=no_features or no_props)


def _staged(day: dt.date, table: str, file: Path, suite: gx.ExpectationSuite) -> tuple[Outcome, str]:
    """Check a staged file of computed rows; return what became of them, and why none may be loaded."""
    rows = pl.read_parquet(file)
    verdict = check(rows, suite)
    checked = Checked(
        table=table,
        day=day,
        rows_in=rows.height,
        kept=verdict.kept,
        rejected=verdict.rejected,
        blocked=verdict.blocked,
        degraded=verdict.degraded,
        rules=verdict.rules,
        suite_version=version_of(suite),
    )
    try:
        return sift(House.current(), checked, file, run_id()), ""
    except ValidationFailed as error:
        return blocked(checked), error.message


def _missed(table: str, batches: list[FetchedBatch]) -> list[Outcome]:
    """Return what was not fetched as named gaps, and who answered instead of whom."""
    gaps = [Gap(table, lost.item.key, f"not fetched: {lost.sentence}") for batch in batches for lost in batch.missed]
    notes = tuple(dict.fromkeys(note for batch in batches for note in batch.notes))
    return [Outcome(table, gaps=tuple(gaps), notes=notes)] if gaps or notes else []
