#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tail_sampling.py [SEED [TEXT]]: the same traces through the tail sampling of the
Go collector and of Weir; the same spans must come out, with their resources and
scopes.  Exit 1 where not.

Many configurations run in one program, a pipeline each; a mark on the resource
says behind the sampler which it was.  What a policy says of a trace must be the
same, also by chance: the hash is the same.  Limits see traces in an order that is
nobody's: there only the number of spans counts.  With TEXT only configurations
that hold it are tried.  Schema URLs are left out: the Collector loses them."""
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from sides import PATIENCE, PEER, Side
from tail_cases import cases
from tail_stream import MARK, STREAMS, came_out, stream

CONFIG = """
receivers:
  otlp: {{protocols: {{grpc: {{endpoint: "127.0.0.1:${{env:OTLP}}"}}}}}}
processors:
  batch: {{timeout: 100ms, send_batch_size: 100000}}
{samplers}
exporters:
  otlp:
    endpoint: 127.0.0.1:${{env:BACKEND}}
    tls: {{insecure: true}}
service:
{service}
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
{pipelines}
"""
AGAIN = 3       # tries of what a clock's second may part


def config(chunk, name):
    """Of Weir's workers each forgets its own oldest: the order is that of the
    Collector where there is one."""
    service = "  workers: 1" if name == "weir" and chunk[0].stream == "in order" else ""
    samplers = "".join(
        f"  tail_sampling/{i}: {case.text()}\n"
        f"  resource/{i}: {{attributes: [{{key: {MARK}, value: {i}, action: insert}}]}}\n"
        for i, case in enumerate(chunk))
    pipelines = "".join(
        f"    traces/{i}: {{receivers: [otlp], processors: [tail_sampling/{i}, resource/{i}, batch], "
        f"exporters: [otlp]}}\n" for i in range(len(chunk)))
    return CONFIG.format(samplers=samplers.rstrip(), pipelines=pipelines, service=service)


def at_rest(got):
    """Nothing has come for longer than any wait."""
    end, before, since = time.monotonic() + PATIENCE + 20, -1, time.monotonic()
    while time.monotonic() - since < 6:
        assert time.monotonic() < end, "it does not come to rest"
        if len(got) != before:
            before, since = len(got), time.monotonic()
        time.sleep(0.1)


def send(side, requests):
    for request in requests:
        assert side.send("traces", request) == "OK", side.output


def run(name, chunk, seed):
    """What came out, by the case's number in the chunk."""
    case = chunk[0]
    side = Side(name, config(chunk, name))
    try:
        assert side.started(), side.output
        got = side.backends["BACKEND"].requests["traces"]
        if case.live:
            roots = .05 if case.stream == "roots" else 0
            send(side, stream(seed, 15, roots=roots))
            at_rest(got)
            send(side, stream(seed, 15, roots=roots, late=True))
            at_rest(got)
        else:
            send(side, STREAMS[case.stream](seed))
        side.stop()
        found = came_out(got)
        return [found.get(i, {}) for i in range(len(chunk))]
    finally:
        side.close()


def words(case, go, weir):
    if case.count:
        return f"go {sum(go.values())} spans, weir {sum(weir.values())}"
    spans = [sorted({key[0] for key in (a - b)}) for a, b in ((go, weir), (weir, go))]
    what = "other resources or scopes, " if spans[0] == spans[1] else ""
    return f"{what}go only {len(spans[0])} of {len(go)}, weir only {len(spans[1])} of {len(weir)}"


def wrong(chunk, seed, pool):
    for attempt in range(AGAIN if chunk[0].count else 1):
        both = [pool.submit(run, name, chunk, seed) for name in ("go", "weir")]
        go, weir = (f.result() for f in both)
        found = [(case, a, b) for case, a, b in zip(chunk, go, weir)
                 if (sum(a.values()) != sum(b.values()) if case.count else a != b)]
        if not found:
            break
    for case, a, b in found:
        print(f"DIFFERS {case.text()} ({case.stream}{', live' if case.live else ''})\n        {words(case, a, b)}")
    return len(found), sum(sum(a.values()) for a in go)


def main():
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    if not PEER.exists():
        sys.exit("the Go collector is not there: make peers")
    chunks = [[c for c in chunk if len(sys.argv) < 3 or sys.argv[2] in c.text()] for chunk in cases()]
    chunks = [chunk for chunk in chunks if chunk]
    with ThreadPoolExecutor(2) as several, ThreadPoolExecutor(4) as pool:
        results = list(several.map(lambda chunk: wrong(chunk, seed, pool), chunks))
    n, bad = sum(map(len, chunks)), sum(r[0] for r in results)
    print(f"tail_sampling: {n} configurations, {sum(r[1] for r in results)} spans passed, {bad} differ")
    sys.exit(bad != 0 or not n)


if __name__ == "__main__":
    main()
