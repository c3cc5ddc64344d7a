"""The program's own tests behind a recorder: what the program sent, and what it was sent."""

import os
import subprocess

from . import program, proxy

TESTS = ["cargo", "test", "--package=dataflow-runner", "--test=it"]
TESTS_SECONDS = 900

# The tests' word for a state that a far side does not have, and may add one day.
UNHEARD = b'"PAUSED"'


def record(lab, *names: str) -> list:
    """Runs the tests of these names, which must pass; every exchange of the program's with its fakes."""
    tests = [*TESTS, *names]
    file = lab.work / "exchanges.jsonl"
    with proxy.Recorder(file) as recorder:
        done = subprocess.run(
            tests,
            cwd=program.ROOT,
            env=os.environ | {"DATAFLOW_RUNNER_TEST_PROXY": recorder.url},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TESTS_SECONDS,
            check=False,
        )
    assert done.returncode == 0, f"`{' '.join(tests)}` fails behind a recorder\n{done.stdout[-6000:]}"
    found = proxy.exchanges(file)
    assert found, f"nothing was recorded\n{done.stdout[-2000:]}"
    return found


def broken_on_purpose(exchange) -> str | None:
    """What a fake does to replies to see what comes of it: those are no replies of the real far side."""
    if exchange.reply != "whole":
        return exchange.reply
    if UNHEARD in exchange.reply_body:
        return "unheard"
    return exchange.reply_header("x-fake-fault")


def called_all(wanted_by: dict, calls: list) -> None:
    """Fails where something of a service was never called, or is not in the list."""
    for service, wanted in wanted_by.items():
        called = {call.name for call in calls if call.service == service}
        assert called == wanted, f"{service}: never called {sorted(wanted - called)}, unlisted {sorted(called - wanted)}"
