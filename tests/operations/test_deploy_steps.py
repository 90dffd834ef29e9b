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
from deployments import server
from deployments.deploy import MISUSED, deploy, roll_back
from deployments.going_back import ROLLED_BACK, STUCK
from deployments.target import Target
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
        self.restart = None
        self.settings = Settings(
            home=self.home,
            redis_url=redis_url,
            ledger_url=f"sqlite:///{folder / 'ledger.sqlite'}",
            upstream=prefect_url,
            api_port=server.free_port(),
        )
        self.house = House.of(self.settings)

    @property
    def target(self):
        return Target("production", self.checkout.folder, self.settings, packages=self.packages, restart=self.restart)

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


class Prefect:
    """What a deployment itself asks of Prefect: its version, and the deployments of the pool."""

    def __init__(self):
        self.deployments = {"an-id": {"id": "an-id", "name": "daily", "job_variables": {"made": "in the UI"}}}
        self.refuses = ""

    def answer(self, method, path, body):
        if path.endswith("/deployments/filter"):
            return list(self.deployments.values())[body["offset"] :]
        if "/deployments/" in path:
            name = path.rpartition("/")[2]
            self.deployments.setdefault(name, {"id": name, "name": name, "job_variables": None})
            found = self.deployments[path.rpartition("/")[2]]
            found |= body or {}
            if method == "DELETE":
                del self.deployments[found["id"]]
            return None
        return {"type": "process"} if "/work_pools/" in path else "3.8.8"


@pytest.fixture
def prefect():
    """A server on loopback; its address is `url`."""
    prefect = Prefect()

    class Handler(BaseHTTPRequestHandler):
        def answer(self):
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            refused = self.command == prefect.refuses
            told = None if refused else prefect.answer(self.command, self.path, json.loads(body or "null"))
            self.send_response(500 if refused else 200)
            self.end_headers()
            self.wfile.write(b"" if told is None else json.dumps(told).encode())

        do_GET = do_HEAD = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815 - names of the library

        def log_message(self, *_):
            """Tests report by assertions."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listener:
        threading.Thread(target=listener.serve_forever, args=(0.05,), daemon=True).start()
        prefect.url = f"http://127.0.0.1:{listener.server_address[1]}/api"
        yield prefect
        listener.shutdown()


@pytest.fixture
def site(tmp_path, redis_url, prefect, monkeypatch):
    for name, value in os.environ.items():
        monkeypatch.setenv(name, value)  # a deployment tells its children by the environment: all of it is put back
    monkeypatch.setenv("PREFECT_API_URL", prefect.url)
    for name in Settings.model_fields:
        monkeypatch.delenv(f"BACKSTOP_{name.upper()}", raising=False)
    site = Site(tmp_path, redis_url, prefect.url)
    site.house.redis.flushall()
    yield site
    site.house.close()


def test_a_release_is_migrated_applied_pinned_tried_and_only_then_current(site, prefect):
    name = site.checkout.git("describe", "--always").strip()
    assert site.deploy() == 0
    assert site.steps == [(name, "schema"), (name, "apply"), (name, "smoke")]
    assert site.current == name
    pinned = prefect.deployments["an-id"]["job_variables"]
    assert pinned["working_dir"] == str(site.target.releases.current.root)
    assert pinned["env"] == {"BACKSTOP_HOME": str(site.home)}
    assert pinned["made"] == "in the UI"
    assert site.history == [(name, "deployed")]


def test_deploying_the_same_commit_again_installs_nothing_and_ends_the_same(site, capsys):
    site.deploy()
    inode = (site.home / "releases" / site.current).stat().st_ino
    assert site.deploy() == 0
    assert (site.home / "releases" / site.current).stat().st_ino == inode
    assert site.target.releases.previous is None


@pytest.mark.parametrize("step", ["schema", "apply", "smoke"])
def test_a_release_whose_step_fails_gives_way_to_the_one_before(site, prefect, capsys, step):
    good = site.checkout.git("describe", "--always").strip()
    site.deploy()
    broken = site.change(fails=step)
    assert site.deploy() == ROLLED_BACK
    said = capsys.readouterr().out
    assert f"{step} was told to fail" in said
    assert f"{broken} was not deployed; {good} runs as it did" in said
    assert site.steps[-1] == (good, "apply")
    assert prefect.deployments["an-id"]["job_variables"]["working_dir"].endswith(good)
    assert site.current == good
    assert site.target.releases.named(broken) is None
    assert site.history == [(good, "deployed"), (broken, "rolled back")]


def test_a_release_that_fails_after_the_switch_is_not_one_to_go_back_to(site, capsys):
    first = site.checkout.git("describe", "--always").strip()
    site.deploy()
    second = site.change(note="two")
    site.deploy()
    sick = site.change(sick="so it says")
    site.restart = f"sh -c '! test -e {site.home}/releases/current/sick'"
    assert site.deploy() == ROLLED_BACK
    said = capsys.readouterr().out
    assert f"current is {sick}" in said
    assert f"{sick} was not deployed; {second} runs as it did" in said
    releases = site.target.releases
    assert (releases.current.name, releases.previous.name) == (second, first)
    assert not (releases.root / sick).exists()
    assert roll_back(site.target) == 0
    assert site.current == first


def test_a_first_release_that_fails_after_the_switch_leaves_none(site):
    sick = site.change(note="one")
    site.restart = "false"
    assert site.deploy() == ROLLED_BACK
    releases = site.target.releases
    assert (releases.current, releases.previous, releases.named(sick)) == (None, None, None)


def test_a_release_before_that_does_not_run_any_more_stays_the_one_before(site):
    first = site.checkout.git("describe", "--always").strip()
    site.deploy()
    second = site.change(note="two")
    site.deploy()
    site.restart = f"test -e {site.home}/releases/current/note"
    assert roll_back(site.target) == ROLLED_BACK
    releases = site.target.releases
    assert (releases.current.name, releases.previous.name) == (second, first)


def test_a_prefect_that_refuses_to_pin_fails_the_release(site, prefect, capsys):
    site.deploy()
    site.change(note="two")
    prefect.refuses = "PATCH"
    assert site.deploy() == STUCK  # it refuses the way back as well
    assert "refused PATCH" in capsys.readouterr().out


def test_a_first_release_that_fails_leaves_none_and_what_it_registered_is_removed(site, prefect, capsys):
    site.change(
        **{
            "fails": "smoke",
            "deployments/apply.py": f"""
                import urllib.request
                urllib.request.urlopen("{prefect.url}/deployments/made-by-it", b"{{}}")
                """,
        }
    )
    assert site.deploy() == ROLLED_BACK
    assert "there was no release before; none runs" in capsys.readouterr().out
    assert site.target.releases.current is None
    assert set(prefect.deployments) == {"an-id"}


def test_a_deployment_that_the_failed_release_dropped_is_there_again_although_its_id_is_new(site, prefect):
    registers = f"""
        import json, os, urllib.request
        body = json.dumps({{"name": "kept"}}).encode()
        urllib.request.urlopen(f"{prefect.url}/deployments/{{os.getpid()}}", body)
        """
    drops = f"""
        import json, urllib.request
        known = json.load(urllib.request.urlopen("{prefect.url}/deployments/filter", b'{{"offset": 0}}'))
        for each in known:
            if each["name"] == "kept":
                request = urllib.request.Request("{prefect.url}/deployments/" + each["id"], method="DELETE")
                urllib.request.urlopen(request)
        """
    site.change(**{"deployments/apply.py": registers})
    site.deploy()
    site.change(**{"fails": "smoke", "deployments/apply.py": drops})
    assert site.deploy() == ROLLED_BACK
    assert sorted(each["name"] for each in prefect.deployments.values()) == ["daily", "kept"]


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
