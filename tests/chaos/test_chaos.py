"""The short form of `make chaos`: every kind of fault once, on one slate each; and proof that the checks can fail."""

from __future__ import annotations

import dataclasses
import datetime as dt

import polars as pl
import pytest

from backstop import tables
from backstop.clock import SystemClock
from backstop.lake.states import State as Stage
from backstop.stages.house import House
from backstop.store.keys import SlateKeys
from backstop.store.loader import SlateWriter
from backstop.store.reader import SlateReader
from backstop.store.views import SlateView
from backstop.store.views import State as Freshness
from tests.chaos import checks, schedule
from tests.chaos.schedule import FIRST
from tests.chaos.season import Season, play
from tests.chaos.watch import Seen, Watch

pytestmark = [pytest.mark.prefect, pytest.mark.slow, pytest.mark.timeout(900)]

CHOSEN = [
    (1, "storm", "flow"),
    (2, "schema", "redis"),
    (3, "repeats", "memory"),
    (4, "order", "disk-full"),
    (5, "revised", "file-limit"),
    (6, "read-only"),
    (7, "clock"),
    (8, "upstream"),
    (9, "server"),
    (10, "postgres"),
    (11, "worker"),
]
"""Numbers whose draws do strike: one after the last crossing of a run would test nothing."""


def test_every_kind_of_fault_is_among_the_chosen():
    assert {kind for _, *kinds in CHOSEN for kind in kinds} == set(schedule.KINDS)


@pytest.mark.parametrize(("seed", "kinds"), [(seed, kinds) for seed, *kinds in CHOSEN], ids=str)
def test_after_a_fault_and_the_same_command_again_everything_is_as_on_calm_days(site, calm, seed, kinds):
    played = play(site, calm, schedule.of_kinds(seed, *kinds))
    assert played.wrong == [], str(played.schedule)
    assert played.struck == kinds, str(played.schedule)
    assert played.reads > 0
    assert played.feature_reads > 0
    assert played.spared == []


def test_a_seed_draws_the_same_schedule_every_time_and_seeds_differ():
    plans = [schedule.of(seed) for seed in range(200)]
    assert plans == [schedule.of(seed) for seed in range(200)]
    assert {kind for plan in plans for kind in plan.kinds} == set(schedule.KINDS)
    assert len({str(plan) for plan in plans}) > 150


@pytest.fixture(scope="module")
def settings(site):
    settings = site.home(postgres=False)
    season = Season(site, settings, backfill=False)
    assert season.run(FIRST, FIRST) == "Completed", season.message
    yield settings
    site.drop(settings)


@pytest.fixture(scope="module")
def sound(settings):
    return checks.state_of(settings, [FIRST])


@pytest.fixture
def house(settings):
    house = House(settings)
    yield house
    house.close()


def test_a_sound_home_has_nothing_wrong(site, settings, sound):
    again = checks.state_of(settings, [FIRST])
    assert checks.differences(again, sound, set()) == []
    assert checks.left_behind(site, settings) == []


def test_rows_that_a_partition_lost_are_counted(settings, sound, house):
    day = FIRST - dt.timedelta(days=1)
    whole = house.lake.read("core_pitches", day)
    house.lake.write("core_pitches", day, whole.head(-7))
    found = checks.state_of(settings, [FIRST])
    house.lake.write("core_pitches", day, whole)
    wrong = checks.differences(found, sound, set())
    assert "7 rows are lost" in wrong
    assert any(f"core_pitches {day}: the ledger says {whole.height} rows" in each for each in wrong)


def test_one_changed_value_is_named_by_its_column(settings, sound, house):
    whole = house.lake.read("core_players", FIRST)
    house.lake.write("core_players", FIRST, whole.with_columns(full_name=pl.lit("Nobody")))
    found = checks.state_of(settings, [FIRST])
    house.lake.write("core_players", FIRST, whole)
    assert checks.differences(found, sound, set()) == ["core_players.full_name has other values"]


def test_a_player_that_redis_lost_is_missed(site, settings, sound):
    key = next(iter(site.client.scan_iter("*:v:1:props:*"))).decode()
    field, value = next(iter(site.client.hscan_iter(key)))
    site.client.hdel(key, field)
    wrong = checks.differences(checks.state_of(settings, [FIRST]), sound, set())
    site.client.hset(key, field, value)
    assert any("Redis and the lake differ" in each for each in wrong)
    assert any(each.startswith(f"props of {FIRST} as read") for each in wrong)


def test_a_key_that_a_run_still_holds_is_named(settings, sound, house):
    house.ledger.begin("core_quotes", "2025-04-30", run_id="of-yore")
    wrong = checks.differences(checks.state_of(settings, [FIRST]), sound, set())
    house.ledger.fail("core_quotes", "2025-04-30", run_id="of-yore", reason="let go")
    assert "core_quotes 2025-04-30 is still held by of-yore" in wrong
    assert f"core_quotes 2025-04-30 is {Stage.RUNNING}, None on calm days" in wrong
    with_failed = checks.state_of(settings, [FIRST])
    assert any("as failed: let go" in each for each in checks.differences(with_failed, sound, set()))


@pytest.mark.parametrize(("kinds", "allowed"), [(set(), False), ({"storm"}, False), ({"repeats"}, True)])
def test_more_pitches_in_quarantine_are_a_fault_unless_the_feed_sent_them(sound, kinds, allowed):
    more = {**sound.books.refused, ("core_pitches", "duplicate"): 3}
    found = dataclasses.replace(sound, books=dataclasses.replace(sound.books, refused=more))
    wrong = checks.differences(found, sound, kinds)
    assert wrong == ([] if allowed else ["quarantine has 3 rows of core_pitches duplicate, 0 on calm days"])


def test_a_key_without_a_lifetime_is_named_and_pointers_are_not(site):
    key = SlateKeys(FIRST).meta(99)
    site.client.hset(key, "state", "draft")
    site.client.set("bs:net:{x}:pace", 1)
    wrong = checks.lasting_keys(site.client)
    site.client.delete(key, "bs:net:{x}:pace")
    assert sorted(wrong) == sorted([f"{key} lasts for ever", "bs:net:{x}:pace lasts for ever"])
    assert checks.lasting_keys(site.client) == []


def test_a_lease_that_outlasts_its_beats_is_named(site):
    until_ms = (dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)).timestamp() * 1000
    site.client.zadd("bs:net:{x}:gate:alive", {"4711-abcdef": until_ms})
    wrong = checks.leases(site.client)
    site.client.delete("bs:net:{x}:gate:alive")
    assert len(wrong) == 1
    assert wrong[0].startswith("process 4711 holds slots of bs:net:{x}:gate:alive")


def test_a_reader_that_sees_half_a_slate_or_an_older_one_says_so():
    rows = pl.DataFrame({"prop_id": ["a", "b"], "value": [1, 2]})
    now = dt.datetime.now(dt.UTC)

    def view(version: int, count: int = 2) -> SlateView:
        return SlateView(FIRST, Freshness.FRESH, version, 0.0, now, props_count=count)

    seen = Seen()
    seen.take(view(2), rows)
    assert seen.wrong == []
    seen.take(view(3, count=3), rows)
    assert seen.wrong.pop() == f"{FIRST} v3: 2 props read, 3 published"
    seen.take(view(1), rows)
    assert seen.wrong.pop() == f"{FIRST}: version 3 was read, and then version 1"
    seen.take(view(2), rows.with_columns(value=pl.lit(7)))
    assert f"{FIRST} v2: two reads of its props differ" in seen.wrong
    seen.take(SlateView(FIRST, Freshness.MISSING), rows)
    assert seen.wrong[-1] == f"{FIRST}: 2 props of a slate that is missing"


def test_a_reader_of_features_judges_them_by_their_own_count_and_content():
    rows = pl.DataFrame({"game_pk": [1, 1], "player_id_mlbam": [7, 8], "role": ["batter", "batter"], "x": [1.0, 2.0]})
    view = SlateView(FIRST, Freshness.FRESH, 2, 0.0, dt.datetime.now(dt.UTC), props_count=9, features_count=2)
    seen = Seen()
    seen.take(view, rows, "features")
    assert (seen.wrong, seen.reads) == ([], {"props": 0, "features": 1})
    seen.take(view, rows.head(1), "features")
    assert seen.wrong == [f"{FIRST} v2: 1 features read, 2 published", f"{FIRST} v2: two reads of its features differ"]


def test_a_slate_of_which_redis_holds_too_little_is_told_unless_redis_was_just_emptied(site):
    day, frame = dt.date(2031, 4, 4), tables.PROPS.empty()
    writer = SlateWriter(site.client, SystemClock())
    draft = writer.open(day, cutoff=dt.datetime.now(dt.UTC), run_id="r")
    frame = pl.DataFrame([dict.fromkeys(frame.columns) | {"prop_id": "p", "player_id_mlbam": 7}], schema=frame.schema)
    writer.load(draft, "props", frame)
    writer.publish(draft, {"props": 1}, {})
    (key,) = [each for each in site.client.scan_iter("*:v:*:props:*") if str(day).encode() in each]
    site.client.delete(key)
    reader = SlateReader(site.client, SystemClock())
    watch = Watch(site.redis.url, [day])
    watch._read(reader, day, "props")
    assert len(watch.seen.wrong) == 1
    watch.emptied(back=False)
    watch._read(reader, day, "props")
    assert watch.seen.wrong[1:] == []
    site.client.delete(*site.client.scan_iter(f"*{day}*"))
