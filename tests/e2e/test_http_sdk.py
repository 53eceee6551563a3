# SPDX-License-Identifier: Apache-2.0
"""The OpenTelemetry Python SDK over HTTP/protobuf, as an application uses it."""
import pytest
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from conftest import keys_of
from doors import house, site  # noqa: F401 (a fixture)
from test_sdk import KEPT, SECRETS

REDACTION = """  redaction:
    allow_all_keys: true
    blocked_key_patterns: ["^(api_key|user_email|token)$"]
    levels: all
    blocked_key_action: delete
"""


@pytest.fixture(params=[Compression.NoCompression, Compression.Gzip,
                        Compression.Deflate], ids=lambda c: c.value)
def how(request, site):  # noqa: F811
    s = site(processors=REDACTION, chain="[redaction]")

    def options(signal):
        return {"endpoint": f"http://127.0.0.1:{s.w.env['HTTP']}/v1/{signal}",
                "compression": request.param}
    return s, options


def test_a_trace_arrives_without_its_secrets(how):
    s, options = how
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(**options("traces"))))
    with provider.get_tracer("shop").start_as_current_span(
            "checkout", attributes={**SECRETS, **KEPT}):
        pass
    provider.shutdown()
    s.there.until(lambda: s.there.spans)
    span, = s.there.spans
    assert span.name == "checkout" and keys_of(span.attributes) == set(KEPT)
    assert s.w.metric("otelcol_receiver_accepted_spans", transport="http") == 1


def test_a_metric_arrives_without_its_secrets(how):
    s, options = how
    reader = PeriodicExportingMetricReader(OTLPMetricExporter(**options("metrics")))
    provider = MeterProvider([reader])
    provider.get_meter("shop").create_counter("orders").add(2, {**SECRETS, **KEPT})
    provider.shutdown()
    s.there.until(lambda: s.there.metrics)
    point, = s.there.metrics[0].sum.data_points
    assert keys_of(point.attributes) == set(KEPT)


def test_a_log_record_arrives_without_its_secrets(how):
    s, options = how
    provider = LoggerProvider()
    provider.add_log_record_processor(
        SimpleLogRecordProcessor(OTLPLogExporter(**options("logs"))))
    provider.get_logger("shop").emit(body="sold", attributes={**SECRETS, **KEPT})
    provider.shutdown()
    s.there.until(lambda: s.there.logs)
    record, = s.there.logs
    assert record.body.string_value == "sold" and keys_of(record.attributes) == set(KEPT)
