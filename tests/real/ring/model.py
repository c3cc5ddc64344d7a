"""AWS's own descriptions of its services, as botocore has them: does a request, does a reply keep to them?

Stricter than botocore, which overlooks what a reply has too much of, values that no enumeration names, and lengths.
"""

import json
import re
import urllib.parse
import xml.etree.ElementTree as ElementTree
from functools import cache

from botocore import parsers
from botocore.loaders import Loader
from botocore.model import ServiceModel, Shape, StructureShape
from botocore.validate import ParamValidator

from .proxy import Exchange

# How the models write characters beyond the basic plane, which no regular expression of Python takes.
ASTRAL = (r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010FFFF")

# What all services may answer, in no model: https://docs.aws.amazon.com/emr/latest/APIReference/CommonErrors.html,
# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html,
# https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
COMMON_ERRORS = {
    "AccessDenied", "AccessDeniedException", "AuthorizationHeaderMalformed", "ExpiredToken", "ExpiredTokenException",
    "IncompleteSignature", "InternalError", "InternalFailure", "InvalidAccessKeyId", "InvalidClientTokenId",
    "InvalidSignatureException", "MissingAuthenticationToken", "MissingAuthenticationTokenException",
    "NotAuthorized", "OptInRequired", "PermanentRedirect", "RequestExpired", "RequestTimeTooSkewed",
    "RequestTimeout", "ServiceUnavailable", "SignatureDoesNotMatch", "SlowDown", "Throttling",
    "ThrottlingException", "UnrecognizedClientException", "ValidationError", "ValidationException",
    "UnknownOperationException", "SerializationException",
}  # fmt: skip


@cache
def service(name: str) -> ServiceModel:
    """`emr`, `s3` or `sts`."""
    return ServiceModel(Loader().load_service_model(name, "service-2"), name)


class Call:
    """What a request asks for: of which service, which operation, with what."""

    def __init__(self, of: str, operation: str, parameters: dict, faults: list) -> None:
        self.service, self.name, self.parameters = of, operation, parameters
        self.model = service(of).operation_model(operation)
        # What was wrong with the request before its parameters were read.
        self.faults = faults

    def check(self) -> list[str]:
        """What is wrong with the request."""
        faults = list(self.faults)
        shape = self.model.input_shape
        if shape is None:
            return faults + ([f"{self.name} takes nothing"] if self.parameters else [])
        report = ParamValidator().validate(self.parameters, shape)
        if report.has_errors():
            faults += report.generate_report().splitlines()
        fits(shape, self.parameters, self.name, faults)
        return faults


def call(exchange: Exchange) -> Call | None:
    """What a request asks of AWS; `None` when it is for somebody else. Raises `ValueError` on one no model knows."""
    scope = re.match(
        r"AWS4-HMAC-SHA256 Credential=[^/,]+/(\d{8})/([a-z0-9-]+)/([a-z0-9]+)/aws4_request, ?"
        r"SignedHeaders=([a-z0-9;-]+), ?Signature=-$",
        exchange.header("authorization") or "",
    )
    target = exchange.header("x-amz-target")
    form = exchange.body if (exchange.header("content-type") or "").startswith("application/x-www-form") else b""
    if scope is None and b"Action=AssumeRoleWith" in form:
        return _query(exchange, "sts")  # whoever has no credentials yet cannot sign
    if scope is None:
        if target or exchange.header("authorization"):
            raise ValueError(f"signed in no known way: {exchange.header('authorization')}")
        return None
    day, _region, signing_name, signed = scope.groups()
    found = {"elasticmapreduce": _json, "s3": _rest, "sts": _query}.get(signing_name)
    if found is None:
        raise ValueError(f"signed for an unknown service: {signing_name}")
    known = found(exchange, {"elasticmapreduce": "emr"}.get(signing_name, signing_name))
    date = exchange.header("x-amz-date") or ""
    if not re.fullmatch(rf"{day}T\d{{6}}Z", date):
        known.faults.append(f"x-amz-date is {date!r}, signed on {day}")
    if missing := {"host", "x-amz-date"} - set(signed.split(";")):
        known.faults.append(f"not signed: {', '.join(sorted(missing))}")
    return known


def _json(exchange: Exchange, of: str) -> Call:
    """JSON 1.1: the operation in a header, everything else in the body."""
    model = service(of)
    prefix, _, operation = (exchange.header("x-amz-target") or "").partition(".")
    if operation not in model.operation_names:
        raise ValueError(f"no operation of {of}: {exchange.header('x-amz-target')}")
    faults = []
    wanted = {
        "target prefix": (prefix, model.metadata["targetPrefix"]),
        "content type": (exchange.header("content-type"), f"application/x-amz-json-{model.metadata['jsonVersion']}"),
        "method": (exchange.method, "POST"),
        "path": (urllib.parse.urlsplit(exchange.url).path, "/"),
        "query": (urllib.parse.urlsplit(exchange.url).query, ""),
    }
    faults += [f"{what} is {is_!r}, not {should!r}" for what, (is_, should) in wanted.items() if is_ != should]
    return Call(of, operation, _strict_json(exchange.body), faults)


def _strict_json(body: bytes):
    """Without keys that come twice, NaN and Infinity."""

    def pairs(found: list) -> dict:
        keys = [key for key, _ in found]
        if twice := {key for key in keys if keys.count(key) > 1}:
            raise ValueError(f"keys that come twice: {sorted(twice)}")
        return dict(found)

    def constant(word: str):
        raise ValueError(f"{word} is not JSON")

    return json.loads(body, object_pairs_hook=pairs, parse_constant=constant)


def _query(exchange: Exchange, of: str) -> Call:
    """AWS query: everything in a form."""
    model = service(of)
    fields = dict(urllib.parse.parse_qsl(exchange.body.decode(), keep_blank_values=True, strict_parsing=True))
    operation, version = fields.pop("Action", ""), fields.pop("Version", "")
    if operation not in model.operation_names:
        raise ValueError(f"no operation of {of}: {operation!r}")
    faults = [] if version == model.api_version else [f"version {version!r}, not {model.api_version!r}"]
    parameters = _from_form(model.operation_model(operation).input_shape, fields, "")
    faults += [f"unknown field of the form: {name}" for name in fields]
    return Call(of, operation, parameters, faults)


def _from_form(shape: Shape, fields: dict, prefix: str):
    """Takes what belongs to a shape out of the fields (`Tags.member.1.Key`)."""
    if shape.type_name == "structure":
        members = {}
        for name, member in shape.members.items():
            at = f"{prefix}.{name}" if prefix else name
            if any(key == at or key.startswith(f"{at}.") for key in fields):
                members[name] = _from_form(member, fields, at)
        return members
    if shape.type_name == "list":
        found = []
        while any(re.match(rf"{re.escape(prefix)}\.member\.{len(found) + 1}(\.|$)", key) for key in fields):
            found.append(_from_form(shape.member, fields, f"{prefix}.member.{len(found) + 1}"))
        return found
    return _scalar(shape, fields.pop(prefix))


def _rest(exchange: Exchange, of: str) -> Call:
    """REST: the operation is told by method, path, query and the headers it cannot do without."""
    url = urllib.parse.urlsplit(exchange.url)
    query = urllib.parse.parse_qsl(url.query, keep_blank_values=True)
    found = []
    for name in service(of).operation_names:
        model = service(of).operation_model(name)
        bound = _bound(model, exchange.method, url.path, query)
        if bound is None:
            continue
        bound |= {
            member: _scalar(shape, exchange.header(header))
            for header, (member, shape) in _headers_of(model).items()
            if exchange.header(header) is not None
        }
        lacking = sum(member not in bound for member in model.input_shape.required_members)
        # `?list-type=2` says more than nothing.
        found.append((-lacking, len(model.http["requestUri"].partition("?")[2]), name, bound))
    if not found:
        raise ValueError(f"no operation of {of}: {exchange.method} {exchange.url}")
    *_, name, parameters = max(found, key=lambda one: one[:3])
    # `Host` and what belongs to HTTP or the signature is in no model.
    allowed = {"x-amz-date", "x-amz-content-sha256", "x-amz-security-token"}
    allowed |= _headers_of(service(of).operation_model(name)).keys()
    sent = {header.lower() for header, _ in exchange.headers if header.lower().startswith("x-amz-")}
    faults = [f"unknown header {header}" for header in sorted(sent - allowed)]
    if exchange.header("x-amz-content-sha256") is None:
        faults.append("no x-amz-content-sha256")
    return Call(of, name, parameters, faults)


def _headers_of(model) -> dict:
    """The members of an operation that are headers, by header."""
    members = model.input_shape.members.items() if model.input_shape else ()
    return {
        shape.serialization["name"].lower(): (name, shape)
        for name, shape in members
        if shape.serialization.get("location") == "header"
    }


def _bound(model, method: str, path: str, query: list) -> dict | None:
    """The parameters in path and query, when the binding of an operation takes them all."""
    uri, _, fixed = model.http["requestUri"].partition("?")
    if model.http["method"] != method or model.input_shape is None:
        return None
    pattern = re.sub(r"\\{(\w+?)(\\\+)?\\}", lambda m: f"(?P<{m[1]}>{'.+' if m[2] else '[^/]+'})", re.escape(uri))
    matched = re.fullmatch(pattern + ("" if uri.endswith("/") or "Key" in uri else "/?"), path)
    if matched is None:
        return None
    left = list(query)
    for pair in urllib.parse.parse_qsl(fixed, keep_blank_values=True):
        if pair not in left:
            return None
        left.remove(pair)
    shapes = model.input_shape.members
    by_place = {(s.serialization.get("location"), s.serialization.get("name")): (n, s) for n, s in shapes.items()}
    found = {}
    for location, pairs in (("uri", matched.groupdict().items()), ("querystring", left)):
        for name, value in pairs:
            known = by_place.get((location, name))
            if known is None or known[0] in found:
                return None
            found[known[0]] = _scalar(known[1], urllib.parse.unquote(value) if location == "uri" else value)
    return found


def _scalar(shape: Shape, text: str):
    """A value from its text; the text itself where it is none of its kind, for the validator to find."""
    try:
        match shape.type_name:
            case "integer" | "long":
                return int(text)
            case "float" | "double":
                return float(text)
            case "boolean":
                return {"true": True, "false": False}.get(text, text)
            case _:
                return text
    except ValueError:
        return text


def fits(shape: Shape, value, at: str, faults: list) -> None:
    """Whether a value as JSON has it is just what a shape allows."""
    kinds = {
        "structure": dict, "map": dict, "list": list, "string": str, "boolean": bool, "integer": int, "long": int,
        "double": (int, float), "float": (int, float), "timestamp": (int, float, str), "blob": str,
    }  # fmt: skip
    kind = kinds[shape.type_name]
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        faults.append(f"{at} is {type(value).__name__}, not {shape.type_name}")
        return
    match shape.type_name:
        case "structure":
            faults += [f"{at} has an unknown member {name!r}" for name in value.keys() - shape.members.keys()]
            faults += [f"{at} lacks {name}" for name in shape.required_members if name not in value]
            for name in value.keys() & shape.members.keys():
                fits(shape.members[name], value[name], f"{at}.{name}", faults)
        case "map":
            for key, one in value.items():
                fits(shape.key, key, f"the key {key!r} of {at}", faults)
                fits(shape.value, one, f"{at}[{key!r}]", faults)
        case "list":
            for number, one in enumerate(value):
                fits(shape.member, one, f"{at}[{number}]", faults)
    _bounded(shape, value, at, faults)


def _bounded(shape: Shape, value, at: str, faults: list) -> None:
    """The lengths, patterns and enumerations of a shape."""
    if shape.type_name == "string":
        allowed = shape.metadata.get("enum")
        if allowed and value not in allowed:
            faults.append(f"{at} is {value!r}, which is none of {', '.join(allowed)}")
        pattern = shape.metadata.get("pattern")
        if pattern and not re.fullmatch(pattern.replace(*ASTRAL), value):
            faults.append(f"{at} is {value!r}, which does not match {pattern}")
    size = len(value) if isinstance(value, (str, list, dict)) else value
    if isinstance(size, (int, float)) and not isinstance(size, bool):
        if size < shape.metadata.get("min", size) or size > shape.metadata.get("max", size):
            faults.append(f"{at}: {size} is outside of {shape.metadata}")


def reply(known: Call, exchange: Exchange) -> list[str]:
    """What is wrong with the whole reply to a call."""
    protocol = service(known.service).metadata["protocol"]
    faults = []
    headers = {name.lower(): value for name, value in exchange.reply_headers}
    response = {"status_code": exchange.status, "headers": headers, "body": exchange.reply_body}
    shape = known.model.output_shape
    if exchange.status >= 300:
        _error(known, response, protocol, faults)
        return faults
    at = f"the reply to {known.name}"
    if protocol == "json":
        content = headers.get("content-type")
        if content != "application/x-amz-json-1.1":
            faults.append(f"{at} is {content!r}")
        if shape is not None:
            fits(shape, _strict_json(exchange.reply_body), at, faults)
        elif exchange.reply_body not in (b"", b"{}"):
            faults.append(f"{at} is not empty")
    elif shape is not None and shape.serialization.get("payload"):
        response["body"] = b""  # bytes of any kind
    elif shape is not None:
        root = ElementTree.fromstring(exchange.reply_body)
        if protocol == "query":
            parts = {_local(child): child for child in root}
            if _local(root) != f"{known.name}Response" or parts.keys() != {f"{known.name}Result", "ResponseMetadata"}:
                faults.append(f"{at} has {_local(root)} with {sorted(parts)}")
            root = parts[f"{known.name}Result"]
        _element_fits(shape, root, at, faults)
    # Its own parser takes much that does not fit, and stumbles over the rest.
    if shape is not None and not faults:
        parsers.create_parser(protocol).parse(response, shape)
    return faults


def _local(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _element_fits(shape: Shape, element: ElementTree.Element, at: str, faults: list) -> None:
    """Whether an element of XML is just what a shape allows."""
    children = list(element)
    match shape.type_name:
        case "structure":
            members = {}
            for name, member in shape.members.items():
                if "location" in member.serialization:
                    continue
                called = member.serialization.get("name", name)
                if member.type_name == "list" and member.serialization.get("flattened"):
                    called = member.member.serialization.get("name", called)
                members[called] = member
            for child in children:
                member = members.get(_local(child))
                inside = f"{at}.{_local(child)}"
                if member is None:
                    faults.append(f"{at} has an unknown member {_local(child)!r}")
                elif member.type_name == "list" and member.serialization.get("flattened"):
                    _element_fits(member.member, child, inside, faults)
                else:
                    _element_fits(member, child, inside, faults)
            have = {_local(child) for child in children}
            needed = {shape.members[name].serialization.get("name", name) for name in shape.required_members}
            faults += [f"{at} lacks {name}" for name in sorted(needed - have)]
        case "list":
            name = shape.member.serialization.get("name", "member")
            for child in children:
                if _local(child) != name:
                    faults.append(f"{at} has an unknown member {_local(child)!r}")
                _element_fits(shape.member, child, f"{at}.{name}", faults)
        case "timestamp":
            if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", element.text or ""):
                faults.append(f"{at} is no time: {element.text!r}")
        case _:
            if children:
                faults.append(f"{at} has elements in it")
            fits(shape, _scalar(shape, element.text or ""), at, faults)


def _error(known: Call, response: dict, protocol: str, faults: list) -> None:
    """An error: one that the operation or every service may answer, in the form of the protocol."""
    at = f"the error of {known.name}"
    shape = known.model.output_shape or StructureShape("None", {"type": "structure", "members": {}})
    parsed = parsers.create_parser(protocol).parse(response, shape)
    code = parsed.get("Error", {}).get("Code", "")
    modelled = {shape.metadata.get("error", {}).get("code", shape.name): shape for shape in known.model.error_shapes}
    # Every operation of EMR has some that its description leaves out.
    modelled |= {name: service(known.service).shape_for(name) for name in _exceptions(known.service)}
    if code not in modelled and code not in COMMON_ERRORS:
        faults.append(f"{at} has an unknown code {code!r}")
    if protocol == "json":
        body = _strict_json(response["body"])
        name = body.pop("__type", "").rpartition("#")[2]
        if name != code:
            faults.append(f"{at} has the type {name!r}")
        shape = modelled.get(code)
        known_members = set(shape.members) if shape is not None else {"message", "Message"}
        # In any case of letters: services do not agree.
        allowed = {member.lower() for member in known_members} | {"message"}
        faults += [f"{at} has an unknown member {member!r}" for member in body if member.lower() not in allowed]
    elif not parsed.get("Error", {}).get("Message") and response["body"]:
        faults.append(f"{at} has no message")


@cache
def _exceptions(of: str) -> tuple:
    model = service(of)
    return tuple(name for name in model.shape_names if model.shape_for(name).metadata.get("exception"))
