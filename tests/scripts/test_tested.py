"""What failed is tried once more by itself: a fault fails again, an unsteady test is named, nothing else is let through."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

BARE = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_PLUGINS": "xdist.plugin"}
"""Without the other plugins, which take most of a second to import."""

PROGRAM = Path(__file__).resolve().parents[2] / "scripts" / "tested.py"

STEADY = "def test_steady():\n    pass\n"
FIRST = """
from pathlib import Path
import pytest

def is_first():
    tried = Path(__file__).with_name("tried")
    known = tried.exists()
    tried.touch()
    return not known
"""
UNSTEADY = FIRST + "\ndef test_unsteady():\n    assert not is_first()\n"
LEAVES = (
    FIRST + "\n@pytest.fixture\ndef room():\n    yield\n    assert not is_first()\n\ndef test_leaves(room):\n    pass\n"
)
SKIPS = FIRST + "\ndef test_skips():\n    if not is_first():\n        pytest.skip('no server')\n    assert False\n"
RENAMED = (
    FIRST + "\n@pytest.mark.parametrize('n', ['a' if is_first() else 'b'])\ndef test_renamed(n):\n    assert n == 'b'\n"
)
FAULTY = "def test_faulty():\n    assert False\n"
BROKEN = "import nothing_of_that_name\n"
CRASHES = FIRST + "\ndef test_crashes():\n    import os\n    if is_first():\n        os._exit(9)\n"
MANY = "import pytest\n\n@pytest.mark.parametrize('n', range(4))\ndef test_many(n):\n    assert False\n"
AGAIN = "Once more, by themselves: "


def run(folder, *options, **files):
    """Run these tests in a folder of their own; return the exit code, and what was said."""
    for name, text in files.items():
        (folder / f"test_{name}.py").write_text(text)
    (folder / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, PROGRAM, "-q", *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=240, env=BARE)
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    ("files", "code", "again"),
    [
        ({"steady": STEADY}, 0, False),
        ({"steady": STEADY, "unsteady": UNSTEADY}, 0, True),
        ({"leaves": LEAVES}, 0, True),
        ({"faulty": FAULTY, "unsteady": UNSTEADY}, 1, True),
        ({"skips": SKIPS}, 1, True),
        ({"renamed": RENAMED}, 5, True),
        ({"many": MANY}, 1, False),
        ({"broken": BROKEN}, 2, False),
    ],
    ids=lambda each: " and ".join(each) if isinstance(each, dict) else "",
)
def test_only_what_passes_by_itself_is_let_through(tmp_path, files, code, again):
    ended, said = run(tmp_path, **files)
    assert ended == code, said
    assert (AGAIN in said) is again
    assert ("UNSTEADY" in said) is (again and not code)


def test_what_is_let_through_is_named_and_nothing_else_is_run_again(tmp_path):
    _, said = run(tmp_path, steady=STEADY, unsteady=UNSTEADY)
    first, _, second = said.partition(AGAIN)
    assert "1 failed, 1 passed" in first
    assert "1 passed" in second
    assert "UNSTEADY, to be mended: test_unsteady.py::test_unsteady\n" in second


@pytest.mark.parametrize("options", [["-x"], ["--maxfail=2"]])
def test_a_run_that_may_be_cut_short_is_judged_as_it_is(tmp_path, options):
    ended, said = run(tmp_path, *options, unsteady=UNSTEADY)
    assert (ended, AGAIN in said) == (1, False)


@pytest.mark.parametrize(
    ("files", "code", "again"),
    [({"crashes": CRASHES, "steady": STEADY}, 0, True), ({"broken": BROKEN, "unsteady": UNSTEADY}, 1, False)],
    ids=["a worker that dies", "a file that cannot be read"],
)
def test_tests_that_are_spread_over_processes_are_judged_alike(tmp_path, files, code, again):
    ended, said = run(tmp_path, "-n", "2", "--dist", "loadfile", **files)
    assert (ended, AGAIN in said) == (code, again), said
