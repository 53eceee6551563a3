# SPDX-License-Identifier: Apache-2.0
"""Tail sampling at steady rates: what it costs a span, and what a span that
waits for its decision holds in memory.

Nothing is asked of the contender: what waits is what it has answered, less what
it has decided; and of what it has decided, the share that it keeps has come
out.  That share is known at the end, when nothing waits any more.
"""
import statistics
import time

from processes import cpu_seconds, pairs, status_mib
from scenarios import STEADY, TAIL


def answered_at(progress, at):
    """Spans answered OK till then, from the load generator's lines."""
    last = progress[0]
    for row in progress[1:]:
        if row[0] >= at:
            return last[1] + (row[1] - last[1]) * (at - last[0]) / (
                row[0] - last[0])
        last = row
    return last[1]


def watch(stage, pid, seconds):
    """Ten times a second: when, MiB of RSS, spans that came out."""
    rows, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        now = stage.counts()
        rows.append((now["at_ns"], status_mib(pid, "VmRSS"), now["spans"]))
        time.sleep(0.1)
    return rows


def steady(stage, contender, name, seconds=5):
    """CPU per million spans, the share that came out, and means of RSS and of
    the spans that wait, while nothing but the spans changes."""
    # A decision comes up to a second late, and what leaves is batched.
    waits = TAIL["wait"] + 1.5 if STEADY[name].processors else 1

    def measure(process):
        load = stage.loading(
            "--traces", TAIL["trace"], "--progress", "--window", 32,
            "--rate", STEADY[name].rate / STEADY[name].spans,
            "--seconds", waits + seconds + 0.5)
        try:
            time.sleep(waits)
            cpu, begun = cpu_seconds(process.pid), time.monotonic_ns()
            rows = watch(stage, process.pid, seconds)
            cpu, ended = cpu_seconds(process.pid) - cpu, time.monotonic_ns()
            text = load.communicate(timeout=60)[0]
        finally:
            load.kill()
        stage.settled(quiet=1.6 if waits > 1 else 0.3, seconds=waits + 10)
        got = pairs(text)
        if not got.get("spans_ok"):
            return None
        progress = [tuple(map(int, line.split()[1:]))
                    for line in text.splitlines()
                    if line.startswith("progress ")]
        share = stage.counts()["spans"] / got["spans_ok"]
        spans = answered_at(progress, ended) - answered_at(progress, begun)
        waiting = [answered_at(progress, at) - out / share
                   for at, _, out in rows] if share else [0]
        return {"cpu": cpu * 1e6 / spans, "share": share,
                "rate": spans * 1e9 / (ended - begun),
                "failed": got["failed"], "bytes": got["bytes_per_span"],
                "rss": statistics.mean(rss for _, rss, _ in rows),
                "waiting": statistics.mean(waiting)}
    return stage.with_both(contender, name, measure)
