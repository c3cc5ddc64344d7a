"""A real Consul, and runs of the program that hold a lock in it."""

import contextlib
import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from ring import processes, program, tools
from ring.lab import Lab
from ring.network import free_ports

# Far more than it takes; what waits for so long has failed.
PATIENCE_SECONDS = 120
STARTS = 2

KEY = "locks/nightly"
HELD = 17


class Server:
    """A Consul on 127.0.0.1 with ports of its own."""

    def __init__(self, lab: Lab, settings: str = "", tls: bool = False) -> None:
        self.lab = lab
        self.settings = settings
        self.tls = tls
        self.log = lab.work / "consul.log"

    def __enter__(self) -> "Server":
        for start in range(1, STARTS + 1):
            if self._start():
                return self
            self._end()
            print(f"info  Consul did not come up, start {start} of {STARTS}", flush=True)
        raise AssertionError(f"Consul did not come up:\n{self.log.read_text(encoding='utf-8')[-3000:]}")

    def __exit__(self, *_) -> None:
        self._end()

    def _start(self) -> bool:
        self.port, server, serf, https = free_ports(4)
        command = [
            tools.consul(), "agent", "-dev", "-client", "127.0.0.1", "-bind", "127.0.0.1", "-node", "ring",
            "-log-level", "warn", "-disable-host-node-id", "-http-port", self.port, "-server-port", server,
            "-serf-lan-port", serf, "-serf-wan-port", "-1", "-dns-port", "-1", "-grpc-port", "-1", "-grpc-tls-port", "-1",
            "-hcl", "disable_update_check = true", "-hcl", "connect { enabled = false }",
        ]  # fmt: skip
        if self.tls:
            self.https = https
            command += ["-https-port", https]
        if self.settings:
            command += ["-hcl", self.settings]
        with self.log.open("w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [str(word) for word in command],
                cwd=self.lab.work,
                env={"PATH": os.environ["PATH"], "HOME": str(self.lab.work), processes.MARK: self.lab.mark},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(OSError, ValueError):
                if ":" in self.ask("GET", "/v1/status/leader", limit=2)[1]:
                    return True
            time.sleep(0.1)
        return False

    def _end(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, body: str | None = None, token: str = "", limit: float = PATIENCE_SECONDS) -> tuple[int, str]:
        """Status and body of a reply, whatever the status."""
        headers = {"X-Consul-Token": token} if token else {}
        data = None if body is None else body.encode()
        request = urllib.request.Request(f"http://{self.address}{path}", data, headers, method=method)
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=limit) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()

    def value(self, key: str = KEY) -> str | None:
        """What is in a key."""
        status, body = self.ask("GET", f"/v1/kv/{key}?raw")
        assert status in (200, 404), f"{status} {body}"
        return body if status == 200 else None

    def sessions(self) -> list:
        """The sessions there are."""
        return json.loads(self.ask("GET", "/v1/session/list")[1])


@dataclass
class Ended:
    """How a run ended."""

    code: int
    stderr: str


class Runs:
    """Runs of one playbook."""

    def __init__(self, lab: Lab, script: str, **environment: str) -> None:
        self.lab = lab
        self.environment = environment
        step = {"id": "a", "type": "COMMAND", "command": "sh", "arguments": ["-c", script]}
        self.cluster, self.playbook = lab.work / "cluster.json", lab.work / "playbook.json"
        # The steps of a run that is killed are ended with the lab.
        self.cluster.write_text(json.dumps(program.cluster_file(workFolder=str(lab.work / "clusters"))), encoding="utf-8")
        self.playbook.write_text(json.dumps(program.playbook_file([step])), encoding="utf-8")

    def start(self, *flags) -> subprocess.Popen:
        """Starts one and leaves it running."""
        return self._program("run-transient", "--config", self.cluster, "--playbook", self.playbook, *flags)

    def run(self, *flags) -> Ended:
        """One, to its end."""
        return end(self.start(*flags))

    def lock(self, verb: str, *flags) -> Ended:
        """`lock status` or `lock break`."""
        return end(self._program("lock", verb, "--lock", KEY, *flags))

    def _program(self, *words) -> subprocess.Popen:
        command = [program.binary(), *words, "--state-dir", self.lab.work / "state", "--output", "logfmt"]
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.lab.work), processes.MARK: self.lab.mark}
        return subprocess.Popen(
            [str(word) for word in command],
            cwd=self.lab.work,
            env=environment | self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )


def end(running: subprocess.Popen, limit: float = 300) -> Ended:
    """Waits for the end of a run."""
    try:
        _, stderr = running.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        running.kill()
        raise AssertionError(f"it hung: {running.communicate()[1]}") from None
    return Ended(running.returncode, stderr)


def check(ended: Ended, code: int, *texts: str) -> None:
    """Fails unless it ended so and said so."""
    assert ended.code == code, f"exit code {ended.code}, not {code}\n{ended.stderr}"
    for text in texts:
        assert text in ended.stderr, f"`{text}` was not said:\n{ended.stderr}"


def wait_for(path: Path, what: str) -> None:
    """Until `path` is there."""
    wait_until(path.exists, what)


def wait_until(true, what: str, limit: float = PATIENCE_SECONDS) -> None:
    """Until `true()`."""
    deadline = time.monotonic() + limit
    while not true():
        assert time.monotonic() < deadline, f"{what} took longer than {limit} s"
        time.sleep(0.05)
