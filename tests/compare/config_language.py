#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Asks the Go collector again what tests/e2e/config_language.py's cases mean.

    tests/compare/config_language.py            compares with what is recorded
    tests/compare/config_language.py --record   records

The collector is build/peers/otelcol (`make peers`), or OTELCOL.
"""
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
import config_language as language

OTELCOL = os.environ.get("OTELCOL", ROOT / "build" / "peers" / "otelcol")


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
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
