"""The kept versions of a slate, and quarantined rows, as an operator handles them from the command line."""

from __future__ import annotations

import json

import polars as pl
import pytest

from tests.cli.test_keeping import DAY, twice  # noqa: F401 - a fixture
from tests.store import rows


def served(store):
    return store.reader.slate(DAY).version


def test_two_versions_with_the_same_rows_do_not_differ(backstop, twice):  # noqa: F811
    ended = backstop("versions", "diff", str(DAY), "1", "2")
    assert (ended.code, ended.out) == (0, "0 added, 0 gone, 0 fields changed\n")
    told = json.loads(backstop("versions", "diff", str(DAY), "1", "2", "--json").out)
    assert told == {"added": [], "gone": [], "changed": []}


@pytest.fixture
def changed(store, twice):  # noqa: F811
    """A third version, in which one price is another."""
    frame = rows.props(2)
    first = frame["prop_id"][0]
    other = frame.with_columns(
        fair_over_decimal=pl.when(pl.col("prop_id") == first).then(9.5).otherwise("fair_over_decimal")
    )
    draft = store.writer.open(DAY, cutoff=store.clock.now(), run_id="r2")
    store.writer.load(draft, "props", other)
    store.writer.publish(draft, {"props": other.height}, {})
    return frame.row(0, named=True)


def test_a_field_that_changed_is_shown_with_before_and_after(backstop, changed):
    said = backstop("versions", "diff", str(DAY), "2", "3").out
    assert said.startswith("0 added, 0 gone, 1 fields changed\n")
    assert "fair_over_decimal" in said
    (told,) = json.loads(backstop("versions", "diff", str(DAY), "2", "3", "--json").out)["changed"]
    assert told["field"] == "fair_over_decimal"
    assert (float(told["before"]), float(told["after"])) == (pytest.approx(changed["fair_over_decimal"]), 9.5)


def test_a_difference_from_a_version_that_is_not_kept_is_a_sentence(backstop, twice):  # noqa: F811
    ended = backstop("versions", "diff", str(DAY), "1", "9")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == f"The slate of {DAY} has no version 9; list the versions that are kept.\n"


def test_a_pinned_version_stays_served_until_it_is_let_go(backstop, store, twice):  # noqa: F811
    assert backstop("versions", "pin", str(DAY), "1").out == f"slate {DAY} is held at version 1\n"
    assert served(store) == 1
    listed = json.loads(backstop("versions", "list", str(DAY), "--json").out)
    assert [(each["version"], each["served"], each["pinned"]) for each in listed] == [
        (2, False, False),
        (1, True, True),
    ]
    assert backstop("versions", "unpin", str(DAY)).out == f"slate {DAY} is served in version 2\n"
    assert served(store) == 2


def test_going_back_without_a_version_takes_the_one_before_and_with_one_that_one(backstop, store, twice):  # noqa: F811
    assert backstop("versions", "rollback", str(DAY)).out == f"slate {DAY} is served in version 1\n"
    assert backstop("versions", "rollback", str(DAY), "--to", "2").out == f"slate {DAY} is served in version 2\n"
    assert served(store) == 2


@pytest.mark.parametrize("command", [("pin", "7"), ("rollback", "--to", "7")])
def test_a_version_that_is_not_kept_is_not_served(backstop, store, twice, command):  # noqa: F811
    ended = backstop("versions", command[0], str(DAY), *command[1:])
    assert ended.code == 2
    assert "Version 7 is not among the published ones that are kept" in ended.err
    assert served(store) == 2


@pytest.mark.parametrize("command", ["pin", "unpin", "rollback", "diff", "list"])
def test_a_date_that_is_none_is_refused_by_every_command(backstop, store, command):
    more = {"pin": ["1"], "diff": ["1", "2"]}.get(command, [])
    ended = backstop("versions", command, "2025-02-30", *more)
    assert (ended.code, ended.out) == (2, "")
    assert "'2025-02-30' is not a date" in ended.err


@pytest.fixture
def refused(store):
    frame = pl.DataFrame({"row": ['{"n": 1}', '{"n": 2}'], "rule": ["a", "b"], "reason": ["r", "r"]})
    store.quarantine.put("core_quotes", DAY, frame, run_id="r1", raw_ref=None)
    store.quarantine.put("core_games", DAY, frame.head(1), run_id="r1", raw_ref=None)
    return store


def listed(backstop, *options):
    return json.loads(backstop("quarantine", "list", "--json", *options).out)


def test_rows_are_listed_by_table_and_by_day(backstop, refused):
    assert len(listed(backstop)) == 3
    assert len(listed(backstop, "--table", "core_quotes")) == 2
    assert listed(backstop, "--date", "2025-01-01") == []
    assert backstop("quarantine", "list", "--table", "core_games").out.endswith("1 rows in quarantine\n")


def test_a_row_that_is_dropped_is_closed_with_the_reason_and_the_others_stay(backstop, refused):
    first, *others = listed(backstop, "--table", "core_quotes")
    ended = backstop("quarantine", "drop", first["row_id"], "--because", "a test game")
    assert ended.out == "1 rows dropped\n"
    assert [each["row_id"] for each in listed(backstop, "--table", "core_quotes")] == [
        each["row_id"] for each in others
    ]
    assert "a test game" in backstop("quarantine", "show", first["row_id"]).out


def test_a_row_is_not_dropped_without_a_reason(backstop, refused):
    (row, *_) = listed(backstop)
    ended = backstop("quarantine", "drop", row["row_id"])
    assert ended.code == 2
    assert "--because" in ended.err
    assert len(listed(backstop)) == 3
