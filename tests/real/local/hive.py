"""HIVE steps with a real Hive, one of which fails."""

from local import parts
from ring import tools
from ring.lab import Lab, check_counts, counted
from ring.program import FAILED, OK, RUN_FAILED, SUCCEEDED

COUNT = """
CREATE TABLE lines (line STRING);
LOAD DATA LOCAL INPATH '${hiveconf:ring.input}' INTO TABLE lines;
INSERT OVERWRITE LOCAL DIRECTORY '${hivevar:output}' ROW FORMAT DELIMITED FIELDS TERMINATED BY '\\t'
  SELECT word, count(*) AS n FROM lines LATERAL VIEW explode(split(trim(line), ' ')) words AS word GROUP BY word;
"""


def check(lab: Lab) -> None:
    cluster = parts.cluster(
        lab, roots={"s3://ring-bucket/": str(lab.work)}, tools={"hive": str(tools.hive()), "hadoop": str(tools.hadoop())}
    )
    (lab.work / "count.q").write_text(COUNT, encoding="utf-8")

    def hive(step: str, source: str, **more) -> dict:
        folders = {"hive.metastore.warehouse.dir": "warehouse", "hive.exec.scratchdir": "hive-scratch", "hadoop.tmp.dir": "scratch"}
        return {
            "id": step,
            "type": "HIVE",
            "file": "./count.q",
            "properties": {
                "ring.input": source,
                **{name: str(lab.work / f"{step}-{folder}") for name, folder in folders.items()},
            },
            "arguments": ["--hivevar", f"output=s3://ring-bucket/{step}"],
            **more,
        }

    run = lab.run([hive("count", "s3://ring-bucket/input")], cluster)
    run.check(OK, "succeeded", {"count": SUCCEEDED})
    check_counts(lab.work / "count", counted())

    run = lab.run([hive("missing", "s3://ring-bucket/nowhere"), hive("after", "s3://ring-bucket/input")], cluster)
    run.check(RUN_FAILED, "failed", {"missing": FAILED}, skipped=("after",))
    assert run.exit_code("missing") not in (0, None)
    assert not (lab.work / "after").exists()
