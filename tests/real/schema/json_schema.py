"""The JSON Schemas that the program makes of its Avro schemas, as an editor's validator sees them: `jsonschema`."""

import fnmatch
import json
from functools import cache

from . import parts, python_avro

PASSES = {
    "json-depth": python_avro.PASSES["json-depth"],
    "json-surrogate": python_avro.PASSES["json-surrogate"],
    "duplicate-key": python_avro.PASSES["duplicate-key"],
}
EITHER = {
    "miscased-key": "in files of 0.7.x keys count in any case, in JSON Schema only as they are: it is an unknown key there, "
    "and what is needed is missing"
}

NAMED = {name: why for name, why in parts.NAMED.items() if name != "*.Core twice"} | {
    "* = 1.0": (None, "1.0 is an integer for JSON Schema (from draft-06 on, 6.1.1 of its validation)"),
    "ClusterConfig/1-1-0: .data.ec2.instances.[ct]*.type removed": (parts.PASSED, NO_GROUP := "needed where there are instances"),
    "ClusterConfig/1-1-0: .data.ec2.instances.[ct]*.type = null": (parts.PASSED, NO_GROUP),
}
EXCEPTIONS = parts.Exceptions(PASSES, EITHER, NAMED, refuses_warned=False, knows_keys=True)


def check(_) -> None:
    parts.use_packages()
    for key in parts.published():
        schema(key)
    agreed = parts.agree("jsonschema", verdicts, EXCEPTIONS)
    as_avro_says(agreed)
    files_of_other_kinds_are_refused()
    files_are_passed_as_they_are_written()


def as_avro_says(agreed: dict) -> None:
    """Where fastavro says something else, it is of what we only warn of, or an exception."""
    cases = [case for case in parts.every() if case.name in agreed and len(case.keys()) == 1]
    others = python_avro.fastavro_verdicts([(case.keys()[0], case.text) for case in cases])
    differing = [case for case, other in zip(cases, others, strict=True) if agreed[case.name] != other.kind]
    named = [name for name, (kind, _) in NAMED.items() if name not in parts.NAMED]
    for case in differing:
        of_schema = [reason for reason in case.warnings if reason.is_of_schema()]
        excused = case.codes() & (EITHER.keys() | PASSES.keys()) or any(fnmatch.fnmatchcase(case.name, name) for name in named)
        assert of_schema or excused, f"{case.name} is {agreed[case.name]}, and not so for fastavro"
    print(f"info  jsonschema: as fastavro says of {len(cases) - len(differing)} of {len(cases)}", flush=True)


def files_of_other_kinds_are_refused() -> None:
    """A valid file is of one kind."""
    valid = [case for case in parts.cases() if not case.errors]
    others = [(key, case.text) for case in valid for key in parts.newest() if [key] != case.keys()]
    passed = [text for (_, text), verdict in zip(others, verdicts(others), strict=True) if verdict.kind != parts.REFUSED]
    assert others and not passed, passed


def files_are_passed_as_they_are_written() -> None:
    """An editor sees a file before it is rendered. Where it is JSON then, nothing is wrong with it."""
    templates = 0
    valid = [path for path in parts.sources() if path.parent.name != "invalid"]
    for path in valid:
        text = path.read_text(encoding="utf-8")
        (verdict,) = verdicts([(parts.reader_of(text), text)])
        assert verdict.kind in (parts.PASSED, parts.UNREADABLE) or "miscased-key" in path.with_suffix(".txt").read_text(), (
            f"{path} is {verdict}"
        )
        templates += verdict.kind == parts.PASSED and "{{" in text
    assert templates > 3, f"{templates} templates are JSON"
    # Where a symbol has to be, too; not where a number has to be, which is written without quotes.
    step = {"id": "a", "type": "{{.type}}", "command": "true", "actionOnFailure": "{{.rule}}"}
    for more, expected in (({}, parts.PASSED), ({"timeoutSeconds": "{{.limit}}"}, parts.REFUSED)):
        text = json.dumps(parts.program.playbook_file([step | more]))
        (verdict,) = verdicts([(parts.reader_of(text), text)])
        assert verdict.kind == expected, verdict
    print(f"info  jsonschema: {templates} templates as they are written", flush=True)


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
