"""How past slates turned out, from a lake, against the same sums in plain Python."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backstop.api.grades import told
from backstop.errors import LakeError
from backstop.lake.tables import Lake
from backstop.stages.grade import GRADES, SETTLED

DAY = dt.date(2025, 6, 15)
BINS = 10
SCHEMA = {"prop_id": pl.String, "result": pl.String, "prob_over": pl.Float64, "prob_under": pl.Float64}

PROP = st.tuples(
    st.sampled_from(["over", "under", "push", "void", None]),
    st.integers(1, 99).map(lambda percent: percent / 100),
    st.integers(1, 99).map(lambda percent: percent / 100),
)


def keep(lake, day, props, markets=("batter_hits",)):
    rows = [(f"p{n}", *prop) for n, prop in enumerate(props)]
    lake.write(SETTLED, day, pl.DataFrame(rows, schema=SCHEMA, orient="row"))
    grades = pl.DataFrame(
        {"market": list(markets), "brier": [0.2] * len(markets)}, schema={"market": pl.String, "brier": pl.Float64}
    )
    lake.write(GRADES, day, grades.with_columns(game_date=pl.lit(day)))


def by_hand(props):
    """Bins of equal count by rising chance of over among the two sides; the first bins have one more."""
    decided = sorted(
        ((over / (over + under), result == "over") for result, over, under in props if result in {"over", "under"}),
        key=lambda pair: pair[0],
    )
    size, more = divmod(len(decided), BINS)
    cut, start = [], 0
    for n in range(BINS):
        part = decided[start : start + size + (n < more)]
        start += len(part)
        if part:
            cut.append(
                {
                    "props": len(part),
                    "mean_prob_over": pytest.approx(sum(chance for chance, _ in part) / len(part)),
                    "share_over": pytest.approx(sum(won for _, won in part) / len(part)),
                }
            )
    return cut


@settings(max_examples=25, deadline=None)
@given(props=st.lists(PROP, max_size=25, unique_by=lambda prop: prop[1] / (prop[1] + prop[2])))
def test_a_days_calibration_is_of_its_decided_props_by_rising_chance(tmp_path_factory, props):
    lake = Lake(tmp_path_factory.mktemp("lake"))
    keep(lake, DAY, props)
    (day,) = told(lake, 14)["days"]
    assert day["date"] == DAY
    assert day["settled"] == sum(result in {"over", "under"} for result, *_ in props)
    assert day["calibration"] == by_hand(props)
    assert day["markets"] == [{"market": "batter_hits", "brier": 0.2}]


def test_the_latest_days_are_told_oldest_first(tmp_path):
    lake = Lake(tmp_path)
    days = [DAY + dt.timedelta(days=n) for n in (3, 0, 9)]
    for day in days:
        keep(lake, day, [("over", 0.6, 0.4)])
    assert [each["date"] for each in told(lake, 2)["days"]] == [days[0], days[2]]
    assert len(told(lake, 60)["days"]) == 3


def test_before_anything_was_graded_there_are_no_days(tmp_path):
    assert told(Lake(tmp_path), 14) == {"days": []}


def test_a_day_without_decided_props_has_no_calibration(tmp_path):
    lake = Lake(tmp_path)
    keep(lake, DAY, [("push", 0.5, 0.5), (None, 0.6, 0.4)], markets=())
    assert told(lake, 1)["days"] == [{"date": DAY, "settled": 0, "markets": [], "calibration": []}]


def test_grades_whose_settled_props_are_gone_are_named(tmp_path):
    lake = Lake(tmp_path)
    keep(lake, DAY, [("over", 0.6, 0.4)])
    lake.remove(SETTLED, DAY)
    with pytest.raises(LakeError, match=f"{SETTLED} has no partition for {DAY}"):
        told(lake, 1)
