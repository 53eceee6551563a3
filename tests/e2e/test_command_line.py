# SPDX-License-Identifier: Apache-2.0
"""What is typed: flags, sources, commands, exit codes; and print-config, whose
output means what it was made from."""
import json
import os
import re
import subprocess

import pytest

from conftest import BUILD, ROOT
from pipelines import HEAD, TELEMETRY

BASE = """receivers:
  otlp: {protocols: {grpc: {endpoint: "127.0.0.1:4317"}}}
processors: {batch: }
exporters: {debug: }
service:
  pipelines: {traces: {receivers: [otlp], processors: [batch], exporters: [debug]}}
"""
EXAMPLES = sorted([ROOT / "otel-config.yaml", *ROOT.glob("configs/*.yaml"),
                   *ROOT.glob("[!b]*/*/example.yaml")])


@pytest.fixture
def typed(tmp_path):
    """Runs a line to its end in a folder with base.yaml and what is given."""
    def run(*words, files=None, **env):
        (tmp_path / "base.yaml").write_text(BASE)
        for name, text in (files or {}).items():
            (tmp_path / name).write_text(text)
        return subprocess.run([str(BUILD / "weir"), *words], cwd=tmp_path, text=True,
                              capture_output=True, timeout=60, env={**os.environ, **env})
    return run


# --- exit codes -----------------------------------------------------------------

REFUSED = {
    "nothing to run": ([], "at least one config flag must be provided"),
    "nothing to check": (["validate"], "at least one config flag must be provided"),
    "a flag that is nearly one": (["--confg", "x"], 'unknown flag "--confg"; did you mean "--config"?'),
    "a command that is nearly one": (["validat"], 'unknown command "validat"; did you mean "validate"?'),
    "a flag without its value": (["--config"], "flag needs an argument: --config"),
    "a word too many": (["validate", "x"], 'unknown argument "x"'),
    "a file that is not there": (["--config", "none.yaml"], "none.yaml: No such file or directory"),
    "a scheme from the network": (["--config", "https://x/y.yaml"],
                                  'scheme "https" is not supported for uri "https://x/y.yaml"; '
                                  "there are file, env and yaml"),
    "no equals sign": (["--config=base.yaml", "--set=a"],
                       'invalid argument "a" for "--set" flag: missing equal sign'),
    "an unknown gate": (["--config=base.yaml", "--feature-gates=service.AlowNoPipelines"],
                        'no such feature gate "service.AlowNoPipelines". valid gates: [confmap.'),
    "a mode": (["print-config", "--mode=x"], 'invalid argument "x" for "--mode" flag: '
               "modes are: redacted, unredacted"),
    "a gate to describe": (["featuregate", "x"], 'feature "x" not found'),
    "a key of --set": (["validate", "--config=base.yaml", "--set=processors.batch.send_batch_sise=5"],
                       '--set #1:1:18: processors.batch: unknown key "send_batch_sise"'),
    "a key of a second file": (["validate", "--config=base.yaml", "--config=two.yaml"],
                               'two.yaml:2:3: unknown type: "debgu"'),
    "a key of a variable": (["validate", "--config=base.yaml", "--config=env:MORE"],
                            'env:MORE:1:22: processors.batch: unknown key "tiemout"'),
    "a key of inline YAML": (["validate", "--config=base.yaml", "--config=yaml:processors::batch::tiemout: 1s"],
                             '--config #2:1:20: processors.batch: unknown key "tiemout"'),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_done_is_said_in_one_line_and_ends_with_1(typed, name):
    words, want = REFUSED[name]
    done = typed(*words, files={"two.yaml": "exporters:\n  debgu: \n"},
                 MORE="processors: {batch: {tiemout: 1s}}")
    assert done.returncode == 1 and done.stdout == ""
    place, _, sentence = want.partition(": unknown type")
    last = done.stderr.splitlines()[-1]
    assert last.startswith("Error: ")
    assert place in last and sentence in last, last


def test_a_good_configuration_is_accepted_in_silence(typed):
    done = typed("validate", "--config=base.yaml")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_help_and_version_end_with_0(typed):
    for words in (["--help"], ["-h"], ["validate", "--help"], ["help"]):
        done = typed(*words)
        assert done.returncode == 0 and "--set KEY=VALUE" in done.stdout
    for words in (["--version"], ["-v"], ["version"]):
        assert re.fullmatch(r"weir version \S+\n", typed(*words).stdout)


def test_a_run_that_a_signal_ends_has_done_its_work(weir):
    w = weir(HEAD + "exporters: {debug: }\nservice:\n  pipelines: {traces: {receivers: [otlp], exporters: [debug]}}\n"
             + TELEMETRY, args=["--set", "processors.batch.timeout=1s"])
    assert re.search(r"runs \S+weir-0\.yaml and 1 --set$", w.output, re.M)
    assert w.stop() == 0


# --- sources -------------------------------------------------------------------------

def printed(done):
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_sources_go_over_each_other_in_order_and_set_last(typed):
    line = ["print-config", "--format=json", "--set=processors.batch.send_batch_max_size=9000",
            "--config", "base.yaml", "--config=env:MORE", "--config=yaml:processors::batch::timeout: 3s"]
    batch = printed(typed(*line, MORE="processors: {batch: {timeout: 2s, send_batch_size: 7}}"))["processors"]["batch"]
    assert (batch["timeout"], batch["send_batch_size"], batch["send_batch_max_size"]) == ("3s", 7, 9000)


def test_what_a_variable_lacks_is_logged(typed):
    done = typed("validate", "--config=base.yaml", "--set=processors.batch.send_batch_size=${NOT_SET}",
                 "--set=processors.batch.metadata_keys=${IS_EMPTY}", IS_EMPTY="")
    assert re.search(r"\twarn\t.*Configuration references unset environment variable.*NOT_SET", done.stderr)
    assert re.search(r"\tinfo\t.*Configuration references empty environment variable.*IS_EMPTY", done.stderr)


def test_values_of_variables_stay_out_of_errors(typed):
    done = typed("validate", "--config=base.yaml", "--set=processors.batch=${SECRET}", SECRET="[hunter2")
    assert done.returncode == 1 and "hunter2" not in done.stderr + done.stdout


# --- gates ---------------------------------------------------------------------------

def test_gates_are_listed_with_stage_and_default(typed):
    lines = typed("featuregate").stdout.splitlines()
    assert lines[0].split() == ["ID", "Enabled", "Stage", "Description"]
    table = {line.split()[0]: line.split()[1:3] for line in lines[1:]}
    assert table["confmap.enableMergeAppendOption"] == ["false", "Alpha"]
    assert table["service.partialReloadReceivers"] == ["true", "Beta"]
    assert table["processor.filter.defaultErrorModeIgnore"] == ["true", "Stable"]
    assert "Enabled: true" in typed("featuregate", "--feature-gates=service.AllowNoPipelines",
                                    "service.AllowNoPipelines").stdout


def test_a_gate_without_effect_is_said_to_be_so_once(typed):
    done = typed("validate", "--config=base.yaml", "--feature-gates=service.partialReload",
                 "--feature-gates=confmap.enableMergeAppendOption,-service.partialReloadReceivers")
    assert done.returncode == 0
    assert len(done.stderr.splitlines()) == 1
    assert "service.partialReload,-service.partialReloadReceivers" in done.stderr


def test_nothing_to_do_is_fine_when_the_gate_says_so(weir):
    w = weir("service:" + TELEMETRY, args=["--feature-gates=service.AllowNoPipelines"])
    assert w.metric("otelcol_process_uptime") is not None
    assert w.stop() == 0


# --- print-config ---------------------------------------------------------------------

SECRETS = """
exporters:
  otlp_grpc:
    endpoint: h:1
    tls: {insecure: true}
    headers: {authorization: "hunter2 ${A}$${B}", x: ""}
service:
  telemetry:
    resource: {version: "${VERSION}", cost: "$5 $$${A}"}
"""


def test_secrets_are_shown_only_when_asked_for(typed):
    line = ["print-config", "--config=base.yaml", "--config=more.yaml"]
    env = {"A": "$a", "VERSION": "1.10"}
    hidden = typed(*line, files={"more.yaml": SECRETS}, **env)
    shown = typed(*line, "--mode=unredacted", files={"more.yaml": SECRETS}, **env)
    assert "authorization: \"[REDACTED]\"" in hidden.stdout and "hunter2" not in hidden.stdout
    assert "authorization: \"hunter2 $$a$${B}\"" in shown.stdout
    assert "version: \"1.10\"" in shown.stdout      # text, though 1.1 is the number
    again = typed("print-config", "--config=again.yaml", "--mode=unredacted", files={"again.yaml": shown.stdout})
    assert again.stdout == shown.stdout


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda p: str(p.relative_to(ROOT)))
def test_what_is_printed_means_what_it_was_made_from(typed, example):
    for form in ("yaml", "json"):
        first = typed("print-config", "--mode=unredacted", f"--format={form}", "--config", str(example))
        assert first.returncode == 0, first.stderr
        line = ["--config=printed.yaml"]
        files = {"printed.yaml": first.stdout}
        again = typed("print-config", "--mode=unredacted", f"--format={form}", *line, files=files)
        assert again.stdout == first.stdout, again.stderr
        assert typed("validate", *line, files=files).returncode == 0


def test_what_would_be_refused_can_be_printed(typed):
    line = ["print-config", "--config=base.yaml", "--set=service.pipelines.traces.exporters=[none]"]
    assert typed(*line).returncode == 1
    done = typed(*line, "--validate=false")
    assert done.returncode == 0 and "- none" in done.stdout


def test_the_old_name_of_print_config_is_one(typed):
    assert typed("print-initial-config", "--config=base.yaml").stdout == \
        typed("print-config", "--config=base.yaml").stdout
