# SPDX-License-Identifier: Apache-2.0
"""The debug exporter as an operator sees it: in the log, on streams, behind a
queue."""
import subprocess

import pytest

from conftest import BUILD, eventually, spans
from pipelines import HEAD, TELEMETRY


def config(exporter, level="info"):
    return HEAD + f"""
exporters:
  debug:
    {exporter}
service:
{TELEMETRY}    logs: {{level: {level}}}
  pipelines:
    traces: {{receivers: [otlp], exporters: [debug]}}
"""


def test_counts_stand_in_the_log(weir, client):
    w = weir(config("verbosity: basic"))
    client(w.otlp).export("traces", spans(3))
    w.saw('"resource spans": 1, "spans": 3')


def test_a_log_level_above_info_hides_everything(weir, client):
    w = weir(config("verbosity: detailed", level="warn"), wait=False)
    c = client(w.otlp)
    eventually(lambda: _taken(c), "an export")
    assert w.stop() == 0
    assert "Span #0" not in w.output and "resource spans" not in w.output


def _taken(c):
    try:
        return c.export("traces", spans(1), timeout=5) is not None
    except Exception:
        return False


def test_an_escape_sequence_does_not_reach_the_terminal(weir, client):
    w = weir(config("verbosity: detailed"))
    client(w.otlp).export("traces", spans(1, name="\x1b]0;owned\x07\x9b2J\r\x00end"))
    w.saw("Name           : \\u001b]0;owned\\u0007\\u009b2J\\u000d\\u0000end-0")
    assert not set("\x1b\x07\x9b\r\x00") & set(w.output)


def test_sampling_keeps_the_first_of_a_second(weir, client, tmp_path):
    out = tmp_path / "out"
    w = weir(config(f"use_internal_logger: false\n    output_paths: [{out}]\n"
                    "    sampling_initial: 3\n    sampling_thereafter: 0"))
    c = client(w.otlp)
    for _ in range(50):
        c.export("traces", spans(1))
    # a second may have passed meanwhile: then there are three more
    lines = out.read_text().splitlines()
    assert 3 <= len(lines) < 50
    assert set(lines) == {'Traces\t{"resource spans": 1, "spans": 1}'}


def test_a_queue_merges_and_is_written_out_at_the_end(weir, client, tmp_path):
    out = tmp_path / "out"
    w = weir(config(f"use_internal_logger: false\n    output_paths: {out}\n"
                    "    sending_queue:\n      queue_size: 100\n      sizer: items\n"
                    "      batch: {min_size: 10, flush_timeout: 1h}"))
    c = client(w.otlp)
    for _ in range(3):
        c.export("traces", spans(4))
    eventually(lambda: out.read_text(), "a batch")
    assert out.read_text() == 'Traces\t{"resource spans": 3, "spans": 12}\n'
    c.export("traces", spans(2))
    assert w.metric("otelcol_exporter_queue_size", exporter="debug") == 2
    assert w.metric("otelcol_exporter_queue_capacity", exporter="debug") == 100
    assert w.stop() == 0
    assert out.read_text().endswith('Traces\t{"resource spans": 1, "spans": 2}\n')


@pytest.mark.parametrize("block, place, says", [
    ("verbosity: none", "10:16", 'verbosity level "None" is not supported'),
    ("output_paths: [stdout]", "10:19", "output_paths is not supported when"),
    ("sending_queue: {queue_size: -1}", "10:20", "`queue_size` must be positive"),
    ("sending_queue: {storage: disk}", "10:30", "a persistent queue is not"),
    ("sending_queue: {batch: {max_size: 5}}", "10:28", "must be greater or equal to"),
    ("sending_queu: {}", "10:5", 'did you mean "sending_queue"?'),
    ("retry_on_failure: {}", "10:5", 'unknown key "retry_on_failure"'),
])
def test_what_it_refuses_has_a_place(tmp_path, block, place, says):
    path = tmp_path / "c.yaml"
    path.write_text(config(block).replace("${env:OTLP}", "1")
                    .replace("${env:METRICS}", "2"))
    done = subprocess.run([str(BUILD / "weir"), "validate", "--config", str(path)],
                          text=True, capture_output=True, timeout=30)
    assert done.returncode == 1
    assert says in done.stderr + done.stdout
    assert f"c.yaml:{place}: exporters.debug" in done.stderr + done.stdout


def test_an_output_that_cannot_be_opened_ends_the_start_with_a_sentence(weir, tmp_path):
    w = weir(config(f"use_internal_logger: false\n    output_paths: [{tmp_path}/no/x]"),
             wait=False)
    assert w.process.wait(30) == 1
    w.reader.join(30)
    assert "no/x: No such file or directory" in w.output
