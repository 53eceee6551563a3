#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the Go collector says of each configuration in tests/data/verdicts.

    tests/compare/verdicts.py                compare: what is recorded, and weir's verdict
    tests/compare/verdicts.py --record       write what it says into the files
    tests/compare/verdicts.py --say NAME     print both answers for the cases NAME*

A file holds a frame, then cases between `---` lines: what stands in the place
of {case}.  The comment over a case says what it is, then

    # go: ok                 it starts
    # go: refused            `validate` refuses it
    # go: refused at start   only a start finds it; weir may find it before
    # weir: VERDICT          where weir's differs, with
    # why: SENTENCE          the reason: together these are the list of strictness
    # schema: refused        an editor's schema sees that it is broken

It is asked in a network of its own where that is possible, so that its ports
are free.
"""
import argparse
import os
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "tests/data/verdicts"
BUILD = ROOT / os.environ.get("WEIR_BUILD", "build")
PEER = ROOT / "build/peers/otelcol"
WEIR = BUILD / "weir"
READY = "Everything is ready"
LIMIT = 20
MARKS = ("go", "weir", "why", "schema")


class Case:
    """One configuration and what is known of it."""

    def __init__(self, file, frame, text):
        self.file = file
        self.marks = {}
        body = []
        title = None
        for line in text.split("\n"):
            mark = re.match(r"# (\w+): (.*)$", line)
            if mark and title and mark[1] in MARKS and not body:
                self.marks[mark[1]] = mark[2]
            elif title is None:
                title = re.match(r"# ([\w.-]+): (.*)$", line)
                assert title, f"{file}: a case must begin with its name, got {line!r}"
            else:
                body.append(line)
        self.name, self.about = title[1], title[2]
        self.snippet = "\n".join(body).strip("\n")
        self.yaml = fill(frame, self.snippet)

    @property
    def id(self):
        return f"{self.file.stem}/{self.name}"

    @property
    def go(self):
        return self.marks.get("go")

    def suits(self, verdict):
        """May weir say that?"""
        wanted = self.marks.get("weir", self.go)
        return verdict == wanted or (verdict, wanted) == ("refused", "refused at start")

    def text(self):
        marks = "".join(f"# {m}: {self.marks[m]}\n" for m in MARKS if m in self.marks)
        return f"# {self.name}: {self.about}\n{marks}" + (self.snippet + "\n" if self.snippet else "")


def fill(frame, snippet):
    """The frame with the snippet in the place of {case}, indented as that is."""
    lines = []
    for line in frame.split("\n"):
        if line.strip() == "{case}":
            front = line[:line.index("{")]
            lines += [front + part if part else part for part in snippet.split("\n")]
        else:
            lines.append(line.replace("{case}", snippet))
    return "\n".join(lines).rstrip("\n") + "\n"


class Family:
    """One file."""

    def __init__(self, file):
        self.file = file
        self.head, *cases = file.read_text().split("\n---\n")
        frame = "\n".join(l for l in self.head.split("\n") if not l.startswith("#"))
        self.cases = [Case(file, frame, text.strip("\n")) for text in cases]

    def write(self):
        self.file.write_text("\n---\n".join(
            [self.head.rstrip("\n")] + [c.text().rstrip("\n") for c in self.cases]) + "\n")


def families():
    return [Family(f) for f in sorted(DATA.glob("*.yaml"))]


def cases():
    return [c for f in families() for c in f.cases]


def last_line(text):
    lines = [l for l in text.strip().split("\n") if l.strip()]
    return lines[-1].strip() if lines else ""


def alone():
    """A network of its own, when the kernel allows."""
    words = ["unshare", "-rn", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
    if shutil.which("unshare") and shutil.which("ip") and \
       subprocess.run([*words, "true"], capture_output=True).returncode == 0:
        return words
    return []


def answer(program, config, front):
    """The verdict of `validate` and, where that has nothing to say, of a start."""
    done = subprocess.run([str(program), "validate", "--config", str(config)],
                          capture_output=True, text=True, timeout=LIMIT)
    if done.returncode:
        return "refused", done.stderr
    process = subprocess.Popen([*front, str(program), "--config", str(config)], text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               cwd=config.parent)
    said = watch(process)
    if process.poll() is None:
        process.terminate()
    try:
        rest, _ = process.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired:       # it waits for a peer that is not there
        process.kill()
        rest, _ = process.communicate()
    if READY in said:
        return "ok", said
    return "refused at start", said + rest


def watch(process):
    """Reads until it is ready or ends; logs may be switched off, then a
    process that lives on after a while has started."""
    said, end = "", time.monotonic() + 4
    while READY not in said and time.monotonic() < end:
        if not select.select([process.stdout], [], [], 0.1)[0]:
            continue
        piece = os.read(process.stdout.fileno(), 65536).decode(errors="replace")
        if not piece:
            return said
        said += piece
    return said if READY in said else said + READY


def ask(case, program, front):
    """In a folder of its own, that the other has not written into."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config.yaml"
        config.write_text(case.yaml)
        return answer(program, config, front)


def compare(case, front):
    (go, go_words), (weir, weir_words) = ask(case, PEER, front), ask(case, WEIR, front)
    wrong = []
    if go != case.go:
        wrong.append(f"go: {go}, recorded: {case.go}")
    if not case.suits(weir):
        wrong.append(f"weir: {weir}, expected: {case.marks.get('weir', case.go)}")
    if case.marks.get("weir") == go:
        wrong.append("weir: the mark says what go says")
    for line in wrong:
        print(f"{case.id}: {line}\n\tgo   {last_line(go_words)}\n\tweir {last_line(weir_words)}")
    return not wrong


def say(case, front):
    print(f"== {case.id}: {case.about}")
    for program in PEER, WEIR:
        print(f"{program.name}: %s\n%s" % ask(case, program, front))


def record(family, front):
    for case in family.cases:
        case.marks["go"] = ask(case, PEER, front)[0]
    family.write()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--say", metavar="NAME")
    parser.add_argument("only", nargs="*", help="files, by their names")
    args = parser.parse_args()
    if not PEER.exists():
        sys.exit("no Go collector: make peers")
    front = alone()
    chosen = [f for f in families() if not args.only or f.file.stem in args.only]
    if args.record:
        for family in chosen:
            record(family, front)
        return 0
    asked = [c for f in chosen for c in f.cases]
    if args.say is not None:
        for case in asked:
            if case.id.startswith(args.say):
                say(case, front)
        return 0
    with ThreadPoolExecutor(3 if front else 1) as pool:     # else they share ports
        good = list(pool.map(lambda case: compare(case, front), asked))
    differ = sum("weir" in case.marks for case in asked)
    print(f"{len(asked)} verdicts, {differ} other on purpose, {good.count(False)} wrong")
    return good.count(False) != 0 or not asked


if __name__ == "__main__":
    sys.exit(main())
