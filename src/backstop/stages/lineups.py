"""Known line-ups against those that a day's slate was made of: what is new, and what its last refresh did not get."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from backstop import tables
from backstop.sources.statsapi import schedule
from backstop.stages import made_of, schedules
from backstop.stages.days import Condition

if TYPE_CHECKING:
    from backstop.lake.ledger import Entry
    from backstop.stages.days import Day
    from backstop.stages.house import House

PLACE: Final = ["game_pk", "is_home", "slot", "player_id_mlbam"]
MAN: Final = ["game_pk", "is_home", "player_id_mlbam"]


@dataclass(frozen=True, slots=True)
class Owed:
    """Line-ups that are posted and not in the slate.

    Attributes:
        games: Games whose line-ups they are.
        posted: Games whose line-ups are posted at all.
        is_new: Whether some were posted, or changed, since the last refresh asked for line-ups.
        slot: A word for what is posted and the refresh that came before it, the same whenever it is looked at.
        asked_at: When the last refresh asked for line-ups, UTC; null when none did.
    """

    games: int
    posted: int
    is_new: bool
    slot: str
    asked_at: dt.datetime | None

    @property
    def reason(self) -> str:
        """What is owed, as part of a sentence."""
        return f"line-ups of {self.posted} games are posted, those of {self.games} are not in the slate"


def owed(house: House, day: Day, now: dt.datetime) -> Owed | None:
    """Return the line-ups that a day's slate lacks or has otherwise, `None` when there are none.

    They are those that are posted, and those that were fetched since the slate was made.

    Of a game that has begun only line-ups that are not known at all are owed. The order of a line-up counts where it
    was posted after the last refresh: what the feed's two answers call the order of one line-up need not be the same.
    """
    listed = posted(house, day.day, now)
    to_begin = schedules.games_of(house, day.day).filter(pl.col("start_at") > now)["game_pk"]
    renewed = {}
    if day.condition in {Condition.COMPLETE, Condition.DEGRADED}:
        renewed = {int(pk): mark for pk, mark in made_of.renewed(house, day.day).items() if int(pk) in to_begin}
    if listed.is_empty() and not renewed:
        return None
    before = None
    if day.condition is not Condition.MISSING:
        before = house.ledger.entry(tables.PLAYERS.name, day.day.isoformat())
    known = _known(house, day.day) if day.condition is not Condition.MISSING else tables.PLAYERS.empty()
    matters = listed.filter(
        pl.col("game_pk").is_in(to_begin.implode()) | ~pl.col("game_pk").is_in(known["game_pk"].unique().implode())
    )
    absent = matters.join(known, on=MAN, how="anti")
    new = matters.join(known, on=PLACE, how="anti")
    if before is not None and before.begun_at is not None:
        new = new.join(posted(house, day.day, before.begun_at), on=PLACE, how="anti")
    lacking = {*pl.concat([absent, new])["game_pk"], *renewed}
    if not lacking:
        return None
    return Owed(
        games=len(lacking),
        posted=len({*listed["game_pk"], *renewed}),
        is_new=bool(renewed) or not new.is_empty(),
        slot=_slot(listed, before, renewed),
        asked_at=before.closed_at if before is not None else None,
    )


def posted(house: House, day: dt.date, at: dt.datetime) -> pl.DataFrame:
    """Return the day's posted line-ups by the newest answer in the archive at an instant, of games that have both.

    One row per player: `game_pk`, `is_home`, `slot`, `player_id_mlbam`.
    """
    answer = house.archive.latest(schedule.plan_day(day)[0], at)
    if answer is None:
        return schedule.LINEUPS.empty().select(PLACE)
    games = schedules.games_of(house, day)["game_pk"].implode()
    players = schedule.lineups(answer).frame.filter(pl.col("game_pk").is_in(games))
    return players.filter(pl.col("is_home").n_unique().over("game_pk") > 1).select(PLACE)


def _known(house: House, day: dt.date) -> pl.DataFrame:
    """Return the starters in the lake: those that the last refresh saw."""
    if day not in house.lake.days(tables.PLAYERS.name):
        return tables.PLAYERS.empty()
    return house.lake.read(tables.PLAYERS.name, day).filter(pl.col("slot").is_not_null())


def _slot(listed: pl.DataFrame, before: Entry | None, renewed: dict[int, str]) -> str:
    text = listed.sort(PLACE).write_csv() + "".join(f"{pk} {mark}\n" for pk, mark in sorted(renewed.items()))
    run_id = before.run_id if before is not None else None
    return f"lineups-{hashlib.sha256(text.encode()).hexdigest()[:8]}-after-{(run_id or 'none')[:8]}"
