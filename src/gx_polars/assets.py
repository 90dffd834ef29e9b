"""Assets and batches: what a batch request becomes, and frames that are given when a validation runs."""

from __future__ import annotations

from typing import Any, Literal

import polars as pl
from great_expectations.compatibility import pydantic
from great_expectations.core import IDDict
from great_expectations.core.batch import LegacyBatchDefinition
from great_expectations.core.batch_definition import BatchDefinition
from great_expectations.core.batch_spec import RuntimeDataBatchSpec
from great_expectations.datasource.fluent import BatchRequest
from great_expectations.datasource.fluent.batch_identifier_util import make_batch_identifier
from great_expectations.datasource.fluent.constants import _DATA_CONNECTOR_NAME
from great_expectations.datasource.fluent.interfaces import Batch, DataAsset
from great_expectations.exceptions.exceptions import BuildBatchRequestError

from gx_polars.engine import PolarsExecutionEngine
from gx_polars.samples import head


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
