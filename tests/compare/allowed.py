# SPDX-License-Identifier: Apache-2.0
"""Differences that are meant, each with its reason.

cases is a shell pattern of case names, path a regular expression of where in
the message the difference may be, go and weir (where given) are what must be
there.  Narrow: what else differs there is a failure, and an entry that a full
run does not need is reported.
"""
import fnmatch
import re
from dataclasses import dataclass

ANY = object()
MINUS_ZERO = "double:8000000000000000"


@dataclass
class Allowed:
    cases: str
    path: str
    reason: str
    go: object = ANY
    weir: object = ANY

    def fits(self, case, path, go, weir):
        return (fnmatch.fnmatchcase(case, self.cases)
                and re.search(self.path, path) is not None
                and _is(self.go, go) and _is(self.weir, weir))


def _is(allowed, value):
    """A pattern must occur in the value."""
    if isinstance(allowed, re.Pattern):
        return isinstance(value, str) and allowed.search(value) is not None
    return allowed is ANY or allowed == value


ALLOWED = [
    Allowed("*", r"(\.quantile|\.value|\.sum|\.zero_threshold)$",
            "the Collector's writer leaves out a -0 where presence says "
            "nothing; weir passes bytes on as they came",
            go=None, weir=MINUS_ZERO),
    Allowed("attributes/delete-odd", r"\[card\]$",
            "a delete by key removes every copy of it, the Collector the "
            "first: a second copy must not smuggle a secret", weir=None),
    Allowed("attributes/convert-odd", r"\.string_value$",
            "the text of a list or map with a NaN or an infinity in it is "
            "empty for the Collector; weir writes them as words", go=""),
    Allowed("attributes/convert-odd", r"(\.string_value|\])$",
            "of a key that a map has twice weir writes both: a pattern must "
            "see them"),
    Allowed("redaction/db-*", r"\[db\.(statement|query\.text)\]\.string_value$",
            "double quotes are strings in an attribute beside which MySQL "
            "stands; the Collector knows that in names of spans only",
            go=re.compile('"')),
    Allowed("batch/*", r"\.item\.metadata$",
            "a metric that is split keeps its metadata in one part, and where "
            "it is split is a matter of time"),
]
