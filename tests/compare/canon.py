# SPDX-License-Identifier: Apache-2.0
"""What makes two OTLP messages equal.

A message becomes a tree of plain values: attributes sorted by key, and copies
of one key by value (OTLP calls them a map), lists as they are, doubles by their
bits.  A singular message that is absent is one that is empty,
but not in a oneof, where presence says something.  Unknown fields are left
out.
"""
import re
import struct


def _double(value):
    return "double:" + struct.pack(">d", value).hex()


def _scalar(field, value):
    if field.type in (field.TYPE_DOUBLE, field.TYPE_FLOAT):
        return _double(value)
    return value


def _real_oneof(field):
    oneof = field.containing_oneof
    return oneof is not None and not (len(oneof.fields) == 1
                                      and oneof.name.startswith("_"))


def tree(message):
    out = {}
    for field in message.DESCRIPTOR.fields:
        value = getattr(message, field.name)
        if field.is_repeated:
            if field.message_type is None:
                items = [_scalar(field, v) for v in value]
            else:
                items = [tree(v) for v in value]
            if field.message_type and field.message_type.name == "KeyValue":
                items.sort(key=lambda kv: (kv.get("key", ""), repr(kv)))
            if items:
                out[field.name] = items
        elif field.message_type is not None:
            if _real_oneof(field):
                if message.HasField(field.name):
                    out[field.name] = tree(value)
            elif inner := tree(value):
                out[field.name] = inner
        elif field.has_presence:
            if message.HasField(field.name):
                out[field.name] = _scalar(field, value)
        elif value != field.default_value or (
                field.type == field.TYPE_DOUBLE and _double(value) != _double(0.0)):
            out[field.name] = _scalar(field, value)
    return out


def _step(path, key):
    return f"{path}[{key}]" if isinstance(key, int) else f"{path}.{key}"


def differences(want, got, path=""):
    """(path, want, got) of every leaf that differs; None: not there."""
    if isinstance(want, dict) and isinstance(got, dict):
        for key in sorted(want.keys() | got.keys()):
            if want.get(key) != got.get(key):
                yield from differences(want.get(key), got.get(key),
                                       _step(path, key))
    elif isinstance(want, list) and isinstance(got, list):
        if ATTRIBUTES.search(path):
            yield from _attribute_differences(want, got, path)
            return
        for i in range(max(len(want), len(got))):
            a = want[i] if i < len(want) else None
            b = got[i] if i < len(got) else None
            if a != b:
                yield from differences(a, b, _step(path, i))
    elif want != got:
        yield path, want, got


# Lists of KeyValue.
ATTRIBUTES = re.compile(r"(attributes|metadata|kvlist_value\.values)$")


def _attribute_differences(want, got, path):
    def by_key(items):
        found = {}
        for item in items:
            found.setdefault(item.get("key", ""), []).append(item.get("value"))
        return found

    a, b = by_key(want), by_key(got)
    for key in sorted(a.keys() | b.keys()):
        x, y = a.get(key, []), b.get(key, [])
        if x == y:
            continue
        if len(x) == len(y) == 1:
            yield from differences(x[0] or {}, y[0] or {}, f"{path}[{key}]")
        else:
            yield f"{path}[{key}]", x or None, y or None


# --- Items, wherever they are cut apart -----------------------------------------

LAYERS = {"traces": ("resource_spans", "scope_spans", "spans"),
          "metrics": ("resource_metrics", "scope_metrics", "metrics"),
          "logs": ("resource_logs", "scope_logs", "log_records")}
POINTS = ("gauge", "sum", "histogram", "exponential_histogram", "summary")


def items(signal, message):
    """Every span, data point or log record, with all that is above it, in
    order: what a batch keeps however it merges and splits."""
    groups, scopes, records = LAYERS[signal]
    for group in tree(message).get(groups, []):
        above = {k: v for k, v in group.items() if k != scopes}
        for scope in group.get(scopes, []):
            over = {k: v for k, v in scope.items() if k != records}
            for record in scope.get(records, []):
                for item in _points(record) if signal == "metrics" else [record]:
                    yield {"above": above, "scope": over, "item": item}


def _points(metric):
    for kind in POINTS:
        if kind not in metric:
            continue
        data = metric[kind]
        for point in data.get("data_points", []):
            rest = {k: v for k, v in data.items() if k != "data_points"}
            yield {**metric, kind: {**rest, "point": point}}


def count(signal, message):
    return sum(1 for _ in items(signal, message))
