"""Core expectations that remember what they ask of Polars; with any other engine they are what they were.

An ordinary run makes every expectation anew, asks it for its metrics twice, and makes it once more for each of its
metrics: two thirds of the time of a small batch, and all of it depends on the expectation and not on the data. Each
core expectation is registered anew under its name, as a subclass that keeps the answer by its content.
"""

from __future__ import annotations

import copy
import pickle
from typing import Any

from great_expectations.core.expectation_validation_result import ExpectationValidationResult
from great_expectations.expectations.expectation import Expectation
from great_expectations.expectations.registry import _registered_expectations
from great_expectations.validator.validator import ValidationDependencies

from gx_polars import overrides
from gx_polars.adoption import replacing
from gx_polars.cache import generation
from gx_polars.engine import PolarsExecutionEngine
from gx_polars.frozen import is_frozen, own_copy, with_configuration
from gx_polars.recent import Recent

EXPECTATIONS_KEPT = 4096
CORE = ("great_expectations.expectations.core", overrides.__name__)


_NEEDED = "_remembered_dependencies"

_kept: Recent[Expectation] = Recent(EXPECTATIONS_KEPT)


def _content(expectation: Expectation, engine: PolarsExecutionEngine, runtime: Any) -> Any:
    """Return what the metrics of an expectation depend on; None where it cannot be written down."""
    try:
        written = pickle.dumps((expectation.__dict__, runtime))
    except (pickle.PicklingError, AttributeError, TypeError):
        return None
    return generation(), type(expectation), type(engine), written


def _remembered(expectation: Expectation, engine: PolarsExecutionEngine, runtime: dict[str, Any] | None) -> Expectation:
    """Return an equal expectation whose configuration is made and whose dependencies are known."""
    key = _content(expectation, engine, runtime)
    known = _kept.get(key) if key is not None else None
    if known is not None:
        return known
    own = with_configuration(expectation.copy(deep=True))
    needed = own.get_validation_dependencies(execution_engine=engine, runtime_configuration=copy.deepcopy(runtime))
    own.__dict__[_NEEDED] = needed
    return own if key is None else _kept.put(key, own)


def _own_dependencies(needed: ValidationDependencies) -> ValidationDependencies:
    """Return dependencies that one run may change: the graph writes into its metrics and into the result format."""
    metrics = {name: copy.copy(metric) for name, metric in needed.metric_configurations.items()}
    return ValidationDependencies(metrics, copy.deepcopy(needed.result_format))


class Remembers:
    """What is put before a core expectation: its two questions, answered from memory where the engine is Polars."""

    def get_validation_dependencies(
        self: Any, execution_engine: Any = None, runtime_configuration: dict[str, Any] | None = None
    ) -> ValidationDependencies:
        """Return the metrics that the expectation needs."""
        asked = self
        if isinstance(execution_engine, PolarsExecutionEngine) and not is_frozen(self):
            asked = _remembered(self, execution_engine, runtime_configuration)
        known: ValidationDependencies | None = asked.__dict__.get(_NEEDED)
        if known is not None:
            return _own_dependencies(known)
        made: ValidationDependencies = super().get_validation_dependencies(  # type: ignore[misc]
            execution_engine, runtime_configuration
        )
        return made

    def metrics_validate(
        self: Any,
        metrics: dict[Any, Any],
        runtime_configuration: dict[str, Any] | None = None,
        execution_engine: Any = None,
        **kwargs: Any,
    ) -> ExpectationValidationResult:
        """Return the expectation's judgement of its metrics."""
        if is_frozen(self) or not isinstance(execution_engine, PolarsExecutionEngine):
            judged: ExpectationValidationResult = super().metrics_validate(  # type: ignore[misc]
                metrics, runtime_configuration, execution_engine, **kwargs
            )
            return judged
        asked = _remembered(self, execution_engine, runtime_configuration)
        result = asked.metrics_validate(metrics, runtime_configuration, execution_engine, **kwargs)
        result.expectation_config = own_copy(asked.configuration)
        return result


def _register() -> None:
    """Put `Remembers` before every core expectation; the classes are members of this module, so they can be pickled."""
    with replacing():
        for kind in list(_registered_expectations.values()):
            if kind.__module__.startswith(CORE) and not issubclass(kind, Remembers):
                attributes = {"__module__": __name__, "__qualname__": kind.__name__, "__doc__": kind.__doc__}
                globals()[kind.__name__] = type(kind)(kind.__name__, (Remembers, kind), attributes)


_register()
