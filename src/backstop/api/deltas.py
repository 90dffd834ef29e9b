"""What changed between two versions' props, with the values themselves: what browsers are sent and `diff` shows."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

KEY: Final = "prop_id"


@dataclass(frozen=True, slots=True)
class Delta:
    """A difference.

    Attributes:
        added: Rows that only the later version has.
        gone: Rows that only the earlier version has.
        changed: Per prop the fields that differ, each with its value before and after.
    """

    added: pl.DataFrame
    gone: pl.DataFrame
    changed: dict[str, dict[str, tuple[Any, Any]]]

    @property
    def size(self) -> int:
        """Props that differ."""
        return self.added.height + self.gone.height + len(self.changed)

    def told(self, limit: int) -> dict[str, Any]:
        """Return it as members of a document, each list cut at a limit."""
        some = list(self.changed.items())[:limit]
        return {
            "added": self.added.head(limit).to_dicts(),
            "gone": self.gone.head(limit).to_dicts(),
            "changed": [{KEY: prop, "fields": fields} for prop, fields in some],
            "total": self.size,
        }

    def message(self) -> dict[str, Any]:
        """Return it as a reader applies it: the new values only."""
        rows = [
            {KEY: prop, **{name: after for name, (_, after) in fields.items()}} for prop, fields in self.changed.items()
        ]
        return {"rows": rows, "added": self.added.to_dicts(), "gone": self.gone.get_column(KEY).to_list()}


def compare(before: pl.DataFrame, after: pl.DataFrame) -> Delta:
    """Compare two versions' props by `prop_id`; null equals null, and so does a column that came with a release."""
    fields = [name for name in after.columns if name != KEY]
    new = [name for name in fields if name not in before.columns]
    before = before.with_columns(pl.lit(None, after.schema[name]).alias(name) for name in new)
    both = after.join(before, on=KEY, how="inner", suffix="_before", maintain_order="left")
    differs = [pl.col(name).ne_missing(pl.col(f"{name}_before")).alias(f"{name}_differs") for name in fields]
    marks = both.select(differs)
    moved = [name for name in fields if marks[f"{name}_differs"].any()]
    changed: dict[str, dict[str, tuple[Any, Any]]] = {}
    if moved:
        any_moved = functools.reduce(lambda a, b: a | b, (marks[f"{name}_differs"] for name in moved))
        rows = both.filter(any_moved)
        kept = marks.filter(any_moved)
        keys = rows.get_column(KEY).to_list()
        changed = {key: {} for key in keys}
        for name in moved:
            columns = (rows[f"{name}_before"].to_list(), rows[name].to_list(), kept[f"{name}_differs"].to_list())
            for key, old, new, is_moved in zip(keys, *columns, strict=True):
                if is_moved:
                    changed[key][name] = (old, new)
    return Delta(after.join(before, on=KEY, how="anti"), before.join(after, on=KEY, how="anti"), changed)
