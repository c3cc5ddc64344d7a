"""A component's place to work: a folder, an environment, the program; all gone at the end."""

import json
import os
import shutil
import subprocess
import tempfile
import time
import uuid
from collections import Counter
from pathlib import Path

from . import processes, program

# No run of a component takes as long as this; one that does hangs.
RUN_LIMIT_SECONDS = 300

# The input of every word count, and what comes out of it.
TEXT = {
    "hamlet.txt": "to be or not to be\nthat is the question\n",
    "caesar.txt": "et tu Brute\nthe question is\n",
}


def counted(texts=TEXT) -> dict:
    """How often each word occurs in `texts`, counted here."""
    return dict(Counter(word for text in texts.values() for word in text.split()))


def check_counts(folder: Path, expected: dict) -> None:
    """Fails unless a tool wrote just `expected`, as `word TAB count`, into the visible files of `folder`."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith((".", "_"))]
    lines = [line.split("\t") for path in files for line in path.read_text(encoding="utf-8").splitlines()]
    wanted = sorted([word, str(count)] for word, count in expected.items())
    assert sorted(lines) == wanted, f"{folder.name} has {sorted(lines)}, not {wanted}"


class Lab:
    """Everything a component does happens in here."""

    def __init__(self) -> None:
        self.mark = uuid.uuid4().hex
        self.work = Path(tempfile.mkdtemp(prefix="dataflow-runner-ring-"))
        self.input = self.work / "input"
        self.input.mkdir()
        for name, text in TEXT.items():
            (self.input / name).write_text(text, encoding="utf-8")

    def close(self) -> None:
        """Ends what is left and removes the folder. Fails if something was left."""
        try:
            # A JVM may take a moment to be gone after what it did is done.
            left = processes.left_behind(self.mark, within=5)
            processes.end(self.mark)
        finally:
            shutil.rmtree(self.work, ignore_errors=True)
        assert not left, f"processes were left behind: {left}"

    def run(self, steps: list, cluster: dict, **playbook) -> program.Run:
        """`run-transient` of `steps`, to its end."""
        return self.finish(self.start(steps, cluster, **playbook))

    def finish(self, running: subprocess.Popen) -> program.Run:
        """Waits for the end of a run."""
        try:
            stdout, stderr = running.communicate(timeout=RUN_LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            running.kill()
            stdout, stderr = running.communicate()
            raise AssertionError(f"it hung\n--- stdout\n{stdout}\n--- stderr\n{stderr}") from None
        return program.parse(running.returncode, stdout, stderr)

    def start(self, steps: list, cluster: dict, **playbook) -> subprocess.Popen:
        """Starts `run-transient` of `steps` and leaves it running."""
        config, book = self.work / "cluster.json", self.work / "playbook.json"
        config.write_text(json.dumps(program.cluster_file(**cluster), indent=2), encoding="utf-8")
        book.write_text(json.dumps(program.playbook_file(steps, **playbook), indent=2), encoding="utf-8")
        command = [
            program.binary(), "run-transient", "--config", config, "--playbook", book,
            "--state-dir", self.work / "state", "--output", "json",
        ]  # fmt: skip
        # No *_HOME and no setting of whoever runs this: tools come from the cluster file alone.
        environment = {name: os.environ[name] for name in ("PATH", "LANG", "JAVA_HOME") if name in os.environ}
        environment |= {"HOME": str(self.work), processes.MARK: self.mark}
        return subprocess.Popen(
            [str(part) for part in command],
            cwd=self.work,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def wait_for(self, path: Path, running: subprocess.Popen) -> None:
        """Until `path` is there; fails when the program ends first or it takes too long."""
        deadline = time.monotonic() + RUN_LIMIT_SECONDS
        while not path.exists():
            assert running.poll() is None, f"the program ended before {path.name} was there: {running.communicate()}"
            assert time.monotonic() < deadline, f"{path.name} never came"
            time.sleep(0.05)
