# SPDX-License-Identifier: Apache-2.0
"""The lines of tests/data/secrets, expanded: what a detector must find, and what
only looks like it.  %{...} becomes other characters every time, so that no
secret is written down; what each means is told in
tests/unit/processors/detect_corpus.h."""
import base64
import random
import re
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "data/secrets"
IBANS = dict(re.findall(r"([A-Z]{2})(\d{2})", (
    "AD24AE23AL28AT20AZ28BE16BG22BR29CH21CY28CZ24DE22DK18EE20ES24FI18FR27GB22"
    "GR27HR21HU28IE22IL23IS26IT27KW30LI21LT20LU20LV21MC27MT31NL18NO15PK24PL28"
    "PT25QA29RO24SA24SE24SI19SK24TR26UA29XK20")))
WORD = "A-Za-z0-9_-"


def chars(chance, spec, n):
    """n of a set like A-Za-z0-9+/"""
    out = "".join("".join(map(chr, range(ord(a), ord(b) + 1))) if b else c
                  for a, b, c in re.findall(r"(\w)-(\w)|(.)", spec))
    return "".join(chance.choice(out) for _ in range(n))


def card(chance, prefix, groups, between=""):
    sizes = [int(n) for n in groups.split(".")]
    digits = prefix + chars(chance, "0-9", sum(sizes) - 1 - len(prefix))
    total = sum(sum(divmod(int(d) * (2 - i % 2), 10))
                for i, d in enumerate(reversed(digits)))
    digits += str(-total % 10)
    ends = [sum(sizes[:i + 1]) for i in range(len(sizes))]
    return between.join(digits[e - n:e] for e, n in zip(ends, sizes))


def iban(chance, country, between=""):
    account = chars(chance, "0-9", int(IBANS[country]) - 4)
    number = int("".join(str(int(c, 36)) for c in account + country + "00"))
    whole = f"{country}{98 - number % 97:02}{account}"
    return between.join(whole[i:i + 4] for i in range(0, len(whole), 4))


def b64url(text):
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def jwt(chance, kind=""):
    head = b64url('{"alg":"HS256","typ":"JWT"}')
    if kind == "jwe":
        return ".".join([head, "", *(chars(chance, WORD, n) for n in (16, 60, 22))])
    claims = b64url('{"sub":"%s","iat":1}' % chars(chance, "0-9", 9))
    return f"{head}.{claims}" + {"none": ".", "cut": ""}.get(
        kind, "." + chars(chance, WORD, 43))


def expand(chance, line):
    def one(match):
        spec = match[1]
        kind, _, rest = spec.partition(":")
        if spec in ("nl", "end"):
            return "\n" if spec == "nl" else ""
        if spec[0] == "=":
            return spec[1:]
        if kind == "card":
            return card(chance, *rest.split(":"))
        if kind == "iban":
            return iban(chance, *rest.split(":"))
        if kind == "jwt":
            return jwt(chance, rest)
        if kind == "pem64":
            return base64.b64encode(
                f"-----BEGIN {rest}PRIVATE{' KEY'}-----\n"
                "MIIEvQIBADANBgkqhkiG9w0BAQEFA".encode()).decode()
        if kind == "b64":
            return base64.b64encode(rest.encode()).decode()
        kind, _, n = spec.rpartition(":")
        return chars(chance, kind, int(n))
    return re.sub(r"%\{([^}]*)\}", one, line)


def _lines(name):
    return [line for line in (FOLDER / name).read_text().split("\n")
            if line and line[0] != "#"]


class Secrets:
    """(detector, text, what of it must not be seen), again and again."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        # what must not be followed by anything has no place in a text
        self.lines = [line.split("\t", 1) for line in _lines("found.txt")
                      if "%{end}" not in line]

    def expanded(self, detector, line):
        text = expand(self.chance, line)
        # a plain word behind a name is a secret only where its text ends
        hidden = [m for m in re.findall("«([^»]*)»", text)
                  if len(m) >= 6 and not re.fullmatch("[a-z]+", m)]
        return detector, text.replace("«", "").replace("»", ""), hidden

    def __iter__(self):
        for line in self.lines:
            secret = self.expanded(*line)
            if secret[2]:
                yield secret

    def one_of_each(self):
        """A line of each detector, other ones each time."""
        for detector in sorted({d for d, _ in self.lines}):
            of_it = [line for line in self.lines if line[0] == detector]
            while True:
                secret = self.expanded(*self.chance.choice(of_it))
                if secret[2]:
                    break
            yield secret


def lookalikes(seed):
    chance = random.Random(seed)
    return [expand(chance, line) for line in _lines("survive.txt")]
