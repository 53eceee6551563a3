# SPDX-License-Identifier: Apache-2.0
"""OTLP/HTTP: protobuf and JSON out in every encoding, read by a Go collector;
and JSON in files."""
from case import ALL, Case

HEAD = """
receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:${env:OTLP}"}}}}
exporters:
"""
COMPRESSIONS = ("none", "gzip", "zstd", "snappy", "x-snappy-framed", "zlib",
                "deflate", "lz4")


def pipelines(exporter):
    return "service:\n  telemetry: {metrics: {level: none}}\n  pipelines:\n" + "".join(
        f"    {s}: {{receivers: [otlp], exporters: [{exporter}]}}\n" for s in ALL)


def http_out(encoding, compression):
    return Case(f"http-out/{encoding}-{compression}", relay=True, yaml=HEAD + f"""
  otlp_http:
    endpoint: http://127.0.0.1:${{env:RELAY}}
    encoding: {encoding}
    compression: {compression}
    sending_queue: {{enabled: false}}
    retry_on_failure: {{enabled: false}}
""" + pipelines("otlp_http"))


def file_out(name, keys=""):
    return Case(f"file/{name}", file="out.json", yaml=HEAD + f"""
  file: {{path: "${{env:OUT}}/out.json"{keys}}}
""" + pipelines("file"))


def cases():
    for encoding in ("proto", "json"):
        for compression in COMPRESSIONS:
            yield http_out(encoding, compression)
    yield file_out("json")
    yield file_out("json-append", ", append: true")
