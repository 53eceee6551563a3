# SPDX-License-Identifier: Apache-2.0
"""redaction: every key, alone and together."""
from case import Case, indented

BLOCKED = r"['4[0-9]{3}[ -]?[0-9]{4}', '[a-z]+@[a-z]+\.(com|org)', 'SECRET-[0-9]+', '^secret$']"


def redact(name, block, **how):
    return Case(f"redaction/{name}", f"  redaction:\n{indented(block, 4)}",
                "redaction", **how)


def cases():
    yield redact("nothing-allowed", "allow_all_keys: false")
    yield redact("all-allowed", "allow_all_keys: true")
    for summary in ("debug", "info", "silent", "", "other"):
        yield redact(f"allowed-keys-{summary or 'empty'}", f"""
allowed_keys: [service.name, http.method, note, a, b, map, list]
ignored_keys: [card, deep]
blocked_values: {BLOCKED}
summary: "{summary}"
""")
    yield redact("ignored-patterns", f"""
allowed_keys: [note]
ignored_key_patterns: ['^http\\.', 'user', '^$']
blocked_values: {BLOCKED}
summary: debug
""")
    yield redact("blocked-keys", """
allow_all_keys: true
blocked_key_patterns: ['token', '.*key$', '^(count|ratio|flag|raw|list|map|nothing)$', '(?i)CARD']
summary: debug
""")
    yield redact("blocked-keys-all-types", """
allow_all_keys: true
redact_all_types: true
blocked_key_patterns: ['token', '.*key$', '^(count|ratio|flag|raw|list|map|nothing)$']
summary: info
""")
    yield redact("blocked-values", f"allow_all_keys: true\nblocked_values: {BLOCKED}\nsummary: debug")
    yield redact("blocked-values-all-types",
                 f"allow_all_keys: true\nredact_all_types: true\nblocked_values: {BLOCKED}\nsummary: debug")
    yield redact("all-types-any-text", """
allow_all_keys: true
redact_all_types: true
blocked_values: ['[0-9a-z"]+']
summary: debug
""")
    yield redact("all-types-json", r"""
allow_all_keys: true
redact_all_types: true
blocked_values: ['null', '\\.', '[:,\[{]']
""")
    yield redact("empty-match", "allow_all_keys: true\nblocked_values: ['x*']\nsummary: info")
    yield redact("line-ends", r"""
allow_all_keys: true
blocked_values: ['(?m)^line.*$', '(?s)tab.*&']
""")
    yield redact("allowed-values", f"""
allow_all_keys: true
allowed_values: ['example\\.org', '^plain', '^$', '^[0-9]+$']
blocked_values: {BLOCKED}
blocked_key_patterns: ['note', 'a']
summary: debug
""")
    yield redact("allowed-values-all-types", f"""
allow_all_keys: true
redact_all_types: true
allowed_values: ['^true$', '5', 'null']
blocked_values: ['.+']
summary: debug
""")
    for name in ("md5", "sha1", "sha3", "SHA1"):
        yield redact(f"hash-{name}", f"""
allow_all_keys: true
hash_function: {name}
blocked_key_patterns: [token, ^count$, prompt]
blocked_values: {BLOCKED}
summary: info
""")
    for name, n in (("hmac-sha256", 32), ("hmac-sha512", 64)):
        yield redact(f"hash-{name}", f"""
allow_all_keys: true
hash_function: {name}
hmac_key: {'k' * n}
blocked_key_patterns: [token, ^count$, prompt]
blocked_values: {BLOCKED}
""")
    yield redact("order", """
allow_all_keys: true
blocked_values: ['card', '\\*+ 4', '4111', 'paid|\\*']
""")
    yield redact("everything", f"""
allowed_keys: [service.name, note, a, card, user.email, map, list, prompt, deep]
ignored_keys: [user.id, raw]
ignored_key_patterns: ['^url']
blocked_key_patterns: ['^prompt$', 'email']
blocked_values: {BLOCKED}
allowed_values: ['ann@example$', '^GET$']
redact_all_types: true
hash_function: md5
summary: debug
""")
    yield Case("redaction/twice", f"""
  redaction/1:
    allow_all_keys: true
    blocked_values: ['4[0-9]{{3}}']
    ignored_keys: [card]
    allowed_values: ['^plain']
    summary: debug
  redaction/2:
    allowed_keys: [note, a, card, service.name]
    blocked_values: ['[a-z]+@[a-z]+', '[*]+']
    summary: debug
""", "redaction/1, redaction/2")
    yield Case("redaction/between-attributes", f"""
  attributes/1: {{actions: [{{key: fresh, action: upsert, value: "card 4111 1111"}}]}}
  redaction: {{allow_all_keys: true, blocked_values: {BLOCKED}, summary: info}}
  attributes/2: {{actions: [{{key: seen, action: upsert, from_attribute: fresh}}]}}
""", "attributes/1, redaction, attributes/2")
    yield redact("odd-keys", f"""
allowed_keys: [note, a, b]
blocked_values: {BLOCKED}
blocked_key_patterns: [b]
""", odd=True)
    yield from urls()
    yield from databases()


def sanitize(name, block):
    return redact(name, block, texts=True)


def urls():
    yield sanitize("url", """
allow_all_keys: true
url_sanitizer: {enabled: true, attributes: [url.full, http.url, http.target, note]}
summary: debug
""")
    yield sanitize("url-no-span-name", """
allow_all_keys: true
url_sanitizer: {enabled: true, attributes: [url.full], sanitize_span_name: false}
""")
    yield sanitize("url-no-attributes", "allow_all_keys: true\nurl_sanitizer: {enabled: true}")
    yield sanitize("url-and-masks", f"""
allowed_keys: [url.full, http.url, note]
blocked_values: {BLOCKED}
allowed_values: ['login', '^checkout$']
url_sanitizer: {{enabled: true, attributes: [url.full, http.url]}}
summary: info
""")
    yield sanitize("url-hashed", f"""
allow_all_keys: true
hash_function: md5
redact_all_types: true
blocked_values: {BLOCKED}
url_sanitizer: {{enabled: true, attributes: [url.full, http.url, count, list]}}
""")


SYSTEMS = ("sql", "redis", "valkey", "memcached", "mongo", "opensearch", "es")


def databases():
    for system in SYSTEMS:
        yield sanitize(f"db-{system}", f"""
allow_all_keys: true
db_sanitizer:
  {system}: {{enabled: true, attributes: [db.statement, db.query.text]}}
summary: debug
""")
    every = "".join(f"  {s}: {{enabled: true, attributes: [db.statement, db.query.text]}}\n"
                    for s in SYSTEMS)
    yield sanitize("db-all", f"allow_all_keys: true\ndb_sanitizer:\n{every}")
    yield sanitize("db-all-no-span-name",
                 f"allow_all_keys: true\ndb_sanitizer:\n{every}  sanitize_span_name: false\n")
    yield sanitize("db-no-attributes", "allow_all_keys: true\ndb_sanitizer: {sql: {enabled: true}}")
    yield sanitize("db-url-and-masks", f"""
allowed_keys: [db.statement, db.query.text, url.full, note]
blocked_values: {BLOCKED}
url_sanitizer: {{enabled: true, attributes: [url.full]}}
db_sanitizer:
{every}summary: debug
""")
