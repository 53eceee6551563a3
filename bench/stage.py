# SPDX-License-Identifier: Apache-2.0
"""The stage on which one measurement plays: a sink, a contender, a load
generator, started on their cores and stopped again.  Holds the ports and a
folder for configurations and logs; keeps no figures.
"""
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

import configuration
from processes import (LOAD_CORE, TEST_CORE, Ports, listens, note, pairs,
                       pinned, stop)
from scenarios import SCENARIOS

HERE = os.path.dirname(os.path.abspath(__file__))
CC = (os.environ.get("CC", "cc").split() +
      ["-std=c11", "-O2", "-Wall", "-Wextra", "-D_GNU_SOURCE"])
TOOLS = (
    ("relay", ["relay.c"], []),
    ("sink", ["sink.c", "h2_server.c", "load.c"], ["-lnghttp2"]),
    ("httpsink", ["httpsink.c", "load.c"], []),
    ("loadgen", ["loadgen.c", "h2_client.c", "load.c", "spans.c",
                 "wire_out.c", "traces.c", "retry_info.c"],
     ["-lnghttp2", "-ldeflate"]),
    ("httpload", ["httpload.c", "load.c", "spans.c", "wire_out.c"],
     ["-ldeflate"]),
    ("alloc_count.so", ["alloc_count.c"], ["-shared", "-fPIC"]),
)
HOW = {"relay": "", "nginx": "tools/setup bench installs it",
       "otelcol": "make peers builds it", "weir": "make builds it"}


class Stage:
    def __init__(self, build, only):
        self.build, self.only = build, only
        self.tools = os.path.join(build, "bench")
        self.ports = Ports()
        self.folder = tempfile.mkdtemp(prefix="weir-bench-")
        self.path = {
            "relay": self.tool("relay"),
            "nginx": shutil.which("nginx") or "/usr/sbin/nginx",
            "otelcol": os.path.join(build, "peers", "otelcol"),
            "weir": os.path.join(build, "weir")}

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- What there is ------------------------------------------------------

    def tool(self, name):
        return os.path.join(self.tools, name)

    def build_tools(self):
        """cc, for what is older than its source."""
        os.makedirs(self.tools, exist_ok=True)
        for name, sources, more in TOOLS:
            paths = [os.path.join(HERE, s) for s in sources]
            heads = [p[:-1] + "h" for p in paths]
            out = self.tool(name)
            if not os.path.exists(out) or os.path.getmtime(out) < max(
                    map(os.path.getmtime,
                        filter(os.path.exists, paths + heads))):
                subprocess.run([*CC, "-o", out, *paths, *more], check=True)

    def contenders(self):
        found = []
        for name, path in self.path.items():
            if self.only and name not in self.only:
                continue
            if os.path.exists(path):
                found.append(name)
            else:
                note(f"{name} is not here and left out; {HOW[name]}")
        return found

    # --- Who plays ----------------------------------------------------------

    def command(self, contender, scenario):
        program, ports = self.path[contender], self.ports
        if contender == "relay":
            return [program, str(ports.test), str(ports.sink)]
        path = os.path.join(self.folder, f"{contender}-{scenario}")
        if contender == "nginx":
            text = configuration.nginx_conf(ports, self.folder)
            argv = [program, "-e", f"{self.folder}/error.log", "-c", path]
        else:
            text = configuration.collector_yaml(scenario, ports,
                                                contender == "weir")
            argv = [program, "--config", path]
        with open(path, "w") as f:
            f.write(text)
        return argv

    def start(self, contender, scenario, **env):
        env = {**os.environ, **env}
        if contender == "otelcol":
            env["GOMAXPROCS"] = "1"
        with open(os.path.join(self.folder, f"{contender}.log"), "wb") as log:
            return pinned(TEST_CORE, self.command(contender, scenario),
                          env=env, stdout=log, stderr=log)

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

    def settled(self, quiet=0.3, seconds=10):
        """Waits until nothing arrives at the sink any more."""
        last, end = None, time.monotonic() + seconds
        while time.monotonic() < end:
            now = self.counts()["requests"]
            if now == last:
                return
            last = now
            time.sleep(quiet)

    def with_both(self, contender, scenario, measure, sink=(), **env):
        """What measure(process) returns, between a sink and a contender; None
        with a note when that does not work."""
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
