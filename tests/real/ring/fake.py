"""The project's own fakes, each as a process: `emr_fake` (EMR, S3 and STS), `yarn_fake`, `dataproc_fake`."""

import json
import os
import subprocess
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from . import processes, program


@cache
def binary(example: str) -> Path:
    """An example of the program, as the tests are built."""
    build = subprocess.run(
        ["cargo", "build", "--package=dataflow-runner", f"--example={example}", "--message-format=json-render-diagnostics"],
        cwd=program.ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        check=True,
    )
    messages = (json.loads(line) for line in build.stdout.splitlines())
    (built,) = {Path(message["executable"]) for message in messages if message.get("executable")}
    return built


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
        self.url = self.environment.get("AWS_ENDPOINT_URL")

    def figures(self, order: str = "") -> dict:
        """What has come so far, once an order (crates/cli/examples) is carried out."""
        self.process.stdin.write(f"{order}\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


@contextmanager
def serving(mark: str, example: str = "emr_fake", **options):
    """A fake with these options (crates/cli/examples)."""
    words = [f"{name.replace('_', '-')}={value}" for name, value in options.items()]
    process = subprocess.Popen(
        [binary(example), *words],
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
