#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""file_layout.py: the same requests through the file exporter of the Go collector
and of Weir; the same files must hold the same messages.  Exit 1 where not.

Names of backups are compared by their form, not by the time in them.  Where a
rotation falls may differ by a newline, which the Collector counts by itself:
only what all files hold together is asked for there."""
import ctypes
import ctypes.util
import pathlib
import re
import socket
import subprocess
import sys
import tempfile

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as traces

ROOT = pathlib.Path(__file__).resolve().parents[2]
CONFIG = """
receivers:
  otlp:
    protocols:
      grpc:
        endpoint: 127.0.0.1:{port}
        max_recv_msg_size_mib: 16
exporters:
  file:
    {block}
service:
  telemetry:
    metrics: {{level: none}}
  pipelines:
    traces: {{receivers: [otlp], exporters: [file]}}
"""
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}")
TENANTS = ["a", "b", "a/b", "../up", "../../up/up", "/root", "a/../../b", "./dot", "..",
           "", "x//y/", "with space", "\u00e9", "p-../q", ".hidden"]


def request(name, tenant=None, size=0):
    r = traces.ExportTraceServiceRequest()
    for t in tenant if isinstance(tenant, list) else [tenant]:
        group = r.resource_spans.add()
        if t is not None:
            group.resource.attributes.add(key="tenant").value.string_value = t
        span = group.scope_spans.add().spans.add(name=name, trace_id=b"t" * 16)
        span.attributes.add(key="v").value.string_value = "x" * size
    return r


def small():
    return [request(f"op-{i}") for i in range(5)]


def large():
    return [request(f"op-{i}", size=300_000) for i in range(12)]


def tenants():
    return [request(f"op-{i}", t) for i, t in enumerate(TENANTS)] + \
        [request("many", ["a", "b", None, "a"]), request("none")]


# what it is called, the block, the requests, files of an earlier run
CASES = [
    ("lines", "path: {dir}/out", small, {"out": "old\n"}),
    ("appended", "path: {dir}/out\n    append: true", small, {"out": "old\n"}),
    ("proto", "path: {dir}/out\n    format: proto", small, {}),
    ("zstd json", "path: {dir}/out\n    compression: zstd", small, {}),
    ("zstd proto", "path: {dir}/out\n    format: proto\n    compression: zstd", small, {}),
    ("made", "path: {dir}/a/b/out\n    create_directory: true", small, {}),
    ("rotated", "path: {dir}/out.json\n    rotation: {{max_megabytes: 1}}", large,
     {"out-2024-01-02T03-04-05.678.json": "legacy\n",
      "out-2024-01-02T03-04-05.678.jsonl": "other\n"}),
    ("rotated, no extension", "path: {dir}/out\n    rotation: {{max_megabytes: 1}}",
     large, {"out": "old\n"}),
    ("two backups", "path: {dir}/out.a.json\n    rotation: "
     "{{max_megabytes: 1, max_backups: 2}}", large,
     {"out.a-2023-01-02T03-04-05.678-size.json": "oldest\n",
      "out-2023-01-02T03-04-05.678-size.json": "another's\n"}),
    ("by age", "path: {dir}/out.json\n    rotation: {{max_days: 10}}", small,
     {"out-2023-01-02T03-04-05.678-time.json.gz": "old\n",
      "out-2023-02-30T03-04-05.678-size.json": "no day\n"}),
    ("grouped", "path: '{dir}/g/*.json'\n    group_by: {{enabled: true, "
     "resource_attribute: tenant}}", tenants, {}),
    ("grouped by prefix", "path: '{dir}/g/p-*.json'\n    group_by: {{enabled: true, "
     "resource_attribute: tenant}}", tenants, {}),
    ("grouped and rotated", "path: '{dir}/g/*/out.json'\n    rotation:\n    group_by: "
     "{{enabled: true, resource_attribute: tenant, max_open_files: 2}}", tenants, {}),
    ("grouped, appended, two open", "path: '{dir}/g/*'\n    append: true\n    format: "
     "proto\n    group_by: {{enabled: true, resource_attribute: tenant, "
     "max_open_files: 2}}", tenants, {}),
]


def run(command, directory, block, requests, before):
    directory.mkdir()
    data = directory / "data"
    data.mkdir()
    for name, text in before.items():
        (data / name).write_text(text)
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    config = directory / "config.yaml"
    config.write_text(CONFIG.format(port=port, block=block.format(dir=data)))
    heard = []
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen([*command, "--config", str(config)], stdout=log,
                                   stderr=log)
        try:
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                grpc.channel_ready_future(channel).result(timeout=30)
                call = channel.unary_unary("/opentelemetry.proto.collector.trace.v1."
                                           "TraceService/Export")
                for r in requests:
                    try:
                        call(r.SerializeToString(), timeout=30)
                        heard.append("ok")
                    except grpc.RpcError as e:
                        heard.append(f"{r.resource_spans[0].scope_spans[0].spans[0].name}"
                                     f" refused: {e.details().split(':')[-1].lower()}")
        finally:
            process.terminate()
            process.wait(30)
    return data, heard


def decompress(frame):
    zstd = ctypes.CDLL(ctypes.util.find_library("zstd"))
    zstd.ZSTD_decompress.restype = ctypes.c_size_t
    out = ctypes.create_string_buffer(1 << 22)
    n = zstd.ZSTD_decompress(out, ctypes.c_size_t(len(out)), frame,
                             ctypes.c_size_t(len(frame)))
    return out.raw[:n] if n <= len(out) else b"no frame"


def records(content):
    """Of length-prefixed ones."""
    while content:
        n = int.from_bytes(content[:4], "big")
        yield content[4:4 + n]
        content = content[4 + n:]


def message(record):
    """The Collector spells empty messages out; Weir passes on what came."""
    m = traces.ExportTraceServiceRequest.FromString(record)
    for group in m.resource_spans:
        group.resource.SetInParent()
        for scope in group.scope_spans:
            scope.scope.SetInParent()
            for span in scope.spans:
                span.status.SetInParent()
    return m.SerializeToString(deterministic=True)


def read(content, block):
    if "zstd" in block:
        content = [decompress(r) for r in records(content)]
    elif "proto" in block:
        content = list(records(content))
    else:
        content = [line for line in content.split(b"\n") if line]
    return [message(r) for r in content] if "proto" in block else content


def held(data, block):
    """What the files hold, by their names, the time of this run's backups left
    out; where they are rotated, all that is in files of one form, sorted."""
    files = {}
    for path in sorted(p for p in data.rglob("*") if p.is_file()):
        name = str(path.relative_to(data))
        if not re.search("-202[34]-", name):
            name = STAMP.sub("STAMP", name)
        if "rotation" in block:
            name = re.sub(r"(out[\w.]*)-STAMP-size", r"\1", name)
        files.setdefault(name, []).extend(read(path.read_bytes(), block))
    if "rotation" in block:
        files = {name: sorted(content) for name, content in files.items()}
        files["backups"] = [len(list(data.rglob("*-size*")))]
    if "max_backups" not in block:
        return files
    # which requests are in the newest depends on where rotations fall
    return {name: len(list(data.glob("*-size*"))) for name in files}


def main():
    wrong = 0
    with tempfile.TemporaryDirectory() as tmp:
        for i, (what, block, requests, before) in enumerate(CASES):
            sides = []
            for name, program in (("go", "build/peers/otelcol"), ("weir", "build/weir")):
                data, heard = run([str(ROOT / program)], pathlib.Path(tmp) / f"{i}-{name}",
                                  block, requests(), before)
                sides.append((held(data, block), heard))
            if sides[0] == sides[1]:
                continue
            wrong += 1
            print(f"{what}: differs")
            for side, (files, heard) in zip(("go", "weir"), sides):
                print(f"  {side}:", {k: v if isinstance(v, int) else len(v)
                                     for k, v in files.items()},
                      [h for h in heard if h != "ok"])
    print(f"file: {len(CASES)} layouts, {wrong} differ")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
