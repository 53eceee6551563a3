# SPDX-License-Identifier: Apache-2.0
"""Secrets by another spelling, in values of another type, and known only by the
key that they stand under."""
import base64

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import \
    ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import (
    AnyValue, ArrayValue, KeyValue, KeyValueList)

from pipelines import to_backend

ALL = """
  redaction:
    allow_all_keys: true
    levels: %s
    ignored_keys: [kept.password]
    safe_keys: [^session_token$]
    detectors: [email, payment_card, iban, jwt, private_key, credentials,
                cloud_key, llm_key]
"""
PEM = ("-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n"
       "-----END PRIVATE KEY-----")
CARD = 4111111111111111


def any_value(x):
    if isinstance(x, str):
        return AnyValue(string_value=x)
    if isinstance(x, int):
        return AnyValue(int_value=x)
    if isinstance(x, list):
        return AnyValue(array_value=ArrayValue(values=map(any_value, x)))
    return AnyValue(kvlist_value=KeyValueList(values=pairs(x)))


def pairs(attributes):
    return [KeyValue(key=k, value=any_value(v)) for k, v in attributes.items()]


@pytest.fixture
def record(weir, backend, client):
    """What arrives of a log record with these attributes, as text."""
    def pass_through(attributes, levels="all"):
        sink = backend()
        w = weir(to_backend(ALL % levels, "[redaction]"), BACKEND=sink.port)
        request = ExportLogsServiceRequest()
        sent = request.resource_logs.add().scope_logs.add().log_records.add()
        sent.attributes.extend(pairs(attributes))
        client(w.otlp).export("logs", request.SerializeToString())
        sink.until(lambda: sink.logs)
        return str(sink.logs[0])
    return pass_through


def test_secrets_are_found_in_every_spelling(record):
    texts = {
        "config(password=b'hunter2x9')": "hunter2x9",
        "password=u'hunter2x9'": "hunter2x9",
        "password=hunter2,x9y": "x9y",
        "password=hunter2;x9z": "x9z",
        '"password":\n  "hunter2x9"': "hunter2x9",
        "password=" + " " * 17 + "hunter2x9": "hunter2x9",
        "root:hunter2x9@tcp(127.0.0.1:3306)/db": "hunter2x9",
        "Bearer\tabcDEF1234567": "abcDEF",
        "4111\u00a01111\u00a01111\u00a01111": "4111",
        "4111.1111.1111.1111": "4111",
        "4111%201111%201111%201111": "4111",
        "de89 3704 0044 0532 0130 00": "0044",
        PEM.replace("\n", "%0A").replace(" ", "%20"): "MIIEvQ",
        base64.b64encode(PEM.encode()).decode(): "LS0tLS1CRUdJTiB",
    }
    got = record({f"k{i}": text for i, text in enumerate(texts)})
    assert [secret for secret in texts.values() if secret in got] == []


@pytest.mark.parametrize("attributes", [
    {"card": CARD}, {"m": {"card": CARD}}, {"l": [CARD]},
    {"l": [{"m": [1, CARD]}]}], ids=["attribute", "map", "list", "deep"])
def test_a_card_that_is_an_integer_is_found(record, attributes):
    assert str(CARD) not in record(attributes)


def test_other_integers_and_cards_of_the_collectors_levels_stay(record):
    assert "4111111111111112" in record({"n": 4111111111111112, "small": 7})
    assert str(CARD) in record({"card": CARD}, "collector")


@pytest.mark.parametrize("attributes", [
    {"db.password": "hunter2x9"}, {"m": {"password": "hunter2x9"}},
    {"m": {"password": 'a"hunter2x9'}}, {"l": [{"apiKey": "hunter2x9"}]},
    {"http.request.header.authorization": ["Custom hunter2x9"]},
    {"http.request.header.x-api-key": ["hunter2x9"]},
    {"m": {"x": {"client_secret": ["a", "hunter2x9"]}}},
], ids=str)
def test_a_key_that_says_secret_masks_its_value(record, attributes):
    assert "hunter2x9" not in record(attributes)


def test_a_number_under_such_a_key_is_masked(record):
    got = record({"pin.password": 73915546, "m": {"password": 73915547}})
    assert "7391554" not in got


def test_the_collectors_levels_see_keys_of_attributes_only(record):
    got = record({"db.password": "hunter2x9", "m": {"password": "inside"}},
                 "collector")
    assert "hunter2x9" not in got
    assert "inside" in got


def test_safe_and_ignored_keys_and_counts_of_tokens_keep_their_values(record):
    got = record({"kept.password": "kept-1", "session_token": "kept-2",
                  "token": 512, "input_tokens": 1024, "password": "none"})
    for kept in ("kept-1", "kept-2", "512", "1024", "none"):
        assert kept in got
