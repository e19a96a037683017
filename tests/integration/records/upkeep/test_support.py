"""Files handed to those who help hold nothing about anybody; and the size of the history is as PostgreSQL says."""

import json
import tarfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from services.chassis.settings import DatabaseSettings, KafkaSettings
from services.operations import capacity, support
from services.operations.doctor import DoctorSettings
from tests.integration.records.conftest import NOW, Bench
from tests.support import scenario

SECRET = "dont-tell-anybody"


@pytest.mark.parametrize("service", ["orders", "unpaid_work"])
def test_nothing_about_anybody_is_in_it(
    bench: Callable[[str], Bench], postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, service: str
) -> None:
    one = bench(service)
    lines = [found for found in scenario.topics() if found[0] in one.domain.kinds]
    worker = one.worker()
    for fetch in scenario.slices(lines, 500):
        worker.process(fetch)
    with one.database.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO parks (authority, action, said, by, at) VALUES ('S12000005', 'skipped', :free, 'mary', now())"
            ),
            {"free": SECRET},
        )
        private = {row[0] for row in connection.execute(text("SELECT subject FROM records"))}
        private |= {
            row[0] for row in connection.execute(text("SELECT event_id FROM arrivals WHERE event_id IS NOT NULL"))
        }
        private |= {row[0] for row in connection.execute(text("SELECT person_ref FROM persons"))}
        sent = [
            bytes(row[0]) for row in connection.execute(text("SELECT value FROM rejections WHERE value IS NOT NULL"))
        ]
    private |= {SECRET, "mary"} | {value for raw in sent for value in _texts(raw)}
    address = postgres.replace("://", "://somebody:").replace("somebody:payback:", "payback:")
    settings = DoctorSettings(
        database=DatabaseSettings(url=address, schema_name=service), kafka=KafkaSettings(bootstrap="127.0.0.1:1")
    )
    monkeypatch.setattr(DoctorSettings, "load", classmethod(lambda _: settings))
    monkeypatch.setenv("PAYBACK_DATABASE_URL", f"postgresql://orders:{SECRET}@here/payback")
    monkeypatch.setenv("PAYBACK_KAFKA_SASL_PASSWORD", SECRET)
    support.support(tmp_path / "support.tgz")
    with tarfile.open(tmp_path / "support.tgz") as archive:
        parts = {each.name: archive.extractfile(each).read().decode() for each in archive}  # type: ignore[union-attr]
    assert (tmp_path / "support.tgz").stat().st_mode & 0o077 == 0
    whole = "\n".join(parts.values())
    assert [each for each in private if each in whole] == []
    for name in ("checkpoints", "outcomes", "rejections", "sizes", "parks"):
        assert parts[f"support/{name}.csv"].count("\n") > 1, name
    assert "PAYBACK_DATABASE_URL=postgresql://(set)@here/payback" in parts["support/settings.txt"]
    assert "Kafka: " in parts["support/doctor.txt"], "that Kafka does not answer is one of the findings"


def _texts(raw: bytes) -> set[str]:
    """Return the values of refused events that are long enough to be told apart."""
    try:
        document = json.loads(raw)
    except ValueError:
        return {raw.decode(errors="replace")} if len(raw) > 8 else set()
    data = document.get("data") if isinstance(document, dict) else None
    values = (
        [*document.values(), *(data.values() if isinstance(data, dict) else ())] if isinstance(document, dict) else []
    )
    return {
        value for value in values if isinstance(value, str) and len(value) > 8 and not value.startswith("20")
    } - PUBLIC


PUBLIC = {"application/json"}


def test_what_it_takes_and_will_take_is_told(bench: Callable[[str], Bench]) -> None:
    one = bench("orders")
    assert "nothing has been sent yet" in "\n".join(capacity.told("orders", capacity.held(one.database, NOW)))
    lines = [found for found in scenario.topics() if found[0] in one.domain.kinds]
    for fetch in scenario.slices(lines, 500):
        one.worker().process(fetch)
    now = capacity.held(one.database, NOW)
    number = sum(len(found) for _, _, found in lines)
    assert now.events == number
    assert now.lately == pytest.approx(number / 28)
    assert capacity.held(one.database, NOW + timedelta(days=60)).lately == 0
    said = list(capacity.told("orders", now))
    assert now.size == sum(now.tables.values()) > 100_000
    assert said[0].startswith(f"orders: {number:,} events")
    assert f"{number + number / 28 * 3650:,.0f} events" in said[-1]
