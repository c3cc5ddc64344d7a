//! What may be told of a run, by what really happened: nothing in here knows how the engine comes to its word.

use std::collections::BTreeSet;
use std::time::Duration;

use dataflow_runner_core::clock::until;
use dataflow_runner_core::event::{EventKind, Goal, Outcome};
use dataflow_runner_core::fabric::{ErrorKind, StepState};

use super::run::SIGNAL;
use super::spec::Spec;
use super::truth::{End, StepRun, Told, Truth};

/// What was lost is looked for twice, a minute apart, and each may go wrong some times in a row.
const SOON: Duration = Duration::from_secs(20 * 60);

/// All that is wrong with what was told, or with what was done.
pub(crate) fn judge(spec: &Spec, told: &Told, truth: &Truth) -> Vec<String> {
    let mut bench = Bench { spec, told, truth, wrong: truth.violations.clone() };
    bench.no_step_runs_too_often();
    bench.no_step_before_its_needs();
    bench.no_more_at_once_than_may_be();
    bench.ends_are_told_as_they_were();
    bench.nothing_is_stopped_without_reason();
    bench.the_outcome_is_right();
    bench.nothing_is_left_unsaid();
    bench.the_end_comes_in_time();
    bench.wrong.extend(told.kept.clone().err());
    bench.wrong
}

struct Bench<'a> {
    spec: &'a Spec,
    told: &'a Told,
    truth: &'a Truth,
    wrong: Vec<String>,
}

impl Bench<'_> {
    fn require(&mut self, holds: bool, otherwise: impl FnOnce() -> String) {
        if !holds {
            self.wrong.push(otherwise());
        }
    }

    fn places(&self) -> std::ops::Range<usize> {
        0..self.spec.steps.len()
    }

    /// The submissions of a step that began to run, in their order.
    fn begun(&self, step: usize) -> Vec<&StepRun> {
        self.truth.runs.iter().filter(|run| run.step == step && run.started.is_some()).collect()
    }

    fn is_good(&self, step: usize) -> bool {
        self.truth.runs.iter().any(|run| run.step == step && run.is_good())
    }

    /// So many of its attempts ended badly, and not since we wanted it.
    fn failures(&self, step: usize) -> usize {
        let spec = &self.spec.steps[step];
        let bad = |run: &&StepRun| {
            matches!(run.end, Some(End::Failed | End::Foreign)) || run.timed_out(spec.timeout)
        };
        let runs = self.truth.runs.iter().filter(|run| run.step == step);
        runs.filter(bad).count()
    }

    /// All of them did.
    fn failed_for_good(&self, step: usize) -> bool {
        self.failures(step) >= self.spec.steps[step].attempts
    }

    /// Steps that need it may start.
    fn is_done(&self, step: usize) -> bool {
        let goes_on = self.spec.steps[step].rule == "CONTINUE";
        self.is_good(step) || (goes_on && self.failed_for_good(step))
    }

    fn interrupted(&self) -> bool {
        self.told.events.iter().any(|event| matches!(event.kind, EventKind::Interrupted { .. }))
    }

    /// The cluster that was to run the steps is gone, and nobody of us took it down.
    fn cluster_died(&self) -> bool {
        self.truth.clusters.last().is_some_and(|cluster| cluster.died)
    }

    fn rule_met(&self, rules: &[&str]) -> bool {
        self.places()
            .any(|step| rules.contains(&self.spec.steps[step].rule) && self.failed_for_good(step))
    }

    /// A step failed whose failure ends all at once. Once nothing more is started, it has no attempts left.
    fn must_end_at_once(&self) -> bool {
        let halted = self.rule_met(&["CANCEL_AND_WAIT"]) || self.ended(End::Noop);
        let fails = |step: usize| match halted {
            true => self.failures(step) > 0,
            false => self.failed_for_good(step),
        };
        self.places().any(|step| self.spec.steps[step].rule == "TERMINATE_CLUSTER" && fails(step))
    }

    fn ended(&self, end: End) -> bool {
        self.truth.runs.iter().any(|run| run.end == Some(end))
    }

    fn no_step_runs_too_often(&mut self) {
        for step in self.places() {
            let spec = &self.spec.steps[step];
            let begun = self.begun(step);
            let (times, most) = (begun.len(), spec.attempts);
            // What comes after success, or while the one before still runs, is once too often as well.
            let after_success = begun.iter().rev().skip(1).any(|run| run.is_good());
            let at_once =
                begun.windows(2).any(|pair| pair[0].ended.is_none_or(|end| end > pair[1].taken));
            let id = spec.id.clone();
            self.require(times <= most, || format!("`{id}` ran {times} times, not {most}"));
            self.require(!after_success, || format!("`{id}` ran again after success"));
            self.require(!at_once, || format!("`{id}` was submitted again while it ran"));
        }
    }

    fn no_step_before_its_needs(&mut self) {
        let spec = self.spec;
        // A queue of the fabric's goes on when a step in it is stopped, or by whomsoever cancelled.
        let queued = spec.is_plain_chain() && self.truth.has_queue;
        for step in self.places() {
            let Some(first) = self.begun(step).first().and_then(|run| run.started) else {
                continue;
            };
            for need in spec.needs(step) {
                let last =
                    self.truth.runs.iter().rfind(|run| run.step == need && run.ended.is_some());
                let stopped = last.is_some_and(|run| {
                    run.asked.is_some() || matches!(run.end, Some(End::Foreign | End::Unheard))
                });
                let ended = last.and_then(|run| run.ended).is_some_and(|end| end <= first);
                let goes_on = spec.steps[need].rule == "CONTINUE";
                let good = ended && (self.is_good(need) || goes_on);
                let (id, need_id) = (&spec.steps[step].id, &spec.steps[need].id);
                self.require(good || (queued && stopped), || {
                    format!("`{id}` began before `{need_id}` was done")
                });
            }
        }
    }

    fn no_more_at_once_than_may_be(&mut self) {
        let (spec, truth) = (self.spec, self.truth);
        if spec.is_plain_chain() && truth.has_queue {
            return;
        }
        let own = spec.most_at_once.map(|most| most as usize);
        let Some(most) = own.into_iter().chain(truth.most_at_once).min() else { return };
        for run in &truth.runs {
            let with = truth.runs.iter().filter(|other| {
                other.taken <= run.taken && other.ended.is_none_or(|end| end > run.taken)
            });
            let count = with.count();
            self.require(count <= most, || format!("{count} steps at once, not {most}: {run:?}"));
        }
    }

    fn ends_are_told_as_they_were(&mut self) {
        let (told, truth, spec) = (self.told, self.truth, self.spec);
        let distinct: BTreeSet<_> = told.ids.values().collect();
        self.require(distinct.len() == told.ids.len(), || "two attempts share an id".to_owned());
        for ((step, attempt), id) in &told.ids {
            let run = truth.runs.iter().find(|run| run.id == *id);
            let its = run.is_some_and(|run| spec.steps[run.step].id == *step);
            self.require(its, || format!("`{id}` is not attempt {attempt} of `{step}`"));
        }
        for ((step, attempt), state) in &told.ends {
            let id = told.ids.get(&(step.clone(), *attempt));
            let run = id.and_then(|id| truth.runs.iter().find(|run| run.id == *id));
            let right = match (state, run.map(|run| run.end)) {
                // It was never taken.
                (StepState::Failed, None) => true,
                (_, None) => false,
                (StepState::Succeeded, Some(end)) => {
                    matches!(end, Some(End::Succeeded | End::Noop))
                }
                (StepState::Failed, Some(Some(End::Failed | End::Stopped))) => true,
                // Its time was about to be over, and its cluster or somebody was faster than we.
                (StepState::Failed, Some(None | Some(End::Swept | End::Foreign))) => {
                    run.is_some_and(|run| spec.steps[run.step].timeout.is_some())
                }
                // By a stranger's hand.
                (StepState::Cancelled, Some(Some(End::Foreign | End::Stopped | End::Swept))) => {
                    true
                }
                // It waited or ran when the cluster ended.
                (StepState::Cancelled, Some(None)) => truth.clusters.iter().any(|it| it.gone),
                _ => false,
            };
            self.require(right, || {
                format!("attempt {attempt} of `{step}` is told {state:?}: {run:?}")
            });
        }
        // Whoever does not know of what runs is in doubt.
        let knows = !matches!(told.outcome, Outcome::InDoubt { .. });
        for run in truth.runs.iter().filter(|run| knows && run.started.is_some()) {
            let known = told.ids.values().any(|id| *id == run.id);
            self.require(known, || format!("nobody was told of {run:?}"));
        }
    }

    fn nothing_is_stopped_without_reason(&mut self) {
        // What waits in a queue when another fails is cancelled, and may begin just then.
        let queue_ends = self.truth.has_queue
            && (self.rule_met(&["CANCEL_AND_WAIT"]) || self.ended(End::Unheard));
        let ends_all = self.must_end_at_once() || self.interrupted() || queue_ends;
        let spec = self.spec;
        for run in self.truth.runs.iter().filter(|run| run.started.is_some()) {
            let step = &spec.steps[run.step];
            let asked = run.asked.is_some() && !run.timed_out(step.timeout);
            // It may have been faster, or its cluster.
            let harmless = run.end != Some(End::Stopped);
            if asked && !harmless && !ends_all {
                self.wrong.push(format!("`{}` was stopped without a reason: {run:?}", step.id));
            }
        }
    }

    fn the_outcome_is_right(&mut self) {
        let truth = self.truth;
        let all_good = self.places().all(|step| self.is_good(step));
        let noop = self.ended(End::Noop);
        // Whose retry an early end prevents has failed.
        let failed = |step: usize| match noop {
            true => self.failures(step) > 0 && !self.is_good(step),
            false => self.failed_for_good(step),
        };
        let failure = self.places().any(failed);
        let outcome = self.told.outcome.clone();
        let right = match &outcome {
            Outcome::Succeeded => all_good && !noop,
            Outcome::Noop { .. } => noop && !failure,
            Outcome::Failed { .. } => {
                !all_good && (failure || self.cluster_died() || self.ended(End::Unheard))
            }
            Outcome::Refused { error } => {
                let reached = !error.is_passing() && error.kind != ErrorKind::Protocol;
                truth.runs.is_empty()
                    && truth.clusters.iter().all(|cluster| cluster.given)
                    && (!reached || self.cluster_died())
            }
            Outcome::Interrupted { signal, .. } => *signal == SIGNAL,
            Outcome::InDoubt { .. } => !truth.obscure.is_empty(),
            Outcome::Submitted => false,
        };
        self.require(right, || {
            format!(
                "the outcome is {outcome:?}: all good {all_good}, a failure {failure}, no-op {noop}"
            )
        });
        if let Outcome::Failed { failed, total, .. } = outcome {
            let bad = self.places().filter(|&step| !self.is_good(step)).count();
            let counts = (failed, total) == (bad, self.spec.steps.len());
            self.require(counts, || format!("{bad} steps failed, not {failed}"));
        }
        if matches!(self.told.outcome, Outcome::Failed { .. } | Outcome::Noop { .. }) {
            self.all_was_tried();
        }
    }

    /// A step that did not succeed had its attempts, or there is a reason why not.
    fn all_was_tried(&mut self) {
        let halted = self.rule_met(&["CANCEL_AND_WAIT", "TERMINATE_CLUSTER"])
            || self.cluster_died()
            || self.ended(End::Noop)
            || self.ended(End::Unheard)
            || self.interrupted();
        for step in self.places() {
            let waits = || self.spec.needs(step).iter().any(|&need| !self.is_done(need));
            let reason = self.is_good(step) || self.failed_for_good(step) || halted || waits();
            let id = self.spec.steps[step].id.clone();
            self.require(reason, || format!("`{id}` did not have its attempts"));
        }
    }

    fn nothing_is_left_unsaid(&mut self) {
        let (truth, told) = (self.truth, self.told);
        let launched = self.spec.goal == Goal::RunTransient;
        for cluster in truth.clusters.iter().filter(|cluster| !cluster.given) {
            self.require(launched, || format!("a cluster was launched: {cluster:?}"));
            let said = match &told.outcome {
                // By its own name, or by the run's, which is on it.
                Outcome::InDoubt { reason } => {
                    reason.contains(&cluster.id) || reason.contains(super::RUN)
                }
                _ => cluster.gone,
            };
            self.require(said || (cluster.gone && !cluster.stays), || {
                format!("left behind: {cluster:?}")
            });
            let named = matches!(told.outcome, Outcome::InDoubt { .. }) && said;
            self.require(!cluster.stays || named, || format!("it stays: {cluster:?}"));
        }
        let busy = |run: &&StepRun| run.end.is_none();
        let given_stays = truth.clusters.iter().any(|cluster| cluster.given && !cluster.gone);
        if given_stays && let Some(run) = truth.runs.iter().find(busy) {
            let said = matches!(&told.outcome, Outcome::InDoubt { reason }
                if truth.clusters.iter().any(|it| reason.contains(&it.id)));
            self.require(said, || format!("it goes on: {run:?}"));
        }
        let taken_down = self.must_end_at_once();
        let spared = truth.clusters.iter().all(|it| !it.given || !it.gone || it.died || taken_down);
        self.require(spared, || "the cluster that was given is gone".to_owned());
    }

    /// Once nothing goes on any more a run ends soon, unless nobody knew or nobody was there.
    fn the_end_comes_in_time(&mut self) {
        let (told, truth) = (self.told, self.truth);
        let steps = truth.runs.iter().filter_map(|run| run.ended);
        let last = steps.chain(truth.clusters.iter().filter_map(|cluster| cluster.ended)).max();
        let Some(last) = last else { return };
        let late = until(last, truth.end);
        let most = SOON + told.left_alone + truth.silence;
        // What nobody has heard of is waited for, as are answers.
        let excused = matches!(told.outcome, Outcome::InDoubt { .. }) || self.ended(End::Unheard);
        let in_time = late <= most || excused;
        self.require(in_time, || format!("it ends {} s late", late.as_secs()));
    }
}
