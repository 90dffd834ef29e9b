"""A day of pitches written as Savant writes it: 119 columns, quoted names with commas, LF, no last line end."""

from __future__ import annotations

import csv
import io
from typing import Any

from backstop.sources.savant.vocabulary import COLUMNS_2026

PITCH = {
    "pitch_type": "FF",
    "game_date": "2025-06-15",
    "release_speed": "97.1",
    "player_name": "Skubal, Tarik",
    "batter": "592450",
    "pitcher": "669373",
    "description": "ball",
    "des": "Aaron Judge walks, on four pitches.",
    "game_type": "R",
    "stand": "R",
    "p_throws": "L",
    "home_team": "DET",
    "away_team": "NYY",
    "type": "B",
    "balls": "0",
    "strikes": "0",
    "game_year": "2025",
    "plate_x": "0.31",
    "plate_z": "2.5",
    "zone": "6",
    "outs_when_up": "0",
    "inning": "1",
    "inning_topbot": "Top",
    "game_pk": "777245",
    "at_bat_number": "1",
    "pitch_number": "1",
    "home_score": "0",
    "away_score": "0",
    "bat_score": "0",
    "post_bat_score": "0",
    "post_home_score": "0",
    "post_away_score": "0",
}


class PitchDay:
    """Rows that can be changed before they are written."""

    def __init__(self, pitches: int = 4) -> None:
        self.columns: list[str] = list(COLUMNS_2026)
        self.rows: list[dict[str, Any]] = [
            dict(PITCH, pitch_number=str(n), balls=str(n - 1)) for n in range(1, pitches + 1)
        ]
        self.rows[-1]["events"] = "walk"

    def write(self, *, line_end: str = "\n", bom: bool = False, last_line_end: bool = False) -> bytes:
        out = io.StringIO()
        writer = csv.writer(out, lineterminator=line_end)
        writer.writerow(self.columns)
        for row in self.rows:
            writer.writerow([row.get(name, "") for name in self.columns])
        text = out.getvalue()
        if not last_line_end:
            text = text.removesuffix(line_end)
        return text.encode("utf-8-sig" if bom else "utf-8")
