# SPDX-License-Identifier: Apache-2.0
"""What an editor with weir's JSON Schema sees of a configuration.

Needs PyYAML and jsonschema.  Plain scalars are read as the Collector reads
them (YAML 1.2's words for bools, octal both ways), dates stay text.
"""
import json
import re
import subprocess

import jsonschema
import yaml


class Loader(yaml.SafeLoader):
    """SafeLoader without the words and numbers of YAML 1.1."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in pairs
            if tag.rsplit(":", 1)[1] in ("merge", "null")]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()}


def number(loader, node):
    text = node.value.replace("_", "")
    try:
        return int(text, 0)
    except ValueError:
        return int(text, 8)


Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(
    r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))
Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(
    r"^[-+]?(?:0b[01_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*)$"), list("-+0123456789"))
Loader.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(
    r"^(?:[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"), list("-+.0123456789"))
Loader.add_constructor("tag:yaml.org,2002:int", number)


def with_text_keys(document):
    """As an editor has it: a key is text, whatever it looks like."""
    if isinstance(document, dict):
        return {str(k): with_text_keys(v) for k, v in document.items()}
    if isinstance(document, list):
        return [with_text_keys(v) for v in document]
    return document


def schema(program):
    done = subprocess.run([str(program), "schema"], capture_output=True, text=True,
                          timeout=20, check=True)
    return json.loads(done.stdout)


def validator(document):
    jsonschema.Draft202012Validator.check_schema(document)
    return jsonschema.Draft202012Validator(document)


def complaints(judge, text):
    """What is wrong with a configuration; a text that is no YAML is wrong."""
    try:
        document = with_text_keys(yaml.load(text, Loader))
    except (yaml.YAMLError, ValueError, TypeError) as broken:
        return [str(broken)]
    return [f"{'.'.join(map(str, e.absolute_path))}: {e.message}"
            for e in judge.iter_errors(document)]
