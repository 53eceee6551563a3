#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The probabilistic sampler: the Go collector and Weir on the same items.

    tests/compare/probabilistic_sampler.py [SEEDS [FIRST]]
    tests/compare/probabilistic_sampler.py --record

A seed makes some configurations and some spans and log records.  All of them
go through every configuration of either program (one pipeline each, marked by
a resource attribute); the same must be kept, with the same trace state, the
same attributes, and be counted under the same labels.
--record writes what the Collector makes of one seed for the unit test.
"""
import json
import random
import re
import struct
import sys
import urllib.request
from collections import Counter
from pathlib import Path

from sides import ROOT, Side, free_port
from conftest import eventually

from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.common.v1 import common_pb2

RECORDED = ROOT / "tests/data/probabilistic_sampler.json"
RECORD_SEED = 158
MARK = "case"
HEX = "0123456789abcdef"


# --- Items ------------------------------------------------------------------------

def some_hex(r, n, digits=HEX):
    return "".join(r.choice(digits) for _ in range(n))


def trace_id(r):
    return r.choices([
        lambda: some_hex(r, 32),
        lambda: some_hex(r, 18) + r.choice(["00", "ff"]) * r.randint(0, 4) + "0" * 14,
        lambda: "f" * 32,
        lambda: "0" * 32,
        lambda: ""], [12, 3, 1, 1, 1])[0]().ljust(32, "0")[:32]


def threshold(r):
    return r.choices([
        lambda: some_hex(r, r.randint(1, 14)),
        lambda: r.choice(["0", "8", "c", "f", "8000", "00000000000001", "ffffffffffffff", "fd70a4"]),
        lambda: some_hex(r, r.randint(1, 14), "0123456789ABCDEF"),
        lambda: r.choice(["", "x", "8g", "-1", "+1", "0x1", "1_0", "@", "`", some_hex(r, 15)])],
        [8, 6, 2, 2])[0]()


def randomness(r):
    return r.choices([
        lambda: some_hex(r, 14),
        lambda: r.choice(["0" * 14, "f" * 14, "8" + "0" * 13]),
        lambda: some_hex(r, 14, "0123456789ABCDEF"),
        lambda: some_hex(r, r.choice([0, 1, 13, 15])),
        lambda: some_hex(r, 13) + r.choice("gxZ_-@`")],
        [8, 3, 2, 2, 1])[0]()


def ot_value(r):
    fields = []
    if r.random() < .55:
        fields.append("th:" + threshold(r))
    if r.random() < .35:
        fields.append("rv:" + randomness(r))
    for _ in range(r.choice([0, 0, 0, 1, 2])):
        fields.append(r.choice(["x:1", "p:0", "a1:", "zz:Ab._-", "th:8", "X:1", "1a:2", "b:é", "c", ":d", "e:f:g"]))
    r.shuffle(fields)
    return ";".join(fields) + ("" if r.random() < .95 else ";")


KEYS = ["a", "b", "vendor", "t@v", "0t@v", "a-b_c*d/e", "z" * 20]
BAD_KEYS = ["A", "1a", "", "a@", "@a", "a@1", "é", "a b", "k" * 257, "t" * 242 + "@v", "t@" + "v" * 15]


def member(r):
    key = r.choice(KEYS) if r.random() < .97 else r.choice(BAD_KEYS)
    value = r.choice(["1", "x y", " lead", "v" * r.choice([1, 255, 256]), "~!"])
    if r.random() < .04:
        value = r.choice(["", "v" * 257, "a=b", "\x7f", "\t"])
    return key + "=" + value


def trace_state(r):
    members = [member(r) for _ in range(r.choice([0, 0, 0, 0, 1, 1, 2, 3]))]
    if r.random() < .03:
        members = [f"k{i}=v" for i in range(r.choice([29, 30, 31, 32, 33]))]
    if r.random() < .7:
        members.insert(r.randint(0, len(members)), "ot=" + ot_value(r))
    if r.random() < .03:
        members.insert(r.randint(0, len(members)), "ot=" + ot_value(r))
    if r.random() < .05:
        members.insert(r.randint(0, len(members)), "")
    if r.random() < .02:
        members.append("long=" + "v" * 200 + ",more=" + "w" * 200 + ",yet=" + "y" * 200
                       + ",again=" + "z" * r.choice([190, 250]) + ",end=" + "e" * r.randint(150, 200))
    blank = r.choice(["", "", "", " ", "\t ", "  "])
    return (blank + "," + blank).join(members) if r.random() < .9 else blank + ",".join(members) + blank


def number(r):
    """A value with its type's letter: what a priority may be."""
    return r.choices([
        lambda: ["i", str(r.choice([0, 1, -1, 2, 50, 100, 101, 2**63 - 1, -2**63]))],
        lambda: ["d", r.choice(["0.0", "-0.0", "1.0", "-1.5", "0.5", "12.5", "100.0", "100.1", "nan", "inf", "-inf",
                                "1e-15", "1e-14", "5e-324", repr(r.uniform(0, 120))])],
        lambda: ["s", r.choice(["0", "1", "-1", "+1", "0.0", "1.5", "", " 1", "1 ", "1e3", "1e-999", "1e999", "-0",
                                "inf", "-Infinity", "nan", "+nan", "0x1p-2", "0x1", "0x_1p0", "1_0", ".5", "5.", ".",
                                "true", "1,5", "50", "0e0"])],
        lambda: ["b", r.choice(["0", "1"])],
        lambda: ["y", r.choice(["", "31", "00ff"])]], [5, 5, 6, 1, 1])[0]()


def span(r):
    item = {"id": trace_id(r), "state": trace_state(r), "attributes": []}
    if r.random() < .3:
        item["attributes"].append(["sampling.priority", *number(r)])
        if r.random() < .05:
            item["attributes"].append(["sampling.priority", *number(r)])
    return item


def record(r):
    attributes = []
    if r.random() < .4:
        attributes.append(["sampling.threshold", "s", threshold(r)])
    if r.random() < .25:
        attributes.append(["sampling.randomness", "s", randomness(r)])
    if r.random() < .08:
        attributes.append([r.choice(["sampling.threshold", "sampling.randomness"]), *number(r)])
    if r.random() < .5:
        attributes.append(["uid", *r.choice([["s", some_hex(r, r.choice([0, 3, 8, 40]))], ["s", "abc"], ["i", "7"],
                                             ["d", "1.5"], ["b", "1"], ["y", some_hex(r, 2 * r.randint(0, 9))]])])
    if r.random() < .4:
        attributes.append(["priority", *number(r)])
    if r.random() < .5:
        attributes.append(["other", "s", "o"])
    r.shuffle(attributes)
    return {"id": trace_id(r), "attributes": attributes}


# --- Configurations ---------------------------------------------------------------

def percentage(r):
    return r.choice(["0", "0.1", "1", "10", "25", "33.333", "50", "75", "90", "99.9", "100", "150", "1e-13", "0.003",
                     "0.0061", "0.0062", "6.25", "99.99999", repr(round(r.uniform(0, 100), r.randint(0, 6))),
                     repr(r.uniform(0, 2))])


def settings(r):
    keys = {"sampling_percentage": percentage(r),
            "mode": r.choice(["hash_seed", "proportional", "equalizing", '""'])}
    for key, share, values in (
            ("hash_seed", .3, ["22", "4294967295", str(r.getrandbits(32))]),
            ("fail_closed", .6, ["false", "false", "true"]),
            ("sampling_precision", .4, [str(n) for n in range(1, 15)]),
            ("attribute_source", .4, ["record", "traceID", '""']),
            ("from_attribute", .6, ["uid", "other", "sampling.threshold"]),
            ("sampling_priority", .6, ["priority", "uid"])):
        if r.random() < share:
            keys[key] = r.choice(values)
    return "".join(f"{k}: {v}\n" for k, v in keys.items())


class Seed:
    def __init__(self, seed, runs=16, items=150):
        r = random.Random(seed)
        self.runs = [settings(r) for _ in range(runs)]
        self.traces = [span(r) for _ in range(items)]
        self.logs = [record(r) for _ in range(items)]

    def yaml(self):
        names = range(len(self.runs))
        marks = "".join(f"  resource/{i}: {{attributes: [{{key: {MARK}, value: {i}, action: insert}}]}}\n"
                        for i in names)
        samplers = "".join(f"  probabilistic_sampler/{i}:\n" + re.sub("(?m)^", "    ", self.runs[i].rstrip()) + "\n"
                           for i in names)
        pipelines = "".join(f"    {s}/{i}: {{receivers: [otlp], processors: [resource/{i}, "
                            f"probabilistic_sampler/{i}], exporters: [otlp_grpc]}}\n"
                            for i in names for s in ("traces", "logs"))
        return f"""
receivers: {{otlp: {{protocols: {{grpc: {{endpoint: "127.0.0.1:${{env:OTLP}}"}}}}}}}}
processors:
{marks}{samplers}
exporters:
  otlp_grpc:
    endpoint: 127.0.0.1:${{env:BACKEND}}
    tls: {{insecure: true}}
    compression: none
    sending_queue: {{enabled: false}}
    retry_on_failure: {{enabled: false}}
service:
  telemetry:
    metrics: {{readers: [{{pull: {{exporter: {{prometheus: {{host: 127.0.0.1, port: "${{env:METRICS}}"}}}}}}}}]}}
  pipelines:
{pipelines}"""


# --- To protobuf and back -----------------------------------------------------------

def to_value(kind, text):
    value = common_pb2.AnyValue()
    if kind == "s":
        value.string_value = text
    elif kind == "i":
        value.int_value = int(text)
    elif kind == "d":
        value.double_value = float(text)
    elif kind == "b":
        value.bool_value = text == "1"
    else:
        value.bytes_value = bytes.fromhex(text)
    return value


def to_text(value):
    kind = value.WhichOneof("value")
    v = getattr(value, kind)
    return {"string_value": lambda: ["s", v], "int_value": lambda: ["i", str(v)],
            "double_value": lambda: ["d", struct.pack(">d", v).hex()], "bool_value": lambda: ["b", str(int(v))],
            "bytes_value": lambda: ["y", v.hex()]}[kind]()


def put_attributes(item, attributes):
    for key, kind, text in attributes:
        item.attributes.append(common_pb2.KeyValue(key=key, value=to_value(kind, text)))


def spans_request(items):
    request = trace_service_pb2.ExportTraceServiceRequest()
    spans = request.resource_spans.add().scope_spans.add().spans
    for i, item in enumerate(items):
        s = spans.add(trace_id=bytes.fromhex(item["id"]), span_id=b"12345678", name=str(i),
                      trace_state=item["state"])
        put_attributes(s, item["attributes"])
    return request


def logs_request(items):
    request = logs_service_pb2.ExportLogsServiceRequest()
    records = request.resource_logs.add().scope_logs.add().log_records
    for i, item in enumerate(items):
        l = records.add(trace_id=bytes.fromhex(item["id"]))
        l.body.string_value = str(i)
        put_attributes(l, item["attributes"])
    return request


def case_of(resource):
    return int(next(a.value.int_value for a in resource.attributes if a.key == MARK))


def kept_spans(backend, runs):
    """Of each run: number of the item to what it became."""
    kept = [{} for _ in range(runs)]
    for request in backend.requests["traces"]:
        for rs in request.resource_spans:
            assert rs.scope_spans and all(ss.spans for ss in rs.scope_spans)
            for s in (s for ss in rs.scope_spans for s in ss.spans):
                kept[case_of(rs.resource)][int(s.name)] = s.trace_state
    return kept


def kept_logs(backend, runs):
    kept = [{} for _ in range(runs)]
    for request in backend.requests["logs"]:
        for rl in request.resource_logs:
            assert rl.scope_logs and all(sl.log_records for sl in rl.scope_logs)
            for l in (l for sl in rl.scope_logs for l in sl.log_records):
                # Sorted: a Remove of the Collector's puts the last in the gap.
                kept[case_of(rl.resource)][int(l.body.string_value)] = sorted(
                    [a.key, *to_text(a.value)] for a in l.attributes)
    return kept


def counted(port):
    """The sampler's series: labels to value, scope labels left out."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as page:
        text = page.read().decode()
    series = Counter()
    for line in text.splitlines():
        m = re.match(r"(otelcol_processor_probabilistic_sampler\w*)\{(.*)\} (\S+)$", line)
        if m:
            labels = re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', m[2])
            series[m[1], tuple(sorted(x for x in labels if not x[0].startswith("otel_scope")))] += float(m[3])
    return series


def run(name, seed):
    """What that program makes of a seed: spans, log records, counters."""
    port = free_port()
    side = Side(name, seed.yaml(), env={"METRICS": str(port)})
    every = len(seed.runs) * (len(seed.traces) + len(seed.logs))
    try:
        assert side.started(), side.output
        for signal, request in (("traces", spans_request(seed.traces)), ("logs", logs_request(seed.logs))):
            assert (answer := side.send(signal, request)) == "OK", (name, signal, answer)
        # what is left is sent before it ends
        eventually(lambda: sum(counted(port).values()) == every, f"{name}: all items counted")
        series = counted(port)
        side.stop()
        backend = side.backends["BACKEND"]
        return kept_spans(backend, len(seed.runs)), kept_logs(backend, len(seed.runs)), series
    finally:
        side.close()


# --- Beside each other ----------------------------------------------------------------

def differences(seed, go, weir):
    for what, items, a, b in (("span", seed.traces, go[0], weir[0]), ("log", seed.logs, go[1], weir[1])):
        for i, settings_ in enumerate(seed.runs):
            for n in sorted(a[i].keys() | b[i].keys()):
                if a[i].get(n) != b[i].get(n):
                    yield f"{what} {items[n]}\n{settings_}  go:   {a[i].get(n)}\n  weir: {b[i].get(n)}"
    for series in sorted(go[2].keys() | weir[2].keys()):
        if go[2][series] != weir[2][series]:
            yield f"{series}\n  go:   {go[2][series]}\n  weir: {weir[2][series]}"


def record_corpus():
    seed = Seed(RECORD_SEED, runs=20, items=60)
    spans, logs, _ = run("go", seed)
    RECORDED.write_text(json.dumps({
        "spans": seed.traces, "logs": seed.logs,
        "runs": [{"yaml": y, "spans": list(s.items()), "logs": list(l.items())}
                 for y, s, l in zip(seed.runs, spans, logs)]}, indent=None, separators=(",", ":"))
        .replace('{"id"', '\n{"id"').replace('{"yaml"', '\n{"yaml"') + "\n")
    print(f"{RECORDED.relative_to(ROOT)}: {sum(map(len, spans))} spans and {sum(map(len, logs))} logs kept")


def main():
    if sys.argv[1:] == ["--record"]:
        return record_corpus()
    seeds, first = ([int(a) for a in sys.argv[1:]] + [10, 1][len(sys.argv) - 1:])[:2]
    failed = kept = 0
    for n in range(first, first + seeds):
        seed = Seed(n)
        go, weir = run("go", seed), run("weir", seed)
        kept += sum(map(len, go[0])) + sum(map(len, go[1]))
        for text in differences(seed, go, weir):
            failed += 1
            if failed <= 20:
                print(f"seed {n}: {text}")
    print(f"probabilistic_sampler: {seeds} seeds, {kept} items kept, {failed} differences")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
