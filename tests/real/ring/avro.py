"""The published schemas of this project's own files."""

import json

from . import Skip, program


def published(schema: str) -> set:
    """The fields of every published version 1-*-* of a schema, as paths."""
    folder = program.ROOT / "schemas/com.snowplowanalytics.dataflowrunner" / schema / "avro"
    files = sorted(folder.glob("1-*-*.avsc"))
    if not files:
        raise Skip(f"no schema {schema}")
    paths = set()
    for file in files:
        walk(json.loads(file.read_text(encoding="utf-8")), "", {}, (), paths)
    return paths


def walk(avro, at: str, named: dict, inside: tuple, paths: set) -> None:
    """Collects the paths of the values in an Avro schema."""
    if isinstance(avro, list):
        for one in avro:
            if one != "null":
                walk(one, at, named, inside, paths)
    elif isinstance(avro, str) and avro in named:
        walk(named[avro], at, named, inside, paths)
    elif isinstance(avro, dict) and avro["type"] == "record":
        if avro["name"] in inside:
            paths.add(at)  # one inside itself
            return
        named[avro["name"]] = avro
        for field in avro["fields"]:
            here = f"{at}.{field['name']}" if at else field["name"]
            walk(field["type"], here, named, (*inside, avro["name"]), paths)
    elif isinstance(avro, dict) and avro["type"] == "array":
        walk(avro["items"], f"{at}[]", named, inside, paths)
    elif isinstance(avro, dict) and avro["type"] not in ("map", "string"):
        walk(avro["type"], at, named, inside, paths)
    else:
        paths.add(at)
