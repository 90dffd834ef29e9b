"""Restore from the lake, and compare with it."""

import datetime as dt

import polars as pl
import pytest

from backstop.settings import Settings
from backstop.stages import rebuild
from backstop.stages.house import House
from backstop.store import keys
from backstop.store.reader import State
from backstop.store.slates import Slates
from tests.store.conftest import CUTOFF
from tests.store.rows import DAY, features, props


@pytest.fixture
def house(tmp_path, embedded_url, redis, clock):
    house = House(Settings(home=tmp_path, redis_url=embedded_url, _env_file=None), clock)
    yield house
    house.redis.close()


@pytest.fixture
def published(house):
    """A day published as the pipeline does: rows to the lake, to Redis, and what was said of them."""

    def publish(day=DAY, seed=1, cutoff=CUTOFF):
        some = features(seed=seed).with_columns(game_date=pl.lit(day))
        more = props(seed=seed).with_columns(game_date=pl.lit(day))
        house.lake.write("out_features", day, some)
        house.lake.write("out_props", day, more)
        draft = house.writer.open(day, cutoff=cutoff, run_id=f"r{seed}")
        house.writer.load(draft, "features", some)
        house.writer.load(draft, "props", more)
        done = house.writer.publish(draft, {"features": 63, "props": 720}, {"games": 15})
        rebuild.remember(house, draft, done, {"games": 15})
        return done

    return publish


def test_everything_served_comes_back_after_redis_lost_it(house, published, redis):
    days = [DAY, DAY + dt.timedelta(days=1)]
    for day in days:
        published(day)
    before = [house.reader.props(day) for day in days]
    redis.flushall()
    assert house.reader.slate(DAY).state is State.MISSING
    assert [(each.day, each.rows) for each in rebuild.rebuild(house)] == [(day, 783) for day in days]
    assert house.reader.days() == days
    for day, rows in zip(days, before, strict=True):
        assert house.reader.props(day).equals(rows)
    view = house.reader.slate(DAY)
    assert (view.meta, view.cutoff) == ({"games": 15}, CUTOFF)
    assert all(each.equal for each in rebuild.verify(house))


def test_a_rebuilt_slate_is_as_old_as_it_was(house, published, redis, clock):
    published()
    clock.advance(3600)
    redis.flushall()
    rebuild.rebuild(house, [DAY])
    view = house.reader.slate(DAY)
    assert (view.state, view.age_s) == (State.STALE, 3600)
    clock.advance(-3600)
    assert house.reader.slate(DAY).age_s >= 3600


def test_a_rebuild_never_replaces_a_newer_slate(house, published, writer):
    published(seed=1)
    draft = writer.open(DAY, cutoff=CUTOFF + dt.timedelta(hours=1), run_id="later")
    writer.load(draft, "props", props(seed=2))
    later = writer.publish(draft, {"props": 720}, {})
    outcome = rebuild.rebuild(house, [DAY])[0]
    assert outcome.left_because == "a newer slate is served already"
    assert house.reader.slate(DAY).version == later.version


def test_a_day_that_the_lake_does_not_hold_is_left_alone(house):
    assert "refresh the day" in rebuild.rebuild(house, [DAY])[0].left_because


def test_a_day_that_was_never_published_is_left_alone_with_nothing_invented(house):
    house.lake.write("out_props", DAY, props())
    outcome = rebuild.rebuild(house, [DAY])[0]
    assert outcome.left_because == "it was never published from here; refresh the day"
    assert (outcome.version, outcome.restorable) == (None, False)
    assert house.reader.slate(DAY).state is State.MISSING


def test_equal_rows_are_verified(house, published):
    published()
    found = {each.kind: each for each in rebuild.verify(house, [DAY])}
    assert found["props"].equal
    assert found["features"].equal
    assert (found["props"].rows, found["features"].rows) == (720, 63)


def test_every_kind_of_difference_is_found(house, published, redis):
    done = published()
    rows = house.lake.read("out_props", DAY)
    changed = rows.with_columns(edge=pl.when(pl.col("line") == 0.5).then(0.9).otherwise("edge")).slice(5)
    house.lake.write("out_props", DAY, changed)
    found = {each.kind: each for each in rebuild.verify(house, [DAY])}["props"]
    assert (found.absent, found.extra) == (0, 5)
    assert found.changed == changed.filter(line=0.5).height
    assert "edge is 0.9 in the lake" in found.example
    redis.unlink(keys.SlateKeys(DAY).meta(done.version))
    gone = {each.kind: each for each in rebuild.verify(house, [DAY])}["props"]
    assert (gone.version, gone.absent) == (None, 715)


def test_a_slate_that_was_turned_back_is_compared_in_its_newest_version_and_left_by_a_rebuild_of_all(house, published):
    first, second = published(seed=1), published(seed=2, cutoff=CUTOFF + dt.timedelta(hours=1))
    slates = Slates(house.redis)
    slates.rollback(DAY)
    for found in rebuild.verify(house):
        assert (found.equal, found.version) == (True, second.version)
        assert found.held == f"turned back to version {first.version}, the newest is {second.version}"
    (left,) = rebuild.rebuild(house)
    assert (left.version, left.restorable) == (None, True)
    assert left.left_because.startswith(f"it is turned back to version {first.version}")
    assert house.reader.slate(DAY).version == first.version
    assert [each.version for each in slates.versions(DAY)] == [first.version, second.version]

    (named,) = rebuild.rebuild(house, [DAY])
    assert house.reader.slate(DAY).version == named.version == second.version + 1
    assert [each.held for each in rebuild.verify(house)] == ["", ""]


@pytest.mark.parametrize("number", [0, 1])
def test_a_pinned_slate_is_held_also_in_its_newest_version_until_it_is_let_go(house, published, number):
    made = [published(seed=seed, cutoff=CUTOFF + dt.timedelta(hours=seed)).version for seed in (1, 2)]
    slates = Slates(house.redis)
    slates.pin(DAY, made[number])
    held = {each.held for each in rebuild.verify(house)}
    assert held == {f"pinned to version {made[number]}, the newest is {made[1]}"}
    assert [each.version for each in rebuild.rebuild(house)] == [None]
    slates.unpin(DAY)
    assert {each.held for each in rebuild.verify(house)} == {""}


def test_a_newest_version_that_is_damaged_is_found_behind_the_one_that_was_turned_back_to(house, published, redis):
    published(seed=1)
    second = published(seed=2, cutoff=CUTOFF + dt.timedelta(hours=1))
    Slates(house.redis).rollback(DAY)
    damaged = [key for key in redis.scan_iter(f"*{DAY}*:{second.version}:*") if redis.type(key) == b"hash"]
    redis.unlink(*[key for key in damaged if not key.endswith(b"meta")])
    assert not any(each.equal for each in rebuild.verify(house))
    assert all(each.held for each in rebuild.verify(house))
