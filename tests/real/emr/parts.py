"""What the components of EMR share: files with every field that 0.7.x knew, and the program before a server of AWS."""

import json
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from ring import aws, processes, program

# No command here takes as long as this; one that does hangs.
LIMIT_SECONDS = 120

# The tag that the program puts on what it launches.
RUN_TAG = "dataflow-runner:run"


def cluster_file(name: str, subnet: str) -> dict:
    """Every field of ClusterConfig 1-1-0 but `classic`, which excludes `vpc`."""
    volumes = {"iops": 3000, "sizeInGB": 50, "volumeType": "gp3", "throughput": 125}
    ebs = {
        "ebsOptimized": True,
        "ebsBlockDeviceConfigs": [{"volumesPerInstance": 2, "volumeSpecification": volumes}],
    }
    export = {"classification": "export", "properties": {"JAVA_HOME": "/usr/lib/jvm/java-17"}}
    data = {
        "name": name,
        "logUri": "s3://logs/emr/",
        "region": "eu-west-1",
        "credentials": {"accessKeyId": "env", "secretAccessKey": "env"},
        "roles": {"jobflow": "EMR_EC2_DefaultRole", "service": "EMR_DefaultRole"},
        "ec2": {
            "amiVersion": "6.15.0",
            "keyName": "nightly",
            "location": {"vpc": {"subnetId": subnet}},
            "instances": {
                "master": {"type": "m5.xlarge", "ebsConfiguration": ebs},
                "core": {"type": "r5.xlarge", "count": 2, "ebsConfiguration": ebs},
                "task": {"type": "c5.xlarge", "count": 1, "bid": "0.015"},
            },
        },
        "tags": [{"key": "team", "value": "data"}, {"key": "with space", "value": "é/=+@"}],
        "bootstrapActionConfigs": [
            {"name": "packages", "scriptBootstrapAction": {"path": "s3://b/install.sh", "args": ["--all", "a b"]}},
            {"name": "bare", "scriptBootstrapAction": {"path": "s3://b/bare.sh", "args": []}},
        ],
        "configurations": [
            {"classification": "core-site", "properties": {"io.file.buffer.size": "65536"}},
            {"classification": "hadoop-env", "properties": {}, "configurations": [export]},
        ],
        "applications": ["Hadoop", "Spark"],
        "securityConfiguration": "encrypted",
    }
    return {"schema": f"{program.SCHEMAS}/ClusterConfig/avro/1-1-0", "data": data}


def playbook_file(*names: str) -> dict:
    """Steps of all 0.7.x knew: a jar with arguments."""
    steps = [
        {
            "type": "CUSTOM_JAR",
            "name": name,
            "actionOnFailure": "CANCEL_AND_WAIT",
            "jar": "command-runner.jar",
            "arguments": ["spark-submit", "--deploy-mode", "cluster", f"s3://b/{name}.jar", ""],
        }
        for name in names
    ]
    data = {
        "region": "eu-west-1",
        "credentials": {"accessKeyId": "env", "secretAccessKey": "env"},
        "steps": steps,
        "tags": [],
    }
    return {"schema": f"{program.SCHEMAS}/PlaybookConfig/avro/1-0-1", "data": data}


@dataclass
class Ended:
    """How a command ended."""

    code: int
    stdout: str
    stderr: str

    def check(self, code: int, *words: str) -> "Ended":
        """Fails unless it ended with this code and said all of `words`."""
        told = f"\n--- stdout\n{self.stdout}\n--- stderr\n{self.stderr}"
        assert self.code == code, f"exit code {self.code}, not {code}{told}"
        for word in words:
            assert word in self.stderr, f"{word!r} was not said{told}"
        return self


@dataclass
class Program:
    """The program before a server."""

    lab: object
    url: str
    settings: dict = field(default_factory=dict)

    def file(self, name: str, content: dict) -> Path:
        """Writes a configuration."""
        path = self.lab.work / name
        path.write_text(json.dumps(content, indent=2), encoding="utf-8")
        return path

    def start(self, *arguments) -> subprocess.Popen:
        """Starts a command and leaves it running."""
        command = [program.binary(), *arguments, "--state-dir", self.lab.work / "state"]
        return subprocess.Popen(
            [str(word) for word in command],
            cwd=self.lab.work,
            env=aws.environment(self.lab.work, AWS_ENDPOINT_URL=self.url, TZ="UTC")
            | self.settings
            | {processes.MARK: self.lab.mark},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments) -> Ended:
        """Runs a command to its end."""
        return self.finish(self.start(*arguments))

    def interrupted(self, until, *arguments) -> Ended:
        """Runs a command until `until()` says so, then sends it SIGINT."""
        running = self.start(*arguments)
        deadline = time.monotonic() + LIMIT_SECONDS
        while not until():
            if running.poll() is not None or time.monotonic() > deadline:
                running.kill()
                raise AssertionError(f"it never came so far: {running.communicate()}")
        running.send_signal(signal.SIGINT)
        return self.finish(running)

    def finish(self, running: subprocess.Popen) -> Ended:
        """Waits for its end."""
        try:
            stdout, stderr = running.communicate(timeout=LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            running.kill()
            stdout, stderr = running.communicate()
            raise AssertionError(f"it hung\n--- stdout\n{stdout}\n--- stderr\n{stderr}") from None
        return Ended(running.returncode, stdout, stderr)
