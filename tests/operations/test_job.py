"""What a command says of the run that it waited for."""

from __future__ import annotations

import pytest
from prefect.states import Completed

from backstop.errors import BackstopError
from deployments import job


def test_a_completed_run_whose_summary_the_server_did_not_take_is_a_sentence():
    # what the server answers who gives it a final state twice: its own copy, without what the flow returned
    with pytest.raises(BackstopError, match=r"Nothing is lost: .* Its page: http://127\.0\.0\.1/runs/1"):
        job.result(Completed(), "http://127.0.0.1/runs/1")
