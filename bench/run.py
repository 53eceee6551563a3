#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs every contender in turn, on one core, and prints the README's table.

    bench/run.py [--build build] [--rounds 5] [--seconds 3] [--only NAME,...]
                 [--scenarios NAME,...] [--quick]

The contender has core 1, load generator and sink have core 0.  Rounds are
interleaved (every contender once, then again) and the median counts, because
the machine drifts.  CPU is the contender's own: user and system time of the
process, from /proc, per million spans answered OK.
"""
import argparse
import mmap
import os
import shutil
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TICK = os.sysconf("SC_CLK_TCK")
CORES = sorted(os.sched_getaffinity(0))
LOAD_CORE, TEST_CORE = CORES[0], CORES[-1]

TOOLS = (
    ("relay", ["relay.c"], []),
    ("sink", ["sink.c"], ["-lnghttp2"]),
    ("loadgen", ["loadgen.c", "spans.c"], ["-lnghttp2", "-ldeflate"]),
    ("alloc_count.so", ["alloc_count.c"], ["-shared", "-fPIC"]),
)

# --- What is configured -----------------------------------------------------

THREE = ("api_key", "user_email", "token")


def deletes(keys):
    return {"actions": [{"key": key, "action": "delete"} for key in keys]}


PROCESSORS = {
    "attributes": {"attributes": deletes(THREE)},
    "redaction": {"redaction": {"allow_all_keys": True,
                                "blocked_key_patterns": ["api_key"]}},
    "upsert": {"attributes/up": {"actions": [
        {"key": "deployment.region", "value": "eu-central-1",
         "action": "upsert"}]}},
    # The same three deletes as three components in three .so files.
    "three": {"attributes/1": deletes(THREE[:1]),
              "resource": {"attributes": [{"key": "token",
                                           "action": "delete"}]},
              "redaction": {"allow_all_keys": True,
                            "blocked_key_patterns": ["user_email"]}},
}

# name: (title, processors, spans a request, gzip)
SCENARIOS = {
    "pass": ("pass-through, 512", None, 512, False),
    "pass10": ("pass-through, 10", None, 10, False),
    "attributes": ("`attributes`, three deletes, 512", "attributes", 512,
                   False),
    "attributes10": ("`attributes`, three deletes, 10", "attributes", 10,
                     False),
    "redaction": ("`redaction`, one key pattern, 512", "redaction", 512,
                  False),
    "three": ("three attribute processors in three `.so`, 512", "three", 512,
              False),
    "upsert": ("an upsert on every span, 512", "upsert", 512, False),
    "gzip": ("gzip in and out, `attributes`, 512", "attributes", 512, True),
}
NO_PROCESSORS = ("pass", "pass10")


def dump(value, depth=0):
    """YAML of dicts, lists and scalars: enough for a configuration."""
    pad = "  " * depth
    if isinstance(value, dict):
        return "".join(
            f"{pad}{k}:" + (f"\n{dump(v, depth + 1)}" if v and
                            isinstance(v, (dict, list)) else
                            f" {scalar(v)}\n") for k, v in value.items())
    return "".join(
        f"{pad}- " + dump(v, depth + 1).lstrip() if isinstance(v, dict) else
        f"{pad}- {scalar(v)}\n" for v in value)


def scalar(v):
    if isinstance(v, bool):
        return "true" if v else "false"
    if isinstance(v, dict):
        return "{}"
    return f'"{v}"' if isinstance(v, str) else str(v)


def collector_yaml(scenario, ports, ours):
    _, processors, _, gzip = SCENARIOS[scenario]
    stages = dict(PROCESSORS[processors]) if processors else {}
    stages["batch"] = {}
    telemetry = {"metrics": {"level": "none"}, "logs": {"level": "error"}}
    service = {"telemetry": telemetry, "pipelines": {"traces": {
        "receivers": ["otlp"], "processors": list(stages),
        "exporters": ["otlp"]}}}
    if ours:
        service["workers"] = 1
    return dump({
        "receivers": {"otlp": {"protocols": {"grpc": {
            "endpoint": f"127.0.0.1:{ports.test}",
            "max_recv_msg_size_mib": 64}}}},
        "processors": stages,
        "exporters": {"otlp": {
            "endpoint": f"127.0.0.1:{ports.sink}",
            "compression": "gzip" if gzip else "none",
            "tls": {"insecure": True}}},
        "service": service})


def nginx_conf(ports, folder):
    return f"""
daemon off; master_process off; worker_processes 1; pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off; client_max_body_size 64m; client_body_buffer_size 4m;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u;
  scgi_temp_path {folder}/s;
  keepalive_requests 100000000;
  upstream sink {{ server 127.0.0.1:{ports.sink}; keepalive 512;
                   keepalive_requests 100000000; }}
  server {{ listen 127.0.0.1:{ports.test} http2;
    http2_max_concurrent_streams 1024;
    grpc_buffer_size 64k;
    location / {{ grpc_pass grpc://sink; }} }}
}}
"""

# --- Processes --------------------------------------------------------------


class Ports:
    def __init__(self):
        held = []
        for name in ("sink", "control", "test"):
            s = socket.socket()
            s.bind(("127.0.0.1", 0))
            held.append(s)
            setattr(self, name, s.getsockname()[1])
        for s in held:
            s.close()


def listens(port, process, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return True
        except OSError:
            time.sleep(0.01)
    return False


def pinned(core, argv, **kw):
    return subprocess.Popen(["taskset", "-c", str(core), *argv], **kw)


def stop(process):
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        return process.communicate(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.communicate()


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def status_mib(pid, key):
    with open(f"/proc/{pid}/status") as f:
        for line in f:
            if line.startswith(key + ":"):
                return int(line.split()[1]) / 1024
    return 0.0


def pairs(text):
    return {k: float(v) for k, v in
            (line.split("=", 1) for line in text.split() if "=" in line)}


class Bench:
    def __init__(self, args):
        self.args = args
        self.tools = os.path.join(args.build, "bench")
        self.ports = Ports()
        self.folder = tempfile.mkdtemp(prefix="weir-bench-")

    def build_tools(self):
        """cc, for what is older than its source."""
        cc = [os.environ.get("CC", "cc"), "-std=c11", "-O2", "-Wall",
              "-Wextra", "-D_GNU_SOURCE"]
        os.makedirs(self.tools, exist_ok=True)
        for name, sources, more in TOOLS:
            paths = [os.path.join(HERE, s) for s in sources]
            out = self.tool(name)
            if not os.path.exists(out) or os.path.getmtime(out) < max(
                    map(os.path.getmtime, paths)):
                subprocess.run([*cc, "-o", out, *paths, *more], check=True)

    def tool(self, name):
        return os.path.join(self.tools, name)

    def contenders(self):
        otelcol = os.path.join(self.args.build, "peers", "otelcol")
        weir = os.path.join(self.args.build, "weir")
        found = ["relay"]
        nginx = shutil.which("nginx") or "/usr/sbin/nginx"
        if os.path.exists(nginx):
            self.nginx = nginx
            found.append("nginx")
        if os.path.exists(otelcol):
            self.otelcol = otelcol
            found.append("otelcol")
        if os.path.exists(weir):
            self.weir = weir
            found.append("weir")
        only = self.args.only
        return [c for c in found if not only or c in only]

    def fits(self, contender, scenario):
        return contender in ("weir", "otelcol") or scenario in NO_PROCESSORS

    def command(self, contender, scenario):
        if contender == "relay":
            return [self.tool("relay"), str(self.ports.test),
                    str(self.ports.sink)]
        path = os.path.join(self.folder, f"{contender}-{scenario}")
        if contender == "nginx":
            text, argv = (nginx_conf(self.ports, self.folder),
                          [self.nginx, "-e", f"{self.folder}/error.log",
                           "-c", path])
        else:
            text = collector_yaml(scenario, self.ports, contender == "weir")
            argv = [getattr(self, contender), "--config", path]
        with open(path, "w") as f:
            f.write(text)
        return argv

    def start(self, contender, scenario, **env):
        log = open(os.path.join(self.folder, f"{contender}.log"), "wb")
        env = {**os.environ, **env}
        if contender == "otelcol":
            env["GOMAXPROCS"] = "1"
        return pinned(TEST_CORE, self.command(contender, scenario), env=env,
                      stdout=log, stderr=log)

    def sink(self):
        p = pinned(LOAD_CORE, [self.tool("sink"), "--port",
                               str(self.ports.sink), "--control",
                               str(self.ports.control)],
                   stdout=subprocess.PIPE, text=True)
        if not listens(self.ports.sink, p):
            sys.exit("bench: the sink does not start")
        return p

    def counts(self):
        with socket.create_connection(("127.0.0.1", self.ports.control)) as s:
            return pairs(s.makefile().read())

    def load(self, *more):
        p = pinned(LOAD_CORE, [self.tool("loadgen"), "--port",
                               str(self.ports.test), *map(str, more)],
                   stdout=subprocess.PIPE, text=True)
        out, _ = p.communicate(timeout=120)
        return pairs(out)

    def settled(self):
        """Waits until nothing arrives at the sink any more."""
        last, end = None, time.monotonic() + 10
        while time.monotonic() < end:
            now = self.counts()
            if now == last:
                return
            last = now
            time.sleep(0.3)

    # --- What is measured ---------------------------------------------------

    def with_both(self, contender, scenario, measure, **env):
        sink = self.sink()
        process = self.start(contender, scenario, **env)
        try:
            if not listens(self.ports.test, process):
                return None
            return measure(process)
        finally:
            stop(process)
            stop(sink)

    def throughput(self, contender, scenario):
        _, _, spans, gzip = SCENARIOS[scenario]
        shape = ["--spans", spans, *(["--gzip"] if gzip else [])]
        # Few spans in flight would measure the scheduler, not the work.
        shape += ["--window", 8 if spans > 100 else 64]

        def measure(process):
            self.load("--seconds", 0.5, *shape)
            self.settled()
            cpu, sunk = cpu_seconds(process.pid), self.counts()["spans"]
            got = self.load("--seconds", self.args.seconds, *shape)
            self.settled()
            cpu = cpu_seconds(process.pid) - cpu
            if not got.get("spans_ok"):
                return None
            return {"cpu": cpu * 1e6 / got["spans_ok"],
                    "rate": got["spans_per_s"], "failed": got["failed"],
                    "lost": 0 if gzip else got["spans_ok"] -
                    (self.counts()["spans"] - sunk),
                    "peak": status_mib(process.pid, "VmHWM")}
        return self.with_both(contender, scenario, measure)

    def latency(self, contender):
        def measure(process):
            self.load("--seconds", 0.5, "--spans", 10, "--rate", 3000,
                      "--window", 256)
            got = self.load("--seconds", self.args.seconds, "--spans", 10,
                            "--rate", 3000, "--window", 256)
            return {"p50": got["p50_us"], "p99": got["p99_us"],
                    "failed": got["failed"]}
        return self.with_both(contender, "pass10", measure)

    def first(self, contender):
        """exec to first answer, and the memory of an idle process."""
        sink = self.sink()
        load = pinned(LOAD_CORE, [self.tool("loadgen"), "--port",
                                  str(self.ports.test), "--first",
                                  "--spans", "10"],
                      stdout=subprocess.PIPE, text=True)
        begun = time.monotonic_ns()
        process = self.start(contender, "pass")
        try:
            if not listens(self.ports.test, process):
                return None
            out, _ = load.communicate(timeout=30)
            answered = pairs(out).get("answered_at_ns", 0)
            time.sleep(1)
            return {"first": (answered - begun) / 1e6,
                    "idle": status_mib(process.pid, "VmRSS")}
        finally:
            load.kill()
            stop(process)
            stop(sink)

    def allocations(self, scenario):
        path = os.path.join(self.folder, "allocations")
        shape = ["--spans", SCENARIOS[scenario][2]]

        def read():
            with open(path, "rb") as f:
                with mmap.mmap(f.fileno(), 8, prot=mmap.PROT_READ) as m:
                    return struct.unpack("=Q", m[:8])[0]

        def measure(_):
            self.load("--seconds", 0.5, *shape)
            self.settled()
            before = read()
            got = self.load("--seconds", 1, *shape)
            self.settled()
            return (read() - before) / max(got["spans_ok"], 1)
        return self.with_both("weir", scenario, measure,
                              LD_PRELOAD=os.path.abspath(
                                  self.tool("alloc_count.so")),
                              ALLOC_COUNT=path)

# --- The table --------------------------------------------------------------


def median(rows, key):
    values = [row[key] for row in rows if row]
    return statistics.median(values) if values else None


def ratio(value, base):
    return f"{value / base:.2f}" if value and base else "–"


def throughput_table(results, scenarios, contenders):
    print("| scenario, spans a request | contender | CPU-s per million spans "
          "| spread | spans/s | to the relay | to the Go collector | peak RSS "
          "|\n|---|---|---:|---:|---:|---:|---:|---:|")
    for s in scenarios:
        def cpu(c, at=s):
            return median(results.get((c, at), []), "cpu")
        floor = cpu("relay", "pass10" if SCENARIOS[s][2] == 10 else "pass")
        for c in contenders:
            rows = [r for r in results.get((c, s), []) if r]
            if not rows:
                continue
            all_cpu = [r["cpu"] for r in rows]
            print(f"| {SCENARIOS[s][0]} | {c} | {cpu(c):.2f} "
                  f"| {min(all_cpu):.2f}–{max(all_cpu):.2f} "
                  f"| {median(rows, 'rate'):,.0f} | {ratio(cpu(c), floor)} "
                  f"| {ratio(cpu(c), cpu('otelcol'))} "
                  f"| {median(rows, 'peak'):.0f} MiB |")
            bad = sum(r["failed"] + max(r["lost"], 0) for r in rows)
            if bad:
                print(f"bench: {c}, {s}: {bad:.0f} failed or lost",
                      file=sys.stderr)


def moment_table(moments, contenders):
    print("\n| contender | p50 | p99 | idle RSS | exec to first answer |\n"
          "|---|---:|---:|---:|---:|")
    for c in contenders:
        rows = [r for r in moments.get(c, []) if r]
        if rows:
            print(f"| {c} | {median(rows, 'p50'):.0f} µs "
                  f"| {median(rows, 'p99'):.0f} µs "
                  f"| {median(rows, 'idle'):.1f} MiB "
                  f"| {median(rows, 'first'):.1f} ms |")


def parse():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--build", default=os.path.join(HERE, "..", "build"))
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--seconds", type=float, default=3)
    p.add_argument("--only", type=lambda s: s.split(","))
    p.add_argument("--scenarios", type=lambda s: s.split(","))
    p.add_argument("--quick", action="store_true",
                   help="one short round of two scenarios")
    args = p.parse_args()
    if args.quick:
        args.rounds, args.seconds = 1, 1
        args.scenarios = args.scenarios or ["pass", "attributes"]
    args.scenarios = args.scenarios or list(SCENARIOS)
    return args


def main():
    args = parse()
    bench = Bench(args)
    bench.build_tools()
    contenders, results, moments = bench.contenders(), {}, {}
    try:
        for n in range(args.rounds):
            for s in args.scenarios:
                for c in contenders:
                    if bench.fits(c, s):
                        print(f"round {n + 1}: {s}, {c}", file=sys.stderr)
                        results.setdefault((c, s), []).append(
                            bench.throughput(c, s))
            for c in contenders:
                print(f"round {n + 1}: latency, {c}", file=sys.stderr)
                late, first = bench.latency(c), bench.first(c)
                moments.setdefault(c, []).append(
                    {**late, **first} if late and first else None)
        with open("/proc/cpuinfo") as f:
            model = next((line.split(":")[1].strip() for line in f
                          if line.startswith("model name")), "unknown")
        print(f"{model}, {len(CORES)} cores; {args.rounds} rounds of "
              f"{args.seconds:g} s, median; 582 bytes a span, 2 % with a "
              "secret.\n")
        throughput_table(results, args.scenarios, contenders)
        print("\nLatency at 3,000 requests/s of 10 spans, from when each was "
              "due; memory; start:")
        moment_table(moments, contenders)
        if "weir" in contenders:
            print("\n| weir | allocations per span |\n|---|---:|")
            for s in args.scenarios:
                n = bench.allocations(s) if not SCENARIOS[s][3] else None
                if n is not None:
                    print(f"| {SCENARIOS[s][0]} | {n:.4f} |")
    finally:
        shutil.rmtree(bench.folder, ignore_errors=True)


if __name__ == "__main__":
    main()
