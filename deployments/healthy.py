"""The health check of a container: exit code 0 when an address answers 200. Imports only the standard library."""

from __future__ import annotations

import http.client
import sys
import urllib.request
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

TIMEOUT_S = 5.0


def main(argv: Sequence[str] | None = None) -> int:
    """Ask the address; return the exit code."""
    address = next(iter(sys.argv[1:] if argv is None else argv), "")
    if not address.startswith("http://127.0.0.1:"):
        sys.stderr.write(f"{address!r} is not an http address of this container\n")
        return 2
    try:
        with urllib.request.urlopen(address, timeout=TIMEOUT_S):  # noqa: S310 - checked above
            return 0
    except (OSError, http.client.HTTPException) as error:
        sys.stderr.write(f"{address}: {error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
