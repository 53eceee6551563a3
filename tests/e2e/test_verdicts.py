# SPDX-License-Identifier: Apache-2.0
"""Weir starts where the Go collector starts and refuses where it refuses.

tests/data/verdicts holds the configurations with what the Go collector said
(tests/compare/verdicts.py records it); where weir's verdict is another one on
purpose, the case says why.  Every refusal has a place and a sentence."""
import re
import subprocess
import sys

import pytest

from conftest import BUILD, ROOT

sys.path.insert(0, str(ROOT / "tests/compare"))
import verdicts  # noqa: E402

CASES = verdicts.cases()
# file:line:column: path: sentence; what concerns the whole document has no path
PLACE = re.compile(r"^Error: \S+/config\.yaml:[1-9]\d*:[1-9]\d*: (\S+: )?\S.{9,}$", re.S)


@pytest.fixture(scope="module")
def alone():
    return verdicts.alone()


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
def test_the_verdict_is_the_collectors(case, tmp_path, alone):
    config = tmp_path / "config.yaml"
    config.write_text(case.yaml)
    done = subprocess.run([str(BUILD / "weir"), "validate", "--config", str(config)],
                          capture_output=True, text=True, timeout=verdicts.LIMIT)
    error = done.stderr.split("Error: ")[-1]
    if done.returncode:
        assert case.suits("refused"), f"{case.go} there, but here: {done.stderr}"
        assert PLACE.match("Error: " + error.strip()), done.stderr
    elif not case.suits("ok"):
        verdict, said = verdicts.answer(BUILD / "weir", config, alone)
        assert case.suits(verdict), f"{case.go} there, {verdict} here: {said}"
        assert "Error: " in said


def test_there_are_enough_of_each():
    assert sum(case.go == "ok" for case in CASES) >= 150
    assert sum(case.go != "ok" for case in CASES) >= 150


def test_what_differs_says_why():
    for case in CASES:
        assert ("weir" in case.marks) == ("why" in case.marks), case.id
        assert case.go in ("ok", "refused", "refused at start"), case.id
        if "weir" in case.marks:
            assert case.marks["weir"] != case.go, case.id
            assert len(case.marks["why"]) > 20, case.id
