"""Writes the dashboards for Grafana from the questions on them: `python -m deploy.grafana.document`."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deploy.boards import BOARDS, Board, Panel

FOLDER = Path(__file__).with_name("dashboards")
SOURCE = {"type": "prometheus", "uid": "prometheus"}
WIDTH, HEIGHT = 8, 7
A_ROW = 24 // WIDTH
OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "stat": {
        "reduceOptions": {"calcs": ["lastNotNull"]},
        "graphMode": "none",
        "colorMode": "value",
        "justifyMode": "auto",
        "textMode": "auto",
        "wideLayout": True,
        "showPercentChange": False,
        "percentChangeColorMode": "standard",
        "orientation": "auto",
    },
    "timeseries": {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
        "tooltip": {"mode": "multi", "sort": "desc"},
    },
    "table": {"frameIndex": 0, "showHeader": True},
}
"""By kind of panel; Grafana's schema wants all of them."""


def documents() -> dict[Path, str]:
    """Return the content of each file."""
    return {FOLDER / f"{name}.json": json.dumps(_board(board), indent=1) + "\n" for name, board in BOARDS.items()}


def _board(board: Board) -> dict[str, Any]:
    variables = [_choice()] if board.authority else []
    return {
        "uid": board.uid,
        "title": board.title,
        "tags": ["payback"],
        "schemaVersion": 41,
        "refresh": "30s",
        "time": {"from": "now-24h", "to": "now"},
        "timezone": "Europe/London",
        "templating": {"list": variables},
        "annotations": {"list": []},
        "panels": [_panel(number, panel) for number, panel in enumerate(board.panels)],
    }


def _choice() -> dict[str, Any]:
    query = "label_values(payback_last_event_timestamp_seconds, authority)"
    return {
        "name": "authority",
        "label": "Authority",
        "type": "query",
        "datasource": SOURCE,
        "query": query,
        "refresh": 2,
    }


def _panel(number: int, panel: Panel) -> dict[str, Any]:
    at_once = panel.kind == "table"
    return {
        "id": number + 1,
        "title": panel.title,
        "type": panel.kind,
        "datasource": SOURCE,
        "gridPos": {"x": number % A_ROW * WIDTH, "y": number // A_ROW * HEIGHT, "w": WIDTH, "h": HEIGHT},
        "fieldConfig": {"defaults": {"unit": panel.unit, **_limit(panel)}, "overrides": []},
        "options": OPTIONS[panel.kind],
        **({"transformations": [_columns(panel)]} if at_once else {}),
        "targets": [
            {
                "refId": chr(ord("A") + place),
                "datasource": SOURCE,
                "expr": expression,
                "legendFormat": legend,
                **({"instant": True, "format": "table"} if at_once else {}),
            }
            for place, (expression, legend) in enumerate(panel.asked())
        ],
    }


def _columns(panel: Panel) -> dict[str, Any]:
    """Return what has a table show labels and then the value, but not the times and names of series."""
    order = {name: place for place, name in enumerate([*panel.labels(), "Value"])}
    return {
        "id": "organize",
        "options": {"excludeByName": {"Time": True, "__name__": True}, "indexByName": order},
    }


def _limit(panel: Panel) -> dict[str, Any]:
    """Return the value from which it is bad, as a colour of numbers and a line in pictures."""
    if panel.limit is None:
        return {}
    below, above = ("red", "green") if panel.more_is_better else ("green", "red")
    steps = [{"color": below, "value": None}, {"color": above, "value": panel.limit}]
    line = {"custom": {"thresholdsStyle": {"mode": "line"}}} if panel.kind == "timeseries" else {}
    return {"thresholds": {"mode": "absolute", "steps": steps}, **line}


if __name__ == "__main__":
    for path, content in documents().items():
        path.write_text(content, encoding="utf-8")
