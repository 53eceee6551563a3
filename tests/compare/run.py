#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""compare/run.py [PATTERN...]: the Go collector and weir side by side.

Every case is one configuration.  Both programs start on it, get the same
requests, and what leaves them is compared as messages.  One line per case;
exits 1 when there is a difference that allowed.py does not explain.
"""
import argparse
import collections
import fnmatch
import json
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import canon
import cases_attributes
import cases_http
import cases_pipelines
import cases_redaction
from allowed import ALLOWED
from generate import all_texts, requests
from sides import PATIENCE, PEER, Side

MODULES = (cases_pipelines, cases_http, cases_attributes, cases_redaction)
SHOWN = 5       # differences of one case


class Difference:
    def __init__(self, where, path, go, weir):
        self.where, self.path, self.go, self.weir = where, path, go, weir

    def __str__(self):
        return f"{self.where}{self.path}: go {self.go!r:.300}, weir {self.weir!r:.300}"


class Run:
    """One case."""

    def __init__(self, case, options):
        self.case = case
        self.n = case.requests or options.requests
        self.seed = options.seed
        self.found = []         # Difference
        self.explained = collections.Counter()
        self.compared = 0

    def differ(self, where, path, go, weir):
        for i, allowed in enumerate(ALLOWED):
            if allowed.fits(self.case.name, path, go, weir):
                self.explained[i] += 1
                return
        self.found.append(Difference(where, path, go, weir))

    def trees(self, where, go, weir):
        self.compared += 1
        if go == weir:
            return
        for path, a, b in canon.differences(go, weir):
            self.differ(where, path, a, b)

    def metadata(self, i):
        """x-tenant of request i: a value, several, or none."""
        if not self.case.tenants:
            return ()
        tenant = self.case.tenants[i % len(self.case.tenants)]
        if tenant is None:
            return ()
        values = tenant if isinstance(tenant, tuple) else (tenant,)
        return tuple(("x-tenant", v) for v in values)

    # --- Messages ---------------------------------------------------------------

    def one(self, sides, pool, signal, i, request):
        where = f"{signal} {i}"
        before = [{b: len(s.took(b, signal)) for b in s.backends} for s in sides]
        answers = [f.result() for f in [
            pool.submit(s.send, signal, request, self.metadata(i)) for s in sides]]
        if answers[0] != answers[1]:
            self.differ(where, "answer", *answers)
        for backend in sides[0].backends if self.case.compare == "messages" else ():
            took = [s.took(backend, signal)[n[backend]:]
                    for s, n in zip(sides, before)]
            if len(took[0]) != len(took[1]):
                self.differ(where, "messages", len(took[0]), len(took[1]))
            for a, b in zip(*took):
                self.trees(where, canon.tree(a), canon.tree(b))

    # --- Items --------------------------------------------------------------------

    def all_items(self, sides, signal):
        """Order is kept by each program, but not between several batchers."""
        for backend in sides[0].backends:
            lists = []
            for side in sides:
                took = side.took(backend, signal)
                lists.append([x for m in took for x in canon.items(signal, m)])
                self.sizes(side, signal, took)
            if self.case.tenants:
                for items in lists:
                    items.sort(key=repr)
            self.trees(signal, {"items": lists[0]}, {"items": lists[1]})

    def sizes(self, side, signal, took):
        for message in took:
            items = list(canon.items(signal, message))
            if not items or (self.case.largest and len(items) > self.case.largest):
                self.found.append(Difference(signal, "size", side.name, len(items)))
            if self.case.one_of:
                self.same(side, signal, items)

    def same(self, side, signal, items):
        """All items of one message have the same value there (a metric's
        point, a span, a record)."""
        values = {repr(a.get("value")) for item in items
                  for a in _attributes(item["item"])
                  if a.get("key") == self.case.one_of}
        if len(values) > 1:
            self.found.append(Difference(signal, "mixed", side.name, values))

    # --- Files ----------------------------------------------------------------------

    def files(self, sides):
        """Line by line; the JSON of both is read by Python's."""
        lines = []
        for side in sides:
            side.stop()
            text = (Path(side.dir.name) / self.case.file).read_text()
            lines.append([json.loads(l) for l in text.split("\n") if l])
        if len(lines[0]) != len(lines[1]):
            self.differ("file", "lines", len(lines[0]), len(lines[1]))
        for i, (a, b) in enumerate(zip(*lines)):
            self.trees(f"line {i}", without_empty(a), without_empty(b))

    # --- All of it ------------------------------------------------------------------

    def until(self, sides, signal, request):
        """Sends until both answer as expected; for what a timer switches."""
        end = time.monotonic() + PATIENCE
        for side in sides:
            while side.send(signal, request) != self.case.until:
                if time.monotonic() > end:
                    self.differ(signal, "until", self.case.until, side.name)
                    return

    def go(self):
        """The ports were free when they were chosen: tried again when not."""
        for _ in range(5):
            sides = [Side(name, self.case.text(), relay=self.case.relay, front=self.case.front,
                          backends=self.case.backends)
                     for name in ("go", "weir")]
            try:
                started = [s.started() for s in sides]
                if all(started):
                    self.send(sides)
                    return self
                if not any(s.port_was_taken for s in sides):
                    break
            finally:
                for side in sides:
                    side.close()
        for side, ready in zip(sides, started):
            if not ready:
                self.found.append(Difference(
                    side.name, " does not start", "", side.output[-2000:]))
        return self

    def safely(self):
        """A case that breaks is a case that differs."""
        try:
            return self.go()
        except Exception:
            self.found.append(Difference("harness", "", traceback.format_exc(), ""))
            return self

    def send(self, sides):
        with ThreadPoolExecutor(2) as pool:
            for signal in self.case.signals:
                messages = requests(signal, self.n, self.seed, self.case.odd)
                if self.case.texts and signal != "metrics":
                    messages.insert(0, all_texts(signal))
                if self.case.until:
                    self.until(sides, signal, next(
                        m for m in messages if canon.count(signal, m)))
                for i, request in enumerate(messages):
                    self.one(sides, pool, signal, i, request)
        if self.case.file:
            self.files(sides)
        if self.case.compare == "items":
            for side in sides:
                side.stop()
            for signal in self.case.signals:
                self.all_items(sides, signal)

    def line(self):
        verdict = "DIFFERS" if self.found else "same"
        explained = sum(self.explained.values())
        note = f", {explained} differences explained" if explained else ""
        text = f"{verdict:8}{self.case.name:44}{self.compared:5} compared{note}"
        for difference in self.found[:SHOWN]:
            text += f"\n        {difference}"
        if len(self.found) > SHOWN:
            text += f"\n        and {len(self.found) - SHOWN} more"
        return text


def without_empty(value):
    """Objects and lists that hold nothing say nothing, but in a value: there
    they are of a type."""
    if isinstance(value, dict):
        have = {k: without_empty(v) for k, v in value.items()}
        return {k: v for k, v in have.items()
                if v not in ({}, []) or k.endswith("Value") or k == "values"}
    if isinstance(value, list):
        return [without_empty(v) for v in value]
    return value


def _attributes(item):
    for kind in canon.POINTS:
        if kind in item:
            return item[kind]["point"].get("attributes", [])
    return item.get("attributes", [])


def select(patterns):
    found = [c for module in MODULES for c in module.cases()]
    names = [c.name for c in found]
    assert len(set(names)) == len(names), "two cases of one name"
    return [c for c in found if not patterns or any(
        fnmatch.fnmatchcase(c.name, p) for p in patterns)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("patterns", nargs="*", help="shell patterns of case names")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--requests", type=int, default=25, help="of each signal")
    parser.add_argument("--jobs", type=int, default=3)
    options = parser.parse_args()
    if not PEER.exists():
        sys.exit(f"{PEER} is not there: make peers")
    runs = [Run(c, options) for c in select(options.patterns)]
    used, failed = collections.Counter(), 0
    with ThreadPoolExecutor(options.jobs) as pool:
        for run in pool.map(Run.safely, runs):
            print(run.line(), flush=True)
            used.update(run.explained)
            failed += bool(run.found)
    if not options.patterns:
        for i, allowed in enumerate(ALLOWED):
            if not used[i]:
                print(f"not needed: {allowed.cases} {allowed.path}")
    total = sum(r.compared for r in runs)
    print(f"{len(runs)} configurations, {total} outputs compared, "
          f"{sum(used.values())} differences explained, {failed} cases differ")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
