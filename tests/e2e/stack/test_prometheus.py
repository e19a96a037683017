"""A real Prometheus, with the configuration that is deployed, against everything running, also after others have used it."""

import json
import re
import shutil
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.local.process import free_ports, spawn, stop
from deploy.prometheus.document import by_job
from tests.e2e.stack.conftest import Stack
from tests.unit.deploy.test_alerts import ALERTS, OPTIONAL, OTHERS, RECORDED

PROMETHEUS = Path(__file__).parents[3] / "deploy" / "prometheus"
BY_NAME = re.compile(r"dns_sd_configs: \[\{names: \[[a-z-]+\], type: A, port: 9100\}\]")
NOT_IN_THE_STACK = OTHERS | OPTIONAL

pytestmark = [
    pytest.mark.timeout(290),
    pytest.mark.skipif(shutil.which("prometheus") is None, reason="prometheus is not installed (Debian: prometheus)"),
]


class Prometheus:
    """Asks it over HTTP."""

    def __init__(self, address: str) -> None:
        self._address = address

    def ask(self, path: str, **parameters: str) -> Any:
        url = f"{self._address}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return json.load(answer)["data"]

    def health(self) -> dict[str, str]:
        """Return the health of each job."""
        try:
            return {t["labels"]["job"]: t["health"] for t in self.ask("targets")["activeTargets"]}
        except OSError:
            return {}

    def by_job(self, query: str) -> dict[str, str]:
        return {found["metric"]["job"]: found["value"][1] for found in self.ask("query", query=query)["result"]}


def configured(metrics: list[str]) -> str:
    """Return the deployed configuration, but for addresses, and with less patience."""
    jobs = iter(metrics)  # the stack tells them in the order in which they are configured
    text = (PROMETHEUS / "prometheus.yml").read_text()
    for other in NOT_IN_THE_STACK:
        text = text.replace(f"dns_sd_configs: [{{names: [{other}], type: A, port: 9100}}]", "static_configs: []")
    text, count = BY_NAME.subn(lambda _: f"static_configs: [{{targets: ['{next(jobs)}']}}]", text)
    assert count == len(metrics)
    return text.replace("/etc/prometheus/", f"{PROMETHEUS}/").replace("15s", "2s")


@pytest.fixture
def prometheus(stack: Stack, tmp_path: Path) -> Iterator[Prometheus]:
    (port,) = free_ports(1)
    targets = [urllib.parse.urlsplit(address).netloc for address in stack["metrics"]]
    (tmp_path / "prometheus.yml").write_text(configured(targets))
    command = [
        *("prometheus", f"--config.file={tmp_path}/prometheus.yml", f"--storage.tsdb.path={tmp_path}/data"),
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    running = spawn(command, tmp_path / "prometheus.log")
    try:
        yield Prometheus(f"http://127.0.0.1:{port}")
    finally:
        stop(running)


def wait_for_all(prometheus: Prometheus) -> dict[str, str]:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        health = prometheus.health()
        if health and set(health.values()) == {"up"}:
            break
        time.sleep(0.5)
    return prometheus.health()


def test_every_process_is_watched_and_every_rule_is_evaluated(prometheus: Prometheus) -> None:
    jobs = [f"{service}-{part}" for service in ("orders", "unpaid-work", "reporting") for part in ("api", "worker")]
    assert wait_for_all(prometheus) == dict.fromkeys([*jobs, "desk-api"], "up")
    deadline = time.monotonic() + 60
    while not all(topics_read(prometheus).get(job) == count for job, count in EXPECTED.items()):
        assert time.monotonic() < deadline, topics_read(prometheus)
        time.sleep(1)
    exposed = {job: names_of(prometheus, job) for job in by_job() if job not in NOT_IN_THE_STACK}
    assert exposed == {job: names for job, names in by_job().items() if job not in NOT_IN_THE_STACK}
    rules = [rule for group in prometheus.ask("rules")["groups"] for rule in group["rules"]]
    assert {rule["name"] for rule in rules} == ALERTS.keys() | RECORDED
    assert {rule["health"] for rule in rules} == {"ok"}
    assert {rule["name"] for rule in rules if rule.get("state") == "firing"} == {"Watchdog"}


def names_of(prometheus: Prometheus, job: str) -> set[str]:
    """Return the metrics of ours that a process exposes, as docs/metrics.md names them."""
    found = prometheus.ask("targets/metadata", match_target=f'{{job="{job}"}}')
    return {one["metric"].removesuffix("_total") for one in found if one["metric"].startswith("payback_")}


EXPECTED = {"orders-worker": "32", "unpaid-work-worker": "64", "reporting-worker": "1"}


def topics_read(prometheus: Prometheus) -> dict[str, str]:
    """Return the topics that are read, as TopicUnread counts them."""
    return prometheus.by_job("count by (job) (count by (job, topic) (payback_stream_lag))")
