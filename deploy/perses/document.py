"""Writes the dashboards for Perses from the questions on them: `python -m deploy.perses.document`."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deploy.boards import BOARDS, Board, Panel

FOLDER = Path(__file__).with_name("dashboards")
PROJECT = "payback"
WIDTH, HEIGHT = 8, 7
A_ROW = 24 // WIDTH
UNITS: Mapping[str, Mapping[str, Any]] = {
    "percentunit": {"unit": "percent-decimal", "decimalPlaces": 1},
    "s": {"unit": "seconds"},
    "bytes": {"unit": "bytes"},
    "short": {"unit": "decimal", "shortValues": True},
}
"""Units by Grafana's names."""
GOOD, BAD = "#2e7d32", "#c62828"


def documents() -> dict[Path, str]:
    """Return the content of each file."""
    return {FOLDER / f"{name}.json": json.dumps(_board(board), indent=1) + "\n" for name, board in BOARDS.items()}


def _board(board: Board) -> dict[str, Any]:
    places = enumerate(board.panels)
    items = [_place(number) for number, _ in places]
    return {
        "kind": "Dashboard",
        "metadata": {"name": board.uid, "project": PROJECT},
        "spec": {
            "display": {"name": board.title},
            "duration": "24h",
            "refreshInterval": "30s",
            "variables": [_choice()] if board.authority else [],
            "panels": {f"p{number}": _panel(panel) for number, panel in enumerate(board.panels)},
            "layouts": [{"kind": "Grid", "spec": {"items": items}}],
        },
    }


def _place(number: int) -> dict[str, Any]:
    at = {"x": number % A_ROW * WIDTH, "y": number // A_ROW * HEIGHT, "width": WIDTH, "height": HEIGHT}
    return at | {"content": {"$ref": f"#/spec/panels/p{number}"}}


def _choice() -> dict[str, Any]:
    asked = {"labelName": "authority", "matchers": ["payback_last_event_timestamp_seconds"]}
    return {
        "kind": "ListVariable",
        "spec": {
            "name": "authority",
            "display": {"name": "Authority"},
            "allowMultiple": False,
            "allowAllValue": False,
            "plugin": {"kind": "PrometheusLabelValuesVariable", "spec": asked},
        },
    }


def _panel(panel: Panel) -> dict[str, Any]:
    return {
        "kind": "Panel",
        "spec": {
            "display": {"name": panel.title},
            "plugin": PLUGINS[panel.kind](panel),
            "queries": [_query(*question) for question in panel.asked()],
        },
    }


def _query(expression: str, legend: str) -> dict[str, Any]:
    plugin = {"kind": "PrometheusTimeSeriesQuery", "spec": {"query": expression, "seriesNameFormat": legend}}
    return {"kind": "TimeSeriesQuery", "spec": {"plugin": plugin}}


def _lines(panel: Panel) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "legend": {"position": "bottom", "mode": "list"},
        "visual": {"palette": {"mode": "categorical"}},
        "yAxis": {"format": UNITS[panel.unit], "min": 0},
    }
    if panel.limit is not None:
        spec["thresholds"] = {"steps": [{"value": panel.limit, "color": BAD}]}
    return {"kind": "TimeSeriesChart", "spec": spec}


def _number(panel: Panel) -> dict[str, Any]:
    spec: dict[str, Any] = {"calculation": "last-number", "format": UNITS[panel.unit]}
    if panel.limit is not None:
        below, above = (BAD, GOOD) if panel.more_is_better else (GOOD, BAD)
        spec["thresholds"] = {"defaultColor": below, "steps": [{"value": panel.limit, "color": above}]}
    return {"kind": "StatChart", "spec": spec}


def _table(panel: Panel) -> dict[str, Any]:
    hidden = [{"name": name, "hide": True} for name in ("timestamp", "__name__")]
    labels = [{"name": name} for name in panel.labels()]
    value = {"name": "value", "header": "", "align": "right", "format": UNITS[panel.unit], "sort": "desc"}
    return {"kind": "Table", "spec": {"density": "compact", "columnSettings": [*hidden, *labels, value]}}


PLUGINS = {"timeseries": _lines, "stat": _number, "table": _table}

if __name__ == "__main__":
    for path, content in documents().items():
        path.write_text(content, encoding="utf-8")
