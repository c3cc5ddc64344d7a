"""A network of one's own: only its loopback, and nobody else in it."""

import contextlib
import ctypes
import fcntl
import socket
import struct
from pathlib import Path

# unshare(2), netdevice(7).
CLONE_NEWUTS, CLONE_NEWNET = 0x04000000, 0x40000000
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 0x1
NAMESPACES = (("net", CLONE_NEWNET), ("uts", CLONE_NEWUTS))


@contextlib.contextmanager
def own():
    """Inside, this thread and all that it starts have a network of their own; yields whether they have.

    They do not where the system does not allow it, which is so in a container without CAP_SYS_ADMIN.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    with contextlib.ExitStack() as files:
        before = [
            (files.enter_context(Path(f"/proc/thread-self/ns/{name}").open("rb")), kind) for name, kind in NAMESPACES
        ]  # fmt: skip
        if libc.unshare(CLONE_NEWNET | CLONE_NEWUTS) != 0:
            yield False
            return
        try:
            # The address of the machine's name would be one of the network outside.
            socket.sethostname("localhost")
            _loopback_up()
            yield True
        finally:
            for file, kind in before:
                if libc.setns(file.fileno(), kind) != 0:
                    raise OSError(ctypes.get_errno(), "this thread cannot return to its network")


def _loopback_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh22x", b"lo", 0)
        (flags,) = struct.unpack_from("h", fcntl.ioctl(any_socket, SIOCGIFFLAGS, request), 16)
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", flags | IFF_UP))


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody has now."""
    with contextlib.ExitStack() as stack:
        found = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in found:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in found]
