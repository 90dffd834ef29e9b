"""Every command, module, target and file that a document names exists."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from backstop.cli.main import app

ROOT = Path(__file__).resolve().parents[2]
GENERATED = ROOT / "docs" / "reference" / "commands.md"
PAGES = [
    path
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"))
    if path != GENERATED and path.name != "CHANGELOG.md"
]
FOLDERS = ("src", "flows", "tasks", "expectations", "deployments", "benchmarks", "tests", "scripts", "docs")
CODE = re.compile(r"^```.*?^```|`[^`\n]+`", re.DOTALL | re.MULTILINE)
UsageError = typer.BadParameter.__bases__[0]
"""What the parser raises of any kind; typer has its own copy of click."""
END = {"|", "||", "&&", ";", "#", ">", "<", "&"}


def code(path: Path) -> Iterator[str]:
    """Yield the lines of code that a page shows, in blocks and in the middle of sentences."""
    for found in CODE.findall(path.read_text(encoding="utf-8")):
        yield from found.strip("`").splitlines()


def calls(program: str) -> list[tuple[str, list[str]]]:
    """Return the calls of a program in all pages: page and words after the program's name."""
    found = []
    for path in PAGES:
        for line in code(path):
            match = re.search(rf"(?:^\s*|\$ |/|[|&] ){program}(?= )(.*)", line)
            if match and not re.search(r"[─│═]", line):
                words = shlex.split(match[1], comments=True) if match[1].count("'") % 2 == 0 else match[1].split()
                stop = next((at for at, word in enumerate(words) if word in END or word.endswith(";")), len(words))
                found.append((f"{path.relative_to(ROOT)}: {line.strip()}", words[:stop]))
    return found


def complaint(words: list[str]) -> str | None:
    """Say what the command line's own parser says of a call, `None` when it would run.

    A name alone (`backstop fetch` in the middle of a sentence) is a mention, whatever arguments the command needs.
    """
    command: Any = typer.main.get_command(app)
    context, rest = None, list(words)
    try:
        while rest:
            context = command.make_context(command.name, rest, parent=context)
            if not hasattr(command, "commands"):
                break
            _, command, rest = command.resolve_command(context, [*context._protected_args, *context.args])
    except typer.Exit:
        return None  # --help
    except UsageError as error:
        return str(error.format_message())
    return None


def test_every_command_that_a_page_names_parses():
    named = calls("backstop")
    assert len(named) > 20
    assert [f"{where}: {wrong}" for where, words in named if (wrong := complaint(words))] == []


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        (["sing"], "No such command 'sing'"),
        (["plan", "--aloud"], "No such option: --aloud"),
        (["fetch", "--again"], "Missing argument 'what'"),
        (["player", "ID"], "Invalid value for 'player_id': Input should be a valid integer"),
        (["redis", "sing"], "No such command 'sing'"),
        (["slate", "2025-06-15", "2025-06-16"], "Got unexpected extra argument(s) (2025-06-16)"),
        (["serve", "--port", "70000"], "Invalid value for '--port': Input should be less than or equal to 65535"),
    ],
)
def test_a_command_that_would_not_run_is_found(words, wrong):
    assert wrong in (complaint(words) or "nothing")


@pytest.mark.parametrize(
    "words", [["fetch"], ["fetch", "--help"], ["redis"], ["quarantine", "list", "--date", "2025-06-15"]]
)
def test_a_command_that_runs_or_is_only_named_is_left_alone(words):
    assert complaint(words) is None


def test_every_module_that_a_page_runs_exists():
    ours = [
        (where, words[1]) for where, words in calls("python") if words[:1] == ["-m"] and words[1].startswith(FOLDERS)
    ]
    places = [(where, ROOT / module.replace(".", "/")) for where, module in ours]
    lost = [
        where for where, place in places if not (place.with_suffix(".py").exists() or (place / "__main__.py").exists())
    ]
    assert ours
    assert lost == []


def test_every_target_that_a_page_makes_exists():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {(where, words[0]) for where, words in calls("make") if words}
    named |= {(str(path), word) for path in PAGES for word in re.findall(r"`make ([a-z-]+)", path.read_text("utf-8"))}
    assert {(where, word) for where, word in named if word not in targets} == set()


def test_every_file_that_a_page_names_exists():
    span = re.compile(rf"`((?:{'|'.join(FOLDERS)})/[\w./-]+)`")
    named = [(path.name, each) for path in PAGES for each in span.findall(path.read_text(encoding="utf-8"))]
    lost = [f"{page}: {each}" for page, each in named if not (ROOT / each).exists()]
    assert named
    assert lost == []
