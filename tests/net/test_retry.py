from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backstop.errors import (
    DeadlineExceeded,
    OutOfCredits,
    RateLimited,
    ResponseTooLarge,
    RowCapReached,
    UpstreamError,
    UpstreamMalformed,
    UpstreamRefused,
    UpstreamUnavailable,
)
from backstop.net.retry import Deadline, RetryTerms, wait_after, with_retries
from tests.net.server import on_loop

QUICK = RetryTerms(attempts=4, first_wait_s=0.0, longest_wait_s=0.001, jitter_s=0.0)
ERRORS = [UpstreamUnavailable, UpstreamMalformed, UpstreamRefused, OutOfCredits, RowCapReached, ResponseTooLarge]


class Script:
    """Raises its errors in order, then answers."""

    def __init__(self, *errors: UpstreamError) -> None:
        self.errors = list(errors)
        self.calls = 0

    async def __call__(self) -> str:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "answer"


@given(st.lists(st.sampled_from(ERRORS), max_size=6))
@settings(deadline=None, max_examples=50)
def test_it_goes_on_while_it_is_worth_it(kinds: list[type[UpstreamError]]) -> None:
    async def scenario() -> None:
        script = Script(*(kind("failed") for kind in kinds))
        final = next((n for n, kind in enumerate(kinds) if not kind.retryable), None)
        reached = len(kinds) if final is None else final
        if final is None and reached < QUICK.attempts:
            assert await with_retries(script, Deadline(60), QUICK, source="savant") == "answer"
        else:
            with pytest.raises(kinds[min(reached, QUICK.attempts - 1)]):
                await with_retries(script, Deadline(60), QUICK, source="savant")
        assert script.calls == min(reached + 1, QUICK.attempts)

    asyncio.run(scenario())


@on_loop
async def test_a_spent_budget_is_named_with_the_last_error() -> None:
    async def slow() -> str:
        await asyncio.sleep(0.02)
        raise UpstreamUnavailable("the last word")

    patient = RetryTerms(attempts=1000, first_wait_s=0.0, longest_wait_s=0.001, jitter_s=0.0)
    with pytest.raises((DeadlineExceeded, UpstreamUnavailable), match="the last word"):
        await with_retries(slow, Deadline(0.1), patient, source="savant")


@on_loop
async def test_a_budget_starts_when_it_is_first_asked_for() -> None:
    deadline = Deadline(0.05)
    await asyncio.sleep(0.06)
    assert deadline.left_s() == pytest.approx(0.05, abs=0.01)


@on_loop
async def test_a_named_pause_is_kept_with_jitter_on_top_and_not_begun_when_too_long() -> None:
    deadline = Deadline(10)
    waits = [wait_after(RateLimited("x", retry_after_s=3), deadline, 0.5) for _ in range(50)]
    assert all(3 <= wait <= 3.5 for wait in waits)
    assert len(set(waits)) > 1
    assert wait_after(RateLimited("x", retry_after_s=11), deadline) is False
    assert wait_after(UpstreamUnavailable("x"), deadline) is True
    assert wait_after(ValueError("x"), deadline) is False


@on_loop
async def test_an_error_that_is_not_a_feeds_passes_at_once() -> None:
    async def broken() -> str:
        raise KeyError("bug")

    with pytest.raises(KeyError):
        await with_retries(broken, Deadline(10), QUICK)


@on_loop
async def test_a_retry_is_logged_as_information_with_its_reason(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "stamina")
    await with_retries(
        Script(UpstreamUnavailable("savant is down"), UpstreamMalformed("half a page")), Deadline(60), QUICK
    )
    assert [record.levelname for record in caplog.records] == ["INFO", "INFO"]
    assert "after try 1: UpstreamUnavailable('savant is down')" in caplog.text
    assert "after try 2: UpstreamMalformed('half a page')" in caplog.text
