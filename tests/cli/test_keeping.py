"""Commands that look after what is kept say so when there is nothing to look after."""

from __future__ import annotations

import datetime as dt
import json

import polars as pl
import pytest

from backstop.store.slates import Slates
from tests.store import rows
from tests.store.rows import DAY

CUTOFF = dt.datetime(2025, 6, 15, 16, tzinfo=dt.UTC)


@pytest.fixture
def twice(store):
    """A slate in two versions."""
    for hour in (0, 1):
        draft = store.writer.open(DAY, cutoff=CUTOFF + dt.timedelta(hours=hour), run_id=f"r{hour}")
        store.writer.load(draft, "props", rows.props(2))
        store.writer.publish(draft, {"props": 24}, {})


def sentence(ended, *words):
    assert ended.code == 1, ended
    assert "Traceback" not in ended.err
    assert ended.err.count("\n") == 1
    for word in words:
        assert word in ended.err


def test_versions_of_a_day_that_has_none(backstop, store):
    ended = backstop("versions", "list", DAY.isoformat())
    sentence(ended, f"No version of a slate of {DAY}", "published are: none")
    assert ended.out == ""


def test_versions_are_listed_newest_first(backstop, twice):
    ended = backstop("versions", "list", DAY.isoformat())
    assert ended.code == 0
    assert ended.out.index("r1") < ended.out.index("r0")


def test_a_row_of_quarantine_is_shown_to_people_and_to_scripts(backstop, store):
    refused = pl.DataFrame({"row": ['{"player": "A [/b] B"}'], "rule": ["line within"], "reason": ["too high"]})
    store.quarantine.put("core_quotes", DAY, refused, run_id="r1", raw_ref=None)
    (listed,) = json.loads(backstop("quarantine", "list", "--json").out)
    assert '{"player": "A [/b] B"}' in backstop("quarantine", "list").out
    shown = backstop("quarantine", "show", listed["row_id"])
    assert (shown.code, "too high" in shown.out) == (0, True)
    assert json.loads(backstop("quarantine", "show", listed["row_id"], "--json").out) == listed


def test_a_comparison_of_nothing_is_no_success(backstop, store):
    sentence(backstop("redis", "verify"), "holds any slate", "nothing to compare")
    sentence(backstop("redis", "verify", "--slate", DAY.isoformat()), f"a slate of {DAY}", f"backstop refresh {DAY}")


def test_a_slate_that_only_redis_has_is_a_difference(backstop, twice):
    sentence(backstop("redis", "verify"), "differ for 1 of 2")


def test_a_rebuild_of_nothing_is_no_success(backstop, store):
    sentence(backstop("redis", "rebuild"), "The lake holds no slate")
    sentence(backstop("redis", "rebuild", "--slate", DAY.isoformat()), "1 of 1 slates", f"backstop refresh {DAY}")


def test_a_day_that_was_never_published_is_told_apart(backstop, store):
    store.lake.write("out_props", DAY, rows.props(2))
    sentence(backstop("redis", "rebuild"), "never published from here")


@pytest.fixture
def turned_back(store, twice):
    """The slate as its first version again; the lake holds the rows of both."""
    store.lake.write("out_props", DAY, rows.props(2))
    Slates(store.redis).rollback(DAY)
    return store


def test_a_slate_that_was_turned_back_is_no_difference_and_is_named(backstop, turned_back):
    ended = backstop("redis", "verify")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.endswith(f"{DAY} is turned back to version 1, the newest is 2; the newest is compared.\n")
    told = json.loads(backstop("redis", "verify", "--json").out)
    assert {(each["version"], each["equal"], each["held"]) for each in told} == {
        (2, True, "turned back to version 1, the newest is 2")
    }


def test_a_rebuild_is_not_advised_for_a_slate_that_was_turned_back_without_saying_what_it_undoes(backstop, turned_back):
    turned_back.lake.write("out_props", DAY, rows.props(2).head(5))
    ended = backstop("redis", "verify")
    sentence(ended, "differ for 1 of 2", "It is turned back to version 1, the newest is 2: once it may be served")
