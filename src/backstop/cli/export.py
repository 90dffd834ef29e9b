"""Files that commands write for other programs: Parquet, or CSV that a spreadsheet may open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl
from polars import selectors

if TYPE_CHECKING:
    from pathlib import Path

FORMULA: Final = r"^[=+\-@\t\r\n＝＋－＠]"
"""How a cell begins that a spreadsheet executes, also in full width (OWASP, CSV injection)."""


def write(frame: pl.DataFrame, out: Path) -> None:
    """Write a frame as CSV or Parquet by the file's ending; lists become JSON-like text in CSV.

    Text that a spreadsheet would take for a formula (first character `=`, `+`, `-`, `@`, these in full width, tab,
    line end) gets an apostrophe in front in CSV: names come from feeds. Numbers and Parquet are as they are.
    """
    if out.suffix == ".parquet":
        frame.write_parquet(out)
        return
    lists = [name for name, dtype in frame.schema.items() if dtype.is_nested()]
    written = (pl.col(name).cast(pl.List(pl.String)).list.eval(pl.element().fill_null("null")) for name in lists)
    text = (pl.format("[{}]", each.list.join(",")) for each in written)  # an element that is null keeps its place
    words = (selectors.string(include_categorical=True) | selectors.enum()).cast(pl.String)
    frame.with_columns(text).with_columns(words.str.replace(FORMULA, "'$0")).write_csv(out)
