"""A soft lock lives as long as its run, and dies with it: real sessions, real time."""

import signal
import time

from consul.parts import HELD, KEY, Runs, Server, check as ended_with, end, wait_for, wait_until
from ring.lab import Lab

# crates/core/src/lock/consul/mod.rs; Consul may take twice as long to end a session.
TTL_SECONDS = 15
STAY = ': >"{0}/there-$$"; while [ ! -e "{0}/go" ]; do sleep 0.1; done'


def check(lab: Lab) -> None:
    with Server(lab) as consul:
        folder = lab.work / "signs"
        folder.mkdir()
        runs = Runs(lab, STAY.format(folder))
        flags = ("--softLock", KEY, "--consul", consul.address)
        holder = runs.start(*flags)
        wait_until(lambda: any(folder.iterdir()), "the holder")
        (session,) = consul.sessions()
        assert (session["TTL"], session["Behavior"], session["LockDelay"]) == (f"{TTL_SECONDS}s", "delete", 0), session
        assert not session["NodeChecks"], "the agent's own troubles would end it"

        # Longer than a session lives that nobody renews.
        time.sleep(2 * TTL_SECONDS + 5)
        ended_with(runs.run(*flags), HELD, f"process {holder.pid}, run `r-")
        assert [session["ID"]] == [one["ID"] for one in consul.sessions()], "it is the same session"

        waiting = runs.start(*flags, "--lock-wait", "10m")
        holder.send_signal(signal.SIGKILL)
        killed = time.monotonic()
        end(holder)
        wait_until(lambda: len(list(folder.iterdir())) == 2, "the next one")
        print(f"info  a dead holder's key was free after {time.monotonic() - killed:.0f} s", flush=True)
        (folder / "go").touch()
        ended_with(end(waiting), 0)
        assert consul.value() is None and consul.sessions() == []
        ended(lab, consul)


def ended(lab: Lab, consul: Server) -> None:
    """A session that somebody ends is told of: taken again where nobody else has the key, else lost."""
    folder = lab.work / "ended"
    folder.mkdir()
    runs = Runs(lab, f'echo >"{folder}/there"; while [ ! -e "{folder}/go" ]; do sleep 0.1; done')
    holder = runs.start("--softLock", KEY, "--consul", consul.address)
    wait_for(folder / "there", "the holder")
    (first,) = consul.sessions()
    consul.ask("PUT", f"/v1/session/destroy/{first['ID']}")
    wait_until(lambda: consul.value() is not None, "taking it again")
    (second,) = consul.sessions()
    assert second["ID"] != first["ID"]
    consul.ask("PUT", f"/v1/session/destroy/{second['ID']}")
    consul.ask("PUT", f"/v1/kv/{KEY}", "4711")
    time.sleep(TTL_SECONDS / 3 + 2)
    (folder / "go").touch()
    said = ("it was free for a moment; this run holds it again", "lost: its session ended", "is not this run's any more")
    ended_with(end(holder), 0, *said)
    assert consul.value() == "4711"
    consul.ask("DELETE", f"/v1/kv/{KEY}")
