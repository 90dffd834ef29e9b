"""Results of mapped tasks: one that failed becomes a named gap and does not stop the others."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from prefect.futures import PrefectFuture, as_completed, wait

from backstop.errors import BackstopError
from backstop.stages.outcome import Gap
from tasks.runs import warn

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


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


def bounded(task: Any, calls: Sequence[tuple[Any, ...]], at_once: int) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Run a task for each call, so many at once, and yield each call with its result as it ends.

    A result is what the task returned, or the sentence of what it raised. The next call is submitted when one has
    ended: a season is not queued at once.
    """
    waiting = iter(calls)
    running: dict[Any, tuple[Any, ...]] = {task.submit(*call): call for call in islice(waiting, at_once)}
    while running:
        ended = next(iter(as_completed(list(running))))
        ended.wait()  # sets the final state; `.state` alone is a stale read
        result = ended.result() if ended.state.is_completed() else sentence_of(ended.state)
        yield running.pop(ended), result
        running |= {task.submit(*call): call for call in islice(waiting, 1)}
