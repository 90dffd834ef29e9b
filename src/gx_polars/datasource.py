"""The data source: `context.data_sources.add_polars(name)`, with assets for frames and for Parquet and CSV files."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, TypeAlias

from great_expectations.compatibility import pydantic
from great_expectations.datasource.fluent.interfaces import DataAsset, Datasource

from gx_polars.assets import PolarsDataFrameAsset
from gx_polars.engine import PolarsExecutionEngine
from gx_polars.scans import PolarsCsvAsset, PolarsParquetAsset, PolarsScanAsset
from gx_polars.tables import LazyTables

AssetType: TypeAlias = type[DataAsset[Any, Any]]
EngineType: TypeAlias = type[PolarsExecutionEngine]


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
        """Return a new engine: one for each batch, so that threads cannot validate each other's frames.

        The assets of files are its other tables.
        """
        files = {asset.name: asset.scan for asset in self.assets if isinstance(asset, PolarsScanAsset)}
        return PolarsExecutionEngine(
            nan_is_missing=self.nan_is_missing, streaming=self.streaming, tables=LazyTables(files)
        )

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
