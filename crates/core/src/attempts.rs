//! The attempts of steps that a fabric took, as a journal tells of them: what each is called there, and on which
//! cluster it was.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::engine::state::{Illegal, RunState};
use crate::event::{Attempt, Event, EventKind};
use crate::fabric::{ClusterId, StepId, StepState, Token};

/// An attempt of a step that a fabric took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The step's id in the playbook.
    pub step: String,
    /// Which attempt, from 1.
    pub attempt: u32,
    /// The cluster that was to run it.
    pub cluster: ClusterId,
    /// What it is called there.
    pub id: StepId,
    /// Its last known state.
    pub state: StepState,
    /// When it was first known to run.
    pub begun: Option<Timestamp>,
    /// When it was known to have ended.
    pub ended: Option<Timestamp>,
    /// Where a person can look.
    pub link: Option<String>,
}

/// All of them, in the order in which they were taken. `at_once`: the fabric begins at once what it takes, so its
/// journals do not tell ([`crate::fabric::Pace::rings`]).
///
/// # Errors
/// An event cannot follow those before it.
pub fn taken(events: &[Event], at_once: bool) -> Result<Vec<Taken>, Illegal> {
    let mut all = Vec::new();
    let mut orders: HashMap<&Token, &[Attempt]> = HashMap::new();
    let mut state: Option<RunState> = None;
    for event in events {
        match &mut state {
            Some(state) => state.apply(event)?,
            None => state = Some(RunState::start(event)?),
        }
        match &event.kind {
            EventKind::SubmitIntended { token, steps, .. }
            | EventKind::LaunchIntended { token, steps, .. } => {
                orders.insert(token, steps);
            }
            EventKind::Submitted { token, ids, .. } => {
                let cluster = state.as_ref().and_then(|state| state.cluster.id.as_ref());
                let (Some(attempts), Some(cluster)) = (orders.remove(token), cluster) else {
                    continue;
                };
                let new = |(attempt, id): (&Attempt, &StepId)| Taken {
                    step: attempt.step.clone(),
                    attempt: attempt.attempt,
                    cluster: cluster.clone(),
                    id: id.clone(),
                    state: StepState::Pending,
                    begun: at_once.then_some(event.at),
                    ended: None,
                    link: None,
                };
                all.extend(attempts.iter().zip(ids).map(new));
            }
            kind => follow(&mut all, event.at, kind),
        }
    }
    Ok(all)
}

/// What became of one of them.
fn follow(all: &mut [Taken], at: Timestamp, kind: &EventKind) {
    let mut of = |step: &str, attempt: u32, change: &mut dyn FnMut(&mut Taken)| {
        // A step may be taken again under the same number, if its cluster never came up.
        let one = all.iter_mut().rev().find(|one| one.step == step && one.attempt == attempt);
        one.into_iter().for_each(change);
    };
    match kind {
        EventKind::StepChanged { step, attempt, state, .. } => of(step, *attempt, &mut |one| {
            one.state = *state;
            if *state == StepState::Running {
                one.begun.get_or_insert(at);
            }
        }),
        EventKind::StepEnded { step, attempt, state, started, link, .. } => {
            of(step, *attempt, &mut |one| {
                one.state = *state;
                one.ended = Some(at);
                one.begun = one.begun.or(*started);
                one.link.clone_from(link);
            });
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::journal;

    #[test]
    fn each_attempt_has_an_id_and_a_cluster() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../fixtures/journals/v1-transient-failed.jsonl");
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::copy(path, folder.path().join("journal.jsonl")).expect("it is copied");
        let events = journal::read(folder.path()).expect("it loads").events;
        let all = taken(&events, true).expect("it makes sense");
        let of = |step: &str| -> Vec<_> {
            let of = all.iter().filter(|one| one.step == step);
            of.map(|one| (one.attempt, one.state)).collect()
        };
        assert_eq!(of("extract"), [(1, StepState::Succeeded)]);
        assert_eq!(of("flaky"), [(1, StepState::Failed), (2, StepState::Succeeded)]);
        assert_eq!(of("report"), [], "it was never begun");
        for one in &all {
            assert!(one.id.as_str().starts_with(&format!("{}.{}.", one.step, one.attempt)));
            assert!(one.cluster.as_str().starts_with("local-"));
            assert!(one.begun.is_some() && one.begun <= one.ended, "{one:?}");
            assert!(one.link.is_some(), "{one:?}");
        }
        // Where what is taken waits, the fabric's own word comes first that it began.
        let later = taken(&events, false).expect("it makes sense");
        let begun = "2026-11-22T12:16:48.667Z".parse().ok();
        assert_eq!((&later[0].step, later[0].begun), (&"extract".to_owned(), begun));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        assert_eq!(taken(&[], true).map(|all| all.len()), Ok(0));
        let event = Event { seq: 1, at: Timestamp::UNIX_EPOCH, kind: EventKind::ContactRestored };
        assert!(taken(&[event], true).is_err());
    }
}
