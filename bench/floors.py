# SPDX-License-Identifier: Apache-2.0
"""The figures to reach, and whether they are.  A row is what it is about, how
it is written, the bound (negative: at least so much), and what was measured;
None where that was not.
"""
from report import median, ratio
from scenarios import SCENARIOS, TAIL

GO = "against the Go collector"
ADDED, KEPT = 250, 1.5      # ns a span; bytes a byte


def part(r):
    return f"1/{1 / r:.1f}"


def x(r):
    return f"{r:.2f}×"


def against(found, scenario, contender="otelcol", base=None):
    return ratio(found.cpu("weir", scenario),
                 found.cpu(contender, base or scenario))


def to_pass(found, scenario):
    return against(found, scenario, "weir", "pass")


def transport(found):
    yield (f"`attributes`, three deletes, {GO}", part, 1 / 8,
           against(found, "attributes"))
    yield (f"`redaction`, one key pattern, {GO}", part, 1 / 20,
           against(found, "redaction"))
    yield ("`attributes`, three deletes, against a blind TCP relay", x, 2.5,
           against(found, "attributes", "relay", "pass"))
    yield (f"the same with 10 spans a request, {GO}", part, 1 / 6,
           against(found, "attributes10"))
    yield ("three deletes against pass-through", x, 1.3,
           to_pass(found, "attributes"))
    yield ("an upsert on every span against pass-through", x, 1.6,
           to_pass(found, "upsert"))
    yield ("`attributes`, `resource` and `redaction` in three `.so` against "
           "one `redaction`", x, 1.15,
           against(found, "three", "weir", "words"))
    yield f"gzip in and out, {GO}", part, 1 / 5, against(found, "gzip")
    yield f"OTLP/HTTP protobuf in, {GO}", part, 1 / 6, against(found, "http")
    yield f"OTLP/HTTP JSON in, {GO}", part, 1 / 6, against(found, "json")
    yield (f"OTLP/HTTP gzip in and out, {GO}", part, 1 / 5,
           against(found, "httpgzip"))


def sampling(found):
    def ns(value):
        return f"{value:.0f} ns"

    for rate in TAIL["fast"], TAIL["rate"]:
        strict, plain = found.added(rate)
        yield (f"tail sampling at {rate:,} spans/s, added to receiving all "
               "and sending what is kept", ns, ADDED, strict)
        yield "the same, added to pass-through", ns, ADDED, plain
    yield ("tail sampling: RSS for a byte that waits", x, KEPT,
           found.held("weir"))


def redaction(found):
    yield ("10 value patterns, nothing hit, against one key pattern", x, 2,
           against(found, "redact10_0", "weir", "redact_key_0"))


def moments(found):
    def moment(where, key, contender="weir"):
        return median(where.get(contender), key)

    def loaded(key, base=None):
        value = median(found.over.get(4), key)
        return ratio(value, median(found.over.get(base), key)) if base \
            else value

    yield ("p99 at 3,000 requests/s against the relay", x, 3,
           ratio(moment(found.late, "p99"),
                 moment(found.late, "p99", "relay")))
    yield "overload 4×: RSS against normal", x, 2, loaded("rss", 0.95)
    yield ("overload 4×: goodput of the sink's rate",
           lambda r: f"{r:.0%}", -0.9, loaded("goodput"))
    yield ("idle RSS, sidecar config", lambda r: f"{r:.1f} MiB", 8,
           moment(found.begin, "idle"))
    yield ("exec to first answered export, sidecar config",
           lambda r: f"{r:.1f} ms", 10, moment(found.begin, "first"))
    yield ("allocations per span of 582 bytes after warm-up",
           lambda r: f"{r:.3f}", 0.005,
           max((r["span"] for s, (r,) in found.allocated.items()
                if not SCENARIOS[s].messages), default=None))


def print_floors(found):
    print("\n| floor | at most | measured | reached |\n"
          "|---|---:|---:|---|")
    for rows in (transport, sampling, redaction, moments):
        for what, write, limit, value in rows(found):
            least = limit < 0
            bound = ("at least " if least else "") + write(abs(limit))
            if value is None:
                print(f"| {what} | {bound} | – | not measured |")
                continue
            reached = value >= -limit if least else value <= limit
            print(f"| {what} | {bound} | {write(value)} "
                  f"| {'yes' if reached else '**no**'} |")
