"""The configuration of the cluster of `yarn.py`."""

from xml.sax.saxutils import escape

from . import processes

QUEUES = ("default", "nightly")

# Of the NodeManager's environment, what a container gets (besides what YARN sets).
INHERITED = (
    "JAVA_HOME", "HADOOP_CONF_DIR", "HADOOP_HOME", "HADOOP_COMMON_HOME", "HADOOP_HDFS_HOME", "HADOOP_YARN_HOME",
    "HADOOP_MAPRED_HOME", "LANG", "TZ", processes.MARK,
)  # fmt: skip

LOG = """log4j.rootLogger=INFO,err
log4j.appender.err=org.apache.log4j.ConsoleAppender
log4j.appender.err.target=System.err
log4j.appender.err.layout=org.apache.log4j.PatternLayout
log4j.appender.err.layout.ConversionPattern=%d{ISO8601} %p %c{1}: %m%n
"""


def files(cluster) -> dict[str, str]:
    """The files of HADOOP_CONF_DIR."""
    written = {"log4j.properties": LOG}
    for name, properties in settings(cluster).items():
        lines = [
            f"  <property><name>{escape(key)}</name><value>{escape(str(value))}</value></property>"
            for key, value in (properties | cluster.settings.get(name, {})).items()
        ]
        written[f"{name}.xml"] = "\n".join(['<?xml version="1.0"?>', "<configuration>", *lines, "</configuration>", ""])
    return written


def settings(cluster) -> dict[str, dict]:
    """The properties, by file without `.xml`."""
    at = {name: f"127.0.0.1:{port}" for name, port in cluster.ports.items()}
    folder, jars = cluster.folder, f"{cluster.conf},{cluster.home / 'lib'}/*"
    share = 100 // len(QUEUES)
    return {
        "core-site": {
            "fs.defaultFS": cluster.fs,
            "hadoop.tmp.dir": folder / "tmp",
            "hadoop.http.authentication.simple.anonymous.allowed": "true",
        },
        "hdfs-site": {
            "dfs.replication": 1,
            "dfs.namenode.name.dir": (folder / "names").as_uri(),
            "dfs.datanode.data.dir": (folder / "data").as_uri(),
            "dfs.namenode.http-address": at["nn-http"],
            "dfs.datanode.address": at["dn"],
            "dfs.datanode.ipc.address": at["dn-ipc"],
            "dfs.datanode.http.address": at["dn-http"],
            "dfs.namenode.safemode.extension": 0,
            "dfs.namenode.datanode.registration.ip-hostname-check": "false",
            "dfs.datanode.du.reserved": 0,
        },
        "yarn-site": {
            "yarn.resourcemanager.hostname": "127.0.0.1",
            "yarn.resourcemanager.address": at["rm"],
            "yarn.resourcemanager.scheduler.address": at["rm-scheduler"],
            "yarn.resourcemanager.resource-tracker.address": at["rm-tracker"],
            "yarn.resourcemanager.admin.address": at["rm-admin"],
            "yarn.resourcemanager.webapp.address": at["rm-http"],
            "yarn.resourcemanager.recovery.enabled": str(cluster.recovery).lower(),
            "yarn.resourcemanager.store.class":
                "org.apache.hadoop.yarn.server.resourcemanager.recovery.FileSystemRMStateStore",
            "yarn.resourcemanager.fs.state-store.uri": (folder / "rm-state").as_uri(),
            "yarn.resourcemanager.work-preserving-recovery.scheduling-wait-ms": 1000,
            "yarn.resourcemanager.nodemanagers.heartbeat-interval-ms": 200,
            "yarn.resourcemanager.connect.retry-interval.ms": 500,
            "yarn.scheduler.minimum-allocation-mb": 64,
            "yarn.scheduler.maximum-allocation-mb": 4096,
            "yarn.nodemanager.hostname": "127.0.0.1",
            "yarn.nodemanager.address": at["nm"],
            "yarn.nodemanager.localizer.address": at["nm-localizer"],
            "yarn.nodemanager.collector-service.address": at["nm-collector"],
            "yarn.nodemanager.webapp.address": at["nm-http"],
            "yarn.nodemanager.local-dirs": folder / "nm-local",
            "yarn.nodemanager.log-dirs": folder / "nm-logs",
            # As much as steps ask for in total; containers that wait for room would be a test of the scheduler.
            "yarn.nodemanager.resource.memory-mb": 8192,
            "yarn.nodemanager.resource.cpu-vcores": 16,
            "yarn.nodemanager.aux-services": "mapreduce_shuffle",
            # With it, the limit is left to the kernel's groups, and where there are none nothing is ever ended.
            "yarn.nodemanager.resource.memory.enforced": "false",
            "yarn.nodemanager.pmem-check-enabled": "true",
            "yarn.nodemanager.vmem-check-enabled": "false",
            "yarn.nodemanager.container-monitor.interval-ms": 500,
            "yarn.nodemanager.disk-health-checker.max-disk-utilization-per-disk-percentage": 99.9,
            "yarn.nodemanager.env-whitelist": ",".join((*INHERITED, *cluster.more)),
            "yarn.nodemanager.remote-app-log-dir": "/tmp/logs",
            "yarn.log-aggregation-enable": str(cluster.aggregation).lower(),
            "yarn.log.server.url": f"{cluster.history}/jobhistory/logs",
            "yarn.application.classpath": jars,
        },
        "capacity-scheduler": {
            "yarn.scheduler.capacity.maximum-am-resource-percent": 0.9,
            "yarn.scheduler.capacity.root.queues": ",".join(QUEUES),
            **{f"yarn.scheduler.capacity.root.{queue}.capacity": share for queue in QUEUES},
            **{f"yarn.scheduler.capacity.root.{queue}.maximum-capacity": 100 for queue in QUEUES},
            **{f"yarn.scheduler.capacity.root.{queue}.user-limit-factor": len(QUEUES) for queue in QUEUES},
        },
        "mapred-site": {
            "mapreduce.framework.name": "yarn",
            "mapreduce.application.classpath": jars,
            "mapreduce.shuffle.port": cluster.ports["shuffle"],
            "mapreduce.jobhistory.address": at["jhs"],
            "mapreduce.jobhistory.admin.address": at["jhs-admin"],
            "mapreduce.jobhistory.webapp.address": at["jhs-http"],
            "mapreduce.jobhistory.intermediate-done-dir": "/history/tmp",
            "mapreduce.jobhistory.done-dir": "/history/done",
            "yarn.app.mapreduce.am.staging-dir": "/user",
            "yarn.app.mapreduce.am.resource.mb": 512,
            "yarn.app.mapreduce.am.command-opts": "-Xmx256m",
            "mapreduce.map.memory.mb": 384,
            "mapreduce.reduce.memory.mb": 384,
            "mapreduce.map.java.opts": "-Xmx200m",
            "mapreduce.reduce.java.opts": "-Xmx200m",
            "mapreduce.task.io.sort.mb": 32,
        },
    }  # fmt: skip
