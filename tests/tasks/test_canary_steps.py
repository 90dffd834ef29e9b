"""The canary's parts: a lake of its own beside the real one, refusals in words, and a draft that goes whatever happens."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from backstop import tables
from backstop.clock import FixedClock, baseball_day
from backstop.errors import IncompleteVersion, StoreError, UpstreamUnavailable, ValidationFailed
from backstop.sources.savant import pitches
from backstop.stages.fetch import FetchedBatch, Missed
from backstop.stages.project import Staged
from backstop.stages.publish import Loaded
from expectations import rules
from expectations.games import games_suite
from tasks import canary
from tasks.canary import Canary, Specimen
from tests.expectations import frames
from tests.flows.league import close_houses
from tests.operations.publishing import publish
from tests.stages.rows import DAY, games
from tests.store import rows

BEFORE = DAY - dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def _scratch(house):
    yield
    close_houses(house.settings.home / "canary")


@pytest.fixture
def staged(tmp_path):
    files = {"features": tmp_path / "features.parquet", "props": tmp_path / "props.parquet"}
    rows.features(1).drop("full_name").write_parquet(files["features"])
    rows.props(1).write_parquet(files["props"])
    return Staged(1, (600_000,), **files)


def left(house):
    """What Redis holds beside the counter of versions, which never goes back."""
    return [key for key in house.redis.scan_iter("*") if not key.endswith(b":seq")]


FOUND = Specimen(DAY, BEFORE, 1, (), ())


def test_the_scratch_lake_is_its_own_and_the_redis_is_the_real_one(house):
    scratch = canary.scratch()
    scratch.lake.write(tables.GAMES.name, DAY, games(DAY, 1))
    scratch.ledger.begin(tables.PROPS.name, str(DAY), run_id="canary")
    assert scratch.settings.redis_url == house.settings.redis_url
    assert house.lake.days(tables.GAMES.name) == set()
    assert house.ledger.entries() == []


def test_rows_that_hold_are_kept_and_one_that_does_not_is_left_out():
    sound = frames.games()
    found = canary._passed(
        sound.with_columns(home_team=pl.when(pl.col("game_pk") > 0).then("home_team")), games_suite(), "g"
    )
    assert found.height == sound.height - 1


@pytest.mark.parametrize(
    ("height", "suite", "said"),
    [
        (1, games_suite(), r"at most 25% of rows in quarantine, saw 100\.0%"),
        (100, games_suite(), r"at most 25% of rows in quarantine, saw 100\.0%"),
        (100, rules.suite("columns", [rules.columns_of(tables.PLAYERS)]), "columns"),
    ],
)
def test_a_table_of_which_nothing_holds_is_refused_in_words(height, suite, said):
    bad = frames.games().with_columns(home_team=pl.lit(None, pl.String)).head(height)
    with pytest.raises(ValidationFailed, match=f"^The canary's core_games was refused: .*{said}") as raised:
        canary._passed(bad, suite, "core_games")
    assert raised.value.source == "core_games"


def test_no_rows_at_all_break_no_rule():
    assert canary._passed(tables.GAMES.empty(), games_suite(), "core_games").is_empty()


def test_what_a_feed_does_not_answer_is_said_with_table_and_key(monkeypatch):
    (item,) = pitches.plan([DAY])
    lost = FetchedBatch(1, (), (Missed(item, "UpstreamUnavailable", "Savant is down."),))
    monkeypatch.setattr(canary.fetch, "fetch", lambda *_: lost)
    with pytest.raises(UpstreamUnavailable, match=rf"could not have core_pitches {DAY}: Savant is down\.") as raised:
        canary._answers(None, [item])
    assert raised.value.source == "savant"


def test_by_itself_it_sings_of_the_newest_day_whose_games_are_over_and_of_yesterday_where_none_is_known(house):
    scratch = canary.scratch()
    scratch.clock = FixedClock(dt.datetime(2025, 7, 1, 3, 0, tzinfo=dt.UTC))  # still 30 June in the east
    assert baseball_day(scratch.clock.now()) == dt.date(2025, 6, 30)
    assert canary._last_known(scratch) == dt.date(2025, 6, 29)
    house.lake.write(tables.GAMES.name, BEFORE, games(BEFORE, 1))
    house.lake.write(tables.GAMES.name, DAY, games(DAY, 2, abstract_status="Live", status="In Progress"))
    assert canary._last_known(scratch) == BEFORE


def test_a_players_rows_are_read_back_and_removed_and_readers_see_the_slate_that_was_there(house, staged):
    publish(house, DAY, players=3)
    before = sorted(house.redis.scan_iter("*"))
    props = rows.props(1).height
    assert canary.load_and_read.fn(FOUND, staged) == Canary(DAY, 600_000, rows.features(1).height, props)
    assert sorted(house.redis.scan_iter("*")) == before
    assert house.reader.slate(DAY).version == 1


def test_rows_that_redis_did_not_take_fail_it_and_the_draft_goes_all_the_same(house, staged, monkeypatch):
    load = canary.publish.load
    monkeypatch.setattr(canary.publish, "load", lambda *given: Loaded(1, load(*given).features + 1, 5))
    with pytest.raises(IncompleteVersion, match=r"Redis holds .* of the canary, 3 features and 5 props were written"):
        canary.load_and_read.fn(FOUND, staged)
    assert left(house) == []


def test_a_redis_that_refuses_in_the_middle_leaves_no_draft_behind(house, staged, monkeypatch):
    def refuses(house, draft, staged):
        house.writer.load(draft, "props", pl.read_parquet(staged.props))
        raise StoreError("OOM command not allowed")

    monkeypatch.setattr(canary.publish, "load", refuses)
    with pytest.raises(StoreError, match="OOM"):
        canary.load_and_read.fn(FOUND, staged)
    assert left(house) == []
