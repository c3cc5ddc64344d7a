"""The launcher: how steps end, what they are given, what becomes of their output."""

import json
import os
import re
import signal
import subprocess
import zipfile
from pathlib import Path

from ring import program
from ring.lab import Lab
from ring.yarn import Cluster
from yarn.parts import FAILED, JAR, SUCCEEDED, Client, master, wait_until, within

# More than any pipe or buffer holds.
MUCH_BYTES = 10_000_000
# The most that the fabric sends (an argument of its own, so that Linux takes it as well).
LONG = "0123456789abcdef" * 5_600

# What shells, YARN and Java like to change.
WORDS = [
    "", " ", "two words", "it's", '"quoted"', "back\\slash\\", "$HOME", "${HOME}", "`id`", "$(id)", "*", "~", "a\nb\n", "\t",
    "{{HOME}}", "{{x}}", "<LOG_DIR>", "<CPS>", "%HOME%", "!x", "#", ";", "&", "|", ">x", "--", "-n", "a=b", "ü€😀", "e\u0301",
    b"\xff\xfe\x80", b"\x01\x7f\r", "",
]  # fmt: skip
VARIABLES = {f"RING_{number}": word for number, word in enumerate(WORDS)}

# Prints the bytes of its arguments and variables, and what its standard input holds.
SHOW = """
import json, os, sys
print(json.dumps({
    "arguments": [os.fsencode(word).hex() for word in sys.argv[1:]],
    "variables": {os.fsdecode(name): value.hex() for name, value in os.environb.items()},
    "input": os.read(0, 1).hex(),
}))
"""

STAY = "trap '' TERM; sh -c 'sleep 1000; :' & sleep 1000; :"


def check(lab: Lab) -> None:
    jar = rebuilt(lab)
    # A locale in which Java knows ASCII only.
    with Cluster(lab, environment={"LC_ALL": "C"}) as cluster:
        client = Client(cluster, jar=jar)
        # All at once: most of a step's time is YARN's.
        for finish in [begin(client) for begin in (ends, words, output, unsaved, leftovers)]:
            finish()
        ended_by_yarn(client)
        dies(client)


def rebuilt(lab: Lab) -> Path:
    """The jar of the tree if it is what its source makes; what that makes here, if the JDK is another one."""
    jar = lab.work / "rebuilt.jar"
    subprocess.run([program.ROOT / "launcher" / "build", jar], check=True)
    if classes(jar) == classes(JAR):
        return JAR
    note = (program.ROOT / "launcher" / "README.md").read_text(encoding="utf-8")
    (noted,) = re.findall(r"made by `(javac [^`]+)`", note)
    here = subprocess.run(["javac", "-version"], check=True, capture_output=True, text=True).stdout.strip()
    assert here != noted, f"{JAR.name} is not what launcher/Launcher.java makes: run launcher/build"
    print(f"info  the launcher is tested as {here} makes it; in the tree it is of {noted}", flush=True)
    return jar


def classes(jar: Path) -> dict[str, bytes]:
    """The class files in a jar."""
    with zipfile.ZipFile(jar) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def ends(client: Client):
    """Exit codes, as the application ends and as it says."""
    # The cut is inside of the first character: 2,000 bytes are 666 of them and two bytes.
    euros = "€" * 700
    cases = [
        (["true"], SUCCEEDED, ""),
        (["sh", "-c", "echo no such thing >&2; exit 7"], FAILED, "\nexit code 7\nno such thing\n"),
        (["sh", "-c", "exit 255"], FAILED, "\nexit code 255"),
        (["sh", "-c", f"printf %s {euros} >&2; exit 1"], FAILED, "\nexit code 1\n" + "€" * 666),
        (["sh", "-c", r"printf '\033[31mred\000\377' >&2; exit 1"], FAILED, "\nexit code 1\n\x1b[31mred\x00\ufffd"),
        (["sh", "-c", "kill -KILL $$"], FAILED, "\nexit code 137"),
        (["sh", "-c", "kill -TERM $$"], FAILED, "\nexit code 143"),
    ]
    steps = [(client.submit(arguments), ended, diagnostics) for arguments, ended, diagnostics in cases]
    # What a shell says of these is the shell's own matter.
    strange = [
        (client.submit(["no-such-program"]), "exit code 127"),
        (client.submit(["/no/such/program"]), "exit code 127"),
        (client.submit(["/etc/passwd"]), "exit code 126"),
        (client.submit([]), "exit code 12"),
        # YARN makes a step's files executable.
        (client.submit(["./step.sh"], files={"step.sh": b"#!/bin/sh\nexit 9\n"}), "exit code 9"),
    ]

    def finish() -> None:
        for step, ended, diagnostics in steps:
            client.check(step, ended, diagnostics)
        for step, first in strange:
            client.check(step, FAILED)
            empty, said = client.app(step)["diagnostics"].splitlines()[:2]
            assert not empty and said.startswith(first) and re.fullmatch(r"exit code \d+", said), f"{said!r} is not {first!r}"

    return finish


def words(client: Client):
    """Arguments and variables arrive byte for byte, nothing else comes along, and there is no input."""
    step = client.submit(["python3", "-c", SHOW, *WORDS, LONG], VARIABLES)

    def finish() -> None:
        client.check(step, SUCCEEDED, "")
        shown = json.loads(client.stdout(step))
        assert [bytes.fromhex(word) for word in shown["arguments"]] == [raw(word) for word in [*WORDS, LONG]], shown
        variables = {name: bytes.fromhex(value) for name, value in shown["variables"].items()}
        wanted = {name: raw(word) for name, word in VARIABLES.items()}
        assert {name: variables.get(name) for name in wanted} == wanted, variables
        ours = [name for name in variables if name.startswith("DATAFLOW_") and name != "DATAFLOW_RUNNER_RING"]
        ours += [name for name in ("CLASSPATH", "HADOOP_TOKEN_FILE_LOCATION") if name in variables]
        assert not ours, f"the program got {ours}"
        assert variables["HADOOP_USER_NAME"] == client.user.encode()
        assert shown["input"] == "", "there was something to read"

    return finish


def raw(word: str | bytes) -> bytes:
    """Its bytes."""
    return word if isinstance(word, bytes) else word.encode()


def output(client: Client):
    """All of it is saved, for its owner only, though what was saved before is in the way."""
    client.make("/user/alice/kept")
    client.put("/user/alice/kept/stdout", b"old")
    step = client.submit(
        ["python3", "-c", f"import sys; print('x' * {MUCH_BYTES}, end=''); print('y' * {MUCH_BYTES}, end='', file=sys.stderr)"],
        logs="/user/alice/kept",
    )  # fmt: skip

    def finish() -> None:
        client.check(step, SUCCEEDED, "")
        for name, byte in {"stdout": b"x", "stderr": b"y"}.items():
            assert client.read(f"{step.logs}/{name}") == byte * MUCH_BYTES, f"{name} is not as it was written"
            assert client.status(f"{step.logs}/{name}")["permission"] == "600"
        other = client.submit(["true"])
        client.check(other, SUCCEEDED)
        assert client.status(other.logs)["permission"] == "700"
        assert client.stdout(other) == b""

    return finish


def unsaved(client: Client):
    """Output that cannot be saved is a line in the launcher's log, and the step is what it is."""
    home = client.submit(["true"], logs="/user/bob/logs")
    scheme = client.submit(["true"], logs="/x", into="no-such-scheme://x")

    def finish() -> None:
        for step, why in ((home, "Permission denied"), (scheme, "No FileSystem for scheme")):
            client.check(step, SUCCEEDED, "")
            log = client.log(step)
            assert "the output is not saved: " in log and why in log, log

    return finish


def leftovers(client: Client):
    """What a program leaves behind is ended with it: asked to, and killed if it does not listen."""
    listens = "trap 'echo asked; exit' TERM; : >ready; while :; do sleep 0.1; done"
    deaf = "trap '' TERM; sleep 1000"
    step = client.submit(["sh", "-c", f"({listens}) & ({deaf}) & until [ -e ready ]; do sleep 0.1; done"])

    def finish() -> None:
        client.check(step, SUCCEEDED, "")
        # What ends it later can no more have its last words saved.
        assert client.stdout(step) == b"asked\n", client.stdout(step)
        container = client.container(step)
        wait_until(lambda: not within(container), "the end of what was left")

    return finish


def ended_by_yarn(client: Client) -> None:
    """A step that is killed, and one that takes too much memory, with all of their processes."""
    killed = client.submit(["sh", "-c", STAY])
    hungry = client.submit(["python3", "-c", "import time; held = 'x' * 600_000_000; time.sleep(1000)"], memory=256)
    client.wait(killed, ("RUNNING",))
    container = client.container(killed)
    wait_until(lambda: sum(line.startswith("sleep 1000") for line in within(container).values()) == 2, "the program")
    client.kill(killed)
    client.check(killed, ("KILLED", "KILLED"), f"Application {killed.app} was killed by user {client.user}")
    wait_until(lambda: not within(container), "the end of its processes")
    client.check(hungry, ("FAILED", "FAILED"))
    said = client.app(hungry)["diagnostics"]
    assert "exitCode: -104" in said and "PHYSICAL" in said, said
    container = client.container(hungry)
    wait_until(lambda: not within(container), "the end of its processes")


def dies(client: Client) -> None:
    """A launcher that is killed takes its program along, though the NodeManager does nothing about it."""
    step = client.submit(["sh", "-c", f"trap '' HUP; {STAY}"])
    client.wait(step, ("RUNNING",))
    container = client.container(step)
    wait_until(lambda: sum(line.startswith("sleep 1000") for line in within(container).values()) == 2, "the program")
    node = client.cluster.running["nm"]
    node.send_signal(signal.SIGSTOP)
    try:
        os.kill(master(client, step.app), signal.SIGKILL)
        wait_until(lambda: not within(container), "the end of its processes")
    finally:
        node.send_signal(signal.SIGCONT)
    client.check(step, ("FAILED", "FAILED"))
    assert "exitCode: 137" in client.app(step)["diagnostics"], client.app(step)
