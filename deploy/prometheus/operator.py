"""Writes the rules in the form of the Prometheus Operator: `python -m deploy.prometheus.operator`, a part of `make documents`."""

from pathlib import Path
from textwrap import indent

_HERE = Path(__file__).parent
PATH = _HERE.parent / "kubernetes" / "monitoring" / "rules.yaml"
_HEAD = """# Made by `make documents` from deploy/prometheus/alerts.yml.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: payback
  labels: {app.kubernetes.io/part-of: payback}
spec:
"""


def document() -> str:
    """Return the file as it is committed."""
    _, groups, rules = (_HERE / "alerts.yml").read_text(encoding="utf-8").partition("groups:\n")
    return _HEAD + indent(groups + rules, "  ")


if __name__ == "__main__":
    PATH.write_text(document(), encoding="utf-8")
