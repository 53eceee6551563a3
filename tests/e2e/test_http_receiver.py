# SPDX-License-Identifier: Apache-2.0
"""OTLP over HTTP: every encoding, every key, and what a sender hears."""
import json
import socket
import subprocess

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import \
    ExportTraceServiceResponse

from by_hand import H1, H2, post
from codings import CODINGS
from conftest import PATIENCE, eventually, spans
from doors import (JSON, LATER, OK, PATHS, PROTOBUF, Grpc, Http1, Http1Json,  # noqa: F401
                   Http2, config, house, knock_at, site)
from http_backend import http_backend  # noqa: F401
from pipelines import TELEMETRY, to_backend

HELLO = spans(1).SerializeToString()
SPAN = b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"curled"}]}]}]}'


def only_http(keys, pipelines="traces"):
    """A receiver with nothing but HTTP and these keys, into nothing."""
    lines = "".join(f"    {p}: {{receivers: [otlp], exporters: [nop]}}\n"
                    for p in pipelines.split())
    return ('receivers:\n  otlp: {protocols: {http: {endpoint: "127.0.0.1:${env:HTTP}", '
            + keys + "}}}\nexporters: {nop: }\nservice:\n" + TELEMETRY
            + "  pipelines:\n" + lines)


def ask(w, said):
    with H1(w.env["HTTP"]) as h1:
        h1.send(said)
        return h1.response()


# --- Bodies ------------------------------------------------------------------

@pytest.mark.parametrize("signal", PATHS)
def test_each_signal_in_protobuf_and_json_is_answered_in_kind(site, signal):
    s = site()
    for kind, body, answer in ((PROTOBUF, b"", b""), (JSON, b"{}", b'{"partialSuccess":{}}')):
        r = ask(s.w, post(PATHS[signal], body, kind))
        assert (r.status, r.header("content-type"), r.body) == (200, kind, answer)


@pytest.mark.parametrize("coding", CODINGS)
def test_each_content_encoding_carries_a_request(site, coding):
    s = site()
    body = spans(40, attributes=[("k", "v" * 50)]).SerializeToString()
    for door in (Http1(s.w), Http2(s.w)):
        assert door.knock("traces", CODINGS[coding](body), coding) == OK
        door.close()
    s.there.until(lambda: len(s.there.spans) == 80)
    assert s.w.metric("otelcol_receiver_accepted_spans", transport="http") == 80


def test_both_transports_are_counted_each_for_itself(site):
    s = site()
    for door, n in ((Grpc(s.w), 3), (Http1(s.w), 4), (Http2(s.w), 5)):
        assert door.knock("traces", spans(n).SerializeToString()) == OK
        door.knock("traces", b"\xff")
        door.close()
    assert s.w.metric("otelcol_receiver_accepted_spans", transport="grpc") == 3
    assert s.w.metric("otelcol_receiver_accepted_spans", transport="http") == 9
    assert s.refusals("malformed") == 3


def test_a_request_without_items_is_not_passed_on(site):
    s = site()
    door = Http1Json(s.w)
    assert door.knock("traces", b'{"resourceSpans":[{"resource":{}}]}') == OK
    assert s.is_empty() and not s.there.requests["traces"]
    door.close()


# --- Outcomes ----------------------------------------------------------------

def test_what_the_backend_refused_of_a_request_is_told(site):
    s = site(exporters="    sending_queue: {enabled: false}\n"
                       "    retry_on_failure: {enabled: false}\n")
    for door in (Http1(s.w), Http1Json(s.w), Http2(s.w), Grpc(s.w)):
        response = ExportTraceServiceResponse()
        response.partial_success.rejected_spans = 2
        response.partial_success.error_message = 'too "old" \\ for us'
        s.there.answers.append(response)
        body = (b'{"resourceSpans":[{"scopeSpans":[{"spans":[{},{},{}]}]}]}'
                if isinstance(door, Http1Json) else spans(3).SerializeToString())
        assert door.knock("traces", body) == OK
        assert door.response.partial_success.rejected_spans == 2
        assert 'too "old" \\ for us' in door.response.partial_success.error_message
        door.close()


def test_the_text_of_a_json_request_does_not_wait_for_the_answer(weir, http_backend):
    there = http_backend()
    there.gate.clear()
    w = weir(only_http("").replace("[nop]", "[otlp_http]").replace(
        "nop: ", 'otlp_http: {endpoint: "http://127.0.0.1:${env:BACKEND}", '
        "sending_queue: {enabled: false}}"), BACKEND=there.port)
    body = SPAN + b" " * 8_000_000
    with H1(w.env["HTTP"]) as h1:
        h1.send(post("/v1/traces", body, JSON))
        there.until(lambda: there.requests)
        assert 0 < w.metric("weir_budget_used_bytes") < len(body)
        there.gate.set()
        assert h1.response().status == 200


def test_a_full_queue_says_when_to_come_again(site, knock_at):
    s = site(exporters="    sending_queue: {queue_size: 1, num_consumers: 1}\n")
    s.there.gate.clear()
    door = knock_at(s.w)
    meanings = [door.knock("traces", HELLO) for _ in range(5)]
    assert meanings[0] == OK and meanings[-1] == LATER
    assert s.refusals("full") >= 1
    s.there.gate.set()
    eventually(lambda: door.knock("traces", HELLO) == OK, "room")


def test_a_signal_without_a_pipeline_is_not_there(weir):
    w = weir(only_http("include_metadata: false"))
    assert ask(w, post("/v1/traces")).status == 200
    for path in ("/v1/metrics", "/v1/logs"):
        assert ask(w, post(path)).status == 404


def test_no_pipeline_over_grpc_is_unimplemented(weir, backend, client):
    import grpc
    w = weir("receivers:\n  otlp: {protocols: {grpc: {endpoint: \"127.0.0.1:${env:OTLP}\"}}}\n"
             "exporters: {nop: }\nservice:\n  telemetry: {metrics: {level: none}}\n"
             "  pipelines: {traces: {receivers: [otlp], exporters: [nop]}}\n")
    with pytest.raises(grpc.RpcError) as e:
        client(w.otlp).export("logs", b"")
    assert e.value.code() == grpc.StatusCode.UNIMPLEMENTED
    client(w.otlp).export("traces", HELLO)


# --- Keys --------------------------------------------------------------------

@pytest.mark.parametrize("url,path", [
    ("in/traces", "/in/traces"), ("/a?x=1#y", "/a"), ("http://h:1/b/c", "/b/c"),
    ("'/%41'", "/A"), ("''", "/")])
def test_a_signals_path_is_the_path_of_what_is_configured(weir, url, path):
    w = weir(only_http(f"traces_url_path: {url}"))
    assert ask(w, post(path)).status == 200
    assert ask(w, post("/v1/traces")).status == 404


def test_headers_are_metadata_when_asked_for(site):
    s = site(metadata=True, chain="[attributes]", processors=(
        "  attributes: {actions: [{key: tenant, from_context: metadata.x-tenant,"
        " action: upsert}, {key: asked, from_context: metadata.host, action: upsert}]}\n"))
    for door in (Http1(s.w), Http2(s.w)):
        extra = {"Http1": None, "Http2": ("x-tenant", "b")}[type(door).__name__]
        if extra:
            stream = door.h2.ask(door.headers("traces", extra), HELLO)
            assert stream.header(":status") == "200"
        else:
            door.h1.send(post("/v1/traces", HELLO, extra="X-Tenant: a\r\n"))
            assert door.h1.response().status == 200
        door.close()
    s.there.until(lambda: len(s.there.spans) == 2)
    told = [{a.key: a.value.string_value for a in x.attributes} for x in s.there.spans]
    # two connections may have two workers: either may be first
    assert sorted(t.get("tenant", "") for t in told) == ["a", "b"]


def test_response_headers_are_on_every_answer(weir):
    w = weir(only_http("response_headers: {X-Served-By: weir, X-2: b}"))
    for said in (post("/v1/traces"), post("/none"), post("/v1/traces", b"\xff")):
        r = ask(w, said)
        assert (r.header("x-served-by"), r.header("x-2")) == ("weir", "b")


def test_keep_alives_can_be_switched_off(weir):
    w = weir(only_http("keep_alives_enabled: false"))
    with H1(w.env["HTTP"]) as h1:
        h1.send(post("/v1/traces"))
        assert h1.response().header("connection") == "close" and h1.is_closed()


@pytest.mark.parametrize("listed,coding,status", [
    ("[gzip]", None, 415), ("[gzip]", "gzip", 200), ("[gzip]", "zstd", 415),
    ('[""]', None, 200), ('[""]', "gzip", 415), ("[]", "gzip", 400)])
def test_only_the_listed_encodings_are_taken(weir, listed, coding, status):
    w = weir(only_http(f"compression_algorithms: {listed}"))
    body = CODINGS[coding](HELLO) if coding else HELLO
    extra = f"Content-Encoding: {coding}\r\n" if coding else ""
    assert ask(w, post("/v1/traces", body, extra=extra)).status == status


def test_a_unix_socket_serves_http(weir, tmp_path):
    path = tmp_path / "http.sock"
    w = weir(f"""
receivers:
  otlp: {{protocols: {{http: {{endpoint: "{path}", transport: unix}}}}}}
exporters: {{nop: }}
service:
{TELEMETRY}
  pipelines: {{traces: {{receivers: [otlp], exporters: [nop]}}}}
""")
    assert curl("--unix-socket", path, "http://x/v1/traces", "-d", SPAN.decode(),
                "-H", f"Content-Type: {JSON}") == '{"partialSuccess":{}}'
    assert w.stop() == 0 and not path.exists()


def test_a_port_that_is_taken_stops_the_start(weir):
    first = weir(only_http(""))
    second = weir(only_http(""), wait=False, HTTP=first.env["HTTP"])
    assert second.process.wait(timeout=PATIENCE) == 1
    assert "address already in use" in second.output


# --- curl, as a person would ---------------------------------------------------

def curl(*args, fails=False):
    done = subprocess.run(["curl", "-sS", "-m", str(PATIENCE), *map(str, args)],
                          capture_output=True, text=True)
    assert done.returncode == 0 or fails, done.stderr
    return done.stdout


@pytest.mark.parametrize("how", [[], ["--http2-prior-knowledge"], ["--http1.0"]])
def test_curl_sends_a_span_in_json(site, how):
    s = site()
    url = f"http://127.0.0.1:{s.w.env['HTTP']}/v1/traces"
    said = curl(*how, url, "-H", "Content-Type: application/json", "-d", SPAN.decode(),
                "-w", " %{http_code} %{http_version}")
    assert said.startswith('{"partialSuccess":{}} 200 ')
    s.there.until(lambda: [x.name for x in s.there.spans] == ["curled"])


def test_curl_waits_for_100_continue_and_keeps_its_connection(site, tmp_path):
    s = site(exporters="    max_request_bytes: 64MB\n")
    url = f"http://127.0.0.1:{s.w.env['HTTP']}/v1/traces"
    large = tmp_path / "large"
    large.write_bytes(spans(1, attributes=[("k", "v" * 2_000_000)]).SerializeToString())
    args = [url, "-H", f"Content-Type: {PROTOBUF}", "-H", "Expect: 100-continue",
            "--data-binary", f"@{large}", "-o", "/dev/null",
            "-w", "%{http_code} %{num_connects}\n"]
    assert curl(*args, "--next", *args).split() == ["200", "1", "200", "0"]
    s.there.until(lambda: len(s.there.spans) == 2)


def test_curl_is_told_that_it_sends_too_much(site, tmp_path):
    s = site(cap_mib=1)
    large = tmp_path / "large"
    large.write_bytes(bytes(3 << 20))
    # not over HTTP/2: Debian 12's curl takes the RST_STREAM(NO_ERROR) behind an
    # early answer (RFC 9113 8.1) for a failure
    assert curl(f"http://127.0.0.1:{s.w.env['HTTP']}/v1/traces", "-H",
                f"Content-Type: {PROTOBUF}", "--data-binary", f"@{large}",
                "-o", "/dev/null", "-w", "%{http_code}", fails=True) == "413"


# --- Web pages -----------------------------------------------------------------

CORS = ('cors: {allowed_origins: ["https://*.example.com", "http://here"],'
        " allowed_headers: [X-Mine], exposed_headers: [X-Seen], max_age: 600}")


def preflight(origin, headers="content-type,x-mine", method="POST"):
    return (f"OPTIONS /v1/traces HTTP/1.1\r\nHost: x\r\nOrigin: {origin}\r\n"
            f"Access-Control-Request-Method: {method}\r\n"
            f"Access-Control-Request-Headers: {headers}\r\n\r\n").encode()


def test_a_preflight_of_an_allowed_page_is_granted(weir):
    w = weir(only_http(CORS))
    r = ask(w, preflight("https://app.EXAMPLE.com", "x-mine"))
    assert r.status == 204 and r.body == b""
    assert r.header("access-control-allow-origin") == "https://app.EXAMPLE.com"
    assert r.header("access-control-allow-credentials") == "true"
    assert r.header("access-control-allow-methods") == "POST"
    assert r.header("access-control-allow-headers") == "x-mine"
    assert r.header("access-control-max-age") == "600"
    assert r.header("vary") == \
        "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"


@pytest.mark.parametrize("said", [
    preflight("https://evil.com"), preflight("https://app.example.com", "x-other"),
    preflight("http://here", method="DELETE")], ids=["origin", "header", "method"])
def test_a_preflight_of_what_is_not_allowed_is_204_without_a_grant(weir, said):
    r = ask(weir(only_http(CORS)), said)
    assert r.status == 204
    assert r.header("access-control-allow-methods") is None


@pytest.mark.parametrize("origin,allowed", [("http://here", True), ("http://there", False)])
def test_a_page_sends_and_an_allowed_one_reads(weir, origin, allowed):
    r = ask(weir(only_http(CORS)), post("/v1/traces", SPAN, JSON, f"Origin: {origin}\r\n"))
    assert r.status == 200 and "Origin" in r.header("vary")
    assert r.header("access-control-allow-origin") == (origin if allowed else None)
    assert r.header("access-control-expose-headers") == ("X-Seen" if allowed else None)


def test_without_cors_there_is_no_word_of_it(weir):
    r = ask(weir(only_http("")), post("/v1/traces", b"", extra="Origin: http://here\r\n"))
    assert r.status == 200
    assert not [k for k, _ in r.headers if k.startswith("access-control") or k == "vary"]


# --- The end -----------------------------------------------------------------

def test_a_drain_answers_what_is_under_way_and_closes(site):
    s = site()
    idle, half = H1(s.w.env["HTTP"]), H1(s.w.env["HTTP"])
    busy = H2(s.w.env["HTTP"])
    idle.send(post("/v1/traces", HELLO))
    assert idle.response().status == 200
    half.send(post("/v1/traces", HELLO)[:-1])
    assert busy.alive()
    assert s.w.metric("otelcol_receiver_accepted_spans") == 1   # both have arrived
    s.w.process.terminate()
    assert idle.is_closed()
    half.send(HELLO[-1:])
    r = half.response()
    assert r.status in (200, 503) and r.header("connection") == "close" and half.is_closed()
    assert busy.end() and {code for _, code, _ in busy.goaways} == {0}
    assert s.w.process.wait(timeout=PATIENCE) == 0
    for c in (idle, half, busy):
        c.close()


def test_133_halves_of_requests_do_not_hold_up_the_drain(site):
    """Nobody sends the rest: all of them hear that they may come again, long
    before drain_timeout."""
    s = site(service="  drain_timeout: 5m")
    head, body = H1(s.w.env["HTTP"]), H1(s.w.env["HTTP"])
    head.send(post("/v1/traces", HELLO)[:30])
    body.send(post("/v1/traces", HELLO)[:-1])
    doors = [Http2(s.w), Grpc(s.w)]
    for door in doors:
        door.begin("traces", HELLO[:-1], len(HELLO))
    silent = socket.create_connection(("127.0.0.1", s.w.env["OTLP"]))
    assert all(door.h2.alive() for door in doors)
    s.w.process.terminate()
    for c in (head, body):
        r = c.response()
        assert r.status == 503 and r.header("retry-after") and c.is_closed()
    for door in doors:
        stream = door.h2.stream(1)
        door.h2.until(lambda: stream.over)
        assert stream.header(":status" if door is doors[0] else "grpc-status") in ("503", "14")
        assert door.h2.end() and {code for _, code, _ in door.h2.goaways} == {0}
    assert s.w.process.wait(timeout=PATIENCE) == 0
    for c in (head, body, silent, *doors):
        c.close()
