# SPDX-License-Identifier: Apache-2.0
"""Requests of every signal from a seed: every kind of value, every field that
OTLP has, empty and missing parts, and in the text what the processors look
for and what only looks like it."""
import math
import random
import re

from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

NOW = 1_700_000_000_000_000_000

KEYS = [
    "http.method", "http.route", "http.url", "http.target", "http.status_code",
    "url.full", "url.path", "http.request.method", "db.statement",
    "db.query.text", "db.system", "db.system.name", "user.email", "user_email",
    "user.id", "api_key", "API_KEY", "token", "x-token", "gen_ai.usage.tokens",
    "card", "note", "prompt", "count", "ratio", "flag", "raw", "list", "map",
    "deep", "nothing", "a", "b", "a.b", "", "\u00fcn\u00ef.\u4e16", "two words",
    "service.name", "host.name", "env", "tenant", "redaction.masked.count",
    "redaction.redacted.keys", "region", "number.text",
]
WORDS = [
    "", "plain words here", "GET", "POST", "checkout", "a", "A", "true", "null",
    "4111 1111 1111 1111", "card 4111111111111111 paid", "4111-1111",
    "mail ann@example.com and bob@example.org", "ann@example", "sk-abcdefghijkl",
    "sk_abc", "Bearer abc.def-123", "tok_live_1", "password=hunter2&x=1",
    "line one\nline two\n", "tab\tand \"quotes\" \\ <b>&amp;</b>",
    "\u00e9\u4e16\U0001f600", "\u2028\u2029", "\x00\x01\x1f\x7f", "192.168.1.10",
    "prod", "staging", "eu-west-1", "SECRET-1 SECRET-22", "secret",
    "user-42", "op-7-x", "0", "42", "-42", "+7", "007", " 42", "42 ", "4_2",
    "9223372036854775807", "9223372036854775808", "-9223372036854775808",
    "1.5", "-0", "1e3", "1e400", "0x1p-2", "0x1f", ".5", "5.", "inf",
    "-Infinity", "NaN", "nan", "1_000.5", "1e-7", "\uff11\uff12",
]
URLS = [
    "/", "//", "/users/42", "/users/123/fdklsd", "/v1/products/22?x=1",
    "http://host:80/users/42", "/a/b/c/d/e/f/g/h/i/j/k", "GET /user_space/",
    "/api/v2/orders/8a7b/items", "/health", "https://example.com/login#top",
    "/static/scripts/main", "/caf\u00e9/menu", "users", "/tenants/acme&x=1",
    "/order history/list", "/2024/05/06", "/j4elk/v1", "/x?y/z", "?q=1",
]
QUERIES = [
    "SELECT a FROM t1 WHERE x = 'bob' AND y IN (1,2) -- c",
    "select * from users where id = 42", "INSERT INTO t VALUES ('a', 2, NULL)",
    "UPDATE t SET a=-3.5, b=true WHERE c=t.name LIMIT 10",
    "SELECT $1, ? FROM x /* hint 7 */", "SELECT 'it''s' FROM t",
    "DELETE FROM a WHERE b = 0x1F", "SELECT 'never ends",
    "SET key val", "GET key", "AUTH secret", "HSET h f v", "MSET a 1 b 2",
    "set key 0 60 5\r\nhello\r\n", "get key1 key2",
    '{"find":"c","filter":{"name":"ann","n":5},"l":[1, 2]}', "[1,null]",
]
# Only in bodies of logs: elsewhere the Collector's answer depends on which
# database the last name of a span was for.
QUOTED = [
    'SELECT "a1"."b" /* 7 */', "a = 5 # comment 7", "SELECT `a1` FROM b",
    'UPDATE t SET a="text 1"', 'x "never closed 5',
]
MORE = [
    "/users/fdklsd/j4elk/23993/job/2", "/v1/products/22j", "/api/hello.world",
    "/users/fdklsd?x", "123", "card 4111", "/a/b/c/d/e/f/g/h/i/j/k",
    "SELECT 'a\\'b' , 2", "UPDATE t SET a=-3.5, b=True WHERE c is NULL", "a -3",
    "x + 0x1F + 1e-5 + .5 + 017 + 5e", "VALUES ($1, :name, @p, @@v, ?)",
    "SELECT $a$secret 1$a$, b", "$func$SELECT 'x', 1$func$", "md5(1) t12x3",
    "a->>'k' #> 'x'", "nullable true_x falsehood NULL_ true.", "  SELECT 1  ",
    "a=?b=@c <@ d =-- e", "1.2.3 a/b1 c!d2 e@f3", "\u2028SELECT 5\u3000",
    "set  key   val EX 5", "AUTH user pw", "HSET h f v g w", "LPUSH l 1 2 3",
    "GEOADD k 1.5 2.5 m 3 4 n", "ZADD k NX CH 1 m 2 n", "ZADD k NX", "ZADD",
    "CONFIG SET p v", "CONFIG GET p v", "BITFIELD k SET u8 0 7 SET u8 0 5",
    "LINSERT k BEFORE p v", 'SET k "a b \\" c" EX 1', "GET a\n \nSET b c\n",
    "SET a\tb c", "MSET a", "get a b ", "\u2028get a\u3000", "a\nb\r\nc",
    ' {"a" : {"b\\u0041": null , "c":[ ] , "d":{ }}}', "[true,false,-1.5e+3,0]",
    "42 ", '"x"', '{"a":1}}', '{"a":01}', '{"a":1,}', "[1 2]", "{a:1}", '["\\x"]',
    '["\\u12"]', "nul", '{"a":', "[[[[]]],{}]", ' [1] \n', "-", "1.", "1e", "[,]", "{,}",
]
SYSTEMS = ["mysql", "PostgreSQL", "redis", "mongodb", "memcached", "sqlite",
           "elasticsearch", "opensearch", "valkey", "oracle", "other_sql"]
DOUBLES = [0.0, -0.0, 1.5, -1.5, 0.1, 1e21, 1e20, 1e-6, 1e-7, 123456789.0,
           5e-324, 1.7976931348623157e308, float("inf"), float("-inf"),
           float("nan"), 3.0, 4111111111111111.0, 9.3e18]
INTS = [0, 1, -1, 5, 42, 200, 404, 4111111111111111, 2**63 - 1, -2**63, 255]


class Generator:
    def __init__(self, seed, odd):
        self.r = random.Random(seed)
        self.odd = odd

    def chance(self, p):
        return self.r.random() < p

    # --- Values ---------------------------------------------------------------

    def text(self, key=""):
        if key in ("db.system", "db.system.name"):
            return self.r.choice(SYSTEMS)
        if key in ("db.statement", "db.query.text"):
            return self.r.choice(QUERIES)
        if key in ("url.full", "http.url", "http.target", "url.path", "http.route"):
            return self.r.choice(URLS)
        if self.chance(0.05):
            return self.r.choice(QUERIES + URLS)
        if self.chance(0.1):
            return " ".join(self.r.choice(WORDS) for _ in range(3))
        return self.r.choice(WORDS)

    def double(self, depth):
        """A list that holds one that is no number has no text for the
        Collector: only where odd things are wanted."""
        value = self.r.choice(DOUBLES)
        return value if math.isfinite(value) or not depth or self.odd else 0.25

    def raw(self):
        return bytes(self.r.randrange(256) for _ in range(self.r.choice([0, 1, 2, 3, 8])))

    def value(self, into, key="", depth=0):
        """Fills an AnyValue, which may stay empty."""
        kind = self.r.randrange(20)
        if kind < 10 or (depth > 3 and kind in (15, 16, 17, 18)):
            into.string_value = self.text(key)
        elif kind < 12:
            into.int_value = self.r.choice(INTS)
        elif kind == 12:
            into.bool_value = self.chance(0.5)
        elif kind == 13:
            into.double_value = self.double(depth)
        elif kind == 14:
            into.bytes_value = self.raw()
        elif kind in (15, 16):
            into.array_value.SetInParent()
            for _ in range(self.r.randrange(4)):
                self.value(into.array_value.values.add(), key, depth + 1)
        elif kind in (17, 18):
            into.kvlist_value.SetInParent()
            self.entries(into.kvlist_value.values, 3, depth + 1)

    def entries(self, into, most, depth=0):
        """Distinct keys; with odd now and then one comes twice."""
        for key in self.r.sample(KEYS, self.r.randrange(most + 1)):
            for _ in range(2 if self.odd and self.chance(0.1) else 1):
                self.value(into.add(key=key).value, key, depth)

    def attributes(self, into, most=8):
        self.entries(into, most)

    # --- What is above the records ----------------------------------------------

    def head(self, group, scope_list):
        if self.chance(0.9):
            self.attributes(group.resource.attributes, 6)
            if self.chance(0.7) and not any(
                    a.key == "service.name" for a in group.resource.attributes):
                name = self.r.choice(["checkout", "cart", "auth-svc", ""])
                group.resource.attributes.add(key="service.name").value.string_value = name
            group.resource.dropped_attributes_count = self.r.choice([0, 0, 3])
        if self.chance(0.3):
            group.schema_url = "https://opentelemetry.io/schemas/1.21.0"
        for _ in range(self.r.choice([0, 1, 1, 1, 2])):
            scope = scope_list.add()
            if self.chance(0.8):
                scope.scope.name = self.r.choice(["lib-a", "lib-b", "", "otel.x"])
                scope.scope.version = self.r.choice(["", "1.2.3", "2"])
                self.attributes(scope.scope.attributes, 3)
                scope.scope.dropped_attributes_count = self.r.choice([0, 0, 1])
            if self.chance(0.2):
                scope.schema_url = "https://opentelemetry.io/schemas/1.9.0"
            yield scope

    def id(self, n):
        return bytes(1 + self.r.randrange(255) for _ in range(n))

    # --- Traces -------------------------------------------------------------------

    def span(self, s):
        s.trace_id, s.span_id = self.id(16), self.id(8)
        if self.chance(0.5):
            s.parent_span_id = self.id(8)
        s.name = self.r.choice([self.text(), self.r.choice(URLS), "op-7-x",
                                self.r.choice(QUERIES), "checkout", "GET /users/42"])
        s.kind = self.r.randrange(6)
        s.trace_state = self.r.choice(["", "", "a=1,b=2"])
        s.flags = self.r.choice([0, 1, 0x101])
        s.start_time_unix_nano = NOW + self.r.randrange(10**9)
        s.end_time_unix_nano = s.start_time_unix_nano + self.r.randrange(10**9)
        self.attributes(s.attributes, 10)
        s.dropped_attributes_count = self.r.choice([0, 0, 2])
        for _ in range(self.r.choice([0, 0, 1, 2])):
            event = s.events.add(time_unix_nano=NOW, name=self.text(),
                                 dropped_attributes_count=self.r.choice([0, 1]))
            self.attributes(event.attributes, 5)
        for _ in range(self.r.choice([0, 0, 1])):
            link = s.links.add(trace_id=self.id(16), span_id=self.id(8),
                               trace_state=self.r.choice(["", "k=v"]),
                               flags=self.r.choice([0, 1]))
            self.attributes(link.attributes, 4)
        s.dropped_events_count = self.r.choice([0, 0, 1])
        s.dropped_links_count = self.r.choice([0, 0, 1])
        if self.chance(0.5):
            s.status.code = self.r.randrange(3)
            s.status.message = self.r.choice(["", "went wrong", "SECRET-9"])

    def traces(self):
        request = trace_service_pb2.ExportTraceServiceRequest()
        for _ in range(self.r.choice([1, 1, 2, 3])):
            group = request.resource_spans.add()
            for scope in self.head(group, group.scope_spans):
                for _ in range(self.r.randrange(5)):
                    self.span(scope.spans.add())
        return request

    # --- Logs -----------------------------------------------------------------------

    def log(self, l):
        l.time_unix_nano = self.r.choice([0, NOW])
        l.observed_time_unix_nano = NOW + 1
        l.severity_number = self.r.choice([0, 1, 5, 9, 13, 17, 24])
        l.severity_text = self.r.choice(["", "INFO", "WARN", "error", "Info2"])
        if self.chance(0.9):
            self.value(l.body)
        self.attributes(l.attributes, 8)
        l.dropped_attributes_count = self.r.choice([0, 0, 4])
        l.flags = self.r.choice([0, 1])
        l.event_name = self.r.choice(["", "", "login"])
        if self.chance(0.5):
            l.trace_id, l.span_id = self.id(16), self.id(8)

    def logs(self):
        request = logs_service_pb2.ExportLogsServiceRequest()
        for _ in range(self.r.choice([1, 1, 2, 3])):
            group = request.resource_logs.add()
            for scope in self.head(group, group.scope_logs):
                for _ in range(self.r.randrange(5)):
                    self.log(scope.log_records.add())
        return request

    # --- Metrics ----------------------------------------------------------------------

    def exemplars(self, point):
        for _ in range(self.r.choice([0, 0, 1, 2])):
            e = point.exemplars.add(time_unix_nano=NOW)
            if self.chance(0.5):
                e.as_double = self.r.choice(DOUBLES)
            else:
                e.as_int = self.r.choice(INTS)
            if self.chance(0.5):
                e.trace_id, e.span_id = self.id(16), self.id(8)
            self.attributes(e.filtered_attributes, 4)

    def point(self, p):
        p.start_time_unix_nano = self.r.choice([0, NOW])
        p.time_unix_nano = NOW + self.r.randrange(10**9)
        p.flags = self.r.choice([0, 0, 1])
        self.attributes(p.attributes, 8)
        if p.DESCRIPTOR.name != "SummaryDataPoint":
            self.exemplars(p)

    def number(self, p):
        self.point(p)
        if self.chance(0.5):
            p.as_double = self.r.choice(DOUBLES)
        elif self.chance(0.9):
            p.as_int = self.r.choice(INTS)

    def distribution(self, p):
        self.point(p)
        p.count = self.r.randrange(100)
        for field in ("sum", "min", "max"):
            if self.chance(0.6):
                setattr(p, field, self.r.choice(DOUBLES))

    def histogram(self, p):
        self.distribution(p)
        n = self.r.randrange(4)
        p.explicit_bounds.extend(float(i) for i in range(n))
        p.bucket_counts.extend(self.r.randrange(9) for _ in range(n + 1))

    def exponential(self, p):
        self.distribution(p)
        p.scale = self.r.choice([-2, 0, 3, 20])
        p.zero_count = self.r.randrange(3)
        p.zero_threshold = self.r.choice([0.0, 1e-9])
        for side in (p.positive, p.negative):
            side.offset = self.r.choice([0, -5, 7])
            side.bucket_counts.extend(self.r.randrange(9)
                                      for _ in range(self.r.randrange(4)))

    def summary(self, p):
        self.point(p)
        p.count = self.r.randrange(100)
        p.sum = self.r.choice(DOUBLES)
        for quantile in self.r.sample([0.0, 0.5, 0.99, 1.0], self.r.randrange(3)):
            p.quantile_values.add(quantile=quantile, value=self.r.choice(DOUBLES))

    def metric(self, m):
        m.name = self.r.choice(["requests", "http.server.duration", "cpu", "",
                                "SECRET-3", "queue_size"])
        m.description = self.r.choice(["", "how many", "SECRET-4"])
        m.unit = self.r.choice(["", "1", "ms", "{request}"])
        if self.chance(0.2):
            self.attributes(m.metadata, 3)
        kind = self.r.choice(["gauge", "sum", "histogram", "exponential_histogram",
                              "summary", None])
        if not kind:
            return
        data = getattr(m, kind)
        data.SetInParent()
        if kind not in ("gauge", "summary"):
            data.aggregation_temporality = self.r.randrange(3)
        if kind == "sum":
            data.is_monotonic = self.chance(0.5)
        fill = {"gauge": self.number, "sum": self.number,
                "histogram": self.histogram, "summary": self.summary,
                "exponential_histogram": self.exponential}[kind]
        for _ in range(self.r.randrange(4)):
            fill(data.data_points.add())

    def metrics(self):
        request = metrics_service_pb2.ExportMetricsServiceRequest()
        for _ in range(self.r.choice([1, 1, 2, 3])):
            group = request.resource_metrics.add()
            for scope in self.head(group, group.scope_metrics):
                for _ in range(self.r.randrange(5)):
                    self.metric(scope.metrics.add())
        return request


def all_texts(signal):
    """Every URL and query there is, where a sanitizer may look."""
    texts = URLS + QUERIES + MORE + WORDS
    if signal == "logs":
        request = logs_service_pb2.ExportLogsServiceRequest()
        records = request.resource_logs.add().scope_logs.add().log_records
        for text in texts + QUOTED:
            log = records.add()
            log.body.string_value = text
            log.attributes.add(key="db.statement").value.string_value = text
        return request
    request = trace_service_pb2.ExportTraceServiceRequest()
    spans = request.resource_spans.add().scope_spans.add().spans
    for i, text in enumerate(texts):
        for system in SYSTEMS:
            if system == "mysql" and re.search('["#$]', text):
                continue    # the README tells how these differ
            span = spans.add(name=text, kind=(i + len(system)) % 6)
            for key, value in (("db.system", system), ("db.statement", text),
                               ("url.full", text)):
                span.attributes.add(key=key).value.string_value = value
    return request


def requests(signal, n, seed, odd=False):
    """n requests; the same for the same arguments."""
    generator = Generator(f"{signal}-{seed}-{odd}", odd)
    return [getattr(generator, signal)() for _ in range(n)]
