"""A publish that is killed with -9 between the flip and the ledger: every row is counted, and the day closed as its data say."""

from __future__ import annotations

import multiprocessing
import os
import signal
from functools import partial
from pathlib import Path

import pytest

from backstop import tables
from backstop.lake.reconcile import Repair, reconcile
from backstop.lake.schema import entries
from backstop.lake.states import State
from backstop.lake.tables import Lake
from backstop.settings import Settings
from backstop.stages import publish, rebuild
from backstop.stages.house import House
from backstop.stages.outcome import Gap, Outcome
from backstop.store.loader import SlateWriter
from tests.stages.rows import DAY, games
from tests.stages.test_publish import EACH, staged
from tests.store import rows
from tests.store.rows import MARKETS

KEY = DAY.isoformat()
PROPS = tables.PROPS.name
ROWS = EACH * len(MARKETS) * 3
"""Props of a batch."""

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.stages.test_killed_publish"])

MOMENTS = {
    "the slate is flipped, lake and ledger do not know": (SlateWriter, "publish", 1),
    "the lake has the terms and nothing else": (Lake, "write", 1),
    "the lake has the features and not the props": (Lake, "write", 2),
    "the lake has both, its note of what is served is not written": (Lake, "write", 3),
    "only the ledger does not know": (rebuild, "remember", 1),
}


GAPS = {State.COMPLETE: (), State.DEGRADED: (Gap("core_games", "777001", "no line-up"),)}


def refresh(house: House, folder: Path, run_id: str, batches: int, seed: int, gaps: tuple[Gap, ...] = ()) -> None:
    house.ledger.begin(PROPS, KEY, run_id=run_id)
    every = [staged(folder, number, seed) for number in range(1, batches + 1)]
    draft = publish.open_draft(house, DAY, run_id)
    loaded = [publish.load(house, draft, each) for each in every]
    # a row of each batch is in quarantine
    props = Outcome(
        PROPS,
        rows_in=batches * (ROWS + 1),
        loaded=batches * ROWS,
        quarantined=batches,
        suite_version=f"rules of {run_id}",
    )
    publish.publish(house, draft, DAY, every, loaded, 0, gaps, props)
    publish.mark(house, DAY, run_id, props, gaps)


def refresh_and_die(settings: Settings, folder: Path, moment: str, gaps: tuple[Gap, ...]) -> None:
    """Publish two batches of other values, and die at a moment."""
    owner, name, times = MOMENTS[moment]
    original, calls = getattr(owner, name), 0

    def last(*args, **kwargs):
        nonlocal calls
        result, calls = original(*args, **kwargs), calls + 1
        if calls == times:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, last)
    refresh(House(settings), folder, "killed", 2, 2, gaps)


def begin_and_die(settings: Settings) -> None:
    House(settings).ledger.begin(PROPS, KEY, run_id="died")
    os.kill(os.getpid(), signal.SIGKILL)


def counted(house: House) -> tuple[int, int, int]:
    """Rows of props: served, in the lake, and as the ledger has them; no row is there twice."""
    served, lake = house.reader.props(DAY), house.lake.read(PROPS, DAY)
    assert served["prop_id"].is_unique().all()
    assert lake["prop_id"].is_unique().all()
    return served.height, lake.height, house.ledger.entry(PROPS, KEY).rows_loaded


def terms(house: House) -> list[tuple[int, int]]:
    """Versions that noted terms of props, with how many."""
    return sorted(house.lake.read(tables.TAKEN.name, DAY).group_by("version").len().iter_rows())


def repaired(house: House, run_id: str) -> list[Repair]:
    told = {PROPS: partial(rebuild.closing, house)}
    return reconcile(house.lake, house.ledger, house.quarantine, [PROPS], run_id=run_id, told=told)


@pytest.mark.parametrize("ends", GAPS)
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_publish_killed_between_flip_and_ledger_is_whole_to_readers_and_closed_as_its_data_say(
    store, tmp_path, moment, ends
):
    store.lake.write("core_games", DAY, games(DAY, 1, 2))
    refresh(store, tmp_path, "r1", 3, seed=1)
    assert counted(store) == (3 * ROWS, 3 * ROWS, 3 * ROWS)

    loader = PROCESSES.Process(target=refresh_and_die, args=(store.settings, tmp_path, moment, GAPS[ends]))
    loader.start()
    loader.join(60)
    assert loader.exitcode == -signal.SIGKILL
    is_in_lake = list(MOMENTS).index(moment) >= 3
    is_noted = list(MOMENTS).index(moment) >= 1
    assert terms(store) == ([(1, 3 * ROWS), (2, 2 * ROWS)] if is_noted else [(1, 3 * ROWS)])
    in_lake = (2 if is_in_lake else 3) * ROWS
    assert counted(store) == (2 * ROWS, in_lake, 3 * ROWS)
    assert (store.reader.slate(DAY).version, store.reader.slate(DAY).state) == (2, "fresh")
    assert store.ledger.entry(PROPS, KEY).state is State.RUNNING

    # what is in the lake as it was published is closed as its run would have; what is not has to be done again
    (repair,) = repaired(store, "reconcile")
    entry = store.ledger.entry(PROPS, KEY)
    assert (repair.before, repair.after) == (State.RUNNING, entry.state)
    if is_in_lake:
        assert (entry.state, entry.reason) == (ends, "777001: no line-up" if GAPS[ends] else None)
        assert (entry.rows_in, entry.rows_loaded, entry.rows_quarantined) == (2 * (ROWS + 1), 2 * ROWS, 2)
        assert entry.content_hash == store.lake.content_hash(PROPS, DAY)
        assert entry.suite_version == "rules of killed"
    else:
        assert (entry.state, entry.reason) == (State.FAILED, "run killed died before its rows were in the lake")
    assert repaired(store, "again") == []

    refresh(store, tmp_path, "r2", 2, seed=2)
    # the same rows again are the same terms: a version that died before it noted them leaves that to the next one
    assert terms(store) == [(1, 3 * ROWS), (2 if is_noted else 3, 2 * ROWS)]
    assert counted(store) == (2 * ROWS, 2 * ROWS, 2 * ROWS)
    assert all(each.equal and each.rows for each in rebuild.verify(store, [DAY]))
    assert store.ledger.entry(PROPS, KEY).state is State.COMPLETE


def test_a_closed_day_is_left_as_it_is_and_one_whose_rows_are_gone_is_to_be_done_again(store, tmp_path):
    store.lake.write("core_games", DAY, games(DAY, 1))
    refresh(store, tmp_path, "r1", 1, 1, GAPS[State.DEGRADED])
    assert repaired(store, "look") == []
    assert store.ledger.entry(PROPS, KEY).state is State.DEGRADED
    store.lake.remove(PROPS, DAY)
    (repair,) = repaired(store, "look")
    assert (repair.before, repair.after) == (State.DEGRADED, State.STALE)


def test_rows_that_no_run_vouches_for_are_not_taken_for_complete(store, tmp_path):
    store.lake.write(PROPS, DAY, rows.props(EACH))
    assert repaired(store, "look") == []
    assert store.ledger.entry(PROPS, KEY) is None
    refresh(store, tmp_path, "r1", 1, 1)
    # a run over the same day that died before it had written anything: the rows are those of the one before
    died = PROCESSES.Process(target=begin_and_die, args=(store.settings,))
    died.start()
    died.join(60)
    (repair,) = repaired(store, "look")
    assert (repair.before, repair.after) == (State.RUNNING, State.FAILED)


def test_the_ledger_that_was_lost_is_written_again_from_what_lies_beside_the_rows(store, tmp_path):
    store.lake.write("core_games", DAY, games(DAY, 1))
    refresh(store, tmp_path, "r1", 2, 1, GAPS[State.DEGRADED])
    store.redis.flushall()
    with store.ledger.engine.begin() as connection:
        connection.execute(entries.delete())
    (repair,) = repaired(store, "look")
    entry = store.ledger.entry(PROPS, KEY)
    assert (repair.before, repair.after) == (None, State.DEGRADED)
    assert (entry.rows_in, entry.rows_loaded, entry.rows_quarantined) == (2 * (ROWS + 1), 2 * ROWS, 2)


def test_a_day_that_was_closed_without_a_hash_is_known_and_nobody_is_asked_how_it_closes(store):
    store.lake.write(PROPS, DAY, rows.props(EACH))
    store.ledger.begin(PROPS, KEY, run_id="of a release before")
    store.ledger.complete(PROPS, KEY, run_id="of a release before", rows_in=ROWS, rows_loaded=ROWS)
    asked = []
    told = {PROPS: asked.append}
    assert reconcile(store.lake, store.ledger, store.quarantine, [PROPS], run_id="look", told=told) == []
    assert asked == []
