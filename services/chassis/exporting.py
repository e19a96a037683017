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
    """Send to the collector at the address of the settings, in the background; spans that it does not accept within seconds are dropped."""
    exporter = OTLPSpanExporter(settings.endpoint, timeout=patience)
    made = traced(settings.share, service)
    made.add_span_processor(BatchSpanProcessor(exporter, export_timeout_millis=patience * 1000))
    return made


def traced(share: float, service: str) -> TracerProvider:
    """Makes spans of this share of traces, and sends them nowhere yet."""
    told = Resource({"service.name": f"payback-{service}", "service.version": version("payback")})
    return TracerProvider(Linked(share), told)


class Linked(Sampler):
    """Traces a share of requests, whatever their callers would have, and each batch that an event of such a request is in."""

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
        """A request by chance alone: a caller chooses the id of its trace. All else as what it is in or linked to."""
        if kind is SpanKind.SERVER:
            sampler: Sampler = ALWAYS_ON if _random.random() < self._share else ALWAYS_OFF
        elif any(link.context.trace_flags.sampled for link in links or ()):
            sampler = ALWAYS_ON
        else:
            sampler = self._within
        return sampler.should_sample(parent_context, trace_id, name, kind, attributes, links, trace_state)

    def get_description(self) -> str:
        """For the SDK."""
        return "Linked"
