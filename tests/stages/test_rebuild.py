"""Restoring Redis from a lake that is damaged, half written, or older than what is served."""

from __future__ import annotations

import datetime as dt
import threading

import orjson
import polars as pl
import pytest

from backstop.lake.states import State
from backstop.stages import publish, rebuild
from backstop.store import loader
from backstop.store.slates import Slates
from tests.stages.rows import DAY, games
from tests.stages.test_killed_publish import KEY, PROPS, ROWS, refresh
from tests.stages.test_publish import EACH
from tests.store import rows

DAYS = [DAY - dt.timedelta(days=n) for n in (2, 1, 0)]
WHOLE = ROWS + rows.features(EACH).height
"""Rows of a day, of both kinds."""

CUTOFF = dt.datetime(2025, 6, 16, tzinfo=dt.UTC)


def publish_day(house, day: dt.date, seed: int = 1, meta: dict | None = None) -> None:
    """A day as the pipeline leaves it: in the lake, in Redis, and noted."""
    of_kind = {"features": rows.features(EACH, seed=seed), "props": rows.props(EACH, seed=seed)}
    of_kind = {kind: frame.with_columns(game_date=pl.lit(day)) for kind, frame in of_kind.items()}
    draft = house.writer.open(day, cutoff=CUTOFF, run_id=f"r{seed}")
    for kind, table in rebuild.KINDS:
        house.lake.write(table, day, of_kind[kind])
        house.writer.load(draft, kind, of_kind[kind])
    counts = {kind: frame.height for kind, frame in of_kind.items()}
    rebuild.remember(house, draft, house.writer.publish(draft, counts, meta or {}), meta or {})


def damage(house, table: str, day: dt.date) -> None:
    (house.settings.home / "lake" / table / f"game_date={day}" / "part.parquet").write_bytes(b"PAR1 cut off")


@pytest.fixture
def season(store):
    for day in DAYS:
        publish_day(store, day)
    return store


def served(house) -> list[dt.date]:
    return [day for day in DAYS if house.reader.slate(day).props_count == ROWS]


@pytest.mark.parametrize("table", [PROPS, "out_features", rebuild.SLATES])
def test_a_damaged_day_is_named_and_every_other_one_is_restored(season, table):
    damage(season, table, DAYS[0])
    season.redis.flushall()
    done = {each.day: each for each in rebuild.rebuild(season)}
    assert served(season) == DAYS[1:]
    assert [done[day].rows for day in DAYS] == [0, WHOLE, WHOLE]
    lost = done[DAYS[0]]
    assert (lost.version, lost.restorable, lost.damaged) == (None, False, True)
    assert f"{table}/game_date={DAYS[0]}/part.parquet" in lost.left_because


def test_the_newest_day_comes_first(season, monkeypatch):
    season.redis.flushall()
    order, opened = [], loader.SlateWriter.open
    monkeypatch.setattr(
        loader.SlateWriter, "open", lambda self, day, **given: order.append(day) or opened(self, day, **given)
    )
    assert [each.day for each in rebuild.rebuild(season)] == DAYS
    assert order == DAYS[::-1]


def test_a_comparison_with_a_damaged_day_names_it_and_compares_the_others(season):
    damage(season, PROPS, DAYS[0])
    found = rebuild.verify(season)
    assert [(each.day, each.kind) for each in found if not each.equal] == [(DAYS[0], "props")]
    (bad,) = (each for each in found if not each.equal)
    assert (bad.rows, bad.extra) == (0, ROWS)
    assert "part.parquet cannot be read" in bad.example


def test_a_slate_without_its_features_is_not_restored_as_if_it_had_none(season):
    season.lake.remove("out_features", DAY)
    season.redis.flushall()
    (left,) = rebuild.rebuild(season, [DAY])
    assert (left.version, left.restorable) == (None, False)
    assert "out_features" in left.left_because
    assert season.reader.slate(DAY).state == "missing"


@pytest.mark.parametrize("newer", [PROPS, "out_features"])
def test_rows_of_two_publishes_are_not_put_together(season, newer):
    """A run died after it had replaced one of the two tables."""
    frame = {PROPS: rows.props, "out_features": rows.features}[newer](EACH, seed=9)
    season.lake.write(newer, DAY, frame.with_columns(game_date=pl.lit(DAY)))
    season.redis.flushall()
    (left,) = rebuild.rebuild(season, [DAY])
    assert (left.version, left.restorable) == (None, False)
    assert f"{newer} in the lake is not what was published" in left.left_because


def test_a_day_that_a_run_publishes_is_left_to_it(season):
    season.ledger.begin(PROPS, KEY, run_id="at-work")
    season.redis.flushall()
    (left,) = rebuild.rebuild(season, [DAY])
    assert (left.version, left.restorable) == (None, True)
    assert left.left_because == "run at-work is publishing it"
    assert season.reader.slate(DAY).state == "missing"
    season.ledger.begin(PROPS, KEY, run_id="at-work", lease_s=0)  # and dies
    assert rebuild.rebuild(season, [DAY])[0].rows == WHOLE


def test_a_run_that_begins_while_a_day_is_restored_is_not_overtaken(season, monkeypatch):
    opened = loader.SlateWriter.open

    def begun(self, day, **given):
        season.ledger.begin(PROPS, KEY, run_id="at-work")
        return opened(self, day, **given)

    monkeypatch.setattr(loader.SlateWriter, "open", begun)
    before = season.reader.slate(DAY).version
    assert rebuild.rebuild(season, [DAY])[0].left_because == "run at-work is publishing it"
    assert season.reader.slate(DAY).version == before


class Died(Exception):
    pass


def test_what_was_flipped_but_is_not_in_the_lake_yet_is_not_replaced_by_the_rows_before_it(
    store, tmp_path, monkeypatch
):
    store.lake.write("core_games", DAY, games(DAY, 1, 2))
    refresh(store, tmp_path, "r1", 3, seed=1)

    def die(*_):
        raise Died

    monkeypatch.setattr(publish, "keep_terms", die)
    with pytest.raises(Died):
        refresh(store, tmp_path, "r2", 2, seed=2)
    store.ledger.fail(PROPS, KEY, run_id="r2", reason="died")
    assert store.ledger.entry(PROPS, KEY).state is State.FAILED
    (left,) = rebuild.rebuild(store, [DAY])
    assert (left.version, left.restorable) == (None, False)
    assert left.left_because == "version 2 of run r2 is served, which the lake does not hold; refresh the day"
    view = store.reader.slate(DAY)
    assert (view.version, view.props_count) == (2, 2 * ROWS)
    # an earlier version that was turned back to is no newer one: who names the day wants what the lake holds
    Slates(store.redis).rollback(DAY, 1)
    for _ in range(2):  # and what was restored once may be restored again
        (done,) = rebuild.rebuild(store, [DAY])
        assert (done.version, done.left_because) == (store.reader.slate(DAY).version, "")
        assert store.reader.slate(DAY).props_count == 3 * ROWS


def test_two_rebuilds_at_once_both_end_with_the_rows_served(season):
    season.redis.flushall()
    together, done, loaded = threading.Barrier(2), [], loader.SlateWriter.load

    def load(self, draft, kind, frame):
        together.wait(60)
        return loaded(self, draft, kind, frame)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loader.SlateWriter, "load", load)
        threads = [threading.Thread(target=lambda: done.extend(rebuild.rebuild(season, [DAY]))) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert {each.version for each in done} <= {1, 2, None}
    assert len(done) == 2
    assert season.reader.props(DAY).height == ROWS
    assert all(each.equal for each in rebuild.verify(season, [DAY]))


def test_a_note_of_a_release_before_names_no_content_and_is_restored_all_the_same(season):
    note = season.lake.read(rebuild.SLATES, DAY)
    assert orjson.loads(note["meta"].item()) == {}
    season.lake.write(
        rebuild.SLATES, DAY, note.select("game_date", "version", "cutoff", "published_at", "run_id", "meta")
    )
    season.redis.flushall()
    assert rebuild.rebuild(season, [DAY])[0].rows == WHOLE
