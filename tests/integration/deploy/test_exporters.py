"""The machine is watched by what it really exports, with the collectors that are turned on where we deploy."""

import os
from pathlib import Path

import yaml

from tests.support.outside.exporters import ROOT, exported, wants, watched


@wants("prometheus-node-exporter", "prometheus-node-exporter")
def test_the_machine_exports_what_is_watched(tmp_path: Path) -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    options = [word for word in compose["services"]["host"]["command"] if not word.startswith("--path.rootfs")]
    expected = watched("node_")
    assert len(expected) >= 5
    command = ["prometheus-node-exporter", *options]
    assert exported(command, tmp_path / "log", dict(os.environ), expected) == expected
