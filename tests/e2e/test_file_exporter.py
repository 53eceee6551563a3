# SPDX-License-Identifier: Apache-2.0
"""The file exporter as an operator sees it: rotation under load, a file per
tenant, compressed records, a disk that is full, and what is refused."""
import ctypes
import ctypes.util
import json
import os
import subprocess

import grpc
import pytest

from conftest import BUILD, eventually, spans
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from pipelines import HEAD, TELEMETRY


def config(block, more=""):
    return HEAD + f"""
exporters:
  file:
    {block}
{more}
service:
{TELEMETRY}
  pipelines:
    traces: {{receivers: [otlp], exporters: [file{", file/b" if more else ""}]}}
    logs: {{receivers: [otlp], exporters: [file]}}
"""


def names(*paths):
    """The names of all spans in JSON lines."""
    return [s["name"] for path in paths for line in path.read_text().splitlines()
            for rs in json.loads(line)["resourceSpans"]
            for ss in rs["scopeSpans"] for s in ss["spans"]]


def test_rotation_loses_nothing_and_keeps_the_newest(weir, client, tmp_path):
    out = tmp_path / "d" / "out.json"
    w = weir(config(f"path: {out}\n    create_directory: true\n"
                    "    rotation: {max_megabytes: 1, max_backups: 3}"))
    c = client(w.otlp)
    for i in range(40):     # 256 KiB each, three or four to a file
        c.export("traces", spans(1, first=i, attributes=[("v", "x" * (1 << 18))]))
    eventually(lambda: len(list(out.parent.iterdir())) == 4, "three backups and one")
    backups = sorted(p for p in out.parent.iterdir() if p != out)
    assert all(p.match("out-20??-??-??T??-??-??.???-size.json") for p in backups)
    assert all(p.stat().st_size <= 1 << 20 for p in [*backups, out])
    have = names(*backups, out)
    assert have == [f"op-{i}" for i in range(40 - len(have), 40)]
    assert w.metric("otelcol_exporter_sent_spans", exporter="file") == 40


def test_rotation_goes_on_in_the_file_of_the_run_before(weir, client, tmp_path):
    out = tmp_path / "out.json"
    for i in range(2):
        w = weir(config(f"path: {out}\n    rotation:"))
        client(w.otlp).export("traces", spans(1, first=i))
        assert w.stop() == 0
    assert names(out) == ["op-0", "op-1"]


def test_each_tenant_has_a_file_and_none_gets_out(weir, client, tmp_path):
    base = tmp_path / "tenants"
    w = weir(config(f"path: '{base}/*.json'\n    group_by:\n      enabled: true\n"
                    "      resource_attribute: tenant\n      max_open_files: 2"))
    c = client(w.otlp)
    for tenant in ("a", "b", "c", "a", "../../../evil", "x/y"):
        c.export("traces", spans(1, resource=[("tenant", tenant)]))
    c.export("traces", spans(5))
    files = {str(p.relative_to(tmp_path)): len(names(p))
             for p in tmp_path.rglob("*.json")}
    assert files == {"tenants/a.json": 2, "tenants/b.json": 1, "tenants/c.json": 1,
                     "tenants/evil.json": 1, "tenants/x/y.json": 1}
    assert w.metric("otelcol_exporter_sent_spans", exporter="file") == 6
    assert w.metric("weir_dropped_items", reason="filtered") == 5


def decompress(frame):
    zstd = ctypes.CDLL(ctypes.util.find_library("zstd"))
    zstd.ZSTD_decompress.restype = ctypes.c_size_t
    out = ctypes.create_string_buffer(1 << 20)
    n = zstd.ZSTD_decompress(out, ctypes.c_size_t(len(out)), frame,
                             ctypes.c_size_t(len(frame)))
    assert n <= len(out), "no zstd frame"
    return out.raw[:n]


def framed(data):
    while data:
        n = int.from_bytes(data[:4], "big")
        assert len(data) >= 4 + n
        yield data[4:4 + n]
        data = data[4 + n:]


@pytest.mark.parametrize("form, compression", [
    ("proto", "''"), ("proto", "zstd"), ("json", "zstd")])
def test_what_is_framed_reads_back(weir, client, tmp_path, form, compression):
    out = tmp_path / "out"
    w = weir(config(f"path: {out}\n    format: {form}\n    compression: {compression}"))
    c = client(w.otlp)
    requests = [spans(n, attributes=[("text", "again and " * 100)]) for n in (1, 20)]
    for request in requests:
        c.export("traces", request)
    records = list(framed(out.read_bytes()))
    if compression == "zstd":
        assert sum(map(len, records)) < sum(r.ByteSize() for r in requests) / 4
        records = [decompress(r) for r in records]
    if form == "json":
        assert [len(json.loads(r)["resourceSpans"][0]["scopeSpans"][0]["spans"])
                for r in records] == [1, 20]
    else:
        assert [trace_service_pb2.ExportTraceServiceRequest.FromString(r)
                for r in records] == requests


def test_a_full_disk_is_told_to_the_sender_and_counted(weir, client):
    w = weir(config("path: /dev/full"))
    with pytest.raises(grpc.RpcError) as refused:
        client(w.otlp).export("traces", spans(7))
    assert refused.value.code() == grpc.StatusCode.UNAVAILABLE
    assert "No space left on device" in refused.value.details()
    assert w.metric("otelcol_exporter_send_failed_spans", exporter="file") == 7
    w.saw("Writing the file failed")


def test_a_directory_that_goes_and_comes_costs_nothing_that_was_acked(
        weir, client, tmp_path):
    out = tmp_path / "d" / "out"
    out.parent.mkdir()
    w = weir(config(f"path: {out}"))
    c = client(w.otlp)
    c.export("traces", spans(1))
    out.unlink()
    out.parent.rmdir()
    with pytest.raises(grpc.RpcError) as refused:
        c.export("traces", spans(1, first=1))
    assert refused.value.code() == grpc.StatusCode.UNAVAILABLE
    out.parent.mkdir()
    c.export("traces", spans(1, first=1))
    assert names(out) == ["op-1"]


def test_two_exporters_with_one_path_write_behind_each_other(weir, client, tmp_path):
    out = tmp_path / "out"
    w = weir(config(f"path: {out}", f"  file/b:\n    path: {out}"))
    c = client(w.otlp)
    for i in range(10):
        c.export("traces", spans(1, first=i))
    eventually(lambda: len(names(out)) == 20, "both")
    assert sorted(names(out)) == sorted(f"op-{i // 2}" for i in range(20))


@pytest.mark.parametrize("block, place, says", [
    ("format: JSON", "10:13", "format type is not supported"),
    ("path: x\n    append: true\n    rotation:", "11:13",
     "append and rotation enabled at the same time is not supported"),
    ("path: x\n    rotation: {max_backup: 1}", "11:16",
     'unknown key "max_backup"; did you mean "max_backups"?'),
    ("path: x\n    rotation: {enabled: true}", "11:16", 'unknown key "enabled"'),
    ("path: x\n    encoding: text_encoding", "11:15", 'unknown encoding "text_encoding"'),
    ("path: x\n    compression: gzip", "11:18", "compression is not supported"),
    ("path: x\n    group_by: {enabled: true}", "10:11",
     "path must contain exactly one * when group_by is enabled"),
    ("path: x*\n    group_by: {enabled: true, max_open_files: -1}", "11:47",
     "must provide a positive size"),
    ("path: x\n    timeout: 1s", "11:5", 'unknown key "timeout"'),
])
def test_what_it_refuses_has_a_place(tmp_path, block, place, says):
    path = tmp_path / "c.yaml"
    path.write_text(config(block if "path" in block else f"{block}\n    path: x"))
    done = subprocess.run([str(BUILD / "weir"), "validate", "--config", str(path)],
                          text=True, capture_output=True, timeout=30,
                          env={**os.environ, "OTLP": "1", "METRICS": "2"})
    assert done.returncode == 1
    assert says in done.stderr
    assert f"c.yaml:{place}: exporters.file" in done.stderr


@pytest.mark.parametrize("rotation, printed", [("", False), ("rotation:", True)])
def test_a_printed_configuration_rotates_where_the_file_does(tmp_path, rotation, printed):
    path = tmp_path / "c.yaml"
    path.write_text(config(f"path: x\n    {rotation}"))
    done = subprocess.run([str(BUILD / "weir"), "print-config", "--config", str(path)],
                          text=True, capture_output=True, timeout=30, check=True,
                          env={**os.environ, "OTLP": "1", "METRICS": "2"})
    assert ("    rotation:\n" in done.stdout) == printed
    assert "max_open_files: 100" in done.stdout
