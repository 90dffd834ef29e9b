"""What a worker shares ends with it, whatever its client of Redis does meanwhile."""

from __future__ import annotations

import asyncio

from redis.asyncio import Redis

from backstop.net.link import Link
from tests.net.server import on_loop


@on_loop
async def test_a_link_closes_although_its_work_lost_the_cancellation() -> None:
    began, lost = asyncio.Event(), []

    async def deaf() -> None:
        # as redis-py on Python 3.11, cancelled in the very turn of the loop in which its send ends
        try:
            began.set()
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            lost.append(1)

    link = Link(Redis(), beat_s=0.01)
    link.every_beat(deaf)
    await link.open()
    await began.wait()
    async with asyncio.timeout(30):
        await link.close()
    assert lost
    assert link._tasks == set()


@on_loop
async def test_work_that_failed_before_the_end_does_not_keep_a_link_open() -> None:
    async def failing() -> None:
        raise RuntimeError("not a matter of the link")

    link = Link(Redis(), beat_s=0.01)
    task = link.spawn(failing())
    await asyncio.wait({task})
    async with asyncio.timeout(30):
        await link.close()
    assert str(task.exception()) == "not a matter of the link"
