use dataflow_runner_core::config::playbook::StepType;
use dataflow_runner_core::event::StepInfo;
use dataflow_runner_core::fabric::{Error as FabricError, ErrorKind, RunId};

use super::*;

fn told(goal: Goal, fabric: &str, kinds: Vec<EventKind>) -> Vec<String> {
    let step = |id: &str, name: &str| StepInfo {
        id: id.into(),
        name: name.into(),
        step_type: StepType::Command,
        digest: String::new(),
        needs: None,
        rules: None,
    };
    let start = EventKind::RunStarted {
        run: RunId::new("r-1"),
        goal,
        fabric: fabric.into(),
        playbook: Some("p".into()),
        tags: std::collections::BTreeMap::new(),
        steps: vec![step("a", "First"), step("b", "Second")],
        cluster: None,
        name: None,
        driver: None,
        max_parallel: None,
        left_out: Vec::new(),
    };
    let mut messages = Messages::default();
    let mut tell = |kind| {
        let event = Event { seq: 1, at: Timestamp::UNIX_EPOCH, kind };
        messages.of(&event).into_iter().map(|m| format!("{:?} {}", m.level, m.text)).collect()
    };
    let _: Vec<String> = tell(start);
    kinds.into_iter().flat_map(tell).collect()
}

fn launched(id: &str) -> EventKind {
    let cluster = ClusterId::new(id);
    EventKind::Launched { token: Token::new("t"), cluster, adopted: false }
}

fn cluster(state: ClusterState, native: &str, cause: Option<Cause>) -> EventKind {
    let cluster = ClusterId::new("j-1");
    EventKind::ClusterChanged { cluster, state, native: native.into(), reason: None, cause }
}

fn submitted() -> Vec<EventKind> {
    let token = Token::new("t");
    let attempt = |step: &str| Attempt { step: step.into(), attempt: 1 };
    vec![
        EventKind::SubmitIntended {
            token: token.clone(),
            steps: vec![attempt("a"), attempt("b")],
            ids: Vec::new(),
            ask_first: false,
        },
        EventKind::Submitted {
            token,
            ids: vec![StepId::new("s-1"), StepId::new("s-2")],
            adopted: false,
        },
    ]
}

fn ended(step: &str, state: StepState, exit_code: Option<i32>) -> EventKind {
    EventKind::StepEnded {
        step: step.into(),
        attempt: 1,
        state,
        native: String::new(),
        reason: None,
        exit_code,
        started: Some(Timestamp::UNIX_EPOCH),
        ended: Timestamp::from_second(61).ok(),
        link: None,
        noop: false,
    }
}

fn over(outcome: Outcome) -> EventKind {
    EventKind::RunEnded { outcome }
}

#[test]
fn emr_keeps_the_words_of_0_7() {
    let up = vec![launched("j-1"), cluster(ClusterState::Ready, "WAITING", None)];
    assert_eq!(
        told(Goal::Up, "emr", up)[1],
        "Info EMR cluster launched successfully; Jobflow ID: j-1"
    );
    let gone = vec![cluster(ClusterState::Stopped, "TERMINATED", None)];
    assert_eq!(told(Goal::Down, "emr", gone), ["Info EMR cluster terminated successfully"]);
    let broken = vec![
        cluster(ClusterState::Failed, "TERMINATED_WITH_ERRORS", None),
        cluster(ClusterState::Failed, "TERMINATED_WITH_ERRORS", Some(Cause::Bootstrap)),
    ];
    assert_eq!(
        told(Goal::Up, "emr", broken),
        [
            "Error EMR cluster failed to launch with state TERMINATED_WITH_ERRORS",
            "Error could not start the cluster due to bootstrap failure",
        ]
    );
    let mut run = vec![launched("j-1")];
    run.extend(submitted());
    run.push(ended("a", StepState::Succeeded, Some(0)));
    run.push(ended("b", StepState::Failed, Some(3)));
    run.push(over(Outcome::Failed { failed: 1, total: 2, reason: None }));
    assert_eq!(
        told(Goal::Run, "emr", run)[2..],
        [
            "Info Successfully added 2 steps to the EMR cluster with jobflow id 'j-1'...",
            "Info Step 'First' with id 's-1' completed successfully - StartTime: 1970-01-01T00:00:00Z - EndTime: 1970-01-01T00:01:01Z",
            "Error Step 'Second' with id 's-2' was FAILED - StartTime: 1970-01-01T00:00:00Z - EndTime: 1970-01-01T00:01:01Z - ExitCode: 3",
            "Error 1/2 steps failed to complete successfully",
        ]
    );
    let transient = vec![
        launched("j-1"),
        cluster(ClusterState::Stopped, "TERMINATED", None),
        over(Outcome::Succeeded),
    ];
    assert_eq!(
        told(Goal::RunTransient, "emr", transient),
        [
            "Info Transient EMR run with jobflow ID [j-1] started successfully",
            "Info EMR cluster with ID [j-1] is terminated successfully",
            "Info Transient EMR run completed successfully",
        ]
    );
}

#[test]
fn other_fabrics_do_without_the_word_emr() {
    let mut events = vec![launched("c-1"), cluster(ClusterState::Ready, "ready", None)];
    events.extend(submitted());
    events.extend([
        ended("a", StepState::Cancelled, None),
        EventKind::StepSkipped { step: "b".into(), why: Skip::DependencyFailed("a".into()) },
        over(Outcome::Interrupted { signal: 2, left: false }),
        over(Outcome::Failed { failed: 0, total: 2, reason: None }),
        over(Outcome::Refused { error: Error::new(ErrorKind::Auth, "local", "launch", "no") }),
    ]);
    let told = told(Goal::RunTransient, "local", events);
    assert!(told.iter().all(|text| !text.contains("EMR")), "{told:?}");
    assert_eq!(
        told[5..],
        [
            "Warning Step 'Second' is not started: it needs step 'First', which failed",
            "Error Run ended by SIGINT",
            "Error The run failed",
            "Error local launch: no; check the credentials and what they may do",
        ]
    );
}

#[test]
fn who_watches_is_told_briefly() {
    let mut messages = Messages::new(true);
    let mut tell = |kind| {
        let event = Event { seq: 1, at: Timestamp::UNIX_EPOCH, kind };
        let said = messages.of(&event).into_iter();
        said.map(|m| format!("{:?} {}", m.level, m.text)).collect::<Vec<_>>()
    };
    assert_eq!(
        tell(ended("a", StepState::Succeeded, Some(0))),
        ["Info Step 'a' succeeded after 61.0 s"]
    );
    let EventKind::StepEnded { step, attempt, state, native, exit_code, noop, .. } =
        ended("a", StepState::Failed, Some(3))
    else {
        unreachable!("it is one")
    };
    let reason = Some("exit code 3".to_owned());
    let (started, ended, link) = (None, None, None);
    let kind = EventKind::StepEnded {
        step,
        attempt,
        state,
        native,
        reason,
        exit_code,
        started,
        ended,
        link,
        noop,
    };
    assert_eq!(tell(kind), ["Error Step 'a' failed: exit code 3"]);
}

#[test]
fn a_refusal_is_told_once_and_then_what_to_do() {
    let error = FabricError::new(ErrorKind::Auth, "emr", "RunJobFlow", "no credentials");
    let refused =
        |last| EventKind::OrderRefused { token: Token::new("t"), error: error.clone(), last };
    let end = || over(Outcome::Refused { error: error.clone() });
    assert_eq!(
        told(Goal::Up, "emr", vec![refused(true), end()]),
        [
            "Error An order was refused: emr RunJobFlow: no credentials",
            "Error Nothing is running because of this run; check the credentials and what they may do",
        ]
    );
    let failed = match ended("a", StepState::Failed, None) {
        EventKind::StepEnded { step, attempt, state, native, .. } => EventKind::StepEnded {
            step,
            attempt,
            state,
            native,
            reason: Some(error.to_string()),
            exit_code: None,
            started: None,
            ended: None,
            link: None,
            noop: false,
        },
        other => other,
    };
    let said = told(Goal::Run, "emr", vec![refused(true), failed]);
    assert_eq!(said[1], "Error Step 'First' was FAILED - Reason: its order was refused");
    let changed = told(Goal::Down, "emr", vec![refused(true), end()]);
    assert!(changed[1].starts_with("Error Nothing was changed;"), "{changed:?}");
    assert_eq!(
        told(Goal::Up, "emr", vec![end()]),
        ["Error emr RunJobFlow: no credentials; check the credentials and what they may do"]
    );
    let error = FabricError::new(ErrorKind::Unavailable, "emr", "RunJobFlow", "cannot reach it");
    let lost = EventKind::OrderRefused { token: Token::new("t"), error, last: false };
    assert_eq!(
        told(Goal::Up, "emr", vec![lost]),
        [
            "Warning An order did not get through: emr RunJobFlow: cannot reach it; it is tried again later"
        ]
    );
}

#[test]
fn an_interruption_is_told_what_becomes_of_all() {
    let interrupted = |leave| EventKind::Interrupted { signal: 15, leave };
    for (goal, kinds, words) in [
        (Goal::Run, vec![interrupted(false)], "cancelling"),
        (Goal::Down, vec![interrupted(false)], "no longer waiting; what was asked for goes on"),
        (Goal::Up, vec![interrupted(true)], "everything is left as it is"),
        (
            Goal::Up,
            vec![launched("j-1"), interrupted(true)],
            "everything is left as it is, EMR cluster with ID [j-1] too",
        ),
    ] {
        let said = told(goal, "emr", kinds);
        let last = said.last().map(String::as_str);
        assert_eq!(last, Some(&*format!("Warning Interrupted by SIGTERM: {words}")));
    }
}

#[test]
fn an_order_that_was_only_asked_for_was_not_lost() {
    let token = Token::new("r.1.1");
    let error = Error::new(ErrorKind::Auth, "emr", "ListClusters", "no");
    let asked = |ask_first| {
        let token = token.clone();
        vec![
            EventKind::LaunchIntended { token: token.clone(), steps: Vec::new(), ask_first },
            EventKind::OrderLost { token: token.clone(), error: error.clone() },
            EventKind::OrderNotFound { token, absent: true, proven: true },
        ]
    };
    assert_eq!(
        told(Goal::Up, "emr", asked(true)),
        [
            "Info Asking first whether it was ordered elsewhere",
            "Warning Whether it was ordered elsewhere is not told, asking again: emr ListClusters: no",
            "Info It was not ordered elsewhere",
        ]
    );
    assert_eq!(
        told(Goal::Up, "emr", asked(false))[1..],
        [
            "Warning The answer to an order was lost, asking what became of it: emr ListClusters: no",
            "Warning The lost order was not carried out",
        ]
    );
}

#[test]
fn who_is_in_doubt_is_told_how_to_ask_again() {
    let doubt = over(Outcome::InDoubt { reason: "who knows".into() });
    let text = "Error In doubt, something may be running: who knows; `dataflow-runner attach r-1` asks again";
    assert_eq!(told(Goal::Up, "emr", vec![doubt]), [text]);
}
