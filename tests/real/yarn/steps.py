"""The program on a real YARN: steps of each type, how they fail, and where their logs are."""

import json
from datetime import UTC, datetime, timedelta

from local import parts as local
from ring import on_yarn, tools
from ring.lab import TEXT, Lab, counted
from ring.on_yarn import shell
from ring.program import FAILED, INVALID, OK, RUN_FAILED, STEP_ENDED, SUCCEEDED
from ring.yarn import Cluster
from yarn.parts import Client

CONTINUE = {"actionOnFailure": "CONTINUE"}

# The reducer of a STREAMING step: what it reads is sorted.
COUNT = """
import itertools, sys
for word, same in itertools.groupby(line.split("\\t")[0].strip() for line in sys.stdin):
    print(word, sum(1 for _ in same), sep="\\t")
"""


PIG = """
lines = LOAD '/user/alice/copy' AS (line:chararray);
words = FOREACH lines GENERATE FLATTEN(TOKENIZE(line, ' ')) AS word;
counts = FOREACH (GROUP words BY word) GENERATE group, COUNT(words) AS n;
STORE (FILTER counts BY n >= 2) INTO '/user/alice/pig';
"""


def check(lab: Lab) -> None:
    on_yarn.install()
    with Cluster(lab) as cluster:
        client = Client(cluster)
        client.make("/user/alice/in", "755")
        for name, text in TEXT.items():
            client.put(f"/user/alice/in/{name}", text.encode())
        site = on_yarn.Site(lab, cluster)
        commands(site)
        works(site, client)
        moves(site, client)
        fails(site)
        never_up(site)
        late(site, client)


def commands(site: on_yarn.Site) -> None:
    """Ends, exit codes and logs of plain commands."""
    script = site.folder / "script.sh"
    script.write_text('#!/bin/sh\necho "script: $1"\n', encoding="utf-8")
    script.chmod(0o755)
    run = site.run(
        [
            shell("ok", "echo out; echo err >&2", dependsOn=[]),
            {"id": "script", "type": "COMMAND", "command": "./script.sh", "arguments": ["a b $x \" ' ü"], "dependsOn": []},
            shell("seven", "echo bad >&2; exit 7", dependsOn=[], **CONTINUE),
            shell("nothing-to-do", "exit 3", dependsOn=[], onResult={"continueJob": [0, 3]}),
            shell("slow", "sleep 600", dependsOn=[], timeoutSeconds=5, **CONTINUE),
        ]
    )
    ends = {"ok": SUCCEEDED, "script": SUCCEEDED, "seven": FAILED, "nothing-to-do": SUCCEEDED, "slow": FAILED}
    run.check(RUN_FAILED, "failed", ends)
    shown(site, "slow", "it took longer than its limit of 5 s")
    shown(site, "seven", "exit code 7")
    assert (run.exit_code("seven"), run.exit_code("nothing-to-do")) == (7, 3), run.events
    for step, file, expected in (("ok", "stdout", "out\n"), ("ok", "stderr", "err\n"), ("script", "stdout", "script: a b $x \" ' ü\n")):
        code, stdout, stderr = site.say("logs", "last", step)
        assert code == OK and expected in stdout + stderr, (step, file, stdout, stderr)
    for arguments in (["up"], ["run-transient"], ["down", "--cluster", "ring"]):
        files = site.write([shell("x", "true")])
        code, _, stderr = site.say(*arguments, *(files if arguments == ["run-transient"] else files[:2]))
        assert code == INVALID and "no-clusters" in stderr, (arguments, code, stderr)


def works(site: on_yarn.Site, client: Client) -> None:
    """Hadoop, Spark in both modes, Flink: a graph of them, with the right counts."""
    spark, flink = site.beside(local.spark_jar(site.lab)), site.beside(local.flink_jar(site.lab))
    examples = site.beside(tools.hadoop_examples())
    source = "hdfs:///user/alice/in"
    steps = [
        shell("begin", "true"),
        on_yarn.spark("client", spark, source, "hdfs:///user/alice/client", dependsOn=["begin"]),
        {"id": "hadoop", "type": "CUSTOM_JAR", "jar": examples, "arguments": ["wordcount", source, "hdfs:///user/alice/mr"], "dependsOn": ["begin"]},
        on_yarn.spark("cluster", spark, source, "hdfs:///user/alice/cluster", mode="cluster", dependsOn=["client"]),
        on_yarn.flink("flink", flink, source, "hdfs:///user/alice/flink", dependsOn=["hadoop"]),
        shell("end", "true", dependsOn=["client", "cluster", "hadoop", "flink"]),
    ]
    run = site.run(steps, maxParallelSteps=2)
    run.check(OK, "succeeded", {step["id"]: SUCCEEDED for step in steps})
    for folder in ("client", "mr", "cluster", "flink"):
        found = counts(client, f"/user/alice/{folder}")
        assert found == {word: str(n) for word, n in counted().items()}, (folder, found)


def moves(site: on_yarn.Site, client: Client) -> None:
    """COPY, STREAMING and PIG, of what lies in HDFS and of what lies beside the playbook; each also failing."""
    (site.folder / "split.sh").write_text("#!/bin/sh\nexec tr -s ' ' '\\n'\n", encoding="utf-8")
    (site.folder / "count.py").write_text(COUNT, encoding="utf-8")
    (site.folder / "extra.txt").write_text("to the question\n", encoding="utf-8")
    (site.folder / "count.pig").write_text(PIG, encoding="utf-8")
    once = {"mapreduce.job.maps": "1", "mapreduce.map.maxattempts": "1"}
    # All of it in the application master: as good here, and twice as fast.
    small = {"mapreduce.job.ubertask.enable": "true"}
    streaming = {"type": "STREAMING", "properties": once}
    steps = [
        {"type": "COPY", "id": "copy", "source": "hdfs:///user/alice/in", "destination": "hdfs:///user/alice/copy", "dependsOn": []},
        {"type": "COPY", "id": "beside", "source": "./extra.txt", "destination": "hdfs:///user/alice/copy/extra.txt", "dependsOn": ["copy"]},
        {
            **streaming,
            "id": "streaming",
            "mapper": "./split.sh",
            "reducer": "python3 count.py",
            "files": ["./count.py"],
            "source": "hdfs:///user/alice/copy",
            "destination": "hdfs:///user/alice/streaming",
            "dependsOn": ["beside"],
        },
        {"id": "pig", "type": "PIG", "file": "./count.pig", "properties": small, "dependsOn": ["beside"]},
        {"type": "COPY", "id": "no-copy", "source": "hdfs:///user/alice/nowhere", "destination": "hdfs:///user/alice/no", "dependsOn": [], **CONTINUE},
        {**streaming, "id": "no-streaming", "mapper": "sh -c 'exit 3'", "source": "hdfs:///user/alice/in/hamlet.txt", "destination": "hdfs:///user/alice/no", "dependsOn": [], "properties": once | small, **CONTINUE},
    ]  # fmt: skip
    run = site.run(steps, maxParallelSteps=2)
    good = dict.fromkeys(("copy", "beside", "streaming", "pig"), SUCCEEDED)
    run.check(RUN_FAILED, "failed", good | dict.fromkeys(("no-copy", "no-streaming"), FAILED))
    texts = TEXT | {"extra.txt": "to the question\n"}
    for name, text in texts.items():
        assert client.read(f"/user/alice/copy/{name}") == text.encode(), name
    found = counts(client, "/user/alice/streaming")
    assert found == {word: str(n) for word, n in counted(texts).items()}, found
    found = counts(client, "/user/alice/pig")
    assert found == {word: str(n) for word, n in counted(texts).items() if n >= 2}, found
    reasons = {event["step"]: event.get("reason", "") for event in run.events if event["event"] == STEP_ENDED}
    assert run.exit_code("no-copy") not in (0, None) and "nowhere doesn't exist" in reasons["no-copy"], reasons
    assert run.exit_code("no-streaming") == 1 and "application `application_" in reasons["no-streaming"], reasons


def fails(site: on_yarn.Site) -> None:
    """Programs whose work fails, each with the reason that its own application gives."""
    spark, flink = site.beside(local.spark_jar(site.lab)), site.beside(local.flink_jar(site.lab))
    examples = site.beside(tools.hadoop_examples())
    nowhere = "hdfs:///user/alice/nowhere"
    steps = [
        {"id": "hadoop", "type": "CUSTOM_JAR", "jar": examples, "arguments": ["wordcount", "in", "mr"], "dependsOn": [], **CONTINUE},
        on_yarn.spark("cluster", spark, nowhere, "hdfs:///user/alice/no", mode="cluster", dependsOn=[], **CONTINUE),
        on_yarn.flink("flink", flink, nowhere, "hdfs:///user/alice/no", dependsOn=["cluster"], **CONTINUE),
    ]
    run = site.run(steps, maxParallelSteps=2)
    run.check(RUN_FAILED, "failed", {step["id"]: FAILED for step in steps})
    reasons = {event["step"]: event.get("reason", "") for event in run.events if event["event"] == "step-ended"}
    assert run.exit_code("hadoop") == 255 and "already exists" in reasons["hadoop"], reasons["hadoop"]
    assert "application `application_" in reasons["cluster"], reasons["cluster"]


def never_up(site: on_yarn.Site) -> None:
    """More memory than the container has; a queue that is not there: YARN's words, and what they mean."""
    eat = "python3 -c 'x = b\"a\" * 700_000_000; import time; time.sleep(60)'"
    run = site.run([shell("memory", eat)])
    run.check(RUN_FAILED, "failed", {"memory": FAILED})
    shown(site, "memory", "it took more memory than its container has: raise `memoryMb`", "exitCode: -104")
    site.data["queue"] = "nope"
    run = site.run([shell("queue", "true")])
    site.data["queue"] = "default"
    run.check(RUN_FAILED, "failed", {"queue": FAILED})
    shown(site, "queue", "there is no such queue: give another as `queue`", "to unknown queue: nope")


def late(site: on_yarn.Site, client: Client) -> None:
    """A step with a time limit is given one by YARN as well, which ends it when nobody else does."""
    began = site.lab.work / "late-began"
    limit = shell("late", f"touch '{began}'; sleep 600", timeoutSeconds=500)
    running = site.start("run", *site.write([limit]), "--output", "json")
    site.lab.wait_for(began, running)
    running.kill()
    running.communicate()
    (app,) = client.alive()
    code, answer = client.ask("GET", f"apps/{app['id']}/timeouts")
    (given,) = answer["timeouts"]["timeout"]
    assert (code, given["type"]) == (200, "LIFETIME") and 500 < int(given["remainingTimeInSeconds"]) <= 620, answer
    soon = (datetime.now(UTC) + timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    code, answer = client.ask("PUT", f"apps/{app['id']}/timeout", {"timeout": {"type": "LIFETIME", "expiryTime": soon}})
    assert code == 200, answer
    run = site.lab.finish(site.start("attach", "last", "--output", "json"))
    assert (run.code, run.ends()) == (RUN_FAILED, {"late": FAILED}), run
    shown(site, "late", "it took longer than it may", "exceeded the lifetime period")


def shown(site: on_yarn.Site, step: str, *words: str) -> None:
    """Fails unless `status` tells a person these words of a step of the last run."""
    code, stdout, stderr = site.say("status", "last")
    (line,) = [line for line in stdout.splitlines() if f" {step} [" in line]
    missing = [some for some in words if some not in line]
    assert code == OK and "FAILED" in line and not missing, (missing, stdout, stderr)


def counts(client: Client, folder: str) -> dict:
    """`word TAB count` in the visible files of a folder, and of those below it."""
    found = {}
    for file in listed(client, folder):
        name, path = file["pathSuffix"], f"{folder}/{file['pathSuffix']}"
        if name.startswith(("_", ".")):
            continue
        if file["type"] == "DIRECTORY":
            found |= counts(client, path)
        else:
            found |= dict(line.split("\t") for line in client.read(path).decode().splitlines())
    return found


def listed(client: Client, folder: str) -> list[dict]:
    """What is in a folder."""
    code, body = client.dfs("GET", folder, "LISTSTATUS")
    assert code == 200, (folder, code, body)
    return json.loads(body)["FileStatuses"]["FileStatus"]
