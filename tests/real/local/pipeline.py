"""One playbook over all tools: a DAG, written with the URIs of a cloud, on folders of this machine."""

import shutil

from local import parts
from ring import tools
from ring.lab import TEXT, Lab, check_counts, counted
from ring.program import OK, SUCCEEDED


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
        {"id": "stage", "type": "COPY", "source": "s3://ring-bucket/raw", "destination": words, "pattern": "*.txt"},
        parts.hadoop("hadoop", parts.hadoop_jar(lab), words, "s3://ring-bucket/by-hadoop", lab, dependsOn=["stage"]),
        parts.spark("spark", parts.spark_jar(lab), words, "s3://ring-bucket/by-spark", dependsOn=["stage"]),
        parts.flink("flink", parts.flink_jar(lab), words, "s3://ring-bucket/by-flink", lab, dependsOn=["stage"]),
        parts.spark_sql(
            "sql", parts.frequent_words(lab, by_spark, bucket / "frequent"), dependsOn=["hadoop", "spark", "flink"]
        ),
    ]
    run = lab.run(steps, cluster, maxParallelSteps=2)
    run.check(OK, "succeeded", {step["id"]: SUCCEEDED for step in steps})
    assert {path.name for path in (cluster_files / "words").iterdir()} == TEXT.keys()
    for folder in ("by-hadoop", "by-spark", "by-flink"):
        check_counts(bucket / folder, counted())
    check_counts(bucket / "frequent", {word: 10 * n for word, n in counted().items() if n > 1})
