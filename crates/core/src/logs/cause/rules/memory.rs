//! Out of memory, in all its forms; and full disks.

use super::super::words::{between, number_after, word_after};
use super::{Rule, Weight};

const MORE: &str = "give the program more memory (spark.driver.memory, spark.executor.memory, \
                    mapreduce.map.java.opts, mapreduce.reduce.java.opts), or part the data finer";
const OVERHEAD: &str = "raise spark.executor.memoryOverhead or spark.driver.memoryOverhead \
                        (mapreduce.map.memory.mb, mapreduce.reduce.memory.mb), or use fewer cores for each executor";

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "too-many-threads",
        weight: Weight::Deadly,
        says: |line| {
            let native = line.contains("unable to create new native thread")
                || line.contains("unable to create native thread");
            native.then(|| "the JVM could not start one more thread".to_owned())
        },
        advice: "the machine has too many threads or processes, or no memory left for another: \
                 start fewer at once, or use larger machines",
    },
    Rule {
        name: "out-of-memory",
        weight: Weight::Deadly,
        says: |line| {
            // Not `-XX:OnOutOfMemoryError=…`, which many command lines have.
            let rest = line.split_once("java.lang.OutOfMemoryError")?.1;
            let what = rest.strip_prefix(": ").map_or("", str::trim);
            let what = if what.is_empty() { String::new() } else { format!(" ({what})") };
            Some(format!("the JVM ran out of memory{what}"))
        },
        advice: MORE,
    },
    Rule {
        name: "gc-overhead",
        weight: Weight::Deadly,
        says: |line| {
            let found = line.contains("GC overhead limit exceeded");
            found
                .then(|| "the JVM did little but collect garbage: it is short of memory".to_owned())
        },
        advice: MORE,
    },
    Rule {
        name: "beyond-physical-memory",
        weight: Weight::Deadly,
        says: |line| {
            let texts = [
                "killed by YARN for exceeding memory limits",
                "killed by YARN for exceeding physical memory limits",
                "running beyond physical memory limits",
                "running beyond the 'PHYSICAL' memory limit",
            ];
            texts.iter().find(|text| line.contains(**text))?;
            Some(format!(
                "YARN killed a container that used more memory than it asked for{}",
                used(line, "physical")
            ))
        },
        advice: OVERHEAD,
    },
    Rule {
        name: "beyond-virtual-memory",
        weight: Weight::Deadly,
        says: |line| {
            let texts = [
                "killed by YARN for exceeding virtual memory limits",
                "running beyond virtual memory limits",
                "running beyond the 'VIRTUAL' memory limit",
            ];
            texts.iter().find(|text| line.contains(**text))?;
            Some(format!("YARN killed a container for its virtual memory{}", used(line, "virtual")))
        },
        advice: "set yarn.nodemanager.vmem-check-enabled to false, or raise yarn.nodemanager.vmem-pmem-ratio",
    },
    Rule {
        name: "container-104",
        weight: Weight::Deadly,
        says: |line| {
            (container_exit(line)? == -104).then(|| {
                "YARN killed a container that used more memory than it asked for (-104)".to_owned()
            })
        },
        advice: OVERHEAD,
    },
    Rule {
        name: "container-103",
        weight: Weight::Deadly,
        says: |line| {
            (container_exit(line)? == -103)
                .then(|| "YARN killed a container for its virtual memory (-103)".to_owned())
        },
        advice: "set yarn.nodemanager.vmem-check-enabled to false, or raise yarn.nodemanager.vmem-pmem-ratio",
    },
    Rule {
        name: "machine-out-of-memory",
        weight: Weight::Deadly,
        says: |line| {
            let texts = [
                "insufficient memory for the Java Runtime Environment",
                "Cannot allocate memory",
                "Could not reserve enough space for",
            ];
            texts.iter().find(|text| line.contains(**text))?;
            Some("the machine has no memory left for the program".to_owned())
        },
        advice: "use a larger machine, or start less at once on it",
    },
    Rule {
        name: "python-memory",
        weight: Weight::Deadly,
        says: |line| {
            let ours = line == "MemoryError"
                || line.starts_with("MemoryError:")
                || line.contains("numpy.core._exceptions._ArrayMemoryError");
            ours.then(|| "the Python program ran out of memory".to_owned())
        },
        advice: "raise spark.executor.pyspark.memory or spark.executor.memoryOverhead, use a larger machine, or read less at once",
    },
    Rule {
        name: "container-137",
        weight: Weight::Known,
        says: |line| {
            (container_exit(line)? == 137).then(|| {
                "a container was killed (exit code 137), most likely for lack of memory".to_owned()
            })
        },
        advice: OVERHEAD,
    },
    Rule {
        name: "disk-full",
        weight: Weight::Deadly,
        says: |line| {
            let full = ["No space left on device", "Disk quota exceeded"]
                .iter()
                .any(|text| line.contains(text));
            full.then(|| "a disk is full".to_owned())
        },
        advice: "give the instances larger volumes (ebsConfiguration), or write less beside the results \
                 (shuffle files, copies in HDFS, logs)",
    },
    Rule {
        name: "driver-memory-too-small",
        weight: Weight::Known,
        says: |line| {
            let least =
                word_after(line, " must be at least ").filter(|_| line.contains("ystem memory"))?;
            Some(format!("the driver has less memory than Spark can start with ({least} bytes)"))
        },
        advice: "raise spark.driver.memory",
    },
    Rule {
        name: "results-too-large",
        weight: Weight::Known,
        says: |line| {
            line.contains("is bigger than spark.driver.maxResultSize").then(|| {
                "the results that the driver collects are larger than it may take".to_owned()
            })
        },
        advice: "write results out instead of collecting them, or raise spark.driver.maxResultSize",
    },
];

/// `5.6 GB of 5.5 GB physical memory used` as a remark.
fn used(line: &str, kind: &str) -> String {
    let behind = format!(" {kind} memory used");
    let usage = between(line, "Current usage: ", &behind)
        .or_else(|| between(line, "limits. ", &behind))
        .map(|usage| usage.rsplit("; ").next().unwrap_or(usage))
        .filter(|usage| usage.len() < 60);
    usage.map(|usage| format!(" ({usage})")).unwrap_or_default()
}

/// The exit code that YARN tells of a container. The negative ones are YARN's own: `ContainerExitStatus` of
/// `org.apache.hadoop.yarn.api.records`.
pub(super) fn container_exit(line: &str) -> Option<i32> {
    if !line.contains("ontainer") {
        return None;
    }
    let before = [
        "non-zero exit code ",
        "exitCode: ",
        "exitCode=",
        "Exit status: ",
        "exit status: ",
        "exitStatus=",
        "with exit code ",
    ];
    before.iter().find_map(|before| number_after(line, before))
}
