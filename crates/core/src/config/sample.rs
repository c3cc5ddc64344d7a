//! Small playbooks for tests.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::fields::Fields;
use super::playbook::{Playbook, Program, Rules, Step, Work};
use crate::secret::Text;
use crate::source::{Source, Span};

/// A text that stands nowhere.
pub fn text(value: &str) -> Text {
    Text::new(value, Span::default())
}

/// A COMMAND step that needs the step before it and has no rules of its own.
pub fn step(id: &str, command: &str, arguments: &[&str]) -> Step {
    step_of(id, Program::Command { command: text(command) }, arguments)
}

/// The same of any type.
pub fn step_of(id: &str, program: Program, arguments: &[&str]) -> Step {
    Step {
        id: id.to_owned(),
        name: text(id),
        work: Work {
            program,
            arguments: arguments.iter().map(|a| text(a)).collect(),
            properties: BTreeMap::new(),
            files: Vec::new(),
        },
        depends_on: None,
        rules: Rules::default(),
        span: Span::default(),
        fields: Fields::default(),
    }
}

/// A playbook of these steps.
pub fn playbook(steps: Vec<Step>) -> Playbook {
    Playbook {
        source: Arc::new(Source::new("playbook.json", "")),
        schema: "iglu:com.snowplowanalytics.dataflowrunner/PlaybookConfig/avro/2-0-0".to_owned(),
        name: text("sample"),
        max_parallel: None,
        tags: BTreeMap::new(),
        steps,
        graph: None,
        emr: None,
    }
}
