"""The program's files and logs on a real fake-gcs-server, which is not ours: what is staged lies there byte for byte, and
what a driver writes there is shown while it runs and tells how it ended.

Dataproc itself is our fake. What fake-gcs-server does otherwise than Google's documents say, so none of it is shown here:
it takes no notice of `ifGenerationMatch` (an upload at once writes again over what is there, as does one in pieces) nor of
`fields` (all is told); asked how much of an upload is there (`content-range: bytes */N`) it ends the upload with what it
has, in place of 308; it answers 416 without a `content-range`, and hangs up behind it.
"""

import hashlib
import json
import os
import random
import subprocess
import time
import urllib.parse
import urllib.request

from ring import fake, google, processes, program
from ring.lab import RUN_LIMIT_SECONDS, Lab

BUCKET = "acme-staging"
STAGED = "dataflow-runner/staged/"
# More than goes up at once; in pieces the last of which is a short one.
LARGE = (9 << 20) + 17


def check(lab: Lab) -> None:
    with google.storage(lab) as storage:
        account = lab.work / "account.json"
        # The fake's seconds are seconds; `talk` runs until it is told that an hour has passed.
        options = {"second_ms": 1000, "end_seconds": 0, "step_seconds": 1, "fails": "talk:3600", "bucket_elsewhere": BUCKET}
        with fake.serving(lab.mark, "dataproc_fake", service_account=account, **options) as served:
            buckets = Buckets(storage)
            buckets.make(BUCKET)
            site = Site(lab, served, storage, account)
            talk_is_heard(site, buckets)
            before = buckets.list(STAGED)
            check_staged(site, buckets, before)
            is_staged_once(site, buckets, before)
            figures = served.figures()
    assert figures["violations"] == [] and figures["alive"] == 0, figures
    # All of it went to the other server.
    assert not any(name.startswith("objects.") for name in figures["calls"]), figures


class Buckets:
    """The server as an administrator sees it."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, method: str, path: str, body: bytes | None = None) -> bytes:
        request = urllib.request.Request(self.url + path, body, {"content-type": "application/json"}, method=method)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as reply:
            return reply.read()

    def make(self, bucket: str) -> None:
        self.ask("POST", "/storage/v1/b?project=fake-project", json.dumps({"name": bucket}).encode())

    def put(self, name: str, body: bytes) -> None:
        name = urllib.parse.quote(name, safe="")
        self.ask("POST", f"/upload/storage/v1/b/{BUCKET}/o?uploadType=media&name={name}", body)

    def list(self, prefix: str) -> dict:
        """The metadata of objects by their names."""
        told = json.loads(self.ask("GET", f"/storage/v1/b/{BUCKET}/o?prefix={urllib.parse.quote(prefix)}"))
        return {one["name"]: one for one in told.get("items", [])}

    def bytes(self, name: str) -> bytes:
        return self.ask("GET", f"/storage/v1/b/{BUCKET}/o/{urllib.parse.quote(name, safe='')}?alt=media")


class Site:
    """The program before both, with files beside its playbook."""

    def __init__(self, lab: Lab, served: fake.Fake, storage: str, account) -> None:
        self.lab, self.served = lab, served
        cluster = json.loads(served.clusters[2])
        cluster["data"] |= {
            "storageEndpoint": storage, "stagingBucket": BUCKET, "credentials": {"file": str(account)},
        }  # fmt: skip
        (lab.work / "cluster.json").write_text(json.dumps(cluster), encoding="utf-8")
        # The same bytes in every run of this.
        self.files = {
            "talk.sh": b"#!/bin/sh\nexit 7\n",
            "count words.py": "print('ü')\n".encode(),
            "large.jar": random.Random(7).randbytes(LARGE),
        }
        for name, content in self.files.items():
            (lab.work / name).write_bytes(content)

    def start(self, *arguments: str) -> subprocess.Popen:
        """Starts a command and leaves it running."""
        command = [program.binary(), *arguments, "--state-dir", self.lab.work / "state"]
        return subprocess.Popen(
            [str(word) for word in command],
            cwd=self.lab.work,
            env={
                "PATH": os.environ["PATH"], "HOME": str(self.lab.work), "DATAFLOW_RUNNER_POLL_INTERVAL": "0.1s",
                "DATAFLOW_RUNNER_SETTLE": "0.1s", processes.MARK: self.lab.mark,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )  # fmt: skip

    def transient(self, steps: list) -> subprocess.Popen:
        """`run-transient` of these steps."""
        book = program.playbook_file(steps, maxParallelSteps=3)
        (self.lab.work / "playbook.json").write_text(json.dumps(book), encoding="utf-8")
        return self.start("run-transient", "--config", "cluster.json", "--playbook", "playbook.json", "--output", "json")

    def finish(self, running: subprocess.Popen) -> program.Run:
        """Waits for the end of a run."""
        try:
            stdout, stderr = running.communicate(timeout=RUN_LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            running.kill()
            raise AssertionError(f"it hung: {running.communicate()}") from None
        return program.parse(running.returncode, stdout.decode(), stderr.decode())


def steps() -> list:
    """One of each way in which a step names files."""
    alone = {"dependsOn": []}
    return [
        {"id": "jar", "type": "SPARK", "jar": "./large.jar", "mainClass": "Main", "files": ["./talk.sh"], **alone},
        {"id": "python", "type": "SPARK", "file": "./count words.py", **alone},
    ]


def talk_is_heard(site: Site, buckets: Buckets) -> None:
    """What a driver writes is shown while it runs, however it is cut into objects; its last line is the exit code."""
    talk = {"id": "talk", "type": "COMMAND", "command": "./talk.sh", "actionOnFailure": "CONTINUE", "dependsOn": []}
    running = site.transient([talk, *steps()])
    begun = time.monotonic()
    first, second = "one\ntwo, übe".encode() + b"\xc3", b"\xbcr\nthree\n"
    follower = None
    try:
        place = output_of(site, running, begun)
        assert place.startswith(f"gs://{BUCKET}/google-cloud-dataproc-metainfo/"), place
        name = place.removeprefix(f"gs://{BUCKET}/")
        # Another's objects, beside.
        buckets.put(f"{name}x.000000000", b"not ours\n")
        follower = site.start("logs", "last", "talk", "--follow")
        buckets.put(f"{name}.000000000", first)
        heard = hear(follower, first)
        buckets.put(f"{name}.000000001", second)
        heard += hear(follower, second)
        # The one that is written to grows.
        last = b"dataflow-runner: exit code 7\n"
        buckets.put(f"{name}.000000001", second + last)
        heard += hear(follower, last)
        assert heard == first + second + last, heard
        assert running.poll() is None, "it ended before its time"
        site.served.figures("pass 3600")
        rest, said = follower.communicate(timeout=RUN_LIMIT_SECONDS)
        assert (rest, follower.returncode) == (b"", 0), (rest, said)
        run = site.finish(running)
    finally:
        for process in (running, follower):
            if process is not None and process.poll() is None:
                process.kill()
                process.communicate()
    run.check(program.RUN_FAILED, "failed", {"talk": program.FAILED, "jar": program.SUCCEEDED, "python": program.SUCCEEDED})
    assert run.exit_code("talk") == 7, run.events
    shown = site.start("logs", "last", "talk").communicate(timeout=RUN_LIMIT_SECONDS)
    assert first + second + last in shown[0], shown


def output_of(site: Site, running: subprocess.Popen, begun: float) -> str:
    """Where the driver of `talk` writes, once it runs."""
    while True:
        told = [job for job in site.served.figures()["outputs"] if "-talk-" in job]
        if told:
            return told[0]
        assert running.poll() is None, running.communicate()
        assert time.monotonic() < begun + RUN_LIMIT_SECONDS, "it was never submitted"
        time.sleep(0.05)


def hear(follower: subprocess.Popen, expected: bytes) -> bytes:
    """The next bytes that are shown; fails where there are none."""
    heard = b""
    while len(heard) < len(expected):
        more = os.read(follower.stdout.fileno(), len(expected) - len(heard))
        assert more, (heard, follower.communicate())
        heard += more
    return heard


def check_staged(site: Site, buckets: Buckets, staged: dict) -> None:
    """All files lie there, under names that tell their content."""
    found = {name.rsplit("/", 1)[1]: name for name in staged}
    assert found.keys() == site.files.keys(), sorted(staged)
    for name, content in site.files.items():
        assert buckets.bytes(found[name]) == content, f"{name} is not as it was"
        assert hashlib.sha256(content).hexdigest().startswith(found[name].split("/")[-2]), found[name]
        assert int(staged[found[name]]["size"]) == len(content), staged[found[name]]


def is_staged_once(site: Site, buckets: Buckets, before: dict) -> None:
    """A second run of the same files finds them there; what has changed goes beside."""
    book = steps()
    site.finish(site.transient(book)).check(program.OK, "succeeded", {step["id"]: program.SUCCEEDED for step in book})
    after = buckets.list(STAGED)
    same = {name: (one["generation"], one["updated"]) for name, one in before.items()}
    assert same == {name: (one["generation"], one["updated"]) for name, one in after.items()}, (before, after)
    (site.lab.work / "count words.py").write_bytes(b"print(2)\n")
    site.finish(site.transient(book)).check(program.OK, "succeeded", {step["id"]: program.SUCCEEDED for step in book})
    fresh = buckets.list(STAGED).keys() - before.keys()
    assert [buckets.bytes(name) for name in fresh] == [b"print(2)\n"], fresh
