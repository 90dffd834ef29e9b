"""Whose process an owner's id names: of another machine, and of another container on the same one, nothing is known."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from backstop.errors import LeaseHeld
from backstop.lake import lease
from tests.here import only_here

HERE = str(Path("/proc/self/ns/pid").readlink()).removeprefix("pid:[").removesuffix("]")
NEVER = 2**22 + 5
"""A process id beyond what Linux gives out."""


def test_an_owner_names_host_process_start_and_the_space_that_its_process_id_is_of():
    host, pid, started, space = lease.owner().split("/")
    assert (host, pid, space) == (socket.gethostname(), str(os.getpid()), HERE)
    assert int(started) > 0
    assert len(lease.owner()) < 255


@pytest.mark.parametrize(
    ("owner", "known", "gone"),
    [
        (f"{socket.gethostname()}/{NEVER}/1/{HERE}", True, True),
        (f"{socket.gethostname()}/{os.getpid()}/1/{HERE}", True, True),  # the id was given out again
        (f"{socket.gethostname()}/{NEVER}/1/4026999999", False, False),  # a container beside this one
        (f"another-machine/{NEVER}/1/{HERE}", False, False),
        (f"{socket.gethostname()}/{NEVER}/1", True, True),  # of a release before, which named no space
        (f"another-machine/{NEVER}/1", False, False),
    ],
    ids=["gone", "given out again", "beside", "elsewhere", "of before", "of before elsewhere"],
)
def test_only_of_processes_that_can_be_seen_from_here_is_known_whether_they_live(owner, known, gone):
    assert (lease.is_known(owner), lease.is_gone(owner)) == (known, gone)


def test_a_living_process_is_known_and_not_gone_and_a_dead_one_is_at_once():
    assert (lease.is_known(lease.owner()), lease.is_gone(lease.owner())) == (True, False)
    code = "from backstop.lake import lease; print(lease.owner())"
    ended = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert lease.is_gone(ended.stdout.strip())


def test_a_lease_of_a_container_beside_this_one_is_not_stolen(ledger, clock, monkeypatch):
    """With the host's network both have one host name, and the other's process id names nobody here."""
    with monkeypatch.context() as beside:
        beside.setattr(lease, "os", SimpleNamespace(getpid=lambda: NEVER))
        beside.setattr(lease, "_space", lambda: "4026999999")
        ledger.begin("t", "k", run_id="r1", lease_s=60)
    with pytest.raises(LeaseHeld, match="being worked on by run r1"):
        ledger.begin("t", "k", run_id="r2")
    clock.advance(61)
    assert ledger.begin("t", "k", run_id="r2").run_id == "r2"


def test_where_the_system_names_no_space_the_host_decides(monkeypatch):
    def unnamed(_):
        raise OSError

    only_here(monkeypatch, Path, "readlink", unnamed)
    assert lease.owner().endswith("/0")
    assert lease.is_gone(f"{socket.gethostname()}/{NEVER}/1/0")
