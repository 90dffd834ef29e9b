"""A publish that is killed with -9 between the flip and the ledger: every row is counted, before and after the rerun."""

from __future__ import annotations

import multiprocessing
import os
import signal
from pathlib import Path

import pytest

from backstop import tables
from backstop.lake.reconcile import reconcile
from backstop.lake.states import State
from backstop.lake.tables import Lake
from backstop.settings import Settings
from backstop.stages import publish, rebuild
from backstop.stages.house import House
from backstop.stages.outcome import Outcome
from backstop.stages.project import FEATURES
from backstop.store.loader import SlateWriter
from tests.stages.rows import DAY, games
from tests.stages.test_publish import EACH, staged
from tests.store.rows import MARKETS

KEY = DAY.isoformat()
PROPS = tables.PROPS.name
ROWS = EACH * len(MARKETS) * 3
"""Props of a batch."""

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.stages.test_killed_publish"])

MOMENTS = {
    "the slate is flipped, lake and ledger do not know": (SlateWriter, "publish", 1),
    "the lake has the features and not the props": (Lake, "write", 1),
    "the lake has both, its note of what is served is not written": (Lake, "write", 2),
    "only the ledger does not know": (rebuild, "remember", 1),
}


def refresh(house: House, folder: Path, run_id: str, batches: int, seed: int) -> None:
    every = [staged(folder, number, seed) for number in range(1, batches + 1)]
    draft = publish.open_draft(house, DAY, run_id)
    loaded = [publish.load(house, draft, each) for each in every]
    publish.publish(house, draft, DAY, every, loaded, 0, ())
    publish.mark(house, DAY, run_id, Outcome(PROPS, rows_in=batches * ROWS, loaded=batches * ROWS), ())


def refresh_and_die(settings: Settings, folder: Path, moment: str) -> None:
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
    refresh(House(settings), folder, "killed", 2, seed=2)


def counted(house: House) -> tuple[int, int, int]:
    """Rows of props: served, in the lake, and as the ledger has them; no row is there twice."""
    served, lake = house.reader.props(DAY), house.lake.read(PROPS, DAY)
    assert served["prop_id"].is_unique().all()
    assert lake["prop_id"].is_unique().all()
    return served.height, lake.height, house.ledger.entry(PROPS, KEY).rows_loaded


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_publish_killed_between_flip_and_ledger_is_whole_to_readers_and_the_rerun_counts_every_row(
    store, tmp_path, moment
):
    store.lake.write("core_games", DAY, games(DAY, 1, 2))
    refresh(store, tmp_path, "r1", 3, seed=1)
    assert counted(store) == (3 * ROWS, 3 * ROWS, 3 * ROWS)

    loader = PROCESSES.Process(target=refresh_and_die, args=(store.settings, tmp_path, moment))
    loader.start()
    loader.join(60)
    assert loader.exitcode == -signal.SIGKILL
    in_lake = (3 if list(MOMENTS).index(moment) < 2 else 2) * ROWS
    assert counted(store) == (2 * ROWS, in_lake, 3 * ROWS)
    assert (store.reader.slate(DAY).version, store.reader.slate(DAY).state) == (2, "fresh")

    # the ledger follows the data of the lake, and a second look finds nothing more to do
    reconcile(store.lake, store.ledger, store.quarantine, [PROPS, FEATURES], run_id="reconcile")
    entry = store.ledger.entry(PROPS, KEY)
    assert (entry.state, *counted(store)) == (State.COMPLETE, 2 * ROWS, in_lake, in_lake)
    assert reconcile(store.lake, store.ledger, store.quarantine, [PROPS, FEATURES], run_id="again") == []

    refresh(store, tmp_path, "r2", 2, seed=2)
    assert counted(store) == (2 * ROWS, 2 * ROWS, 2 * ROWS)
    assert all(each.equal and each.rows for each in rebuild.verify(store, [DAY]))
    assert store.ledger.entry(PROPS, KEY).state is State.COMPLETE
