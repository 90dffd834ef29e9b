"""The story of a deployment with a toy whose steps fail on demand: what runs, what is undone, what is said."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sysconfig
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from backstop.settings import Settings
from backstop.stages.house import House
from backstop.store import embedded
from deployments.deploy import MISUSED, ROLLED_BACK, STUCK, Target, deploy, roll_back
from tests.operations.checkout import ROOT, Checkout
from tests.operations.publishing import DAY, publish

PACKAGES = Path(sysconfig.get_path("purelib"))


class Site:
    """An installation of the toy for production: Redis, a ledger, and a Prefect server that only has a version."""

    def __init__(self, folder, redis_url, prefect_url):
        self.checkout = Checkout.toy(folder / "toy")
        self.home = folder / "home"
        self.packages = folder / "packages"  # the toy needs none
        self.packages.mkdir()
        self.settings = Settings(
            home=self.home,
            redis_url=redis_url,
            ledger_url=f"sqlite:///{folder / 'ledger.sqlite'}",
            upstream=prefect_url,
        )
        self.house = House.of(self.settings)

    @property
    def target(self):
        return Target("production", self.checkout.folder, self.settings, packages=self.packages)

    def change(self, **files):
        for name, text in files.items():
            self.checkout.write(name, text)
        return self.checkout.commit("a change")

    def deploy(self, *, packages=None, **options):
        (self.home / "steps").unlink(missing_ok=True)
        self.packages = packages or self.packages
        return deploy(self.target, **options)

    @property
    def steps(self):
        """What ran: release and step."""
        lines = (self.home / "steps").read_text().splitlines()
        return [tuple(json.loads(line)[:2]) for line in lines]

    @property
    def current(self):
        return self.target.releases.current.name

    @property
    def history(self):
        lines = (self.home / "releases" / "history.jsonl").read_text().splitlines()
        return [(json.loads(line)["release"], json.loads(line)["outcome"]) for line in lines]


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory):
    home = tmp_path_factory.mktemp("redis")
    yield embedded.ensure(home)
    embedded.stop(home)


@pytest.fixture(scope="module")
def version_server():
    """What a deployment itself asks of Prefect: is it there, and which version is it."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'"3.8.8"')

        def do_HEAD(self):
            self.do_GET()

        def log_message(self, *_):
            """Tests report by assertions."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/api"
        server.shutdown()


@pytest.fixture
def site(tmp_path, redis_url, version_server, monkeypatch):
    for name, value in os.environ.items():
        monkeypatch.setenv(name, value)  # a deployment tells its children by the environment: all of it is put back
    monkeypatch.setenv("PREFECT_API_URL", version_server)
    for name in Settings.model_fields:
        monkeypatch.delenv(f"BACKSTOP_{name.upper()}", raising=False)
    site = Site(tmp_path, redis_url, version_server)
    site.house.redis.flushall()
    yield site
    site.house.close()


def test_a_release_is_migrated_applied_pinned_tried_and_only_then_current(site):
    name = site.checkout.git("describe", "--always").strip()
    assert site.deploy() == 0
    assert site.steps == [(name, "schema"), (name, "apply"), (name, "pin"), (name, "smoke")]
    assert site.current == name
    assert site.history == [(name, "deployed")]


def test_deploying_the_same_commit_again_installs_nothing_and_ends_the_same(site, capsys):
    site.deploy()
    inode = (site.home / "releases" / site.current).stat().st_ino
    assert site.deploy() == 0
    assert (site.home / "releases" / site.current).stat().st_ino == inode
    assert site.target.releases.previous is None


@pytest.mark.parametrize("step", ["schema", "apply", "pin", "smoke"])
def test_a_release_whose_step_fails_gives_way_to_the_one_before(site, capsys, step):
    good = site.checkout.git("describe", "--always").strip()
    site.deploy()
    broken = site.change(fails=step)
    assert site.deploy() == ROLLED_BACK
    said = capsys.readouterr().out
    assert f"{step} was told to fail" in said
    assert f"{broken} was not deployed; {good} runs as it did" in said
    assert site.steps[-3:] == [(good, "apply"), (good, "pin"), (good, "pin")]
    assert site.current == good
    assert site.target.releases.named(broken) is None
    assert site.history == [(good, "deployed"), (broken, "rolled back")]


def test_a_first_release_that_fails_leaves_none(site, capsys):
    site.change(fails="smoke")
    assert site.deploy() == ROLLED_BACK
    assert "there was no release before; none runs" in capsys.readouterr().out
    assert site.target.releases.current is None


def test_when_going_back_fails_too_it_says_so_and_tries_the_other_parts(site, capsys):
    # the release before could be applied once, and cannot any more
    once = """
        import pathlib, sys
        done = pathlib.Path(__file__).with_name("done")
        if done.exists():
            sys.exit("the server is gone")
        done.touch()
        """
    good = site.change(**{"deployments/apply.py": once})
    assert site.deploy() == 0
    site.change(**{"fails": "smoke", "deployments/apply.py": ""})
    assert site.deploy() == STUCK
    said = capsys.readouterr().out
    assert "STUCK" in said
    assert "the server is gone" in said
    assert site.current == good


def test_a_slate_that_the_failed_release_published_is_served_as_before_and_made_again(site, capsys):
    site.deploy()
    publish(site.house, DAY, players=3)
    before = site.house.reader.slate(DAY)
    site.change(
        **{
            "fails": "smoke",
            "deployments/smoke.py": f"""
                import datetime as dt
                from backstop.stages.house import House
                from tests.operations.publishing import publish

                publish(House.current(), dt.date.fromisoformat("{DAY}"), players=5)
                import deployments.step
                """,
        }
    )
    assert site.deploy(packages=PACKAGES) == ROLLED_BACK
    assert f"slate {DAY} is served in version 1 again, not 2" in capsys.readouterr().out
    after = site.house.reader.slate(DAY)
    assert (after.version, after.props_count) == (before.version, before.props_count)
    assert site.house.ledger.missing("out_props", [DAY.isoformat()]) == [DAY.isoformat()]


def test_an_operator_can_go_back_to_the_release_before(site):
    first = site.checkout.git("describe", "--always").strip()
    site.deploy()
    second = site.change(note="two")
    site.deploy()
    assert site.current == second
    assert roll_back(site.target) == 0
    assert site.current == first
    assert site.target.releases.previous.name == second


def test_a_dry_run_changes_nothing(site, capsys):
    assert site.deploy(dry_run=True) == 0
    assert "would be installed" in capsys.readouterr().out
    assert not site.home.exists() or not (site.home / "releases").exists()


def test_a_second_deployment_at_the_same_time_is_refused(site):
    site.deploy()
    with (site.home / "releases" / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(Exception, match="Another deployment works on"):
            site.deploy()


def test_changes_that_are_not_committed_are_not_deployed_to_production(site):
    site.checkout.write("fails", "smoke")
    with pytest.raises(Exception, match="changes that are not committed"):
        site.deploy()


def test_only_the_newest_releases_stay_on_disk(site):
    names = []
    for number in range(5):
        names.append(site.change(note=f"again {number}"))
        assert site.deploy() == 0
    installed = {each.name for each in (site.home / "releases").iterdir() if each.is_dir() and not each.is_symlink()}
    assert installed == set(names[-3:])


def test_a_release_runs_its_own_code_and_not_the_deployers(site):
    site.deploy()
    release = site.target.releases.current
    where = subprocess.run(
        [release.python, "-c", "import deployments; print(deployments.__file__)"],
        cwd=site.home,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert where.startswith(str(release.root))


def test_wrong_arguments_end_with_a_usage_line_and_code_2():
    script = ROOT / "deployments" / "deploy.sh"
    done = subprocess.run([script, "staging"], check=False, capture_output=True, text=True)
    assert done.returncode == MISUSED
    assert "development|production" in done.stderr


def test_every_shell_script_passes_shellcheck():
    listed = subprocess.run(
        ["git", "grep", "-lE", "^#!.*(bash|/sh)"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    scripts = listed.stdout.split()
    assert "deployments/deploy.sh" in scripts
    program = Path(sysconfig.get_path("scripts")) / "shellcheck"
    done = subprocess.run([program, *scripts], cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
