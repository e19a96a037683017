"""A real Prometheus and Alertmanager with what is deployed, in less time, and a receiver that keeps what arrives."""

import json
import re
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from deploy.local.process import answers, free_ports, spawn, stop, wait_until

PROMETHEUS = Path(__file__).parents[3] / "deploy" / "prometheus"
SCALE = 10
"""By how much shorter rules wait, and how much of the past they look at. What the platform itself takes is not shortened."""
SCRAPE_SECONDS = 1.5
"""A tenth of what is deployed."""
AGES = {
    "WorkerBlind": 120,
    "BooksUnmeasured": 300,
    "AuthorityLate": 300,
    "PublishingBehind": 300,
    "FiguresStale": 300,
    "Unwatched": 1800,
    "ReleaseLate": 300,
    "WebhooksStill": 300,
    "CopyBehind": 300,
    "TransactionForgotten": 600,
}
"""Alerts on something older than so many seconds, or than a tenth of it here."""
DAYS = {"ProofStale": (2 * 86_400, 360)}
"""Alerts on something older than days, with the seconds that stand for them here: more than a round of the proof takes here."""
LATE, LATE_HERE = 60, 15
"""The seconds after which a publication is late: of the bounds that are counted, the one that a fault can pass before other alerts fire."""
WATCH, PROOF = 300, 1500
SELDOMER = {
    **dict.fromkeys(("KafkaSettings", "HistoryGone", "BackupOld", "CertificateEnds", "BrokerGone"), WATCH),
    **dict.fromkeys(("ProofFailed", "DatabaseSettings"), PROOF),
    "WorkerStuck": 20,
    "FreshnessBudget": LATE - LATE_HERE,
}
"""By how many seconds longer the platform may take as deployed, where it looks more often here: `watch` every 2 seconds, not every 300;
the proof all the time, not a tenth of it, in which a round took 25 minutes at most (docs/reliability.md); and a worker, whose session
and tries last for 5 seconds, not for 25. And by how much sooner a publication is late here."""
UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
DURATION = r"(\d+)(ms|s|m|h|d)"


class Told(NamedTuple):
    """One alert as it arrived."""

    at: float
    receiver: str
    alert: str
    status: str
    labels: Mapping[str, str]
    fired: float
    """When it fired, by the same clock."""


def seconds(text: str) -> float:
    """Return the seconds of a duration as in `1h30m`."""
    return sum(int(number) * UNITS[unit] for number, unit in re.findall(DURATION, text))


@cache
def rules() -> Mapping[str, Mapping[str, Any]]:
    """Return the alerts that are deployed, by name."""
    document = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text())
    return {rule["alert"]: rule for group in document["groups"] for rule in group["rules"] if "alert" in rule}


def waits(alert: str) -> float:
    """Return for how many seconds the deployed rule waits by itself: `for`, and the age it asks for; and then who tells of it."""
    return _waits(alert) + AGES.get(alert, 0) + DAYS.get(alert, (0, 0))[0]


def waits_here(alert: str) -> float:
    """Return the same for the rule as it is here."""
    return (_waits(alert) + AGES.get(alert, 0)) / SCALE + DAYS.get(alert, (0, 0))[1]


def _waits(alert: str) -> float:
    rule = rules()[alert]
    return seconds(str(rule.get("for", "0s"))) + _group_wait(rule["labels"]["severity"])


def _group_wait(severity: str) -> float:
    route = yaml.safe_load((PROMETHEUS / "alertmanager.yml").read_text())["route"]
    own = [one for one in route["routes"] if f'severity="{severity}"' in one["matchers"]]
    return seconds((own or [route])[0]["group_wait"])


def shortened() -> str:
    """Return alerts.yml with all that is waited for and looked back on a tenth as long. What is counted in days stays, but for `DAYS`."""
    document = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text())
    for rule in (rule for group in document["groups"] for rule in group["rules"]):
        if "for" in rule:
            rule["for"] = _shorter(rule["for"])
        rule["expr"] = _sooner(rule.get("alert", ""), re.sub(r"\[[^\]]+\]", _shorter_range, rule["expr"]))
    return yaml.safe_dump(document, sort_keys=False)


def _sooner(alert: str, expression: str) -> str:
    """Return the rule with the ages as they are here."""
    expression = expression.replace(f'le="{LATE}.0"', f'le="{LATE_HERE}.0"')
    if age := AGES.get(alert):
        assert f"> {age}" in expression
        return expression.replace(f"> {age}", f"> {age // SCALE}")
    if days := DAYS.get(alert):
        deployed, here = f"> {days[0] // 86_400} * 86400", f"> {days[1]}"
        assert deployed in expression
        return expression.replace(deployed, here)
    return expression


def _shorter_range(found: re.Match[str]) -> str:
    return re.sub(DURATION, lambda each: _shorter(each[0]), found[0])


def _shorter(duration: str) -> str:
    return f"{round(seconds(duration) * 1000 / SCALE)}ms"


class Receiver:
    """Where alerts arrive."""

    def __init__(self) -> None:
        self.told: list[Told] = []
        (self.port,) = free_ports(1)
        told = self.told

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                now, today = time.monotonic(), time.time()
                for one in body["alerts"]:
                    name = one["labels"]["alertname"]
                    ago = today - datetime.fromisoformat(one["startsAt"]).timestamp()
                    told.append(Told(now, body["receiver"], name, one["status"], one["labels"], now - ago))
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library names it so
                """Log nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)

    @contextmanager
    def listening(self) -> Iterator[None]:
        thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        thread.start()
        yield
        self._server.shutdown()
        self._server.server_close()
        thread.join()

    def since(
        self, begun: float, *, status: str = "firing", receivers: tuple[str, ...] = ("pager", "today")
    ) -> list[Told]:
        """Return the alerts that have arrived since then, but for the sign of life."""
        return [one for one in self.told if one.at >= begun and one.status == status and one.receiver in receivers]


@dataclass(frozen=True, slots=True)
class Watched:
    """Prometheus, Alertmanager and a receiver on a running platform."""

    address: str
    targets: Path
    receiver: Receiver

    def ask(self, path: str, **parameters: str) -> Any:
        url = f"{self.address}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return json.load(answer)["data"]

    def active(self, *states: str) -> set[str]:
        """Return the alerts that are in these states now, but for those that tell nobody."""
        found = self.ask("alerts")["alerts"]
        return {
            one["labels"]["alertname"]
            for one in found
            if one["state"] in states and one["labels"]["severity"] not in {"none", "info"}
        }

    def scrape(self, job: str, address: str | None, name: str = "") -> None:
        """Tell Prometheus where a process exposes its metrics, which has a name if there are several of the job; None has Prometheus
        know nothing of it.
        """
        path = self.targets / f"{name or job}.json"
        if address is None:
            path.unlink(missing_ok=True)
            return
        beside = path.with_suffix(".new")
        beside.write_text(json.dumps([{"targets": [address], "labels": {"job": job}}]))
        beside.rename(path)


def _alertmanager(port: int) -> str:
    """Return the deployed routes and inhibitions, with our receiver, and a tenth of the patience."""
    text = (PROMETHEUS / "alertmanager.yml").read_text()
    text = re.sub(r"http://(\w+)\.invalid/", rf"http://127.0.0.1:{port}/\1", text)
    return re.sub(rf"(group_wait|group_interval): {DURATION}", lambda f: f"{f[1]}: {_shorter(f[2] + f[3])}", text)


def _prometheus(home: Path, alertmanager: int) -> str:
    return yaml.safe_dump(
        {
            "global": {
                "scrape_interval": f"{SCRAPE_SECONDS * 1000:.0f}ms",
                "evaluation_interval": f"{SCRAPE_SECONDS * 1000:.0f}ms",
            },
            "rule_files": [str(home / "alerts.yml")],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{alertmanager}"]}]}]},
            "scrape_configs": [{"job_name": "payback", "file_sd_configs": [{"files": [f"{home}/targets/*.json"]}]}],
        }
    )


@contextmanager
def watching(home: Path) -> Iterator[Watched]:
    """Yield everything but the platform; `scrape` says what there is to watch."""
    receiver = Receiver()
    web, alerts = free_ports(2)
    (home / "targets").mkdir()
    (home / "alerts.yml").write_text(shortened())
    (home / "alertmanager.yml").write_text(_alertmanager(receiver.port))
    (home / "prometheus.yml").write_text(_prometheus(home, alerts))
    with ExitStack() as parts:
        parts.enter_context(receiver.listening())
        for port, command in (
            (alerts, ("prometheus-alertmanager", f"--config.file={home}/alertmanager.yml", f"--storage.path={home}/am",
                      f"--web.listen-address=127.0.0.1:{alerts}", "--cluster.listen-address=")),
            (web, ("prometheus", f"--config.file={home}/prometheus.yml", f"--storage.tsdb.path={home}/data",
                   f"--web.listen-address=127.0.0.1:{web}")),
        ):  # fmt: skip
            log = home / f"{command[0]}.log"
            running = spawn(command, log)
            parts.callback(stop, running)
            wait_until(lambda port=port: answers(port), command[0], running, log, seconds=60)  # type: ignore[misc]
        yield Watched(f"http://127.0.0.1:{web}", home / "targets", receiver)
