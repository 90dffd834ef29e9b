"""Expectations that do not change any more, so that their configuration need not be made again for every question.

`Expectation.configuration` copies the whole model, and judging one result asks for it several times: half of the time
of a small batch.
"""

from __future__ import annotations

import copy
from typing import Any

from great_expectations.compatibility.pydantic import ModelMetaclass
from great_expectations.expectations.expectation import Expectation, MetaExpectation
from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

_MEMO = "_frozen_configuration"
_classes: dict[type[Expectation], type[Expectation]] = {}


def with_configuration(expectation: Expectation) -> Expectation:
    """Return the expectation with its configuration made once and for all; fields that change later do not reach it."""
    kept = type(expectation)
    frozen = _classes.get(kept)
    if frozen is None:
        attributes: dict[str, Any] = {
            "__module__": kept.__module__,
            "__qualname__": kept.__qualname__,
            "configuration": property(_configuration),
        }
        # past MetaExpectation.__new__, which would register the class as an expectation
        frozen = _classes[kept] = ModelMetaclass.__new__(MetaExpectation, kept.__name__, (kept,), attributes)
    expectation.__dict__[_MEMO] = expectation.configuration
    object.__setattr__(expectation, "__class__", frozen)
    return expectation


def is_frozen(expectation: Expectation) -> bool:
    """Return whether the configuration of an expectation is made."""
    return _MEMO in expectation.__dict__


def own_copy(configuration: ExpectationConfiguration) -> ExpectationConfiguration:
    """Return a configuration that its result may be changed through without changing the next result's."""
    own = copy.copy(configuration)
    own.kwargs = dict(configuration.kwargs)
    own.meta = dict(configuration.meta or {})
    return own


def _configuration(expectation: Expectation) -> ExpectationConfiguration:
    made: ExpectationConfiguration = expectation.__dict__[_MEMO]
    return made
