# SPDX-License-Identifier: Apache-2.0
"""The configurations that several scenarios share."""

HEAD = """
receivers:
  otlp:
    protocols:
      grpc:
        endpoint: 127.0.0.1:${env:OTLP}
"""

TELEMETRY = """
  telemetry:
    metrics:
      level: detailed
      readers:
        - pull:
            exporter:
              prometheus:
                host: 127.0.0.1
                port: ${env:METRICS}
"""


def to_backend(processors="", chain="[]", exporter="", service=""):
    """OTLP in, these processors, OTLP out to ${env:BACKEND}; three pipelines."""
    return HEAD + (f"processors:\n{processors}" if processors else "") + f"""
exporters:
  otlp_grpc:
    endpoint: 127.0.0.1:${{env:BACKEND}}
    tls:
      insecure: true
{exporter}
service:
{service}
{TELEMETRY}
  pipelines:
    traces: {{receivers: [otlp], processors: {chain}, exporters: [otlp_grpc]}}
    metrics: {{receivers: [otlp], processors: {chain}, exporters: [otlp_grpc]}}
    logs: {{receivers: [otlp], processors: {chain}, exporters: [otlp_grpc]}}
"""
