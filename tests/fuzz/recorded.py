"""Recorded answers of the real feeds as further seeds, where the recordings lie beside the checkout."""

from __future__ import annotations

import datetime as dt
import gzip
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from backstop.net.item import Answer, Item
from backstop.settings import Feed
from backstop.sources.savant import pitches
from backstop.sources.savant.boards import BOARDS
from backstop.sources.sportradar import schedule as sportradar_schedule
from backstop.sources.sportradar import season, summary
from backstop.sources.statsapi import boxscore, livefeed, people, schedule
from backstop.sources.theodds import props
from tests.fuzz.bodies import DAY, cut

GAME, PLAYED = 744914, dt.date(2024, 7, 1)
"""Of the recorded box score and live feed."""

ASKED = dt.datetime(2024, 9, 1, 12, tzinfo=dt.UTC)
"""Before the recorded event began: quotes of games under way are set aside."""

BOARD_FILES = {
    "expected_statistics_batter": "leaderboards_2025/expected_stats.csv",
    "exit_velocity_pitcher": "leaderboards_2025/Pitching_exit_velocity.csv",
    "pitch_arsenals": "leaderboards_2025/pitch_arsenals.csv",
    "percentile_rankings_batter": "leaderboards_2025/percentile_rankings.csv",
    "bat_tracking_batter": "leaderboards_2026/bat-tracking.csv",
    "pitch_tempo_batter": "leaderboards_2025/pitch_tempo.csv",
    "fielding_run_value": "leaderboards_2025/fielding_run_value.csv",
    "custom_batter": "leaderboards_2025/batting_stats.csv",
}
"""One of each peculiarity: a comma in a header name, other names of the id, columns named twice, numbers in quotes."""


def recorded(folder: Path) -> dict[str, list[tuple[Answer, pl.DataFrame]]]:
    """Return cut recordings by table, each with the games that its parser may need; none without the folder."""
    if not folder.is_dir():
        return {}
    listed = schedule.parse(
        _answer(schedule.plan_day(PLAYED)[0], _read(folder / "mlb_statsapi/darkside/schedule.json"))
    )
    found: dict[str, list[tuple[Answer, pl.DataFrame]]] = {}
    for item, path in _files(folder):
        found.setdefault(item.table, []).append((cut(_answer(item, _read(path))), listed.frame))
    return found


def _files(folder: Path) -> Iterator[tuple[Item, Path]]:
    for path in sorted((folder / "savant/raw_csv").glob("*.csv*")):
        yield pitches.plan([_day(_read(path))])[0], path
    for board, name in BOARD_FILES.items():
        yield Item(Feed.SAVANT, f"core_board_{board}", "2025", BOARDS[board].path or "/"), folder / "savant" / name
    league = folder / "mlb_statsapi"
    for path in (*league.glob("darkside/schedule*.json"), *league.glob("zero_sum/schedule__*.json")):
        yield schedule.plan_day(_day(_read(path)))[0], path
    yield boxscore.plan([GAME])[0], league / "darkside/boxscore.json.gz"
    yield livefeed.plan([GAME])[0], league / "darkside/livefeed.json.gz"
    yield livefeed.plan([GAME])[0], league / "zero_sum/games__game.json.gz"
    yield people.plan_season(2022)[0], league / "zero_sum/people__players.json"
    yield people.plan_rosters(DAY, ["ATH"])[0], league / "zero_sum/teams__team_roster_players.json"
    event = pl.DataFrame({"event_id_theodds": ["0" * 32], "commence_at": [ASKED]})
    quotes = "odds/raw/the_odds_api_event_odds_batter_home_runs_2024-09-01_excerpt.json"
    yield replace(props.plan(event, ["batter_home_runs"])[0], params=(("oddsFormat", "decimal"),)), folder / quotes
    other = folder / "sportradar"
    yield replace(sportradar_schedule.plan(DAY)[0], key="2017"), other / "mlb__json__hierarchy__schedule.yml.gz"
    yield summary.plan_day(dt.date(2018, 5, 24))[0], other / "sportsball_mockSummaryData.json.gz"
    yield season.plan(2018, ["CLE"])[0], other / "sportsball_mockTeamStatsData.json.gz"


def _day(body: bytes) -> dt.date:
    """Return the first day that a recording names: rows of days that were not asked for are set aside unread."""
    found = re.search(rb"\b20\d\d-\d\d-\d\d\b", body)
    return dt.date.fromisoformat(found.group().decode()) if found else DAY


def _read(path: Path) -> bytes:
    body = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    if ".yml" not in path.suffixes:
        return body
    session: Any = yaml.safe_load(body)
    text: str = session["http_interactions"][0]["response"]["body"]["string"]
    return text.encode()


def _answer(item: Item, body: bytes) -> Answer:
    return Answer(item, 200, body.removeprefix(b"\xef\xbb\xbf"), ASKED, "0" * 64)
