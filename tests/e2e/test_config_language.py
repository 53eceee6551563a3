# SPDX-License-Identifier: Apache-2.0
"""What a configuration means, against the Go collector's recorded answers."""
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

import config_language as language
from conftest import BUILD


@pytest.fixture(scope="module")
def answers():
    with ThreadPoolExecutor(4) as pool:
        return dict(zip(language.CASES, pool.map(
            lambda case: language.undollared(language.ask_in_a_folder(BUILD / "weir", case)),
            language.CASES.values())))


@pytest.fixture(scope="module")
def recorded():
    return json.loads(language.RECORDED.read_text())


def test_every_case_means_what_it_means_in_the_collector(answers, recorded):
    assert set(recorded) == set(language.CASES)
    wrong = [f"{name}: {answers[name]!r}, there {recorded[name]!r}" for name in answers
             if name not in language.OURS and not language.same(answers[name], recorded[name],
                                                                      language.CASES[name].place)]
    assert not wrong, "\n".join(wrong)


def test_what_is_ours_on_purpose_is_so_still(answers, recorded):
    for name, (mine, why) in language.OURS.items():
        assert why and answers[name] == mine, (name, answers[name])
        assert not language.same(mine, recorded[name], language.CASES[name].place), f"{name} is no difference any more"
