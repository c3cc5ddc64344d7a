"""A step while the ResourceManager dies and comes again: it goes on where its application is remembered."""

from ring.lab import Lab
from ring.yarn import Cluster
from yarn.parts import FAILED, SUCCEEDED, Client, Step, wait_until, within

# Goes on when the file is there that its argument names.
STAY = 'echo began; until [ -e "$0" ]; do sleep 0.2; done; echo ended; exit ${1:-0}'

# A client gives up soon, so that it is the launcher that does not; the NodeManager waits as always.
HASTE = {
    "core-site": {"ipc.client.connect.max.retries": "1"},
    "yarn-site": {
        "yarn.resourcemanager.connect.max-wait.ms": "1000",
        "yarn.nodemanager.resourcemanager.connect.max-wait.ms": "900000",
    },
}

# What the ResourceManager puts before what the launcher says.
RECOVERED = "Attempt recovered after RM restart"


def check(lab: Lab) -> None:
    with Cluster(lab, settings=HASTE) as cluster:
        client = Client(cluster)
        during, after = (lab.work / name for name in ("during", "after"))
        absent = client.submit(["sh", "-c", STAY, str(during), "7"])
        present = client.submit(["sh", "-c", STAY, str(after)])
        for step in (absent, present):
            runs(client, step)

        # One ends while nobody hears it, the other runs for some heartbeats more.
        cluster.stop("rm", kill=True)
        during.touch()
        says(cluster, absent, "its end could not be told")
        says(cluster, present, "a heartbeat failed")
        cluster.start("rm")
        client.check(absent, FAILED, f"{RECOVERED}\nexit code 7")
        assert client.stdout(absent) == b"began\nended\n"
        wait_until(lambda: client.app(present)["state"] == "RUNNING", "its first heartbeat")
        after.touch()
        client.check(present, SUCCEEDED, RECOVERED)
        assert client.stdout(present) == b"began\nended\n"
        assert client.container(present) == container_of(present), "it was started again"

        forgotten(lab, client)


def runs(client: Client, step: Step) -> None:
    """Until its program runs."""
    client.wait(step, ("RUNNING",))
    container = client.container(step)
    wait_until(lambda: any(line.startswith("sh -c") for line in within(container).values()), "the program")


def says(cluster: Cluster, step: Step, words: str) -> None:
    """Until its launcher says so; its log is looked at where it is, while nobody can be asked for it."""
    log = cluster.folder / "nm-logs" / step.app / container_of(step) / "launcher.log"
    wait_until(lambda: words in log.read_text(encoding="utf-8"), f"`{words}`")


def container_of(step: Step) -> str:
    """Its container, where nobody can be asked: the first of the first attempt."""
    return step.app.replace("application", "container") + "_01_000001"


def forgotten(lab: Lab, client: Client) -> None:
    """Without recovery nobody knows the step any more, and it is ended."""
    step = client.submit(["sh", "-c", STAY, str(lab.work / "never")])
    runs(client, step)
    container = client.container(step)
    client.cluster.restart_rm(recovery=False)
    code, _ = client.ask("GET", f"apps/{step.app}")
    assert code == 404, code
    wait_until(lambda: not within(container), "the end of a step that nobody knows")
