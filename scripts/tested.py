"""Run the tests, and those that failed once more by themselves: python -m scripts.tested [OPTIONS OF PYTEST]

Beside others on a busy machine, one of thousands of tests that drive servers and kill processes may miss what it waits
for. Most faults fail again where nothing runs beside them, and the command with them. What passes then may still be
one, a race or something that another test left: it is named as unsteady and mended like any other, but does not keep a
change from being judged. More than `MOST` are not tried again, nor where a run was cut short or not all was collected.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest

MOST: Final = 3
ONLY: Final = "TESTED_ONLY"
"""Variable that tells the second run which tests to run, as JSON."""


class Seen:
    """What a run saw; a plugin of pytest.

    Args:
        only: Names of the tests to run; all where there are none.

    Attributes:
        failed: Names of tests that failed, in whichever phase.
        whole: Whether all tests were collected and no limit on failures was set.
    """

    def __init__(self, only: Sequence[str] = ()) -> None:
        self.only, self.failed, self.whole = frozenset(only), set[str](), True
        self._passed = set[str]()

    @property
    def passed(self) -> set[str]:
        """Names of tests that passed in every phase; none that was skipped."""
        return self._passed - self.failed

    def pytest_configure(self, config: pytest.Config) -> None:
        self.whole = not config.getoption("maxfail")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self.whole = self.whole and not report.failed

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        if self.only:
            items[:] = [each for each in items if each.nodeid in self.only]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed.add(report.nodeid)
        elif report.passed and report.when == "call":
            self._passed.add(report.nodeid)


def main(options: Sequence[str]) -> int:
    """Run the tests; return pytest's exit code, 0 where every test that failed passed by itself."""
    only = json.loads(os.environ.pop(ONLY, "[]"))
    seen = Seen(only)
    ended = int(pytest.main([*options], plugins=[seen]))
    if only:
        return ended or int(seen.passed != set(only))
    failed = sorted(seen.failed)
    if ended != pytest.ExitCode.TESTS_FAILED or not seen.whole or not 0 < len(failed) <= MOST:
        return ended
    print(f"\nOnce more, by themselves: {', '.join(failed)}", flush=True)
    if again := by_themselves(options, failed):
        return again
    print(f"\nUNSTEADY, to be mended: {', '.join(failed)}", flush=True)
    return 0


def by_themselves(options: Sequence[str], names: Sequence[str]) -> int:
    """Run these tests one after another in a fresh process; return 0 where each of them passed."""
    # -P: the folder of this file is none to import from
    command = [sys.executable, "-P", str(Path(__file__)), *options, "-n", "0"]
    process = subprocess.Popen(command, env={**os.environ, ONLY: json.dumps(names)})
    while True:
        with contextlib.suppress(KeyboardInterrupt):  # it reaches the tests too, which end what they started
            return process.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
