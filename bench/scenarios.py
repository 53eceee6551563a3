# SPDX-License-Identifier: Apache-2.0
"""What is measured: the table of scenarios, and the processors in each.  Only
data; the spans themselves are made by spans.c.
"""
from typing import NamedTuple

import patterns

SECRET = "somebody@example.com"     # one of those of spans.c
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

DETECTORS = redaction(
    detectors=["email", "payment_card", "iban", "jwt", "private_key",
               "credentials", "cloud_key", "llm_key"],
    structured_strings={"enabled": True})

# A backend of 50,000 spans/s, and what may be held when 200,000 come.
OVERLOAD = {"rate": 50_000, "queue_size": 8 << 20, "limit_mib": 64}

# Traces of ten spans, all of which wait: 25,000 spans/s for 4 to 5 s are some
# 65 MB, and not much more than that rate is borne by the Go collector; at four
# times that Weir is asked what the sampler costs.  Four policies take half a
# per cent each, or less; the fifth a tenth.
TAIL = {"rate": 25_000, "fast": 100_000, "trace": 10, "wait": 4, "share": (0.05, 0.15)}
SAMPLING = {"tail_sampling": {
    "decision_wait": f"{TAIL['wait']}s",
    "policies": [
        {"name": "errors", "type": "status_code",
         "status_code": {"status_codes": ["ERROR"]}},
        {"name": "slow", "type": "latency",
         "latency": {"threshold_ms": 2000}},
        {"name": "failed", "type": "string_attribute",
         "string_attribute": {"key": "gen_ai.response.finish_reason",
                              "values": ["fail", "content_filter"]}},
        {"name": "large", "type": "numeric_attribute",
         "numeric_attribute": {"key": "db.response.returned_rows",
                               "min_value": 90, "max_value": 1000}},
        {"name": "tenth", "type": "probabilistic",
         "probabilistic": {"sampling_percentage": 10}}]}}


class Scenario(NamedTuple):
    title: str
    processors: dict | None
    spans: int = 512            # a request
    gzip: bool = False          # in and out
    http: str | None = None     # OTLP/HTTP in: "protobuf", "json"
    http_out: bool = False      # ... and out
    swallow: bool = False       # nothing goes out
    hits: int = 20              # of thousand spans, so many with secrets
    messages: bool = False      # a prompt in each: 2.2 KB a span
    rate: int = 0               # spans/s; 0: as many as it takes
    base: str | None = None     # the same spans passed through
    go: str = "rounds"          # the Go collector: "once" where it takes
                                # long, "never" where it has none of it

    @property
    def counted(self):
        """The sink can count the spans that come out."""
        return not (self.gzip or self.http_out or self.swallow)

    @property
    def cleans(self):
        """No secret comes out."""
        return self.processors not in (None, UPSERT)

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
    "redact_pass": Scenario("pass-through, no secrets, 512", None, hits=0,
                            go="never"),
    **{f"redact_key_{share}": Scenario(
        f"`redaction`, one key pattern, {share} % hit, 512", PATTERN,
        hits=10 * share, base="redact_pass", go="never") for share in (0, 10)},
    **{f"redact{len(rules)}_{share}": Scenario(
        f"`redaction`, {len(rules)} value patterns, {share} % hit, 512",
        redaction(blocked_values=rules), hits=10 * share, base="redact_pass",
        go="once")
       for rules in (patterns.TEN, patterns.HUNDRED)
       for share in (0, 1, 10)},
    "llm_pass": Scenario("pass-through, a prompt in each, 512", None,
                         messages=True, go="never"),
    "llm": Scenario("all detectors, JSON in strings, a prompt in each, 512",
                    DETECTORS, messages=True, base="llm_pass", go="never"),
}

# Parts of the scenario `tail`, at steady rates: the sampler; the same spans
# all passed on; and none, which with a tenth of the difference is what a
# sampler would cost that costs nothing.
def at_rate(prefix, rate, **more):
    rate = {"rate": rate, **more}
    return {
        prefix: Scenario("tail sampling, five policies", SAMPLING, **rate),
        f"{prefix}_pass": Scenario("pass-through", None, **rate),
        f"{prefix}_none": Scenario("received only (`nop`)", None,
                                   swallow=True, **rate)}


STEADY = {**at_rate("tail", TAIL["rate"]),
          **at_rate("fast", TAIL["fast"], go="never")}
