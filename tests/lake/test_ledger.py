import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from backstop.errors import ConfigurationError, ConservationBroken, LeaseHeld, UsageError
from backstop.lake import lease
from backstop.lake import ledger as ledger_module
from backstop.lake.ledger import Ledger
from backstop.lake.states import State

KEY = "2025-06-15"


def complete(ledger, run="r1", rows=5):
    return ledger.complete("core_pitches", KEY, run_id=run, rows_in=rows, rows_loaded=rows, content_hash="ab" * 32)


def test_a_key_goes_from_expected_over_running_to_complete(ledger, clock):
    assert ledger.expect("core_pitches", [KEY, KEY]) == 1
    assert ledger.entry("core_pitches", KEY).state is State.EXPECTED
    begun = ledger.begin("core_pitches", KEY, run_id="r1")
    assert (begun.state, begun.attempts, begun.begun_at) == (State.RUNNING, 1, clock.now())
    done = complete(ledger)
    assert (done.state, done.rows_in, done.rows_loaded, done.run_id) == (State.COMPLETE, 5, 5, "r1")
    assert done.lease_owner is None


def test_expecting_a_known_key_leaves_it_alone(ledger):
    ledger.begin("core_pitches", KEY, run_id="r1")
    complete(ledger)
    assert ledger.expect("core_pitches", [KEY]) == 0
    assert ledger.entry("core_pitches", KEY).state is State.COMPLETE


def test_rows_that_do_not_add_up_are_refused(ledger):
    ledger.begin("core_pitches", KEY, run_id="r1")
    with pytest.raises(ConservationBroken, match="5 rows came in"):
        ledger.complete("core_pitches", KEY, run_id="r1", rows_in=5, rows_loaded=3, rows_quarantined=1)
    assert ledger.entry("core_pitches", KEY).state is State.RUNNING


def test_a_key_that_was_not_begun_cannot_be_completed(ledger):
    ledger.expect("core_pitches", [KEY])
    with pytest.raises(UsageError, match="Begin it first"):
        complete(ledger)
    with pytest.raises(UsageError, match="not in the ledger"):
        ledger.complete("core_pitches", "2020-01-01", run_id="r1", rows_in=0, rows_loaded=0)


def test_a_day_without_games_is_an_honest_end(ledger):
    entry = ledger.empty("core_games", "2025-07-16", run_id="r1", reason="no games scheduled")
    assert (entry.state, entry.rows_in, entry.run_id) == (State.EMPTY_OK, 0, "r1")
    assert ledger.missing("core_games", ["2025-07-16"]) == []


def test_only_what_is_not_done_is_missing(ledger):
    for key, close in {
        "a": lambda k: ledger.complete("t", k, run_id="r", rows_in=1, rows_loaded=1),
        "b": lambda k: ledger.fail("t", k, run_id="r", reason="the feed is down"),
        "c": lambda k: ledger.degrade("t", k, run_id="r", reason="no odds", rows_in=2, rows_loaded=1, rows_failed=1),
        "d": lambda k: ledger.empty("t", k, run_id="r", reason="off day"),
    }.items():
        ledger.begin("t", key, run_id="r")
        close(key)
    ledger.begin("t", "e", run_id="r")
    assert ledger.missing("t", ["f", "e", "d", "c", "b", "a", "f"]) == ["f", "e", "c", "b"]


def test_a_stale_key_is_missing_again(ledger):
    ledger.begin("core_pitches", KEY, run_id="r1")
    complete(ledger)
    assert ledger.stale("core_pitches", [KEY, "2020-01-01"], reason="late corrections") == 1
    assert ledger.missing("core_pitches", [KEY]) == [KEY]
    assert ledger.entry("core_pitches", KEY).reason == "late corrections"


def test_a_live_run_keeps_its_key(ledger, clock):
    ledger.begin("core_pitches", KEY, run_id="r1")
    with pytest.raises(LeaseHeld, match="run r1") as refusal:
        ledger.begin("core_pitches", KEY, run_id="r2")
    assert refusal.value.retryable
    assert refusal.value.retry_after_s == ledger_module.LEASE_S


def test_the_same_run_may_begin_its_key_again(ledger):
    ledger.begin("core_pitches", KEY, run_id="r1")
    assert ledger.begin("core_pitches", KEY, run_id="r1").attempts == 2


def test_a_lease_that_ran_out_is_taken_over_and_the_late_run_cannot_close(ledger, clock):
    ledger.begin("core_pitches", KEY, run_id="r1", lease_s=60)
    clock.advance(61)
    ledger.begin("core_pitches", KEY, run_id="r2")
    with pytest.raises(LeaseHeld, match="taken over by run r2"):
        complete(ledger, "r1")
    assert complete(ledger, "r2").state is State.COMPLETE


BEGIN = """
import os, signal, sys
from backstop.lake.ledger import Ledger
Ledger.connect(sys.argv[1]).begin("core_pitches", "2025-06-15", run_id="killed")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_run_killed_on_this_machine_gives_up_its_key_at_once(ledger):
    killed = subprocess.run(
        [sys.executable, "-c", BEGIN, ledger.engine.url.render_as_string(hide_password=False)],
        check=False,
        env=dict(os.environ),
    )
    assert killed.returncode == -9
    assert ledger.entry("core_pitches", KEY).state is State.RUNNING
    assert ledger.begin("core_pitches", KEY, run_id="next").attempts == 2


def test_of_a_run_on_another_machine_only_the_lease_tells(ledger, clock, monkeypatch):
    """A process id of another machine says nothing here, alive or not: its key is free when its lease is over."""
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(lease, "socket", SimpleNamespace(gethostname=lambda: "another-machine"))
        elsewhere.setattr(lease, "os", SimpleNamespace(getpid=lambda: 2**22))
        ledger.begin("t", "k", run_id="r1", lease_s=60)
    assert ledger.entry("t", "k").lease_owner.startswith("another-machine/")
    clock.advance(59)
    with pytest.raises(LeaseHeld):
        ledger.begin("t", "k", run_id="r2")
    clock.advance(1)
    assert ledger.begin("t", "k", run_id="r2").run_id == "r2"
    with pytest.raises(LeaseHeld):
        ledger.complete("t", "k", run_id="r1", rows_in=0, rows_loaded=0)


def test_an_unknown_database_is_a_clear_error():
    with pytest.raises(ConfigurationError, match="mysql"):
        Ledger.connect("mysql+pymysql://host/x")
    with pytest.raises(ConfigurationError, match="sqlite:///"):
        Ledger.connect("not a url")


def test_a_second_connection_finds_the_first_ones_entries(ledger, clock):
    ledger.begin("core_pitches", KEY, run_id="r1")
    other = Ledger.connect(ledger.engine.url.render_as_string(hide_password=False), clock)
    assert other.entry("core_pitches", KEY).run_id == "r1"
    other.close()
