"""The command as its user types it: in a folder of its own, with nothing of the developer's settings."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from backstop.cli import main
from backstop.stages.house import House


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def redis_url(embedded_url: str) -> str:
    return embedded_url


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    for name in [name for name in os.environ if name.startswith(("BACKSTOP_", "PREFECT_"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BACKSTOP_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")
    yield monkeypatch
    for key, house in list(House._houses.items()):
        if house.settings.home == tmp_path / "home":
            house.close()
            del House._houses[key]


@pytest.fixture
def store(environment: pytest.MonkeyPatch, redis_url: str) -> House:
    """A house on an empty Redis; the commands of the test read the same one."""
    environment.setenv("BACKSTOP_REDIS_URL", redis_url)
    house = House.current()
    house.redis.flushall()
    return house


@pytest.fixture
def backstop(environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """Run the command within this process, through its real entry point."""

    def run(*arguments: str) -> Ended:
        capsys.readouterr()
        environment.setattr(sys, "argv", ["backstop", *arguments])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        said = capsys.readouterr()
        return Ended(code, said.out, said.err)

    return run


@pytest.fixture
def process(environment: pytest.MonkeyPatch) -> Callable[..., Ended]:
    """Run the command as a process."""

    def run(*arguments: str) -> Ended:
        ended = subprocess.run(
            [sys.executable, "-c", "from backstop.cli import main; main()", *arguments],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    return run
