//! How names are written at Google. DISCOVERY is the discovery document of the API of Dataproc,
//! <https://dataproc.googleapis.com/$discovery/rest?version=v1>.

/// What can be installed (DISCOVERY, `SoftwareConfig.optionalComponents`).
pub(super) const COMPONENTS: [&str; 19] = [
    "ALLOYDB_CONNECTOR",
    "ANACONDA",
    "DELTA",
    "DOCKER",
    "DRUID",
    "FLINK",
    "HBASE",
    "HIVE_WEBHCAT",
    "HUDI",
    "ICEBERG",
    "JUPYTER",
    "JUPYTER_KERNEL_GATEWAY",
    "PIG",
    "PRESTO",
    "RANGER",
    "SOLR",
    "TRINO",
    "ZEPPELIN",
    "ZOOKEEPER",
];

/// What keys of properties begin with. <https://cloud.google.com/dataproc/docs/concepts/cluster-properties>
pub(crate) const PREFIXES: [&str; 38] = [
    "capacity-scheduler",
    "core",
    "dataproc",
    "delta",
    "distcp",
    "flink",
    "flink-log4j",
    "hadoop-env",
    "hadoop-log4j",
    "hbase",
    "hbase-log4j",
    "hdfs",
    "hive",
    "hive-env",
    "hive-log4j2",
    "hudi",
    "iceberg",
    "mapred",
    "mapred-env",
    "pig",
    "pig-log4j",
    "presto",
    "presto-jvm",
    "ranger",
    "solr",
    "spark",
    "spark-env",
    "spark-log4j",
    "spark-metrics",
    "tez",
    "trino",
    "trino-jvm",
    "yarn",
    "yarn-env",
    "zeppelin",
    "zeppelin-env",
    "zookeeper",
    "zookeeper-log4j",
];

/// Boot disks (DISCOVERY, `DiskConfig.bootDiskType` and `bootDiskProvisionedIops`).
pub(super) const BOOT_DISKS: [&str; 4] = ["pd-standard", "pd-balanced", "pd-ssd", PROVISIONED_DISK];

/// The one whose speed can be chosen (DISCOVERY, `DiskConfig.bootDiskProvisionedIops`).
pub(super) const PROVISIONED_DISK: &str = "hyperdisk-balanced";

/// How local SSDs are attached (DISCOVERY, `DiskConfig.localSsdInterface`).
pub(super) const SSD_INTERFACES: [&str; 2] = ["scsi", "nvme"];

/// The name of a cluster (DISCOVERY, `Cluster.clusterName`): a lower-case letter, then up to 51 of lower-case letters,
/// digits and hyphens, and no hyphen at the end.
pub(super) fn is_cluster_name(name: &str) -> bool {
    name.len() <= 52 && is_label_of_rfc_1035(name)
}

/// The id of a project, perhaps with the domain that it belongs to.
/// <https://cloud.google.com/resource-manager/docs/creating-managing-projects>
pub(super) fn is_project(id: &str) -> bool {
    let (domain, id) = id.split_once(':').map_or((None, id), |(domain, id)| (Some(domain), id));
    let domain_is_good = domain.is_none_or(|domain| {
        !domain.is_empty() && domain.bytes().all(|b| is_small(b) || b == b'.')
    });
    domain_is_good && (6..=30).contains(&id.len()) && is_label_of_rfc_1035(id)
}

/// A region of Compute Engine: words of lower-case letters, the last with a number at its end. Not `global`, which
/// has an endpoint and quotas of its own.
/// <https://cloud.google.com/dataproc/docs/concepts/regional-endpoints>
pub(super) fn is_region(name: &str) -> bool {
    let words: Vec<_> = name.split('-').collect();
    let Some((last, first)) = words.split_last() else { return false };
    let number = last.trim_start_matches(|c: char| c.is_ascii_lowercase());
    let letters = |word: &&str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase());
    !first.is_empty()
        && first.iter().all(letters)
        && number.len() < last.len()
        && !number.is_empty()
        && number.bytes().all(|b| b.is_ascii_digit())
}

/// A zone of this region, by its name or URI (DISCOVERY, `GceClusterConfig.zoneUri`).
pub(super) fn is_zone_of(zone: &str, region: &str) -> bool {
    let name = last_part(zone).strip_prefix(region).and_then(|rest| rest.strip_prefix('-'));
    name.is_some_and(|name| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    })
}

/// The name or URI of a machine type, a network and the like.
pub(super) fn is_resource(name: &str) -> bool {
    let name = last_part(name);
    name.starts_with(|c: char| c.is_ascii_lowercase()) && name.bytes().all(is_small)
}

/// Whether it is more than a name (DISCOVERY, `InstanceGroupConfig.machineTypeUri`: with Auto Zone names only).
pub(super) fn is_uri(name: &str) -> bool {
    name.contains('/')
}

/// The version of an image: `2.2`, `2.2-debian12`, `2.2.12-debian12`, or `preview` with what may follow (DISCOVERY,
/// `SoftwareConfig.imageVersion`). <https://cloud.google.com/dataproc/docs/concepts/versioning/overview>
pub(super) fn is_image_version(version: &str) -> bool {
    let (numbers, rest) = version.split_once('-').map_or((version, None), |(n, r)| (n, Some(r)));
    let parts: Vec<_> = numbers.split('.').collect();
    let number = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let word = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric());
    (numbers == "preview" || ((2..=3).contains(&parts.len()) && parts.iter().all(number)))
        && rest.is_none_or(|rest| rest.split('-').all(word))
}

/// Major and minor number of an image's version, if it has them.
pub(super) fn image_numbers(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split('-').next()?.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// The name of a bucket, no URI (DISCOVERY, `ClusterConfig.configBucket`).
/// <https://cloud.google.com/storage/docs/buckets#naming>
pub(super) fn is_bucket(name: &str) -> bool {
    let good = |b: u8| is_small(b) || matches!(b, b'_' | b'.');
    let end = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let longest = if name.contains('.') { 222 } else { 63 };
    (3..=longest).contains(&name.len())
        && name.bytes().all(good)
        && name.starts_with(end)
        && name.ends_with(end)
        && name.split('.').all(|part| !part.is_empty() && part.len() <= 63)
}

/// The resource name of a key of Cloud KMS. <https://cloud.google.com/kms/docs/getting-resource-ids>
pub(super) fn is_kms_key(name: &str) -> bool {
    has_shape(name, &["projects", "locations", "keyRings", "cryptoKeys"])
}

/// The id of an autoscaling policy (DISCOVERY, `AutoscalingPolicy.id`).
pub(super) fn is_policy_id(id: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric();
    (3..=50).contains(&id.len())
        && id.chars().all(|c| good(c) || matches!(c, '_' | '-'))
        && id.starts_with(good)
        && id.ends_with(good)
}

/// The region in the resource name of an autoscaling policy (DISCOVERY, `AutoscalingConfig.policyUri`).
pub(super) fn region_of_policy(name: &str) -> Option<&str> {
    let name = &name[name.find("projects/")?..];
    let places = ["locations", "regions"];
    let of = places.iter().find(|of| has_shape(name, &["projects", of, "autoscalingPolicies"]));
    of.and_then(|_| name.split('/').nth(3))
}

/// The e-mail address of a service account, as far as all have one form.
/// <https://cloud.google.com/iam/docs/service-account-types>
pub(crate) fn is_account(address: &str) -> bool {
    let parts = address.split_once('@');
    parts.is_some_and(|(user, domain)| {
        !user.is_empty() && domain.contains('.') && !domain.contains(['@', ' ', '/'])
    })
}

/// A scope as a URI (DISCOVERY, `GceClusterConfig.serviceAccountScopes`).
pub(super) fn is_scope(scope: &str) -> bool {
    scope.starts_with("https://")
}

/// A file in Cloud Storage (DISCOVERY, `NodeInitializationAction.executableFile`).
pub(super) fn is_object(uri: &str) -> bool {
    let parts = uri.strip_prefix("gs://").and_then(|rest| rest.split_once('/'));
    parts.is_some_and(|(bucket, object)| is_bucket(bucket) && !object.is_empty())
}

/// A tag of a network. <https://cloud.google.com/vpc/docs/add-remove-network-tags>
pub(super) fn is_network_tag(tag: &str) -> bool {
    tag.len() <= 63 && is_label_of_rfc_1035(tag)
}

/// What is wrong with the key of an entry of the metadata of machines.
/// <https://cloud.google.com/compute/docs/metadata/setting-custom-metadata>
pub(crate) fn fault_of_metadata_key(key: &str) -> Option<&'static str> {
    let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    let fault = !(1..=128).contains(&key.len()) || !key.bytes().all(good);
    fault.then_some("a key has 1 to 128 letters, digits, `-` and `_`")
}

/// What is wrong with the key of a label. <https://cloud.google.com/dataproc/docs/guides/creating-managing-labels>; its
/// pattern is in DISCOVERY, `ManagedCluster.labels`. Of the keys that begin with `goog` Google sets some on every
/// cluster, such as `goog-dataproc-cluster-name`. <https://cloud.google.com/compute/docs/labeling-resources>
pub(crate) fn fault_of_label_key(key: &str) -> Option<&'static str> {
    if key.starts_with(OURS) {
        return Some("the program itself sets such labels, to find the cluster again");
    }
    if key.starts_with("goog") {
        return Some("Google keeps keys that begin with `goog` to itself");
    }
    let good = key.chars().all(is_of_label) && key.starts_with(|c| is_of_label(c) && begins(c));
    let good = good && key.chars().count() <= 63;
    (!good).then_some(
        "a key has 1 to 63 lower-case letters, digits, `_` and `-`, the first of them a letter",
    )
}

/// What our own labels begin with.
pub(super) const OURS: &str = "dataflow-runner-";

/// The value of a label; see [`fault_of_label_key`].
pub(super) fn is_label_value(value: &str) -> bool {
    value.chars().count() <= 63 && value.chars().all(is_of_label)
}

/// What is wrong with the key of a property of the cluster (DISCOVERY, `SoftwareConfig.properties`).
pub(crate) fn fault_of_property_key(key: &str) -> Option<&'static str> {
    if key == SINGLE_NODE {
        return Some("write `singleNode` instead");
    }
    let parts = key.split_once(':');
    let good = parts.is_some_and(|(prefix, name)| !prefix.is_empty() && !name.is_empty());
    (!good).then_some("a key is a prefix, `:` and a name, such as `spark:spark.executor.memory`")
}

/// The property by which a cluster has no workers.
/// <https://cloud.google.com/dataproc/docs/concepts/configuring-clusters/single-node-clusters>
pub(super) const SINGLE_NODE: &str = "dataproc:dataproc.allow.zero.workers";

/// Letters that have no case are letters, too.
fn is_of_label(c: char) -> bool {
    c.is_numeric() || matches!(c, '_' | '-') || begins(c)
}

fn begins(c: char) -> bool {
    c.is_alphabetic() && !c.is_uppercase()
}

/// A `<label>` of RFC 1035, section 2.3.1, in lower case.
fn is_label_of_rfc_1035(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(is_small)
        && !name.ends_with('-')
}

fn is_small(b: u8) -> bool {
    b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'
}

fn last_part(uri: &str) -> &str {
    uri.rsplit('/').next().unwrap_or(uri)
}

/// `a/*/b/*`, for collections a and b.
fn has_shape(name: &str, collections: &[&str]) -> bool {
    let parts: Vec<_> = name.split('/').collect();
    parts.len() == collections.len() * 2
        && parts.chunks(2).zip(collections).all(|(pair, of)| pair[0] == *of && !pair[1].is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn each(rule: impl Fn(&str) -> bool, good: &[&str], bad: &[&str]) {
        for name in good {
            assert!(rule(name), "{name}");
        }
        for name in bad {
            assert!(!rule(name), "{name}");
        }
    }

    #[test]
    fn names_of_clusters() {
        let longest = format!("a{}", "1".repeat(51));
        let longer = format!("{longest}1");
        each(
            is_cluster_name,
            &["a", "etl-2026-11-22", &longest],
            &["", "1a", "-a", "a-", "A", "a_b", "a.b", "ä", &longer],
        );
    }

    #[test]
    fn projects() {
        let longest = format!("a{}", "b".repeat(29));
        each(
            is_project,
            &["acme-1", "example.com:acme-etl", &longest],
            &["", "acme", "1acme-etl", "Acme-etl", "acme-etl-", ":acme-etl", "a b:acme-etl"],
        );
        assert!(!is_project(&format!("{longest}b")));
    }

    #[test]
    fn regions_and_zones() {
        each(
            is_region,
            &["europe-west1", "northamerica-northeast2", "u-france-east1"],
            &["", "global", "europe-west", "europe-west1-b", "Europe-west1", "-west1", "europe-1"],
        );
        each(
            |zone| is_zone_of(zone, "europe-west1"),
            &["europe-west1-b", "europe-west1-ai1a", "projects/p/zones/europe-west1-b"],
            &["", "europe-west1", "europe-west1-", "europe-west12-b", "europe-west1-B", "b"],
        );
    }

    #[test]
    fn machines_and_images() {
        each(
            is_resource,
            &["n2-standard-4", "custom-6-23040", "projects/p/zones/z/machineTypes/e2-medium"],
            &["", "N2-standard-4", "n2 standard 4", "n2_standard", "4-n2", "projects/p/"],
        );
        each(
            is_image_version,
            &[
                "2.2",
                "2.2-debian12",
                "2.1.12-ubuntu20",
                "2.3-ml-ubuntu",
                "preview",
                "preview-debian12",
            ],
            &["", "2", "2.2.2.2", "latest", "2.x", "2.2-", "2.2-debian_12", "dataproc-2.2"],
        );
        assert_eq!(image_numbers("2.3.1-debian12"), Some((2, 3)));
        assert_eq!(image_numbers("preview"), None);
    }

    #[test]
    fn places_in_cloud_storage() {
        let longest = "b".repeat(63);
        let longer = "b".repeat(64);
        each(
            is_bucket,
            &["etl", "a.example.com", "a_b-1", &longest],
            &["", "ab", "gs://etl", "etl/x", "Etl", "-etl", "etl.", "a..b", &longer],
        );
        each(
            is_object,
            &["gs://etl/a", "gs://etl/a/b c"],
            &["", "gs://etl", "gs://etl/", "s3://etl/a", "/etl/a", "gs://E/a"],
        );
    }

    #[test]
    fn resources() {
        let key = "projects/p/locations/l/keyRings/r/cryptoKeys/k";
        each(
            is_kms_key,
            &[key],
            &["", "k", &key[..key.len() - 1], &key[1..], &format!("{key}/cryptoKeyVersions/1")],
        );
        let longest = "p".repeat(50);
        let longer = "p".repeat(51);
        each(
            is_policy_id,
            &["p-1", "P_1", &longest],
            &["", "ab", "-ab", "ab_", "a b", "a/b", &longer],
        );
        let url =
            "https://www.googleapis.com/compute/v1/projects/p/locations/r1/autoscalingPolicies/x";
        assert_eq!(region_of_policy(url), Some("r1"));
        assert_eq!(region_of_policy("projects/p/regions/r1/autoscalingPolicies/x"), Some("r1"));
        for wrong in [
            "x",
            "projects/p/regions/r1/autoscalingPolicies/",
            "projects/p/x/r1/autoscalingPolicies/x",
        ] {
            assert_eq!(region_of_policy(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn accounts_scopes_and_tags() {
        each(
            is_account,
            &["etl@acme.iam.gserviceaccount.com", "1-compute@developer.gserviceaccount.com"],
            &["", "etl", "@a.b", "etl@", "etl@localhost", "a@b@c.d", "a@b.c d"],
        );
        each(is_scope, &["https://www.googleapis.com/auth/bigquery"], &["", "cloud-platform"]);
        each(is_network_tag, &["a", "etl-1"], &["", "1", "Etl", "etl-", "a_b", &"a".repeat(64)]);
    }

    #[test]
    fn keys() {
        let long = format!("ü{}", "日".repeat(62));
        each(
            |key| fault_of_label_key(key).is_none(),
            &["team", "a_b-1", "größe", &long],
            &[
                "",
                "Team",
                "1a",
                "_a",
                "-a",
                "a.b",
                "a b",
                &format!("{long}x"),
                "goog",
                "goog-dataproc-x",
                "dataflow-runner-run",
                "dataflow-runner-order",
            ],
        );
        each(
            is_label_value,
            &["", "1", "-", &"ü".repeat(63)],
            &["A", "a.b", "a b", &"ü".repeat(64)],
        );
        each(
            |key| fault_of_metadata_key(key).is_none(),
            &["a", "A-b_1", &"k".repeat(128)],
            &["", "a.b", "ü", &"k".repeat(129)],
        );
        each(
            |key| fault_of_property_key(key).is_none(),
            &["spark:spark.executor.memory", "x:y:z"],
            &["", "spark.executor.memory", ":x", "spark:", SINGLE_NODE],
        );
    }

    #[test]
    fn the_lists_have_nothing_twice() {
        for list in [&COMPONENTS[..], &PREFIXES[..], &BOOT_DISKS[..]] {
            let distinct: std::collections::HashSet<_> = list.iter().collect();
            assert_eq!(distinct.len(), list.len());
        }
        assert!(COMPONENTS.is_sorted() && PREFIXES.is_sorted());
    }
}
