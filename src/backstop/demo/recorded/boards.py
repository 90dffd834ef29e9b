"""Recorded leaderboards of Savant, known by their columns, their folder's year and whose they are."""

from __future__ import annotations

import csv
import gzip
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import polars as pl

from backstop.demo.recorded import files

COLUMNS: Final[dict[str, frozenset[str]]] = {
    "/leaderboard/expected_statistics": frozenset({"est_ba", "est_slg", "est_woba", "bip"}),
    "/leaderboard/statcast": frozenset({"avg_hit_speed", "ev95plus", "barrels"}),
    "/leaderboard/sprint_speed": frozenset({"competitive_runs", "bolts", "sprint_speed"}),
    "/leaderboard/pitch-arsenal-stats": frozenset({"pitch_type", "run_value_per_100", "put_away"}),
    "/leaderboard/pitch-arsenals": frozenset({"pitcher", "ff_avg_speed"}),
    "/leaderboard/percentile-rankings": frozenset({"xwoba", "xba", "brl_percent", "whiff_percent", "max_ev"}),
    "/leaderboard/bat-tracking/swing-path-attack-angle": frozenset(
        {"swing_tilt", "attack_angle", "competitive_swings"}
    ),
    "/leaderboard/bat-tracking": frozenset({"swings_competitive", "blast_per_swing"}),
    "/leaderboard/batted-ball": frozenset({"gb_rate", "air_rate", "pull_air_rate"}),
    "/leaderboard/home-runs": frozenset({"no_doubters", "hr_total", "xhr"}),
    "/leaderboard/pitch-movement": frozenset({"pitcher_break_z", "diff_x", "rise"}),
    "/leaderboard/active-spin": frozenset({"active_spin_fourseam"}),
    "/leaderboard/spin-direction-pitches": frozenset({"hawkeye_measured", "movement_inferred"}),
    "/leaderboard/swing-take": frozenset({"runs_heart", "runs_shadow"}),
    "/leaderboard/pitch-tempo": frozenset({"total_pitches_empty", "median_seconds_empty"}),
    "/leaderboard/pitcher-arm-angles": frozenset({"ball_angle", "relative_shoulder_x"}),
    "/visuals/batting-stance": frozenset({"avg_foot_sep", "avg_stance_angle"}),
    "/leaderboard/fielding-run-value": frozenset({"run_value_range", "run_value_arm"}),
    "/leaderboard/baserunning-run-value": frozenset({"runner_runs_tot", "runner_runs_XB"}),
    "/leaderboard/pitcher-running-game": frozenset({"runs_prevented_on_running_attr"}),
    "/leaderboard/custom": frozenset({"k_percent", "bb_percent", "sweet_spot_percent", "barrel_batted_rate"}),
}
"""Columns by which a file is known to answer a path."""

PITCHERS_TOO: Final = ("type", "player_type", "group")
"""Parameters that say whose board is asked."""

OF_PITCHERS: Final = frozenset({"/leaderboard/pitcher-running-game"})
"""Boards that list nobody else, whatever their file is called."""

_YEAR: Final = re.compile(r"20\d\d")


@dataclass(frozen=True, slots=True)
class _Board:
    path: str
    years: frozenset[int]
    of_pitchers: bool
    file: Path

    def of(self, year: int | None) -> bytes:
        """Return the bytes as recorded; of a file with several seasons the lines of one, if one is asked."""
        data = self.file.read_bytes()
        data = gzip.decompress(data) if self.file.suffix == ".gz" else data
        return data if year is None or len(self.years) == 1 else _of_year(data, year)


class Boards:
    """The leaderboards of a folder.

    Args:
        folder: Where `leaderboards*` folders lie.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cached_property
    def _boards(self) -> list[_Board]:
        folders = sorted(self._folder.glob("leaderboards*"))
        found = [_known(path, rows) for folder in folders for path, rows in files.csv(folder)]
        return [board for board in found if board]

    def answer(self, path: str, query: dict[str, str]) -> bytes | None:
        """Return the recorded answer to a path of the same year and kind of player; `None` when there is none."""
        words = " ".join(query.get(name, "") for name in PITCHERS_TOO).lower()
        of_pitchers = "pit" in words
        asked = _YEAR.search(" ".join(query.values()))
        year = int(asked.group()) if asked else None
        for board in self._boards:
            if board.path == path and board.of_pitchers == of_pitchers and (year is None or year in board.years):
                return board.of(year)
        return None

    def held(self, path: str) -> str:
        """Say of which seasons a path is recorded, and of whom where it is of both."""
        seasons: dict[str, set[int]] = {}
        for board in self._boards:
            if board.path == path:
                seasons.setdefault("pitchers" if board.of_pitchers else "batters", set()).update(board.years)
        parts = [f"{who} {', '.join(map(str, sorted(years)))}" for who, years in sorted(seasons.items())]
        return "; ".join(parts if len(parts) > 1 else [part.partition(" ")[2] for part in parts]) or "nothing"


def _known(path: Path, rows: pl.DataFrame) -> _Board | None:
    columns = set(rows.columns)
    paths = [known for known, needed in COLUMNS.items() if needed <= columns]
    if not paths:
        return None
    of_pitchers = paths[0] in OF_PITCHERS or "pitching" in path.name.lower()
    return _Board(paths[0], _years(path, rows), of_pitchers, path)


def _years(path: Path, rows: pl.DataFrame) -> frozenset[int]:
    """Return the seasons of a file: those named in the rows count before the name of the file and of its folder."""
    for name in ("year", "season"):
        if name in rows.columns and (named := _YEAR.findall(" ".join(rows[name].drop_nulls().unique()))):
            return frozenset(map(int, named))
    found = _YEAR.search(path.name) or _YEAR.search(path.parent.name)
    return frozenset({int(found.group())} if found else ())


def _of_year(data: bytes, year: int) -> bytes:
    """Return the header and the lines of one season, each as it is; no value of a board holds an end of line."""
    header, *lines = data.splitlines(keepends=True)
    names = next(csv.reader([header.decode("utf-8-sig")]))
    place = next(n for n, name in enumerate(names) if name in ("year", "season"))
    wanted = str(year)
    return b"".join(
        [header, *(line for line in lines if next(csv.reader([line.decode()]))[place : place + 1] == [wanted])]
    )
