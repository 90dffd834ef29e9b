"""Write the generated pages of the documents: docs/reference/*.md, the data dictionary and the keys.

Run: python -m scripts.pages [--check]

Each page is made from the thing that it describes, so that it cannot say anything else; `--check` says which are not
up to date. What benchmarks recorded is written by `python -m benchmarks.claims`.
"""

from __future__ import annotations

import datetime as dt
import html
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import typer
import typer.cli
import typer.main

from backstop import errors
from backstop.cli.main import app
from backstop.settings import Settings
from expectations import features, games, pitches, players, props, quotes
from scripts import api_pages, dictionary, flow_pages, keys
from scripts.words import cell

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "docs" / "reference"
DAY = dt.date(2025, 6, 15)
"""Suites of one day are shown for this one."""

SUITES = (
    (games.games_suite, "the schedule"),
    (players.players_suite, "who plays"),
    (players.box_suite, "box scores"),
    (lambda: pitches.pitches_suite(DAY, 15), f"one day of pitches; here {DAY} with 15 finished games"),
    (lambda: quotes.quotes_suite(DAY), "one slate's prices"),
    (features.features_suite, "features, before they are served"),
    (props.props_suite, "props, before they are served"),
)


def expectations_page() -> Iterator[str]:
    """Every rule of every suite with its reason."""
    yield "# What must be true\n"
    yield (
        "Every table passes its suite of Great Expectations before anything is made of it. A row that breaks a "
        "*critical* rule about rows goes to quarantine with rule and reason; one about the table that is broken blocks "
        "what depends on it; a *warning* is reported and named as a gap.\n"
    )
    for build, about in SUITES:
        suite = build()
        yield f"## {suite.name}\n\n{about[0].upper()}{about[1:]}.\n"
        yield "| Rule | Severity | Why | Expectation |\n| --- | --- | --- | --- |"
        for each in suite.expectations:
            meta = each.meta or {}
            kind = type(each).__name__
            yield f"| {cell(meta['rule'])} | {each.severity.value} | {cell(meta['reason'])} | `{kind}` |"
        yield ""


def settings_page() -> Iterator[str]:
    """Every setting with its default."""
    yield "# Settings\n"
    yield (
        "Environment variables, or lines of a `.env` file in the working directory. Nothing else is read from the "
        "environment. Keys are secrets: they are put on the wire last and reach no log, error or archive.\n"
    )
    yield "| Variable | Default | Meaning |\n| --- | --- | --- |"
    for name, given in Settings.model_fields.items():
        shown = "unset" if given.default is None else f"`{given.default}`"
        yield f"| `BACKSTOP_{name.upper()}` | {shown} | {cell(given.description or '')} |"
    yield ""


def errors_page() -> Iterator[str]:
    """The tree of exceptions."""
    yield "# Errors\n"
    yield "The docstring of `backstop.errors`:\n"
    yield "```text"
    yield (errors.__doc__ or "").strip()
    yield "```\n"
    yield "A command ends with the exit code of the error and its sentence on standard error, never with a traceback.\n"
    yield "| Class | Exit code | Worth another try |\n| --- | --- | --- |"
    ours = [each for each in _below(errors.BackstopError) if each.__module__ == errors.__name__]
    for each in sorted(ours, key=lambda each: each.__name__):
        yield f"| `{each.__name__}` | {each.exit_code} | {'yes' if each.retryable else 'no'} |"
    yield ""


def commands_page() -> Iterator[str]:
    """The command line, as its own help describes it."""
    command = typer.main.get_command(app)
    told: str = typer.cli.get_docs_for_click(obj=command, ctx=typer.Context(command), name="backstop")
    yield "# The command line\n"
    yield html.unescape(told).partition("\n")[2].strip()


def _below(kind: type[errors.BackstopError]) -> set[type[errors.BackstopError]]:
    return {kind}.union(*(_below(each) for each in kind.__subclasses__()))


PAGES: dict[str, Callable[[], Iterator[str]]] = {
    "expectations.md": expectations_page,
    "settings.md": settings_page,
    "errors.md": errors_page,
    "commands.md": commands_page,
    "api.md": api_pages.api_page,
    "metrics.md": api_pages.metrics_page,
    "deployments.md": flow_pages.deployments_page,
    "flows.md": flow_pages.flows_page,
    "../data-dictionary.md": dictionary.page,
    "../keys.md": lambda: iter([keys.page()]),
}


def text(name: str) -> str:
    """Return the text that a page must have."""
    return "\n".join(PAGES[name]()).rstrip() + "\n"


def main() -> int:
    """Write the pages, or with `--check` name those that are not up to date."""
    REFERENCE.mkdir(parents=True, exist_ok=True)
    if "--check" not in sys.argv[1:]:
        for name in PAGES:
            (REFERENCE / name).write_text(text(name), encoding="utf-8")
        return 0
    old = [name for name in PAGES if not _is(REFERENCE / name, text(name))]
    if old:
        print(f"not up to date: {', '.join(old)}; run python -m scripts.pages", file=sys.stderr)
    return 1 if old else 0


def _is(path: Path, expected: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == expected


if __name__ == "__main__":
    sys.exit(main())
