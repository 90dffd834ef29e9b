"""Steps: what each feed, and each table by its name, takes to be collected."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from backstop import tables
from backstop.clock import baseball_day
from backstop.errors import UsageError
from backstop.ids import batched
from backstop.sources import chadwick, registry
from backstop.sources.savant import boards, leaderboards, pitches
from backstop.sources.sportradar import people as sportradar_people
from backstop.sources.sportradar import playerprops, summary
from backstop.sources.sportradar import schedule as sportradar_schedule
from backstop.sources.statsapi import schedule
from backstop.stages import match, plan, receive, register
from backstop.stages.collect import Job, Step
from backstop.stages.fetch import reopen
from backstop.stages.outcome import Gap, Outcome
from backstop.stages.receive import Received

if TYPE_CHECKING:
    from backstop.net.item import Item
    from backstop.stages.fetch import Fetched, FetchedBatch
    from backstop.stages.keep import Checked

BOARD: Final = "core_board_"


def steps_of(name: str, job: Job) -> list[Step]:
    """Return the steps that fetch a feed or a table.

    Raises:
        UsageError: nothing has this name; the message lists what has.
    """
    board = name.removeprefix(BOARD)
    if name in NAMES:
        return NAMES[name](job)
    if board in boards.BOARDS:
        return [_boards(job, [board])]
    raise UsageError(
        f"{name!r} is neither a feed nor a table that can be fetched; expected one of {', '.join(NAMES)}, or a "
        f"leaderboard: {', '.join(sorted(each for each, board in boards.BOARDS.items() if board.path))}."
    )


def _schedule(job: Job) -> Step:
    def planned() -> list[list[Item]]:
        spans = plan.spans(job.lacking(tables.GAMES.name, job.days))
        return list(batched([item for first, last in spans for item in schedule.plan(first, last)]))

    def kept(batch: FetchedBatch) -> list[Outcome]:
        outcomes = [job.keep(received) for received in receive.games_by_day(job.house, [batch])]
        covered, stood_in = receive.days_covered([batch]), receive.stood_in([batch])
        plan.settle_schedule(job.house, covered, job.run_id, stood_in)
        return [*outcomes, *_missed(tables.GAMES.name, batch)]

    return Step("schedule", planned, kept)


def _pitches(job: Job) -> Step:
    def planned() -> list[list[Item]]:
        return list(
            batched(pitches.plan(job.lacking(tables.PITCHES.name, plan.days_with_pitches(job.house, job.days))))
        )

    def kept(batch: FetchedBatch) -> list[Outcome]:
        days = receive.answers_by_day(batch)
        return [*(job.keep_pitches(*each) for each in days.items()), *_missed(tables.PITCHES.name, batch)]

    return Step("pitches", planned, kept)


def _boxscores(job: Job) -> Step:
    def planned() -> list[list[Item]]:
        days = job.lacking(tables.BOX.name, job.days)
        return [items for day in days for items in plan.box_batches(job.house, day)]

    def kept(batch: FetchedBatch) -> list[Outcome]:
        if not batch.answers:
            return _missed(tables.BOX.name, batch)
        asked = [*(each.item.key for each in batch.answers), *(each.item.key for each in batch.missed)]
        day = _day_of_scores(job, asked[0])
        players, box = receive.box_scores(job.house, [batch], day)
        kept = [job.keep(players), job.keep(box)]
        plan.settle_scores(job.house, day, [batch])
        untold = receive.games_untold(job.house, [batch], players.parsed.frame, day)
        return [*kept, Outcome(tables.PLAYERS.name, gaps=untold), *_missed(tables.BOX.name, batch)]

    return Step("box scores", planned, kept)


def _day_of_scores(job: Job, key: str) -> dt.date:
    """Return the day of an answer about box scores: of one game, or the second source's about all of a day."""
    return plan.day_of_games(job.house, job.days, key) if key.isdecimal() else dt.date.fromisoformat(key)


def _quotes(job: Job) -> list[Step]:
    listed: dict[dt.date, FetchedBatch] = {}

    def events_planned() -> list[list[Item]]:
        return [batch for day in job.lacking(tables.QUOTES.name, job.days)
                if plan.games_of(job.house, day).height for batch in plan.event_batches(job.house, day)]  # fmt: skip

    def events_kept(batch: FetchedBatch) -> list[Outcome]:
        keys = [each.item.key for each in batch.answers] or [each.item.key for each in batch.missed]
        listed[dt.date.fromisoformat(keys[0][:10])] = batch
        return _missed(tables.QUOTES.name, batch)

    def planned() -> list[list[Item]]:
        found = {day: receive.events_listed(job.house, [batch]) for day, batch in listed.items()}
        return [items for day, frame in found.items() for items in plan.quote_batches(job.house, day, frame)]

    def kept(batch: FetchedBatch) -> list[Outcome]:
        items = [*(each.item for each in batch.answers), *(each.item for each in batch.missed)]
        day = dt.date.fromisoformat(items[0].key[:10])
        recognised = match.matched_quotes(job.house, [listed[day], batch], day)
        return [job.keep(recognised.received), *_missed(tables.QUOTES.name, batch)]

    return [Step("events", events_planned, events_kept), Step("quotes", planned, kept)]


def _boards(job: Job, names: Sequence[str] | None = None) -> Step:
    seasons = sorted({day.year for day in job.days})
    by_board: dict[str, list[Item]] = {}
    for item in (item for season in seasons for item in leaderboards.plan(season, names)):
        by_board.setdefault(item.table, []).append(item)
    return Step("leaderboards", lambda: list(by_board.values()), lambda batch: _plain(job, batch))


def _plain_step(job: Job, label: str, items: Callable[[], list[Item]]) -> Step:
    return Step(label, lambda: list(batched(items())), lambda batch: _plain(job, batch))


def _plain(job: Job, batch: FetchedBatch) -> list[Outcome]:
    """Keep answers of one table whose rows need no other table: the rows of a day, or as they were on a day."""
    by_day: dict[dt.date, list[Fetched]] = {}
    for answer in batch.answers:
        by_day.setdefault(_day_of(answer), []).append(answer)
    kept = [_keep_day(job, day, answers) for day, answers in by_day.items()]
    return [*kept, *(_missed(batch.missed[0].item.table, batch) if batch.missed else [])]


def _keep_day(job: Job, day: dt.date, answers: Sequence[Fetched]) -> Outcome:
    table = answers[0].item.table

    def read() -> Checked:
        parts = [registry.TABLES[table].parse(reopen(job.house, answer)) for answer in answers]
        return job.rules(Received(table, day, receive.together(parts), receive.refs(answers)), None)

    return job.kept(table, day, read)


def _day_of(answer: Fetched) -> dt.date:
    """Return the day that an answer is about; of what is as it stands, the day of its retrieval."""
    try:
        return dt.date.fromisoformat(answer.item.key[:10])
    except ValueError:
        return leaderboards.retrieved_on(answer.fetched_at)


def _missed(table: str, batch: FetchedBatch) -> list[Outcome]:
    gaps = tuple(Gap(table, lost.item.key, f"not fetched: {lost.sentence}") for lost in batch.missed)
    return [Outcome(table, gaps=gaps, notes=batch.notes)] if gaps or batch.notes else []


def _sportradar(job: Job) -> list[Step]:
    today = baseball_day(job.house.clock.now())
    coming = [day for day in job.days if day >= today]
    steps = [
        _plain_step(job, "schedule", lambda: [each for day in job.days for each in sportradar_schedule.plan(day)]),
        _plain_step(job, "summaries", lambda: [each for day in job.days for each in summary.plan_day(day)]),
    ]
    if coming:
        props = [each for day in coming for each in playerprops.plan(day)]
        steps.append(_plain_step(job, "player props", lambda: props))
    return steps


def _register(job: Job) -> list[Step]:
    def kept(batch: FetchedBatch) -> list[Outcome]:
        return [register.keep_register(job.house, [batch], job.run_id)]

    return [Step("register", lambda: [chadwick.plan()], kept)]


NAMES: Final[dict[str, Callable[[Job], list[Step]]]] = {
    "savant": lambda job: [_schedule(job), _pitches(job)],
    "statsapi": lambda job: [_schedule(job), _boxscores(job)],
    "theodds": lambda job: [_schedule(job), _boxscores(job), *_quotes(job)],
    "sportradar": _sportradar,
    "boards": lambda job: [_boards(job)],
    "register": _register,
    "injuries": lambda job: [_plain_step(job, "injuries", sportradar_people.plan_injuries)],
    tables.GAMES.name: lambda job: [_schedule(job)],
    tables.PITCHES.name: lambda job: [_schedule(job), _pitches(job)],
    tables.BOX.name: lambda job: [_schedule(job), _boxscores(job)],
    tables.PLAYERS.name: lambda job: [_schedule(job), _boxscores(job)],
    tables.QUOTES.name: lambda job: [_schedule(job), _boxscores(job), *_quotes(job)],
}
"""Feeds, and tables by the name that they have in the lake."""
