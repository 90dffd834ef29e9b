"""`make bench`: every benchmark runs and is recorded, one that fails is named and the others go on."""

from __future__ import annotations

import json
import sys

import pytest

from benchmarks import __main__ as runner
from benchmarks.__main__ import Size

GOOD = """
import json, pathlib, sys
record = pathlib.Path(sys.argv[sys.argv.index("--record") + 1])
record.write_text(json.dumps({"arguments": sys.argv[1:]}))
"""
CLAIMS = """
import pathlib
pathlib.Path("renewed").write_text("yes")
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A checkout whose benchmarks are one that ends well, one that fails, one that says nothing and one that hangs."""
    package = tmp_path / "benchmarks"
    package.mkdir()
    programs = {
        "__init__": "", "good": GOOD, "better": GOOD, "claims": CLAIMS,
        "broken": GOOD + "\nraise SystemExit('no such server')", "silent": "", "hanging": "import time; time.sleep(100)",
    }  # fmt: skip
    for name, program in programs.items():
        (package / f"{name}.py").write_text(program)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(runner, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(runner, "MADE", tmp_path / ".bench")
    monkeypatch.setattr(runner, "ON_RECORDINGS", {})
    monkeypatch.setattr(runner.claims, "lost", lambda *_asked: [])
    monkeypatch.setattr(
        runner,
        "MODULES",
        {"broken": Size(), "good": Size(("--large",), ("--rows", "5")), "silent": Size(), "better": Size()},
    )
    return tmp_path


def run(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["benchmarks", *arguments])
    return runner.main()


def arguments_of(path):
    return json.loads(path.read_text())["arguments"]


def test_all_run_one_that_fails_or_records_nothing_is_named_and_the_page_is_renewed(folder, monkeypatch, capfd):
    (folder / "results").mkdir()
    (folder / "results" / "silent.json").write_text("of another day")
    long_ago = 1_000_000_000
    import os

    os.utime(folder / "results" / "silent.json", (long_ago, long_ago))
    assert run(monkeypatch) == 2
    said = capfd.readouterr()
    assert said.err.endswith("failed: broken, silent\n")
    assert "no such server" in said.err
    assert arguments_of(folder / "results" / "good.json")[0] == "--large"
    assert (folder / "results" / "better.json").exists()
    assert (folder / "results" / "silent.json").read_text() == "of another day"
    assert (folder / "renewed").exists()
    assert [line.split(":")[0] for line in said.out.splitlines() if line.endswith(" s")] == [
        "== broken", "== good", "== silent", "== better"
    ]  # fmt: skip


def test_the_smallest_sizes_are_recorded_elsewhere_and_renew_no_page(folder, monkeypatch):
    assert run(monkeypatch, "--small", "good", "better") == 0
    small = folder / ".bench" / "small"
    assert arguments_of(small / "good.json") == ["--rows", "5", "--record", str(small / "good.json")]
    assert arguments_of(small / "better.json") == ["--record", str(small / "better.json")]
    assert not (folder / "renewed").exists()
    assert not (folder / "results").exists()


def test_what_is_asked_for_runs_and_nothing_else(folder, monkeypatch):
    assert run(monkeypatch, "better") == 0
    assert [path.name for path in (folder / "results").iterdir()] == ["better.json"]


def test_a_name_that_is_no_benchmark_is_refused_before_anything_runs(folder, monkeypatch, capfd):
    assert run(monkeypatch, "good", "best") == 2
    assert capfd.readouterr().err == "no such benchmark: best; there are broken, good, silent, better\n"
    assert not (folder / "results").exists()


def test_a_claim_whose_rows_were_not_recorded_is_named_and_counts_as_failed(folder, monkeypatch, capfd):
    asked = []
    monkeypatch.setattr(runner.claims, "lost", lambda *given: asked.append(given) or ["t: no row 'x'"])
    monkeypatch.setitem(runner.MODULES, "good", Size(left_out=("huge",)))
    assert run(monkeypatch, "--small", "good", "broken") == 2
    assert asked == [(["good"], folder / ".bench" / "small", {"huge"})]
    assert capfd.readouterr().err.endswith("failed: broken\na claim without its rows: t: no row 'x'\n")


def test_what_hangs_is_ended_and_named(folder, monkeypatch, capfd):
    monkeypatch.setattr(runner, "MODULES", {"hanging": Size(), "good": Size()})
    monkeypatch.setattr(runner, "LONGEST_S", 3)
    assert run(monkeypatch) == 1
    said = capfd.readouterr().err
    assert "hanging was not over after 3 s" in said
    assert said.endswith("failed: hanging\n")


def test_every_benchmark_of_the_list_is_a_module_with_arguments_that_it_knows():
    for name, size in (runner.MODULES | runner.ON_RECORDINGS).items():
        text = (runner.ROOT / "benchmarks" / f"{name}.py").read_text()
        common = {"--rounds"} if "rounds=" in text else set()
        for each in [*size.full, *size.small]:
            assert not each.startswith("--") or each in common or f'"{each}"' in text, f"{name} {each}"
