"""One worker's gate: order, cancellation, pauses, pace; never more inside than the cap."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backstop.errors import RateLimited
from backstop.net.gate import Gate, Pace, Word
from backstop.net.item import Priority
from backstop.net.terms import Terms
from tests.net.server import on_loop, until

CAP = 7


@on_loop
async def test_live_games_go_before_props_before_history() -> None:
    gate = Gate(Terms(cap=1, first_width=1))
    order: list[Priority] = []

    async def visit(priority: Priority) -> None:
        async with gate.visit(priority):
            order.append(priority)
            await asyncio.sleep(0)

    async with gate.visit(Priority.HISTORY):
        asked = [Priority.HISTORY, Priority.PROPS, Priority.LIVE, Priority.HISTORY, Priority.LIVE, Priority.PROPS]
        waiting = [asyncio.ensure_future(visit(priority)) for priority in asked]
        await until(lambda: gate.waiting == 6)
    await asyncio.gather(*waiting)
    assert order == sorted(order, key=lambda priority: ["live", "props", "history"].index(priority.value))


@on_loop
async def test_a_cancelled_request_leaves_its_place_to_the_next() -> None:
    gate = Gate(Terms(cap=1, first_width=1))

    async def visit() -> str:
        async with gate.visit(Priority.LIVE):
            return "in"

    async with gate.visit(Priority.LIVE):
        first, second = asyncio.ensure_future(visit()), asyncio.ensure_future(visit())
        await until(lambda: gate.waiting == 2)
        first.cancel()
    assert await second == "in"
    await asyncio.gather(first, return_exceptions=True)
    assert (gate.in_flight, gate.waiting, gate.wants) == (0, 0, [0, 0, 0])


@on_loop
async def test_a_request_cancelled_in_the_moment_it_is_let_in_gives_the_slot_on() -> None:
    gate = Gate(Terms(cap=1, first_width=1))
    entered = 0

    async def visit() -> None:
        nonlocal entered
        async with gate.visit(Priority.LIVE):
            entered += 1

    async with gate.visit(Priority.LIVE):
        first, second = asyncio.ensure_future(visit()), asyncio.ensure_future(visit())
        await until(lambda: gate.waiting == 2)
    first.cancel()  # its future is set, it has not run yet
    await asyncio.gather(first, second, return_exceptions=True)
    assert entered == 1
    assert gate.in_flight == 0


@given(
    st.lists(
        st.tuples(st.sampled_from(list(Priority)), st.integers(0, 4), st.booleans(), st.sampled_from(list(Word))),
        max_size=60,
    )
)
@settings(max_examples=60, deadline=None)
def test_never_more_than_the_cap_and_everybody_gets_through(
    visits: list[tuple[Priority, int, bool, Word]],
) -> None:
    async def scenario() -> None:
        gate = Gate(Terms(cap=CAP, first_width=3))
        inside = most = through = 0

        async def visit(priority: Priority, yields: int, word: Word) -> None:
            nonlocal inside, most, through
            async with gate.visit(priority) as stay:
                inside += 1
                most = max(most, inside)
                try:
                    for _ in range(yields):
                        await asyncio.sleep(0)
                finally:
                    inside -= 1
                stay.word = word
                through += 1

        tasks = [(asyncio.ensure_future(visit(priority, n, word)), cancel) for priority, n, cancel, word in visits]
        await asyncio.sleep(0)
        for task, cancel in tasks:
            if cancel:
                task.cancel()
        outcomes = await asyncio.gather(*(task for task, _ in tasks), return_exceptions=True)
        assert most <= CAP
        assert gate.in_flight == 0
        assert gate.wants == [0, 0, 0]
        assert through == sum(not isinstance(outcome, BaseException) for outcome in outcomes)
        assert 1 <= gate.width.slots <= CAP

    asyncio.run(scenario())


@on_loop
async def test_a_pause_holds_everybody_and_ends_by_itself() -> None:
    gate = Gate(Terms())
    loop = asyncio.get_running_loop()
    gate.pause(0.1)
    began = loop.time()
    async with gate.visit(Priority.LIVE):
        assert loop.time() - began >= 0.099


@on_loop
async def test_who_has_less_patience_than_a_pause_lasts_is_told_at_once() -> None:
    gate = Gate(Terms(cap=1, first_width=1))

    async def visit(patience_s: float) -> str:
        async with gate.visit(Priority.LIVE, patience_s=patience_s):
            return "in"

    async with gate.visit(Priority.LIVE):
        before = [asyncio.ensure_future(visit(patience_s)) for patience_s in (1, 60)]
        await until(lambda: gate.waiting == 2)
        gate.pause(30)
        with pytest.raises(RateLimited, match="another 30 s") as caught:
            await before[0]
        with pytest.raises(RateLimited):
            await visit(1)
    assert caught.value.retry_after_s == pytest.approx(30, abs=1)
    assert not before[1].done()
    before[1].cancel()
    await asyncio.gather(*before, return_exceptions=True)
    assert gate.wants == [0, 0, 0]


@on_loop
async def test_who_is_turned_away_and_cancelled_in_the_same_moment_gives_no_slot_back() -> None:
    gate = Gate(Terms(cap=1, first_width=1))

    async def visit() -> None:
        async with gate.visit(Priority.LIVE, patience_s=1):
            raise AssertionError("let in during a pause")

    async with gate.visit(Priority.LIVE):
        waiting = asyncio.ensure_future(visit())
        await until(lambda: gate.waiting == 1)
        gate.pause(30)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert gate.in_flight == 1
    assert gate.in_flight == 0


@on_loop
async def test_a_pause_that_is_asked_for_while_a_request_waits_for_its_pace_holds_it_too() -> None:
    gate = Gate(Terms(per_second=10))
    loop = asyncio.get_running_loop()
    started: list[float] = []

    async def visit(patience_s: float) -> None:
        async with gate.visit(Priority.LIVE, patience_s=patience_s):
            started.append(loop.time())

    async with gate.visit(Priority.LIVE):
        pass
    patient, hasty = asyncio.ensure_future(visit(60)), asyncio.ensure_future(visit(0.1))
    await until(lambda: gate.in_flight == 2)
    asked_at = loop.time()
    gate.pause(0.4)
    with pytest.raises(RateLimited, match="The host asked for a pause"):
        await hasty
    await patient
    assert [at - asked_at >= 0.399 for at in started] == [True]
    assert gate.in_flight == 0


@on_loop
async def test_a_request_that_is_tried_again_keeps_its_place() -> None:
    gate = Gate(Terms(cap=1, first_width=1))
    order: list[str] = []

    async def visit(name: str, ticket: int | None = None) -> None:
        async with gate.visit(Priority.HISTORY, ticket=ticket):
            order.append(name)

    first = gate.ticket()
    async with gate.visit(Priority.HISTORY):
        waiting = [asyncio.ensure_future(visit(name)) for name in "abc"]
        await until(lambda: gate.waiting == 3)
        waiting.append(asyncio.ensure_future(visit("again", first)))
        await until(lambda: gate.waiting == 4)
    await asyncio.gather(*waiting)
    assert order == ["again", "a", "b", "c"]


def test_a_pace_lets_the_burst_go_and_spaces_the_rest() -> None:
    pace = Pace(interval_s=1.0, burst=3)
    assert [pace.reserve(100.0) for _ in range(6)] == [0.0, 0.0, 0.0, 1.0, 2.0, 3.0]
    assert pace.reserve(200.0) == 0.0
