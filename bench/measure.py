# SPDX-License-Identifier: Apache-2.0
"""One measurement of one contender, each function a kind: throughput, latency,
start, allocations, overload.  Returns figures as a dict, None when it failed;
what happens while a run warms up does not count.
"""
import mmap
import os
import struct
import subprocess
import sys
import time

import configuration
from processes import TEST_CORE, cpu_seconds, listens, note, pairs, pinned, \
    status_mib, stop
from scenarios import OVERLOAD, SCENARIOS, SECRET


def json_lines(stage, spans):
    """A file of requests as OTLP/JSON, made by a weir that writes what it
    gets."""
    path = os.path.join(stage.folder, f"spans-{spans}.jsonl")
    if os.path.exists(path):
        return path
    config = os.path.join(stage.folder, "lines")
    with open(config, "w") as f:
        f.write(configuration.file_yaml(stage.ports, path))
    process = pinned(TEST_CORE, [stage.path["weir"], "--config", config],
                     stdout=subprocess.DEVNULL)
    try:
        if not listens(stage.ports.test, process):
            sys.exit("bench: no weir that makes OTLP/JSON")
        stage.load("--spans", spans, "--seconds", 0.3)
    finally:
        stop(process)
    return path


def shape(stage, scenario, contender="weir"):
    """The load generator, and how it is told what to send."""
    shape = ["--spans", scenario.spans,
             *(["--gzip"] if scenario.gzip else [])]
    if scenario.http == "json":
        shape += ["--json", json_lines(stage, scenario.spans)]
    if scenario.http:
        return "httpload", shape
    shape += ["--hits", scenario.hits,
              *(["--messages"] if scenario.messages else [])]
    if contender == "otelcol" and scenario.go == "once":
        return "loadgen", shape + ["--connections", 1, "--window", 2]
    # Few spans in flight would measure the scheduler, not the work.
    return "loadgen", shape + ["--window", 8 if scenario.spans > 100 else 64]


def throughput(stage, args, contender, name):
    """CPU is the contender's own: user and system time of the process, per
    million spans answered OK."""
    scenario = SCENARIOS[name]
    program, how = shape(stage, scenario, contender)

    def measure(process):
        stage.load("--seconds", args.warmup, *how, program=program)
        stage.settled()
        cpu, sunk = cpu_seconds(process.pid), stage.counts()["spans"]
        got = stage.load("--seconds", args.seconds, *how, program=program)
        stage.settled()
        cpu = cpu_seconds(process.pid) - cpu
        if not got.get("spans_ok"):
            return None
        sink = stage.counts()
        return {"cpu": cpu * 1e6 / got["spans_ok"],
                "rate": got["spans_per_s"], "failed": got["failed"],
                "lost": got["spans_ok"] - (sink["spans"] - sunk)
                if scenario.counted else 0,
                "found": sink["found"] if scenario.counted else None,
                "peak": status_mib(process.pid, "VmHWM")}
    return stage.with_both(contender, name, measure, sink=(
        "--find", SECRET) if scenario.counted else ())


def latency(stage, args, contender):
    def measure(_):
        got = stage.load("--warmup", args.warmup, "--seconds",
                         args.warmup + args.seconds, "--spans", 10,
                         "--rate", 3000, "--window", 256)
        return {"p50": got["p50_us"], "p99": got["p99_us"]}
    return stage.with_both(contender, "pass10", measure)


def first(stage, contender):
    """exec to first answer, then the memory of the idle process."""
    scenario = "sidecar" if contender in ("weir", "otelcol") else "pass"
    sink = stage.sink()
    load = stage.loading("--first", "--spans", 10, "--seconds", 20)
    begun = time.monotonic_ns()
    process = stage.start(contender, scenario,
                          GATEWAY=f"127.0.0.1:{stage.ports.sink}")
    try:
        got = pairs(load.communicate(timeout=40)[0])
        if "answered_at_ns" not in got:
            note(f"{contender}, {scenario}: no answer")
            return None
        time.sleep(1)
        return {"first": (got["answered_at_ns"] - begun) / 1e6,
                "idle": status_mib(process.pid, "VmRSS")}
    finally:
        load.kill()
        stop(process)
        stop(sink)


def overload(stage, contender, times, seconds):
    """The load offers `times` what the sink can answer."""
    def measure(process):
        load = stage.loading(
            "--retry", "--connections", 8, "--window", 256, "--warmup", 2,
            "--seconds", 2 + seconds, "--spans", 512,
            "--rate", OVERLOAD["rate"] * times / 512)
        time.sleep(2)
        before = stage.counts()
        time.sleep(seconds - 0.5)
        after, rss = stage.counts(), status_mib(process.pid, "VmHWM")
        got = pairs(load.communicate(timeout=60)[0])
        spans = after["spans_ok"] - before["spans_ok"]
        return {"goodput": spans * 1e9 / OVERLOAD["rate"] /
                (after["at_ns"] - before["at_ns"]), "rss": rss, **got}
    return stage.with_both(contender, "overload", measure,
                           sink=("--rate", OVERLOAD["rate"]))


def allocations(stage, args, scenario):
    path = os.path.join(stage.folder, "allocations")
    program, how = shape(stage, SCENARIOS[scenario])

    def read():
        with open(path, "rb") as f:
            with mmap.mmap(f.fileno(), 8, prot=mmap.PROT_READ) as m:
                return struct.unpack("=Q", m[:8])[0]

    def measure(_):
        stage.load("--seconds", args.warmup, *how, program=program)
        stage.settled()
        before = read()
        got = stage.load("--seconds", 1, *how, program=program)
        stage.settled()
        return {"span": (read() - before) / max(got["spans_ok"], 1),
                "request": (read() - before) / max(got["ok"], 1)}
    return stage.with_both("weir", scenario, measure,
                           LD_PRELOAD=os.path.abspath(
                               stage.tool("alloc_count.so")),
                           ALLOC_COUNT=path)
