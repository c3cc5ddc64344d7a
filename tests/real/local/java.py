"""CUSTOM_JAR steps where there is no Hadoop: Java runs the jar, by a class to name or by its manifest."""

import shutil

from local import parts
from ring import Skip, tools
from ring.lab import Lab, check_counts, counted
from ring.program import FAILED, OK, RUN_FAILED, SUCCEEDED


def check(lab: Lab) -> None:
    tools.need("java")
    if shutil.which("hadoop"):
        raise Skip("there is a Hadoop on PATH")
    cluster = parts.cluster(lab)
    source = parts.JAVA / "PlainWordCount.java"

    def step(name: str, **more) -> dict:
        return {"id": name, "type": "CUSTOM_JAR", "arguments": [str(lab.input), str(lab.work / name)], **more}

    jar = str(tools.jar(source, lab.work, lab.work))
    named = step("named", jar=jar, mainClass="PlainWordCount", properties={"ring.least": "2"})
    runnable = str(tools.jar(source, lab.work, lab.work, main="PlainWordCount"))
    run = lab.run([named, step("runnable", jar=runnable)], cluster)
    run.check(OK, "succeeded", {"named": SUCCEEDED, "runnable": SUCCEEDED})
    check_counts(lab.work / "named", {word: n for word, n in counted().items() if n >= 2})
    check_counts(lab.work / "runnable", counted())

    # Its folder is there already.
    again = step("runnable", jar=runnable)
    run = lab.run([again, step("after", jar=runnable)], cluster)
    run.check(RUN_FAILED, "failed", {"runnable": FAILED}, skipped=("after",))
    assert run.exit_code("runnable") == 1
    assert not (lab.work / "after").exists()
