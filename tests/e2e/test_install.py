# SPDX-License-Identifier: Apache-2.0
"""What `make install` leaves works from there, and is all a plugin of somebody
else's needs: headers, pkg-config, libraries."""
import os
import shlex
import subprocess

import pytest

from conftest import BUILD, ROOT, spans
from pipelines import HEAD, TELEMETRY

TEMPLATE = ROOT / "plugins/template/drop_short/drop_short.c"


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    root = tmp_path_factory.mktemp("installed")
    env = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}
    sanitizers = "" if BUILD.name in ("build", "clang") else BUILD.name.replace("-", ",")
    done = subprocess.run(["make", "install", f"DESTDIR={root}", "PREFIX=/usr",
                           f"SAN={sanitizers}", f"B={BUILD.relative_to(ROOT)}"],
                          cwd=ROOT, env=env, text=True, capture_output=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return root / "usr"


def test_the_installed_program_finds_its_plugins_and_its_examples(
        weir, client, backend, installed, tmp_path):
    program = installed / "bin/weir"
    components = subprocess.run([program, "components"], text=True, cwd=tmp_path,
                                capture_output=True, timeout=60)
    assert components.returncode == 0 and "name: redaction" in components.stdout
    examples = installed / "share/weir"
    for example in (examples / "otel-config.yaml", *(examples / "configs").glob("*.yaml")):
        done = subprocess.run([program, "validate", "--config", example], text=True,
                              cwd=tmp_path, capture_output=True, timeout=60)
        assert done.returncode == 0, f"{example}: {done.stderr}"

    there = backend()
    sidecar = (examples / "configs/sidecar.yaml").read_text() \
        .replace("127.0.0.1:4317", "127.0.0.1:${env:OTLP}") \
        .replace("127.0.0.1:4318", "127.0.0.1:${env:HTTP}") \
        .replace("timeout: 1s", "timeout: 20ms")
    w = weir(sidecar + "  telemetry: {metrics: {level: none}}\n", program=program,
             GATEWAY=f"127.0.0.1:{there.port}", DEPLOYMENT="staging")
    client(w.otlp).export("traces", spans(2, attributes=[("internal.x", "1")]))
    there.until(lambda: len(there.spans) == 2)
    assert not there.spans[0].attributes
    (added,) = [a for a in there.requests["traces"][0].resource_spans[0].resource.attributes
                if a.key == "deployment.environment.name"]
    assert added.value.string_value == "staging"


def test_a_plugin_built_outside_of_the_tree_runs_in_the_installed_program(
        weir, client, backend, installed, tmp_path):
    env = {**os.environ, "PKG_CONFIG_PATH": str(installed / "lib/pkgconfig"),
           "PKG_CONFIG_SYSROOT_DIR": str(installed.parent)}
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "weir"], env=env,
                           text=True, capture_output=True, check=True).stdout
    (tmp_path / "mine/processors").mkdir(parents=True)
    built = subprocess.run(["cc", "-shared", "-fPIC", "-fvisibility=hidden", "-Wall",
                            "-Wextra", "-Werror", "-std=c11", "-o",
                            "mine/processors/drop_short.so", TEMPLATE,
                            *shlex.split(flags)],
                           cwd=tmp_path, text=True, capture_output=True, timeout=120)
    assert built.returncode == 0, built.stderr

    there = backend()
    w = weir(HEAD + f"""
processors:
  drop_short: {{min_duration: 2ms}}
exporters:
  otlp_grpc: {{endpoint: "127.0.0.1:{there.port}", tls: {{insecure: true}}}}
service:
{TELEMETRY}
  pipelines:
    traces: {{receivers: [otlp], processors: [drop_short], exporters: [otlp_grpc]}}
""", program=installed / "bin/weir",
             args=["--plugin-dir", f"{tmp_path}/mine:{installed}/lib/weir/plugins"])
    request = spans(10)             # of a millisecond each
    for span in request.resource_spans[0].scope_spans[0].spans[:3]:
        span.end_time_unix_nano += 5_000_000
    client(w.otlp).export("traces", request)
    there.until(lambda: there.spans)
    assert [s.name for s in there.spans] == ["op-0", "op-1", "op-2"]
    assert w.metric("otelcol_processor_incoming_items", processor="drop_short") == 10
    assert w.metric("otelcol_processor_outgoing_items", processor="drop_short") == 3
