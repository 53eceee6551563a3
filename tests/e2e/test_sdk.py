# SPDX-License-Identifier: Apache-2.0
"""The OpenTelemetry Python SDK, as an application uses it."""
import logging

import grpc
import pytest
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from conftest import keys_of
from pipelines import to_backend

SECRETS = {"api_key": "sk-123", "user_email": "ann@example.org", "token": "t0p"}
KEPT = {"gen_ai.usage.input_tokens": 42, "http.route": "/chat"}

REDACTED = to_backend("""
  redaction:
    allow_all_keys: true
    blocked_key_patterns: ["^(api_key|user_email|token)$"]
    levels: all
    blocked_key_action: delete
  batch:
    timeout: 50ms
""", "[redaction, batch]")


@pytest.fixture(params=[None, grpc.Compression.Gzip], ids=["plain", "gzip"])
def how(request, weir, backend):
    there = backend()
    w = weir(REDACTED, BACKEND=there.port)
    return w, there, {"endpoint": f"http://{w.otlp}", "insecure": True,
                      "compression": request.param}


def test_a_trace_arrives_without_its_secrets(how):
    w, there, options = how
    provider = TracerProvider(resource=Resource({"service.name": "shop", **SECRETS}))
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(**options)))
    tracer = provider.get_tracer("shop", "1.0")
    with tracer.start_as_current_span("checkout", attributes={**SECRETS, **KEPT}) as span:
        span.add_event("paid", {**SECRETS, "amount": 7})
    provider.shutdown()

    there.until(lambda: there.spans)
    (span,) = there.spans
    resource = there.requests["traces"][0].resource_spans[0].resource
    assert span.name == "checkout"
    assert keys_of(span.attributes) == set(KEPT)
    assert keys_of(span.events[0].attributes) == {"amount"}
    assert not keys_of(resource.attributes) & set(SECRETS)
    assert "service.name" in keys_of(resource.attributes)


def test_a_metric_arrives_without_its_secrets(how):
    w, there, options = how
    reader = PeriodicExportingMetricReader(OTLPMetricExporter(**options),
                                           export_interval_millis=3_600_000)
    provider = MeterProvider([reader], resource=Resource({"service.name": "shop"}))
    meter = provider.get_meter("shop")
    meter.create_counter("orders").add(3, {**SECRETS, "region": "eu"})
    meter.create_histogram("latency").record(0.25, {**SECRETS, "region": "eu"})
    provider.shutdown()

    there.until(lambda: len(there.metrics) == 2)
    for metric in there.metrics:
        data = metric.sum if metric.name == "orders" else metric.histogram
        assert keys_of(data.data_points[0].attributes) == {"region"}


def test_a_log_record_arrives_without_its_secrets(how):
    w, there, options = how
    provider = LoggerProvider(resource=Resource({"service.name": "shop"}))
    provider.add_log_record_processor(SimpleLogRecordProcessor(OTLPLogExporter(**options)))
    logger = logging.getLogger("shop")
    logger.propagate = False
    logger.handlers = [LoggingHandler(logger_provider=provider)]
    logger.warning("order %s", 7, extra={**SECRETS, "region": "eu"})
    provider.shutdown()

    there.until(lambda: there.logs)
    (record,) = there.logs
    assert record.body.string_value == "order 7"
    assert "region" in keys_of(record.attributes)
    assert not keys_of(record.attributes) & set(SECRETS)
