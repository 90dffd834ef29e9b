"""`backstop stop` ends what was left up, also in a shell that was told where the demo league's home is."""

from __future__ import annotations

import subprocess
import sys

import pytest

from backstop.settings import Settings
from deployments import kept, local, services

LEFT = [sys.executable, "-c", "import time; time.sleep(600)", "prefect"]


@pytest.mark.parametrize("told", ["", "demo"])
def test_what_a_deployment_left_up_is_ended_from_either_home(tmp_path, capsys, told):
    services._write(tmp_path, {"home": str(tmp_path / "demo")})
    with subprocess.Popen(LEFT) as left:
        kept.note(tmp_path, [("prefect", left.pid)], None)
        local.stop(Settings(home=tmp_path / told))
        assert left.wait(10) < 0
    assert f"ended prefect (process {left.pid})" in capsys.readouterr().out


def test_a_process_that_only_has_the_noted_id_is_left_alone(tmp_path, capsys):
    with subprocess.Popen([*LEFT[:-1], "somebody else's"]) as other:
        kept.note(tmp_path, [("prefect", other.pid)], None)
        local.stop(Settings(home=tmp_path))
        assert other.poll() is None
        other.kill()
    assert "nothing was left running" in capsys.readouterr().out
