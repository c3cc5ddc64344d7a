"""Steps that several components run, and the clusters they run on."""

from pathlib import Path

from ring import tools
from ring.lab import Lab

JAVA = Path(__file__).resolve().parent / "java"

# One core, no port beyond this machine, no database for the catalogue.
SPARK_PROPERTIES = {
    "spark.master": "local[1]",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.ui.enabled": "false",
    "spark.sql.catalogImplementation": "in-memory",
}


def cluster(lab: Lab, **data) -> dict:
    """A cluster whose tools write below the lab and bind 127.0.0.1 only."""
    scratch = lab.work / "scratch"
    scratch.mkdir(exist_ok=True)
    return {
        "workFolder": str(lab.work / "clusters"),
        "environment": {
            "SPARK_LOCAL_IP": "127.0.0.1",
            "JAVA_TOOL_OPTIONS": f"-Djava.io.tmpdir={scratch}",
            "FLINK_LOG_DIR": str(lab.work / "flink-log"),
        },
        **data,
    }


def hadoop_jar(lab: Lab) -> Path:
    """A word count for Hadoop; its manifest names no main class."""
    return tools.jar(JAVA / "HadoopWordCount.java", tools.hadoop() / "lib", lab.work)


def hadoop(step: str, jar: Path, source: str, destination: str, lab: Lab, **more) -> dict:
    """A CUSTOM_JAR step that counts words."""
    properties = {"hadoop.tmp.dir": str(lab.work / "scratch"), **more.pop("properties", {})}
    return {
        "id": step,
        "type": "CUSTOM_JAR",
        "jar": str(jar),
        "mainClass": "HadoopWordCount",
        "properties": properties,
        "arguments": [source, destination],
        **more,
    }


def spark_jar(lab: Lab) -> Path:
    """A word count for Spark."""
    return tools.jar(JAVA / "SparkWordCount.java", tools.spark() / "jars", lab.work)


def spark(step: str, jar: Path, *arguments: str, **more) -> dict:
    """A SPARK step that counts words."""
    return {
        "id": step,
        "type": "SPARK",
        "jar": str(jar),
        "mainClass": "SparkWordCount",
        "properties": SPARK_PROPERTIES,
        "arguments": list(arguments),
        **more,
    }


def spark_sql(step: str, file: Path, **more) -> dict:
    """A SPARK_SQL step."""
    return {"id": step, "type": "SPARK_SQL", "file": str(file), "properties": SPARK_PROPERTIES, **more}


def frequent_words(lab: Lab, counts: Path, destination: Path) -> Path:
    """A file of SQL: of `word TAB count` lines in `counts`, those with more than one, ten times as many."""
    file = lab.work / "frequent.sql"
    file.write_text(
        f"CREATE TEMPORARY VIEW words (word STRING, n INT) USING csv OPTIONS (path '{counts.as_uri()}', sep '\\t');\n"
        f"INSERT OVERWRITE DIRECTORY '{destination.as_uri()}' USING csv OPTIONS (sep '\\t')\n"
        "  SELECT word, n * 10 FROM words WHERE n > 1;\n",
        encoding="utf-8",
    )
    return file


def flink_jar(lab: Lab) -> Path:
    """A word count for Flink."""
    return tools.jar(JAVA / "FlinkWordCount.java", tools.flink() / "lib", lab.work)


def flink(step: str, jar: Path, source: str, destination: str, lab: Lab, **more) -> dict:
    """A FLINK step that counts words, on a Flink inside of its own client."""
    return {
        "id": step,
        "type": "FLINK",
        "jar": str(jar),
        "mainClass": "FlinkWordCount",
        "properties": {
            "execution.target": "local",
            "parallelism.default": "1",
            "rest.bind-address": "127.0.0.1",
        },
        "arguments": [source, destination],
        **more,
    }
