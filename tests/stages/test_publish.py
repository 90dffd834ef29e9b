"""Load and publish: whole versions only; held back when too much is missing; what is missing is named to readers."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from backstop.errors import IncompleteVersion
from backstop.lake.states import State
from backstop.stages import publish
from backstop.stages.outcome import Gap, Outcome
from backstop.stages.project import Sifted, Staged
from backstop.stages.publish import Loaded
from tests.stages.rows import DAY, games
from tests.store import rows

KEY = DAY.isoformat()
EACH = 10


def staged(folder, number: int, seed: int = 1) -> Staged:
    """A batch of ten players on disk."""
    first = 600_000 + EACH * number
    batch = Staged(
        number,
        tuple(range(first, first + EACH)),
        folder / f"features-{number}.parquet",
        folder / f"props-{number}.parquet",
    )
    rows.features(EACH, first=first, seed=seed).write_parquet(batch.features)
    rows.props(EACH, first=first, seed=seed).write_parquet(batch.props)
    return batch


@pytest.fixture
def refresh(store, tmp_path):
    """Publish a slate of so many batches, of which the last ones failed."""
    store.lake.write("core_games", DAY, games(DAY, 1, 2))

    def refresh(run_id: str, batches: int = 3, failed: int = 0, gaps: tuple[Gap, ...] = (), seed: int = 1):
        every = [staged(tmp_path, number, seed) for number in range(1, batches + 1)]
        draft = publish.open_draft(store, DAY, run_id)
        loaded = [publish.load(store, draft, each) for each in every[: batches - failed]]
        count = sum(each.props for each in loaded)
        props = Outcome("out_props", rows_in=count, loaded=count)
        return publish.publish(store, draft, DAY, every, loaded, failed, gaps, props)

    return refresh


def test_a_slate_is_published_whole_and_its_rows_lie_in_the_lake(store, refresh):
    published = refresh("r1")
    assert published.version == 1
    view = store.reader.slate(DAY)
    assert (view.state, view.meta["quality"], view.meta["gaps"]) == ("fresh", "complete", [])
    assert [game["game_pk"] for game in view.meta["games"]] == [1, 2]
    lake = store.lake.read("out_props", DAY)
    assert lake.height == view.props_count == 3 * EACH * len(rows.MARKETS) * 3
    assert set(store.reader.props(DAY)["prop_id"]) == set(lake["prop_id"])


def test_a_reader_is_not_told_a_start_that_is_to_be_determined(store, refresh):
    placeholder = dt.datetime(2025, 6, 15, 7, 33, tzinfo=dt.UTC)
    unknown = games(DAY, 3, start_is_tbd=True, start_at=placeholder, status="Scheduled", abstract_status="Preview")
    store.lake.write("core_games", DAY, games(DAY, 1).vstack(unknown))
    refresh("r1")
    told = store.reader.slate(DAY).meta["games"]
    assert [(game["game_pk"], game["start_at"]) for game in told] == [(1, "2025-06-15T17:00:00Z"), (3, None)]


def test_without_a_single_prop_the_slate_is_held_back_and_the_version_before_stays(store, refresh):
    refresh("r1")
    before = store.reader.props(DAY).sort("prop_id")
    with pytest.raises(
        IncompleteVersion, match=r"held back: 3 of 3 batches failed and 0 props.*version before it stays"
    ):
        refresh("r2", failed=3, seed=2)
    assert store.reader.slate(DAY).version == 1
    assert store.reader.props(DAY).sort("prop_id").equals(before)


def test_more_than_half_of_the_batches_missing_holds_the_slate_back(store, refresh):
    with pytest.raises(IncompleteVersion, match="2 of 3 batches failed"):
        refresh("r1", failed=2)
    assert store.reader.slate(DAY).state == "missing"
    assert store.lake.days("out_props") == set()


def test_half_of_the_batches_is_enough_for_a_degraded_slate_that_names_its_gaps(store, refresh):
    gap = Gap("out_props", "batch 2", "LeaseHeld: another run")
    refresh("r1", batches=2, failed=1, gaps=(gap,))
    view = store.reader.slate(DAY)
    assert view.meta["quality"] == "degraded"
    assert view.meta["gaps"] == [{"table": "out_props", "key": "batch 2", "reason": "LeaseHeld: another run"}]
    assert store.lake.read("out_props", DAY).height == view.props_count
    assert store.lake.read("out_features", DAY)["player_id_mlbam"].max() < 600_000 + 2 * EACH


def test_a_draft_that_was_held_back_leaves_no_rows_behind(store, refresh):
    refresh("r1")
    kept = set(store.redis.scan_iter())
    with pytest.raises(IncompleteVersion):
        refresh("r2", failed=2)
    left = {name for name in set(store.redis.scan_iter()) - kept if store.redis.type(name) != b"string"}
    assert all(store.redis.ttl(name) > 0 for name in left)
    assert sum(store.redis.hlen(name) for name in left if b"props" in name or b"features" in name) == 0


def test_loading_a_batch_again_changes_nothing(store, tmp_path):
    store.lake.write("core_games", DAY, games(DAY, 1))
    batch = staged(tmp_path, 1)
    draft = publish.open_draft(store, DAY, "r1")
    first = publish.load(store, draft, batch)
    assert publish.load(store, draft, batch) == first
    publish.publish(store, draft, DAY, [batch], [first], 0, (), Outcome("out_props", first.props, first.props))
    assert store.reader.slate(DAY).props_count == first.props


def test_the_ledger_says_complete_or_degraded_with_the_reason(store):
    whole = Outcome("out_props", rows_in=5, loaded=4, quarantined=1, suite_version="props-1")
    store.ledger.begin("out_props", KEY, run_id="r1")
    publish.mark(store, DAY, "r1", whole, ())
    entry = store.ledger.entry("out_props", KEY)
    assert (entry.state, entry.rows_loaded, entry.rows_quarantined) == (State.COMPLETE, 4, 1)
    assert entry.suite_version == "props-1"
    store.ledger.begin("out_props", KEY, run_id="r2")
    publish.mark(store, DAY, "r2", whole, [Gap("core_pitches", "2025-06-01", "not fetched")])
    entry = store.ledger.entry("out_props", KEY)
    assert (entry.state, entry.reason) == (State.DEGRADED, "2025-06-01: not fetched")
    assert entry.suite_version == "props-1"


def test_rows_of_a_batch_that_was_not_loaded_count_as_failed(tmp_path):
    outcome = Outcome("out_props", rows_in=5, loaded=4, quarantined=1)
    batches = [
        Sifted(Staged(number, (), tmp_path, tmp_path), replace(outcome, table="out_features"), outcome)
        for number in (1, 2)
    ]
    first, second = publish.reached(batches, [Loaded(1, 4, 4)])
    assert first == batches[0]
    assert (second.props.rows_in, second.props.loaded, second.props.quarantined, second.props.failed) == (5, 0, 1, 4)
    assert second.features.balanced().failed == 4


def test_the_cutoff_of_a_day_that_is_over_is_its_end(store):
    assert publish.open_draft(store, DAY, "r1").cutoff == dt.datetime(2025, 6, 16, 8, tzinfo=dt.UTC)


def test_the_cutoff_of_a_day_to_come_is_the_instant_at_which_its_draft_was_opened(store):
    before = dt.datetime.now(dt.UTC)
    draft = publish.open_draft(store, before.date() + dt.timedelta(days=2), "r1")
    assert before <= draft.cutoff <= dt.datetime.now(dt.UTC)
