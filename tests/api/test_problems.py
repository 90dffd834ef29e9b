"""Refusals as problem documents: whose fault, when to try again, and nothing of the inside."""

import asyncio
import json
from typing import Annotated

import httpx
import pytest
from fastapi import FastAPI, Query

from backstop import errors
from backstop.api.problems import MEDIA, Problem, handle, problem_of, retry_after


@pytest.mark.parametrize(
    ("error", "status", "kind", "wait"),
    [
        (errors.StoreUnavailable("It is away.", source="redis"), 503, "store-unavailable", "1"),
        (errors.StoreUnavailable("It is away.", source="redis", retry_after_s=2.2), 503, "store-unavailable", "3"),
        (errors.StoreError("It refused."), 503, "store", "5"),
        (errors.IncompleteVersion("Rows are missing."), 503, "store", "5"),
        (errors.UsageError("No such sort."), 422, "usage", None),
        (errors.DataError("Twice there."), 503, "data", "5"),
        (errors.LeaseHeld("Another run.", retry_after_s=61), 503, "backstop", "61"),
    ],
)
def test_each_error_is_told_with_its_status_and_when_to_try_again(error, status, kind, wait):
    told = problem_of(error)
    assert (told.status, told.kind, told.headers.get("Retry-After")) == (status, kind, wait)
    assert json.loads(told.body("/api/v1/x"))["detail"] == error.message


@pytest.mark.parametrize(("seconds", "header"), [(0, "1"), (0.2, "1"), (1, "1"), (1.01, "2"), (3600, "3600")])
def test_a_wait_is_told_in_whole_seconds_and_never_too_short(seconds, header):
    assert retry_after(seconds) == {"Retry-After": header}


def test_a_problem_has_the_members_of_the_standard_and_its_own():
    told = json.loads(Problem(404, "No slate.", kind="no-slate", latest=["2025-06-15"]).body("/api/v1/slates/2025"))
    assert told == {
        "type": "urn:backstop:no-slate",
        "title": "Not Found",
        "status": 404,
        "detail": "No slate.",
        "instance": "/api/v1/slates/2025",
        "latest": ["2025-06-15"],
    }
    assert json.loads(Problem(410, "Gone.").body("/"))["type"] == "about:blank"


def app():
    made = FastAPI()
    handle(made)

    @made.get("/number")
    async def number(n: Annotated[int, Query(ge=1)]) -> int:
        return n

    @made.get("/ours")
    async def ours() -> None:
        raise errors.StoreUnavailable("Redis is away.", source="redis")

    @made.get("/problem")
    async def problem() -> None:
        raise Problem(409, "Another run works.", headers={"X-Run": "r1"})

    @made.get("/unforeseen")
    async def unforeseen() -> None:
        raise ZeroDivisionError("secret=hunter2")

    return made


def ask(path, method="GET"):
    async def run():
        transport = httpx.ASGITransport(app(), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
            return await client.request(method, path)

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("path", "method", "status", "sentence"),
    [
        ("/ours", "GET", 503, "Redis is away."),
        ("/problem", "GET", 409, "Another run works."),
        ("/nothing", "GET", 404, "There is nothing at /nothing; /docs lists what there is."),
        ("/number", "POST", 405, "POST is not possible here; the header Allow lists what is."),
        ("/unforeseen", "GET", 500, "Something failed that was not foreseen; the server's log says what."),
        ("/number?n=0", "GET", 422, "query.n: Input should be greater than or equal to 1 (seen '0')."),
        ("/number", "GET", 422, "query.n: Field required (seen None)."),
    ],
)
def test_every_refusal_is_a_problem_document_in_a_sentence(path, method, status, sentence):
    answer = ask(path, method)
    told = answer.json()
    assert (answer.status_code, answer.headers["content-type"], told["status"]) == (status, MEDIA, status)
    assert told["detail"].endswith(sentence)
    assert told["instance"] == path.partition("?")[0]
    assert answer.headers["cache-control"] == "no-store"
    assert "hunter2" not in answer.text


def test_headers_of_a_refusal_are_sent_and_a_long_value_is_shown_in_part():
    assert ask("/problem").headers["x-run"] == "r1"
    assert ask("/number", "POST").headers["allow"] == "GET, HEAD"
    told = ask("/number?n=" + "9" * 3000 + "x").json()
    (wrong,) = told["errors"]
    assert wrong["where"] == "query.n"
    assert len(wrong["seen"]) == 203
    assert len(told["detail"]) < 400


def test_every_fault_of_a_request_is_named_at_once():
    made = FastAPI()
    handle(made)

    @made.get("/two")
    async def two(n: int, m: int) -> int:
        return n + m

    async def run():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(made), base_url="http://api") as client:
            return await client.get("/two?n=a")

    assert [each["where"] for each in asyncio.run(run()).json()["errors"]] == ["query.n", "query.m"]
