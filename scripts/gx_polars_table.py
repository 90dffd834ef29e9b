"""Write the table of expectations into src/gx_polars/README.md, generated from what is registered.

Run: python -m scripts.gx_polars_table [--check]
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from great_expectations.expectations.registry import _registered_expectations, _registered_metrics

from gx_polars import overrides, remembered
from gx_polars.engine import PolarsExecutionEngine
from gx_polars.registry import AGGREGATES, CONDITIONS

PAGE = Path(__file__).resolve().parents[1] / "src" / "gx_polars" / "README.md"
START = "<!-- expectations: written by python -m scripts.gx_polars_table -->"
END = "<!-- end of expectations -->"

# What no provider can answer, and why: nothing today.
UNSUPPORTED: dict[str, str] = {}

OTHER_TABLE = {
    "expect_table_row_count_to_equal_other_table": "Return the number of rows, here and of another frame by its name."
}


def first_sentence(function: Callable[..., Any]) -> str:
    """Return the first line of a docstring."""
    return (function.__doc__ or "").strip().splitlines()[0]


def has_provider(metric: str) -> bool:
    """Whether a metric is registered for the Polars engine."""
    return PolarsExecutionEngine.__name__ in _registered_metrics.get(metric, {}).get("providers", {})


def row(name: str, expectation: type[Any]) -> tuple[str, str, str]:
    """Return name, kind and remark of an expectation.

    Raises:
        LookupError: It is in no list: neither its metrics are registered nor is there a reason why not.
    """
    if name in UNSUPPORTED:
        return name, "no", UNSUPPORTED[name]
    map_metric = getattr(expectation, "map_metric", None)
    if map_metric in CONDITIONS and not issubclass(expectation, overrides.OfPolarsTypes):
        return name, "condition", first_sentence(CONDITIONS[map_metric].meets)
    if expectation.__module__ == overrides.__name__:
        return name, "registered anew", first_sentence(expectation)
    metrics = tuple(expectation.metric_dependencies)
    if not metrics or not all(map(has_provider, metrics)):
        raise LookupError(f"{name} needs {metrics}; not all have a Polars provider and UNSUPPORTED gives no reason.")
    if name in OTHER_TABLE:
        return name, "aggregate", OTHER_TABLE[name]
    if metrics[0] in AGGREGATES:
        return name, "aggregate", first_sentence(AGGREGATES[metrics[0]])
    return name, "SQL", "Polars' SQL; `{batch}` is the frame."


def table() -> str:
    """Return the table of the core expectations."""
    core = {
        name: next(each for each in kind.__mro__ if each.__module__ != remembered.__name__)  # without the memory
        for name, kind in sorted(_registered_expectations.items())
        if issubclass(kind, remembered.Remembers)
    }
    lines = ["| Expectation | How | What it asks |", "| --- | --- | --- |"]
    lines += [f"| `{a}` | {b} | {c.replace('|', chr(92) + '|')} |" for a, b, c in (row(*item) for item in core.items())]
    supported = len(core) - len(UNSUPPORTED.keys() & core.keys())
    return "\n".join([f"{supported} of the {len(core)} core expectations of Great Expectations.", "", *lines])


def page(text: str) -> str:
    """Return the page with the table put between its marks."""
    before, rest = text.split(START)
    _, after = rest.split(END)
    return f"{before}{START}\n\n{table()}\n\n{END}{after}"


def main() -> int:
    logging.disable(logging.WARNING)
    text = PAGE.read_text(encoding="utf-8")
    fresh = page(text)
    if "--check" in sys.argv:
        print("fresh" if fresh == text else f"{PAGE.name} is stale: run python -m scripts.gx_polars_table")
        return int(fresh != text)
    PAGE.write_text(fresh, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
