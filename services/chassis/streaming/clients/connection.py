"""Connections to Kafka, and what a client's errors mean."""

from collections.abc import Iterator
from contextlib import contextmanager
from ssl import SSLContext, create_default_context
from typing import Any

from kafka import errors

from services.chassis.failures import Away, Refused
from services.chassis.settings import KafkaSettings

# Errors that last: trying again does not help. Any other error may pass.
LASTING = (
    errors.AuthorizationError,
    errors.SaslAuthenticationFailedError,
    errors.InvalidTopicError,
    errors.MessageSizeTooLargeError,
    errors.RecordListTooLargeError,
    errors.UnsupportedVersionError,
    errors.UnsupportedCodecError,
    errors.KafkaConfigurationError,
    errors.IllegalStateError,
)
CONNECT_SECONDS = 5
REQUEST_SECONDS = 5


def tls_context(settings: KafkaSettings) -> SSLContext | None:
    """Return the TLS context; None if the connection is not encrypted."""
    if not settings.security_protocol.endswith("SSL"):
        return None
    context = create_default_context(cafile=settings.tls_ca_path)
    if settings.tls_certificate_path is not None:
        context.load_cert_chain(settings.tls_certificate_path, settings.tls_key_path)
    return context


def connection(settings: KafkaSettings) -> dict[str, Any]:
    """Return connection settings for every client of the library."""
    options: dict[str, Any] = {
        "bootstrap_servers": settings.bootstrap.split(","),
        "client_id": settings.client_id,
        "security_protocol": settings.security_protocol,
        "ssl_context": tls_context(settings),
        "request_timeout_ms": REQUEST_SECONDS * 1000,
        "bootstrap_timeout_ms": CONNECT_SECONDS * 1000,
        "reconnect_backoff_max_ms": 1000,
    }
    if settings.sasl_password is not None:
        options["sasl_mechanism"] = settings.sasl_mechanism
        options["sasl_plain_username"] = settings.sasl_username
        options["sasl_plain_password"] = settings.sasl_password.get_secret_value()
    return options


def failure(error: errors.KafkaError) -> Away | Refused:
    """Translate Kafka's error into one of ours, without its message, which may quote what was sent."""
    kind = Refused if isinstance(error, LASTING) else Away
    return kind(f"Kafka: {type(error).__name__}")


@contextmanager
def told_apart() -> Iterator[None]:
    """Raise Away or Refused for whatever a client of Kafka raises within the block."""
    try:
        yield
    except errors.KafkaError as error:
        raise failure(error) from error
    except OSError as error:
        raise Away(f"Kafka: {type(error).__name__}") from error
