//! PlaybookConfig 2-0-0: steps for any fabric.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use super::fields::Fields;
use super::needs::{self, Names};
use super::playbook::{
    Draft, OnFailure, OnResult, Playbook, Program, Retries, Rules, Step, StepType, Work,
};
use super::read::Record;
use super::step_types;
use crate::diagnostic::{Code, Diagnostic, code};
use crate::document::Document;
use crate::graph::Graph;
use crate::schema::{Checked, Is, Path};
use crate::secret::Text;
use crate::source::Span;

/// A year: more is a mistake in the unit.
const LONGEST_TIMEOUT: i64 = 31_536_000;

/// What is not right was reported.
pub(super) fn read(data: Record<'_>, schema: String) -> Result<Playbook, Draft> {
    let name = data.needed_name("name");
    let max_parallel = positive(&data, "maxParallelSteps");
    let defaults = data.inner("defaults", |record| Policy::read(&record)).unwrap_or_default();
    let (steps, has_all) = data.each_right("steps", |_, step| read_step(&step, &defaults));
    if data.has("steps") && data.is_empty_list("steps") {
        let message = format!("`{}.steps` must not be empty", data.path);
        let fault = Diagnostic::error(code::NO_STEPS, message);
        data.fault(data.span_of("steps"), fault.label("a playbook without steps does nothing"));
    }
    let graph = check_ids(&data);
    let is_whole = name.is_some() && has_all;
    let playbook = Playbook {
        source: Arc::clone(data.document().source()),
        schema,
        name: name.unwrap_or_else(|| Text::new("", data.source_span())),
        max_parallel,
        tags: data.map("tags"),
        steps,
        graph: graph.filter(|_| is_whole),
        emr: None,
    };
    if is_whole { Ok(playbook) } else { Err(Draft::new(playbook)) }
}

/// What `defaults` and a step can both say.
#[derive(Default)]
struct Policy {
    on_failure: Option<OnFailure>,
    retries: Option<Retries>,
    timeout: Option<Duration>,
    properties: BTreeMap<String, Text>,
    /// Where it says so.
    fields: Fields,
}

impl Policy {
    fn read(record: &Record<'_>) -> Self {
        let timeout = record.integer_within("timeoutSeconds", 1..=LONGEST_TIMEOUT);
        Self {
            on_failure: record.symbol("actionOnFailure").and_then(OnFailure::from_name),
            retries: record.inner("retries", |retries| read_retries(&retries)),
            timeout: timeout.and_then(|s| u64::try_from(s).ok()).map(Duration::from_secs),
            properties: record.map("properties"),
            fields: Fields::of(record),
        }
    }
}

fn read_retries(record: &Record<'_>) -> Retries {
    let longest = Retries::LONGEST.as_secs_f64();
    let delay = record.float_within("delaySeconds", 0.0..=longest);
    Retries {
        max_attempts: positive(record, "maxAttempts").unwrap_or(NonZeroU32::MIN),
        delay: delay.map_or(Duration::ZERO, Duration::from_secs_f64),
        backoff: record.float_within("backoff", 1.0..=f64::INFINITY).unwrap_or(1.0),
    }
}

fn positive(record: &Record<'_>, name: &str) -> Option<NonZeroU32> {
    let n = record.integer_within(name, 1..=i64::from(u32::MAX))?;
    u32::try_from(n).ok().and_then(NonZeroU32::new)
}

/// Fields of a step that say nothing of what it runs: where they are wrong, the rest may be right.
const BESIDE: [&str; 7] =
    ["id", "name", "dependsOn", "actionOnFailure", "retries", "timeoutSeconds", "onResult"];

/// `None` where it is not known what it runs; why was reported.
fn read_step(step: &Record<'_>, defaults: &Policy) -> Option<Step> {
    let id = step
        .needed("id")
        .filter(|id| check_id(step, code::BAD_ID, step.span_of("id"), id, &step.path.key("id")));
    let name = step.filled("name").inspect(|name| step.warn_of_secret("name", name));
    let of = step.symbol("type").and_then(StepType::from_name);
    if let Some(of) = of {
        step_types::check(step, of);
    }
    let own = Policy::read(step);
    let mut properties = own.properties;
    if of.is_some_and(|of| step_types::allows(of, "properties")) {
        for (key, value) in &defaults.properties {
            properties.entry(key.clone()).or_insert_with(|| value.clone());
        }
    }
    let program = read_program(step, of);
    let work = (step.texts("arguments"), step.texts("files"));
    let depends_on = step.has("dependsOn").then(|| read_dependencies(step));
    let on_result = step.inner("onResult", |record| read_on_result(&record)).unwrap_or_default();
    if !step.is_right_but_for(&BESIDE) {
        return None;
    }
    let id = id?;
    Some(Step {
        name: name.unwrap_or_else(|| id.clone()),
        id: id.expose().to_owned(),
        work: Work { program: program?, arguments: work.0, properties, files: work.1 },
        depends_on,
        rules: Rules {
            on_failure: own.on_failure.or(defaults.on_failure).unwrap_or_default(),
            retries: own.retries.or(defaults.retries).unwrap_or_default(),
            timeout: own.timeout.or(defaults.timeout),
            on_result,
        },
        span: step.source_span(),
        fields: own.fields.or(defaults.fields),
    })
}

/// What the step runs; `None` where a needed field is missing, which has been reported.
fn read_program(step: &Record<'_>, of: Option<StepType>) -> Option<Program> {
    // Every field is read, so that the faults of all of them are found.
    let text = |name: &str| step.filled(name);
    let [jar, main_class, file, command] = ["jar", "mainClass", "file", "command"].map(text);
    let [mapper, reducer] = ["mapper", "reducer"].map(text);
    let [source, destination, pattern] = ["source", "destination", "pattern"].map(text);
    Some(match of? {
        StepType::CustomJar => Program::CustomJar { jar: jar?, main_class },
        StepType::Command => Program::Command { command: command? },
        StepType::Spark => Program::Spark { application: jar.or(file)?, main_class },
        StepType::SparkSql => Program::SparkSql { file: file? },
        StepType::Hive => Program::Hive { file: file? },
        StepType::Pig => Program::Pig { file: file? },
        StepType::Streaming => Program::Streaming {
            mapper: mapper?,
            reducer,
            source: source?,
            destination: destination?,
        },
        StepType::Flink => Program::Flink { jar: jar?, main_class },
        StepType::Copy => Program::Copy { source: source?, destination: destination?, pattern },
    })
}

/// The longest id, in characters.
const LONGEST_ID: usize = 128;

/// Whether a text can be a step's id; reports it if not.
fn check_id(step: &Record<'_>, code: Code, at: Span, id: &Text, path: &Path<'_>) -> bool {
    if id.is_secret() {
        step.secret_name(at, &format!("`{path}`"));
        return false;
    }
    if is_id(id.expose()) {
        return true;
    }
    let message = format!("`{path}` is not an id");
    let fault = Diagnostic::error(code, message);
    step.fault(at, fault.label("expected 1 to 128 characters of `A-Z a-z 0-9 . _ -`"));
    false
}

fn is_id(id: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    (1..=LONGEST_ID).contains(&id.len()) && id.bytes().all(allowed)
}

fn read_dependencies(step: &Record<'_>) -> Vec<Text> {
    let (items, texts) = (step.items("dependsOn"), step.texts("dependsOn"));
    let path = step.path.key("dependsOn");
    // Where an item is no string, which has been reported, the rest need not be looked at.
    for (i, (item, text)) in items.iter().zip(&texts).enumerate() {
        check_id(step, code::BAD_DEPENDENCY, item.span, text, &path.index(i));
    }
    texts
}

fn read_on_result(record: &Record<'_>) -> OnResult {
    let codes = |name: &str| -> Vec<(i32, Span)> {
        let path = record.path.key(name);
        let items = record.items(name).iter().enumerate();
        let codes = items.filter_map(|(i, item)| {
            let Is::Integer(code) = item.is else { return None };
            if !(0..=255).contains(&code) {
                let message = format!("`{}` must be between 0 and 255", path.index(i));
                let fault = Diagnostic::error(code::EXIT_CODE, message);
                let help = "the system keeps one byte of an exit code, so no other can come back";
                record.fault(item.span, fault.help(help));
            }
            i32::try_from(code).ok().map(|code| (code, item.span))
        });
        codes.collect()
    };
    let go_on = codes("continueJob");
    let end = codes("terminateJobWithSuccess");
    if record.has("continueJob") && record.is_empty_list("continueJob") {
        let message = format!("`{}.continueJob` must not be empty", record.path);
        let fault = Diagnostic::error(code::NO_EXIT_CODE, message);
        let help = "without a code that goes on, the steps behind it could never start";
        record.fault(record.span_of("continueJob"), fault.help(help));
    }
    for (code, span) in &end {
        if let Some((_, first)) = go_on.iter().find(|(other, _)| other == code) {
            let message = format!("`{}`: the same exit code in both lists", record.path);
            let fault = Diagnostic::error(code::EXIT_CODE_TWICE, message);
            // What a default says is seen where the record is.
            let also = if *first != record.span {
                "it is here too"
            } else {
                "`continueJob` is absent here, which means `[0]`"
            };
            record.fault(*span, fault.note(also, Some(record.place(*first))));
        }
    }
    let plain = |codes: Vec<(i32, Span)>| codes.into_iter().map(|(code, _)| code).collect();
    OnResult { continue_job: plain(go_on), terminate_job_with_success: plain(end) }
}

/// No two steps have the same id, what a step needs is the id of one, and none waits for itself; also where the rest
/// of the playbook is not right. Which step needs which, if all of that is right.
fn check_ids(data: &Record<'_>) -> Option<Graph> {
    let (items, document) = (data.items("steps"), data.document());
    // A secret is none, and is not to be shown.
    let id = |step| field(step, "id").and_then(|id| string(id, document));
    let is_one = |(id, _): &(Text, Span)| !id.is_secret() && !id.expose().is_empty();
    let ids: Vec<_> = items.iter().map(|step| id(step).filter(is_one)).collect();
    let mut firsts = HashMap::with_capacity(items.len());
    for (i, id) in ids.iter().enumerate() {
        let Some((id, span)) = id else { continue };
        let first = *firsts.entry(id.expose()).or_insert(*span);
        if first != *span {
            let message = format!("`{}.steps[{i}].id`: two steps have the same id", data.path);
            let fault = Diagnostic::error(code::DUPLICATE_ID, message);
            data.fault(*span, fault.note("the first is here", Some(data.place(first))));
        }
    }
    let steps = ids.into_iter().zip(items).map(|(id, step)| {
        let needs = field(step, "dependsOn").map(|needs| names(needs, document));
        Some(Names { id: id?.0, needs, span: step.span })
    });
    // Which id a step without one should have had is not known.
    let steps = steps.collect::<Option<Vec<_>>>()?;
    let mut is_right = true;
    let graph = needs::resolve(&steps, &mut |span, fault| {
        is_right = false;
        data.fault(span, fault);
    });
    is_right.then_some(graph)
}

/// The ids in a `dependsOn`. What is none was told already.
fn names(needs: &Checked<'_>, document: &Document) -> Vec<(Cow<'static, Text>, Span)> {
    let Is::Array(items) = &needs.is else { return Vec::new() };
    let names = items.iter().filter_map(|item| string(item, document));
    let ids = names.filter(|(name, _)| is_id(name.expose()));
    ids.map(|(name, span)| (Cow::Owned(name), span)).collect()
}

fn field<'a>(step: &'a Checked<'a>, name: &str) -> Option<&'a Checked<'a>> {
    match &step.is {
        Is::Record(fields) => fields.get(name),
        _ => None,
    }
}

fn string(value: &Checked<'_>, document: &Document) -> Option<(Text, Span)> {
    match value.is {
        Is::String(text) => Some((text.text(value.span, document), value.span)),
        _ => None,
    }
}
