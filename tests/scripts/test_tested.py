"""What failed is tried once more by itself: a fault fails again, an unsteady test is named."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

STEADY = "def test_steady():\n    pass\n"
UNSTEADY = """
from pathlib import Path

def test_unsteady():
    tried = Path(__file__).with_name("tried")
    if not tried.exists():
        tried.touch()
        raise AssertionError("beside others")
"""
FAULTY = "def test_faulty():\n    assert False\n"
MANY = "import pytest\n\n@pytest.mark.parametrize('n', range(4))\ndef test_many(n):\n    assert False\n"


def run(folder, **files):
    """Run these tests in a folder of their own; return the exit code, and what was said."""
    for name, text in files.items():
        (folder / f"test_{name}.py").write_text(text)
    (folder / "pytest.ini").write_text("[pytest]\n")
    program = "import sys; sys.path.insert(0, sys.argv[1]); from scripts import tested; sys.exit(tested.main(['-q']))"
    done = subprocess.run(
        [sys.executable, "-c", program, str(ROOT)], cwd=folder, capture_output=True, text=True, check=False, timeout=240
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    ("files", "code", "tries"),
    [
        ({"steady": STEADY}, 0, 1),
        ({"faulty": FAULTY, "unsteady": UNSTEADY}, 1, 2),
        ({"many": MANY}, 1, 1),
        ({"broken": "import nothing_of_that_name\n"}, 2, 1),
    ],
    ids=lambda each: " and ".join(each) if isinstance(each, dict) else "",
)
def test_a_fault_fails_again_and_too_many_are_not_tried(tmp_path, files, code, tries):
    ended, said = run(tmp_path, **files)
    assert ended == code, said
    assert said.count("Once more, by themselves: ") == tries - 1


def test_what_passes_by_itself_is_named_and_only_that_is_run_again(tmp_path):
    ended, said = run(tmp_path, steady=STEADY, unsteady=UNSTEADY)
    assert ended == 0
    assert "UNSTEADY, to be mended: test_unsteady.py::test_unsteady" in said
    assert "1 failed, 1 passed" in said
    assert "1 passed" in said.partition("Once more, by themselves: ")[2]


def test_what_failed_at_another_time_is_forgotten(tmp_path):
    assert run(tmp_path, faulty=FAULTY)[0] == 1
    (tmp_path / "test_faulty.py").write_text(FAULTY.replace("False", "True"))
    ended, said = run(tmp_path, unsteady=UNSTEADY)
    assert ended == 0
    assert "Once more, by themselves: test_unsteady.py::test_unsteady\n" in said
