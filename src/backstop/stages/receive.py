"""Receive: archived answers back into rows, one table partition (a baseball day) at a time, none lost."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from backstop import tables
from backstop.clock import days_between
from backstop.sources import failover
from backstop.sources import parsed as parsing
from backstop.sources.savant import completeness, pitches
from backstop.sources.sportradar import playerprops, summary
from backstop.sources.statsapi import boxscore, schedule
from backstop.sources.theodds import events, props
from backstop.stages import schedules, second, stand_in
from backstop.stages.fetch import reopen
from backstop.stages.outcome import Gap

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from backstop.sources.parsed import Parsed
    from backstop.stages.fetch import Fetched, FetchedBatch
    from backstop.stages.house import House
    from backstop.stages.keep import Checked
    from backstop.tables import Table


@dataclass(frozen=True)
class Received:
    """Rows of one table and day as they came.

    Attributes:
        table: Name of the table.
        day: Partition.
        parsed: Rows taken and rows rejected by the parser.
        raw_ref: Content hashes of the answers, joined by commas.
    """

    table: str
    day: dt.date
    parsed: Parsed
    raw_ref: str


def answers_by_day(batch: FetchedBatch) -> dict[dt.date, list[Fetched]]:
    """Return the answers about each day's pitches; a day fetched in parts has several."""
    by_day: dict[dt.date, list[Fetched]] = defaultdict(list)
    for fetched in batch.answers:
        by_day[day_of(fetched)].append(fetched)
    return by_day


def pitches_of(house: House, day: dt.date, answers: Sequence[Fetched]) -> Received:
    """Return the pitches of one day, its parts together.

    Raises:
        UpstreamMalformed, SchemaDrift: an answer cannot be turned into rows.
    """
    parts = [pitches.parse(reopen(house, fetched)) for fetched in answers]
    return Received(tables.PITCHES.name, day, pitches.merge(parts), refs(answers))


def with_lacks(house: House, checked: Checked) -> Checked:
    """Add to a checked day of pitches what it lacks of the games that its schedule says were finished."""
    found = completeness.check(checked.day, checked.kept, known(house, tables.GAMES, checked.day))
    return checked if found.is_whole else replace(checked, degraded=(*checked.degraded, found.sentence()))


def day_of(fetched: Fetched) -> dt.date:
    """Return the day that a request for pitches was about, also of one that was split by game."""
    return dt.date.fromisoformat(fetched.item.key.partition("/")[0])


def games_by_day(house: House, batches: Sequence[FetchedBatch]) -> Iterator[Received]:
    """Yield the games of each day that an answer covers; a game listed under two dates is kept under the later one.

    Of two answers about a day the one that came later counts.

    A game whose official date no answer covers is rejected as `other_day`: its own day's answer brings it, and to
    write it here would replace that day by this one game.
    """
    answers = sorted((each for batch in batches for each in batch.answers), key=lambda each: each.fetched_at)
    days = days_covered(batches)
    before = pl.concat([tables.GAMES.empty(), *(known(house, tables.GAMES, day) for day in stood_in(batches))])
    whole = schedule.merge([failover.parse_schedule(reopen(house, fetched), before) for fetched in answers])
    here = pl.col("game_date").is_in(days)
    strays = whole.frame.filter(~here).to_dicts()
    reason = "The game's official date is not among the days asked for."
    rejected = pl.concat([whole.rejected, parsing.rejections([(row, "other_day", reason) for row in strays])])
    covered = parsing.Parsed(whole.frame.filter(here), rejected, whole.rows_in, whole.drift)
    yield from by_partition(covered, tables.GAMES, refs(answers), days)


def box_scores(house: House, batches: Sequence[FetchedBatch], day: dt.date) -> tuple[Received, Received]:
    """Return the players and the box-score lines of a day's games; what one feed owes the second source tells."""
    games = house.lake.read(tables.GAMES.name, day)
    answers = [fetched for batch in batches for fetched in batch.answers]
    own = [fetched for fetched in answers if fetched.item.table == boxscore.TABLE]
    scores = [boxscore.parse(reopen(house, fetched), games) for fetched in own]
    owed = schedules.games_of(house, day).filter(~pl.col("game_pk").is_in([int(fetched.item.key) for fetched in own]))
    others = [fetched for fetched in answers if fetched.item.table == summary.TABLE]
    scores += [stand_in.box_scores(house, reopen(house, fetched), owed) for fetched in others]
    players = parsing.merge([score.players for score in scores], tables.PLAYERS)
    lines = parsing.merge([score.box for score in scores], tables.BOX)
    came_from = refs(answers)
    return Received(tables.PLAYERS.name, day, players, came_from), Received(tables.BOX.name, day, lines, came_from)


def quotes(house: House, batches: Sequence[FetchedBatch], day: dt.date) -> Received:
    """Return the quotes of a day's events, not yet matched to games and players; answers about events are left out."""
    asked = {props.TABLE, playerprops.TABLE}
    answers = [fetched for batch in batches for fetched in batch.answers if fetched.item.table in asked]
    parts = [failover.parse_odds(reopen(house, fetched)) for fetched in answers]
    return Received(tables.QUOTES.name, day, parsing.merge(parts, tables.QUOTES, newest="updated_at"), refs(answers))


def games_told(batches: Sequence[FetchedBatch], players: pl.DataFrame) -> set[int]:
    """Return the games whose box score came: by itself, or with players in the second source's summary."""
    answers = [fetched for batch in batches for fetched in batch.answers]
    return {*players["game_pk"], *(int(each.item.key) for each in answers if each.item.table == boxscore.TABLE)}


def games_untold(house: House, batches: Sequence[FetchedBatch], players: pl.DataFrame, day: dt.date) -> tuple[Gap, ...]:
    """Return the games that the second source was asked about and told nothing of."""
    if not any(fetched.item.table == summary.TABLE for batch in batches for fetched in batch.answers):
        return ()
    untold = schedules.games_of(house, day).filter(~pl.col("game_pk").is_in(games_told(batches, players)))["game_pk"]
    reason = "neither the Stats API nor SportRadar's summary of the day has its box score"
    return tuple(Gap(tables.PLAYERS.name, str(game_pk), reason) for game_pk in untold)


def events_listed(house: House, batches: Sequence[FetchedBatch]) -> pl.DataFrame:
    """Return the events that the books list, one row per event."""
    answers = [fetched for batch in batches for fetched in batch.answers if fetched.item.table == events.TABLE]
    return parsing.merge([events.parse(reopen(house, fetched)) for fetched in answers], events.EVENTS).frame


def known(house: House, table: Table, day: dt.date) -> pl.DataFrame:
    """Return a day's rows of a table; without rows when the lake has no such day."""
    return house.lake.read(table.name, day) if day in house.lake.days(table.name) else table.empty()


def by_partition(whole: Parsed, table: Table, raw_ref: str, days: Sequence[dt.date]) -> Iterator[Received]:
    """Cut rows into their `game_date` partitions; rejected rows go with the first.

    When every row was rejected they go with the first of the days that were asked for: they came in all the same.
    """
    rejected, rows_rejected = whole.rejected, whole.rejected.height
    if whole.frame.is_empty() and rows_rejected:
        yield Received(table.name, days[0], whole, raw_ref)
    for (day,), rows in sorted(whole.frame.group_by("game_date"), key=lambda pair: str(pair[0])):
        part = parsing.Parsed(rows, rejected, rows.height + rows_rejected, whole.drift)
        yield Received(table.name, _as_date(day), part, raw_ref)
        rejected, rows_rejected = rejected.clear(), 0


def _as_date(value: object) -> dt.date:
    if not isinstance(value, dt.date):
        raise TypeError(f"a partition is a date, not {value!r}")
    return value


def together(parts: Sequence[Parsed]) -> Parsed:
    """Put answers about different rows of one table together."""
    drift = parsing.Drift()
    for part in parts:
        drift |= part.drift
    frame, rejected = pl.concat([part.frame for part in parts]), pl.concat([part.rejected for part in parts])
    return parsing.Parsed(frame, rejected, sum(part.rows_in for part in parts), drift)


def refs(answers: Iterable[Fetched]) -> str:
    """Name the raw answers that rows came from."""
    return ",".join(dict.fromkeys(fetched.content_hash for fetched in answers))


def stood_in(batches: Sequence[FetchedBatch]) -> list[dt.date]:
    """Return the days whose schedule came from the second source."""
    keys = {fetched.item.key for batch in batches for fetched in batch.answers if fetched.item.table in second.TABLES}
    return sorted(dt.date.fromisoformat(key) for key in keys)


def days_covered(batches: Sequence[FetchedBatch]) -> list[dt.date]:
    """Return every day that the schedule answers speak of, with or without games."""
    days: set[dt.date] = set()
    for key in {fetched.item.key for batch in batches for fetched in batch.answers}:
        first, _, last = key.partition("..")
        days.update(days_between(dt.date.fromisoformat(first), dt.date.fromisoformat(last or first)))
    return sorted(days)
