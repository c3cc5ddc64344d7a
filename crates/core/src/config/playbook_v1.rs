//! PlaybookConfig 1-*-*: a chain of steps for EMR, as dataflow-runner 0.7.x ran it.

use std::collections::BTreeMap;
use std::path::Path as FilePath;
use std::sync::Arc;

use super::emr::read_credentials;
use super::fields::Fields;
use super::playbook::{
    Draft, EmrAccess, OnFailure, Playbook, Program, Rules, Step, StepType, Work,
};
use super::read::Record;
use crate::diagnostic::{Diagnostic, code};
use crate::secret::Text;
use crate::source::Span;
use crate::suggest::{list, suggest};

/// What is not right was reported. Without region and credentials it is not even a draft: by them one sees that it is for EMR.
pub(super) fn read(data: Record<'_>, schema: String) -> Result<Playbook, Option<Draft>> {
    let region = data.needed("region");
    let credentials =
        data.needed_record("credentials", |record| read_credentials(&record)).flatten();
    let (steps, is_whole) = data.each_right("steps", |i, step| read_step(&step, i));
    if data.is_empty_list("steps") {
        // The words of 0.7.x.
        let fault = Diagnostic::error(code::NO_STEPS, "No steps found in config, nothing to add");
        data.fault(data.span_of("steps"), fault);
    }
    let source = data.document().source();
    let name = FilePath::new(source.name()).file_stem().unwrap_or_default().to_string_lossy();
    let (Some(region), Some(credentials)) = (region, credentials) else { return Err(None) };
    let playbook = Playbook {
        source: Arc::clone(source),
        schema,
        name: Text::new(name, Span::at(0)),
        max_parallel: None,
        tags: read_tags(&data),
        steps,
        graph: None,
        emr: Some(EmrAccess { region, credentials }),
    };
    if is_whole { Ok(playbook) } else { Err(Some(Draft::new(playbook))) }
}

fn read_step(step: &Record<'_>, index: usize) -> Option<Step> {
    let name = step.needed_name("name");
    let jar = step.needed("jar");
    let on_failure = read_on_failure(step);
    check_type(step);
    if !step.has("arguments") {
        step.warn_empty("arguments");
    }
    if !step.is_right_but_for(&[]) {
        return None;
    }
    Some(Step {
        id: format!("step-{}", index + 1),
        work: Work {
            program: Program::CustomJar { jar: jar?, main_class: None },
            arguments: step.texts("arguments"),
            properties: BTreeMap::new(),
            files: Vec::new(),
        },
        name: name?,
        depends_on: None,
        rules: Rules { on_failure: on_failure?, ..Rules::default() },
        span: step.source_span(),
        fields: Fields::of(step),
    })
}

/// 0.7.x never looked at `type`: everything was run as CUSTOM_JAR.
fn check_type(step: &Record<'_>) {
    let Some(of) = step.filled_or_warned("type") else { return };
    let at = step.span_of("type");
    let path = step.path.key("type");
    match StepType::from_name(of.expose()) {
        Some(StepType::CustomJar) => {}
        Some(known) => {
            let message = format!("`{path}`: the step is run as `CUSTOM_JAR`, as 0.7.x did");
            let fault = Diagnostic::warning(code::STEP_TYPE, message);
            let help = format!("`{}` steps are of PlaybookConfig 2-0-0", known.as_str());
            step.fault(at, fault.help(help));
        }
        None => {
            let mut fault =
                Diagnostic::error(code::STEP_TYPE, format!("`{path}` must be `CUSTOM_JAR`"));
            if step.document().quote(at).is_some() {
                fault = fault.label(format!("found `{}`", of.expose()));
                let near = suggest(of.expose(), StepType::ALL.map(StepType::as_str));
                fault.help = near.map(|near| format!("did you mean `{near}`?"));
            }
            step.fault(at, fault);
        }
    }
}

fn read_on_failure(step: &Record<'_>) -> Option<OnFailure> {
    let action = step.needed("actionOnFailure")?;
    let allowed = [OnFailure::CancelAndWait, OnFailure::Continue];
    let found = allowed.into_iter().find(|on| on.as_str() == action.expose());
    if found.is_none() {
        // The words of 0.7.x.
        let message = "Only the following failure actions are allowed 'CANCEL_AND_WAIT, CONTINUE' - to terminate use the 'down' command";
        let mut fault = Diagnostic::error(code::ACTION_ON_FAILURE, message);
        let at = step.span_of("actionOnFailure");
        if step.document().quote(at).is_some() {
            let names = allowed.map(OnFailure::as_str);
            fault = fault.label(format!("found `{}`", action.expose()));
            fault.help =
                suggest(action.expose(), names).map(|near| format!("did you mean `{near}`?"));
        } else {
            fault = fault.label(format!("expected {}", list(allowed.map(OnFailure::as_str))));
        }
        step.fault(at, fault);
    }
    found
}

/// Labels; the last of equal keys counts.
fn read_tags(data: &Record<'_>) -> BTreeMap<String, Text> {
    let tags = data.each("tags", |_, tag| {
        let (key, value) = (tag.or_empty("key"), tag.or_empty("value"));
        if key.is_secret() {
            tag.secret_name(tag.span_of("key"), &format!("`{}.key`", tag.path));
        }
        (key.expose().to_owned(), value)
    });
    tags.into_iter().collect()
}
