"""The files and the schemas of ours, as two libraries of Avro for Python see them: fastavro, and that of Avro itself."""

import io
import json

from . import parts

PASSES = {
    "json-depth": "how deep JSON may go is for each parser to say (RFC 8259, 9); Python goes as deep as its stack",
    "json-surrogate": "Python's strings hold half of a surrogate pair",
    "duplicate-key": "a datum has each field once: Python's parser keeps the last (RFC 8259, 4, leaves that open)",
}

EXCEPTIONS = parts.Exceptions(PASSES)
BOOLEANS = {"* = true": (None, "the Avro project's own takes True for a number, as Python itself does")}


def check(_) -> None:
    parts.use_packages()
    every_schema_is_read()
    parts.agree("fastavro", fastavro_verdicts, EXCEPTIONS)
    parts.agree("avro", avro_verdicts, parts.Exceptions(PASSES, named=parts.NAMED | BOOLEANS))


def every_schema_is_read() -> None:
    """Each file of schemas/, by both, and it is what the program prints."""
    import avro.schema
    import fastavro

    files = sorted((parts.program.ROOT / "schemas").rglob("*.avsc"))
    printed = {parts.run("schema", key).stdout for key in parts.published()}
    assert printed == {file.read_bytes() for file in files}, "schemas/ is not what the program has"
    for file in files:
        text = file.read_text(encoding="utf-8")
        name = f"com.snowplowanalytics.dataflowrunner.{file.parent.parent.name}"
        assert fastavro.parse_schema(json.loads(text))["name"] == name, file
        assert avro.schema.parse(text).fullname == name, file


def verdicts(items: list, one) -> list:
    """What `one(key, value)` says of each text that is JSON; an exception is a refusal."""
    found = []
    for key, text in items:
        try:
            value = parts.loads(text)
        except (ValueError, RecursionError) as error:
            found.append(parts.Verdict(parts.UNREADABLE, str(error)))
            continue
        try:
            one(key, value)
            found.append(parts.Verdict(parts.PASSED))
        except Exception as error:
            found.append(parts.Verdict(parts.REFUSED, f"{type(error).__name__}: {error}"[:500]))
    return found


def fastavro_verdicts(items: list) -> list:
    """Those of fastavro: it validates with all fields there, writes without one more, and reads it back the same."""
    import fastavro
    from fastavro.validation import validate

    parsed = {key: fastavro.parse_schema(json.loads(parts.schema(key).text)) for key, _ in items}

    def one(key: str, value) -> None:
        datum = parts.schema(key).datum(value, fill=False)
        validate(datum, parsed[key], strict=True)
        binary = io.BytesIO()
        fastavro.schemaless_writer(binary, parsed[key], datum, strict_allow_default=True)
        binary.seek(0)
        read = fastavro.schemaless_reader(binary, parsed[key], None)
        assert read == parts.schema(key).datum(value), f"it comes back as {read}"

    return verdicts(items, one)


def avro_verdicts(items: list) -> list:
    """Those of the Avro project's own: it knows no defaults, so they are there already."""
    import avro.io
    import avro.schema

    parsed = {key: avro.schema.parse(parts.schema(key).text) for key, _ in items}

    def one(key: str, value) -> None:
        datum = parts.schema(key).datum(value)
        avro.io.validate(parsed[key], datum, raise_on_error=True)
        binary = io.BytesIO()
        avro.io.DatumWriter(parsed[key]).write(datum, avro.io.BinaryEncoder(binary))
        binary.seek(0)
        read = avro.io.DatumReader(parsed[key]).read(avro.io.BinaryDecoder(binary))
        assert read == datum, f"it comes back as {read}"

    return verdicts(items, one)
