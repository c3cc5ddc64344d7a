//! DataprocClusterConfig 1-0-0. How names must be written is held against the fabric's own rules once all is read.

use std::sync::Arc;
use std::time::Duration;

use super::read::{Record, check_keys};
use super::web::{plain, url};
use crate::diagnostic::{Diagnostic, code};
use crate::fabric::dataproc::{
    Accelerator, Config, Credentials, Disks, Extra, FailedWorkers, Group, InitializationAction,
    Network, Preemptibility, Secondary, Selection, forms, limits,
};
use crate::secret::{Secret, Text};
use crate::suggest::suggest;

/// There is no end but that of the type.
const MOST: i64 = u32::MAX as i64;

/// What is missing or faulty was told of, and is left out: so the fabric's rules tell the rest in the same go.
pub(super) fn read(data: Record<'_>) -> Config {
    let nothing = || Text::new("", data.source_span());
    let access = data.inner("credentials", access);
    let (credentials, impersonate, quota_project) =
        access.unwrap_or((Credentials::Default, None, None));
    let (single_node, master) = (data.bool("singleNode"), data.inner("master", master));
    single(&data, single_node.unwrap_or(false), master.as_ref());
    let address = |name| data.filled(name).and_then(|text| url(&data, name, &text));
    Config {
        source: Arc::clone(data.document().source()),
        name: data.needed_name("name").unwrap_or_else(nothing),
        // One that is wrong is one all the same.
        project: shown(&data, "project")
            .or_else(|| data.has("project").then(|| data.empty("project"))),
        region: data.needed_name("region").unwrap_or_else(nothing),
        zone: shown(&data, "zone"),
        credentials,
        impersonate,
        quota_project,
        endpoint: address("endpoint"),
        storage_endpoint: address("storageEndpoint"),
        image_version: shown(&data, "imageVersion"),
        master,
        workers: data.inner("workers", workers),
        secondary_workers: data.inner("secondaryWorkers", secondary),
        single_node: single_node.unwrap_or(false),
        network: data.inner("network", network).unwrap_or_default(),
        service_account: shown(&data, "serviceAccount"),
        service_account_scopes: texts(&data, "serviceAccountScopes"),
        initialization_actions: data.each("initializationActions", |_, record| {
            let timeout = seconds(&record, "timeoutSeconds", limits::ACTION_SECONDS);
            let file = record.needed("executableFile");
            let executable_file = file.unwrap_or_else(|| Text::new("", record.source_span()));
            InitializationAction { executable_file, timeout }
        }),
        optional_components: texts(&data, "optionalComponents"),
        properties: {
            property_keys(&data);
            data.map("properties")
        },
        autoscaling_policy: shown(&data, "autoscalingPolicy"),
        idle_ttl: seconds(&data, "idleTtlSeconds", limits::IDLE_TTL),
        max_age: seconds(&data, "maxAgeSeconds", limits::MAX_AGE),
        labels: {
            check_keys(&data, "labels", code::LABEL_KEY, forms::fault_of_label_key);
            let labels = data.map("labels");
            labels.values().for_each(|value| data.warn_of_secret("labels", value));
            labels
        },
        kms_key: shown(&data, "kmsKey"),
        staging_bucket: shown(&data, "stagingBucket"),
        temp_bucket: shown(&data, "tempBucket"),
        component_gateway: data.bool("componentGateway"),
        on_failed_workers: data
            .symbol("onFailedWorkers")
            .and_then(FailedWorkers::from_name)
            .unwrap_or_default(),
        extra: data.filled("extra").and_then(|text| extra(&data, text)),
    }
}

/// A text that others see, too.
fn shown(record: &Record<'_>, name: &str) -> Option<Text> {
    record.filled(name).inspect(|text| record.warn_of_secret(name, text))
}

/// Texts of which none is empty.
fn texts(record: &Record<'_>, name: &str) -> Vec<Text> {
    let texts = record.texts(name);
    if texts.iter().any(|text| text.expose().is_empty()) {
        let message = format!("`{}` must not hold an empty text", record.path.key(name));
        record.fault(record.span_of(name), Diagnostic::error(code::EMPTY_VALUE, message));
    }
    texts
}

fn seconds(
    record: &Record<'_>,
    name: &str,
    range: std::ops::RangeInclusive<i64>,
) -> Option<Duration> {
    record.integer_within(name, range).map(|n| Duration::from_secs(n.unsigned_abs()))
}

fn number(record: &Record<'_>, name: &str, range: std::ops::RangeInclusive<i64>) -> Option<u32> {
    record.integer_within(name, range).and_then(|n| u32::try_from(n).ok())
}

/// Who asks, as whom, and at whose cost.
fn access(record: Record<'_>) -> (Credentials, Option<String>, Option<String>) {
    let (file, json) = (plain(&record, "file"), record.filled("json"));
    let token = record.filled("token");
    let given = ["file", "json", "token"].iter().filter(|name| record.has(name)).count();
    if given > 1 {
        let message =
            format!("`{}` must have one of `file`, `json` and `token` at most", record.path);
        record.fault_here(Diagnostic::error(code::CREDENTIALS, message));
    }
    if let Some(json) = &json {
        let is_object = serde_json::from_str::<serde_json::Map<_, _>>(json.expose()).is_ok();
        if !is_object {
            let message = format!(
                "`{}` must hold the content of a file of credentials",
                record.path.key("json")
            );
            let help = "Google makes such files: a JSON object with a `type`";
            record.fault(
                record.span_of("json"),
                Diagnostic::error(code::CREDENTIALS, message).help(help),
            );
        }
    }
    let credentials = match (file, json, token) {
        (Some(_), _, _) => {
            record.filled("file").map(|file| Credentials::File(record.beside(&file)))
        }
        (None, Some(json), _) => Some(Credentials::Json(Secret::new(json.expose()))),
        (None, None, Some(token)) => Some(Credentials::Token(Secret::new(token.expose()))),
        (None, None, None) => None,
    };
    let impersonate = plain(&record, "impersonate");
    if impersonate.as_ref().is_some_and(|account| !forms::is_account(account)) {
        let path = record.path.key("impersonate");
        let message = format!("`{path}` must be the e-mail address of a service account");
        let fault = Diagnostic::error(code::SERVICE_ACCOUNT, message);
        record.fault(record.span_of("impersonate"), fault);
    }
    (credentials.unwrap_or(Credentials::Default), impersonate, plain(&record, "quotaProject"))
}

fn master(record: Record<'_>) -> Group {
    let group = group(&record, i64::MIN..=i64::MAX);
    let instances = record.integer("numInstances");
    if instances.is_some_and(|n| !limits::MASTERS.contains(&n)) {
        let message = format!("`{}` must be 1 or 3", record.path.key("numInstances"));
        let fault = Diagnostic::error(code::NUMBER_RANGE, message);
        record.fault(record.span_of("numInstances"), fault);
    }
    group
}

fn workers(record: Record<'_>) -> Group {
    group(&record, limits::FEWEST_WORKERS..=MOST)
}

/// Where the master is all there is, nothing is said of others.
fn single(data: &Record<'_>, single: bool, master: Option<&Group>) {
    if !single {
        return;
    }
    for name in ["workers", "secondaryWorkers", "autoscalingPolicy"] {
        if data.has(name) {
            let path = data.path.key(name);
            let message = format!("`{path}` makes no sense beside `singleNode`");
            let fault = Diagnostic::error(code::SINGLE_NODE, message);
            data.fault(data.span_of(name), fault.help("take one of the two out"));
        }
    }
    if master.and_then(|master| master.instances).is_some_and(|n| n != 1) {
        let message =
            format!("`{}.numInstances` must be 1 beside `singleNode`", data.path.key("master"));
        data.fault(data.span_of("master"), Diagnostic::error(code::SINGLE_NODE, message));
    }
}

fn group(record: &Record<'_>, instances: std::ops::RangeInclusive<i64>) -> Group {
    Group {
        instances: number(record, "numInstances", instances),
        machine_type: shown(record, "machineType"),
        min_cpu_platform: shown(record, "minCpuPlatform"),
        image: shown(record, "image"),
        disks: Disks {
            boot_type: shown(record, "bootDiskType"),
            boot_size_gb: number(record, "bootDiskSizeGb", limits::BOOT_DISK_GB),
            boot_iops: number(record, "bootDiskProvisionedIops", 1..=MOST),
            boot_throughput: number(record, "bootDiskProvisionedThroughput", 1..=MOST),
            local_ssds: number(record, "numLocalSsds", limits::LOCAL_SSDS),
            local_ssd_interface: shown(record, "localSsdInterface"),
        },
        accelerators: record.each("accelerators", |_, record| Accelerator {
            kind: record.needed("type").unwrap_or_else(|| Text::new("", record.source_span())),
            count: number(&record, "count", 1..=MOST).unwrap_or(1),
        }),
    }
}

fn secondary(record: Record<'_>) -> Secondary {
    let preemptibility = record.symbol("preemptibility").and_then(Preemptibility::from_name);
    let secondary = Secondary {
        group: group(&record, 0..=MOST),
        preemptibility,
        selections: record.each("machineTypeSelections", |_, record| {
            // That it is absent, the schema has said.
            if record.has("machineTypes") && record.is_empty_list("machineTypes") {
                let message =
                    format!("`{}` must name at least one type", record.path.key("machineTypes"));
                let fault = Diagnostic::error(code::EMPTY_VALUE, message);
                record.fault(record.span_of("machineTypes"), fault);
            }
            let rank = number(&record, "rank", 0..=MOST);
            Selection { machine_types: texts(&record, "machineTypes"), rank }
        }),
        standard_base: number(&record, "standardCapacityBase", 0..=MOST),
        standard_percent: number(&record, "standardCapacityPercentAboveBase", 0..=100),
    };
    let may_be_spot = match preemptibility {
        Some(preemptibility) => preemptibility == Preemptibility::Spot,
        None => record.has("preemptibility"),
    };
    for name in ["standardCapacityBase", "standardCapacityPercentAboveBase"] {
        // What is mixed with standard machines are Spot ones: `ProvisioningModelMix` of the API.
        if record.has(name) && !may_be_spot {
            let message = format!("`{}` is for machines of `SPOT`", record.path.key(name));
            let fault = Diagnostic::error(code::PROVISIONING_MIX, message);
            let help = "write `\"preemptibility\": \"SPOT\"`, or take it out";
            record.fault(record.span_of(name), fault.help(help));
        }
    }
    secondary
}

fn network(record: Record<'_>) -> Network {
    check_keys(&record, "metadata", code::METADATA_KEY, forms::fault_of_metadata_key);
    Network {
        network: shown(&record, "network"),
        subnetwork: shown(&record, "subnetwork"),
        internal_ip_only: record.bool("internalIpOnly"),
        tags: texts(&record, "tags"),
        metadata: record.map("metadata"),
    }
}

/// Prefixes that nobody has heard of are passed on with a warning: Dataproc may know more of them.
fn property_keys(data: &Record<'_>) {
    check_keys(data, "properties", code::PROPERTY_KEY, forms::fault_of_property_key);
    let map = data.path.key("properties");
    for (key, at) in data.keys("properties") {
        let Some((prefix, _)) = key.split_once(':') else { continue };
        if prefix.is_empty() || forms::PREFIXES.contains(&prefix) {
            continue;
        }
        let path = data.entry_path(&map, &key, at);
        let message = format!("`{path}` has no prefix that is known");
        let mut fault = Diagnostic::warning(code::PROPERTY_PREFIX, message);
        if data.document().is_literal(at)
            && let Some(near) = suggest(prefix, forms::PREFIXES)
        {
            fault = fault.help(format!("did you mean `{near}:`?"));
        }
        data.fault(at, fault);
    }
}

fn extra(data: &Record<'_>, text: Text) -> Option<Extra> {
    let fault = match Extra::parse(text) {
        Ok(extra) => return Some(extra),
        Err(fault) => fault,
    };
    let message = format!("`{}` {fault}", data.path.key("extra"));
    let help = "write a JSON object in the words of the API, with each `\"` in it as `\\\"`";
    data.fault(data.span_of("extra"), Diagnostic::error(code::EXTRA, message).help(help));
    None
}
