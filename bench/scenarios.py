# SPDX-License-Identifier: Apache-2.0
"""What is measured: the table of scenarios, and the processors in each.  Only
data; the spans themselves are made by spans.c.
"""
from typing import NamedTuple

THREE = ("api_key", "user_email", "token")


def deletes(keys):
    return {"actions": [{"key": key, "action": "delete"} for key in keys]}


def redaction(**rules):
    return {"redaction": {"allow_all_keys": True, **rules}}


# A list of words, as in otel-config.yaml, and what needs a regular expression.
WORDS = redaction(blocked_key_patterns=["^(" + "|".join(THREE) + ")$"])
PATTERN = redaction(
    blocked_key_patterns=[r"(?i)(api[_-]?key|user_email|\btoken$)"])
DELETES = {"attributes": deletes(THREE)}
UPSERT = {"attributes/up": {"actions": [
    {"key": "deployment.region", "value": "eu-central-1",
     "action": "upsert"}]}}
# Three kinds in three .so files; WORDS alone changes the same attributes.
KINDS = {"attributes/1": deletes(("api_key", "token")),
         "resource": {"attributes": [{"key": "token", "action": "delete"}]},
         **redaction(blocked_key_patterns=["^user_email$"])}

# A backend of 50,000 spans/s, and what may be held when 200,000 come.
OVERLOAD = {"rate": 50_000, "queue_size": 8 << 20, "limit_mib": 64}


class Scenario(NamedTuple):
    title: str
    processors: dict | None
    spans: int = 512            # a request
    gzip: bool = False          # in and out
    http: str | None = None     # OTLP/HTTP in: "protobuf", "json"
    http_out: bool = False      # ... and out
    swallow: bool = False       # nothing goes out

    @property
    def counted(self):
        """The sink can count the spans that come out."""
        return not (self.gzip or self.http_out or self.swallow)

    @property
    def bare(self):
        """Nothing is done to the spans: a relay can take part."""
        return self.processors is None


SCENARIOS = {
    "pass": Scenario("pass-through, 512", None),
    "pass10": Scenario("pass-through, 10", None, 10),
    "attributes": Scenario("`attributes`, three deletes, 512", DELETES),
    "attributes10": Scenario("`attributes`, three deletes, 10", DELETES, 10),
    "words": Scenario("`redaction`, three keys as one list, 512", WORDS),
    "redaction": Scenario("`redaction`, one key pattern, 512", PATTERN),
    "three": Scenario("`attributes`, `resource` and `redaction`, 512", KINDS),
    "upsert": Scenario("an upsert on every span, 512", UPSERT),
    "gzip": Scenario("gzip in and out, `attributes`, 512", DELETES,
                     gzip=True),
    "http": Scenario("OTLP/HTTP protobuf in, `attributes`, 512", DELETES,
                     http="protobuf"),
    "json": Scenario("OTLP/HTTP JSON in, `attributes`, 512", DELETES,
                     http="json"),
    "httpgzip": Scenario("OTLP/HTTP gzip in and out, `attributes`, 512",
                         DELETES, gzip=True, http="protobuf", http_out=True),
}
