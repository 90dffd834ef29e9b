"""Whether a day of pitches is whole: every finished game of the schedule is in it, from its first to its last out.

Savant collects during the night: next morning a game may be missing, and a suspended one stays so until it is resumed.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import polars as pl

from backstop.sources.statsapi.schedule import state

PLAYED = frozenset({"Final", "Completed Early", "Game Over"})
"""Detailed states of a game that was played to its end; a reason may follow (`Completed Early: Rain`)."""

FEWEST_PITCHES = 100
"""A game of five innings has some 140 pitches; fewer mean that a part is missing."""


@dataclass(frozen=True)
class Completeness:
    """What a day of pitches lacks.

    Attributes:
        day: The baseball day.
        finished: Games of the schedule that were played to their end.
        missing: Finished games without a pitch.
        partial: Finished games of which a part is missing, with the reason.
    """

    day: dt.date
    finished: int
    missing: tuple[int, ...]
    partial: tuple[tuple[int, str], ...]

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing."""
        return not self.missing and not self.partial

    def sentence(self) -> str:
        """Say it in words."""
        if self.is_whole:
            return f"{self.day}: all {self.finished} finished games are there."
        parts = []
        if self.missing:
            parts.append(f"no pitch of {', '.join(map(str, self.missing))}")
        parts += [f"{game_pk} {why}" for game_pk, why in self.partial]
        return f"{self.day}: of {self.finished} finished games there is {'; '.join(parts)}. Fetch the day again."


def check(day: dt.date, pitches: pl.DataFrame, games: pl.DataFrame) -> Completeness:
    """Compare a day of `core_pitches` with `core_games`.

    Args:
        day: The baseball day.
        pitches: `core_pitches`; rows of other days are left out.
        games: `core_games`; rows of other days are left out.

    Returns:
        The finished games that are missing or partial: too few pitches, innings missing in between, or another final
        score than the schedule's: the end is missing, or a pitch that brought a run. In all 2,267 games of 2024 that
        were compared the last pitch tells the final score. An end without a run cannot be missed by it.
    """
    finished = games.filter((pl.col("game_date") == day) & _is_finished())
    seen = (
        pitches.filter(pl.col("game_date") == day)
        .group_by("game_pk")
        .agg(
            pl.len().alias("pitches"),
            pl.col("inning").n_unique().alias("innings"),
            pl.col("inning").max().alias("last_inning"),
            pl.col("post_home_score", "post_away_score").max(),
        )
    )
    both = finished.join(seen, on="game_pk", how="left").sort("game_pk")
    partial = [(row["game_pk"], why) for row in both.drop_nulls("pitches").to_dicts() if (why := _lack(row))]
    return Completeness(
        day=day,
        finished=len(finished),
        missing=tuple(both.filter(pl.col("pitches").is_null())["game_pk"]),
        partial=tuple(partial),
    )


def _is_finished() -> pl.Expr:
    return state().is_in(list(PLAYED)) & (pl.col("abstract_status").fill_null("Final") == "Final")


def _lack(row: dict[str, int | None]) -> str | None:
    """Say what a finished game lacks, `None` when nothing."""
    pitches, innings, last = row["pitches"] or 0, row["innings"] or 0, row["last_inning"] or 0
    if pitches < FEWEST_PITCHES:
        return f"has {pitches} pitches, a game has at least {FEWEST_PITCHES}"
    if innings != last:
        return f"has pitches of {innings} innings of {last}"
    for side in ("home", "away"):
        scored, final = row[f"post_{side}_score"], row[f"{side}_score"]
        if scored is not None and final is not None and scored != final:
            return f"counts {scored} {side} runs, the schedule {final}"
    return None
