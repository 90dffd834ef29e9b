"""Random variants of Great Expectations' own cases: other arguments, other data, other types of column, other result formats.

A variant starts from a case and changes one to four things; `variant_runs.py` puts it to both engines.
"""

from __future__ import annotations

import contextlib
import copy
import random
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
from great_expectations.expectations.row_conditions import Column

from tests.gx_polars.cases import Case
from tests.gx_polars.corpus import has_row_key
from tests.gx_polars.engines import case_validator, foreign_warnings_ignored, pandas_frame_of
from tests.gx_polars.frames import is_missing, mixed_columns, present, with_declared_instants

NAME_LISTS = {"column_list", "column_set"}
COLUMN_ARGUMENTS = ("column", "column_A", "column_B")
ROW_IGNORED = {
    "pair": ["both_values_are_missing", "either_value_is_missing", "neither"],
    "multicolumn": ["all_values_are_missing", "any_value_is_missing", "never"],
}
NOT_ARGUMENTS = {
    "result_format",
    "catch_exceptions",
    "include_config",
    "meta",
    "condition_parser",
    "parse_strings_as_datetimes",
}


@dataclass
class Variant:
    """A changed case: the table for the reference engine, the arguments, and what was changed."""

    case: Case
    frame: pd.DataFrame
    arguments: dict[str, Any]
    result_format: Any
    row_key: bool
    changes: list[str] = field(default_factory=list)

    def configuration(self) -> ExpectationConfiguration:
        kwargs = {key: value for key, value in copy.deepcopy(self.arguments).items() if key not in NOT_ARGUMENTS}
        severity = kwargs.pop("severity", "critical")
        return ExpectationConfiguration(type=self.case.expectation, kwargs=kwargs, severity=severity)

    def told(self) -> str:
        names = [name for name in self.frame if any(name in repr(value) for value in self.arguments.values())]
        data = {name: (str(self.frame[name].dtype), list(self.frame[name])) for name in names}
        return f"{self.case.name}\n  {'; '.join(self.changes)}\n  {self.arguments} {self.result_format}\n  {data}"


def base(case: Case) -> Variant:
    """The case itself as a variant, its columns of mixed types as text."""
    key = has_row_key(case)
    with foreign_warnings_ignored():
        frame = pandas_frame_of(case_validator("pandas", case.data, case.schemas, row_key=key)).copy()
    if case.backend == "sqlite":
        hints = case.schemas or {}
        frame = with_declared_instants(frame, hints.get("sqlite") or hints.get("spark") or {})
    mixed = mixed_columns(frame)
    for name in mixed:
        frame[name] = pd.Series([None if is_missing(v) else str(v) for v in frame[name]], dtype=object)
    return Variant(case, frame, dict(case.arguments), case.test.get("result_format", "COMPLETE"), key)


class Changes:
    """The random changes of one variant."""

    def __init__(self, dice: random.Random, variant: Variant) -> None:
        self.dice = dice
        self.variant = variant

    def some(self) -> None:
        """Make one to four changes."""
        ways = [self.rows, self.cells, self.cells, self.dtype, self.argument, self.argument, self.argument, self.mostly, self.condition, self.format, self.format, self.column, self.bounds]  # fmt: skip
        for change in self.dice.sample(ways, self.dice.randint(1, 4)):
            with contextlib.suppress(KeyError, IndexError):
                change()

    def _note(self, text: str) -> None:
        self.variant.changes.append(text)

    def _named(self) -> list[str]:
        given = self.variant.arguments
        names = [given[key] for key in COLUMN_ARGUMENTS if key in given] + list(given.get("column_list") or [])
        return [name for name in names if name in self.variant.frame] or list(self.variant.frame)[:1]

    def _values(self, name: str) -> list[Any]:
        return [value.item() if hasattr(value, "item") else value for value in present(self.variant.frame[name])]

    def rows(self) -> None:
        frame = self.variant.frame
        way = self.dice.choice(["shuffle", "repeat", "drop", "none", "one"])
        order = list(range(len(frame)))
        if way == "shuffle":
            self.dice.shuffle(order)
        elif way == "repeat":
            order += self.dice.choices(order, k=3)
        elif way == "drop":
            order = self.dice.sample(order, max(len(order) // 2, 1))
        else:
            order = order[:1] if way == "one" else []
        self.variant.frame = frame.iloc[order].reset_index(drop=True)
        self._note(f"rows {way}")

    def cells(self) -> None:
        frame, name = self.variant.frame, self.dice.choice(self._named())
        way = self.dice.choice(["missing", "missing", "copied", "all missing", "other"])
        values = list(frame[name])
        dtype = frame[name].dtype
        at = self.dice.sample(range(len(values)), min(len(values), self.dice.randint(1, 2)))
        if way == "all missing":
            at = list(range(len(values)))
        for each in at:
            if "missing" in way:
                values[each] = None
            elif way == "copied":
                values[each] = self.dice.choice(values)
            else:
                values[each] = self._other(values[each])
        made = pd.Series(values, dtype=object)
        with contextlib.suppress(TypeError, ValueError, OverflowError):
            made = made.astype(
                dtype
                if not (dtype.kind in "iub" and made.isna().any())
                else ("float64" if dtype.kind != "b" else object)
            )
        self.variant.frame = frame.assign(**{name: made})
        self._note(f"cells of {name} {way}")

    def _other(self, value: Any) -> Any:
        if isinstance(value, bool):
            return not value
        if isinstance(value, int):
            return value + self.dice.choice([-10, -1, 1, 100])
        if isinstance(value, float):
            return value * self.dice.choice([-1, 0.5, 2, 1e6])
        if isinstance(value, str):
            return self.dice.choice([value.upper(), value + "é", "", f" {value}", value[:-1], value + "\n", "é" * 3])
        return value

    def dtype(self) -> None:
        name = self.dice.choice(self._named())
        column = self.variant.frame[name]
        kind = column.dtype.kind
        wanted = {
            "i": ["float64", "int8", "int16", "int32", "uint8", "Int64", "object"],
            "f": ["float32", "object"],
            "b": ["object", "boolean"],
            "O": ["string", "category"],
            "M": ["datetime64[ns]", "datetime64[ms]", "datetime64[us]"],
        }.get(kind, ["object"])
        chosen = self.dice.choice(wanted)
        with contextlib.suppress(TypeError, ValueError, OverflowError):
            if self.variant.case.backend == "pandas":
                self.variant.frame = self.variant.frame.assign(**{name: column.astype(chosen)})
            self._note(f"{name} as {chosen}")

    def mostly(self) -> None:
        if self.variant.row_key:
            self.variant.arguments["mostly"] = self.dice.choice([0, 0.1, 0.25, 0.5, 0.75, 0.9, 1, 1.0])
            self._note("mostly")
            if "column" not in self.variant.arguments and self.dice.random() < 0.5:
                kind = "pair" if "column_A" in self.variant.arguments else "multicolumn"
                self.variant.arguments["ignore_row_if"] = self.dice.choice(ROW_IGNORED[kind])

    def column(self) -> None:
        key = self.dice.choice([key for key in COLUMN_ARGUMENTS if key in self.variant.arguments])
        self.variant.arguments[key] = self.dice.choice([*self.variant.frame, *self.variant.frame, "absent"])
        self._note(f"other {key}")

    def bounds(self) -> None:
        given = self.variant.arguments
        if "min_value" not in given and "max_value" not in given:
            return
        values = self._values(self._named()[0]) if self.dice.random() < 0.7 else [0, 1, 2, 5, 0.5]
        for key in ("min_value", "max_value"):
            if self.dice.random() < 0.6:
                given[key] = self.dice.choice([*values, None])
        for key in ("strict_min", "strict_max"):
            if self.dice.random() < 0.5:
                given[key] = self.dice.choice([True, False])
        self._note("bounds")

    def argument(self) -> None:
        given = self.variant.arguments
        keys = [key for key in given if key not in {*COLUMN_ARGUMENTS, *NOT_ARGUMENTS, "row_condition", "mostly"}]
        key = self.dice.choice(keys)
        given[key] = self._changed(key, given[key])
        self._note(f"other {key}")

    def _changed(self, key: str, value: Any) -> Any:
        choice = self.dice.choice
        if isinstance(value, dict):
            name = choice(list(value))
            return {**value, name: self._changed(name, value[name])}
        if isinstance(value, list):
            return self._changed_list(key, value)
        if value is None:
            return value if key in NAME_LISTS else choice(self._values(self._named()[0]))
        return choice(self._near(key, value))

    def _near(self, key: str, value: Any) -> list[Any]:
        """Values that an argument may have in place of a number, a text or a truth."""
        if isinstance(value, bool):
            return [not value]
        if isinstance(value, int | float):
            return [0, 1, value + 1, value - 1, -value, value / 2, float(value), value * 10]
        if key == "match_on":
            return ["any", "all"]
        cases = [value.upper()] if self.variant.case.backend == "pandas" else []  # LIKE of SQLite knows no case
        return [value, value[:-1], value[1:], value + "?", value.replace("a", "b"), *cases]

    def _changed_list(self, key: str, value: list[Any]) -> list[Any]:
        way = self.dice.choice(["drop", "add", "repeat", "shuffle", "inner", "none"])
        kept = list(value)
        if way == "drop" and kept:
            kept.pop(self.dice.randrange(len(kept)))
        elif way == "add":
            names = key in NAME_LISTS
            kept.append(
                self.dice.choice(list(self.variant.frame))
                if names
                else self.dice.choice([*self._values(self._named()[0]), None, 1, "a", 2.5])
            )
        elif way == "repeat" and kept:
            kept.append(self.dice.choice(kept))
        elif way == "shuffle":
            self.dice.shuffle(kept)
        elif way == "inner" and kept:
            at = self.dice.randrange(len(kept))
            kept[at] = self._changed(key, kept[at]) if key not in NAME_LISTS else kept[at]
        return kept

    def condition(self) -> None:
        frame = self.variant.frame
        name = self.dice.choice(list(frame))
        values = self._values(name)
        if not values or isinstance(values[0], bool) or not isinstance(values[0], int | float | str):
            return
        value = self.dice.choice(values)
        if (
            self.variant.case.backend == "pandas"
            and self.dice.random() < 0.5
            and name.isidentifier()
            and "'" not in str(value)
        ):
            sign = self.dice.choice(["==", "!=", "<", ">=", "in", "not in"])
            literal = repr([value]) if "in" in sign else repr(value)
            text = self.dice.choice([f"{name} {sign} {literal}", f"{name}.notnull()", f"{name}.isnull()", f"`{name}` {sign} {literal}", f"not ({name} {sign} {literal})", f"({name} {sign} {literal}) & ({name}.notnull())", f"{name} {sign} {literal} or {name}.isnull()"])  # fmt: skip
            self.variant.arguments |= {"row_condition": text}
        else:
            column = Column(name)
            self.variant.arguments["row_condition"] = self.dice.choice(
                [column == value, column != value, column.is_in([value]), column.is_not_in([value]), column.is_null(), column.is_not_null(), column > value, column <= value, (column > value) | column.is_null()]
            )  # fmt: skip
        self._note("row condition")

    def format(self) -> None:
        name = self.dice.choice(["BOOLEAN_ONLY", "BASIC", "SUMMARY", "COMPLETE"])
        chosen: dict[str, Any] = {"result_format": name}
        if name != "BOOLEAN_ONLY":
            if self.dice.random() < 0.5:
                chosen["partial_unexpected_count"] = self.dice.choice([0, 1, 2, 3, 20])
            if self.dice.random() < 0.4:
                chosen["include_unexpected_rows"] = True
            if self.dice.random() < 0.5 and self.variant.row_key and name != "BASIC":
                chosen["unexpected_index_column_names"] = self.dice.choice(
                    [["pk_index"], [self._named()[0]], ["pk_index", self._named()[-1]], ["absent"]]
                )
                if self.dice.random() < 0.3:
                    chosen["exclude_unexpected_values"] = True
            if self.dice.random() < 0.2:
                chosen["return_unexpected_index_query"] = self.dice.choice([True, False])
        self.variant.result_format = chosen if self.dice.random() < 0.8 else name
        self._note("result format")
