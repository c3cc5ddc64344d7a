//! What stands against a cluster or a playbook on Dataproc, as far as it can be told before anything is sent. How names are
//! written, and where that is said, is in `forms`; how many and how long there can be, in `limits`.

use serde_json::Value;

use super::config::{Config, Disks, Group, Secondary};
use super::extra::Extra;
use super::forms::{self, BOOT_DISKS, COMPONENTS, PROVISIONED_DISK, SSD_INTERFACES};
use super::limits::{MOST_LABELS, MOST_NETWORK_TAGS};
use super::names::LABELS;
use super::request::resource_of_policy;
use super::script;
use crate::config::fields::Field;
use crate::config::playbook::{Playbook, Program, Runner, Step, StepType};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, code};
use crate::fabric::faults::Faults;
use crate::plan::{is_local, texts_of_files};
use crate::secret::Text;
use crate::source::Span;
use crate::suggest::{list, suggest};

/// Dataproc overwrites what conflicts with what it sets itself (`HadoopJob.properties` and its like, in the discovery
/// document of the API), and by these tags it knows the applications of a job (`Job.yarnApplications`).
const OF_DATAPROC: [&str; 3] = ["spark.yarn.tags", "yarn.tags", "mapreduce.job.tags"];

/// From this image on Pig, by whose `sh` commands are run, is installed only where it is asked for.
/// <https://cloud.google.com/dataproc/docs/concepts/versioning/dataproc-release-2.3>
const WITHOUT_PIG: (u32, u32) = (2, 3);

impl Faults<'_> {
    /// A text that has not the form it should have. An empty one is told of elsewhere.
    fn form<'t>(
        &mut self,
        texts: impl IntoIterator<Item = &'t Text>,
        rule: impl Fn(&str) -> bool,
        (code, message, help): (Code, &str, &str),
    ) {
        for text in texts.into_iter().filter(|text| !text.expose().is_empty()) {
            if !rule(text.expose()) {
                self.error(text.span, code, message, help);
            }
        }
    }

    /// A text that is none of a few words. An empty one is told of elsewhere.
    fn word(&mut self, text: &Text, words: &[&str], code: Code, what: &str) {
        if text.expose().is_empty() || words.contains(&text.expose()) {
            return;
        }
        let mut fault = Diagnostic::error(code, format!("that is not {what}"));
        // What came from a variable is not to be told, and this is near to it.
        let plain = !text.is_computed() && !text.is_secret();
        let near = suggest(text.expose(), words.iter().copied()).filter(|_| plain);
        fault = match near {
            Some(near) => fault.help(format!("did you mean `{near}`?")),
            None => fault.help(format!("write {}", list(words.iter().copied()))),
        };
        self.push(text.span, fault);
    }
}

/// What Dataproc would refuse of a cluster. Numbers, and keys of maps, are held against their rules where they are read.
pub fn cluster(config: &Config, all: &mut Diagnostics) {
    let mut faults = Faults { source: &config.source, all };
    place(config, &mut faults);
    for group in config.master.iter().chain(&config.workers) {
        machines(group, config.zone.is_none(), &mut faults);
    }
    if let Some(group) = &config.secondary_workers {
        secondary(group, config.zone.is_none(), &mut faults);
    }
    network(config, &mut faults);
    software(config, &mut faults);
    labels(config, &mut faults);
    storage(config, &mut faults);
    if let Some(extra) = &config.extra {
        laid_over(extra, &mut faults);
    }
}

fn place(config: &Config, faults: &mut Faults<'_>) {
    let name = (
        code::CLUSTER_NAME,
        "that cannot be the name of a cluster of Dataproc",
        "begin with a lower-case letter, then up to 51 of lower-case letters, digits and `-`, but no `-` at the end",
    );
    faults.form([&config.name], forms::is_cluster_name, name);
    let project = (
        code::PROJECT,
        "that is not the id of a project of Google Cloud",
        "write 6 to 30 lower-case letters, digits and `-`; a project's name or number is not its id",
    );
    faults.form(&config.project, forms::is_project, project);
    let region = (
        code::REGION,
        "that is not the name of a region of Google Cloud",
        "write it as `europe-west1`",
    );
    faults.form([&config.region], forms::is_region, region);
    // Beside a region that is none, nothing can be said of the zone.
    if forms::is_region(config.region.expose()) {
        let rule = |zone: &str| forms::is_zone_of(zone, config.region.expose());
        let zone = (code::ZONE, "that is not a zone of the region", "write it as `europe-west1-b`");
        faults.form(&config.zone, rule, zone);
    }
}

fn machines(group: &Group, auto_zone: bool, faults: &mut Faults<'_>) {
    machine_types(&group.machine_type, auto_zone, faults);
    let accelerators = || group.accelerators.iter().map(|accelerator| &accelerator.kind);
    let kind = (
        code::ACCELERATOR,
        "that is not a type of accelerators",
        "write it as Compute Engine does, such as `nvidia-tesla-t4`",
    );
    faults.form(accelerators(), forms::is_resource, kind);
    if auto_zone {
        faults.form(accelerators(), |kind| !forms::is_uri(kind), SHORT);
    }
    disks(&group.disks, faults);
}

/// The same page says it of machine types and of accelerators (`AcceleratorConfig`, `InstanceGroupConfig`).
/// <https://cloud.google.com/dataproc/docs/reference/rest/v1/ClusterConfig>
const SHORT: (Code, &str, &str) = (
    code::ZONE_NEEDED,
    "a URI names a zone, and Dataproc is to choose one",
    "write the short name, such as `n2-standard-4`, or give a `zone`",
);

fn machine_types<'t>(
    types: impl IntoIterator<Item = &'t Text> + Clone,
    auto_zone: bool,
    faults: &mut Faults<'_>,
) {
    let form = (
        code::MACHINE_TYPE,
        "that is not a machine type",
        "write it as Compute Engine does, such as `n2-standard-4`",
    );
    faults.form(types.clone(), forms::is_resource, form);
    if auto_zone {
        faults.form(types, |name| !forms::is_uri(name), SHORT);
    }
}

fn disks(disks: &Disks, faults: &mut Faults<'_>) {
    if let Some(boot) = &disks.boot_type {
        faults.word(boot, &BOOT_DISKS, code::DISK_TYPE, "a type of boot disks");
        let provisioned = disks.boot_iops.is_some() || disks.boot_throughput.is_some();
        if provisioned && BOOT_DISKS.contains(&boot.expose()) && boot.expose() != PROVISIONED_DISK {
            let message = "the speed of disks of this type cannot be chosen";
            let help = "take `bootDiskProvisionedIops` and `bootDiskProvisionedThroughput` out, or write `hyperdisk-balanced`";
            faults.error(boot.span, code::DISK_SPEED, message, help);
        }
    }
    if let Some(interface) = &disks.local_ssd_interface {
        faults.word(interface, &SSD_INTERFACES, code::SSD_INTERFACE, "an interface of local SSDs");
    }
}

fn secondary(secondary: &Secondary, auto_zone: bool, faults: &mut Faults<'_>) {
    machines(&secondary.group, auto_zone, faults);
    for selection in &secondary.selections {
        machine_types(&selection.machine_types, auto_zone, faults);
    }
}

fn network(config: &Config, faults: &mut Faults<'_>) {
    let network = &config.network;
    if let (Some(_), Some(subnetwork)) = (&network.network, &network.subnetwork) {
        let message = "a cluster has a network or a subnetwork, and both are given";
        faults.error(
            subnetwork.span,
            code::NETWORK,
            message,
            "a subnetwork says which network it is",
        );
    }
    let names = network.network.iter().chain(&network.subnetwork);
    let form = (
        code::NETWORK,
        "that is not the name of a network or a subnetwork",
        "write its name, or `projects/PROJECT/regions/REGION/subnetworks/NAME`",
    );
    faults.form(names, forms::is_resource, form);
    let tag = (
        code::NETWORK_TAG,
        "that cannot be a tag of a network",
        "begin with a lower-case letter, then lower-case letters, digits and `-`, 63 in all",
    );
    faults.form(&network.tags, forms::is_network_tag, tag);
    if let Some(first) = network.tags.get(MOST_NETWORK_TAGS) {
        let message = format!(
            "there are {} tags, and a machine has {MOST_NETWORK_TAGS} at most; this is the first of the rest",
            network.tags.len()
        );
        faults.error(first.span, code::TOO_MANY_NETWORK_TAGS, message, "take some of them out");
    }
    let account = (
        code::SERVICE_ACCOUNT,
        "that is not the e-mail address of a service account",
        "write it as `etl@my-project.iam.gserviceaccount.com`",
    );
    faults.form(&config.service_account, forms::is_account, account);
    let scope = (
        code::SCOPE,
        "a scope must be a URI",
        "write `https://www.googleapis.com/auth/cloud-platform` and the like",
    );
    faults.form(&config.service_account_scopes, forms::is_scope, scope);
}

fn software(config: &Config, faults: &mut Faults<'_>) {
    let version = (
        code::IMAGE_VERSION,
        "that is not a version of Dataproc's images",
        "write it as `2.2-debian12`, `2.2.5-debian12` or `2.2`; an image of your own goes into `image`",
    );
    faults.form(&config.image_version, forms::is_image_version, version);
    for component in &config.optional_components {
        faults.word(component, &COMPONENTS, code::COMPONENT, "an optional component of Dataproc");
    }
    let files = config.initialization_actions.iter().map(|action| &action.executable_file);
    let form = (
        code::INITIALIZATION_ACTION,
        "an initialization action must lie in Cloud Storage",
        "write it as `gs://bucket/install.sh`",
    );
    faults.form(files, forms::is_object, form);
    if let Some(policy) = &config.autoscaling_policy {
        scaling(config, policy, faults);
    }
}

fn scaling(config: &Config, policy: &Text, faults: &mut Faults<'_>) {
    let (name, region) = (policy.expose(), config.region.expose());
    match forms::region_of_policy(name) {
        Some(of) if of != region && forms::is_region(region) => {
            let message = "the autoscaling policy is of another region than the cluster";
            faults.error(policy.span, code::AUTOSCALING_POLICY, message, "take one of that region");
        }
        Some(_) => {}
        None if !forms::is_policy_id(name) => {
            let message = "that is neither the id nor the resource name of an autoscaling policy";
            let help = "write `projects/PROJECT/regions/REGION/autoscalingPolicies/ID`";
            faults.error(policy.span, code::AUTOSCALING_POLICY, message, help);
        }
        None if resource_of_policy(config, policy).is_none() => {
            let message = "the id of an autoscaling policy says nothing without a project";
            let help = "write `project`, too, or the resource name of the policy";
            faults.error(policy.span, code::AUTOSCALING_POLICY, message, help);
        }
        None => {}
    }
}

fn labels(config: &Config, faults: &mut Faults<'_>) {
    let value = (
        code::LABEL_VALUE,
        "that cannot be the value of a label",
        "write up to 63 lower-case letters, digits, `_` and `-`",
    );
    faults.form(config.labels.values(), forms::is_label_value, value);
    let room = MOST_LABELS - LABELS.len();
    if config.labels.len() > room {
        let count = config.labels.len();
        let message = format!(
            "there are {count} labels, and {room} can be given: a cluster has {MOST_LABELS} at most, and {} are the program's own",
            LABELS.len()
        );
        let last = config.labels.values().max_by_key(|value| value.span.start);
        let at = last.map_or_else(Span::default, |value| value.span);
        faults.error(at, code::TOO_MANY_LABELS, message, "take some of them out");
    }
}

fn storage(config: &Config, faults: &mut Faults<'_>) {
    let bucket = (
        code::BUCKET,
        "that is not the name of a bucket",
        "write the name alone, without `gs://` and without a folder",
    );
    let buckets = config.staging_bucket.iter().chain(&config.temp_bucket);
    faults.form(buckets, forms::is_bucket, bucket);
    let key = (
        code::KMS_KEY,
        "that is not the resource name of a key of Cloud KMS",
        "write `projects/PROJECT/locations/LOCATION/keyRings/RING/cryptoKeys/KEY`",
    );
    faults.form(&config.kms_key, forms::is_kms_key, key);
}

/// What identifies the cluster, and what makes it found again, is not `extra`'s to change.
fn laid_over(extra: &Extra, faults: &mut Faults<'_>) {
    for (member, field) in [("clusterName", "name"), ("projectId", "project")] {
        if extra.get(&[member]).is_some() {
            let message = format!("`extra` must not set `{member}`");
            faults.error(
                extra.text.span,
                code::EXTRA,
                message,
                &format!("write `{field}` instead"),
            );
        }
    }
    let ours = match extra.get(&["labels"]) {
        Some(Value::Object(labels)) => labels.keys().any(|key| key.starts_with(forms::OURS)),
        labels => labels.is_some(),
    };
    if ours {
        let message = "`extra` must leave the labels alone by which the cluster is found again";
        let help = "give it an object of labels, none of which begins with `dataflow-runner-`";
        faults.error(extra.text.span, code::EXTRA, message, help);
    }
}

/// What Dataproc would refuse of a playbook, or could not do.
pub fn playbook(playbook: &Playbook, all: &mut Diagnostics) {
    let mut faults = Faults { source: &playbook.source, all };
    for step in &playbook.steps {
        if let Err(argument) = script::variables(step) {
            script_argument(step, argument, &mut faults);
        }
        properties(step, &mut faults);
        files(step, &mut faults);
        if let Program::Copy { pattern: Some(pattern), .. } = &step.work.program {
            let message = "Hadoop's distcp cannot be told which files to copy by a pattern";
            let help = "name a folder that holds just these files";
            faults.error(pattern.span, code::COPY_PATTERN, message, help);
        }
    }
}

/// Jobs with scripts have `scriptVariables`, and no arguments.
/// <https://cloud.google.com/dataproc/docs/reference/rest/v1/HiveJob>, and the same of `PigJob` and `SparkSqlJob`
fn script_argument(step: &Step, argument: &Text, faults: &mut Faults<'_>) {
    let message = "Dataproc gives a script variables, and no other arguments";
    let help = match step.work.program.step_type() {
        StepType::Pig => "write `-p` and `NAME=VALUE`; settings go into `properties`",
        _ => "write `--hivevar` and `NAME=VALUE`; settings go into `properties`",
    };
    faults.error(argument.span, code::SCRIPT_ARGUMENT, message, help);
}

fn properties(step: &Step, faults: &mut Faults<'_>) {
    let own = step.work.properties.iter().filter(|(key, _)| OF_DATAPROC.contains(&key.as_str()));
    for (key, value) in own {
        let message = format!("`{key}` is set by Dataproc itself");
        let help =
            "by it Dataproc knows the applications of a job; use `labels` of the cluster file";
        faults.error(value.span, code::OWN_PROPERTY, message, help);
    }
}

/// Jobs with scripts, and those of Flink, bring jars and nothing else (`jarFileUris`).
/// <https://cloud.google.com/dataproc/docs/reference/rest/v1/projects.regions.jobs>
fn files(step: &Step, faults: &mut Faults<'_>) {
    let of = step.work.program.step_type();
    let jars_only =
        matches!(of, StepType::SparkSql | StepType::Hive | StepType::Pig | StepType::Flink);
    let others = step.work.files.iter().filter(|file| !file.expose().ends_with(".jar"));
    for file in others.filter(|_| jars_only) {
        let message = format!(
            "a step of type `{}` can bring jars on Dataproc, and no other files",
            of.as_str()
        );
        let help = "name the file by its URI in the script or the arguments";
        faults.error(file.span, code::FILES_NOT_ON_FABRIC, message, help);
    }
    // Hadoop has no file system of these names since 3.0. `s3a:` it has, and the cluster may know how to use it.
    // <https://issues.apache.org/jira/browse/HADOOP-14738>
    let gone =
        |text: &&Text| ["s3://", "s3n://"].iter().any(|scheme| text.expose().starts_with(scheme));
    for text in texts_of_files(step).filter(gone) {
        let message = "Dataproc reads nothing from `s3:`";
        faults.error(text.span, code::UNMAPPED_URI, message, "put it into Cloud Storage: `gs://…`");
    }
}

/// What a cluster that is launched from this file could not do of a playbook.
pub fn together(playbook: &Playbook, config: &Config, all: &mut Diagnostics) {
    let mut faults = Faults { source: &playbook.source, all };
    let local =
        |step| texts_of_files(step).filter(|text| is_local(text.expose())).collect::<Vec<_>>();
    let staged = playbook.steps.iter().flat_map(local).filter(|_| config.staging_bucket.is_none());
    for text in staged {
        let message =
            "a file of this machine has to be staged, and the cluster file names no bucket for it";
        let help = "give the cluster file a `stagingBucket`, or put the file into Cloud Storage";
        faults.error(text.span, code::NO_STAGING_BUCKET, message, help);
    }
    let has = |component| config.optional_components.iter().any(|of| of.expose() == component);
    let numbers = config.image_version.as_ref().and_then(|v| forms::image_numbers(v.expose()));
    let without_pig = numbers.is_some_and(|numbers| numbers >= WITHOUT_PIG) && !has("PIG");
    for step in &playbook.steps {
        let lacks = match &step.work.program {
            Program::Flink { .. } if !has("FLINK") => Some("FLINK"),
            Program::Command { .. } | Program::Copy { .. } | Program::Pig { .. } if without_pig => {
                Some("PIG")
            }
            Program::CustomJar { jar, .. } if without_pig && Runner::of(jar.expose()).is_some() => {
                Some("PIG")
            }
            _ => None,
        };
        if let Some(lacks) = lacks {
            let of = step.work.program.step_type().as_str();
            let message = format!(
                "a step of type `{of}` needs the component `{lacks}`, and the cluster file does not ask for it"
            );
            let fault = Diagnostic::warning(code::COMPONENT_MISSING, message);
            let help = format!("add `{lacks}` to `optionalComponents`, unless the image has it");
            faults.push(step.span_of(Field::Type), fault.help(help));
        }
    }
}

#[cfg(test)]
mod tests;
