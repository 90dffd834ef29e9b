"""What waits for Prefect's server when a command ends: sent as long as it goes on, given up when it does not."""

from __future__ import annotations

import asyncio
import importlib
import warnings

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Prefect imports modules that Python has deprecated
    services = importlib.import_module("prefect._internal.concurrency.services")

from deployments.server import drain


class Sending(services.QueueService):
    """Sends numbers, each in the seconds that its name says; those of a server that is gone fail."""

    def __init__(self, each_s: float, sent: list[int] | None) -> None:
        super().__init__(each_s, id(sent))
        self.each_s, self.sent = each_s, sent

    async def _handle(self, item: int) -> None:
        await asyncio.sleep(self.each_s)
        if self.sent is None:
            raise ConnectionError("the server is gone")
        self.sent.append(item)

    @classmethod
    def waiting(cls, number: int, each_s: float, sent: list[int] | None) -> Sending:
        made = cls._new_instance(each_s, sent)
        for item in range(number):
            made.send(item)
        return made


def test_what_goes_on_being_sent_is_sent_to_the_end_however_long_it_takes():
    sent: list[int] = []
    Sending.waiting(60, 0.02, sent)
    assert drain(Sending, limit_s=0.3) == 0
    assert sent == list(range(60))


@pytest.mark.parametrize("limits", [{"limit_s": 0.05}, {"limit_s": 0.6, "longest_s": 0.1}], ids=["no progress", "long"])
def test_what_a_server_that_is_gone_would_keep_is_given_up(limits):
    service = Sending.waiting(500, 0.4, None)
    given_up = drain(Sending, **limits)
    service.drain()  # as Prefect does at the interpreter's exit
    assert 490 <= given_up <= 499  # all of them would have taken 200 s
    assert service._queue.qsize() == 0


def test_nothing_is_given_up_where_nothing_waits():
    assert drain(Sending) == 0
