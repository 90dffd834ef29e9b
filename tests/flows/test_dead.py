"""Runs that died without a word: which of them are known to be dead, and which are left alone."""

from __future__ import annotations

import datetime as dt
import os

import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.states import Pending, Running

from backstop.lake import lease
from tasks import dead, pages
from tasks.marks import OWNER

pytestmark = pytest.mark.prefect

ELSEWHERE = "another-machine/17/1"


@flow(name="mortal")
def mortal():
    """Is never run; its runs are made."""


@pytest.fixture
def client(prefect_server):
    with get_client(sync_client=True) as client:
        yield client


def run_of(client, state, owner=None, parent=None):
    made = client.create_flow_run(mortal, state=Pending(), parent_task_run_id=parent)
    client.set_flow_run_state(made.id, state, force=True)
    if owner is not None:
        client.update_flow_run_labels(made.id, {OWNER: owner})
    return made.id


def buried(client, run, minutes):
    """Bury what is dead so many minutes from now; return what was said of the run, empty when it was left alone."""
    said = []
    found = dead.bury(client, said.append, dt.datetime.now(dt.UTC) + dt.timedelta(minutes=minutes))
    state = client.read_flow_run(run).state
    assert state.is_crashed() == (run in found)
    name = client.read_flow_run(run).name
    (sentence,) = [each for each in said if each.startswith(f"{name} ")] or [""]
    return sentence.removeprefix(f"{name} is marked as crashed: ").removesuffix(".")


def test_more_dead_runs_than_the_server_tells_at_once_are_all_found(client, monkeypatch):
    monkeypatch.setattr(pages, "PAGE", 2)
    made = {run_of(client, Pending()) for _ in range(5)}
    living = {run_of(client, Running(), lease.owner()) for _ in range(3)}
    found = dead.bury(client, print, dt.datetime.now(dt.UTC) + dt.timedelta(minutes=11))
    assert len(found) == len(set(found))
    assert made <= set(found)
    assert not living & set(found)


@pytest.mark.parametrize(("minutes", "why"), [(9, ""), (11, "it was submitted and never started")])
def test_a_run_that_a_worker_took_and_that_never_began_is_dead_after_ten_minutes(client, minutes, why):
    assert buried(client, run_of(client, Pending()), minutes) == why


def test_a_run_of_this_machine_whose_process_lives_is_never_dead(client):
    assert buried(client, run_of(client, Running(), lease.owner()), 24 * 60) == ""


def test_a_run_of_this_machine_whose_process_is_gone_is_dead_at_once(client):
    host = lease.owner().split("/")[0]
    assert lease.owner().split("/")[1] == str(os.getpid())
    run = run_of(client, Running(), f"{host}/{2**22 + 5}/1")
    assert buried(client, run, 0) == f"its process {host}/{2**22 + 5} is gone"


@pytest.mark.parametrize("state", [Running, Pending])
def test_a_part_that_was_killed_before_it_was_signed_is_dead_with_the_process_of_the_run_above_it(client, state):
    from prefect import task

    @task(name="a day")
    def day():
        """Is never run."""

    mine = lease.owner()
    gone = f"{mine.split('/')[0]}/{2**22 + 5}/1"
    parts = {}
    for owner in (gone, mine, ELSEWHERE):
        above = run_of(client, Running(), owner)
        middle = run_of(client, state(), parent=client.create_task_run(day, above, dynamic_key="0").id)
        parts[owner] = run_of(client, state(), parent=client.create_task_run(day, middle, dynamic_key="0").id)
    assert buried(client, parts[gone], 0) == f"its process {gone.rpartition('/')[0]} is gone"
    assert [client.read_flow_run(parts[owner]).state.is_crashed() for owner in (mine, ELSEWHERE)] == [False, False]


def test_a_run_that_waits_for_another_attempt_does_not_die_with_the_process_of_its_last_one(client):
    host = lease.owner().split("/")[0]
    assert buried(client, run_of(client, Pending(), f"{host}/{2**22 + 5}/1"), 0) == ""


@pytest.mark.parametrize("owner", [ELSEWHERE, None])
@pytest.mark.parametrize(("minutes", "why"), [(9, ""), (11, "nothing was heard of it for 10 minutes")])
def test_a_run_that_cannot_be_looked_at_is_dead_when_it_is_silent_for_ten_minutes(client, owner, minutes, why):
    assert buried(client, run_of(client, Running(), owner), minutes) == why


def test_open_task_runs_of_a_dead_run_are_crashed_with_it_and_ended_ones_stay(client):
    from prefect import task
    from prefect.states import Completed

    @task(name="work")
    def work():
        """Is never run."""

    run = run_of(client, Running(), ELSEWHERE)
    states = {"running": Running(), "done": Completed()}
    made = {}
    for name, state in states.items():
        made[name] = client.create_task_run(work, run, dynamic_key=name, state=state).id
    assert buried(client, run, 11)
    after = {name: client.read_task_run(each).state for name, each in made.items()}
    assert (after["running"].is_crashed(), after["done"].is_completed()) == (True, True)
    assert after["running"].message == "nothing was heard of it for 10 minutes"


def test_who_is_buried_once_is_not_buried_again(client):
    run = run_of(client, Pending())
    assert buried(client, run, 11)
    assert run not in dead.bury(client, print, dt.datetime.now(dt.UTC) + dt.timedelta(minutes=11))
