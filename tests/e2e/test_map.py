# SPDX-License-Identifier: Apache-2.0
"""ATTACKS.md is complete, and true: every row has a test on each port or a
reason, every test that is named exists, every numbered test is named."""
import re
from pathlib import Path

import pytest

from conftest import ROOT

HERE = Path(__file__).parent
MAP = (HERE / "ATTACKS.md").read_text()
ROWS = {int(m[1]): (m[2], m[3]) for m in re.finditer(
    r"^\| (\d+) \| [^|]+ \| ([^|]+) \| ([^|]+) \|$", MAP, re.M)}
# Those that are not of a port.
INNER = {int(m[1]): (m[2],) for m in re.finditer(
    r"^\| (\d+) \| [^|]+ \| ([^|]+) \|$", MAP, re.M)}


def named_in(cell):
    return re.findall(r"`([^`]+)`", cell)


def exists(test):
    name, _, function = test.partition("::")
    if name.startswith("vtc/"):
        return (HERE / name).is_file()
    if name.startswith("tests/"):
        return f"START_TEST({function})" in (ROOT / name).read_text()
    return f"\ndef {function}(" in (HERE / f"{name}.py").read_text()


def numbers(test):
    """The rows that the name of a test says it proves."""
    m = re.search(r"(?:row|::test)_((?:\d{2,3}_)+)", test.replace(".vtc", "_"))
    return {int(n) for n in re.findall(r"\d+", m[1])} if m else set()


def test_the_map_has_every_row_once():
    assert list(ROWS) == list(range(1, 74))
    assert list(INNER) == [*range(107, 113), 114]


@pytest.mark.parametrize("row", range(1, 74))
def test_a_row_has_tests_on_both_ports_or_a_reason(row):
    named = 0
    for cell in ROWS[row]:
        tests = named_in(cell)
        assert tests or re.match(r"- \w+", cell), cell
        for test in tests:
            assert exists(test), test
            assert row in (numbers(test) or {row}), test
        named += len(tests)
    assert named, f"row {row} is proved by nothing"


@pytest.mark.parametrize("row", INNER)
def test_a_row_that_is_of_no_port_has_tests(row):
    tests = named_in(INNER[row][0])
    assert tests
    for test in tests:
        assert exists(test), test
        assert row in (numbers(test) or {row}), test


def test_every_numbered_test_is_on_the_map():
    named = {(row, t) for row, cells in (ROWS | INNER).items() for c in cells
             for t in named_in(c)}
    for file in (ROOT / "tests/unit").glob("*/test_tail_*.c"):
        for function in re.findall(r"^START_TEST\((row_\w+)\)", file.read_text(), re.M):
            for row in numbers(function):
                assert (row, f"{file.relative_to(ROOT)}::{function}") in named, function
    for file in HERE.glob("test_*.py"):
        for function in re.findall(r"^def (test_row_\w+)\(", file.read_text(), re.M):
            for row in numbers(function):
                assert (row, f"{file.stem}::{function}") in named, function
    for play in (HERE / "vtc").glob("row_*.vtc"):
        for row in numbers(play.name):
            assert (row, f"vtc/{play.name}") in named, play
