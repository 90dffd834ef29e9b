"""Reference pages of the HTTP API, read off the app: its routes, the messages of its WebSocket, its metrics."""

from __future__ import annotations

import dataclasses
import functools
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from backstop.api.answers import ENCODINGS, SMALLEST
from backstop.api.app import create_app
from backstop.api.guard import OPEN_PATHS, PREFLIGHT
from backstop.api.limit import BURST
from backstop.api.live import BROKEN, READERS, TRY_LATER
from backstop.api.responses import HEADERS
from backstop.api.stream import TOO_SLOW
from backstop.clock import SystemClock
from backstop.net import meter
from backstop.settings import Settings
from backstop.stages.house import House
from deployments import api, silence
from scripts.messages import message_fields
from scripts.words import attributes, cell, code

if TYPE_CHECKING:
    from fastapi import FastAPI
    from prometheus_client.core import Metric

UNITS: Final = {
    "timestamp_seconds": "Unix time, s",
    "seconds": "s",
    "bytes": "bytes",
    "info": "1",
    "up": "0 or 1",
    "fresh": "0 or 1",
    "overdue": "0 or 1",
    "short": "0 or 1",
    "open": "0 or 1",
    "pressure": "0, 1 or 2",
}
"""Unit by the end of a metric's name; every other one counts."""

SUFFIX: Final = {"counter": "_total"}

MESSAGES: Final = {
    "hello": "first of all: the version that was told of last, the name of the stream, whether messages that were "
    "missed follow; every other flip that follows is a later one",
    "ping": "after 10 s without another message; numbers nothing",
    "flip": "another version is served; `delta` says whether a `reprice` follows",
    "reprice": "what changed between the two versions: of each changed prop its `prop_id` and the new values, whole "
    "rows that were added, ids of those that are gone; left out when it is more than half of the slate",
    "freshness": "the slate became stale, or fresh again",
    "feed": "the breaker of a feed moved",
}
"""What each message of the WebSocket means; the types themselves are read from the code."""


def metrics_page() -> Iterator[str]:
    """Every metric of /metrics, and what each counter of the network room means."""
    yield "# Metrics\n"
    yield (
        "What the API process exports at `/metrics` in Prometheus' text format. A histogram is exported as `_bucket`, "
        "`_sum` and `_count`. What has the label `feed` or `slate`, or tells what is due, is absent until there is "
        "something to say of it.\n"
    )
    yield "| Metric | Type | Unit | Labels | Meaning |\n| --- | --- | --- | --- | --- |"
    for each in sorted(_families(), key=lambda family: family.name):
        labels = ", ".join(f"`{name}`" for name in _labels(each))
        name = each.name + SUFFIX.get(each.type, "")
        yield f"| `{name}` | {each.type} | {_unit(each.name)} | {labels} | {cell(each.documentation)} |"
    yield ""
    yield "## Counters of the network room\n"
    yield (
        "Counted per feed over all workers, in Redis. `/health/detailed` shows them under `counts` of each feed; "
        "`/metrics` does not export them.\n"
    )
    told = attributes(meter.Counts.__doc__ or "")
    yield "| Name | Unit | Meaning |\n| --- | --- | --- |"
    for field in dataclasses.fields(meter.Counts):
        unit = "bytes" if field.name.endswith("bytes") else "count"
        yield f"| `{field.name}` | {unit} | {cell(told[field.name])} |"
    yield ""


def api_page() -> Iterator[str]:
    """The HTTP API by the app's own OpenAPI document, and the messages of its WebSocket."""
    document = app().openapi()
    operations = [(path, method, told) for path, of in document["paths"].items() for method, told in of.items()]
    shared = set.intersection(*(set(told["responses"]) for _, _, told in operations)) - {"200"}
    yield "# HTTP API\n"
    yield (
        "`backstop serve` answers these; `/docs` is the same to try out, `/openapi.json` the whole description with "
        "types and examples. A refusal is a problem document (RFC 9457): `title`, `detail`, `status` and a kind.\n"
    )
    yield "Any of them may also answer:\n\n| Status | Meaning |\n| --- | --- |"
    first = operations[0][2]["responses"]
    for status in sorted(shared):
        yield f"| {status} | {cell(first[status]['description'])} |"
    yield ""
    yield from _manners()
    for path, method, told in operations:
        yield from _operation(document, path, method, told, shared)
    yield from _socket()


@functools.lru_cache(maxsize=1)
def app() -> FastAPI:
    """Return the app over a Redis that nobody asks."""
    home = Path(tempfile.gettempdir(), "backstop-reference")  # nothing is opened, so nothing is written there
    return create_app(api.parts_of(House(Settings(home=home, redis_url="redis://127.0.0.1:1/0"), SystemClock())))


def _families() -> list[Metric]:
    metrics = app().state.metrics
    metrics.requests.labels("GET", "/", "200")
    metrics.seconds.labels("/")
    return list(metrics.registry.collect())


def _labels(family: Metric) -> list[str]:
    """Return the labels; a family without samples yet tells them all the same."""
    found = {name for sample in family.samples for name in sample.labels} | set(getattr(family, "_labelnames", ()))
    return sorted(found - {"le"})


def _unit(name: str) -> str:
    return next((unit for end, unit in UNITS.items() if name.endswith(f"_{end}")), "count")


def _operation(
    document: dict[str, Any], path: str, method: str, told: dict[str, Any], shared: set[str]
) -> Iterator[str]:
    yield f"## {method.upper()} {path}\n\n{told['description']}\n"
    if told.get("parameters"):
        yield "| Parameter | In | Form | Default | Meaning |\n| --- | --- | --- | --- | --- |"
        for each in told["parameters"]:
            form, default = _form(each["schema"]), each["schema"].get("default")
            usual = "required" if each["required"] else "" if default is None else f"`{default}`"
            yield f"| `{each['name']}` | {each['in']} | {form} | {usual} | {cell(each.get('description', ''))} |"
        yield ""
    yield "| Status | Answer |\n| --- | --- |"
    for status, answer in sorted(told["responses"].items()):
        if status not in shared:
            yield f"| {status} | {_answer(document, answer)} |"
    yield ""


def _form(schema: dict[str, Any]) -> str:
    """Return what a value may be, in a few words."""
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"] if value is not None)
    if "anyOf" in schema:
        return " or ".join(_form(each) for each in schema["anyOf"] if each.get("type") != "null")
    kind = schema.get("format", schema.get("type", "any"))
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        return f"{kind}, {low:,} to {high:,}"
    return f"{kind} `{schema['pattern']}`" if "pattern" in schema else kind


def _answer(document: dict[str, Any], answer: dict[str, Any]) -> str:
    """Return the fields of an answer, or its meaning where it has none."""
    content = answer.get("content", {})
    name = str(content.get("application/json", {}).get("schema", {}).get("$ref", "")).rpartition("/")[2]
    others = [media for media in content if media not in {"application/json", "application/problem+json"}]
    said = [] if answer["description"] in {"Successful Response", "Accepted"} else [cell(answer["description"])]
    if name and name != "ProblemDocument":
        said.append(f"`{name}`: {code(document['components']['schemas'][name].get('properties', {}))}")
    if others:
        said.append(f"or {code(others)}" if said else code(others))
    return " ".join(said)


def _manners() -> Iterator[str]:
    """What holds for every route: headers of a version, pages, keys, pages of other sites."""
    yield "## What holds for all of them\n"
    yield (
        "**A version.** What answers from a slate does so from one version of it and says which, also in a 304:\n\n"
        "| Header | Meaning |\n| --- | --- |"
    )
    for name, header in HEADERS.items():
        yield f"| `{name}` | {cell(header['description'])} |"
    yield (
        "\n`version` asks for a kept one. `next` names the version of its page, so that pages that are read across a "
        "flip belong together; once that version is not kept any more it answers 404 of the kind `no-version`: begin "
        "again.\n\n"
        "**Forms.** Where a route has several, `Accept` (or `format`) says which; what fits none gets JSON. Slates of "
        f"{SMALLEST:,} bytes and more come in {' or '.join(ENCODINGS)}, whichever `Accept-Encoding` likes better. A "
        "whole number is written in digits.\n\n"
        f"**Connections.** One on which no request has come for {silence.REQUEST_S} s is closed; a proxy in front "
        "should give up its idle ones sooner.\n\n"
        f"**Keys.** Where `BACKSTOP_API_KEYS` is set, send one as `X-API-Key` or `Authorization: Bearer`; "
        f"{code(sorted(OPEN_PATHS))} and the board's files need none. **Limits.** `BACKSTOP_API_REQUESTS_PER_S` per "
        f"key, or per address where there is none, {BURST:g} s of it at once; as many wrong keys per address, beyond "
        "which no key of that address is looked at. **Bodies.** No route reads one: parameters go into the address. "
        "**Other sites.** Pages of the origins in `BACKSTOP_API_ORIGINS` may read and ask, with "
        f"{PREFLIGHT['Access-Control-Allow-Headers']}; no other page may POST or listen. A server on loopback, or "
        "one that has `BACKSTOP_API_NAMES`, answers only to these names, to that of `BACKSTOP_API_HOST` "
        "and to `localhost`.\n"
    )


def _socket() -> Iterator[str]:
    """The messages, whose types and fields are those of the code that sends them."""
    sent = message_fields()
    if set(sent) != set(MESSAGES):
        raise ValueError(f"The WebSocket sends {sorted(sent)}, described are {sorted(MESSAGES)}; see MESSAGES.")
    yield "## WebSocket /api/v1/live\n"
    yield (
        "`?slate=DATE` opens the stream of one slate. Every message is a JSON object with `type` and `seq`. Who was "
        "cut off comes back with `since` (the last `seq` that he got) and `stream` (from `hello`) and is given what he "
        "missed, or `resumed: false`: then he reads the slate anew. What is sent to the server means nothing. A "
        "browser sends a key as a subprotocol: `backstop` and `key.` with the key in base64url without padding.\n\n"
        f"It is closed with {TOO_SLOW} when messages are not taken in time, with {TRY_LATER} when {READERS:,} are "
        f"open already, with {BROKEN} when the work on the slate failed: come back after a pause. Before it is opened "
        "it is refused with 401 without a key that is needed, 403 for a page of another site, 422 for a parameter "
        "that cannot be read, 429 by the limit; each with a problem document.\n"
    )
    yield "| Type | Fields | Meaning |\n| --- | --- | --- |"
    for kind, meaning in MESSAGES.items():
        yield f"| `{kind}` | {code(sent[kind])} | {meaning} |"
    yield ""
