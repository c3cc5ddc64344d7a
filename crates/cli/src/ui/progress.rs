//! What is going on, on a terminal: a line for each running step, and one for all.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use dataflow_runner_core::event::{Event, EventKind};
use dataflow_runner_core::fabric::{ClusterState, StepState, Token};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::escape;
use super::messages::Messages;

/// So many running steps get a line of their own; a screen is only so high.
const LINES: usize = 12;

/// The lines at the foot of the screen.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    screen: MultiProgress,
    /// The lines that show how long something takes.
    bars: Arc<Mutex<HashMap<String, ProgressBar>>>,
    total: Option<ProgressBar>,
    done: HashSet<String>,
    /// Steps that were ordered where an order taken is a step started: the local fabric. It is asked again only
    /// when something ends, so waiting to hear that they run would show nothing until then.
    ordered: HashMap<Token, Vec<String>>,
    at_once: bool,
}

impl Progress {
    /// The lines, for who writes past them.
    pub(super) fn screen(&self) -> MultiProgress {
        self.screen.clone()
    }

    /// Follows what happens.
    pub(crate) fn event(&mut self, event: &Event, messages: &Messages) {
        match &event.kind {
            EventKind::RunStarted { steps, fabric, .. } => {
                self.at_once = fabric == "local";
                // Clusters of this machine are up and down before one has read of it.
                if !(steps.is_empty() && self.at_once) {
                    self.start(steps.len());
                }
            }
            EventKind::Launched { .. } => self.cluster(ClusterState::Starting),
            EventKind::ClusterChanged { state, .. } => self.cluster(*state),
            EventKind::RelaunchScheduled { .. } => self.say("waiting to launch again, "),
            EventKind::SubmitIntended { token, steps, .. } if self.at_once => {
                let steps = steps.iter().map(|attempt| attempt.step.clone()).collect();
                self.ordered.insert(token.clone(), steps);
            }
            EventKind::Submitted { token, .. } => {
                for step in self.ordered.remove(token).unwrap_or_default() {
                    self.begin(&step, messages.name(&step));
                }
            }
            EventKind::StepChanged { step, state: StepState::Running, .. } => {
                self.begin(step, messages.name(step));
            }
            EventKind::StepEnded { step, .. } | EventKind::StepSkipped { step, .. } => {
                self.end(step);
                self.done.insert(step.clone());
            }
            EventKind::RetryScheduled { step, .. } => {
                self.done.remove(step);
            }
            EventKind::RunEnded { .. } => self.clear(),
            _ => {}
        }
        if let Some(total) = &self.total {
            total.set_position(self.done.len() as u64);
        }
    }

    fn start(&mut self, steps: usize) {
        let style = match steps {
            0 => style("{msg}{elapsed}"),
            _ => style("{pos}/{len} steps done, {msg}{elapsed}"),
        };
        let total = ProgressBar::new(steps as u64).with_style(style);
        self.total = Some(self.screen.add(total.clone()));
        self.lock().insert(String::new(), total);
        let bars = Arc::downgrade(&self.bars);
        // Without it the elapsed times would stand still. It ends with the bars.
        let _ = std::thread::Builder::new().name("progress".into()).spawn(move || tick(&bars));
    }

    /// Clusters take minutes in which nothing else is told.
    fn cluster(&self, state: ClusterState) {
        self.say(match state {
            ClusterState::Starting => "the cluster is coming up, ",
            ClusterState::Stopping => "the cluster is going down, ",
            _ => "",
        });
    }

    fn say(&self, what: &'static str) {
        if let Some(total) = &self.total {
            total.set_message(what);
        }
    }

    fn begin(&mut self, step: &str, name: &str) {
        let mut bars = self.lock();
        if bars.len() > LINES || bars.contains_key(step) {
            return;
        }
        let bar = ProgressBar::no_length().with_style(style("  {elapsed:>4}  {wide_msg}"));
        let bar = match &self.total {
            Some(total) => self.screen.insert_before(total, bar),
            None => self.screen.add(bar),
        };
        // Terminals do not agree on how wide joined characters are, and a line that is not as wide as was reckoned
        // takes all below it apart.
        bar.set_message(escape::line(name).replace(['\u{200c}', '\u{200d}', '\u{fe0f}'], ""));
        bar.tick();
        bars.insert(step.to_owned(), bar);
    }

    fn end(&mut self, step: &str) {
        if let Some(bar) = self.lock().remove(step) {
            bar.finish_and_clear();
            self.screen.remove(&bar);
        }
    }

    fn clear(&mut self) {
        for (_, bar) in self.lock().drain() {
            bar.finish_and_clear();
        }
        self.total = None;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, ProgressBar>> {
        self.bars.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn tick(bars: &Weak<Mutex<HashMap<String, ProgressBar>>>) {
    loop {
        std::thread::park_timeout(Duration::from_secs(1));
        let Some(bars) = bars.upgrade() else { return };
        for bar in bars.lock().unwrap_or_else(PoisonError::into_inner).values() {
            bar.tick();
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use dataflow_runner_core::config::playbook::StepType;
    use dataflow_runner_core::event::{Attempt, Goal, Outcome, Skip, StepInfo};
    use dataflow_runner_core::fabric::{ClusterId, RunId, StepId};
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn running_steps_have_a_line_and_ended_ones_are_counted_once() {
        let mut progress = Progress::default();
        let messages = Messages::default();
        let tell = |progress: &mut Progress, kind| {
            progress.event(&Event { seq: 1, at: Timestamp::UNIX_EPOCH, kind }, &messages);
            let done = progress.total.as_ref().map(ProgressBar::position);
            // One line is that of the total.
            (progress.lock().len().saturating_sub(1), done)
        };
        let steps = (0..20).map(|n| StepInfo {
            id: n.to_string(),
            name: n.to_string(),
            step_type: StepType::Command,
            digest: String::new(),
            needs: None,
            rules: None,
        });
        let started = EventKind::RunStarted {
            run: RunId::new("r"),
            goal: Goal::Run,
            fabric: "local".into(),
            playbook: None,
            tags: std::collections::BTreeMap::new(),
            steps: steps.collect(),
            cluster: None,
            name: None,
            driver: None,
            max_parallel: None,
            left_out: Vec::new(),
        };
        let running = |step: usize| EventKind::StepChanged {
            step: step.to_string(),
            attempt: 1,
            state: StepState::Running,
            native: String::new(),
            started: None,
            reason: None,
        };
        let ended = |step: &str| EventKind::StepEnded {
            step: step.into(),
            attempt: 1,
            state: StepState::Failed,
            native: String::new(),
            reason: None,
            exit_code: None,
            started: None,
            ended: None,
            link: None,
            noop: false,
        };
        assert_eq!(tell(&mut progress, started), (0, Some(0)));
        for step in 0..20 {
            tell(&mut progress, running(step));
        }
        assert_eq!(tell(&mut progress, running(3)), (LINES, Some(0)), "as many as fit");
        assert_eq!(tell(&mut progress, ended("3")), (LINES - 1, Some(1)));
        let again = EventKind::RetryScheduled {
            step: "3".into(),
            attempt: 2,
            not_before: Timestamp::UNIX_EPOCH,
        };
        assert_eq!(tell(&mut progress, again), (LINES - 1, Some(0)));
        let skipped = EventKind::StepSkipped { step: "19".into(), why: Skip::Interrupted };
        assert_eq!(tell(&mut progress, skipped), (LINES - 1, Some(1)));
        let over = EventKind::RunEnded { outcome: Outcome::Succeeded };
        assert_eq!(tell(&mut progress, over), (0, None));
    }

    #[test]
    fn who_waits_for_a_cluster_sees_it() {
        let mut progress = Progress::default();
        let tell = |progress: &mut Progress, kind| {
            let event = Event { seq: 1, at: Timestamp::UNIX_EPOCH, kind };
            progress.event(&event, &Messages::default());
            progress.total.as_ref().map(ProgressBar::message)
        };
        let started = |fabric: &str| EventKind::RunStarted {
            run: RunId::new("r"),
            goal: Goal::Up,
            fabric: fabric.into(),
            playbook: None,
            tags: Default::default(),
            steps: Vec::new(),
            cluster: None,
            name: None,
            driver: None,
            max_parallel: None,
            left_out: Vec::new(),
        };
        let launched = EventKind::Launched {
            token: Token::new("r.1.1"),
            cluster: ClusterId::new("j-1"),
            adopted: false,
        };
        let ready = EventKind::ClusterChanged {
            cluster: ClusterId::new("j-1"),
            state: ClusterState::Ready,
            native: "WAITING".into(),
            reason: None,
            cause: None,
        };
        assert_eq!(tell(&mut progress, started("local")), None);
        assert_eq!(tell(&mut progress, started("emr")).as_deref(), Some(""));
        let said = tell(&mut progress, launched);
        assert_eq!(said.as_deref(), Some("the cluster is coming up, "));
        assert_eq!(tell(&mut progress, ready).as_deref(), Some(""));
    }

    #[test]
    fn what_the_local_fabric_took_is_running() {
        for (fabric, lines) in [("local", 1), ("emr", 0)] {
            let mut progress = Progress::default();
            let step = StepInfo {
                id: "a".into(),
                name: "A".into(),
                step_type: StepType::Command,
                digest: String::new(),
                needs: None,
                rules: None,
            };
            let started = EventKind::RunStarted {
                run: RunId::new("r"),
                goal: Goal::Run,
                fabric: fabric.into(),
                playbook: None,
                tags: Default::default(),
                steps: vec![step],
                cluster: None,
                name: None,
                driver: None,
                max_parallel: None,
                left_out: Vec::new(),
            };
            let token = Token::new("r.1.1");
            let attempt = Attempt { step: "a".into(), attempt: 1 };
            let intended = EventKind::SubmitIntended {
                token: token.clone(),
                steps: vec![attempt],
                ids: Vec::new(),
                ask_first: false,
            };
            let taken = EventKind::Submitted { token, ids: vec![StepId::new("s")], adopted: false };
            for kind in [started, intended, taken] {
                let event = Event { seq: 1, at: Timestamp::UNIX_EPOCH, kind };
                progress.event(&event, &Messages::default());
            }
            assert_eq!(progress.lock().len() - 1, lines, "{fabric}");
        }
    }
}
