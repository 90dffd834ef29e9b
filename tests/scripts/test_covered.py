"""Which share of the branches the tests take: counted by room, of a program that this test runs itself."""

from __future__ import annotations

import json
import sys

import pytest
from coverage import Coverage

from scripts import covered
from scripts.covered import Taken, room, rooms


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("src/backstop/net/gate.py", "backstop/net"),
        ("src/backstop/sources/theodds/props.py", "backstop/sources"),
        ("src/backstop/clock.py", "backstop"),
        ("src/gx_polars/conditions/text.py", "gx_polars/conditions"),
        ("flows/slate.py", "flows"),
        ("deployments/server.py", "deployments"),
    ],
)
def test_a_file_belongs_to_its_room(path, name):
    assert room(path) == name


def summary(branches, taken, statements, run):
    return {
        "num_branches": branches, "covered_branches": taken, "num_statements": statements, "covered_lines": run
    }  # fmt: skip


def test_rooms_are_sums_of_their_files_and_what_lies_elsewhere_is_left_out():
    told = {
        "files": {
            "src/backstop/net/gate.py": {"summary": summary(10, 9, 40, 38)},
            "src/backstop/net/archive.py": {"summary": summary(6, 3, 20, 20)},
            "flows/slate.py": {"summary": summary(0, 0, 12, 12)},
            "/elsewhere/src/backstop/net/gate.py": {"summary": summary(10, 0, 40, 0)},
        }
    }
    assert rooms(told) == {"backstop/net": Taken(16, 12, 60, 58), "flows": Taken(0, 0, 12, 12)}
    assert rooms(told)["backstop/net"].percent == 75.0
    assert rooms(told)["flows"].percent == 100.0


PROGRAM = """\
def sign(number):
    if number > 0:
        return "plus"
    if number < 0:
        return "minus"
    return "none"

sign(1)
"""


@pytest.fixture
def data(tmp_path, monkeypatch):
    """What coverage leaves of a program with two decisions, of whose four exits one is taken."""
    folder = tmp_path / "flows"
    folder.mkdir()
    (folder / "signs.py").write_text(PROGRAM)
    (tmp_path / "pyproject.toml").write_text("[tool.coverage.run]\nbranch = true\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(covered, "ROOT", tmp_path)
    known = Coverage(data_file=str(tmp_path / "data"), config_file=str(tmp_path / "pyproject.toml"))
    with known.collect():
        exec(compile(PROGRAM, str(folder / "signs.py"), "exec"), {})  # noqa: S102 - the program of this test
    known.save()
    return tmp_path / "data"


@pytest.mark.skipif(sys.gettrace() is not None, reason="a second tracer inside of one that measures sees nothing")
def test_what_coverage_left_is_read_recorded_and_held_against_the_floor(data, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(covered, "measured", lambda measured=covered.measured: measured(data))
    record = tmp_path / "coverage.json"
    monkeypatch.setattr(sys, "argv", ["covered", "--record", str(record), "--floor", "25"])
    assert covered.main() == 0
    (table,) = json.loads(record.read_text())["tables"]
    assert [(row["name"], row["values"], row["more"]["branches"]) for row in table["rows"]] == [
        ("everything", [25.0], "4"), ("flows", [25.0], "4")
    ]  # fmt: skip
    monkeypatch.setattr(sys, "argv", ["covered", "--floor", "25.5"])
    assert covered.main() == 1
    assert "25.0 % of the branches are taken, the floor is 25.5 %" in capsys.readouterr().err
