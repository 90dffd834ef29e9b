"""Scenarios said as text: what is understood, what is refused, and how often what was asked for strikes."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backstop.demo.faults import CALM, SCENARIOS, STORM, Burst, Fault, Plan, Rule, Scenario, scenario
from backstop.demo.rows import RowFaults
from backstop.errors import UsageError
from backstop.settings import Feed


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("savant:html=0.2", Rule("savant", Fault.HTML, 0.2)),
        ("*:429=1x3", Rule("*", Fault.RATE_LIMITED, 1.0, in_a_row=3)),
        ("statsapi:slow=.5@0.25", Rule("statsapi", Fault.SLOW, 0.5, seconds=0.25)),
        ("theodds:cut-off=0x9@7", Rule("theodds", Fault.CUT_OFF, 0.0, in_a_row=9, seconds=7.0)),
        ("chadwick:503=1", Rule("chadwick", Fault.UNAVAILABLE, 1.0)),
        ("sportradar:error-column=1.", Rule("sportradar", Fault.ERROR_COLUMN, 1.0)),
    ],
)
def test_a_rule_says_feed_fault_share_times_and_seconds(text: str, rule: Rule):
    assert scenario(text) == Scenario(text, (rule,), rows=CALM.rows)


@pytest.mark.parametrize(
    "text",
    [
        "savant", "savant:", "savant:html", "savant:html=", "html=0.2", "savant:html=1.01", "savant:html=-1",
        "savant:html=0.2.3", "savant:html=.", "savant:html=1@", "savant:html=1@.", "savant:html=1@1.2.3",
        "savant:html=1x", "savant:html=1x-1", "SAVANT:html=1", "savant:HTML=1", "mars:html=1", "savant:html=1 ",
        "savant:html=0.5,storm", "calm,locusts", "savant:html=٣", "tempest",
    ],
)  # fmt: skip
def test_what_is_no_rule_is_refused_with_an_example(text: str):
    with pytest.raises(UsageError, match=r"is no fault; expected a scenario \(calm, storm, .*savant:html=0\.2"):
        scenario(text)


def test_rules_come_before_those_of_the_scenario_that_they_are_added_to():
    both = scenario("storm,savant:html=1,rows:shuffled,rows:row-cap=7")
    assert both.rules == (Rule("savant", Fault.HTML, 1.0), *STORM.rules)
    assert (both.bursts, both.credits) == (STORM.bursts, STORM.credits)
    assert both.rows == RowFaults(row_cap=7, duplicates=0.002, impossible=0.001, drift=True, shuffled=True)
    assert both.name == "storm,savant:html=1,rows:shuffled,rows:row-cap=7"
    assert STORM.rows.row_cap == RowFaults().row_cap


@pytest.mark.parametrize(
    ("text", "name"), [(None, "calm"), ("", "calm"), (",", "calm"), ("broke", "broke"), ("storm,", "storm")]
)
def test_a_name_alone_is_that_scenario(text: str | None, name: str):
    assert scenario(text) == SCENARIOS[name]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("rows:duplicates=0", RowFaults(duplicates=0.0)), ("rows:impossible=.25", RowFaults(impossible=0.25)),
        ("rows:drift", RowFaults(drift=True)), ("rows:era-2020", RowFaults(era_2020=True)),
        ("rows:drift=2025-04-03", RowFaults(drift=True, drifts_from=dt.date(2025, 4, 3))),
        ("rows:revised=2025-04-03", RowFaults(revised=True, revised_from=dt.date(2025, 4, 3))),
    ],
)  # fmt: skip
def test_faults_of_rows_are_said_one_by_one(text: str, rows: RowFaults):
    assert scenario(text).rows == rows


@given(
    feed=st.sampled_from([*Feed, "*"]),
    fault=st.sampled_from(Fault),
    share=st.integers(0, 1000),
    times=st.integers(0, 99),
    seconds=st.integers(0, 100),
)
def test_every_rule_can_be_written_down_and_read_back(feed: str, fault: Fault, share: int, times: int, seconds: int):
    rule = Rule(feed, fault, share / 1000, times, seconds / 10)
    (read,) = scenario(f"{rule.feed}:{rule.fault}={rule.share}x{rule.in_a_row}@{rule.seconds}").rules
    assert read == rule


@pytest.mark.parametrize("share", [0.03, 0.2, 0.5])
def test_a_fault_strikes_the_share_of_requests_that_was_asked_for(share: float):
    plan = Plan(Scenario("x", (Rule("savant", Fault.HTML, share, in_a_row=10**6),)), seed=11)
    requests = 4_000
    struck = sum(plan.decide("savant", f"/{number}") is not None for number in range(requests))
    spread = (share * (1 - share) / requests) ** 0.5
    assert abs(struck / requests - share) < 4 * spread
    assert all(plan.decide("statsapi", f"/{number}") is None for number in range(100))


def test_a_burst_takes_the_last_requests_of_each_stretch_of_its_feed_alone():
    plan = Plan(Scenario("x", bursts=(Burst("savant", every=10, length=3),)))
    down = []
    for number in range(1, 41):
        assert plan.decide("theodds", f"/{number}") is None
        if rule := plan.decide("savant", "/same"):
            assert rule.fault is Fault.UNAVAILABLE
            down.append(number)
    assert down == [8, 9, 10, 18, 19, 20, 28, 29, 30, 38, 39, 40]


@given(seed=st.integers(0, 2**32), names=st.lists(st.text(max_size=5), min_size=1, max_size=20))
def test_draws_are_shares_that_the_seed_and_the_question_decide(seed: int, names: list[str]):
    one, other = Plan(seed=seed), Plan(seed=seed)
    drawn = [one.draw(0, name, 1) for name in names]
    assert drawn == [other.draw(0, name, 1) for name in reversed(names)][::-1]
    assert all(0 <= value < 1 for value in drawn)
    assert one.draw(0, names[0], 1) != one.draw(1, names[0], 1)
