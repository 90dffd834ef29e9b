"""Results of mapped tasks: one that failed becomes a named gap and does not stop the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prefect.futures import PrefectFuture, wait

from backstop.errors import BackstopError
from backstop.stages.outcome import Gap
from tasks.runs import warn

if TYPE_CHECKING:
    from collections.abc import Sequence


def gather(chains: Sequence[Sequence[PrefectFuture[Any]]], table: str) -> tuple[list[Any], list[Gap]]:
    """Wait for all chains and return the last result of each that completed, and a gap for each that did not.

    The gap has the sentence of the task that failed: those behind it in the chain never started and have no result.
    """
    wait([future for chain in chains for future in chain])  # sets the final states; `.state` alone is a stale read
    results: list[Any] = []
    gaps: list[Gap] = []
    for number, chain in enumerate(chains, 1):
        broken = next((future for future in chain if not future.state.is_completed()), None)
        if broken is None:
            results.append(chain[-1].result())
        else:
            gaps.append(Gap(table, f"batch {number}", sentence_of(broken.state)))
            warn(f"{table}, batch {number}: {gaps[-1].reason}")
    return results, gaps


def sentence_of(state: Any) -> str:
    """Return what went wrong in words."""
    error = state.result(raise_on_failure=False) if state.is_final() else None
    if isinstance(error, BackstopError):
        return error.message
    if isinstance(error, BaseException):
        return f"{type(error).__name__}: {error}"
    return str(state.message or state.name)
