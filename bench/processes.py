# SPDX-License-Identifier: Apache-2.0
"""Processes and the machine: who runs on which core, free ports, and what
/proc says that a process took.  Knows nothing of what is measured.

The contender has the last core alone; load generator and sink have the first.
"""
import glob
import os
import random
import signal
import socket
import subprocess
import sys
import time

CORES = sorted(os.sched_getaffinity(0))
LOAD_CORE, TEST_CORE = CORES[0], CORES[-1]


def note(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def pairs(text):
    """What the tools print: a key=value a line."""
    return {k: float(v) for k, v in
            (line.split("=", 1) for line in text.split() if "=" in line)}


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
    """User and system time of all its threads, to the nanosecond: utime and
    stime count ticks of 10 ms."""
    total = 0
    for path in glob.glob(f"/proc/{pid}/task/*/schedstat"):
        with open(path) as f:
            total += int(f.read().split()[0])
    return total / 1e9


def status_mib(pid, key):
    with open(f"/proc/{pid}/status") as f:
        for line in f:
            if line.startswith(key + ":"):
                return int(line.split()[1]) / 1024
    return 0.0
