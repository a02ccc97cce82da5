"""OpenTelemetry traces behind a switch: without an endpoint nothing of it is loaded.

With one, each process sends its spans there by OTLP over HTTP, in batches from a thread of its own; a collector that is
away costs spans, never a request. Requests and database statements get their spans from OpenTelemetry's own
instrumentation; the worker adds one for each attempt, under the request that submitted the job.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask
    from opentelemetry.sdk.trace import TracerProvider

_NAME = "kargah"
_PATH = "/v1/traces"
_UNSEEN = "healthz,readyz,metrics"
_provider: TracerProvider | None = None


def start(service: str, endpoint: str | None, sample: float, *, statements: bool = True) -> None:
    """Send this process's spans to the collector at `endpoint` (such as http://127.0.0.1:4318); None: no traces.

    Call it after the last fork, and before the process makes its engines and HTTP clients. `sample` is the share of
    traces that begin here and are kept, 0 to 1; of what others began, they have decided. `statements`: spans for what
    is asked of the database too; not for a process that asks twice a second for hours.
    """
    global _provider
    if endpoint is None or _provider is not None:
        return
    from opentelemetry import trace
    from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
    from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor

    _provider = _open(service, endpoint, sample)
    trace.set_tracer_provider(_provider)
    HTTPXClientInstrumentor().instrument()
    if statements:
        PsycopgInstrumentor().instrument()


def see_requests(app: Flask) -> None:
    """A span for each request that `app` answers, under the caller's; probes have none."""
    if _provider is None:
        return
    from opentelemetry.instrumentation.flask import FlaskInstrumentor

    FlaskInstrumentor().instrument_app(app, excluded_urls=_UNSEEN)  # type: ignore[no-untyped-call]


def span(
    name: str, attributes: Mapping[str, str | int] | None = None, parent: str | None = None
) -> AbstractContextManager[None]:
    """A span for the block, under `parent` (a traceparent) or the current one; nothing without traces.

    An exception that leaves the block is recorded in it.
    """
    return nullcontext() if _provider is None else _span(name, attributes or {}, parent)


def traceparent() -> str | None:
    """The current span as W3C Trace Context writes it; None where there is none."""
    if _provider is None:
        return None
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier.get("traceparent")


def current_ids() -> dict[str, str]:
    """`trace_id` and `span_id` for log records; empty outside of a span."""
    if "opentelemetry.trace" not in sys.modules:
        return {}
    from opentelemetry import trace

    found = trace.get_current_span().get_span_context()
    if not found.is_valid:
        return {}
    return {"trace_id": trace.format_trace_id(found.trace_id), "span_id": trace.format_span_id(found.span_id)}


def stop() -> None:
    """Send what is left, for at most a few seconds. A process that ends without it does so by itself."""
    if _provider is not None:
        _provider.shutdown()


def _open(service: str, endpoint: str, sample: float) -> TracerProvider:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_NAMESPACE, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.sampling import ParentBased

    from kargah.telemetry.sampling import RequestsAndJobs

    resource = Resource.create({SERVICE_NAME: service, SERVICE_NAMESPACE: _NAME})
    provider = TracerProvider(resource=resource, sampler=ParentBased(RequestsAndJobs(sample)))
    exporter = OTLPSpanExporter(endpoint=endpoint.rstrip("/") + _PATH, timeout=5)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


@contextmanager
def _span(name: str, attributes: Mapping[str, str | int], parent: str | None) -> Iterator[None]:
    from opentelemetry import trace
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    context = None if parent is None else TraceContextTextMapPropagator().extract({"traceparent": parent})
    with trace.get_tracer(_NAME).start_as_current_span(name, context=context, attributes=dict(attributes)):
        yield
