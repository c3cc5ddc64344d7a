"""The JSON Schemas that the program makes of its Avro schemas, as an editor's validator sees them: `jsonschema`."""

import json
from functools import cache

from . import parts, python_avro

PASSES = {
    "json-depth": python_avro.PASSES["json-depth"],
    "json-surrogate": python_avro.PASSES["json-surrogate"],
    "duplicate-key": python_avro.PASSES["duplicate-key"],
}
REFUSES = {}


def check(_) -> None:
    parts.use_packages()
    for key in parts.published():
        schema(key)
    exceptions = parts.Exceptions(PASSES, REFUSES, refuses_warned=False, knows_keys=True)
    parts.agree("jsonschema", verdicts, exceptions)


@cache
def schema(key: str):
    """A validator for a JSON Schema of the program, which is one of its draft."""
    import jsonschema

    parsed = json.loads(parts.run("schema", "--json-schema", key).stdout)
    of_draft = jsonschema.validators.validator_for(parsed)
    assert of_draft is jsonschema.Draft7Validator, f"{key} is of {of_draft}"
    of_draft.check_schema(parsed)
    return of_draft(parsed)


def verdicts(items: list) -> list:
    """What the validator says of each text."""

    def one(key: str, value) -> None:
        fault = next(schema(key).iter_errors(value), None)
        assert fault is None, f"{fault.json_path}: {fault.message}"

    return python_avro.verdicts(items, one)
