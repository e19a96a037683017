"""Every question of a dashboard has an answer, given what processes export and the deployed rules; none is asked in vain."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.boards import BOARDS
from deploy.grafana.document import FOLDER
from deploy.prometheus.document import JOBS, defined
from tests.support.outside.promtool import promtool

RULES = Path(__file__).parents[3] / "deploy" / "prometheus" / "alerts.yml"
SMALLEST = "S12000027"
VALUES = {
    "authority": (SMALLEST,),
    "outcome": ("applied", "rejected"),
    "service": ("orders", "unpaid_work"),
    "state": ("listed", "in_force"),
    "status": ("202", "503"),
    "topic": (f"orders.events.{SMALLEST}",),
    "version": ("1.0",),
}
"""Of labels on which questions hang; of others, any."""
LATER = {"payback_last_taken_timestamp_seconds": 100}
"""What came is not yet visible."""
PARTS = {
    "gauge": (("", ""),),
    "counter": (("_total", ""),),
    "histogram": (("_bucket", ', le="60.0"'), ("_bucket", ', le="+Inf"'), ("_count", "")),
}
HOURS = 7
OTHERS = {
    'node_filesystem_avail_bytes{fstype="ext4", mountpoint="/"}': 1,
    'node_filesystem_size_bytes{fstype="ext4", mountpoint="/"}': 4,
    "pg_stat_activity_count": 20,
    "pg_settings_max_connections": 200,
    'up{job="postgres-exporter"}': 0,
}
"""What others than our processes tell."""
GRAFANA = Path(sys.executable).with_name("grafana-boards")

pytestmark = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed (Debian: prometheus)"
)


def questions() -> dict[str, str]:
    """Return the questions by board, panel and number."""
    return {
        f"{name}: {panel.title} {number}": expression.replace("$authority", SMALLEST)
        for name, board in BOARDS.items()
        for panel in board.panels
        for number, (expression, _) in enumerate(panel.questions)
    }


def series() -> Iterator[dict[str, str]]:
    """Yield series as if each process had run for hours, and counted nine of each thing every five minutes."""
    for name, value in OTHERS.items():
        yield {"series": name, "values": f"{value}x{HOURS * 12}"}
    for job, classes in JOBS.items():
        yield {"series": f'up{{job="{job}"}}', "values": f"1x{HOURS * 12}"}
        for name in ("process_resident_memory_bytes", "process_cpu_seconds_total"):
            yield {"series": f'{name}{{job="{job}"}}', "values": f"0+1x{HOURS * 12}"}
        for metric in defined(*classes):
            yield from _of(metric, job)


def _of(metric: Any, job: str) -> Iterator[dict[str, str]]:
    for values in product(*(VALUES.get(label, ("x",)) for label in metric._labelnames)):
        labels = "".join(f', {name}="{value}"' for name, value in zip(metric._labelnames, values, strict=True))
        for suffix, bucket in PARTS[metric._type]:
            told = f"0+9x{HOURS * 12}" if suffix else f"{LATER.get(metric._name, 1)}x{HOURS * 12}"
            yield {"series": f'{metric._name}{suffix}{{job="{job}"{labels}{bucket}}}', "values": told}


def unanswered(asked: dict[str, str], directory: Path, given: list[dict[str, str]]) -> set[str]:
    """Return the questions to which Prometheus has nothing to say, given these series."""
    tests = [{"expr": one, "eval_time": f"{HOURS - 1}h", "exp_samples": []} for one in asked.values()]
    proof = {
        "rule_files": [str(RULES)],
        "evaluation_interval": "1h",
        "tests": [{"interval": "5m", "input_series": given, "promql_expr_test": tests}],
    }
    (directory / "boards.yml").write_text(yaml.safe_dump(proof))
    said = promtool(directory, "test", "rules", "boards.yml").stderr
    answered = set(re.findall(r'expr: "((?:[^"\\]|\\.)*)", time', said))
    assert answered, said
    return {name for name, one in asked.items() if _quoted(one) not in answered}


def _quoted(expression: str) -> str:
    return expression.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def test_every_panel_has_something_to_show(tmp_path: Path) -> None:
    in_vain = {
        "nobody exports it": "payback_no_such",
        "nobody has these labels": "payback_silent_working_days * on (job) up{job='x'}",
    }
    assert unanswered(questions() | in_vain, tmp_path, list(series())) == in_vain.keys()


def test_a_table_with_nothing_to_show_says_so(tmp_path: Path) -> None:
    asked = {
        panel.title: question
        for board in BOARDS.values()
        for panel in board.panels
        for question, _ in panel.asked()
        if panel.kind == "table"
    }
    assert unanswered(asked, tmp_path, []) == set()


def read_by_grafana(*paths: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([GRAFANA, *paths], capture_output=True, text=True, check=False)


@pytest.mark.skipif(not GRAFANA.exists(), reason="Grafana's library of dashboards is not there (`make parts`, with Go)")
def test_grafana_knows_all_that_its_dashboards_say(tmp_path: Path) -> None:
    paths = sorted(FOLDER.glob("*.json"))
    assert len(paths) == len(BOARDS)
    done = read_by_grafana(*paths)
    assert (done.returncode, done.stderr) == (0, "")
    for name, right, wrong in (
        ("of the board", '"refresh"', '"refreshes"'),
        ("of a panel", '"gridPos"', '"gridPosition"'),
        ("of a question", '"legendFormat"', '"legendFormats"'),
        ("of a number", '"reduceOptions"', '"reduce"'),
        ("of a line", '"thresholdsStyle"', '"thresholdStyle"'),
        ("of a threshold", '"steps"', '"step"'),
    ):
        broken = tmp_path / f"{name}.json"
        broken.write_text((FOLDER / "platform.json").read_text().replace(right, wrong))
        assert read_by_grafana(broken).returncode == 1, name
