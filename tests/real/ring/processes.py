"""Finds and ends what a component started, whoever its parent is by now."""

import os
import signal
import time
from pathlib import Path

# Every process of a component has this variable in its environment, with the component's own mark.
MARK = "DATAFLOW_RUNNER_RING"


def marked(mark: str) -> dict[int, str]:
    """The processes that were started with `mark`: their ids and command lines."""
    wanted = f"{MARK}={mark}".encode()
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            if wanted in (entry / "environ").read_bytes().split(b"\0"):
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
                found[int(entry.name)] = line
        except OSError:
            continue  # it ended meanwhile, or is not ours
    return found


def left_behind(mark: str, within: float) -> dict[int, str]:
    """What of `mark` still runs after `within` seconds; returns as soon as nothing does."""
    deadline = time.monotonic() + within
    while (found := marked(mark)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def end(mark: str) -> None:
    """Ends all processes of `mark`: asks first, insists after five seconds."""
    for order in (signal.SIGTERM, signal.SIGKILL):
        for pid in marked(mark):
            try:
                os.kill(pid, order)
            except ProcessLookupError:
                pass
        if not left_behind(mark, within=5):
            return
