# SPDX-License-Identifier: Apache-2.0
"""The configuration language, case by case: what a text means in a field of
any type, of text, of a whole number; what several sources mean together.

Each case is a set of files, an environment and a command line, and a place in
what `print-config` shows.  The Go collector's answers are recorded in
tests/data/config_language.json; tests/compare/config_language.py asks it
again.  OURS lists where weir answers otherwise, and why.
"""
import json
import os
import re
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

REFUSED = "refused"
RECORDED = Path(__file__).resolve().parents[1] / "data" / "config_language.json"

# One slot for each type of field; what is not in the slot stands as it is.
FORM = """receivers:
  otlp: {protocols: {grpc: {endpoint: "127.0.0.1:4317"}}}
processors:
  attributes:
    actions:
      - key: k
        action: insert
        value: %(any)s
  batch:
    send_batch_size: %(int)s
    timeout: %(duration)s
    metadata_keys: %(list)s
exporters:
  debug:
    use_internal_logger: %(bool)s
  otlp_grpc:
    endpoint: %(text)s
    tls: {insecure: true}
    headers: %(map)s
service:
  pipelines: {traces: {receivers: [otlp], processors: [batch], exporters: [debug]}}
"""
SLOTS = {"any": "1", "int": "1", "duration": "1s", "list": "[]", "bool": "true",
         "text": '"h:1"', "map": "{}"}
PLACES = {
    "any": ["processors", "attributes", "actions", 0, "value"],
    "int": ["processors", "batch", "send_batch_size"],
    "duration": ["processors", "batch", "timeout"],
    "list": ["processors", "batch", "metadata_keys"],
    "bool": ["exporters", "debug", "use_internal_logger"],
    "text": ["exporters", "otlp_grpc", "endpoint"],
    "map": ["exporters", "otlp_grpc", "headers"],
}


def form(**values):
    return FORM % {**SLOTS, **values}


@dataclass
class Case:
    files: dict
    args: list = field(default_factory=lambda: ["--config=main.yaml"])
    place: list = field(default_factory=list)
    env: dict = field(default_factory=dict)
    whole: bool = False     # validated, wired and all: only the verdict counts


CASES = {}


def add(name, *args, **kwargs):
    assert name not in CASES, name
    CASES[name] = Case(*args, **kwargs)


# --- what a plain scalar is ---------------------------------------------------

SCALARS = """true True TRUE tRue false False FALSE yes no on off y n Yes ~ null Null NULL
nil None 0 -0 +0 7 -7 +7 007 010 0123 -0123 0129 08 0o17 0o18 -0o17 0O17 0x1F 0X1f 0xdeadbeef -0x10
+0x10 0x 0xg 0b101 0B11 0b102 -0b11 1_000 1__0 _1 1_ 0x_1 0_1 9223372036854775807 9223372036854775808
-9223372036854775808 -9223372036854775809 18446744073709551615 18446744073709551616 1.5 .5 5. -.5 +.5
1e3 1E3 1e+3 1e-3 1e 1.5e3 1_0.5 1.2.3 1e999 .inf -.inf +.inf .Inf .INF .iNf .nan .NaN . .. - + +- 1-2
12:30 12:30:45 127.0.0.1:80 a:b 2001-12-14 2001-13-14 2001-2-30 2001-1-1T1:2:3Z 2001-01-01T01:02:03.5+01:00
2001-1-1T1:2:3 20011214 '5' "5" '' "true" 'null' "a\\nb" 'it''s' <<
=
!!str&5 !!int&"5" !!int&abc !!float&5 !!bool&"true" !!bool&yes !!null&x !!binary&aGk= !foo&5 !&5
!!timestamp&2001-12-14 "\\x41" "\\/" 5s 1m30s 1e9s %x @x `x` "#a" a#b -a ?a a,b [] {} [1,2] {a:&1}""".split()

for text in SCALARS:
    text = text.replace("&", " ")
    add(f"scalar {text}", {"main.yaml": form(any=text)}, place=PLACES["any"])
    add(f"scalar {text} as text", {"main.yaml": form(text=text)}, place=PLACES["text"])

for slot, text in [
        ("int", "1.9"), ("int", "1e3"), ("int", "'1'"), ("int", "true"), ("int", "~"), ("int", "-1"),
        ("int", "0x10"), ("int", "4294967295"), ("int", ".nan"), ("duration", "5"), ("duration", "5s"),
        ("duration", "1.5h"), ("duration", "'5'"), ("duration", "1d"), ("duration", "-1s"), ("duration", "~"),
        ("duration", "1h1m1.5s"), ("duration", "100us"), ("duration", "'0'"), ("duration", "''"),
        ("bool", "yes"), ("bool", "'true'"), ("bool", "1"), ("bool", "~"), ("list", "a"), ("list", "'a,b'"),
        ("list", "'a, b'"), ("list", "~"), ("list", "[a, ~]"), ("list", "[1]"), ("list", "5"), ("list", "{a: b}"),
        ("map", "{a: b, B: c}"), ("map", "[{name: a, value: b}]"), ("map", "{a: 1}"), ("map", "~"),
        ("text", "[a]"), ("text", "{a: b}")]:
    add(f"{slot} {text}", {"main.yaml": form(**{slot: text})}, place=PLACES[slot])

# --- references -----------------------------------------------------------------

ENV = {
    "HOST": "localhost", "EMPTY": "", "NUMBER": "0123", "HEX": "0xdeadbeef", "BIG": "18446744073709551615",
    "QUOTED": "'5'", "DQUOTED": '"5"', "LIST": "[a,b]", "MAP": "{a: b}", "NESTED": "{x: '${HOST}', y: 3}",
    "INDIRECT": "${HOST}!", "TWICE": "${INDIRECT}", "LOOP": "${LOOP}", "GROW": "x${GROW}", "BROKEN": "[a",
    "NAME": "HOST", "DOLLAR": "a$$b", "ONE_DOLLAR": "a$b", "COMMENT": "true # c", "ESCAPED": "$${HOST}",
    "TIME": "2001-12-14", "SPACES": "  a  ", "LINES": "a\nb", "COLON": "a: b", "INTKEY": "{1: 2}",
    "DUPLICATE": "{a: 1, a: 2}", "ANCHOR": "[&x 1, *x]", "NULL": "null", "TILDE": "~", "FLOAT": "1.50",
    "COMMENTED_REF": "[1] # ${HOST}", "REF_LIST": "['${NUMBER}', '${LIST}']", "TRUE": "true", "ONE": "1",
    "SECONDS": "5s", "PART": "HO", "CLOSE": "}", "OPEN": "${HO", "NESTKEY": "{'a::b': 1}", "TAG": "!!str 5",
    "DOCS": "1\n---\n2", "DOT_LIST": "- a\n- b", "BAD_REF": "[1] # ${X:-d}", "UTF8": "grüße", "TAB": "\ta",
}
REFERENCES = """${HOST} ${env:HOST} '${HOST}' "${HOST}" ${HOST}:$PORT $HOST $$HOST ${env:HOST}}}}}} '}${HOST}'
${HOST ${} ${:} ${env:} ${1} ${A-B} '${HO&ST}' x${HOST} ${HOST}${HOST} 'x&${HOST}&${HOST}' ${NUMBER} x${NUMBER}
'${NUMBER}' ${HEX} ${BIG} x${BIG} ${QUOTED} ${DQUOTED} x${QUOTED} ${LIST} x${LIST} ${MAP} x${MAP} ${NESTED}
${INDIRECT} ${TWICE} ${LOOP} ${GROW} ${BROKEN} ${env:${NAME}} ${${NAME}} ${env:${PART}ST} ${DOLLAR} ${ONE_DOLLAR}
${COMMENT} x${COMMENT} ${ESCAPED} ${TIME} x${TIME} ${SPACES} x${SPACES} ${LINES} ${COLON} ${INTKEY} x${INTKEY}
${DUPLICATE} ${ANCHOR} ${NULL} x${NULL} ${TILDE} ${FLOAT} x${FLOAT} ${COMMENTED_REF} ${REF_LIST} ${UNSET} x${UNSET}
${EMPTY} x${EMPTY} ${env:UNSET:-7} ${env:UNSET:-} ${env:EMPTY:-7} ${env:UNSET:-a:-b} ${env:UNSET:-${HOST}}
${env:UNSET:-[a,b]} ${UNSET:-7} ${X:-7} x${env:UNSET:-7} x${env:UNSET:-}y ${yaml:5} ${yaml:'5'} x${yaml:5}
${yaml:[1,2]} ${yaml:} ${nope:x} ${http://x} ${file:missing} ${file:v.yaml} x${file:v.yaml} ${file:list.yaml}
${file:${env:FILE}} $${HOST} $$${HOST} $$$${HOST} $$$$${HOST} '$${A}&${HOST}' '$${HOST}&${HOST}' '${HOST}&$${HOST}'
'$$${HOST}&$$' a$$b a$b $ $$ $$$ '$&{HOST}' ${env:$HOST} ${env:$${HOST}} '${HOST}${' '}${' '${OPEN}ST}'
[${HOST},'${NUMBER}'] '${CLOSE}' ${TRUE} ${ONE} ${SECONDS} ${NESTKEY} ${TAG} ${DOCS} ${DOT_LIST} ${BAD_REF} ${UTF8}
${TAB} ${ENV:HOST} ${e:HOST} ${env:HOST:-} '${env:&HOST}' ${env:HOST&} ${file:} ${yaml:${LIST}} ${yaml:a:&b}""".split()
FILES = {"v.yaml": "0123\n", "list.yaml": "- a\n- ${HOST}\n"}

for text in REFERENCES:
    text = text.replace("&", " ")
    for slot in ("any", "text", "int"):
        add(f"reference {text} as {slot}", {"main.yaml": form(**{slot: text}), **FILES},
            place=PLACES[slot], env={**ENV, "FILE": "v.yaml"})
for slot, text in [("list", "${LIST}"), ("list", "${HOST}"), ("list", "['${NUMBER}']"), ("list", "[a, '${LIST}']"),
                   ("list", "${NULL}"), ("list", "${EMPTY}"), ("map", "${MAP}"), ("map", "{a: '${LIST}'}"),
                   ("map", "{a: '${NUMBER}'}"), ("map", "{'${HOST}': a}"), ("map", "${UNSET}"), ("bool", "${TRUE}"),
                   ("bool", "${COMMENT}"), ("bool", "'x${TRUE}'"), ("duration", "${SECONDS}"), ("duration", "${ONE}"),
                   ("duration", "'${ONE}s'"), ("duration", "${UNSET}"), ("bool", "${HOST}")]:
    add(f"reference {text} as {slot}", {"main.yaml": form(**{slot: text})}, place=PLACES[slot], env=ENV)

# --- YAML's own ------------------------------------------------------------------

for name, text in {
        "an alias": "[&a x, *a]", "a merge key": "{<<: {a: 1, b: 2}, b: 3}",
        "two merged": "{<<: [{a: 1}, {a: 2, b: 2}], c: 3}", "a merge of a scalar": "{<<: 1}",
        "an unknown alias": "*a", "an alias of itself": "&a [*a]", "a key twice": "{a: 1, a: 2}",
        "keys of all kinds": "{1: a, 0x10: b, true: c, 1.50: d, ~: e}", "a list as key": "{[a]: b}",
        "a colon key in a list": "{'a::b': 1}", "a complex key": "{? a : b}"}.items():
    add(name, {"main.yaml": form(any=text)}, place=PLACES["any"])
add("a block text", {"main.yaml": form(any="|\n          a\n          b\n")}, place=PLACES["any"])
add("a folded text", {"main.yaml": form(any=">-\n          a\n          b\n")}, place=PLACES["any"])
add("a second document", {"main.yaml": form() + "---\nreceivers: 5\n"}, place=PLACES["any"])
add("a byte order mark", {"main.yaml": "\ufeff" + form()}, place=PLACES["any"])
add("a directive", {"main.yaml": "%YAML 1.1\n---\n" + form()}, place=PLACES["any"])
add("a tab", {"main.yaml": form() + "\tx: 1\n"}, place=PLACES["any"])
add("not UTF-8", {"main.yaml": form().encode() + b"# \xff\n"}, place=PLACES["any"])
add("a zero byte", {"main.yaml": form() + "# \0\n"}, place=PLACES["any"])
add("a key without a value", {"main.yaml": form(any="")}, place=PLACES["any"])

# --- several sources ---------------------------------------------------------------

BATCH = ["processors", "batch"]
SIZE = BATCH + ["send_batch_size"]


def layers(name, *texts, args=(), place=SIZE, env=None, whole=False, first=True):
    files = {"main.yaml": form()}
    line = ["--config=main.yaml"] if first else []
    for i, text in enumerate(texts):
        files[f"{i}.yaml"] = text
        line.append(f"--config={i}.yaml")
    add(name, files, line + list(args), place, env or {}, whole)


layers("a later value wins", "processors: {batch: {send_batch_size: 7}}")
layers("a later file leaves what it does not name", "processors: {batch: {timeout: 7s}}")
layers("the last of three", "processors: {batch: {send_batch_size: 7}}", "processors: {batch: {send_batch_size: 8}}")
layers("an empty map changes nothing", "processors: {batch: {}}")
layers("null erases a component's keys", "processors: {batch: }")
layers("null erases a section", "processors:", whole=True)
layers("null erases a section that is needed", "receivers:", whole=True)
layers("null erases a value", "processors: {batch: {send_batch_size: }}")
layers("null and then again", "processors:", "processors: {batch: {send_batch_size: 9}}")
layers("lists are replaced", "processors: {batch: {metadata_keys: [a, b]}}",
       "processors: {batch: {metadata_keys: [c]}}", place=BATCH + ["metadata_keys"])
layers("a list is emptied", "processors: {batch: {metadata_keys: [a, b]}}",
       "processors: {batch: {metadata_keys: []}}", place=BATCH + ["metadata_keys"])
layers("a scalar over a map", "processors: {batch: 5}")
layers("a map over a scalar", "processors: {batch: 5}", "processors: {batch: {send_batch_size: 6}}")
layers("a new component", "processors: {batch/2: {send_batch_size: 6}}",
       place=["processors", "batch/2", "send_batch_size"])
layers("a pipeline's list is replaced", "service: {pipelines: {traces: {exporters: [nop]}}}", "exporters: {nop: }",
       place=["service", "pipelines", "traces", "exporters"])
layers("headers are merged", "exporters: {otlp_grpc: {headers: {a: b, c: d}}}",
       "exporters: {otlp_grpc: {headers: {c: e}}}", place=["exporters", "otlp_grpc", "headers"])
layers("a list of headers over a map", "exporters: {otlp_grpc: {headers: {a: b}}}",
       "exporters: {otlp_grpc: {headers: [{name: c, value: e}]}}", place=["exporters", "otlp_grpc", "headers"])
layers("an empty file", "")
layers("a file of comments", "# nothing\n")
layers("a list for a file", "- a")
layers("text for a file", "hello")
layers("a number for a key of the top", "1: 2")
layers("an unknown section", "procesors: {}")
layers("a key that nests at the top", "processors::batch::send_batch_size: 7")
# Where a nested key and a plain one name the same thing below the top, the
# collector goes by chance; weir by the order of the text.
layers("a key that nests below", "processors: {batch/4::send_batch_size: 7}",
       place=["processors", "batch/4", "send_batch_size"])
layers("a key that nests deep", "exporters::otlp_grpc/2: {endpoint: 'h:1', tls::insecure: true, headers::x: y}",
       place=["exporters", "otlp_grpc/2", "headers"])
layers("a quoted key nests too", '"processors::batch::send_batch_size": 7')
layers("an id with a slash nests", "processors::batch/3::send_batch_size: 7",
       place=["processors", "batch/3", "send_batch_size"])
layers("a key that ends in colons", "processors::batch::: {send_batch_size: 7}")
layers("references after merging", "processors: {batch: {send_batch_size: '${env:N}'}}", env={"N": "12"})
layers("a reference replaces a map", "processors: {batch: '${env:N}'}", env={"N": "{timeout: 9s}"})
layers("a reference replaced by a map", "processors: {batch: '${env:N}'}", "processors: {batch: {send_batch_size: 4}}",
       env={"N": "{timeout: 9s}"})
layers("a section by reference", "processors: '${env:N}'",
       env={"N": "{batch: {send_batch_size: 3}, attributes: {actions: [{key: a, action: delete}]}}"})
layers("a section by reference with nesting keys", "processors: '${env:N}'", env={"N": "{'batch::send_batch_size': 3}"})
layers("a component by reference to nothing", "processors: {batch: '${env:N}'}")
layers("the whole by variable", args=["--config=env:C"], env={"C": "processors: {batch: {send_batch_size: 3}}"})
layers("a variable that is not set", args=["--config=env:C"])
layers("a variable that is text", args=["--config=env:C"], env={"C": "hello"})
layers("a variable with a default", args=["--config=env:C:-{processors: {batch: {send_batch_size: 3}}}"])
layers("a variable without a name", args=["--config=env:"])
layers("a variable with a bad name", args=["--config=env:1"])
layers("inline YAML", args=["--config=yaml:processors::batch::send_batch_size: 3"])
layers("inline YAML in a map", args=["--config=yaml:{processors: {batch: {send_batch_size: 3}}}"])
layers("inline nothing", args=["--config=yaml:"])
layers("a file by URI", args=["--config=file:1.yaml"], place=SIZE)
CASES["a file by URI"].files["1.yaml"] = "processors: {batch: {send_batch_size: 3}}"
layers("a flag and its value apart", args=["--config", "file:1.yaml"], place=SIZE)
CASES["a flag and its value apart"].files["1.yaml"] = "processors: {batch: {send_batch_size: 3}}"
layers("a file that is not there", args=["--config=missing.yaml"])
layers("a scheme that is not there", args=["--config=nope:x"])
layers("what is no URI", args=["--config=1:x"])
layers("what looks like a drive", args=["--config=C:x"])
layers("a number is set", args=["--set=processors.batch.send_batch_size=3"])
layers("the flag and its argument apart", args=["--set", "processors.batch.send_batch_size=3"])
layers("set before config", "processors: {batch: {send_batch_size: 4}}", args=["--set=processors.batch.send_batch_size=3"])
CASES["set before config"].args.reverse()
layers("set twice", args=["--set=processors.batch.send_batch_size=3", "--set=processors.batch.send_batch_size=4"])
layers("set with blanks", args=["--set= processors.batch.send_batch_size = 3 "])
layers("set with colons", args=["--set=processors::batch::send_batch_size=3"])
layers("set without a value", args=["--set=processors.batch.send_batch_size="])
layers("set without an equals sign", args=["--set=processors.batch"])
layers("set a text with an equals sign", args=["--set=exporters.otlp_grpc.endpoint=a=b"], place=PLACES["text"])
layers("set a text with a colon", args=["--set=exporters.otlp_grpc.endpoint=a:1"], place=PLACES["text"])
layers("set what is a map in itself", args=["--set=exporters.otlp_grpc.endpoint=a: b"], place=PLACES["text"])
layers("set a map", args=["--set=exporters.otlp_grpc.headers={a: b}"], place=PLACES["map"])
layers("set a map that loses its braces", args=["--set=exporters.otlp_grpc.headers.a=b"], place=PLACES["map"])
layers("set a list", args=["--set=processors.batch.metadata_keys=[a, b]"], place=PLACES["list"])
layers("set a reference", args=["--set=processors.batch.send_batch_size=${env:N}"], env={"N": "5"})
layers("set a quoted text", args=["--set=exporters.otlp_grpc.endpoint='5'"], place=PLACES["text"])
layers("set what YAML refuses", args=["--set=processors.batch=["])
layers("set a section to null", args=["--set=processors="], whole=True)
layers("set a new component", args=["--set=processors.batch/9.send_batch_size=5"],
       place=["processors", "batch/9", "send_batch_size"])
layers("set an unknown key", args=["--set=processors.batch.nope=5"])
layers("set alone", args=["--set=processors.batch.send_batch_size=3"], first=False)
layers("lists of the service are replaced without the gate", "exporters: {nop: }\nservice: {pipelines: {traces: {exporters: [nop]}}}",
       place=["service", "pipelines", "traces", "exporters"])
for gate in ("confmap.enableMergeAppendOption", "+confmap.enableMergeAppendOption",
             "service.AllowNoPipelines,confmap.enableMergeAppendOption"):
    layers(f"lists of the service grow with {gate}", "exporters: {nop: }\nservice: {pipelines: {traces: {exporters: [nop, debug]}}}",
           args=[f"--feature-gates={gate}"], place=["service", "pipelines", "traces", "exporters"])
layers("receivers grow with the gate", "receivers: {otlp/2: {protocols: {grpc: }}}\nservice: {pipelines: {traces: {receivers: [otlp/2]}}}",
       args=["--feature-gates=confmap.enableMergeAppendOption"], place=["service", "pipelines", "traces", "receivers"])
layers("processors do not grow with the gate", "service: {pipelines: {traces: {processors: []}}}",
       args=["--feature-gates=confmap.enableMergeAppendOption"], place=["service", "pipelines", "traces", "processors"])
layers("other lists do not grow with the gate", "processors: {batch: {metadata_keys: [a]}}",
       "processors: {batch: {metadata_keys: [b]}}", args=["--feature-gates=confmap.enableMergeAppendOption"],
       place=PLACES["list"])
layers("no pipelines", "service:", whole=True)
layers("no pipelines by the gate", "service:", args=["--feature-gates=service.AllowNoPipelines"], whole=True)
layers("nothing at all by the gate", "", args=["--feature-gates=service.AllowNoPipelines"], whole=True, first=False)
layers("no exporters by the gate", "service: \nexporters: ", args=["--feature-gates=service.AllowNoPipelines"], whole=True)
layers("an unknown gate", "", args=["--feature-gates=nope"], whole=True)
layers("an empty gate", "", args=["--feature-gates=,service.AllowNoPipelines"], whole=True)
layers("no gates", "", args=["--feature-gates="], whole=True)
layers("a gate that ends in a comma", "", args=["--feature-gates=service.AllowNoPipelines,"], whole=True)
layers("a stable gate switched off", "", args=["--feature-gates=-processor.filter.defaultErrorModeIgnore"], whole=True)
layers("a stable gate named", "", args=["--feature-gates=processor.filter.defaultErrorModeIgnore"], whole=True)
layers("a beta gate switched off", "", args=["--feature-gates=-service.partialReloadReceivers"], whole=True)
layers("an alpha gate switched on", "", args=["--feature-gates=+service.partialReload"], whole=True)

# --- where weir answers otherwise, and why -------------------------------------------

_DATE = "a plain date stays text; there it is a time, which no attribute can be"
_SLASH = "JSON has the escape, and YAML since 1.2"
OURS = {
    "scalar 2001-12-14": ("2001-12-14", _DATE),
    "scalar 2001-1-1T1:2:3Z": ("2001-1-1T1:2:3Z", _DATE),
    "scalar !!timestamp 2001-12-14": ("2001-12-14", _DATE),
    "reference ${TIME} as any": ("2001-12-14", _DATE),
    'scalar "\\/"': ("/", _SLASH),
    'scalar "\\/" as text': ("/", _SLASH),
    "int .nan": (REFUSED, "no whole number; there it becomes whatever the processor makes of it"),
}


# --- asking --------------------------------------------------------------------------


def find(tree, place):
    for step in place:
        if isinstance(tree, dict):
            tree = tree.get(step)
        elif isinstance(tree, list) and isinstance(step, int) and step < len(tree):
            tree = tree[step]
        else:
            return None
    return tree


def undollared(value):
    """weir doubles the dollars of what would be a reference when it is read
    again; the collector prints them as they are."""
    if isinstance(value, str):
        return value.replace("$$", "$")
    if isinstance(value, list):
        return [undollared(v) for v in value]
    if isinstance(value, dict):
        return {k: undollared(v) for k, v in value.items()}
    return value


UNITS = {"h": 3600e9, "m": 60e9, "s": 1e9, "ms": 1e6, "us": 1e3, "µs": 1e3, "ns": 1}


def nanoseconds(text):
    parts = re.findall(r"([\d.]+)([a-zµ]+)", text)
    return (-1 if text.startswith("-") else 1) * round(sum(float(n) * UNITS[u] for n, u in parts))


def meaning(value, place=()):
    """Without what is only a way to write it: empty things of all sorts,
    headers as a list, the collector's own record of a reference in a list,
    durations, and the three numbers that JSON does not have."""
    odd = {".inf": "+Inf", "-.inf": "-Inf", ".nan": "NaN"}
    if place == PLACES["duration"] and isinstance(value, str) and value != REFUSED:
        return ("number", float(nanoseconds(value)))
    if isinstance(value, str):
        return odd.get(value, value or None)
    if isinstance(value, dict) and set(value) == {"original", "value"}:
        return meaning(value["value"])
    if isinstance(value, dict):
        return {k: meaning(v) for k, v in value.items()} or None
    if isinstance(value, list) and value and all(isinstance(v, dict) and set(v) == {"name", "value"} for v in value):
        return {v["name"]: meaning(v["value"]) for v in value}
    if isinstance(value, list):
        return [meaning(v) for v in value] or None
    # true is 1 in Python; and JSON does not tell 1.0 from 1
    return value if value is None or isinstance(value, bool) else ("number", float(value))


def same(ours, theirs, place=()):
    return meaning(ours, place) == meaning(theirs, place)


def ask(program, case, folder):
    """The value at the case's place, or REFUSED."""
    for name, text in case.files.items():
        (Path(folder) / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    env = {k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS") or k == "PATH"}
    command = (["validate"] if case.whole else
               ["print-config", "--validate=false", "--mode=unredacted", "--format=json"])
    done = subprocess.run([str(program), *command, *case.args], cwd=folder, text=True,
                          capture_output=True, env={**env, **case.env}, timeout=60)
    if odd := re.search(r"json: unsupported value: (\S+)", done.stderr):
        return odd[1]           # JSON has no such number
    if done.returncode:
        assert done.returncode == 1 and "Error: " in done.stderr, (done.returncode, done.stderr)
        return REFUSED
    if case.whole:
        return "accepted"
    return find(json.loads(done.stdout), case.place)


def ask_in_a_folder(program, case):
    with tempfile.TemporaryDirectory() as folder:
        return ask(program, case, folder)
