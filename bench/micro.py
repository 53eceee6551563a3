# SPDX-License-Identifier: Apache-2.0
"""The parts alone, in memory: builds micro_*.c and runs each on the contender's
core.  No network, no second process.

What looks into core or kit is linked with their objects; the others have what
a plugin has, the contract.
"""
import glob
import os
import subprocess
import sys

from processes import TEST_CORE, pinned
from stage import CC, HERE

ROOT = os.path.abspath(os.path.join(HERE, ".."))
SUPPORT = [f"{ROOT}/tests/support/otlp_{kind}.c"
           for kind in ("gen", "typical", "unusual")]


def core(build):
    """Everything of core but main()."""
    return [path for path in sorted(glob.glob(f"{build}/core/*/*.o"))
            if not path.endswith("/main.o")]


def programs(build):
    """Name, and what it is linked with."""
    inside = [*SUPPORT, *core(build), "-luv", "-lyaml"]
    outside = [*SUPPORT, f"-L{build}", "-lweir", "-lcheck",
               f"-Wl,-rpath,{os.path.abspath(build)}"]
    sampler = sorted(glob.glob(f"{build}/processors/tail_sampling/*.o"))
    kit = sorted(glob.glob(f"{build}/plugins/kit/*.o"))
    detectors = sorted(glob.glob(f"{ROOT}/processors/redaction/detect*.c"))
    return (("micro_walk", inside), ("micro_run", inside),
            ("micro_tail", [*inside, *sampler,
                            f"{build}/plugins/kit/tracestate.o"]),
            ("micro_json", [*inside, *kit, "-lnghttp2", "-ldeflate",
                            "-lisal", "-lzstd"]),
            ("micro_detect", [*detectors, *outside]),
            ("micro_redact", outside))


def run(stage):
    build = stage.build
    proto = os.path.join(build, "proto")
    subprocess.run(["make", "-s", "-C", ROOT, os.path.relpath(
        os.path.join(proto, ".made"), ROOT)], check=True)
    schema = sorted(glob.glob(f"{proto}/*.c"))
    for name, more in programs(build):
        subprocess.run(
            [*CC, f"-I{proto}", f"-I{ROOT}/core",
             f"-I{ROOT}/plugins/include", f"-I{ROOT}/plugins/kit", "-o",
             stage.tool(name), f"{HERE}/{name}.c", *schema, *more,
             "-lprotobuf-c", "-pthread", "-ldl", "-lm"], check=True)
        print(f"\n{name}:", flush=True)
        if pinned(TEST_CORE, [os.path.abspath(stage.tool(name))],
                  cwd=ROOT).wait():
            sys.exit(f"bench: {name} fails")
