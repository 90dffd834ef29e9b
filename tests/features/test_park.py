from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from backstop.features import park
from backstop.features.outcomes import OUTCOMES, count_columns
from backstop.features.rates import FIRST_LEAGUE

HOME_RUN = OUTCOMES.index("home_run")
LEAGUE = np.array(FIRST_LEAGUE)


def games(home, away, season, home_runs):
    """Six thousand turns at bat in which home runs are so many times as frequent as usual."""
    rates = LEAGUE.copy()
    rates[HOME_RUN] *= home_runs
    counts = np.rint(6000 * rates).astype(int).tolist()
    return dict(zip(count_columns(), counts, strict=True)) | {"home_team": home, "away_team": away, "season": season}


def ratio(rows, team, season):
    return park.ratios(pl.DataFrame(rows), season, LEAGUE).get(team, np.ones(len(OUTCOMES)))[HOME_RUN]


def test_a_park_in_which_more_home_runs_are_hit_than_on_the_road_raises_them():
    rows = [games("COL", "SD", 2024, 1.4), games("SD", "COL", 2024, 1.0)]
    assert ratio(rows, "COL", 2025) > 1.1
    assert ratio(rows, "SD", 2025) < 1.0


@pytest.mark.parametrize(("club", "last"), [("ATH", 2024), ("ATL", 2016), ("TEX", 2019), ("TOR", 2019)])
def test_what_a_park_did_does_not_move_with_the_club(club, last):
    rows = [games(club, "SD", last, 0.6), games("SD", club, last, 1.0)]
    assert ratio(rows, club, last) < 0.9
    assert ratio(rows, club, last + 1) == 1.0


def test_a_club_that_comes_home_finds_its_park_as_it_left_it():
    rows = [games("TB", "SD", 2024, 0.6), games("TB", "SD", 2025, 1.5), games("SD", "TB", 2024, 1.0)]
    assert ratio(rows, "TB", 2025) > 1.0
    assert ratio(rows, "TB", 2026) < 0.9
