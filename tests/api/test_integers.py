"""Whole numbers in paths and queries: digits, and nothing that only reads like a number."""

from __future__ import annotations

import asyncio
from urllib.parse import quote

import httpx
import pytest

from backstop.api.app import create_app
from tests.api.serving import DAY, parts_over

APP = create_app(parts_over("redis://127.0.0.1:1/0"))
VALUES = {"date": str(DAY), "market": "all", "player_id": "1", "game_pk": "1"}
SPELLINGS = ("7.0", "7.", "1_0", " 7", "7 ", "+7", "7e0", "0x7", "٧", "7\n", "--7", "-", "true")
INTEGER = "Input should be a valid integer, unable to parse string as an integer"


def is_whole(schema):
    return "integer" in {each.get("type") for each in schema.get("anyOf", [schema])}


WHOLE = [
    (method, path, each["in"], each["name"])
    for path, methods in APP.openapi()["paths"].items()
    for method, operation in methods.items()
    for each in operation.get("parameters", [])
    if is_whole(each["schema"])
]


def ask(method, path, where, name, values):
    """Return the answers to several values of a parameter."""

    async def run():
        transport = httpx.ASGITransport(APP)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            addresses = [path.format_map(VALUES | ({name: quote(each)} if where == "path" else {})) for each in values]
            asked = [{name: each} if where == "query" else None for each in values]
            return [await client.request(method, at, params=each) for at, each in zip(addresses, asked, strict=True)]

    return zip(values, asyncio.run(run()), strict=True)


def test_every_kind_of_whole_number_is_found():
    names = {name for *_, name in WHOLE}
    assert names == {
        "player_id", "game_pk", "player", "version", "limit", "offset", "from", "to", "days", "max_players",
    }  # fmt: skip
    assert len(WHOLE) >= 16


@pytest.mark.parametrize(("method", "path", "where", "name"), WHOLE)
def test_another_spelling_of_a_number_is_refused_and_not_taken_for_it(method, path, where, name):
    for written, answer in ask(method, path, where, name, SPELLINGS):
        assert (answer.status_code, answer.json().get("errors")) == (
            422,
            [{"where": f"{where}.{name}", "what": INTEGER, "seen": repr(written)}],
        )
