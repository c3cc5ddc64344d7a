//! Which fields each type of steps needs and may have.

use super::playbook::StepType;
use super::read::Record;
use crate::diagnostic::{Diagnostic, code};
use crate::suggest::list;

/// The fields of one type, besides those that every step has.
struct Rule {
    of: StepType,
    needs: &'static [&'static str],
    /// Exactly one of these.
    one_of: &'static [&'static str],
    may: &'static [&'static str],
}

/// The table.
const RULES: [Rule; 9] = [
    Rule {
        of: StepType::CustomJar,
        needs: &["jar"],
        one_of: &[],
        may: &["mainClass", "arguments", "properties", "files"],
    },
    Rule { of: StepType::Command, needs: &["command"], one_of: &[], may: &["arguments", "files"] },
    Rule {
        of: StepType::Spark,
        needs: &[],
        one_of: &["jar", "file"],
        may: &["mainClass", "arguments", "properties", "files"],
    },
    Rule { of: StepType::SparkSql, needs: &["file"], one_of: &[], may: SCRIPT },
    Rule { of: StepType::Hive, needs: &["file"], one_of: &[], may: SCRIPT },
    Rule { of: StepType::Pig, needs: &["file"], one_of: &[], may: SCRIPT },
    Rule {
        of: StepType::Streaming,
        needs: &["mapper", "source", "destination"],
        one_of: &[],
        may: &["reducer", "arguments", "properties", "files"],
    },
    Rule {
        of: StepType::Flink,
        needs: &["jar"],
        one_of: &[],
        may: &["mainClass", "arguments", "properties", "files"],
    },
    Rule { of: StepType::Copy, needs: &["source", "destination"], one_of: &[], may: &["pattern"] },
];

const SCRIPT: &[&str] = &["arguments", "properties", "files"];

/// Every field that some types have and others do not.
const FIELDS: [&str; 12] = [
    "jar",
    "mainClass",
    "file",
    "command",
    "mapper",
    "reducer",
    "source",
    "destination",
    "pattern",
    "arguments",
    "properties",
    "files",
];

impl Rule {
    fn allows(&self, field: &str) -> bool {
        self.needs.contains(&field) || self.one_of.contains(&field) || self.may.contains(&field)
    }
}

/// Whether steps of this type have this field.
pub(super) fn allows(of: StepType, field: &str) -> bool {
    RULES.iter().any(|rule| rule.of == of && rule.allows(field))
}

/// Reports the fields that a step of this type lacks, and those it must not have.
pub(super) fn check(step: &Record<'_>, of: StepType) {
    let Some(rule) = RULES.iter().find(|rule| rule.of == of) else { return };
    let (path, of) = (step.path, of.as_str());
    for field in rule.needs.iter().filter(|field| !step.has(field)) {
        let message = format!("`{path}`: a step of type `{of}` needs `{field}`");
        step.fault_here(Diagnostic::error(code::MISSING_FIELD, message));
    }
    for field in FIELDS.iter().filter(|field| step.has(field) && !rule.allows(field)) {
        let others =
            RULES.iter().filter(|other| other.allows(field)).map(|other| other.of.as_str());
        let fault = Diagnostic::error(
            code::WRONG_FIELD,
            format!("`{path}`: a step of type `{of}` has no `{field}`"),
        );
        step.fault(step.span_of(field), fault.help(format!("`{field}` is for {}", list(others))));
    }
    let given: Vec<_> = rule.one_of.iter().copied().filter(|field| step.has(field)).collect();
    if !rule.one_of.is_empty() && given.len() != 1 {
        let fields = list(rule.one_of.iter().copied());
        let message = format!("`{path}`: a step of type `{of}` needs exactly one of {fields}");
        let label = if given.is_empty() { "found none" } else { "found both" };
        step.fault_here(Diagnostic::error(code::ONE_OF_FIELDS, message).label(label));
    }
    if of == StepType::Spark.as_str() && step.has("mainClass") && given == ["file"] {
        let message = format!("`{path}`: `mainClass` goes with `jar`, not with `file`");
        step.fault(step.span_of("mainClass"), Diagnostic::error(code::WRONG_FIELD, message));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_knows_every_type_and_field() {
        assert!(StepType::ALL.iter().all(|of| RULES.iter().any(|rule| rule.of == *of)));
        for rule in &RULES {
            let fields = [rule.needs, rule.one_of, rule.may].concat();
            assert!(fields.iter().all(|field| FIELDS.contains(field)), "{:?}", rule.of);
        }
        assert!(FIELDS.iter().all(|field| RULES.iter().any(|rule| rule.allows(field))));
    }
}
