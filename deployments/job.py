"""One command's flow run: the servers up, progress shown from the first second, the result or a sentence."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from backstop.cli import progress, tables
from backstop.errors import BackstopError
from deployments import machine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prefect import Flow
    from rich.console import Console

    from backstop.settings import Settings


@dataclass
class Job:
    """A command at work.

    Attributes:
        console: Where it prints.
        up: The servers.
        bars: The progress that is shown until the flow has ended.
        page: Address of the run's page, empty before it ran.
    """

    console: Console
    up: machine.Machine
    bars: contextlib.ExitStack
    page: str = ""

    def run(self, flow: Flow[Any, Any], *args: Any, **parameters: Any) -> Any:
        """Run a flow and return what it returned.

        Raises:
            BackstopError: it failed; the message is its sentence and the address of its page.
        """
        return result(self.state(flow, *args, **parameters), self.page)

    def state(self, flow: Flow[Any, Any], *args: Any, **parameters: Any) -> Any:
        """Run a flow and return its final state."""
        from tasks import marks  # noqa: PLC0415 - Prefect reads the environment that was just made

        with marks.unheard():  # who waits at the terminal sees that it is alive
            state: Any = flow(*args, **parameters, return_state=True)
        self.page = self.up.prefect.run_page(str(state.state_details.flow_run_id))
        self.bars.close()
        return state


@contextlib.contextmanager
def at_work(settings: Settings, title: str, *, keep: bool = False) -> Iterator[Job]:
    """Start what is missing under a progress display, and stop it when the block is over.

    Raises:
        BackstopError: a server does not start, or a setting is wrong.
    """
    console = tables.terminal()
    with contextlib.ExitStack() as bars:
        bars.enter_context(progress.shown(console, title))
        with machine.started(settings, keep=keep) as up:
            yield Job(console, up, bars)


def result(state: Any, page: str) -> Any:
    """Return what a flow returned.

    Raises:
        BackstopError: it failed; the message is its sentence and the address of its page.
    """
    if state.is_completed():
        return _returned(state, page)
    if not state.is_final():  # somebody paused it, or the server did not take its end
        raise BackstopError(f"The run has not ended, it is {state.name}. Its page: {page}")
    error = state.result(raise_on_failure=False)
    if isinstance(error, BackstopError):
        raise type(error)(
            f"The run failed: {error.message} Its page: {page}", source=error.source, retry_after_s=error.retry_after_s
        )
    sentence = f"{type(error).__name__}: {error}" if isinstance(error, BaseException) else str(state.message)
    raise BackstopError(f"The run failed: {sentence} Its page: {page}")


def _returned(state: Any, page: str) -> Any:
    from prefect.exceptions import MissingResult  # noqa: PLC0415 - Prefect reads the environment that was just made

    try:
        return state.result()
    except MissingResult:
        # the server took the final state at the second asking, and answered with its own copy of it
        raise BackstopError(
            "The run completed, but Prefect's server was too busy to take what it returned: there is no summary. "
            f"Nothing is lost: `backstop slate` and `backstop status` show what was published. Its page: {page}"
        ) from None
