"""The package as a distribution of its own: built from its folder, it needs nothing of this repository."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "src" / "gx_polars"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built by the backend that the package names, without a network."""
    built = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-P", "-m", "hatchling", "build", "-t", "wheel", "-d", str(built)]
    subprocess.run(command, cwd=FOLDER, check=True, capture_output=True)
    (made,) = built.glob("*.whl")
    return made


def test_the_wheel_holds_every_module_and_nothing_else(wheel: Path) -> None:
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    modules = {f"gx_polars/{path.relative_to(FOLDER)}" for path in FOLDER.rglob("*.py")}
    assert held == modules | {"gx_polars/py.typed"}


def test_the_wheel_carries_its_readme_its_licence_and_its_dependencies(wheel: Path) -> None:
    content = zipfile.ZipFile(wheel)
    (name,) = [each for each in content.namelist() if each.endswith("METADATA")]
    metadata = content.read(name).decode()
    assert "Name: gx-polars" in metadata
    assert "Requires-Dist: great-expectations<1.25,>=1.24" in metadata
    assert "# gx_polars" in metadata
    assert any(each.endswith("licenses/LICENSE") for each in content.namelist())


def test_every_package_that_is_imported_is_a_dependency() -> None:
    declared = tomllib.loads((FOLDER / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    names = {re.split(r"[<>=]", each)[0].replace("-", "_").removeprefix("python_") for each in declared}
    code = "\n".join(path.read_text(encoding="utf-8") for path in FOLDER.rglob("*.py"))
    imported = set(re.findall(r"^(?:from|import) (\w+)", code, flags=re.MULTILINE))
    assert imported - set(sys.stdlib_module_names) - {"gx_polars"} == names


def test_the_wheel_alone_validates(wheel: Path, tmp_path: Path) -> None:
    script = (
        "import gx_polars, polars as pl, great_expectations as gx, great_expectations.expectations as gxe\n"
        "suite = gx.ExpectationSuite('s', expectations=[gxe.ExpectColumnValuesToNotBeNull(column='a')])\n"
        "print(gx_polars.__file__, gx_polars.validate(pl.DataFrame({'a': [None]}), suite).success)\n"
    )
    environment = os.environ | {"PYTHONPATH": str(wheel)}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment, check=True, capture_output=True, text=True
    )
    assert done.stdout.split() == [f"{wheel}/gx_polars/__init__.py", "False"]
