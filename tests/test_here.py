"""Stand-ins for functions of the whole process: threads that others left running must not meet them."""

import os
import re
import threading
from pathlib import Path

import pytest

from tests.here import only_here

TESTS = Path(__file__).parent
SHARED = "asyncio|importlib|metadata|os|random|shutil|signal|socket|subprocess|threading|time|uuid"
PATCHED = re.compile(rf"\bsetattr\(\s*(?:\w+\.)*(?:{SHARED}),|\bsetattr\(\s*\"(?:{SHARED})\.")


def test_a_stand_in_is_met_by_its_own_thread_alone_and_until_it_is_taken_back():
    told, real = [], os.cpu_count()
    with pytest.MonkeyPatch.context() as patch:
        only_here(patch, os, "cpu_count", lambda: -1)
        other = threading.Thread(target=lambda: told.append(os.cpu_count()))
        other.start()
        other.join()
        told.append(os.cpu_count())
    assert [*told, os.cpu_count()] == [real, -1, real]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ('monkeypatch.setattr(spread.time, "sleep", press)', True),
        ('monkeypatch.setattr(os, "fsync", full)', True),
        ('patch.setattr("os.fsync", full)', True),
        ('monkeypatch.setattr(spread, "time", SimpleNamespace(sleep=press))', False),
        ('only_here(monkeypatch, os, "fsync", full)', False),
        ('monkeypatch.setattr(clock.timer, "sleep", press)', False),
    ],
)
def test_the_search_below_tells_the_process_from_the_module_under_test(line, found):
    assert bool(PATCHED.search(line)) is found


def test_no_test_stands_in_for_a_function_that_other_threads_call():
    texts = {path: path.read_text("utf-8") for path in TESTS.rglob("*.py") if path != Path(__file__)}
    assert [str(path.relative_to(TESTS)) for path, text in texts.items() if PATCHED.search(text)] == []
