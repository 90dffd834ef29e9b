"""Tables beside the batch: counted by `ExpectTableRowCountToEqualOtherTable`, joined by SQL."""

from __future__ import annotations

from pathlib import Path

import great_expectations as gx
import great_expectations.expectations as gxe
import polars as pl
import pytest
from great_expectations.expectations.row_conditions import Column

import gx_polars
from tests.gx_polars.comparison import messages, raised
from tests.gx_polars.engines import quiet_context, validator

ORDERS = pl.DataFrame({"id": [1, 2, 3], "customer": [7, 8, 9]})
CUSTOMERS = pl.DataFrame({"id": [7, 8]})
EQUAL = gxe.ExpectTableRowCountToEqualOtherTable(other_table_name="customers")


def _validate(expectation: gxe.Expectation, frame: pl.DataFrame | pl.LazyFrame = ORDERS, **options: object):
    return gx_polars.validate(frame, gx.ExpectationSuite("s", expectations=[expectation]), **options).results[0]


@pytest.mark.parametrize("lazy", [False, True], ids=["eager", "lazy"])
def test_rows_are_compared_with_a_frame_given_by_name(lazy: bool) -> None:
    for other, equal in ((CUSTOMERS, False), (CUSTOMERS.vstack(pl.DataFrame({"id": [9]})), True)):
        tables = {"customers": other.lazy() if lazy else other}
        result = _validate(EQUAL, ORDERS.lazy() if lazy else ORDERS, tables=tables)
        assert result.success is equal
        assert result.result["observed_value"] == {"self": 3, "other": other.height}


def test_a_row_condition_holds_for_the_batch_and_not_for_the_other_table() -> None:
    asked = gxe.ExpectTableRowCountToEqualOtherTable(other_table_name="customers", row_condition=Column("id") > 1)
    assert _validate(asked, tables={"customers": CUSTOMERS}).result["observed_value"] == {"self": 2, "other": 2}


def test_a_table_that_nobody_gave_is_an_error_that_says_how_to_give_it() -> None:
    result = _validate(EQUAL, tables={"clients": CUSTOMERS})
    assert raised(result)
    assert "known: 'clients'" in messages(result)
    assert "tables={'customers': frame}" in messages(result)


def test_an_asset_of_files_is_a_table_of_its_source(tmp_path: Path) -> None:
    CUSTOMERS.write_parquet(tmp_path / "customers.parquet")
    source = quiet_context().data_sources.add_or_update_polars("tables")
    source.add_parquet_asset("customers", tmp_path / "customers.parquet")
    batches = source.add_dataframe_asset("orders").add_batch_definition_whole_dataframe("whole")
    result = batches.get_batch({"dataframe": ORDERS.lazy()}).validate(EQUAL)
    assert result.result["observed_value"] == {"self": 3, "other": 2}


def test_a_bare_validator_has_the_tables_of_its_engine() -> None:
    built = validator(gx_polars.PolarsExecutionEngine(tables={"customers": CUSTOMERS}), ORDERS)
    (result,) = built.graph_validate([EQUAL.configuration])
    assert result.result["observed_value"] == {"self": 3, "other": 2}


def test_a_query_may_join_another_table() -> None:
    query = "SELECT * FROM {batch} LEFT JOIN customers ON {batch}.customer = customers.id WHERE customers.id IS NULL"
    asked = gxe.UnexpectedRowsExpectation(unexpected_rows_query=query)
    result = _validate(asked, tables={"customers": CUSTOMERS}, result_format="COMPLETE")
    assert result.result["observed_value"] == 1
    assert [row["customer"] for row in result.result["details"]["unexpected_rows"]] == [9]


def test_an_other_table_that_cannot_be_read_is_named() -> None:
    result = _validate(EQUAL, tables={"customers": pl.scan_parquet("nowhere.parquet")})
    assert "the other table 'customers'" in messages(result)
    assert "nowhere.parquet" in messages(result)
