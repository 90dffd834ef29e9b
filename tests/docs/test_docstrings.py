"""Docstrings say what the linter cannot see: the errors that are raised, and the grain of frames."""

from __future__ import annotations

import ast
import functools
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from backstop import errors

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("src/backstop", "src/gx_polars", "flows", "tasks", "expectations", "deployments")
OURS = {
    name: kind for name, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.BackstopError)
}
GRAIN = re.compile(r"\brows?\b|\bcolumns?\b|`(core|out)_\w+`|\b[A-Z]{3,}\b|\bper\b|\bframe\b", re.IGNORECASE)
"""What says how many rows a frame has: rows of something, one per something, or a declared table."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


@functools.cache
def modules(folder: str) -> tuple[tuple[Path, ast.Module], ...]:
    """Return the modules of a folder, parsed."""
    paths = sorted((ROOT / folder).rglob("*.py"))
    return tuple((path, ast.parse(path.read_text(encoding="utf-8"))) for path in paths)


def public(tree: ast.Module) -> Iterator[tuple[str, Function]]:
    """Yield the public functions of a module and the public methods of its public classes."""
    for node in tree.body:
        if isinstance(node, Function) and not node.name.startswith("_"):
            yield node.name, node
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            for each in node.body:
                if isinstance(each, Function) and not each.name.startswith("_"):
                    yield f"{node.name}.{each.name}", each


def functions(*folders: str) -> Iterator[tuple[str, Function]]:
    """Yield every public function of folders with where it stands."""
    for path, tree in (each for folder in folders for each in modules(folder)):
        for name, node in public(tree):
            yield f"{path.relative_to(ROOT)}:{node.lineno} {name}", node


def raised(function: Function) -> set[str]:
    """Return the errors of ours that a function raises itself, outside of functions within it."""
    found: set[str] = set()
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, Function | ast.Lambda | ast.ClassDef):
            continue
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and isinstance(node.exc.func, ast.Name):
            found.add(node.exc.func.id)
        waiting.extend(ast.iter_child_nodes(node))
    return found & set(OURS)


def raised_within(members: dict[str, Function], name: str, seen: frozenset[str] = frozenset()) -> set[str]:
    """Return the errors that leave a function: its own, and those of private ones beside it that it calls."""
    function = members[name]
    found = raised(function)
    called = {callee(node.func) for node in ast.walk(function) if isinstance(node, ast.Call)} & members.keys()
    for each in called - seen - {name}:
        if each.rpartition(".")[2].startswith("_"):
            found |= raised_within(members, each, seen | {name})
    handled = {OURS[word] for word in caught(function) if word in OURS}
    return {each for each in found if not issubclass(OURS[each], tuple(handled))}


def callee(node: ast.expr) -> str:
    """Return what a call names: a function of the module, or `.` and a method of the same object."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"}:
        return f".{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def caught(function: Function) -> set[str]:
    """Return the names of the errors that a function handles or suppresses."""
    kinds = [node.type for node in ast.walk(function) if isinstance(node, ast.ExceptHandler) and node.type]
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "contextlib.suppress":
            kinds += node.args
    return {each.id for kind in kinds for each in ast.walk(kind) if isinstance(each, ast.Name)}


def members_of(tree: ast.Module, owner: str) -> dict[str, Function]:
    """Return the functions of a module by name, and the methods of one of its classes by `.` and name."""
    found = {node.name: node for node in tree.body if isinstance(node, Function)}
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == owner]
    methods = [each for node in classes for each in node.body if isinstance(each, Function)]
    return found | {f".{each.name}": each for each in methods}


def section(text: str, name: str) -> str:
    """Return a section of a docstring, empty when there is none."""
    return text.partition(f"{name}:\n")[2]


def told(text: str) -> set[str]:
    """Return the errors that a docstring names, with those below them in the tree."""
    named = [OURS[word] for word in re.findall(r"\w+", text) if word in OURS]
    return {name for name, kind in OURS.items() if issubclass(kind, tuple(named))}


def test_whoever_raises_an_error_of_ours_says_so():
    # a command's docstring is its help: there every error becomes a sentence and an exit code
    library = [each for each in functions(*FOLDERS) if not each[0].startswith("src/backstop/cli/")]
    silent = [
        f"{where}: {', '.join(sorted(missing))}"
        for where, node in library
        if (missing := raised(node) - told(ast.get_docstring(node) or ""))
    ]
    assert silent == []


def test_whoever_calls_a_private_function_that_raises_an_error_of_ours_says_so():
    silent = []
    for path, tree in (each for folder in FOLDERS for each in modules(folder) if "/cli/" not in str(each[0])):
        for name, node in public(tree):
            owner, _, method = name.rpartition(".")
            members = members_of(tree, owner)
            missing = raised_within(members, f".{method}" if owner else name) - told(ast.get_docstring(node) or "")
            silent += [f"{path.relative_to(ROOT)}:{node.lineno} {name}: {each}" for each in sorted(missing)]
    assert silent == []


def test_whoever_returns_a_frame_says_what_a_row_is():
    frames = re.compile(r"\bpl\.(Data|Lazy)Frame\b")
    silent = [
        where
        for where, node in functions("src/backstop")
        if node.returns is not None
        and frames.search(ast.unparse(node.returns))
        and not GRAIN.search(ast.get_docstring(node) or "")
    ]
    assert silent == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_first_line_of_a_docstring_is_a_sentence(folder):
    wrong = []
    for where, node in functions(folder):
        text = ast.get_docstring(node) or ""
        first = text.partition("\n\n")[0]
        if any("overload" in ast.unparse(each) for each in node.decorator_list):
            continue
        if not re.match(r"[A-Z`]", first) or not first.endswith((".", "?", ":")):
            wrong.append(f"{where}: {first!r}")
    assert wrong == []


def test_a_documented_parameter_exists():
    wrong = []
    for where, node in functions(*FOLDERS):
        told = re.findall(
            r"^    (\w+): ",
            re.split(r"\n(?:Returns|Raises|Yields):", section(ast.get_docstring(node) or "", "Args"))[0],
            re.MULTILINE,
        )
        given = {each.arg for each in [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]}
        given |= {each.arg for each in (node.args.vararg, node.args.kwarg) if each}
        wrong += [f"{where}: {name}" for name in told if name not in given]
    assert wrong == []
