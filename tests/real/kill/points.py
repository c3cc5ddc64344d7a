"""kill -9 at every point of every command, on this machine and on the fakes, and at many a pair of points.

`crates/cli/tests/it/kill` does it; what `cargo test` does with some of the points is done here with all of them. That
the tests of a debug build are run is the point: only those can be told where to die.
"""

import os
import subprocess

from ring import program

TESTS = ["cargo", "test", "--package=dataflow-runner", "--test=it", "kill::", "--", "--ignored", "--nocapture"]
TESTS_SECONDS = 1800

# What it prints begins so.
FIGURES = "kills: "


def check(lab) -> None:
    done = subprocess.run(
        TESTS,
        cwd=program.ROOT,
        env=os.environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TESTS_SECONDS,
        check=False,
    )
    figures = [line for line in done.stdout.splitlines() if line.startswith(FIGURES)]
    print("\n".join(f"      {line}" for line in figures), flush=True)
    assert done.returncode == 0, f"`{' '.join(TESTS)}` fails\n{done.stdout[-12000:]}"
    assert figures, "no test was run"
