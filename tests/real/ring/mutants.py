"""Files made of a file by one change each, to see whether two who judge them agree."""

import json
from collections.abc import Iterator

# What a value is replaced by: one of each kind of JSON, the ends of Avro's integers, and what is next to them.
VALUES = (
    None, True, 0, -1, 1.0, 1.5, 1e300, 2**31 - 1, 2**31, -(2**31) - 1, 2**63 - 1, 2**63, -(2**63) - 1,
    "x", [], ["x"], [0], {}, {"x": "y"},
)  # fmt: skip
# No field and no branch of a union is called so.
UNKNOWN = "unheardOf"


def mutants(value, tags) -> Iterator[tuple[str, str]]:
    """What was changed where, and the file as it is then. Places that differ by an index only are one place.

    `tags` gives those that a value is put in, as Avro's JSON encoding tags the values of unions.
    """
    for path, inner in _places(value):
        at = "".join("[]" if isinstance(step, int) else f".{step}" for step in path) or "."
        for other in VALUES:
            if json.dumps(other) != json.dumps(inner):
                yield f"{at} = {json.dumps(other)}", json.dumps(_replaced(value, path, other))
        for tag in tags(inner):
            yield f"{at} in {tag}", json.dumps(_replaced(value, path, {tag: inner}))
        if isinstance(inner, dict):
            yield f"{at}.{UNKNOWN} added", json.dumps(_replaced(value, path, inner | {UNKNOWN: 1}))
        if path and isinstance(path[-1], str):
            *above, key = path
            members = _at(value, above)
            without = {name: item for name, item in members.items() if name != key}
            yield f"{at} removed", json.dumps(_replaced(value, above, without))
            yield f"{at} miscased", json.dumps(_replaced(value, above, without | {key.swapcase(): inner}))
            twice = json.dumps(_replaced(value, above, without | {key: inner, "\0": inner}))
            yield f"{at} twice", twice.replace(json.dumps("\0"), json.dumps(key))


def _places(value, path: tuple = ()) -> Iterator[tuple]:
    yield path, value
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in members:
        yield from _places(inner, (*path, key))


def _at(value, path):
    for step in path:
        value = value[step]
    return value


def _replaced(value, path, other):
    if not path:
        return other
    step, *rest = path
    copy = value.copy()
    copy[step] = _replaced(value[step], rest, other)
    return copy
