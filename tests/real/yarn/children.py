"""What a program submits bears the step's tags: a real MapReduce, of a program that asks for tags or not."""

from pathlib import Path

from ring import tools
from ring.lab import TEXT, Lab, counted
from ring.yarn import Cluster
from yarn.parts import FAILED, SUCCEEDED, Client, Step

TAGS = ("dataflow-runner", "r-0123abcd", "r-0123abcd.2")
SOURCE = Path(__file__).resolve().parent / "java" / "ConfigurationWordCount.java"


def check(lab: Lab) -> None:
    # Tags that the nodes' own configuration gives to everything stay.
    with Cluster(lab, settings={"mapred-site": {"mapreduce.job.tags": "ours"}}) as cluster:
        client = Client(cluster)
        client.make("/user/alice/input")
        for name, text in TEXT.items():
            client.put(f"/user/alice/input/{name}", text.encode())
        examples = tools.hadoop_examples().read_bytes()
        plain = tools.jar(SOURCE, tools.yarn() / "lib", lab.work).read_bytes()

        counts(client, submit(client, {"count.jar": examples}, "wordcount", "input", "counts"), "counts")
        counts(client, submit(client, {"count.jar": plain}, "ConfigurationWordCount", "input", "plain"), "plain")

        there = submit(client, {"count.jar": examples}, "wordcount", "input", "counts")
        client.check(there, FAILED)
        assert client.app(there)["diagnostics"].startswith("\nexit code 255\n"), client.app(there)
        said = client.read(f"{there.logs}/stderr").decode()
        assert "FileAlreadyExistsException" in said, said


def submit(client: Client, files: dict[str, bytes], *arguments: str) -> Step:
    """A step of `hadoop jar`."""
    return client.submit(["hadoop", "jar", "count.jar", *arguments], files=files, tags=TAGS, memory=768)


def children(client: Client, step: Step) -> list[dict]:
    """The applications with the tags of the step, besides itself."""
    return [app for app in client.tagged(TAGS[-1]) if app["id"] != step.app]


def counts(client: Client, step: Step, folder: str) -> None:
    """The step counted the words in a MapReduce application that bears its tags."""
    known = {app["id"] for app in client.tagged(TAGS[-1])}
    client.check(step, SUCCEEDED, "")
    new = [app for app in children(client, step) if app["id"] not in known]
    assert len(new) == 1, f"these bear the tags: {new}"
    (child,) = new
    assert (child["applicationType"], child["finalStatus"]) == ("MAPREDUCE", "SUCCEEDED"), child
    assert set(child["applicationTags"].split(",")) == {*TAGS, "ours"}, child["applicationTags"]
    lines = client.read(f"/user/alice/{folder}/part-r-00000").decode().splitlines()
    assert dict(line.split("\t") for line in lines) == {word: str(n) for word, n in counted().items()}, lines
