"""The project's own fake of EMR, S3 and STS, as a process."""

import json
import os
import subprocess
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from . import processes, program


@cache
def binary() -> Path:
    """The example `emr_fake`, as the tests are built."""
    build = subprocess.run(
        ["cargo", "build", "--package=dataflow-runner", "--example=emr_fake", "--message-format=json-render-diagnostics"],
        cwd=program.ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        check=True,
    )
    messages = (json.loads(line) for line in build.stdout.splitlines())
    (example,) = {Path(message["executable"]) for message in messages if message.get("executable")}
    return example


class Fake:
    """A fake that serves."""

    def __init__(self, process: subprocess.Popen) -> None:
        self.process = process
        self.environment, self.clusters = {}, []
        # An empty line ends what it says at first.
        while line := self.process.stdout.readline().strip():
            name, equals, value = line.partition("=")
            if equals:
                self.environment[name] = value
            else:
                self.clusters.append(name)
        self.url = self.environment["AWS_ENDPOINT_URL"]

    def figures(self) -> dict:
        """What has come so far."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


@contextmanager
def serving(mark: str, **options):
    """A fake with these options (crates/cli/examples/emr_fake.rs)."""
    words = [f"{name.replace('_', '-')}={value}" for name, value in options.items()]
    process = subprocess.Popen(
        [binary(), *words],
        env={"PATH": os.environ["PATH"], processes.MARK: mark},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Fake(process)
    finally:
        process.stdin.close()
        process.wait(timeout=10)
