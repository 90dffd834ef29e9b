"""The data source: `context.data_sources.add_polars(name)`, with assets for frames and for Parquet and CSV files."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, TypeAlias

import polars as pl
from great_expectations.compatibility import pydantic
from great_expectations.core import IDDict
from great_expectations.core.batch import LegacyBatchDefinition
from great_expectations.core.batch_definition import BatchDefinition
from great_expectations.core.batch_spec import RuntimeDataBatchSpec
from great_expectations.datasource.fluent import BatchRequest
from great_expectations.datasource.fluent.batch_identifier_util import make_batch_identifier
from great_expectations.datasource.fluent.constants import _DATA_CONNECTOR_NAME
from great_expectations.datasource.fluent.interfaces import Batch, DataAsset, Datasource, TestConnectionError
from great_expectations.exceptions.exceptions import BuildBatchRequestError

from gx_polars.domain import exactly
from gx_polars.engine import PolarsExecutionEngine
from gx_polars.samples import head

AssetType: TypeAlias = type[DataAsset[Any, Any]]
EngineType: TypeAlias = type[PolarsExecutionEngine]


class PolarsBatch(Batch):
    """A batch whose first rows are a Polars frame."""

    def head(self, n_rows: int = 5, fetch_all: bool = False) -> Any:
        """Return the first rows as a `pl.DataFrame`: `n_rows` of them, all but the last ones if negative, or all."""
        engine = PolarsExecutionEngine()
        engine.load_batch_data(self.id, self.data)
        return head(engine, {"batch_id": self.id}, n_rows, every=fetch_all)


class PolarsAsset(DataAsset[Any, Any]):
    """What the assets have in common: a frame for a batch request, and a batch around it."""

    class Config:
        """No fields but the declared ones."""

        extra = pydantic.Extra.forbid

    def test_connection(self) -> None:
        """Do nothing: there is nothing to connect to before a batch is asked for."""

    def get_batch_parameters_keys(self, partitioner: Any = None) -> tuple[str, ...]:
        """Return the names that batch parameters may have."""
        raise NotImplementedError

    def _frame(self, options: dict[str, Any]) -> pl.DataFrame | pl.LazyFrame:
        raise NotImplementedError

    def _check_options(self, options: dict[str, Any]) -> None:
        raise NotImplementedError

    def build_batch_request(
        self, options: dict[str, Any] | None = None, batch_slice: Any = None, partitioner: Any = None
    ) -> BatchRequest[Any]:
        """Return the request for a batch.

        Args:
            options: The batch parameters.
            batch_slice: Must be None.
            partitioner: Must be None.

        Raises:
            BuildBatchRequestError: The parameters are not the ones of this asset.
        """
        for name, given in (("batch_slice", batch_slice), ("partitioner", partitioner)):
            if given is not None:
                raise BuildBatchRequestError(
                    message=f"{name} is not supported for {type(self).__name__}: leave it out."
                )
        self._check_options(options or {})
        return BatchRequest(datasource_name=self.datasource.name, data_asset_name=self.name, options=options or {})

    def _validate_batch_request(self, batch_request: BatchRequest[Any]) -> None:
        self._check_options(dict(batch_request.options))

    def get_batch_identifiers_list(self, batch_request: BatchRequest[Any]) -> list[dict[str, Any]]:
        """Return the identifiers of the one batch that a request is for."""
        return [IDDict(batch_request.options)]

    def get_batch(self, batch_request: BatchRequest[Any]) -> Batch:
        """Return the batch of a request, with an engine of its own.

        Great Expectations leaves the frame out of a batch's id, so that an engine shared by threads would give one
        thread the frame of another.
        """
        self._validate_batch_request(batch_request)
        options = dict(batch_request.options)
        spec = RuntimeDataBatchSpec(batch_data=self._frame(options))
        data, markers = self.datasource.get_execution_engine().get_batch_data_and_markers(batch_spec=spec)
        definition = LegacyBatchDefinition(
            datasource_name=self.datasource.name,
            data_connector_name=_DATA_CONNECTOR_NAME,
            data_asset_name=self.name,
            batch_identifiers=make_batch_identifier(options),
            batch_spec_passthrough=None,
        )
        metadata = self._get_batch_metadata_from_batch_request(
            batch_request=batch_request, ignore_options=("dataframe",)
        )
        return PolarsBatch(
            datasource=self.datasource,
            data_asset=self,
            batch_request=batch_request,
            data=data,
            metadata=metadata,
            batch_markers=markers,
            batch_spec=spec,
            batch_definition=definition,
        )


class PolarsDataFrameAsset(PolarsAsset):
    """Frames that are given when a validation runs: `batch_parameters={"dataframe": frame}`."""

    type: Literal["dataframe"] = "dataframe"

    def get_batch_parameters_keys(self, partitioner: Any = None) -> tuple[str, ...]:
        """Return the one parameter there is: the frame."""
        del partitioner
        return ("dataframe",)

    def _check_options(self, options: dict[str, Any]) -> None:
        if set(options) != {"dataframe"}:
            msg = f"options must contain exactly 1 key, 'dataframe'; there are {sorted(options)}."
            raise BuildBatchRequestError(message=msg)
        frame = options["dataframe"]
        if not isinstance(frame, pl.DataFrame | pl.LazyFrame):
            msg = f"'dataframe' is a {type(frame).__name__}; a pl.DataFrame or pl.LazyFrame is expected."
            raise BuildBatchRequestError(message=msg)

    def _frame(self, options: dict[str, Any]) -> pl.DataFrame | pl.LazyFrame:
        frame: pl.DataFrame | pl.LazyFrame = options["dataframe"]
        return frame

    def add_batch_definition_whole_dataframe(self, name: str) -> BatchDefinition[Any]:
        """Add the batch definition of the whole frame."""
        return self.add_batch_definition(name=name, partitioner=None)


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

    def _scan(self) -> pl.LazyFrame:
        raise NotImplementedError

    def test_connection(self) -> None:
        """Read the schema of the files.

        Raises:
            TestConnectionError: No such files, or they cannot be read.
        """
        try:
            self._scan().collect_schema()
        except (pl.exceptions.PolarsError, OSError) as error:
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
        frame = self._scan()
        schema = frame.collect_schema() if options else {}
        for column, value in options.items():
            if column not in schema:
                msg = (
                    f"The asset {self.name!r} has the partition {column!r}, but {self.path!r} has no such column; "
                    f"its schema is {dict(schema)}. Name columns of the files (CSV files give none by their path)."
                )
                raise BuildBatchRequestError(message=msg)
            frame = frame.filter(exactly(column) == pl.lit(value).cast(schema[column]))
        return frame

    @property
    def _hive(self) -> bool | None:
        return True if self.hive_partitioning is None and self.partitions else self.hive_partitioning

    def add_batch_definition_whole_scan(self, name: str) -> BatchDefinition[Any]:
        """Add the batch definition of all files, or of the partition that the batch parameters choose."""
        return self.add_batch_definition(name=name, partitioner=None)


class PolarsParquetAsset(PolarsScanAsset):
    """Parquet files, scanned."""

    type: Literal["parquet"] = "parquet"

    def _scan(self) -> pl.LazyFrame:
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

    def _scan(self) -> pl.LazyFrame:
        return pl.scan_csv(
            self.path,
            separator=self.separator,
            has_header=self.has_header,
            null_values=self.null_values,
            try_parse_dates=self.try_parse_dates,
            infer_schema_length=self.infer_schema_length,
            storage_options=self.storage_options,
        )


class PolarsDatasource(Datasource[Any, PolarsExecutionEngine]):
    """Polars frames and files as a data source of Great Expectations.

    Attributes:
        nan_is_missing: Count NaN in float columns as a missing value, as the pandas engine does.
        streaming: Collect lazy frames with the streaming engine.
    """

    asset_types: ClassVar[list[AssetType]] = [PolarsDataFrameAsset, PolarsParquetAsset, PolarsCsvAsset]

    type: Literal["polars"] = "polars"
    assets: list[PolarsDataFrameAsset | PolarsParquetAsset | PolarsCsvAsset] = pydantic.Field(default_factory=list)
    nan_is_missing: bool = True
    streaming: bool = True

    @property
    def execution_engine_type(self) -> EngineType:
        """The engine's class."""
        return PolarsExecutionEngine

    def get_execution_engine(self) -> PolarsExecutionEngine:
        """Return a new engine: one for each batch, so that threads cannot validate each other's frames."""
        return PolarsExecutionEngine(nan_is_missing=self.nan_is_missing, streaming=self.streaming)

    def test_connection(self, test_assets: bool = True) -> None:
        """Test the assets, if asked; the data source itself has nothing to connect to."""
        if test_assets:
            for asset in self.assets:
                asset.test_connection()

    def add_dataframe_asset(self, name: str, batch_metadata: dict[str, Any] | None = None) -> PolarsDataFrameAsset:
        """Add an asset for frames that are given when a validation runs."""
        asset = PolarsDataFrameAsset(name=name, batch_metadata=batch_metadata or {})
        self._add_asset(asset=asset)
        return asset

    def add_parquet_asset(self, name: str, path: str, **options: Any) -> PolarsParquetAsset:
        """Add an asset for Parquet files; see `PolarsScanAsset` for the options."""
        asset = PolarsParquetAsset(name=name, path=str(path), **options)
        self._add_asset(asset=asset)
        return asset

    def add_csv_asset(self, name: str, path: str, **options: Any) -> PolarsCsvAsset:
        """Add an asset for CSV files; see `PolarsCsvAsset` for the options."""
        asset = PolarsCsvAsset(name=name, path=str(path), **options)
        self._add_asset(asset=asset)
        return asset
