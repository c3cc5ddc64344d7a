"""Google's own discovery documents of Dataproc and Cloud Storage: does a request, does a reply keep to them?

They say which methods there are, with paths, parameters and bodies, and what fields hold. Stricter than Google's
clients: no unknown field, no field that only Google fills in, all that is `Required.`, numbers of 64 bits as strings.
"""

import base64
import json
import re
import urllib.parse
from functools import cache

from . import google
from .proxy import Exchange

SERVICES = {"dataproc": "dataproc.v1", "storage": "storage.v1"}

# Where google.rpc.Code leads over HTTP (https://cloud.google.com/apis/design/errors#handling_errors).
STATUSES = {
    "INVALID_ARGUMENT": 400, "FAILED_PRECONDITION": 400, "OUT_OF_RANGE": 400, "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403, "NOT_FOUND": 404, "ABORTED": 409, "ALREADY_EXISTS": 409, "RESOURCE_EXHAUSTED": 429,
    "CANCELLED": 499, "UNKNOWN": 500, "INTERNAL": 500, "DATA_LOSS": 500, "UNIMPLEMENTED": 501, "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}  # fmt: skip

# What the `@type` of `metadata` and `response` of an operation says.
TYPES = {
    "type.googleapis.com/google.cloud.dataproc.v1.ClusterOperationMetadata": "ClusterOperationMetadata",
    "type.googleapis.com/google.cloud.dataproc.v1.Cluster": "Cluster",
    "type.googleapis.com/google.protobuf.Empty": "Empty",
}

DURATION = re.compile(r"-?\d{1,12}(\.\d{1,9})?s")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")

# The sizes of whole numbers; those of 64 bits are strings in JSON.
WHOLE = {
    "int32": (-(1 << 31), (1 << 31) - 1), "uint32": (0, (1 << 32) - 1),
    "int64": (-(1 << 63), (1 << 63) - 1), "uint64": (0, (1 << 64) - 1),
}  # fmt: skip


@cache
def document(service: str) -> dict:
    """What Google says of a service."""
    return json.loads(google.document(SERVICES[service]).read_text(encoding="utf-8"))


@cache
def methods(service: str) -> list[dict]:
    """All its methods."""
    found = []

    def collect(resource: dict) -> None:
        found.extend(resource.get("methods", {}).values())
        for inner in resource.get("resources", {}).values():
            collect(inner)

    collect(document(service))
    return found


def schema(service: str, name: str) -> dict:
    """A message by its name."""
    return document(service)["schemas"][name]


def find(service: str, verb: str, path: str) -> tuple[dict, dict] | None:
    """The method that a request is for, and the parameters in its path. `path` begins with a slash."""
    prefix = "/" + document(service)["servicePath"]
    for method in methods(service):
        if method["httpMethod"] != verb:
            continue
        # The whole of a name that has slashes in it, such as that of an operation, is a pattern's.
        pattern = re.escape(prefix + method["path"])
        pattern = re.sub(r"\\\{\\\+(\w+)\\\}", r"(?P<\1>.+)", pattern)
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/:]+)", pattern)
        matched = re.fullmatch(pattern, path)
        if matched is None:
            continue
        found = {name: urllib.parse.unquote(value) for name, value in matched.groupdict().items()}
        known = method["parameters"]
        if all(re.search(known[name].get("pattern", ""), value) for name, value in found.items()):
            return method, found
    return None


def parameters(service: str, method: dict, query: list, faults: list, also: tuple = ()) -> None:
    """Whether a query is one of a method; `also` are names that no document has."""
    known = document(service)["parameters"] | {
        name: one for name, one in method["parameters"].items() if one["location"] == "query"
    }
    names = [name for name, _ in query]
    faults += [f"the parameter {name!r} is there twice" for name in {*names} if names.count(name) > 1]
    faults += [f"lacks the parameter {name!r}" for name in known if known[name].get("required") and name not in names]
    for name, value in query:
        # The documents name the system parameters without the `$` with which they may be sent as well.
        one = known.get(name) or known.get(name.removeprefix("$"))
        if one is None:
            if name not in also:
                faults.append(f"an unknown parameter {name!r}")
            continue
        at = f"the parameter {name!r}"
        if one["type"] == "boolean" and value not in ("true", "false"):
            faults.append(f"{at} is {value!r}, no boolean")
        elif one["type"] == "integer":
            _whole(one.get("format", "int32"), value, at, faults)
        elif one["type"] == "string":
            _text(one, value, at, faults)
        if one.get("deprecated"):
            faults.append(f"{at} is deprecated")


def fits(service: str, shape: dict, value, at: str, faults: list, sent: bool) -> None:
    """Whether a value is what a schema allows. `sent`: by a client, who does not fill in what only Google does."""
    if "$ref" in shape:
        shape = schema(service, shape["$ref"])
    kind = shape["type"]
    if kind == "any":
        return
    kinds = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": (int, float)}
    if not isinstance(value, kinds[kind]) or (isinstance(value, bool) and kind != "boolean"):
        faults.append(f"{at} is {type(value).__name__}, not {kind}")
    elif kind == "object":
        _object(service, shape, value, at, faults, sent)
    elif kind == "array":
        for number, one in enumerate(value):
            fits(service, shape["items"], one, f"{at}[{number}]", faults, sent)
    elif kind == "string":
        _text(shape, value, at, faults)
    elif kind == "integer":
        _whole(shape.get("format", "int32"), str(value), at, faults)


def _object(service: str, shape: dict, value: dict, at: str, faults: list, sent: bool) -> None:
    known, rest = shape.get("properties", {}), shape.get("additionalProperties")
    for name, one in value.items():
        here = f"{at}.{name}"
        if name in known:
            if sent and (known[name].get("readOnly") or known[name].get("description", "").startswith("Output only")):
                faults.append(f"{here} is Google's to say")
            if sent and known[name].get("deprecated"):
                faults.append(f"{here} is deprecated")
            fits(service, known[name], one, here, faults, sent)
        elif rest is not None:
            fits(service, rest, one, here, faults, sent)
        else:
            faults.append(f"{here} is unknown")
    for name, one in known.items():
        if sent and one.get("description", "").startswith("Required") and value.get(name) in (None, "", [], {}):
            faults.append(f"{at} lacks {name}")
    if isinstance(value.get("@type"), str) and rest is not None:
        if (inner := TYPES.get(value["@type"])) is None:
            faults.append(f"{at} is of an unknown type {value['@type']!r}")
        else:
            fields = {name: one for name, one in value.items() if name != "@type"}
            fits(service, schema(service, inner), fields, at, faults, sent)


def _text(shape: dict, value: str, at: str, faults: list) -> None:
    if "enum" in shape and value not in shape["enum"]:
        faults.append(f"{at} is {value!r}, which is none of {', '.join(shape['enum'])}")
    if "enum" in shape and value in shape["enum"] and any(shape.get("enumDeprecated", [])):
        if shape["enumDeprecated"][shape["enum"].index(value)]:
            faults.append(f"{at} is {value!r}, which is deprecated")
    if "pattern" in shape and not re.search(shape["pattern"], value):
        faults.append(f"{at} is {value!r}, which does not match {shape['pattern']}")
    form = shape.get("format")
    if form in WHOLE:
        _whole(form, value, at, faults)
    elif form == "google-duration" and not DURATION.fullmatch(value):
        faults.append(f"{at} is {value!r}, no duration")
    elif form in ("google-datetime", "date-time") and not TIME.fullmatch(value):
        faults.append(f"{at} is {value!r}, no time")
    elif form == "byte":
        try:
            base64.b64decode(value, validate=True)
        except ValueError:
            faults.append(f"{at} is {value!r}, not in base 64")


def _whole(form: str, text: str, at: str, faults: list) -> None:
    least, most = WHOLE[form]
    if not re.fullmatch(r"-?\d+", text) or not least <= int(text) <= most:
        faults.append(f"{at} is {text!r}, no {form}")


def strict_json(body: bytes):
    """Without keys that come twice, NaN and Infinity."""

    def pairs(found: list) -> dict:
        keys = [key for key, _ in found]
        if twice := {key for key in keys if keys.count(key) > 1}:
            raise ValueError(f"keys that come twice: {sorted(twice)}")
        return dict(found)

    def constant(word: str):
        raise ValueError(f"{word} is not JSON")

    return json.loads(body, object_pairs_hook=pairs, parse_constant=constant)


def error(service: str, exchange: Exchange, at: str, faults: list) -> None:
    """What is wrong with a reply that refuses (https://cloud.google.com/apis/design/errors)."""
    told = strict_json(exchange.reply_body)
    inner = told.get("error") if isinstance(told, dict) else None
    if not isinstance(inner, dict) or told.keys() != {"error"}:
        faults.append(f"{at} is no error of Google's: {told}")
        return
    allowed = {"code", "message", "status", "details", "errors"}
    faults += [f"{at} has an unknown member {name!r}" for name in inner.keys() - allowed]
    if inner.get("code") != exchange.status or not inner.get("message"):
        faults.append(f"{at} with status {exchange.status} says {inner.get('code')} {inner.get('message')!r}")
    if service == "dataproc":
        if STATUSES.get(inner.get("status")) != exchange.status:
            faults.append(f"{at} with status {exchange.status} says {inner.get('status')!r}")
        if not all(isinstance(one.get("@type"), str) for one in inner.get("details", [])):
            faults.append(f"{at} has details without types")
        return
    # Cloud Storage's (https://cloud.google.com/storage/docs/json_api/v1/status-codes).
    parts = inner.get("errors")
    if not parts or not all({"domain", "reason", "message"} <= part.keys() for part in parts):
        faults.append(f"{at} has no reasons: {parts}")
