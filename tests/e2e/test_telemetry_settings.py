# SPDX-License-Identifier: Apache-2.0
"""service.telemetry: what weir says of itself, how and where."""
import json
import re
import subprocess
import urllib.request

import pytest

from conftest import BUILD, PATIENCE, eventually, free_port

CONFIG = """receivers:
  otlp:
    protocols:
      grpc:
        endpoint: 127.0.0.1:${OTLP}
exporters:
  nop:
%s
service:
%s
  telemetry:
    metrics:
      %s
%s
  pipelines:
    traces:
      receivers: [otlp]
      exporters: [nop]
"""
PAGE = ("readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: '${METRICS}'"
        "%s}}}}]")


@pytest.fixture
def start(weir):
    def start(more="", metrics=PAGE % "", extensions="", used="", wait=False, **env):
        return weir(CONFIG % (extensions, used, metrics, more), wait=wait, **env)
    return start


READY = "Everything is ready. Begin running and processing data."


def test_lines_are_json_with_fields_and_resource_in_a_file(start, tmp_path):
    log = tmp_path / "weir.log"
    w = start(f"""    logs:
      level: DEBUG
      encoding: json
      disable_caller: true
      output_paths: [{log}]
      initial_fields: {{team: core, shard: 3}}
    resource: {{service.name: front, service.version: , zone: eu}}""")
    eventually(lambda: log.exists() and READY in log.read_text(), "the log")
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    ready = next(l for l in lines if l["msg"] == READY)
    assert ready["team"] == "core" and ready["shard"] == 3
    assert ready["resource"]["service.name"] == "front"
    assert ready["resource"]["zone"] == "eu"
    assert "service.version" not in ready["resource"]
    assert "caller" not in ready
    assert w.stop() == 0


def test_without_zap_resource_a_line_has_none(start, tmp_path):
    log = tmp_path / "weir.log"
    w = start(f"""    logs: {{output_paths: ["file://{log}"], disable_zap_resource: true}}
    resource: {{zone: eu}}""")
    eventually(lambda: log.exists() and READY in log.read_text(), "the log")
    assert "resource" not in log.read_text()
    assert w.stop() == 0


def test_without_paths_nothing_is_written(start):
    w = start("    logs: {output_paths: []}")
    eventually(lambda: page(w.env["METRICS"]), "the page")
    assert w.stop() == 0
    assert READY not in w.output


def page(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE) as p:
            return p.read().decode()
    except OSError:
        return None


def test_the_resource_is_in_target_info(start):
    w = start("""    resource:
      attributes: [{name: service.name, value: front}, {name: n, value: 5}]""")
    text = eventually(lambda: page(w.env["METRICS"]), "the page")
    info = re.search(r"^target_info\{(.*)\} 1$", text, re.M)[1]
    assert 'service_name="front"' in info and 'n="5"' in info
    assert "service_instance_id=" in info


def test_several_pages_each_as_it_was_told(start):
    other = free_port()
    w = start("    resource: {zone: eu}", """readers:
      - pull: {exporter: {prometheus: {host: 127.0.0.1, port: '${METRICS}'}}}
      - pull:
          exporter:
            prometheus:
              host: 127.0.0.1
              port: ${OTHER}
              without_units: false
              without_type_suffix: false
              without_scope_info: false
              with_resource_constant_labels: {included: [zone]}""", OTHER=str(other))
    plain = eventually(lambda: page(w.env["METRICS"]), "the first page")
    full = eventually(lambda: page(other), "the second page")
    assert re.search(r"^otelcol_process_uptime [\d.]", plain, re.M)
    line = re.search(r"^otelcol_process_uptime_seconds_total\{(.*)\} ", full, re.M)[1]
    assert 'zone="eu"' in line and 'otel_scope_name="weir"' in line


def test_an_old_address_is_a_page_with_a_warning(start):
    w = start(metrics="address: 127.0.0.1:${METRICS}")
    assert eventually(lambda: page(w.env["METRICS"]), "the page")
    w.saw("service.telemetry.metrics.address is deprecated")


def test_no_metrics_no_page(start):
    w = start(metrics="level: none").saw(READY)
    assert page(w.env["METRICS"]) is None


def test_traces_of_weir_itself_get_one_warning(start):
    w = start("""    traces:
      processors: [{batch: {exporter: {otlp: {endpoint: "http://127.0.0.1:1"}}}}]""")
    w.saw(READY)
    assert w.output.count("service.telemetry.traces has no effect") == 1


@pytest.mark.parametrize("kind", ["pprof", "zpages"])
def test_an_extension_without_meaning_says_so_once_and_opens_no_port(start, kind):
    port = free_port()
    w = start(extensions=f"extensions: {{{kind}: {{endpoint: '127.0.0.1:{port}'}}}}",
              used=f"  extensions: [{kind}]").saw(READY)
    assert w.output.count(f"The {kind} extension does nothing here") == 1
    with pytest.raises(OSError):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=PATIENCE)
    assert w.stop() == 0


def test_a_log_that_cannot_be_opened_ends_it(tmp_path):
    config = tmp_path / "telemetry.yaml"
    config.write_text(CONFIG.replace("${OTLP}", "0") % (
        "", "", "level: none", "    logs: {output_paths: [/nonexistent/dir/x.log]}"))
    done = subprocess.run([str(BUILD / "weir"), "--config", str(config)], text=True,
                          capture_output=True, timeout=PATIENCE)
    assert done.returncode == 1
    assert 'service.telemetry.logs: open sink "/nonexistent/dir/x.log"' in done.stderr
