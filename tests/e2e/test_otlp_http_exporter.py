# SPDX-License-Identifier: Apache-2.0
"""OTLP over HTTP to a backend: what is sent, and what its answers do."""
import gzip
import json
import os
import socket
import subprocess
import threading
import time
from pathlib import Path

import grpc
import pytest
from google.protobuf import duration_pb2
from google.rpc import error_details_pb2, status_pb2
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

from conftest import ROOT, eventually, free_port, spans
from http_backend import http_backend  # noqa: F401
from pipelines import HEAD, TELEMETRY

PROTO = {"Content-Type": "application/x-protobuf"}
JSON = {"Content-Type": "application/json"}

FAST_RETRY = """
    retry_on_failure:
      initial_interval: 50ms
      max_interval: 100ms
      randomization_factor: 0
"""
NO_QUEUE = """
    sending_queue:
      enabled: false
    retry_on_failure:
      enabled: false
"""


def out(keys="", endpoint="endpoint: http://127.0.0.1:${env:BACKEND}"):
    return HEAD + f"""
exporters:
  otlp_http:
    {endpoint}
{keys}
service:
{TELEMETRY}
  pipelines:
    traces: {{receivers: [otlp], exporters: [otlp_http]}}
    metrics: {{receivers: [otlp], exporters: [otlp_http]}}
    logs: {{receivers: [otlp], exporters: [otlp_http]}}
"""


def one_log():
    request = logs_service_pb2.ExportLogsServiceRequest()
    request.resource_logs.add().scope_logs.add().log_records.add().body.string_value = "x"
    return request


def one_metric():
    request = metrics_service_pb2.ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="m")
    metric.gauge.data_points.add(as_int=1)
    return request


# --- What is sent ---------------------------------------------------------------

def test_each_signal_goes_to_its_path_behind_the_endpoints_own(weir, http_backend, client):
    there = http_backend()
    w = weir(out(endpoint="endpoint: http://127.0.0.1:${env:BACKEND}/base/"),
             BACKEND=there.port)
    c = client(w.otlp)
    sent = {"traces": spans(3), "logs": one_log(), "metrics": one_metric()}
    for signal, request in sent.items():
        c.export(signal, request)
    there.until(lambda: len(there.requests) == 3)

    assert {r.path for r in there.requests} == {
        f"/base/v1/{signal}" for signal in sent}
    for signal, request in sent.items():
        assert there.messages(signal) == [request]
    for r in there.requests:
        assert r.headers["Content-Type"] == "application/x-protobuf"
        assert r.headers["Content-Encoding"] == "gzip"
        assert r.headers["User-Agent"].startswith("Weir/")
        assert r.headers["Accept"] is None and r.headers["Expect"] is None
    for name, signal, n in (("spans", "traces", 3), ("metric_points", "metrics", 1),
                            ("log_records", "logs", 1)):
        eventually(lambda: w.metric(
            f"otelcol_exporter_sent_{name}", exporter="otlp_http",
            server_address="127.0.0.1", server_port=str(there.port),
            url_path=f"/base/v1/{signal}") == n, name)


def test_an_endpoint_of_one_signal_is_used_as_it_is(weir, http_backend, client):
    there = http_backend()
    w = weir(out("    traces_endpoint: http://127.0.0.1:${env:BACKEND}/mine?a=b"),
             BACKEND=there.port)
    c = client(w.otlp)
    c.export("traces", spans(1))
    c.export("logs", one_log())
    there.until(lambda: len(there.requests) == 2)
    assert {r.path for r in there.requests} == {"/mine?a=b", "/v1/logs"}


def test_json_is_what_the_collector_writes(weir, http_backend, client):
    there = http_backend()
    w = weir(out("    encoding: json"), BACKEND=there.port)
    client(w.otlp).export("traces", spans(2))
    there.until(lambda: there.requests)

    r = there.requests[0]
    assert r.headers["Content-Type"] == "application/json"
    got = json.loads(gzip.decompress(r.body))
    span = got["resourceSpans"][0]["scopeSpans"][0]["spans"][1]
    assert span["traceId"] == f"{2:032x}" and span["name"] == "op-1"
    assert span["startTimeUnixNano"] == "1700000000000000000"


@pytest.mark.parametrize("name", ["gzip", "zlib", "deflate", "none"])
@pytest.mark.parametrize("level", [0, 9])
def test_the_body_is_packed_as_configured(weir, http_backend, client, name, level):
    there = http_backend()
    w = weir(out(f"    compression: {name}\n    compression_params: {{level: {level}}}"),
             BACKEND=there.port)
    request = spans(5000)
    client(w.otlp).export("traces", request)
    there.until(lambda: there.requests)
    assert there.requests[0].headers["Content-Encoding"] == (
        None if name == "none" else name)
    assert there.messages() == [request]


@pytest.mark.parametrize("name", ["zstd", "snappy", "x-snappy-framed", "lz4"])
def test_codecs_are_opened_when_they_are_needed(weir, http_backend, client, name):
    there = http_backend()
    w = weir(out(f"    compression: {name}"), BACKEND=there.port)
    request = spans(2000)
    client(w.otlp).export("traces", request)
    there.until(lambda: there.requests)
    first = there.requests[0]
    assert first.headers["Content-Encoding"] == name
    assert first.body.startswith({
        "zstd": b"\x28\xb5\x2f\xfd", "x-snappy-framed": b"\xff\x06\x00\x00sNaPpY",
        "lz4": b"\x04\x22\x4d\x18", "snappy": varint(len(request.SerializeToString())),
    }[name])
    assert ("libsnappy" in maps(w)) == (name != "zstd")


def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def maps(w):
    return Path(f"/proc/{w.process.pid}/maps").read_text()


def test_who_needs_no_curl_loads_none(weir, backend, client):
    there = backend()
    w = weir(out().replace("otlp_http:", "otlp_grpc:")
             .replace("[otlp_http]", "[otlp_grpc]")
             .replace("http://127.0.0.1:${env:BACKEND}",
                      "127.0.0.1:${env:BACKEND}\n    tls: {insecure: true}"),
             BACKEND=there.port)
    client(w.otlp).export("traces", spans(1))
    there.until(lambda: there.spans)
    text = maps(w)
    for library in ("libcurl", "libweircurl", "libsnappy", "libssl", "jansson"):
        assert library not in text
    assert "libstdc++" not in text or "libasan" in text


def test_configured_headers_win_and_are_never_shown(weir, http_backend, client):
    there = http_backend()
    w = weir(out("""
    headers:
      Host: backend.example
      user-agent: mine
      X-Scope-OrgID: s3cret-tenant
      X-Empty: ""
      Content-Length: "3"
"""), BACKEND=there.port)
    client(w.otlp).export("traces", spans(1))
    there.until(lambda: there.requests)
    headers = there.requests[0].headers
    assert headers["Host"] == "backend.example"
    assert headers.get_all("User-Agent") == ["mine"]
    assert headers["X-Scope-OrgID"] == "s3cret-tenant"
    assert headers["X-Empty"] == ""
    assert len(there.spans) == 1
    w.stop()
    assert "s3cret" not in w.output


# --- Connections ------------------------------------------------------------------

@pytest.mark.parametrize("keys, connections", [("", 1), ("    disable_keep_alives: true", 3)])
def test_connections_are_kept_unless_told_otherwise(weir, http_backend, client, keys,
                                                     connections):
    there = http_backend()
    w = weir(out(keys + NO_QUEUE), BACKEND=there.port, args=("--set", "service.workers=1"))
    c = client(w.otlp)
    for i in range(3):
        c.export("traces", spans(1, first=i))
    assert len({r.connection for r in there.requests}) == connections
    if keys:
        assert there.requests[0].headers["Connection"] == "close"


def test_max_conns_per_host_is_a_total(weir, http_backend, client):
    there = http_backend()
    w = weir(out("    max_conns_per_host: 2"), BACKEND=there.port)
    there.gate.clear()
    c = client(w.otlp)
    for i in range(8):
        c.export("traces", spans(1, first=i))
    there.until(lambda: len(there.requests) == 2)
    there.gate.set()
    there.until(lambda: len(there.requests) == 8)
    assert there.most_inside == 2


def test_cookies_come_back_when_they_are_asked_for(weir, http_backend, client):
    there = http_backend()
    there.answers = [(200, {"Set-Cookie": "a=b"}, b"")] * 2
    w = weir(out("    cookies: {enabled: true}" + NO_QUEUE), BACKEND=there.port,
             args=("--set", "service.workers=1"))
    c = client(w.otlp)
    for i in range(2):
        c.export("traces", spans(1, first=i))
    assert [r.headers["Cookie"] for r in there.requests] == [None, "a=b"]


def test_a_proxy_gets_every_request_when_it_is_configured(weir, http_backend, client):
    proxy = http_backend()
    w = weir(out("    proxy_url: http://127.0.0.1:${env:PROXY}",
                 endpoint="endpoint: http://backend.invalid:1"), PROXY=proxy.port)
    client(w.otlp).export("traces", spans(1))
    proxy.until(lambda: proxy.requests)
    assert proxy.requests[0].path == "http://backend.invalid:1/v1/traces"


def test_the_environments_proxy_is_not_for_this_machine(weir, http_backend, client):
    proxy, there = http_backend(), http_backend()
    yaml = out("    traces_endpoint: http://backend.invalid:1/t\n"
               "    metrics_endpoint: http://other.invalid:1/m\n"
               "    timeout: 1s\n    retry_on_failure: {enabled: false}")
    w = weir(yaml, BACKEND=there.port, HTTP_PROXY=f"http://127.0.0.1:{proxy.port}",
             NO_PROXY="other.invalid")
    c = client(w.otlp)
    c.export("traces", spans(1))
    c.export("logs", one_log())
    c.export("metrics", one_metric())
    w.saw("Exporting failed")  # other.invalid has no address
    proxy.until(lambda: proxy.requests)
    there.until(lambda: there.requests)
    assert [r.path for r in proxy.requests] == ["http://backend.invalid:1/t"]
    assert [r.path for r in there.requests] == ["/v1/logs"]


@pytest.mark.parametrize("proxy", ["http://user:hush@127.0.0.1:99999", "foo://user:hush@h",
                                   "http://user:hush @h", "http://user:hush@"])
def test_a_proxy_that_cannot_be_used_keeps_its_password(weir, client, proxy):
    w = weir(out("    retry_on_failure: {enabled: false}\n    sending_queue: {enabled: false}",
                 endpoint="endpoint: http://backend.invalid:1"), BACKEND=1, HTTP_PROXY=proxy,
             http_proxy="", NO_PROXY="", no_proxy="")
    with pytest.raises(grpc.RpcError) as e:
        client(w.otlp).export("traces", spans(1))
    w.saw("the proxy's URL cannot be used")
    assert "hush" not in w.output + e.value.details()


def test_a_certificate_that_nobody_vouches_for_gets_nothing(weir, http_backend, client):
    there = http_backend(tls="TLSv1_3")
    w = weir(out("    retry_on_failure: {enabled: false}",
                 endpoint="endpoint: https://localhost:${env:BACKEND}"), BACKEND=there.port)
    client(w.otlp).export("traces", spans(1))
    w.saw("Exporting failed. Dropping data.").saw("certificate")
    assert not there.requests


CERTIFICATE = ROOT / "tests" / "data" / "tls" / "self-signed.pem"
ONE_TRY = "    retry_on_failure: {enabled: false}"


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
def test_https_goes_to_whom_the_environment_trusts(weir, http_backend, client, name, version):
    there = http_backend(tls=version)
    w = weir(out(endpoint=f"endpoint: https://{name}:${{env:BACKEND}}"), BACKEND=there.port,
             SSL_CERT_FILE=CERTIFICATE)
    for _ in range(3):
        client(w.otlp).export("traces", spans(2))
    there.until(lambda: len(there.spans) == 6)
    eventually(lambda: w.metric("otelcol_exporter_sent_spans") == 6, "sent")
    assert there.requests[0].headers["Host"] == f"{name}:{there.port}"


def test_https_verifies_the_directory_of_authorities(weir, http_backend, client, tmp_path):
    there = http_backend(tls="TLSv1_3")
    name = subprocess.run(["openssl", "x509", "-hash", "-noout", "-in", CERTIFICATE],
                          capture_output=True, text=True, check=True).stdout.strip()
    (tmp_path / f"{name}.0").write_bytes(CERTIFICATE.read_bytes())
    w = weir(out(endpoint="endpoint: https://localhost:${env:BACKEND}"), BACKEND=there.port,
             SSL_CERT_DIR=tmp_path)
    client(w.otlp).export("traces", spans(2))
    there.until(lambda: len(there.spans) == 2)


def test_https_to_another_name_than_the_certificates_gets_nothing(weir, http_backend, client):
    there = http_backend(tls="TLSv1_3", host="127.0.0.2")
    w = weir(out(ONE_TRY, endpoint="endpoint: https://127.0.0.2:${env:BACKEND}"),
             BACKEND=there.port, SSL_CERT_FILE=CERTIFICATE)
    client(w.otlp).export("traces", spans(1))
    w.saw("Exporting failed. Dropping data.").saw("certificate")
    assert not there.requests


def test_https_to_a_server_that_speaks_plain_text_gets_nothing(weir, http_backend, client):
    there = http_backend()
    w = weir(out(ONE_TRY, endpoint="endpoint: https://localhost:${env:BACKEND}"),
             BACKEND=there.port, SSL_CERT_FILE=CERTIFICATE)
    client(w.otlp).export("traces", spans(1))
    w.saw("Exporting failed. Dropping data.")
    assert not there.requests


def test_https_below_1_2_gets_nothing(weir, http_backend, client):
    there = http_backend(tls="TLSv1_1")
    w = weir(out(ONE_TRY, endpoint="endpoint: https://localhost:${env:BACKEND}"),
             BACKEND=there.port, SSL_CERT_FILE=CERTIFICATE)
    client(w.otlp).export("traces", spans(1))
    w.saw("Exporting failed. Dropping data.")
    assert not there.requests


def test_an_https_backend_that_comes_back_is_sent_to_again(weir, http_backend, client):
    """The connection is gone, and its session with it."""
    there = http_backend(tls="TLSv1_3")
    w = weir(out(FAST_RETRY, endpoint="endpoint: https://localhost:${env:BACKEND}"),
             BACKEND=there.port, SSL_CERT_FILE=CERTIFICATE)
    client(w.otlp).export("traces", spans(1))
    there.until(lambda: len(there.spans) == 1)
    there.answers = [hang_up, (503, {}, b"")]
    client(w.otlp).export("traces", spans(2))
    eventually(lambda: w.metric("otelcol_exporter_sent_spans") == 3, "sent")
    assert len(there.requests) >= 4


def test_what_waits_for_a_server_arrives_when_it_is_there(weir, http_backend, client):
    port = free_port()
    w = weir(out(FAST_RETRY), BACKEND=port)
    client(w.otlp).export("traces", spans(3))
    w.saw("failed to make an HTTP request: Post").saw("connection refused")
    there = http_backend(port=port)
    there.until(lambda: len(there.spans) == 3)


def hang_up(handler):
    handler.connection.shutdown(socket.SHUT_RDWR)


def half_an_answer(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx")
    handler.wfile.flush()
    hang_up(handler)


def garbage(handler):
    handler.wfile.write(b"\x00\xff garbage \r\n\r\n" * 10)
    hang_up(handler)


@pytest.mark.parametrize("answer", [hang_up, half_an_answer, garbage])
def test_130_what_got_no_whole_answer_is_sent_again(weir, http_backend, client, answer):
    there = http_backend()
    there.answers = [answer]
    w = weir(out(FAST_RETRY), BACKEND=there.port)
    client(w.otlp).export("traces", spans(3))
    eventually(lambda: w.metric("otelcol_exporter_sent_spans") == 3, "sent")
    assert len(there.requests) >= 2


def test_no_answer_in_time_is_an_attempt_that_failed(weir, http_backend, client):
    there = http_backend()
    release = threading.Event()
    there.answers = [lambda handler: release.wait(20)]
    w = weir(out("    timeout: 200ms" + FAST_RETRY), BACKEND=there.port)
    client(w.otlp).export("traces", spans(3))
    there.until(lambda: len(there.requests) == 2)
    eventually(lambda: w.metric("otelcol_exporter_sent_spans") == 3, "sent")
    w.saw("context deadline exceeded")
    release.set()


# --- What answers do -----------------------------------------------------------------

@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_passing_state_is_sent_again(weir, http_backend, client, status):
    there = http_backend()
    there.answers = [(status, {}, b"later")] * 2
    w = weir(out(FAST_RETRY), BACKEND=there.port)
    client(w.otlp).export("traces", spans(3))
    eventually(lambda: w.metric("otelcol_exporter_sent_spans") == 3, "sent")
    assert len(there.requests) == 3
    assert w.metric("otelcol_exporter_send_failed_spans") is None


@pytest.mark.parametrize("after", ["0", "-5", "1000000000000000000",
                                   "Sun, 06 Nov 1994 08:49:37 GMT",
                                   "Fri, 31 Dec 9999 23:59:59 GMT", "soon"])
def test_126_a_wait_that_a_backend_asks_for_is_clamped(weir, http_backend, client, after):
    there = http_backend()
    there.answers = [(503, {"Retry-After": after}, b"")]
    w = weir(out(FAST_RETRY), BACKEND=there.port)
    client(w.otlp).export("traces", spans(3))
    eventually(lambda: w.metric("otelcol_exporter_sent_spans") == 3, "sent")


@pytest.mark.parametrize("status, code", [
    (400, "InvalidArgument"), (401, "Unauthenticated"), (403, "PermissionDenied"),
    (404, "Unimplemented"), (405, "Unknown"), (500, "Unknown"), (501, "Unknown")])
def test_131_anything_else_is_final_and_says_why(weir, http_backend, client, status, code):
    there = http_backend()
    words = status_pb2.Status(code=3, message="no such\ntenant").SerializeToString()
    there.answers = [(status, {"Content-Type": "text/html"}, words)]
    w = weir(out(FAST_RETRY), BACKEND=there.port)
    c = client(w.otlp)
    c.export("traces", spans(3))
    eventually(lambda: w.metric("otelcol_exporter_send_failed_spans") == 3, "given up")
    c.export("traces", spans(2, first=10))
    eventually(lambda: w.metric("otelcol_exporter_sent_spans") == 2, "sent")
    assert len(there.requests) == 2
    w.saw(f"rpc error: code = {code} desc = error exporting items")
    w.saw(f"responded with HTTP Status Code {status}, Message=no such?tenant")


def test_the_words_of_a_json_status_are_read_as_well(weir, http_backend, client):
    there = http_backend()
    there.answers = [(400, JSON, b'{"code":3,"message":"bad tenant"}')]
    w = weir(out(), BACKEND=there.port)
    client(w.otlp).export("traces", spans(1))
    w.saw("Message=bad tenant, Details=[]")


@pytest.mark.parametrize("status, code", [
    (400, grpc.StatusCode.INVALID_ARGUMENT), (401, grpc.StatusCode.UNAUTHENTICATED),
    (403, grpc.StatusCode.PERMISSION_DENIED), (404, grpc.StatusCode.UNIMPLEMENTED),
    (413, grpc.StatusCode.RESOURCE_EXHAUSTED), (429, grpc.StatusCode.UNAVAILABLE),
    (500, grpc.StatusCode.UNKNOWN), (503, grpc.StatusCode.UNAVAILABLE)])
def test_without_a_queue_the_sender_hears_it(weir, http_backend, client, status, code):
    there = http_backend()
    there.answers = [(status, {"Retry-After": "7"}, b"")]
    w = weir(out(NO_QUEUE), BACKEND=there.port)
    with pytest.raises(grpc.RpcError) as refused:
        client(w.otlp).export("traces", spans(1))
    assert refused.value.code() == code
    if code == grpc.StatusCode.UNAVAILABLE:
        details = dict(refused.value.trailing_metadata())["grpc-status-details-bin"]
        info = error_details_pb2.RetryInfo()
        status_pb2.Status.FromString(details).details[0].Unpack(info)
        assert info.retry_delay == duration_pb2.Duration(seconds=7)


def test_128_what_is_too_big_is_sent_in_halves(weir, http_backend, client):
    there = http_backend()
    there.answers = [(413, {}, b"")] * 3
    w = weir(out(FAST_RETRY), BACKEND=there.port)
    request = spans(8)
    client(w.otlp).export("traces", request)
    eventually(lambda: w.metric("otelcol_exporter_sent_spans") == 8, "sent")
    taken = [s.name for m in there.messages()[3:] for rs in m.resource_spans
             for ss in rs.scope_spans for s in ss.spans]
    assert sorted(taken) == [f"op-{i}" for i in range(8)]


def test_max_request_bytes_cuts_before_the_backend_has_to(weir, http_backend, client):
    there = http_backend()
    w = weir(out("    max_request_bytes: 1000"), BACKEND=there.port)
    client(w.otlp).export("traces", spans(100))
    eventually(lambda: w.metric("otelcol_exporter_sent_spans") == 100, "sent")
    assert len(there.requests) > 5
    assert all(len(m.SerializeToString()) <= 1000 for m in there.messages())


def partial(n, text):
    return trace_service_pb2.ExportTraceServiceResponse(
        partial_success={"rejected_spans": n, "error_message": text}).SerializeToString()


@pytest.mark.parametrize("headers, body, dropped", [
    (PROTO, partial(2, "too old"), 2),
    (PROTO, partial(-2, "too old"), 0),          # 127
    (PROTO, partial(900, "too old"), 5),
    (PROTO, partial(0, "too old"), 0),           # a warning
    (JSON, b'{"partialSuccess":{"rejectedSpans":"2","errorMessage":"too old"}}', 2),
    (JSON, b'{"partialSuccess":{"rejectedSpans":2,"errorMessage":"too old"}}', 2),
])
def test_127_partial_success_is_counted_as_sent_and_never_sent_again(
        weir, http_backend, client, headers, body, dropped):
    there = http_backend()
    there.answers = [(200, headers, body)]
    w = weir(out(FAST_RETRY), BACKEND=there.port)
    client(w.otlp).export("traces", spans(5))
    w.saw("Partial success response")
    eventually(lambda: w.metric("otelcol_exporter_sent_spans") == 5, "sent")
    w.saw(f'"message": "too old", "dropped_spans": {dropped}')
    assert len(there.requests) == 1


@pytest.mark.parametrize("headers, body, good", [
    (PROTO, b"\xff\xff", False), (JSON, b"<html>", False), (JSON, b"[" * 100, False),
    ({}, b"\xff\xff", True), ({"Content-Type": "text/html"}, b"<html>", True),
    ({"Content-Type": "application/json; charset=utf-8"}, b"<html>", True),
    (PROTO, b"", True), (JSON, b"{}", True), (JSON, b"", True)])
def test_only_an_answer_of_these_types_is_looked_into(weir, http_backend, client, headers,
                                                      body, good):
    there = http_backend()
    there.answers = [(200, headers, body)]
    w = weir(out(FAST_RETRY), BACKEND=there.port)
    client(w.otlp).export("traces", spans(5))
    name = "sent" if good else "send_failed"
    eventually(lambda: w.metric(f"otelcol_exporter_{name}_spans") == 5, name)
    if not good:
        w.saw("response: it is no export response")
    assert len(there.requests) == 1


GZIP = {"Content-Encoding": "gzip"}


def test_an_answer_may_come_packed(weir, http_backend, client):
    there = http_backend()
    there.answers = [(200, PROTO | GZIP, gzip.compress(partial(2, "too old"))),
                     (400, GZIP, b"broken")]
    w = weir(out(FAST_RETRY), BACKEND=there.port)
    c = client(w.otlp)
    c.export("traces", spans(5))
    w.saw('"message": "too old", "dropped_spans": 2')
    c.export("traces", spans(5, first=10))
    w.saw("HTTP Status Code 400")
    assert there.requests[0].headers["Accept-Encoding"] == "gzip"


@pytest.mark.parametrize("body", [gzip.compress(bytes(64 << 20)), b"no gzip",
                                  gzip.compress(partial(2, "x"))[:-3]])
def test_125_a_packed_answer_that_cannot_be_read_is_final(weir, http_backend, client, body):
    there = http_backend()
    there.answers = [(200, PROTO | GZIP, body)]
    w = weir(out(FAST_RETRY), BACKEND=there.port)
    client(w.otlp).export("traces", spans(4))
    eventually(lambda: w.metric("otelcol_exporter_send_failed_spans") == 4, "cut")
    w.saw("the reply cannot be read")
    assert len(there.requests) == 1


def endless_body(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
    while True:
        handler.wfile.write(b"x" * 65536)


def a_body_of_10_gib(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n\r\n")
    while True:
        handler.wfile.write(b"x" * 65536)


def endless_headers(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        handler.wfile.write(b"X-Y: " + b"x" * 1000 + b"\r\n")


def endless_interim_answers(handler):
    while True:
        handler.wfile.write(b"HTTP/1.1 102 Processing\r\nX-Y: z\r\n\r\n")


def a_line_without_end(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Y: ")
    while True:
        handler.wfile.write(b"x" * 65536)


@pytest.mark.parametrize("answer", [endless_body, a_body_of_10_gib, endless_headers,
                                    endless_interim_answers, a_line_without_end])
def test_125_an_answer_without_end_is_cut(weir, http_backend, client, answer):
    there = http_backend()
    there.answers = [answer]
    w = weir(out("    retry_on_failure: {enabled: false}"), BACKEND=there.port)
    c = client(w.otlp)
    c.export("traces", spans(5))
    eventually(lambda: w.metric("otelcol_exporter_send_failed_spans") == 5, "cut")
    c.export("traces", spans(2))
    eventually(lambda: w.metric("otelcol_exporter_sent_spans") == 2, "sent")
    assert w.metric("otelcol_process_memory_rss") < 256 << 20


# --- Redirects ------------------------------------------------------------------------

@pytest.mark.parametrize("status", [307, 308])
def test_a_redirect_within_the_backend_takes_the_body_along(weir, http_backend, client,
                                                            status):
    there = http_backend()
    there.answers = [(status, {"Location": "/else/v1/traces"}, b"")]
    w = weir(out(), BACKEND=there.port)
    request = spans(3)
    client(w.otlp).export("traces", request)
    eventually(lambda: w.metric("otelcol_exporter_sent_spans") == 3, "sent")
    assert [r.path for r in there.requests] == ["/v1/traces", "/else/v1/traces"]
    assert there.messages() == [request, request]


def test_redirects_have_an_end(weir, http_backend, client):
    there = http_backend()
    there.answers = [(307, {"Location": "/v1/traces"}, b"")] * 100
    w = weir(out(FAST_RETRY), BACKEND=there.port)
    client(w.otlp).export("traces", spans(3))
    eventually(lambda: w.metric("otelcol_exporter_send_failed_spans") == 3, "given up")
    assert len(there.requests) == 11


@pytest.mark.parametrize("status, location", [
    (307, "http://localhost:{port}/v1/traces"), (308, "http://user:pw@127.0.0.2:{port}/"),
    (307, "https://127.0.0.1:{here}/v1/traces"), (307, "file:///etc/passwd"), (307, ""),
    (302, "/v1/traces"), (301, "http://127.0.0.1:{port}/"), (303, "/v1/traces")])
def test_129_no_other_redirect_is_followed(weir, http_backend, client, status, location):
    there, other = http_backend(), http_backend()
    there.answers = [(status, {"Location": location.format(port=other.port,
                                                           here=there.port)}, b"")]
    w = weir(out(FAST_RETRY + "    headers: {Authorization: hunter2}"), BACKEND=there.port)
    client(w.otlp).export("traces", spans(3))
    eventually(lambda: w.metric("otelcol_exporter_send_failed_spans") == 3, "given up")
    assert not other.requests and len(there.requests) == 1
    w.saw(f"HTTP Status Code {status}; this redirect")


# --- Names --------------------------------------------------------------------------

SLOW_RESOLVER = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **out)
{
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **) =
        (int (*)(const char *, const char *, const struct addrinfo *, struct addrinfo **))
        dlsym(RTLD_NEXT, "getaddrinfo");

    if (name && !strcmp(name, "slow.invalid"))
        poll(NULL, 0, 20000);
    return real(name, service, hints, out);
}
"""


def test_124_a_resolver_that_hangs_holds_up_nobody_else(weir, http_backend, client, tmp_path):
    source, library = tmp_path / "slow.c", tmp_path / "slow.so"
    source.write_text(SLOW_RESOLVER)
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    there = http_backend()
    preload = {"LD_PRELOAD": str(library)}
    if "ASAN_OPTIONS" in os.environ:
        preload["ASAN_OPTIONS"] = os.environ["ASAN_OPTIONS"] + ":verify_asan_link_order=0"
    w = weir(out("    traces_endpoint: http://slow.invalid:1/t\n    timeout: 300ms\n"
                 "    retry_on_failure: {enabled: false}"),
             BACKEND=there.port, args=("--set", "service.workers=1"), **preload)
    c = client(w.otlp)
    begun = time.monotonic()
    for i in range(3):
        c.export("traces", spans(1, first=i))
        c.export("logs", one_log())
    there.until(lambda: len(there.requests) == 3)
    eventually(lambda: w.metric("otelcol_exporter_send_failed_spans") == 3, "timed out")
    assert w.stop() == 0
    assert time.monotonic() - begun < 15
