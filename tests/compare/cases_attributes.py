# SPDX-License-Identifier: Apache-2.0
"""attributes and resource: every action, source, pattern and filter."""
from case import ALL, Case, indented


def actions(name, *lines, **how):
    """The same actions in attributes and, as resource/x, on resources."""
    listed = "".join(f"      - {{{line}}}\n" for line in lines)
    return Case(f"attributes/{name}",
                f"  attributes:\n    actions:\n{listed}", "attributes", **how)


def resources(name, *lines, **how):
    listed = "".join(f"      - {{{line}}}\n" for line in lines)
    return Case(f"resource/{name}",
                f"  resource:\n    attributes:\n{listed}", "resource", **how)


def filtered(name, block, signals, **how):
    """An include and, in a case of its own, an exclude."""
    for kind in ("include", "exclude"):
        yield Case(f"filter/{name}/{kind}", f"""
  attributes:
    {kind}:
{indented(block, 6)}
    actions: [{{key: hit, action: upsert, value: 1}}]
""", "attributes", signals=signals, **how)


VALUES = [
    ("string", "text"), ("int", "42"), ("negative", "-7"), ("bool", "true"),
    ("double", "2.50"), ("list", "[1, two, 3.5, true, [x], null]"),
    ("map", "{b: 1, a: {c: [2]}}"), ("quoted", "'0123'"), ("empty", '""'),
    ("large", "9223372036854775807"), ("octal", "0123"),
]

NAMED = [
    ("insert", "key: env, action: insert, value: added"),
    ("update", "key: user.id, action: update, value: changed"),
    ("upsert", "key: a, action: upsert, value: 5"),
    ("delete", "key: card, action: delete"),
    ("hash", "key: note, action: hash"),
]


def cases():
    for name, text in VALUES:
        yield actions(f"value-{name}", f"key: v, action: upsert, value: {text}",
                      f"key: a, action: insert, value: {text}")
    for name, line in NAMED:
        yield actions(name, line)
        yield resources(name, line)
        yield actions(f"{name}-odd", line, odd=True)
    yield actions("case-of-actions", "key: a, action: UPSERT, value: 1",
                  "key: b, action: Delete")
    yield actions("from-attribute",
                  "key: copy, action: upsert, from_attribute: note",
                  "key: b, action: update, from_attribute: map",
                  "key: a, action: insert, from_attribute: user.id",
                  "key: self, action: upsert, from_attribute: self")
    yield actions("default-value",
                  "key: x, action: upsert, from_attribute: note, default_value: none",
                  "key: y, action: insert, default_value: [1]",
                  "key: a, action: update, default_value: {k: v}")
    yield actions("from-context",
                  "key: tenant, action: upsert, from_context: metadata.x-tenant",
                  "key: upper, action: insert, from_context: metadata.X-TENANT",
                  "key: bare, action: insert, from_context: x-tenant",
                  "key: peer, action: upsert, from_context: client.address",
                  "key: who, action: upsert, from_context: auth.subject",
                  "key: who2, action: upsert, from_context: auth.subject, default_value: anyone",
                  "key: b, action: update, from_context: metadata.none",
                  metadata=True, tenants=("blue", "green", None, ("a", "b"), ""))
    yield actions("from-context-without-metadata",
                  "key: tenant, action: upsert, from_context: metadata.x-tenant",
                  "key: peer, action: upsert, from_context: client.address",
                  tenants=("blue",))
    yield actions("delete-pattern", "action: delete, pattern: '^(user|http)'",
                  "action: delete, pattern: token")
    yield actions("delete-key-and-pattern", "key: a, action: delete, pattern: '^a'")
    yield actions("delete-everything", "action: delete, pattern: '.*'")
    yield actions("delete-empty-key", "action: delete, pattern: '^$'")
    yield actions("hash-pattern", "action: hash, pattern: '^(user|card|note|map|raw|list)'")
    yield actions("hash-key-and-pattern", "key: note, action: hash, pattern: 'not.'")
    yield actions("hash-all-types", "action: hash, pattern: '.*'")
    yield actions("extract-url",
                  "key: http.url, action: extract, pattern: '^/(?P<first>[^/]+)/(?P<second>.*)$'",
                  "key: url.full, action: extract, pattern: '(?P<scheme>https?)://(?P<a>[^:/]*)(:(?P<port>[0-9]+))?'"
                  .replace("(:(?P", "(?::(?P"))
    yield actions("extract-optional",
                  "key: note, action: extract, pattern: '(?P<number>[0-9]+)|(?P<word>[a-z]+)'",
                  "key: card, action: extract, pattern: '(?P<card>[0-9]{4})'")
    yield actions("extract-go-names", "key: note, action: extract, pattern: '(?<n>[0-9]+)'")
    for to in ("int", "double", "string"):
        yield actions(f"convert-{to}", *[
            f"key: '{key}', action: convert, converted_type: {to}"
            for key in ("note", "count", "ratio", "flag", "raw", "list", "map",
                        "nothing", "a", "b", "number.text", "token", "user.id",
                        "http.status_code", "a.b", "deep", "prompt", "card")])
    yield actions("convert-odd", *[
        f"key: {key}, action: convert, converted_type: string"
        for key in ("list", "map", "deep", "note", "a", "b", "card")], odd=True)
    yield actions("convert-chain",
                  "key: note, action: convert, converted_type: double",
                  "key: note, action: convert, converted_type: int",
                  "key: note, action: convert, converted_type: string",
                  "key: note, action: hash")
    yield actions("long-chain", "key: n1, action: insert, value: 1",
                  "key: n2, action: insert, from_attribute: n1",
                  "key: n1, action: update, value: two",
                  "key: n2, action: delete", "key: n1, action: hash",
                  "key: n3, action: upsert, from_attribute: n1",
                  "key: n3, action: extract, pattern: '^(?P<head>.{4})'")
    yield resources("many", "key: service.name, action: upsert, value: renamed",
                    "key: cluster, action: insert, value: c1",
                    "key: host.name, action: hash", "action: delete, pattern: '^http'",
                    "key: region, action: convert, converted_type: string",
                    "key: copy, action: upsert, from_attribute: cluster")
    yield resources("from-context", "key: t, action: upsert, from_context: metadata.x-tenant",
                    metadata=True, tenants=("blue", None))
    yield from filters()


def filters():
    traces, logs, metrics = ("traces",), ("logs",), ("metrics",)
    both = ("traces", "logs")
    for how in ("strict", "regexp"):
        front = f"match_type: {how}\n"
        yield from filtered(f"services-{how}",
                            front + "services: [checkout, auth-svc, '']", traces)
        yield from filtered(f"span-names-{how}",
                            front + "span_names: [checkout, 'op-7-x', /users/42]", traces)
        yield from filtered(f"span-kinds-{how}",
                            front + "span_kinds: [SPAN_KIND_SERVER, SPAN_KIND_CLIENT]", traces)
        yield from filtered(f"log-bodies-{how}",
                            front + "log_bodies: [secret, '42', 'plain words here', 'true']", logs)
        yield from filtered(f"severity-texts-{how}",
                            front + "log_severity_texts: [INFO, error]", logs)
        yield from filtered(f"metric-names-{how}",
                            front + "metric_names: [requests, cpu, '']", metrics)
        yield from filtered(f"attribute-{how}",
                            front + "attributes: [{key: note, value: '42'}]", both)
        yield from filtered(f"resource-{how}",
                            front + "resources: [{key: service.name, value: checkout}]", both)
        yield from filtered(f"library-{how}",
                            front + "libraries: [{name: lib-a, version: 1.2.3}]", both)
        yield from filtered(f"library-any-{how}", front + "libraries: [{name: lib-b}]", both)
        yield from filtered(f"library-no-version-{how}",
                            front + "libraries: [{name: lib-a, version: ''}]", both)
        yield from filtered(f"combined-{how}", front + """
services: [checkout, cart]
span_kinds: [SPAN_KIND_SERVER, SPAN_KIND_INTERNAL, SPAN_KIND_CLIENT]
attributes: [{key: note}]
libraries: [{name: lib-a}]
""", traces)
    for value in ("42", "true", "1.5", "[1, 2]", "{a: 1}", "''", "0"):
        yield from filtered(f"attribute-typed-{value}",
                            f"match_type: strict\nattributes: [{{key: a, value: {value}}}]", both)
    yield from filtered("attribute-exists", "match_type: strict\nattributes: [{key: a}, {key: b}]", both)
    yield from filtered("attribute-types-regexp",
                        "match_type: regexp\nattributes: [{key: count, value: '^[0-9.-]+$'}]", both)
    yield from filtered("attribute-doubles-regexp",
                        "match_type: regexp\nattributes: [{key: ratio, value: '[05]'}]", both)
    yield from filtered("attribute-bools-regexp",
                        "match_type: regexp\nattributes: [{key: flag, value: '^(true|false)$'}]", both)
    yield from filtered("attribute-any-regexp",
                        "match_type: regexp\nattributes: [{key: note, value: '.*'}]", both)
    yield from filtered("bodies-of-any-type",
                        r"match_type: regexp" "\n" r"log_bodies: ['\[', '\{', '^$', '[0-9]']", ("logs",))
    yield from filtered("no-service-name", "match_type: regexp\nservices: [nil]", traces)
    yield from filtered("unspecified-kind",
                        "match_type: regexp\nspan_kinds: [UNSPECIFIED, CONSUMER]", traces)
    for least, undefined in ((9, "false"), (9, "true"), (1, "true"), (24, "false")):
        yield from filtered(f"severity-number-{least}-{undefined}", f"""
match_type: strict
log_severity_number: {{min: {least}, match_undefined: {undefined}}}
""", logs)
    yield from filtered("resources-of-metrics",
                        "match_type: strict\nresources: [{key: service.name, value: cart}]", metrics)
    yield from filtered("names-and-resources-of-metrics", """
match_type: regexp
regexp: {cacheenabled: true, cachemaxnumentries: 10}
metric_names: ['^c', 'q.*_']
resources: [{key: service.name, value: nobody}]
""", metrics)
    yield Case("filter/include-and-exclude", """
  attributes:
    include: {match_type: regexp, services: ['.']}
    exclude: {match_type: strict, attributes: [{key: note}]}
    actions: [{key: hit, action: upsert, value: 1}, {action: delete, pattern: '^u'}]
""", "attributes", signals=("traces",))
    yield Case("filter/sees-what-came-before", """
  resource: {attributes: [{key: service.name, action: upsert, value: now}]}
  attributes/1: {actions: [{key: a, action: upsert, value: here}]}
  attributes/2:
    include: {match_type: strict, services: [now], attributes: [{key: a, value: here}]}
    actions: [{key: hit, action: upsert, value: 1}]
""", "resource, attributes/1, attributes/2", signals=("traces",))
