"""Who runs and what is said: names of runs, sentences of failures, answers in pages, the runner that a setting names."""

from __future__ import annotations

import datetime as dt
import sys
import uuid

import pytest
from prefect.states import Cancelled, Completed, Crashed, Failed, Pending, Running
from prefect.task_runners import ThreadPoolTaskRunner

from backstop.clock import baseball_day
from backstop.errors import ConfigurationError, UpstreamUnavailable
from backstop.settings import Settings
from backstop.stages.outcome import Gap, Outcome
from tasks import pages, runner, runs
from tasks.results import sentence_of
from tests.tasks.states import failed


class Within:
    """What Prefect knows of the run that is under way."""

    def __init__(self, **known):
        self.id, self.parameters, self.scheduled_start_time = None, {}, None
        vars(self).update(known)


@pytest.fixture
def within(monkeypatch):
    def run(**known):
        monkeypatch.setattr(runs, "flow_run", Within(**known))

    return run


LATE_EVENING = dt.datetime(2025, 7, 1, 2, 0, tzinfo=dt.UTC)
"""Ten in the evening of 30 June in New York."""


def test_a_run_works_for_the_day_for_which_it_was_scheduled_however_late_it_starts(within):
    within(scheduled_start_time=LATE_EVENING)
    assert (runs.today(), runs.yesterday()) == (dt.date(2025, 6, 30), dt.date(2025, 6, 29))
    within()
    before = baseball_day(dt.datetime.now(dt.UTC))
    assert before <= runs.today() <= baseball_day(dt.datetime.now(dt.UTC))


@pytest.mark.parametrize(
    ("name", "given", "by_parameter", "by_itself"),
    [
        (runs.slate_name, "day", "slate 2025-04-04", "slate 2025-06-30"),
        (runs.prices_name, "day", "prices 2025-04-04", "prices 2025-06-30"),
        (runs.grade_name, "day", "grade 2025-04-04", "grade 2025-06-29"),
        (runs.history_name, "until", "history before 2025-04-04", "history before 2025-06-30"),
    ],
)
def test_a_run_is_named_after_the_day_it_works_for(within, name, given, by_parameter, by_itself):
    within(parameters={given: dt.date(2025, 4, 4)})
    assert name() == by_parameter
    within(parameters={given: None}, scheduled_start_time=LATE_EVENING)
    assert name() == by_itself


def test_a_run_has_one_id_and_outside_of_one_each_call_has_its_own(within):
    within(id="a-run")
    assert runs.run_id() == runs.run_id() == "a-run"
    within()
    assert uuid.UUID(runs.run_id()) != uuid.UUID(runs.run_id())


def test_a_tables_outcome_is_said_with_its_notes_and_what_somebody_should_read(monkeypatch):
    said, read = [], []
    monkeypatch.setattr(runs, "say", said.append)
    monkeypatch.setattr(runs, "warn", read.append)
    outcome = Outcome(
        "core_quotes", rows_in=1_203, loaded=1_200, quarantined=3, notes=("two names",), drift=("a", "b"),
        gaps=(Gap("core_quotes", "an event", "not fetched"),),
    )  # fmt: skip
    assert runs.report(outcome, "Quotes") is outcome
    assert said == [
        "Quotes: 1,203 rows in, 1,200 loaded, 3 quarantined, 0 in failed batches.", "Quotes: two names."
    ]  # fmt: skip
    assert read == ["core_quotes an event: not fetched", "Quotes: columns drifted: a; b"]
    said.clear()
    runs.report(Outcome("core_box"), "Box scores")
    assert (said, len(read)) == (["Box scores: 0 rows in, 0 loaded, 0 quarantined, 0 in failed batches."], 2)


def test_outside_of_a_run_nobody_listens_and_nothing_is_raised():
    runs.say("a sentence")
    runs.warn("a sentence")


# what went wrong


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        (failed(UpstreamUnavailable("Savant does not answer.", source="savant")), "Savant does not answer."),
        (failed(KeyError("game_pk")), "KeyError: 'game_pk'"),
        (failed(ValueError("")), "ValueError: "),
        (Failed(message="2 days are left"), "FailedRun: 2 days are left"),
        (Crashed(message="its process is gone"), "CrashedRun: its process is gone"),
        (Cancelled(), "CancelledRun: Run cancelled."),
        (Completed(data=1, message="done"), "done"),
        (Completed(data=1), "Completed"),
        (Running(), "Running"),
        (Pending(message="waits for an input"), "waits for an input"),
    ],
)
def test_a_state_says_what_went_wrong_in_one_sentence(state, sentence):
    assert sentence_of(state) == sentence


# answers in pages


@pytest.mark.parametrize(("rows", "questions"), [(0, 1), (2, 1), (3, 2), (7, 3)])
def test_every_page_is_asked_for_until_one_is_not_full(monkeypatch, rows, questions):
    monkeypatch.setattr(pages, "PAGE", 3)
    asked = []

    def read(*, limit, offset, of):
        asked.append((limit, offset, of))
        return list(range(rows))[offset : offset + limit]

    assert pages.every(read, of="runs") == list(range(rows))
    assert asked == [(3, 3 * number, "runs") for number in range(questions)]


# where mapped tasks run


def settings(task_runner, **more):
    return Settings(_env_file=None, task_runner=task_runner, **more)


def test_threads_of_the_flows_process_are_what_runs_tasks_where_nothing_else_is_said():
    chosen = runner.chosen(Settings(_env_file=None))
    assert isinstance(chosen, ThreadPoolTaskRunner)
    assert chosen._max_workers == runner.THREADS


def test_a_cluster_of_processes_is_told_how_many_and_shares_its_requests_by_redis():
    chosen = runner.chosen(settings("dask:3", redis_url="redis://127.0.0.1:1/0"))
    assert chosen.cluster_kwargs == {
        "n_workers": 3, "threads_per_worker": runner.THREADS_PER_PROCESS, "processes": True, "dashboard_address": None
    }  # fmt: skip


def test_a_cluster_that_runs_already_is_joined_at_its_address():
    chosen = runner.chosen(settings("dask:tcp://10.0.0.4:8786", redis_url="redis://127.0.0.1:1/0"))
    assert chosen.address == "tcp://10.0.0.4:8786"


def test_a_cluster_without_a_redis_that_all_reach_is_refused():
    with pytest.raises(ConfigurationError, match=r"is dask:3, whose processes .* Set BACKSTOP_REDIS_URL"):
        runner.chosen(settings("dask:3"))


def test_a_cluster_without_its_package_is_refused_with_the_name_of_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "prefect_dask.task_runners", None)
    with pytest.raises(
        ConfigurationError, match=r"is dask:3, but the extra `dask` is not installed; install backstop\[dask\]"
    ):
        runner.chosen(settings("dask:3", redis_url="redis://127.0.0.1:1/0"))


@pytest.mark.parametrize(
    "wrong", ["dask", "dask:", "dask:0", "dask:-1", "dask:1000", "thread", "dask:http://h:1", "dask:tcp://h"]
)
def test_a_runner_that_there_is_none_of_is_refused_as_a_setting(wrong):
    with pytest.raises(ValueError, match="task_runner"):
        settings(wrong)
