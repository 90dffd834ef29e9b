"""Artifacts: sent to the server that the run has, a meter brought up and not made again, a refusal logged and no more."""

from __future__ import annotations

import contextlib
import logging
import uuid

import pytest
from prefect import settings as prefect_settings
from prefect.events.clients import NullEventsClient
from prefect.events.worker import EventsWorker

from tasks import artifacts
from tests.operations.answering import Answering
from tests.operations.waiting import until

RUN, TASK, MADE = (str(uuid.uuid4()) for _ in range(3))
POSTED = ("POST", "/api/artifacts/")


class Within:
    """What Prefect knows of the run that is under way."""

    def __init__(self, id: str | None) -> None:  # noqa: A002 - Prefect's name
        self.id = id


@pytest.fixture
def prefect():
    with Answering() as server:
        server.script["GET", "/api/admin/version"] = (200, "3.8.8")
        server.script[POSTED] = (201, made())
        server.script["PATCH", f"/api/artifacts/{MADE}"] = (204, b"")
        told = {prefect_settings.PREFECT_API_URL: f"{server.url}/api"}
        EventsWorker.set_client_override(NullEventsClient)  # Prefect tells of each artifact as an event, too
        with prefect_settings.temporary_settings(told):
            yield server
        EventsWorker.set_client_override(None)
        artifacts._clients.pop(f"{server.url}/api", None)
        artifacts._meters.clear()


def made():
    at = "2025-06-15T12:00:00Z"
    return {"id": MADE, "created": at, "updated": at, "key": "k", "type": "progress", "data": 1}


@pytest.fixture
def running(monkeypatch):
    monkeypatch.setattr(artifacts, "flow_run", Within(RUN))
    monkeypatch.setattr(artifacts, "task_run", Within(TASK))


def sent(prefect):
    artifacts.flush()
    return [(method, body) for method, path, body in prefect.asked if "artifacts" in path]


def test_outside_of_a_run_there_is_no_page_and_nothing_is_sent(prefect):
    artifacts.markdown("slate-summary", "text", "what it is")
    artifacts.progress("slate-progress", 10.0, "schedule done")
    assert sent(prefect) == []


@pytest.mark.usefixtures("running")
def test_the_lines_to_the_server_are_closed_with_the_process_and_not_left_to_the_interpreter(prefect, monkeypatch):
    at_exit = contextlib.ExitStack()
    monkeypatch.setattr(artifacts, "_open", at_exit)
    artifacts.markdown("slate-summary", "# Slate", "a text")
    assert len(sent(prefect)) == 1
    (line,) = (each._client for each in artifacts._clients.values() if str(each.api_url).startswith(prefect.url))
    assert not line.is_closed
    at_exit.close()
    assert line.is_closed


@pytest.mark.usefixtures("running")
def test_each_kind_arrives_beside_its_run_and_task_in_the_order_in_which_it_was_put(prefect):
    artifacts.markdown("slate-summary", "# Slate", "a text")
    artifacts.table("slate-grade", [{"brier": float("nan"), "market": "hits"}], "rows")
    artifacts.image("slate-calibration", "data:image/png;base64,AA==", "a picture")
    artifacts.link("board", "http://127.0.0.1:8090/", "The board", "an address")
    bodies = [body for _, body in sent(prefect)]
    assert {(body["flow_run_id"], body["task_run_id"]) for body in bodies} == {(RUN, TASK)}
    assert [(body["type"], body["key"], body["data"], body["description"]) for body in bodies] == [
        ("markdown", "slate-summary", "# Slate", "a text"),
        ("table", "slate-grade", '[{"brier":null,"market":"hits"}]', "rows"),
        ("image", "slate-calibration", "data:image/png;base64,AA==", "a picture"),
        ("markdown", "board", "[The board](http://127.0.0.1:8090/)", "an address"),
    ]


@pytest.mark.usefixtures("running")
def test_a_meter_is_made_once_brought_up_and_forgotten_when_it_is_done(prefect):
    for percent in (10.0, 60.0, 100.0, 10.0):
        artifacts.progress("slate-progress", percent, f"{percent} done")
    told = sent(prefect)
    assert [method for method, _ in told] == ["POST", "PATCH", "PATCH", "POST"]
    assert [body["data"] for _, body in told] == [10.0, 60.0, 100.0, 10.0]
    assert len(artifacts._meters) == 1, "the second meter is under way"


@pytest.mark.usefixtures("running")
def test_what_the_server_refuses_is_logged_and_the_run_goes_on(prefect, caplog):
    prefect.script[POSTED] = (422, {"detail": "no such key"})
    with caplog.at_level(logging.WARNING, logger="tasks.artifacts"):
        artifacts.markdown("slate-summary", "text", "refused")
        until(lambda: caplog.text, "the refusal to be logged", 10)
    assert "An artifact could not be sent: Client error '422" in caplog.text
    assert artifacts._pending == set()


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("plain", "plain"),
        ("a | b", r"a \| b"),
        ("two\nlines\tand  more ", "two lines and more"),
        ("\r\n|\u2028x", r"\| x"),
        ("", ""),
    ],
)
def test_a_cell_is_one_line_and_its_bars_are_no_borders(text, cell):
    assert artifacts.cell(text) == cell
