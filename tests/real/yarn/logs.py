"""Where the output of a step is read: from its node while it runs, from where the launcher left it, else from the JobHistoryServer."""

import threading

from ring import on_yarn
from ring.lab import RUN_LIMIT_SECONDS, Lab
from ring.on_yarn import shell
from ring.program import CANCELLED, OK, SUCCEEDED
from ring.yarn import Cluster
from yarn.parts import Client, send, wait_until

# The exit codes where there are no logs, and where nobody could be asked for them (docs/logs.md).
NONE, REFUSED = 1, 4

# Where the launcher leaves them, below it by application.
LOGS = "/user/alice/.dataflow-runner/logs"


def check(lab: Lab) -> None:
    on_yarn.install()
    with Cluster(lab) as cluster:
        client = Client(cluster)
        site = on_yarn.Site(lab, cluster)
        # Who has no JobHistoryServer knows of the node and of what was saved only.
        history = site.data.pop("historyServer")
        app = live(site, client)
        saved(site, client, app)
        site.data["historyServer"] = history
        in_history(site, client)


def live(site: on_yarn.Site, client: Client) -> str:
    """Lines are there before the step ends, while nothing is saved yet; its application."""
    gate, began = site.lab.work / "gate", site.lab.work / "began"
    script = f"echo begins; echo aside >&2; touch '{began}'; until [ -e '{gate}' ]; do sleep 0.2; done; echo ends"
    running = site.start("run", *site.write([shell("talks", script)]), "--output", "json")
    site.lab.wait_for(began, running)
    (app,) = [app["id"] for app in client.alive()]
    follower = site.start("logs", "last", "talks", "--file", "stdout", "--follow")
    # It ends the reading, too.
    limit = threading.Timer(RUN_LIMIT_SECONDS, follower.kill)
    limit.start()
    try:
        assert follower.stdout.readline() == "begins\n", follower.communicate()
        assert client.status(f"{LOGS}/{app}") is None, "it was saved already"
        assert site.say("logs", "last", "talks", "--file", "stderr")[:2] == (OK, "aside\n")
        assert follower.poll() is None and running.poll() is None, "they did not wait for the end"
        gate.touch()
        stdout, stderr = follower.communicate()
    finally:
        limit.cancel()
    assert (follower.returncode, stdout) == (OK, "ends\n"), (follower.returncode, stdout, stderr)
    site.lab.finish(running).check(OK, "succeeded", {"talks": SUCCEEDED})
    return app


def saved(site: on_yarn.Site, client: Client, app: str) -> None:
    """Once the node has it no more, it is what the launcher left in HDFS: another text there is another log."""
    gone_from_node(client, app)
    says(site, "talks", "stdout", OK, "begins\nends\n")
    client.put(f"{LOGS}/{app}/stdout", b"changed\n")
    says(site, "talks", "stdout", OK, "changed\n")
    says(site, "talks", "stderr", OK, "aside\n")
    remove(client, app)
    says(site, "talks", "stdout", NONE, "")


def in_history(site: on_yarn.Site, client: Client) -> None:
    """Where nothing is saved any more, or never was, as of what is cancelled, the JobHistoryServer has it."""
    began = site.lab.work / "began-2"
    steps = [
        shell("ends", "echo well; echo aside >&2"),
        shell("stays", f"echo last words; touch '{began}'; sleep 600"),
    ]
    running = site.start("run", *site.write(steps), "--output", "json")
    site.lab.wait_for(began, running)
    (stays,) = [app["id"] for app in client.alive()]
    code, stdout, stderr = site.say("cancel", "last")
    assert code == OK, (code, stdout, stderr)
    run = site.lab.finish(running)
    assert run.ends() == {"ends": SUCCEEDED, "stays": CANCELLED}, run
    (ends,) = [event["ids"][0] for event in run.events if event["event"] == "submitted" and event["ids"] != [stays]]
    for app in (ends, stays):
        gone_from_node(client, app)
    assert client.status(f"{LOGS}/{stays}") is None, "it was saved"
    says(site, "stays", "stdout", OK, "last words\n")
    remove(client, ends)
    says(site, "ends", "stdout", OK, "well\n")
    says(site, "ends", "stderr", OK, "aside\n")
    client.cluster.stop("jhs")
    code, stdout, _ = site.say("logs", "last", "ends", "--file", "stdout")
    assert (code, stdout) == (REFUSED, ""), (code, stdout)


def says(site: on_yarn.Site, step: str, file: str, code: int, text: str) -> None:
    """Fails unless that is what `logs` of a step of the last run says."""
    found, stdout, stderr = site.say("logs", "last", step, "--file", file)
    assert (found, stdout) == (code, text), (found, stdout, stderr)


def remove(client: Client, app: str) -> None:
    """Takes away what the launcher saved."""
    code, body = client.dfs("DELETE", f"{LOGS}/{app}", "DELETE", recursive="true")
    assert (code, body) == (200, b'{"boolean":true}'), (code, body)


def gone_from_node(client: Client, app: str) -> None:
    """Until the node has handed the logs over: it shows them no more, and the JobHistoryServer does."""
    container = f"{app.replace('application', 'container')}_01_000001"

    def moved() -> bool:
        code, _ = send("GET", f"{client.cluster.nm}/ws/v1/node/containerlogs/{container}/stdout", accept="text/plain")
        status = client.ask("GET", f"apps/{app}")[1]["app"]["logAggregationStatus"]
        return code == 404 and status == "SUCCEEDED"

    wait_until(moved, "the aggregation of logs")
