//! Orders and what becomes of them, request by request.

use super::*;
use crate::fabric::dataproc::fake::End;

#[test]
fn a_step_is_a_job_whose_id_is_ours() {
    let there = There::new(Script::default());
    let on = there.up();
    let id = there.start(&on, 2, &command("load"));
    assert!(id.as_str().starts_with("r-20261122T101500Z-abcdef-load-1-"), "{id}");
    let requests = there.fake.requests();
    let sent = requests.iter().rfind(|it| it.operation == "jobs.submit").expect("it was sent");
    let mut body = sent.body.clone();
    let query = body["job"]["pigJob"]["queryList"]["queries"][0].take();
    assert!(query.as_str().is_some_and(|query| query.starts_with("sh echo ")), "{query}");
    let request = body["requestId"].take();
    assert_eq!(request.as_str().map(str::len), Some(36));
    let expected = json!({
        "job": {
            "reference": {"projectId": "fake-project", "jobId": id.as_str()},
            "placement": {"clusterName": "fake"},
            "labels": {
                "dataflow-runner-run": "r-20261122t101500z-abcdef",
                "dataflow-runner-order": "r-20261122t101500z-abcdef_2",
            },
            "pigJob": {"queryList": {"queries": [Value::Null]}, "continueOnFailure": false},
        },
        "requestId": Value::Null,
    });
    assert_eq!(body, expected);
}

#[test]
fn a_step_takes_three_requests() {
    let there = There::new(Script::default().step("a", StepScript::done(10)));
    let on = there.up();
    let mut id = None;
    assert_eq!(there.asked(|| id = Some(there.start(&on, 2, &command("a")))), ["jobs.submit"]);
    let id = id.expect("an id");
    assert_eq!(there.asked(|| drop(there.later(60, &on, &id))), ["jobs.get"]);
}

#[test]
fn one_question_tells_of_all_steps() {
    let late = Script { late_jobs: Duration::from_secs(5), page: 2, ..Script::default() };
    let there = There::new(late);
    let on = there.up();
    let ids: Vec<_> = (2..=4).map(|n| there.start(&on, n, &command(&format!("s{n}")))).collect();
    let poll = |fabric: &Dataproc| {
        let told = fabric.poll(&on, &ids).expect("it answers");
        assert_eq!(told.iter().map(|(id, _)| id.clone()).collect::<Vec<_>>(), ids);
        told.into_iter().map(|(_, status)| status.state).collect::<Vec<_>>()
    };
    // What lists do not show yet is asked for by itself.
    let asked = there.asked(|| drop(poll(&there.dataproc)));
    assert_eq!(asked, ["jobs.list", "jobs.get", "jobs.get", "jobs.get"]);
    there.pass(300);
    let asked = there.asked(|| assert_eq!(poll(&there.dataproc), [StepState::Succeeded; 3]));
    assert_eq!(asked, ["jobs.list", "jobs.list"], "two pages");
    // Another process has to learn first which run they are of.
    let other = fabric(&there.fake.cluster_file(""));
    let asked = there.asked(|| assert_eq!(poll(&other), [StepState::Succeeded; 3]));
    assert_eq!(asked, ["jobs.get", "jobs.list", "jobs.list"]);
    assert!(there.dataproc.poll(&on, &[]).expect("nothing").is_empty());
}

#[test]
fn an_order_whose_answer_was_lost_is_there_once() {
    let there = There::new(Script::default());
    let on = there.up();
    let step = command("a");
    assert_eq!(there.find(&on, 2, &step), Found::No);
    there.fake.fail("jobs.submit", 1.., Fault::ReplyLost);
    let lost = there.submit(&on, 2, &step).expect_err("nobody answers");
    assert_eq!((lost.kind, lost.effect), (ErrorKind::Unavailable, Effect::Unknown));
    there.fake.heal();
    let found = there.find(&on, 2, &step);
    let ids = there.submit(&on, 2, &step).expect("it is there");
    assert_eq!(found, Found::Yes(ids.clone()));
    // Also when it has ended, and when another pod gives the order another number.
    there.pass(600);
    assert_eq!(there.find(&on, 5, &step), Found::No);
    let as_another_pod = |order: &Order<'_>| {
        let steps = vec![OrderedStep { ..order.steps[0] }];
        Fabric::find(&there.dataproc, &on, &Order { foreign: true, steps, ..*order })
    };
    let found = ordering(5, &step, &BTreeMap::new(), as_another_pod);
    assert_eq!(found, Ok(Found::Yes(ids.clone())));
    assert_eq!(there.submit(&on, 5, &step).expect("it is there"), ids);
    assert_eq!(there.fake.world(|world| world.jobs.len()), 1);
}

#[test]
fn what_the_run_knows_already_is_not_this_order() {
    let there = There::new(Script::default());
    let on = there.up();
    let step = command("a");
    let ids = there.submit(&on, 2, &step).expect("it is taken");
    let as_another = |what: &dyn Fn(&Order<'_>) -> bool| {
        ordering(3, &step, &BTreeMap::new(), |order| {
            what(&Order { others: &ids, steps: vec![OrderedStep { ..order.steps[0] }], ..*order })
        })
    };
    assert!(as_another(&|order| {
        there.dataproc.submit(&on, order).is_err_and(|it| it.kind == ErrorKind::Conflict)
    }));
    assert!(as_another(&|order| Fabric::find(&there.dataproc, &on, order) == Ok(Found::No)));
}

#[test]
fn states_of_a_job() {
    let script = StepScript { yarn: vec!["x".into()], ..StepScript::done(100) };
    let there = There::new(Script::default().step("a", script));
    let on = there.up();
    let id = there.start(&on, 2, &command("a"));
    let first = there.status(&on, &id);
    assert_eq!(first.state, StepState::Pending, "{first:?}");
    let running = there.later(60, &on, &id);
    assert_eq!((running.state, running.native.as_str()), (StepState::Running, "RUNNING"));
    assert!(running.started.is_some() && running.progress.is_some(), "{running:?}");
    let ended = there.later(300, &on, &id);
    assert_eq!((ended.state, ended.exit_code), (StepState::Succeeded, Some(0)));
    assert!(ended.ended > ended.started && ended.link.is_some(), "{ended:?}");
}

#[test]
fn a_state_that_nobody_knows_is_unknown() {
    let there = There::new(Script::default().step("a", StepScript::ends(End::Word("PAUSED"), 1)));
    let on = there.up();
    let id = there.start(&on, 2, &command("a"));
    let told = there.later(600, &on, &id);
    assert_eq!((told.state, told.native.as_str()), (StepState::Unknown, "PAUSED"));
}

#[test]
fn a_job_is_cancelled_also_twice_and_after_its_end() {
    for refuses in [false, true] {
        let script = Script { refuses_late_cancels: refuses, ..Script::default() };
        let there = There::new(script.step("a", StepScript::never_ends()));
        let on = there.up();
        let id = there.start(&on, 2, &command("a"));
        there.pass(60);
        let ids = [id.clone()];
        there.dataproc.cancel(&on, &ids).expect("it is asked");
        there.dataproc.cancel(&on, &ids).expect("it is asked again");
        let told = there.status(&on, &id);
        assert!(matches!(told.native.as_str(), "CANCEL_PENDING" | "CANCEL_STARTED"), "{told:?}");
        assert_eq!(there.later(600, &on, &id).state, StepState::Cancelled);
        there.dataproc.cancel(&on, &ids).expect("it has ended");
    }
    let there = There::new(Script::default());
    let on = there.up();
    there.dataproc.cancel(&on, &[StepId::new("nobody")]).expect("there is nothing to stop");
    let told = there.status(&on, &StepId::new("nobody"));
    assert_eq!((told.state, told.native.as_str()), (StepState::Unknown, "GONE"));
}
