"""What a deployment notes before it begins and turns back afterwards: served versions, the way it is told."""

from __future__ import annotations

import datetime as dt
import json
import signal
import subprocess
import sys

import pytest

from backstop import tables
from backstop.lake.states import State
from backstop.settings import Settings
from backstop.store.slates import Slates
from deployments import healthy, pointers, server
from deployments.release import Release
from deployments.target import Target, name_of, remember, say
from tests.operations.answering import Answering
from tests.operations.publishing import DAY, publish
from tests.operations.waiting import gone, until

NEXT = DAY + dt.timedelta(days=1)


def test_every_served_version_is_noted_and_nothing_where_nothing_is_served(house):
    assert pointers.served(house) == {}
    publish(house, DAY, players=2)
    publish(house, DAY, players=3)
    publish(house, NEXT, players=2)
    assert pointers.served(house) == {DAY: 2, NEXT: 1}


def test_only_slates_that_are_served_otherwise_are_turned_and_are_made_again(house):
    publish(house, DAY, players=2)
    publish(house, NEXT, players=2)
    before = pointers.served(house)
    publish(house, DAY, players=3)
    assert pointers.put_back(house, before) == [f"slate {DAY} is served in version 1 again, not 2"]
    assert pointers.served(house) == before
    assert house.ledger.missing(tables.PROPS.name, [str(DAY), str(NEXT)]) == [str(DAY)]
    assert house.ledger.entry(tables.PROPS.name, str(DAY)).state is State.STALE
    assert pointers.put_back(house, before) == []


def test_a_slate_that_was_first_published_since_stays(house):
    before = pointers.served(house)
    publish(house, DAY, players=2)
    assert pointers.put_back(house, before) == []
    assert pointers.served(house) == {DAY: 1}


def test_a_version_that_is_no_longer_kept_is_named_and_the_others_are_turned_all_the_same(house):
    publish(house, DAY, players=2)
    publish(house, NEXT, players=2)
    publish(house, NEXT, players=3)
    newest = max(each.version for each in Slates(house.redis).versions(NEXT))
    told = pointers.put_back(house, {DAY: 7, NEXT: newest - 1})
    assert told == [
        f"slate {DAY} stays at version 1: version 7 is no longer kept",
        f"slate {NEXT} is served in version {newest - 1} again, not {newest}",
    ]


# how it is told


def test_the_story_is_a_line_per_step_and_the_history_a_line_per_deployment(tmp_path, capsys):
    target = Target("production", tmp_path, Settings(_env_file=None, home=tmp_path / "home"))
    target.releases.root.mkdir(parents=True)
    say("switch", "current is v1")
    remember(target, "v1", "deployed")
    remember(target, "v2", "rolled back")
    assert capsys.readouterr().out == "switch     current is v1\n"
    first, second = map(json.loads, (target.releases.root / "history.jsonl").read_text().splitlines())
    assert dt.datetime.fromisoformat(first.pop("at")).tzinfo == dt.UTC
    assert first == {"release": "v1", "outcome": "deployed", "environment": "production"}
    assert second["outcome"] == "rolled back"
    assert (name_of(None), name_of(Release(tmp_path / "v9"))) == ("none", "v9")


# the health check of a container


@pytest.mark.parametrize(("status", "code"), [(200, 0), (404, 1), (503, 1)])
def test_a_container_is_healthy_when_its_address_answers_200(capsys, status, code):
    with Answering({("GET", "/health/live"): (status, {})}) as answering:
        assert healthy.main([f"{answering.url}/health/live"]) == code
    said = capsys.readouterr().err
    assert (str(status) in said) is bool(code)


@pytest.mark.parametrize(
    "address",
    ["", "https://127.0.0.1:1/", "http://example.com/", "file:///etc/passwd", "http://127.0.0.1.evil.example:80/"],
)
def test_no_other_address_is_asked(capsys, address):
    assert healthy.main([address] if address else []) == 2
    assert capsys.readouterr().err == f"{address!r} is not an http address of this container\n"


@pytest.mark.parametrize("port", ["notaport", "99999", ""])
def test_an_address_that_cannot_be_asked_is_unhealthy_in_one_line(capsys, port):
    assert healthy.main([f"http://127.0.0.1:{port}/"]) in {1, 2}
    assert capsys.readouterr().err.count("\n") == 1


# servers that are children


def test_a_command_under_guard_ends_with_its_own_code_when_it_ends_by_itself():
    command = [sys.executable, "-m", "deployments.guard", sys.executable, "-c", "exit(7)"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as guarded:
        assert guarded.wait(60) == 7


@pytest.mark.parametrize("deaf", [False, True])
def test_a_command_under_guard_ends_when_its_starter_is_gone_whether_it_heeds_an_interrupt_or_not(tmp_path, deaf):
    note = tmp_path / "pid"
    heed = "SIG_IGN" if deaf else "SIG_DFL"
    program = (
        f"import os, pathlib, signal, time; signal.signal(signal.SIGINT, signal.{heed});"
        f"pathlib.Path({str(note)!r}).write_text(str(os.getpid())); time.sleep(60)"
    )
    guard = "import deployments.guard as g, sys; g.END_LIMIT_S = 0.2; sys.exit(g.main(sys.argv[1:]))"
    starter = subprocess.Popen([sys.executable, "-c", guard, sys.executable, "-c", program], stdin=subprocess.PIPE)
    pid = int(until(lambda: note.exists() and note.read_text(), "the command to run"))
    starter.stdin.close()
    assert starter.wait(60) in {-signal.SIGINT, -signal.SIGKILL, 256 - signal.SIGINT, 256 - signal.SIGKILL}
    assert gone(pid)


def test_a_server_that_ends_while_it_starts_is_a_sentence_with_its_log():
    process = subprocess.Popen([sys.executable, "-c", "exit(3)"])
    process.wait()
    starting = server.PrefectServer(f"http://127.0.0.1:{server.free_port()}/api", process)
    with pytest.raises(server.BackstopError, match=r"ended with code 3 while starting; see prefect/server\.log"):
        starting.wait_ready()
    starting.stop()


def test_a_server_that_never_answers_is_given_up_with_its_address(monkeypatch):
    monkeypatch.setattr(server, "START_LIMIT_S", 0.2)
    with pytest.raises(server.BackstopError, match=r"The Prefect server at http://.* did not answer within 0 s"):
        server.at(f"http://127.0.0.1:{server.free_port()}/api").wait_ready()


def test_a_server_that_is_ready_at_the_third_question_is_waited_for():
    with Answering({("GET", "/api/health"): [(503, {}), (503, {}), (200, True)]}) as answering:
        known = server.at(f"{answering.url}/api/")
        known.wait_ready()
        assert known.run_page("an-id") == f"{answering.url}/runs/flow-run/an-id"
        assert len(answering.asked) == 3


def test_a_process_without_a_guard_is_interrupted_and_waited_for():
    process = subprocess.Popen(
        [sys.executable, "-c", "import signal, time; signal.signal(2, signal.SIG_DFL); time.sleep(60)"]
    )
    known = server.PrefectServer("http://127.0.0.1:1/api", process)
    assert known.pid == process.pid
    known.stop()
    assert process.returncode != 0
    known.stop()
