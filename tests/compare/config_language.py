#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Asks the Go collector again what tests/e2e/config_language.py's cases mean;
and whether what `weir print-config` makes of each example that the collector
takes means the same to it.

    tests/compare/config_language.py            compares with what is recorded
    tests/compare/config_language.py --record   records

The collector is build/peers/otelcol (`make peers`), or OTELCOL.
"""
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
import config_language as language

OTELCOL = os.environ.get("OTELCOL", ROOT / "build" / "peers" / "otelcol")


def shown(program, path):
    """What it makes of a file, or None."""
    done = subprocess.run([str(program), "print-config", "--mode=unredacted", "--format=json",
                           "--config", str(path)], text=True, capture_output=True, timeout=60)
    return None if done.returncode else done.stdout


def compare_printed():
    """How many examples the collector takes, and the names of those that it
    reads otherwise once weir has printed them."""
    taken, wrong = 0, []
    with tempfile.TemporaryDirectory() as folder:
        for example in sorted([*ROOT.glob("*.yaml"), *ROOT.glob("configs/*.yaml"),
                               *ROOT.glob("[!b]*/*/example.yaml")]):
            before = shown(OTELCOL, example)
            if before is None:
                continue
            taken += 1
            printed = Path(folder) / "printed.json"
            printed.write_text(shown(ROOT / "build" / "weir", example) or "")
            after = shown(OTELCOL, printed)
            if after is None or difference(json.loads(before), json.loads(after)):
                wrong.append(str(example.relative_to(ROOT)))
    return taken, wrong


# What the collector leaves open, and takes for what is written out here.
SPELLED_OUT = {
    "sanitize_span_name": True, "regexp": {"cacheenabled": False, "cachemaxnumentries": 0},
    "max_request_body_size": 20 << 20,
    "compression_algorithms": ["", "gzip", "zstd", "zlib", "snappy", "deflate", "lz4", "x-snappy-framed"],
}


def difference(before, after, key=None):
    """Empty things of different sorts are no difference."""
    if before is None and key in SPELLED_OUT and after == SPELLED_OUT[key]:
        return False
    if isinstance(before, dict) and isinstance(after, dict):
        return {k: (before.get(k), after.get(k)) for k in before.keys() | after.keys()
                if difference(before.get(k), after.get(k), k)}
    return bool(before or after) and before != after


def main():
    with ThreadPoolExecutor(4) as pool:
        answers = dict(zip(language.CASES, pool.map(
            lambda case: language.ask_in_a_folder(OTELCOL, case), language.CASES.values())))
    if "--record" in sys.argv[1:]:
        text = json.dumps(answers, indent=0, ensure_ascii=False, sort_keys=True)
        language.RECORDED.write_text(text + "\n")
        return 0
    recorded = json.loads(language.RECORDED.read_text())
    wrong = [name for name in answers if answers[name] != recorded.get(name, "nothing")]
    for name in wrong:
        print(f"{name}: recorded {recorded.get(name, 'nothing')!r}, now {answers[name]!r}")
    print(f"{len(answers)} cases, {len(wrong)} changed")
    taken, otherwise = compare_printed()
    print(f"{taken} examples printed, read otherwise: {', '.join(otherwise) or 'none'}")
    return 1 if wrong or otherwise or not taken else 0


if __name__ == "__main__":
    sys.exit(main())
