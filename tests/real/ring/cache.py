"""The cache folder: what is slow to fetch or build, kept outside of the tree between runs."""

import contextlib
import fcntl
import hashlib
import inspect
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from . import Skip

# One answer that does not come is no failure of what is tested; a fetch is tried this often, a test never twice.
FETCH_ATTEMPTS = 3
FETCH_PAUSE_SECONDS = 5
FETCH_LIMIT_SECONDS = 600


def folder() -> Path:
    """The same folder as in `.ci/run`."""
    chosen = os.environ.get("DATAFLOW_RUNNER_CACHE")
    if not chosen:
        caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        chosen = Path(caches) / "dataflow-runner-ci"
    path = Path(chosen).absolute()
    path.mkdir(parents=True, exist_ok=True)
    return path


def installed(name: str, make, recipe: bytes = b"") -> Path:
    """The folder of the cache that `make(new)` fills, for which `name` stands; filled only where it is missing.

    It is filled under another name and renamed at the end, so one that was interrupted never counts as
    installed; a lock keeps two runs from filling it at once. Another `make` or `recipe` is another folder.
    """
    digest = hashlib.sha256(inspect.getsource(make).encode() + recipe).hexdigest()[:8]
    name = f"{name}-{digest}"
    done = folder() / name
    if done.is_dir():
        return done
    with lock(name):
        if done.is_dir():
            return done
        for stale in folder().glob(f"{name}.new-*"):
            shutil.rmtree(stale)
        new = Path(tempfile.mkdtemp(prefix=f"{name}.new-", dir=folder()))
        began = time.monotonic()
        try:
            make(new)
            # What mkdtemp makes is for its owner only; an installation is for all.
            new.chmod(0o755)
            new.rename(done)
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise
        print(f"info  installed {name}  {time.monotonic() - began:.0f} s", flush=True)
    return done


@contextlib.contextmanager
def lock(name: str):
    """Held by one process at a time; the system frees it when that process ends, however it ends."""
    with open(folder() / f"{name}.lock", "w", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def fetch(command: list) -> None:
    """Runs a package client, again when it fails. Raises `Skip` with the last words of the last attempt."""
    for attempt in range(1, FETCH_ATTEMPTS + 1):
        try:
            last = subprocess.run(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=FETCH_LIMIT_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as hung:
            raise Skip(f"`{command[0]}` fetched for {FETCH_LIMIT_SECONDS} s without an end") from hung
        if last.returncode == 0:
            return
        if attempt < FETCH_ATTEMPTS:
            time.sleep(FETCH_PAUSE_SECONDS)
    words = last.stdout.strip().splitlines()[-1:] or ["no message"]
    raise Skip(f"`{command[0]}` could not fetch it: {words[0]}")
