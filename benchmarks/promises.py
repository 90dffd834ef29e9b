"""The promises that are tests: each names the tests that would fail if it did not hold; a test checks that they exist."""

from __future__ import annotations

from collections.abc import Iterator

PROMISES: dict[str, tuple[str, ...]] = {}
"""Sentence -> tests as `path::name`."""


def lines() -> Iterator[str]:
    """Yield the lines of their table."""
    yield "| Promise | Tests |"
    yield "| --- | --- |"
    for promise, tests in PROMISES.items():
        yield f"| {promise} | {'<br>'.join(f'`{test}`' for test in tests)} |"
