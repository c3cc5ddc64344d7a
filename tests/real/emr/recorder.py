"""The recorder of `contract` itself: what it passes on is what was sent, also where that is no HTTP."""

import contextlib
import socket
import threading

from ring import proxy

REQUEST = "POST http://{host}/p?q=%2F HTTP/1.1\r\nHost: {host}\r\nX-Mixed: One\r\ncontent-length: 2\r\n\r\n\x00\xff"
ARRIVES = "POST /p?q=%2F HTTP/1.1\r\nHost: {host}\r\nX-Mixed: One\r\ncontent-length: 2\r\n\r\n\x00\xff"

# What a server sends, what the recorder takes for the body, and how it calls the reply.
REPLIES = [
    ("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody", b"body", "whole"),
    ("HTTP/1.1 400 Bad\r\nX: y\r\nContent-Length: 0\r\n\r\n", b"", "whole"),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nbod\r\n1\r\ny\r\n0\r\n\r\n", b"body", "whole"),
    ("HTTP/1.0 200 OK\r\nConnection: close\r\n\r\nto the end", b"to the end", "whole"),
    ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbody", b"body", "cut"),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nbody", b"body", "cut"),
    ("HTTP/1.1 200 OK\r\nContent-Le", None, "garbage"),
    ("\x16\x03\x01 no HTTP at all", None, "garbage"),
    ("", b"", "none"),
]


def check(lab) -> None:
    for number, (sent, body, word) in enumerate(REPLIES):
        file = lab.work / f"{number}.jsonl"
        # One that ends by itself is met twice on one connection, one that does not ends with it.
        keeps = word == "whole" and "close" not in sent
        with server(sent.encode("latin-1"), keeps) as (host, seen), proxy.Recorder(file) as recorder:
            # Every other one through a tunnel.
            received = [*talk(recorder.url, host, len(sent), 2 if keeps else 1, tunnel=number % 2 == 1)]
        assert received == [sent] * len(received), f"{number}: {received!r} came of {sent!r}"
        assert seen == [ARRIVES.format(host=host)] * len(received), f"{number}: the server saw {seen!r}"
        for exchange in (recorded := proxy.exchanges(file)):
            assert exchange.url == f"http://{host}/p?q=%2F" and exchange.body == b"\x00\xff", f"{number}: {exchange}"
            assert exchange.reply == word, f"{number}: {exchange}"
            assert exchange.reply_body == (sent.encode("latin-1") if body is None else body), f"{number}: {exchange}"
        assert len(recorded) == len(received), f"{number}: {len(recorded)} recorded, {len(received)} sent"
    closes_when_the_server_does(lab)
    waits_for_no_one(lab)


def talk(through: str, host: str, length: int, times: int, tunnel: bool = False):
    """Sends the request so often over one connection to the recorder; what comes back each time."""
    with contextlib.closing(socket.create_connection(address(through.removeprefix("http://")), timeout=10)) as side:
        if tunnel:
            side.sendall(f"CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode("latin-1"))
            assert (said := side.recv(4096)) == b"HTTP/1.1 200 connected\r\n\r\n", said
        for _ in range(times):
            side.sendall((ARRIVES if tunnel else REQUEST).format(host=host).encode("latin-1"))
            received = b""
            # To the end, unless there is to be another.
            while (times == 1 or len(received) < length) and (more := side.recv(4096)):
                received += more
            yield received.decode("latin-1")


def closes_when_the_server_does(lab) -> None:
    """An idle connection that the server closes is closed for the client before it sends once more."""
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    with server(reply, keeps=False) as (host, seen), proxy.Recorder(lab.work / "idle.jsonl") as recorder:
        assert [*talk(recorder.url, host, len(reply), 1)] == [reply.decode()]
    assert len(seen) == 1


def waits_for_no_one(lab) -> None:
    """A client that hangs up while the server is silent is the end of it."""
    file = lab.work / "silent.jsonl"
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as silent, proxy.Recorder(file) as recorder:
        host = f"127.0.0.1:{silent.getsockname()[1]}"
        with contextlib.closing(socket.create_connection(address(recorder.url.removeprefix("http://")))) as side:
            side.sendall(REQUEST.format(host=host).encode("latin-1"))
            arrived, _ = silent.accept()
            with contextlib.closing(arrived):
                arrived.recv(4096)
    (exchange,) = proxy.exchanges(file)
    assert exchange.reply == "none" and exchange.status is None


@contextlib.contextmanager
def server(reply: bytes, keeps: bool):
    """Sends the same whatever it is asked; closes unless it `keeps`. Its host and what it was asked."""
    listener = socket.create_server(("127.0.0.1", 0))
    host, seen = f"a.test:{listener.getsockname()[1]}", []
    wanted = len(ARRIVES.format(host=host))

    def serve() -> None:
        with contextlib.suppress(OSError):
            side, _ = listener.accept()
            while True:
                received = b""
                while len(received) < wanted and (more := side.recv(4096)):
                    received += more
                if not received:
                    break
                seen.append(received.decode("latin-1"))
                side.sendall(reply)
                if not keeps:
                    break
            side.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield host, seen
    thread.join(timeout=10)
    listener.close()


def address(host: str) -> tuple[str, int]:
    name, _, port = host.partition(":")
    return name, int(port)
