"""Keep and sift: what passed is stored, what did not is accounted for, and doing it again changes nothing."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backstop.errors import LeaseHeld, ValidationFailed
from backstop.lake.states import State
from backstop.sources.parsed import REJECTED
from backstop.stages import turn
from backstop.stages.keep import Checked, keep, sift
from backstop.stages.outcome import Refused
from tests.stages.rows import DAY, games

KEY = DAY.isoformat()


def rejected(count: int) -> pl.DataFrame:
    rows = [(f'{{"n":{n}}}', "rule", "why") for n in range(count)]
    return pl.DataFrame(rows, schema=REJECTED, orient="row")


def checked(loaded: int = 3, refused: int = 1, **changes: object) -> Checked:
    whole = Checked(
        table="core_games",
        day=DAY,
        rows_in=loaded + refused,
        kept=games(DAY, *range(1, loaded + 1)),
        rejected=rejected(refused),
        rules={"rule": refused} if refused else {},
        raw_ref="abc",
        suite_version="core_games",
    )
    return replace(whole, **changes)


def files(house) -> dict[str, bytes]:
    root = house.settings.home / "lake"
    return {str(path): path.read_bytes() for path in root.rglob("*.parquet")}


def test_what_passed_is_in_the_lake_and_what_did_not_in_quarantine(house):
    outcome = keep(house, checked(), "run")
    assert (outcome.rows_in, outcome.loaded, outcome.quarantined, outcome.failed) == (4, 3, 1, 0)
    assert house.lake.read("core_games", DAY).height == 3
    (row,) = house.quarantine.list("core_games", DAY).to_dicts()
    assert (row["row"], row["rule"], row["run_id"], row["raw_ref"]) == ('{"n":0}', "rule", "run", "abc")
    entry = house.ledger.entry("core_games", KEY)
    assert entry.state is State.COMPLETE
    assert (entry.rows_in, entry.rows_loaded, entry.rows_quarantined) == (4, 3, 1)
    assert outcome.worst == (Refused("rule", "why", '{"n":0}'),)


def test_keeping_the_same_again_changes_nothing(house):
    first = keep(house, checked(), "run")
    before, entry = files(house), house.ledger.entry("core_games", KEY)
    again = keep(house, checked(), "another run")
    assert again == first
    assert files(house) == before
    after = house.ledger.entry("core_games", KEY)
    assert after.content_hash == entry.content_hash
    assert house.quarantine.list().height == 1


def test_a_blocked_table_keeps_nothing_and_the_partition_before_it_stays(house):
    keep(house, checked(loaded=5, refused=0), "run")
    before = house.lake.read("core_games", DAY)
    outcome = keep(house, checked(blocked=("expected x, saw y",)), "next")
    assert (outcome.rows_in, outcome.loaded, outcome.quarantined, outcome.failed) == (4, 0, 0, 4)
    assert outcome.gaps[0].key == KEY
    assert outcome.gaps[0].reason == "expected x, saw y"
    assert house.lake.read("core_games", DAY).equals(before)
    assert house.quarantine.list().is_empty()
    entry = house.ledger.entry("core_games", KEY)
    assert (entry.state, entry.reason) == (State.FAILED, "expected x, saw y")
    assert house.ledger.missing("core_games", [KEY]) == [KEY]


def test_a_blocked_table_is_taken_when_it_comes_again_and_is_sound(house):
    keep(house, checked(blocked=("no",)), "run")
    keep(house, checked(), "next")
    assert house.ledger.entry("core_games", KEY).state is State.COMPLETE


def test_a_degraded_table_is_kept_and_named(house):
    outcome = keep(house, checked(degraded=("expected x, saw y",)), "run")
    assert outcome.loaded == 3
    assert [gap.reason for gap in outcome.gaps] == ["expected x, saw y"]
    entry = house.ledger.entry("core_games", KEY)
    assert (entry.state, entry.rows_loaded) == (State.DEGRADED, 3)


def test_a_day_that_another_run_does_not_let_go_is_left_to_it(house, monkeypatch):
    monkeypatch.setattr(turn, "PATIENCE_S", 0.1)
    house.ledger.begin("core_games", KEY, run_id="another")
    with pytest.raises(LeaseHeld, match="another"):
        keep(house, checked(), "run")
    assert house.lake.days("core_games") == set()
    assert house.quarantine.list().is_empty()


def test_a_run_that_was_interrupted_before_it_closed_the_day_can_do_it_again(house):
    house.ledger.begin("core_games", KEY, run_id="run")
    house.lake.write("core_games", DAY, games(DAY, 1))
    assert keep(house, checked(), "run").loaded == 3
    assert house.ledger.entry("core_games", KEY).state is State.COMPLETE


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(loaded=st.integers(0, 6), refused=st.integers(0, 6), blocked=st.booleans(), back=st.integers(0, 300))
def test_every_row_is_accounted_for(house, loaded, refused, blocked, back):
    day = DAY - dt.timedelta(days=back)
    whole = checked(loaded, refused, day=day, kept=games(day, *range(loaded)), blocked=("no",) if blocked else ())
    outcome = keep(house, whole, "run").balanced()
    entry = house.ledger.entry("core_games", day.isoformat())
    assert entry.rows_in == outcome.rows_in == loaded + refused
    assert (entry.rows_loaded or 0) + (entry.rows_quarantined or 0) == outcome.loaded + outcome.quarantined
    if not blocked:
        assert house.lake.read("core_games", day).height == loaded


@pytest.fixture
def staged(tmp_path):
    file = tmp_path / "rows.parquet"
    games(DAY, *range(4)).write_parquet(file)
    return file


def test_a_staged_file_holds_only_what_passed(house, staged):
    outcome = sift(house, checked(), staged, "run")
    assert (outcome.rows_in, outcome.loaded, outcome.quarantined) == (4, 3, 1)
    assert pl.read_parquet(staged).equals(games(DAY, 1, 2, 3))
    assert house.quarantine.list().height == 1


def test_a_blocked_file_stays_as_it_was_and_stops_its_batch(house, staged):
    before = staged.read_bytes()
    with pytest.raises(ValidationFailed, match=r"core_games of 2025-06-15: no sum\. The batch is not loaded"):
        sift(house, checked(blocked=("no sum",)), staged, "run")
    assert staged.read_bytes() == before
    assert house.quarantine.list().is_empty()
