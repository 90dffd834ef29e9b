"""April is not what a season is: how the year before counts in the weeks in which a season opens."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
import pytest

from backstop.features.outcomes import OUTCOMES, count_columns
from backstop.features.parameters import default
from backstop.features.rates import FIRST_LEAGUE, league_rates

WALK, HOME_RUN = OUTCOMES.index("walk"), OUTCOMES.index("home_run")
COLD = tuple(0.9 if n == HOME_RUN else 1.1 if n == WALK else 1.0 for n in range(len(OUTCOMES)))


def slots(**turns: int) -> pl.DataFrame:
    """So many turns at bat of seasons, all of them like the major leagues of 2024."""
    rows = [
        {"season": int(name[1:]), "slot": 1}
        | dict(zip(count_columns(), np.rint(n * np.array(FIRST_LEAGUE)).astype(int).tolist(), strict=True))
        for name, n in turns.items()
    ]
    return pl.DataFrame(rows)


@pytest.mark.parametrize("now", [0, 15_000, 150_000])
def test_the_season_before_counts_as_what_it_would_be_at_this_time_of_the_year(now):
    """Before the first game alone, after fifteen thousand turns half, in summer a tenth."""
    counted = slots(y2024=1_000_000, y2025=now)
    plain, cold = league_rates(counted, 2025)[2025], league_rates(counted, 2025, COLD)[2025]
    whole = sum(rate * factor for rate, factor in zip(FIRST_LEAGUE, COLD, strict=True))
    share = 15_000 / (15_000 + now)
    for outcome, factor in ((WALK, 1.1), (HOME_RUN, 0.9), (0, 1.0)):
        assert cold[outcome] / plain[outcome] - 1 == pytest.approx(share * (factor / whole - 1), abs=2e-4)
    assert cold.sum() == pytest.approx(1.0)


def test_without_a_season_before_there_is_nothing_to_count_otherwise():
    alone = slots(y2025=20_000)
    assert league_rates(alone, 2025, COLD)[2025].tolist() == league_rates(alone, 2025)[2025].tolist()


@pytest.mark.parametrize(
    ("day", "is_april"),
    [(dt.date(2025, 3, 18), True), (dt.date(2025, 4, 30), True), (dt.date(2025, 5, 1), False), (dt.date(2025, 10, 1), False)],
)  # fmt: skip
def test_march_and_april_are_told_from_the_rest_of_the_year(day, is_april):
    fit = default()
    assert fit.time_of_year(day) == (fit.april if is_april else None)
    assert fit.model_copy(update={"april": None}).time_of_year(day) is None


def test_a_fit_that_was_kept_before_the_time_of_the_year_counted_is_read():
    kept = default().model_dump(mode="json")
    del kept["april"]
    assert type(default()).model_validate(kept).time_of_year(dt.date(2025, 4, 1)) is None
