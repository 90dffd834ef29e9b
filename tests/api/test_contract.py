"""The OpenAPI document against the server: no 5xx, no answer that it does not describe (schemathesis)."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

from backstop.api import examples, generated, models
from backstop.api.app import create_app
from backstop.store import connection, embedded
from tests.api.serving import parts_over, publish, serving

EXAMPLES = 8


@pytest.fixture(scope="module")
def described():
    return create_app(parts_over("redis://127.0.0.1:1/0")).openapi()


@pytest.fixture(scope="module")
def served(tmp_path_factory, frames, quoted, features):
    home = tmp_path_factory.mktemp("contract")
    url = embedded.ensure(home)
    client = connection.connect_url(url)
    games = [
        {"game_pk": pk, "away_team": "AAA", "home_team": "BBB", "start_at": None}
        for pk in features["game_pk"].unique().sort().to_list()
    ]
    for run in ("r1", "r2"):
        publish(client, frames, meta={"quality": "complete", "games": games, "gaps": []}, run_id=run)
    with serving(parts_over(url, quoted)) as api:
        yield schemathesis.openapi.from_url(f"{api.base_url}/openapi.json")
    client.close()
    embedded.stop(home)


@pytest.fixture
def served_version(frames):
    return set(frames["props"]["model_version"])


OPERATIONS = [
    f"{method.upper()} {path}"
    for path, methods in create_app(parts_over("redis://127.0.0.1:1/0")).openapi()["paths"].items()
    for method in methods
]


MODELS = {
    "/api/v1/slates": models.SlateList,
    "/api/v1/slates/{date}": models.Slate,
    "/api/v1/slates/{date}/versions": models.Versions,
    "/api/v1/slates/{date}/diff": models.DiffDocument,
    "/api/v1/players/{player_id}": models.Player,
    "/api/v1/players/{player_id}/features": models.PlayerFeatures,
    "/api/v1/props/{market}/top": models.Top,
    "/api/v1/games/{game_pk}": models.GameProps,
    "/api/v1/grades": models.Grades,
    "/api/v1/optimized/baseball-savant/generate-props": generated.Generated,
    "/api/v1/optimized/baseball-savant/health": models.Health,
    "/health/live": models.Live,
    "/health/ready": models.Health,
    "/health/detailed": models.DetailedHealth,
}


def test_the_examples_name_the_model_that_is_shipped(served_version):
    props = examples.BY_PATH["/api/v1/slates/{date}"][200]["props"]
    assert {each["model_version"] for each in props} == served_version


def test_only_what_has_a_tag_may_be_unchanged(described):
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            of_a_version = "ETag" in operation["responses"]["200"].get("headers", {})
            assert ("304" in operation["responses"]) is of_a_version, (method, path)
    assert "304" in described["paths"]["/api/v1/games/{game_pk}"]["get"]["responses"]


def test_how_a_key_is_sent_is_described(described):
    schemes = described["components"]["securitySchemes"]
    assert schemes["key"] == {"type": "apiKey", "in": "header", "name": "X-API-Key"}
    assert described["paths"]["/api/v1/slates"]["get"]["security"] == [{}, {"key": []}, {"bearer": []}]
    assert "security" not in described["paths"]["/health/live"]["get"]


@pytest.mark.parametrize("path", MODELS)
def test_every_example_is_an_answer_of_its_kind(path):
    MODELS[path].model_validate(examples.BY_PATH[path][200])


def test_every_refusal_is_described_as_a_problem_and_every_json_answer_has_an_example():
    document = create_app(parts_over("redis://127.0.0.1:1/0")).openapi()
    without = {"/api/v1/slates/{date}/board", "/api/v1/optimized/baseball-savant/metrics", "/metrics"}
    for path, methods in document["paths"].items():
        for operation in methods.values():
            assert operation["summary"], path
            for status, response in operation["responses"].items():
                if int(status) >= 400 and path != "/health/ready":
                    assert list(response["content"]) == ["application/problem+json"], (path, status)
            if path not in without:
                assert operation["responses"]["200"]["content"]["application/json"]["example"], path


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["valid", "invalid"])
@pytest.mark.parametrize("name", OPERATIONS)
def test_every_answer_is_one_that_the_document_describes(served, name, mode):
    method, path = name.split()
    operation = served[path][method]

    @settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def answers_as_described(case):
        case.call_and_validate()

    try:
        answers_as_described()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE, "no valid request can be made"
        assert not operation.query and not operation.path_parameters, "there is something that could be wrong"  # noqa: PT018
