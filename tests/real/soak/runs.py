"""Thousands of random runs on the fakes while three of ten requests are faulty, each judged by what really happened.

`crates/core/tests/soak` does it; `cargo test` makes the first of these runs, and here are all of them. They are of a
debug build: its assertions are on.
"""

import os
import subprocess

from ring import program

TESTS = ["cargo", "test", "--package=dataflow-runner-core", "--test=soak", "--", "--nocapture", "--test-threads=1"]
TESTS_SECONDS = 1800

# So many on each fake.
RUNS = 2000

# What it prints for each fake begins so.
FIGURES = "soak "


def check(lab) -> None:
    done = subprocess.run(
        TESTS,
        cwd=program.ROOT,
        env=os.environ | {"DATAFLOW_RUNNER_SOAK": str(RUNS)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TESTS_SECONDS,
        check=False,
    )
    # The first test's name stands before its figures, on the same line.
    lines = (line[line.find(FIGURES) :] for line in done.stdout.splitlines() if FIGURES in line)
    figures = [line for line in lines if f": {RUNS} runs, " in line]
    print("\n".join(f"      {line}" for line in figures), flush=True)
    assert done.returncode == 0, f"`{' '.join(TESTS)}` fails\n{done.stdout[-12000:]}"
    assert len(figures) == 2, f"two fakes have runs, and these are the figures: {figures}"
