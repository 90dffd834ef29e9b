"""The walk-through of docs/operations.md as far as it can be checked without carrying it out."""

from __future__ import annotations

import re
import subprocess

import typer

from backstop.cli.main import app
from deployments.catalog import CATALOG
from tests.operations.checkout import ROOT
from tests.operations.walk import PAGE, commands, script


def test_the_page_holds_every_part_of_the_walk():
    said = "\n".join(commands(PAGE.read_text()))
    for part in ("deploy.sh development", "backfill", "quarantine replay", "backstop rollback", "--rollback"):
        assert part in said


def test_its_commands_are_a_script_that_a_shell_reads():
    subprocess.run(["bash", "-n", "-c", script(PAGE.read_text())], check=True)


def test_every_command_and_deployment_that_it_names_exists():
    known = set(typer.main.get_command(app).commands)
    said = commands(PAGE.read_text())
    named = {found[1] for each in said if (found := re.match(r"backstop ([a-z]+)", each))}
    assert named
    assert named <= known
    deployments = {each.full_name for each in CATALOG}
    assert {found for each in said for found in re.findall(r"deployment run (\S+)", each)} <= deployments


def test_what_it_edits_is_there_to_be_edited():
    for before, path in re.findall(r"sed -i 's/(?:\^)?(.+?)/.*' (\S+)", "\n".join(commands(PAGE.read_text()))):
        assert before in (ROOT / path).read_text(), f"{path} does not hold {before}"
