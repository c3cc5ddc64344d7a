"""AWS without AWS: its own client libraries and descriptions, its command line, and moto, which stands in for it."""

import os
import re
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

from . import cache, processes

REQUIREMENTS = Path(__file__).resolve().parent.parent / "emr" / "requirements.txt"

READY_SECONDS = 60
COMMAND_SECONDS = 120


def packages() -> Path:
    """A folder of Python packages, installed as `requirements.txt` says."""

    def make(new: Path) -> None:
        cache.fetch(
            [
                sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary=:all:",
                f"--target={new}", f"--requirement={REQUIREMENTS}",
            ]
        )  # fmt: skip

    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return cache.installed(f"aws-python{python}", make, REQUIREMENTS.read_bytes())


def use_packages() -> None:
    """Lets this process import them, before any of the same name that this Python has."""
    folder = str(packages())
    if folder not in sys.path:
        sys.path.insert(0, folder)


def environment(home: Path, **more: str) -> dict[str, str]:
    """Credentials that sign for nobody, and nothing of whoever runs this."""
    settings = {
        "HOME": str(home),
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    return settings | more


@contextmanager
def moto(lab):
    """A server of moto; gives its address. Started once more if it does not come up."""
    server, url = _started(lab) or _started(lab) or (None, None)
    assert server is not None, f"moto does not come up:\n{(lab.work / 'moto.log').read_text(encoding='utf-8')}"
    try:
        yield url
    finally:
        server.terminate()
        server.wait(timeout=10)


def _started(lab):
    log = lab.work / "moto.log"
    with log.open("w", encoding="utf-8") as into:
        server = subprocess.Popen(
            # Port 0: one that is free; it says which.
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"],
            env=environment(lab.work, PYTHONPATH=str(packages()), PYTHONUNBUFFERED="1") | {processes.MARK: lab.mark},
            cwd=lab.work,
            stdin=subprocess.DEVNULL,
            stdout=into,
            stderr=subprocess.STDOUT,
        )
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        if told := re.search(r"Running on (http://127\.0\.0\.1:\d+)", log.read_text(encoding="utf-8")):
            return server, told[1]
        time.sleep(0.05)
    server.kill()
    server.wait()
    return None


def command_line(lab, url: str, *arguments: str) -> str:
    """What AWS's own command line prints."""
    done = subprocess.run(
        [sys.executable, "-m", "awscli", "--endpoint-url", url, "--output", "json", *arguments],
        env=environment(lab.work, PYTHONPATH=str(packages())) | {processes.MARK: lab.mark},
        cwd=lab.work,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"aws {' '.join(arguments)}: {done.returncode}\n{done.stderr}"
    return done.stdout
