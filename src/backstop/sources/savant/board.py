"""What a leaderboard of Savant is: its address, who is in a row, its columns, and the table that it fills."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from backstop.tables import Column, Table

UNITS: Final[dict[str, tuple[str, str]]] = {
    "avg_bat_speed": ("mph", "bat speed"),
    "avg_hit_speed": ("mph", "exit velocity"),
    "max_hit_speed": ("mph", "exit velocity"),
    "ev50": ("mph", "mean exit velocity of the harder half"),
    "fbld": ("mph", "exit velocity of fly balls and line drives"),
    "gb": ("mph", "exit velocity of ground balls"),
    "avg_best_speed": ("mph", "mean exit velocity of the harder half"),
    "avg_hyper_speed": ("mph", "mean of the exit velocity, at least 88"),
    "avg_hit_angle": ("deg", "launch angle"),
    "max_distance": ("ft", "projected distance"),
    "avg_distance": ("ft", "projected distance"),
    "avg_hr_distance": ("ft", "projected distance of home runs"),
    "hp_to_1b": ("s", "home plate to first base"),
    "sprint_speed": ("ft_per_s", "feet per second in the fastest one-second window"),
    "swing_length": ("ft", "path of the bat"),
    "swing_tilt": ("deg", "swing path tilt"),
    "attack_angle": ("deg", "attack angle"),
    "attack_direction": ("deg", "attack direction"),
    "avg_intercept_y_vs_plate": ("in", "where bat meets ball, from the plate"),
    "avg_intercept_y_vs_batter": ("in", "where bat meets ball, from the batter"),
    "avg_batter_y_position": ("in", "depth in the batter's box"),
    "avg_batter_x_position": ("in", "distance off the plate"),
    "avg_foot_sep": ("in", "between the feet"),
    "avg_stance_angle": ("deg", "stance"),
    "avg_speed": ("mph", "out of the hand"),
    "release_speed": ("mph", "out of the hand"),
    "spin_rate": ("rpm", "spin rate"),
    "pitcher_break_z": ("in", "vertical break with gravity"),
    "pitcher_break_z_induced": ("in", "induced vertical break"),
    "pitcher_break_x": ("in", "horizontal break"),
    "ball_angle": ("deg", "arm angle"),
    "release_ball_z": ("ft", "height of the release"),
    "shoulder_z": ("ft", "height of the shoulder"),
    "median_seconds_empty": ("s", "between pitches with the bases empty"),
    "median_seconds_onbase": ("s", "between pitches with runners on"),
    "avg_hr_trot": ("s", "round the bases on a home run"),
    "avg_norm_start_distance": ("ft", "from home plate"),
    "avg_norm_start_angle": ("deg", "from the line to second base"),
}
"""Unit and meaning of measures; those not listed are counts, runs, rates or percentiles in the board's own scale."""


@dataclass(frozen=True, slots=True)
class Board:
    """One leaderboard.

    Attributes:
        name: Of the table, after `core_board_`.
        path: Under Savant's address; empty where only a download by hand is known.
        params: Query with `{season}` where the season stands; `csv=true` is added.
        player_id: Header of the MLBAM id.
        player_name: Header of the name.
        season: Header of the season; empty where the board does not say it.
        keys: Headers that tell the rows of one player apart.
        texts: Headers of other texts.
        measures: Headers of numbers. `name#2` is the second column of that name.
        renamed: Headers that get another name than their own in lower case.
        metric: Parameter of the query that names what is measured, on a board whose columns are named after years.
    """

    name: str
    path: str
    params: str
    player_id: str
    player_name: str
    measures: str
    season: str = ""
    keys: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    metric: str = ""

    @property
    def numbers(self) -> tuple[str, ...]:
        """Headers of the measures."""
        return tuple(self.measures.split())

    @property
    def headers(self) -> frozenset[str]:
        """All headers known, as often as they stand."""
        named = {self.player_id, self.player_name, *self.keys, *self.texts, *self.numbers}
        return frozenset(named | ({self.season} if self.season else set()))

    @property
    def table(self) -> Table:
        """The table that the board fills."""
        ours = dict(self.renamed)
        identity = (
            Column("player_id_mlbam", pl.Int64(), "MLBAM id", self.player_id),
            Column("retrieved_on", pl.Date(), "day of retrieval: a board of a season in progress changes daily"),
            Column("season", pl.Int16(), "year of the season", self.season or None),
            Column("player_name", pl.String(), "`Last, First`", self.player_name),
        )
        asked = [Column("metric", pl.String(), "as asked for: the answer does not name it")] if self.metric else []
        texts = [
            Column(ours.get(header, header.lower()), pl.String(), "as the board gives it", header)
            for header in (*self.keys, *self.texts)
        ]
        measures = [self._measure(header, ours.get(header, header.lower())) for header in self.numbers]
        told_apart = [*(column.name for column in asked), *(ours.get(name, name.lower()) for name in self.keys)]
        key = ("player_id_mlbam", "retrieved_on", "season", *told_apart)
        columns = (*identity, *asked, *texts, *measures)
        return Table(f"core_board_{self.name}", f"one row per {', '.join(key)}", key, columns)

    @staticmethod
    def _measure(header: str, name: str) -> Column:
        unit, meaning = UNITS.get(name, ("", "in the board's own scale"))
        return Column(f"{name}_{unit}" if unit else name, pl.Float64(), meaning, header)
