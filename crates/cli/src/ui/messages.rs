//! What the program says of each event, for people and for logs alike. Scripts of 0.7.x look for many of these
//! texts: on EMR they are its texts, and other fabrics get the same without the word EMR.

use std::collections::{HashMap, HashSet};

use dataflow_runner_core::event::{Attempt, Event, EventKind, Goal, Outcome, Skip, Stop};
use dataflow_runner_core::fabric::{
    Cause, ClusterId, ClusterState, Error, ErrorKind, RunId, StepId, StepState, Token,
};
use jiff::Timestamp;

use crate::args::Level;
use crate::exit::hint;

/// Something to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    /// How severe it is.
    pub(crate) level: Level,
    /// One line as it is meant; names in it may hold anything, so whoever shows it escapes it.
    pub(crate) text: String,
}

/// Puts events into words, and remembers of earlier ones what it takes to do so.
#[derive(Debug, Default)]
pub(crate) struct Messages {
    /// For a person who watches: no ids, lengths instead of times. Else the words that scripts look for.
    watched: bool,
    goal: Option<Goal>,
    emr: bool,
    cluster: Option<ClusterId>,
    /// The steps' names by their ids in the playbook.
    names: HashMap<String, String>,
    /// What was ordered, until the answer is there.
    orders: HashMap<Token, Vec<Attempt>>,
    /// The latest order for a cluster.
    launch: Option<Token>,
    /// Orders that were not sent from here, but asked for.
    asked_first: HashSet<Token>,
    /// Why the latest order was given up.
    refused: Option<Error>,
    /// The fabric's id of each step's latest attempt, by the step's id in the playbook.
    ids: HashMap<String, StepId>,
    run: Option<RunId>,
}

impl Messages {
    /// Messages for a person who watches, or for logs.
    pub(crate) fn new(watched: bool) -> Self {
        Self { watched, ..Self::default() }
    }

    /// The fabric's id of a step's latest attempt.
    pub(crate) fn id(&self, step: &str) -> Option<&StepId> {
        self.ids.get(step)
    }

    fn run(&self) -> &str {
        self.run.as_ref().map_or("", RunId::as_str)
    }

    /// The name of a step.
    pub(crate) fn name<'a>(&'a self, step: &'a str) -> &'a str {
        self.names.get(step).map_or(step, String::as_str)
    }

    /// The cluster of the run, once there is one.
    pub(crate) fn cluster(&self) -> Option<&ClusterId> {
        self.cluster.as_ref()
    }

    /// What there is to say of an event.
    pub(crate) fn of(&mut self, event: &Event) -> Vec<Message> {
        self.remember(&event.kind);
        let said = self.say(&event.kind);
        if let EventKind::Submitted { token, .. } = &event.kind {
            self.orders.remove(token);
        }
        said.into_iter().map(|(level, text)| Message { level, text }).collect()
    }

    fn remember(&mut self, kind: &EventKind) {
        if let EventKind::LaunchIntended { token, ask_first: true, .. }
        | EventKind::SubmitIntended { token, ask_first: true, .. } = kind
        {
            self.asked_first.insert(token.clone());
        }
        match kind {
            EventKind::RunStarted { run, goal, fabric, steps, cluster, .. } => {
                self.run = Some(run.clone());
                self.goal = Some(*goal);
                self.emr = fabric == "emr";
                self.cluster.clone_from(cluster);
                self.names = steps.iter().map(|s| (s.id.clone(), s.name.clone())).collect();
            }
            EventKind::Resumed { steps, cluster, .. } => {
                self.refused = None;
                self.cluster.clone_from(cluster);
                self.names.extend(steps.iter().map(|s| (s.id.clone(), s.name.clone())));
            }
            EventKind::Launched { cluster, .. } => self.cluster = Some(cluster.clone()),
            EventKind::OrderRefused { error, last: true, .. } => {
                self.refused = Some(error.clone());
            }
            EventKind::SubmitIntended { token, steps, .. } => {
                self.orders.insert(token.clone(), steps.clone());
            }
            EventKind::LaunchIntended { token, steps, .. } => {
                self.orders.insert(token.clone(), steps.clone());
                self.launch = Some(token.clone());
            }
            EventKind::Submitted { token, ids, .. } => {
                let steps = self.orders.get(token).into_iter().flatten();
                let named = steps.map(|attempt| attempt.step.clone());
                self.ids.extend(named.zip(ids.iter().cloned()));
            }
            _ => {}
        }
    }

    fn say(&self, kind: &EventKind) -> Vec<(Level, String)> {
        use Level::{Debug, Error, Info, Warning};
        let one = |level, text: String| vec![(level, text)];
        match kind {
            EventKind::RunStarted { run, fabric, playbook, steps, .. } => {
                let what = match playbook {
                    Some(name) => format!(": playbook '{name}', {}", count(steps.len(), "step")),
                    None => String::new(),
                };
                one(Info, format!("Run {run} started on {fabric}{what}"))
            }
            EventKind::Attached { driver } => {
                one(Info, format!("Attached to run {}, as {driver}", self.run()))
            }
            EventKind::Resumed { left_out, .. } => {
                let left_out = match left_out.len() {
                    0 => String::new(),
                    some => format!(", without {}", count(some, "step")),
                };
                one(Info, format!("Resuming run {}{left_out}", self.run()))
            }
            EventKind::LaunchIntended { ask_first: true, .. }
            | EventKind::SubmitIntended { ask_first: true, .. } => {
                one(Info, "Asking first whether it was ordered elsewhere".to_owned())
            }
            EventKind::LaunchIntended { .. } => {
                one(Info, format!("Launching {}...", self.a_cluster()))
            }
            EventKind::Launched { cluster, .. } if self.goal == Some(Goal::RunTransient) => {
                one(Info, format!("{} started successfully", self.transient(cluster)))
            }
            EventKind::Launched { cluster, .. } => {
                one(Info, format!("{} with ID [{cluster}] is coming up", self.the_cluster()))
            }
            EventKind::RelaunchScheduled { launch, not_before } => one(
                Warning,
                format!(
                    "{} is launched again at {} (launch {launch})",
                    self.the_cluster(),
                    time(*not_before)
                ),
            ),
            EventKind::ClusterChanged { cluster, state, native, reason, cause } => {
                self.cluster_changed(cluster, *state, native, reason.as_deref(), *cause)
            }
            EventKind::SubmitIntended { steps, .. } => {
                one(Debug, format!("Submitting {}...", count(steps.len(), "step")))
            }
            EventKind::Submitted { token, ids, .. } => self.submitted(token, ids.len()),
            EventKind::OrderRefused { error, last: false, .. }
                if error.kind == ErrorKind::Quota =>
            {
                one(Info, format!("An order waits for its turn: {error}"))
            }
            EventKind::OrderRefused { error, last, .. } => {
                let level = if *last { Error } else { Warning };
                let more = if *last { "" } else { "; it is tried again later" };
                let what = match error.kind {
                    ErrorKind::Unavailable => "did not get through",
                    _ => "was refused",
                };
                one(level, format!("An order {what}: {error}{more}"))
            }
            EventKind::OrderLost { token, error } if self.asked_first.contains(token) => one(
                Warning,
                format!("Whether it was ordered elsewhere is not told, asking again: {error}"),
            ),
            EventKind::OrderNotFound { token, proven: true, .. }
                if self.asked_first.contains(token) =>
            {
                one(Info, "It was not ordered elsewhere".to_owned())
            }
            EventKind::OrderLost { error, .. } => one(
                Warning,
                format!("The answer to an order was lost, asking what became of it: {error}"),
            ),
            EventKind::OrderNotFound { proven: true, .. } => {
                one(Warning, "The lost order was not carried out".to_owned())
            }
            EventKind::OrderNotFound { proven: false, .. } => {
                one(Debug, "The lost order does not show yet".to_owned())
            }
            EventKind::StepChanged { step, state, native, reason, .. } => {
                let level = match state {
                    StepState::Unknown => Warning,
                    StepState::Running => Info,
                    _ => Debug,
                };
                let state = in_both_tongues(state.as_str(), native);
                one(level, format!("{} is {state}{}", self.step(step), because(reason.as_deref())))
            }
            EventKind::StepEnded { .. } => self.step_ended(kind),
            EventKind::RetryScheduled { step, attempt, not_before } => one(
                Warning,
                format!(
                    "{} is tried again at {} (attempt {attempt})",
                    self.named(step),
                    time(*not_before)
                ),
            ),
            EventKind::StepSkipped { step, why } => {
                let level = if matches!(why, Skip::Noop(_)) { Info } else { Warning };
                one(level, format!("{} is not started: {}", self.named(step), self.skip(why)))
            }
            EventKind::CancelIntended { steps, why } => one(
                Warning,
                format!("Cancelling {}: {}", count(steps.len(), "step"), self.stop(why)),
            ),
            EventKind::TerminateIntended { cluster, why } => one(
                Info,
                format!("Terminating {} with ID [{cluster}]: {}", self.a_cluster(), self.stop(why)),
            ),
            EventKind::ContactLost { error } => one(Warning, format!("No contact: {error}")),
            EventKind::ContactRestored => one(Info, "Contact is restored".to_owned()),
            EventKind::Interrupted { signal, leave } => one(
                Warning,
                format!("Interrupted by {}: {}", signal_name(*signal), self.promise(*leave)),
            ),
            EventKind::Warning { message } => one(Warning, message.clone()),
            EventKind::JournalFailed { message } => one(
                Error,
                format!(
                    "The journal cannot be written any more, so nothing more is started: {message}"
                ),
            ),
            EventKind::RunEnded { outcome } => self.run_ended(outcome),
        }
    }

    /// What is done about an interruption.
    fn promise(&self, leave: bool) -> String {
        match (leave, self.goal, &self.cluster) {
            (false, Some(Goal::Down), _) => "no longer waiting; what was asked for goes on".into(),
            (false, ..) => "cancelling".into(),
            (true, _, Some(cluster)) => format!(
                "everything is left as it is, {} with ID [{cluster}] too",
                self.the_cluster()
            ),
            (true, ..) => "everything is left as it is".into(),
        }
    }

    fn cluster_changed(
        &self,
        cluster: &ClusterId,
        state: ClusterState,
        native: &str,
        reason: Option<&str>,
        cause: Option<Cause>,
    ) -> Vec<(Level, String)> {
        let the = self.the_cluster();
        let because = because(reason);
        match (state, self.goal) {
            (ClusterState::Ready, Some(Goal::Up)) => {
                let id = if self.emr { "Jobflow ID" } else { "ID" };
                vec![(Level::Info, format!("{the} launched successfully; {id}: {cluster}"))]
            }
            (ClusterState::Stopped, Some(Goal::Down)) => {
                vec![(Level::Info, format!("{the} terminated successfully"))]
            }
            (ClusterState::Stopped, Some(Goal::RunTransient)) => {
                vec![(Level::Info, format!("{the} with ID [{cluster}] is terminated successfully"))]
            }
            (ClusterState::Failed | ClusterState::Broken, _) if cause == Some(Cause::Bootstrap) => {
                let text = "could not start the cluster due to bootstrap failure";
                vec![(Level::Error, format!("{text}{because}"))]
            }
            (ClusterState::Failed | ClusterState::Broken, Some(Goal::Up)) => {
                vec![(Level::Error, format!("{the} failed to launch with state {native}{because}"))]
            }
            (ClusterState::Failed | ClusterState::Broken, _) => {
                vec![(
                    Level::Error,
                    format!("{the} with ID [{cluster}] failed with state {native}{because}"),
                )]
            }
            (ClusterState::Unknown, _) => {
                let text = format!("{the} with ID [{cluster}] is in a state not known: {native}");
                vec![(Level::Warning, format!("{text}{because}"))]
            }
            _ => {
                let state = in_both_tongues(state.as_str(), native);
                vec![(Level::Info, format!("{the} with ID [{cluster}] is {state}{because}"))]
            }
        }
    }

    /// Where steps go one by one, saying so of each would only be noise.
    fn submitted(&self, token: &Token, steps: usize) -> Vec<(Level, String)> {
        if self.launch.as_ref() == Some(token) {
            let text = format!("The cluster has {}", count(steps, "step"));
            return vec![(Level::Debug, text)];
        }
        if let (false, Some([only])) = (self.emr, self.orders.get(token).map(Vec::as_slice)) {
            // Who watches sees it run.
            let level = if self.watched { Level::Debug } else { Level::Info };
            return vec![(level, format!("{} was submitted", self.step(&only.step)))];
        }
        let (the, id) = match self.emr {
            true => ("EMR cluster", "jobflow id"),
            false => ("cluster", "id"),
        };
        let cluster = self.cluster.as_ref().map_or("", ClusterId::as_str);
        // Always in the plural: scripts look for it.
        let text =
            format!("Successfully added {steps} steps to the {the} with {id} '{cluster}'...");
        vec![(Level::Info, text)]
    }

    fn step_ended(&self, kind: &EventKind) -> Vec<(Level, String)> {
        let EventKind::StepEnded { step, state, reason, exit_code, started, ended, noop, .. } =
            kind
        else {
            return Vec::new();
        };
        // What was told of the order is not told again of each of its steps.
        let refused = self.refused.as_ref().map(Error::to_string);
        let reason = reason.as_deref().map(|reason| match &refused {
            Some(refused) if refused == reason => "its order was refused",
            _ => reason,
        });
        let (level, how) = match state {
            StepState::Succeeded => (Level::Info, "completed successfully"),
            StepState::Cancelled => (Level::Warning, "was CANCELLED"),
            _ => (Level::Error, "was FAILED"),
        };
        let text = if self.watched {
            self.briefly(step, *state, (*started).zip(*ended), reason)
        } else {
            let mut text = format!("{} {how}", self.step(step));
            for (name, at) in [("StartTime", started), ("EndTime", ended)] {
                if let Some(at) = at {
                    text += &format!(" - {name}: {}", time(*at));
                }
            }
            // A reason says all that a number does.
            match (reason, exit_code) {
                (Some(reason), _) => text += &format!(" - Reason: {reason}"),
                (None, Some(code)) if *code != 0 => text += &format!(" - ExitCode: {code}"),
                (None, _) => {}
            }
            text
        };
        let mut said = vec![(level, text)];
        if *noop {
            said.push((
                Level::Info,
                format!("{} ends the run early, with success", self.named(step)),
            ));
        }
        said
    }

    /// How a step ended, for a person who watches.
    fn briefly(
        &self,
        step: &str,
        state: StepState,
        times: Option<(Timestamp, Timestamp)>,
        reason: Option<&str>,
    ) -> String {
        let how = match state {
            StepState::Succeeded => "succeeded",
            StepState::Cancelled => "was cancelled",
            _ => "failed",
        };
        let length = times.map(|(started, ended)| {
            let seconds = ended.duration_since(started).as_secs_f64();
            format!(" after {seconds:.1} s")
        });
        let reason = reason.map(|reason| format!(": {reason}"));
        format!(
            "{} {how}{}{}",
            self.named(step),
            length.unwrap_or_default(),
            reason.unwrap_or_default()
        )
    }

    fn run_ended(&self, outcome: &Outcome) -> Vec<(Level, String)> {
        match outcome {
            Outcome::Succeeded => self.succeeded(),
            Outcome::Noop { step } => {
                vec![(
                    Level::Info,
                    format!("Run ended early by step '{}', with success", self.name(step)),
                )]
            }
            Outcome::Submitted => {
                let text = "All steps were submitted; nobody waits for how they end (--async)";
                vec![(Level::Info, text.to_owned())]
            }
            Outcome::Failed { failed, total, reason } => {
                let steps = format!("{failed}/{total} steps failed to complete successfully");
                let steps = (*failed > 0).then_some(steps);
                let said = steps.into_iter().chain(reason.clone());
                let mut said: Vec<_> = said.map(|text| (Level::Error, text)).collect();
                if said.is_empty() {
                    said.push((Level::Error, "The run failed".to_owned()));
                }
                said
            }
            // A long reason is not to be read twice.
            Outcome::Refused { error } if self.refused.as_ref() == Some(error) => {
                let what = match self.goal {
                    Some(Goal::Down) => "Nothing was changed",
                    _ => "Nothing is running because of this run",
                };
                vec![(Level::Error, format!("{what}; {}", hint(error.kind)))]
            }
            Outcome::Refused { error } => vec![(Level::Error, with_hint(error))],
            Outcome::Interrupted { signal, .. } => {
                vec![(Level::Error, format!("Run ended by {}", signal_name(*signal)))]
            }
            Outcome::InDoubt { reason } => {
                // Where the journal is another's by now, whoever attaches hears whose.
                let again = format!("`dataflow-runner attach {}` asks again", self.run());
                let text = format!("In doubt, something may be running: {reason}; {again}");
                vec![(Level::Error, text)]
            }
        }
    }

    fn succeeded(&self) -> Vec<(Level, String)> {
        let text = match (self.goal, self.emr) {
            (Some(Goal::Run), _) => "All steps completed successfully",
            (Some(Goal::RunTransient), true) => "Transient EMR run completed successfully",
            (Some(Goal::RunTransient), false) => "Transient run completed successfully",
            // The cluster's own change has said it.
            (Some(Goal::Up | Goal::Down) | None, _) => return Vec::new(),
        };
        vec![(Level::Info, text.to_owned())]
    }

    fn skip(&self, why: &Skip) -> String {
        match why {
            Skip::DependencyFailed(step) => {
                format!("it needs step '{}', which failed", self.name(step))
            }
            Skip::StepFailed(step) => format!("step '{}' failed", self.name(step)),
            Skip::Noop(step) => format!("step '{}' ended the run early", self.name(step)),
            Skip::Interrupted => "the run was interrupted".to_owned(),
            Skip::ClusterGone => "there is no cluster".to_owned(),
            Skip::JournalFailed => "the journal cannot be written".to_owned(),
        }
    }

    fn stop(&self, why: &Stop) -> String {
        match why {
            Stop::Done => "the run is done".to_owned(),
            Stop::Asked => "as asked".to_owned(),
            Stop::TimedOut => "out of time".to_owned(),
            Stop::StepFailed(step) => format!("step '{}' failed", self.name(step)),
            Stop::Noop(step) => format!("step '{}' ended the run early", self.name(step)),
            Stop::Interrupted => "the run was interrupted".to_owned(),
            Stop::ClusterFailed => "the cluster failed".to_owned(),
            Stop::RunFailed => "the run failed".to_owned(),
        }
    }

    /// A step with the fabric's id, where that is known.
    fn step(&self, step: &str) -> String {
        match self.ids.get(step) {
            Some(id) => format!("Step '{}' with id '{id}'", self.name(step)),
            None => self.named(step),
        }
    }

    fn named(&self, step: &str) -> String {
        format!("Step '{}'", self.name(step))
    }

    fn the_cluster(&self) -> &'static str {
        if self.emr { "EMR cluster" } else { "Cluster" }
    }

    fn a_cluster(&self) -> &'static str {
        if self.emr { "EMR cluster" } else { "cluster" }
    }

    fn transient(&self, cluster: &ClusterId) -> String {
        match self.emr {
            true => format!("Transient EMR run with jobflow ID [{cluster}]"),
            false => format!("Transient run with cluster ID [{cluster}]"),
        }
    }
}

/// An error and what can be done about it.
pub(crate) fn with_hint(error: &Error) -> String {
    format!("{error}; {}", hint(error.kind))
}

/// `1 step`, `2 steps`.
pub(crate) fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

fn because(reason: Option<&str>) -> String {
    reason.map(|reason| format!(": {reason}")).unwrap_or_default()
}

/// Our word, and the fabric's where it says more.
fn in_both_tongues(ours: &str, native: &str) -> String {
    if native.eq_ignore_ascii_case(ours) { ours.to_owned() } else { format!("{ours} ({native})") }
}

/// To the second, as 0.7.x wrote times.
pub(crate) fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

pub(crate) fn signal_name(number: i32) -> String {
    match number {
        1 => "SIGHUP".to_owned(),
        2 => "SIGINT".to_owned(),
        15 => "SIGTERM".to_owned(),
        other => format!("signal {other}"),
    }
}

#[cfg(test)]
mod tests;
