"""Recorded leaderboards: whose and of which season a file is, and what is said of those that nobody recorded."""

from __future__ import annotations

import datetime as dt
import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from backstop.clock import FixedClock
from backstop.demo.recorded.boards import Boards
from backstop.demo.upstream import Upstream
from backstop.errors import UpstreamRefused
from backstop.net.client import Fetcher
from backstop.settings import Feed, Settings
from backstop.sources.savant import leaderboards
from tests.demo import folder as f
from tests.net.server import on_loop

BOM = b"\xef\xbb\xbf"
EXIT = b'"last_name, first_name","player_id","avg_hit_speed","ev95plus","barrels"\n"Doe, Jr., J.",1,90.1,5,2\n'
CUSTOM = b"k_percent,bb_percent,sweet_spot_percent,barrel_batted_rate"
SEASONS = (
    b'"last_name, first_name","player_id","year",' + CUSTOM + b"\n"
    b'"Doe, Jo",1,2029,1,2,3,4\n'
    b'"2030, Jo",2,"2030",1,2,3,4\n'
    b'"Roe, Al",3,2030,".304",2,3,2029\n'
    b'"Last, Lee",4,2031,1,2,3,4'
)
RUNNING = b'"player_id","player_name","start_year","runs_prevented_on_running_attr"\n1,"Doe, Jo",2031,0.5\n'
FILES = {
    "leaderboards_2031/exit_velocity.csv": BOM + EXIT,
    "leaderboards_2031/Pitching_exit_velocity.csv.gz": gzip.compress(EXIT.replace(b"90.1", b"88.8")),
    "leaderboards_older/exit 2030.csv": EXIT.replace(b"90.1", b"87.7"),
    "leaderboards_older/stats.csv": BOM + SEASONS,
    "leaderboards_2031/pitcher_running.csv": RUNNING,
    "leaderboards_2031/positions.csv": b"fielder_id,name_fielder\n1,x\n",
}


@pytest.fixture
def boards(tmp_path: Path) -> Boards:
    return Boards(written(tmp_path / "savant"))


def written(savant: Path) -> Path:
    for name, body in FILES.items():
        (savant / name).parent.mkdir(parents=True, exist_ok=True)
        (savant / name).write_bytes(body)
    return savant


@pytest.mark.parametrize(
    ("path", "query", "expected"),
    [
        ("statcast", {"year": "2031", "type": "batter"}, BOM + EXIT),
        ("statcast", {"year": "2031", "type": "pitcher"}, EXIT.replace(b"90.1", b"88.8")),
        ("statcast", {"year": "2030", "type": "batter"}, EXIT.replace(b"90.1", b"87.7")),
        ("statcast", {"year": "2030", "type": "pitcher"}, None),
        ("statcast", {"year": "2029", "type": "batter"}, None),
        ("statcast", {"type": "batter"}, BOM + EXIT),
        ("pitcher-running-game", {"season_start": "2031", "type": "Pit"}, RUNNING),
        ("pitcher-running-game", {"season_start": "2030", "type": "Pit"}, None),
        ("sprint_speed", {"year": "2031"}, None),
    ],
)
def test_a_board_answers_for_its_season_and_its_players_alone(
    boards: Boards, path: str, query: dict[str, str], expected: bytes | None
) -> None:
    assert boards.answer(f"/leaderboard/{path}", query) == expected


@pytest.mark.parametrize(
    ("year", "lines"),
    [
        ("2029", [b'"Doe, Jo",1,2029,1,2,3,4\n']),
        ("2030", [b'"2030, Jo",2,"2030",1,2,3,4\n', b'"Roe, Al",3,2030,".304",2,3,2029\n']),
        ("2031", [b'"Last, Lee",4,2031,1,2,3,4']),
    ],
)
def test_of_a_file_of_several_seasons_the_lines_of_the_one_asked_are_served_byte_for_byte(
    boards: Boards, year: str, lines: list[bytes]
) -> None:
    header = BOM + SEASONS.splitlines(keepends=True)[0]
    assert boards.answer("/leaderboard/custom", {"year": year, "type": "batter"}) == header + b"".join(lines)


def test_a_file_of_several_seasons_is_served_whole_when_no_season_is_named(boards: Boards) -> None:
    assert boards.answer("/leaderboard/custom", {"type": "batter"}) == BOM + SEASONS
    assert boards.answer("/leaderboard/custom", {"year": "2032", "type": "batter"}) is None


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("statcast", "batters 2030, 2031; pitchers 2031"),
        ("custom", "2029, 2030, 2031"),
        ("pitcher-running-game", "2031"),
        ("sprint_speed", "nothing"),
    ],
)
def test_what_is_held_of_a_board_is_said_by_season_and_player(boards: Boards, path: str, words: str) -> None:
    assert boards.held(f"/leaderboard/{path}") == words


@pytest.fixture
def upstream(tmp_path: Path) -> Iterator[Upstream]:
    folder = f.write(tmp_path / "recordings", wide=f.pitches())
    written(folder / "savant")
    with Upstream.start(f"recorded:{folder}") as server:
        yield server


@on_loop
async def test_boards_that_nobody_recorded_are_refused_by_name_without_retry_and_no_breaker_opens(
    upstream: Upstream, tmp_path: Path
) -> None:
    settings = Settings(_env_file=None, home=tmp_path).pointed_at(upstream.base_url)
    items = leaderboards.plan(2031)
    async with Fetcher(settings, clock=FixedClock(dt.datetime(2031, 5, 5, tzinfo=dt.UTC))) as fetcher:
        results = await fetcher.fetch_many(items, leaderboards.inspect)
        counts = fetcher.counts()[Feed.SAVANT]
        health = next(each for each in fetcher.health() if each.feed == Feed.SAVANT)
    refused = [each for each in results if isinstance(each, UpstreamRefused)]
    assert [each.item.table for each in results if not isinstance(each, Exception)] == [
        "core_board_exit_velocity_batter", "core_board_exit_velocity_pitcher", "core_board_pitcher_running_game",
        "core_board_custom_batter",
    ]  # fmt: skip
    assert len(refused) == len(items) - 4
    assert all("404 (not recorded; of /" in each.message for each in refused)
    assert (health.breaker, counts.requests, counts.retries, counts.openings) == ("closed", len(items), 0, 0)
