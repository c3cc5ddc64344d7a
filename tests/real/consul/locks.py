"""Fifty processes want one key of a real Consul; a holder is killed; 0.7.x holds it."""

import signal

from consul.parts import HELD, KEY, Runs, Server, check as ended_with, end, wait_for
from ring.lab import Lab

PROCESSES = 50

# Fails when somebody else is in it; says so, and that it was here.
ALONE = 'mkdir "$0/alone" || { echo >>"$0/doubles"; exit 1; }; echo >>"$0/wins"; rmdir "$0/alone"'
# Says that it runs, and stays until it is let go.
STAY = 'echo >>"$0/wins"; : >"$0/there"; while [ ! -e "$0/go" ]; do sleep 0.1; done'


def check(lab: Lab) -> None:
    with Server(lab) as consul:
        for kind in ("--lock", "--softLock"):
            one_of_fifty(lab, consul, kind)
            one_after_the_other(lab, consul, kind)
        killed(lab, consul)
        made_by_the_old_program(lab, consul)
        assert consul.sessions() == [], "sessions were left"


def script(lab: Lab, name: str, text: str) -> tuple:
    """A folder for what a script writes, and the script with it in place of `$0`."""
    folder = lab.work / name
    folder.mkdir()
    return folder, text.replace("$0", str(folder))


def lines(path) -> int:
    return len(path.read_text(encoding="ascii").splitlines()) if path.exists() else 0


def one_of_fifty(lab: Lab, consul: Server, kind: str) -> None:
    """All want it at the same time: one has it, the others end with 17 while it does."""
    folder, text = script(lab, f"one{kind}", STAY)
    runs = Runs(lab, text)
    flags = (kind, KEY, "--consul", consul.address)
    running = [runs.start(*flags) for _ in range(PROCESSES)]
    wait_for(folder / "there", "a winner")
    # The winner is the one that does not end.
    ended = {}
    while len(ended) < PROCESSES - 1:
        for number, process in enumerate(running):
            if number not in ended and process.poll() is not None:
                ended[number] = end(process)
                ended_with(ended[number], HELD, f"lock already held at {KEY}", "the lock is held by `")
    assert lines(folder / "wins") == 1, f"{lines(folder / 'wins')} winners"
    (folder / "go").touch()
    (winner,) = [process for number, process in enumerate(running) if number not in ended]
    ended_with(end(winner), 0)
    assert lines(folder / "wins") == 1 and consul.value() is None


def one_after_the_other(lab: Lab, consul: Server, kind: str) -> None:
    """All wait for it: each has it once, never two at a time."""
    folder, text = script(lab, f"all{kind}", ALONE)
    runs = Runs(lab, text)
    running = [runs.start(kind, KEY, "--consul", consul.address, "--lock-wait", "10m") for _ in range(PROCESSES)]
    for process in running:
        ended_with(end(process, limit=600), 0)
    assert lines(folder / "doubles") == 0, "two had it at the same time"
    assert lines(folder / "wins") == PROCESSES and consul.value() is None


def killed(lab: Lab, consul: Server) -> None:
    """A hard lock outlives its holder, until somebody breaks it."""
    folder, text = script(lab, "killed", STAY)
    runs = Runs(lab, text)
    at = ("--consul", consul.address)
    holder = runs.start("--lock", KEY, *at)
    wait_for(folder / "there", "the holder")
    holder.send_signal(signal.SIGKILL)
    end(holder)
    (folder / "go").touch()
    for kind in ("--lock", "--softLock"):
        ended_with(runs.run(kind, KEY, *at), HELD, f"process {holder.pid}, run `r-")
    ended_with(runs.lock("status", *at), HELD)
    ended_with(runs.lock("break", *at), 2, "--yes")
    ended_with(runs.lock("break", *at, "--yes"), 0, "Broke the lock", f"process {holder.pid}, run `r-")
    assert consul.value() is None
    ended_with(runs.run("--lock", KEY, *at), 0)


def made_by_the_old_program(lab: Lab, consul: Server) -> None:
    """It writes a number with neither session nor care; and sees ours, as it looks whether the key is there."""
    folder, text = script(lab, "old", STAY)
    runs = Runs(lab, text)
    at = ("--consul", consul.address)
    assert consul.ask("PUT", f"/v1/kv/{KEY}", "4711") == (200, "true\n")
    for kind in ("--lock", "--softLock"):
        ended_with(runs.run(kind, KEY, *at), HELD, "held by dataflow-runner 0.7.x, which noted process 4711")
    assert consul.value() == "4711"
    consul.ask("DELETE", f"/v1/kv/{KEY}")
    holder = runs.start("--softLock", KEY, *at)
    wait_for(folder / "there", "the holder")
    assert consul.value() is not None
    (folder / "go").touch()
    ended_with(end(holder), 0)
    assert consul.value() is None and consul.sessions() == []
