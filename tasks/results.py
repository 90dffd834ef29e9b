"""Results of mapped tasks: one that failed becomes a named gap and does not stop the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from prefect.futures import PrefectFuture, wait

from backstop.errors import BackstopError
from backstop.stages.outcome import Gap
from tasks.runs import warn

if TYPE_CHECKING:
    from collections.abc import Sequence

R = TypeVar("R")


def gather(futures: Sequence[PrefectFuture[R]], table: str) -> tuple[list[R], list[Gap]]:
    """Wait for all and return what completed, in order, and a gap for each that did not."""
    wait(list(futures))  # sets the final states; `.state` alone is a stale read
    results: list[R] = []
    gaps: list[Gap] = []
    for number, future in enumerate(futures, 1):
        if future.state.is_completed():
            results.append(future.result())
        else:
            gaps.append(Gap(table, f"batch {number}", sentence_of(future.state)))
            warn(f"{table}, batch {number}: {gaps[-1].reason}")
    return results, gaps


def sentence_of(state: Any) -> str:
    """Return what went wrong in words."""
    error = state.result(raise_on_failure=False)
    if isinstance(error, BackstopError):
        return error.message
    if isinstance(error, BaseException):
        return f"{type(error).__name__}: {error}"
    return str(state.message or state.name)
