"""Faults around the tables are counted, and end no proof."""

from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry

from services.chassis.failures import Refused
from services.chassis.settings import DatabaseSettings
from services.operations.proof import databases
from services.operations.proof.databases import DatabaseMetrics, look_around


def refused(_: DatabaseSettings) -> Iterator[str]:
    yield "migration 0022 has not been run"
    raise Refused("a newer version took something away")


def broken(_: DatabaseSettings) -> Iterator[str]:
    raise KeyError("somebody's name")


def test_each_look_is_told_by_service(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = {
        "schema": refused,
        "rights": lambda database: [f"{database.owner}_worker may not SELECT a", "or b"],
        "clocks": lambda _: [],
        "ours": broken,
    }
    monkeypatch.setattr(databases, "LOOKS", looks)
    registry = CollectorRegistry()
    settings = DatabaseSettings(url="postgresql://maintenance@nowhere/payback", schema_name="reporting")
    look_around(settings, ["orders", "reporting"], DatabaseMetrics(registry))

    def found(service: str, about: str) -> float | None:
        return registry.get_sample_value("payback_database_findings", {"service": service, "about": about})

    for service in ("orders", "reporting"):
        assert [found(service, about) for about in looks] == [1, 2, 0, 1]
