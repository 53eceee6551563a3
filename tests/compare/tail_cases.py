# SPDX-License-Identifier: Apache-2.0
"""The configurations of tail_sampling.py."""
from dataclasses import dataclass


@dataclass
class Case:
    policies: list
    keys: str = ""
    stream: str = "traces"
    live: bool = False      # decided while it runs, and then come late spans
    count: bool = False     # who passes is chance, how many is not

    def text(self):
        named = ", ".join(f"{{name: p{i}, {p}}}" for i, p in enumerate(self.policies))
        wait = "" if "decision_wait:" in self.keys else "decision_wait: 4s, " if self.live else "decision_wait: 1h, "
        return f"{{{wait}{self.keys + ', ' if self.keys else ''}policies: [{named}]}}"


def basic(kind, block="{}"):
    return f"type: {kind}, {kind}: {block}"


def sub(kind, *policies):
    return (f"type: {kind}, {kind}: {{{kind}_sub_policy: ["
            + ", ".join(f"{{name: s{i}, {p}}}" for i, p in enumerate(policies)) + "]}")


def inverse(policy):
    return f"type: not, not: {{not_sub_policy: {{name: s, {policy}}}}}"


def attr(kind, block, invert=False):
    return basic(f"{kind}_attribute", "{key: k, " + block + (", invert_match: true}" if invert else "}"))


def composite(most, rates, *policies):
    return (f"type: composite, composite: {{max_total_spans_per_second: {most}, policy_order: [s1, s0], "
            "composite_sub_policy: [" + ", ".join(f"{{name: s{i}, {p}}}" for i, p in enumerate(policies))
            + "], rate_allocation: [" + ", ".join(f"{{policy: s{i}, percent: {p}}}" for i, p in rates) + "]}")


def share(percent, salt=""):
    return basic("probabilistic", f"{{sampling_percentage: {percent}, hash_salt: '{salt}'}}")


def count(least, most):
    return basic("span_count", f"{{min_spans: {least}, max_spans: {most}}}")


ALL = "type: always_sample"
FLAGS = "type: trace_flags"
ERROR = basic("status_code", "{status_codes: [ERROR]}")
SLOW = basic("latency", "{threshold_ms: 250}")
NUMERIC = ["min_value: 2, max_value: 5", "min_value: 1", "max_value: -1", "min_value: -1, max_value: 1",
           "min_value: 5, max_value: 2", "min_value: 0.9, max_value: 5.9", "min_value: 9223372036854775807",
           "max_value: -9223372036854775808"]
STRING = ["values: [a, b]", "values: ['']", "values: ['5']", "values: [a, a, '']", "values: []", "values: 'a,b'",
          "values: ['^a'], enabled_regex_matching: true", "values: ['.*'], enabled_regex_matching: true",
          "values: ['.+'], enabled_regex_matching: true", "values: [''], enabled_regex_matching: true",
          "values: ['^$', 'x'], enabled_regex_matching: true, cache_max_size: 1",
          "values: ['(?i)^A$'], enabled_regex_matching: true, cache_max_size: -5",
          "values: ['^a.b$', '\\pL{2}'], enabled_regex_matching: true", "values: [], enabled_regex_matching: true"]
STATES = [("k", "v"), ("k", "v, w"), ("a", "'1'"), ("t@s", "x"), ("K", "v"), ("k", "''"), ("k", "' v'"),
          ("k", "'" + "v" * 255 + "', v"), ("", "v"), ("m30", "'1'")]

# Each alone.
POLICIES = [
    [], [ALL], [FLAGS], [SLOW],
    *[[basic("latency", f"{{threshold_ms: {a}, upper_threshold_ms: {b}}}")]
      for a, b in ((100, 200), (0, 0), (-1, 0), (0, 100), (250, 100), (5, -1), (299, 300), (0, 10**15))],
    *[[attr("numeric", b, i)] for i in (False, True) for b in NUMERIC],
    *[[attr("boolean", b, i)] for i in (False, True) for b in ("value: true", "value: false")],
    *[[attr("string", b, i)] for i in (False, True) for b in STRING],
    *[[share(p, s)] for s in ("", "pepper", "default-hash-seed", "ü")
      for p in (0, 0.001, 1, 10, 33.3, 49.99999, 50, 50.00001, 75, 99.9, 100, 120, -3)],
    *[[basic("status_code", f"{{status_codes: [{c}]}}")] for c in ("ERROR", "OK", "UNSET", "OK, ERROR")],
    *[[count(a, b)] for a, b in ((0, 0), (3, 0), (0, 3), (3, 4), (9, 2), (-1, -1), (1, 1))],
    *[[basic("trace_state", f"{{key: '{k}', values: [{v}]}}")] for k, v in STATES],
    [basic("rate_limiting", "{spans_per_second: 0, burst_capacity: 0}")],
    [basic("bytes_limiting", "{bytes_per_second: 1, burst_capacity: 100000000}")],
    [basic("bytes_limiting", "{bytes_per_second: 0}")],
]
# Those that hold others, and several beside each other.
NESTED = [
    [sub("and", ERROR, SLOW)], [sub("and", ERROR, inverse(SLOW))], [sub("and")],
    [sub("and", attr("string", "values: [a]", True), ALL)], [sub("and", share(50), share(50, "other"))],
    [inverse(ERROR)], [inverse(attr("string", "values: [a]", True))], [inverse(share(30))], [inverse(count(3, 4))],
    [ALL, sub("drop", ERROR)], [ALL, sub("drop", ERROR, inverse(SLOW))], [sub("drop", SLOW), ERROR],
    [ALL, sub("drop")], [ALL, sub("drop", attr("boolean", "value: true"))], [ALL, sub("drop", share(50))],
    [ALL, sub("drop", ERROR), sub("drop", FLAGS)], [sub("drop", ALL), ALL],
    [attr("string", "values: [a]", True), ERROR], [attr("numeric", "min_value: 2", True), FLAGS, SLOW],
    [ERROR, SLOW, share(10), count(5, 0)], [sub("and", ERROR, FLAGS), sub("and", SLOW, share(20)), inverse(ALL)],
    [composite(10**9, [(0, 100), (1, 100)], ERROR, SLOW)], [composite(10**9, [], ALL)],
    [composite(10**9, [(0, 0)], sub("and", ERROR, inverse(SLOW)), ALL)],
    [composite(0, [(0, 100)], ALL), FLAGS], [composite(10**9, [(1, 100)], ERROR, ALL)],
    [composite(10**9, [(0, 100), (0, -1)], share(40))], [composite(10**9, [(0, 100)])],
]
LIMITS = [
    Case([basic("rate_limiting", "{spans_per_second: 0, burst_capacity: 57}")], stream="singles", count=True),
    Case([basic("rate_limiting", "{spans_per_second: 1}")], stream="singles", count=True),
    Case([basic("rate_limiting", "{spans_per_second: 1, burst_capacity: -1}"), ERROR], "sample_on_first_match: true",
         stream="equals", count=True),
    Case([sub("and", ERROR, basic("rate_limiting", "{spans_per_second: 1, burst_capacity: 5}"))],
         stream="singles", count=True),
    Case([basic("bytes_limiting", "{bytes_per_second: 1, burst_capacity: 1000}")], stream="equals", count=True),
    Case([basic("bytes_limiting", "{bytes_per_second: 1, burst_capacity: 77}")], stream="equals", count=True),
    Case([composite(100, [(0, 20), (1, 50)], ERROR, ALL)], stream="singles", count=True),
    Case([composite(100, [(0, 20), (1, 30), (2, 500)], ERROR, SLOW, ALL)], stream="singles", count=True),
    Case([composite(90, [(0, 10), (1, 0), (2, -1)], ERROR, sub("and", SLOW, FLAGS), ALL)],
         stream="singles", count=True),
    Case([composite(100, [(0, 20)], ERROR, ALL)], stream="singles", count=True),
    Case([composite(7, [(0, 50)], ALL)], stream="equals", count=True),
]
MIX = [[ERROR], [ALL, sub("drop", ERROR)], [ERROR, share(40)], [attr("string", "values: [a]", True), count(2, 0)]]
KEYS = ["sample_on_first_match: true", "maximum_trace_size_bytes: 400", "maximum_trace_size_bytes: 800",
        "maximum_trace_size_bytes: 1", "sampling_strategy: span-ingest", "expected_new_traces_per_sec: 5",
        "decision_cache: {sampled_cache_size: 1000, non_sampled_cache_size: 1000}"]
ROOTS = "drop_pending_traces_on_shutdown: true, decision_wait: 1h, decision_wait_after_root_received: "
LATE = ["", "decision_cache: {sampled_cache_size: 1000, non_sampled_cache_size: 1000}",
        "decision_cache: {sampled_cache_size: 1000}", "decision_cache: {non_sampled_cache_size: 1000}",
        "decision_cache: {sampled_cache_size: -1, non_sampled_cache_size: 0}", "maximum_trace_size_bytes: 600",
        "maximum_trace_size_bytes: 600, decision_cache: {non_sampled_cache_size: 1000}",
        "sampling_strategy: span-ingest",
        "sampling_strategy: span-ingest, decision_cache: {sampled_cache_size: 1000, non_sampled_cache_size: 1000}",
        "sample_on_first_match: true", "drop_pending_traces_on_shutdown: true"]


def cases():
    """All of them: lists that can run in one program."""
    alone = [Case(p) for p in POLICIES + NESTED]
    ingest = [Case(p, "sampling_strategy: span-ingest") for p in (
        [FLAGS], [SLOW], [count(3, 0)], [share(30)], [attr("numeric", "min_value: 2")],
        [attr("string", "values: [a]", True)], [inverse(ERROR)], [sub("and", ERROR, FLAGS)], [sub("drop", FLAGS)],
        [composite(10**9, [(0, 100)], ERROR)], [basic("trace_state", "{key: k, values: [v]}")])]
    keys = [Case(p, k) for k in KEYS for p in MIX if "span-ingest" not in k or p[-1] != count(2, 0)]
    late = [Case(p, k, live=True) for k in LATE for p in MIX[:2]]
    roots = [Case([ALL], ROOTS + w, stream="roots", live=True) for w in ("1s", "2500ms", "500ms", "0s", "-1s")]
    order = [Case(p, k, stream="in order") for k in ("num_traces: 10", "num_traces: 1", "num_traces: 59")
             for p in ([ALL], [share(50)])]
    dropped = [Case([ALL], "drop_pending_traces_on_shutdown: true"), Case([ALL], "num_traces: 100000")]
    for those in (alone + ingest + keys + dropped, late, roots, order, LIMITS):
        by_stream = {}
        for case in those:
            by_stream.setdefault((case.stream, case.live), []).append(case)
        for same in by_stream.values():
            yield from (same[i:i + 24] for i in range(0, len(same), 24))
