"""What a run leaves beside its rows of how their day closes, and what `reconcile` makes of it."""

import json

import polars as pl
import pytest

from backstop import tables
from backstop.errors import ConservationBroken
from backstop.lake.closing import Closing
from backstop.lake.entries import Counts
from backstop.lake.quarantine import Quarantine
from backstop.lake.reconcile import reconcile
from backstop.lake.states import State
from tests.lake.conftest import DAY

KEY, TABLE = DAY.isoformat(), "core_games"


def games(*pks):
    rows = [dict.fromkeys(tables.GAMES.schema) | {"game_pk": pk, "game_date": DAY} for pk in pks]
    return pl.DataFrame(rows, schema=tables.GAMES.schema)


@pytest.fixture
def written(lake):
    """Three games in the lake, and how the run that wrote them closes their day."""
    digest = lake.write(TABLE, DAY, games(1, 2, 3)).content_hash
    return Closing("writer", Counts(5, 3, 1, 1), "777003: no venue", digest, "rules")


def look(lake, ledger, clock, closing):
    told = {TABLE: lambda day: closing if day == DAY else None}
    return reconcile(lake, ledger, Quarantine(lake, clock), [TABLE], run_id="reconcile", told=told)


@pytest.mark.parametrize(
    ("closing", "state"),
    [
        (Closing("r1", Counts(4, 3, 1), "", "ab", "v1"), State.COMPLETE),
        (Closing("r1", Counts(4, 2, 1, 1), "é: no line-up; x", "ab"), State.DEGRADED),
        (Closing("r1", Counts(None, 3, 0, None), "", None), State.COMPLETE),
    ],
)
def test_a_closing_survives_the_way_through_json_and_knows_its_state(closing, state):
    assert Closing.parse(json.loads(json.dumps(closing.dump()))) == closing
    assert closing.state is state
    assert closing.of("cd").content_hash == "cd"
    assert closing.of("cd").of(closing.content_hash) == closing


def test_a_closing_that_a_release_before_wrote_knows_no_rules():
    told = Closing("r1", Counts(4, 3, 1), "", "ab", "v1").dump()
    del told["suite_version"]
    assert Closing.parse(told) == Closing("r1", Counts(4, 3, 1), "", "ab", None)


def test_a_closing_whose_rows_do_not_add_up_closes_nothing(ledger):
    ledger.begin(TABLE, KEY, run_id="r1")
    with pytest.raises(ConservationBroken, match="5 rows came in"):
        Closing("r1", Counts(5, 3, 1), "", "ab").close(ledger, TABLE, KEY, "r1")
    assert ledger.entry(TABLE, KEY).state is State.RUNNING


def test_a_day_that_its_run_left_open_is_closed_as_the_run_would_have(lake, ledger, clock, written):
    ledger.begin(TABLE, KEY, run_id="writer", lease_s=0)
    (repair,) = look(lake, ledger, clock, written)
    entry = ledger.entry(TABLE, KEY)
    assert (repair.before, repair.after, entry.state) == (State.RUNNING, State.DEGRADED, State.DEGRADED)
    assert (entry.rows_in, entry.rows_loaded, entry.rows_quarantined, entry.rows_failed) == (5, 3, 1, 1)
    assert (entry.reason, entry.content_hash) == ("777003: no venue", written.content_hash)
    assert entry.suite_version == "rules"
    assert look(lake, ledger, clock, written) == []


@pytest.mark.parametrize("why", ["told by another run", "told of other rows", "not told"])
def test_an_open_day_that_nothing_vouches_for_is_to_be_done_again(lake, ledger, clock, written, why):
    ledger.begin(TABLE, KEY, run_id="other" if why == "told by another run" else "writer", lease_s=0)
    closing = {"not told": None, "told of other rows": written.of("0" * 64)}.get(why, written)
    (repair,) = look(lake, ledger, clock, closing)
    assert (repair.before, repair.after) == (State.RUNNING, State.FAILED)
    assert ledger.missing(TABLE, [KEY]) == [KEY]
    assert look(lake, ledger, clock, closing) == []


def test_a_day_that_a_living_run_works_on_is_left_to_it(lake, ledger, clock, written):
    ledger.begin(TABLE, KEY, run_id="alive")
    assert look(lake, ledger, clock, written) == []
    assert (ledger.entry(TABLE, KEY).state, ledger.entry(TABLE, KEY).run_id) == (State.RUNNING, "alive")


@pytest.mark.parametrize("before", [State.FAILED, State.STALE, State.EMPTY_OK])
def test_what_was_closed_on_purpose_stays_closed(lake, ledger, clock, written, before):
    if before is State.EMPTY_OK:
        ledger.empty(TABLE, KEY, run_id="r1", reason="no games")
    else:
        ledger.begin(TABLE, KEY, run_id="writer")
        if before is State.FAILED:
            ledger.fail(TABLE, KEY, run_id="writer", reason="refused")
        else:
            ledger.complete(TABLE, KEY, run_id="writer", rows_in=3, rows_loaded=3)
            ledger.stale(TABLE, [KEY], reason="settled since")
    assert look(lake, ledger, clock, written) == []
    assert ledger.entry(TABLE, KEY).state is before


def test_rows_that_replaced_those_of_the_ledger_are_told_by_who_wrote_them(lake, ledger, clock, written):
    ledger.begin(TABLE, KEY, run_id="r1")
    ledger.complete(TABLE, KEY, run_id="r1", rows_in=9, rows_loaded=9, content_hash="f" * 64)
    assert look(lake, ledger, clock, None) == []
    (repair,) = look(lake, ledger, clock, written)
    assert (repair.before, repair.after) == (State.COMPLETE, State.DEGRADED)
    assert ledger.entry(TABLE, KEY).rows_loaded == 3


def test_a_day_without_rows_is_failed_or_stale_as_of_any_table(lake, ledger, clock, written):
    lake.remove(TABLE, DAY)
    ledger.begin(TABLE, KEY, run_id="writer", lease_s=0)
    (repair,) = look(lake, ledger, clock, written)
    assert (repair.after, repair.reason) == (State.FAILED, "run writer died before anything was written")
