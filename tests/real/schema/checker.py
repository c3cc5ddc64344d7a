"""The checks of the other components themselves: what is bent a little does not pass them."""

import copy
import json
import re
from unittest import mock

from . import json_schema, parts, python_avro

# A schema, and what is replaced in it: once each, and then fastavro does not agree with us any more.
AVRO = (
    ("PlaybookConfig/2-0-0", '{"name": "timeoutSeconds", "type": ["null", "long"]', '{"name": "timeoutSeconds", "type": ["null", "int"]'),
    ("PlaybookConfig/2-0-0", '{"name": "maxAttempts", "type": "int"', '{"name": "maxAttempts", "type": "long"'),
    ("PlaybookConfig/2-0-0", '"name": "backoff", "type": ["null", "double"]', '"name": "backoff", "type": ["null", "long"]'),
    ("PlaybookConfig/2-0-0", '{"name": "id", "type": "string"', '{"name": "id", "type": ["null", "string"], "default": null'),
    ("PlaybookConfig/2-0-0", '{"name": "name", "type": "string"', '{"name": "title", "type": "string"'),
    ("PlaybookConfig/2-0-0", '"CANCEL_AND_WAIT", "CONTINUE"', '"CONTINUE"'),
    ("PlaybookConfig/2-0-0", '"STREAMING", "FLINK"', '"STREAMING", "x", "FLINK"'),
    ("PlaybookConfig/2-0-0", '"items": "int"}, "default": [0]', '"items": "int"}'),
    ("PlaybookConfig/2-0-0", '{"name": "command", "type": ["null", "string"]', '{"name": "command", "type": ["null", "string", "long"]'),
    ("PlaybookConfig/2-0-0", '{"name": "tags", "type": ["null", {"type": "map", "values": "string"}]', '{"name": "tags", "type": ["null", {"type": "map", "values": ["string", "long"]}]'),
    ("PlaybookConfig/1-0-1", '{"name": "arguments", "type": {"type": "array", "items": "string"}', '{"name": "arguments", "type": {"type": "array", "items": ["string", "null"]}'),
    ("ClusterConfig/1-1-0", '{"name": "bid", "type": "string"', '{"name": "bid", "type": ["null", "string"], "default": null'),
    ("LocalClusterConfig/1-0-0", '{"name": "flink"', '{"name": "flunk"'),
    ("YarnClusterConfig/1-0-0", '{"name": "name", "type": "string"', '{"name": "name", "type": "bytes"'),
)  # fmt: skip

NAMES = "com.snowplowanalytics.dataflowrunner"


def check(_) -> None:
    parts.use_packages()
    every_reason_is_needed()
    for key, old, new in AVRO:
        bent = copy.copy(parts.schema(key))
        # As the walker prints it, without the spaces of the file.
        old, new = (json.dumps(one)[1:-1].replace('\\"', '"') for one in (old, new))
        assert bent.text.count(old) >= 1, f"{key} has no {old}"
        bent.text = bent.text.replace(old, new, 1)
        with mock.patch.object(parts, "schema", lambda _, bent=bent: bent):
            disagrees(f"{key} with {new}", key, new, python_avro.fastavro_verdicts, python_avro.EXCEPTIONS)
    for key, what, name, path, value in JSON:
        whole = json.loads(parts.run("schema", "--json-schema", key).stdout)
        inner = whole["definitions"][f"{NAMES}.{name}"] if name else whole
        for step in path[:-1]:
            inner = inner[step]
        if value is GONE:
            del inner[path[-1]]
        else:
            inner[path[-1]] = value
        validator = type(json_schema.schema(key))(whole)
        with mock.patch.object(json_schema, "schema", lambda _, validator=validator: validator):
            disagrees(f"{key} {what}", key, f"{name} {path} {value}", json_schema.verdicts, json_schema.EXCEPTIONS)
    print(f"info  {len(AVRO) + len(JSON)} bent schemas are found", flush=True)


def disagrees(what: str, key: str, about: str, validate, exceptions: parts.Exceptions) -> None:
    """Fails unless a validator with a bent schema says something else of a file than we do."""
    words = set(re.findall("[A-Za-z]{3,}", about))
    own = [case for case in parts.every() if case.keys() == [key]]
    # Those that are likely to tell come first.
    own.sort(key=lambda case: -len(words & set(re.findall("[A-Za-z]{3,}", case.name))))
    some = (own[first : first + parts.FILES_AT_ONCE] for first in range(0, len(own), parts.FILES_AT_ONCE))
    assert any(exceptions.compare(cases, validate)[2] for cases in some), f"nothing tells that {what}"


def every_reason_is_needed() -> None:
    """Without any one of the codes in the table fastavro does not agree with us."""
    cases = [case for case in parts.every() if "unknown-schema" not in case.codes()]
    verdicts = python_avro.fastavro_verdicts([(case.keys()[0], case.text) for case in cases])
    for code in parts.SCHEMA_REASONS.keys() - {"unknown-schema"}:
        rest = {one: why for one, why in parts.SCHEMA_REASONS.items() if one != code}
        with mock.patch.object(parts, "SCHEMA_REASONS", rest):
            wrong = [
                case
                for case, verdict in zip(cases, verdicts, strict=True)
                if verdict.kind not in python_avro.EXCEPTIONS.excused(case)[0]
            ]
        # A key that is there twice is no reason for any parser here.
        assert wrong or code in python_avro.PASSES, f"nothing needs {code}"


# The same of JSON Schemas: what it is called, and what is put at a place of one of the definitions, or of the whole.
GONE = object()
CLASSIC = "^(com\\.snowplowanalytics\\.dataflowrunner\\.)?Classic$"
JSON = (
    ("PlaybookConfig/2-0-0", "takes unknown fields of a step", "Step", ("additionalProperties",), GONE),
    ("PlaybookConfig/2-0-0", "takes unknown fields of the file", "", ("additionalProperties",), GONE),
    ("PlaybookConfig/2-0-0", "needs nothing in a step", "Step", ("required",), GONE),
    ("PlaybookConfig/2-0-0", "needs no data", "", ("required",), ["schema"]),
    ("PlaybookConfig/2-0-0", "is for any file", "", ("properties", "schema"), GONE),
    ("PlaybookConfig/2-0-0", "has no jar", "Step", ("properties", "jar"), GONE),
    ("PlaybookConfig/2-0-0", "has no null", "Step", ("properties", "jar", "anyOf", 1), GONE),
    ("PlaybookConfig/2-0-0", "has no tags", "Step", ("properties", "jar", "anyOf", 2), GONE),
    ("PlaybookConfig/2-0-0", "takes all in a tag", "Step", ("properties", "file", "anyOf", 2, "patternProperties", "^string$"), {}),
    ("ClusterConfig/1-1-0", "has a tag less", "Location", ("properties", "classic", "anyOf", 2, "patternProperties", CLASSIC), GONE),
    ("PlaybookConfig/2-0-0", "has a symbol less", "StepType", ("anyOf", 0, "enum", 1), GONE),
    ("PlaybookConfig/2-0-0", "has a symbol more", "StepType", ("anyOf", 0, "enum", 1), "x"),
    ("PlaybookConfig/2-0-0", "has no least int", "Retries", ("properties", "maxAttempts", "minimum"), GONE),
    ("PlaybookConfig/2-0-0", "has no greatest int", "Retries", ("properties", "maxAttempts", "maximum"), GONE),
    ("PlaybookConfig/2-0-0", "has no type of an argument", "Step", ("properties", "arguments", "anyOf", 0, "items"), GONE),
    ("PlaybookConfig/2-0-0", "has no type of a tag", "PlaybookConfig", ("properties", "tags", "anyOf", 0, "additionalProperties"), GONE),
    ("ClusterConfig/1-1-0", "takes no unknown fields", "Ec2", ("additionalProperties",), False),
    ("ClusterConfig/1-1-0", "needs a key's name", "Ec2", ("required",), ["amiVersion", "keyName", "location", "instances"]),
    ("ClusterConfig/1-1-0", "needs no version", "Ec2", ("required",), ["location", "instances"]),
    ("ClusterConfig/1-1-0", "has no null", "Ec2", ("properties", "keyName", "anyOf", 1), GONE),
    ("ClusterConfig/1-1-0", "takes a tag for a field", "Instances", ("properties", "core", "if"), GONE),
    ("ClusterConfig/1-1-0", "takes one version", "", ("properties", "schema", "pattern"), "1-1-0$"),
)  # fmt: skip
