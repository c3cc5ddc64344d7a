"""A real YARN on this machine: HDFS, one ResourceManager, one NodeManager and the JobHistoryServer.

    with yarn.Cluster(lab) as cluster:
        cluster.rm                        # http://127.0.0.1:PORT of the ResourceManager
        cluster.stop("rm"), cluster.start("rm")

It is alone in a network of its own where the system allows it, and so are the thread that opened it and what that
thread starts. Elsewhere everything binds 127.0.0.1 but what Hadoop binds to every address without a setting:
the port of the shuffle and those of a MapReduce application while it runs.
"""

import contextlib
import getpass
import json
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

from . import network, processes, tools, yarn_settings
from .lab import Lab

# Far more than it takes; what waits for so long has failed.
PATIENCE_SECONDS = 180
STARTS = 2

# Who may submit; HDFS has a home folder for each.
USERS = ("alice", "bob")

# The classes of the daemons and their heaps, in the order in which they are started.
DAEMONS = {
    "nn": ("org.apache.hadoop.hdfs.server.namenode.NameNode", 256),
    "dn": ("org.apache.hadoop.hdfs.server.datanode.DataNode", 192),
    "rm": ("org.apache.hadoop.yarn.server.resourcemanager.ResourceManager", 256),
    "nm": ("org.apache.hadoop.yarn.server.nodemanager.NodeManager", 256),
    "jhs": ("org.apache.hadoop.mapreduce.v2.hs.JobHistoryServer", 192),
}

PORTS = (
    "nn", "nn-http", "dn", "dn-ipc", "dn-http", "rm", "rm-scheduler", "rm-tracker", "rm-admin", "rm-http",
    "nm", "nm-localizer", "nm-collector", "nm-http", "shuffle", "jhs", "jhs-admin", "jhs-http",
)  # fmt: skip

class Cluster:
    """The daemons, from entering to leaving the context.

    With `recovery` the ResourceManager knows after a restart what it knew before. `environment` is added to that of
    every container; `settings` are more of `yarn-site.xml` and the like, by file without `.xml`.
    """

    def __init__(
        self,
        lab: Lab,
        recovery: bool = True,
        aggregation: bool = True,
        environment: dict[str, str] | None = None,
        settings: dict[str, dict[str, str]] | None = None,
    ) -> None:
        self.lab = lab
        self.recovery = recovery
        self.aggregation = aggregation
        self.more = environment or {}
        self.settings = settings or {}
        self.home = tools.yarn()
        self.java = Path(shutil.which("java")).resolve().parent.parent
        self.folder = lab.work / "yarn"
        self.conf = self.folder / "conf"
        self.running: dict[str, subprocess.Popen] = {}

    def __enter__(self) -> "Cluster":
        self._network = contextlib.ExitStack()
        with self._network:
            self.alone = self._network.enter_context(network.own())
            for start in range(1, STARTS + 1):
                with contextlib.ExitStack() as left:
                    left.callback(self._end)
                    if self._start():
                        left.pop_all()
                        self._network = self._network.pop_all()
                        return self
                    said = self.said()
                print(f"info  YARN did not come up, start {start} of {STARTS}", flush=True)
        raise AssertionError(f"YARN did not come up:\n{said}")

    def __exit__(self, *_) -> None:
        with self._network:
            self._end()

    # What is where.

    @property
    def rm(self) -> str:
        """The ResourceManager's address."""
        return f"http://127.0.0.1:{self.ports['rm-http']}"

    @property
    def nm(self) -> str:
        """The NodeManager's address."""
        return f"http://127.0.0.1:{self.ports['nm-http']}"

    @property
    def webhdfs(self) -> str:
        """The NameNode's address, without `/webhdfs/v1`."""
        return f"http://127.0.0.1:{self.ports['nn-http']}"

    @property
    def history(self) -> str:
        """The JobHistoryServer's address."""
        return f"http://127.0.0.1:{self.ports['jhs-http']}"

    @property
    def fs(self) -> str:
        """The URI of HDFS."""
        return f"hdfs://127.0.0.1:{self.ports['nn']}"

    @property
    def environment(self) -> dict[str, str]:
        """That of a client, and of the daemons."""
        homes = ("HADOOP_HOME", "HADOOP_COMMON_HOME", "HADOOP_HDFS_HOME", "HADOOP_YARN_HOME", "HADOOP_MAPRED_HOME")
        return {
            "PATH": f"{self.home / 'bin'}:{self.java / 'bin'}:{os.environ['PATH']}",
            "HOME": str(self.lab.work),
            "LANG": os.environ.get("LANG", "C.UTF-8"),
            "JAVA_HOME": str(self.java),
            "HADOOP_CONF_DIR": str(self.conf),
            **{name: str(self.home) for name in homes},
            **self.more,
            processes.MARK: self.lab.mark,
        }

    def said(self) -> str:
        """The last words of every daemon."""
        logs = sorted(self.folder.glob("*.log"))
        return "\n".join(f"--- {log.stem}\n{log.read_text(encoding='utf-8', errors='replace')[-2500:]}" for log in logs)

    # Daemons, one by one.

    def start(self, name: str) -> None:
        """Starts a daemon (a key of `DAEMONS`) and waits until it does its work."""
        self._spawn(name)
        assert self._await(name), f"{name} did not come up:\n{self.said()}"

    def stop(self, name: str, kill: bool = False) -> None:
        """Ends a daemon; with `kill`, like a machine that dies."""
        daemon = self.running.pop(name)
        (daemon.kill if kill else daemon.terminate)()
        _await_end(daemon)

    def restart_rm(self, recovery: bool | None = None) -> None:
        """A ResourceManager that dies and comes again, with or without what it knew."""
        self.stop("rm", kill=True)
        if recovery is not None:
            self.recovery = recovery
            self._write_settings()
        self.start("rm")

    # All of them.

    def _start(self) -> bool:
        self.ports = dict(zip(PORTS, network.free_ports(len(PORTS)), strict=True))
        shutil.rmtree(self.folder, ignore_errors=True)
        # Hadoop's jars lack these, and the servers want them to be there.
        for web in ("hdfs", "datanode"):
            (self.conf / "webapps" / web).mkdir(parents=True)
        self._write_settings()
        # The others come up meanwhile.
        for name in ("rm", "nm", "dn"):
            self._spawn(name)
        if self._java("format", *DAEMONS["nn"], "-format", "-nonInteractive").wait(PATIENCE_SECONDS) != 0:
            return False
        self._spawn("nn")
        if not self._await("nn") or not self._await("dn"):
            return False
        self._make_folders()
        self._spawn("jhs")
        return all(self._await(name) for name in ("rm", "nm", "jhs"))

    def _end(self) -> None:
        # The NodeManager by itself: it ends its containers, and says good-bye to the ResourceManager.
        if "nm" in self.running:
            self.stop("nm")
        ending = [self.running.pop(name) for name in list(self.running)]
        for daemon in ending:
            daemon.terminate()
        for daemon in ending:
            _await_end(daemon)

    def _spawn(self, name: str) -> None:
        self.running[name] = self._java(name, *DAEMONS[name])

    def _java(self, name: str, main: str, heap: int, *arguments: str) -> subprocess.Popen:
        command = [
            self.java / "bin" / "java", f"-Xmx{heap}m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto",
            "-Djava.net.preferIPv4Stack=true", "--add-opens=java.base/java.lang=ALL-UNNAMED",
            f"-Djava.io.tmpdir={self.folder}", "-cp", f"{self.conf}:{self.home / 'lib'}/*", main, *arguments,
        ]  # fmt: skip
        with (self.folder / f"{name}.log").open("a", encoding="utf-8") as log:
            return subprocess.Popen(
                [str(word) for word in command],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def _await(self, name: str) -> bool:
        """Whether a daemon came up and does its work."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        daemon = self.running[name]
        while time.monotonic() < deadline and daemon.poll() is None:
            with contextlib.suppress(OSError, ValueError, KeyError, IndexError):
                if self._works(name):
                    return True
            time.sleep(0.1)
        return False

    def _works(self, name: str) -> bool:
        if name in ("nn", "dn"):
            query = f"{self.webhdfs}/jmx?qry=Hadoop:service=NameNode,name=FSNamesystemState"
            state = ask(query)["beans"][0]
            return state["FSState"] == "Operational" and (name == "nn" or state["NumLiveDataNodes"] == 1)
        if name == "rm":
            # It answers before it remembers: until then an application that runs is not known.
            return ask(f"{self.rm}/ws/v1/cluster/info")["clusterInfo"]["haState"] == "ACTIVE"
        if name == "nm":
            return ask(f"{self.rm}/ws/v1/cluster/metrics")["clusterMetrics"]["activeNodes"] == 1
        return "historyInfo" in ask(f"{self.history}/ws/v1/history/info")

    def _make_folders(self) -> None:
        """What an administrator makes in HDFS."""
        for path, owner, mode in [
            ("/tmp", None, 1777),
            ("/tmp/logs", None, 1777),
            # The JobHistoryServer would make it for itself alone.
            ("/history", None, 755),
            ("/user", None, 755),
            *((f"/user/{user}", user, 755) for user in USERS),
        ]:
            self._as_owner(f"{path}?op=MKDIRS&permission={mode}")
            # The mode above is subject to nobody's mask, but /tmp may have been there.
            self._as_owner(f"{path}?op=SETPERMISSION&permission={mode}")
            if owner:
                self._as_owner(f"{path}?op=SETOWNER&owner={owner}&group={owner}")

    def _as_owner(self, request: str) -> None:
        ask(f"{self.webhdfs}/webhdfs/v1{request}&user.name={getpass.getuser()}", "PUT")

    def _write_settings(self) -> None:
        for name, text in yarn_settings.files(self).items():
            (self.conf / name).write_text(text, encoding="utf-8")


def ask(url: str, method: str = "GET") -> dict:
    """The JSON that a daemon answers; `OSError` where it does not."""
    request = urllib.request.Request(url, method=method, headers={"Accept": "application/json"})
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as reply:
        return json.loads(reply.read() or b"{}")


def _await_end(daemon: subprocess.Popen) -> None:
    try:
        daemon.wait(timeout=30)
    except subprocess.TimeoutExpired:
        daemon.kill()
        daemon.wait()
