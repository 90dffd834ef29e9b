"""A user's subclass of a core expectation gets what we put before the core expectation.

Great Expectations' way to customise an expectation is to subclass it. Its registry then holds the subclass, which knows
the core class and not what is registered in its place.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from great_expectations.expectations.expectation import Expectation
from great_expectations.expectations.registry import _registered_expectations

BEFORE: dict[type[Expectation], type] = {}  # core class: what is put before it, a class without fields
_seen: list[type[Expectation]] = []


@contextmanager
def replacing() -> Iterator[None]:
    """Keep the registry from warning that a declaration is overwritten: it is meant."""
    log = logging.getLogger("great_expectations.expectations.registry")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(level)


def adopt() -> None:
    """Register anew each user's subclass of a core expectation, with what is put before that core expectation."""
    if _seen == list(_registered_expectations.values()):
        return
    for kind in list(_registered_expectations.values()):
        for core, ours in BEFORE.items():
            if issubclass(kind, core) and not issubclass(kind, ours) and not _judges_by_itself(kind, core):
                attributes = {"__module__": kind.__module__, "__qualname__": kind.__qualname__, "__doc__": kind.__doc__}
                with replacing():
                    type(kind)(kind.__name__, (ours, kind), attributes)
    _seen[:] = _registered_expectations.values()


def _judges_by_itself(kind: type[Expectation], core: type[Expectation]) -> bool:
    """Return whether a subclass has its own judgement, before which nothing may be put."""
    return kind._validate is not core._validate  # noqa: SLF001
