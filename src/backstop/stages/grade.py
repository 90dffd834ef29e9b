"""Grade: what was published against what happened."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from backstop import tables
from backstop.errors import DataError
from backstop.lake.states import WAS_DONE, State
from backstop.props import generate, grade, plot, price, settle
from backstop.stages import receive, taken

if TYPE_CHECKING:
    from collections.abc import Collection

    from backstop.stages.house import House

SETTLED = "out_settled"
GRADES = "out_grades"


@dataclass(frozen=True)
class Grade:
    """What grading a slate came to.

    Attributes:
        day: The slate.
        settled: Props that were published, with those that a later slate of the day withdrew.
        grades: One row per market and model version (`props.grade.grade`), with `clv_props`, `clv_probability` and
            `clv_return`: closing-line value of the props that a stake was named for before the first pitch, at the
            first price it was named for; null without any.
        waiting: Props that are void or open, by market, result and reason.
        calibration: A PNG picture of forecast against frequency; empty when nothing is decided.
    """

    day: dt.date
    settled: int
    grades: pl.DataFrame
    waiting: pl.DataFrame
    calibration: bytes


def check_published(house: House, day: dt.date) -> None:
    """Refuse a day of which no slate was published.

    Raises:
        DataError: there is none; the message says what to do.
    """
    if day not in house.lake.days(tables.PROPS.name):
        raise DataError(f"No slate of {day} is in the lake; refresh that day first.", source=tables.PROPS.name)


def begin(house: House, day: dt.date, run_id: str, lease_s: float) -> None:
    """Take a day for grading. A grade with gaps counts as a try: the next one comes after a longer pause.

    Raises:
        LeaseHeld: another run grades the day.
    """
    house.ledger.begin(GRADES, day.isoformat(), run_id=run_id, lease_s=lease_s, was_done=WAS_DONE - {State.DEGRADED})


def grade_slate(house: House, day: dt.date) -> Grade:
    """Settle every published prop of a day from its box scores, keep the results, and score the probabilities.

    A prop that was published and withdrawn later is settled on the terms it had last. Props of a game that the schedule
    in the lake does not call over stay open, whatever its box score says so far.

    Raises:
        LakeError: no slate of the day was published.
    """
    terms = receive.known(house, tables.TAKEN, day)
    props = taken.with_withdrawn(house.lake.read(tables.PROPS.name, day), terms)
    box, games = receive.known(house, tables.BOX, day), receive.known(house, tables.GAMES, day)
    gone = set(props["game_pk"]) - set(games["game_pk"])
    settled = _told_withdrawn(
        settle.settle(props, box, games, moved=gone & _elsewhere(house, day, gone), refused=_refused(house, day))
    )
    settled = settled.join(_taken(house, day, props, terms), on="prop_id", how="left", maintain_order="left")
    grades = grade.grade(settled).join(_line_value(settled), on=["market", "model_version"], how="left")
    house.lake.write(SETTLED, day, settled)
    house.lake.write(GRADES, day, grades.with_columns(game_date=pl.lit(day)))
    return Grade(day, settled.height, grades, settle.unsettled(settled), _picture(day, settled))


def _elsewhere(house: House, day: dt.date, gone: Collection[int]) -> set[int]:
    """Return the games that another day's schedule lists, or that the day's own names as another's."""
    if not gone:
        return set()
    later = house.lake.scan(tables.GAMES.name, day + dt.timedelta(days=1)).filter(pl.col("game_pk").is_in(list(gone)))
    named = house.quarantine.list(tables.GAMES.name, day, rule="other_day")["row"]
    return {*later.select("game_pk").collect()["game_pk"], *_ids(named, "$.gamePk", "$.game_pk")}


def _refused(house: House, day: dt.date) -> set[int]:
    """Return the players a box-score line of whom lies in quarantine."""
    return _ids(house.quarantine.list(tables.BOX.name, day)["row"], "$.player_id_mlbam", "$.person.id")


def _ids(rows: pl.Series, *paths: str) -> set[int]:
    """Return the numbers at any of the places in rows of JSON; a row that is no JSON or lacks them has none."""
    told = rows.to_frame("row").filter(pl.col("row").str.starts_with("{"))
    found = told.select(pl.coalesce(pl.col("row").str.json_path_match(path) for path in paths).alias("id"))
    return set(found["id"].cast(pl.Int64, strict=False).drop_nulls())


def _told_withdrawn(settled: pl.DataFrame) -> pl.DataFrame:
    """Say of props without a result that they were withdrawn, where they were."""
    told = pl.when("withdrawn").then(pl.format("withdrawn after it was published; {}", "reason")).otherwise("reason")
    return settled.with_columns(reason=told)


def _taken(house: House, day: dt.date, props: pl.DataFrame, terms: pl.DataFrame) -> pl.DataFrame:
    """Return what was first taken of each staked prop, and what that was worth at the close."""
    quotes = closing_quotes(receive.known(house, tables.QUOTES, day))
    first = taken.first_staked(terms, quotes.group_by("game_pk").agg(first_pitch_at=pl.col("commence_at").max()))
    value = grade.closing_line_value(first, price.price(props.select(*generate.SCHEMA), quotes))
    return first.select(
        "prop_id", taken_at="published_at", taken_side="best_side", taken_book="best_book",
        taken_price_decimal="best_price_decimal",
    ).join(value.select("prop_id", "clv_probability", "clv_return"), on="prop_id", how="left")  # fmt: skip


def closing_quotes(quotes: pl.DataFrame) -> pl.DataFrame:
    """Return the quotes that stood at the first pitch: those whose book last touched them before it."""
    seen = pl.coalesce("updated_at", "fetched_at")
    return quotes.filter((seen <= pl.col("commence_at")).fill_null(value=False))


def _line_value(settled: pl.DataFrame) -> pl.DataFrame:
    """Return, per market and version, the mean closing-line value of the props that a stake was named for."""
    valued = settled.filter(pl.col("clv_return").is_not_null())
    return valued.group_by("market", "model_version").agg(
        clv_props=pl.len().cast(pl.Int64),
        clv_probability=pl.col("clv_probability").mean(),
        clv_return=pl.col("clv_return").mean(),
    )


def _picture(day: dt.date, settled: pl.DataFrame) -> bytes:
    decided = settled.filter(pl.col("result").is_in(["over", "under"]))
    if decided.is_empty():
        return b""
    chance = decided["prob_over"] / (decided["prob_over"] + decided["prob_under"])
    won = (decided["result"] == "over").cast(pl.Float64)
    return plot.calibration_png(grade.reliability(chance.to_numpy(), won.to_numpy()), f"CALIBRATION {day}")
