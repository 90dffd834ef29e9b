"""The main job on a league that answers as it should: what is published, what a second run asks for, replay."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import polars as pl
import pytest

from backstop import tables
from backstop.batches import batched
from backstop.features.build import SCHEMA
from backstop.lake.states import State
from expectations.props import props_suite
from expectations.rules import version_of
from scripts import dictionary
from tests.flows.league import EARLY, OFF, OPENING, Rooms, gaps, outcomes, sentence
from tests.flows.proxy import Proxy

pytestmark = pytest.mark.prefect


@dataclass
class Run:
    state: Any
    asked: list[str]
    props: pl.DataFrame
    version: int

    @property
    def summary(self) -> Any:
        return self.state.result()


@dataclass
class Twice:
    rooms: Rooms
    first: Run
    again: Run


BOARD = "http://board.example:8090/"


@pytest.fixture(scope="module")
def twice(prefect_server, league, tmp_path_factory):
    """The same day, refreshed twice in one home."""
    with Proxy(league.base_url) as feed, Rooms.opened(tmp_path_factory.mktemp("twice") / "home") as rooms:
        runs = []
        for _ in range(2):
            feed.asked.clear()
            state = rooms.refresh(EARLY, upstream=feed.base_url, board_url=BOARD)
            props, version = rooms.props(EARLY), rooms.house.reader.slate(EARLY).version
            runs.append(Run(state, list(feed.asked), props, version))
        yield Twice(rooms, *runs)


def test_the_run_completes_and_publishes_what_it_counted(twice):
    first = twice.first
    assert first.state.name == "Completed"
    assert first.summary.version == first.version == 1
    assert first.props.height == outcomes(first.summary)["out_props"].loaded > 1000
    view = twice.rooms.house.reader.slate(EARLY)
    assert view.props_count == first.props.height
    assert view.meta["quality"] == "complete"
    assert len(view.meta["games"]) == outcomes(first.summary)["core_games"].loaded - _games_before(twice)


def _games_before(twice):
    return twice.rooms.house.lake.scan("core_games", OPENING, EARLY - dt.timedelta(days=1)).collect().height


def test_every_row_that_came_in_is_accounted_for(twice):
    found = outcomes(twice.first.summary)
    assert set(found) == {*(table.name for table in tables.ALL), "out_features"}
    for each in found.values():
        assert each.rows_in == each.loaded + each.quarantined + each.failed
        assert each.rows_in > 0
        assert each.failed == 0


def test_the_lake_the_ledger_and_the_quarantine_hold_what_the_run_says(twice):
    house = twice.rooms.house
    found = outcomes(twice.first.summary)
    pitches = house.lake.scan("core_pitches").collect()
    assert pitches.height == found["core_pitches"].loaded
    assert set(pitches["game_date"]) == {OPENING, OPENING + dt.timedelta(days=1)}
    for day in (OPENING, OPENING + dt.timedelta(days=1)):
        entry = house.ledger.entry("core_pitches", day.isoformat())
        assert entry.state is State.COMPLETE
        assert entry.rows_in == entry.rows_loaded + entry.rows_quarantined
        assert entry.content_hash
    published = house.ledger.entry("out_props", EARLY.isoformat())
    assert (published.rows_loaded, published.suite_version) == (found["out_props"].loaded, version_of(props_suite()))
    quarantined = house.quarantine.list().filter(pl.col("run_id") == twice.first.summary.run_id)
    assert quarantined.height == sum(each.quarantined for each in found.values())


def test_every_partition_is_of_a_table_in_the_data_dictionary_with_its_columns(twice):
    lake = twice.rooms.house.lake
    documented = {"out_features": SCHEMA} | {name: table.schema for name, table in dictionary.TABLES.items()}
    there = {path.partition("/")[0] for path in lake.place.list("")} - {"quarantine"}
    assert {"core_tallies", "core_name_matches", "core_models", "out_slates", "out_taken"} <= there
    for table in there:
        for day in lake.days(table):
            assert lake.read(table, day).schema == documented[table], table


def test_features_know_nothing_of_the_day_itself(twice):
    features = twice.rooms.house.lake.read("out_features", EARLY)
    assert set(features["as_of"]) == {EARLY - dt.timedelta(days=1)}


def test_a_quote_for_a_player_nobody_knows_is_quarantined_with_its_row(twice):
    quotes = outcomes(twice.first.summary)["core_quotes"]
    assert quotes.rules["player is known"] == quotes.quarantined > 0
    row = twice.rooms.house.quarantine.list("core_quotes").row(0, named=True)
    assert row["rule"] == "player is known"
    assert '"player_id_mlbam":null' in row["row"]
    assert quotes.worst[0].rule == "player is known"


def test_prices_of_the_books_stand_beside_the_projections(twice):
    priced = twice.first.props.filter(pl.col("books") > 0)
    assert priced.height > 500
    assert priced["best_price_decimal"].min() > 1
    assert priced["ev_per_unit"].is_finite().all()


def test_a_second_run_asks_for_no_pitches_and_for_no_settled_schedule(twice):
    asked = twice.again.asked
    assert [each for each in asked if "statcast_search" in each] == []
    assert [each for each in asked if "schedule" in each and "startDate" in each] == []
    assert len(asked) < len(twice.first.asked)


def test_a_second_run_publishes_the_same_props_as_the_next_version(twice):
    assert twice.again.version == 2
    assert twice.again.props.equals(twice.first.props)
    assert outcomes(twice.again.summary)["core_pitches"].rows_in == 0


def test_a_replay_from_the_archive_gives_the_same_props_and_asks_nobody(twice, tmp_path):
    archive = twice.rooms.home / "archive"
    with Proxy(None) as nobody, Rooms.opened(tmp_path / "home") as rooms:
        urls = {f"{feed}_url": nobody.base_url for feed in ("savant", "statsapi", "theodds", "sportradar")}
        state = rooms.refresh(EARLY, upstream=f"replay:{archive}", **urls)
        assert state.name == "Completed"
        assert rooms.props(EARLY).equals(twice.first.props)
        assert nobody.asked == []


def test_a_replay_of_a_day_that_was_never_archived_fails_with_a_sentence(twice, rooms):
    state = rooms.refresh(EARLY + dt.timedelta(days=1), upstream=f"replay:{twice.rooms.home / 'archive'}")
    assert state.is_failed()
    assert "The schedule of 2025-04-05 is not known" in sentence(state)


def test_the_run_is_named_after_the_day_and_its_tasks_after_what_they_do(twice):
    from prefect import get_client
    from prefect.client.schemas.filters import TaskRunFilter, TaskRunFilterFlowRunId

    run_id = twice.first.state.state_details.flow_run_id
    with get_client(sync_client=True) as client:
        assert client.read_flow_run(run_id).name == f"slate {EARLY}"
        of_run = TaskRunFilter(flow_run_id=TaskRunFilterFlowRunId(any_=[run_id]))
        names = [each.name for each in client.read_task_runs(task_run_filter=of_run, limit=200)]
    players = outcomes(twice.first.summary)["out_features"].loaded
    batches = len(list(batched(range(players))))
    assert {f"load props · batch {n:02d}" for n in range(1, batches + 1)} <= set(names)
    assert {"fetch pitches · batch 01", "validate pitches · batch 01", f"publish slate {EARLY}"} <= set(names)


def test_the_run_leaves_an_artifact_per_table_a_summary_and_a_link_to_the_board(twice):
    from prefect import get_client

    with get_client(sync_client=True) as client:
        run_id = str(twice.first.state.state_details.flow_run_id)
        asked = {"artifacts": {"flow_run_id": {"any_": [run_id]}}, "limit": 200}
        found = client.request("POST", "/artifacts/filter", json=asked).json()
    left = {each["key"]: each["data"] for each in found}
    assert left["board"] == f"[The board]({BOARD})"
    assert left.keys() == {
        "board",
        *(f"validation-{table.name.replace('_', '-')}" for table in tables.ALL),
        "validation-out-features",
        "slate-progress",
        "slate-summary",
        "slate-best-prices",
    }


def test_a_day_without_games_ends_in_its_own_state_and_publishes_nothing(rooms, league):
    state = rooms.refresh(OFF, upstream=league.base_url)
    assert (state.type.value, state.name) == ("COMPLETED", "NoGames")
    assert state.result().quality == "empty"
    assert rooms.house.reader.slate(OFF).state == "missing"
    assert rooms.house.ledger.entry("core_games", OFF.isoformat()).state is State.EMPTY_OK
    assert rooms.house.lake.days("core_pitches") == set()


def test_the_first_day_of_a_league_has_no_history_and_is_closed_as_empty(rooms, league):
    state = rooms.refresh(OPENING, upstream=league.base_url)
    assert state.name == "NoHistory"
    assert state.is_completed()
    assert rooms.house.reader.slate(OPENING).state == "missing"
    entry = rooms.house.ledger.entry("out_props", OPENING.isoformat())
    assert (entry.state, entry.reason) == (State.EMPTY_OK, "no game before it is kept as history")


def test_a_date_in_the_future_is_refused_before_anybody_is_asked(rooms):
    with Proxy(None) as nobody:
        day = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=30)
        state = rooms.refresh(day, upstream=nobody.base_url)
        assert nobody.asked == []
    assert state.is_failed()
    assert f"{day} lies in the future" in sentence(state)


@pytest.mark.parametrize("day", ["2025-13-45", "yesterday", ""])
def test_a_malformed_date_is_refused_by_name_before_anything_runs(rooms, day):
    state = rooms.refresh(day, upstream="http://127.0.0.1:9")
    assert state.is_failed()
    assert "day" in sentence(state)
    assert not (rooms.home / "lake").exists()
    assert not (rooms.home / "ledger.sqlite").exists()


def test_a_date_written_as_text_is_read_as_the_prefect_form_sends_it(rooms, league):
    state = rooms.refresh(OFF.isoformat(), upstream=league.base_url)
    assert state.name == "NoGames"
    assert gaps(state.result(), "core_games") == {}
