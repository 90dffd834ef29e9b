"""Files as assets: only what is asked for is read."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import great_expectations as gx
import great_expectations.expectations as gxe
import polars as pl
import pytest
from great_expectations.data_context.types.base import ProgressBarsConfig
from great_expectations.datasource.fluent.interfaces import TestConnectionError as ConnectionTestError
from great_expectations.exceptions.exceptions import BuildBatchRequestError

import gx_polars


@pytest.fixture
def source() -> gx_polars.PolarsDatasource:
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    return context.data_sources.add_polars("files")


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    for year, rows in ((2024, 3), (2025, 2)):
        folder = tmp_path / f"year={year}"
        folder.mkdir()
        pl.DataFrame({"x": range(rows), "y": ["a"] * rows}).write_parquet(folder / "part.parquet")
    return tmp_path


def rows_of(batch: object) -> int:
    return batch.validate(gxe.ExpectTableRowCountToEqual(value=0)).result["observed_value"]


def test_a_pattern_of_parquet_files_is_one_batch_with_its_partition_columns(source, lake: Path) -> None:
    asset = source.add_parquet_asset("lake", f"{lake}/**/*.parquet", hive_partitioning=True)
    batch = asset.add_batch_definition_whole_scan("all").get_batch()

    assert rows_of(batch) == 5
    assert batch.columns() == ["x", "y", "year"]


def test_a_date_partition_may_be_given_as_text(source, tmp_path: Path) -> None:
    for day in ("2025-07-01", "2025-07-02"):
        (tmp_path / f"day={day}").mkdir()
        pl.DataFrame({"x": [1]}).write_parquet(tmp_path / f"day={day}" / "part.parquet")
    asset = source.add_parquet_asset("days", f"{tmp_path}/**/*.parquet", partitions=["day"])

    assert rows_of(asset.add_batch_definition_whole_scan("by day").get_batch({"day": "2025-07-02"})) == 1


def test_a_batch_may_be_one_partition_and_opens_no_other_file(source, lake: Path) -> None:
    asset = source.add_parquet_asset("lake", f"{lake}/**/*.parquet", partitions=["year"])
    batches = asset.add_batch_definition_whole_scan("by year")
    (lake / "year=2025" / "part.parquet").write_bytes(b"PAR1 this is no parquet file PAR1")

    assert rows_of(batches.get_batch({"year": 2024})) == 3


def test_a_partition_that_the_asset_does_not_have_is_refused(source, lake: Path) -> None:
    batches = source.add_parquet_asset("lake", str(lake), partitions=["year"]).add_batch_definition_whole_scan("all")

    with pytest.raises(BuildBatchRequestError, match="month"):
        batches.get_batch({"month": 7})


def test_the_first_rows_of_a_batch_are_a_polars_frame(source, lake: Path) -> None:
    batch = source.add_parquet_asset("lake", f"{lake}/**/*.parquet").add_batch_definition_whole_scan("all").get_batch()

    assert batch.head(2).to_dict(as_series=False) == {"x": [0, 1], "y": ["a", "a"]}
    assert batch.head(-1).height == 4
    assert batch.head(fetch_all=True).height == 5


def test_a_csv_asset_reads_what_it_is_told_to_read_as_missing(source, tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("name;age\nAnn;34\nBob;n/a\n", encoding="utf-8")
    asset = source.add_csv_asset("people", tmp_path / "people.csv", separator=";", null_values=["n/a"])
    batch = asset.add_batch_definition_whole_scan("all").get_batch()

    result = batch.validate(gxe.ExpectColumnValuesToNotBeNull(column="age"))

    assert result.result["unexpected_count"] == 1


def test_an_asset_without_files_does_not_pass_its_connection_test(source, tmp_path: Path) -> None:
    with pytest.raises(ConnectionTestError, match=r"nothing\.parquet"):
        source.add_parquet_asset("lake", tmp_path / "nothing.parquet")


def test_a_frame_of_another_library_is_refused(source) -> None:
    batches = source.add_dataframe_asset("frames").add_batch_definition_whole_dataframe("whole")

    with pytest.raises(BuildBatchRequestError, match="list"):
        batches.get_batch({"dataframe": [1, 2]})


@pytest.fixture
def csv_lake(tmp_path: Path) -> Path:
    for day, team, text in (
        ("2025-07-01", "NYY", "x,y\n1,a\n2,b\n"),
        ("2025-07-02", "a%20b", "x,y\n3,c\n"),
        ("2025-07-03", "__HIVE_DEFAULT_PARTITION__", "x,y\n4,d\n"),
    ):
        folder = tmp_path / f"day={day}" / f"team={team}"
        folder.mkdir(parents=True)
        (folder / "part.csv").write_text(text, encoding="utf-8")
    return tmp_path


def test_csv_files_in_hive_partitions_have_the_columns_of_their_folders(source, csv_lake: Path) -> None:
    for path in (csv_lake, f"{csv_lake}/**/*.csv"):
        asset = source.add_csv_asset(f"lake {path}", path, hive_partitioning=True)
        batch = asset.add_batch_definition_whole_scan("all").get_batch()
        assert batch.head(fetch_all=True).rows() == [
            (1, "a", dt.date(2025, 7, 1), "NYY"),
            (2, "b", dt.date(2025, 7, 1), "NYY"),
            (3, "c", dt.date(2025, 7, 2), "a b"),
            (4, "d", dt.date(2025, 7, 3), None),
        ]


@pytest.mark.parametrize("day", ["2025-07-02", dt.date(2025, 7, 2)])
def test_one_partition_of_csv_files_opens_no_other_file(source, csv_lake: Path, day: object) -> None:
    asset = source.add_csv_asset("lake", csv_lake, partitions=["day"])
    batches = asset.add_batch_definition_whole_scan("by day")
    (csv_lake / "day=2025-07-01" / "team=NYY" / "part.csv").write_bytes(b"\xff\xfe not,a,table")

    assert rows_of(batches.get_batch({"day": day})) == 1


def test_a_partition_of_csv_files_that_is_not_there_has_no_rows(source, csv_lake: Path) -> None:
    batches = source.add_csv_asset("lake", csv_lake, partitions=["day"]).add_batch_definition_whole_scan("by day")

    assert rows_of(batches.get_batch({"day": "2020-01-01"})) == 0


def test_a_csv_scan_reads_the_columns_that_are_asked_for(source, csv_lake: Path) -> None:
    batch = (
        source.add_csv_asset("lake", csv_lake, partitions=["day"]).add_batch_definition_whole_scan("all").get_batch()
    )
    plan = batch.data.frame.select("day", "x").explain()

    assert "PROJECT 1/3 COLUMNS" in plan  # of x, y and the name of the file, which is not read


def test_partitions_of_csv_files_behind_a_url_are_refused_with_the_way_out(source) -> None:
    with pytest.raises(ConnectionTestError, match="Parquet"):
        source.add_csv_asset("lake", "s3://bucket/lake/**/*.csv", partitions=["day"])
