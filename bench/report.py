# SPDX-License-Identifier: Apache-2.0
"""What run.py measured, as tables and as floors that are reached or not."""
import statistics
import sys

GO = "against the Go collector"


def median(rows, key):
    return statistics.median(r[key] for r in rows) if rows else None


def ratio(value, base):
    return value / base if value and base else None


def times(r):
    return f"{r:.2f}" if r else "–"


def table(*heads):
    """The first column is text, the others are numbers."""
    print("\n| " + " | ".join(heads) + " |")
    print("|---|" + "---:|" * (len(heads) - 1))


class Results:
    """Rows of every round, by what they are about; a measurement that failed
    leaves no row."""

    def __init__(self, scenarios, overload, contenders):
        self.scenarios, self.overload = scenarios, overload
        self.contenders = contenders
        self.work, self.late, self.begin = {}, {}, {}
        self.allocated, self.over = {}, {}

    def add(self, where, key, row):
        if row:
            where.setdefault(key, []).append(row)

    def cpu(self, contender, scenario):
        return median(self.work.get((contender, scenario)), "cpu")

    # --- Tables ---------------------------------------------------------------

    def print_work(self):
        table("scenario, spans a request", "contender",
              "CPU-s per million spans", "spread", "spans/s", "to the relay",
              "to the Go collector", "peak RSS")
        for s, scenario in self.scenarios.items():
            relay = self.cpu("relay",
                             "pass10" if scenario.spans == 10 else "pass")
            for c in self.contenders:
                rows = self.work.get((c, s))
                if not rows:
                    continue
                cpus, cpu = [r["cpu"] for r in rows], self.cpu(c, s)
                print(f"| {scenario.title} | {c} | {cpu:.2f} "
                      f"| {min(cpus):.2f}–{max(cpus):.2f} "
                      f"| {median(rows, 'rate'):,.0f} "
                      f"| {times(ratio(cpu, relay))} "
                      f"| {times(ratio(cpu, self.cpu('otelcol', s)))} "
                      f"| {median(rows, 'peak'):.0f} MiB |")
                bad = sum(r["failed"] + max(r["lost"], 0) for r in rows)
                if bad:
                    print(f"bench: {c}, {s}: {bad:.0f} failed or lost",
                          file=sys.stderr)

    def print_moments(self):
        print("\nLatency at 3,000 requests/s of 10 spans, from when each was "
              "due; start and idle memory of the two collectors with "
              "configs/sidecar.yaml:")
        table("contender", "p50", "p99", "exec to first answer", "idle RSS")
        for c in self.contenders:
            late, begin = self.late.get(c), self.begin.get(c)
            print(f"| {c} " + (
                f"| {median(late, 'p50'):.0f} µs | {median(late, 'p99'):.0f} "
                "µs " if late else "| – | – ") + (
                f"| {median(begin, 'first'):.1f} ms "
                f"| {median(begin, 'idle'):.1f} MiB |" if begin else
                "| – | – |"))

    def print_overload(self):
        o = self.overload
        print(f"\nOverload: a sink of {o['rate']:,} spans/s, a queue of "
              f"{o['queue_size'] >> 20} MiB, limit_mib {o['limit_mib']}:")
        table("offered", "answered by the sink", "peak RSS", "accepted",
              "refused", "with RetryInfo", "given up by clients", "failed")
        for n, (r,) in self.over.items():
            print(f"| {n} × | {r['goodput']:.1%} of its rate "
                  f"| {r['rss']:.1f} MiB | {r['ok']:.0f} "
                  f"| {r['refused']:.0f} | {r['refused_told']:.0f} "
                  f"| {r['given_up']:.0f} | {r['failed']:.0f} |")

    def print_allocations(self):
        table("weir", "allocations per span", "per request")
        for s, (r,) in self.allocated.items():
            print(f"| {self.scenarios[s].title} | {r['span']:.4f} "
                  f"| {r['request']:.2f} |")

    # --- Floors ---------------------------------------------------------------

    def against(self, scenario, contender="otelcol", base=None):
        return ratio(self.cpu("weir", scenario),
                     self.cpu(contender, base or scenario))

    def moment(self, where, key, contender="weir"):
        return median(where.get(contender), key)

    def worst_allocations(self):
        return max((r[0]["span"] for r in self.allocated.values()),
                   default=None)

    def loaded(self, key, base=None):
        value = median(self.over.get(4), key)
        return ratio(value, median(self.over.get(base), key)) if base \
            else value

    def floors(self):
        """(what, how it is written, at most or at least, measured)"""
        part, x = (lambda r: f"1/{1 / r:.1f}"), (lambda r: f"{r:.2f}×")
        yield (f"`attributes`, three deletes, {GO}", part, 1 / 8,
               self.against("attributes"))
        yield (f"`redaction`, one key pattern, {GO}", part, 1 / 20,
               self.against("redaction"))
        yield ("`attributes`, three deletes, against a blind TCP relay", x,
               2.5, self.against("attributes", "relay", "pass"))
        yield (f"the same with 10 spans a request, {GO}", part, 1 / 6,
               self.against("attributes10"))
        yield ("three deletes against pass-through", x, 1.3,
               self.against("attributes", "weir", "pass"))
        yield ("an upsert on every span against pass-through", x, 1.6,
               self.against("upsert", "weir", "pass"))
        yield ("`attributes`, `resource` and `redaction` in three `.so` "
               "against one `redaction`", x, 1.15,
               self.against("three", "weir", "words"))
        yield (f"gzip in and out, {GO}", part, 1 / 5, self.against("gzip"))
        yield (f"OTLP/HTTP protobuf in, {GO}", part, 1 / 6,
               self.against("http"))
        yield (f"OTLP/HTTP JSON in, {GO}", part, 1 / 6, self.against("json"))
        yield (f"OTLP/HTTP gzip in and out, {GO}", part, 1 / 5,
               self.against("httpgzip"))
        yield ("p99 at 3,000 requests/s against the relay", x, 3,
               ratio(self.moment(self.late, "p99"),
                     self.moment(self.late, "p99", "relay")))
        yield ("overload 4×: RSS against normal", x, 2,
               self.loaded("rss", 0.95))
        yield ("overload 4×: goodput of the sink's rate",
               lambda r: f"{r:.0%}", -0.9, self.loaded("goodput"))
        yield ("idle RSS, sidecar config", lambda r: f"{r:.1f} MiB", 8,
               self.moment(self.begin, "idle"))
        yield ("exec to first answered export, sidecar config",
               lambda r: f"{r:.1f} ms", 10, self.moment(self.begin, "first"))
        yield ("allocations per span after warm-up", lambda r: f"{r:.2f}",
               0.005, self.worst_allocations())

    def print_floors(self):
        print("\n| floor | at most | measured | reached |\n"
              "|---|---:|---:|---|")
        for what, write, limit, value in self.floors():
            least = limit < 0
            bound = ("at least " if least else "") + write(abs(limit))
            if value is None:
                print(f"| {what} | {bound} | – | not measured |")
                continue
            reached = value >= -limit if least else value <= limit
            print(f"| {what} | {bound} | {write(value)} "
                  f"| {'yes' if reached else '**no**'} |")

    def print(self):
        if self.work:
            self.print_work()
        self.print_moments()
        if self.over:
            self.print_overload()
        if self.allocated:
            self.print_allocations()
        if "weir" in self.contenders:
            self.print_floors()
