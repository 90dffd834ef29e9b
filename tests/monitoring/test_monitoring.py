"""What Prometheus and Grafana ask for exists, and the alerts fire when they should."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from backstop.clock import SystemClock
from backstop.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deployments" / "monitoring"
TESTS = Path(__file__).with_name("alerts_test.yml")
PAGE = ROOT / "docs" / "monitoring.md"
NOT_OURS = {"up"}
"""What Prometheus makes of every scrape itself."""

WORDS = {
    "and", "or", "unless", "on", "ignoring", "by", "without", "group_left", "group_right", "bool", "offset",
}  # fmt: skip


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Names of the samples that the API's /metrics can hold, with their labels."""
    from backstop.api.app import create_app
    from backstop.stages.house import House
    from deployments import api

    house = House(Settings(home=tmp_path_factory.mktemp("home"), redis_url="redis://127.0.0.1:1/0"), SystemClock())
    app = create_app(api.parts_of(house))
    metrics = app.state.metrics
    metrics.requests.labels("GET", "/", "200").inc()
    metrics.seconds.labels("/").observe(0.01)
    samples: dict[str, set[str]] = {}
    for family in metrics.registry.collect():
        # a family without samples yet tells its labels all the same
        labels = {label for sample in family.samples for label in sample.labels} | set(
            getattr(family, "_labelnames", ())
        )
        suffixes = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}.get(family.type, [""])
        for suffix in suffixes:
            samples[family.name + suffix] = labels
    house.close()
    return samples


def expressions():
    """Every PromQL expression of the alerts and the dashboard, with where it stands."""
    for group in yaml.safe_load((FOLDER / "alerts.yml").read_text("utf-8"))["groups"]:
        for rule in group["rules"]:
            yield f"alert {rule['alert']}", rule["expr"]
    board = json.loads((FOLDER / "grafana" / "dashboards" / "backstop.json").read_text("utf-8"))
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            yield f"panel {panel['title']}", target["expr"]
    for each in board["annotations"]["list"]:
        yield f"annotation {each['name']}", each["expr"]


def metrics_of(expression):
    """Return the metrics that an expression reads: names that are no function, keyword, label or text."""
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', "", expression)
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]", "", bare)
    bare = re.sub(r"\b(?:by|without|on|ignoring)\s*\([^)]*\)", "", bare)
    names = re.findall(r"(?<![\w.])[a-zA-Z_:][a-zA-Z0-9_:]*(?!\w)(?!\s*\()", bare)
    return {name for name in names if name not in WORDS}


def labels_of(expression):
    """Return the labels that an expression chooses or groups by."""
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', '""', expression)
    grouped = re.findall(r"\bby\s*\(([^)]*)\)", bare)
    chosen = re.findall(r"\{([^}]*)\}", bare)
    names = [name for part in (*grouped, *chosen) for name in re.findall(r"[a-zA-Z_]\w*", part)]
    return set(names) - {"le"}


def test_the_reader_of_expressions_finds_the_metrics_and_nothing_else():
    assert metrics_of('sum by (le, x) (rate(a_bucket{b="c d", e=~"f"}[5m])) > 1e3 and on () (hour() >= 15)') == {
        "a_bucket"
    }
    assert metrics_of("time() - a_b / ignoring (x) c") == {"a_b", "c"}
    assert labels_of('sum by (le, x) (rate(a_bucket{b="c d", e=~"f"}[5m]))') == {"x", "b", "e"}


@pytest.mark.parametrize(("where", "expression"), list(expressions()), ids=lambda text: text.replace(" ", "_")[:60])
def test_every_metric_that_is_asked_for_is_exported(where, expression, exported):
    asked = metrics_of(expression) - NOT_OURS
    assert asked or "up{" in expression
    assert asked <= set(exported), f"{where} asks for {asked - set(exported)}, which /metrics does not have"
    known = {label for name in asked for label in exported[name]}
    assert "up{" in expression or labels_of(expression) <= known, f"{where} asks for a label that is not there"


def test_a_metric_that_does_not_exist_is_noticed(exported):
    assert not metrics_of("rate(backstop_no_such_thing_total[5m])") <= set(exported)


def test_every_alert_says_how_bad_it_is_what_it_is_and_what_to_do():
    rules = [
        rule
        for group in yaml.safe_load((FOLDER / "alerts.yml").read_text("utf-8"))["groups"]
        for rule in group["rules"]
    ]
    assert len({rule["alert"] for rule in rules}) == len(rules)
    for rule in rules:
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert set(rule["annotations"]) == {"summary", "description"}
        assert f"alertname: {rule['alert']}" in TESTS.read_text("utf-8").replace("alertname=", "alertname: ")
        told = re.search(rf"^\| `{rule['alert']}` \| (\w+) \| .+ \| (.+) \|$", PAGE.read_text("utf-8"), re.MULTILINE)
        assert told is not None, f"{PAGE.name} does not name {rule['alert']}"
        assert told.groups() == (rule["labels"]["severity"], rule.get("for", "at once"))


def test_the_dashboard_asks_the_provisioned_datasource_and_its_panels_do_not_overlap():
    source = yaml.safe_load((FOLDER / "grafana/provisioning/datasources/prometheus.yml").read_text("utf-8"))
    board = json.loads((FOLDER / "grafana" / "dashboards" / "backstop.json").read_text("utf-8"))
    uid = source["datasources"][0]["uid"]
    taken = set()
    for panel in board["panels"]:
        assert panel["type"] == "row" or panel["datasource"]["uid"] == uid
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


def test_prometheus_scrapes_what_compose_starts():
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
    jobs = yaml.safe_load((FOLDER / "prometheus.yml").read_text("utf-8"))["scrape_configs"]
    hosts = {target.split(":")[0] for job in jobs for each in job["static_configs"] for target in each["targets"]}
    assert hosts - {"localhost"} <= set(compose["services"])
    mounted = [
        volume.split(":")[0] for name in ("prometheus", "grafana") for volume in compose["services"][name]["volumes"]
    ]
    assert all((ROOT / path).exists() for path in mounted if path.startswith("./"))


def test_prometheus_accepts_the_configuration_and_the_rules(promtool):
    done = subprocess.run(
        [promtool, "check", "config", FOLDER / "prometheus.yml"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_alerts_fire_when_they_should(promtool):
    done = subprocess.run([promtool, "test", "rules", TESTS], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("at", "wanted"), [("9h", "green"), ("31m", "red")])
def test_an_age_is_red_while_readers_wait_and_not_for_its_own_sake(promtool, tmp_path, at, wanted):
    """A slate that is overdue half an hour after it was published, for an hour, and is left alone in the night."""
    board = json.loads((FOLDER / "grafana" / "dashboards" / "backstop.json").read_text("utf-8"))
    (panel,) = (each for each in board["panels"] if each["title"] == "Its age")
    assert panel["fieldConfig"]["defaults"]["thresholds"]["steps"] == [{"color": "green", "value": None}]
    (red,) = panel["fieldConfig"]["overrides"]
    colours = {
        target["refId"]: "red" if red["matcher"]["options"] == target["refId"] else "green"
        for target in panel["targets"]
    }
    labels = '{instance="api:8090", slate="2025-06-15"}'
    age = {"9h": 9 * 3600, "31m": 31 * 60}[at]
    asked = [
        {
            "expr": target["expr"],
            "eval_time": at,
            "exp_samples": [{"labels": f"backstop_slate_age_seconds{labels}", "value": age}]
            if colours[target["refId"]] == wanted
            else [],
        }
        for target in panel["targets"]
    ]
    series = [
        {"series": f"backstop_slate_age_seconds{labels}", "values": "0+60x600"},
        {"series": f"backstop_slate_overdue{labels}", "values": "0x29 1x59 0x600"},
    ]
    case = {"tests": [{"interval": "1m", "input_series": series, "promql_expr_test": asked}]}
    (tmp_path / "case.yml").write_text(json.dumps(case), encoding="utf-8")
    done = subprocess.run(
        [promtool, "test", "rules", tmp_path / "case.yml"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
