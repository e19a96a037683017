"""Traces go to a collector where one is given, of as many requests as was said, and in words of ours alone."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from fastapi import APIRouter
from fastapi.testclient import TestClient
from opentelemetry import trace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, SpanContext, SpanKind, TraceFlags
from prometheus_client import CollectorRegistry

from services.chassis import span_export, tracing
from services.chassis.api.http import application
from services.chassis.failures import Refused
from services.chassis.settings import HttpSettings, TracingSettings
from services.chassis.span_export import traced
from tests.support.made.policies import any_policy

SPAN = "00f067aa0ba902b7"


@pytest.fixture(autouse=True)
def _off_again() -> Iterator[None]:
    yield
    tracing.use(None)


@contextmanager
def collector() -> Iterator[tuple[str, list[ExportTraceServiceRequest]]]:
    """Yield the collector's address, and the traces that it was sent."""
    sent: list[ExportTraceServiceRequest] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            assert self.headers["content-encoding"] in {None, "identity"}
            body = self.rfile.read(int(self.headers["content-length"]))
            sent.append(ExportTraceServiceRequest.FromString(body))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1/traces", sent
        server.shutdown()


def test_a_collector_gets_the_spans_of_a_service() -> None:
    with collector() as (address, sent):
        provider = span_export.provider(TracingSettings(endpoint=address), "orders-api", 3.0)
        tracing.use(provider)
        with tracing.span("send", SpanKind.PRODUCER, attributes={"messaging.system": "kafka"}):
            pass
        provider.shutdown()
    (told,) = [spans for one in sent for spans in one.resource_spans]
    assert {each.key: each.value.string_value for each in told.resource.attributes}["service.name"] == (
        "payback-orders-api"
    )
    assert [span.name for scope in told.scope_spans for span in scope.spans] == ["send"]


def test_without_the_extra_one_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("services.chassis.span_export")
    monkeypatch.delitem(sys.modules, "services.chassis.span_export")
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    tracing.configure(TracingSettings(), "orders-api")
    with pytest.raises(Refused, match=r"payback\[tracing\]"):
        tracing.configure(TracingSettings(endpoint="http://127.0.0.1:1/v1/traces"), "orders-api")


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
@pytest.mark.parametrize("flags", ["00", "01"])
def test_what_is_traced_is_for_us_to_say_and_not_for_callers(share: float, flags: str) -> None:
    tracing.use(traced(share, "test"))
    kept, first_of_all = 0, f"{'1' * 16}{1:016x}"
    for _ in range(400):
        told = tracing.told(f"00-{first_of_all}-{SPAN}-{flags}")
        with tracing.span("request", SpanKind.SERVER, within=told) as span:
            kept += span.is_recording()
            with tracing.span("send", SpanKind.PRODUCER) as inner:
                assert inner.is_recording() == span.is_recording()
    assert abs(kept - share * 400) <= (0 if share in {0.0, 1.0} else 60), (
        "a caller chose the id, and not whether it is kept"
    )


@pytest.mark.parametrize("sampled", [True, False])
def test_a_batch_is_traced_where_an_event_in_it_is(sampled: bool) -> None:
    tracing.use(traced(0.0, "test"))
    context = SpanContext(1, 1, is_remote=True, trace_flags=TraceFlags(int(sampled)))
    with tracing.span("commit", SpanKind.CONSUMER, links=[Link(context)]) as span:
        assert span.is_recording() is sampled


@pytest.mark.parametrize(
    "header", [None, b"", b"00", b"\xff" * 60, b"00-" + b"0" * 32 + b"-" + SPAN.encode() + b"-01", b"x" * 10**6]
)
def test_what_is_no_traceparent_is_nothing(header: bytes | None) -> None:
    tracing.use(traced(1.0, "test"))
    assert tracing.span_in([("other", b"1"), ("traceparent", header)]) is None


def test_the_framework_tells_nothing_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    kept, provider = InMemorySpanExporter(), traced(1.0, "test")
    provider.add_span_processor(SimpleSpanProcessor(kept))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    router = APIRouter()

    @router.get("/orders/{reference}")
    def order(reference: str) -> str:
        return reference

    app = application("x", HttpSettings(port=0), CollectorRegistry(), [router], any_policy([router]))
    with TestClient(app) as client:
        client.get("/orders/SECRET")
    assert kept.get_finished_spans() == (), "its spans hold the address, and so the reference"
