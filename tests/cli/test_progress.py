"""The display of a command that takes a while: a line per stage, whose total grows as the stage learns of more."""

from __future__ import annotations

import io
import re
import threading

import pytest
from rich.console import Console

from backstop import telemetry
from backstop.cli.progress import shown
from backstop.telemetry import Progress, emit


@pytest.fixture
def console():
    return Console(file=io.StringIO(), width=120, force_terminal=False, color_system=None)


def said(console):
    return console.file.getvalue()


def line(console, stage):
    """Return the last line of a stage: done, total and note."""
    found = re.findall(rf"^{stage}\s.*?(\d+)/(\d+) \S+ ?(.*?)\s*$", said(console), re.MULTILINE)
    return found[-1] if found else None


def test_a_stage_is_a_line_with_what_is_done_of_what_is_known_and_the_last_note(console):
    with shown(console, "slate-refresh 2025-05-02"):
        emit(Progress("pitches", total=2))
        emit(Progress("pitches", done=1, note="2025-04-29"))
        emit(Progress("load", total=1, done=1, note="batch [6]"))
        emit(Progress("pitches", total=3, done=2, note="2025-04-30"))
    assert said(console).splitlines()[0] == "slate-refresh 2025-05-02"
    assert line(console, "pitches") == ("3", "5", "2025-04-30")
    assert line(console, "load") == ("1", "1", "batch [6]")


@pytest.mark.parametrize("note", ["2025-05-02/[/evil]", "[red]x", "a\x1b[2Jb", "two\nlines", "[link=http://x]y[/link]"])
def test_what_a_feed_calls_an_event_is_text_and_neither_markup_nor_orders_to_the_terminal(console, note):
    with shown(console, "fetch [/b]"):
        emit(Progress("events", total=1, done=1, note=note))
    assert said(console).splitlines()[0] == "fetch [/b]"
    assert line(console, "events") == ("1", "1", " ".join(note.replace("\x1b", "\ufffd").split()))


def test_nothing_is_shown_of_what_happens_afterwards(console):
    with shown(console, "fetch"):
        emit(Progress("one", total=1, done=1))
    emit(Progress("two", total=1, done=1))
    assert line(console, "two") is None
    assert all(
        listener.__name__ != "on_progress" for _, listener in telemetry._listeners if hasattr(listener, "__name__")
    )


def test_stages_of_many_threads_are_counted_whole(console):
    def work():
        for _ in range(50):
            emit(Progress("fetch", total=1, done=1, note="x"))

    with shown(console, "many"):
        threads = [threading.Thread(target=work) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert line(console, "fetch")[:2] == ("300", "300")


def test_a_stage_that_fails_leaves_what_was_shown(console):
    def fails():
        with shown(console, "fetch"):
            emit(Progress("pitches", total=9, done=4))
            raise RuntimeError("the feed is down")

    with pytest.raises(RuntimeError, match="the feed is down"):
        fails()
    assert line(console, "pitches")[:2] == ("4", "9")
