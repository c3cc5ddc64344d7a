//! What stands against a cluster or a playbook on EMR, as far as it can be told before anything is sent.

use std::collections::HashMap;

use super::config::{Config, Release, Tag};
use super::lower::lower;
use super::request::RUN_TAG;
use crate::config::fields::Field;
use crate::config::playbook::{EmrAccess, Playbook, Program, Step, StepType};
use crate::diagnostic::{Diagnostic, Diagnostics, Place, code};
use crate::fabric::faults::Faults;
use crate::http::aws::is_region;
use crate::plan::{Plan, is_local, texts_of_files};
use crate::secret::Text;
use crate::source::Span;

/// The most steps of one `RunJobFlow` or `AddJobFlowSteps`.
/// <https://docs.aws.amazon.com/emr/latest/APIReference/API_AddJobFlowSteps.html>
pub(super) const MOST_STEPS: usize = 256;

/// The most characters of all strings of one `HadoopJarStep` together.
/// <https://docs.aws.amazon.com/emr/latest/APIReference/API_AddJobFlowSteps.html>
const LONGEST_STEP: usize = 10_240;

/// The most characters of the name of a cluster, a step or a bootstrap action (`XmlStringMaxLen256`).
/// <https://docs.aws.amazon.com/emr/latest/APIReference/API_StepConfig.html>
const LONGEST_NAME: usize = 256;

/// What the name of a cluster must not have in it. Names of steps may.
/// <https://docs.aws.amazon.com/emr/latest/APIReference/API_Cluster.html>
const NOT_IN_NAME: [char; 5] = ['<', '>', '$', '|', '`'];

/// The most bootstrap actions.
/// <https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-plan-bootstrap.html>
const MOST_BOOTSTRAP: usize = 16;

/// The most tags: a cluster's tags go to its instances, and those have so many at most. The same page says that keys
/// are distinct; whether EMR refuses two that are not, or takes the last, it does not say.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions>
pub(super) const MOST_TAGS: usize = 50;

/// The most characters of a tag's key and value.
/// <https://docs.aws.amazon.com/emr/latest/APIReference/API_Tag.html>
const LONGEST_TAG: (usize, usize) = (128, 256);

impl Faults<'_> {
    /// An empty one is told of elsewhere.
    fn region(&mut self, region: &Text) {
        if !region.expose().is_empty() && !is_region(region.expose()) {
            let message = "that is not the name of a region of AWS";
            self.error(
                region.span,
                code::REGION,
                message,
                "write it as AWS does, such as `eu-west-1`",
            );
        }
    }

    fn name(&mut self, name: &Text, of: &str) {
        let length = name.expose().chars().count();
        if length > LONGEST_NAME {
            let message = format!(
                "the name of {of} has {length} characters, and EMR takes {LONGEST_NAME} at most"
            );
            self.error(name.span, code::NAME_LENGTH, message, "shorten it");
        }
    }
}

/// What EMR would refuse of a cluster.
pub fn cluster(config: &Config, all: &mut Diagnostics) {
    let mut faults = Faults { source: &config.source, all };
    faults.region(&config.region);
    faults.name(&config.name, "a cluster");
    if config.name.expose().contains(NOT_IN_NAME) {
        let message = "the name of a cluster has a character in it that EMR does not take: one of `<` `>` `$` `|` and the backtick";
        faults.error(config.name.span, code::NAME_CHARACTERS, message, "take it out");
    }
    for action in &config.bootstrap {
        faults.name(&action.name, "a bootstrap action");
    }
    if let Some(first) = config.bootstrap.get(MOST_BOOTSTRAP) {
        let count = config.bootstrap.len();
        let message = format!(
            "there are {count} bootstrap actions, and EMR takes {MOST_BOOTSTRAP} at most; this is the first of the rest"
        );
        faults.error(
            first.name.span,
            code::TOO_MANY_BOOTSTRAP_ACTIONS,
            message,
            "join some of them",
        );
    }
    tags(&config.tags, &mut faults);
}

fn tags(tags: &[Tag], faults: &mut Faults<'_>) {
    if let Some(first) = tags.get(MOST_TAGS) {
        let count = tags.len();
        let message = format!(
            "there are {count} tags, and a cluster has {MOST_TAGS} at most; this is the first of the rest"
        );
        faults.error(first.key.span, code::TOO_MANY_TAGS, message, "take some of them out");
    } else if let Some(last) = tags.get(MOST_TAGS - 1) {
        let message = format!("there are {MOST_TAGS} tags, which leaves no room for `{RUN_TAG}`");
        let help =
            "take one out: else a launch whose answer is lost is found by its name and time only";
        let fault = Diagnostic::warning(code::NO_ROOM_FOR_TAG, message);
        faults.push(last.key.span, fault.help(help));
    }
    let mut seen: HashMap<&str, Span> = HashMap::new();
    for Tag { key, value } in tags {
        let (longest_key, longest_value) = LONGEST_TAG;
        if !(1..=longest_key).contains(&key.expose().chars().count()) {
            let message = format!("the key of a tag must have 1 to {longest_key} characters");
            faults.error(key.span, code::TAG_KEY, message, "name it otherwise");
        }
        if value.expose().chars().count() > longest_value {
            let message =
                format!("the value of a tag must have {longest_value} characters or less");
            faults.error(value.span, code::TAG_VALUE, message, "shorten it");
        }
        if key.expose().to_lowercase().starts_with("aws:") {
            let message = "the key of a tag must not begin with `aws:`";
            faults.error(key.span, code::TAG_KEY, message, "AWS keeps these keys to itself");
        }
        if key.expose() == RUN_TAG {
            let message = format!("the tag `{RUN_TAG}` is the program's own");
            faults.error(key.span, code::TAG_KEY, message, "by it a cluster is found again");
        }
        let first = *seen.entry(key.expose()).or_insert(key.span);
        if first != key.span {
            let place = Place::new(faults.source, first);
            let fault = Diagnostic::warning(code::DUPLICATE_TAG, "two tags have the same key");
            faults.push(key.span, fault.note("the first is here", Some(place)));
        }
    }
}

/// What EMR would refuse of a playbook, or could not do; `config` is the cluster's where it is known.
pub fn playbook(playbook: &Playbook, config: Option<&Config>, all: &mut Diagnostics) {
    let mut faults = Faults { source: &playbook.source, all };
    chain(playbook, &mut faults);
    let old = config.is_some_and(|config| matches!(config.release(), Release::Ami(_)));
    for step in &playbook.steps {
        faults.name(&step.name, "a step");
        length(step, &mut faults);
        // Only steps of 2-0-0 have types and files; those of 1-*-* are sent as they are.
        if playbook.emr.is_none() {
            work(step, old, &mut faults);
        }
    }
    if let Some(access) = &playbook.emr {
        faults.region(&access.region);
        if let Some(config) = config {
            region(access, config, &mut faults);
        }
    }
}

/// A chain is one order.
fn chain(playbook: &Playbook, faults: &mut Faults<'_>) {
    let Some(first) = playbook.steps.get(MOST_STEPS) else { return };
    // What is wrong with the graph is told elsewhere.
    let plan = Plan::new(playbook.clone(), &mut Diagnostics::new());
    if plan.is_some_and(|plan| plan.is_plain_chain()) {
        let message = format!("EMR takes {MOST_STEPS} steps at once, and this is one more");
        faults.error(first.span, code::TOO_MANY_STEPS, message, "split the playbook");
    }
}

/// As long as all its strings.
fn length(step: &Step, faults: &mut Faults<'_>) {
    let lowered = lower(step);
    let properties = lowered.properties.iter().flat_map(|(key, word)| [key, &word.value]);
    let words = [&lowered.jar].into_iter().chain(&lowered.main_class).chain(&lowered.args);
    let strings = words.map(|word| &word.value).chain(properties);
    let length: usize = strings.map(|string| string.chars().count()).sum();
    if length > LONGEST_STEP {
        let message = format!(
            "what the step runs has {length} characters, and EMR takes {LONGEST_STEP} at most"
        );
        let help = "put what is long into a file on S3 and give its name";
        faults.error(step.span, code::STEP_LENGTH, message, help);
    }
}

fn work(step: &Step, old_release: bool, faults: &mut Faults<'_>) {
    for text in texts_of_files(step).filter(|text| is_local(text.expose())) {
        let message = "a file beside the playbook cannot be staged on EMR yet";
        faults.error(text.span, code::CANNOT_STAGE, message, "put it on S3 and name it by its URI");
    }
    let program = &step.work.program;
    let of = program.step_type();
    if old_release && of != StepType::CustomJar {
        let message = format!(
            "steps of type {} need EMR 4 or later, and the cluster's `amiVersion` is older",
            of.as_str()
        );
        faults.error(
            step.span_of(Field::Type),
            code::RELEASE_TOO_OLD,
            message,
            "use CUSTOM_JAR, or a newer release",
        );
    }
    if let Some(first) = step.work.files.first().filter(|_| !takes_files(of)) {
        let message = format!("steps of type {} take no `files` on EMR", of.as_str());
        faults.error(first.span, code::FILES_NOT_ON_FABRIC, message, instead_of_files(of));
    }
    match program {
        Program::Command { command } if command.expose().contains("://") => {
            let message = "EMR runs programs that lie on the cluster, not such as lie elsewhere";
            let help = "use CUSTOM_JAR with `script-runner.jar` of your region, or COMMAND with `bash` that fetches it first";
            faults.error(command.span, code::COMMAND_NOT_ON_CLUSTER, message, help);
        }
        Program::Flink { jar, .. } if jar.expose().contains("://") => {
            let message = "`flink run` reads its jar from the disk of the cluster's master";
            let fault = Diagnostic::warning(code::JAR_NOT_ON_CLUSTER, message);
            faults.push(jar.span, fault.help("fetch it with a COMMAND step or a bootstrap action"));
        }
        _ => {}
    }
}

/// Whether the program that EMR runs for this type hands files to the step.
fn takes_files(of: StepType) -> bool {
    matches!(of, StepType::Spark | StepType::SparkSql | StepType::Streaming)
}

fn instead_of_files(of: StepType) -> &'static str {
    match of {
        StepType::Hive => "use `ADD FILE` in the script",
        StepType::CustomJar => "use `-files` in the arguments, if the jar understands it",
        _ => "name them by their URIs in the arguments",
    }
}

/// Requests go where the cluster's file says.
fn region(access: &EmrAccess, config: &Config, faults: &mut Faults<'_>) {
    if access.region.expose() != config.region.expose() {
        let message = "the playbook names another region than the cluster's configuration";
        let place = Place::new(&config.source, config.region.span);
        let fault = Diagnostic::warning(code::TWO_REGIONS, message)
            .label("not used")
            .note("this one is used", Some(place));
        faults.push(access.region.span, fault);
    }
}

#[cfg(test)]
mod tests {
    use super::super::config::{Bootstrap, Credentials};
    use super::super::request::tests::config;
    use super::*;
    use crate::config::playbook::OnFailure;
    use crate::config::sample::{self, step, step_of, text};

    fn codes(faults: &Diagnostics) -> Vec<&'static str> {
        faults.iter().map(|fault| fault.code.as_str()).collect()
    }

    fn of_cluster(config: &Config) -> Vec<&'static str> {
        let mut faults = Diagnostics::new();
        cluster(config, &mut faults);
        codes(&faults)
    }

    fn of_playbook(of: &Playbook, config: Option<&Config>) -> Vec<&'static str> {
        let mut faults = Diagnostics::new();
        playbook(of, config, &mut faults);
        codes(&faults)
    }

    fn of_step(step: Step) -> Vec<&'static str> {
        of_playbook(&sample::playbook(vec![step]), None)
    }

    fn first_version(steps: Vec<Step>) -> Playbook {
        let access = EmrAccess { region: text("eu-west-1"), credentials: Credentials::Environment };
        Playbook { emr: Some(access), ..sample::playbook(steps) }
    }

    fn tag(key: &str, value: &str, at: usize) -> Tag {
        Tag { key: Text::new(key, Span::at(at)), value: text(value) }
    }

    #[test]
    fn names_of_clusters() {
        let named = |name: &str| of_cluster(&Config { name: text(name), ..config() });
        assert_eq!(named(&"ü".repeat(256)), [""; 0]);
        assert_eq!(named(&"ü".repeat(257)), ["name-length"]);
        for c in NOT_IN_NAME {
            assert_eq!(named(&format!("a {c} b")), ["name-characters"], "{c}");
        }
    }

    #[test]
    fn bootstrap_actions() {
        let with = |count, name: &str| {
            let action =
                || Bootstrap { name: text(name), path: text("s3://b/x"), args: Vec::new() };
            of_cluster(&Config {
                bootstrap: std::iter::repeat_with(action).take(count).collect(),
                ..config()
            })
        };
        assert_eq!(with(16, "n"), [""; 0]);
        assert_eq!(with(17, "n"), ["too-many-bootstrap-actions"]);
        assert_eq!(with(1, &"n".repeat(257)), ["name-length"]);
    }

    #[test]
    fn tags_of_clusters() {
        let with = |tags: Vec<Tag>| of_cluster(&Config { tags, ..config() });
        let many =
            |count: usize| (0..count).map(|n| tag(&format!("k{n}"), "v", n)).collect::<Vec<_>>();
        assert_eq!(with(many(49)), [""; 0]);
        assert_eq!(with(many(50)), ["no-room-for-tag"]);
        assert_eq!(with(many(51)), ["too-many-tags"]);
        let one = |key: &str, value: &str| with(vec![tag(key, value, 0)]);
        assert_eq!(one(&"ü".repeat(128), &"ü".repeat(256)), [""; 0]);
        assert_eq!(one(&"k".repeat(129), ""), ["tag-key"]);
        assert_eq!(one("", ""), ["tag-key"]);
        assert_eq!(one("k", &"v".repeat(257)), ["tag-value"]);
        assert_eq!(one("AWS:x", ""), ["tag-key"]);
        assert_eq!(one("awsome", ""), [""; 0]);
        assert_eq!(one(RUN_TAG, ""), ["tag-key"]);
        assert_eq!(with(vec![tag("a", "", 0), tag("a", "x", 5)]), ["duplicate-tag"]);
        assert_eq!(with(vec![tag("a", "", 0), tag("A", "x", 5)]), [""; 0]);
    }

    #[test]
    fn a_chain_is_one_order() {
        let of = |count: usize| -> Vec<Step> {
            (0..count).map(|n| step(&format!("s{n}"), "true", &[])).collect()
        };
        assert_eq!(of_playbook(&sample::playbook(of(256)), None), [""; 0]);
        assert_eq!(of_playbook(&sample::playbook(of(257)), None), ["too-many-steps"]);
        assert_eq!(of_playbook(&first_version(of(257)), None), ["too-many-steps"]);
        // What is no plain chain is ordered step by step.
        let mut single = of(257);
        single[3].rules.on_failure = OnFailure::SkipDependents;
        assert_eq!(of_playbook(&sample::playbook(single), None), [""; 0]);
    }

    #[test]
    fn names_and_lengths_of_steps() {
        let mut named = step("s", "true", &[]);
        named.name = text(&"n".repeat(256));
        assert_eq!(of_step(named.clone()), [""; 0]);
        named.name = text(&"n".repeat(257));
        assert_eq!(of_step(named), ["name-length"]);
        let mut arrow = step("s", "true", &[]);
        arrow.name = text("HDFS -> S3 | $x");
        assert_eq!(of_step(arrow), [""; 0], "names of steps may have these");
        // `command-runner.jar` and `true` are 22 characters.
        let long = |length: usize| of_step(step("s", "true", &[&"ü".repeat(length - 22)]));
        assert_eq!(long(10_240), [""; 0]);
        assert_eq!(long(10_241), ["step-length"]);
        let program = Program::CustomJar { jar: text("j"), main_class: Some(text("C")) };
        let mut jar = step_of("s", program, &[]);
        jar.work.properties = [("k".to_owned(), text(&"v".repeat(10_237)))].into();
        assert_eq!(of_step(jar.clone()), [""; 0]);
        jar.work.properties = [("kk".to_owned(), text(&"v".repeat(10_237)))].into();
        assert_eq!(of_step(jar), ["step-length"]);
    }

    #[test]
    fn files_beside_the_playbook() {
        let local =
            || step_of("s", Program::CustomJar { jar: text("./x.jar"), main_class: None }, &[]);
        assert_eq!(of_step(local()), ["cannot-stage"]);
        assert_eq!(of_playbook(&first_version(vec![local()]), None), [""; 0], "sent as it is");
        let spark = Program::Spark { application: text("s3://b/x.py"), main_class: None };
        let mut spark = step_of("s", spark, &["./not-a-file"]);
        spark.work.files = vec![text("s3://b/y")];
        assert_eq!(of_step(spark.clone()), [""; 0]);
        spark.work.files = vec![text("../y")];
        assert_eq!(of_step(spark), ["cannot-stage"]);
    }

    #[test]
    fn files_of_steps_that_take_none() {
        let file = || text("s3://b/x");
        let jar = Program::CustomJar { jar: file(), main_class: None };
        let flink = Program::Flink { jar: text("/x.jar"), main_class: None };
        let streaming = Program::Streaming {
            mapper: text("m"),
            reducer: None,
            source: file(),
            destination: file(),
        };
        for (program, expected) in [
            (jar, true),
            (Program::Command { command: text("true") }, true),
            (Program::Spark { application: file(), main_class: None }, false),
            (Program::SparkSql { file: file() }, false),
            (Program::Hive { file: file() }, true),
            (Program::Pig { file: file() }, true),
            (streaming, false),
            (flink, true),
        ] {
            let mut step = step_of("s", program, &[]);
            step.work.files = vec![file()];
            let of = step.work.program.step_type();
            let expected = if expected { &["files-not-on-fabric"][..] } else { &[] };
            assert_eq!(of_step(step), expected, "{of:?}");
        }
    }

    #[test]
    fn what_is_not_on_the_cluster() {
        let command = |of| of_step(step("s", of, &[]));
        assert_eq!(command("s3://b/x.sh"), ["command-not-on-cluster"]);
        assert_eq!(command("/usr/bin/true"), [""; 0]);
        let flink =
            |jar| of_step(step_of("s", Program::Flink { jar: text(jar), main_class: None }, &[]));
        assert_eq!(flink("s3://b/x.jar"), ["jar-not-on-cluster"]);
        assert_eq!(flink("/usr/lib/flink/x.jar"), [""; 0]);
    }

    #[test]
    fn old_releases_run_jars_only() {
        let old = Config { ami_version: text("3.11.0"), ..config() };
        let of = |step, config: &Config| of_playbook(&sample::playbook(vec![step]), Some(config));
        assert_eq!(of(step("s", "true", &[]), &old), ["release-too-old"]);
        assert_eq!(of(step("s", "true", &[]), &config()), [""; 0]);
        let jar = Program::CustomJar { jar: text("s3://b/x.jar"), main_class: None };
        assert_eq!(of(step_of("s", jar, &[]), &old), [""; 0]);
        let first = first_version(vec![step("s", "true", &[])]);
        assert_eq!(of_playbook(&first, Some(&old)), [""; 0]);
    }

    #[test]
    fn regions_are_named_as_aws_names_them() {
        for (name, faults) in [("eu_west_1", 1), ("EU-WEST-1", 1), ("us-gov-east-1", 0), ("", 0)] {
            let config = Config { region: text(name), ..config() };
            assert_eq!(of_cluster(&config), vec!["region"; faults], "{name}");
            let access = EmrAccess { region: text(name), credentials: Credentials::Environment };
            let playbook =
                Playbook { emr: Some(access), ..sample::playbook(vec![step("a", "true", &[])]) };
            assert_eq!(of_playbook(&playbook, None), vec!["region"; faults], "{name}");
        }
    }

    #[test]
    fn two_regions() {
        let playbook = first_version(vec![step("s", "true", &[])]);
        assert_eq!(of_playbook(&playbook, Some(&config())), [""; 0]);
        let other = Config { region: text("us-east-1"), ..config() };
        assert_eq!(of_playbook(&playbook, Some(&other)), ["two-regions"]);
        assert_eq!(of_playbook(&playbook, None), [""; 0]);
    }
}
