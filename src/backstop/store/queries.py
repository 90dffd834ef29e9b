"""What is asked of a block of rows before they are bytes: in another thread, while the caller does something else.

Polars works without Python's lock; a query is one call, so the two threads hardly ever wait for each other.
"""

from __future__ import annotations

import contextlib
import functools
import operator
from typing import TYPE_CHECKING, Final

import polars as pl

from backstop.store.columns import HEADER, NULL_LENGTH, Layout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Executor

    Answer = Callable[[], pl.DataFrame]

NULLS_OF: Final = "\0nulls"
"""Begins the name of a byte of the bitmap; no column is named so, nor as the following."""

DIFFERS: Final = "\0differs"
"""Begins the name of what tells of a text whether it is another one within a group."""

OWN: Final = "\0own"
ONCE: Final = "\0once"
ROWS: Final = "\0rows"
SIZE: Final = "\0size"
HEAD: Final = "\0head"


def begun(query: pl.LazyFrame, beside: Executor | None) -> Answer:
    """Begin with a query, which is as good as it is written, and return what waits for its answer.

    Polars' own way to collect in the background ends the process when nobody waits for the answer any more.
    """

    def collect() -> pl.DataFrame:
        return query.collect(engine="in-memory", optimizations=pl.QueryOptFlags.none())

    if beside is not None:
        # a process whose main thread ended starts no more of them, nor does one that has as many as it may
        with contextlib.suppress(RuntimeError):
            return beside.submit(collect).result
    return collect


def by_row(layout: Layout, block: pl.DataFrame, group: str, beside: Executor | None) -> Answer:
    """Ask for what fills the records and is not in the block as it is, and whether the layout is right.

    Columns with nulls without them, the bytes of the bitmap that tells of them, the lengths of the own texts, and of
    each shared text whether it differs within a group after all.
    """
    gaps = tuple(name for name in (*layout.fixed, *layout.shared) if block.get_column(name).null_count())
    return begun(block.lazy().select(_of_rows(layout, gaps, group)), beside)


@functools.lru_cache(maxsize=256)
def _of_rows(layout: Layout, gaps: tuple[str, ...], group: str) -> list[pl.Expr]:
    schema = layout.columns.schema
    nullable, gaps = gaps, tuple(name for name in gaps if name in layout.fixed)
    truths = [name for name in gaps if schema[name] == pl.Boolean()]
    instants = [name for name in gaps if schema[name].is_temporal()]
    numbers = [name for name in gaps if name not in {*truths, *instants}]
    filled = (
        (truths, pl.col(truths).fill_null(value=False)),
        (instants, pl.col(instants).to_physical().fill_null(0)),
        (numbers, pl.col(numbers).fill_null(0)),
    )
    told = [*_bitmap(layout, gaps), *_lengths(layout.own), *(each for names, each in filled if names)]
    goes_on = pl.col(group) == pl.col(group).shift()
    for name in layout.shared:
        text, before = pl.col(name), pl.col(name).shift()
        differs = text.ne_missing(before) if name in nullable else text != before
        told.append((goes_on & differs).any().alias(f"{DIFFERS}{name}"))
    return told


def _bitmap(layout: Layout, gaps: tuple[str, ...]) -> Iterator[pl.Expr]:
    for byte in range(0, len(layout.fixed), 8):
        some = [(name, bit) for bit, name in enumerate(layout.fixed[byte : byte + 8]) if name in gaps]
        if some:
            marks = (pl.col(name).is_null().cast(pl.UInt8) * (1 << bit) for name, bit in some)
            yield functools.reduce(operator.or_, marks).alias(f"{NULLS_OF}{byte // 8}")


def _lengths(texts: tuple[str, ...]) -> list[pl.Expr]:
    # of a text that is too long the sizes of values tell
    told = pl.col(texts).str.len_bytes().fill_null(NULL_LENGTH).cast(pl.UInt16, wrap_numerical=True)
    return [told] if texts else []


def by_group(layout: Layout, block: pl.DataFrame, group: str, beside: Executor | None, *, alone: bool) -> Answer:
    """Ask for what stands once per value: its texts, their lengths, its size, and what stands before it in a command.

    Args:
        layout: Of the values.
        block: The rows, sorted by group.
        group: Column of the group.
        beside: Where the answer is made; `None` for when it is waited for.
        alone: Whether each row is a value by itself, also where it shares its group with others.
    """
    rows, parts, told = _of_groups(layout, group, alone=alone)
    asked = block.lazy().select(rows)
    if not alone:
        asked = asked.group_by(group, maintain_order=True).agg(parts)
    return begun(asked.with_columns(_joined(layout.shared, ONCE)).select(told), beside)


@functools.lru_cache(maxsize=256)
def _of_groups(layout: Layout, group: str, *, alone: bool) -> tuple[list[pl.Expr], list[pl.Expr], list[pl.Expr]]:
    """Return what is asked of rows, what of the rows of a group, and what of groups."""
    own, once = pl.col(OWN) if alone else pl.col(OWN).list.join(""), pl.col(ONCE)
    rows = [pl.col(group, *layout.shared), *_joined(layout.own, OWN)]
    if alone:
        rows.append(pl.lit(1, pl.UInt32).alias(ROWS))
    parts = [pl.len().alias(ROWS)]
    if layout.own:
        parts.append(pl.col(OWN))
    if layout.shared:
        parts.append(pl.col(layout.shared).first())
    texts = [text for text, names in ((own, layout.own), (once, layout.shared)) if names]
    fixed = HEADER.size + layout.lengths.size
    size = sum((text.str.len_bytes() for text in texts), pl.col(ROWS) * layout.record.itemsize + fixed)
    name, begin, end = pl.col(group).cast(pl.String), pl.lit("\r\n$"), pl.lit("\r\n")
    head = pl.concat_str(begin, name.str.len_bytes(), end, name, begin, size, end)
    told = [text.cast(pl.Binary) for text in (*texts, head.alias(HEAD))]
    return rows, parts, [pl.col(group, ROWS), size.alias(SIZE), *_lengths(layout.shared), *told]


def _joined(texts: tuple[str, ...], name: str) -> list[pl.Expr]:
    return [pl.concat_str(texts, ignore_nulls=True).alias(name)] if texts else []
