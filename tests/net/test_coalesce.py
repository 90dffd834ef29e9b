from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backstop.errors import UpstreamUnavailable
from backstop.net.coalesce import Coalescer
from tests.net.server import on_loop, until


def held(value: str, gate: asyncio.Event, calls: list[str]) -> Callable[[], Awaitable[str]]:
    async def call() -> str:
        calls.append(value)
        await gate.wait()
        return value

    return call


@on_loop
async def test_the_first_caller_waits_for_nothing_but_its_call() -> None:
    coalescer: Coalescer[str] = Coalescer(window_s=1000)

    async def call() -> str:
        return "at once"

    async with asyncio.timeout(30):
        assert await coalescer.share("key", call) == "at once"


@on_loop
async def test_an_answer_is_shared_within_the_window_and_not_after_it() -> None:
    coalescer: Coalescer[int] = Coalescer(window_s=0.05)
    calls: list[int] = []

    async def call() -> int:
        calls.append(len(calls))
        return calls[-1]

    later: list[tuple[float, Callable[[], None]]] = []  # the window's end comes when the test says so
    loop = asyncio.get_running_loop()
    with mock.patch.object(loop, "call_later", lambda after_s, land, *to: later.append((after_s, partial(land, *to)))):
        assert await coalescer.share("key", call) == await coalescer.share("key", call) == 0
        ((window_s, end),) = later
        assert window_s == 0.05
        end()
        assert await coalescer.share("key", call) == 1


@on_loop
async def test_a_failure_reaches_all_who_waited_and_nobody_after() -> None:
    coalescer: Coalescer[str] = Coalescer(window_s=1000)
    gate = asyncio.Event()

    async def failing() -> str:
        await gate.wait()
        raise UpstreamUnavailable("down", source="savant", retry_after_s=3)

    async def working() -> str:
        return "up"

    waiting = [asyncio.ensure_future(coalescer.share("key", failing)) for _ in range(5)]
    await asyncio.sleep(0)
    gate.set()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(outcome, UpstreamUnavailable) for outcome in outcomes)
    assert len({id(outcome) for outcome in outcomes}) == 5
    assert outcomes[0].retry_after_s == 3
    assert await coalescer.share("key", working) == "up"


@on_loop
async def test_cancelling_one_waiter_leaves_the_others_and_the_first_may_go_too() -> None:
    coalescer: Coalescer[str] = Coalescer()
    gate, calls = asyncio.Event(), []
    waiting = [asyncio.ensure_future(coalescer.share("key", held("x", gate, calls))) for _ in range(4)]
    await until(lambda: bool(calls))
    waiting[0].cancel()
    waiting[2].cancel()
    await asyncio.sleep(0)
    gate.set()
    assert [await waiting[1], await waiting[3]] == ["x", "x"]
    assert len(calls) == 1
    await asyncio.gather(*waiting, return_exceptions=True)


@on_loop
async def test_the_call_ends_with_its_last_waiter() -> None:
    coalescer: Coalescer[str] = Coalescer()
    ended = asyncio.Event()

    async def call() -> str:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return "never"

    waiting = [asyncio.ensure_future(coalescer.share("key", call)) for _ in range(3)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    for task in waiting:
        task.cancel()
    async with asyncio.timeout(30):
        await ended.wait()
    assert not coalescer._flights
    await asyncio.gather(*waiting, return_exceptions=True)


@given(
    st.lists(st.tuples(st.integers(0, 4), st.booleans(), st.integers(0, 3)), max_size=50), st.sets(st.integers(0, 4))
)
@settings(deadline=None)
def test_each_key_is_called_once_and_everybody_gets_its_own_key(  # noqa: C901
    callers: list[tuple[int, bool, int]], failing: set[int]
) -> None:
    """Callers of a few keys, some cancelled, some keys failing: one call per key, right answers, nothing left behind."""

    async def scenario() -> None:
        coalescer: Coalescer[int] = Coalescer(window_s=1000)
        calls: Counter[int] = Counter()
        gate = asyncio.Event()

        async def call(key: int) -> int:
            calls[key] += 1
            await gate.wait()
            if key in failing:
                raise UpstreamUnavailable(str(key))
            return key

        tasks = []
        for key, cancel, yields in callers:
            tasks.append((key, cancel, asyncio.ensure_future(coalescer.share(key, lambda key=key: call(key)))))
            for _ in range(yields):
                await asyncio.sleep(0)
        await asyncio.sleep(0)
        for _, cancel, task in tasks:
            if cancel:
                task.cancel()
        await asyncio.sleep(0)
        gate.set()
        for key, cancel, task in tasks:
            if cancel:
                with pytest.raises(asyncio.CancelledError):
                    await task
            elif key in failing:
                with pytest.raises(UpstreamUnavailable, match=str(key)):
                    await task
            else:
                assert await task == key
        assert all(count == 1 for count in calls.values())
        stayed = {key for key, cancel, _ in tasks if not cancel}
        assert set(coalescer._flights) == stayed - failing

    asyncio.run(scenario())
