# SPDX-License-Identifier: Apache-2.0
"""Random traces for the tail samplers, each with its spans in several requests,
resources and scopes; and what came out, in a form that can be compared."""
import random
from collections import Counter

from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as pb

BASE = 1_700_000_000_000_000_000
MARK = "case"
STATES = ["", "", "", "k=v", "a=1, k=w", "k=v,k=w", "k=v,A=1", "t@s=x", "k=v ,", "k", "a=1,,k=v",
          "k=V", "K=v", "k= v", "k=v\t,a=1", ",".join(f"m{i}=1" for i in range(32)) + ",k=v",
          ",".join(f"m{i}=1" for i in range(31)) + ",k=v"]


def put_attribute(r, attributes):
    pick = r.randrange(9)
    if pick == 8:
        return
    value = attributes.add(key="k").value
    value.SetInParent()     # the Collector writes an empty value where there is none
    if pick == 0:
        value.int_value = r.choice([-3, -1, 0, 1, 2, 5, 6, 7, 2**63 - 1, -2**63])
    elif pick == 1:
        value.bool_value = r.random() < .5
    elif pick == 2:
        value.double_value = 3.5
    elif pick == 3:
        value.array_value.values.add().int_value = 3
    elif pick > 4:
        value.string_value = r.choice(["a", "b", "ab", "xb", "5", "", "true", "A", "a\nb", "é"])


def put_span(r, span, number, ids, roots):
    span.trace_id = r.choice(ids)
    span.span_id = number.to_bytes(8, "big")
    span.name = "n" * r.randrange(40)
    if r.random() < .95:
        span.start_time_unix_nano = BASE + r.randrange(300) * 1_000_000 + r.randrange(1_000_000)
        span.end_time_unix_nano = BASE + r.randrange(400) * 1_000_000
    # In sizes the Collector counts two bytes of these where they are absent.
    if r.random() >= roots:
        span.parent_span_id = b"12345678"
    span.status.SetInParent()
    if r.random() < .3:
        span.status.code = r.randrange(3)
    span.flags = r.choice([0, 0, 0, 1, 0x300])
    span.trace_state = r.choice(STATES)
    if r.random() < .2:
        put_attribute(r, span.attributes)
    if r.random() < .1:
        span.events.add(name="k").attributes.add(key="k").value.string_value = "a"


def put_group(r, group, put, spans=6):
    if r.random() < .2:
        put_attribute(r, group.resource.attributes)
    if r.random() < .5:
        group.resource.attributes.add(key="host").value.int_value = r.randrange(3)
    for _ in range(r.randrange(1, 3)):
        scope = group.scope_spans.add()
        scope.scope.name = r.choice(["", "lib"])
        if r.random() < .2:
            scope.scope.version = "1"
            scope.scope.attributes.add(key="k").value.string_value = "a"
        for _ in range(r.randrange(1, spans)):
            put(scope.spans.add())


def stream(seed, requests=40, traces=150, roots=0, late=False, singles=False):
    """late: other spans of the same traces.  singles: a trace for each span."""
    source = random.Random(seed)
    ids = [source.randbytes(16) for _ in range(traces)] + [b"\0" * 8 + source.randbytes(8)]
    r = random.Random(f"{seed} {late}")
    number = 1 << 32 if late else 0

    def put(span):
        nonlocal number
        number += 1
        put_span(r, span, number, ids, roots)
        if singles:
            span.trace_id = b"\1" * 8 + number.to_bytes(8, "big")

    for _ in range(requests):
        request = pb.ExportTraceServiceRequest()
        for _ in range(r.randrange(1, 4)):
            put_group(r, request.resource_spans.add(), put)
        yield request


def equals(seed, requests=40):
    """A trace for each span, all of one size."""
    for i in range(requests):
        request = pb.ExportTraceServiceRequest()
        for k in range(5):
            scope = request.resource_spans.add().scope_spans.add()
            scope.scope.name = "lib"
            span = scope.spans.add(name="span", parent_span_id=b"12345678")
            span.trace_id = b"\1" * 8 + (seed * 10000 + 5 * i + k + 1).to_bytes(8, "big")
            span.span_id = (5 * i + k + 1).to_bytes(8, "big")
            span.start_time_unix_nano = span.end_time_unix_nano = BASE
            span.status.SetInParent()
        yield request


def one_by_one(seed, traces=60):
    """Two spans of each trace behind each other, a trace in a resource: their
    order is known."""
    for i, request in enumerate(equals(seed, traces // 5)):
        for group in request.resource_spans:
            span = group.scope_spans[0].spans[0]
            group.scope_spans[0].spans.add().CopyFrom(span)
            group.scope_spans[0].spans[1].span_id = bytes([1]) + span.span_id[1:]
        yield request


STREAMS = {"traces": stream, "singles": lambda seed: stream(seed, singles=True), "equals": equals,
           "in order": one_by_one, "roots": lambda seed: stream(seed, roots=.05)}


# --- What came out --------------------------------------------------------------------

def case_of(resource):
    """Takes the mark off."""
    kept = [a for a in resource.attributes if a.key != MARK]
    mark = next(a.value.int_value for a in resource.attributes if a.key == MARK)
    del resource.attributes[:]
    resource.attributes.extend(kept)
    return mark


def came_out(requests):
    """By case: a multiset of spans with their resource and scope."""
    found = {}
    for request in list(requests):
        for group in request.resource_spans:
            resource = type(group.resource)()
            resource.CopyFrom(group.resource)
            spans = found.setdefault(case_of(resource), Counter())
            for scope in group.scope_spans:
                for span in scope.spans:
                    spans[span.SerializeToString(deterministic=True), resource.SerializeToString(),
                          scope.scope.SerializeToString()] += 1
    return found
