# SPDX-License-Identifier: Apache-2.0
"""configs/sidecar.yaml in front of five kinds of service: what each of them
sends arrives without its prompts, credentials and addresses, and with what its
people look at."""
import json

import pytest

from conftest import ROOT, keys_of
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

MESSAGES = [{"role": "user", "parts": [{"type": "text", "content": "PROMPT of a person"}]}]
ADDRESS = "bob@mail.example"
KEY = "sk-proj-" + "a1B2c3D4e5" * 5


@pytest.fixture
def sidecar(weir, backend, client):
    """The shipped file, but for its ports; export(signal, request) returns what
    the gateway got for it."""
    there = backend()
    text = (ROOT / "configs/sidecar.yaml").read_text()
    for port, name in (("127.0.0.1:4317", "OTLP"), ("127.0.0.1:4318", "HTTP")):
        assert port in text
        text = text.replace(port, f"127.0.0.1:${{env:{name}}}")
    w = weir(text.replace("timeout: 1s", "timeout: 20ms")
             + "  telemetry: {metrics: {level: none}}\n",
             GATEWAY=f"127.0.0.1:{there.port}")
    connection = client(w.otlp)

    def export(signal, request):
        connection.export(signal, request)
        there.until(lambda: there.requests[signal])
        return there.requests[signal].pop()
    return export


def set_value(value, what):
    if isinstance(what, bool):
        value.bool_value = what
    elif isinstance(what, int):
        value.int_value = what
    elif isinstance(what, float):
        value.double_value = what
    elif isinstance(what, list):
        for item in what:
            set_value(value.array_value.values.add(), item)
    elif isinstance(what, dict):
        put(value.kvlist_value.values, what)
    else:
        value.string_value = what


def put(attributes, pairs):
    for key, what in pairs.items():
        set_value(attributes.add(key=key).value, what)


def trace(service, name, attributes, events=()):
    request = trace_service_pb2.ExportTraceServiceRequest()
    rs = request.resource_spans.add()
    put(rs.resource.attributes, {"service.name": service})
    span = rs.scope_spans.add().spans.add(trace_id=b"t" * 16, span_id=b"s" * 8, name=name)
    put(span.attributes, attributes)
    for event, pairs in events:
        put(span.events.add(name=event).attributes, pairs)
    return request


def log(service, body, attributes={}):
    request = logs_service_pb2.ExportLogsServiceRequest()
    rl = request.resource_logs.add()
    put(rl.resource.attributes, {"service.name": service})
    record = rl.scope_logs.add().log_records.add(severity_number=9)
    set_value(record.body, body)
    put(record.attributes, attributes)
    return request


def have(attributes):
    return {a.key: getattr(a.value, a.value.WhichOneof("value")) for a in attributes}


def span_of(request):
    return request.resource_spans[0].scope_spans[0].spans[0]


def record_of(request):
    return request.resource_logs[0].scope_logs[0].log_records[0]


def test_osiris_a_call_of_a_model_keeps_its_counts_and_loses_its_prompt(sidecar):
    got = sidecar("traces", trace("osiris_llm_sidecar", "chat gpt-4o", {
        "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o",
        "gen_ai.usage.input_tokens": 512, "gen_ai.usage.output_tokens": 64,
        "gen_ai.token.type": "input",
        "gen_ai.input.messages": json.dumps(MESSAGES),
        "gen_ai.output.messages": json.dumps(MESSAGES * 2),
        "gen_ai.system_instructions": "PROMPT of the house",
        "gen_ai.prompt.name": "summarise", "gen_ai.prompt.0.content": "PROMPT",
        "gen_ai.tool.call.arguments": json.dumps({"api_key": "x1", "to": ADDRESS, "n": 3}),
        "http.request.header.authorization": [f"Bearer {KEY}"],
        "server.address": "api.example"}))
    assert b"PROMPT" not in got.SerializeToString()
    assert KEY.encode() not in got.SerializeToString()
    assert ADDRESS.encode() not in got.SerializeToString()
    kept = have(span_of(got).attributes)
    assert kept["gen_ai.usage.input_tokens"] == 512
    assert kept["gen_ai.usage.output_tokens"] == 64
    assert kept["gen_ai.token.type"] == "input"
    assert kept["gen_ai.prompt.name"] == "summarise"
    assert kept["gen_ai.request.model"] == "gpt-4o"
    assert kept["server.address"] == "api.example"
    assert json.loads(kept["gen_ai.tool.call.arguments"]) == {
        "api_key": "****", "to": "****", "n": 3}
    assert kept["gen_ai.input.messages.weir.length"] == len(json.dumps(MESSAGES))
    assert kept["gen_ai.output.messages.weir.items"] == 2
    assert not kept.keys() & {"gen_ai.input.messages", "gen_ai.output.messages",
                              "gen_ai.system_instructions", "gen_ai.prompt.0.content",
                              "http.request.header.authorization"}


def test_osiris_events_that_are_log_records(sidecar):
    got = record_of(sidecar("logs", log("osiris_orchestrator", {
        "role": "user", "content": "PROMPT", "id": "call_1",
        "tool_calls": [{"function": {"arguments": json.dumps({"token": "x"})}}]})))
    assert b"PROMPT" not in got.SerializeToString()
    body = have(got.body.kvlist_value.values)
    assert body["role"] == "user" and body["id"] == "call_1"
    assert b'{\\"token\\": \\"****\\"}'.replace(b"\\", b"") in got.SerializeToString()


def test_osmen_a_log_line_of_json_stays_json_with_its_labels(sidecar):
    line = {"timestamp": "2026-01-05T10:00:00.123Z", "level": "ERROR",
            "service": "gateway", "request_id": "8d0c3a52-9b0f-4f5e-8a63-0c4c8b8c9f10",
            "user_id": "u-17", "agent": "daily_brief", "duration_ms": 6120, "status": 500,
            "message": f"mail to {ADDRESS} failed", "token": "t-1"}
    text = json.dumps(line)
    body = record_of(sidecar("logs", log("gateway", text))).body.string_value
    assert json.loads(body) == {**line, "message": "mail to **** failed", "token": "****"}
    # and nothing but these two values is written anew
    assert body == text.replace(ADDRESS, "****").replace('"t-1"', '"****"')


def test_sentinel_tokens_and_cost_stay_prompts_and_credentials_go(sidecar):
    got = sidecar("traces", trace("orchestrator", "task", {
        "task_id": "t1", "tenant_id": "acme", "agent_type": "writer", "task_type": "x",
        "node_id": "n1", "node_type": "llm", "model": "gpt-4o", "temperature": 0.2,
        "tokens": 1024, "cost": 0.02, "latency": 1.5, "prompt": "PROMPT",
        "completion": "PROMPT", "credentials": "hunter2", "email": ADDRESS,
        "db.url": "postgresql://app:hunter2@db.example/x"},
        [("task_completed", {"tokens": 1024, "cost": 0.02}),
         ("node_failed", {"error": f"401 for {KEY}"})]))
    kept = have(span_of(got).attributes)
    assert kept["tokens"] == 1024 and kept["cost"] == 0.02 and kept["latency"] == 1.5
    assert kept["task_id"] == "t1" and kept["temperature"] == 0.2
    assert kept["credentials"] == kept["email"] == "****"
    assert kept["db.url"] == "postgresql://app:****@db.example/x"
    for secret in ("PROMPT", "hunter2", ADDRESS, KEY):
        assert secret.encode() not in got.SerializeToString()
    done, failed = span_of(got).events
    assert have(done.attributes) == {"tokens": 1024, "cost": 0.02}
    assert have(failed.attributes)["error"] == "401 for ****"


def test_ai_platform_a_trace_context_in_a_log_line_survives(sidecar):
    line = json.dumps({"level": "info", "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
                       "span_id": "00f067aa0ba902b7", "gpu_util": 87, "msg": "routed",
                       "params": json.dumps({"api_key": KEY, "top_k": 5})})
    body = record_of(sidecar("logs", log("router", line))).body.string_value
    assert body == line.replace(KEY, "****")


def test_ryuzen_toron_without_api_key_user_email_and_token(sidecar):
    got = span_of(sidecar("traces", trace("toron", "cloud.call", {
        "api_key": "x1", "user_email": ADDRESS, "token": "t-1", "connector": "s3",
        "prompt_tokens": 12, "url.full": f"https://h.example/v1?key={KEY}&page=2"})))
    assert have(got.attributes) == {
        "api_key": "****", "user_email": "****", "token": "****", "connector": "s3",
        "prompt_tokens": 12, "url.full": "https://h.example/v1?key=****&page=2",
        "redaction.masked.count": 4}


def test_metrics_keep_their_points(sidecar):
    request = metrics_service_pb2.ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(
        name="gen_ai.client.token.usage", unit="{token}")
    point = metric.sum.data_points.add(as_int=7, time_unix_nano=1)
    put(point.attributes, {"gen_ai.token.type": "output", "user_email": ADDRESS})
    exemplar = point.exemplars.add(as_int=1)
    put(exemplar.filtered_attributes, {"note": f"from {ADDRESS}"})
    got = sidecar("metrics", request).resource_metrics[0].scope_metrics[0].metrics[0]
    assert (got.name, got.unit) == ("gen_ai.client.token.usage", "{token}")
    have_point = have(got.sum.data_points[0].attributes)
    assert have_point["gen_ai.token.type"] == "output"
    assert have_point["user_email"] == "****"
    assert ADDRESS.encode() not in got.SerializeToString()


def test_what_holds_nothing_of_this_is_not_touched(sidecar):
    sent = trace("toron", "GET /users/{id}", {
        "http.request.method": "GET", "http.response.status_code": 200,
        "max_tokens": 4096, "url.path": "/users/17",
        "request_id": "8d0c3a52-9b0f-4f5e-8a63-0c4c8b8c9f10",
        "git.commit": "9fceb02d0ae598e95dc970b74767f19372d61af8"})
    got = sidecar("traces", sent)
    assert span_of(got) == span_of(sent)
    assert keys_of(got.resource_spans[0].resource.attributes) == {
        "service.name", "deployment.environment.name"}


def test_credentials_go_by_the_keys_that_libraries_write(sidecar):
    headers = ["http.request.header.x-api-key", "http.request.header.cookie",
               "http.response.header.set-cookie",
               "http.request.header.proxy-authorization",
               "rpc.grpc.request.metadata.authorization"]
    words = ["openai.api_key", "OPENAI_API_KEY", "apiKey", "db.password",
             "client_secret", "bearer_token", "Authorization"]
    got = sidecar("traces", trace("gateway", "call", {
        **{key: ["hunter2x9"] for key in headers},
        **{key: "hunter2x9" for key in words},
        "environment": {"OPENAI_API_KEY": "hunter2x9"}, "kept": "as it is"}))
    assert "hunter2x9" not in str(got)
    assert have(span_of(got).attributes)["kept"] == "as it is"


def test_prompts_go_by_the_keys_that_libraries_write(sidecar):
    keys = ["gen_ai.event.content", "gen_ai.response.text", "ai.prompt",
            "ai.prompt.messages", "ai.response.text", "llm.prompt_template.variables",
            "retrieval.documents.0.document.content", "reranker.query",
            "embedding.embeddings.0.embedding.text", "langfuse.observation.input"]
    got = sidecar("traces", trace("router", "ai.generateText", {
        **{key: json.dumps({"q": "PROMPT of a person"}) for key in keys},
        "ai.model.id": "gpt-4o", "ai.usage.promptTokens": 7}))
    attributes = have(span_of(got).attributes)
    assert "PROMPT" not in str(got)
    assert attributes["ai.model.id"] == "gpt-4o"
    assert attributes["ai.usage.promptTokens"] == 7
    assert attributes["ai.prompt.weir.length"] == 27


@pytest.mark.parametrize("body,left", [
    ({"role": "user", "content": "PROMPT of a person"}, {"role": "user"}),
    ({"n": 1, "messages": [{"role": "user", "content": "PROMPT of a person"}]},
     {"n": 1}),
    ({"parts": [{"type": "text", "text": "PROMPT of a person"}]},
     {"parts": [{"type": "text"}]}),
    ({"raw": json.dumps({"content": ["PROMPT of a person"], "n": 1})},
     {"raw": '{"n": 1}'}),
    (json.dumps({"role": "user", "content": "PROMPT of a person"}),
     '{"role": "user"}'),
], ids=["content", "messages", "parts", "JSON in JSON", "JSON twice"])
def test_prompts_go_from_log_lines_of_json(sidecar, body, left):
    line = json.dumps(body)
    request = log("any", {})
    record_of(request).body.string_value = line
    got = record_of(sidecar("logs", request))
    assert "PROMPT" not in str(got)
    assert json.loads(got.body.string_value) == left
    assert have(got.attributes)["body.weir.length"] == len(line)
