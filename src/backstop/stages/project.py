"""Project: features as of the cutoff, probabilities, prices; in batches of 50 players."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from backstop import tables
from backstop.batches import batched
from backstop.errors import LeaseHeld
from backstop.features import asof, build, tally
from backstop.lake.states import State
from backstop.props import generate, price
from backstop.props.board import LINE_KEY
from backstop.stages import fits, schedules, turn
from backstop.stages.outcome import Gap, Outcome
from backstop.store import kinds
from backstop.telemetry import Progress, emit

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from backstop.stages.house import House

TALLIES = "core_tallies"
FEATURES = "out_features"


@dataclass(frozen=True, slots=True)
class Tallied:
    """What became of days that were to be tallied.

    Attributes:
        rows: Rows of tallies that were written.
        held: Days that another run holds and does not let go.
    """

    rows: int
    held: tuple[Gap, ...] = ()


@dataclass(frozen=True, slots=True)
class Sifted:
    """A staged batch of which only the rows that passed are left.

    Attributes:
        staged: Its files.
        features: What became of its feature rows.
        props: What became of its prop rows.
        refused: Why the batch must not be loaded; empty when it may.
    """

    staged: Staged
    features: Outcome
    props: Outcome
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Staged:
    """Rows of a batch of players on disk, on their way to the store.

    Attributes:
        number: Of the batch, from 1.
        players: MLBAM ids in the batch.
        features: File of feature rows.
        props: File of prop rows.
    """

    number: int
    players: tuple[int, ...]
    features: Path
    props: Path


def tally_days(house: House, days: Iterable[dt.date], run_id: str) -> Tallied:
    """Add up the pitches of each day into sufficient statistics (`core_tallies`).

    The ledger notes the hash of the pitches that a day's tally was made of. A day that another run tallies at the
    moment is waited for, and its tally is used.
    """
    rows, held = 0, list[Gap]()
    for day in days:
        try:
            rows += _tally(house, day, run_id)
        except LeaseHeld as error:
            held.append(Gap(TALLIES, day.isoformat(), error.message))
        emit(Progress("tally", total=1, done=1, note=day.isoformat()))
    return Tallied(rows, tuple(held))


def _tally(house: House, day: dt.date, run_id: str) -> int:
    """Tally one day and return its rows; 0 when it is tallied already."""
    key = day.isoformat()
    # before the rows are read: pitches that are replaced in between make the tally one of older rows, never of newer
    made_of = house.lake.content_hash(tables.PITCHES.name, day)
    if not turn.take(house, TALLIES, key, run_id, unless_made_of=made_of):
        if house.lake.content_hash(TALLIES, day) is not None:
            return 0
        turn.take(house, TALLIES, key, run_id)  # the ledger speaks of a file that is lost
    frame = tally.tally(house.lake.read(tables.PITCHES.name, day))
    house.lake.write(TALLIES, day, frame)
    rows = frame.height
    house.ledger.complete(TALLIES, key, run_id=run_id, content_hash=made_of, rows_in=rows, rows_loaded=rows)
    return rows


def untallied(house: House, before: dt.date) -> list[dt.date]:
    """Return the days of kept pitches whose tally is missing or was made of other rows.

    A run that was killed after it kept a day's pitches leaves such days: the pitches are not asked for again, and
    without this the day would be missing from every rate in silence.
    """
    made = {entry.key: entry.content_hash for entry in house.ledger.entries(TALLIES, states=[State.COMPLETE])}
    kept = house.ledger.entries(tables.PITCHES.name, states=[State.COMPLETE, State.DEGRADED])
    days = [dt.date.fromisoformat(entry.key) for entry in kept if made.get(entry.key) != entry.content_hash]
    return sorted(day for day in days if day < before)


def starters(house: House, day: dt.date) -> pl.DataFrame:
    """Return the day's starting batters and pitchers of games that are to be played, rows of `core_players`."""
    games = schedules.games_of(house, day)["game_pk"]
    if day not in house.lake.days(tables.PLAYERS.name):
        return tables.PLAYERS.empty()
    players = house.lake.read(tables.PLAYERS.name, day)
    starts = pl.col("slot").is_not_null() | pl.col("is_starting_pitcher")
    return players.filter(pl.col("game_pk").is_in(games.implode()) & starts)


def player_batches(house: House, day: dt.date) -> list[list[int]]:
    """Return the MLBAM ids of the day's starters in batches of 50."""
    ids = starters(house, day)["player_id_mlbam"].unique().sort().to_list()
    return list(batched(ids))


def build_features(house: House, day: dt.date, run_id: str) -> tuple[Path, tuple[Gap, ...]]:
    """Build the features of every starter of the day and put them on disk, beside the fit that the run works with.

    Returns:
        The file, and who has no features with the reason: a player without a place, a game without line-up or starter.
    """
    games, players = schedules.games_of(house, day), starters(house, day)
    fitted = fits.choose(house, day, run_id)
    resumed = schedules.resumed_games(house)
    history = asof.history(tallies(house, resumed), day)
    earlier = box(house, last=day - dt.timedelta(days=1), resumed=resumed)
    frame = build.build(history, games, players, cutoff=day, box=earlier, parameters=fitted.parameters)
    absent = build.absences(history, games, players, cutoff=day)
    path = house.run_dir(run_id) / "features.parquet"
    frame.write_parquet(path)
    gaps = (Gap(FEATURES, _who(row), row["reason"]) for row in absent.to_dicts())
    return path, tuple(gaps)


def _who(row: dict[str, Any]) -> str:
    player = row["player_id_mlbam"]
    return f"game {row['game_pk']}" + (f" player {player}" if player is not None else "")


def tallies(house: House, resumed: pl.DataFrame | None = None) -> pl.LazyFrame:
    """Return the sufficient statistics of every day in the lake; empty before the first day of history.

    Where games were resumed there is a column `known_on` more, see `features.asof.resumed`; so it is with `box`.

    Args:
        house: The opened rooms.
        resumed: `schedules.resumed_games`, where they have been looked for: that reads the schedule of every day.
    """
    if not house.lake.days(TALLIES):
        return tally.tally(tables.PITCHES.empty()).lazy()
    return asof.resumed(house.lake.scan(TALLIES), schedules.resumed_games(house) if resumed is None else resumed)


def box(
    house: House, first: dt.date | None = None, last: dt.date | None = None, resumed: pl.DataFrame | None = None
) -> pl.LazyFrame:
    """Return the box-score lines of the days from `first` to `last`, of all by default; `resumed` as in `tallies`."""
    lines = house.lake.scan(tables.BOX.name, first, last)
    return asof.resumed(lines, schedules.resumed_games(house) if resumed is None else resumed)


def project(
    house: House, day: dt.date, run_id: str, number: int, players: Sequence[int], features: Path, *, priced: bool
) -> Staged:
    """Project one batch of players in every market at every line, default and quoted, and price it against the books.

    The fit is the one that the features were built with.

    Without quotes of this run (`priced` false) nothing is priced: older prices would pass for today's.
    """
    rows = pl.read_parquet(features).filter(pl.col("player_id_mlbam").is_in(players))
    quoted = (quotes_of(house, day) if priced else tables.QUOTES.empty()).filter(
        pl.col("player_id_mlbam").is_in(players)
    )
    fitted = fits.of_run(house, day, run_id)
    props = price.price(generate.generate(rows, lines=quoted, fitted=fitted), quoted)
    folder = house.run_dir(run_id)
    staged = Staged(
        number, tuple(players), folder / f"features-{number:03}.parquet", folder / f"props-{number:03}.parquet"
    )
    # in the order in which they are served: the loader has nothing to sort then
    rows.sort(kinds.FEATURES.key).write_parquet(staged.features)
    props.sort(kinds.PROPS.key).write_parquet(staged.props)
    return staged


def unpriced(house: House, day: dt.date, batches: Sequence[Staged]) -> str:
    """Say how many of the day's quotes have no projection, and why; empty when each stands against one."""
    quoted = quotes_of(house, day)
    props = [pl.read_parquet(each.props, columns=list(LINE_KEY)) for each in batches]
    lost = price.unpriced(pl.concat(props), quoted) if props else quoted.clear()
    if lost.is_empty():
        return ""
    why = lost.group_by("reason").len().sort("len", "reason", descending=[True, False])
    reasons = ", ".join(f"{rows:,} because {reason}" for reason, rows in why.iter_rows())
    return f"{lost.height:,} of {quoted.height:,} quotes have no projection: {reasons}"


def served(features: pl.DataFrame) -> pl.DataFrame:
    """Return the features as readers are served them: distributions, which are lists, as JSON text.

    Each number is written with the fewest digits that give it back exactly; `projectable` does.
    """
    lists = [name for name, dtype in features.schema.items() if dtype.is_nested()]
    return features.with_columns(
        pl.format("[{}]", pl.col(name).cast(pl.List(pl.String)).list.join(",")).alias(name) for name in lists
    )


def projectable(served_rows: pl.DataFrame) -> pl.DataFrame:
    """Return served features as `props.generate` takes them: the inverse of `served`, bit for bit."""
    lists = [name for name, dtype in build.SCHEMA.items() if dtype.is_nested() and name in served_rows.columns]
    return served_rows.with_columns(pl.col(name).str.json_decode(pl.List(pl.Float64())) for name in lists)


def quotes_of(house: House, day: dt.date) -> pl.DataFrame:
    """Return the day's matched quotes; empty when there are none."""
    if day not in house.lake.days(tables.QUOTES.name):
        return tables.QUOTES.empty()
    return house.lake.read(tables.QUOTES.name, day)
