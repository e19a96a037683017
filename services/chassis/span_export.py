"""Sends spans to a collector: the only module that needs the extra `tracing`."""

from collections.abc import Sequence
from importlib.metadata import version
from random import SystemRandom

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    ParentBased,
    Sampler,
    SamplingResult,
    TraceIdRatioBased,
)
from opentelemetry.trace import Link, SpanKind, TraceState
from opentelemetry.util.types import Attributes

from services.chassis.settings import TracingSettings

_random = SystemRandom()


def provider(settings: TracingSettings, service: str, patience: float) -> TracerProvider:
    """Return a provider that sends spans to the collector in the background; spans that the collector does not accept within `patience`
    seconds are dropped.
    """
    exporter = OTLPSpanExporter(settings.endpoint, timeout=patience)
    made = traced(settings.share, service)
    made.add_span_processor(BatchSpanProcessor(exporter, export_timeout_millis=patience * 1000))
    return made


def traced(share: float, service: str) -> TracerProvider:
    """Return a provider that makes spans for this share of traces, and sends them nowhere yet."""
    told = Resource({"service.name": f"payback-{service}", "service.version": version("payback")})
    return TracerProvider(Linked(share), told)


class Linked(Sampler):
    """Samples a share of requests, whatever their callers would prefer, and each batch with an event of a sampled request."""

    def __init__(self, share: float) -> None:
        self._share = share
        self._within = ParentBased(TraceIdRatioBased(share))

    def should_sample(  # noqa: PLR0913, PLR0917 - the library's signature
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """Sample a request by chance alone, since a caller chooses the id of its trace. Everything else follows its parent or its links."""
        if kind is SpanKind.SERVER:
            sampler: Sampler = ALWAYS_ON if _random.random() < self._share else ALWAYS_OFF
        elif any(link.context.trace_flags.sampled for link in links or ()):
            sampler = ALWAYS_ON
        else:
            sampler = self._within
        return sampler.should_sample(parent_context, trace_id, name, kind, attributes, links, trace_state)

    def get_description(self) -> str:
        """Describe the sampler to the SDK."""
        return "Linked"
