//! Which clusters and steps are ours, and how few questions that takes.

use super::*;

const TAG: &str = request::RUN_TAG;

/// A cluster of a list, made so many days ago.
fn summary(id: &str, state: &str, days: i64) -> Value {
    let timeline = json!({"CreationDateTime": now().as_second() - days * 86_400});
    json!({"Id": id, "Name": "n", "Status": {"State": state, "Timeline": timeline}})
}

fn list(clusters: &[Value]) -> Scripted {
    ("ListClusters", Ok(json!({"Clusters": clusters})))
}

/// The same cluster as it is described.
fn describe(summary: &Value, tags: &[(&str, &str)]) -> Scripted {
    let mut cluster = summary.clone();
    cluster["Tags"] = tags.iter().map(|(k, v)| json!({"Key": k, "Value": v})).collect();
    ("DescribeCluster", Ok(json!({"Cluster": cluster})))
}

fn described(sent: &[(String, Value)]) -> Vec<&str> {
    let described = sent.iter().filter(|(operation, _)| operation == "DescribeCluster");
    described.map(|(_, body)| body["ClusterId"].as_str().expect("an id")).collect()
}

#[test]
fn clusters_of_ours_are_those_with_a_token() {
    let all = [
        summary("j-1", "WAITING", 1),
        summary("j-2", "TERMINATING", 2),
        summary("j-3", "WAITING", 3),
        summary("j-4", "WAITING", 4),
    ];
    let tags = |n: usize, value| describe(&all[n], &[("a", "b"), (TAG, value)]);
    let first = [list(&all), tags(0, "r-x.1.1"), tags(1, "r-y.2.1"), describe(&all[2], &[])];
    // Anybody may have written anything there.
    let (emr, script) = fabric(None, [&first[..], &[tags(3, "mine")]].concat());
    let told = emr.list(&Query::Ours).expect("it answers");
    let told: Vec<_> =
        told.iter().map(|it| (it.id.as_str(), it.token.as_ref().map(Token::as_str))).collect();
    assert_eq!(told, [("j-1", Some("r-x.1.1")), ("j-2", Some("r-y.2.1"))]);
    let sent = script.sent();
    let states = sent[0].1["ClusterStates"].to_string();
    assert!(states.contains("\"TERMINATING\"") && !states.contains("\"TERMINATED\""), "{states}");
    // What is known of them is not asked again, but they may get another tag.
    let again = [list(&all), describe(&all[2], &[(TAG, "r-z.1.1")]), tags(3, "mine")];
    script.answers.lock().unwrap().extend(again);
    assert_eq!(emr.list(&Query::Ours).map(|told| told.len()), Ok(3));
    assert_eq!(described(&script.sent()), ["j-3", "j-4"]);
}

#[test]
fn without_the_right_to_look_nothing_more_is_asked() {
    let all = [summary("j-1", "WAITING", 1), summary("j-2", "WAITING", 2)];
    let (emr, script) =
        fabric(None, vec![list(&all), denied("DescribeCluster", "DescribeCluster")]);
    let refused = emr.list(&Query::Ours).expect_err("it is refused");
    assert_eq!(refused.kind, ErrorKind::Auth, "{refused}");
    assert_eq!(script.operations(), ["ListClusters", "DescribeCluster"]);
    let (emr, script) = fabric(None, vec![denied("ListClusters", "ListClusters")]);
    assert_eq!(emr.list(&Query::Ours).map_err(|error| error.kind), Err(ErrorKind::Auth));
    assert_eq!(script.operations(), ["ListClusters"]);
}

fn foreign(intended: Timestamp) -> Launch<'static> {
    Launch {
        token: Token::new("k-x.1.1"),
        intended,
        foreign: true,
        transient: true,
        steps: Vec::new(),
    }
}

#[test]
fn a_cluster_of_another_process_is_found_though_it_ended_or_is_old() {
    let since = now().checked_sub(Duration::from_secs(7 * 86_400)).expect("a time");
    let find = |made: &[Value], alive: &[Value], described: Vec<Scripted>| {
        let answers = [vec![list(made), list(alive)], described].concat();
        let (emr, script) = fabric(Some(config()), answers);
        let found = Clusters::find(&emr, &foreign(since)).expect("it answers");
        (found, script.sent(), emr.warnings())
    };
    let yes = |id: &str| Found::Yes(ClusterId::new(id));
    let [gone, other, old] = [
        summary("j-1", "TERMINATED", 6),
        summary("j-2", "WAITING", 1),
        summary("j-3", "WAITING", 60),
    ];
    let own = &[(TAG, "k-x.1.2")][..];
    let others = &[(TAG, "k-y.1.1")][..];
    let recent = [gone.clone(), other.clone()];
    let (found, sent, _) = find(&recent, &[], vec![describe(&other, others), describe(&gone, own)]);
    assert_eq!(found, yes("j-1"), "how it ended is to be known");
    assert!(sent[0].1["ClusterStates"].is_null() && sent[1].1["CreatedAfter"].is_null());
    // One that lives ends the search, newest first; none is asked about twice.
    let alive = [old.clone(), other.clone()];
    let (found, sent, _) = find(&recent, &alive, vec![describe(&other, own)]);
    assert_eq!((found, described(&sent)), (yes("j-2"), vec!["j-2"]));
    let asked = vec![describe(&other, others), describe(&gone, others), describe(&old, own)];
    assert_eq!(find(&recent, &alive, asked).0, yes("j-3"));
    // One without our tag may be anybody's, and that is told.
    let (found, _, warnings) =
        find(&recent, &[], vec![describe(&other, &[]), describe(&gone, others)]);
    assert_eq!(found, Found::NotYet);
    assert!(warnings[0].starts_with("cluster `j-2` is as ordered, but has no tag"), "{warnings:?}");
    let old_and_bare = vec![describe(&old, &[])];
    assert_eq!(find(&[], &[old], old_and_bare).0, Found::No, "before the time in question");
}

#[test]
fn a_second_look_asks_only_about_what_may_have_changed() {
    let named = [
        summary("j-1", "TERMINATED", 1),
        summary("j-2", "WAITING", 2),
        summary("j-3", "TERMINATED", 3),
    ];
    let tags = [&[(TAG, "k-y.1.1")][..], &[("a", "b")], &[("a", "b")]];
    let all = named.iter().zip(tags).map(|(summary, tags)| describe(summary, tags));
    let answers = [list(&named), list(&[])].into_iter().chain(all).collect();
    let (emr, script) = fabric(Some(config()), answers);
    let since = now().checked_sub(Duration::from_secs(7 * 86_400)).expect("a time");
    assert_eq!(Clusters::find(&emr, &foreign(since)), Ok(Found::No));
    assert_eq!(described(&script.sent()), ["j-1", "j-2", "j-3"]);
    // The tag of a launch may come late.
    let again = [list(&named), list(&[]), describe(&named[1], &[(TAG, "k-x.1.1")])];
    script.answers.lock().unwrap().extend(again);
    assert_eq!(Clusters::find(&emr, &foreign(since)), Ok(Found::Yes(ClusterId::new("j-2"))));
    assert_eq!(described(&script.sent()), ["j-2"]);
}

#[test]
fn steps_of_another_process_are_its_own_only_on_a_cluster_of_the_run() {
    let sent_step = step("s", "true", &["x"]);
    let staged = BTreeMap::new();
    let token = Token::new("k-x.2.1");
    let shown = |id: &str, days: i64| {
        json!({"Id": id, "Name": "s", "Config": {"Jar": "command-runner.jar", "Args": ["true", "x"]},
            "Status": {"State": "COMPLETED", "Timeline": {"CreationDateTime": now().as_second() - days * 86_400}}})
    };
    let find = |tag: &str, known: &[&str], pages: &[&[Value]]| {
        let cluster = describe(&summary("j-1", "WAITING", 9), &[(TAG, tag)]);
        let page = |(n, steps): (usize, &&[Value])| {
            let marker = if n + 1 < pages.len() { "m" } else { "" };
            ("ListSteps", Ok(json!({"Steps": steps, "Marker": marker})))
        };
        let answers = [cluster].into_iter().chain(pages.iter().enumerate().map(page));
        let (emr, script) = fabric(None, answers.collect());
        let intended = now().checked_sub(Duration::from_secs(7 * 86_400)).expect("a time");
        let steps = vec![OrderedStep { step: &sent_step, attempt: 1, staged: &staged }];
        let others: Vec<_> = known.iter().map(|id| StepId::new(*id)).collect();
        let order = Order {
            token: &token,
            intended,
            foreign: true,
            along: false,
            ids: &[],
            others: &others,
            steps,
        };
        let found = Fabric::find(&emr, &on(), &order).expect("it answers");
        script.sent();
        (found, emr.warnings())
    };
    let yes = |id: &str| Found::Yes(vec![StepId::new(id)]);
    let two: [&[Value]; 2] = [&[shown("s-2", 1)], &[shown("s-1", 8)]];
    assert_eq!(find("k-x.1.1", &[], &two).0, yes("s-1"), "however old it is");
    assert_eq!(find("k-x.1.1", &["s-1"], &two).0, yes("s-2"), "the next attempt");
    assert_eq!(find("k-x.1.1", &["s-1", "s-2"], &two).0, Found::No);
    assert_eq!(find("k-x.1.1", &[], &[&[]]).0, Found::No);
    assert_eq!(find("k-x.2.1", &[], &[&[]]).0, Found::NotYet, "they came along, and show later");
    // The same steps run there each night: these may be of any.
    let (found, warnings) = find("k-y.1.1", &[], &[&[shown("s-2", 1)]]);
    assert_eq!(found, Found::NotYet);
    assert!(warnings[0].starts_with("step `s-2` of cluster `j-1` is as ordered"), "{warnings:?}");
    assert_eq!(find("k-y.1.1", &[], &[&[]]).0, Found::No);
}
