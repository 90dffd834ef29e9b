"""The tasks of the canary: one player through every stage, beside the real slates and invisible to readers."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl
from prefect import task
from prefect.cache_policies import NO_CACHE

from backstop import tables
from backstop.clock import baseball_day
from backstop.errors import DataError, IncompleteVersion, UpstreamUnavailable, ValidationFailed
from backstop.sources.savant import pitches
from backstop.sources.statsapi import boxscore, schedule
from backstop.stages import fetch, project, publish, receive, schedules
from backstop.stages.house import House
from backstop.store import embedded
from backstop.store.verify import Receipts
from expectations.check import check
from expectations.features import features_suite
from expectations.games import games_suite
from expectations.pitches import pitches_suite
from expectations.players import players_suite
from expectations.props import props_suite
from tasks.runs import run_id, say

if TYPE_CHECKING:
    import great_expectations as gx

    from backstop.net.item import Item
    from backstop.stages.fetch import Fetched

MONTHS_BACK: Final = 14
"""Months of schedule that are searched for a day with games: a season and a winter."""


@dataclass(frozen=True)
class Specimen:
    """What the canary works with.

    Attributes:
        day: A day whose games are over.
        before: The day with games before it: its history.
        game_pk: A game of the day.
        pitches: Answers about the pitches of the day before.
        box: Answers about the game's box score.
    """

    day: dt.date
    before: dt.date
    game_pk: int
    pitches: tuple[Fetched, ...]
    box: tuple[Fetched, ...]


@dataclass(frozen=True)
class Canary:
    """What came of it: one player's rows, as they were read back."""

    day: dt.date
    player_id_mlbam: int
    features: int
    props: int


def scratch() -> House:
    """Return a house with a lake, an archive and a ledger of its own, and the real Redis."""
    settings = House.current().settings
    redis_url = settings.redis_url or embedded.ensure(settings.home / "redis")
    return House.of(settings.model_copy(update={"home": settings.home / "canary", "redis_url": redis_url}))


@task(name="canary-fetch", task_run_name="fetch one game", cache_policy=NO_CACHE)
def fetch_game(day: dt.date | None) -> Specimen:
    """Find a day with finished games, and fetch one game of it and the pitches of the day before.

    Raises:
        UpstreamUnavailable: a feed did not answer.
        DataError: there is no such day.
    """
    house = scratch()
    last = day or _last_known(house)
    months = schedule.plan(last - dt.timedelta(days=30 if day else 30 * MONTHS_BACK), last)
    _keep_calendar(house, _answers(house, months))
    known = schedules.finished_games(house, last + dt.timedelta(days=1))["game_date"].to_list()
    if len(known) < 2:  # noqa: PLR2004 - the day, and the one before it
        raise DataError(f"The schedule up to {last} has {len(known)} days with finished games; the canary needs two.")
    before, chosen = known[-2:]
    if day is not None and chosen != day:
        raise DataError(f"{day} has no finished games; the newest day that has is {chosen}.")
    game_pk = schedules.games_of(house, chosen).filter(pl.col("abstract_status") == "Final")["game_pk"].sort()[0]
    box = _answers(house, boxscore.plan([game_pk]))
    return Specimen(chosen, before, game_pk, _answers(house, pitches.plan([before])), box)


def _last_known(scratch_house: House) -> dt.date:
    """Return the newest day with finished games in the real lake; yesterday when it knows none."""
    house = House.current()
    yesterday = baseball_day(scratch_house.clock.now()) - dt.timedelta(days=1)
    known = schedules.finished_games(house, yesterday + dt.timedelta(days=1))["game_date"].to_list()
    return known[-1] if known else yesterday


def _answers(house: House, items: list[Item]) -> tuple[Fetched, ...]:
    batch = fetch.fetch(house, 1, items, "canary")
    if batch.missed:
        lost = batch.missed[0]
        raise UpstreamUnavailable(f"The canary could not have {lost.item.table} {lost.item.key}: {lost.sentence}",
                                  source=str(lost.item.feed))  # fmt: skip
    return batch.answers


def _keep_calendar(house: House, answers: tuple[Fetched, ...]) -> None:
    batch = fetch.FetchedBatch(1, answers, ())
    for each in receive.games_by_day(house, [batch]):
        house.lake.write(tables.GAMES.name, each.day, _passed(each.parsed.frame, games_suite(), tables.GAMES.name))


def _passed(frame: pl.DataFrame, suite: gx.ExpectationSuite, table: str) -> pl.DataFrame:
    """Return the rows that hold.

    Raises:
        ValidationFailed: a rule about the table is broken, or too few rows hold.
    """
    verdict = check(frame, suite)
    if verdict.blocked:
        raise ValidationFailed(f"The canary's {table} was refused: {'; '.join(verdict.blocked)}.", source=table)
    return verdict.kept


@task(name="canary-validate", task_run_name="validate one game", cache_policy=NO_CACHE)
def validate_game(found: Specimen) -> Specimen:
    """Check pitches and rosters against their suites and keep them in the scratch lake.

    Raises:
        ValidationFailed: a rule about a table is broken.
        UpstreamMalformed, SchemaDrift: an answer cannot be turned into rows.
    """
    house = scratch()
    thrown = receive.pitches_of(house, found.before, found.pitches).parsed.frame
    kept = _passed(thrown, pitches_suite(found.before, None), tables.PITCHES.name)
    house.lake.write(tables.PITCHES.name, found.before, kept)
    players, _ = receive.box_scores(house, [fetch.FetchedBatch(1, found.box, ())], found.day)
    roster = _passed(players.parsed.frame, players_suite(), tables.PLAYERS.name)
    house.lake.write(tables.PLAYERS.name, found.day, roster)
    say(f"One game of {found.day}: {roster.height} players; {kept.height:,} pitches of {found.before}.")
    return found


@task(name="canary-project", task_run_name="project one player", cache_policy=NO_CACHE)
def project_player(found: Specimen, player: int | None) -> project.Staged:
    """Build one player's features from the day before, project him at the default lines, and check both.

    Raises:
        DataError: nothing can be projected for the player.
        ValidationFailed: a rule about the rows is broken.
    """
    house, run = scratch(), run_id()
    project.tally_days(house, [found.before], run)
    features, gaps = project.build_features(house, found.day, run)
    of_game = pl.read_parquet(features).filter(pl.col("game_pk") == found.game_pk)
    ids = of_game["player_id_mlbam"].unique().sort().to_list()
    chosen = player or (ids[0] if ids else 0)
    if chosen not in ids:
        why = gaps[0].reason if gaps else "the game has no starters"
        raise DataError(f"Nobody to project: player {player or 'any'} is not among the {len(ids)} of the game ({why}).")
    staged = project.project(house, found.day, run, 1, [chosen], features, priced=False)
    _passed(pl.read_parquet(staged.features), features_suite(), project.FEATURES)
    _passed(pl.read_parquet(staged.props), props_suite(), tables.PROPS.name)
    return staged


@task(name="canary-load", task_run_name="load and read back", cache_policy=NO_CACHE)
def load_and_read(found: Specimen, staged: project.Staged) -> Canary:
    """Load the player's rows into a draft, read back what Redis took, and remove the draft.

    Raises:
        StoreError: Redis refused, or holds other rows than were written.
    """
    house = scratch()
    draft = house.writer.open(found.day, cutoff=found.day, run_id=run_id())
    try:
        loaded = publish.load(house, draft, staged)
        sums = Receipts.parse(house.redis.hgetall(draft.receipts)).sums
    finally:
        house.writer.abandon(draft)
    there = {kind: total.rows for kind, total in sums.items()}
    if there != {"features": loaded.features, "props": loaded.props}:
        raise IncompleteVersion(
            f"Redis holds {there} of the canary, {loaded.features} features and {loaded.props} props were written; "
            "look at its memory policy and at who else writes there."
        )
    say(f"Player {staged.players[0]}: {loaded.features} rows of features, {loaded.props} props, read back and removed.")
    return Canary(found.day, staged.players[0], loaded.features, loaded.props)
