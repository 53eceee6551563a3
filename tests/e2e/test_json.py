# SPDX-License-Identifier: Apache-2.0
"""A line of the file exporter is the message, as the official protobuf runtime
and the OTLP specification write it."""
import base64
import json

import pytest
from google.protobuf import json_format

import secrets_everywhere as everywhere
from conftest import SERVICES, spans
from pipelines import HEAD, TELEMETRY

IDS = {"traceId", "spanId", "parentSpanId"}


def official(message):
    """Protobuf's JSON with OTLP's two differences: ids in hex (enums are
    numbers in both)."""
    def hexed(value, key=None):
        if isinstance(value, dict):
            return {k: hexed(v, k) for k, v in value.items()}
        if isinstance(value, list):
            return [hexed(v) for v in value]
        return base64.b64decode(value).hex() if key in IDS else value

    return hexed(json_format.MessageToDict(message, use_integers_for_enums=True))


def without_defaults(value):
    """What the file spells out though it is empty."""
    if isinstance(value, dict):
        have = {k: without_defaults(v) for k, v in value.items()}
        return {k: v for k, v in have.items() if v not in ({}, [])}
    if isinstance(value, list):
        return [without_defaults(v) for v in value]
    return value


def rich_traces():
    request = everywhere.traces(everywhere.Places())
    request.MergeFrom(spans(3, name='tab\t"quote" \\ \u00e9\u4e16\U0001f600 \x01'))
    span = request.resource_spans[0].scope_spans[0].spans[0]
    span.parent_span_id = bytes(range(8))
    span.flags = 0x101
    span.dropped_attributes_count = 4
    for value in (0.1, -0.0, 1e300, 5e-324, float("inf"), float("nan"), 3.0):
        span.attributes.add(key=f"{value}").value.double_value = value
    for value in (0, -1, 2**63 - 1, -2**63):
        span.attributes.add(key=f"{value}").value.int_value = value
    span.attributes.add(key="no").value.bool_value = False
    span.attributes.add(key="empty").value.string_value = ""
    return request


def rich_metrics():
    request = everywhere.metrics(everywhere.Places())
    _, total, histogram, exponential, summary = \
        request.resource_metrics[0].scope_metrics[0].metrics
    total.sum.is_monotonic = True
    total.sum.data_points[0].as_int = -5
    point = histogram.histogram.data_points[0]
    point.count, point.sum, point.min, point.max = 6, 1.5, 0.0, 9.0
    point.bucket_counts.extend([1, 2, 3])
    point.explicit_bounds.extend([0.5, 1.5])
    point = exponential.exponential_histogram.data_points[0]
    point.scale, point.zero_count, point.count = -2, 1, 6
    point.positive.offset = -3
    point.positive.bucket_counts.extend([2, 0, 3])
    point.negative.offset = 1
    point = summary.summary.data_points[0]
    point.count, point.sum = 2, 3.25
    point.quantile_values.add(quantile=0.99, value=2.5)
    return request


CASES = {"traces": ("traces", rich_traces), "metrics": ("metrics", rich_metrics),
         "logs": ("logs", lambda: everywhere.logs(everywhere.Places())),
         "a log's map": ("logs", lambda: everywhere.logs(everywhere.Places(), "map"))}


@pytest.mark.parametrize("case", CASES)
def test_a_line_of_the_file_is_the_official_json_of_the_request(
        weir, client, tmp_path, case):
    signal, make = CASES[case]
    out = tmp_path / "out.jsonl"
    w = weir(HEAD + f"""
exporters: {{file: {{path: "{out}"}}}}
service:
{TELEMETRY}
  pipelines:
    {signal}: {{receivers: [otlp], exporters: [file]}}
""")
    request = make()
    client(w.otlp).export(signal, request)
    assert w.stop() == 0
    (line,) = out.read_text().splitlines()
    assert without_defaults(json.loads(line)) == without_defaults(official(request))
    # and back, by the official parser
    text = line
    for name in IDS:
        for value in {v for v in _values(json.loads(line), name)}:
            text = text.replace(f'"{name}":"{value}"', f'"{name}":"'
                                + base64.b64encode(bytes.fromhex(value)).decode() + '"')
    read = json_format.Parse(text, SERVICES[signal][1]())
    assert without_defaults(official(read)) == without_defaults(official(request))


def _values(tree, name):
    if isinstance(tree, dict):
        for k, v in tree.items():
            if k == name and v:
                yield v
            yield from _values(v, name)
    elif isinstance(tree, list):
        for v in tree:
            yield from _values(v, name)
