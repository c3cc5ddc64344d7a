"""A client of the cluster, and steps that the launcher runs there, as the program submits them."""

import base64
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from ring import program
from ring.yarn import PATIENCE_SECONDS, Cluster

JAR = program.ROOT / "crates" / "core" / "src" / "fabric" / "yarn" / "launcher.jar"

ENDED = ("FINISHED", "FAILED", "KILLED")
SUCCEEDED, FAILED = ("FINISHED", "SUCCEEDED"), ("FINISHED", "FAILED")

# What the launcher and a small program have room in.
MEMORY_MB = 384


@dataclass
class Step:
    """An application that was submitted, and where in HDFS its output will be."""

    app: str
    logs: str


class Client:
    """Speaks to the cluster as one user, over REST only."""

    def __init__(self, cluster: Cluster, user: str = "alice", jar: Path = JAR) -> None:
        self.cluster, self.user, self.jar = cluster, user, jar
        self.steps = 0

    # HDFS.

    def dfs(self, method: str, path: str, op: str, data: bytes | None = None, **query) -> tuple[int, bytes]:
        """One operation, with the hop to a DataNode where there is one."""
        query |= {"op": op, "user.name": self.user}
        url = f"{self.cluster.webhdfs}/webhdfs/v1{urllib.parse.quote(path)}?{urllib.parse.urlencode(query)}"
        if op not in ("CREATE", "OPEN"):
            return send(method, url)
        status, body = send(method, f"{url}&noredirect=true")
        if status != 200:
            return status, body
        return send(method, json.loads(body)["Location"], data)

    def status(self, path: str) -> dict | None:
        """The status of a file, `None` where there is none."""
        code, body = self.dfs("GET", path, "GETFILESTATUS")
        return json.loads(body)["FileStatus"] if code == 200 else None

    def make(self, path: str, mode: str = "700") -> None:
        """Makes a folder."""
        code, body = self.dfs("PUT", path, "MKDIRS", permission=mode)
        assert code == 200, (code, body)

    def put(self, path: str, data: bytes) -> dict:
        """Writes a file; its status."""
        code, body = self.dfs("PUT", path, "CREATE", data, overwrite="true", permission="600")
        assert code == 201, (code, body)
        return self.status(path)

    def read(self, path: str) -> bytes:
        """What is in a file."""
        code, body = self.dfs("GET", path, "OPEN")
        assert code == 200, f"{path}: {code} {body}"
        return body

    # The ResourceManager.

    def ask(self, method: str, path: str, body: dict | None = None, **query) -> tuple[int, dict]:
        """One call below `/ws/v1/cluster/`."""
        query["user.name"] = self.user
        url = f"{self.cluster.rm}/ws/v1/cluster/{path}?{urllib.parse.urlencode(query)}"
        code, answer = send(method, url, None if body is None else json.dumps(body).encode(), "application/json")
        return code, json.loads(answer or b"{}")

    def submit(
        self,
        arguments: list,
        environment: dict | None = None,
        files: dict[str, bytes] | None = None,
        tags: tuple = ("dataflow-runner",),
        memory: int = MEMORY_MB,
        logs: str | None = None,
        into: str | None = None,
    ) -> Step:
        """Submits a step: a program with its arguments, as text or bytes; `files` lie in its folder.

        Its output goes to the folder `logs` of HDFS, or of the file system `into`.
        """
        self.steps += 1
        folder = f"/user/{self.user}/.dataflow/{self.steps}"
        # One by one: the mode goes for every folder that is made.
        self.make(f"/user/{self.user}/.dataflow")
        self.make(folder)
        logs = logs or f"{folder}/logs"
        resources = {"launcher.jar": self.jar.read_bytes(), **(files or {})}
        path = {"PATH": f"{self.cluster.home / 'bin'}:/usr/local/bin:/usr/bin:/bin"}
        own = {
            "CLASSPATH": "{{PWD}}/launcher.jar<CPS>" + self.setting("yarn.application.classpath").replace(",", "<CPS>"),
            "DATAFLOW_ARGV": packed(arguments),
            "DATAFLOW_ENV": packed(encoded(name) + b"=" + encoded(value) for name, value in (path | (environment or {})).items()),
            "DATAFLOW_TAGS": ",".join(tags),
            "DATAFLOW_LOGS": (into or self.cluster.fs) + logs,
            "HADOOP_USER_NAME": self.user,
        }  # fmt: skip
        app = self.ask("POST", "apps/new-application")[1]["application-id"]
        code, answer = self.ask("POST", "apps", {
            "application-id": app,
            "application-name": f"ring {self.steps}",
            "application-type": "dataflow-runner",
            "application-tags": {"tag": list(tags)},
            "queue": "default",
            "max-app-attempts": 1,
            "resource": {"memory": memory, "vCores": 1},
            "am-container-spec": {
                "commands": {"command": "{{JAVA_HOME}}/bin/java -Xmx64m Launcher 1><LOG_DIR>/launcher.log 2>&1"},
                "environment": {"entry": [{"key": name, "value": value} for name, value in own.items()]},
                "local-resources": {"entry": [self._resource(folder, name, data) for name, data in resources.items()]},
            },
        })  # fmt: skip
        assert code == 202, (code, answer)
        return Step(app, logs)

    def _resource(self, folder: str, name: str, data: bytes) -> dict:
        path = f"{folder}/{name}"
        status = self.put(path, data)
        return {"key": name, "value": {
            "resource": self.cluster.fs + path,
            "type": "FILE",
            "visibility": "APPLICATION",
            "size": status["length"],
            "timestamp": status["modificationTime"],
        }}  # fmt: skip

    def setting(self, name: str) -> str:
        """A setting of the cluster."""
        _, body = send("GET", f"{self.cluster.rm}/conf?format=json&name={name}")
        return json.loads(body)["property"]["value"]

    def app(self, step: Step) -> dict:
        """What the ResourceManager tells of a step."""
        code, answer = self.ask("GET", f"apps/{step.app}")
        assert code == 200, (code, answer)
        return answer["app"]

    def wait(self, step: Step, states: tuple = ENDED) -> dict:
        """Until a step is in one of `states`."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (app := self.app(step))["state"] not in states:
            assert app["state"] not in ENDED, told(app)
            assert time.monotonic() < deadline, f"it took longer than {PATIENCE_SECONDS} s: {told(app)}"
            time.sleep(0.2)
        return app

    def kill(self, step: Step) -> None:
        """Has a step ended."""
        code, answer = self.ask("PUT", f"apps/{step.app}/state", {"state": "KILLED"})
        assert code in (200, 202), (code, answer)

    def tagged(self, tag: str) -> list[dict]:
        """The applications with a tag."""
        return (self.ask("GET", "apps", applicationTags=tag)[1]["apps"] or {}).get("app", [])

    def alive(self) -> list[dict]:
        """The applications that are not over."""
        return [app for app in (self.ask("GET", "apps")[1]["apps"] or {}).get("app", []) if app["state"] not in ENDED]

    def stdout(self, step: Step) -> bytes:
        """What the launcher saved of the program's standard output."""
        return self.read(f"{step.logs}/stdout")

    def log(self, step: Step) -> str:
        """What the launcher said, of a step that runs or ran."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        container = self.container(step)
        addresses = (f"{self.cluster.nm}/ws/v1/node/containerlogs", f"{self.cluster.history}/ws/v1/history/containerlogs")
        while time.monotonic() < deadline:
            for address in addresses:
                code, body = send("GET", f"{address}/{container}/launcher.log", accept="text/plain")
                if code == 200 and b"LogContents" in body:
                    return body.decode()
            time.sleep(0.2)
        raise AssertionError(f"no log of {container}")

    def container(self, step: Step) -> str:
        """The container in which a step runs or ran."""
        _, answer = self.ask("GET", f"apps/{step.app}/appattempts")
        return answer["appAttempts"]["appAttempt"][-1]["containerId"]

    def check(self, step: Step, ended: tuple, diagnostics: str | None = None) -> None:
        """Fails unless a step ended so and said so."""
        app = self.wait(step)
        assert (app["state"], app["finalStatus"]) == ended, f"it is not {ended}: {told(app)}"
        assert diagnostics is None or app["diagnostics"] == diagnostics, f"{app['diagnostics']!r} is not {diagnostics!r}"


def told(app: dict) -> str:
    """How an application is."""
    return f"{app['id']} {app['state']} {app['finalStatus']} {app['diagnostics']!r}"


def encoded(text: str | bytes) -> bytes:
    """Bytes as they are, text in UTF-8."""
    return text if isinstance(text, bytes) else text.encode()


def packed(words) -> str:
    """Words as the launcher takes them."""
    return base64.b64encode(b"".join(encoded(word) + b"\0" for word in words)).decode()


def within(container: str) -> dict[int, str]:
    """The processes of a container: their ids and command lines."""
    found = {}
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and f"CONTAINER_ID={container}".encode() in (entry / "environ").read_bytes().split(b"\0"):
                found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue  # it ended meanwhile, or is not ours
    return found


def master(client: Client, app: str) -> int:
    """The process of the launcher of an application."""
    _, answer = client.ask("GET", f"apps/{app}/appattempts")
    found = within(answer["appAttempts"]["appAttempt"][-1]["containerId"])
    (master,) = [pid for pid, line in found.items() if line.split(" ")[0].endswith("/java") and line.endswith(" Launcher ")]
    return master


def wait_until(true, what: str) -> None:
    """Until `true()`."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < deadline, f"{what} took longer than {PATIENCE_SECONDS} s"
        time.sleep(0.1)


def send(
    method: str,
    url: str,
    body: bytes | None = None,
    kind: str = "application/octet-stream",
    accept: str = "application/json",
) -> tuple[int, bytes]:
    """One request; its status and answer, whatever the status."""
    headers = {"Accept": accept} | ({} if body is None else {"Content-Type": kind})
    request = urllib.request.Request(url, body, headers, method=method)
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as reply:
            return reply.status, reply.read()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read()
