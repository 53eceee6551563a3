# SPDX-License-Identifier: Apache-2.0
"""`weir schema` is a JSON Schema that lets pass what weir takes, and sees what
can be seen: keys, types, the shapes of ids and durations."""
import sys

import pytest

from conftest import BUILD, ROOT

sys.path.insert(0, str(ROOT / "tests/compare"))
import editor    # noqa: E402
import verdicts  # noqa: E402

EXAMPLES = [ROOT / "otel-config.yaml", *sorted((ROOT / "configs").glob("*.yaml")),
            *sorted(f for kind in ("receivers", "processors", "exporters", "extensions")
                    for f in (ROOT / kind).glob("*/example.yaml"))]


@pytest.fixture(scope="module")
def judge():
    return editor.validator(editor.schema(BUILD / "weir"))


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda f: str(f.relative_to(ROOT)))
def test_every_example_fits(judge, file):
    assert editor.complaints(judge, file.read_text()) == []


@pytest.mark.parametrize("case", verdicts.cases(), ids=lambda c: c.id)
def test_it_refuses_only_what_weir_refuses(judge, case):
    said = editor.complaints(judge, case.yaml)
    if case.marks.get("schema") == "refused":
        assert not case.suits("ok"), "marked, but weir takes it"
        assert said, "the schema does not see it any more"
    elif case.suits("ok"):
        assert said == []


def test_it_sees_most_of_what_is_broken():
    broken = [c for c in verdicts.cases() if not c.suits("ok")]
    seen = [c for c in broken if c.marks.get("schema") == "refused"]
    assert len(seen) * 3 > len(broken)


def test_it_tells_an_editor_types_defaults_and_choices():
    defs = editor.schema(BUILD / "weir")["$defs"]
    batch = defs["processors.batch"]["properties"]
    assert batch["send_batch_size"]["default"] == 8192
    assert batch["timeout"]["$ref"] == "#/$defs/duration"
    assert "description" in batch["timeout"]
    health = defs["extensions.health_check"]["properties"]["transport"]
    assert health["anyOf"][0]["enum"] == ["tcp", "tcp4", "tcp6", "unix", None]


def test_an_old_type_is_marked_deprecated():
    exporters = editor.schema(BUILD / "weir")["properties"]["exporters"]
    old = [v for k, v in exporters["patternProperties"].items() if "*otlp\\" in k]
    assert old == [{"$ref": "#/$defs/exporters.otlp_grpc", "deprecated": True}]
