"""The numbers of a run: however steps are added up, rows in are rows loaded, quarantined or in failed batches."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backstop.errors import ConservationBroken
from backstop.stages.outcome import WORST_KEPT, Gap, Outcome, Refused, total, worst

count = st.integers(0, 10**6)

refused = st.builds(Refused, st.sampled_from(["a", "a; b", "superseded"]), st.just("why"), st.sampled_from("xyz"))


@st.composite
def balanced(draw):
    loaded, quarantined, failed = draw(count), draw(count), draw(count)
    return Outcome(
        "t",
        keys=draw(st.integers(0, 5)),
        rows_in=loaded + quarantined + failed,
        loaded=loaded,
        quarantined=quarantined,
        failed=failed,
        gaps=tuple(Gap("t", key, "lost") for key in draw(st.lists(st.text(max_size=3), max_size=3))),
        rules=draw(st.dictionaries(st.sampled_from("abc"), st.integers(1, 9))),
        drift=tuple(draw(st.lists(st.sampled_from(["added: x", "gone: y"]), unique=True))),
        worst=worst(draw(st.lists(refused, max_size=WORST_KEPT))),
    )


@given(st.lists(balanced(), max_size=6))
def test_adding_up_loses_nothing(parts):
    whole = total("t", parts)
    for name in ("keys", "rows_in", "loaded", "quarantined", "failed"):
        assert getattr(whole, name) == sum(getattr(part, name) for part in parts)
    assert whole.rows_in == whole.loaded + whole.quarantined + whole.failed
    assert list(whole.gaps) == [gap for part in parts for gap in part.gaps]
    assert sum(whole.rules.values()) == sum(sum(part.rules.values()) for part in parts)
    assert set(whole.drift) == {word for part in parts for word in part.drift}
    assert {each.rule for each in whole.worst} == {each.rule for part in parts for each in part.worst}


@given(balanced(), balanced(), balanced())
def test_the_order_of_adding_up_changes_no_number(one, two, three):
    assert total("t", [one, two, three]).rows_in == total("t", [three, one, two]).rows_in
    assert ((one + two) + three) == (one + (two + three))


@given(balanced(), st.sampled_from(["rows_in", "loaded", "quarantined", "failed"]), st.integers(1, 100))
def test_one_row_too_few_or_too_many_is_an_error_that_names_the_numbers(outcome, name, lost):
    changes = {field: getattr(outcome, field) for field in ("rows_in", "loaded", "quarantined", "failed")}
    changes[name] += lost
    with pytest.raises(ConservationBroken, match=f"t: {changes['rows_in']} rows came in, but {changes['loaded']} "):
        Outcome("t", **changes).balanced()


def test_a_part_that_does_not_add_up_is_found_in_the_total():
    with pytest.raises(ConservationBroken):
        total("t", [Outcome("t", rows_in=3, loaded=3), Outcome("t", rows_in=3, loaded=2)])


def test_rows_that_broke_most_rules_stand_first_and_rows_put_aside_last():
    rows = [Refused(rule, "why", "{}") for rule in ("superseded", "a", "a; b", "b")]
    assert [each.rule for each in worst(rows)] == ["a; b", "a", "b", "superseded"]
    assert [each.rule for each in worst(rows * 9)] == ["a; b"] * 3 + ["a", "b"] * 3 + ["superseded"]
    assert len(worst(rows * 9)) == WORST_KEPT
