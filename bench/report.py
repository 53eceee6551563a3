# SPDX-License-Identifier: Apache-2.0
"""What was measured, as tables.  Rows in, Markdown out; floors.py says which
figures are good enough.
"""
import statistics

from scenarios import OVERLOAD, SCENARIOS, STEADY, TAIL

MIB = 1 << 20


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

    def __init__(self, contenders):
        self.contenders = contenders
        self.work, self.late, self.begin = {}, {}, {}
        self.allocated, self.over, self.tail = {}, {}, {}

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
        for s, scenario in SCENARIOS.items():
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

    def print_tail(self):
        wait = TAIL["wait"]
        print("\nTail sampling, five policies, in traces of "
              f"{TAIL['trace']} spans that wait {wait} to {wait + 1} s; "
              "RSS above that of pass-through, against the bytes of what "
              "waits:")
        table("at a steady rate", "contender", "CPU-s per million spans",
              "spread", "spans/s", "to the Go collector", "came out",
              "waits", "RSS", "per byte that waits")
        for (c, s), rows in self.tail.items():
            cpus, waits = [r["cpu"] for r in rows], median(rows, "waiting")
            held = self.held(c, s) if STEADY[s].processors else None
            print(f"| {STEADY[s].title} | {c} | {median(rows, 'cpu'):.2f} "
                  f"| {min(cpus):.2f}–{max(cpus):.2f} "
                  f"| {median(rows, 'rate'):,.0f} | " +
                  times(ratio(median(rows, "cpu"), median(
                      self.tail.get(("otelcol", s)), "cpu"))) +
                  f" | {median(rows, 'share'):.1%} | " +
                  (f"{waits * rows[0]['bytes'] / MIB:.0f} MiB" if held
                   else "–") +
                  f" | {median(rows, 'rss'):.0f} MiB | {times(held)} |")

    def added(self, rate):
        """ns a span at that rate: above what it costs to receive all and send the share
        that is kept; and above what it costs to pass all on."""
        rows = [self.tail.get(("weir", s)) for s in STEADY
                if STEADY[s].rate == rate]
        if not all(rows):
            return None, None
        every = list(zip(*rows))
        return (statistics.median(
                    1000 * (t["cpu"] - n["cpu"] - t["share"] *
                            (p["cpu"] - n["cpu"])) for t, p, n in every),
                statistics.median(
                    1000 * (t["cpu"] - p["cpu"]) for t, p, _ in every))

    def held(self, contender, scenario="tail"):
        """Bytes of RSS above pass-through's for a byte that waits."""
        rows = self.tail.get((contender, scenario))
        base = median(self.tail.get((contender, f"{scenario}_pass")), "rss")
        if not rows or base is None:
            return None
        return statistics.median(
            (r["rss"] - base) * MIB / (r["waiting"] * r["bytes"])
            for r in rows)

    def print_rules(self):
        """What is added to a pass-through of the same spans, where there is
        one; the yardstick is redaction by one key pattern."""
        yard = "redact_key_0"
        table("what rules cost a span", "CPU-s per million spans",
              "to pass-through", "to one key pattern", "added to pass-through",
              "to what one key pattern adds")
        for s, scenario in SCENARIOS.items():
            cpu, base = (self.cpu("weir", n) for n in (s, scenario.base))
            if not cpu or not base:
                continue
            same = scenario.base == SCENARIOS[yard].base
            key = self.cpu("weir", yard) if same else None
            print(f"| {scenario.title} | {cpu:.2f} "
                  f"| {times(ratio(cpu, base))} | {times(ratio(cpu, key))} "
                  f"| {cpu - base:.2f} "
                  f"| {times(key and ratio(cpu - base, key - base))} |")

    def wrong(self):
        """What makes the figures worthless, as sentences."""
        for (c, s), rows in self.work.items():
            found = [r["found"] for r in rows]
            if SCENARIOS[s].cleans and any(found):
                yield f"{c}, {s}: secrets came out"
            if (not SCENARIOS[s].cleans and SCENARIOS[s].hits and
                    0 in found):
                yield f"{c}, {s}: secrets did not come out of pass-through"
        low, high = TAIL["share"]
        for (c, s), rows in self.tail.items():
            for r in rows:
                if STEADY[s].processors and not low <= r["share"] <= high:
                    yield (f"{c}, {s}: {r['share']:.1%} came out, not "
                           f"{low:.0%} to {high:.0%}")

    def flaws(self):
        for (c, s), rows in [*self.work.items(), *self.tail.items()]:
            bad = sum(r["failed"] + max(r.get("lost", 0), 0) for r in rows)
            if bad:
                yield f"{c}, {s}: {bad:.0f} failed or lost"
        for (c, s), rows in self.tail.items():
            if any(r["rate"] < 0.95 * TAIL["rate"] for r in rows):
                yield f"{c}, {s}: did not bear the rate"

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
        o = OVERLOAD
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
            print(f"| {SCENARIOS[s].title} | {r['span']:.4f} "
                  f"| {r['request']:.2f} |")

    def print(self):
        if self.work:
            self.print_work()
        if any(SCENARIOS[s].base for _, s in self.work):
            self.print_rules()
        if self.tail:
            self.print_tail()
        if self.late or self.begin:
            self.print_moments()
        if self.over:
            self.print_overload()
        if self.allocated:
            self.print_allocations()
