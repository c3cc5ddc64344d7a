//! A playbook as a workflow template of Dataproc, for who wants Google to run it: on a cluster that is there for it alone.
//!
//! <https://cloud.google.com/dataproc/docs/reference/rest/v1/projects.regions.workflowTemplates>, parameters:
//! <https://cloud.google.com/dataproc/docs/concepts/workflows/workflow-parameters>

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::lower::{is_ours, lower};
use super::{Config, request};
use crate::config::fields::Field;
use crate::config::playbook::{OnFailure, OnResult, Program, Retries, Step};
use crate::diagnostic::{Diagnostic, Diagnostics, Place, code};
use crate::plan::{Plan, is_local, texts_of_files};
use crate::secret::Text;
use crate::source::Span;

/// The longest prefix of a managed cluster's name, in characters.
const LONGEST_NAME: usize = 35;
/// The longest id of a step there, and the shortest.
const LONGEST_STEP: usize = 50;
const SHORTEST_STEP: usize = 3;
/// The longest name of a parameter.
const LONGEST_PARAMETER: usize = 40;

/// Stands where the value of a variable is to be put: no file can hold it.
const MARK: char = '\u{1}';

/// The template, as `gcloud dataproc workflow-templates import` takes it. What of the playbook it cannot say is told: with a
/// warning where the template does less, with an error where it would not work. A text of a step that is a variable and
/// nothing else becomes a parameter; all others are as they were rendered.
pub fn workflow(plan: &Plan, config: &Config, faults: &mut Diagnostics) -> Value {
    let mut making = Making { plan, faults, parameters: BTreeMap::new(), ids: Vec::new() };
    making.ids = making.step_ids();
    let jobs: Vec<_> = (0..plan.steps().len()).map(|place| making.job(place)).collect();
    let placement = making.placement(config);
    let parameters: Vec<_> = making.parameters.values().map(Parameter::told).collect();
    let mut template = json!({"placement": placement, "jobs": jobs});
    let name = plan.playbook().map_or("", |playbook| playbook.name.shown());
    template["id"] = json!(legal(name, SHORTEST_STEP, LONGEST_STEP));
    if !parameters.is_empty() {
        template["parameters"] = Value::Array(parameters);
    }
    template
}

/// A value that is given when the template is instantiated.
struct Parameter {
    name: String,
    variable: String,
    fields: Vec<String>,
}

impl Parameter {
    fn told(&self) -> Value {
        let description = format!("the variable `{}` of the playbook", self.variable);
        json!({"name": self.name, "fields": self.fields, "description": description})
    }
}

struct Making<'a> {
    plan: &'a Plan,
    faults: &'a mut Diagnostics,
    /// By variable.
    parameters: BTreeMap<String, Parameter>,
    /// By place in the plan.
    ids: Vec<String>,
}

impl Making<'_> {
    fn step_ids(&self) -> Vec<String> {
        let mut taken = BTreeSet::new();
        let id = |step: &Step| {
            let wanted = legal(&step.id, SHORTEST_STEP, LONGEST_STEP);
            let others = (2..).map(|n| legal(&format!("{wanted}-{n}"), 0, LONGEST_STEP));
            let mut all = [wanted.clone()].into_iter().chain(others);
            all.find(|id| taken.insert(id.clone())).unwrap_or_default()
        };
        self.plan.steps().iter().map(id).collect()
    }

    fn job(&mut self, place: usize) -> Value {
        let (step, id) = (&self.plan.steps()[place], self.ids[place].clone());
        self.rules(step);
        self.texts(step);
        let name = |file: &Text| file.expose().to_owned();
        let environment =
            [("DATAFLOW_STEP", step.id.clone()), ("DATAFLOW_ATTEMPT", "1".to_owned())];
        let plain = lower(step, &name, &environment);
        let scripted = plain.body["queryList"]["queries"][0].as_str().is_some_and(is_ours);
        // Within a script of ours nothing can be put in later.
        let mut lowered = match scripted {
            true => plain,
            false => lower(&marked(step), &name, &environment),
        };
        let at = format!("jobs['{id}'].{}", lowered.kind);
        self.unmark(&mut lowered.body, &at);
        let mut job = json!({"stepId": id, lowered.kind: lowered.body});
        let needs = self.plan.needs(place);
        if !needs.is_empty() {
            job["prerequisiteStepIds"] = needs.iter().map(|&need| json!(self.ids[need])).collect();
        }
        job
    }

    /// What a workflow does not know.
    fn rules(&mut self, step: &Step) {
        let rules = &step.rules;
        let lost = [
            (Field::ActionOnFailure, rules.on_failure != OnFailure::default()),
            (Field::Retries, rules.retries != Retries::NONE),
            (Field::TimeoutSeconds, rules.timeout.is_some()),
            (Field::OnResult, rules.on_result != OnResult::default()),
        ];
        for (rule, _) in lost.into_iter().filter(|(_, is_set)| *is_set) {
            let name = rule.as_str();
            let message =
                format!("a workflow of Dataproc has no `{name}`: the template leaves it out");
            let help = "a job that fails ends the workflow; what runs already runs to its end";
            let at = step.span_of(rule);
            self.tell(Diagnostic::warning(code::RULE_NOT_EXPORTED, message).help(help), at);
        }
    }

    fn texts(&mut self, step: &Step) {
        for text in step.texts().filter(|text| text.is_secret()) {
            let message = "the template would hold a secret as it is";
            let help = "let the step fetch it where it runs, such as from Secret Manager";
            self.tell(Diagnostic::error(code::SECRET_EXPORTED, message).help(help), text.span);
        }
        for file in texts_of_files(step).filter(|file| is_local(file.expose())) {
            let message = "a workflow brings no files of this machine";
            let help = "put it into Cloud Storage, and name it by its URI";
            self.tell(Diagnostic::error(code::FILE_NOT_EXPORTED, message).help(help), file.span);
        }
    }

    fn placement(&mut self, config: &Config) -> Value {
        if config.name.expose().len() > LONGEST_NAME {
            let message = format!(
                "the name of a workflow's cluster has at most {LONGEST_NAME} characters, as Dataproc adds some"
            );
            let fault = Diagnostic::error(code::CLUSTER_NAME, message).help("shorten it");
            self.faults.push(fault.at(Place::new(&config.source, config.name.span)));
        }
        let values = config.properties.values().chain(config.network.metadata.values());
        for text in values.chain(config.labels.values()).filter(|text| text.is_secret()) {
            let message = "the template would hold a secret as it is";
            let help = "take it out: whoever may read the template could read it";
            let fault = Diagnostic::error(code::SECRET_EXPORTED, message).help(help);
            self.faults.push(fault.at(Place::new(&config.source, text.span)));
        }
        let body = request::cluster(config, &BTreeMap::new(), false);
        let mut cluster =
            json!({"clusterName": config.name.expose(), "config": body["config"].clone()});
        if body["labels"].is_object() {
            cluster["labels"] = body["labels"].clone();
        }
        json!({ "managedCluster": cluster })
    }

    /// Puts values where marks are, and notes which fields these are.
    fn unmark(&mut self, value: &mut Value, at: &str) {
        match value {
            Value::String(text) if text.starts_with(MARK) => {
                let mut parts = text.trim_start_matches(MARK).splitn(2, MARK);
                let (variable, value) =
                    (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
                let (variable, value) = (variable.to_owned(), value.to_owned());
                self.parameter(&variable).fields.push(at.to_owned());
                *text = value;
            }
            Value::Array(all) => {
                for (n, one) in all.iter_mut().enumerate() {
                    self.unmark(one, &format!("{at}[{n}]"));
                }
            }
            Value::Object(all) => {
                for (key, one) in all {
                    let is_map = at.ends_with(".properties") || at.ends_with(".scriptVariables");
                    let at = if is_map { format!("{at}['{key}']") } else { format!("{at}.{key}") };
                    self.unmark(one, &at);
                }
            }
            _ => {}
        }
    }

    fn parameter(&mut self, variable: &str) -> &mut Parameter {
        let taken: BTreeSet<_> = self.parameters.values().map(|it| it.name.clone()).collect();
        self.parameters.entry(variable.to_owned()).or_insert_with(|| {
            let plain =
                |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
            let mut name: String =
                variable.chars().map(plain).take(LONGEST_PARAMETER - 3).collect();
            if name.starts_with(|c: char| c.is_ascii_digit()) {
                name.insert(0, '_');
            }
            let others = (2..).map(|n| format!("{name}_{n}"));
            let name = [name.clone()].into_iter().chain(others).find(|name| !taken.contains(name));
            let (name, variable) = (name.unwrap_or_default(), variable.to_owned());
            Parameter { name, variable, fields: Vec::new() }
        })
    }

    fn tell(&mut self, fault: Diagnostic, span: Span) {
        let source = self.plan.playbook().map(|playbook| &playbook.source);
        self.faults.push(match source {
            Some(source) => fault.at(Place::new(source, span)),
            None => fault,
        });
    }
}

/// The step with marks where texts are variables and nothing else.
fn marked(step: &Step) -> Step {
    let mut step = step.clone();
    let mark = |text: &mut Text| {
        if let Some(variable) = variable_of(text) {
            *text = Text::new(format!("{MARK}{variable}{MARK}{}", text.expose()), text.span);
        }
    };
    let work = &mut step.work;
    // Behind a flag there are scripts' variables: name and value in one text.
    let script = matches!(
        work.program,
        Program::SparkSql { .. } | Program::Hive { .. } | Program::Pig { .. }
    );
    if !script {
        work.arguments.iter_mut().for_each(mark);
    }
    work.properties.values_mut().for_each(mark);
    work.files.iter_mut().for_each(mark);
    step
}

/// The variable that a text is: `{{.day}}`.
fn variable_of(text: &Text) -> Option<&str> {
    let inner = text.written().strip_prefix("{{")?.strip_suffix("}}")?;
    let name = inner.trim_matches('-').trim().strip_prefix('.')?;
    let plain = |c: char| c.is_alphanumeric() || c == '_';
    (text.is_computed() && !name.is_empty() && name.chars().all(plain)).then_some(name)
}

/// Letters, digits and hyphens, at least so many and at most; neither the first nor the last is a hyphen.
fn legal(name: &str, least: usize, most: usize) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    let name: String = name.chars().map(plain).collect();
    let name = name.trim_matches(['-', '_']);
    // What stands at the end tells most.
    let cut: String = name.chars().skip(name.chars().count().saturating_sub(most)).collect();
    let mut name = cut.trim_start_matches(['-', '_']).to_owned();
    while name.len() < least {
        name.push('0');
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::sample::{playbook, step, step_of, text};

    fn variable(name: &str, value: &str) -> Text {
        Text::new(value, Span::default()).as_written(format!("{{{{.{name}}}}}"))
    }

    fn told(steps: Vec<Step>) -> (Value, Vec<&'static str>) {
        let mut faults = Diagnostics::new();
        let plan = Plan::new(playbook(steps), &mut faults).expect("a plan");
        let template = workflow(&plan, &request::tests::config(), &mut faults);
        (template, faults.iter().map(|fault| fault.code.as_str()).collect())
    }

    fn jar(id: &str, arguments: &[&str], needs: &[&str]) -> Step {
        let program = Program::CustomJar { jar: text("gs://b/x.jar"), main_class: None };
        let depends_on = Some(needs.iter().map(|need| text(need)).collect());
        Step { depends_on, ..step_of(id, program, arguments) }
    }

    #[test]
    fn steps_are_jobs_in_their_order() {
        let (template, faults) = told(vec![
            jar("a", &["1"], &[]),
            jar("b.c", &[], &["a"]),
            jar("b-c", &[], &["a", "b.c"]),
        ]);
        assert_eq!(faults, [""; 0]);
        assert_eq!(template["id"], "sample");
        let expected = json!([
            {"stepId": "a00", "hadoopJob": {"mainJarFileUri": "gs://b/x.jar", "args": ["1"]}},
            {"stepId": "b-c", "hadoopJob": {"mainJarFileUri": "gs://b/x.jar"}, "prerequisiteStepIds": ["a00"]},
            {"stepId": "b-c-2", "hadoopJob": {"mainJarFileUri": "gs://b/x.jar"}, "prerequisiteStepIds": ["a00", "b-c"]},
        ]);
        assert_eq!(template["jobs"], expected);
        let cluster = &template["placement"]["managedCluster"];
        assert!(cluster["clusterName"].is_string() && cluster["config"].is_object(), "{cluster}");
        assert_eq!(template.get("parameters"), None);
    }

    #[test]
    fn a_text_that_is_a_variable_is_a_parameter() {
        let mut first = jar("first", &["x", "", "a-1"], &[]);
        first.work.arguments[1] = variable("day", "2026-11-22");
        first.work.arguments[2] = Text::new("a-1", Span::default()).as_written("a-{{.n}}".into());
        first.work.properties.insert("k".into(), variable("size", "4g"));
        let mut second = jar("second", &[], &["first"]);
        second.work.arguments.push(variable("day", "2026-11-22"));
        let (template, faults) = told(vec![first, second]);
        assert_eq!(faults, [""; 0]);
        let expected = json!([
            {"name": "DAY", "description": "the variable `day` of the playbook",
                "fields": ["jobs['first'].hadoopJob.args[1]", "jobs['second'].hadoopJob.args[0]"]},
            {"name": "SIZE", "description": "the variable `size` of the playbook",
                "fields": ["jobs['first'].hadoopJob.properties['k']"]},
        ]);
        assert_eq!(template["parameters"], expected);
        let job = &template["jobs"][0]["hadoopJob"];
        assert_eq!(job["args"], json!(["x", "2026-11-22", "a-1"]));
        assert_eq!(job["properties"]["k"], "4g");
    }

    #[test]
    fn a_script_of_ours_has_no_parameters() {
        let mut command = Step { depends_on: Some(Vec::new()), ..step("run", "echo", &[]) };
        command.work.arguments.push(variable("day", "2026-11-22"));
        let (template, _) = told(vec![command]);
        assert_eq!(template.get("parameters"), None);
        assert!(!template.to_string().contains(MARK), "{template}");
    }

    #[test]
    fn what_a_template_cannot_say_is_told() {
        let mut first = jar("first", &[], &[]);
        first.rules.on_failure = OnFailure::Continue;
        first.rules.timeout = Some(std::time::Duration::from_secs(60));
        first.work.files.push(text("./x"));
        let secret = Text::with_secrets("hunter2".into(), "‹systemEnv S›".into(), Span::default());
        first.work.arguments.push(secret);
        let (_, faults) = told(vec![first]);
        let expected =
            ["rule-not-exported", "rule-not-exported", "secret-exported", "file-not-exported"];
        assert_eq!(faults, expected);
    }

    #[test]
    fn ids_are_made_legal() {
        for (name, expected) in [("", "000"), ("a", "a00"), ("-a.b_", "a-b"), ("ü", "000")] {
            assert_eq!(legal(name, SHORTEST_STEP, LONGEST_STEP), expected);
        }
        let long = legal(&format!("{}-end", "x".repeat(60)), SHORTEST_STEP, LONGEST_STEP);
        assert!(long.len() == LONGEST_STEP && long.ends_with("-end"), "{long}");
    }
}
