# SPDX-License-Identifier: Apache-2.0
"""Random OTLP/JSON: what SDKs send, every other spelling of it, and mistakes.

text(seed) gives (signal, bytes, kind).  kind: "valid" is spelled oddly but must
be read; "mistake" has a value or two that may not be what the field wants;
"damaged" has bytes changed, mostly no JSON any more.  The same seed gives the
same text.
"""
import base64
import random

SIGNALS = ("traces", "metrics", "logs")

ATTRIBUTES = ("attributes", "list", "KeyValue")
DROPPED = ("droppedAttributesCount", "u32")
START = ("startTimeUnixNano", "u64")
TIME = ("timeUnixNano", "u64")
NUMBER = ("value", "oneof", [("asDouble", "double"), ("asInt", "i64")])
EXEMPLARS = ("exemplars", "list", "Exemplar")
FLAGS = ("flags", "u32")

SPEC = {
    "traces": [("resourceSpans", "list", "ResourceSpans")],
    "metrics": [("resourceMetrics", "list", "ResourceMetrics")],
    "logs": [("resourceLogs", "list", "ResourceLogs")],
    "ResourceSpans": [("resource", "Resource"), ("scopeSpans", "list", "ScopeSpans"), ("schemaUrl", "text")],
    "ResourceMetrics": [("resource", "Resource"), ("scopeMetrics", "list", "ScopeMetrics"), ("schemaUrl", "text")],
    "ResourceLogs": [("resource", "Resource"), ("scopeLogs", "list", "ScopeLogs"), ("schemaUrl", "text")],
    "Resource": [ATTRIBUTES, DROPPED, ("entityRefs", "list", "EntityRef")],
    "EntityRef": [("schemaUrl", "text"), ("type", "text"), ("idKeys", "list", "text"),
                  ("descriptionKeys", "list", "text")],
    "Scope": [("name", "text"), ("version", "text"), ATTRIBUTES, DROPPED],
    "ScopeSpans": [("scope", "Scope"), ("spans", "list", "Span"), ("schemaUrl", "text")],
    "ScopeMetrics": [("scope", "Scope"), ("metrics", "list", "Metric"), ("schemaUrl", "text")],
    "ScopeLogs": [("scope", "Scope"), ("logRecords", "list", "LogRecord"), ("schemaUrl", "text")],
    "KeyValue": [("key", "text"), ("value", "AnyValue")],
    "AnyValue": [("value", "oneof", [
        ("stringValue", "text"), ("stringValue", "text"), ("stringValue", "text"), ("boolValue", "bool"),
        ("intValue", "i64"), ("doubleValue", "double"), ("arrayValue", "ArrayValue"),
        ("kvlistValue", "KeyValueList"), ("bytesValue", "bytes")])],
    "ArrayValue": [("values", "list", "AnyValue")],
    "KeyValueList": [("values", "list", "KeyValue")],
    "Span": [("traceId", "id16"), ("spanId", "id8"), ("traceState", "text"), ("parentSpanId", "id8"), FLAGS,
             ("name", "text"), ("kind", "kind"), START, ("endTimeUnixNano", "u64"), ATTRIBUTES, DROPPED,
             ("events", "list", "Event"), ("droppedEventsCount", "u32"), ("links", "list", "Link"),
             ("droppedLinksCount", "u32"), ("status", "Status")],
    "Event": [TIME, ("name", "text"), ATTRIBUTES, DROPPED],
    "Link": [("traceId", "id16"), ("spanId", "id8"), ("traceState", "text"), ATTRIBUTES, DROPPED, FLAGS],
    "Status": [("message", "text"), ("code", "code")],
    "LogRecord": [TIME, ("observedTimeUnixNano", "u64"), ("severityNumber", "severity"), ("severityText", "text"),
                  ("body", "AnyValue"), ATTRIBUTES, DROPPED, FLAGS, ("traceId", "id16"), ("spanId", "id8"),
                  ("eventName", "text")],
    "Metric": [("name", "text"), ("description", "text"), ("unit", "text"),
               ("data", "oneof", [("gauge", "Gauge"), ("sum", "Sum"), ("histogram", "Histogram"),
                                  ("exponentialHistogram", "Exponential"), ("summary", "Summary")]),
               ("metadata", "list", "KeyValue")],
    "Gauge": [("dataPoints", "list", "NumberPoint")],
    "Sum": [("dataPoints", "list", "NumberPoint"), ("aggregationTemporality", "temporality"),
            ("isMonotonic", "bool")],
    "Histogram": [("dataPoints", "list", "HistogramPoint"), ("aggregationTemporality", "temporality")],
    "Exponential": [("dataPoints", "list", "ExponentialPoint"), ("aggregationTemporality", "temporality")],
    "Summary": [("dataPoints", "list", "SummaryPoint")],
    "NumberPoint": [ATTRIBUTES, START, TIME, NUMBER, EXEMPLARS, FLAGS],
    "HistogramPoint": [ATTRIBUTES, START, TIME, ("count", "u64"), ("sum", "double"),
                       ("bucketCounts", "list", "u64"), ("explicitBounds", "list", "double"), EXEMPLARS, FLAGS,
                       ("min", "double"), ("max", "double")],
    "ExponentialPoint": [ATTRIBUTES, START, TIME, ("count", "u64"), ("sum", "double"), ("scale", "i32"),
                         ("zeroCount", "u64"), ("positive", "Buckets"), ("negative", "Buckets"), FLAGS, EXEMPLARS,
                         ("min", "double"), ("max", "double"), ("zeroThreshold", "double")],
    "Buckets": [("offset", "i32"), ("bucketCounts", "list", "u64")],
    "SummaryPoint": [ATTRIBUTES, START, TIME, ("count", "u64"), ("sum", "double"),
                     ("quantileValues", "list", "Quantile"), FLAGS],
    "Quantile": [("quantile", "double"), ("value", "double")],
    "Exemplar": [("filteredAttributes", "list", "KeyValue"), TIME, NUMBER, ("traceId", "id16"), ("spanId", "id8")],
}

ENUMS = {
    "kind": ["SPAN_KIND_" + k for k in ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")],
    "code": ["STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"],
    "temporality": ["AGGREGATION_TEMPORALITY_" + t for t in ("UNSPECIFIED", "DELTA", "CUMULATIVE")],
    "severity": ["SEVERITY_NUMBER_UNSPECIFIED"] + [
        "SEVERITY_NUMBER_" + level + n for level in ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
        for n in ("", "2", "3", "4")],
}

# Values that any field may get by mistake; some fit some fields.
MISTAKES = [
    "null", "true", "false", "0", "-0", "1", "-1", "5.0", "1e3", "1.5", "01", "+1", "-", "NaN", "Infinity", "[]",
    "{}", "[null]", "[1]", "[{}]", '""', '"5"', '"-5"', '"+5"', '"007"', '"5.0"', '"1e3"', '" 5"', '"5 "', '"0x1p4"',
    '"1_0"', '".5"', '"5."', '"inf"', '"-Inf"', '"NaN"', '"nan"', '"Infinity"', '"-infinity"', '"abc"', '"true"',
    '"null"', "4294967295", "4294967296", "-2147483648", "2147483648", "9223372036854775807",
    "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "18446744073709551615",
    "18446744073709551616", '"18446744073709551615"', '"18446744073709551616"', "1e400", "-1e400", '"1e400"',
    "1e-400", "123456789012345678901234567890", '"00112233445566778899aabbccddeeff"', '"0011223344556677"',
    '"00112233445566778899AABBCCDDEEF"', '"zz112233445566778899aabbccddeeff"', '"AAE="', '"AAE"', '"A-_="', '"YR=="',
    '"AA\\nE="', '"SPAN_KIND_SERVER"', '"SERVER"', '"2"', '"\\u0035"', '"STATUS_CODE_OK"',
    '"SEVERITY_NUMBER_TRACE"', '{"values":null}', '{"values":[{}]}', '{"intValue":1}',
    '{"stringValue":"a","intValue":2}', '{"arrayValue":null}', '{"arrayValue":{"values":[{"intValue":1}]}}',
]


class Maker:
    def __init__(self, seed, mistakes):
        self.r = random.Random(seed)
        self.mistakes = mistakes
        self.odd = self.r.random() < 0.6        # spelled like nobody does
        self.doubled = self.r.random() < 0.15   # with members twice

    def blank(self):
        if not self.odd or self.r.random() < 0.8:
            return ""
        return self.r.choice([" ", "\n", "\t", "\r\n", " " * 20])

    def quoted(self, text, escape=True):
        out = []
        for c in text:
            if c in '"\\' or c < " ":
                out.append("\\u%04x" % ord(c) if self.odd else {'"': '\\"', "\\": "\\\\"}.get(c, "\\u%04x" % ord(c)))
            elif escape and self.odd and c < "\x7f" and self.r.random() < 0.1:
                out.append(("\\u%04x" if self.r.random() < 0.5 else "\\u%04X") % ord(c))
            else:
                out.append(c)
        return '"' + "".join(out) + '"'

    def text(self):
        r = self.r
        if self.odd and r.random() < 0.1:
            return r.choice(['"\\ud83d"', '"\\ud83d\\udc1f"', '"\\udc1f"', '"\\ud83dx"', '"\\ud83d\\n"', '"\\u0000"',
                             '"a\\/b"', '"\\b\\f\\n\\r\\t"', "null"])
        return self.quoted(r.choice(["", "a", "GET", "http.method", "grüße €", "🐟", 'say "hi"\n',
                                     "x" * r.choice([15, 16, 17, 31, 126, 127, 128, 300]), "\x01\x7f", "{\"a\":1}"]))

    def number(self, value):
        return self.quoted(str(value), False) if self.r.random() < 0.5 else str(value)

    def scalar(self, kind):
        r = self.r
        if self.mistakes and r.random() < self.mistakes:
            return r.choice(MISTAKES)
        if kind == "text":
            return self.text()
        if kind in ("id16", "id8"):
            n = 16 if kind == "id16" else 8
            text = r.choice(["", "0" * 2 * n, r.randbytes(n).hex(), r.randbytes(n).hex(), r.randbytes(n).hex()])
            return '"' + (text.upper() if self.odd and r.random() < 0.3 else text) + '"'
        if kind == "bool":
            return r.choice(["true", "false"])
        if kind == "bytes":
            return '"' + base64.b64encode(r.randbytes(r.randrange(9))).decode() + '"'
        if kind == "u32":
            return self.number(r.choice([0, 1, 255, 768, 2**31, 2**32 - 1]))
        if kind == "i32":
            return self.number(r.choice([0, 1, -1, 20, -10, 2**31 - 1, -2**31]))
        if kind == "u64":
            return self.number(r.choice([0, 1, 1544712660300000000, 2**53 + 1, 2**63, 2**64 - 1]))
        if kind == "i64":
            return self.number(r.choice([0, 1, -1, 200, 2**53 + 1, 2**63 - 1, -2**63]))
        if kind == "double":
            return r.choice(['"NaN"', '"Infinity"', '"-Infinity"', '"1.5"', "0", "-0.0", "1.5", "0.1", "1e21", "1E-7",
                             "3", "123456789.123456789", "9007199254740993", "1.7976931348623157e308", "5e-324",
                             repr(r.uniform(-1e6, 1e6)), repr(r.random() * 10.0 ** r.randrange(-300, 300))])
        value = r.randrange(len(ENUMS[kind]))
        if r.random() < 0.3 and value != 1:     # the Collector misspells SEVERITY_NUMBER_TRACE
            return '"' + ENUMS[kind][value] + '"'
        return str(value if r.random() < 0.95 else r.choice([77, -1]))

    def value(self, kind, depth):
        if kind not in SPEC:
            return self.scalar(kind)
        if self.mistakes and self.r.random() < self.mistakes / 4:
            return self.r.choice(MISTAKES)
        return self.message(kind, depth)

    def name(self, name):
        if self.odd and self.r.random() < 0.3:
            name = "".join("_" + c.lower() if c.isupper() else c for c in name)
        return self.quoted(name, self.odd and self.r.random() < 0.1)

    def stranger(self):
        return self.r.choice(['"x":{"spans":[1,{"a":null}]}', '"Name":1', '"unknown_key":[[[]],"\\ud800",-1.5e-3]',
                              '"nam\\u00e9":true', '"kindOf":"x"', '"start_timeUnixNano":false'])

    def message(self, kind, depth):
        r = self.r
        fields = []
        for name, what, *more in SPEC[kind]:
            if what == "oneof":
                choice = r.choice(more[0]) if r.random() < 0.9 else None
                while choice and depth > 9 and choice[1] in SPEC:
                    choice = r.choice(more[0])
                if not choice:
                    continue
                fields.append((choice[0], choice[1], []))
            elif r.random() < (0.95 if what == "list" and more[0] in SPEC and depth < 5 else 0.6):
                fields.append((name, what, more))
        if self.doubled and fields and r.random() < 0.3:
            fields.append(r.choice(fields))
        if self.odd and r.random() < 0.3:
            r.shuffle(fields)
        members = []
        for name, what, more in fields:
            if what == "list":
                if self.odd and r.random() < 0.05:
                    text = "null"
                else:
                    n = r.choice([0, 1, 1, 2, 3]) if depth < 12 else 0
                    items = [self.value(more[0], depth + 1) if not self.odd or more[0] not in SPEC or r.random() < 0.97
                             else "null" for _ in range(n)]
                    text = "[" + self.blank() + ("," + self.blank()).join(items) + self.blank() + "]"
            elif what in SPEC and self.odd and r.random() < 0.03:
                text = "null"
            else:
                text = self.value(what, depth + 1)
            members.append(self.name(name) + self.blank() + ":" + self.blank() + text)
        if self.odd and r.random() < 0.1:
            members.insert(r.randrange(len(members) + 1), self.stranger())
        return "{" + self.blank() + ("," + self.blank()).join(members) + self.blank() + "}"


def damage(r, text):
    """One to three bytes lost, changed, doubled, swapped or put in; or an end."""
    out = bytearray(text)
    for _ in range(r.choice([1, 1, 2, 3])):
        i = r.randrange(len(out) + 1)
        what = r.randrange(6)
        c = r.choice(b'{}[]",:\\0123456789.-+eEnulltrfaks \n\t\0\x1f\x80\xff\xef\xbb\xbf')
        if what == 0:
            out.insert(i, c)
        elif what == 1 and i < len(out):
            out[i] = c
        elif what == 2 and i < len(out):
            del out[i]
        elif what == 3 and i < len(out):
            out.insert(i, out[i])
        elif what == 4 and i + 1 < len(out):
            out[i], out[i + 1] = out[i + 1], out[i]
        elif what == 5 and r.random() < 0.1:
            del out[i:]
    return bytes(out)


def in_value(text):
    return b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":' + text + b"}]}]}]}"


def lists(n):
    """A value in n lists: three containers of JSON, two messages each."""
    return in_value(b'{"arrayValue":{"values":[' * n + b'{"intValue":1}' + b"]}}" * n)


def in_record(text):
    return b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{' + text + b',"severityText":"x"}]}]}]}'


# Whole texts that random ones do not come to.
FIXED = [
    b"", b" ", b"null", b"{}", b"[]", b"1", b'""', b"true", b"{}{}", b"{}\n{}\n", b"{} x", b"\xef\xbb\xbf{}",
    "{}".encode("utf-16"), b"{}\0", b"{", b"}", b'{"resourceSpans":null}', b'{"resourceSpans":[null]}',
    b'{"resourceSpans":{}}', b'{"resourceSpans":[]}', b'{"":{}}', b'{"resourceSpans":[{},{}]}', b'{"a":[}',
    b'{"x":' + b"[" * 199 + b"]" * 199 + b"}", b'{"x":' + b"[" * 200 + b"]" * 200 + b"}",
    b"[" * 100000, b'{"x":' * 100000, lists(1), lists(46), lists(47), lists(48), lists(60), lists(70),
    in_record(b'"":1'), in_record(b'"traceId":"00112233445566778899aabbccddeef\\u0066"'),
    in_record(b'"severityNumber":"SEVERITY_NUMBER_TRACE"'), in_record(b'"severityNumber":"SEVERITY_NUMBER_TRACE "'),
    in_record(b'"body":{"bytesValue":"\\/w=="}'), in_record(b'"body":{"stringValue":"\\ud83d\\ud83d\\udc1f"}'),
    in_record(b'"body":{"stringValueStrindex":1}'), in_record(b'"attributes":[{"keyStrindex":7}]'),
    in_record(b'"timeUnixNano":' + b"1" * 100000), in_record(b'"x":' + b"1" * 100000),
    in_record(b'"body":{"doubleValue":' + b"1" * 300 + b"}"), in_record(b'"body":{"doubleValue":0.' + b"1" * 3000 + b"}"),
    in_record(b'"body":{"doubleValue":"0.' + b"1" * 3000 + b'"}'), in_record(b'"body":{"doubleValue":"0x1.8p1"}'),
    in_record(b'"body":{"doubleValue":2.47032822920623272088284396434110686182e-324}'),
    in_record(b'"body":{"doubleValue":9007199254740993.00000000000000000000000000000000001}'),
]


def text(seed):
    r = random.Random(seed)
    if seed < len(FIXED) * 3:
        return SIGNALS[2 - seed % 3], FIXED[seed // 3], "fixed"
    signal = r.choice(SIGNALS)
    kind = r.choice(["valid", "mistake", "damaged"])
    made = Maker(seed, 0.01 * r.choice([1, 3, 10]) if kind == "mistake" else 0).message(signal, 0).encode()
    return signal, damage(r, made) if kind == "damaged" else made, kind
