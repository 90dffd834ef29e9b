import datetime as dt
import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from backstop.clock import SystemClock
from backstop.errors import DataError, IncompleteVersion, SchemaDrift, StaleVersion, StoreError, UsageError
from backstop.store import keys
from backstop.store.connection import connect_url
from backstop.store.loader import SlateWriter
from backstop.store.reader import State
from tests.store.conftest import CUTOFF
from tests.store.rows import DAY, features, props


def sorted_like(frame: pl.DataFrame, sort: str) -> pl.DataFrame:
    return frame.sort([sort, "prop_id"], descending=[True, False], nulls_last=True)


def test_what_was_published_is_read_back_row_by_row(publish, reader):
    publish()
    assert_frame_equal(reader.props(DAY), sorted_like(props(), "ev_per_unit"), check_column_order=False)
    expected = features().sort("player_id_mlbam", "game_pk", "role")
    assert_frame_equal(reader.features(DAY), expected, check_column_order=False)


def test_a_slate_says_what_it_is(publish, reader, clock):
    published = publish(meta={"games": 15, "degraded": ["no odds for one game"]})
    clock.advance(30)
    view = reader.slate(DAY)
    assert (view.state, view.version, view.age_s) == (State.FRESH, published.version, 30)
    assert (view.props_count, view.features_count) == (720, 63)
    assert view.meta == {"games": 15, "degraded": ["no odds for one game"]}
    assert (view.cutoff, view.run_id, view.published_at) == (CUTOFF, "r1", published.published_at)


def test_a_day_that_was_never_published_is_missing(reader):
    assert reader.slate(DAY).state is State.MISSING
    assert reader.props(DAY).is_empty()
    assert reader.player(600_000, DAY).state is State.MISSING
    assert reader.player(600_000).state is State.MISSING
    assert reader.days() == []


def test_rows_that_are_not_published_are_invisible(writer, reader):
    draft = writer.open(DAY, cutoff=CUTOFF, run_id="r1")
    writer.load(draft, "props", props())
    assert reader.slate(DAY).state is State.MISSING
    assert reader.days() == []


def test_one_player_comes_with_all_his_games_and_props(publish, reader):
    publish()
    view = reader.player(600_020, DAY)
    assert view.state is State.FRESH
    assert sorted(row["game_pk"] for row in view.features) == [777_005, 778_000]
    assert len(view.props) == 12
    wanted = props().filter(player_id_mlbam=600_020).sort("prop_id")
    assert sorted(view.props, key=lambda row: row["prop_id"]) == wanted.to_dicts()
    assert view.features[0]["seen_at"] == dt.datetime(2025, 6, 15, 12, 30, 1, 5, dt.UTC)


def test_a_player_without_a_day_comes_from_the_latest_slate(publish, reader):
    publish()
    publish(DAY + dt.timedelta(days=1), seed=2)
    assert reader.player(600_001).slate.day == DAY + dt.timedelta(days=1)
    assert reader.days() == [DAY, DAY + dt.timedelta(days=1)]


def test_an_unknown_player_is_missing_in_a_fresh_slate(publish, reader):
    publish()
    view = reader.player(1, DAY)
    assert (view.state, view.features, view.props, view.age_s) == (State.MISSING, [], [], None)
    assert view.slate.state is State.FRESH


def test_many_players_come_in_the_order_asked_for(publish, reader):
    publish()
    ids = [600_050, 1, 600_003, 600_050]
    views = reader.players(ids, DAY)
    assert [view.player_id for view in views] == ids
    assert [view.state for view in views] == [State.FRESH, State.MISSING, State.FRESH, State.FRESH]
    assert all(row["player_id_mlbam"] == 600_003 for row in views[2].props)


@pytest.mark.parametrize(("sort", "column"), [("ev", "ev_per_unit"), ("edge", "edge")])
@pytest.mark.parametrize("market", [None, "batter_hits"])
def test_the_best_props_are_the_same_from_the_sorted_set_and_from_the_rows(publish, reader, sort, column, market):
    publish()
    everything = props() if market is None else props().filter(market=market)
    ready = reader.props(DAY, market, limit=20, sort=sort)
    assert_frame_equal(ready, sorted_like(everything, column).head(20), check_column_order=False)


def test_more_props_than_are_kept_ready_come_from_the_rows(publish, reader):
    publish()
    found = reader.props(DAY, "batter_hits", limit=150)
    assert len(found) == 150
    assert_frame_equal(
        found, sorted_like(props().filter(market="batter_hits"), "ev_per_unit").head(150), check_column_order=False
    )


def test_props_of_one_team_are_found(publish, reader):
    publish()
    assert reader.props(DAY, team="LAD", limit=10)["team"].unique().to_list() == ["LAD"]


def test_an_unknown_sort_or_limit_is_a_usage_error(publish, reader):
    with pytest.raises(UsageError, match="ev, edge"):
        reader.props(DAY, sort="luck")
    with pytest.raises(UsageError, match="1 or more"):
        reader.props(DAY, limit=0)


def load_batch(url: str, draft_bytes: bytes, first: int) -> int:
    client = connect_url(url)
    try:
        writer = SlateWriter(client, SystemClock())
        draft = pickle.loads(draft_bytes)  # noqa: S301 - our own bytes
        return writer.load(draft, "props", props(20, first=first)) + writer.load(
            draft, "features", features(20, first=first)
        )
    finally:
        client.close()


def test_batches_loaded_by_several_processes_make_one_slate(writer, reader, embedded_url):
    draft = writer.open(DAY, cutoff=CUTOFF, run_id="r1")
    starts = [600_000 + 20 * n for n in range(5)]
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        jobs = [pool.submit(load_batch, embedded_url, pickle.dumps(draft), first) for first in starts]
        assert sum(job.result() for job in jobs) == 5 * (240 + 21)
    writer.publish(draft, {"props": 1200, "features": 105}, {})
    assert reader.slate(DAY).props_count == 1200
    assert len(reader.props(DAY)) == 1200


def test_loading_the_same_rows_again_changes_nothing(writer, reader):
    draft = writer.open(DAY, cutoff=CUTOFF, run_id="r1")
    for _ in range(3):
        assert writer.load(draft, "props", props()) == 720
    assert writer.publish(draft, {"props": 720}, {}).rows == {"props": 720}
    assert len(reader.props(DAY)) == 720


def test_publishing_again_changes_nothing_and_says_so(writer, reader):
    draft = writer.open(DAY, cutoff=CUTOFF, run_id="r1")
    writer.load(draft, "props", props())
    first = writer.publish(draft, {"props": 720}, {"games": 15})
    again = writer.publish(draft, {"props": 720}, {"games": 15})
    assert (first.again, again.again, again.version, again.served) == (False, True, first.version, True)


@pytest.mark.parametrize("expected", [{"props": 721}, {"props": 719}, {"props": 720, "features": 1}, {}])
def test_a_wrong_count_is_not_published(writer, reader, expected):
    draft = writer.open(DAY, cutoff=CUTOFF, run_id="r1")
    writer.load(draft, "props", props())
    with pytest.raises(IncompleteVersion, match="expected"):
        writer.publish(draft, expected, {})
    assert reader.slate(DAY).state is State.MISSING


def test_a_value_changed_behind_our_back_is_not_published(writer, reader, redis):
    draft = writer.open(DAY, cutoff=CUTOFF, run_id="r1")
    writer.load(draft, "features", features())
    key = draft.rows("features", 0)
    redis.hset(key, "600001", redis.hget(key, "600001").replace(b"BOS", b"NYY", 1))
    with pytest.raises(IncompleteVersion, match="checksum"):
        writer.publish(draft, {"features": 63}, {})
    assert reader.slate(DAY).state is State.MISSING


def test_a_player_whose_rows_come_in_two_calls_is_not_published(writer):
    draft = writer.open(DAY, cutoff=CUTOFF, run_id="r1")
    some = props(4)
    writer.load(draft, "props", some.head(20))
    writer.load(draft, "props", some.tail(28))
    with pytest.raises(IncompleteVersion, match="one call"):
        writer.publish(draft, {"props": 48}, {})


def test_an_older_cutoff_never_replaces_a_newer_one(publish, reader):
    newer = publish(cutoff=CUTOFF, seed=1)
    with pytest.raises(StaleVersion, match="Newer wins"):
        publish(cutoff=CUTOFF - dt.timedelta(hours=1), seed=2, run_id="r2")
    assert reader.slate(DAY).version == newer.version


def test_the_same_cutoff_may_be_published_again_by_a_later_version(publish, reader):
    publish(seed=1)
    later = publish(seed=2, run_id="r2")
    assert reader.slate(DAY).version == later.version


def test_of_two_drafts_the_one_opened_first_cannot_replace_the_other(writer):
    early = writer.open(DAY, cutoff=CUTOFF, run_id="r1")
    late = writer.open(DAY, cutoff=CUTOFF, run_id="r2")
    for draft in (early, late):
        writer.load(draft, "props", props())
    writer.publish(late, {"props": 720}, {})
    with pytest.raises(StaleVersion):
        writer.publish(early, {"props": 720}, {})


def test_an_interrupted_run_finds_its_draft_again(writer):
    draft = writer.open(DAY, cutoff=CUTOFF, run_id="r1")
    assert writer.open(DAY, cutoff=CUTOFF, run_id="r1") == draft
    assert writer.open(DAY, cutoff=CUTOFF, run_id="r2") != draft
    assert writer.open(DAY, cutoff=CUTOFF + dt.timedelta(hours=1), run_id="r1") != draft


def test_an_abandoned_draft_leaves_no_key(writer, redis, publish):
    publish()
    before = set(redis.keys())
    draft = writer.open(DAY, cutoff=CUTOFF, run_id="r9")
    writer.load(draft, "props", props())
    writer.abandon(draft)
    assert set(redis.keys()) == before
    with pytest.raises(IncompleteVersion, match="gone"):
        writer.load(draft, "props", props())
    with pytest.raises(IncompleteVersion, match="gone"):
        writer.publish(draft, {"props": 720}, {})


def test_a_published_version_takes_no_more_rows_and_cannot_be_abandoned(writer, reader):
    draft = writer.open(DAY, cutoff=CUTOFF, run_id="r1")
    writer.load(draft, "props", props())
    writer.publish(draft, {"props": 720}, {})
    with pytest.raises(StoreError, match="published"):
        writer.load(draft, "props", props(seed=2))
    writer.abandon(draft)
    assert len(reader.props(DAY)) == 720


def test_only_pointers_and_lists_live_for_ever(publish, writer, redis):
    publish()
    writer.load(writer.open(DAY, cutoff=CUTOFF, run_id="r2"), "props", props())
    slate = keys.SlateKeys(DAY)
    lasting = {key.decode() for key in redis.scan_iter() if redis.ttl(key) == -1}
    assert lasting == {slate.current, slate.versions, slate.sequence, keys.days()}


def test_only_the_last_versions_are_kept(publish, redis):
    versions = [publish(seed=n, run_id=f"r{n}").version for n in range(5)]
    slate = keys.SlateKeys(DAY)
    assert [int(v) for v in redis.zrange(slate.versions, 0, -1)] == versions[-3:]
    for version in versions[:2]:
        left = redis.keys(f"*:v:{version}:*")
        assert left
        assert all(0 < redis.ttl(key) <= keys.GRACE_S for key in left)
    assert all(redis.ttl(key) > keys.GRACE_S for key in redis.keys(f"*:v:{versions[2]}:*"))


def test_every_batch_must_have_the_same_columns(writer):
    draft = writer.open(DAY, cutoff=CUTOFF, run_id="r1")
    writer.load(draft, "features", features(20))
    with pytest.raises(SchemaDrift, match="same columns"):
        writer.load(draft, "features", features(20, first=700_000).drop("rate_3"))


def test_rows_that_cannot_be_told_apart_are_refused(writer):
    draft = writer.open(DAY, cutoff=CUTOFF, run_id="r1")
    with pytest.raises(DataError, match="twice"):
        writer.load(draft, "features", pl.concat([features(20), features(1)]))
    with pytest.raises(DataError, match="has no"):
        writer.load(draft, "features", features(20).with_columns(role=pl.lit(None, pl.String)))


def test_numbers_that_are_none_are_refused(writer):
    draft = writer.open(DAY, cutoff=CUTOFF, run_id="r1")
    with pytest.raises(DataError, match="rate_3"):
        writer.load(draft, "features", features(20).with_columns(rate_3=pl.lit(float("nan"))))


def test_a_frame_without_its_key_is_refused(writer):
    draft = writer.open(DAY, cutoff=CUTOFF, run_id="r1")
    with pytest.raises(SchemaDrift, match="role"):
        writer.load(draft, "features", features(20).drop("role"))


def test_an_unknown_kind_is_a_usage_error(writer):
    draft = writer.open(DAY, cutoff=CUTOFF, run_id="r1")
    with pytest.raises(UsageError, match="features, props"):
        writer.load(draft, "weather", features(1))


def test_a_slate_without_rows_can_be_published(writer, reader):
    draft = writer.open(DAY, cutoff=CUTOFF, run_id="r1")
    assert writer.load(draft, "props", props(0)) == 0
    writer.publish(draft, {"props": 0, "features": 0}, {"note": "no games"})
    view = reader.slate(DAY)
    assert (view.state, view.props_count) == (State.FRESH, 0)
    assert reader.props(DAY).is_empty()
