//! How many and how long, as Dataproc says: what `DISCOVERY` is said to tell is in the discovery document of the API,
//! <https://dataproc.googleapis.com/$discovery/rest?version=v1>.

use std::ops::RangeInclusive;
use std::time::Duration;

/// Seconds that a cluster may be idle before it deletes itself (DISCOVERY, `LifecycleConfig.idleDeleteTtl`).
pub(crate) const IDLE_TTL: RangeInclusive<i64> = 300..=1_209_600;

/// Seconds of the age at which a cluster deletes itself (DISCOVERY, `LifecycleConfig.autoDeleteTtl`).
pub(crate) const MAX_AGE: RangeInclusive<i64> = 600..=1_209_600;

/// Of a cluster that is launched for one run. Longer than any pause between two attempts of a step: such a cluster must not
/// go in the midst of a run.
pub(super) const USUAL_IDLE_TTL: Duration = Duration::from_secs(7200);

/// Of a cluster that is launched for one run. It is what ends a cluster whose job never ends.
pub(super) const USUAL_MAX_AGE: Duration = Duration::from_secs(86_400);

/// So many masters there can be (DISCOVERY, `InstanceGroupConfig.numInstances`).
pub(crate) const MASTERS: [i64; 2] = [1, 3];

/// The fewest primary workers of a cluster that is no single node.
/// <https://cloud.google.com/dataproc/docs/guides/create-cluster>
pub(crate) const FEWEST_WORKERS: i64 = 2;

/// Local SSDs of a machine (DISCOVERY, `DiskConfig.numLocalSsds`).
pub(crate) const LOCAL_SSDS: RangeInclusive<i64> = 0..=8;

/// GB of a boot disk: the least is that of `gcloud dataproc clusters create`, the most that of a Persistent Disk.
/// <https://cloud.google.com/compute/docs/disks/persistent-disks>
pub(crate) const BOOT_DISK_GB: RangeInclusive<i64> = 10..=65_536;

/// Seconds that an initialization action may take. Google names no end; longer than a day is a mistake in the unit.
pub(crate) const ACTION_SECONDS: RangeInclusive<i64> = 1..=86_400;

/// The most labels of a cluster (DISCOVERY, `Cluster.labels`), ours among them.
pub(super) const MOST_LABELS: usize = 32;

/// The most tags of a machine. <https://cloud.google.com/vpc/docs/add-remove-network-tags>
pub(super) const MOST_NETWORK_TAGS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::playbook::Retries;

    #[test]
    fn what_is_usual_can_be_and_lets_a_run_pause() {
        for (usual, range) in [(USUAL_IDLE_TTL, IDLE_TTL), (USUAL_MAX_AGE, MAX_AGE)] {
            let seconds = i64::try_from(usual.as_secs()).expect("small");
            assert!(range.contains(&seconds), "{seconds}");
        }
        assert!(USUAL_IDLE_TTL > Retries::LONGEST && USUAL_IDLE_TTL < USUAL_MAX_AGE);
    }
}
