"""Runs on a real YARN that are left, found again and taken over; and one playbook that runs unchanged here and there."""

import json
import time

from local import parts as local
from ring import on_yarn, tools
from ring.lab import RUN_LIMIT_SECONDS, TEXT, Lab, counted
from ring.on_yarn import shell
from ring.program import OK, SUCCEEDED
from ring.yarn import Cluster
from yarn.parts import Client
from yarn.steps import counts

# The exit code of a run in doubt (docs/output.md).
IN_DOUBT = 5
SOURCE, SPARK, HADOOP = (f"hdfs:///user/alice/{name}" for name in ("in", "spark", "hadoop"))


def check(lab: Lab) -> None:
    on_yarn.install()
    with Cluster(lab) as cluster:
        client = Client(cluster)
        client.make("/user/alice/in", "755")
        for name, text in TEXT.items():
            client.put(f"/user/alice/in/{name}", text.encode())
        site = on_yarn.Site(lab, cluster)
        unchanged(lab, site, client)
        taken_over(site)
        restarted(site)
        forgotten(site)


def unchanged(lab: Lab, site: on_yarn.Site, client: Client) -> None:
    """One playbook, on YARN and on this machine: the same ends in the same order of each step, and the same counts."""
    spark, examples = site.beside(local.spark_jar(lab)), site.beside(tools.hadoop_examples())
    steps = [
        shell("begin", "true"),
        on_yarn.spark("spark", spark, SOURCE, SPARK, dependsOn=["begin"]),
        {"id": "hadoop", "type": "CUSTOM_JAR", "jar": examples, "arguments": ["wordcount", SOURCE, HADOOP], "dependsOn": ["begin"]},
        shell("end", "true", dependsOn=["spark", "hadoop"]),
    ]
    there = site.run(steps)
    there.check(OK, "succeeded", {step["id"]: SUCCEEDED for step in steps})
    hdfs = lab.work / "hdfs"
    (hdfs / "user" / "alice").mkdir(parents=True)
    (hdfs / "user" / "alice" / "in").symlink_to(lab.input)
    machine = local.cluster(lab, tools={"spark": str(tools.spark()), "hadoop": str(tools.hadoop())})
    machine["roots"] = {"hdfs:///": str(hdfs)}
    for file in site.folder.glob("*.jar"):
        (lab.work / file.name).write_bytes(file.read_bytes())
    here = lab.run(steps, machine)
    here.check(OK, "succeeded", {step["id"]: SUCCEEDED for step in steps})
    for step in steps:
        assert told(here, step["id"]) == told(there, step["id"]), (step["id"], here.events, there.events)
    expected = {word: str(n) for word, n in counted().items()}
    for folder in ("spark", "hadoop"):
        assert counts(client, f"/user/alice/{folder}") == expected, folder
        files = [path for path in (hdfs / "user" / "alice" / folder).iterdir() if path.name.startswith("part-")]
        lines = [line for path in files for line in path.read_text(encoding="utf-8").splitlines()]
        assert dict(line.split("\t") for line in lines) == expected, folder


def told(run, step: str) -> list:
    """What became of a step, but whether anybody saw it run."""
    own = [event for event in run.events if event.get("step") == step and event["event"] != "step-changed"]
    return [(event["event"], event.get("attempt"), event.get("state"), event.get("exitCode")) for event in own]


def taken_over(site: on_yarn.Site) -> None:
    """The program is killed while a step runs; another one brings the run to its end, and no step ran twice."""
    gate = site.lab.work / "gate"
    count = site.lab.work / "count"
    wait = f"echo x >> '{count}'; while [ ! -e '{gate}' ]; do sleep 0.2; done"
    running = site.start("run", *site.write([shell("wait", wait), shell("after", "true")]), "--output", "json")
    site.lab.wait_for(count, running)
    running.kill()
    running.communicate()
    attached = site.start("attach", "last", "--output", "json")
    gate.touch()
    run = site.lab.finish(attached)
    assert run.code == OK and run.ends() == {"wait": SUCCEEDED, "after": SUCCEEDED}, run
    assert count.read_text(encoding="utf-8") == "x\n", "it ran twice"


def restarted(site: on_yarn.Site) -> None:
    """A ResourceManager that remembers is restarted while a step runs."""
    gate, began = site.lab.work / "gate-2", site.lab.work / "began-2"
    wait = f"touch '{began}'; while [ ! -e '{gate}' ]; do sleep 0.2; done"
    running = site.start("run", *site.write([shell("wait", wait), shell("after", "true")]), "--output", "json")
    site.lab.wait_for(began, running)
    site.cluster.restart_rm()
    gate.touch()
    run = site.lab.finish(running)
    assert run.code == OK and run.ends() == {"wait": SUCCEEDED, "after": SUCCEEDED}, run


def forgotten(site: on_yarn.Site) -> None:
    """A ResourceManager without memory is restarted while a step runs: nobody says that it failed, or runs it again."""
    began = site.lab.work / "began-3"
    steps = [shell("wait", f"echo x >> '{began}'; sleep 600", retries={"maxAttempts": 3}), shell("after", "true")]
    running = site.start("run", *site.write(steps), "--output", "json", "--lost-contact-after", "20s")
    site.lab.wait_for(began, running)
    site.cluster.restart_rm(recovery=False)
    deadline = time.monotonic() + RUN_LIMIT_SECONDS
    stdout, stderr = running.communicate(timeout=deadline - time.monotonic())
    last = json.loads(stdout.splitlines()[-1])
    assert running.returncode == IN_DOUBT, (running.returncode, stdout, stderr)
    assert last["outcome"]["kind"] == "in-doubt", last
    assert began.read_text(encoding="utf-8") == "x\n", "it ran twice"
