"""A read of many trips is of one version, whatever happens to Redis between two of them."""

import pytest

from backstop.errors import IncompleteVersion
from backstop.store.asking import ask
from backstop.store.reading import Reading
from backstop.store.views import State
from tests.store.rows import DAY, features, props

READS = {
    "all props": lambda reading: reading.best(DAY, None, None, None, "ev"),
    "the best of all": lambda reading: reading.best(DAY, None, None, 20, "ev"),
    "one team": lambda reading: reading.best(DAY, None, props()["team"][0], None, "ev"),
    "features": lambda reading: reading.features(DAY),
    "players": lambda reading: reading.players([600_001, 600_002], DAY),
}


def struck(client, plan, after, strike):
    """Run a plan and strike after so many of its trips; return its result and whether it came to that."""
    trips, answers, fell = 0, None, False
    try:
        while True:
            commands = plan.send(answers)
            answers = ask(client, commands)
            trips += 1
            if trips == after:
                strike()
                fell = True
    except StopIteration as end:
        return end.value, fell


def plain(result):
    """Return what a read gave without when it gave it."""
    if isinstance(result, tuple):
        view, frame = result
        return view.version, view.meta, frame.to_dicts()
    if isinstance(result, list):
        return [(each.slate.version, each.slate.meta, each.props, each.features) for each in result]
    return result.to_dicts()


def calm(redis, clock, read):
    return plain(struck(redis, READS[read](Reading(clock, 60)), 0, lambda: None)[0])


@pytest.mark.parametrize("read", READS)
def test_a_redis_that_is_emptied_between_two_trips_gives_the_whole_slate_or_none(publish, redis, clock, read):
    publish(seed=1, players=12)
    whole, after, fell = calm(redis, clock, read), 0, True
    redis.flushall()
    nothing = calm(redis, clock, read)
    while fell:
        redis.flushall()
        publish(seed=1, players=12)
        after += 1
        result, fell = struck(redis, READS[read](Reading(clock, 60)), after, redis.flushall)
        assert plain(result) in (whole, nothing), f"emptied after trip {after}"
    assert after > 2


@pytest.mark.parametrize("read", READS)
def test_a_version_that_takes_the_number_of_a_lost_one_is_never_mixed_with_it(publish, redis, clock, read):
    def replace():
        redis.flushall()
        clock.advance(1)
        assert publish(seed=2, players=12, run_id="r2", meta={"seed": 2}).version == 1

    replace()
    second, after, fell = calm(redis, clock, read), 0, True
    redis.flushall()
    publish(seed=1, players=12, meta={"seed": 1})
    first = calm(redis, clock, read)
    assert first != second
    while fell:
        redis.flushall()
        publish(seed=1, players=12, meta={"seed": 1})
        after += 1
        result, fell = struck(redis, READS[read](Reading(clock, 60)), after, replace)
        assert plain(result) in (first, second), f"replaced after trip {after}"
    assert after > 2


@pytest.mark.parametrize("kind", ["props", "features"])
def test_a_version_that_lost_a_player_is_refused_with_the_counts(publish, redis, reader, kind):
    publish()
    key = next(iter(redis.scan_iter(f"*:v:1:{kind}:*"))).decode()
    field = next(iter(redis.hkeys(key)))
    of_player = {"props": props, "features": features}[kind]().filter(player_id_mlbam=int(field)).height
    redis.hdel(key, field)
    rows = {"props": 720, "features": 63}[kind]
    with pytest.raises(IncompleteVersion, match=f"holds {rows - of_player} rows of version 1, {rows} were published"):
        getattr(reader, kind)(DAY)
    assert reader.slate(DAY).state is State.FRESH
