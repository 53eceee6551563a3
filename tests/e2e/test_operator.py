# SPDX-License-Identifier: Apache-2.0
"""What an operator types and reads."""
import json
import re
import signal
import subprocess
import urllib.error
import urllib.request

import pytest

from conftest import BUILD, ROOT, eventually, free_port, spans
from pipelines import HEAD, TELEMETRY, to_backend


def run(*args, **env):
    return subprocess.run([str(BUILD / "weir"), *map(str, args)], text=True,
                          capture_output=True, timeout=60, cwd=ROOT)


def test_the_default_configuration_is_valid_and_so_is_every_example():
    for config in [ROOT / "otel-config.yaml", *(ROOT / "configs").glob("*.yaml"),
                   *ROOT.glob("*/*/example.yaml")]:
        done = run("validate", "--config", config)
        assert done.returncode == 0, f"{config}: {done.stderr}"


def test_version_help_components_and_describe():
    assert run("--version").stdout.startswith("weir ")
    assert "validate" in run("--help").stdout
    components = run("components").stdout
    for name in ("otlp", "batch", "memory_limiter", "redaction", "otlp_grpc", "file",
                 "debug", "nop", "health_check"):
        assert name in components
    about = run("describe", "processors/batch").stdout
    assert "send_batch_size" in about and "8192" in about
    assert run("describe", "batch").stdout == about


@pytest.mark.parametrize("text,expected", [
    ("exporters:\n  debug:\n    verbosty: basic\n", 'did you mean "verbosity"?'),
    ("exporters:\n  debgu:\n", "debug"),
    ("exporters:\n  debug:\n    verbosity: loud\n", "loud"),
])
def test_a_wrong_configuration_names_file_line_column_and_what_to_write(
        tmp_path, text, expected):
    path = tmp_path / "wrong.yaml"
    path.write_text("receivers: {otlp: {protocols: {grpc: }}}\n" + text + """
service:
  pipelines:
    traces: {receivers: [otlp], exporters: [debug]}
""")
    done = run("validate", "--config", path)
    assert done.returncode == 1
    assert "wrong.yaml:" in done.stderr
    line = done.stderr.split("wrong.yaml:")[1]
    assert line[0].isdigit() and ":" in line
    assert expected in done.stderr


def test_an_unknown_command_or_a_missing_file_is_a_sentence():
    assert run("validat", "--config", "x").returncode != 0
    missing = run("--config", "/no/such/file.yaml")
    assert missing.returncode == 1
    assert "/no/such/file.yaml" in missing.stderr


def test_a_port_that_is_taken_stops_the_start(weir, backend):
    there = backend()
    w = weir(to_backend(), wait=False, BACKEND=there.port, OTLP=there.port)
    assert w.process.wait(timeout=30) == 1
    w.reader.join(timeout=10)
    assert "in use" in w.output


def test_a_tls_exporter_is_refused_until_there_is_tls(tmp_path):
    path = tmp_path / "tls.yaml"
    path.write_text("""
receivers: {otlp: {protocols: {grpc: }}}
exporters: {otlp_grpc: {endpoint: "gateway:4317"}}
service: {pipelines: {traces: {receivers: [otlp], exporters: [otlp_grpc]}}}
""")
    done = run("validate", "--config", path)
    assert done.returncode == 1
    assert "TLS" in done.stderr


HEALTHY = HEAD + f"""
exporters: {{nop: }}
extensions:
  health_check: {{endpoint: "127.0.0.1:${{env:HEALTH}}"}}
service:
  extensions: [health_check]
{TELEMETRY}
  pipelines:
    traces: {{receivers: [otlp], exporters: [nop]}}
"""


def test_health_check_answers(weir):
    w = weir(HEALTHY)
    with urllib.request.urlopen(f"http://127.0.0.1:{w.env['HEALTH']}/") as page:
        assert page.status == 200
        assert json.load(page)["status"] == "Server available"


def test_sighup_is_harmless_and_sigterm_exits_0(weir, client):
    w = weir(HEALTHY)
    w.process.send_signal(signal.SIGHUP)
    w.saw("Received signal from OS")
    client(w.otlp).export("traces", spans(1))
    assert w.stop() == 0
    assert "Shutdown complete." in w.output


def test_the_file_exporter_writes_one_request_a_line(weir, client, tmp_path):
    out = tmp_path / "out.jsonl"
    w = weir(HEAD + f"""
exporters: {{file: {{path: "{out}"}}}}
service:
  workers: 3
{TELEMETRY}
  pipelines:
    traces: {{receivers: [otlp], exporters: [file]}}
""")
    c = client(w.otlp)
    for i in range(20):
        c.export("traces", spans(5, first=5 * i))
    assert w.stop() == 0
    lines = out.read_text().splitlines()
    names = [s["name"] for l in lines for rs in json.loads(l)["resourceSpans"]
             for ss in rs["scopeSpans"] for s in ss["spans"]]
    assert sorted(names) == sorted(f"op-{i}" for i in range(100))


def default_configuration():
    """What `make run` runs, on ports of the test."""
    text = (ROOT / "otel-config.yaml").read_text()
    for port, name in (("4317", "OTLP"), ("4318", "HTTP"), ("8888", "METRICS"), ("13133", "HEALTH")):
        for front in (":", "port: "):
            text = text.replace(front + port, f"{front}${{env:{name}}}")
    return text


def test_make_runs_first_screen_says_what_to_do_and_that_works(weir, client, tmp_path):
    w = weir(default_configuration())
    screen = w.output
    for name in ("OTLP", "HTTP", "METRICS", "HEALTH"):
        assert f"127.0.0.1:{w.env[name]}" in screen
    (curl,) = re.findall(r"^  (curl .*)$", screen, re.M)
    said = subprocess.run(curl, shell=True, capture_output=True, text=True)
    assert said.stdout == '{"partialSuccess":{}}', said
    w.saw("hello 5b8efff798038103d269b633813fc60c")
    (told,) = re.findall(r"OTEL_EXPORTER_OTLP_ENDPOINT=http://(\S+)", screen)
    client(told).export("traces", spans(3, attributes=[
        ("api_key", "sk-1"), ("user_email", "a@b"), ("token", "t"), ("max_tokens", "9")]))
    w.saw("\tTraces\t")
    assert w.stop() == 0
    lines = (tmp_path / "telemetry.jsonl").read_text().splitlines()
    kept = [s for line in lines for g in json.loads(line)["resourceSpans"]
            for s in g["scopeSpans"][0]["spans"]]
    assert [s["name"] for s in kept] == ["hello", "op-0", "op-1", "op-2"]
    assert [a["key"] for s in kept for a in s.get("attributes", ())] == ["max_tokens"] * 3


def test_ctrl_c_ends_it_as_sigterm_does(weir, client):
    w = weir(HEALTHY)
    client(w.otlp).export("traces", spans(1))
    assert w.stop(signal.SIGINT) == 0
    assert "Shutdown complete." in w.output


def test_a_second_ctrl_c_does_not_wait_for_the_drain(weir, backend, client):
    hung = backend()
    hung.gate.clear()
    w = weir(to_backend(service="  drain_timeout: 1h", exporter="    timeout: 1h"),
             BACKEND=hung.port)
    client(w.otlp).export("traces", spans(1))
    eventually(lambda: w.metric("otelcol_exporter_in_flight_requests") == 1, "sending")
    w.process.send_signal(signal.SIGINT)
    w.saw("Starting shutdown...")
    assert w.stop(signal.SIGINT) == 0


LOGGED = """
receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:${env:OTLP}"}}}}
exporters: {debug: }
service:
  telemetry: {metrics: {level: none}, logs: {encoding: %s}}
  pipelines:
    traces: {receivers: [otlp], exporters: [debug]}
"""


def test_a_json_log_is_one_object_a_line(weir, client):
    w = weir(LOGGED % "json")
    client(w.otlp).export("traces", spans(2))
    assert w.stop() == 0
    entries = [json.loads(l) for l in w.output.splitlines() if l.startswith("{")]
    counts = next(e for e in entries if e["msg"] == "Traces")
    assert counts["level"] == "info" and counts["spans"] == 2
    assert counts["otelcol.component.id"] == "debug"
    assert all({"level", "ts", "msg"} <= set(e) for e in entries)
    # besides the first screen there is nothing else
    assert entries[-1]["msg"] == "Shutdown complete."


def test_a_console_log_is_time_level_place_words_and_fields(weir, client):
    w = weir(LOGGED % "console")
    client(w.otlp).export("traces", spans(2))
    assert w.stop() == 0
    line = next(l for l in w.output.splitlines() if "\tTraces\t" in l)
    when, level, place, words, fields = line.split("\t")
    assert (level, words) == ("info", "Traces")
    assert when.endswith("Z") and ".c:" in place
    assert json.loads(fields)["resource spans"] == 1


def test_nothing_is_logged_twice_at_the_start(weir):
    w = weir(default_configuration())
    assert w.stop() == 0
    said = [l.split("\t")[3] for l in w.output.splitlines() if l.count("\t") >= 3]
    assert len(said) == len(set(said)), w.output
