//! ClusterConfig 1-*-*: a cluster of Amazon EMR, with the rules that can be checked offline.

use std::sync::Arc;

use super::read::Record;
use crate::diagnostic::{Diagnostic, code};
use crate::fabric::emr::{
    Bootstrap, Config, Configuration, Credentials, Ebs, Group, Location, Release, Roles, Tag,
    Volumes,
};
use crate::secret::{Secret, Text};

pub(super) fn read(data: Record<'_>) -> Option<Config> {
    let name = data.needed_name("name");
    let log_uri = data.filled_or_warned("logUri");
    let region = data.needed("region");
    let credentials =
        data.needed_record("credentials", |record| read_credentials(&record)).flatten();
    let roles = data.inner("roles", |roles| Roles {
        instances: roles.filled_or_warned("jobflow"),
        service: roles.filled_or_warned("service"),
    });
    if !data.has("roles") {
        data.warn_empty("roles");
    }
    let ec2 = data.needed_record("ec2", |ec2| read_ec2(&ec2)).flatten();
    let tags =
        data.each("tags", |_, tag| Tag { key: tag.or_empty("key"), value: tag.or_empty("value") });
    let bootstrap = data.each("bootstrapActionConfigs", |_, record| read_bootstrap(&record));
    let configurations = data.each("configurations", |_, record| read_configuration(&record));
    let applications = data.texts("applications");
    let security_configuration =
        data.text("securityConfiguration").filter(|text| !text.expose().is_empty());
    let ec2 = ec2?;
    Some(Config {
        source: Arc::clone(data.document().source()),
        name: name?,
        log_uri,
        region: region?,
        credentials: credentials?,
        roles: roles.unwrap_or(Roles { instances: None, service: None }),
        ami_version: ec2.ami_version,
        key_name: ec2.key_name,
        location: ec2.location,
        master: ec2.master,
        core: ec2.core,
        task: ec2.task,
        tags,
        bootstrap,
        configurations,
        applications,
        security_configuration,
    })
}

/// Credentials of a cluster or a playbook.
pub(super) fn read_credentials(record: &Record<'_>) -> Option<Credentials> {
    let (id, secret) = (record.needed("accessKeyId"), record.needed("secretAccessKey"));
    let (id, secret) = (id?, secret?);
    let words = [
        ("iam", Credentials::Instance),
        ("env", Credentials::Environment),
        ("default", Credentials::Chain),
    ];
    for (word, meaning) in words {
        match (id.expose() == word, secret.expose() == word) {
            (true, true) => return Some(meaning),
            (false, false) => {}
            (of_id, _) => {
                // The words of 0.7.x.
                let message =
                    format!("access-key and secret-key must both be set to '{word}', or neither");
                let other = if of_id { "secretAccessKey" } else { "accessKeyId" };
                record.fault(record.span_of(other), Diagnostic::error(code::CREDENTIALS, message));
                return None;
            }
        }
    }
    Some(Credentials::Key {
        at: [id.span, secret.span],
        id: Secret::new(id.expose()),
        secret: Secret::new(secret.expose()),
    })
}

/// What is said about the machines.
struct Ec2 {
    ami_version: Text,
    key_name: Option<Text>,
    location: Location,
    master: Group,
    core: Option<Group>,
    task: Option<Group>,
}

fn read_ec2(ec2: &Record<'_>) -> Option<Ec2> {
    let ami_version = ec2.needed("amiVersion");
    if ami_version.as_ref().is_some_and(|version| Release::parse(version.expose()).is_none()) {
        let message = format!("`{}.amiVersion` is not a version of EMR", ec2.path);
        let fault = Diagnostic::error(code::AMI_VERSION, message);
        ec2.fault(
            ec2.span_of("amiVersion"),
            fault.label("expected such as `7.5.0` or `emr-7.5.0`"),
        );
    }
    let key_name = ec2.filled_or_warned("keyName");
    let location = ec2.needed_record("location", |location| read_location(&location)).flatten();
    let groups = ec2.needed_record("instances", |instances| {
        let master =
            instances.needed_record("master", |group| read_group(&group, Some(1))).flatten();
        let core = instances.inner("core", |group| read_group(&group, None)).flatten();
        let task = instances.inner("task", |group| {
            if !group.has("bid") {
                group.warn_empty("bid");
            }
            read_group(&group, None)
        });
        let task = task.flatten();
        (master, core, task)
    });
    let (master, core, task) = groups?;
    Some(Ec2 {
        ami_version: ami_version?,
        key_name,
        location: location?,
        master: master?,
        core,
        task,
    })
}

fn read_location(location: &Record<'_>) -> Option<Location> {
    let zone = location.inner("classic", |classic| classic.needed("availabilityZone"));
    let subnet = location.inner("vpc", |vpc| vpc.needed("subnetId"));
    // The words of 0.7.x.
    let message = match (&zone, &subnet) {
        (Some(_), Some(_)) => "Only one of Availability Zone and Subnet id should be provided",
        (None, None) if !location.has("classic") && !location.has("vpc") => {
            "At least one of Availability Zone and Subnet id is required"
        }
        _ => {
            let zone = zone.flatten().map(Location::Zone);
            return zone.or(subnet.flatten().map(Location::Subnet));
        }
    };
    location.fault_here(Diagnostic::error(code::LOCATION, message));
    None
}

/// A group of instances; `None` where there are none, or on a fault. A count that is not given by the kind of the group is
/// read.
fn read_group(group: &Record<'_>, count: Option<u32>) -> Option<Group> {
    let ebs = group.inner("ebsConfiguration", |ebs| read_ebs(&ebs));
    let bid = group.text("bid").filter(|bid| !bid.expose().is_empty());
    let count = match count {
        Some(count) => count,
        None => {
            if !group.has("count") {
                group.warn_empty("count");
            }
            let count = group.integer_within("count", i64::MIN..=i64::from(i32::MAX));
            // 0 or less: no such group, whatever else is said about it.
            u32::try_from(count?).ok().filter(|count| *count > 0)?
        }
    };
    Some(Group { instance_type: group.needed("type")?, count, bid, ebs })
}

fn read_ebs(ebs: &Record<'_>) -> Ebs {
    if !ebs.has("ebsOptimized") {
        ebs.warn_empty("ebsOptimized");
    }
    if !ebs.has("ebsBlockDeviceConfigs") {
        ebs.warn_empty("ebsBlockDeviceConfigs");
    }
    let volumes = ebs.each("ebsBlockDeviceConfigs", |_, device| {
        let per_instance = integer_or_empty(&device, "volumesPerInstance");
        let volumes =
            device.inner("volumeSpecification", |volume| read_volume(&volume, per_instance));
        if !device.has("volumeSpecification") {
            device.warn_empty("volumeSpecification");
        }
        volumes.unwrap_or_else(|| Volumes {
            per_instance,
            volume_type: Text::new("", device.source_span()),
            size_gb: 0,
            iops: None,
            throughput: None,
        })
    });
    Ebs { optimized: ebs.bool("ebsOptimized").unwrap_or(false), volumes }
}

fn read_volume(volume: &Record<'_>, per_instance: i64) -> Volumes {
    let volume_type = volume.or_empty("volumeType");
    let size_gb = integer_or_empty(volume, "sizeInGB");
    // 0 is what 0.7.x files say where there is none.
    let sent = |name: &str, refused: bool| {
        let n = volume.integer(name).filter(|n| *n != 0);
        if n.is_some() && refused {
            let message =
                format!("`{}.{name}` is not sent: volumes of this type have none", volume.path);
            volume.fault(volume.span_of(name), Diagnostic::warning(code::EBS_NOT_SENT, message));
        }
        n.filter(|_| !refused)
    };
    Volumes {
        per_instance,
        size_gb,
        iops: sent("iops", volume_type.expose() == "gp2"),
        throughput: sent("throughput", volume_type.expose() != "gp3"),
        volume_type,
    }
}

/// An integer that 0.7.x took for 0 where it is absent.
fn integer_or_empty(record: &Record<'_>, name: &str) -> i64 {
    if !record.has(name) {
        record.warn_empty(name);
    }
    record.integer(name).unwrap_or(0)
}

fn read_bootstrap(record: &Record<'_>) -> Bootstrap {
    let name = record.or_empty("name");
    let script = record.inner("scriptBootstrapAction", |script| {
        if !script.has("args") {
            script.warn_empty("args");
        }
        (script.or_empty("path"), script.texts("args"))
    });
    if !record.has("scriptBootstrapAction") {
        record.warn_empty("scriptBootstrapAction");
    }
    let empty = || (Text::new("", record.source_span()), Vec::new());
    let (path, args) = script.unwrap_or_else(empty);
    Bootstrap { name, path, args }
}

fn read_configuration(record: &Record<'_>) -> Configuration {
    let classification = record.or_empty("classification");
    if !record.has("properties") {
        record.warn_empty("properties");
    }
    Configuration {
        classification,
        properties: record.map("properties"),
        configurations: record.each("configurations", |_, inner| read_configuration(&inner)),
    }
}
