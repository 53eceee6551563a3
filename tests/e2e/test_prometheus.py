# SPDX-License-Identifier: Apache-2.0
"""A real Prometheus scrapes :8888."""
import json
import shutil
import subprocess
import urllib.parse
import urllib.request

import pytest

from conftest import PATIENCE, eventually, free_port, spans
from pipelines import to_backend

prometheus = shutil.which("prometheus") or "/usr/bin/prometheus"


def test_prometheus_reads_our_metrics(weir, backend, client, tmp_path):
    there = backend()
    w = weir(to_backend("  batch: {timeout: 20ms}\n", "[batch]"), BACKEND=there.port)
    client(w.otlp).export("traces", spans(25))
    there.until(lambda: len(there.spans) == 25)

    config = tmp_path / "prometheus.yml"
    config.write_text(f"""
scrape_configs:
  - job_name: weir
    scrape_interval: 1s
    static_configs: [{{targets: ["127.0.0.1:{w.env['METRICS']}"]}}]
""")
    port = free_port()
    p = subprocess.Popen([prometheus, f"--config.file={config}",
                          f"--storage.tsdb.path={tmp_path}/data",
                          f"--web.listen-address=127.0.0.1:{port}"],
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def query(text):
        url = f"http://127.0.0.1:{port}/api/v1/query?query={urllib.parse.quote(text)}"
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE) as page:
                result = json.load(page)["data"]["result"]
        except OSError:
            return None
        return float(result[0]["value"][1]) if result else None

    try:
        eventually(lambda: query("up") == 1, "a scrape")
        eventually(lambda: query("otelcol_exporter_sent_spans") == 25, "the counter")
        assert query("otelcol_receiver_accepted_spans") == 25
        assert query("otelcol_process_memory_rss") > 0
        promtool = shutil.which("promtool")
        checked = subprocess.run([promtool, "check", "metrics"], input=w.metrics(),
                                 text=True, capture_output=True, timeout=60)
        assert "error" not in checked.stderr.lower(), checked.stderr
    finally:
        p.terminate()
        p.wait(timeout=PATIENCE)
