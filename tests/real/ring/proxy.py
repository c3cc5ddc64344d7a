"""A forward proxy for HTTP that writes down what goes through it, byte for byte as it was sent.

It stands between the program and a server without changing what either of them meets: one connection to the
server for each of the client, closed when the other is, and a reply that is cut off or no HTTP at all arrives
as such. It takes requests in absolute form and tunnels (CONNECT), in which it expects HTTP as well.

Clients send what is for this machine past any proxy, so to it every name that ends in `.test` is this machine.
"""

import base64
import contextlib
import json
import re
import select
import socket
import threading
import urllib.parse
from dataclasses import dataclass
from pathlib import Path

# Longer than any request of a test is answered late on purpose.
SILENCE_SECONDS = 120
HEAD_LIMIT = 1 << 20

# What a proxy keeps to itself (RFC 9110, 7.6.1), and what it answers itself.
OURS = {"proxy-connection", "proxy-authorization", "expect"}


@dataclass(frozen=True)
class Exchange:
    """One request and what came back."""

    method: str
    url: str
    headers: list
    body: bytes
    # None: the connection was closed, or what came was no HTTP.
    status: int | None
    reply_headers: list
    reply_body: bytes
    # "whole", "cut" (shorter than announced), "garbage" (no HTTP) or "none".
    reply: str

    def header(self, name: str) -> str | None:
        """A header of the request."""
        return _first(self.headers, name)

    def reply_header(self, name: str) -> str | None:
        """A header of the reply."""
        return _first(self.reply_headers, name)


def _first(headers: list, name: str) -> str | None:
    return next((value for known, value in headers if known.lower() == name.lower()), None)


class Recorder:
    """The proxy, from its construction to `close`. A line of JSON for each exchange goes into a file."""

    def __init__(self, into: Path) -> None:
        self._file = into.open("w", encoding="utf-8")
        self._lock = threading.Condition()
        self._under_way = 0
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Takes no more connections and waits for what is under way: the client may have its reply before it is written."""
        # Closing alone leaves a thread in accept().
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            self._lock.wait_for(lambda: self._under_way == 0, timeout=SILENCE_SECONDS)
            self._file.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        connection = _Connection(client, self._begin, self._write)
        with contextlib.suppress(OSError, _Closed):
            connection.serve()
        connection.close()

    def _begin(self) -> None:
        with self._lock:
            self._under_way += 1

    def _write(self, exchange: Exchange) -> None:
        fields = exchange.__dict__ | {"body": _text(exchange.body), "reply_body": _text(exchange.reply_body)}
        line = json.dumps(fields) + "\n"
        with self._lock:
            self._under_way -= 1
            self._lock.notify_all()
            if not self._file.closed:
                self._file.write(line)
                self._file.flush()


def exchanges(file: Path) -> list[Exchange]:
    """What a recorder wrote."""
    found = []
    for line in file.read_text(encoding="utf-8").splitlines():
        fields = json.loads(line)
        fields |= {name: _bytes(fields[name]) for name in ("body", "reply_body")}
        found.append(Exchange(**fields))
    return found


def _text(body: bytes):
    """As text where it is text, for people who read the file."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode()}


def _bytes(body) -> bytes:
    return body.encode() if isinstance(body, str) else base64.b64decode(body["base64"])


class _Closed(Exception):
    """One side is gone."""


class _Connection:
    """One connection of a client, and the one to the server that goes with it."""

    def __init__(self, client: socket.socket, begin, write) -> None:
        self.client, self.server = client, None
        # Where the server is, and whether the client asked for a tunnel to it.
        self.host, self.tunnel = None, False
        self.begin, self.write = begin, write
        client.settimeout(SILENCE_SECONDS)

    def close(self) -> None:
        for side in (self.client, self.server):
            if side is not None:
                side.close()

    def serve(self) -> None:
        """Request after request until one side closes."""
        while self._awaits_request():
            head, rest = _head(self.client)
            method, target, _version = head[0].split(" ", 2)
            headers = _headers(head[1:])
            if method == "CONNECT":
                if not self._opens_tunnel(target):
                    return
                continue
            if self.tunnel:
                target = f"http://{self.host}{target}"
            if (_first(headers, "expect") or "").lower() == "100-continue":
                self.client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            body, whole = _body(lambda: self.client.recv(65536), headers, rest)
            if not whole:
                return
            status, reply_headers, reply_body, word = None, [], b"", "none"
            self.begin()
            try:
                self._to_server(method, target, headers, body)
                status, reply_headers, reply_body, word = self._relay(method)
            finally:
                # Also when the client went away before it had the reply.
                self.write(Exchange(method, target, _redacted(headers), body, status, reply_headers, reply_body, word))
            closes = any((_first(each, "connection") or "").lower() == "close" for each in (headers, reply_headers))
            if word != "whole" or closes:
                return

    def _awaits_request(self) -> bool:
        """Whether the client speaks next; a server that closes while nothing is under way is not kept secret."""
        sides = [side for side in (self.client, self.server) if side is not None]
        readable, _, _ = select.select(sides, [], [], SILENCE_SECONDS)
        return self.server not in readable and self.client in readable

    def _opens_tunnel(self, host: str) -> bool:
        try:
            self._reach(host)
        except OSError:
            self.client.sendall(b"HTTP/1.1 502 no such server\r\ncontent-length: 0\r\n\r\n")
            return False
        self.client.sendall(b"HTTP/1.1 200 connected\r\n\r\n")
        self.tunnel = True
        return True

    def _reach(self, host: str) -> None:
        """A connection to the server, unless there is one already."""
        if self.host == host:
            return
        if self.server is not None:
            self.server.close()
        name, _, port = host.partition(":")
        here = name.endswith(".test")
        self.server = socket.create_connection(("127.0.0.1" if here else name, int(port or 80)), SILENCE_SECONDS)
        self.host = host

    def _to_server(self, method: str, target: str, headers: list, body: bytes) -> None:
        url = urllib.parse.urlsplit(target)
        if url.scheme != "http":
            raise _Closed(f"no absolute form: {target}")
        # A server that is not there: the client's connection is closed without a word.
        self._reach(url.netloc)
        path = target.split("://", 1)[1].removeprefix(url.netloc) or "/"
        kept = [(name, value) for name, value in headers if name.lower() not in OURS | {"transfer-encoding"}]
        if _first(kept, "content-length") is None and body:
            kept.append(("content-length", str(len(body))))
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in kept), "", ""]
        self.server.sendall("\r\n".join(lines).encode("latin-1") + body)

    def _relay(self, method: str):
        """The reply, passed on as it comes in: status, headers, body, and whether it was whole."""
        received = b""
        while b"\r\n\r\n" not in received and len(received) < HEAD_LIMIT:
            more = self._receive()
            if not more:
                break
            received += more
        head, gap, rest = received.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        if not gap or not (first := re.fullmatch(r"HTTP/1\.[01] (\d{3})( .*)?", lines[0])):
            self.client.sendall(received)
            while more := self._receive():
                self.client.sendall(more)
            return None, [], received, "garbage" if received else "none"
        self.client.sendall(received)
        status, headers = int(first[1]), _headers(lines[1:])
        if method == "HEAD" or status in (204, 304):
            return status, headers, b"", "whole"
        body, whole = _body(self._pass_on, headers, rest, until_end=True)
        return status, headers, body, "whole" if whole else "cut"

    def _pass_on(self) -> bytes:
        more = self._receive()
        self.client.sendall(more)
        return more

    def _receive(self) -> bytes:
        """What the server sends next; nothing when it is gone or nobody waits for it any more."""
        sides = [self.server, self.client]
        try:
            while True:
                readable, _, _ = select.select(sides, [], [], SILENCE_SECONDS)
                if self.server in readable or not readable:
                    return self.server.recv(65536) if readable else b""
                if not self.client.recv(1, socket.MSG_PEEK):
                    return b""
                sides = [self.server]  # its next request, already
        except OSError:
            return b""


def _head(side: socket.socket) -> tuple[list[str], bytes]:
    """The lines before the empty one, and what came behind it."""
    received = b""
    while b"\r\n\r\n" not in received:
        more = side.recv(65536)
        if not more or len(received) > HEAD_LIMIT:
            raise _Closed
        received += more
    head, _, rest = received.partition(b"\r\n\r\n")
    return head.decode("latin-1").split("\r\n"), rest


def _headers(lines: list[str]) -> list:
    pairs = (line.partition(":") for line in lines if ":" in line)
    return [(name.strip(), value.strip()) for name, _, value in pairs]


def _body(receive, headers: list, rest: bytes, until_end: bool = False) -> tuple[bytes, bool]:
    """The body, unchunked, and whether it was whole. `rest` was received already, `receive` gets more."""
    reader = _Reader(receive, rest)
    chunked = "chunked" in (_first(headers, "transfer-encoding") or "").lower()
    length = _first(headers, "content-length")
    if chunked:
        return reader.chunks()
    if length is not None:
        body = reader.exactly(int(length))
        return body, len(body) == int(length)
    return (reader.all() if until_end else b""), True


class _Reader:
    """Reads from a connection behind what was read already."""

    def __init__(self, receive, rest: bytes) -> None:
        self.receive, self.buffer = receive, rest

    def _more(self) -> bool:
        try:
            data = self.receive()
        except OSError:
            data = b""
        self.buffer += data
        return bool(data)

    def exactly(self, count: int) -> bytes:
        """So many bytes, or fewer when it ends."""
        while len(self.buffer) < count and self._more():
            pass
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def line(self) -> bytes | None:
        """To the next end of a line; `None` when there is none."""
        while b"\r\n" not in self.buffer:
            if not self._more():
                return None
        line, _, self.buffer = self.buffer.partition(b"\r\n")
        return line

    def all(self) -> bytes:
        """To the end."""
        while self._more():
            pass
        taken, self.buffer = self.buffer, b""
        return taken

    def chunks(self) -> tuple[bytes, bool]:
        """A chunked body (RFC 9112, 7.1), without its trailers."""
        body = b""
        while (line := self.line()) is not None:
            size = int(line.split(b";")[0] or b"0", 16)
            if size == 0:
                while trailer := self.line():
                    pass
                return body, trailer == b""
            chunk = self.exactly(size)
            body += chunk
            if len(chunk) < size or self.line() is None:
                break
        return body, False


def _redacted(headers: list) -> list:
    """Without the signature: who signed what, and not how."""
    hide = re.compile(r"(Signature=)[0-9a-f]+")
    return [(name, hide.sub(r"\1-", value) if name.lower() == "authorization" else value) for name, value in headers]
