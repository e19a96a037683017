"""OpenTelemetry traces from a request to the transaction in which its events took effect. Off unless an address is given.

An attribute may hold what a metric may: a route, a topic, a number. Of a caller's headers only `traceparent` is read, since `tracestate`
and `baggage` may hold anything.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from opentelemetry.context import Context
from opentelemetry.trace import (
    INVALID_SPAN,
    Link,
    Span,
    SpanContext,
    SpanKind,
    StatusCode,
    Tracer,
    TracerProvider,
    get_current_span,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from services.chassis.failures import Refused, describe
from services.chassis.settings import TracingSettings

HEADER = "traceparent"
"""A header of requests and of Kafka records: https://www.w3.org/TR/trace-context/."""
LONGEST = 128
"""How many characters of it are read; version 00 has 55."""
EXPORT_SECONDS = 3.0
"""How long to wait for a collector, at the end too."""
_W3C = TraceContextTextMapPropagator()
_tracer: Tracer | None = None

Attributes = Mapping[str, str | int]


def configure(settings: TracingSettings, service: str) -> None:
    """Send the spans of this process to the collector, if there is one. Raises Refused if the extra is not installed."""
    if not settings.endpoint:
        return
    try:
        from services.chassis import span_export  # noqa: PLC0415 - the extra is needed by nobody else
    except ImportError as missing:
        raise Refused(f"PAYBACK_TRACING_ENDPOINT needs payback[tracing]: {missing.name} is not installed") from missing
    use(span_export.provider(settings, service, EXPORT_SECONDS))


def use(provider: TracerProvider | None) -> None:
    """Make this process's spans with `provider`; None makes none."""
    global _tracer  # noqa: PLW0603 - one for the process, as the root logger is
    _tracer = provider.get_tracer("payback") if provider else None


def is_on() -> bool:
    """Return whether spans are made at all."""
    return _tracer is not None


@contextmanager
def span(
    name: str,
    kind: SpanKind,
    *,
    within: Context | None = None,
    links: Sequence[Link] = (),
    attributes: Attributes | None = None,
) -> Iterator[Span]:
    """Open a span for the duration of the block. It records only as much of an exception as a log may."""
    if _tracer is None:
        yield INVALID_SPAN
        return
    with _tracer.start_as_current_span(
        name, within, kind, attributes, links, record_exception=False, set_status_on_exception=False
    ) as begun:
        try:
            yield begun
        except BaseException as fault:
            begun.set_status(StatusCode.ERROR, describe(fault))
            raise


def carried() -> tuple[tuple[str, bytes], ...]:
    """Return the header by which a record names the span in which it is sent."""
    if _tracer is None:
        return ()
    written: dict[str, str] = {}
    _W3C.inject(written)
    return tuple((name, text.encode()) for name, text in written.items() if name == HEADER)


def told(traceparent: str | None) -> Context | None:
    """Return the span that a header names; None if it is not such a header."""
    if _tracer is None or not traceparent or len(traceparent) > LONGEST:
        return None
    return _W3C.extract({HEADER: traceparent})


def context_in(headers: Sequence[tuple[str, bytes | None]]) -> Context | None:
    """Return the span in which a record was sent, if its headers name it."""
    text = next((content for name, content in headers if name == HEADER), None)
    return told(text.decode("latin-1")) if text else None


def span_in(headers: Sequence[tuple[str, bytes | None]]) -> SpanContext | None:
    """Return the span in which a record was sent, as a target of links."""
    context = context_in(headers)
    found = get_current_span(context).get_span_context() if context is not None else None
    return found if found is not None and found.is_valid else None


def trace_id() -> str | None:
    """Return the id of the trace in which this code runs, in hexadecimal."""
    if _tracer is None:
        return None
    current = get_current_span().get_span_context()
    return f"{current.trace_id:032x}" if current.is_valid else None
