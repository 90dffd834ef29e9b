"""The state of affairs on the Prefect server: its newest runs, and the deployments that are paused."""

from __future__ import annotations

import os
from typing import Any, Final

import httpx
import stamina

from deployments.busy import LONGEST_WAIT_S, TRIES, is_busy
from deployments.catalog import MANAGED
from tasks.tags import PAUSED

NEWEST: Final = 8
ANSWER_WITHIN_S: Final = 3.0
"""`status` is asked in a hurry, also when the server is what is broken."""


def look() -> tuple[list[dict[str, Any]], list[str], list[str]]:
    """Return the newest runs (name, state, began, took_s), what somebody should look at, and what somebody chose.

    The last two are a sentence each. What a person paused is a choice: what comes of it, such as a slate that is late,
    is told by itself.
    """
    address = os.environ["PREFECT_API_URL"].rstrip("/")
    try:
        with httpx.Client(timeout=ANSWER_WITHIN_S) as client:
            begun = {"start_time": {"is_null_": False}}
            found = _asked(client, address, "flow_runs", limit=NEWEST, sort="START_TIME_DESC", flow_runs=begun)
            return [_about(run) for run in found], *_paused(client, address)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        why = str(error).partition("\n")[0]  # httpx goes on with a link to a dictionary of codes
        return [], [f"The Prefect server at {address} does not answer, so nothing is started: {why}"], []


def _paused(client: httpx.Client, address: str) -> tuple[list[str], list[str]]:
    """Return a sentence for each deployment of ours that is paused: for want of a feed, and by a person."""
    ours = {"tags": {"all_": [MANAGED]}}
    paused = [each for each in _asked(client, address, "deployments", deployments=ours) if each["paused"]]
    if not paused:
        return [], []
    wanted = {"id": {"any_": [each["flow_id"] for each in paused]}}
    names = {each["id"]: each["name"] for each in _asked(client, address, "flows", flows=wanted)}
    named = sorted((f"{names.get(each['flow_id'], '?')}/{each['name']}", PAUSED in each["tags"]) for each in paused)
    until = "is paused until a feed that it needs answers again; `reconcile` resumes it."
    by_hand = "is paused by hand; resume it on its page in the Prefect UI when it is to run again."
    return (
        [f"{name} {until}" for name, is_ours in named if is_ours],
        [f"{name} {by_hand}" for name, is_ours in named if not is_ours],
    )


@stamina.retry(on=is_busy, attempts=TRIES, timeout=ANSWER_WITHIN_S, wait_max=LONGEST_WAIT_S)
def _asked(client: httpx.Client, address: str, what: str, **body: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.post(f"{address}/{what}/filter", json=body).raise_for_status().json()
    return found


def _about(run: dict[str, Any]) -> dict[str, Any]:
    began = run["start_time"]
    return {
        "name": run["name"],
        "state": run["state_name"],
        "began": began[:16].replace("T", " ") if began else None,
        "took_s": run["total_run_time"],
    }
