"""Fit the numbers that ship with the package, on recorded seasons up to 2024.

    python -m scripts.fit --recorded ../shared/realdata              # how far the shipped numbers are from the fit
    python -m scripts.fit --recorded ../shared/realdata --write      # and write them: about five minutes

The folder holds `backtest/pa.parquet`, `batter_games.parquet` and `pitcher_games.parquet` (Retrosheet 2015, 2016,
2019 and 2020) and the pitches of 2024 (`savant/pitches`). The window of each history begins when something is known of
it: May of 2016 with 2015 before it, June of 2019 and 2024 with nothing before, 8 August of 2020. Pitchers who had to
bat do not count as batters. No later season is opened: what the fit is worth is judged on 2025
(`python -m benchmarks.props_score`).
"""

from __future__ import annotations

import argparse
import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Final

import polars as pl
from pydantic import BaseModel

from backstop.demo.recorded.pitches import Pitches
from backstop.features.sums import add_up
from backstop.features.tally import KEY, SCHEMA, tally
from backstop.fitting import turns
from backstop.fitting.model import fit
from backstop.fitting.rows import Window
from backstop.props.fitted import Fitted
from backstop.tables import PITCHES

ROOT: Final = Path(__file__).resolve().parents[1]
RECORDED: Final = ROOT.parent / "shared" / "realdata"
SHIPPED: Final = {
    "parameters": ROOT / "src/backstop/features/parameters.json",
    "ladders": ROOT / "src/backstop/props/ladders.json",
    "calibration": ROOT / "src/backstop/props/calibration.json",
}
VERSION: Final = "2024.4"
TRAINED_ON: Final = (
    "Retrosheet 2016 from May, 2019 from June, 2020 from 8 August; Statcast 2024 from June; batters other than pitchers"
)
RETROSHEET: Final = (
    ((2015, 2016), dt.date(2016, 5, 1), dt.date(2016, 10, 5)),
    ((2019, 2020), dt.date(2019, 6, 1), dt.date(2019, 9, 29)),
    ((2019, 2020), dt.date(2020, 8, 8), dt.date(2020, 9, 27)),
)
"""Seasons of a history, first and last day of its window."""

STATCAST: Final = (dt.date(2024, 6, 1), dt.date(2024, 9, 30))
OUTCOME: Final = {
    "strikeout": "K", "walk": "BB", "hbp": "HBP", "single": "1B", "double": "2B", "triple": "3B", "home_run": "HR",
    "other_out": "OUT",
}  # fmt: skip
FIRST_OF_TODAY: Final = 2019
"""From this season on starters were left in about as long as they are now: 22 batters; in 2016 it was 24."""

PITCHER: Final = 1
"""`bat_fld_cd` of a batter who plays as pitcher."""

ORIGIN: Final = {
    "season_weights": (1.0, 0.5, 0.3, 0.2),
    "batter_k": (40.0, 100.0, 220.0, 150.0, 1600.0, 350.0, 130.0, 0.0),
    "pitcher_k": (55.0, 120.0, 700.0, 400.0, 3000.0, 6000.0, 800.0, 0.0),
}
"""Fitted on 2016 alone and kept."""

STEADY: Final = 0.01
"""The numbers in use are worth next to nothing here: the fit does not depend on the one before it."""

BATTERS: Final = {
    "batter_runs_scored": pl.col("b_r"),
    "batter_rbis": pl.col("b_rbi"),
    "batter_hits_runs_rbis": pl.col("b_h") + pl.col("b_r") + pl.col("b_rbi"),
}
STARTERS: Final = {"pitcher_earned_runs": pl.col("p_er")}


def windows(folder: Path) -> list[Window]:
    """Return the days to fit on."""
    pitches = Pitches(folder / "savant" / "pitches").days(dt.date(2024, 3, 1), STATCAST[1])
    names = {c.name: c.upstream or c.name for c in PITCHES.columns}
    present = (
        (pl.col(names[c.name]) if names[c.name] in pitches.columns else pl.lit(None))
        .cast(c.dtype, strict=False)
        .alias(c.name)
        for c in PITCHES.columns
    )
    found = [Window(tally(pitches.select(present)), *STATCAST)]
    return [*(_retrosheet(folder / "backtest", *each) for each in RETROSHEET), *found]


def _retrosheet(folder: Path, seasons: tuple[int, ...], first: dt.date, last: dt.date) -> Window:
    """Return a window of Retrosheet's seasons; games and players are numbered by their place among all of them."""
    turns = pl.read_parquet(folder / "pa.parquet")
    games = {name: number for number, name in enumerate(sorted(turns["game_id"].unique()), start=1)}
    counted = turns.filter(pl.col("date").is_between(first, last))["game_id"].unique().implode()
    people = sorted({*turns["resp_bat_id"].unique(), *turns["resp_pit_id"].unique()})
    numbers = {name: number for number, name in enumerate(people, start=1)}
    numbered = turns.filter(pl.col("season").is_in(seasons)).with_columns(
        game_pk=pl.col("game_id").replace_strict(games, return_dtype=pl.Int64),
        batter_id_mlbam=pl.col("resp_bat_id").replace_strict(numbers, return_dtype=pl.Int64),
        pitcher_id_mlbam=pl.col("resp_pit_id").replace_strict(numbers, return_dtype=pl.Int64),
    )
    pitchers = numbered.filter(pl.col("bat_fld_cd") == PITCHER)
    return Window(
        _tallied(numbered), first, last,
        results=pl.concat(
            [_results(folder / "batter_games.parquet", games, numbers, BATTERS, pl.col("b_pa") > 0, counted),
             _results(folder / "pitcher_games.parquet", games, numbers, STARTERS, pl.col("p_gs") == 1, counted)]
        ),
        usage=last.year >= FIRST_OF_TODAY,
        left_out=pitchers.select("game_pk", player_id_mlbam="batter_id_mlbam").unique(),
    )  # fmt: skip


def _tallied(turns: pl.DataFrame) -> pl.DataFrame:
    """Return plate appearances as `core_tallies`; batted balls were not measured."""
    home = pl.col("bat_home_id") == 1
    seen = pl.col("pa_ball_ct") + pl.col("pa_strike_ct")
    swings = pl.sum_horizontal("pa_swingmiss_strike_ct", "pa_foul_strike_ct", "pa_inplay_strike_ct")
    met = ["game_pk", "batter_id_mlbam", "pitcher_id_mlbam"]
    rows = turns.sort("game_pk", "event_id").select(
        *met,
        game_date="date", season="season", is_home=home, stand="resp_bat_hand_cd", p_throws="resp_pit_hand_cd",
        home_team=pl.when(home).then("bat_team_id").otherwise("fld_team_id"),
        away_team=pl.when(home).then("fld_team_id").otherwise("bat_team_id"),
        times_through=pl.int_range(1, pl.len() + 1).over(met),
        slot=pl.when("bat_start").then("bat_lineup_id").otherwise(0),
        pitcher_started="pit_start",
        plate_appearances=pl.lit(1),
        outs_recorded="event_outs_ct", pitches=seen, pitches_described=seen, swings=swings,
        whiffs="pa_swingmiss_strike_ct",
        **{f"n_{name}": pl.col("outcome") == code for name, code in OUTCOME.items()},
        **dict.fromkeys(("batted_balls_measured", "barrels", "xba_balls", "xba_thousandths"), pl.lit(0)),
    )  # fmt: skip
    typed = rows.select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items())
    counted = [name for name, dtype in SCHEMA.items() if dtype == pl.Int32()]
    same = [name for name in SCHEMA if name not in counted and name not in KEY]
    added = typed.group_by(KEY).agg(pl.col(same).first(), pl.col(counted).sum())
    return added.select(SCHEMA.keys()).sort("game_date", *KEY)


def _results(
    file: Path,
    games: dict[str, int],
    numbers: dict[str, int],
    counts: dict[str, pl.Expr],
    played: pl.Expr,
    wanted: pl.Series,
) -> pl.DataFrame:
    rows = pl.read_parquet(file).filter(
        played & pl.col("game_id").is_in(wanted) & pl.col("player_id").is_in(list(numbers))
    )
    who = (
        pl.col("game_id").replace_strict(games, return_dtype=pl.Int64).cast(pl.String),
        pl.col("player_id").replace_strict(numbers, return_dtype=pl.Int64).cast(pl.String),
    )
    parts = [rows.select(*who, market=pl.lit(key), value=count.cast(pl.Int64)) for key, count in counts.items()]
    return pl.concat(parts)


def apart(mine: object, other: object) -> float:
    """Return the largest difference of two numbers in the same place of two fits; infinite where their form differs."""
    if isinstance(mine, dict) and isinstance(other, dict) and mine.keys() == other.keys():
        return max((apart(mine[key], other[key]) for key in mine), default=0.0)
    if isinstance(mine, list) and isinstance(other, list) and len(mine) == len(other):
        return max((apart(*pair) for pair in zip(mine, other, strict=True)), default=0.0)
    if isinstance(mine, int | float) and isinstance(other, int | float):
        return abs(mine - other)
    return 0.0 if mine == other else float("inf")


def fitted(folder: Path) -> Fitted:
    """Return what ships, fitted anew."""
    base, days = origin(), windows(folder)
    played = days[-1].tallies.filter(pl.col("game_date") <= STATCAST[1])
    given = ORIGIN | turns.fit(add_up(played).turns, base.parameters, STEADY)
    return fit(days, base=base, version=VERSION, trained_on=TRAINED_ON, steady=STEADY, given=given)


def origin() -> Fitted:
    """Return what the fit begins from."""
    shipped = Fitted.shipped()
    return replace(shipped, parameters=shipped.parameters.model_copy(update=ORIGIN))


def main() -> None:
    """Fit, compare, and write when asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recorded", type=Path, default=RECORDED, help="folder of recordings")
    parser.add_argument("--write", action="store_true", help="write the shipped files")
    given = parser.parse_args()
    shipped = Fitted.shipped()
    found = fitted(given.recorded)
    for kind, file in SHIPPED.items():
        new: BaseModel = getattr(found, kind)
        told, known = new.model_dump(mode="json"), getattr(shipped, kind).model_dump(mode="json")
        for name in told:
            if told[name] != known[name]:
                print(f"{kind}.{name}: largest difference {apart(told[name], known[name]):.4g}")
        if given.write:
            file.write_text(new.model_dump_json(indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
