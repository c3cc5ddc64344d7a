//! Runs with an idempotency key: begun once, whoever starts them again, from here or from another pod.

use std::process::Stdio;

use dataflow_runner_core::fabric::dataproc::fake::{
    ClusterScript, End, Fault, Script, State, StepScript,
};

use super::{CREATE, DELETE, RUN, SUBMIT, Site, TRANSIENT, UP, endless};

fn keyed(line: &str) -> String {
    format!("{line} --idempotency-key night")
}

#[test]
fn a_second_start_tells_the_end_of_the_first() {
    for (fates, code) in
        [(Script::default(), 0), (Script::default().step("first", StepScript::exits(3, 10)), 1)]
    {
        let site = Site::new(fates);
        let line = keyed(TRANSIENT);
        site.done(&line, code);
        let orders = site.orders();
        let asked = site.fake.calls("*");
        site.done(&line, code);
        assert_eq!(site.fake.calls("*"), asked, "nobody was asked");
        // Where nothing is known of the first, its cluster is gone already.
        let pod = site.pod();
        pod.done(&line, code);
        assert_eq!(site.orders(), orders, "code {code}");
        let told = pod.done("report --json", 0).stdout;
        assert_eq!(told.contains(r#""exitCode": 3"#), code == 1, "{told}");
        site.nothing_is_left();
        // Another key is another run.
        site.done(&line.replace("night", "noon"), code);
        assert_eq!(site.clusters(), (2, 0));
        site.nothing_is_left();
    }
}

#[test]
fn another_pod_adopts_what_the_first_has_begun() {
    // The first lives, and is dead.
    for lives in [true, false] {
        let site = Site::new(endless());
        let line = keyed(TRANSIENT);
        let mut first = None;
        if lives {
            let mut command = site.command(&line);
            first = Some(command.stderr(Stdio::null()).spawn().expect("it starts"));
            site.until_it_runs("first");
        } else {
            site.left(&line, "first");
        }
        let pod = site.pod();
        let mut command = pod.command(&line);
        let mut second = command.stderr(Stdio::null()).spawn().expect("it starts");
        while !pod.words("status last --json").stdout.contains("\"nativeId\": \"k-") {
            assert_eq!(second.try_wait().expect("its state"), None, "it ended");
            std::thread::yield_now();
        }
        site.finish("first", End::Done, "");
        assert_eq!(second.wait().expect("it ends").code(), Some(0));
        if let Some(mut first) = first {
            assert_eq!(first.wait().expect("it ends").code(), Some(0));
        }
        assert_eq!(site.submissions(["first", "second"]), [1, 1], "lives: {lives}");
        assert_eq!(site.clusters(), (1, 0));
        site.nothing_is_left();
    }
}

/// It went by its own time when its driver was dead: what was never ordered has not run.
#[test]
fn another_pod_tells_what_became_of_a_cluster_that_nobody_took_down() {
    let gone = ClusterScript::default().turning(3600, State::Deleting, "");
    let site = Site::new(Script::default().cluster(gone).step("first", StepScript::done(60)));
    site.left(&keyed(TRANSIENT), "first");
    site.fake.pass(std::time::Duration::from_secs(7200));
    let pod = site.pod();
    let ran = pod.says(&keyed(TRANSIENT), 1, "Step 'second' is not started: there is no cluster");
    assert!(ran.stderr.contains("completed successfully - StartTime"), "{}", ran.stderr);
    assert_eq!((site.submissions(["first", "second"]), site.clusters()), ([1, 0], (1, 0)));
    site.nothing_is_left();
}

#[test]
fn steps_on_a_cluster_of_others_are_adopted() {
    let site = Site::new(Script::default());
    site.up();
    site.done(&keyed(RUN), 0);
    let orders = site.orders();
    site.pod().done(&keyed(RUN), 0);
    assert_eq!(site.orders(), orders);
    assert_eq!(site.submissions(["first", "second"]), [1, 1]);
    site.nothing_runs();
}

#[test]
fn up_has_one_cluster_for_a_key() {
    let site = Site::new(Script::default());
    let first = site.done(&keyed(UP), 0).stdout;
    for place in [&site, &site.pod()] {
        assert_eq!(place.done(&keyed(UP), 0).stdout, first);
    }
    assert_eq!((site.orders(), site.clusters()), (vec![CREATE], (1, 1)));
}

#[test]
fn a_key_is_good_when_the_answers_to_its_orders_were_lost() {
    let site = Site::new(Script::default());
    for operation in [CREATE, SUBMIT, DELETE] {
        site.fake.fail(operation, 1..=2, Fault::ReplyLost);
    }
    site.done(&keyed(TRANSIENT), 0);
    site.pod().done(&keyed(TRANSIENT), 0);
    assert_eq!((site.submissions(["first", "second"]), site.clusters()), ([1, 1], (1, 0)));
    site.nothing_is_left();
}
