"""The API's forced refresh against a Prefect server that holds the catalogue."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest
from prefect import settings as prefect_settings
from prefect.client.orchestration import get_client
from prefect.states import Completed, Crashed, State

from backstop.api.parts import Run
from backstop.errors import UpstreamUnavailable
from backstop.store import embedded
from deployments import apply as applying
from deployments.api import PrefectRefresher
from tests.api.serving import parts_over, serving
from tests.flows.league import EARLY

pytestmark = pytest.mark.prefect

AT = "/api/v1/optimized/baseball-savant/generate-props"


@pytest.fixture(scope="module")
def api_url(prefect_server, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("refresher"))
        asyncio.run(applying.apply())
    return prefect_settings.PREFECT_API_URL.value()


@pytest.fixture(scope="module")
def api(api_url, tmp_path_factory):
    home = tmp_path_factory.mktemp("redis")
    try:
        with serving(parts_over(embedded.ensure(home), refresher=PrefectRefresher(api_url))) as client:
            yield client
    finally:
        embedded.stop(home)


def forced(api, key, **more):
    query = {"date": str(EARLY), "force_refresh": True, **more}
    return api.post(AT, params=query, headers={} if key is None else {"Idempotency-Key": key})


async def run_of(run_id):
    async with get_client() as client:
        return await client.read_flow_run(UUID(run_id))


async def end(run_id, state: State):
    async with get_client() as client:
        await client.set_flow_run_state(UUID(run_id), state, force=True)


def test_a_forced_refresh_is_a_run_of_the_deployment_with_its_day_and_page(api, api_url):
    answer = forced(api, None)
    assert answer.status_code == 202
    told = answer.json()
    run = asyncio.run(run_of(told["id"]))
    assert run.parameters == {"day": str(EARLY)}
    assert run.idempotency_key == told["idempotency_key"]
    assert told["state"] == "scheduled"
    assert told["url"] == answer.headers["location"] == f"{api_url.removesuffix('/api')}/runs/flow-run/{run.id}"
    assert forced(api, None).json()["id"] == told["id"]


def test_one_key_is_one_run_and_another_key_another(api):
    first, again, other = (forced(api, key).json()["id"] for key in ("a", "a", "b"))
    assert first == again != other


def test_a_run_that_takes_longer_than_the_caller_waits_is_left_to_itself(api):
    answer = forced(api, "long", wait_s=0.2)
    assert (answer.status_code, answer.json()["state"]) == (202, "scheduled")


def test_a_run_that_ended_is_not_started_again_and_its_slate_is_looked_for(api):
    asyncio.run(end(forced(api, "good").json()["id"], Completed()))
    answer = forced(api, "good", wait_s=30)
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:backstop:no-slate")


def test_a_run_that_crashed_is_said_with_its_page(api):
    run_id = forced(api, "bad").json()["id"]
    asyncio.run(end(run_id, Crashed()))
    answer = forced(api, "bad", wait_s=30)
    assert answer.status_code == 503
    assert "crashed" in answer.json()["detail"]
    assert run_id in answer.json()["detail"]


def test_a_run_whose_server_stops_answering_is_what_it_was_when_it_was_last_seen():
    run = Run("7c698dab-fceb-4f03-8ac2-d829e4a45396", "http://page", "running", over=False, good=False)

    async def waited():
        refresher = PrefectRefresher("http://127.0.0.1:9/api")
        try:
            return await refresher.wait(run, 0.2)
        finally:
            await refresher.close()

    assert asyncio.run(waited()) == run


def test_a_server_that_lacks_the_deployment_or_is_gone_is_a_sentence(api_url):
    async def seen(url):
        refresher = PrefectRefresher(url)
        try:
            with pytest.raises(UpstreamUnavailable) as caught:
                await refresher.start(EARLY, "k")
        finally:
            await refresher.close()
        return str(caught.value)

    assert "backstop deploy" in asyncio.run(seen(f"{api_url}/nowhere"))
    assert "PREFECT_API_URL" in asyncio.run(seen("http://127.0.0.1:9/api"))
