"""CUSTOM_JAR steps with a real Hadoop: its own example, a jar with a class to name, and one that fails."""

from local import parts
from ring import tools
from ring.lab import Lab, check_counts, counted
from ring.program import FAILED, OK, RUN_FAILED, SUCCEEDED


def check(lab: Lab) -> None:
    cluster = parts.cluster(lab, tools={"hadoop": str(tools.hadoop())})
    jar = parts.hadoop_jar(lab)

    example = {
        "id": "example",
        "type": "CUSTOM_JAR",
        "jar": str(tools.hadoop_examples()),
        "arguments": [
            "wordcount",
            f"-Dhadoop.tmp.dir={lab.work / 'scratch'}",
            str(lab.input),
            str(lab.work / "all"),
        ],
    }
    named = parts.hadoop(
        "named-class", jar, str(lab.input), str(lab.work / "frequent"), lab, properties={"ring.least": "2"}
    )
    run = lab.run([example, named], cluster)
    run.check(OK, "succeeded", {"example": SUCCEEDED, "named-class": SUCCEEDED})
    check_counts(lab.work / "all", counted())
    check_counts(lab.work / "frequent", {word: n for word, n in counted().items() if n >= 2})

    missing = parts.hadoop("missing", jar, str(lab.work / "nowhere"), str(lab.work / "nothing"), lab)
    after = parts.hadoop("after", jar, str(lab.input), str(lab.work / "unreached"), lab)
    run = lab.run([missing, after], cluster)
    run.check(RUN_FAILED, "failed", {"missing": FAILED}, skipped=("after",))
    assert run.exit_code("missing") not in (0, None)
    assert not (lab.work / "unreached").exists()
