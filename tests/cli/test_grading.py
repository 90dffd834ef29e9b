"""Commands that look back, on the small simulated season."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import polars as pl
import pytest

from backstop.features.tally import tally
from backstop.props import refit
from backstop.props.fitted import Fitted
from backstop.settings import Settings
from backstop.stages import project
from deployments import local
from tests.features.season import FIRST, pitches, slate

LAST_DAY = 14
SERVED = FIRST + dt.timedelta(days=10)
"""The day on which a slate was published."""


def day(number):
    return FIRST + dt.timedelta(days=number)


@pytest.fixture
def lake(environment, store):
    """A lake with two weeks of tallies, the line-ups of every day, and the features of one published slate."""
    environment.setenv("BACKSTOP_HISTORY_FIRST_SEASON", str(FIRST.year))
    house = type(store).current()
    played = pitches(LAST_DAY + 1)
    for (date,), rows in tally(played).group_by("game_date"):
        house.lake.write(project.TALLIES, date, rows)
    for number in range(LAST_DAY + 1):
        games, players = slate(number)
        final = games.with_columns(abstract_status=pl.lit("Final"))
        house.lake.write("core_games", day(number), final)
        house.lake.write("core_players", day(number), players)
    path, _ = project.build_features(house, SERVED, "run")
    house.lake.write(project.FEATURES, SERVED, pl.read_parquet(path))
    return house.lake


def test_rows_of_past_days_equal_those_that_were_served(lake, backstop, tmp_path):
    served = lake.read(project.FEATURES, SERVED)
    for how in ([], ["--rebuild"]):
        out = tmp_path / f"rows{len(how)}.parquet"
        ended = backstop("features", "--from", str(day(8)), "--to", str(day(12)), "--out", str(out), *how)
        assert ended.code == 0, ended.err
        rows = pl.read_parquet(out)
        assert set(rows["game_date"]) == {day(n) for n in range(8, 13)}
        mine = rows.filter(game_date=SERVED).sort("game_pk", "role", "player_id_mlbam")
        assert mine.drop("in_sample").equals(served)
        assert (rows["as_of"] < rows["game_date"]).all()
    assert "0 as served, 5 built" in ended.out


def test_rows_that_were_served_are_not_replaced_by_what_would_be_served_now(lake, backstop, tmp_path):
    marked = lake.read(project.FEATURES, SERVED).with_columns(player_name=pl.lit("as he was served"))
    lake.write(project.FEATURES, SERVED, marked)
    ended = backstop("features", "--from", str(SERVED), "--to", str(SERVED), "--out", str(tmp_path / "rows.parquet"))
    assert "1 as served, 0 built" in ended.out
    assert set(pl.read_parquet(tmp_path / "rows.parquet")["player_name"]) == {"as he was served"}


@pytest.mark.parametrize("how", [[], ["--rebuild"]])
def test_rows_of_days_that_the_numbers_behind_them_saw_say_so(lake, backstop, tmp_path, how):
    """The shipped numbers saw all of them; a fit of the first days, which the lake keeps, saw none of those after it."""
    arguments = ["--from", str(day(8)), "--to", str(day(12)), "--out", str(tmp_path / "rows.csv"), *how]
    ended = backstop("features", *arguments)
    assert (
        f"in sample 5 days, {day(8)} to {day(12)}: the numbers behind their rows were fitted on them or on later days"
        in ended.out
    )
    assert pl.read_csv(tmp_path / "rows.csv")["in_sample"].all()
    named = {"version": "own", "last_day": day(9)}
    shipped = Fitted.shipped()
    parts = (part.model_copy(update=named) for part in (shipped.parameters, shipped.ladders, shipped.calibration))
    refit.keep(lake, Fitted(*parts))
    ended = backstop("features", *arguments)
    marked = {day(8), day(9)} | (set() if how else {SERVED})
    assert f"in sample {len(marked)} days, {day(8)} to {max(marked)}" in ended.out
    rows = pl.read_csv(tmp_path / "rows.csv", try_parse_dates=True)
    assert set(rows.filter("in_sample")["game_date"]) == marked


def test_a_csv_holds_the_same_rows(lake, backstop, tmp_path):
    backstop("features", "--from", str(SERVED), "--to", str(SERVED), "--out", str(tmp_path / "rows.csv"))
    assert pl.read_csv(tmp_path / "rows.csv").height == lake.read(project.FEATURES, SERVED).height


def test_a_day_whose_pitches_are_missing_is_named(lake, backstop, tmp_path):
    shutil.rmtree(Path(lake.place.locate(f"{project.TALLIES}/game_date={day(9)}")))
    ended = backstop("features", "--from", str(day(8)), "--to", str(day(9)), "--out", str(tmp_path / "rows.parquet"))
    assert f"missing {day(9)}" in ended.out


@pytest.mark.parametrize(("season", "kept_from"), [(2026, 2024), (2024, 2023), (2019, 2018), (2010, 2015)])
def test_a_back_test_keeps_the_season_before_its_range_as_history(season, kept_from):
    settings = local.with_season_before(Settings(_env_file=None), dt.date(season, 5, 1))
    assert settings.history_first_season == kept_from


def test_a_back_test_keeps_the_history_that_was_asked_for():
    settings = Settings(_env_file=None, history_first_season=2025)
    assert local.with_season_before(settings, dt.date(2025, 5, 1)) is settings


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--from", "2024-04-05", "--to", "2024-04-04", "--out", "x.parquet"), "ends before it begins"),
        (("--from", "2024-04-05", "--to", "2999-04-04", "--out", "x.parquet"), "is not over"),
        (("--from", "2024-04-05", "--to", "2024-04-06", "--out", "x.txt"), "expected .parquet or .csv"),
        (("--from", "2024-04-05", "--to", "2024-04-06", "--out", "none/x.csv"), "does not exist"),
        (("--from", "1999-04-05", "--to", "1999-04-06", "--out", "x.csv"), "The lake has no game from 1999-04-05"),
        (("--from", "yesterday", "--to", "1999-04-06", "--out", "x.csv"), "yesterday"),
    ],
)
def test_a_range_or_a_file_that_cannot_be_is_refused_with_a_sentence(lake, backstop, arguments, words):
    ended = backstop("features", *arguments)
    assert ended.code == 2
    assert words in " ".join(ended.err.split())


def test_a_refit_is_kept_and_used_by_later_slates_only(lake, backstop):
    ended = backstop("refit", "--from", str(day(6)), "--to", str(day(13)))
    assert ended.code == 0, ended.err
    assert "batter_hits" in ended.out
    assert refit.latest(lake, day(14)).calibration.version.startswith("lake-20240407-20240414-")
    assert not refit.latest(lake, day(13)).calibration.version.startswith("lake-")


def test_a_refit_on_too_few_games_says_so(lake, backstop):
    ended = backstop("refit", "--from", str(day(1)), "--to", str(day(1)))
    assert ended.code == 1
    assert "too few games" in ended.err


def test_a_published_day_whose_own_games_are_not_tallied_yet_is_built_again_all_the_same(lake, backstop, tmp_path):
    shutil.rmtree(Path(lake.place.locate(f"{project.TALLIES}/game_date={SERVED}")))
    out = tmp_path / "rows.parquet"
    backstop("features", "--from", str(SERVED), "--to", str(SERVED), "--out", str(out), "--rebuild")
    rows = pl.read_parquet(out).drop("in_sample")
    assert rows.equals(lake.read(project.FEATURES, SERVED).sort("game_pk", "role", "player_id_mlbam"))
