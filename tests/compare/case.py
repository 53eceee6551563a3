# SPDX-License-Identifier: Apache-2.0
"""What a case is, and the YAML around its processors."""
from dataclasses import dataclass

ALL = ("traces", "metrics", "logs")

EXPORTER = """
  {name}:
    endpoint: 127.0.0.1:${{env:{port}}}
    tls: {{insecure: true}}
    compression: none
    sending_queue: {{enabled: false}}
    retry_on_failure: {{enabled: false}}
"""


@dataclass
class Case:
    """One configuration, for both programs.  Either processors and chain, in
    three equal pipelines, or a whole yaml."""
    name: str
    processors: str = ""
    chain: str = ""
    signals: tuple = ALL
    yaml: str = ""
    # messages: each request's output is compared.  items: all of it at the
    # end, item by item, because where it is cut is a matter of time.
    compare: str = "messages"
    largest: int = 0            # items: no message may have more; 0: any size
    one_of: str = ""            # items: an attribute with one value per message
    odd: bool = False       # keys that come twice
    metadata: bool = False      # include_metadata
    tenants: tuple = ()         # values of x-tenant, in turn
    backends: tuple = ("BACKEND",)
    relay: bool = False         # OTLP/HTTP out, to ${env:RELAY}
    front: tuple = ()           # OTLP/HTTP in: encoding and compression
    file: str = ""              # JSON, a message a line, in ${env:OUT}
    until: str = ""             # sent until both answer so, then compared
    texts: bool = False         # first, every URL and query that we know
    requests: int = 0           # of each signal; 0: as many as all others

    def text(self):
        if self.yaml:
            return self.yaml
        pipelines = "".join(
            f"    {s}: {{receivers: [otlp], processors: [{self.chain}], "
            f"exporters: [otlp_grpc]}}\n" for s in self.signals)
        exporter = EXPORTER.format(name="otlp_grpc", port="BACKEND")
        processors = f"processors:\n{self.processors}" if self.processors else ""
        return f"""
receivers:
  otlp:
    protocols:
      grpc:
        endpoint: 127.0.0.1:${{env:OTLP}}
        include_metadata: {str(self.metadata).lower()}
{processors}
exporters:{exporter}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
{pipelines}"""


def indented(text, by):
    return "".join(" " * by + line + "\n" for line in text.strip("\n").split("\n"))
