"""Great Expectations' own JSON test cases: which of them apply, and under which names.

The files belong to Great Expectations and are not part of the repository. One file holds an expectation type and a list of
datasets; a dataset holds columns, dtype hints per backend (`schemas`), often a second version of the data for backends whose
columns have one type (`data_alt`), and tests, each with arguments and an expected outcome.
"""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

SQL_BACKENDS = {"sqlite", "postgresql", "mysql", "mssql", "bigquery", "trino", "snowflake", "redshift", "clickhouse"}

# Written in the type names of one SQL dialect, or about a second table of a database: nothing an engine on one frame can read.
ONLY_IN_A_DATABASE = {
    "expect_column_values_to_be_of_type",
    "expect_column_values_to_be_in_type_list",
    "expect_table_row_count_to_equal_other_table",
}


@dataclass(frozen=True)
class Case:
    """One test of one dataset: what to run and what should come of it."""

    name: str
    expectation: str
    backend: Literal["pandas", "sqlite"]
    dataset: dict[str, Any] = field(repr=False)
    test: dict[str, Any] = field(repr=False)

    @property
    def arguments(self) -> dict[str, Any] | list[Any]:
        return copy.deepcopy(self.test.get("input", self.test.get("in")))

    @property
    def data(self) -> dict[str, list[Any]]:
        return copy.deepcopy(self.dataset["data"])

    @property
    def data_for_typed_columns(self) -> dict[str, list[Any]] | None:
        """The dataset's own version for backends in which a column has one type."""
        return copy.deepcopy(self.dataset.get("data_alt"))

    @property
    def schemas(self) -> dict[str, Any] | None:
        return copy.deepcopy(self.dataset.get("schemas"))


def applies(backend: str, *levels: dict[str, Any]) -> bool:
    """Whether neither the dataset nor the test excludes the backend, by the rules of GX's own runner."""
    names = {backend} | ({"sqlalchemy"} if backend in SQL_BACKENDS else set())
    for level in levels:
        if names & set(_listed(level.get("suppress_test_for"))):
            return False
        only_for = set(_listed(level.get("only_for")))
        if only_for and not (names | ({"pandas>=024"} if backend == "pandas" else set())) & only_for:
            return False
    return True


def _listed(value: str | list[str] | None) -> list[str]:
    return [value] if isinstance(value, str) else list(value or [])


def _backend(expectation: str, dataset: dict[str, Any], test: dict[str, Any]) -> Literal["pandas", "sqlite"] | None:
    if applies("pandas", dataset, test) and not isinstance(dataset["data"], list):
        return "pandas"
    if expectation not in ONLY_IN_A_DATABASE and applies("sqlite", dataset, test):
        return "sqlite"
    return None


def _named(folder: Path) -> Iterator[Case]:
    for path in sorted(folder.rglob("*.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        for position, dataset in enumerate(content["datasets"], start=1):
            for test in dataset["tests"]:
                backend = _backend(content["expectation_type"], dataset, test)
                if backend is not None:
                    name = f"{path.stem}-{position}-{test['title']}"
                    yield Case(name, content["expectation_type"], backend, dataset, test)


def read_cases(folder: Path) -> list[Case]:
    """Every case that applies to the pandas engine, and those that only a SQL engine runs. A repeated title gets a number."""
    seen: Counter[str] = Counter()
    cases = []
    for case in _named(folder):
        seen[case.name] += 1
        number = seen[case.name]
        name = case.name if number == 1 else f"{case.name}#{number}"
        cases.append(Case(name, case.expectation, case.backend, case.dataset, case.test))
    return cases
