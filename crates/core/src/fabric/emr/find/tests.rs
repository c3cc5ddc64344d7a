//! What is told apart, and what is not.

use serde_json::json;

use super::super::request::RUN_TAG;
use super::*;

const NOW: i64 = 1_795_327_269;

fn token() -> Token {
    Token::new("r-x.1.1")
}

fn intent(token: &Token, clocks_agree: bool) -> Intent<'_> {
    let intended = Timestamp::from_second(NOW).expect("a time");
    Intent { token, intended, foreign: false, clocks_agree }
}

fn a_cluster(id: &str, created: i64, ended: Option<i64>, tags: &[(&str, &str)]) -> Cluster {
    let tags: Vec<_> = tags.iter().map(|(k, v)| json!({"Key": k, "Value": v})).collect();
    let timeline =
        json!({"CreationDateTime": NOW + created, "EndDateTime": ended.map(|at| NOW + at)});
    serde_json::from_value(json!({"Id": id, "Name": "n", "Tags": tags,
        "Status": {"State": "STARTING", "Timeline": timeline}}))
    .expect("it is a cluster")
}

fn find(candidates: &[Cluster], asked: &[(&str, &str)], untagged: bool) -> Clusters {
    let asked: Vec<_> =
        asked.iter().map(|(k, v)| Tag { key: (*k).into(), value: (*v).into() }).collect();
    cluster(candidates, intent(&token(), true), &asked, untagged)
}

fn yes(id: &str) -> Clusters {
    Clusters::This(ClusterId::new(id))
}

fn may_be(ids: &[&str]) -> Clusters {
    Clusters::MayBe(ids.iter().map(|id| ClusterId::new(*id)).collect())
}

#[test]
fn a_cluster_is_known_by_the_token() {
    let run = |token| (RUN_TAG, token);
    let others = [
        a_cluster("j-a", 10, None, &[run("r-x.2.1")]),
        a_cluster("j-b", 11, None, &[run("r-y.1.1"), ("a", "b")]),
    ];
    assert_eq!(find(&others, &[], false), Clusters::None);
    let ours = a_cluster("j-c", -200, None, &[("a", "b"), run("r-x.1.1")]);
    let all = [others[0].clone(), ours, others[1].clone()];
    assert_eq!(find(&all, &[("a", "b")], false), yes("j-c"));
    let ended = a_cluster("j-d", -200, Some(-100), &[run("r-x.1.1")]);
    assert_eq!(find(&[ended], &[], false), Clusters::None, "it ended before the intent");
    let ended = a_cluster("j-e", 1, Some(100), &[run("r-x.1.1")]);
    assert_eq!(find(&[ended], &[], false), yes("j-e"));
}

#[test]
fn a_cluster_without_our_tag_is_in_doubt_unless_tags_are_refused() {
    let bare = a_cluster("j-a", 1, None, &[("aws:elasticmapreduce:job-flow-id", "j-a")]);
    let one = std::slice::from_ref(&bare);
    assert_eq!(find(one, &[], false), may_be(&["j-a"]));
    assert_eq!(find(one, &[], true), yes("j-a"));
    let two = [bare.clone(), a_cluster("j-b", 2, None, &[])];
    assert_eq!(find(&two, &[], true), may_be(&["j-a", "j-b"]), "which of them?");
    // With the other tags that were asked for, ours would have been there too.
    assert_eq!(find(one, &[("a", "b")], true), Clusters::None);
    let tagged = [a_cluster("j-c", 2, None, &[("a", "b")]), bare.clone()];
    assert_eq!(find(&tagged, &[], true), yes("j-a"));
    assert_eq!(find(&tagged, &[("a", "b")], true), yes("j-c"));
    let older = [a_cluster("j-d", -60, None, &[])];
    assert_eq!(find(&older, &[], true), Clusters::None, "made before the intent");
    let gone = [a_cluster("j-e", -60, Some(-10), &[])];
    assert_eq!(find(&gone, &[], true), Clusters::None);
}

#[test]
fn a_clock_that_is_not_to_be_trusted_proves_nothing() {
    let of = |created| {
        let candidates = [a_cluster("j-a", created, None, &[])];
        cluster(&candidates, intent(&token(), false), &[], true)
    };
    assert_eq!(of(-301), Clusters::None);
    assert_eq!(of(-299), may_be(&["j-a"]));
    assert_eq!(of(299), may_be(&["j-a"]));
    assert_eq!(of(301), yes("j-a"));
}

#[test]
fn any_sending_of_the_order_brought_it() {
    let of = |id: &str, created, ended, token| {
        let mut cluster = a_cluster(id, created, ended, &[(RUN_TAG, token)]);
        let state = if ended.is_some() { "TERMINATED" } else { "RUNNING" };
        state.clone_into(&mut cluster.status.state);
        cluster
    };
    assert_eq!(find(&[of("j-a", 1, None, "r-x.1.3")], &[], false), yes("j-a"));
    // Newest first, as they come: those that live before those that are gone.
    let lives = of("j-b", 1, None, "r-x.1.1");
    let gone = of("j-c", 2, Some(3), "r-x.1.2");
    let older = of("j-d", 0, Some(3), "r-x.1.1");
    assert_eq!(find(&[gone.clone(), lives.clone(), older.clone()], &[], false), yes("j-b"));
    let newer = of("j-e", 4, None, "r-x.1.2");
    assert_eq!(find(&[newer, lives], &[], false), yes("j-e"));
    assert_eq!(find(&[gone, older], &[], false), yes("j-c"), "how it ended is to be known");
    assert_eq!(find(&[of("j-f", 0, None, "r-x")], &[], false), Clusters::None, "no token of ours");
}

#[test]
fn what_another_process_may_have_launched_is_known_by_its_tag_only() {
    let token = token();
    let find = |clusters: &[Cluster]| {
        cluster(clusters, Intent { foreign: true, ..intent(&token, true) }, &[], true)
    };
    assert_eq!(find(&[a_cluster("j-a", 1, None, &[(RUN_TAG, "r-x.1.2")])]), yes("j-a"));
    // Of any run whose tag was refused.
    assert_eq!(find(&[a_cluster("j-b", 1, None, &[])]), may_be(&["j-b"]));
}

#[test]
fn a_cluster_tells_whose_it_is() {
    let token = token();
    let owner = |tag: &str| {
        let tags = a_cluster("j-a", 0, None, &[("a", "b"), (RUN_TAG, tag)]).tags;
        Owner::of(&tags, &token)
    };
    assert_eq!(owner("r-x.1.1"), Owner::Order);
    assert_eq!(owner("r-x.1.2"), Owner::Order);
    assert_eq!(owner("r-x.2.1"), Owner::Run);
    assert_eq!(owner("r-y.1.1"), Owner::Other);
    assert_eq!(owner("x"), Owner::Other);
    assert_eq!(Owner::of(&[], &token), Owner::Other);
    assert_eq!(Owner::of(&[], &Token::new("x")), Owner::Other);
}

fn a_step(id: &str, name: &str, args: &[&str], created: i64) -> Step {
    serde_json::from_value(json!({"Id": id, "Name": name,
        "Config": {"Jar": "command-runner.jar", "Properties": {}, "Args": args},
        "Status": {"State": "PENDING", "Timeline": {"CreationDateTime": NOW + created}}}))
    .expect("it is a step")
}

fn wanted(names: &[&str]) -> Vec<Wanted> {
    let config = |name: &&str| StepConfig {
        jar: "command-runner.jar".into(),
        main_class: String::new(),
        args: vec!["x".to_owned(), (*name).to_owned()],
    };
    names.iter().map(|name| Wanted { name: (*name).into(), config: config(name) }).collect()
}

/// Steps as EMR shows them: the newest first.
fn shown(steps: &[(&str, &str, i64)]) -> Vec<Step> {
    let mut all: Vec<_> =
        steps.iter().map(|(id, name, at)| a_step(id, name, &["x", name], *at)).collect();
    all.reverse();
    all
}

fn look(newest_first: &[Step], names: &[&str]) -> Steps {
    steps(newest_first, &wanted(names), intent(&token(), true), &[])
}

fn ids(ids: &[&str]) -> Vec<StepId> {
    ids.iter().map(|id| StepId::new(*id)).collect()
}

#[test]
fn steps_are_known_by_their_sequence() {
    let all = shown(&[
        ("s-1", "a", -600),
        ("s-2", "b", -600),
        ("s-3", "z", 0),
        ("s-4", "a", 1),
        ("s-5", "b", 1),
        ("s-6", "y", 2),
    ]);
    assert_eq!(look(&all, &["a", "b"]), Steps::These(ids(&["s-4", "s-5"])), "oldest first");
    assert_eq!(look(&all, &["b", "y"]), Steps::These(ids(&["s-5", "s-6"])));
    for none in [&["b", "a"][..], &["a", "y"], &["c"], &["a", "b", "y", "y"]] {
        assert_eq!(look(&all, none), Steps::None, "{none:?}");
    }
    let long: Vec<&str> = vec!["a"; 256];
    assert_eq!(look(&all, &long), Steps::None);
    let other = [a_step("s-9", "a", &["x", "other"], 1)];
    assert_eq!(look(&other, &["a"]), Steps::None, "the arguments count");
    let mut other = all.clone();
    other[2].config.main_class = "C".into();
    assert_eq!(look(&other, &["a", "b"]), Steps::None, "and so does the class");
    assert_eq!(look(&[], &["a"]), Steps::None);
}

#[test]
fn what_was_there_before_is_not_adopted() {
    let before = shown(&[("s-1", "a", -6)]);
    assert_eq!(look(&before, &["a"]), Steps::None);
    let within = shown(&[("s-1", "a", -4)]);
    assert_eq!(look(&within, &["a"]), Steps::These(ids(&["s-1"])), "clocks differ a little");
    let untrusted = |created| {
        steps(&shown(&[("s-1", "a", created)]), &wanted(&["a"]), intent(&token(), false), &[])
    };
    assert_eq!(untrusted(-301), Steps::None);
    assert_eq!(untrusted(-299), Steps::TheseIfLaunched(ids(&["s-1"])));
    assert_eq!(untrusted(299), Steps::TheseIfLaunched(ids(&["s-1"])));
    assert_eq!(untrusted(301), Steps::These(ids(&["s-1"])));
}

#[test]
fn twins_are_told_apart_only_by_the_launch() {
    let twice = shown(&[("s-1", "a", 1), ("s-2", "b", 1), ("s-3", "a", 60), ("s-4", "b", 60)]);
    assert_eq!(look(&twice, &["a", "b"]), Steps::TheseIfLaunched(ids(&["s-1", "s-2"])));
}

#[test]
fn an_earlier_attempt_is_not_the_next() {
    let look = |shown: &[Step], others: &[&str]| {
        steps(shown, &wanted(&["a"]), intent(&token(), true), &ids(others))
    };
    let first = shown(&[("s-1", "a", -2)]);
    assert_eq!(look(&first, &[]), Steps::These(ids(&["s-1"])));
    assert_eq!(look(&first, &["s-1"]), Steps::None);
    let both = shown(&[("s-1", "a", -2), ("s-2", "a", 1)]);
    assert_eq!(look(&both, &["s-1"]), Steps::These(ids(&["s-2"])));
}

#[test]
fn steps_out_of_sight_may_be_there() {
    let mut many: Vec<Step> = (0..1000).map(|n| a_step(&format!("s-{n}"), "z", &[], 10)).collect();
    assert_eq!(look(&many, &["a"]), Steps::Unclear);
    many.truncate(999);
    assert_eq!(look(&many, &["a"]), Steps::None);
    many.push(a_step("s-old", "z", &[], -100));
    assert_eq!(look(&many, &["a"]), Steps::None, "what is newer than that is all in sight");
}

#[test]
fn steps_that_another_process_may_have_ordered_are_all_told() {
    let token = token();
    let look = |newest_first: &[Step]| {
        let intent = Intent { foreign: true, ..intent(&token, true) };
        steps(newest_first, &wanted(&["a"]), intent, &[])
    };
    let all = shown(&[("s-0", "a", -60), ("s-1", "a", 1), ("s-2", "b", 2), ("s-3", "a", 3)]);
    assert_eq!(look(&all), Steps::AnyOf(vec![ids(&["s-1"]), ids(&["s-3"])]));
    assert_eq!(look(&all[2..3]), Steps::AnyOf(vec![ids(&["s-1"])]), "though it is the only one");
    assert_eq!(look(&all[1..2]), Steps::None);
    let mut many: Vec<Step> = (0..999).map(|n| a_step(&format!("s-{n}"), "z", &[], 10)).collect();
    many.push(all[2].clone());
    assert_eq!(look(&many), Steps::Unclear, "earlier ones may be out of sight");
}
