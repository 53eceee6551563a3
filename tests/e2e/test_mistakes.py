# SPDX-License-Identifier: Apache-2.0
"""What is wrong in a configuration is said with file, line, column and path,
and with the word that was probably meant."""
import subprocess

import pytest

from conftest import BUILD

GOOD = """receivers:
  otlp:
    protocols:
      grpc:
        endpoint: 127.0.0.1:4317
processors:
  batch:
exporters:
  debug:
service:
  pipelines:
    traces:
      receivers: [otlp]
      processors: [batch]
      exporters: [debug]
"""

# what is written, what instead, line:column, words of the answer
MISTAKES = {
    "a key": ("  batch:", "  batch:\n    send_batch_sise: 5", "8:5",
              'processors.batch: unknown key "send_batch_sise"; '
              'did you mean "send_batch_size"?'),
    "a section": ("service:", "servise:", "10:1",
                  'unknown key "servise"; did you mean "service"?'),
    "a type": ("  debug:", "  debgu:", "9:3", 'did you mean "debug"?'),
    "an exporter that is not there": (
        "exporters: [debug]", "exporters: [debug, file]", "15:26",
        'service.pipelines.traces: references exporter "file" which is not configured'),
    "a processor's name": ("[batch]", "[bacth]", "14:20", 'did you mean "batch"?'),
    "a processor twice": ("[batch]", "[batch, batch]", "14:27", "multiple times"),
    "words for a number": ("  batch:", "  batch:\n    send_batch_size: many", "8:22",
                           "processors.batch.send_batch_size: expected type"),
    "a duration": ("  batch:", "  batch:\n    timeout: 5 parsecs", "8:14",
                   'invalid duration "5 parsecs"'),
    "a negative size": ("  batch:", "  batch:\n    send_batch_size: -1", "8:22",
                        "-1 does not fit"),
    "a number for a map": ("  batch:", "  batch: 5", "7:10", "expected a map, got an int"),
    "a string for a list": ("[otlp]", "otlp", "13:18",
                            "expected a list of ids, got a string"),
    "a key twice": ("  batch:", "  batch:\n  batch:", "8:3",
                    'key "batch" already defined at line 7'),
    "a tab": ("  batch:", "\tbatch:", "7:1", "cannot start any token"),
    "a bracket": ("  batch:", "  batch: [", "9:8", "did not find expected"),
    "no exporters": ("      exporters: [debug]\n", "", "12:5", "at least one exporter"),
    "a signal": ("    traces:", "    trace:", "12:5", 'did you mean "traces"?'),
    "no protocol": ("    protocols:\n      grpc:\n        endpoint: 127.0.0.1:4317\n", "",
                    "2:3", "at least one protocol"),
    "a path that is no URL's": (
        "      grpc:\n        endpoint: 127.0.0.1:4317\n",
        "      http:\n        traces_url_path: /%zz\n", "5:26",
        "invalid HTTP URL path set for signal"),
    "a pattern": ("  batch:", "  batch:\n  redaction: {blocked_values: ['(']}", "8:32", "missing closing )"),
    "two keys that disagree": (
        "  batch:", "  batch: {send_batch_size: 100, send_batch_max_size: 10}", "7:10",
        "send_batch_max_size must be greater or equal to send_batch_size"),
    "a level": ("service:", "service:\n  telemetry: {logs: {level: loud}}", "11:29",
                'unrecognized level: "loud"'),
    "no workers": ("service:", "service:\n  workers: 0", "11:12", "service.workers"),
    "nothing at all": (GOOD, "", "1:1", "empty configuration file"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_named_with_its_place_on_one_line(tmp_path, mistake):
    old, new, place, words = MISTAKES[mistake]
    path = tmp_path / "wrong.yaml"
    assert old in GOOD
    path.write_text(GOOD.replace(old, new, 1))
    for command in (["validate"], []):
        done = subprocess.run([str(BUILD / "weir"), *command, "--config", str(path)],
                              text=True, capture_output=True, timeout=60)
        assert done.returncode == 1
        assert done.stdout == ""
        (line,) = done.stderr.splitlines()
        assert line.startswith(f"Error: {path}:{place}: "), line
        assert words in line


def test_without_a_mistake_nothing_is_said(tmp_path):
    path = tmp_path / "good.yaml"
    path.write_text(GOOD)
    done = subprocess.run([str(BUILD / "weir"), "validate", "--config", str(path)],
                          text=True, capture_output=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_an_environment_variable_that_is_not_set_is_a_warning(tmp_path):
    path = tmp_path / "unset.yaml"
    path.write_text(GOOD.replace("127.0.0.1:", "${env:WEIR_NO_SUCH_NAME}:"))
    done = subprocess.run([str(BUILD / "weir"), "validate", "--config", str(path)],
                          text=True, capture_output=True, timeout=60)
    assert done.returncode == 0
    assert "warn" in done.stderr and "WEIR_NO_SUCH_NAME" in done.stderr
