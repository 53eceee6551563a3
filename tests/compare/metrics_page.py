#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""metrics_page.py [NAME...]: what the samplers count, beside each other.

The same streams through the Go collector and Weir; then /metrics of both, and
what they push: the same names, kinds, labels and values, and units.  Sentences
of HELP are each one's own.  What time decides is compared by its name, kind and
labels only: see BY_TIME and AGES.  Exit 1 where they differ, and differ again:
on a machine that is busy a trace may be decided between two requests."""
import random
import re
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor


from own_metrics import shape
from sides import PATIENCE, PEER, Side, free_port
import tail_stream
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs_pb

CONFIG = """
receivers:
  otlp: {{protocols: {{grpc: {{endpoint: "127.0.0.1:${{env:OTLP}}"}}}}}}
processors:
{processors}
exporters:
  otlp_grpc:
    endpoint: 127.0.0.1:${{env:BACKEND}}
    tls: {{insecure: true}}
service:
{service}
  telemetry:
    metrics:
      level: {level}
      readers:
        - pull: {{exporter: {{prometheus: {{host: 127.0.0.1, port: "${{env:METRICS}}",
            without_units: {bare}, without_type_suffix: {bare}, without_scope_info: true}}}}}}
        - periodic: {{interval: 300, exporter: {{otlp: {{endpoint: "http://127.0.0.1:${{env:PUSHED}}",
            protocol: grpc}}}}}}
  pipelines:
    traces: {{receivers: [otlp], processors: [{names}], exporters: [otlp_grpc]}}
    logs: {{receivers: [otlp], processors: [{log_names}], exporters: [otlp_grpc]}}
"""
ERROR = "{name: error, type: status_code, status_code: {status_codes: [ERROR]}}"
ALL = "{name: all, type: always_sample}"
SLOW = "{name: slow, type: latency, latency: {threshold_ms: 250}}"
HALF = "{name: half, type: probabilistic, probabilistic: {sampling_percentage: 50}}"
DROP = "{name: no, type: drop, drop: {drop_sub_policy: [" + SLOW + "]}}"
TEXT = "{name: 'a b.c/d', type: string_attribute, string_attribute: {key: k, values: [a]}}"


def tail(policies, keys="", name=""):
    return f"  tail_sampling{name}: {{decision_wait: 2s, policies: [{', '.join(policies)}]{keys}}}"


BOTH = ", decision_cache: {sampled_cache_size: 1000, non_sampled_cache_size: 1000}"
# What may differ: a policy may be cheaper, and each worker of Weir has a tick.
BY_TIME = re.compile(r"processor_tail_sampling_sampling_(policy_execution_time_sum|decision_timer_latency)"
                     r"|otelcol_(process_|exporter_.*(queue_(batch|size)|in_flight))")
# Whole seconds: how many were counted is the same, and where the second ends is chance.
AGES = re.compile(r"processor_tail_sampling_sampling_(late_span|trace_removal)_age")
# How many batches there are is each one's own.
BATCHES = re.compile(r"otelcol_(processor_batch_|exporter_queue_batch)")
ONLY_GO = re.compile(r"otelcol_exporter_(enqueue_size|queue_batch_send_size)(_bytes)?"
                     r"|otelcol_processor_internal_duration|(rpc|http)_|go_|promhttp_|target_info|otel_sdk")
# Weir shows a gauge of an exporter that was not used yet, too.
ONLY_WEIR = re.compile("weir_|promhttp_|target_info|otelcol_exporter_in_flight_requests")
# There one gauge for all, of whichever ticked last; here it is their sum.
GAUGE = "processor_tail_sampling_sampling_traces_on_memory"

# name: processors, level, are names bare, keys of the stream
CASES = {
    "votes": ([tail([ERROR, SLOW, HALF, TEXT])], "normal", True, {}),
    "votes-basic": ([tail([ERROR, HALF])], "basic", True, {}),
    "votes-detailed": ([tail([ERROR, HALF])], "detailed", True, {}),
    "units": ([tail([ERROR, HALF])], "normal", False, {}),
    "named": ([tail([ERROR, ALL], name="/east")], "normal", True, {}),
    # Behind each other.  How many pieces what is late is in is the first one's affair
    # (Weir puts those of one resource together), so the second has caches.
    "two": ([tail([ALL], name="/one"), tail([ERROR], BOTH, name="/two")], "normal", True, {}),
    "no-policies": ([tail([])], "normal", True, {}),
    "drop": ([tail([ERROR, DROP, ALL])], "normal", True, {}),
    "first-match": ([tail([ERROR, SLOW, ALL], ", sample_on_first_match: true")], "normal", True, {}),
    "caches": ([tail([ERROR], BOTH)], "normal", True, {}),
    "sampled-cache": ([tail([ERROR], ", decision_cache: {sampled_cache_size: 1000}")], "normal", True, {}),
    "other-cache": ([tail([ERROR], ", decision_cache: {non_sampled_cache_size: 1000}")], "normal", True, {}),
    "too-large": ([tail([ALL], ", maximum_trace_size_bytes: 500")], "normal", True, {}),
    "too-large-cache": ([tail([ALL], ", maximum_trace_size_bytes: 500" + BOTH)], "normal", True, {}),
    "ingest": ([tail([ERROR, TEXT], ", sampling_strategy: span-ingest")], "normal", True, {}),
    "ingest-drop": ([tail([ERROR, DROP], ", sampling_strategy: span-ingest")], "normal", True, {}),
    "forgotten": ([tail([ALL], ", num_traces: 10", "/in_order")], "normal", True, {}),
    "forgotten-caches": ([tail([HALF], ", num_traces: 10" + BOTH, "/in_order")], "normal", True, {}),
    "roots": ([tail([ERROR], ", decision_wait_after_root_received: 1s").replace("2s", "3s", 1)],
              "normal", True, {"roots": .1}),
    "behind": (["  probabilistic_sampler: {sampling_percentage: 40, attribute_source: record, "
                "from_attribute: k, sampling_priority: p}",
                "  redaction: {allow_all_keys: true, blocked_key_patterns: [k]}",
                "  attributes: {actions: [{key: a, value: b, action: insert}]}",
                "  memory_limiter: {check_interval: 1s, limit_mib: 500}",
                "  batch: {timeout: 10ms}"], "normal", True, {}),
}
CASES["behind-detailed"] = (CASES["behind"][0], "detailed", True, {})
CASES["behind-units"] = (CASES["behind"][0], "normal", False, {})


AGAIN = 3


def records(seed):
    r = random.Random(seed)
    request = logs_pb.ExportLogsServiceRequest()
    scope = request.resource_logs.add().scope_logs.add()
    for _ in range(100):
        record = scope.log_records.add(trace_id=r.choice([b"", r.randbytes(16)]))
        if r.random() < .5:
            record.attributes.add(key="k").value.string_value = str(r.randrange(50))
        if r.random() < .3:
            record.attributes.add(key="p").value.int_value = r.choice([0, 50, 100])
    return request


# --- The page -----------------------------------------------------------------------

class Page:
    """kinds: family to type; series: (name, labels) to value."""

    def __init__(self, port):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE) as page:
            text = page.read().decode()
        self.kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M))
        self.series = {}
        for name, labels, value in re.findall(r"^(\w+)(?:\{(.*)\})? (\S+)$", text, re.M):
            found = re.findall(r'([\w.]+)="((?:[^"\\]|\\.)*)"', labels)
            self.series[name, tuple(sorted(found))] = float(value)

    def sum(self, name):
        return sum(v for (n, _), v in self.series.items() if name in n)


def value_of(name, value, samplers):
    if BY_TIME.search(name) or BATCHES.search(name) or samplers > 1 and GAUGE in name:
        return None
    if AGES.search(name) and not name.endswith("_count"):
        return None
    return value


def without_ports(labels):
    """Each has a backend of its own."""
    return tuple((k, "" if k == "server_port" else v) for k, v in labels)


def table(page, samplers=1):
    found = {("TYPE", name): kind for name, kind in page.kinds.items()}
    for (name, labels), value in page.series.items():
        found[name, without_ports(labels)] = value_of(name, value, samplers)
    return found


def pushed(request):
    """Name to unit, kind, temporality, and whether it only grows."""
    return {("PUSH", name): what[:4] for name, what in shape(request).items() if name != "resource"}


# --- One program ----------------------------------------------------------------------

def settled(port):
    """The page when two ticks have changed nothing but what goes by time."""
    end = time.monotonic() + PATIENCE
    before, since = None, time.monotonic()
    while time.monotonic() < end:
        page = Page(port)
        now = {k: v for k, v in table(page, 2).items() if not re.search("_bytes|exporter|^weir_", k[0])}
        if now != before:
            before, since = now, time.monotonic()
        elif time.monotonic() - since > 3.2:
            return page
        time.sleep(0.1)
    raise AssertionError("the counters do not come to rest")


def run(name, case):
    processors, level, bare, options = CASES[case]
    ids = [re.match(r" *([\w/]+):", p)[1] for p in processors]
    port = free_port()
    yaml = CONFIG.format(
        service="  workers: 1" if name == "weir" and "in_order" in ids[0] else "",
        processors="\n".join(processors), level=level, bare=str(bare).lower(), names=", ".join(ids),
        log_names=", ".join(i for i in ids if not i.startswith("tail")))
    side = Side(name, yaml, env={"METRICS": str(port)}, backends=("BACKEND", "PUSHED"))
    try:
        assert side.started(), side.output
        in_order = "in_order" in ids[0]     # which trace is the oldest must be known
        for request in (tail_stream.one_by_one(7) if in_order else
                        tail_stream.stream(7, requests=12, **options)):
            assert side.send("traces", request) == "OK"
        assert side.send("logs", records(7)) == "OK"
        settled(port)
        for request in (tail_stream.one_by_one(7, traces=20) if in_order else
                        tail_stream.stream(7, requests=6, late=True, **options)):
            assert side.send("traces", request) == "OK"
        page = settled(port)
        got = side.backends["PUSHED"].requests["metrics"]
        before = len(got)
        side.backends["PUSHED"].until(lambda: len(got) >= before + 2)
        return {**table(page, sum(i.startswith("tail") for i in ids)), **pushed(got[-1])}
    finally:
        side.close()


def differences(go, weir):
    for key in sorted(go.keys() | weir.keys(), key=repr):
        name = key[1] if key[0] in ("TYPE", "PUSH") else key[0]
        name = name.replace(".", "_")
        if key not in weir and ONLY_GO.match(name) or key not in go and ONLY_WEIR.match(name):
            continue
        if go.get(key, "nothing") != weir.get(key, "nothing"):
            yield key, go.get(key, "nothing"), weir.get(key, "nothing")


def compare(case):
    """How much was compared, and what differs."""
    for _ in range(AGAIN):
        with ThreadPoolExecutor(2) as pool:
            go, weir = pool.map(run, ("go", "weir"), (case, case))
        found = list(differences(go, weir))
        if not found:
            break
    return len(go.keys() & weir.keys()), found


def main():
    if not PEER.exists():
        sys.exit("the Go collector is not there: make peers")
    wrong = compared = 0
    names = [n for n in CASES if not sys.argv[1:] or n in sys.argv[1:]]
    with ThreadPoolExecutor(3) as pool:
        for case, (n, found) in zip(names, pool.map(compare, names)):
            compared += n
            wrong += len(found)
            print(f"{'DIFFERS' if found else 'same':8}{case}: {n} compared", flush=True)
            for key, there, here in found:
                print(f"        {key}\n          go   {there}\n          weir {here}")
    print(f"metrics page: {len(names)} configurations, {compared} compared, {wrong} differ")
    return wrong != 0 or compared < 20 * len(names)


if __name__ == "__main__":
    sys.exit(main())
