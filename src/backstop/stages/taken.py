"""What was on offer when props were published: kept for good, while the slate itself is replaced by the next one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from backstop.tables import TAKEN

if TYPE_CHECKING:
    import datetime as dt

    from backstop.stages.house import House
    from backstop.store.loader import Published

TERMS: Final = (
    "prob_over", "prob_under", "best_side", "best_book", "best_price_decimal", "kelly_quarter", "model_version",
)  # fmt: skip
"""A prop is noted again when one of these is another than before."""

ORDER: Final = ("published_at", "version")


def keep_terms(house: House, day: dt.date, props: pl.DataFrame, published: Published) -> None:
    """Note on which terms each prop was published, where they are new; what was noted before stays.

    Noting a version a second time changes nothing.

    Raises:
        LakeError: the partition could not be read or replaced.
    """
    # a damaged file has no hash: nobody can read it any more, and it must not hold up every slate to come
    there = house.lake.content_hash(TAKEN.name, day) is not None
    known = house.lake.read(TAKEN.name, day) if there else TAKEN.empty()
    rows = props.with_columns(
        version=pl.lit(published.version, pl.Int64()),
        published_at=pl.lit(published.published_at, TAKEN.schema["published_at"]),
    ).select(TAKEN.schema.keys())
    new = rows.join(_latest(known).select("prop_id", *TERMS), on=["prop_id", *TERMS], how="anti", nulls_equal=True)
    house.lake.write(TAKEN.name, day, pl.concat([known, new]))


def with_withdrawn(props: pl.DataFrame, terms: pl.DataFrame) -> pl.DataFrame:
    """Return every prop that was published: those of the last slate, then those that it does not have any more.

    Args:
        props: PROPS, as last published.
        terms: TAKEN of the day.

    Returns:
        PROPS with `withdrawn`; a withdrawn prop as it was published last, by `prop_id`.
    """
    gone = _latest(terms).join(props, on="prop_id", how="anti").sort("prop_id").select(props.columns)
    return pl.concat(
        [props.with_columns(withdrawn=pl.lit(value=False)), gone.with_columns(withdrawn=pl.lit(value=True))]
    )


def first_staked(terms: pl.DataFrame, first_pitches: pl.DataFrame) -> pl.DataFrame:
    """Return, per prop, the terms on which a stake was first named for it before the game began.

    Args:
        terms: TAKEN of the day.
        first_pitches: `game_pk`, `first_pitch_at`; props of other games are left out.
    """
    staked = terms.filter(pl.col("kelly_quarter") > 0).join(first_pitches, on="game_pk")
    before = staked.filter(pl.col("published_at") < pl.col("first_pitch_at")).sort(ORDER)
    return before.unique("prop_id", keep="first", maintain_order=True).select(terms.columns)


def _latest(terms: pl.DataFrame) -> pl.DataFrame:
    return terms.sort(ORDER).unique("prop_id", keep="last", maintain_order=True)
