# SPDX-License-Identifier: Apache-2.0
"""The tail sampler's own metrics, on a real page after a stream whose every
decision is known: the Collector's names, labels, units and nothing else."""
import re

import pytest

from conftest import eventually, spans
from pipelines import HEAD

CONFIG = """
processors:
  tail_sampling/gate:
    decision_wait: 1s
    num_traces: 10
    maximum_trace_size_bytes: 20000
    decision_cache: {{sampled_cache_size: 100}}
    policies:
      - {{name: errors, type: status_code, status_code: {{status_codes: [ERROR]}}}}
      - {{name: slow, type: latency, latency: {{threshold_ms: 500}}}}
      - name: health
        type: drop
        drop:
          drop_sub_policy:
            - {{name: path, type: string_attribute, string_attribute: {{key: path, values: [/health]}}}}
exporters:
  otlp_grpc: {{endpoint: "127.0.0.1:${{env:BACKEND}}", tls: {{insecure: true}}}}
service:
  workers: 1
  telemetry:
    metrics:
      level: {level}
      readers:
        - pull:
            exporter:
              prometheus:
                host: 127.0.0.1
                port: ${{env:METRICS}}
                without_units: {plain}
                without_type_suffix: {plain}
  pipelines:
    traces: {{receivers: [otlp], processors: [tail_sampling/gate], exporters: [otlp_grpc]}}
"""
PREFIX = "otelcol_processor_tail_sampling_"
GLOBAL = "global_count_traces_sampled"
TICK_MS = ["1", "2", "5", "10", "25", "50", "75", "100", "150", "200", "300", "400", "500", "750",
           "1000", "2000", "3000", "4000", "5000", "10000", "20000", "30000", "50000", "+Inf"]
AGE_S = ["0", "5", "10", "25", "50", "75", "100", "250", "500", "750", "1000", "2500", "5000",
         "7500", "10000", "+Inf"]


class Page:
    """Our series of a page: values by (name, labels), types, bounds."""

    def __init__(self, text):
        self.values, self.types, self.bounds = {}, {}, {}
        for line in text.splitlines():
            if m := re.match(rf"# TYPE {PREFIX}(\w+) (\w+)$", line):
                self.types[m[1]] = m[2]
            if not (m := re.match(rf"{PREFIX}(\w+)(?:{{(.*)}})? (\S+)$", line)):
                continue
            labels = dict(re.findall(r'(\w+)="([^"]*)"', m[2] or ""))
            if "le" in labels:
                self.bounds.setdefault(m[1].removesuffix("_bucket"), []).append(labels["le"])
            else:
                self.values[m[1], tuple(sorted(labels.items()))] = float(m[3])

    def sum(self, name):
        return sum(v for (n, _), v in self.values.items() if n == name)


def of(*traces, **how):
    """A request with a span of each of these traces; how: status, ms, path,
    name."""
    request = spans(len(traces), attributes=[("path", how["path"])] if "path" in how else ())
    for number, span in zip(traces, request.resource_spans[0].scope_spans[0].spans):
        span.trace_id = number.to_bytes(16, "big")
        span.status.code = how.get("status", 0)
        span.name = how.get("name", "op")
        span.end_time_unix_nano = span.start_time_unix_nano + how.get("ms", 1) * 1_000_000
    return request


def stream(w, client, decisions=GLOBAL):
    """Seven traces, then what is late, then more than there is room for."""
    def send(request):
        client(w.otlp).export("traces", request)

    def decided(n):
        eventually(lambda: Page(w.metrics()).sum(decisions) == n, f"{n} decisions")

    send(of(1, 2, status=2))
    send(of(3, ms=501))
    send(of(4, status=2, path="/health"))
    send(of(5, 6, ms=500))
    send(of(7, name="n" * 30000))
    decided(6)
    send(of(1, 1, 5, 4, 7))     # two by the cache, two late; too large ones are not late
    send(of(*range(11, 22)))    # four decided ones give way, and an undecided one
    decided(16)


def label(**labels):
    return tuple(sorted(labels.items()))


def votes(policy, **counts):
    return {("count_traces_sampled",
             label(policy=f"gate.{policy}", decision=decision,
                   sampled="true" if decision == "sampled" else "false")): n
            for decision, n in counts.items()}


EXPECTED = {
    **votes("errors", sampled=2, not_sampled=13),
    **votes("slow", sampled=1, not_sampled=14),
    **votes("health", dropped=1, not_sampled=15),
    (GLOBAL, label(sampled="true", decision="sampled")): 3,
    (GLOBAL, label(sampled="false", decision="not_sampled")): 12,
    (GLOBAL, label(sampled="false", decision="dropped")): 1,
    ("early_releases_from_cache_decision", label(sampled="true")): 2,
    ("new_trace_id_received", ()): 18,
    ("sampling_policy_execution_count", label(policy="gate.errors")): 15,
    ("sampling_policy_execution_count", label(policy="gate.slow")): 15,
    ("sampling_policy_execution_count", label(policy="gate.health")): 16,
    ("sampling_late_span_age_count", ()): 2,
    ("sampling_policy_evaluation_error", ()): 0,
    ("sampling_trace_dropped_too_early", ()): 1,
    ("sampling_trace_removal_age_count", ()): 8,
    ("sampling_traces_on_memory", ()): 10,
    ("traces_dropped_too_large", ()): 1,
}
# There, but how much is the machine's: ticks, and times.
MEASURED = {
    *(("sampling_policy_execution_time_sum", label(policy=f"gate.{p}"))
      for p in ("errors", "slow", "health")),
    *((f"sampling_{name}", ()) for name in
      ("decision_timer_latency_count", "decision_timer_latency_sum", "late_span_age_sum",
       "trace_removal_age_sum")),
}


@pytest.mark.parametrize("level", ["basic", "normal", "detailed"])
def test_each_metric_has_the_collector_s_name_labels_and_value(weir, backend, client, level):
    there = backend()
    w = weir(HEAD + CONFIG.format(level=level, plain="true"), BACKEND=there.port)
    stream(w, client)
    page = Page(w.metrics())
    exact = {k: v for k, v in page.values.items() if k not in MEASURED}
    assert exact == EXPECTED
    assert MEASURED <= set(page.values)
    assert page.values["sampling_decision_timer_latency_count", ()] >= 2
    assert page.bounds == {"sampling_decision_timer_latency": TICK_MS,
                           "sampling_late_span_age": AGE_S, "sampling_trace_removal_age": AGE_S}
    assert page.types == {
        **{name: "counter" for name, _ in {*EXPECTED, *page.values}
           if not name.endswith(("_count", "_sum")) or "policy" in name},
        "sampling_traces_on_memory": "gauge",
        **{name: "histogram" for name in page.bounds}}
    assert len(there.spans) == 5                # 1 and 2 and 3, and twice the late 1


def test_units_and_kinds_are_in_the_names_where_they_are_asked_for(weir, backend, client):
    w = weir(HEAD + CONFIG.format(level="normal", plain="false"), BACKEND=backend().port)
    stream(w, client, decisions=f"{GLOBAL}_total")
    names = {name for name, _ in Page(w.metrics()).values}
    assert names >= {f"{name}_total" for name, _ in EXPECTED
                     if not name.endswith("age_count") and "memory" not in name}
    assert names >= {"sampling_decision_timer_latency_milliseconds_count",
                     "sampling_late_span_age_seconds_count",
                     "sampling_trace_removal_age_seconds_count", "sampling_traces_on_memory"}
