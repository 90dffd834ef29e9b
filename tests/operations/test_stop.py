"""`backstop stop` ends what was left up, also in a shell that was told where the demo league's home is."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from backstop.settings import Settings
from deployments import kept, local, services
from tests.operations.waiting import until


@contextlib.contextmanager
def running(name: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process of this name; for an instant after its start a process has no command line to know it by."""
    with subprocess.Popen([name, "600"], executable=shutil.which("sleep")) as process:
        try:
            until(lambda: kept.runs(name, process.pid), "the process to have a command line")
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("told", ["", "demo"])
def test_what_a_deployment_left_up_is_ended_from_either_home(tmp_path, capsys, told):
    services._write(tmp_path, {"home": str(tmp_path / "demo")})
    with running("prefect") as left:
        kept.note(tmp_path, [("prefect", left.pid)], None)
        local.stop(Settings(home=tmp_path / told))
        assert left.wait(60) < 0
    assert f"ended prefect (process {left.pid})" in capsys.readouterr().out


def test_a_process_that_only_has_the_noted_id_is_left_alone(tmp_path, capsys):
    with running("somebody else's") as other:
        kept.note(tmp_path, [("prefect", other.pid)], None)
        local.stop(Settings(home=tmp_path))
        assert other.poll() is None
    assert "nothing was left running" in capsys.readouterr().out
