# SPDX-License-Identifier: Apache-2.0
"""batch, memory_limiter, several pipelines and several exporters, and nothing
between receiver and exporter at all."""
from case import ALL, EXPORTER, Case

TENANT = """
  attributes: {actions: [{key: sent.by, action: upsert, from_context: metadata.x-tenant}]}
"""


def batch(name, keys, **how):
    return Case(f"batch/{name}", f"  batch: {{{keys}}}\n", "batch",
                compare="items", **how)


def cases():
    yield Case("plain")
    yield Case("plain/odd-keys", odd=True)
    yield batch("defaults", "")
    yield batch("no-timeout", "timeout: 0s")
    yield batch("no-timeout-cut", "timeout: 0s, send_batch_size: 3, send_batch_max_size: 3",
                largest=3)
    yield batch("no-size", "send_batch_size: 0")
    yield batch("no-size-cut", "send_batch_size: 0, send_batch_max_size: 2", largest=2)
    yield batch("small", "timeout: 50ms, send_batch_size: 5")
    yield batch("cut", "timeout: 50ms, send_batch_size: 5, send_batch_max_size: 5", largest=5)
    yield batch("cut-to-one", "timeout: 50ms, send_batch_size: 1, send_batch_max_size: 1",
                largest=1)
    yield batch("larger-max", "timeout: 50ms, send_batch_size: 4, send_batch_max_size: 7",
                largest=7)
    yield batch("at-the-end", "timeout: 10m, send_batch_size: 100000")
    yield Case("batch/by-tenant", TENANT + """
  batch: {timeout: 30ms, send_batch_size: 8, metadata_keys: [X-Tenant]}
""", "attributes, batch", compare="items", metadata=True, one_of="sent.by",
               tenants=("blue", "green", "red", ""))
    yield Case("batch/by-two-keys", TENANT + """
  batch: {timeout: 30ms, metadata_keys: [x-tenant, x-none], metadata_cardinality_limit: 0}
""", "attributes, batch", compare="items", metadata=True, one_of="sent.by",
               tenants=("blue", ("a", "b"), None))
    yield Case("batch/too-many-tenants", """
  batch: {timeout: 30ms, metadata_keys: [x-tenant], metadata_cardinality_limit: 2}
""", "batch", compare="items", metadata=True, tenants=("1", "2", "3", "1", "4"))
    yield Case("batch/behind-redaction", """
  redaction: {allow_all_keys: true, blocked_values: ['[0-9]{4}'], summary: info}
  batch: {timeout: 30ms, send_batch_size: 6, send_batch_max_size: 6}
  attributes: {actions: [{key: late, action: upsert, value: 1}]}
""", "redaction, batch, attributes", compare="items", largest=6)
    yield Case("memory_limiter/roomy", """
  memory_limiter: {check_interval: 100ms, limit_mib: 4000, spike_limit_mib: 100}
""", "memory_limiter")
    yield Case("memory_limiter/percentage", """
  memory_limiter: {check_interval: 100ms, limit_percentage: 90, spike_limit_percentage: 10}
""", "memory_limiter")
    yield Case("memory_limiter/no-room", """
  memory_limiter: {check_interval: 10ms, limit_mib: 4000, spike_limit_mib: 3999}
""", "memory_limiter", until="UNAVAILABLE")
    yield fan_out()
    yield two_pipelines()
    yield missing_pipeline()


HEAD = """
receivers:
  otlp: {protocols: {grpc: {endpoint: "127.0.0.1:${env:OTLP}"}}}
exporters:""" + EXPORTER.format(name="otlp_grpc/1", port="BACKEND") \
    + EXPORTER.format(name="otlp_grpc/2", port="SECOND") + """
processors:
  attributes: {actions: [{key: mine, action: upsert, value: 1}, {key: note, action: delete}]}
  redaction: {allow_all_keys: true, blocked_values: ['[0-9]{4}']}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
"""


def fan_out():
    return Case("pipelines/fan-out", yaml=HEAD + "".join(
        f"    {s}: {{receivers: [otlp], processors: [attributes, redaction], "
        f"exporters: [otlp_grpc/1, otlp_grpc/2]}}\n" for s in ALL),
        backends=("BACKEND", "SECOND"))


def two_pipelines():
    return Case("pipelines/two", yaml=HEAD + "".join(
        f"    {s}/a: {{receivers: [otlp], processors: [attributes], exporters: [otlp_grpc/1]}}\n"
        f"    {s}/b: {{receivers: [otlp], processors: [redaction], exporters: [otlp_grpc/2]}}\n"
        for s in ALL), backends=("BACKEND", "SECOND"))


def missing_pipeline():
    return Case("pipelines/no-logs", yaml=HEAD + "".join(
        f"    {s}: {{receivers: [otlp], exporters: [otlp_grpc/1]}}\n"
        for s in ("traces", "metrics")), backends=("BACKEND", "SECOND"))
