"""Stand-ins for functions of the whole process: threads that others left running must not meet them."""

import os
import re
import threading
from pathlib import Path

import pytest

from tests.here import only_here

TESTS = Path(__file__).parent
SHARED = r"asyncio|importlib|metadata|os|os\.path|random|shutil|signal|socket|subprocess|threading|time|uuid"
PATCHED = re.compile(rf"\bsetattr\(\s*(?:\w+\.)*(?:{SHARED}),|\bsetattr\(\s*\"(?:\w+\.)*(?:{SHARED})\.")


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
        ('patch.setattr("backstop.lake.files.os.fsync", full)', True),
        ('patch.setattr(os.path, "exists", never)', True),
        ('monkeypatch.setattr(\n        signal, "raise_signal", press)', True),
        ('monkeypatch.setattr(spread, "time", SimpleNamespace(sleep=press))', False),
        ('only_here(monkeypatch, os, "fsync", full)', False),
        ('monkeypatch.setattr(clock.timer, "sleep", press)', False),
    ],
)
def test_the_search_below_tells_the_process_from_the_module_under_test(line, found):
    assert bool(PATCHED.search(line)) is found


def test_no_test_stands_in_for_a_function_that_other_threads_call():
    texts = {path: path.read_text("utf-8") for path in TESTS.rglob("*.py") if path != Path(__file__)}
    found = [
        f"{path.relative_to(TESTS)}:{text.count(chr(10), 0, match.start()) + 1}"
        for path, text in texts.items()
        for match in PATCHED.finditer(text)
    ]
    assert found == [], "use only_here of tests/here.py, or replace the name in the module under test"
