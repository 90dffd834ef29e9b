"""The folder of a socket whose home has too long a path: there while its server lives, and no longer."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import tempfile
import threading
from pathlib import Path

import pytest

from backstop.errors import ConfigurationError
from backstop.store import embedded, socket_folder
from backstop.store.connection import connect_url
from backstop.store.process import socket_of

LONG = Path("a" * 60, "b" * 60)


@pytest.fixture
def temporary(monkeypatch, tmp_path):
    """A temporary folder of our own, whose path leaves room for a socket; pytest's is elsewhere."""
    with tempfile.TemporaryDirectory() as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


@pytest.fixture
def home(temporary, tmp_path):
    yield tmp_path / LONG
    embedded.stop(tmp_path / LONG)


def killed(home):
    """End a home's server as the system would when memory is short."""
    pid = int((home / "pid").read_text())
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def folder(temporary, name="gone"):
    made = temporary / f"{socket_folder.prefix()}{name}"
    made.mkdir(mode=0o700)
    return made


def test_the_folder_ends_with_the_server_and_the_data_stay(home, temporary):
    for run in range(2):
        with contextlib.closing(connect_url(embedded.ensure(home))) as client:
            assert client.incr("runs") == run + 1
        assert [each.name for each in temporary.iterdir()] == [socket_of(home).parent.name]
        assert embedded.stop(home)
        assert list(temporary.iterdir()) == []


def test_a_stop_after_a_kill_removes_what_the_server_could_not(home, temporary):
    embedded.ensure(home)
    killed(home)
    assert socket_of(home).exists()
    assert not embedded.stop(home)
    assert list(temporary.iterdir()) == []


def test_the_next_start_removes_what_is_left_of_a_home_that_is_gone(home, temporary, tmp_path):
    embedded.ensure(home)
    killed(home)
    shutil.rmtree(home)
    folder(temporary)
    short = temporary / "home"
    embedded.ensure(short)
    assert [each.name for each in temporary.iterdir()] == ["home"]
    assert embedded.stop(short)


def test_a_home_that_is_its_own_folder_is_left_whole_by_a_stop(temporary):
    home = temporary / "home"
    embedded.ensure(home)
    assert embedded.stop(home)
    assert (home / "appendonlydir").is_dir()


def opened(at):
    at.mkdir()
    (at / "a letter").touch()  # an empty one is swept away
    at.chmod(0o755)


def given_away(at):
    at.mkdir(mode=0o700)
    (at / "a letter").touch()
    try:
        os.chown(at, os.getuid() + 1, -1)
    except PermissionError:
        pytest.skip("only root may give a folder away")


def linked(at):
    at.symlink_to(at.parent)


@pytest.mark.parametrize(
    ("made", "seen"),
    [(opened, r"drwxr-xr-x of user \d+"), (given_away, r"drwx------ of user \d+"), (linked, r"lrwxrwxrwx of user \d+")],
)
def test_a_folder_that_somebody_else_may_have_made_or_may_open_holds_no_socket(home, temporary, made, seen):
    made(socket_of(home).parent)
    with pytest.raises(ConfigurationError, match=rf"nobody else may open, .* it is {seen}\. Remove it"):
        embedded.ensure(home)
    assert not socket_of(home).exists()
    assert not (home / "pid").exists()


def test_what_is_in_use_or_anothers_is_left(temporary):
    used, full, linked = folder(temporary, "used"), folder(temporary, "full"), temporary / "elsewhere"
    linked.mkdir()
    (temporary / f"{socket_folder.prefix()}link").symlink_to(linked)
    (full / "a letter").touch()
    before = {each.name for each in temporary.iterdir()}
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(used / "s"))
        listening.listen(0)
        for _ in range(3):
            # the first look fills its queue: it is busy then, not dead
            socket_folder.sweep()
        assert {each.name for each in temporary.iterdir()} == before
        assert (used / "s").exists()
    socket_folder.sweep()
    assert {each.name for each in temporary.iterdir()} == before - {used.name}


def test_a_folder_is_never_removed_between_its_making_and_the_bind(temporary):
    """One starts and ends servers while two others sweep."""
    over, at = threading.Event(), temporary / f"{socket_folder.prefix()}busy"

    def sweeping():
        while not over.is_set():
            socket_folder.sweep()

    sweepers = [threading.Thread(target=sweeping) for _ in range(2)]
    for each in sweepers:
        each.start()
    try:
        for _ in range(300):
            with socket.socket(socket.AF_UNIX) as server:
                with socket_folder.kept(at):
                    (at / "s").unlink(missing_ok=True)
                    server.bind(str(at / "s"))
                    server.listen()
                assert (at / "s").exists()
    finally:
        over.set()
        for each in sweepers:
            each.join()
    socket_folder.sweep()
    assert not at.exists()
