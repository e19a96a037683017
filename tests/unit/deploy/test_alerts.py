"""No alert, and no graph, on a metric or label that nobody exports; no alert without a proof and a page to read."""

import json
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts.events import Topic
from contracts.rejections import Reason
from contracts.topics import source_topics
from deploy.grafana import document as grafana
from deploy.perses import document as perses
from deploy.prometheus.document import BOUNDS, JOBS, PATH, by_job, defined, document
from services.chassis.metrics import new_registry
from services.operations.proof.databases import LOOKS
from services.operations.watch import ABOUT
from services.records.model.record import Outcome
from tests.support.outside.promtool import promtool
from tests.unit.test_routes import APPLICATIONS, routes_of

ROOT = Path(__file__).parents[3]
PROMETHEUS = ROOT / "deploy" / "prometheus"
SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum"), "gauge": ("",)}
OF_PROMETHEUS = {"up", "ALERTS"}
OF_EXPORTERS = {"node_": {"fstype", "mountpoint", "device"}, "pg_": {"state"}}
"""Labels of what others export; tests/integration/deploy/test_exporters.py sees that they do."""
EXPORTERS = {"host", "postgres-exporter"}
OTHERS = {"watch", "proof"} | EXPORTERS
OPTIONAL = {"orders-webhooks", "unpaid-work-webhooks", "copy"}
"""Run where an operator wants them."""
ADDED_BY_PROMETHEUS = {"job", "instance", "le", "alertname"}
NAME = re.compile(r"\b(?:payback|process|python)_[a-z_]+\b|\bpayback:[a-z0-9_:]+\b")
WITH_LABELS = re.compile(r"([a-z_:]+)\{([^}]*)\}")
LABEL = re.compile(r'([a-z_]+)\s*(?:=~|!~|!=|=)\s*"')


@cache
def rules() -> list[dict[str, Any]]:
    document = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text())
    return [rule for group in document["groups"] for rule in group["rules"]]


ALERTS = {rule["alert"]: rule for rule in rules() if "alert" in rule}
RECORDED = {rule["record"] for rule in rules() if "record" in rule}


def dashboard_expressions() -> list[str]:
    found: list[str] = []
    for path in (ROOT / "deploy" / "grafana" / "dashboards").glob("*.json"):
        dashboard = json.loads(path.read_text())
        found += [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    return found


@cache
def exported() -> dict[str, set[str]]:
    """Return every series that a process exports, with its own labels."""
    registry = new_registry()
    labels = {metric._name: set(metric._labelnames) for metric in defined()}
    for each in dict.fromkeys(one for classes in JOBS.values() for one in classes):
        each(registry)
        labels |= {metric._name: set(metric._labelnames) for metric in defined(each)}
    return {
        family.name + suffix: labels.get(family.name, set())
        for family in registry.collect()
        for suffix in SUFFIXES.get(family.type, ("",))
    }


EXPRESSIONS = [*(rule["expr"] for rule in rules()), *dashboard_expressions()]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_nothing_is_watched_that_nobody_exports(expression: str) -> None:
    series = exported()
    assert set(NAME.findall(expression)) <= series.keys() | RECORDED
    for metric, matchers in WITH_LABELS.findall(expression):
        known = series.get(metric, {"authority"} if metric in RECORDED else set())
        if metric == "ALERTS":
            known = {"alertstate"}
        for beginning, labels in OF_EXPORTERS.items():
            known = labels if metric.startswith(beginning) else known
        assert set(LABEL.findall(matchers)) <= known | ADDED_BY_PROMETHEUS, metric


def test_the_check_would_notice() -> None:
    assert len(dashboard_expressions()) > 5
    assert {"payback_stream_up", "payback_events_total", "payback_http_request_seconds_bucket"} <= exported().keys()
    assert NAME.findall("rate(payback_no_such_total[5m])") == ["payback_no_such_total"]


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_what_to_do(name: str) -> None:
    rule = ALERTS[name]
    assert rule["labels"]["severity"] in {"critical", "warning", "info", "none"}
    assert rule["annotations"]["summary"]
    page = ROOT / rule["annotations"]["runbook"]
    assert page.is_relative_to(ROOT / "deploy" / "runbooks")
    assert name in page.read_text(), "the page must say which alerts lead to it"


@cache
def proofs() -> list[dict[str, Any]]:
    return [test for path in PROMETHEUS.glob("*_test.yml") for test in yaml.safe_load(path.read_text())["tests"]]


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_is_proved_to_fire(name: str) -> None:
    cases = [case for test in proofs() for case in test.get("alert_rule_test", [])]
    assert [case for case in cases if case["alertname"] == name and case.get("exp_alerts")]


def test_jobs_are_those_that_are_scraped_and_run() -> None:
    scraped = {job["job_name"] for job in yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())["scrape_configs"]}
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    laid_over = [ROOT / "deploy" / "compose" / f"{name}.yml" for name in ("webhooks", "copy")]
    over = {name for path in laid_over for name in yaml.safe_load(path.read_text())["services"]}
    assert over - compose.keys() == OPTIONAL
    running = {name for name in compose if name.endswith(("-api", "-worker"))} | OTHERS | OPTIONAL
    assert compose.keys() >= OTHERS
    assert scraped == running
    for rule in rules():
        for matcher, pattern in re.findall(r'job(=~|=)"([^"]+)"', rule["expr"]):
            assert [job for job in running if (re.fullmatch(pattern, job) if matcher == "=~" else pattern == job)]
    absent = set(re.findall(r'absent\(up\{job="([^"]+)"\}\)', ALERTS["ProcessMissing"]["expr"]))
    assert absent == running - EXPORTERS - OPTIONAL  # on Kubernetes it is others who watch machines


def test_numbers_and_values_in_alerts_are_the_codes_own() -> None:
    assert len(source_topics(*Topic)) == 2 * len(source_topics(Topic.ORDERS)), "TopicUnread counts on it"
    states = {value for text in EXPRESSIONS for value in re.findall(r'\bpayback_authorities\{state="([a-z_]+)"', text)}
    assert states == {"listed", "in_force"}
    outcomes = {value for text in EXPRESSIONS for value in re.findall(r'outcome="([a-z]+)"', text)}
    assert outcomes <= set(Outcome)


def test_the_page_of_metrics_is_that_of_the_definitions() -> None:
    page = PATH.read_text(encoding="utf-8")
    assert page == document(), "run `make documents`"
    all_names = {name.removeprefix("payback_") for names in by_job().values() for name in names}
    assert {name for name in all_names if not re.search(rf"^\| `{name}(_total)?` ", page, re.MULTILINE)} == set()


@pytest.mark.parametrize("dashboards", [grafana, perses], ids=["grafana", "perses"])
def test_dashboards_are_those_of_their_definitions(dashboards: Any) -> None:
    assert {path: path.read_text() for path in dashboards.FOLDER.glob("*.json")} == dashboards.documents()


def test_every_label_is_bounded() -> None:
    labels = {label for job in JOBS.values() for metric in defined(*job) for label in metric._labelnames}
    assert labels == BOUNDS.keys()


def test_what_the_code_can_put_into_a_label_is_within_its_bound() -> None:
    """A route that nobody knows counts as one more. What senders choose is bounded in tests/unit/records/ingest/test_metrics.py."""
    can_be = {
        "about": len({*ABOUT, *LOOKS}),
        "outcome": len(Outcome),
        "reason": len(Reason),
        "route": max(len({route.path for route in routes_of(app)}) for app in APPLICATIONS.values()) + 1,
        "topic": len(source_topics(*Topic)) + 1,
    }
    assert {label: number for label, number in can_be.items() if number > BOUNDS[label][1]} == {}


def test_what_holds_back_others_and_what_is_held_back_is_there() -> None:
    config = yaml.safe_load((PROMETHEUS / "alertmanager.yml").read_text())
    matchers = [
        each for rule in config["inhibit_rules"] for side in ("source", "target") for each in rule[f"{side}_matchers"]
    ]
    named = {name for each in matchers if each.startswith("alertname") for name in re.findall(r"[A-Z]\w+", each)}
    assert named <= ALERTS.keys()
    outages = set(re.findall(r'outage="(\w+)"', " ".join(matchers)))
    assert outages == {"postgresql", "kafka", "worker"}
    waited_for = {word for rule in ALERTS.values() for word in rule["labels"].get("waits_for", "").split()}
    assert waited_for == outages
    assert all(f'"outage", "{one}"' in ALERTS["OutageLately"]["expr"] for one in outages)


@pytest.mark.skipif(shutil.which("amtool") is None, reason="amtool is not installed (Debian: prometheus-alertmanager)")
def test_alertmanager_agrees() -> None:
    command = ["amtool", "check-config", "alertmanager.yml"]
    done = subprocess.run(command, cwd=PROMETHEUS, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed (Debian: prometheus)")
@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "rules", "alerts.yml"],
        ["check", "config", "--syntax-only", "prometheus.yml"],
        ["test", "rules", "alerts_test.yml", "alerts_over_days_test.yml"],
    ],
    ids=lambda arguments: arguments[1],
)
def test_prometheus_agrees(arguments: list[str]) -> None:
    done = promtool(PROMETHEUS, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
