# SPDX-License-Identifier: Apache-2.0
"""What one weir packs another one reads."""
import pytest

from conftest import spans
from pipelines import HEAD, to_backend

HOP = HEAD + """
exporters:
  otlp_grpc:
    endpoint: 127.0.0.1:${env:NEXT}
    compression: %s
    tls:
      insecure: true
    sending_queue:
      enabled: false
    retry_on_failure:
      enabled: false
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    traces: {receivers: [otlp], exporters: [otlp_grpc]}
"""


@pytest.mark.parametrize("name", ["gzip", "zstd", "snappy", "none"])
def test_a_hop_over_grpc_in_every_encoding(weir, backend, client, name):
    there = backend()
    last = weir(to_backend(), BACKEND=there.port)
    first = weir(HOP % name, NEXT=last.otlp.rsplit(":")[1])
    request = spans(2000)
    client(first.otlp).export("traces", request)
    there.until(lambda: len(there.spans) == 2000)
    assert there.requests["traces"] == [request]
