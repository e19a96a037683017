"""The watch sees what no service sees of itself: certificates that end, backups that were not made, Kafka that does not answer."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from prometheus_client import CollectorRegistry

from deploy.local.process import free_ports
from services.chassis.settings import KafkaSettings
from services.operations import watch
from services.operations.watch import LookSettings, WatchMetrics, WatchSettings

NOW = datetime(2026, 11, 26, 7, tzinfo=UTC)


def certificate(ends: datetime) -> bytes:
    key, name = Ed25519PrivateKey.generate(), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kafka")])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(NOW - timedelta(days=9)).not_valid_after(ends)
    return made.sign(key, None).public_bytes(Encoding.PEM)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for days, name in ((1, "payback-old.dump"), (0, "payback.dump")):
        (tmp_path / name).write_bytes(b"rows")
        at = (NOW - timedelta(days=days, hours=6)).timestamp()
        os.utime(tmp_path / name, (at, at))
    (tmp_path / "payback-broken.dump").touch()
    ends = NOW + timedelta(days=40)
    (tmp_path / "kafka.crt").write_bytes(certificate(ends + timedelta(days=400)) + certificate(ends))
    (tmp_path / "broken.pem").write_bytes(b"-----BEGIN CERTIFICATE-----")
    return tmp_path


def test_ends_and_backups_are_told_although_kafka_does_not_answer(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.chassis.streaming.clients.connection.CONNECT_SECONDS", 0.2)
    registry = CollectorRegistry()
    metrics = WatchMetrics(registry)
    metrics.looked.set(7)
    kafka = KafkaSettings(bootstrap=f"127.0.0.1:{free_ports(1)[0]}")
    settings = WatchSettings(kafka=kafka, watch=LookSettings(backups_path=folder, certificates_path=folder))
    watch.look(settings, metrics, NOW)

    def told(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(f"payback_{name}", labels)

    assert told("backup_timestamp_seconds", of="postgresql") == (NOW - timedelta(hours=6)).timestamp()
    assert told("backup_timestamp_seconds", of="kafka") == 0
    assert told("certificate_expires_timestamp_seconds", file="kafka.crt") == (NOW + timedelta(days=40)).timestamp()
    assert told("certificate_expires_timestamp_seconds", file="broken.pem") == 0
    assert told("findings_timestamp_seconds") == 7, "nobody looked at Kafka, and that shows"
    assert told("findings", about="topics") is None
    assert told("brokers") == 0, "nobody has counted them"
