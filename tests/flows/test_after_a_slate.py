"""What is done with a published slate: graded, looked after, replayed after a mend; and the canary beside it."""

from __future__ import annotations

import datetime as dt
import os
import re

import polars as pl
import pytest

from backstop.errors import IncompleteVersion, UsageError
from backstop.lake.states import State
from backstop.settings import Settings
from backstop.stages import rebuild
from backstop.stages import replaying as waiting
from backstop.store.slates import Slates
from expectations import rules
from expectations.quotes import quotes_suite
from tests.flows.league import EARLY, OFF, Rooms, sentence, with_rule

pytestmark = pytest.mark.prefect

MISREAD = 5.0
"""Where somebody let the lines of quotes end."""


@pytest.fixture(scope="module")
def published(prefect_server, league, tmp_path_factory):
    """A slate whose release held that no line is above 5: rows that are good lie in quarantine."""
    from tasks import validate

    misread = with_rule(quotes_suite, rules.within("line", 0.0, MISREAD, "too strict"))
    with Rooms.opened(tmp_path_factory.mktemp("after") / "home") as rooms, pytest.MonkeyPatch.context() as patch:
        rooms.settings |= {"upstream": league.base_url}
        patch.setattr(validate, "quotes_suite", misread)
        assert rooms.refresh(EARLY).is_completed()
        patch.undo()
        yield rooms


def ran(rooms, flow, *args, **parameters):
    with rooms.environment():
        return flow(*args, return_state=True, **parameters)


def test_the_canary_takes_a_player_through_every_stage_and_no_reader_sees_it(published):
    from flows.canary import canary

    lake = published.house.lake
    before = (published.house.reader.days(), lake.days("core_pitches"), published.house.reader.slate(EARLY).version)
    state = ran(published, canary, EARLY)
    assert state.is_completed(), sentence(state)
    found = state.result()
    assert found.day == EARLY
    assert found.features >= 1
    assert found.props > 10
    assert before == (
        published.house.reader.days(),
        lake.days("core_pitches"),
        published.house.reader.slate(EARLY).version,
    )
    drafts = [key for key in published.house.redis.scan_iter("*") if b"draft" in key]
    assert drafts == []


@pytest.mark.parametrize(
    ("day", "player", "said"),
    [
        (EARLY, 1, r"Nobody to project: player 1 is not among the \d+ of the game"),
        (OFF, None, rf"{OFF} has no finished games; the newest day that has is {OFF - dt.timedelta(days=1)}"),
        (dt.date(2025, 4, 2), None, r"The schedule up to 2025-04-02 has 1 days with finished games; the canary needs"),
    ],
)
def test_a_canary_that_cannot_sing_says_why(published, day, player, said):
    from flows.canary import canary

    state = ran(published, canary, day, player)
    assert state.is_failed()
    assert re.search(said, sentence(state))


def test_every_published_prop_is_graded_or_says_why_not_and_a_second_time_changes_nothing(published):
    from flows.grade import slate_grade

    first = ran(published, slate_grade, EARLY).result()
    again = ran(published, slate_grade, EARLY).result()
    props = published.props(EARLY).height
    assert sum(row["props"] for row in first.grades) + sum(row["props"] for row in first.open) == props
    assert {row["market"] for row in first.grades} <= set(published.props(EARLY)["market"])
    assert all(0 < row["brier"] < 1 for row in first.grades)
    graded_at = {"graded_at", "run_id"}
    plain = [[{k: v for k, v in row.items() if k not in graded_at} for row in each.grades] for each in (first, again)]
    assert plain[0] == plain[1]
    entry = published.house.ledger.entry("out_grades", EARLY.isoformat())
    assert (entry.state, entry.rows_loaded) == (State.COMPLETE, len(first.grades))


def test_a_day_that_was_never_published_is_not_graded(published):
    from flows.grade import slate_grade

    state = ran(published, slate_grade, EARLY + dt.timedelta(days=1))
    assert state.is_failed()
    assert f"{EARLY + dt.timedelta(days=1)}" in sentence(state)


def folder_of_a_run(rooms, name, days_old):
    folder = rooms.home / "runs" / name
    folder.mkdir(parents=True)
    (folder / "features.parquet").write_bytes(b"x")
    then = dt.datetime.now(dt.UTC).timestamp() - days_old * 86_400
    os.utime(folder, (then, then))
    return folder


def test_maintenance_clears_old_folders_and_rebuilds_a_slate_that_redis_has_lost_a_part_of(published):
    from flows.maintenance import lake_maintenance

    old, young = folder_of_a_run(published, "old", 15), folder_of_a_run(published, "young", 13)
    rows = published.props(EARLY)
    house = published.house
    (key,) = [key for key in house.redis.scan_iter(f"*{EARLY}*props*") if house.redis.type(key) == b"hash"][:1]
    house.redis.delete(key)
    with pytest.raises(IncompleteVersion, match=r"Redis holds [\d,]+ rows of version"):
        published.props(EARLY)

    assert ran(published, lake_maintenance, 14, 400).result() == [EARLY]
    assert (old.exists(), young.exists()) == (False, True)
    assert published.props(EARLY).drop("version", strict=False).equals(rows.drop("version", strict=False))
    assert ran(published, lake_maintenance, 14, 400).result() == []


def test_maintenance_leaves_a_slate_that_was_turned_back_as_it_is_served_and_names_it(published):
    from flows.maintenance import lake_maintenance
    from tasks import artifacts

    house = published.house
    slates, before = Slates(house.redis), house.reader.slate(EARLY).version
    assert rebuild.rebuild(house, [EARLY])[0].version == before + 1
    price = pl.col("fair_over_decimal")
    house.lake.write("out_props", EARLY, house.lake.read("out_props", EARLY).with_columns(price + 1))
    note = house.lake.read(rebuild.SLATES, EARLY)
    of_it = pl.lit(house.lake.content_hash("out_props", EARLY))
    house.lake.write(rebuild.SLATES, EARLY, note.with_columns(props_hash=of_it))
    (newest,) = (each.version for each in rebuild.rebuild(house, [EARLY]))
    assert slates.rollback(EARLY) == before + 1
    kept = slates.versions(EARLY)
    shown = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(artifacts, "markdown", lambda *told: shown.append(told))
        for _ in range(2):
            assert ran(published, lake_maintenance, 14, 400).result() == []
    assert slates.versions(EARLY) == kept
    assert house.reader.slate(EARLY).version == before + 1
    key, text, _ = shown[0]
    assert key == "redis-check"
    assert f"- {EARLY}: left as it is served: it is turned back to version {before + 1}, the newest is {newest}" in text

    house.lake.write("out_props", EARLY, house.lake.read("out_props", EARLY).with_columns(price - 1))
    slates.unpin(EARLY)
    assert ran(published, lake_maintenance, 14, 400).result() == [EARLY]


def replay(rooms, table, day):
    from prefect.settings import PREFECT_API_URL

    from deployments import replaying

    with rooms.environment() as patch:
        patch.setenv("PREFECT_API_URL", PREFECT_API_URL.value())
        replaying.replay(Settings(), table, day)


def test_a_replay_of_nothing_is_refused_before_anything_is_started(published):
    with pytest.raises(UsageError, match="No row like that is in quarantine"):
        replay(published, "core_quotes", OFF)


def test_after_the_mend_the_rows_that_were_refused_come_from_the_archive_and_are_priced(published, capsys):
    house = published.house
    (refused,) = waiting.waiting(house, "core_quotes", EARLY)
    assert refused.rows > 10
    version, quotes = house.reader.slate(EARLY).version, house.lake.read("core_quotes", EARLY)
    assert quotes["line"].max() <= MISREAD

    replay(published, "core_quotes", EARLY)

    told = capsys.readouterr().out
    house = published.house
    left = sum(each.rows for each in waiting.waiting(house, "core_quotes", EARLY))
    assert f"core_quotes {EARLY}: {refused.rows:,} rows were in quarantine, {left:,} are" in told
    assert f"slates published again: {EARLY}" in told
    back = house.lake.read("core_quotes", EARLY)
    assert back.height == quotes.height + refused.rows - left
    assert back.filter(pl.col("line") > MISREAD).height == refused.rows - left
    assert house.reader.slate(EARLY).version > version
