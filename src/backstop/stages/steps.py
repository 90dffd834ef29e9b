"""Steps: what each feed, and each table by its name, takes to be collected."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final

import polars as pl

from backstop import tables
from backstop.batches import batched
from backstop.clock import baseball_day
from backstop.errors import UsageError
from backstop.sources import chadwick
from backstop.sources.savant import boards, leaderboards, pitches
from backstop.sources.sportradar import people as sportradar_people
from backstop.sources.sportradar import playerprops, season, summary
from backstop.sources.sportradar import schedule as sportradar_schedule
from backstop.sources.statsapi import livefeed, people
from backstop.sources.teams import TEAMS
from backstop.stages import carry, match, plain, plan, receive, register, schedules
from backstop.stages.collect import Job, Step
from backstop.stages.outcome import Outcome

if TYPE_CHECKING:
    from backstop.net.item import Item
    from backstop.stages.fetch import Fetched, FetchedBatch

BOARD: Final = "core_board_"

CLUBS: Final = [team.abbreviation for team in TEAMS]


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
        return list(batched(plan.schedule_requests(job.house, job.lacking(tables.GAMES.name, job.days))))

    def kept(batch: FetchedBatch) -> list[Outcome]:
        outcomes = [job.keep(received) for received in receive.games_by_day(job.house, [batch])]
        covered, stood_in = receive.days_covered([batch]), receive.stood_in([batch])
        plan.settle_schedule(job.house, covered, job.run_id, stood_in)
        return [*outcomes, *plain.missed(tables.GAMES.name, batch)]

    return Step("schedule", planned, kept)


def _pitches(job: Job) -> Step:
    def planned() -> list[list[Item]]:
        return list(
            batched(pitches.plan(job.lacking(tables.PITCHES.name, schedules.days_with_pitches(job.house, job.days))))
        )

    def kept(batch: FetchedBatch) -> list[Outcome]:
        days = receive.answers_by_day(batch)
        return [*(job.keep_pitches(*each) for each in days.items()), *plain.missed(tables.PITCHES.name, batch)]

    return Step("pitches", planned, kept)


def _boxscores(job: Job) -> Step:
    def planned() -> list[list[Item]]:
        days = job.lacking(tables.BOX.name, job.days)
        return [items for day in days for items in plan.box_batches(job.house, day)]

    def kept(batch: FetchedBatch) -> list[Outcome]:
        if not batch.answers:
            return plain.missed(tables.BOX.name, batch)
        asked = [*(each.item.key for each in batch.answers), *(each.item.key for each in batch.missed)]
        day = _day_of_scores(job, asked[0])
        came, box = receive.box_scores(job.house, [batch], day)
        players, box = carry.scores(job.house, came, box, receive.games_told([batch], came.parsed.frame), day)
        kept = [job.keep(players), job.keep(box)]
        plan.settle_scores(job.house, day, [batch])
        untold = receive.games_untold(job.house, [batch], came.parsed.frame, day)
        return [*kept, Outcome(tables.PLAYERS.name, gaps=untold), *plain.missed(tables.BOX.name, batch)]

    return Step("box scores", planned, kept)


def _day_of_scores(job: Job, key: str) -> dt.date:
    """Return the day of an answer about box scores: of one game, or the second source's about all of a day."""
    return schedules.day_of_games(job.house, job.days, key) if key.isdecimal() else dt.date.fromisoformat(key)


def _quotes(job: Job) -> list[Step]:
    listed: dict[dt.date, FetchedBatch] = {}

    def events_planned() -> list[list[Item]]:
        lacking = job.lacking(tables.QUOTES.name, job.days)
        days = [day for day in lacking if schedules.games_of(job.house, day).height]
        return [batch for day in days for batch in plan.event_batches(job.house, day)]

    def events_kept(batch: FetchedBatch) -> list[Outcome]:
        keys = [each.item.key for each in batch.answers] or [each.item.key for each in batch.missed]
        listed[dt.date.fromisoformat(keys[0][:10])] = batch
        return plain.missed(tables.QUOTES.name, batch)

    def planned() -> list[list[Item]]:
        found = {day: receive.events_listed(job.house, [batch]) for day, batch in listed.items()}
        return [items for day, frame in found.items() for items in plan.quote_batches(job.house, day, frame)]

    def kept(batch: FetchedBatch) -> list[Outcome]:
        items = [*(each.item for each in batch.answers), *(each.item for each in batch.missed)]
        day = dt.date.fromisoformat(items[0].key[:10])
        recognised = match.matched_quotes(job.house, [listed[day], batch], day)
        return [job.keep(recognised.received), *plain.missed(tables.QUOTES.name, batch)]

    return [Step("events", events_planned, events_kept), Step("quotes", planned, kept)]


def _boards(job: Job, names: Sequence[str] | None = None) -> Step:
    by_board: dict[str, list[Item]] = {}
    for item in (item for year in _seasons(job) for item in leaderboards.plan(year, names)):
        by_board.setdefault(item.table, []).append(item)
    return plain.step("leaderboards", job, lambda: list(by_board.values()))


def _sportradar(job: Job) -> list[Step]:
    today = baseball_day(job.house.clock.now())
    coming = [day for day in job.days if day >= today]
    games = plain.step("schedule", job, lambda: _each(job, job.days, sportradar_schedule.plan))
    props = plain.step("player props", job, lambda: _each(job, coming, playerprops.plan))
    return [games, _summaries(job), *([props] if coming else [])]


def _summaries(job: Job) -> Step:
    return plain.step("summaries", job, lambda: _each(job, job.days, summary.plan_day))


def _profiles(job: Job) -> Step:
    """Ask for everybody in the summaries whose MLBAM id they do not say."""

    def batches() -> list[list[Item]]:
        told = [receive.known(job.house, summary.SUMMARY, day) for day in job.days]
        unknown = pl.concat(told).filter(pl.col("player_id_mlbam").is_null())["player_id_sportradar"]
        return list(batched(sportradar_people.plan_profiles(sorted(unknown.unique()))))

    return plain.step("profiles", job, batches)


def _plays(job: Job) -> Step:
    def batches() -> list[list[Item]]:
        games = {day: schedules.games_of(job.house, day)["game_pk"].to_list() for day in job.days}
        return [plan.ranked(job.house, day, livefeed.plan(game_pks)) for day, game_pks in games.items() if game_pks]

    def day_of(answer: Fetched) -> dt.date:
        return schedules.day_of_games(job.house, job.days, answer.item.key)

    return plain.step("plays", job, batches, day_of)


def _seasons(job: Job) -> list[int]:
    return sorted({day.year for day in job.days})


def _each(job: Job, days: Iterable[dt.date], of_day: Callable[[dt.date], list[Item]]) -> list[list[Item]]:
    return list(batched(item for day in days for item in plan.ranked(job.house, day, of_day(day))))


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
    "people": lambda job: [plain.step("people", job, lambda: [people.plan_season(job.days[-1].year)])],
    "rosters": lambda job: [
        plain.step(
            "rosters", job, lambda: [plan.ranked(job.house, day, people.plan_rosters(day, CLUBS)) for day in job.days]
        )
    ],
    "plays": lambda job: [_schedule(job), _plays(job)],
    "injuries": lambda job: [plain.step("injuries", job, lambda: [sportradar_people.plan_injuries()])],
    "seasons": lambda job: [plain.step("seasons", job, lambda: [season.plan(year) for year in _seasons(job)])],
    "profiles": lambda job: [_summaries(job), _profiles(job)],
    tables.GAMES.name: lambda job: [_schedule(job)],
    tables.PITCHES.name: lambda job: [_schedule(job), _pitches(job)],
    tables.BOX.name: lambda job: [_schedule(job), _boxscores(job)],
    tables.PLAYERS.name: lambda job: [_schedule(job), _boxscores(job)],
    tables.QUOTES.name: lambda job: [_schedule(job), _boxscores(job), *_quotes(job)],
}
"""Feeds, and tables by the name that they have in the lake."""
