# SPDX-License-Identifier: Apache-2.0
"""What must not leave does not, wherever it stands."""
import re

import pytest

import secrets_everywhere as everywhere
from conftest import keys_of, spans
from pipelines import to_backend

REQUESTS = {
    "traces": ("traces", everywhere.traces),
    "metrics": ("metrics", everywhere.metrics),
    "logs": ("logs", everywhere.logs),
    "logs with a map for a body": ("logs", lambda p: everywhere.logs(p, "map")),
}


def through(weir, backend, client, which, options):
    """Places and what came out."""
    signal, make = REQUESTS[which]
    there = backend()
    w = weir(to_backend(f"""
  redaction:
    allow_all_keys: true
{options}
""", "[redaction]"), BACKEND=there.port)
    place = everywhere.Places()
    request = make(place)
    client(w.otlp).export(signal, request)
    there.until(lambda: there.requests[signal])
    return place, request, there.requests[signal][0]


@pytest.mark.parametrize("which", REQUESTS)
def test_with_levels_all_a_blocked_value_is_masked_in_every_place(
        weir, backend, client, which):
    place, sent, got = through(weir, backend, client, which, f"""
    blocked_values: ["{everywhere.PATTERN}"]
    levels: all
""")
    assert place.left_in(got.SerializeToString()) == set()
    # and nothing else changed
    masked = re.sub(everywhere.PATTERN, "****", str(sent))
    assert str(got) == masked


# The Collector's redaction looks at these and at nothing else.
COLLECTORS = {
    "traces": {"resource.string", "scope.string", "span.string", "event.string"},
    "metrics": {"resource.string", "scope.string", "gauge.point.string",
                "sum.point.string", "histogram.point.string",
                "exponential_histogram.point.string", "summary.point.string"},
    "logs": {"resource.string", "scope.string", "log.string", "body.string"},
    "logs with a map for a body": {"resource.string", "scope.string", "log.string",
                                   "body.string", "body.list", "body.map"},
}


@pytest.mark.parametrize("which", REQUESTS)
def test_by_default_a_blocked_value_is_masked_where_the_collector_does(
        weir, backend, client, which):
    place, _, got = through(weir, backend, client, which,
                            f'    blocked_values: ["{everywhere.PATTERN}"]\n')
    left = place.left_in(got.SerializeToString())
    assert set(place.names) - left == COLLECTORS[which]


@pytest.mark.parametrize("which", REQUESTS)
def test_a_blocked_key_is_gone_at_every_depth(weir, backend, client, which):
    place, _, got = through(weir, backend, client, which, """
    blocked_key_patterns: ["^(plain|inner|listed|raw)$"]
    blocked_key_action: delete
    levels: all
""")
    left = place.left_in(got.SerializeToString())
    assert not [p for p in left if p.rsplit(".")[-1] in ("list", "map", "bytes")]
    assert not [p for p in left if p.endswith(".string") and p != "body.string"]
    assert left >= {p for p in place.names if p.endswith(("name", "version", "unit"))}


def test_an_allow_list_keeps_what_it_names_and_counts_the_rest(weir, backend, client):
    there = backend()
    w = weir(to_backend("""
  redaction:
    allowed_keys: [service.name, http.route]
    summary: debug
""", "[redaction]"), BACKEND=there.port)
    client(w.otlp).export("traces", spans(1, attributes=[
        ("http.route", "/"), ("card", "4111"), ("email", "a@b")]))
    there.until(lambda: there.spans)
    have = {a.key: a.value for a in there.spans[0].attributes}
    assert have["http.route"].string_value == "/"
    assert "card" not in have and "email" not in have
    assert have["redaction.redacted.count"].int_value == 2
    assert have["redaction.redacted.keys"].string_value == "card,email"
    resource = there.requests["traces"][0].resource_spans[0].resource
    assert keys_of(resource.attributes) == {"service.name"}


def test_ids_in_urls_and_values_in_queries_do_not_leave(weir, backend, client):
    there = backend()
    w = weir(to_backend("""
  redaction:
    allow_all_keys: true
    url_sanitizer: {enabled: true, attributes: [url.full]}
    db_sanitizer: {sql: {enabled: true, attributes: [db.query.text]}}
""", "[redaction]"), BACKEND=there.port)
    client(w.otlp).export("traces", spans(1, name="GET /users/ann/orders", attributes=[
        ("url.full", "/users/4711/orders?token=hunter2"),
        ("db.system.name", "postgresql"),
        ("db.query.text", "SELECT a FROM t1 WHERE mail = 'ann@example.com'")]))
    there.until(lambda: there.spans)
    have = {a.key: a.value.string_value for a in there.spans[0].attributes}
    assert have["url.full"] == "/users/*/orders"
    assert have["db.query.text"] == "SELECT a FROM t? WHERE mail = ?"
    assert have["db.system.name"] == "postgresql"
    assert there.spans[0].name == "GET /users/ann/*"


def test_what_digests_make_of_a_value_stays_within_the_limit(
        weir, backend, client):
    """A megabyte of digits, each of which would become 128."""
    there = backend(max_bytes=1 << 30)
    w = weir(to_backend(f"""
  memory_limiter: {{check_interval: 1s, limit_mib: 150}}
  redaction:
    allow_all_keys: true
    blocked_values: ["[0-9]"]
    hash_function: hmac-sha512
    hmac_key: {'k' * 64}
""", "[memory_limiter, redaction]"), BACKEND=there.port)
    client(w.otlp).export("traces", spans(1, attributes=[("k", "7" * (1 << 20))]))
    there.until(lambda: there.spans)
    assert len(there.spans[0].attributes[0].value.string_value) == 128
    assert w.metric("weir_redaction_removed") == 1
    with open(f"/proc/{w.process.pid}/status") as status:
        most = next(int(line.split()[1]) for line in status
                    if line.startswith("VmHWM"))
    assert most < 150 << 10


def test_a_number_of_digits_is_masked_whatever_the_digits_are(weir, backend, client):
    there = backend()
    w = weir(to_backend("""
  redaction: {allow_all_keys: true, blocked_values: ["[0-9]{16}"]}
""", "[redaction]"), BACKEND=there.port)
    client(w.otlp).export("traces", spans(1, attributes=[
        ("a", "card 5555555555555555 paid"), ("b", "16 digits: 4111111111111111")]))
    there.until(lambda: there.spans)
    have = {a.key: a.value.string_value for a in there.spans[0].attributes}
    assert have == {"a": "card **** paid", "b": "16 digits: ****"}
