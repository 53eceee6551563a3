#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tail_sampling.py [SEED [TEXT]]: the same traces through the tail sampling of the Go
collector and of Weir; the same spans must come out.  Exit 1 where not.

Traces are random; each has its spans in several requests.  What a policy says
of a trace must be the same, also by chance: the hash is the same.  Limits see
traces in an order that is nobody's: there only the number of spans counts.
With TEXT only cases that have it in their configuration are tried."""
import random
import sys
import time

from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as pb

from sides import PATIENCE, PEER, Side

CONFIG = """
receivers:
  otlp: {{protocols: {{grpc: {{endpoint: "127.0.0.1:${{env:OTLP}}"}}}}}}
processors:
  tail_sampling:
    decision_wait: {wait}
    {keys}
    policies: [{policies}]
exporters:
  otlp:
    endpoint: 127.0.0.1:${{env:BACKEND}}
    tls: {{insecure: true}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
    traces: {{receivers: [otlp], processors: [tail_sampling], exporters: [otlp]}}
"""
BASE = 1_700_000_000_000_000_000


def basic(kind, block="{}"):
    return f"type: {kind}, {kind}: {block}"


ALL = "type: always_sample"
ERROR = basic("status_code", "{status_codes: [ERROR]}")
SLOW = basic("latency", "{threshold_ms: 250}")


def sub(kind, *policies):
    return (f"type: {kind}, {kind}: {{{kind}_sub_policy: ["
            + ", ".join(f"{{name: s, {p}}}" for p in policies) + "]}")


def inverse(policy):
    return f"type: not, not: {{not_sub_policy: {{name: s, {policy}}}}}"


def attr(kind, block, invert=False):
    return basic(f"{kind}_attribute", "{key: k, " + block +
                 (", invert_match: true}" if invert else "}"))


POLICIES = [
    [ALL], [], [SLOW],
    [basic("latency", "{threshold_ms: 100, upper_threshold_ms: 200}")],
    [basic("latency", "{threshold_ms: 0}")],
    *[[attr("numeric", b, i)] for i in (False, True) for b in
      ("min_value: 2, max_value: 5", "min_value: 1", "max_value: -1",
       "min_value: -1, max_value: 1", "min_value: 5, max_value: 2")],
    *[[attr("boolean", b, i)] for i in (False, True) for b in
      ("value: true", "value: false")],
    *[[attr("string", b, i)] for i in (False, True) for b in
      ("values: [a, b]", "values: ['']", "values: ['5']",
       "values: ['^a'], enabled_regex_matching: true",
       "values: ['.*'], enabled_regex_matching: true",
       "values: [''], enabled_regex_matching: true",
       "values: ['^$', 'x'], enabled_regex_matching: true, cache_max_size: 1")],
    *[[basic("probabilistic", f"{{sampling_percentage: {p}, hash_salt: '{s}'}}")]
      for s in ("", "pepper")
      for p in (0, 0.001, 1, 10, 33.3, 49.99999, 50, 50.00001, 75, 99.9, 100, 120, -3)],
    *[[basic("status_code", f"{{status_codes: [{c}]}}")]
      for c in ("ERROR", "OK", "UNSET", "OK, ERROR")],
    *[[basic("span_count", f"{{min_spans: {a}, max_spans: {b}}}")]
      for a, b in ((0, 0), (3, 0), (0, 3), (3, 4), (9, 2), (-1, -1))],
    *[[basic("trace_state", f"{{key: {k}, values: [{v}]}}")]
      for k, v in (("k", "v"), ("k", "v, w"), ("a", "'1'"), ("t@s", "x"))],
    ["type: trace_flags"],
    [basic("rate_limiting", "{spans_per_second: 0, burst_capacity: 0}")],
    [sub("and", ERROR, SLOW)], [sub("and", ERROR, inverse(SLOW))], [sub("and")],
    [inverse(ERROR)], [inverse(attr("string", "values: [a]", True))],
    [ALL, sub("drop", ERROR)], [ALL, sub("drop", ERROR, inverse(SLOW))],
    [sub("drop", SLOW), ERROR], [ALL, sub("drop")],
    [attr("string", "values: [a]", True), ERROR],
    [basic("bytes_limiting", "{bytes_per_second: 1, burst_capacity: 100000000}")],
]
# By number only.
LIMITS = [
    [basic("rate_limiting", "{spans_per_second: 0, burst_capacity: 57}")],
    ["type: composite, composite: {max_total_spans_per_second: 1000000, "
     "composite_sub_policy: [{name: a, " + ERROR + "}, {name: b, " + ALL + "}], "
     "rate_allocation: [{policy: a, percent: 100}]}"],
]
KEYS = [
    "", "sample_on_first_match: true",
    "decision_cache: {sampled_cache_size: 1000, non_sampled_cache_size: 1000}",
    "maximum_trace_size_bytes: 400", "maximum_trace_size_bytes: 800",
    "sampling_strategy: span-ingest",
    "drop_pending_traces_on_shutdown: true",
]


def put_attribute(r, attributes):
    pick = r.randrange(9)
    if pick == 8:
        return
    value = attributes.add(key="k").value
    if pick == 0:
        value.int_value = r.randint(-3, 7)
    elif pick == 1:
        value.bool_value = r.random() < .5
    elif pick == 2:
        value.double_value = 3.5
    elif pick == 3:
        value.array_value.values.add().int_value = 3
    elif pick > 4:
        value.string_value = r.choice(["a", "b", "ab", "xb", "5", "", "true"])


def put_span(r, span, number, ids):
    span.trace_id = r.choice(ids)
    span.span_id = number.to_bytes(8, "big")
    span.name = "n" * r.randrange(40)
    if r.random() < .95:
        span.start_time_unix_nano = BASE + r.randrange(300) * 1_000_000
        span.end_time_unix_nano = BASE + r.randrange(400) * 1_000_000
    # In sizes the Collector counts two bytes of these where they are absent.
    span.parent_span_id = b"12345678"
    span.status.SetInParent()
    if r.random() < .3:
        span.status.code = r.randrange(3)
    span.flags = r.choice([0, 0, 0, 1, 0x300])
    span.trace_state = r.choice(["", "", "", "k=v", "a=1, k=w", "k=v,k=w", "k=v,A=1",
                                 "t@s=x", "k=v ,", "k", "a=1,,k=v"])
    if r.random() < .2:
        put_attribute(r, span.attributes)


def stream(seed, traces=150, requests=40, singles=False):
    r = random.Random(seed)
    ids = [r.randbytes(16) for _ in range(traces)]
    number = 0
    for _ in range(requests):
        request = pb.ExportTraceServiceRequest()
        for _ in range(r.randrange(1, 4)):
            group = request.resource_spans.add()
            if r.random() < .2:
                put_attribute(r, group.resource.attributes)
            for _ in range(r.randrange(1, 3)):
                scope = group.scope_spans.add()
                scope.scope.name = r.choice(["", "lib"])
                for _ in range(r.randrange(1, 6)):
                    number += 1
                    span = scope.spans.add()
                    put_span(r, span, number, ids)
                    if singles:
                        span.trace_id = b"\1" * 8 + number.to_bytes(8, "big")
        yield request


def came_out(side):
    return sorted(int.from_bytes(span.span_id, "big")
                  for request in side.backends["BACKEND"].requests["traces"]
                  for group in request.resource_spans
                  for scope in group.scope_spans for span in scope.spans)


def config(policies, keys="", wait="30s"):
    named = ", ".join(f"{{name: p{i}, {p}}}" for i, p in enumerate(policies))
    return CONFIG.format(policies=named, keys=keys, wait=wait)


def run(name, yaml, seed, **options):
    """All that comes out, also with the end: then all are decided."""
    side = Side(name, yaml)
    try:
        assert side.started(), side.output
        for request in stream(seed, **options):
            assert side.send("traces", request) == "OK", side.output
        side.stop()
        return came_out(side)
    finally:
        side.close()


def live(name, seed):
    """Decided while it runs; the rest, late, follows or not."""
    side = Side(name, config([ERROR], wait="1s"))
    try:
        assert side.started(), side.output
        for request in stream(seed):
            assert side.send("traces", request) == "OK"
        until = time.monotonic() + PATIENCE
        before = None
        while time.monotonic() < until and (not before or before != came_out(side)):
            before = came_out(side)
            time.sleep(2.5)
        for request in stream(seed + 1):
            for group in request.resource_spans:
                for scope in group.scope_spans:
                    for span in scope.spans:
                        span.span_id = bytes([1]) + span.span_id[1:]
                        span.status.code = 0
            assert side.send("traces", request) == "OK"
        side.stop()
        return came_out(side)
    finally:
        side.close()


def compare(what, go, weir, count=False):
    if count:
        go, weir = len(go), len(weir)
    if go == weir:
        return True
    if not count:
        print("   go only:", sorted(set(go) - set(weir))[:9],
              "weir only:", sorted(set(weir) - set(go))[:9])
    else:
        print("   go:", go, "weir:", weir)
    print(f"DIFFERS {what}")
    return False


def cases():
    for policies in POLICIES:
        yield policies, "", False
    for keys in KEYS[1:]:
        for policies in ([ERROR], [ALL, sub("drop", ERROR)],
                         [ERROR, basic("probabilistic", "{sampling_percentage: 40}")]):
            yield policies, keys, False
    for policies in LIMITS:
        yield policies, "", True


def main():
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    if not PEER.exists():
        sys.exit("the Go collector is not there: make peers")
    n, good = 0, 0
    for policies, keys, count in cases():
        yaml = config(policies, keys)
        if len(sys.argv) > 2 and sys.argv[2] not in yaml:
            continue
        go, weir = (run(name, yaml, seed, singles=count) for name in ("go", "weir"))
        n += 1
        good += compare(f"{policies} {keys}", go, weir, count)
        print(f"{n}: {len(go)} spans", flush=True)
    go, weir = (live(name, seed) for name in ("go", "weir"))
    good += compare("live", go, weir)
    print(f"{good} of {n + 1} the same")
    sys.exit(good != n + 1)


if __name__ == "__main__":
    main()
