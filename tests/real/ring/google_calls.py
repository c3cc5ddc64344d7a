"""Requests to Dataproc and Cloud Storage and the replies to them, held against Google's discovery documents.

Uploads have rules that no document of that kind has: https://cloud.google.com/storage/docs/uploading-objects,
https://cloud.google.com/storage/docs/performing-resumable-uploads.
"""

import re
import urllib.parse
from dataclasses import dataclass, field

from . import discovery
from .proxy import Exchange

# All pieces of an upload but the last are multiples of this.
PIECE = 256 * 1024

CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)")


@dataclass
class Call:
    """What a request asks for, and what is wrong with it."""

    service: str
    # Such as `clusters.create`; `objects.media`, `objects.insert:media`, `objects.insert:resumable`, `objects.piece`.
    name: str
    method: dict
    query: list
    body: object = None
    faults: list = field(default_factory=list)

    def asked(self, name: str) -> str | None:
        """The value of a parameter."""
        return dict(self.query).get(name)


@dataclass
class Session:
    """A resumable upload as far as its replies have told."""

    # From here on the server wants more; `None`: its last reply was lost or an error.
    next: int | None = 0
    # What was sent reaches to here.
    sent: int = 0
    total: int | None = None


class Judge:
    """Looks at exchanges in their order. `check` gives the call and what is wrong with the request and the reply."""

    def __init__(self, exchanges: list[Exchange]) -> None:
        self.exchanges = exchanges
        # Every session that a server has named, by its address.
        self.sessions = {
            place: Session() for one in exchanges if one.method == "POST" and (place := one.reply_header("location"))
        }

    def check(self, exchange: Exchange, broken: bool) -> tuple[Call, list]:
        """Raises `ValueError` where a request is for no known method. `broken`: the reply is none of Google's."""
        call = self._call(exchange)
        faults = [f"request: {fault}" for fault in call.faults]
        if not (exchange.header("authorization") or "").startswith("Bearer "):
            faults.append("request: no token")
        if not broken:
            told: list[str] = []
            self._reply(call, exchange, told)
            faults += [f"reply: {fault}" for fault in told]
        if call.name == "objects.piece":
            self._goes_on(exchange)
        return call, [f"{call.name}: {fault}" for fault in faults]

    def _call(self, exchange: Exchange) -> Call:
        url = urllib.parse.urlsplit(exchange.url)
        query = urllib.parse.parse_qsl(url.query, keep_blank_values=True)
        if exchange.method == "PUT" and url.path.startswith("/upload/"):
            return self._piece(exchange, query)
        if url.path.startswith("/upload/"):
            return _upload(exchange, url.path, query)
        service = "storage" if url.path.startswith("/storage/") else "dataproc"
        method, name = _method(service, exchange, url.path)
        call = Call(service, name, method, query)
        discovery.parameters(service, method, query, call.faults)
        if call.asked("alt") == "media":
            call.name = "objects.media"
            if not method.get("supportsMediaDownload"):
                call.faults.append("there is no alt=media here")
        if call.asked("fields") is not None:
            _selects(service, method["response"], mask(call.asked("fields")), "fields", call.faults)
        if "request" in method:
            _json(exchange, call.faults)
            call.body = discovery.strict_json(exchange.body)
            discovery.fits(service, method["request"], call.body, method["request"]["$ref"], call.faults, sent=True)
        elif exchange.body:
            call.faults.append("there is a body")
        return call

    def _piece(self, exchange: Exchange, query: list) -> Call:
        method = next(one for one in discovery.methods("storage") if one["id"] == "storage.objects.insert")
        call = Call("storage", "objects.piece", method, query)
        session = self.sessions.get(exchange.url)
        if session is None:
            raise ValueError("a piece of an upload that no server has named")
        told = CONTENT_RANGE.fullmatch(exchange.header("content-range") or "")
        if told is None:
            call.faults.append(f"content-range is {exchange.header('content-range')!r}")
            return call
        first, last, total = (None if part in (None, "*") else int(part) for part in told.groups())
        if total is None or session.total not in (None, total):
            call.faults.append(f"of {total} bytes, before {session.total}")
        session.total = total
        if first is None:
            if exchange.body:
                call.faults.append("a question with a body")
            return call
        length = last + 1 - first
        if length != len(exchange.body) or total is not None and last >= total:
            call.faults.append(f"{len(exchange.body)} bytes as {told[0]}")
        if last + 1 != total and length % PIECE:
            call.faults.append(f"a piece of {length} bytes is not the last")
        # Behind a lost reply it may send again what it had sent.
        if first != session.next if session.next is not None else first > session.sent:
            call.faults.append(f"goes on at {first}, wanted is {session.next}")
        session.sent = max(session.sent, last + 1)
        return call

    def _goes_on(self, exchange: Exchange) -> None:
        session = self.sessions[exchange.url]
        session.next = None
        if exchange.reply == "whole" and exchange.status == 308:
            there = re.fullmatch(r"bytes=0-(\d+)", exchange.reply_header("range") or "")
            session.next = int(there[1]) + 1 if there else 0

    def _reply(self, call: Call, exchange: Exchange, faults: list) -> None:
        kind = exchange.reply_header("content-type") or ""
        status, body = exchange.status, exchange.reply_body
        if call.name == "objects.media" and status in (200, 206, 404, 416):
            _media(exchange, faults)
        elif call.name == "objects.piece" and status == 308:
            there = exchange.reply_header("range")
            if body or there is not None and not re.fullmatch(r"bytes=0-\d+", there):
                faults.append(f"308 with {there!r} and {len(body)} bytes")
        elif call.name == "objects.insert:resumable" and status == 200:
            place = urllib.parse.urlsplit(exchange.reply_header("location") or "")
            if body or "upload_id" not in urllib.parse.parse_qs(place.query):
                faults.append(f"a session at {place.geturl()!r} with {len(body)} bytes")
        elif not kind.startswith("application/json"):
            faults.append(f"{status} is {kind!r}")
        elif status >= 300:
            discovery.error(call.service, exchange, "the refusal", faults)
        elif status != 200:
            faults.append(f"status {status}")
        else:
            told = discovery.strict_json(body)
            shape = call.method["response"]
            discovery.fits(call.service, shape, told, shape["$ref"], faults, sent=False)
            if call.asked("fields") is not None:
                _only(mask(call.asked("fields")), told, shape["$ref"], faults)


def _method(service: str, exchange: Exchange, path: str) -> tuple[dict, str]:
    found = discovery.find(service, exchange.method, path)
    if found is None:
        raise ValueError(f"no method of {service}")
    method, _ = found
    return method, ".".join(method["id"].split(".")[-2:])


def _upload(exchange: Exchange, path: str, query: list) -> Call:
    """A new object at once, or the beginning of a session."""
    method, name = _method("storage", exchange, path.removeprefix("/upload"))
    if not method.get("supportsMediaUpload"):
        raise ValueError(f"{name} takes no upload")
    call = Call("storage", name, method, query)
    how = call.asked("uploadType")
    call.name = f"{name}:{how}"
    # In the `parameters` of the document's own, as `upload_protocol` would be.
    discovery.parameters("storage", method, query, call.faults, also=("uploadType",))
    if how == "media":
        # Without one it would be guessed.
        if not exchange.header("content-type"):
            call.faults.append("no content type")
        if not call.asked("name"):
            call.faults.append("the object has no name")
    elif how == "resumable":
        if exchange.body:
            _json(exchange, call.faults)
            call.body = discovery.strict_json(exchange.body)
            discovery.fits("storage", method["request"], call.body, "Object", call.faults, sent=True)
        if not call.asked("name") and not (call.body or {}).get("name"):
            call.faults.append("the object has no name")
        if (exchange.header("content-length") or "0") != str(len(exchange.body)):
            call.faults.append("content-length is not the body's")
    else:
        call.faults.append(f"uploadType is {how!r}")
    return call


def _json(exchange: Exchange, faults: list) -> None:
    kind = exchange.header("content-type") or ""
    if kind.split(";")[0].strip() != "application/json":
        faults.append(f"the body is {kind!r}")


def _media(exchange: Exchange, faults: list) -> None:
    """Bytes, some of them, or why there are none (RFC 9110, section 14)."""
    status, length = exchange.status, len(exchange.reply_body)
    there = exchange.reply_header("content-range") or ""
    if status == 206:
        told = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", there)
        first, last, total = (int(part) for part in told.groups()) if told else (0, -1, 0)
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", exchange.header("range") or "")
        if last + 1 - first != length or last >= total or asked is None or int(asked[1]) != first:
            faults.append(f"{exchange.header('range')} is answered with {there!r} and {length} bytes")
    elif status == 416 and not re.fullmatch(r"bytes \*/\d+", there):
        faults.append(f"416 with {there!r}")
    elif status == 200 and there:
        faults.append("200 with a range")


def mask(text: str) -> dict:
    """What `fields` selects, such as `items(name,size),nextPageToken`; `{}`: all that is there."""
    tree, at, stack = {}, "", []
    into = tree
    for character in text + ",":
        if character in ",()/":
            if at:
                inner = into.setdefault(at, {})
            if character == "(" or character == "/":
                stack.append(into)
                into = inner
            elif character == ")":
                into = stack.pop()
            at = ""
        else:
            at += character
    return tree


def _selects(service: str, shape: dict, tree: dict, at: str, faults: list) -> None:
    """Whether there is what is selected."""
    if "$ref" in shape:
        shape = discovery.schema(service, shape["$ref"])
    if shape["type"] == "array":
        _selects(service, shape["items"], tree, at, faults)
        return
    for name, inner in tree.items():
        known = shape.get("properties", {}).get(name)
        if known is None:
            faults.append(f"{at} selects {name!r}, which is not there")
        elif inner:
            _selects(service, known, inner, f"{at}.{name}", faults)


def _only(tree: dict, told, at: str, faults: list) -> None:
    """Whether there is no more than what was selected."""
    if isinstance(told, list):
        for one in told:
            _only(tree, one, at, faults)
    elif isinstance(told, dict) and tree:
        faults += [f"{at} has {name!r}, which was not selected" for name in told.keys() - tree.keys()]
        for name in told.keys() & tree.keys():
            _only(tree[name], told[name], f"{at}.{name}", faults)
