"""What a step started is ended with it: its launcher dies, or is killed by somebody, or the run is cancelled."""

import json
import os
import signal
import subprocess
import threading
from datetime import datetime
from pathlib import Path

from local import parts as local
from ring import on_yarn, processes
from ring.lab import RUN_LIMIT_SECONDS, TEXT, Lab
from ring.on_yarn import shell
from ring.program import CANCELLED, FAILED, OK, STEP_ENDED
from ring.yarn import Cluster
from yarn.parts import Client, master, wait_until

CONTINUE = {"actionOnFailure": "CONTINUE", "dependsOn": []}


def check(lab: Lab) -> None:
    on_yarn.install()
    with Cluster(lab) as cluster:
        client = Client(cluster)
        client.make("/user/alice/in", "755")
        for name, text in TEXT.items():
            client.put(f"/user/alice/in/{name}", text.encode())
        site = on_yarn.Site(lab, cluster)
        launchers(site, client)


def launchers(site: on_yarn.Site, client: Client) -> None:
    """Launchers that die with what they started still at work, by their node's doing or somebody else's; then a run that is cancelled."""
    lab = site.lab
    began = {name: lab.work / f"{name}-began" for name in ("mapreduce", "spark", "plain", "last")}
    spark = site.beside(local.spark_jar(lab))
    running = site.start("run", *site.write([
        mapreduce("mapreduce", began["mapreduce"]),
        on_yarn.spark("spark", spark, "hdfs:///user/alice/in", "hdfs:///user/alice/spark", str(began["spark"]), mode="cluster", **CONTINUE),
        shell("plain", f"touch '{began['plain']}'; sleep 600; echo", **CONTINUE),
        mapreduce("last", began["last"]),
        shell("after", "true", dependsOn=["last"]),
    ]), "--output", "json")  # fmt: skip
    for file in began.values():
        lab.wait_for(file, running)
    apps = client.alive()
    assert sorted(app["applicationType"] for app in apps) == ["MAPREDUCE", "MAPREDUCE", "SPARK", *["dataflow-runner"] * 4], apps
    ours = {app["name"]: app for app in apps if app["applicationType"] == "dataflow-runner"}
    for step in ("mapreduce", "plain"):
        os.kill(master(client, ours[step]["id"]), signal.SIGKILL)
    code, answer = Client(client.cluster, user="bob").ask("PUT", f"apps/{ours['spark']['id']}/state", {"state": "KILLED"})
    assert code in (200, 202), (code, answer)

    ended = ends(running, 3)
    states = {step: event["state"] for step, event in ended.items()}
    assert states == {"mapreduce": FAILED, "plain": FAILED, "spark": CANCELLED}, ended
    for step in ("mapreduce", "plain"):
        assert "exitCode: 137" in ended[step]["reason"], ended[step]
    assert "was killed by user bob" in ended["spark"]["reason"], ended["spark"]
    for step in ("mapreduce", "spark"):
        child = child_of(client, ours[step])
        assert (child["state"], child["finalStatus"]) == ("KILLED", "KILLED"), child
        told = datetime.fromisoformat(ended[step]["at"]).timestamp() * 1000
        assert child["finishedTime"] <= told, f"{step} was said to have ended before {child}"
    left = [app["id"] for app in client.alive()]
    assert sorted(left) == sorted([ours["last"]["id"], child_of(client, ours["last"])["id"]]), left
    cancelled(site, client, running, ours["last"])


def cancelled(site: on_yarn.Site, client: Client, running: subprocess.Popen, step: dict) -> None:
    """The program is killed, and another one is told to cancel the run."""
    running.kill()
    running.communicate()
    code, stdout, stderr = site.say("cancel", "last")
    assert code == OK, (code, stdout, stderr)
    assert not client.alive(), client.alive()
    assert child_of(client, step)["state"] == "KILLED", child_of(client, step)
    shown = site.say("status", "last")[1]
    for line in ("CANCELLED  last", "SKIPPED    after", "FAILED     mapreduce", "was killed by user alice"):
        assert line in shown, (line, shown)
    nothing_runs(site.lab)


def ends(running: subprocess.Popen, count: int) -> dict[str, dict]:
    """The ends of so many steps, by step, as soon as they are told."""
    found: dict[str, dict] = {}
    # It ends the reading, too.
    limit = threading.Timer(RUN_LIMIT_SECONDS, running.kill)
    limit.start()
    try:
        while len(found) < count and (line := running.stdout.readline()):
            event = json.loads(line)
            if event["event"] == STEP_ENDED:
                found[event["step"]] = event
    finally:
        limit.cancel()
    return found


def mapreduce(step: str, began: Path) -> dict:
    """A STREAMING step whose mapper stays for ten minutes."""
    return {
        "id": step,
        "type": "STREAMING",
        "mapper": f"sh -c 'touch {began}; sleep 600'",
        "source": "hdfs:///user/alice/in/hamlet.txt",
        "destination": f"hdfs:///user/alice/{began.name}",
        "properties": {"mapreduce.job.maps": "1"},
        **CONTINUE,
    }


def child_of(client: Client, launcher: dict) -> dict:
    """What a launcher's program submitted: that bears the tag of the launcher's attempt."""
    (attempt,) = [tag for tag in launcher["applicationTags"].split(",") if tag.startswith("attempt-")]
    (child,) = [app for app in client.tagged(attempt) if app["id"] != launcher["id"]]
    return child


def nothing_runs(lab: Lab) -> None:
    """No process of a container is left."""

    def left() -> dict:
        return {pid: line for pid, line in processes.marked(lab.mark).items() if is_contained(pid)}

    try:
        wait_until(lambda: not left(), "the end of the containers' processes")
    except AssertionError:
        raise AssertionError(f"these are left: {left()}") from None


def is_contained(pid: int) -> bool:
    try:
        return b"\0CONTAINER_ID=" in b"\0" + open(f"/proc/{pid}/environ", "rb").read()
    except OSError:
        return False
