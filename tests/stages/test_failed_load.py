"""A batch whose load failed half-way, or rows that Redis lost: the batches that are whole are published all the same."""

from __future__ import annotations

import pytest
from redis.exceptions import TimeoutError as RedisTimeoutError

from backstop.errors import IncompleteVersion, SchemaDrift, StoreUnavailable
from backstop.stages import publish, rebuild
from backstop.stages.outcome import Gap, Outcome
from backstop.store import loader
from tests.stages.rows import DAY, games
from tests.stages.test_publish import EACH, staged
from tests.store.rows import MARKETS, features, props

ROWS = EACH * len(MARKETS) * 3
"""Props of a batch."""

GAP = Gap("out_props", "batch 3", "StoreUnavailable: Redis does not answer")


@pytest.fixture
def batches(store, tmp_path):
    store.lake.write("core_games", DAY, games(DAY, 1, 2))
    return [staged(tmp_path, number) for number in (1, 2, 3)]


def flip(store, draft, batches, loaded):
    count = sum(each.props for each in loaded)
    failed = len(batches) - len(loaded)
    outcome = Outcome("out_props", rows_in=3 * ROWS, loaded=count, failed=3 * ROWS - count)
    return publish.publish(store, draft, DAY, batches, loaded, failed, (GAP,) * failed, outcome)


def assert_served(store, count: int, quality: str) -> None:
    """Readers, lake and the list of the best have the rows of the first batches, and no others."""
    view = store.reader.slate(DAY)
    assert (view.state, view.meta["quality"], view.props_count) == ("fresh", quality, count * ROWS)
    served, last = store.reader.props(DAY), 600_000 + EACH * (count + 1)
    assert served["player_id_mlbam"].n_unique() == count * EACH
    assert store.reader.props(DAY, MARKETS[0], limit=100)["player_id_mlbam"].max() < last
    assert all(each.equal and each.rows for each in rebuild.verify(store, [DAY]))


def drift(store, draft, batch, monkeypatch) -> None:
    """The features stand, the props have columns that the draft does not know."""
    renamed = props(EACH, first=600_030).rename({"opponent": "against"})
    store.writer.load(draft, "features", publish.served(features(EACH, first=600_030)))
    with pytest.raises(SchemaDrift):
        store.writer.load(draft, "props", renamed)


def time_out(store, draft, batch, monkeypatch) -> None:
    """Rows and the best of them arrived, nothing vouches for them."""

    def silent(draft, receipts, pipe):
        if receipts[0].kind == "props":
            raise RedisTimeoutError("Timeout reading from socket")
        return send(draft, receipts, pipe)

    send = loader.send_receipts
    with monkeypatch.context() as patch:
        patch.setattr(loader, "send_receipts", silent)
        with pytest.raises(StoreUnavailable):
            publish.load(store, draft, batch)


@pytest.mark.parametrize("fails", [drift, time_out])
def test_one_failed_load_does_not_hold_back_the_other_batches(store, batches, monkeypatch, fails):
    draft = publish.open_draft(store, DAY, "r1")
    loaded = [publish.load(store, draft, each) for each in batches[:2]]
    fails(store, draft, batches[2], monkeypatch)
    published = flip(store, draft, batches, loaded)
    assert published.rows == {"features": sum(each.features for each in loaded), "props": 2 * ROWS}
    assert_served(store, 2, "degraded")
    assert store.reader.slate(DAY).meta["gaps"][0]["key"] == "batch 3"
    mortal = {name for name in store.redis.scan_iter() if store.redis.ttl(name) > 0}
    assert not any(b":v:%d:" % draft.version in name for name in mortal), "nothing is left of the first draft"


def test_rows_that_redis_lost_before_the_flip_are_loaded_again(store, batches):
    draft = publish.open_draft(store, DAY, "r1")
    loaded = [publish.load(store, draft, each) for each in batches]
    store.redis.flushall()
    flip(store, draft, batches, loaded)
    assert_served(store, 3, "complete")


def test_what_is_refused_a_second_time_stays_refused_and_the_version_before_is_served(store, batches, monkeypatch):
    first = publish.open_draft(store, DAY, "r1")
    flip(store, first, batches, [publish.load(store, first, each) for each in batches])
    draft = publish.open_draft(store, DAY, "r2")
    loaded = [publish.load(store, draft, each) for each in batches]
    told = [publish.Loaded(each.number, each.features, each.props + 1) for each in loaded]
    with pytest.raises(
        IncompleteVersion, match=f"props of {DAY}: {3 * ROWS} rows were loaded, expected {3 * ROWS + 3}"
    ):
        flip(store, draft, batches, told)
    assert store.reader.slate(DAY).version == first.version
    assert_served(store, 3, "complete")
