"""Run one flow of a release and say whether it may go on: `python -m deployments.smoke flows.canary:canary`.

The flow runs in this process, so it is the release's code that runs, not that of a worker that is still the old one.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from collections.abc import Sequence

CANARY = "flows.canary:canary"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the flow; return 0 when it completed, in whatever quality."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("flow", nargs="?", default=CANARY, help="module:flow")
    parser.add_argument("--parameters", type=orjson.loads, default={}, metavar="JSON")
    options = parser.parse_args(argv)
    module, _, name = options.flow.partition(":")
    flow = getattr(importlib.import_module(module), name)
    state = flow(**options.parameters, return_state=True)
    sys.stdout.write(f"{flow.name} ended {state.name}{f': {state.message}' if state.message else ''}\n")
    if state.is_completed():
        return 0
    error = state.result(raise_on_failure=False)
    sys.stderr.write(f"{flow.name} ended {state.name}: {getattr(error, 'message', None) or error or state.message}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
