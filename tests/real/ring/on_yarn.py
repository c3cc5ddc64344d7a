"""The program under test on a real YARN: one playbook, one cluster file, any command."""

import json
import os
import shutil
import subprocess
from pathlib import Path

from . import processes, program, tools
from .lab import RUN_LIMIT_SECONDS, Lab
from .yarn import Cluster

# No Spark of ours is to be copied into HDFS for each application, and little memory is enough.
SPARK = {
    "spark.executor.instances": "1",
    "spark.executor.memory": "512m",
    "spark.driver.memory": "512m",
    "spark.ui.enabled": "false",
    "spark.sql.catalogImplementation": "in-memory",
}
FLINK = {
    "jobmanager.memory.process.size": "1024m",
    "taskmanager.memory.process.size": "1024m",
    "taskmanager.numberOfTaskSlots": "1",
    "parallelism.default": "1",
}


class Site:
    """The program's view of a cluster, with a state folder of its own."""

    def __init__(self, lab: Lab, cluster: Cluster, **more) -> None:
        self.lab, self.cluster = lab, cluster
        self.folder = lab.work / "site"
        self.folder.mkdir()
        self.data = {
            "name": "ring",
            "resourceManagers": [cluster.rm],
            "webHdfs": [cluster.webhdfs],
            "historyServer": cluster.history,
            "user": "alice",
            "memoryMb": 512,
            "environment": environment(lab),
            **more,
        }

    def write(self, steps: list, **playbook) -> list[str]:
        """Writes both files; the arguments that name them."""
        config, book = self.folder / "cluster.json", self.folder / "playbook.json"
        file = {"schema": f"{program.SCHEMAS}/YarnClusterConfig/avro/1-0-0", "data": self.data}
        config.write_text(json.dumps(file, indent=2), encoding="utf-8")
        book.write_text(json.dumps(program.playbook_file(steps, **playbook), indent=2), encoding="utf-8")
        return ["--config", str(config), "--playbook", str(book)]

    def start(self, *arguments: str) -> subprocess.Popen:
        """A command of the program, left running."""
        environment = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        return subprocess.Popen(
            [program.binary(), *arguments, "--state-dir", str(self.lab.work / "state")],
            cwd=self.folder,
            env=environment | {"HOME": str(self.lab.work), processes.MARK: self.lab.mark},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, steps: list, **playbook) -> program.Run:
        """`run` of these steps, to its end."""
        return self.lab.finish(self.start("run", *self.write(steps, **playbook), "--output", "json"))

    def say(self, *arguments: str) -> tuple[int, str, str]:
        """A command to its end: exit code, stdout, stderr."""
        running = self.start(*arguments)
        stdout, stderr = running.communicate(timeout=RUN_LIMIT_SECONDS)
        return running.returncode, stdout, stderr

    def beside(self, file: Path) -> str:
        """Puts a file beside the playbook; what the playbook calls it."""
        shutil.copy(file, self.folder / file.name)
        return f"./{file.name}"


def install() -> None:
    """Has the nodes' tools there, as from a cluster's own network nothing can be fetched."""
    for tool in (tools.hadoop, tools.pig, tools.spark, tools.flink):
        tool()


def environment(lab: Lab) -> dict:
    """Where the nodes have their tools."""
    hadoop, spark, flink = tools.yarn(), tools.spark(), tools.flink()
    java = Path(shutil.which("java")).resolve().parent
    folders = [hadoop / "bin", tools.pig() / "bin", spark / "bin", flink / "bin", java, "/usr/local/bin", "/usr/bin", "/bin"]
    return {
        "PATH": ":".join(map(str, folders)),
        "HADOOP_HOME": str(hadoop),
        "HADOOP_CLASSPATH": f"{hadoop / 'lib'}/*",
        "SPARK_HOME": str(spark),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "FLINK_HOME": str(flink),
        "FLINK_CONF_DIR": str(flink / "conf"),
        "FLINK_LOG_DIR": str(lab.work / "flink-log"),
    }


def spark(step: str, jar: str, source: str, destination: str, *more: str, mode: str = "client", **rules) -> dict:
    """A SPARK step that counts words."""
    local = {"spark.yarn.jars": f"local:{tools.spark()}/jars/*", "spark.submit.deployMode": mode}
    return {
        "id": step,
        "type": "SPARK",
        "jar": jar,
        "mainClass": "SparkWordCount",
        "properties": SPARK | local,
        "arguments": [source, destination, *more],
        **rules,
    }


def flink(step: str, jar: str, source: str, destination: str, **rules) -> dict:
    """A FLINK step that counts words, in an application of its own."""
    return {
        "id": step,
        "type": "FLINK",
        "jar": jar,
        "mainClass": "FlinkWordCount",
        "properties": FLINK,
        "arguments": [source, destination],
        **rules,
    }


def shell(step: str, script: str, **rules) -> dict:
    """A COMMAND step."""
    return {"id": step, "type": "COMMAND", "command": "sh", "arguments": ["-c", script], **rules}
