"""FLINK steps with a real Flink, and one that fails."""

from local import parts
from ring import tools
from ring.lab import Lab, check_counts, counted
from ring.program import FAILED, OK, RUN_FAILED, SUCCEEDED


def check(lab: Lab) -> None:
    cluster = parts.cluster(lab, tools={"flink": str(tools.flink())})
    jar = parts.flink_jar(lab)

    run = lab.run([parts.flink("count", jar, str(lab.input), str(lab.work / "counts"), lab)], cluster)
    run.check(OK, "succeeded", {"count": SUCCEEDED})
    check_counts(lab.work / "counts", counted())

    steps = [
        parts.flink("missing", jar, str(lab.work / "nowhere"), str(lab.work / "nothing"), lab),
        parts.flink("after", jar, str(lab.input), str(lab.work / "unreached"), lab),
    ]
    run = lab.run(steps, cluster)
    run.check(RUN_FAILED, "failed", {"missing": FAILED}, skipped=("after",))
    assert run.exit_code("missing") == 1
    assert not (lab.work / "unreached").exists()
