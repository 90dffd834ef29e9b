"""Reference pages of what runs: the deployments by the catalogue, the flows by their code."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from deployments import catalog
from scripts.words import attributes, cell, code

ROOT: Final = Path(__file__).resolve().parents[1]
ASIDE: Final = ("dt.", "marks.", "results.", "runs.", "summary.", "tasks.Meter", "tasks.finished", "tasks.report")
"""Calls of flows that are no steps: days, states, what is said at the end."""


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
        yield f"## {each.full_name}\n\n{each.description}\n\nFlow `{each.flow}`, tags {code(each.all_tags)}.\n"
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
    deployed: dict[str, list[str]] = {}
    for each in catalog.CATALOG:
        deployed.setdefault(each.flow, []).append(each.full_name)
    yield "# Flows\n"
    yield "The code of each is its own best description; a flow is some thirty lines in `flows/`.\n"
    for path in sorted((ROOT / "flows").glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in (each for each in tree.body if isinstance(each, ast.FunctionDef)):
            options = next((found for found in map(_flow_options, node.decorator_list) if found), None)
            if options is not None:
                yield from _flow(path.stem, node, options, deployed)


def _flow_options(decorator: ast.expr) -> dict[str, str] | None:
    if isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Name) and decorator.func.id == "flow":
        return {each.arg: ast.unparse(each.value) for each in decorator.keywords if each.arg}
    return None


def _flow(module: str, node: ast.FunctionDef, options: dict[str, str], deployed: dict[str, list[str]]) -> Iterator[str]:
    text = ast.get_docstring(node) or ""
    entry = f"flows.{module}.{node.name}"
    yield f"## {ast.literal_eval(options['name'])}\n\n{text.partition('Args:')[0].strip()}\n"
    where = (
        f"deployment{'s' * (len(deployed[entry]) > 1)} {code(deployed[entry])}"
        if entry in deployed
        else "no deployment of its own: other flows call it"
    )
    yield f"`{entry}`; {where}.\n"
    told = attributes(text)
    values = [None] * (len(node.args.args) - len(node.args.defaults)) + list(node.args.defaults)
    if node.args.args:
        yield "| Parameter | Form | Default | Meaning |\n| --- | --- | --- | --- |"
        for each, value in zip(node.args.args, values, strict=True):
            form = ast.unparse(each.annotation) if each.annotation else ""
            usual = "" if value is None else f"`{ast.unparse(value)}`"
            yield f"| `{each.arg}` | `{form}` | {usual} | {cell(told[each.arg])} |"
        yield ""
    yield f"Steps: {code(_steps(node))}.\n"


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
