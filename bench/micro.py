# SPDX-License-Identifier: Apache-2.0
"""The parts alone, in memory: builds micro_*.c against core's objects and runs
each on the contender's core.  No network, no second process.
"""
import glob
import os
import subprocess
import sys

from processes import TEST_CORE, pinned
from stage import CC, HERE

ROOT = os.path.join(HERE, "..")
LIBRARIES = ("-lprotobuf-c", "-luv", "-lyaml", "-pthread", "-ldl", "-lm")
SUPPORT = ("otlp_gen", "otlp_typical", "otlp_unusual")


def objects(build):
    """Everything of core but main()."""
    return sorted(
        os.path.join(build, f"{source[len(ROOT) + 1:-2]}.o")
        for source in glob.glob(os.path.join(ROOT, "core/*/*.c"))
        if not source.endswith("/main.c"))


def sampler(build):
    folder = os.path.join(build, "processors/tail_sampling")
    return [*sorted(glob.glob(f"{folder}/*.o")),
            os.path.join(build, "plugins/kit/tracestate.o")]


def run(stage):
    build = stage.build
    proto = os.path.join(build, "proto")
    subprocess.run(["make", "-s", "-C", ROOT, os.path.relpath(
        os.path.join(proto, ".made"), ROOT)], check=True)
    common = [*(f"{ROOT}/tests/support/{s}.c" for s in SUPPORT),
              *glob.glob(f"{proto}/*.c"), *objects(build)]
    for name, more in (("micro_walk", []), ("micro_run", []),
                       ("micro_tail", sampler(build))):
        subprocess.run(
            [*CC, f"-I{proto}", f"-I{ROOT}/core",
             f"-I{ROOT}/plugins/include", "-o", stage.tool(name),
             f"{HERE}/{name}.c", *common, *more, *LIBRARIES], check=True)
        print(f"\n{name}:", flush=True)
        if pinned(TEST_CORE, [stage.tool(name)]).wait():
            sys.exit(f"bench: {name} fails")
