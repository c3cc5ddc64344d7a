"""One playbook over all tools: a DAG, written with the URIs of a cloud, on folders of this machine."""

import gzip
import shutil

from local import parts
from ring import tools
from ring.lab import TEXT, Lab, check_counts, counted
from ring.program import OK, SUCCEEDED


def dist_cp(step: str, *arguments: str) -> dict:
    """A CUSTOM_JAR step as playbooks for EMR copy."""
    return {"id": step, "type": "CUSTOM_JAR", "jar": "command-runner.jar", "arguments": ["s3-dist-cp", *arguments]}


def check(lab: Lab) -> None:
    bucket, cluster_files = lab.work / "bucket", lab.work / "hdfs"
    shutil.copytree(lab.input, bucket / "raw")
    (bucket / "raw" / "notes.md").write_text("not a word of this\n", encoding="utf-8")
    cluster = parts.cluster(
        lab,
        slots=2,
        roots={"s3://ring-bucket/": str(bucket), "hdfs:///": str(cluster_files)},
        tools={"hadoop": str(tools.hadoop()), "spark": str(tools.spark()), "flink": str(tools.flink())},
    )
    words = "hdfs:///words"
    by_spark = bucket / "by-spark"
    steps = [
        dist_cp("stage", "--src", "s3://ring-bucket/raw/", "--dest", words, "--srcPattern", r"s3://ring-bucket/raw/.*\.txt"),
        parts.hadoop("hadoop", parts.hadoop_jar(lab), words, "s3://ring-bucket/by-hadoop", lab, dependsOn=["stage"]),
        parts.spark("spark", parts.spark_jar(lab), words, "s3://ring-bucket/by-spark", dependsOn=["stage"]),
        parts.flink("flink", parts.flink_jar(lab), words, "s3://ring-bucket/by-flink", lab, dependsOn=["stage"]),
        parts.spark_sql(
            "sql", parts.frequent_words(lab, by_spark, bucket / "frequent"), dependsOn=["hadoop", "spark", "flink"]
        ),
        {"id": "copy", "type": "COPY", "source": "s3://ring-bucket/frequent", "destination": "s3://ring-bucket/copy", "pattern": "part-*"},
        dist_cp(
            "archive", "--src=s3://ring-bucket/copy", "--dest=s3://ring-bucket/archive", "--groupBy=.*/(part)-[^/]*", "--outputCodec=gz",
            "--deleteOnSuccess",
        ),
    ]
    run = lab.run(steps, cluster, maxParallelSteps=2)
    run.check(OK, "succeeded", {step["id"]: SUCCEEDED for step in steps})
    assert {path.name for path in (cluster_files / "words").iterdir()} == TEXT.keys()
    for folder in ("by-hadoop", "by-spark", "by-flink"):
        check_counts(bucket / folder, counted())
    assert not list((bucket / "copy").iterdir())
    packed = (bucket / "archive" / "part.gz").read_bytes()
    frequent = sorted(path for path in (bucket / "frequent").glob("part-*"))
    assert gzip.decompress(packed) == b"".join(path.read_bytes() for path in frequent)
    check_counts(bucket / "frequent", {word: 10 * n for word, n in counted().items() if n > 1})
