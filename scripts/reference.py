"""Reference pages that are read off the running parts: the HTTP API, its metrics, the deployments and the flows."""

from __future__ import annotations

import ast
import functools
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from backstop.api.app import create_app
from backstop.clock import SystemClock
from backstop.net import meter
from backstop.settings import Settings
from backstop.stages.house import House
from deployments import api, catalog

if TYPE_CHECKING:
    from fastapi import FastAPI
    from prometheus_client.core import Metric

ROOT: Final = Path(__file__).resolve().parents[1]
UNITS: Final = {
    "timestamp_seconds": "Unix time, s",
    "seconds": "s",
    "bytes": "bytes",
    "info": "1",
    "up": "0 or 1",
    "fresh": "0 or 1",
    "open": "0 or 1",
    "pressure": "0, 1 or 2",
}
"""Unit by the end of a metric's name; every other one counts."""

SUFFIX: Final = {"counter": "_total"}
ASIDE: Final = ("dt.", "marks.", "results.", "runs.", "summary.", "tasks.Meter", "tasks.finished", "tasks.report")
"""Calls of flows that are no steps: days, states, what is said at the end."""

MESSAGES: Final = {
    "hello": "first of all: what is served now, the name of the stream, whether messages that were missed follow",
    "ping": "after 10 s without another message; numbers nothing",
    "flip": "another version is served; `delta` says whether a `reprice` follows",
    "reprice": "what changed between the two versions; left out when it is more than half of the slate",
    "freshness": "the slate became stale, or fresh again",
    "feed": "the breaker of a feed moved",
}
"""What each message of the WebSocket means; the types themselves are read from the code."""


def metrics_page() -> Iterator[str]:
    """Every metric of /metrics, and what each counter of the network room means."""
    yield "# Metrics\n"
    yield (
        "What the API process exports at `/metrics` in Prometheus' text format. A histogram is exported as `_bucket`, "
        "`_sum` and `_count`. What has the label `feed` or `slate` is absent until there is something to say of it.\n"
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
    told = _attributes(meter.Counts.__doc__ or "")
    yield "| Name | Unit | Meaning |\n| --- | --- | --- |"
    for _, field, unit in meter.METERS:
        yield f"| `{field}` | {unit} | {cell(told[field])} |"
    yield ""


def api_page() -> Iterator[str]:
    """The HTTP API by the app's own OpenAPI document, and the messages of its WebSocket."""
    document = _app().openapi()
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
    for path, method, told in operations:
        yield from _operation(document, path, method, told, shared)
    yield from _socket()


def deployments_page() -> Iterator[str]:
    """Every deployment of the catalogue."""
    yield "# Deployments\n"
    yield (
        "`backstop deploy` registers these, and removes what it once registered and is no longer here. A run beyond "
        "the limit waits, or is cancelled where the table says so. A deployment is paused while the breaker of a feed "
        "that it needs is open.\n"
    )
    yield "| Deployment | Runs | At once | Queue | Needs |\n| --- | --- | --- | --- | --- |"
    for each in catalog.CATALOG:
        when = f"`{each.schedule.cron}` {each.schedule.timezone}" if each.schedule else "when it is started"
        many = "any number" if each.limit is None else str(each.limit)
        cancelled = ", a run more is cancelled" if each.collision == "CANCEL_NEW" else ""
        feeds = ", ".join(feed.value for feed in each.feeds) or "nothing"
        yield f"| `{each.full_name}` | {when} | {many}{cancelled} | `{each.queue}` | {feeds} |"
    yield ""
    for each in catalog.CATALOG:
        yield f"## {each.full_name}\n\n{each.description}\n\nFlow `{each.flow}`, tags {_code(each.all_tags)}.\n"
    yield "## Queues, limits, variables\n"
    yield "| Queue | Priority | Runs at once | For |\n| --- | --- | --- | --- |"
    for queue in catalog.QUEUES:
        yield f"| `{queue.name}` | {queue.priority} | {queue.limit or 'no limit'} | {cell(queue.description)} |"
    yield ""
    yield "| Name | Kind | Value |\n| --- | --- | --- |"
    for name, value in catalog.LIMITS.items():
        yield f"| `{name}` | global concurrency limit | {value} |"
    for name, value in catalog.VARIABLES.items():
        yield f"| `{name}` | variable, made once | {value} |"
    yield ""


def flows_page() -> Iterator[str]:
    """Every flow: what it does, its parameters, the tasks in the order in which it names them."""
    deployed = {each.flow: each.full_name for each in catalog.CATALOG}
    yield "# Flows\n"
    yield "The code of each is its own best description; a flow is some thirty lines in `flows/`.\n"
    for path in sorted((ROOT / "flows").glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in (each for each in tree.body if isinstance(each, ast.FunctionDef)):
            options = next((found for found in map(_flow_options, node.decorator_list) if found), None)
            if options is not None:
                yield from _flow(path.stem, node, options, deployed)


def cell(text: str) -> str:
    """Return text that stands in a table's cell."""
    return text.replace("|", "\\|").replace("\n", " ")


@functools.lru_cache(maxsize=1)
def _app() -> FastAPI:
    """Return the app over a Redis that nobody asks."""
    home = Path(tempfile.gettempdir(), "backstop-reference")  # nothing is opened, so nothing is written there
    return create_app(api.parts_of(House(Settings(home=home, redis_url="redis://127.0.0.1:1/0"), SystemClock())))


def _families() -> list[Metric]:
    metrics = _app().state.metrics
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
        said.append(f"`{name}`: {_code(document['components']['schemas'][name].get('properties', {}))}")
    if others:
        said.append(f"or {_code(others)}" if said else _code(others))
    return " ".join(said)


def _code(names: Any) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _socket() -> Iterator[str]:
    """The messages, whose types and fields are those of the code that sends them."""
    sent = _message_fields()
    if set(sent) != set(MESSAGES):
        raise ValueError(f"The WebSocket sends {sorted(sent)}, described are {sorted(MESSAGES)}; see MESSAGES.")
    yield "## WebSocket /api/v1/live\n"
    yield (
        "`?slate=DATE` opens the stream of one slate. Every message is a JSON object with `type` and `seq`. Who was "
        "cut off comes back with `since` (the last `seq` that he got) and `stream` (from `hello`) and is given what he "
        "missed, or `resumed: false`: then he reads the slate anew. One who does not take his messages in time is "
        "closed with code 4408.\n"
    )
    yield "| Type | Fields | Meaning |\n| --- | --- | --- |"
    for kind, meaning in MESSAGES.items():
        yield f"| `{kind}` | {_code(sent[kind])} | {meaning} |"
    yield ""


def _message_fields() -> dict[str, list[str]]:
    """Return the fields of each message by its type, from the dictionaries that have one."""
    trees = [
        ast.parse((ROOT / "src" / "backstop" / "api" / name).read_text(encoding="utf-8"))
        for name in ("deltas.py", "live.py", "feeds.py")
    ]
    functions = [each for tree in trees for each in ast.walk(tree) if isinstance(each, _FUNCTIONS)]
    returned = {each.name: _returned(each) for each in functions}
    found: dict[str, list[str]] = {}
    for function in functions:
        named = _named(function, returned)
        for node in (each for each in ast.walk(function) if isinstance(each, ast.Dict)):
            pairs = zip(node.keys, node.values, strict=True)
            kind = next(
                (value.value for key, value in pairs if _is_type(key) and isinstance(value, ast.Constant)), None
            )
            if isinstance(kind, str):
                found[kind] = [field for field in _fields(node, named, returned) if field != "type"]
    return found


_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)
Fields = dict[str, list[str]]


def _is_type(key: ast.expr | None) -> bool:
    return isinstance(key, ast.Constant) and key.value == "type"


def _returned(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    """Return the keys of the dictionary that a function returns; none when it returns something else."""
    named = _named(function, {})
    dicts = [each.value for each in ast.walk(function) if isinstance(each, ast.Return)]
    return next((_fields(each, named, {}) for each in reversed(dicts) if isinstance(each, ast.Dict)), [])


def _named(function: ast.AST, returned: Fields) -> Fields:
    """Return the keys of dictionaries that a function gives a name before it puts them into a message."""
    found: Fields = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found[node.targets[0].id] = _fields(node.value, found, returned)
    return found


def _fields(node: ast.expr, named: Fields, returned: Fields) -> list[str]:
    """Return the keys of a dictionary: written out, known by a name, or returned by a method."""
    if isinstance(node, ast.Name):
        return named.get(node.id, [])
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return returned.get(node.func.attr, [])
    keys: list[str] = []
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            keys += [str(key.value)] if isinstance(key, ast.Constant) else _fields(value, named, returned)
    return keys


def _flow_options(decorator: ast.expr) -> dict[str, str] | None:
    if isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Name) and decorator.func.id == "flow":
        return {each.arg: ast.unparse(each.value) for each in decorator.keywords if each.arg}
    return None


def _flow(module: str, node: ast.FunctionDef, options: dict[str, str], deployed: dict[str, str]) -> Iterator[str]:
    text = ast.get_docstring(node) or ""
    entry = f"flows.{module}.{node.name}"
    yield f"## {ast.literal_eval(options['name'])}\n\n{text.partition('Args:')[0].strip()}\n"
    where = f"deployment `{deployed[entry]}`" if entry in deployed else "no deployment of its own: other flows call it"
    yield f"`{entry}`; {where}.\n"
    told = _attributes(text)
    values = [None] * (len(node.args.args) - len(node.args.defaults)) + list(node.args.defaults)
    if node.args.args:
        yield "| Parameter | Form | Default | Meaning |\n| --- | --- | --- | --- |"
        for each, value in zip(node.args.args, values, strict=True):
            form = ast.unparse(each.annotation) if each.annotation else ""
            usual = "" if value is None else f"`{ast.unparse(value)}`"
            yield f"| `{each.arg}` | `{form}` | {usual} | {cell(told[each.arg])} |"
        yield ""
    yield f"Steps: {_code(_steps(node))}.\n"


def _steps(node: ast.FunctionDef) -> list[str]:
    """Return the calls into `tasks` in the order in which they are made: arguments before what takes them."""
    found: list[str] = []

    def walk(each: ast.AST) -> None:
        for child in ast.iter_child_nodes(each):
            walk(child)
        if (
            isinstance(each, ast.Call)
            and isinstance(each.func, ast.Attribute)
            and isinstance(each.func.value, ast.Name)
        ):
            found.append(ast.unparse(each.func))

    for statement in node.body:
        walk(statement)
    return list(dict.fromkeys(name for name in found if not name.startswith(ASIDE)))


def _attributes(text: str) -> dict[str, str]:
    """Return what a docstring says under `Args:` or `Attributes:`, by name."""
    block = re.split(r"^\s*(?:Args|Attributes):\n", text, maxsplit=1, flags=re.MULTILINE)[-1]
    block = re.split(r"^\s*(?:Returns|Raises|Yields):\n", block, maxsplit=1, flags=re.MULTILINE)[0]
    parts = re.split(r"^\s{4,8}(\w+): ", block, flags=re.MULTILINE)
    return {name: re.sub(r"\s+", " ", told).strip() for name, told in zip(parts[1::2], parts[2::2], strict=True)}
