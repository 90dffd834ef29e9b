"""What every test may use."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def realdata() -> Path:
    """Folder of the real recordings, which are not part of the repository."""
    folder = SHARED / "realdata"
    if not folder.is_dir():
        pytest.skip("no ../shared/realdata beside the checkout: the real recordings are not published")
    return folder


@pytest.fixture(scope="session")
def gx_cases() -> Path:
    """Folder of Great Expectations' own JSON test cases, which are not part of the repository."""
    folder = SHARED / "gx_cases"
    if not folder.is_dir():
        pytest.skip("no ../shared/gx_cases beside the checkout: the cases belong to Great Expectations")
    return folder
