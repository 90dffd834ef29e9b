"""`fetch`, `sources` and `plan` as their user types them, against the demo league on loopback."""

from __future__ import annotations

import datetime as dt
import json
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import replace

import polars as pl
import pytest
from rich.console import Console

from backstop.cli import feedtables
from backstop.cli.feeds import judge
from backstop.clock import baseball_day
from backstop.demo.upstream import Upstream
from backstop.errors import UpstreamUnavailable, ValidationFailed
from backstop.lake.states import State
from backstop.settings import Feed, Settings
from backstop.stages.collect import Collected
from backstop.stages.house import House
from backstop.stages.outcome import Gap, Outcome
from tests.net.server import FaultServer, Say

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Great Expectations imports modules that Python has deprecated
    from deployments import rules  # noqa: F401

WEEK = ("2025-04-15", "2025-04-21")
"""Seven days of the simulated season; nobody plays on the last one."""


@pytest.fixture(scope="module")
def league() -> Iterator[Upstream]:
    with Upstream.start("demo") as server:
        yield server


@pytest.fixture
def home(environment, redis_url, tmp_path):
    environment.setenv("BACKSTOP_REDIS_URL", redis_url)
    environment.setenv("BACKSTOP_HISTORY_FIRST_SEASON", "2025")
    return tmp_path / "home"


def lake_of(home):
    return House(Settings(_env_file=None, home=home)).lake


def test_a_week_of_pitches_comes_into_archive_and_lake_with_a_closing_table(backstop, home, league):
    ended = backstop("fetch", "savant", *WEEK, "--upstream", league.base_url)
    assert ended.code == 0, ended.err
    assert "from archive" in ended.out
    assert "7/7" not in ended.out  # nobody plays on the last day: six are asked for
    assert "6/6" in ended.out
    assert lake_of(home).days("core_pitches") == {dt.date(2025, 4, day) for day in range(15, 21)}
    assert list((home / "archive").glob("objects/*/*.zst"))
    again = backstop("fetch", "savant", *WEEK, "--upstream", league.base_url)
    assert (again.code, "Everything is there already" in again.out) == (0, True)


def test_prices_bring_the_schedule_and_the_rosters_that_they_need(backstop, home, league):
    ended = backstop("fetch", "core_quotes", "2025-04-16", "--upstream", league.base_url)
    assert ended.code == 0, ended.err
    lake = lake_of(home)
    day = dt.date(2025, 4, 16)
    assert {"core_games", "core_players", "core_box", "core_quotes", "core_name_matches"} <= set(lake.tables())
    assert lake.read("core_quotes", day)["player_id_mlbam"].null_count() == 0


def test_sportradar_boards_and_the_register_are_fetched_as_they_stand(backstop, home, league):
    for what in ("sportradar", "register", "expected_statistics_batter", "injuries"):
        ended = backstop("fetch", what, "2025-04-16", "--upstream", league.base_url)
        assert ended.code == 0, ended.err
    found = set(lake_of(home).tables())
    assert {
        "core_games_sportradar",
        "core_register",
        "core_board_expected_statistics_batter",
        "core_injuries_sportradar",
    } <= found


def test_people_rosters_plays_and_season_statistics_are_fetched_by_name(backstop, home, league):
    for what in ("people", "rosters", "plays", "seasons", "profiles"):
        ended = backstop("fetch", what, "2025-04-16", "--upstream", league.base_url)
        assert ended.code == 0, (what, ended.err, ended.out)
    lake, day = lake_of(home), dt.date(2025, 4, 16)
    assert lake.read("core_rosters", day)["team"].n_unique() == 30
    plays = lake.read("core_plays", day)
    assert plays["game_pk"].n_unique() == lake.read("core_games", day).filter(abstract_status="Final").height
    (today,) = lake.days("core_people")
    people = set(lake.read("core_people", today)["player_id_mlbam"])
    assert set(lake.read("core_season_sportradar", today)["player_id_mlbam"]) <= people
    assert set(lake.read("core_players_sportradar", day)["player_id_mlbam"]) <= people


def test_another_season_of_a_board_fetched_on_the_same_day_is_kept_beside_the_first(backstop, home, league):
    board = "core_board_expected_statistics_batter"
    fetched = ("fetch", board, "2025-04-16", "--upstream", league.base_url)
    assert backstop(*fetched).code == 0
    lake = lake_of(home)
    (today,) = lake.days(board)
    first = lake.read(board, today)
    lake.write(board, today, first.with_columns(season=pl.lit(2024, pl.Int16)))
    assert backstop(*fetched).code == 0
    assert lake.read(board, today).group_by("season").len().sort("season").rows() == [
        (2024, first.height),
        (2025, first.height),
    ]


def test_years_that_two_answers_of_a_board_share_are_kept_once(backstop, home):
    path, board = "/leaderboard/statcast-year-to-year", "core_board_year_to_year_batter"
    one = Say(b'"name","entity_id",2024,2025,"delta_2024_2025"\n"Witt Jr., Bobby",677951,.382,.361,-.021\n')
    with FaultServer() as savant:
        savant.on(path, one)
        ended = backstop("fetch", "year_to_year_batter", "2024-09-20", "2025-04-01", "--upstream", savant.url)
    assert ended.code == 0, ended.err
    assert savant.paths().count(path) == 2
    lake = lake_of(home)
    (today,) = lake.days(board)
    assert lake.read(board, today).sort("season").select("season", "metric", "value").rows() == [
        (2024, "xwoba", 0.382),
        (2025, "xwoba", 0.361),
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("savant", "2025-06-30", "2025-06-01"), 2, "ends before it begins"),
        (("savant", "1925-06-30", "2025-06-01"), 2, "fetch a season at a time"),
        (("savant", "june"), 2, "is not a date; expected YYYY-MM-DD"),
        (("savant", "2099-01-01"), 2, "lies in the future"),
        (("mlb", "2025-06-01"), 2, "neither a feed nor a table that can be fetched; expected one of savant"),
        (("savant", "2025-06-01", "--upstream", "recorded:/nowhere"), 2, "is not a folder"),
        (("savant", "2025-06-01", "--upstream", "ftp://x"), 2, "is not an upstream; expected live"),
        (("savant", "2025-06-01", "--upstream", "http://127.0.0.1:9"), 1, "Nobody answers at http://127.0.0.1:9"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(backstop, home, arguments, code, words):
    upstream = () if "--upstream" in arguments else ("--upstream", "replay:.")
    ended = backstop("fetch", *arguments, *upstream)
    assert (ended.code, words in ended.err) == (code, True), ended.err
    assert "Traceback" not in ended.err


def test_what_cannot_be_had_is_named_and_the_exit_code_says_so(backstop, home, league):
    league.set_faults("savant:html=1.0x1000")
    try:
        ended = backstop("fetch", "savant", "2025-04-16", "--upstream", league.base_url, "--patience", "1")
    finally:
        league.set_faults("calm")
    assert ended.code == 1
    assert "missing core_pitches 2025-04-16" in ended.out
    assert "1 of 2 requests could not be answered; what came is kept" in ended.err
    entry = House(Settings(_env_file=None, home=home)).ledger.entry("core_pitches", "2025-04-16")
    assert entry.state is State.EXPECTED
    assert backstop("fetch", "savant", "2025-04-16", "--upstream", league.base_url).code == 0


def test_a_replay_asks_nobody(backstop, home, league):
    backstop("fetch", "savant", "2025-04-16", "--upstream", league.base_url)
    archive = (home / "archive").rename(home.parent / "kept")
    ended = backstop("fetch", "savant", "2025-04-16", "--again", "--upstream", f"replay:{archive}")
    assert ended.code == 0, ended.err
    assert "replay" in backstop("sources", "--upstream", f"replay:{archive}").out


def test_ctrl_c_ends_with_a_sentence(environment, home, league):
    league.set_faults("savant:drip=1.0")
    before = sum(league.stats()["requests"].values())
    command = [sys.executable, "-c", "from backstop.cli import main; main()", "fetch", "savant", *WEEK]
    try:
        with subprocess.Popen(
            [*command, "--upstream", league.base_url], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            ends = time.monotonic() + 60
            while sum(league.stats()["requests"].values()) < before + 2:  # the schedule, and a day that drips
                assert process.poll() is None
                assert time.monotonic() < ends
                time.sleep(0.02)
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=60)
    finally:
        league.set_faults("calm")
    assert process.returncode == 130, said
    assert "Interrupted; what was finished is kept" in said
    assert "Traceback" not in said


def test_sources_show_what_all_workers_know_of_each_feed(backstop, home, league):
    backstop("fetch", "theodds", "2025-04-16", "--upstream", league.base_url)
    shown = backstop("sources", "--upstream", league.base_url, "--json")
    feeds = {each["feed"]: each for each in json.loads(shown.out)}
    assert set(feeds) == set(Feed)
    odds = feeds["theodds"]
    assert (odds["breaker"], odds["gate_cap"], odds["host"]) == ("closed", 25, league.base_url)
    assert odds["credits_left"] > 0
    assert odds["last_success_at"] is not None
    assert odds["counts"]["requests"] > 10
    table = backstop("sources", "--upstream", "demo")
    assert "last success (UTC)" in table.out
    assert f"{odds['credits_left']:,}" in table.out
    live = backstop("sources")
    assert f"also asked: {league.base_url}" in live.out


def test_a_plan_says_requests_and_credits_and_asks_nobody(backstop, home, league):
    before = league.stats()["requests"]
    guess = json.loads(backstop("plan", "2025-04-16", "--json", "--upstream", league.base_url).out)
    assert league.stats()["requests"] == before
    by_table = {each["table"]: each for each in guess["requests"]}
    assert "assuming 15 games" in by_table["core_box"]["note"]
    backstop("fetch", "statsapi", "2025-04-16", "--upstream", league.base_url)
    sure = backstop("plan", "2025-04-16", "--upstream", league.base_url)
    assert sure.code == 0
    assert "credits" in sure.out
    assert "assuming" not in sure.out
    keyless = backstop("plan", "2025-04-16")
    assert "no prices: BACKSTOP_THEODDS_KEY is not set" in keyless.out
    before = str(baseball_day(dt.datetime.now(dt.UTC)))
    today = json.loads(backstop("plan", "--json").out)
    assert before <= today["day"] <= str(baseball_day(dt.datetime.now(dt.UTC)))
    assert backstop("plan", "2099-04-16").code == 2


def test_rows_that_were_held_back_make_the_command_fail_as_requests_without_an_answer_do():
    fine = Collected("quotes", 9, 1, 0, 0, 0, 0, 0.1, (Outcome("core_quotes", rows_in=5, loaded=4, quarantined=1),))
    judge([fine])
    held = replace(fine, outcomes=(Outcome("core_quotes", rows_in=5, failed=5),))
    with pytest.raises(ValidationFailed, match="5 rows"):
        judge([fine, held])
    with pytest.raises(UpstreamUnavailable, match="2 of 18 requests"):
        judge([held, replace(fine, failed=2)])


def test_gaps_beyond_the_first_ten_are_counted_by_table():
    gaps = [Gap("core_pitches", str(n), "not fetched") for n in range(9)]
    gaps += [Gap("core_box", str(n), "not fetched") for n in range(4)]
    lost = Collected("pitches", 13, 0, 0, 0, 0, 13, 0.1, (Outcome("core_pitches", gaps=tuple(gaps)),))
    console = Console(record=True, width=100)
    feedtables.tell(console, [lost])
    assert "missing 3 more: 3 of core_box" in console.export_text()
