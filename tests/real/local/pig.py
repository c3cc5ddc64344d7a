"""PIG steps with a real Pig, one of which fails."""

from local import parts
from ring import tools
from ring.lab import Lab, check_counts, counted
from ring.program import FAILED, OK, RUN_FAILED, SUCCEEDED

COUNT = """
lines = LOAD '$input' AS (line:chararray);
words = FOREACH lines GENERATE FLATTEN(TOKENIZE(line, ' ')) AS word;
counts = FOREACH (GROUP words BY word) GENERATE group, COUNT(words) AS n;
STORE (FILTER counts BY n >= $least) INTO '$output';
"""


def check(lab: Lab) -> None:
    hadoop = tools.hadoop()
    cluster = parts.cluster(
        lab,
        roots={"s3://ring-bucket/": str(lab.work)},
        tools={"hadoop": str(hadoop), "pig": str(tools.pig())},
    )
    cluster["environment"]["HADOOP_CONF_DIR"] = str(hadoop / "etc" / "hadoop")
    (lab.work / "count.pig").write_text(COUNT, encoding="utf-8")

    def pig(step: str, source: str, **more) -> dict:
        words = {"input": source, "output": f"s3://ring-bucket/{step}", "least": "2"}
        return {
            "id": step,
            "type": "PIG",
            "file": "./count.pig",
            "properties": {"hadoop.tmp.dir": str(lab.work / "scratch"), "pig.logfile": str(lab.work)},
            "arguments": ["-x", "local", *(word for name, value in words.items() for word in ("-param", f"{name}={value}"))],
            **more,
        }

    run = lab.run([pig("frequent", "s3://ring-bucket/input")], cluster)
    run.check(OK, "succeeded", {"frequent": SUCCEEDED})
    check_counts(lab.work / "frequent", {word: n for word, n in counted().items() if n >= 2})

    run = lab.run([pig("missing", "s3://ring-bucket/nowhere"), pig("after", "s3://ring-bucket/input")], cluster)
    run.check(RUN_FAILED, "failed", {"missing": FAILED}, skipped=("after",))
    assert run.exit_code("missing") not in (0, None)
    assert not (lab.work / "after").exists()
