import datetime as dt

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backstop.clock import FixedClock
from backstop.errors import StaleVersion, UsageError
from backstop.store import keys
from backstop.store.loader import SlateWriter
from backstop.store.reader import SlateReader, State
from backstop.store.slates import Slates, compare
from tests.store.conftest import CUTOFF
from tests.store.rows import DAY, props


@pytest.fixture
def slates(redis):
    return Slates(redis)


def test_versions_are_listed_with_the_one_that_is_served(publish, slates):
    first, second = publish(seed=1), publish(seed=2, run_id="r2")
    listed = slates.versions(DAY)
    assert [(each.version, each.served) for each in listed] == [(first.version, False), (second.version, True)]
    assert listed[1].run_id == "r2"
    assert listed[1].cutoff == CUTOFF
    assert slates.versions(dt.date(2020, 1, 1)) == []


def test_rollback_serves_the_version_before(publish, slates, reader):
    first = publish(seed=1, meta={"n": 1})
    publish(seed=2, run_id="r2", meta={"n": 2})
    assert slates.rollback(DAY) == first.version
    view = reader.slate(DAY)
    assert (view.version, view.meta, view.run_id) == (first.version, {"n": 1}, "r1")
    assert reader.props(DAY).sort("prop_id").equals(props(seed=1).sort("prop_id").select(reader.props(DAY).columns))


def test_after_a_rollback_the_next_version_is_served(publish, slates, reader):
    publish(seed=1)
    publish(seed=2, run_id="r2")
    slates.rollback(DAY)
    third = publish(seed=3, run_id="r3")
    assert reader.slate(DAY).version == third.version


def test_a_rollback_does_not_let_an_older_cutoff_in(publish, slates):
    publish(seed=1)
    publish(seed=2, run_id="r2", cutoff=CUTOFF + dt.timedelta(hours=2))
    slates.rollback(DAY)
    with pytest.raises(StaleVersion):
        publish(seed=3, run_id="r3", cutoff=CUTOFF + dt.timedelta(hours=1))


def test_there_is_nothing_to_roll_back_to_before_the_first_version(publish, slates):
    publish()
    with pytest.raises(UsageError, match="no version before"):
        slates.rollback(DAY)
    with pytest.raises(UsageError, match="not among"):
        slates.rollback(DAY, 99)


def test_a_rolled_back_slate_is_as_old_as_it_is(publish, slates, reader, clock):
    publish(seed=1)
    clock.advance(1000)
    publish(seed=2, run_id="r2")
    assert reader.slate(DAY).state is State.FRESH
    slates.rollback(DAY)
    view = reader.slate(DAY)
    assert (view.state, view.age_s) == (State.STALE, 1000)


def test_a_pinned_version_stays_until_it_is_unpinned(publish, slates, reader):
    first = publish(seed=1)
    slates.pin(DAY, first.version)
    later = [publish(seed=n, run_id=f"r{n}") for n in range(2, 7)]
    assert not any(each.served for each in later)
    view = reader.slate(DAY)
    assert (view.version, view.pinned) == (first.version, True)
    assert len(reader.props(DAY)) == 720
    assert slates.unpin(DAY) == later[-1].version
    assert (reader.slate(DAY).version, reader.slate(DAY).pinned) == (later[-1].version, False)


def test_a_day_that_was_never_published_cannot_be_pinned(slates):
    with pytest.raises(UsageError):
        slates.pin(DAY, 1)
    with pytest.raises(UsageError, match="never published"):
        slates.unpin(DAY)


def test_the_difference_names_rows_and_fields(slates, writer):
    before = props(4)
    after = pl.concat(
        [
            before.slice(1, 20).with_columns(edge=pl.when(pl.col("line") == 0.5).then(0.25).otherwise("edge")),
            before.slice(21),
            props(1, first=700_000),
        ]
    )
    versions = []
    for n, rows in enumerate((before, after)):
        draft = writer.open(DAY, cutoff=CUTOFF, run_id=f"r{n}")
        writer.load(draft, "props", rows)
        versions.append(writer.publish(draft, {"props": len(rows)}, {}).version)
    diff = slates.diff(DAY, *versions)
    assert diff.gone["prop_id"].to_list() == [before["prop_id"][0]]
    assert diff.added["player_id_mlbam"].unique().to_list() == [700_000]
    assert diff.changed["field"].unique().to_list() == ["edge"]
    assert diff.changed["after"].unique().to_list() == ["0.25"]


def test_a_difference_to_nothing_is_everything():
    rows = props(1)
    assert len(compare(rows.clear(), rows, ["prop_id"]).added) == 12
    assert len(compare(rows, rows.clear(), ["prop_id"]).gone) == 12
    assert compare(rows, rows, ["prop_id"]).changed.is_empty()


def test_null_that_becomes_a_value_is_a_change():
    before = pl.DataFrame({"k": [1, 2], "v": [None, 2.0]})
    after = pl.DataFrame({"k": [1, 2], "v": [1.0, 2.0]})
    assert compare(before, after, ["k"]).changed.rows() == [(1, "v", None, "1.0")]


moves = st.lists(
    st.one_of(st.tuples(st.just("publish"), st.integers(-3, 3)), st.tuples(st.just("wait"), st.integers(0, 1500))),
    min_size=1,
    max_size=12,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=moves, skew=st.integers(-3600, 3600))
def test_no_value_is_fresh_past_its_lifetime_and_no_older_cutoff_replaces_a_newer(redis, moves, skew):
    """A writer's clock may be an hour off in either direction: that never makes a slate fresher than it is."""
    redis.flushall()
    clock = FixedClock(dt.datetime.now(dt.UTC))
    newest, published, rows = None, None, props(1)
    for n, (move, amount) in enumerate(moves):
        if move == "wait":
            clock.advance(amount)
        else:
            cutoff = CUTOFF + dt.timedelta(hours=amount)
            writer = SlateWriter(redis, FixedClock(clock.now() + dt.timedelta(seconds=skew)))
            draft = writer.open(DAY, cutoff=cutoff, run_id=f"r{n}")
            writer.load(draft, "props", rows)
            try:
                writer.publish(draft, {"props": 12}, {})
            except StaleVersion:
                assert cutoff < newest
            else:
                assert newest is None or cutoff >= newest
                newest, published = cutoff, clock.now()
        view = SlateReader(redis, clock).slate(DAY)
        if published is None:
            assert view.state is State.MISSING
            continue
        assert view.cutoff == newest
        true_age = (clock.now() - published).total_seconds()
        if skew <= 0:
            assert view.age_s >= true_age
            assert (view.state is State.STALE) or true_age <= 900
        else:
            # the clock here is moved by hand, the server's is not: what the server can know is that it is not negative
            assert view.age_s >= 0


def test_the_servers_clock_ages_a_slate_whose_writer_ran_ahead(redis, reader, publish, clock):
    publish()
    slate = keys.SlateKeys(DAY)
    redis.hset(slate.current, "published_at", int((clock.now() + dt.timedelta(hours=1)).timestamp() * 1e6))
    redis.hincrby(slate.current, "server_at", -1000)
    view = reader.slate(DAY)
    assert view.state is State.STALE
    assert 1000 <= view.age_s < 1100


def test_readers_on_an_old_version_keep_working_through_its_grace(publish, redis, slates):
    first = publish(seed=1)
    for n in range(2, 6):
        publish(seed=n, run_id=f"r{n}")
    assert len(slates.rows(DAY, first.version, "props")) == 720


def test_when_redis_dropped_the_rows_the_slate_is_missing(publish, redis, reader):
    published = publish()
    redis.unlink(keys.SlateKeys(DAY).meta(published.version))
    assert reader.slate(DAY).state is State.MISSING
    assert reader.player(600_001, DAY).state is State.MISSING
    assert reader.props(DAY).is_empty()


def test_a_flip_is_announced(publish, redis):
    listener = redis.pubsub(ignore_subscribe_messages=True)
    listener.subscribe(keys.published())
    published = publish()
    for _ in range(50):
        message = listener.get_message(timeout=0.1)
        if message:
            break
    assert message["data"] == f"{DAY}={published.version}".encode()
    listener.close()


def test_versions_whose_pointer_was_removed_are_listed_and_none_of_them_is_served(publish, redis, slates):
    publish(seed=1)
    redis.delete(keys.SlateKeys(DAY).current)
    assert [(each.version, each.served, each.pinned) for each in slates.versions(DAY)] == [(1, False, False)]
    with pytest.raises(UsageError, match="no version before the served one"):
        slates.rollback(DAY)
    assert slates.rollback(DAY, 1) == 1
    assert [each.served for each in slates.versions(DAY)] == [True]
