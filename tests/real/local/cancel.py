"""INT while a Spark application runs: the run ends as interrupted and leaves no process behind."""

import signal

from local import parts
from ring import processes, tools
from ring.lab import Lab, check_counts, counted
from ring.program import CANCELLED, INTERRUPTED


def check(lab: Lab) -> None:
    cluster = parts.cluster(lab, tools={"spark": str(tools.spark())})
    counts, started = lab.work / "counts", lab.work / "started"
    jar = parts.spark_jar(lab)
    steps = [
        parts.spark("long", jar, str(lab.input), str(counts), str(started)),
        parts.spark("after", jar, str(lab.input), str(lab.work / "unreached")),
    ]

    running = lab.start(steps, cluster)
    lab.wait_for(started, running)
    assert any("SparkWordCount" in line for line in processes.marked(lab.mark).values()), "Spark does not bear the mark"
    running.send_signal(signal.SIGINT)
    run = lab.finish(running)
    # What records a step's end may need a moment more to be gone itself; Spark would stay for ten minutes.
    left = processes.left_behind(lab.mark, within=2)

    run.check(INTERRUPTED, "interrupted", {"long": CANCELLED}, skipped=("after",))
    assert not left, f"the program ended before these: {left}"
    check_counts(counts, counted())
    assert not (lab.work / "unreached").exists()
