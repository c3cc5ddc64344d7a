"""The program under test, as a user runs it: files in, exit code and events out."""

import json
import os
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

# What the events that the ring looks at are called (crates/core/src/event.rs).
STEP_ENDED = "step-ended"
STEP_SKIPPED = "step-skipped"
RUN_ENDED = "run-ended"
SUCCEEDED, FAILED, CANCELLED = "SUCCEEDED", "FAILED", "CANCELLED"

# The exit codes (docs/output.md).
OK, RUN_FAILED, INVALID, INTERRUPTED = 0, 1, 3, 130

SCHEMAS = "iglu:com.snowplowanalytics.dataflowrunner"


@cache
def binary() -> Path:
    """The program: DATAFLOW_RUNNER where that is set, else a release build of this tree."""
    if chosen := os.environ.get("DATAFLOW_RUNNER"):
        return Path(chosen).absolute()
    build = subprocess.run(
        ["cargo", "build", "--release", "--package=dataflow-runner", "--message-format=json-render-diagnostics"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        check=True,
    )
    messages = (json.loads(line) for line in build.stdout.splitlines())
    programs = [message["executable"] for message in messages if message.get("executable")]
    (program,) = {Path(program) for program in programs}
    return program


def cluster_file(**data) -> dict:
    """A cluster file of the local fabric."""
    return {"schema": f"{SCHEMAS}/LocalClusterConfig/avro/1-0-0", "data": {"name": "ring", **data}}


def playbook_file(steps: list, **data) -> dict:
    """A playbook for any fabric."""
    return {"schema": f"{SCHEMAS}/PlaybookConfig/avro/2-0-0", "data": {"name": "ring", "steps": steps, **data}}


@dataclass
class Run:
    """What a finished run of the program said."""

    code: int
    events: list
    stderr: str

    def ends(self) -> dict:
        """How the last attempt of each step ended, by step."""
        return {event["step"]: event["state"] for event in self.events if event["event"] == STEP_ENDED}

    def exit_code(self, step: str) -> int | None:
        """What the last attempt of `step` exited with."""
        return [event.get("exitCode") for event in self.events if event["event"] == STEP_ENDED and event["step"] == step][-1]

    def skipped(self) -> list:
        """The steps that were not started."""
        return [event["step"] for event in self.events if event["event"] == STEP_SKIPPED]

    def outcome(self) -> str:
        """The kind of outcome in the last event."""
        last = self.events[-1]
        assert last["event"] == RUN_ENDED, f"the last event is {last}"
        return last["outcome"]["kind"]

    def check(self, code: int, outcome: str, ends: dict, skipped: tuple = ()) -> None:
        """Fails unless the run ended just so; the events have to be numbered from 1 without a gap."""
        told = f"\n--- events\n{self.events}\n--- stderr\n{self.stderr}"
        assert self.code == code, f"exit code {self.code}, not {code}{told}"
        assert [event["seq"] for event in self.events] == list(range(1, len(self.events) + 1)), f"a gap in seq{told}"
        assert self.outcome() == outcome, f"outcome {self.outcome()}, not {outcome}{told}"
        assert self.ends() == ends, f"steps ended {self.ends()}, not {ends}{told}"
        assert self.skipped() == list(skipped), f"skipped {self.skipped()}, not {list(skipped)}{told}"


def parse(code: int, stdout: str, stderr: str) -> Run:
    """With `--output json` every line on stdout is one event."""
    events = []
    for line in stdout.splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            event = None
        assert isinstance(event, dict) and {"seq", "at", "event"} <= event.keys(), f"not an event: {line!r}\n{stderr}"
        events.append(event)
    assert events, f"no event; exit code {code}\n{stderr}"
    return Run(code, events, stderr)
