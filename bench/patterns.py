# SPDX-License-Identifier: Apache-2.0
"""Patterns for values that people want masked: ten, and a hundred.

Of the shapes that lists in the wild have: a literal beginning and a run of
characters, digits in groups, an address, a host below a domain.  The secrets
of spans.c are a key, an address and a token, which the first five find; the
others find nothing in those spans.
"""

TEN = [
    r"\bsk-[A-Za-z0-9_-]{20,}",                                 # model key
    r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}",          # e-mail
    r"\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+",     # JWT
    r"\bAKIA[0-9A-Z]{16}\b",                                    # cloud key
    r"(?i)\bbearer\s+[a-z0-9._~+/=-]{16,}",                     # credentials
    r"\b(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|3[47][0-9]{13})\b",
    r"\b[0-9]{3}-[0-9]{2}-[0-9]{4}\b",                          # social no.
    r"\bgh[pousr]_[A-Za-z0-9]{36}\b",                           # code forge
    r"\b[a-z0-9-]+\.corp\.example\b",                           # inner host
    r"\bcust_[0-9]{8}\b",                                       # customer
]

# Beginnings of keys and tokens that services give out, with the length behind.
PREFIXES = (
    ("xoxb-", 24), ("xoxp-", 24), ("xapp-", 24), ("glpat-", 20),
    ("npm_", 36), ("pypi-", 32), ("dop_v1_", 64), ("SG.", 22),
    ("AIza", 35), ("ya29.", 32), ("hf_", 34), ("pk_live_", 24),
    ("rk_live_", 24), ("whsec_", 32), ("sq0atp-", 22), ("shpat_", 32),
    ("EAAC", 32), ("AC", 32), ("key-", 32), ("dckr_pat_", 27),
    ("hvs.", 24), ("lin_api_", 40), ("ntn_", 40), ("figd_", 40),
    ("sntrys_", 40), ("NRAK-", 27), ("dapi", 32), ("PMAK-", 24),
    ("r8_", 37), ("gsk_", 52))
SITES = ("fra", "ams", "dub", "lon", "par", "mad", "mil", "sto", "hel", "waw",
         "iad", "sfo", "ord", "gru", "sin", "nrt", "syd", "bom", "icn", "jnb")
NUMBERS = ("acct", "order", "invoice", "ticket", "member", "device", "ship",
           "claim", "policy", "patient", "case", "lead", "seat", "vault",
           "tenant", "badge", "asset", "quote", "refund", "batch")
DOMAINS = ("mail", "post", "inbox", "letters", "office", "home", "work",
           "team", "people", "staff")
# National numbers and the like: only digits, and what parts them.
DIGITS = (r"\b[0-9]{2} [0-9]{2} [0-9]{2} [0-9]{3} [0-9]{3}\b",
          r"\b[0-9]{4} [0-9]{4} [0-9]{4} [0-9]{4}\b",
          r"\b[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}\b",
          r"\b[0-9]{6}-[0-9]{4}\b", r"\b[0-9]{6}[-+A][0-9]{3}[0-9A-Y]\b",
          r"\+[0-9]{1,3} [0-9]{2,4} [0-9]{5,8}\b",
          r"\(0[0-9]{2,4}\) [0-9]{5,8}\b",
          r"\b[0-9]{2}-[0-9]{7}\b", r"\b[A-Z]{2}[0-9]{6}[A-D]\b",
          r"\b[A-Z]{2}[0-9]{2}(?: [0-9A-Z]{4}){4}")

HUNDRED = (
    TEN +
    [rf"\b{p.replace('.', chr(92) + '.')}[A-Za-z0-9_-]{{{n}}}"
     for p, n in PREFIXES] +
    [rf"\b[a-z0-9-]+\.{site}\.internal\.example\b" for site in SITES] +
    [rf"\b{number}_[0-9]{{8}}\b" for number in NUMBERS] +
    [rf"(?i)[a-z0-9._%+-]+@{domain}\.example\b" for domain in DOMAINS] +
    list(DIGITS))

assert len(TEN) == 10 and len(HUNDRED) == 100
