#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs every contender in turn, on one core, and prints the README's tables.

    bench/run.py [--build build] [--rounds 3] [--seconds 2] [--only NAME,...]
                 [--scenarios NAME,...] [--overload-seconds 10]
                 [--quick] [--micro]

Rounds are interleaved (every contender once, then again) and the median
counts, because the machine drifts.  --quick: one short round of two scenarios.
--micro: the walk, the runs and the tail sampler alone, in memory.  What each
scenario is, and how to read the tables: bench/README.md.
"""
import argparse
import os

import measure
import micro
import report
from processes import CORES, note
from scenarios import OVERLOAD, SCENARIOS
from stage import HERE, Stage


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


def fits(contender, scenario, n):
    """Whether it takes part in round n."""
    if contender == "otelcol":
        return scenario.go == "rounds" or (scenario.go == "once" and n == 1)
    return contender == "weir" or (scenario.bare and scenario.go == "rounds")


def one_round(stage, args, found, n):
    for s in args.scenarios:
        for c in found.contenders:
            if fits(c, SCENARIOS[s], n):
                note(f"round {n}: {s}, {c}")
                found.add(found.work, (c, s),
                          measure.throughput(stage, args, c, s))
    for c in found.contenders:
        note(f"round {n}: latency and start, {c}")
        found.add(found.late, c, measure.latency(stage, args, c))
        found.add(found.begin, c, measure.first(stage, c))


def weir_alone(stage, args, found):
    for s in args.scenarios:
        if SCENARIOS[s].counted:
            note(f"allocations: {s}")
            found.add(found.allocated, s, measure.allocations(stage, args, s))
    for times in (0.95, 4) if args.overload_seconds else ():
        note(f"overload: {times} times")
        found.add(found.over, times, measure.overload(
            stage, "weir", times, args.overload_seconds))


def main():
    args = parse()
    stage = Stage(args.build, args.only)
    try:
        stage.build_tools()
        if args.micro:
            micro.run(stage)
            return
        found = report.Results(SCENARIOS, OVERLOAD, stage.contenders())
        for n in range(args.rounds):
            one_round(stage, args, found, n + 1)
        if "weir" in found.contenders:
            weir_alone(stage, args, found)
        with open("/proc/cpuinfo") as f:
            model = next((line.split(":")[1].strip() for line in f
                          if line.startswith("model name")), "unknown")
        print(f"{model}, {len(CORES)} cores; {args.rounds} rounds of "
              f"{args.seconds:g} s, median; 582 bytes a span, 2 % with "
              "secrets.")
        found.print()
    finally:
        stage.close()


if __name__ == "__main__":
    main()
