#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs every contender in turn, on one core, and prints the README's tables.

    bench/run.py [--build build] [--rounds 3] [--seconds 2] [--only NAME,...]
                 [--scenarios NAME,...] [--overload-seconds 10]
                 [--no-moments] [--no-allocations] [--quick] [--micro]

Rounds are interleaved (every contender once, then again) and the median
counts, because the machine drifts.  --quick: one short round of two scenarios.
--micro: parts alone, in memory.  What each scenario is, and how to read the
tables: bench/README.md.
"""
import argparse
import os
import sys

import floors
import measure
import micro
import report
import tail
from processes import CORES, note
from scenarios import SCENARIOS, STEADY
from stage import HERE, Stage

ALL = [*SCENARIOS, "tail"]


def parse():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--build", default=os.path.join(HERE, "..", "build"))
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--seconds", type=float, default=2)
    p.add_argument("--warmup", type=float, default=1)
    p.add_argument("--overload-seconds", type=float, default=10,
                   help="0: leave it out; 60 for the README")
    p.add_argument("--no-moments", dest="moments", action="store_false",
                   help="no latency and start")
    p.add_argument("--no-allocations", dest="allocations",
                   action="store_false")
    p.add_argument("--only", type=lambda s: s.split(","))
    p.add_argument("--scenarios", type=lambda s: s.split(","),
                   help="of " + ",".join(ALL) + "; or none")
    p.add_argument("--quick", action="store_true",
                   help="one short round of two scenarios")
    p.add_argument("--micro", action="store_true",
                   help="parts in memory, nothing else")
    args = p.parse_args()
    if args.quick:
        args.rounds, args.seconds, args.warmup = 1, 1, 0.5
        args.overload_seconds = min(args.overload_seconds, 4)
        args.scenarios = args.scenarios or ["pass", "attributes"]
    args.scenarios = args.scenarios or ALL
    unknown = set(args.scenarios) - {*ALL, "none"}
    if unknown:
        p.error(f"no such scenario: {', '.join(sorted(unknown))}")
    args.tail = "tail" in args.scenarios
    args.scenarios = [s for s in args.scenarios if s in SCENARIOS]
    return args


def fits(contender, scenario, n):
    """Whether it takes part in round n."""
    if contender == "otelcol":
        return scenario.go == "rounds" or (scenario.go == "once" and n == 1)
    return contender == "weir" or (scenario.bare and scenario.go == "rounds")


def tail_parts(contenders, n):
    """The Go collector takes part in the first round: it takes long."""
    ours = [("weir", s) for s in STEADY]
    go = [("otelcol", "tail_pass"), ("otelcol", "tail")] if n == 1 else []
    return [part for part in ours + go if part[0] in contenders]


def one_round(stage, args, found, n):
    for s in args.scenarios:
        for c in found.contenders:
            if fits(c, SCENARIOS[s], n):
                note(f"round {n}: {s}, {c}")
                found.add(found.work, (c, s),
                          measure.throughput(stage, args, c, s))
    for c, s in tail_parts(found.contenders, n) if args.tail else ():
        note(f"round {n}: {s}, {c}")
        found.add(found.tail, (c, s), tail.steady(stage, c, s))
    for c in found.contenders if args.moments else ():
        note(f"round {n}: latency and start, {c}")
        found.add(found.late, c, measure.latency(stage, args, c))
        found.add(found.begin, c, measure.first(stage, c))


def weir_alone(stage, args, found):
    for s in args.scenarios if args.allocations else ():
        if SCENARIOS[s].counted:
            note(f"allocations: {s}")
            found.add(found.allocated, s, measure.allocations(stage, args, s))
    for times in (0.95, 4) if args.overload_seconds else ():
        note(f"overload: {times} times")
        found.add(found.over, times, measure.overload(
            stage, "weir", times, args.overload_seconds))


def say(found, args):
    """Prints everything; ends with 1 when figures are worthless."""
    with open("/proc/cpuinfo") as f:
        model = next((line.split(":")[1].strip() for line in f
                      if line.startswith("model name")), "unknown")
    print(f"{model}, {len(CORES)} cores; {args.rounds} rounds of "
          f"{args.seconds:g} s, median; 582 bytes a span, 2 % with secrets "
          "unless said.")
    found.print()
    if "weir" in found.contenders:
        floors.print_floors(found)
    for text in found.flaws():
        note(text)
    wrong = list(found.wrong())
    for text in wrong:
        note(f"wrong: {text}")
    sys.exit(1 if wrong else 0)


def main():
    args = parse()
    stage = Stage(args.build, args.only)
    try:
        stage.build_tools()
        if args.micro:
            micro.run(stage)
            return
        found = report.Results(stage.contenders())
        for n in range(args.rounds):
            one_round(stage, args, found, n + 1)
        if "weir" in found.contenders:
            weir_alone(stage, args, found)
        say(found, args)
    finally:
        stage.close()


if __name__ == "__main__":
    main()
