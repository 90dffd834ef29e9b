"""The deployer's command line: what its arguments mean, and that a refusal is a sentence and an exit code."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import orjson
import pytest

from backstop.errors import BackstopError, UsageError
from backstop.settings import Settings
from deployments import deploy as deploying
from deployments import kept
from deployments.deploy import MISUSED, main
from deployments.release import Releases, site_packages
from tests.operations.checkout import Checkout


@pytest.fixture(autouse=True)
def _environment(tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith(("BACKSTOP_", "PREFECT_"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BACKSTOP_HOME", str(tmp_path / "home"))
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def handed(monkeypatch):
    """What the arguments came to, instead of a deployment."""
    taken = {}

    def deploy(target, *, dry_run):
        taken.update(target=target, dry_run=dry_run)
        return 0

    monkeypatch.setattr(deploying, "deploy", deploy)
    return taken


def test_production_is_given_its_own_packages_and_a_smoke_run_of_todays_league(handed, tmp_path):
    assert main(["production", "--restart", "sh -c 'exit 0'", "--health", "http://127.0.0.1/h"]) == 0
    target = handed["target"]
    assert (target.environment, target.checkout, target.packages) == ("production", tmp_path, None)
    assert target.smoke == ("flows.canary:canary", "{}")
    assert (target.restart, target.health) == ("sh -c 'exit 0'", "http://127.0.0.1/h")
    assert target.settings.home == tmp_path / "home"
    assert handed["dry_run"] is False


def test_development_uses_the_packages_that_are_there(handed, tmp_path):
    assert main(["development", "--dry-run", "--checkout", "elsewhere"]) == 0
    target = handed["target"]
    assert target.packages == site_packages(Path(sys.prefix))
    assert target.checkout == tmp_path / "elsewhere"
    assert handed["dry_run"] is True


@pytest.mark.parametrize(
    ("upstream", "arguments", "parameters"),
    [
        ("demo", [], {"day": "2025-05-01"}),
        ("live", [], {}),
        ("demo", ["--smoke", "flows.slate:slate_refresh"], {}),
        ("demo", ["--smoke-parameters", '{"player": 5}'], {"player": 5}),
    ],
)
def test_the_smoke_run_of_the_simulated_league_is_of_its_last_day_that_is_over(
    handed, monkeypatch, upstream, arguments, parameters
):
    monkeypatch.setenv("BACKSTOP_UPSTREAM", upstream)
    assert main(["production", *arguments]) == 0
    assert orjson.loads(handed["target"].smoke[1]) == parameters


def test_a_shell_that_was_told_the_home_of_the_league_still_deploys_into_the_installation(
    handed, monkeypatch, tmp_path
):
    kept.write(tmp_path / "home" / "services.json", {"home": str(tmp_path / "home" / "demo")})
    monkeypatch.setenv("BACKSTOP_HOME", str(tmp_path / "home" / "demo"))
    main(["development"])
    assert handed["target"].settings.home == tmp_path / "home"
    main(["production"])
    assert handed["target"].settings.home == tmp_path / "home" / "demo", "only development looks around"


@pytest.mark.parametrize("arguments", [[], ["staging"], ["production", "--smoke"], ["production", "--nope"]])
def test_what_it_does_not_know_is_a_usage_line_and_nothing_else(handed, capsys, arguments):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == MISUSED
    assert "usage: deployments/deploy.sh" in capsys.readouterr().err
    assert handed == {}


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--restart", "sh -c 'exit 0", "cannot be split into words: No closing quotation"),
        ("--restart", "no-such-program restart", "there is no program 'no-such-program' here"),
        ("--restart", "", "there is no program '' here"),
        ("--health", "127.0.0.1:8090/health/live", "is no address"),
        ("--health", "ftp://127.0.0.1/", "is no address; expected http(s)://host[:port]/path"),
        ("--health", "http://[::1/", "is no address"),
    ],
)
def test_a_restart_or_a_health_check_that_cannot_work_is_refused_before_a_release_is_switched_to(
    handed, capsys, option, value, said
):
    with pytest.raises(SystemExit) as ended:
        main(["production", option, value])
    assert ended.value.code == MISUSED
    assert said in capsys.readouterr().err
    assert handed == {}


@pytest.mark.parametrize(("error", "code"), [(BackstopError("Nothing was changed."), 1), (UsageError("No."), 2)])
def test_a_refusal_is_its_sentence_and_its_code(monkeypatch, capsys, error, code):
    def refuses(target, *, dry_run):
        raise error

    monkeypatch.setattr(deploying, "deploy", refuses)
    assert main(["production"]) == code
    assert capsys.readouterr().err == f"{error.message}\n"


def test_a_setting_that_cannot_be_read_is_named(handed, monkeypatch, capsys):
    monkeypatch.setenv("BACKSTOP_API_PORT", "eighty")
    assert main(["production"]) == MISUSED
    said = capsys.readouterr().err
    assert said.startswith("The settings cannot be read:")
    assert "api_port" in said
    assert handed == {}


def test_being_stopped_is_raised_where_it_strikes(handed, monkeypatch):
    def stopped(target, *, dry_run):
        os.kill(os.getpid(), signal.SIGTERM)
        signal.sigtimedwait([], 0)
        return 0

    monkeypatch.setattr(deploying, "deploy", stopped)
    with pytest.raises(SystemExit) as ended:
        main(["production"])
    assert ended.value.code == deploying.STOPPED


def two_releases(home):
    releases = Releases(home)
    for name in ("v1", "v2"):
        python = releases.root / name / ".venv" / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.touch()
        releases.switch(releases.named(name))
    return releases


def test_a_dry_run_of_going_back_says_where_to_and_goes_nowhere(tmp_path, capsys):
    releases = two_releases(tmp_path / "home")
    before = sorted(releases.root.rglob("*"))
    assert main(["production", "--rollback", "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "v1 is installed already" in said
    assert "current is v2" in said
    assert (releases.current.name, releases.previous.name) == ("v2", "v1")
    assert sorted(releases.root.rglob("*")) == before


@pytest.mark.parametrize("dry", [[], ["--dry-run"]])
def test_going_back_from_the_first_release_is_refused(tmp_path, capsys, dry):
    assert main(["production", "--rollback", *dry]) == MISUSED
    assert "has no release before the current one; there is nothing to go to." in capsys.readouterr().err


def test_what_preflight_refuses_is_listed_and_nothing_is_made(tmp_path, capsys):
    checkout = Checkout.toy(tmp_path / "toy")
    assert main(["production", "--checkout", str(checkout.folder), "--dry-run"]) == 1
    told = capsys.readouterr()
    refused = [line.split()[1].rstrip(":") for line in told.out.splitlines() if line.startswith("REFUSED")]
    assert refused == ["redis", "database", "prefect", "secrets"]
    assert told.err == "Nothing was changed: redis, database, prefect, secrets must be put right first.\n"
    assert not Settings().home.exists()
