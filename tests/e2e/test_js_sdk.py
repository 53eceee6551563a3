# SPDX-License-Identifier: Apache-2.0
"""The OpenTelemetry SDK for JavaScript over HTTP, JSON and protobuf, as an
application uses it.  tools/setup has put its packages into build/js."""
import os
import subprocess
from pathlib import Path

import grpc
import pytest

from conftest import PATIENCE, ROOT, keys_of
from doors import config

HERE = Path(__file__).parent / "js"
KEPT = {"gen_ai.usage.input_tokens", "http.route"}
node = subprocess.run(["node", "--version"], capture_output=True, text=True).stdout
pytestmark = pytest.mark.skipif(int(node[1:].split(".")[0]) < 18,
                                reason=f"the SDK needs Node.js 18, here is {node}")
REDACTED = config("""
  redaction:
    allow_all_keys: true
    blocked_key_patterns: ["^(api_key|user_email|token)$"]
    levels: all
    blocked_key_action: delete
""", "[redaction]")


def send(w, flavour, compression):
    return subprocess.run(
        ["node", str(HERE / "send.js"), flavour, compression,
         f"http://127.0.0.1:{w.env['HTTP']}"],
        env={**os.environ, "NODE_PATH": str(ROOT / "build" / "js" / "node_modules")},
        capture_output=True, text=True, timeout=PATIENCE + 30)


@pytest.mark.parametrize("compression", ["none", "gzip"])
@pytest.mark.parametrize("flavour", ["http", "proto"])
def test_what_an_application_sends_arrives_without_its_secrets(
        weir, backend, flavour, compression):
    there = backend()
    w = weir(REDACTED, BACKEND=there.port, CAP=0, CAP_MIB=0, METADATA="false",
             KEEPALIVE="null")
    done = send(w, flavour, compression)
    assert done.returncode == 0, done.stderr
    there.until(lambda: there.spans and there.logs and len(there.metrics) == 2)
    span, = there.spans
    values = {a.key: a.value for a in span.attributes}
    assert span.name == "checkout" and set(values) == KEPT | {"big", "part", "yes"}
    assert values["gen_ai.usage.input_tokens"].int_value == 42
    assert values["big"].int_value == 2 ** 53 - 1 and values["part"].double_value == 0.5
    assert values["yes"].bool_value is True
    assert keys_of(span.events[0].attributes) == {"amount"}
    assert 0 < span.start_time_unix_nano <= span.end_time_unix_nano
    counter, = (m for m in there.metrics if m.name == "orders")
    assert keys_of(counter.sum.data_points[0].attributes) == KEPT
    record, = there.logs
    assert (record.body.string_value, record.severity_number) == ("sold", 9)
    assert keys_of(record.attributes) == KEPT
    resource = there.requests["traces"][0].resource_spans[0].resource
    assert keys_of(resource.attributes) == {"service.name"}
    for signal, n in (("spans", 1), ("log_records", 1), ("metric_points", 2)):
        assert w.metric(f"otelcol_receiver_accepted_{signal}", transport="http") == n


def test_the_sdk_tries_again_when_it_is_told_to_and_nothing_is_lost(weir, backend):
    """503 with Retry-After is temporary to it."""
    there = backend()
    w = weir(config(exporters="    sending_queue: {enabled: false}\n"
                              "    retry_on_failure: {enabled: false}\n"),
             BACKEND=there.port, CAP=0, CAP_MIB=0, METADATA="false", KEEPALIVE="null")
    there.answers.append((grpc.StatusCode.UNAVAILABLE, "busy", 0.2))
    done = send(w, "http", "none")
    assert done.returncode == 0, done.stderr
    there.until(lambda: there.spans and there.logs and len(there.metrics) == 2)
    assert there.refused == 1
