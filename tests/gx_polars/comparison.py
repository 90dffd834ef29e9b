"""Compares two validation results as numbers and values, not as one engine's way of printing them."""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from typing import Any

from great_expectations.core import ExpectationValidationResult

# A pandas or SQL expression that finds the rows again: each engine has its own language for it.
ENGINE_LANGUAGE = {"unexpected_index_query"}

# The observed value is the name of a dtype.
NAMES_A_DTYPE = {
    "expect_column_values_to_be_of_type",
    "expect_column_values_to_be_in_type_list",
    "expect_column_type_to_be",
}

# Lists of members of a set, in no defined order.
SET_MEMBERS = {"partial_missing_list", "missing_list"}

# Lists of values with their counts, in which the order among equal counts is not defined.
COUNTS = {"partial_unexpected_counts", "value_counts"}

# The outcome of an expectation that did not run to its end; why is told by `messages`.
RAISED: dict[str, Any] = {"raised": True}

INSTANT = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$")


def normal(value: Any) -> Any:
    """A value in the one form in which both engines' results are compared.

    NaN is None (JSON has no NaN), a number is a float, an instant is written in UTC without trailing zeros (pandas prints
    `18.000000` for numpy's and `18` for Python's), a tuple is a list.
    """
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float):
        return None if math.isnan(value) else float(value)
    if isinstance(value, str):
        return _instant(value)
    if isinstance(value, dict):
        return {str(key): normal(item) for key, item in value.items()}
    return [normal(item) for item in value] if isinstance(value, list | tuple) else value


def _instant(text: str) -> str | None:
    if text == "NaT":  # how pandas writes a missing instant
        return None
    if not INSTANT.match(text):
        return text
    try:
        instant = dt.datetime.fromisoformat(text)
    except ValueError:
        return text
    return (instant.astimezone(dt.UTC) if instant.tzinfo else instant).isoformat()


def _holds_none(value: Any) -> bool:
    """Whether a row of several columns has a missing one.

    GX sorts the counts of such rows and leaves the field out when it has to sort None beside a number, which it need not
    with pandas' NaN.
    """
    parts = value.values() if isinstance(value, dict) else value
    return isinstance(value, dict | list) and None in parts


def _merged(counts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Counts per value; pandas lists every missing value by itself, because NaN does not equal NaN."""
    totals: dict[str, float] = {}
    for entry in counts:
        key = json.dumps(entry["value"])
        totals[key] = totals.get(key, 0.0) + entry["count"]
    return [{"value": key, "count": totals[key]} for key in sorted(totals)]


def raised(result: ExpectationValidationResult) -> bool:
    """Whether the expectation did not run to its end."""
    info = result.exception_info or {}
    layers = [info, *(layer for layer in info.values() if isinstance(layer, dict))]
    return any(layer.get("raised_exception") for layer in layers)


def messages(result: ExpectationValidationResult) -> str:
    """Everything that the exception information says, for a reader of a failed test."""
    info = result.exception_info or {}
    layers = [info, *(layer for layer in info.values() if isinstance(layer, dict))]
    return "; ".join(str(layer["exception_message"]) for layer in layers if layer.get("exception_message"))


def outcome(result: ExpectationValidationResult) -> dict[str, Any]:
    """What two results are compared by: success and every field of the result, or only that it raised."""
    if raised(result):
        return RAISED
    content = result.to_json_dict()
    fields = {key: normal(item) for key, item in (content.get("result") or {}).items() if key not in ENGINE_LANGUAGE}
    if content["expectation_config"]["type"] in NAMES_A_DTYPE:
        fields.pop("observed_value", None)
    if any(_holds_none(value) for value in fields.get("partial_unexpected_list") or []):
        fields.pop("partial_unexpected_counts", None)
    for level in (fields, fields.get("details")):
        if isinstance(level, dict):
            level.update({key: sorted(level[key] or [], key=repr) for key in SET_MEMBERS & level.keys()})
            level.update({key: _merged(level[key] or []) for key in COUNTS & level.keys()})
    return {"success": content["success"], **fields}


def differences(ours: dict[str, Any], theirs: dict[str, Any], *, tolerance: float = 1e-9) -> list[str]:
    """One line per field in which two outcomes differ."""
    if RAISED in (ours, theirs):
        return [] if ours == theirs else [f"{_verdict(ours)} instead of {_verdict(theirs)}"]
    return [
        f"{key}: {ours.get(key, 'absent')!r} instead of {theirs.get(key, 'absent')!r}"
        for key in sorted(ours.keys() | theirs.keys())
        if not _same(ours.get(key), theirs.get(key), tolerance)
    ]


def _verdict(outcome: dict[str, Any]) -> str:
    return "raised" if outcome == RAISED else f"success={outcome['success']}"


def _same(ours: Any, theirs: Any, tolerance: float) -> bool:
    if isinstance(ours, float) and isinstance(theirs, float):
        return math.isclose(ours, theirs, rel_tol=tolerance, abs_tol=tolerance)
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(_same(a, b, tolerance) for a, b in zip(ours, theirs, strict=True))
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(_same(ours[key], theirs[key], tolerance) for key in ours)
    return bool(ours == theirs)
