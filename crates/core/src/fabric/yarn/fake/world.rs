//! All that the fake holds: applications, files, and what was done that should not have been. Time is an argument.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

use super::application::{Application, State};
use super::files::Files;
use super::program::Program;
use super::script::{ChildScript, Script};
use crate::clock::add;
use crate::fabric::yarn::TYPE;

/// The cluster's file system.
pub(super) const FILE_SYSTEM: &str = "hdfs://fake:9000";

/// What the fake holds.
#[derive(Clone, Debug)]
pub struct World {
    /// What is to happen to what comes.
    pub script: Script,
    /// All that the ResourceManager knows, oldest first.
    pub applications: Vec<Application>,
    /// All that it has forgotten.
    pub forgotten: Vec<Application>,
    /// HDFS.
    pub files: Files,
    /// The time, as far as it has come.
    pub now: Timestamp,
    /// When the ResourceManager began, in milliseconds since 1970.
    pub began: i64,
    /// It has begun, and does not know yet what it knew: it tells of no application.
    pub recovers: bool,
    /// The ids that were given out.
    given: BTreeSet<String>,
    submissions: BTreeMap<String, usize>,
    violations: Vec<String>,
    ids: u32,
}

impl World {
    /// An empty world.
    pub(super) fn new(script: Script, now: Timestamp) -> Self {
        let began = now.as_millisecond();
        Self {
            script,
            applications: Vec::new(),
            forgotten: Vec::new(),
            files: Files::new(began),
            now,
            began,
            recovers: false,
            given: BTreeSet::new(),
            submissions: BTreeMap::new(),
            violations: Vec::new(),
            ids: 0,
        }
    }

    /// Everything that was to happen until `now` happens. Time never goes back.
    pub(super) fn advance(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
        let mut at = 0;
        // Children come behind their launchers.
        while at < self.applications.len() {
            self.advance_one(at);
            at += 1;
        }
    }

    fn advance_one(&mut self, at: usize) {
        let now = self.now;
        let app = &mut self.applications[at];
        app.start(now);
        let end = app.end().filter(|(end, _)| *end <= now);
        let until = end.map_or(now, |(end, _)| end);
        let mut come: Vec<(Timestamp, ChildScript)> = Vec::new();
        if let (Some(started), State::Running) = (app.started, app.state) {
            let due = app.script.children.iter().skip(app.spawned);
            let due = due.map(|child| (add(started, child.after), child.clone()));
            come = due.take_while(|(time, _)| *time <= until).collect();
            app.spawned += come.len();
        }
        if let Some((end, how)) = end {
            app.finish(end, how);
            if app.left_logs() {
                let app = app.clone();
                self.leave_logs(&app, end);
            }
        }
        for (time, child) in come {
            self.spawn(at, time, &child);
        }
    }

    /// What the launcher does when its program has ended.
    fn leave_logs(&mut self, app: &Application, at: Timestamp) {
        let Some(program) = &app.program else { return };
        let at = at.as_millisecond();
        self.files.make(&program.logs, "700", at);
        for (name, text) in [("stdout", &app.script.stdout), ("stderr", &app.script.stderr)] {
            self.files.write(&format!("{}/{name}", program.logs), text.as_bytes(), "600", at);
        }
    }

    fn spawn(&mut self, parent: usize, at: Timestamp, child: &ChildScript) {
        let id = self.id();
        let parent = &self.applications[parent];
        let tags = parent.program.as_ref().map(|program| program.tags_for(child.kind));
        let app = Application {
            id,
            name: format!("{} of {}", child.kind, parent.name),
            user: parent.user.clone(),
            kind: child.kind.to_owned(),
            tags: tags.unwrap_or_default(),
            queue: parent.queue.clone(),
            order: Value::Null,
            program: None,
            parent: Some(parent.id.clone()),
            state: State::Accepted,
            diagnostics: String::new(),
            created: at,
            started: None,
            ended: None,
            asked: None,
            deadline: None,
            script: child.script(),
            spawned: 0,
        };
        self.applications.push(app);
    }

    /// An id that was never given out.
    pub(super) fn id(&mut self) -> String {
        self.ids += 1;
        format!("application_{}_{:04}", self.began, self.ids)
    }

    /// An id for somebody who asks for one.
    pub(super) fn give_id(&mut self) -> String {
        let id = self.id();
        self.given.insert(id.clone());
        id
    }

    /// An application that is submitted for the first time.
    pub(super) fn submit(&mut self, id: &str, user: &str, order: &Value) {
        if !self.given.contains(id) {
            self.note(format!("the id {id} was never given out"));
        }
        if self.forgotten.iter().any(|app| app.id == id) {
            self.note(format!("{id} runs a second time"));
        }
        let text = |name: &str| order[name].as_str().unwrap_or_default().to_owned();
        let (name, queue, kind) =
            (text("application-name"), text("queue"), text("application-type"));
        let tags = order["application-tags"]["tag"].as_array().into_iter().flatten();
        let tags: Vec<String> = tags.filter_map(Value::as_str).map(str::to_lowercase).collect();
        let before = self.submissions.entry(name.clone()).or_default();
        let script = self.script.of_step(&name, *before);
        *before += 1;
        let program = Program::read(&order["am-container-spec"], FILE_SYSTEM);
        if let Err(fault) = &program {
            self.note(format!("{id}: {fault}"));
        }
        if let Some(tag) = self.order_of(&tags) {
            self.note(format!("a second application of the order {tag}"));
        }
        let mut app = Application {
            id: id.to_owned(),
            name,
            user: user.to_owned(),
            kind,
            tags,
            queue: if queue.is_empty() { "default".to_owned() } else { queue },
            order: order.clone(),
            parent: None,
            state: State::Accepted,
            diagnostics: String::new(),
            created: self.now,
            started: None,
            ended: None,
            asked: None,
            deadline: None,
            script,
            spawned: 0,
            program: program.clone().ok(),
        };
        if let Some(fault) = self.fault_of(&app, program.err()) {
            app.fail(self.now, fault);
        }
        self.applications.push(app);
    }

    /// The tag of an order of which there is a launcher already.
    fn order_of<'t>(&self, tags: &'t [String]) -> Option<&'t String> {
        let mut orders = tags
            .iter()
            .filter(|tag| (tag.starts_with("r-") || tag.starts_with("k-")) && tag.contains('.'));
        let all = || self.applications.iter().chain(&self.forgotten);
        orders.find(|tag| all().any(|app| app.kind == TYPE && app.has_tag(tag)))
    }

    /// Why a new application can never run.
    fn fault_of(&self, app: &Application, unread: Option<String>) -> Option<String> {
        let Application { id, user, queue, .. } = app;
        if !self.script.queues.contains(queue) {
            let said =
                format!("Application {id} submitted by user {user} to unknown queue: {queue}");
            return Some(said);
        }
        let attempt = id.replace("application_", "appattempt_") + "_000001";
        let died = |code: i32, why: &str| {
            format!(
                "Application {id} failed 1 times (global limit =2; local limit is =1) due to AM Container for {attempt} exited with  exitCode: {code}\nFailing this attempt.Diagnostics: {why}"
            )
        };
        if let Some(fault) = unread {
            return Some(died(2, &fault));
        }
        let wanted = app.order["am-container-spec"]["local-resources"]["entry"].as_array();
        let wrong = |entry: &Value| self.wrong_resource(&entry["value"]);
        wanted?.iter().find_map(wrong).map(|why| died(-1000, &why))
    }

    /// Why a node cannot bring a file.
    fn wrong_resource(&self, wanted: &Value) -> Option<String> {
        let uri = wanted["resource"].as_str().unwrap_or_default();
        let path = uri.strip_prefix(FILE_SYSTEM).unwrap_or_default();
        let known = self.files.get(path).and_then(|file| Some((file.bytes.as_ref()?, file)));
        let Some((bytes, file)) = known else { return Some(format!("File does not exist: {uri}")) };
        let (size, modified) = (&wanted["size"], &wanted["timestamp"]);
        if size.as_u64() != Some(bytes.len() as u64) || modified.as_i64() != Some(file.modified) {
            let was = file.modified;
            let said = format!(
                "Resource {uri} changed on src filesystem - expected: \"{modified}\", was: \"{was}\""
            );
            return Some(said);
        }
        None
    }

    /// Its application, by its id.
    pub fn application(&self, id: &str) -> Option<&Application> {
        self.applications.iter().find(|app| app.id == id)
    }

    /// The same, to change what becomes of it.
    pub fn application_mut(&mut self, id: &str) -> Option<&mut Application> {
        self.applications.iter_mut().find(|app| app.id == id)
    }

    /// The launchers of a step, oldest first.
    pub fn launchers(&self, step: &str) -> impl Iterator<Item = &Application> {
        let all = self.forgotten.iter().chain(&self.applications);
        all.filter(move |app| app.kind == TYPE && app.name == step)
    }

    /// All that wait or run.
    pub fn alive(&self) -> impl Iterator<Item = &Application> {
        self.applications.iter().filter(|app| app.state.is_alive())
    }

    /// How often steps with this name were submitted.
    pub fn submissions(&self, name: &str) -> usize {
        self.submissions.get(name).copied().unwrap_or(0)
    }

    /// What was done that should never be.
    pub fn violations(&self) -> &[String] {
        &self.violations
    }

    /// Notes what should never be done.
    pub(super) fn note(&mut self, violation: String) {
        self.violations.push(violation);
    }

    /// The ResourceManager begins anew, with its memory or without. Without it what ran has ended.
    pub fn restart(&mut self, remembers: bool) {
        self.began = self.now.as_millisecond().max(self.began + 1);
        self.ids = 0;
        self.recovers = false;
        if !remembers {
            self.forgotten.append(&mut self.applications);
        }
    }
}
