"""The image and the compose file, by what can be checked without an engine: sources, commands, names, ports, templates."""

from __future__ import annotations

import json
import re
import subprocess
import sysconfig
from pathlib import Path

import pytest
import yaml

from backstop.api.guard import host_of, listed
from backstop.settings import Settings
from deployments import healthy, pin
from scripts import rehearse_image
from scripts.rehearse_image import DOCKERFILE, instructions, stages
from tests.here import only_here
from tests.operations.checkout import ROOT

POOLS = ROOT / "deployments" / "docker" / "pools"
OUR_IMAGE = "backstop:"
COMPOSE_OWN = {"BACKSTOP_POSTGRES_PASSWORD", "BACKSTOP_GRAFANA_PASSWORD", "BACKSTOP_TAG", "BACKSTOP_PREFECT_URL"}
"""Names in compose.yaml that are for compose itself, not for a process of ours."""


@pytest.fixture(scope="module")
def steps():
    return instructions(DOCKERFILE.read_text())


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((ROOT / "compose.yaml").read_text())


def ours(compose):
    return {name: each for name, each in compose["services"].items() if each["image"].startswith(OUR_IMAGE)}


def test_every_source_of_a_copy_exists_and_reaches_the_build(steps):
    sent = (DOCKERFILE.parent / "Dockerfile.dockerignore").read_text().splitlines()
    copied = [rest.split()[:-1] for word, rest in steps if word == "COPY" and "--from" not in rest]
    assert copied
    for source in (name for names in copied for name in names):
        assert (ROOT / source).exists(), source
        assert f"!{source}" in sent, f"{source} is left out by Dockerfile.dockerignore"


def test_nothing_that_the_code_imports_from_the_checkout_is_left_out(steps):
    copied = {name for word, rest in steps if word == "COPY" for name in rest.split()[:-1]}
    packages = {each.parent.name for each in ROOT.glob("*/__init__.py")} - {"tests", "benchmarks", "scripts"}
    assert packages <= copied


def test_the_last_stage_runs_as_a_user_without_rights_and_says_how_it_is():
    last = dict(stages(DOCKERFILE.read_text())[-1])
    assert int(last["USER"].split(":")[0]) >= 1000
    assert "VOLUME" in last
    check = json.loads(last["HEALTHCHECK"].partition("CMD ")[2])
    assert check[1:3] == ["-m", "deployments.healthy"]
    assert str(Settings.model_fields["api_port"].default) in check[3]
    assert last["EXPOSE"] == str(Settings.model_fields["api_port"].default)
    assert len(stages(DOCKERFILE.read_text())) == 2
    assert not any(word == "COPY" and "--from" not in rest for word, rest in stages(DOCKERFILE.read_text())[-1])


def test_the_image_takes_the_python_that_the_locks_were_made_for(steps):
    version = next(rest.partition("=")[2] for word, rest in steps if word == "ARG")
    assert f"--python-version {version}" in (ROOT / "scripts" / "lock").read_text()


def test_settings_named_in_the_image_and_in_compose_exist(steps, compose):
    known = {f"BACKSTOP_{name.upper()}" for name in Settings.model_fields} | COMPOSE_OWN
    text = DOCKERFILE.read_text() + (ROOT / "compose.yaml").read_text() + "".join(map(Path.read_text, POOLS.iterdir()))
    named = set(re.findall(r"BACKSTOP_[A-Z_]+", text))
    assert named - known == set()


@pytest.mark.parametrize("name", ["apply", "worker", "api"])
def test_every_setting_of_a_run_that_stands_in_the_file_beside_compose_reaches_it(compose, name):
    wanted = {f"BACKSTOP_{each.upper()}" for each in Settings.model_fields if not each.startswith("api_")}
    inside = {"BACKSTOP_HOME"}  # where the image has it
    assert wanted - inside <= set(compose["services"][name]["environment"])


def test_every_setting_of_the_api_that_stands_in_the_file_beside_compose_reaches_it(compose):
    wanted = {f"BACKSTOP_{each.upper()}" for each in Settings.model_fields if each.startswith("api_")}
    inside = {"BACKSTOP_API_HOST", "BACKSTOP_API_PORT"}  # where the image has them; compose maps the port
    told = dict(compose["services"]["api"]["environment"])
    assert wanted - inside <= set(told)
    names = told.pop("BACKSTOP_API_NAMES")
    assert [told[name] for name in wanted - inside - {"BACKSTOP_API_NAMES"}] == [None] * 3
    # with names of one's own Prometheus still gets an answer
    scrapes = yaml.safe_load((ROOT / "deployments" / "monitoring" / "prometheus.yml").read_text())["scrape_configs"]
    (asked,) = [each["static_configs"][0]["targets"] for each in scrapes if each["job_name"] == "backstop-api"]
    for given in ("", "props.example.com,other"):
        heard = listed(names.replace("${BACKSTOP_API_NAMES:-}", given))
        assert heard == [*(host_of(each) for each in asked), "localhost", *listed(given)]


def test_prefect_knows_every_setting_that_compose_gives_it(compose):
    from prefect.settings.legacy import _get_settings_fields
    from prefect.settings.models.root import Settings as PrefectSettings

    known = set(_get_settings_fields(PrefectSettings))
    elsewhere = {"PREFECT_REDIS_MESSAGING_URL"}  # prefect-redis reads it
    named = {name for each in ours(compose).values() for name in each["environment"] if name.startswith("PREFECT_")}
    assert named - known - elsewhere == set()


@pytest.mark.parametrize("module", ["prefect_redis.messaging", "prefect_redis.ordering", "prefect_redis.lease_storage"])
def test_what_compose_names_as_messaging_is_installed_by_the_lock_of_the_image(compose, module):
    assert module in compose["services"]["prefect"]["environment"].values()
    assert re.search(r"^prefect-redis==", (ROOT / "requirements-server.lock").read_text(), re.MULTILINE)


def test_every_command_of_ours_is_a_program_of_the_environment_and_knows_its_options(compose):
    commands = [each["command"] for each in ours(compose).values() if "command" in each]
    commands.append(json.loads(dict(stages(DOCKERFILE.read_text())[-1])["CMD"]))
    programs = Path(sysconfig.get_path("scripts"))
    for command in commands:
        assert (programs / command[0]).exists() or command[0] == "python", command
    # a wrong option, or a module that is not there, ends with a usage error before anything is started
    for command in {("backstop", "serve"), ("prefect", "worker", "start"), ("prefect", "server", "start")}:
        asked = [command_ for command_ in commands if tuple(command_[: len(command)]) == command]
        assert asked
        told = subprocess.run(
            [programs / command[0], *command[1:], "--help"], check=True, capture_output=True, text=True
        )
        for option in (word for words in asked for word in words if word.startswith("--")):
            assert option in told.stdout, f"{command} has no {option}"


def test_services_find_each_other_by_name_and_port(compose):
    services = compose["services"]
    text = (ROOT / "compose.yaml").read_text()
    for host in re.findall(r"(?:@|redis://|http://)([a-z]+):\d+", text):
        assert host in services or host == "localhost", host
    assert services["prefect"]["command"][services["prefect"]["command"].index("--port") + 1] == "4200"
    assert "http://prefect:4200/api" in text
    for each in services.values():
        for port in each.get("ports", []):
            assert port.startswith("127.0.0.1:"), "nothing is offered beyond this machine by default"
        for needed in each.get("depends_on", {}):
            assert needed in services


def test_services_that_are_waited_for_can_be_seen_to_be_healthy(compose):
    for each in compose["services"].values():
        needed = each.get("depends_on", {})
        for name in needed if isinstance(needed, dict) else ():
            service = compose["services"][name]
            if needed[name]["condition"] == "service_healthy":
                assert "test" in service["healthcheck"]
            else:
                assert service["restart"] == "on-failure"


def test_what_is_mounted_exists_and_volumes_are_declared(compose):
    for name, service in compose["services"].items():
        for mount in service.get("volumes", []):
            source = mount.split(":")[0]
            if source.startswith("."):
                assert (ROOT / source).exists(), f"{name} mounts {source}"
            else:
                assert source in compose["volumes"]


def test_our_containers_have_a_root_that_they_cannot_write(compose):
    for name, service in ours(compose).items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"]


def test_what_prefect_unpacks_at_its_start_lies_where_it_can_write(compose):
    for name in ("prefect", "prefect-services"):
        service = compose["services"][name]
        for folder in ("PREFECT_HOME", "PREFECT_UI_STATIC_DIRECTORY"):
            assert service["environment"][folder].startswith(tuple(f"{each}/" for each in service["tmpfs"])), name


def test_a_redis_that_slates_have_filled_does_not_stop_prefect(compose):
    services = compose["services"]
    used = {
        name: re.findall(r"redis://([a-z]+):", str(services[name]["environment"])) for name in ("worker", "prefect")
    }
    assert set(used["worker"]) == {"redis"}
    assert set(used["prefect"]) == {"messages"}
    for name in ("redis", "messages"):
        assert "--maxmemory" in services[name]["command"]
        assert services[name]["command"][-1] == "noeviction"
        assert services[name]["volumes"] == [f"{name}:/data"]


def test_postgres_is_healthy_only_when_it_listens_for_others(compose):
    check = compose["services"]["postgres"]["healthcheck"]["test"]
    assert check[check.index("--host") + 1] == "127.0.0.1"


def test_runs_are_told_whom_to_notify_and_where_the_board_is(compose):
    services = compose["services"]
    for name in ("apply", "worker"):
        assert {"BACKSTOP_NOTIFY_URL", "BACKSTOP_PRIVATE_HOSTS"} <= services[name]["environment"].keys(), name
    published = services["api"]["ports"][0].rpartition(":")[0].rpartition(":")[2]
    assert f"http://localhost:{published}/" in services["worker"]["environment"]["BACKSTOP_BOARD_URL"]


def test_the_pool_of_the_worker_is_the_one_of_the_catalogue(compose):
    command = compose["services"]["worker"]["command"]
    assert command[command.index("--pool") + 1] == pin.POOL


@pytest.mark.parametrize("kind", ["docker", "kubernetes"])
def test_a_pool_template_declares_what_it_uses_and_gives_a_default_where_prefect_has_none(kind):
    template = json.loads((POOLS / f"{kind}.json").read_text())
    used = set(re.findall(r"{{ ([a-z_]+) }}", json.dumps(template["job_configuration"])))
    declared = template["variables"]["properties"]
    assert used == set(declared)
    assert declared["image"]["default"].startswith(OUR_IMAGE)
    assert declared["env"]["default"]["BACKSTOP_HOME"] == "/var/lib/backstop"
    theirs = _prefects_own(kind)
    own = {"secret", "home_claim"}
    assert set(declared) - own <= set(theirs["variables"]["properties"])


def test_a_kubernetes_job_runs_without_rights_on_a_root_that_it_cannot_write():
    job = json.loads((POOLS / "kubernetes.json").read_text())["job_configuration"]["job_manifest"]
    pod = job["spec"]["template"]["spec"]
    container = pod["containers"][0]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}


def _prefects_own(kind):
    import prefect.server.api

    views = Path(prefect.server.api.__file__).parent / "collections_data" / "views"
    known = json.loads((views / "aggregate-worker-metadata.json").read_text())
    return next(each[kind]["default_base_job_configuration"] for each in known.values() if kind in each)


def test_the_health_check_tells_an_answer_from_none():
    assert healthy.main(["http://127.0.0.1:9/"]) == 1
    assert healthy.main(["http://elsewhere/"]) == 2


def test_the_build_can_be_rehearsed_without_an_engine(tmp_path, monkeypatch):
    built = []
    only_here(monkeypatch, subprocess, "run", lambda command, **_: built.append(command[-1]))
    rehearse_image.build(tmp_path)
    assert any("--require-hashes" in each for each in built)
    assert (tmp_path / "src" / "backstop" / "limits.py").exists()
    assert (tmp_path / "requirements-server.lock").exists()
    assert len(rehearse_image.commands()) >= 4
