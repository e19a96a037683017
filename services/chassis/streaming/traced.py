"""One span for each transaction of a worker, linked to the requests that brought its messages."""

from collections.abc import Mapping, Sequence

from opentelemetry.trace import Link, SpanContext, SpanKind

from services.chassis import tracing
from services.chassis.streaming.batches import Fingerprint, Left, Message, Slice, SourceIdentity, TopicPartition
from services.chassis.streaming.containment import Parking, Place

MOST_LINKS = 128
"""As many links as OpenTelemetry keeps of one span."""


class Traced:
    """Wraps a Parking so that its transactions can be traced. A span ends well once the transaction has committed."""

    def __init__(self, inner: Parking) -> None:
        self._inner = inner

    def start(self, sources: Mapping[TopicPartition, SourceIdentity]) -> Mapping[TopicPartition, int]:
        return self._inner.start(sources)

    def last_taken(self) -> Mapping[TopicPartition, Fingerprint]:
        return self._inner.last_taken()

    def held_back(self) -> Mapping[TopicPartition, int]:
        return self._inner.held_back()

    def process(self, slices: Sequence[Slice]) -> Left | None:
        """Process slices with the inner one. Messages that nobody traces cost nothing more."""
        requests = requests_of(slices) if tracing.is_on() else {}
        if not requests:
            return self._inner.process(slices)
        links = [Link(context) for context in list(requests.values())[:MOST_LINKS]]
        with tracing.span("commit", SpanKind.CONSUMER, links=links, attributes=_attributes(slices, len(requests))):
            return self._inner.process(slices)

    def owner_of(self, source: TopicPartition) -> str:
        return self._inner.owner_of(source)

    def park(self, place: Place, message: Message, fault: Exception) -> None:
        """Park with the inner one, in the trace of the request that brought the message."""
        sent = tracing.context_in(message.headers) if tracing.is_on() else None
        if sent is None:
            self._inner.park(place, message, fault)
            return
        with tracing.span("park", SpanKind.INTERNAL, within=sent):
            self._inner.park(place, message, fault)


def requests_of(slices: Sequence[Slice]) -> dict[tuple[int, int], SpanContext]:
    """Return the traced spans in which these messages were sent, each once."""
    found = (tracing.span_in(message.headers) for part in slices for message in part.messages if message.headers)
    return {(one.trace_id, one.span_id): one for one in found if one is not None and one.trace_flags.sampled}


def _attributes(slices: Sequence[Slice], requests: int) -> tracing.Attributes:
    return {
        "messaging.system": "kafka",
        "messaging.operation.type": "process",
        "messaging.destination.name": ",".join(sorted({part.topic for part in slices})),
        "messaging.batch.message_count": sum(len(part.messages) for part in slices),
        "payback.requests": requests,
    }
