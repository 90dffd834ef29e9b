"""Events within the process: who listens hears his kind, once each, from any thread, and nobody after he left."""

from __future__ import annotations

import threading

import pytest

from backstop import telemetry
from backstop.telemetry import Progress, attach, emit, listening


class Heard(list):
    """Keeps what it hears; as a listener it is the same object however often it is named."""

    def __call__(self, event):
        self.append(event)

    def __eq__(self, other):
        return self is other

    __hash__ = object.__hash__


class Storm(Progress):
    """A kind below another."""


@pytest.fixture(autouse=True)
def listeners_as_they_were():
    before = list(telemetry._listeners)
    yield
    telemetry._listeners[:] = before


def test_a_listener_hears_its_kind_and_what_is_below_it():
    progress, texts = Heard(), Heard()
    with listening(progress), listening(texts, str):
        emit(Progress("fetch", total=2))
        emit("a word")
        emit(Storm("fetch", done=1))
        emit(7)
    assert list(progress) == [Progress("fetch", total=2), Storm("fetch", done=1)]
    assert list(texts) == ["a word"]


def test_nothing_is_heard_after_the_block_even_when_it_ends_in_an_error():
    heard = Heard()

    def stage():
        with listening(heard):
            emit(Progress("one"))
            raise ValueError("the stage failed")

    with pytest.raises(ValueError, match="the stage failed"):
        stage()
    emit(Progress("two"))
    assert list(heard) == [Progress("one")]


def test_a_block_within_a_block_hears_twice_and_ends_once():
    heard = Heard()
    with listening(heard):
        with listening(heard):
            emit(Progress("both"))
        emit(Progress("outer"))
    assert [event.stage for event in heard] == ["both", "both", "outer"]


def test_attaching_again_changes_nothing():
    heard = Heard()
    for _ in range(3):
        attach(heard, Progress)
    emit(Progress("fetch"))
    assert list(heard) == [Progress("fetch")]


def test_an_event_without_a_listener_goes_nowhere():
    emit(object())


def test_whoever_listens_may_begin_and_end_listening_while_he_hears():
    heard = Heard()

    def curious(event):
        if event == "first":
            with listening(heard, str):
                emit("second")

    with listening(curious, str):
        emit("first")
    assert list(heard) == ["second"]


def test_threads_that_emit_at_once_are_all_heard():
    heard, ready = Heard(), threading.Barrier(8)

    def work(number):
        ready.wait()
        for step in range(200):
            emit(Progress(f"stage {number}", done=step))

    with listening(heard):
        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(heard) == 1600
    for number in range(8):
        assert [event.done for event in heard if event.stage == f"stage {number}"] == list(range(200))


def test_an_error_of_a_listener_is_the_emitters_to_handle():
    def broken(_event):
        raise RuntimeError("cannot show that")

    with listening(broken), pytest.raises(RuntimeError, match="cannot show that"):
        emit(Progress("fetch"))
