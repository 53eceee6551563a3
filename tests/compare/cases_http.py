# SPDX-License-Identifier: Apache-2.0
"""OTLP/HTTP: protobuf and JSON in every encoding, out to a Go collector that
reads them and in from one that writes them; and JSON in files."""
from case import ALL, EXPORTER, Case

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


def http_in(encoding, compression):
    return Case(f"http-in/{encoding}-{compression}", front=(encoding, compression),
                yaml="""
receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:${env:HTTP}"}}}}
exporters:""" + EXPORTER.format(name="otlp_grpc", port="BACKEND") + pipelines("otlp_grpc"))


def file_out(name, keys=""):
    return Case(f"file/{name}", file="out.json", yaml=HEAD + f"""
  file: {{path: "${{env:OUT}}/out.json"{keys}}}
""" + pipelines("file"))


def cases():
    for encoding in ("proto", "json"):
        for compression in COMPRESSIONS:
            yield http_out(encoding, compression)
            yield http_in(encoding, compression)
    yield file_out("json")
    yield file_out("json-append", ", append: true")
