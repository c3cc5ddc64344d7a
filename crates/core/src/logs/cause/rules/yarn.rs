//! What YARN says of applications and containers.

use super::super::words::{after, between, word_after};
use super::memory::container_exit;
use super::{Rule, Weight};

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "unknown-queue",
        weight: Weight::Known,
        says: |line| {
            let queue = word_after(line, "to unknown queue: ")
                .or_else(|| word_after(line, "to non-leaf queue: "))?;
            Some(format!("YARN has no queue `{queue}` that takes applications"))
        },
        advice: "name a queue that is there (spark.yarn.queue, mapreduce.job.queuename), or configure it (capacity-scheduler)",
    },
    Rule {
        name: "asks-too-much",
        weight: Weight::Known,
        says: |line| {
            let spark = line.contains("is above the max threshold");
            let yarn = line.contains("InvalidResourceRequestException")
                || line.contains("Invalid resource request");
            (spark || yarn)
                .then(|| "the step asks for larger containers than the cluster gives".to_owned())
        },
        advice: "ask for less memory or fewer cores for each executor or driver, or use larger instances",
    },
    Rule {
        name: "master-timed-out",
        weight: Weight::Known,
        says: |line| {
            let found = (line.contains("ApplicationMaster for attempt")
                || line.contains("AM for attempt"))
                && line.contains("timed out");
            found.then(|| "the application's master did not tell YARN of itself in time".to_owned())
        },
        advice: "look at its container's log: it could not start, was too busy (memory), or its node was lost",
    },
    Rule {
        name: "localisation",
        weight: Weight::Known,
        says: |line| {
            (container_exit(line)? == -1000)
                .then(|| "YARN could not fetch a file that a container needs (-1000)".to_owned())
        },
        advice: "check the paths of jars, files and archives of the step, and that the cluster may read them",
    },
    Rule {
        name: "node-lost",
        weight: Weight::Known,
        says: |line| {
            let found = line.contains("Container released on a *lost* node")
                || container_exit(line) == Some(-100);
            found.then(|| "a node was lost while it ran a container (-100)".to_owned())
        },
        advice: "a spot instance was taken back, the cluster shrank, or the node failed: run the step again, with core nodes on demand",
    },
    Rule {
        name: "disks-failed",
        weight: Weight::Known,
        says: |line| {
            (container_exit(line)? == -101)
                .then(|| "the disks of a node failed or are nearly full (-101)".to_owned())
        },
        advice: "give the instances larger volumes (ebsConfiguration)",
    },
    Rule {
        name: "preempted",
        weight: Weight::Known,
        says: |line| {
            (container_exit(line)? == -102)
                .then(|| "YARN took a container away for another queue (-102)".to_owned())
        },
        advice: "run it when the cluster is less busy, or give its queue more",
    },
    Rule {
        name: "killed-by-user",
        weight: Weight::Known,
        says: |line| {
            let user = word_after(line, "was killed by user ")
                .or_else(|| word_after(line, "killed by user "))?;
            Some(format!("the application was killed by `{user}`"))
        },
        advice: "ask who did it; EMR does so when a step is cancelled",
    },
    Rule {
        name: "too-many-attempts",
        weight: Weight::Summary,
        says: |line| {
            let application = between(line, "Application application_", " failed ")?;
            let times = between(line, " failed ", " times")?;
            let due = after(line, " due to ")
                .map(|why| format!(": {}", super::super::words::short(why.trim())));
            Some(format!(
                "YARN started the application_{application} {times} times, and it failed{}",
                due.unwrap_or_default()
            ))
        },
        advice: "look at the logs of its containers (containers/APPLICATION below logUri)",
    },
];
