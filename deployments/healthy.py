"""The health check of a container: exit code 0 when an address answers 200. Only the standard library is imported."""

from __future__ import annotations

import sys
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

TIMEOUT_S = 5.0


def main(argv: Sequence[str] | None = None) -> int:
    """Ask the address; return the exit code."""
    address = (sys.argv[1:] if argv is None else argv)[0]
    if not address.startswith("http://127.0.0.1:"):
        sys.stderr.write(f"{address!r} is not an http address of this container\n")
        return 2
    try:
        with urllib.request.urlopen(address, timeout=TIMEOUT_S):  # noqa: S310 - checked above
            return 0
    except (urllib.error.URLError, OSError) as error:
        sys.stderr.write(f"{address}: {error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
