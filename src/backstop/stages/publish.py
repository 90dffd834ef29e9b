"""Load and publish: rows into the slate's new version, then one atomic flip."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import polars as pl

from backstop import tables
from backstop.clock import DAY_STARTS_AT_HOUR, EASTERN, SystemClock
from backstop.errors import IncompleteVersion, LeaseHeld
from backstop.lake.closing import Closing
from backstop.lake.content import content_hash
from backstop.lake.entries import Counts
from backstop.stages import fits, made_of, rebuild, schedules
from backstop.stages.outcome import Gap, Outcome
from backstop.stages.project import FEATURES, served
from backstop.stages.taken import keep_terms
from backstop.telemetry import Progress, emit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backstop.stages.house import House
    from backstop.stages.project import Sifted, Staged
    from backstop.store.loader import Draft, Published

PROPS: Final = tables.PROPS.name

LARGEST_FAILED_SHARE = 0.5
"""A slate that lacks more than half of its batches is held back: the version before it serves readers better."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """Rows of a batch that stand in the draft."""

    number: int
    features: int
    props: int


def open_draft(house: House, day: dt.date, run_id: str) -> Draft:
    """Open a new version of the slate that no reader sees yet.

    Its cutoff is the instant up to which anything could be known for it: now, or the end of a day that is over. Now is
    by the server's clock, unless the day is a simulated one: of two machines the one whose clock runs ahead would keep
    the other from publishing, and one that runs behind could not publish itself.
    """
    now = house.writer.server_now(day) if isinstance(house.clock, SystemClock) else house.clock.now()
    over = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(DAY_STARTS_AT_HOUR), EASTERN)
    return house.writer.open(day, cutoff=min(now, over), run_id=run_id)


def load(house: House, draft: Draft, staged: Staged) -> Loaded:
    """Write a batch's rows into the draft."""
    loaded = _load(house, draft, staged)
    emit(Progress("load", total=1, done=1, note=f"batch {staged.number}"))
    return loaded


def _load(house: House, draft: Draft, staged: Staged) -> Loaded:
    features = house.writer.load(draft, "features", served(pl.read_parquet(staged.features)))
    props = house.writer.load(draft, "props", pl.read_parquet(staged.props))
    return Loaded(staged.number, features, props)


def publish(
    house: House,
    draft: Draft,
    day: dt.date,
    staged: Sequence[Staged],
    loaded: Sequence[Loaded],
    failed: int,
    gaps: Sequence[Gap],
    props: Outcome,
) -> Published:
    """Verify the draft, flip it, and keep what is published in the lake.

    The lake is written last: what it calls published was. A run that dies in between leaves the day open in the
    ledger; how it closes stands beside the rows, for `reconcile`, and the next run brings the lake up.

    Raises:
        IncompleteVersion: nothing was projected, or too many batches failed; the version before stays.
        LeaseHeld: another run has taken the day over; before the flip the version before stays, after it the lake is
            the other run's, and a day whose rows in the lake were mixed is to be done again.
        StoreError: Redis refused or holds less than was written; the version before stays.
    """
    expected = {"features": sum(each.features for each in loaded), "props": sum(each.props for each in loaded)}
    _require_enough(house, draft, expected["props"], len(loaded), failed, gaps)
    done = {each.number for each in loaded}
    kept = [each for each in staged if each.number in done]
    frames = {
        FEATURES: pl.concat(pl.read_parquet(each.features) for each in kept),
        PROPS: house.lake.ordered(PROPS, pl.concat(pl.read_parquet(each.props) for each in kept)),
    }
    closing = closing_of(draft.run_id, props, gaps).of(content_hash(frames[PROPS]))
    meta = {**meta_of(house, day, draft.run_id, failed, gaps), rebuild.CLOSING: closing.dump()}
    _hold_on(house, draft)
    try:
        published = house.writer.publish(draft, expected, meta)
    except IncompleteVersion:
        # a batch that failed half-way left rows that nobody counts, or Redis lost some: what is staged still stands
        draft = _loaded_again(house, draft, kept)
        _hold_on(house, draft)
        published = house.writer.publish(draft, expected, meta)
    # before the props: a day whose props are in the lake counts as done
    keep_terms(house, day, frames[PROPS], published)
    _hold_on(house, draft)
    for table, frame in frames.items():
        house.lake.write(table, day, frame)
    rebuild.remember(house, draft, published, meta)
    _own_up(house, draft)
    return published


def _require_enough(house: House, draft: Draft, props: int, loaded: int, failed: int, gaps: Sequence[Gap]) -> None:
    """Hold back a slate that has no props, or of which too many batches failed."""
    batches = loaded + failed
    if props and failed <= LARGEST_FAILED_SHARE * batches:
        return
    house.writer.abandon(draft)
    first = f" The first reason: {gaps[0].reason}" if gaps else ""
    raise IncompleteVersion(
        f"The slate of {draft.day} was held back: {failed} of {batches} batches failed and {props} props "
        "were loaded; at least one prop and half of the batches are needed. The version before it stays. "
        f"Mend what is named in the run's gaps and run the day again.{first}"
    )


def _hold_on(house: House, draft: Draft) -> None:
    """Make sure that the day is still the run's, right before it is replaced; one that nobody holds is anyone's."""
    key = draft.day.isoformat()
    if house.ledger.entry(PROPS, key) is None:
        return
    try:
        house.ledger.renew(PROPS, key, run_id=draft.run_id)
    except LeaseHeld:
        house.writer.abandon(draft)
        raise


def _own_up(house: House, draft: Draft) -> None:
    """Have the day done again if another run took it over while this one wrote it to the lake: whose rows are there?"""
    try:
        _hold_on(house, draft)
    except LeaseHeld:
        lost = f"run {draft.run_id}, which had lost its turn, replaced its rows"
        house.ledger.stale(PROPS, [draft.day.isoformat()], reason=lost)
        raise


def _loaded_again(house: House, draft: Draft, staged: Sequence[Staged]) -> Draft:
    """Write batches into a version of their own, in place of one that does not hold them and nothing else."""
    house.writer.abandon(draft)
    fresh = house.writer.open(draft.day, cutoff=draft.cutoff, run_id=draft.run_id)
    for each in staged:
        _load(house, fresh, each)
    return fresh


def reached(sifted: Sequence[Sifted], loaded: Sequence[Loaded]) -> list[Sifted]:
    """Return the batches with their numbers as the slate has them: of one that was not loaded all rows failed."""
    done = {each.number for each in loaded}
    return [
        each
        if each.staged.number in done
        else replace(each, features=_not_loaded(each.features), props=_not_loaded(each.props))
        for each in sifted
    ]


def _not_loaded(outcome: Outcome) -> Outcome:
    return replace(outcome, loaded=0, failed=outcome.failed + outcome.loaded)


def meta_of(house: House, day: dt.date, run_id: str, failed: int, gaps: Sequence[Gap]) -> dict[str, object]:
    """Return what a reader of the slate is told beside its rows; `fitted` where it is not the fit that ships.

    `lineups` are digests of those that it was made of, by game. A game's `start_at` is null while it is to be
    determined.
    """
    games = schedules.games_of(house, day)
    return (
        fits.of_run(house, day, run_id).told()
        | made_of.told(house, run_id)
        | {
            "quality": "degraded" if failed or gaps else "complete",
            "games": games.select(
                "game_pk",
                "away_team",
                "home_team",
                schedules.known_start().dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "doubleheader",
                "game_number",
            ).to_dicts(),
            "gaps": [{"table": gap.table, "key": gap.key, "reason": gap.reason} for gap in gaps],
        }
    )


def closing_of(run_id: str, props: Outcome, gaps: Sequence[Gap]) -> Closing:
    """Return how a run closes the day of a slate."""
    counts = Counts(props.rows_in, props.loaded, props.quarantined, props.failed)
    reason = "; ".join(f"{gap.key}: {gap.reason}" for gap in gaps[:20])
    return Closing(run_id, counts, reason, None, props.suite_version)


def mark(house: House, day: dt.date, run_id: str, props: Outcome, gaps: Sequence[Gap]) -> None:
    """Record the published slate in the ledger, where the run holds its day.

    Raises:
        LeaseHeld: another run has taken the day over; its result counts.
    """
    key, closing = day.isoformat(), closing_of(run_id, props, gaps).of(house.lake.content_hash(PROPS, day))
    closing.close(house.ledger, PROPS, key, run_id)
