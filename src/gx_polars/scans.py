"""Assets of files that are scanned: only the columns that a suite reads, only the partitions that are asked for."""

from __future__ import annotations

from typing import Any, Literal

import polars as pl
from great_expectations.compatibility import pydantic
from great_expectations.core.batch_definition import BatchDefinition
from great_expectations.datasource.fluent.interfaces import TestConnectionError
from great_expectations.exceptions.exceptions import BuildBatchRequestError

from gx_polars.assets import PolarsAsset
from gx_polars.domain import exactly
from gx_polars.hive import FILE, partitioned_files, with_partitions
from gx_polars.values import comparable


class PolarsScanAsset(PolarsAsset):
    """Files that are scanned: only the columns that a suite reads, only the partitions that are asked for.

    Attributes:
        path: A file, a folder, or a pattern such as `lake/**/*.parquet`; a URL where Polars reads one.
        hive_partitioning: Whether `key=value` in the path gives columns; None: yes if there are `partitions`, else
            as Polars decides.
        partitions: Columns by which batch parameters may choose rows, for example `{"game_date": "2025-07-01"}`;
            where they are hive partitions, other files are not opened.
        storage_options: Options for the object store of a URL.
    """

    path: str
    hive_partitioning: bool | None = None
    partitions: list[str] = pydantic.Field(default_factory=list)
    storage_options: dict[str, str] | None = None

    def scan(self) -> pl.LazyFrame:
        """Return all rows of the files as a lazy frame."""
        raise NotImplementedError

    def test_connection(self) -> None:
        """Read the schema of the files.

        Raises:
            TestConnectionError: No such files, or they cannot be read.
        """
        try:
            self.scan().collect_schema()
        except (pl.exceptions.PolarsError, OSError, ValueError) as error:
            msg = f"The files {self.path!r} of the asset {self.name!r} cannot be scanned: {error}"
            raise TestConnectionError(msg) from error

    def get_batch_parameters_keys(self, partitioner: Any = None) -> tuple[str, ...]:
        """Return the partition columns."""
        del partitioner
        return tuple(self.partitions)

    def _check_options(self, options: dict[str, Any]) -> None:
        unknown = sorted(set(options) - set(self.partitions))
        if unknown:
            msg = f"The asset {self.name!r} has the partitions {self.partitions}; {unknown} are not among them."
            raise BuildBatchRequestError(message=msg)

    def _frame(self, options: dict[str, Any]) -> pl.LazyFrame:
        return self._filtered(self.scan(), options)

    def _filtered(self, frame: pl.LazyFrame, options: dict[str, Any]) -> pl.LazyFrame:
        schema = frame.collect_schema() if options else pl.Schema()
        for column, value in options.items():
            if column not in schema:
                msg = (
                    f"The asset {self.name!r} has the partition {column!r}, but {self.path!r} has no such column; "
                    f"its schema is {dict(schema)}. Name columns of the files or of their folders."
                )
                raise BuildBatchRequestError(message=msg)
            frame = frame.filter(chosen(column, value, schema[column]))
        return frame

    @property
    def _hive(self) -> bool | None:
        return True if self.hive_partitioning is None and self.partitions else self.hive_partitioning

    def add_batch_definition_whole_scan(self, name: str) -> BatchDefinition[Any]:
        """Add the batch definition of all files, or of the partition that the batch parameters choose."""
        return self.add_batch_definition(name=name, partitioner=None)


def chosen(column: str, value: Any, dtype: pl.DataType) -> pl.Expr:
    """Return which rows a batch parameter chooses, given as the column has it or as text."""
    literal = comparable(dtype, value) if dtype.is_temporal() else pl.lit(value).cast(dtype)
    return exactly(column) == literal


class PolarsParquetAsset(PolarsScanAsset):
    """Parquet files, scanned."""

    type: Literal["parquet"] = "parquet"

    def scan(self) -> pl.LazyFrame:
        """Return all rows of the files as a lazy frame."""
        return pl.scan_parquet(self.path, hive_partitioning=self._hive, storage_options=self.storage_options)


class PolarsCsvAsset(PolarsScanAsset):
    """CSV files, scanned.

    Attributes:
        separator: The character between fields.
        has_header: Whether the first line names the columns.
        null_values: Text that stands for a missing value.
        try_parse_dates: Whether text that reads as a date becomes one.
        infer_schema_length: Rows that are read to guess the types; None reads all.
    """

    type: Literal["csv"] = "csv"
    separator: str = ","
    has_header: bool = True
    null_values: list[str] | None = None
    try_parse_dates: bool = False
    infer_schema_length: int | None = 10_000

    def scan(self) -> pl.LazyFrame:
        """Return all rows of the files as a lazy frame, with the columns of their folders if they are partitioned."""
        if not self._hive:
            return self._read(self.path)
        files = partitioned_files(self.path)
        return self._with_partitions(files, files)

    def _frame(self, options: dict[str, Any]) -> pl.LazyFrame:
        if not (self._hive and options):
            return super()._frame(options)
        files = partitioned_files(self.path)
        of_files = {column: value for column, value in options.items() if column in files.columns}
        wanted = files.filter([chosen(column, value, files.schema[column]) for column, value in of_files.items()])
        return self._filtered(self._with_partitions(wanted, files), options)

    def _with_partitions(self, wanted: pl.DataFrame, files: pl.DataFrame) -> pl.LazyFrame:
        """Scan the files that are wanted; where none is, no row of the first one, for its schema."""
        some = wanted if wanted.height else files.head(1)
        frame = with_partitions(self._read(some[FILE].to_list(), include_file_paths=FILE), some)
        return frame if wanted.height else frame.limit(0)

    def _read(self, source: str | list[str], include_file_paths: str | None = None) -> pl.LazyFrame:
        return pl.scan_csv(
            source,
            separator=self.separator,
            has_header=self.has_header,
            null_values=self.null_values,
            try_parse_dates=self.try_parse_dates,
            infer_schema_length=self.infer_schema_length,
            storage_options=self.storage_options,
            include_file_paths=include_file_paths,
        )
