"""Operating: one screen that says whether all is right, a rollback that shows what changed, a backfill's plan."""

from __future__ import annotations

import datetime as dt
import importlib
import json
import socket
import subprocess
import sysconfig
import warnings
from pathlib import Path

import pytest

from backstop.clock import baseball_day
from backstop.stages.standing import RECENT_DAYS
from tests.cli.test_keeping import DAY, twice  # noqa: F401 - a fixture

PAST = ("2025-06-01", "2025-06-03")


def test_status_says_what_needs_a_look_and_its_exit_code_is_for_scripts(backstop, store):
    today = baseball_day(store.clock.now())
    store.ledger.begin("out_props", today.isoformat(), run_id="r")
    store.ledger.fail("out_props", today.isoformat(), run_id="r", reason="the [/b] feed was down")
    ended = backstop("status")
    assert ended.code == 1
    assert f"The slate of {today} failed: the [/b] feed was down" in ended.out
    told = json.loads(backstop("status", "--json").out)
    assert told["ok"] is False
    assert told["problems"][0] == f"The slate of {today} failed: the [/b] feed was down"
    assert {each["feed"] for each in told["feeds"]} >= {"savant", "statsapi", "theodds"}
    assert told["recent"][-1]["condition"] == "failed"


def test_status_of_an_empty_home_says_that_nothing_was_loaded_and_what_comes_next(backstop, store):
    ended = backstop("status")
    assert (ended.code, "All is right" in ended.out) == (1, False)
    assert f"Nothing has been loaded yet into {store.settings.home}: `backstop refresh DAY`" in ended.out


def test_status_ends_with_0_when_nothing_needs_a_look(backstop, store):
    today = baseball_day(store.clock.now())
    for ago in range(RECENT_DAYS + 1):
        key = (today - dt.timedelta(days=ago)).isoformat()
        store.ledger.begin("core_games", key, run_id="r")
        store.ledger.empty("core_games", key, run_id="r", reason="no games")
    ended = backstop("status")
    assert (ended.code, ended.err) == (0, "")
    told = json.loads(backstop("status", "--json").out)
    assert (told["ok"], told["problems"]) == (True, [])
    assert {each["condition"] for each in told["recent"]} == {"empty"}


def test_status_names_a_prefect_server_that_does_not_answer(backstop, store, environment):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        environment.setenv("PREFECT_API_URL", f"http://127.0.0.1:{probe.getsockname()[1]}/api")
        ended = backstop("status", "--json")
    told = json.loads(ended.out)
    assert (ended.code, told["ok"], told["runs"]) == (1, False, [])
    assert told["problems"][-1].startswith("The Prefect server at http://127.0.0.1:")


def test_the_shell_completes_a_commands_options(environment):
    environment.setenv("_BACKSTOP_COMPLETE", "complete_bash")
    environment.setenv("COMP_WORDS", "backstop status --")
    environment.setenv("COMP_CWORD", "2")
    program = Path(sysconfig.get_path("scripts")) / "backstop"
    offered = subprocess.run([program], capture_output=True, text=True, check=True, timeout=120).stdout.split()
    assert "--json" in offered


def test_a_rollback_shows_what_readers_see_change(backstop, twice):  # noqa: F811
    ended = backstop("rollback", str(DAY))
    assert ended.code == 0
    assert "is served in version 1 again, instead of 2" in ended.out
    assert "fields changed" in ended.out
    assert json.loads(backstop("versions", "list", str(DAY), "--json").out)[1]["served"] is True
    assert set(json.loads(backstop("versions", "diff", str(DAY), "1", "2", "--json").out)) == {
        "added", "gone", "changed",
    }  # fmt: skip


def test_a_backfill_without_a_range_is_refused(backstop):
    ended = backstop("backfill")
    assert ended.code == 2
    assert "--missing" in ended.err


def test_a_dry_run_prints_the_plan_and_starts_nothing(backstop, store):
    ended = backstop("backfill", *PAST, "--dry-run", "--upstream", "demo")
    assert ended.code == 0
    assert "3 days to do, none left alone" in ended.out
    told = json.loads(backstop("backfill", *PAST, "--dry-run", "--json").out)
    assert told["todo"] == ["2025-06-01", "2025-06-02", "2025-06-03"]


def test_json_is_of_the_plan_and_refused_of_a_run(backstop):
    ended = backstop("backfill", *PAST, "--json")
    assert ended.code == 2
    assert "--dry-run" in ended.err


def test_what_costs_too_much_is_refused_before_a_server_starts(backstop, store, environment):
    environment.setenv("BACKSTOP_THEODDS_KEY", "key")
    ended = backstop("backfill", "2025-04-01", "2025-06-30")
    assert ended.code == 2
    assert "5,000 are allowed" in ended.err


READING = (
    "status", "slate", "player", "sources", "plan", "backfill", "redis verify", "quarantine list", "quarantine show",
    "versions list", "versions diff",
)  # fmt: skip


@pytest.mark.parametrize("command", READING)
def test_every_reading_command_speaks_json(backstop, command):
    assert "--json" in backstop(*command.split(), "--help").out


def test_deploy_without_a_server_says_how_to_name_one_and_starts_none(backstop):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Prefect imports modules that Python has deprecated
        settings = importlib.import_module("prefect.settings")
    with settings.temporary_settings(restore_defaults={settings.PREFECT_API_URL}):
        ended = backstop("deploy")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("No Prefect server is named, so there is nothing to register with. Set PREFECT_API_URL")


def test_the_module_that_deploys_says_the_same_sentence_as_the_command(capsys):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        settings, apply = (importlib.import_module(name) for name in ("prefect.settings", "deployments.apply"))
    with settings.temporary_settings(restore_defaults={settings.PREFECT_API_URL}):
        assert apply.run() == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("No Prefect server is named, so there is nothing to register with.")
    assert told.err.count("\n") == 1


def test_deploy_to_a_server_that_is_gone_is_a_sentence_with_its_address(backstop):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        settings = importlib.import_module("prefect.settings")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        gone = f"http://127.0.0.1:{probe.getsockname()[1]}/api"
        quick = {settings.PREFECT_API_URL: gone, settings.PREFECT_CLIENT_MAX_RETRIES: 0}
        with settings.temporary_settings(quick):
            ended = backstop("deploy")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith(f"The Prefect server at {gone} could not be brought to the catalogue (")
    assert ended.err.count("\n") == 1


@pytest.mark.parametrize("spread", ["-1", "x"])
def test_a_share_of_days_that_is_none_is_a_usage_error(backstop, spread):
    ended = backstop("backfill", *PAST, "--spread", spread)
    assert ended.code == 2
    assert "--spread" in ended.err
