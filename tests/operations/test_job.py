"""What a command says of the run that it waited for."""

from __future__ import annotations

import pytest
from prefect.states import Cancelled, Completed, Crashed, Failed, Paused, Pending, Running, Suspended  # fmt: skip

from backstop.errors import BackstopError, ConfigurationError, LeaseHeld, RateLimited
from deployments import job
from tests.tasks.states import failed

PAGE = "http://127.0.0.1/runs/1"


def test_a_completed_run_whose_summary_the_server_did_not_take_is_a_sentence():
    # what the server answers who gives it a final state twice: its own copy, without what the flow returned
    with pytest.raises(BackstopError, match=r"Nothing is lost: .* Its page: http://127\.0\.0\.1/runs/1"):
        job.result(Completed(), PAGE)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ConfigurationError("BACKSTOP_HOME is a file.", source="home"), ConfigurationError),
        (RateLimited("Savant asks for a pause.", source="savant", retry_after_s=90.0), RateLimited),
        (LeaseHeld("Another run works on it."), LeaseHeld),
    ],
)
def test_an_error_of_ours_keeps_its_class_its_source_and_its_pause(error, kind):
    with pytest.raises(kind) as raised:
        job.result(failed(error), PAGE)
    assert type(raised.value) is kind
    assert raised.value.message == f"The run failed: {error.message} Its page: {PAGE}"
    assert (raised.value.source, raised.value.retry_after_s) == (error.source, error.retry_after_s)
    assert raised.value.exit_code == kind.exit_code


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (failed(ZeroDivisionError("division by zero")), "The run failed: ZeroDivisionError: division by zero "),
        (Failed(message="2 days are still to do"), "The run failed: FailedRun: 2 days are still to do "),
        (Crashed(message="its process is gone"), "The run failed: CrashedRun: its process is gone "),
        (Cancelled(), "The run failed: CancelledRun: Run cancelled. "),
        (Running(), "The run has not ended, it is Running. "),
        (Pending(), "The run has not ended, it is Pending. "),
        (Paused(), "The run has not ended, it is Paused. "),
        (Suspended(), "The run has not ended, it is Suspended. "),
    ],
)
def test_whatever_else_a_run_came_to_is_one_sentence_with_its_page(state, said):
    with pytest.raises(BackstopError) as raised:
        job.result(state, PAGE)
    assert type(raised.value) is BackstopError
    assert raised.value.message == f"{said}Its page: {PAGE}"


def test_a_run_that_completed_gives_back_what_its_flow_returned():
    assert job.result(Completed(data={"rows": 3}), PAGE) == {"rows": 3}
