#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs every contender in turn, on one core, and prints the README's tables.

    bench/run.py [--build build] [--rounds 3] [--seconds 2] [--only NAME,...]
                 [--scenarios NAME,...] [--overload-seconds 10]
                 [--quick] [--micro]

The contender has the last core, load generator and sink have the first.
Rounds are interleaved (every contender once, then again) and the median
counts, because the machine drifts; what happens while a run warms up does not
count.  CPU is the contender's own: user and system time of the process, from
/proc, per million spans answered OK.  --quick: one short round of two
scenarios.  --micro: the walk, the runs and the tail sampler alone, in memory.
"""
import argparse
import glob
import mmap
import os
import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple

import report

HERE = os.path.dirname(os.path.abspath(__file__))
TICK = os.sysconf("SC_CLK_TCK")
CORES = sorted(os.sched_getaffinity(0))
LOAD_CORE, TEST_CORE = CORES[0], CORES[-1]

CC = (os.environ.get("CC", "cc"), "-std=c11", "-O2", "-Wall", "-Wextra",
      "-D_GNU_SOURCE")

TOOLS = (
    ("relay", ["relay.c"], []),
    ("sink", ["sink.c", "load.c"], ["-lnghttp2"]),
    ("httpsink", ["httpsink.c", "load.c"], []),
    ("loadgen", ["loadgen.c", "load.c", "spans.c", "retry_info.c"],
     ["-lnghttp2", "-ldeflate"]),
    ("httpload", ["httpload.c", "load.c", "spans.c"], ["-ldeflate"]),
    ("alloc_count.so", ["alloc_count.c"], ["-shared", "-fPIC"]),
)

# --- What is configured -----------------------------------------------------

THREE = ("api_key", "user_email", "token")


def deletes(keys):
    return {"actions": [{"key": key, "action": "delete"} for key in keys]}


# A list of words, as in otel-config.yaml, and what needs a regular expression.
WORDS = "^(" + "|".join(THREE) + ")$"
PATTERN = r"(?i)(api[_-]?key|user_email|\btoken$)"
PROCESSORS = {
    "attributes": {"attributes": deletes(THREE)},
    "redaction": {"redaction": {"allow_all_keys": True,
                                "blocked_key_patterns": [PATTERN]}},
    "words": {"redaction": {"allow_all_keys": True,
                            "blocked_key_patterns": [WORDS]}},
    "upsert": {"attributes/up": {"actions": [
        {"key": "deployment.region", "value": "eu-central-1",
         "action": "upsert"}]}},
    # Three kinds in three .so files; `words` alone changes the same three
    # attributes.
    "three": {"attributes/1": deletes(("api_key", "token")),
              "resource": {"attributes": [{"key": "token",
                                           "action": "delete"}]},
              "redaction": {"allow_all_keys": True,
                            "blocked_key_patterns": ["^user_email$"]}},
}

# A backend of 50,000 spans/s, and what may be held when 200,000 come.
OVERLOAD = {"rate": 50_000, "queue_size": 8 << 20, "limit_mib": 64}



class Scenario(NamedTuple):
    title: str
    processors: str | None
    spans: int                  # a request
    gzip: bool = False          # in and out
    http: str | None = None     # OTLP/HTTP in: "protobuf", "json"
    http_out: bool = False      # ... and out

    @property
    def counted(self):
        """The sink can count the spans that come out."""
        return not self.gzip and not self.http_out


SCENARIOS = {
    "pass": Scenario("pass-through, 512", None, 512),
    "pass10": Scenario("pass-through, 10", None, 10),
    "attributes": Scenario("`attributes`, three deletes, 512", "attributes",
                           512),
    "attributes10": Scenario("`attributes`, three deletes, 10", "attributes",
                             10),
    "words": Scenario("`redaction`, three keys as one list, 512", "words",
                      512),
    "redaction": Scenario("`redaction`, one key pattern, 512", "redaction",
                          512),
    "three": Scenario("`attributes`, `resource` and `redaction`, 512",
                      "three", 512),
    "upsert": Scenario("an upsert on every span, 512", "upsert", 512),
    "gzip": Scenario("gzip in and out, `attributes`, 512", "attributes", 512,
                     gzip=True),
    "http": Scenario("OTLP/HTTP protobuf in, `attributes`, 512", "attributes",
                     512, http="protobuf"),
    "json": Scenario("OTLP/HTTP JSON in, `attributes`, 512", "attributes",
                     512, http="json"),
    "httpgzip": Scenario("OTLP/HTTP gzip in and out, `attributes`, 512",
                         "attributes", 512, gzip=True, http="protobuf",
                         http_out=True),
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


def receiver(http, port):
    at = {"endpoint": f"127.0.0.1:{port}"}
    if http:
        return {"http": {**at, "max_request_body_size": 64 << 20}}
    return {"grpc": {**at, "max_recv_msg_size_mib": 64}}


def exporter(http, gzip, port, more):
    kind, at = (("otlphttp", f"http://127.0.0.1:{port}") if http else
                ("otlp", f"127.0.0.1:{port}"))
    return {kind: {"endpoint": at, "compression": "gzip" if gzip else "none",
                   "tls": {"insecure": True}, **more}}


def collector_yaml(name, ports, ours):
    if name == "sidecar":
        return sidecar_yaml(ports, ours)
    stages, more, scenario = {}, {}, SCENARIOS["pass"]
    if name == "overload":
        stages["memory_limiter"] = {
            "check_interval": "1s", "limit_mib": OVERLOAD["limit_mib"],
            "spike_limit_mib": OVERLOAD["limit_mib"] // 4}
        more["sending_queue"] = {"sizer": "bytes",
                                 "queue_size": OVERLOAD["queue_size"]}
    else:
        scenario = SCENARIOS[name]
        stages.update(PROCESSORS[scenario.processors] if scenario.processors
                      else {})
    stages["batch"] = {}
    out = exporter(scenario.http_out, scenario.gzip, ports.sink, more)
    service = {
        "telemetry": {"metrics": {"level": "none"},
                      "logs": {"level": "error"}},
        "pipelines": {"traces": {"receivers": ["otlp"],
                                 "processors": list(stages),
                                 "exporters": list(out)}}}
    if ours:
        service["workers"] = 1
    return dump({"receivers": {"otlp": {"protocols":
                                        receiver(scenario.http, ports.test)}},
                 "processors": stages, "exporters": out, "service": service})


def sidecar_yaml(ports, ours):
    """configs/sidecar.yaml, but for the ports; for the Collector without the
    keys of `redaction` that it does not have."""
    with open(os.path.join(HERE, "..", "configs", "sidecar.yaml")) as f:
        text = f.read()
    reader = {"service": {"telemetry": {"metrics": {"readers": [
        {"pull": {"exporter": {"prometheus": {
            "host": "127.0.0.1", "port": ports.metrics}}}}]}}}}
    text = text.replace("127.0.0.1:4317", f"127.0.0.1:{ports.test}")
    text = text.replace("127.0.0.1:4318", "127.0.0.1:0")
    if not ours:
        text = re.sub(r"^    (levels|detectors|structured_strings|content):.*\n"
                      r"(      .*\n)*", "", text, flags=re.M)
    return re.sub(r"^service:\n", dump(reader), text, flags=re.M)


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
    """Four free ports that no outgoing connection is given by chance: who
    connects before somebody listens could otherwise meet himself."""

    def __init__(self):
        with open("/proc/sys/net/ipv4/ip_local_port_range") as f:
            top = int(f.read().split()[0])
        held = []
        for name in ("sink", "control", "test", "metrics"):
            s = socket.socket()
            while s.getsockname()[1] == 0:
                try:
                    s.bind(("127.0.0.1", random.randrange(10_000, top)))
                except OSError:
                    pass
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
    """The child inherits the core; a helper in between would cost time."""
    os.sched_setaffinity(0, {core})
    try:
        return subprocess.Popen(argv, **kw)
    finally:
        os.sched_setaffinity(0, CORES)


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


def note(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


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
        os.makedirs(self.tools, exist_ok=True)
        for name, sources, more in TOOLS:
            paths = [os.path.join(HERE, s) for s in sources]
            out = self.tool(name)
            if not os.path.exists(out) or os.path.getmtime(out) < max(
                    map(os.path.getmtime, paths)):
                subprocess.run([*CC, "-o", out, *paths, *more], check=True)

    def tool(self, name):
        return os.path.join(self.tools, name)

    def contenders(self):
        paths = {
            "relay": (self.tool("relay"), ""),
            "nginx": (shutil.which("nginx") or "/usr/sbin/nginx",
                      "tools/setup bench installs it"),
            "otelcol": (os.path.join(self.args.build, "peers", "otelcol"),
                        "make peers builds it"),
            "weir": (os.path.join(self.args.build, "weir"),
                     "make builds it")}
        found = []
        for name, (path, how) in paths.items():
            if self.args.only and name not in self.args.only:
                continue
            if os.path.exists(path):
                setattr(self, name, path)
                found.append(name)
            else:
                note(f"{name} is not here and left out; {how}")
        return found

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

    def sink(self, *more, program="sink"):
        p = pinned(LOAD_CORE, [self.tool(program), "--port",
                               str(self.ports.sink), "--control",
                               str(self.ports.control), *map(str, more)],
                   stdout=subprocess.PIPE, text=True)
        if not listens(self.ports.sink, p):
            sys.exit("bench: the sink does not start")
        return p

    def counts(self):
        at = ("127.0.0.1", self.ports.control)
        with socket.create_connection(at, timeout=10) as s:
            return pairs(s.makefile().read())

    def loading(self, *more, program="loadgen"):
        return pinned(LOAD_CORE, [self.tool(program), "--port",
                                  str(self.ports.test), *map(str, more)],
                      stdout=subprocess.PIPE, text=True)

    def load(self, *more, program="loadgen"):
        load = self.loading(*more, program=program)
        try:
            return pairs(load.communicate(timeout=60)[0])
        finally:
            load.kill()

    def settled(self):
        """Waits until nothing arrives at the sink any more."""
        last, end = None, time.monotonic() + 10
        while time.monotonic() < end:
            now = self.counts()["requests"]
            if now == last:
                return
            last = now
            time.sleep(0.3)

    # --- What is measured ---------------------------------------------------

    def with_both(self, contender, scenario, measure, sink=(), **env):
        out = getattr(SCENARIOS.get(scenario), "http_out", False)
        sink = self.sink(*sink, program="httpsink" if out else "sink")
        process = self.start(contender, scenario, **env)
        try:
            if listens(self.ports.test, process):
                return measure(process)
            note(f"{contender}, {scenario}: does not listen")
            return None
        except (OSError, subprocess.TimeoutExpired) as e:
            note(f"{contender}, {scenario}: {e}")
            return None
        finally:
            stop(process)
            stop(sink)

    def json_lines(self, spans):
        """A file of requests as OTLP/JSON, made by a weir that writes what
        it gets."""
        path = os.path.join(self.folder, f"spans-{spans}.jsonl")
        if os.path.exists(path):
            return path
        config = os.path.join(self.folder, "lines")
        with open(config, "w") as f:
            f.write(dump({
                "receivers": {"otlp": {"protocols":
                                       receiver(None, self.ports.test)}},
                "exporters": {"file": {"path": path}},
                "service": {"workers": 1, "telemetry": {
                    "metrics": {"level": "none"},
                    "logs": {"level": "error"}},
                    "pipelines": {"traces": {"receivers": ["otlp"],
                                             "exporters": ["file"]}}}}))
        process = pinned(TEST_CORE, [os.path.join(self.args.build, "weir"),
                                     "--config", config],
                         stdout=subprocess.DEVNULL)
        try:
            if not listens(self.ports.test, process):
                sys.exit("bench: no weir that makes OTLP/JSON")
            self.load("--spans", spans, "--seconds", 0.3)
        finally:
            stop(process)
        return path

    def shape(self, scenario):
        """The load generator, and how it is told what to send."""
        shape = ["--spans", scenario.spans,
                 *(["--gzip"] if scenario.gzip else [])]
        if scenario.http == "json":
            shape += ["--json", self.json_lines(scenario.spans)]
        if scenario.http:
            return "httpload", shape
        # Few spans in flight would measure the scheduler, not the work.
        return "loadgen", shape + ["--window",
                                   8 if scenario.spans > 100 else 64]

    def throughput(self, contender, name):
        scenario = SCENARIOS[name]
        program, shape = self.shape(scenario)

        def measure(process):
            self.load("--seconds", self.args.warmup, *shape, program=program)
            self.settled()
            cpu, sunk = cpu_seconds(process.pid), self.counts()["spans"]
            got = self.load("--seconds", self.args.seconds, *shape,
                            program=program)
            self.settled()
            cpu = cpu_seconds(process.pid) - cpu
            if not got.get("spans_ok"):
                return None
            return {"cpu": cpu * 1e6 / got["spans_ok"],
                    "rate": got["spans_per_s"], "failed": got["failed"],
                    "lost": got["spans_ok"] -
                    (self.counts()["spans"] - sunk)
                    if scenario.counted else 0,
                    "peak": status_mib(process.pid, "VmHWM")}
        return self.with_both(contender, name, measure)

    def latency(self, contender):
        def measure(_):
            got = self.load("--warmup", self.args.warmup, "--seconds",
                            self.args.warmup + self.args.seconds, "--spans",
                            10, "--rate", 3000, "--window", 256)
            return {"p50": got["p50_us"], "p99": got["p99_us"]}
        return self.with_both(contender, "pass10", measure)

    def first(self, contender):
        """exec to first answer, then the memory of the idle process."""
        scenario = "sidecar" if self.fits(contender, "sidecar") else "pass"
        sink = self.sink()
        load = self.loading("--first", "--spans", 10, "--seconds", 20)
        begun = time.monotonic_ns()
        process = self.start(contender, scenario,
                             GATEWAY=f"127.0.0.1:{self.ports.sink}")
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

    def overload(self, contender, times, seconds):
        """The load offers `times` what the sink can answer."""
        def measure(process):
            load = self.loading(
                "--retry", "--connections", 8, "--window", 256, "--warmup", 2,
                "--seconds", 2 + seconds, "--spans", 512,
                "--rate", OVERLOAD["rate"] * times / 512)
            time.sleep(2)
            before = self.counts()
            time.sleep(seconds - 0.5)
            after, rss = self.counts(), status_mib(process.pid, "VmHWM")
            got = pairs(load.communicate(timeout=60)[0])
            spans = after["spans_ok"] - before["spans_ok"]
            return {"goodput": spans * 1e9 / OVERLOAD["rate"] /
                    (after["at_ns"] - before["at_ns"]), "rss": rss, **got}
        return self.with_both(contender, "overload", measure,
                              sink=("--rate", OVERLOAD["rate"]))

    def allocations(self, scenario):
        path = os.path.join(self.folder, "allocations")
        program, shape = self.shape(SCENARIOS[scenario])

        def read():
            with open(path, "rb") as f:
                with mmap.mmap(f.fileno(), 8, prot=mmap.PROT_READ) as m:
                    return struct.unpack("=Q", m[:8])[0]

        def measure(_):
            self.load("--seconds", self.args.warmup, *shape, program=program)
            self.settled()
            before = read()
            got = self.load("--seconds", 1, *shape, program=program)
            self.settled()
            return {"span": (read() - before) / max(got["spans_ok"], 1),
                    "request": (read() - before) / max(got["ok"], 1)}
        return self.with_both("weir", scenario, measure,
                              LD_PRELOAD=os.path.abspath(
                                  self.tool("alloc_count.so")),
                              ALLOC_COUNT=path)

    # --- In memory -----------------------------------------------------------

    def micro(self):
        root = os.path.join(HERE, "..")
        objects = sorted(
            os.path.join(self.args.build, f"{source[len(root) + 1:-2]}.o")
            for source in glob.glob(os.path.join(root, "core/*/*.c"))
            if not source.endswith("/main.c"))
        proto = os.path.join(self.args.build, "proto")
        subprocess.run(["make", "-s", "-C", root, os.path.relpath(
            os.path.join(proto, ".made"), root)], check=True)
        schema = [os.path.join(proto, f) for f in os.listdir(proto)
                  if f.endswith(".c")]
        support = ("otlp_gen", "otlp_typical", "otlp_unusual")
        sampler = os.path.join(self.args.build, "processors/tail_sampling")
        more = {"micro_tail": [os.path.join(sampler, f) for f in sorted(os.listdir(sampler))
                               if f.endswith(".o")] + [os.path.join(
                                   self.args.build, "plugins/kit/tracestate.o")]}
        for name in ("micro_walk", "micro_run", "micro_tail"):
            subprocess.run(
                [*CC, f"-I{proto}", f"-I{root}/core", f"-I{root}/plugins/include", "-o",
                 self.tool(name), f"{HERE}/{name}.c",
                 *(f"{root}/tests/support/{s}.c" for s in support), *schema,
                 *objects, *more.get(name, ()), "-lprotobuf-c", "-luv", "-lyaml", "-pthread", "-ldl", "-lm"], check=True)
            print(f"\n{name}:", flush=True)
            process = pinned(TEST_CORE, [self.tool(name)])
            if process.wait():
                sys.exit(f"bench: {name} fails")


def parse():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--build", default=os.path.join(HERE, "..", "build"))
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--seconds", type=float, default=2)
    p.add_argument("--warmup", type=float, default=1)
    p.add_argument("--overload-seconds", type=float, default=10,
                   help="0: leave it out; 60 for the README")
    p.add_argument("--only", type=lambda s: s.split(","))
    p.add_argument("--scenarios", type=lambda s: s.split(","),
                   help="of " + ",".join(SCENARIOS) + "; or none")
    p.add_argument("--quick", action="store_true",
                   help="one short round of two scenarios")
    p.add_argument("--micro", action="store_true",
                   help="the walk and the runs alone, nothing else")
    args = p.parse_args()
    if args.quick:
        args.rounds, args.seconds, args.warmup = 1, 1, 0.5
        args.overload_seconds = min(args.overload_seconds, 4)
        args.scenarios = args.scenarios or ["pass", "attributes"]
    args.scenarios = args.scenarios or list(SCENARIOS)
    unknown = set(args.scenarios) - set(SCENARIOS) - {"none"}
    if unknown:
        p.error(f"no such scenario: {', '.join(sorted(unknown))}")
    args.scenarios = [s for s in args.scenarios if s != "none"]
    return args


def measure(bench, contenders):
    """Everything, as report.py wants it."""
    args, found = bench.args, report.Results(SCENARIOS, OVERLOAD, contenders)
    for n in range(args.rounds):
        for s in args.scenarios:
            for c in contenders:
                if bench.fits(c, s):
                    note(f"round {n + 1}: {s}, {c}")
                    found.add(found.work, (c, s), bench.throughput(c, s))
        for c in contenders:
            note(f"round {n + 1}: latency and start, {c}")
            found.add(found.late, c, bench.latency(c))
            found.add(found.begin, c, bench.first(c))
    if "weir" not in contenders:
        return found
    for s in args.scenarios:
        if SCENARIOS[s].counted:
            note(f"allocations: {s}")
            found.add(found.allocated, s, bench.allocations(s))
    for times in (0.95, 4) if args.overload_seconds else ():
        note(f"overload: {times} times")
        found.add(found.over, times,
                  bench.overload("weir", times, args.overload_seconds))
    return found


def main():
    args = parse()
    bench = Bench(args)
    try:
        bench.build_tools()
        if args.micro:
            bench.micro()
            return
        found = measure(bench, bench.contenders())
        with open("/proc/cpuinfo") as f:
            model = next((line.split(":")[1].strip() for line in f
                          if line.startswith("model name")), "unknown")
        print(f"{model}, {len(CORES)} cores; {args.rounds} rounds of "
              f"{args.seconds:g} s, median; 582 bytes a span, 2 % with "
              "secrets.")
        found.print()
    finally:
        shutil.rmtree(bench.folder, ignore_errors=True)


if __name__ == "__main__":
    main()
