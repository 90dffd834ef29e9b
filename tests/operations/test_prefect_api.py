"""What is asked of Prefect's API without its client: the newest runs, a refresh that is started, deployments pinned."""

from __future__ import annotations

import asyncio
import datetime as dt
from pathlib import Path

import pytest
import stamina

from backstop.api.parts import Run
from backstop.errors import BackstopError, UpstreamUnavailable
from deployments import api, pin, runs
from deployments.api import PrefectRefresher
from deployments.pin import Pins
from tests.operations.answering import Answering

DAY = dt.date(2025, 6, 15)
FILTER = ("POST", "/api/flow_runs/filter")
DEPLOYMENTS = ("POST", "/api/deployments/filter")
NAMED = ("GET", "/api/deployments/name/slate-refresh/mlb")
FILTERED = ("POST", "/api/deployments/filter")
POOL = ("GET", "/api/work_pools/backstop")
ID = "7b9c1f0e-0000-4000-8000-000000000001"


@pytest.fixture
def prefect():
    with Answering() as server:
        yield server


@pytest.fixture(autouse=True)
def _quick():
    with stamina.set_testing(True, attempts=3):  # as often as is told, without the pauses
        yield


# the newest runs, for `backstop status`


def told(**changes):
    return {
        "name": "slate 2025-06-15", "state_name": "Completed", "start_time": "2025-06-15T16:05:59.123456Z",
        "total_run_time": 61.5, **changes,
    }  # fmt: skip


@pytest.mark.parametrize("slash", ["", "/"])
def test_the_newest_runs_are_told_by_name_state_and_time(prefect, monkeypatch, slash):
    prefect.script[FILTER] = (200, [told(), told(name="reconcile", start_time=None, total_run_time=0.0)])
    prefect.script[DEPLOYMENTS] = (200, [deployment("canary")])
    monkeypatch.setenv("PREFECT_API_URL", f"{prefect.url}/api{slash}")
    newest, problems, paused = runs.look()
    assert problems == paused == []
    assert newest == [
        {"name": "slate 2025-06-15", "state": "Completed", "began": "2025-06-15 16:05", "took_s": 61.5},
        {"name": "reconcile", "state": "Completed", "began": None, "took_s": 0.0},
    ]
    (_, _, asked), *_ = prefect.asked
    assert asked == {"limit": 8, "sort": "START_TIME_DESC", "flow_runs": {"start_time": {"is_null_": False}}}


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((500, {"detail": "no"}), "500"),
        ((503, {}), "503"),
        ((200, b"<html>the pages, not the API</html>"), "Expecting value"),
        ((404, {}), "404"),
    ],
)
def test_a_server_that_has_no_runs_to_tell_is_a_problem_in_one_line_that_says_why(prefect, monkeypatch, answer, said):
    prefect.script[FILTER] = answer
    monkeypatch.setenv("PREFECT_API_URL", f"{prefect.url}/api")
    newest, (problem,), _ = runs.look()
    assert newest == []
    assert problem.startswith(f"The Prefect server at {prefect.url}/api does not answer, so nothing is started: ")
    assert said in problem
    assert "\n" not in problem


@pytest.mark.parametrize("address", ["http://a..b/api", "http://[::1/api", "nowhere", "ftp://127.0.0.1/api"])
def test_an_address_that_is_none_is_said_and_no_traceback(monkeypatch, address):
    monkeypatch.setenv("PREFECT_API_URL", address)
    newest, (problem,), _ = runs.look()
    assert (newest, problem.startswith(f"The Prefect server at {address} does not answer")) == ([], True)


def deployment(flow, *tags, paused=False):
    return {"name": "mlb", "flow_id": f"id of {flow}", "paused": paused, "tags": ["backstop", *tags]}


def test_a_deployment_that_waits_for_a_feed_is_a_problem_and_one_that_a_person_paused_is_a_choice(prefect, monkeypatch):
    prefect.script[FILTER] = (200, [])
    prefect.script[DEPLOYMENTS] = (
        200,
        [
            deployment("slate-refresh", paused=True),
            deployment("canary"),
            deployment("odds-refresh", "paused-by-breaker", paused=True),
        ],
    )
    flows = [{"id": f"id of {name}", "name": name} for name in ("odds-refresh", "slate-refresh")]
    prefect.script["POST", "/api/flows/filter"] = (200, flows)
    monkeypatch.setenv("PREFECT_API_URL", f"{prefect.url}/api")
    assert runs.look() == (
        [],
        ["odds-refresh/mlb is paused until a feed that it needs answers again; `reconcile` resumes it."],
        [
            "slate-refresh/mlb is paused by hand; resume it on its page in the Prefect UI when it is to run again.",
        ],
    )
    assert [asked for _, _, asked in prefect.asked][1:] == [
        {"deployments": {"tags": {"all_": ["backstop"]}}},
        {"flows": {"id": {"any_": ["id of slate-refresh", "id of odds-refresh"]}}},
    ]


# a refresh that the HTTP API starts


def refreshing(url, act):
    async def acted():
        refresher = PrefectRefresher(f"{url}/api/")
        try:
            return await act(refresher)
        finally:
            await refresher.close()

    return asyncio.run(acted())


def test_a_refresh_is_started_once_by_its_key_with_the_day_it_is_for(prefect):
    prefect.script[NAMED] = (200, {"id": "d1"})
    prefect.script["POST", "/api/deployments/d1/create_flow_run"] = (201, {"id": ID, "state": None})
    run = refreshing(prefect.url, lambda each: each.start(DAY, "a key"))
    assert run == Run(ID, f"{prefect.url}/runs/flow-run/{ID}", "scheduled", over=False, good=False)
    assert prefect.asked[1][2] == {
        "parameters": {"day": "2025-06-15"}, "idempotency_key": "a key", "state": {"type": "SCHEDULED"}
    }  # fmt: skip


@pytest.mark.parametrize(
    ("state", "over", "good"),
    [
        ("COMPLETED", True, True),
        ("FAILED", True, False),
        ("CRASHED", True, False),
        ("CANCELLED", True, False),
        ("RUNNING", False, False),
        ("CANCELLING", False, False),
    ],
)
def test_a_run_is_over_in_a_final_state_and_in_no_other(prefect, state, over, good):
    prefect.script[NAMED] = (200, {"id": "d1"})
    prefect.script["POST", "/api/deployments/d1/create_flow_run"] = (201, {"id": ID, "state": {"type": state}})
    run = refreshing(prefect.url, lambda each: each.start(DAY, "k"))
    assert (run.state, run.over, run.good) == (state.lower(), over, good)


def test_who_waits_is_told_the_end_although_the_server_had_no_time_at_first(prefect, monkeypatch):
    monkeypatch.setattr(api, "POLL_S", 0.01)
    prefect.script["GET", f"/api/flow_runs/{ID}"] = [(503, {}), (200, {"id": ID, "state": {"type": "COMPLETED"}})]
    begun = Run(ID, "", "running", over=False, good=False)
    run = refreshing(prefect.url, lambda each: each.wait(begun, 60))
    assert run.good
    assert prefect.paths() == [f"GET /api/flow_runs/{ID}"] * 2


@pytest.mark.parametrize(
    ("answer", "said", "times"),
    [
        (
            (404, {}),
            r"knows no /deployments/name/slate-refresh/mlb; register the deployments with `backstop deploy`",
            1,
        ),
        ((409, {"detail": "busy"}), r"refused GET /deployments/name/slate-refresh/mlb with 409: .*busy", 1),
        ((503, {"detail": "locked"}), r"refused GET /deployments/name/slate-refresh/mlb with 503: .*locked", 3),
        ((200, b"<html>"), r"is not Prefect's API; check PREFECT_API_URL, which ends in /api", 1),
    ],
)
def test_a_server_that_does_not_start_it_is_a_sentence(prefect, answer, said, times):
    prefect.script[NAMED] = answer
    with pytest.raises(UpstreamUnavailable, match=said) as raised:
        refreshing(prefect.url, lambda each: each.start(DAY, "k"))
    assert (raised.value.source, raised.value.retryable) == ("prefect", True)
    assert len(prefect.asked) == times, "a busy server is asked again"


def test_a_refresh_is_started_although_the_server_was_busy_at_first(prefect):
    started = ("POST", "/api/deployments/d1/create_flow_run")
    prefect.script[NAMED] = [(503, {}), (200, {"id": "d1"})]
    prefect.script[started] = [(503, {}), (503, {}), (201, {"id": ID, "state": {"type": "SCHEDULED"}})]
    assert refreshing(prefect.url, lambda each: each.start(DAY, "k")).id == ID
    assert {body["idempotency_key"] for method, _, body in prefect.asked if method == "POST"} == {"k"}


def test_whoever_asks_for_its_health_is_told_at_once_that_it_is_busy(prefect):
    prefect.script["GET", "/api/health"] = [(503, {}), (200, True)]
    with pytest.raises(UpstreamUnavailable, match=r"refused GET /health with 503"):
        refreshing(prefect.url, lambda each: each.probe())
    assert prefect.paths() == ["GET /api/health"]


def test_the_newest_runs_are_told_although_the_server_was_busy_at_first(prefect, monkeypatch, caplog):
    prefect.script[FILTER] = [(503, {}), (200, [told()])]
    prefect.script[DEPLOYMENTS] = [(503, {}), (200, [])]
    monkeypatch.setenv("PREFECT_API_URL", f"{prefect.url}/api")
    (newest,), problems, paused = runs.look()
    assert (newest["name"], problems, paused) == ("slate 2025-06-15", [], [])
    assert not [each for each in caplog.records if each.levelname == "WARNING"], "nothing to be seen in the terminal"


# deployments that are pinned to a release


def registered(*names, **more):
    return [
        {"id": f"id-{name}", "name": name, "entrypoint": "flows.x", "job_variables": None, **more} for name in names
    ]


def test_every_page_of_deployments_is_asked_for(prefect, monkeypatch):
    monkeypatch.setattr(pin, "PAGE", 2)
    prefect.script[FILTERED] = [(200, registered("a", "b")), (200, registered("c")), (200, [])]
    with Pins(f"{prefect.url}/api/") as pins:
        assert [each["name"] for each in pins.registered()] == ["a", "b", "c"]
    assert [(body["limit"], body["offset"]) for _, _, body in prefect.asked] == [(2, 0), (2, 2), (2, 3)]
    assert {body["work_pools"]["name"]["any_"][0] for _, _, body in prefect.asked} == {"backstop"}


def test_a_pin_names_folder_and_interpreter_and_keeps_what_somebody_set_beside_it(prefect):
    root = Path("/srv/it's here/releases/v1")
    known = {"env": {"OLD": "1"}, "stream_output": True}
    prefect.script[POOL] = (200, {"type": "process"})
    prefect.script[FILTERED] = [(200, registered("mlb", job_variables=known)), (200, [])]
    prefect.script["PATCH", "/api/deployments/id-mlb"] = (204, b"")
    with Pins(f"{prefect.url}/api") as pins:
        assert pins.pin(root, {"BACKSTOP_HOME": "/srv/home"}) == 1
    assert prefect.asked[-1][2] == {
        "job_variables": {
            "stream_output": True,
            "working_dir": str(root),
            "command": """'/srv/it'"'"'s here/releases/v1/.venv/bin/python' -m prefect.engine""",
            "env": {"BACKSTOP_HOME": "/srv/home"},
        }
    }


def test_a_pool_whose_runs_bring_their_own_image_has_nothing_to_pin(prefect):
    prefect.script[POOL] = (200, {"type": "kubernetes"})
    with Pins(f"{prefect.url}/api") as pins:
        assert pins.pin(Path("/srv"), {}) == 0
    assert prefect.paths() == ["GET /api/work_pools/backstop"]


def test_only_deployments_that_were_not_there_before_are_removed_whatever_their_ids(prefect):
    prefect.script[FILTERED] = [(200, registered("mlb", "mlb-part", "new")), (200, [])]
    prefect.script["DELETE", "/api/deployments/id-new"] = (204, b"")
    with Pins(f"{prefect.url}/api") as pins:
        gone = pins.remove_all_but({"flows.x (mlb)", "flows.x (mlb-part)", "flows.x (of long ago)"})
    assert gone == ["flows.x (new)"]
    assert [path for path in prefect.paths() if path.startswith("DELETE")] == ["DELETE /api/deployments/id-new"]


def test_a_busy_server_is_asked_again_and_one_that_stays_busy_or_refuses_is_a_sentence(prefect):
    prefect.script[POOL] = [(503, {}), (503, {}), (200, {"type": "docker"})]
    with Pins(f"{prefect.url}/api") as pins:
        assert pins.pin(Path("/srv"), {}) == 0
        for status, times in ((503, 3), (403, 1)):
            prefect.script[POOL] = (status, {})
            before = len(prefect.asked)
            with pytest.raises(
                BackstopError, match=rf"refused GET /work_pools/backstop \(.*{status}.*\); look at its log"
            ):
                pins.pin(Path("/srv"), {})
            assert len(prefect.asked) - before == times
