# SPDX-License-Identifier: Apache-2.0
"""The contenders' configuration files, as text.  Weir and the Go collector get
the same YAML, but for `service::workers: 1`, which keeps Weir on one core as
GOMAXPROCS keeps the other.
"""
import os
import re

from scenarios import OVERLOAD, SCENARIOS, STEADY

HERE = os.path.dirname(os.path.abspath(__file__))


def dump(value, depth=0):
    """YAML of dicts, lists and scalars: enough for a configuration."""
    pad = "  " * depth
    if isinstance(value, dict):
        return "".join(
            f"{pad}{k}:" + (f"\n{dump(v, depth + 1)}" if v and
                            isinstance(v, (dict, list)) else
                            f" {scalar(v)}\n") for k, v in value.items())
    return "".join(
        f"{pad}- " + dump(v, depth + 1).lstrip() if isinstance(v, dict) else
        f"{pad}- {scalar(v)}\n" for v in value)


def scalar(v):
    if isinstance(v, bool):
        return "true" if v else "false"
    if isinstance(v, dict):
        return "{}"
    if isinstance(v, str):  # single quotes: a backslash is one
        return "'" + v.replace("'", "''") + "'"
    return str(v)


def receiver(http, port):
    at = {"endpoint": f"127.0.0.1:{port}"}
    if http:
        return {"http": {**at, "max_request_body_size": 64 << 20}}
    return {"grpc": {**at, "max_recv_msg_size_mib": 64}}


def exporter(scenario, port, more):
    if scenario.swallow:
        return {"nop": {}}
    kind, at = (("otlphttp", f"http://127.0.0.1:{port}")
                if scenario.http_out else ("otlp", f"127.0.0.1:{port}"))
    return {kind: {"endpoint": at,
                   "compression": "gzip" if scenario.gzip else "none",
                   "tls": {"insecure": True}, **more}}


def collector_yaml(name, ports, ours):
    if name == "sidecar":
        return sidecar_yaml(ports, ours)
    stages, more, scenario = {}, {}, SCENARIOS["pass"]
    if name == "overload":
        stages["memory_limiter"] = {
            "check_interval": "1s", "limit_mib": OVERLOAD["limit_mib"],
            "spike_limit_mib": OVERLOAD["limit_mib"] // 4}
        more["sending_queue"] = {"sizer": "bytes",
                                 "queue_size": OVERLOAD["queue_size"]}
    else:
        scenario = SCENARIOS.get(name) or STEADY[name]
        stages.update(scenario.processors or {})
    stages["batch"] = {}
    out = exporter(scenario, ports.sink, more)
    service = {
        "telemetry": {"metrics": {"level": "none"},
                      "logs": {"level": "error"}},
        "pipelines": {"traces": {"receivers": ["otlp"],
                                 "processors": list(stages),
                                 "exporters": list(out)}}}
    if ours:
        service["workers"] = 1
    return dump({"receivers": {"otlp": {"protocols":
                                        receiver(scenario.http, ports.test)}},
                 "processors": stages, "exporters": out, "service": service})


def sidecar_yaml(ports, ours):
    """configs/sidecar.yaml, but for the ports; for the Collector without the
    keys of `redaction` that it does not have."""
    with open(os.path.join(HERE, "..", "configs", "sidecar.yaml")) as f:
        text = f.read()
    reader = {"service": {"telemetry": {"metrics": {"readers": [
        {"pull": {"exporter": {"prometheus": {
            "host": "127.0.0.1", "port": ports.metrics}}}}]}}}}
    text = text.replace("127.0.0.1:4317", f"127.0.0.1:{ports.test}")
    text = text.replace("127.0.0.1:4318", "127.0.0.1:0")
    if not ours:
        text = re.sub(r"^    (levels|detectors|structured_strings|content):.*\n"
                      r"(      .*\n)*", "", text, flags=re.M)
    return re.sub(r"^service:\n", dump(reader), text, flags=re.M)


def file_yaml(ports, path):
    """A weir that writes what it gets, as OTLP/JSON, a request a line."""
    return dump({
        "receivers": {"otlp": {"protocols": receiver(None, ports.test)}},
        "exporters": {"file": {"path": path}},
        "service": {"workers": 1, "telemetry": {
            "metrics": {"level": "none"}, "logs": {"level": "error"}},
            "pipelines": {"traces": {"receivers": ["otlp"],
                                     "exporters": ["file"]}}}})


def nginx_conf(ports, folder):
    return f"""
daemon off; master_process off; worker_processes 1; pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off; client_max_body_size 64m; client_body_buffer_size 4m;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u;
  scgi_temp_path {folder}/s;
  keepalive_requests 100000000;
  upstream sink {{ server 127.0.0.1:{ports.sink}; keepalive 512;
                   keepalive_requests 100000000; }}
  server {{ listen 127.0.0.1:{ports.test} http2;
    http2_max_concurrent_streams 1024;
    grpc_buffer_size 64k;
    location / {{ grpc_pass grpc://sink; }} }}
}}
"""
