"""Recorded leaderboards of Savant, known by their columns, their folder's year and whose they are."""

from __future__ import annotations

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

_YEAR: Final = re.compile(r"20\d\d")


@dataclass(frozen=True, slots=True)
class _Board:
    path: str
    year: int | None
    of_pitchers: bool
    file: Path


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
        found = [_known(path, first) for folder in folders for path, first in files.csv(folder, rows=1)]
        return [board for board in found if board]

    def answer(self, path: str, query: dict[str, str]) -> bytes | None:
        """Return the recorded answer to a path of the same year and kind of player; `None` when there is none."""
        words = " ".join(query.get(name, "") for name in PITCHERS_TOO).lower()
        of_pitchers = "pit" in words
        asked = _YEAR.search(" ".join(query.values()))
        year = int(asked.group()) if asked else None
        for board in self._boards:
            if board.path == path and board.of_pitchers == of_pitchers and (year is None or board.year == year):
                data = board.file.read_bytes()
                return gzip.decompress(data) if board.file.suffix == ".gz" else data
        return None


def _known(path: Path, first: pl.DataFrame) -> _Board | None:
    columns = set(first.columns)
    paths = [known for known, needed in COLUMNS.items() if needed <= columns]
    if not paths:
        return None
    # a season named in the rows counts before the name of the folder
    text = next((str(first[name][0]) for name in ("year", "season") if name in columns and len(first)), "")
    found = _YEAR.search(text) or _YEAR.search(path.name) or _YEAR.search(path.parent.name)
    return _Board(paths[0], int(found.group()) if found else None, "pitching" in path.name.lower(), path)
