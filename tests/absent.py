"""What happens to a test whose server or program is not on this machine: it skips and says so; in CI it fails."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def absent(sentence: str) -> NoReturn:
    """Skip the test, or fail it where the environment variable `CI` says that nothing may be left out."""
    sentence = f"{sentence}; scripts/services installs it"
    if os.environ.get("CI"):
        pytest.fail(sentence)
    pytest.skip(sentence)
