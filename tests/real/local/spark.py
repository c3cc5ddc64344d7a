"""SPARK and SPARK_SQL steps with a real Spark, and one of each that fails."""

from local import parts
from ring import tools
from ring.lab import Lab, check_counts, counted
from ring.program import FAILED, OK, RUN_FAILED, SUCCEEDED

SCRIPT = """
import sys
from operator import add
from pyspark import SparkContext

spark = SparkContext()
words = spark.textFile(sys.argv[1]).flatMap(str.split).map(lambda word: (word, 1)).reduceByKey(add)
words.map(lambda pair: f"{pair[0]}\\t{pair[1]}").saveAsTextFile(sys.argv[2])
spark.stop()
sys.exit(3)
"""


def check(lab: Lab) -> None:
    cluster = parts.cluster(lab, tools={"spark": str(tools.spark())})
    jar = parts.spark_jar(lab)
    counts, frequent = lab.work / "counts", lab.work / "frequent"

    options = [word for name, value in parts.SPARK_PROPERTIES.items() for word in ("--conf", f"{name}={value}")]
    command = ["spark-submit", *options, "--class", "SparkWordCount", str(jar), str(lab.input)]
    script = lab.work / "count.py"
    script.write_text(SCRIPT, encoding="utf-8")
    steps = [
        parts.spark("count", jar, str(lab.input), str(counts)),
        parts.spark_sql("frequent", parts.frequent_words(lab, counts, frequent)),
        # As playbooks for EMR do it.
        {
            "id": "as-on-emr",
            "type": "CUSTOM_JAR",
            "jar": "command-runner.jar",
            "arguments": [*command, str(lab.work / "as-on-emr")],
        },
        # Its own exit code reaches the playbook's rules.
        {
            "id": "script",
            "type": "SPARK",
            "file": str(script),
            "properties": parts.SPARK_PROPERTIES,
            "arguments": [str(lab.input), str(lab.work / "script")],
            "onResult": {"continueJob": [3]},
        },
    ]
    run = lab.run(steps, cluster)
    run.check(OK, "succeeded", {step["id"]: SUCCEEDED for step in steps})
    check_counts(counts, counted())
    check_counts(lab.work / "as-on-emr", counted())
    check_counts(lab.work / "script", counted())
    assert run.exit_code("script") == 3
    check_counts(frequent, {word: 10 * n for word, n in counted().items() if n > 1})

    wrong = lab.work / "wrong.sql"
    wrong.write_text("SELECT nothing FROM nowhere;\n", encoding="utf-8")
    steps = [
        parts.spark("missing", jar, str(lab.work / "nowhere"), str(lab.work / "nothing"), actionOnFailure="CONTINUE"),
        parts.spark_sql("wrong", wrong),
        parts.spark("after", jar, str(lab.input), str(lab.work / "unreached")),
    ]
    run = lab.run(steps, cluster)
    run.check(RUN_FAILED, "failed", {"missing": FAILED, "wrong": FAILED}, skipped=("after",))
    assert run.exit_code("missing") == 1
    assert run.exit_code("wrong") == 1
    assert not (lab.work / "unreached").exists()
