"""When certificates expire."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509

from services.chassis.settings import KafkaSettings

SOON = timedelta(days=14)
"""As in the alert CertificateEnds."""


def of_kafka(kafka: KafkaSettings) -> list[Path]:
    """Return the files of the certificates used for Kafka."""
    return [path for path in (kafka.tls_certificate_path, kafka.tls_ca_path) if path]


def ends(path: Path) -> float:
    """Return when the first of a file's certificates expires, in seconds since 1970; 0 if none can be read, which is worth a page too."""
    with suppress(OSError, ValueError):
        return min(one.not_valid_after_utc for one in x509.load_pem_x509_certificates(path.read_bytes())).timestamp()
    return 0.0


def ending(kafka: KafkaSettings, now: datetime) -> Iterator[str]:
    """Yield, in words, certificates that expire soon, have expired, or cannot be read."""
    for path in of_kafka(kafka):
        end = datetime.fromtimestamp(ends(path), UTC)
        if end < now + SOON:
            yield (
                f"{path} expires on {end:%Y-%m-%d}"
                if end.timestamp()
                else f"{path} holds no certificate that can be read"
            )
