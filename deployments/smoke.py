"""Run one flow of a release and say whether it may go on: `python -m deployments.smoke flows.canary:canary`.

The flow runs in this process, so it is the release's code that runs, not that of a worker that is still the old one.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prefect import Flow

CANARY = "flows.canary:canary"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the flow; return 0 when it completed, in whatever quality."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("flow", nargs="?", default=CANARY, help="module:flow")
    parser.add_argument("--parameters", type=orjson.loads, default={}, metavar="JSON")
    options = parser.parse_args(argv)
    flow = _named(options.flow, parser)
    if not isinstance(options.parameters, dict):
        parser.error(f"--parameters is {orjson.dumps(options.parameters).decode()}; expected a JSON object")
    try:
        state: Any = flow(**options.parameters, return_state=True)
    except TypeError as wrong:  # before it ran: an argument that it does not take, or lacks
        parser.error(str(wrong).splitlines()[0])
    sys.stdout.write(f"{flow.name} ended {state.name}{f': {state.message}' if state.message else ''}\n")
    if state.is_completed():
        return 0
    error = state.result(raise_on_failure=False) if state.is_final() else None
    sys.stderr.write(f"{flow.name} ended {state.name}: {getattr(error, 'message', None) or error or state.message}\n")
    return 1


def _named(named: str, parser: argparse.ArgumentParser) -> Flow[Any, Any]:
    """Return a flow by its name; end with a usage line where there is none."""
    from prefect import Flow  # noqa: PLC0415 - seconds of imports, and whoever only reads `CANARY` does without

    module, _, name = named.partition(":")
    try:
        found = getattr(importlib.import_module(module or "none"), name, None)
    except ModuleNotFoundError as error:
        parser.error(f"{named!r} is no flow ({error}); expected module:flow, such as {CANARY}")
    if not isinstance(found, Flow):
        parser.error(f"{named!r} is no flow; expected module:flow, such as {CANARY}")
    return found


if __name__ == "__main__":
    sys.exit(main())
