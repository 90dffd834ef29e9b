"""The smoke run of a release: code 0 when its flow completed in whatever quality, otherwise 1 and the flow's own words."""

from __future__ import annotations

import warnings

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Prefect imports modules that Python has deprecated
    from prefect import flow, settings
    from prefect.states import Completed, Failed

from backstop.errors import DataError
from deployments import smoke

pytestmark = pytest.mark.prefect

HERE = __name__


@flow(name="sings")
def sings(note: str = "la"):
    return Completed(name="Degraded", message=f"{note}, one gap")


@flow(name="chokes")
def chokes():
    raise DataError("Nobody to project: the game has no starters.")


@flow(name="falls")
def falls():
    return 1 / 0


@flow(name="gives-up")
def gives_up():
    return Failed(message="2 days are still to do")


@pytest.fixture(autouse=True)
def _server(prefect_environment):
    told = {
        settings.PREFECT_API_URL: prefect_environment["PREFECT_API_URL"],
        settings.PREFECT_LOGGING_TO_API_ENABLED: False,
        settings.PREFECT_LOGGING_LEVEL: "CRITICAL",
    }
    with settings.temporary_settings(told):
        yield


def test_a_flow_that_completed_with_gaps_lets_the_release_go_on(capsys):
    assert smoke.main([f"{HERE}:sings", "--parameters", '{"note": "do"}']) == 0
    assert capsys.readouterr().out == "sings ended Degraded: do, one gap\n"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("chokes", "Nobody to project: the game has no starters."),
        ("falls", "division by zero"),
        ("gives_up", "2 days are still to do"),
    ],
)
def test_a_flow_that_failed_says_why_in_one_line(capsys, name, said):
    assert smoke.main([f"{HERE}:{name}"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line == f"{name.replace('_', '-')} ended Failed: {said}"


def test_parameters_that_are_no_json_are_a_usage_error(capsys):
    with pytest.raises(SystemExit) as ended:
        smoke.main([f"{HERE}:sings", "--parameters", "{note}"])
    assert ended.value.code == 2
    assert "--parameters" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["flows.nothing:canary"],
            r"'flows.nothing:canary' is no flow (No module named 'flows.nothing'); expected module:f",
        ),
        ([f"{HERE}:HERE"], "is no flow; expected module:flow, such as flows.canary:canary"),
        ([f"{HERE}:hums"], "is no flow; expected"),
        ([HERE], "is no flow; expected"),
        ([":sings"], "is no flow"),
        ([f"{HERE}:sings", "--parameters", "[1]"], "--parameters is [1]; expected a JSON object"),
        ([f"{HERE}:sings", "--parameters", '{"note": "do", "tone": 1}'], "got an unexpected keyword argument 'tone'"),
    ],
)
def test_a_flow_or_a_parameter_that_does_not_exist_is_a_usage_error_and_runs_nothing(capsys, arguments, said):
    with pytest.raises(SystemExit) as ended:
        smoke.main(arguments)
    assert ended.value.code == 2
    told = capsys.readouterr()
    assert said in told.err
    assert told.out == ""


def test_a_value_that_a_parameter_does_not_take_fails_the_run_with_its_name(capsys):
    assert smoke.main([f"{HERE}:sings", "--parameters", '{"note": [1]}']) == 1
    assert "note: Input should be a valid string" in capsys.readouterr().err
