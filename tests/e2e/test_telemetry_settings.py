# SPDX-License-Identifier: Apache-2.0
"""service.telemetry: what weir says of itself, how and where."""
import json
import re
import subprocess
import urllib.request

import pytest

from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2

from conftest import BUILD, PATIENCE, eventually, free_port, spans
from http_backend import http_backend  # noqa: F401

CONFIG = """receivers:
  otlp:
    protocols:
      grpc:
        endpoint: 127.0.0.1:${OTLP}
exporters:
  nop:
%s
service:
%s
  telemetry:
    metrics:
      %s
%s
  pipelines:
    traces:
      receivers: [otlp]
      exporters: [nop]
"""
PAGE = ("readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: '${METRICS}'"
        "%s}}}}]")


@pytest.fixture
def start(weir):
    def start(more="", metrics=PAGE % "", extensions="", used="", wait=False, **env):
        return weir(CONFIG % (extensions, used, metrics, more), wait=wait, **env)
    return start


READY = "Everything is ready. Begin running and processing data."


def test_lines_are_json_with_fields_and_resource_in_a_file(start, tmp_path):
    log = tmp_path / "weir.log"
    w = start(f"""    logs:
      level: DEBUG
      encoding: json
      disable_caller: true
      output_paths: [{log}]
      initial_fields: {{team: core, shard: 3}}
    resource: {{service.name: front, service.version: , zone: eu}}""")
    eventually(lambda: log.exists() and READY in log.read_text(), "the log")
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    ready = next(l for l in lines if l["msg"] == READY)
    assert ready["team"] == "core" and ready["shard"] == 3
    assert ready["resource"]["service.name"] == "front"
    assert ready["resource"]["zone"] == "eu"
    assert "service.version" not in ready["resource"]
    assert "caller" not in ready
    assert w.stop() == 0


def test_without_zap_resource_a_line_has_none(start, tmp_path):
    log = tmp_path / "weir.log"
    w = start(f"""    logs: {{output_paths: ["file://{log}"], disable_zap_resource: true}}
    resource: {{zone: eu}}""")
    eventually(lambda: log.exists() and READY in log.read_text(), "the log")
    assert "resource" not in log.read_text()
    assert w.stop() == 0


def test_without_paths_nothing_is_written(start):
    w = start("    logs: {output_paths: []}")
    eventually(lambda: page(w.env["METRICS"]), "the page")
    assert w.stop() == 0
    assert READY not in w.output


def page(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE) as p:
            return p.read().decode()
    except OSError:
        return None


def test_the_resource_is_in_target_info(start):
    w = start("""    resource:
      attributes: [{name: service.name, value: front}, {name: n, value: 5}]""")
    text = eventually(lambda: page(w.env["METRICS"]), "the page")
    info = re.search(r"^target_info\{(.*)\} 1$", text, re.M)[1]
    assert 'service_name="front"' in info and 'n="5"' in info
    assert "service_instance_id=" in info


def test_several_pages_each_as_it_was_told(start):
    other = free_port()
    w = start("    resource: {zone: eu}", """readers:
      - pull: {exporter: {prometheus: {host: 127.0.0.1, port: '${METRICS}'}}}
      - pull:
          exporter:
            prometheus:
              host: 127.0.0.1
              port: ${OTHER}
              without_units: false
              without_type_suffix: false
              without_scope_info: false
              with_resource_constant_labels: {included: [zone]}""", OTHER=str(other))
    plain = eventually(lambda: page(w.env["METRICS"]), "the first page")
    full = eventually(lambda: page(other), "the second page")
    assert re.search(r"^otelcol_process_uptime [\d.]", plain, re.M)
    line = re.search(r"^otelcol_process_uptime_seconds_total\{(.*)\} ", full, re.M)[1]
    assert 'zone="eu"' in line and 'otel_scope_name="weir"' in line


def test_an_old_address_is_a_page_with_a_warning(start):
    w = start(metrics="address: 127.0.0.1:${METRICS}")
    assert eventually(lambda: page(w.env["METRICS"]), "the page")
    w.saw("service.telemetry.metrics.address is deprecated")


def test_no_metrics_no_page(start):
    w = start(metrics="level: none").saw(READY)
    assert page(w.env["METRICS"]) is None


def test_traces_of_weir_itself_get_one_warning(start):
    w = start("""    traces:
      processors: [{batch: {exporter: {otlp: {endpoint: "http://127.0.0.1:1"}}}}]""")
    w.saw(READY)
    assert w.output.count("service.telemetry.traces has no effect") == 1


@pytest.mark.parametrize("kind", ["pprof", "zpages"])
def test_an_extension_without_meaning_says_so_once_and_opens_no_port(start, kind):
    port = free_port()
    w = start(extensions=f"extensions: {{{kind}: {{endpoint: '127.0.0.1:{port}'}}}}",
              used=f"  extensions: [{kind}]").saw(READY)
    assert w.output.count(f"The {kind} extension does nothing here") == 1
    with pytest.raises(OSError):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=PATIENCE)
    assert w.stop() == 0


def test_a_log_that_cannot_be_opened_ends_it(tmp_path):
    config = tmp_path / "telemetry.yaml"
    config.write_text(CONFIG.replace("${OTLP}", "0") % (
        "", "", "level: none", "    logs: {output_paths: [stderr, /nonexistent/dir/x.log]}"))
    done = subprocess.run([str(BUILD / "weir"), "--config", str(config)], text=True,
                          capture_output=True, timeout=PATIENCE)
    assert done.returncode == 1
    line = 1 + next(i for i, l in enumerate(config.read_text().split("\n")) if "x.log" in l)
    assert (f"telemetry.yaml:{line}:35: service.telemetry.logs.output_paths[1]: "
            'open sink "/nonexistent/dir/x.log"') in done.stderr


# --- periodic readers ------------------------------------------------------------------


def push(interval, exporter):
    return f"readers: [{{periodic: {{interval: {interval}, exporter: {exporter}}}}}]"


def points(request):
    """name: (metric, {attributes: point}) of a request."""
    found = {}
    for scope in (s for r in request.resource_metrics for s in r.scope_metrics):
        for m in scope.metrics:
            found[m.name] = m, {
                tuple(sorted((a.key, a.value.string_value or a.value.int_value)
                             for a in p.attributes)): p
                for p in getattr(m, m.WhichOneof("data")).data_points}
    return found


def test_metrics_are_pushed_by_grpc(start, backend, client):
    b = backend()
    w = start("    resource: {zone: eu}", push(100, f"""{{otlp: {{protocol: grpc,
        endpoint: 'http://127.0.0.1:{b.port}', compression: gzip,
        headers: [{{name: X-Key, value: v}}]}}}}"""), wait=True)
    client(w.otlp).export("traces", spans(7))
    wanted = (("receiver", "otlp"), ("transport", "grpc"))

    def arrived():
        return any(wanted in points(r).get("otelcol_receiver_accepted_spans", (0, {}))[1]
                   for r in b.requests["metrics"])
    b.until(arrived)
    with b.changed:
        last, metadata = b.requests["metrics"][-1], b.metadata[-1]
    assert metadata["x-key"] == "v"
    resource = {a.key: a.value.string_value for a in last.resource_metrics[0].resource.attributes}
    assert resource["service.name"] == "weir" and resource["zone"] == "eu"
    assert re.fullmatch(r"[0-9a-f-]{36}", resource["service.instance.id"])
    assert last.resource_metrics[0].scope_metrics[0].scope.name == "weir"
    found = points(last)
    metric, series = found["otelcol_receiver_accepted_spans"]
    assert metric.unit == "{span}" and metric.sum.is_monotonic
    assert metric.sum.aggregation_temporality == 2
    assert series[wanted].as_int == 7
    assert 0 < series[wanted].start_time_unix_nano < series[wanted].time_unix_nano
    assert found["otelcol_process_uptime"][0].unit == "s"
    assert found["otelcol_process_memory_rss"][0].WhichOneof("data") == "gauge"
    assert w.stop() == 0


def test_metrics_are_pushed_by_http_beside_a_page(start, http_backend):  # noqa: F811
    b = http_backend()
    w = start("", f"""readers:
      - pull: {{exporter: {{prometheus: {{host: 127.0.0.1, port: '${{METRICS}}'}}}}}}
      - periodic:
          interval: 100
          exporter:
            otlp:
              protocol: http/protobuf
              endpoint: 127.0.0.1:{b.port}
              insecure: true
              headers: {{Api-Key: s3cr3t}}""", wait=True)
    w.saw("using the deprecated v0.2.0 Declarative Configuration format")
    eventually(lambda: b.requests, "a request")
    request = b.requests[0]
    assert request.path == "/v1/metrics" and request.headers["Api-Key"] == "s3cr3t"
    assert request.headers["Content-Type"] == "application/x-protobuf"
    body = metrics_service_pb2.ExportMetricsServiceRequest.FromString(request.body)
    assert "otelcol_process_uptime" in points(body)
    assert "otelcol_process_uptime" in w.metrics()
    assert "s3cr3t" not in w.output
    assert w.stop() == 0


def test_metrics_are_printed_a_line_at_a_time(start):
    w = start("", push(50, "{console: {}}"), wait=True)

    def lines():
        return [line for line in w.output.split("\n") if line.startswith('{"resourceMetrics"')]
    eventually(lambda: len(lines()) >= 2, "two lines")
    assert w.stop() == 0
    for line in lines():
        scope, = json.loads(line)["resourceMetrics"][0]["scopeMetrics"]
        assert scope["scope"]["name"] == "weir"
        assert "otelcol_process_uptime" in [m["name"] for m in scope["metrics"]]


@pytest.mark.parametrize("workers", [1, 3])
def test_what_was_counted_last_is_pushed_at_the_shutdown(start, backend, client, workers):
    b = backend()
    w = start("", push(3600000, f"""{{otlp: {{protocol: grpc, endpoint: 'http://127.0.0.1:{b.port}',
        temporality_preference: delta}}}}"""), used=f"  workers: {workers}", wait=True)
    client(w.otlp).export("traces", spans(5))
    assert not b.requests["metrics"]
    assert w.stop() == 0
    request, = b.requests["metrics"]
    metric, series = points(request)["otelcol_receiver_accepted_spans"]
    assert metric.sum.aggregation_temporality == 1
    assert [p.as_int for p in series.values()] == [5]


def test_a_backend_that_hangs_holds_up_neither_data_nor_the_end(start, backend, client):
    b = backend()
    b.gate.clear()
    w = start("", push(20, f"{{otlp: {{protocol: grpc, endpoint: 'http://127.0.0.1:{b.port}'}}}}"),
              used="  drain_timeout: 1s", wait=True)
    client(w.otlp).export("traces", spans(3))
    assert w.stop() == 0
    w.saw("Shutdown deadline passed")


def test_a_backend_that_is_gone_is_a_warning(start):
    w = start("", push(20, f"{{otlp: {{protocol: grpc, endpoint: 'http://127.0.0.1:{free_port()}'}}}}"),
              wait=True)
    w.saw("Failed to push own metrics")
    assert w.stop() == 0
