"""Rows of pitches in Savant's dialect, made by hand."""

from __future__ import annotations

import pytest

from tests.sources.savant_rows import PitchDay


@pytest.fixture
def day() -> PitchDay:
    """A day of four pitches of one game in the columns of 2026."""
    return PitchDay()
