"""One server per append-only file: a server that does not answer for a while is waited for, never given a second one."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from backstop.errors import StoreError, StoreUnavailable
from backstop.store import embedded, process
from backstop.store.connection import connect_url
from tests.store.servers import wait_for


@pytest.fixture
def home(tmp_path):
    yield tmp_path / "redis"
    embedded.stop(tmp_path / "redis")


@contextlib.contextmanager
def impatient():
    """Wait for servers that do not answer for a moment only; those that live may be slow on a busy machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process, "ANSWER_S", 0.1)
        patch.setattr(embedded, "START_S", 0.3)
        yield


def servers(home: Path) -> list[int]:
    """Processes that listen on a home's socket, or are about to."""
    mark = os.fsencode(process.socket_of(home))
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdecimal() and mark in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
    return found


@contextlib.contextmanager
def halted(pid: int):
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_a_server_that_is_halted_gets_no_second_one_and_keeps_what_was_acknowledged(home):
    with contextlib.closing(connect_url(embedded.ensure(home))) as client:
        client.set("kept", "yes")
        first = client.info("server")["process_id"]
        with halted(first), impatient():
            with pytest.raises(StoreUnavailable, match=rf"process {first}\) runs and did not answer.*Try again"):
                embedded.ensure(home)
            assert servers(home) == [first]
        embedded.ensure(home)
        assert servers(home) == [first]
        assert client.get("kept") == b"yes"


def test_a_supervisor_leaves_a_halted_server_alone(home, monkeypatch):
    looks = []
    revive = embedded._revive
    monkeypatch.setattr(embedded, "_revive", lambda home: (revive(home), looks.append(servers(home))))
    with embedded.supervised(home, every_s=0.01) as url, contextlib.closing(connect_url(url)) as client:
        first = client.info("server")["process_id"]
        with halted(first), impatient():
            wait_for(lambda: len(looks) >= 3)
        assert {tuple(each) for each in looks} == {(first,)}
        client.set("kept", "yes")
    assert servers(home) == [first]


def script(folder: Path, text: str) -> Path:
    """A program that does something first and becomes the server then."""
    path = folder / "server"
    server = embedded.find_server()
    path.write_text(f'#!/bin/sh\n{text}\nexec {shlex.quote(str(server))} "$@"\n')
    path.chmod(0o755)
    return path


def test_a_start_that_takes_long_goes_on_and_the_next_process_finds_it(home, tmp_path):
    gate = tmp_path / "gate"
    os.mkfifo(gate)  # the shell waits by itself: a command of its own would be a second process of that name at first
    slow = script(tmp_path, f"read -r _ < {shlex.quote(str(gate))}")
    with impatient():
        with pytest.raises(StoreUnavailable, match="it loads its data"):
            embedded.ensure(home, server=slow)
        (first,) = servers(home)
        with pytest.raises(StoreUnavailable):
            embedded.ensure(home)
    assert servers(home) == [first]
    gate.write_text("go\n")
    wait_for(lambda: embedded.is_running(home))
    with contextlib.closing(connect_url(embedded.ensure(home))) as client:
        assert client.info("server")["process_id"] == first == int((home / "pid").read_text())
    assert servers(home) == [first]


def test_a_server_that_dies_while_it_is_waited_for_is_started_again(home, monkeypatch):
    with contextlib.closing(connect_url(embedded.ensure(home))) as client:
        client.config_set("appendfsync", "always")  # what is written must be there after the kill
        client.set("kept", "yes")
        first = client.info("server")["process_id"]
    os.kill(first, signal.SIGSTOP)
    monkeypatch.setattr(process, "ANSWER_S", 0.1)
    monkeypatch.setattr(embedded, "START_S", 60)
    killer = threading.Timer(0.3, os.kill, (first, signal.SIGKILL))
    killer.start()
    with contextlib.closing(connect_url(embedded.ensure(home))) as client:
        assert client.get("kept") == b"yes"
    killer.join()
    (second,) = servers(home)
    assert second != first


@pytest.mark.skipif(shutil.which("ps") is None, reason="this machine has no ps")
def test_a_command_line_is_told_by_ps_where_there_is_no_proc(home, monkeypatch):
    embedded.ensure(home)
    (first,) = servers(home)
    here = process.command_of(first)
    monkeypatch.setattr(process, "PROC", home / "none")
    assert process.command_of(first).split() == here.replace(b"\0", b" ").split()
    assert process.pid_of(home) == first
    with subprocess.Popen(["true"]) as over:
        pass
    assert process.command_of(over.pid) == b""


KILLED = """
import os, subprocess, sys
from pathlib import Path
from backstop.store import embedded

class Last(subprocess.Popen):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        os.kill(os.getpid(), 9)

subprocess.Popen = Last
embedded.ensure(Path(sys.argv[1]), server=Path(sys.argv[2]))
"""


@pytest.mark.parametrize("pause", ["0", "0.3"])
def test_whoever_is_killed_right_after_he_started_a_server_leaves_one_that_is_found_and_can_be_stopped(
    home, tmp_path, pause
):
    slow = script(tmp_path, f"sleep {pause}")
    starter = subprocess.run([sys.executable, "-c", KILLED, str(home), str(slow)], check=False, timeout=60)
    assert starter.returncode == -signal.SIGKILL
    with contextlib.closing(connect_url(embedded.ensure(home))) as client:
        assert servers(home) == [client.info("server")["process_id"]]
    assert embedded.stop(home)
    assert servers(home) == []


def test_where_the_disk_is_full_so_that_its_process_id_cannot_be_written_no_server_is_started(home):
    """A limit of no byte a file, which the server's first process inherits."""
    code = (
        "import sys; from pathlib import Path; from backstop.store import embedded; embedded.ensure(Path(sys.argv[1]))"
    )
    limited = ["/bin/sh", "-c", 'ulimit -f 0; exec "$@"', "sh", sys.executable, "-B", "-c", code, str(home)]
    ended = subprocess.run(limited, capture_output=True, text=True, check=False, timeout=60)
    assert "died at its start; the reason is in" in ended.stderr
    assert servers(home) == []
    embedded.ensure(home)
    assert len(servers(home)) == 1


def test_a_server_that_died_at_its_start_leaves_nobody(home):
    with pytest.raises(StoreError, match="died at its start"):
        embedded.ensure(home, server=Path("/bin/false"))
    assert servers(home) == []
    embedded.ensure(home)
    assert len(servers(home)) == 1
