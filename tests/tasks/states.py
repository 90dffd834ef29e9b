"""Final states as Prefect makes them."""

from __future__ import annotations

import asyncio
from typing import Any

from prefect.states import exception_to_failed_state


def failed(error: Exception) -> Any:
    """The state of a run that raised an error."""
    try:
        raise error
    except type(error) as raised:
        return asyncio.run(exception_to_failed_state(raised))
