"""One validator on one table, in a process of its own: `python -m benchmarks.gx_polars_tools TOOL FILE RUNS`.

Every tool makes the same 26 checks. `prepare` turns the loaded frame into what the tool validates (for pandas: the conversion,
which is part of its time) and gives the call that validates; the call returns how many of the 26 checks failed. A tool is
imported only in the process that measures it: it may be in only one of the two environments.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.gx_polars_table import CATEGORIES, COLUMNS, END, START

Validate = Callable[[], int]

NOT_NULL = ["id", "n1", "f1", "code", "category", "starts_at"]
BETWEEN: dict[str, tuple[Any, Any]] = {
    "n1": (0, 1000),
    "n2": (-50, 50),
    "f1": (0, 1),
    "f2": (-100, 100),
    "f5": (0, 1),
    "starts_at": (START, END),
}
SETS: dict[str, list[Any]] = {"category": CATEGORIES, "n3": [0, 1, 2, 3, 4]}
ENOUGH_S = 10  # a slow tool is not run further: two runs tell as much as five about minutes of work
MEAN, STDEV, MAX = (8, 12), (1, 3), (0, 50)


def expectations() -> list[Any]:
    """The 26 checks as expectations of Great Expectations."""
    import great_expectations.expectations as gxe

    return [
        gxe.ExpectTableRowCountToBeBetween(min_value=1, max_value=10**9),
        gxe.ExpectTableColumnsToMatchSet(column_set=COLUMNS, exact_match=True),
        *[gxe.ExpectColumnValuesToNotBeNull(column=name) for name in NOT_NULL],
        gxe.ExpectColumnValuesToBeUnique(column="id"),
        gxe.ExpectCompoundColumnsToBeUnique(column_list=["key_a", "key_b"]),
        *[
            gxe.ExpectColumnValuesToBeBetween(column=name, min_value=low, max_value=high)
            for name, (low, high) in BETWEEN.items()
        ],
        *[gxe.ExpectColumnValuesToBeInSet(column=name, value_set=members) for name, members in SETS.items()],
        gxe.ExpectColumnValuesToMatchRegex(column="code", regex="^A[0-9]{4}$"),
        gxe.ExpectColumnValueLengthsToBeBetween(column="name", min_value=1, max_value=20),
        gxe.ExpectColumnPairValuesAToBeGreaterThanB(column_A="ends_at", column_B="starts_at"),
        gxe.ExpectColumnPairValuesAToBeGreaterThanB(column_A="n4", column_B="n3", or_equal=True),
        gxe.ExpectColumnMeanToBeBetween(column="f3", min_value=MEAN[0], max_value=MEAN[1]),
        gxe.ExpectColumnStdevToBeBetween(column="f3", min_value=STDEV[0], max_value=STDEV[1]),
        gxe.ExpectColumnMaxToBeBetween(column="f4", min_value=MAX[0], max_value=MAX[1]),
        gxe.ExpectColumnUniqueValueCountToBeBetween(column="category", min_value=1, max_value=7),
    ]


def quiet_context() -> Any:
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    return context


def _definition(source: Any, context: Any) -> Any:
    import great_expectations as gx

    batch = source.add_dataframe_asset("a").add_batch_definition_whole_dataframe("b")
    suite = context.suites.add(gx.ExpectationSuite("s", expectations=expectations()))
    return context.validation_definitions.add(gx.ValidationDefinition(name="v", data=batch, suite=suite))


def _failed(result: Any) -> int:
    return int(result.statistics["unsuccessful_expectations"])


def hand_written(frame: pl.DataFrame) -> Validate:
    """The 26 checks as one `select` of counts: what nothing that returns the same counts can be faster than."""
    col = pl.col
    within = {name: ~col(name).is_between(low, high) for name, (low, high) in BETWEEN.items()}
    exprs = {
        "rows": pl.len().cast(pl.Int64).is_between(1, 10**9).not_().cast(pl.UInt32),
        **{f"null_{name}": col(name).null_count() for name in NOT_NULL},
        "unique": pl.len() - col("id").n_unique(),
        # a quarter of the price of `n_unique` on a struct, and exact where it finds no repeated hash
        "compound": pl.len() - pl.struct("key_a", "key_b").hash().sort().rle_id().last() - 1,
        **{f"between_{name}": outside.sum() for name, outside in within.items()},
        **{f"set_{name}": (~col(name).is_in(members)).sum() for name, members in SETS.items()},
        "regex": (~col("code").str.contains("^A[0-9]{4}$")).sum(),
        "length": (~col("name").str.len_chars().is_between(1, 20)).sum(),
        "later": (~(col("ends_at") > col("starts_at"))).sum(),
        "at_least": (~(col("n4") >= col("n3"))).sum(),
        "mean": (~col("f3").mean().is_between(*MEAN)).cast(pl.UInt32),
        "stdev": (~col("f3").std().is_between(*STDEV)).cast(pl.UInt32),
        "max": (~col("f4").max().is_between(*MAX)).cast(pl.UInt32),
        "distinct": (~col("category").n_unique().is_between(1, 7)).cast(pl.UInt32),
    }
    made = [expr.alias(name) for name, expr in exprs.items()]

    def validate() -> int:
        counts = frame.select(made).row(0)
        return sum(bool(count) for count in counts) + (frame.columns != COLUMNS)

    return validate


def compiled(frame: pl.DataFrame | pl.LazyFrame, result_format: str = "SUMMARY") -> Validate:
    import great_expectations as gx

    import gx_polars

    suite = gx.ExpectationSuite("s", expectations=expectations())
    return lambda: _failed(gx_polars.validate(frame, suite, result_format=result_format))


def compiled_complete(frame: pl.DataFrame) -> Validate:
    return compiled(frame, "COMPLETE")


def definition(frame: pl.DataFrame | pl.LazyFrame) -> Validate:
    import gx_polars  # noqa: F401 - registers the data source

    context = quiet_context()
    made = _definition(context.data_sources.add_polars("p"), context)
    return lambda: _failed(made.run(batch_parameters={"dataframe": frame}))


def pandas_numpy(frame: pl.DataFrame) -> Validate:
    import pandas as pd

    context = quiet_context()
    made = _definition(context.data_sources.add_pandas("p"), context)

    def validate() -> int:
        converted = pd.DataFrame({column.name: column.to_numpy() for column in frame.get_columns()})
        return _failed(made.run(batch_parameters={"dataframe": converted}))

    return validate


def pandas_arrow(frame: pl.DataFrame) -> Validate:
    context = quiet_context()
    made = _definition(context.data_sources.add_pandas("p"), context)
    return lambda: _failed(made.run(batch_parameters={"dataframe": frame.to_pandas(use_pyarrow_extension_array=True)}))


def pandera(frame: pl.DataFrame) -> Validate:
    import pandera.polars as pa
    from pandera.errors import SchemaErrors

    checks: dict[str, list[Any]] = {name: [] for name in COLUMNS}
    for name, (low, high) in BETWEEN.items():
        checks[name].append(pa.Check.in_range(low, high))
    for name, members in SETS.items():
        checks[name].append(pa.Check.isin(members))
    checks["code"].append(pa.Check.str_matches("^A[0-9]{4}$"))
    checks["name"].append(pa.Check.str_length(1, 20))

    def aggregate(name: str, expr: pl.Expr) -> Any:
        return pa.Check(lambda data: data.lazyframe.select(expr), name=name)

    checks["f3"] += [
        aggregate("mean", pl.col("f3").mean().is_between(*MEAN)),
        aggregate("stdev", pl.col("f3").std().is_between(*STDEV)),
    ]
    checks["f4"].append(aggregate("max", pl.col("f4").max().is_between(*MAX)))
    checks["category"].append(aggregate("distinct", pl.col("category").n_unique().is_between(1, 7)))
    whole = [
        aggregate("rows", pl.len().cast(pl.Int64).is_between(1, 10**9)),
        aggregate("later", pl.col("ends_at") > pl.col("starts_at")),
        aggregate("at least", pl.col("n4") >= pl.col("n3")),
        aggregate("compound", ~pl.struct("key_a", "key_b").is_duplicated()),
    ]
    columns = {
        name: pa.Column(frame.schema[name], checks[name], nullable=name not in NOT_NULL, unique=name == "id")
        for name in COLUMNS
    }
    schema = pa.DataFrameSchema(columns, checks=whole, strict=True)

    def validate() -> int:
        try:
            schema.validate(frame, lazy=True)
        except SchemaErrors as errors:
            return len({(each.schema.name, str(each.check)) for each in errors.schema_errors})
        return 0

    return validate


def pointblank(frame: pl.DataFrame) -> Validate:
    import pointblank as pb

    def validate() -> int:
        plan = pb.Validate(frame).row_count_match(frame.height).col_exists(COLUMNS)
        plan = plan.col_vals_not_null(NOT_NULL).rows_distinct(["id"]).rows_distinct(["key_a", "key_b"])
        for name, (low, high) in BETWEEN.items():
            plan = plan.col_vals_between(name, low, high, na_pass=True)
        for name, members in SETS.items():
            plan = plan.col_vals_in_set(name, members)
        plan = plan.col_vals_regex("code", "^A[0-9]{4}$").col_vals_expr(
            pl.col("name").str.len_chars().is_between(1, 20)
        )
        plan = plan.col_vals_gt("ends_at", pb.col("starts_at")).col_vals_ge("n4", pb.col("n3"))
        plan = plan.col_avg_ge("f3", MEAN[0]).col_sd_le("f3", STDEV[1]).col_vals_expr(pl.col("f4").max() <= MAX[1])
        plan = plan.col_vals_expr(pl.col("category").n_unique().is_between(1, 7)).interrogate()
        return sum(step.all_passed is not True for step in plan.validation_info)

    return validate


def dataframely(frame: pl.DataFrame) -> Validate:
    import dataframely as dy

    text = {"code": {"regex": "^A[0-9]{4}$"}, "name": {"min_length": 1, "max_length": 20}}
    kinds = {pl.Int64: dy.Int64, pl.Float64: dy.Float64, pl.String: dy.String, pl.Boolean: dy.Bool}
    fields: dict[str, Any] = {}
    for name, dtype in frame.schema.items():
        options: dict[str, Any] = {"nullable": name not in NOT_NULL, **text.get(name, {})}
        if name in BETWEEN:
            options |= {"min": BETWEEN[name][0], "max": BETWEEN[name][1]}
        if dtype == pl.Int64:
            options |= {"is_in": SETS.get(name), "unique": name == "id"}
        fields[name] = kinds.get(dtype.base_type(), dy.Datetime)(**options)
    rules = {
        "category_in_set": lambda: pl.col("category").is_in(CATEGORIES),
        "compound": lambda: ~pl.struct("key_a", "key_b").is_duplicated(),
        "later": lambda: pl.col("ends_at") > pl.col("starts_at"),
        "at_least": lambda: pl.col("n4") >= pl.col("n3"),
        "mean": lambda: pl.col("f3").mean().is_between(*MEAN),
        "stdev": lambda: pl.col("f3").std().is_between(*STDEV),
        "max": lambda: pl.col("f4").max().is_between(*MAX),
        "distinct": lambda: pl.col("category").n_unique().is_between(1, 7),
        "rows": lambda: pl.len().cast(pl.Int64).is_between(1, 10**9),
    }
    body = {name: dy.rule()(lambda _cls, made=made: made()) for name, made in rules.items()}
    schema = type("Table", (dy.Schema,), fields | body)

    def validate() -> int:
        _, failure = schema.filter(frame)
        return len(failure.counts())

    return validate


TOOLS: dict[str, Callable[[Any], Validate]] = {
    "hand-written select": hand_written,
    "gx_polars.validate": compiled,
    "gx_polars.validate, COMPLETE": compiled_complete,
    "gx_polars.validate, scan": compiled,
    "GX + gx_polars, ValidationDefinition": definition,
    "GX + pandas (numpy)": pandas_numpy,
    "GX + pandas (arrow)": pandas_arrow,
    "pandera": pandera,
    "pointblank": pointblank,
    "dataframely": dataframely,
}

PEERS = {"GX + pandas (arrow)", "pandera", "pointblank", "dataframely"}


def _resident_mb(field: str) -> float:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(field):
            return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _peak_above_mb(validate: Validate) -> float | None:
    """The highest resident memory of one validation above what was resident before it; None where Linux is not."""
    clear = Path("/proc/self/clear_refs")
    if not clear.exists():
        return None
    before = _resident_mb("VmRSS")
    clear.write_text("5", encoding="ascii")
    validate()
    return max(_resident_mb("VmHWM") - before, 0.0)


def measure(tool: str, path: Path, runs: int) -> dict[str, Any]:
    """Validate `runs` times after a warm-up, a slow tool fewer times; the peak is that of the first validation of the measured table."""
    scanned = tool.endswith("scan")
    frame = pl.scan_parquet(path) if scanned else pl.read_parquet(path)
    small = frame.head(50) if scanned else frame.head(50).clone()
    TOOLS[tool](small)()
    validate = TOOLS[tool](frame)
    peak = _peak_above_mb(validate)
    failed, seconds, processor = 0, [], []
    for _ in range(runs):
        if len(seconds) > 1 and sum(seconds) > ENOUGH_S:
            break
        started, worked = time.perf_counter(), time.process_time()
        failed = validate()
        seconds.append(time.perf_counter() - started)
        processor.append(time.process_time() - worked)
    times = {"ms": [1000 * each for each in seconds], "cpu_ms": [1000 * each for each in processor]}
    return {"tool": tool, **times, "peak_mb": peak, "failed": failed}


def main() -> None:
    os.environ["TQDM_DISABLE"] = "1"
    warnings.simplefilter("ignore")
    tool, path, runs = sys.argv[1:]
    print(json.dumps(measure(tool, Path(path), int(runs))))


if __name__ == "__main__":
    main()
