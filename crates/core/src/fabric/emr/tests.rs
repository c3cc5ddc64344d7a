//! What is sent, in which order, and what becomes of the answers: against a script in place of AWS.

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::config::playbook::Step;
use crate::config::sample::{step, text};
use crate::fabric::{Effect, Launch, OrderedStep, Query, StepState, Token};

mod ours;

/// An answer to come: of which operation, and what.
type Scripted = (&'static str, Result<Value, Failure>);

#[derive(Default)]
struct Script {
    answers: Mutex<VecDeque<Scripted>>,
    sent: Mutex<Vec<(String, Value)>>,
}

impl Aws for Arc<Script> {
    fn call(&self, call: &Call<'_>) -> Result<Reply, Failure> {
        let orders = ["RunJobFlow", "AddJobFlowSteps"];
        assert_eq!(call.repeatable, !orders.contains(&call.operation), "{}", call.operation);
        let (operation, answer) = self
            .answers
            .lock()
            .unwrap()
            .pop_front()
            .unwrap_or_else(|| panic!("{} is asked and not expected", call.operation));
        assert_eq!(operation, call.operation);
        let body = match call.service {
            Service::Emr => serde_json::from_slice(call.body).expect("it is JSON"),
            _ => json!({"path": call.path, "query": call.query, "headers": call.headers}),
        };
        self.sent.lock().unwrap().push((operation.to_owned(), body));
        let date = crate::clock::timestamp().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        answer.map(|body| Reply {
            status: 200,
            headers: vec![("date".to_owned(), date)],
            body: match body {
                Value::String(text) => text.into_bytes(),
                other => other.to_string().into_bytes(),
            },
        })
    }

    fn region(&self) -> &str {
        "eu-west-1"
    }

    fn endpoint(&self, _: Service) -> String {
        "http://127.0.0.1:1".to_owned()
    }

    fn notes(&self) -> Vec<String> {
        Vec::new()
    }

    fn source(&self) -> &'static str {
        "env"
    }

    fn recorded(&self) -> Recorded {
        let endpoints = vec![(Service::Emr, self.endpoint(Service::Emr))];
        Recorded { endpoints, profile: None }
    }
}

fn refused(operation: &'static str, kind: ErrorKind, code: &str, message: &str) -> Scripted {
    let error = Error::new(kind, NAME, operation, format!("{code}: {message}"));
    (operation, Err(Failure { error, code: Some(code.to_owned()) }))
}

fn denied(operation: &'static str, right: &str) -> Scripted {
    let message = format!(
        "User: arn:aws:iam::1:user/x is not authorized to perform: elasticmapreduce:{right} on resource: *"
    );
    refused(operation, ErrorKind::Auth, "AccessDeniedException", &message)
}

fn fabric(config: Option<Config>, answers: Vec<Scripted>) -> (Emr, Arc<Script>) {
    let script = Arc::new(Script { answers: Mutex::new(answers.into()), ..Script::default() });
    (Emr::reaching(config, Box::new(Arc::clone(&script))), script)
}

fn config() -> Config {
    request::tests::config()
}

impl Script {
    fn sent(&self) -> Vec<(String, Value)> {
        assert!(self.answers.lock().unwrap().is_empty(), "all of the script is played");
        std::mem::take(&mut self.sent.lock().unwrap())
    }

    fn operations(&self) -> Vec<String> {
        self.sent().into_iter().map(|(operation, _)| operation).collect()
    }
}

fn now() -> Timestamp {
    crate::clock::timestamp()
}

fn launch<'a>(steps: &[&'a Step], staged: &'a BTreeMap<String, Uri>) -> Launch<'a> {
    let steps = steps.iter().map(|&step| OrderedStep { step, attempt: 1, staged }).collect();
    Launch { token: Token::new("r-x.1.1"), intended: now(), foreign: false, transient: true, steps }
}

fn order<'a>(token: &'a Token, steps: &[&'a Step], staged: &'a BTreeMap<String, Uri>) -> Order<'a> {
    let steps = steps.iter().map(|&step| OrderedStep { step, attempt: 1, staged }).collect();
    Order { token, intended: now(), foreign: false, along: false, ids: &[], others: &[], steps }
}

fn on() -> ClusterId {
    ClusterId::new("j-1")
}

fn described(tags: &[(&str, &str)], log_uri: &str) -> Value {
    let tags: Vec<_> = tags.iter().map(|(k, v)| json!({"Key": k, "Value": v})).collect();
    let made = now().as_second();
    json!({"Cluster": {"Id": "j-1", "Name": "n", "LogUri": log_uri, "Tags": tags,
        "Status": {"State": "WAITING", "Timeline": {"CreationDateTime": made}}}})
}

#[test]
fn a_launch_is_sent_once_with_its_token() {
    let (emr, script) =
        fabric(Some(config()), vec![("RunJobFlow", Ok(json!({"JobFlowId": "j-1"})))]);
    let staged = BTreeMap::new();
    let step = step("s", "true", &[]);
    assert_eq!(emr.launch(&launch(&[&step], &staged)), Ok(on()));
    let sent = script.sent();
    assert_eq!(sent[0].1["Tags"], json!([{"Key": "dataflow-runner:run", "Value": "r-x.1.1"}]));
    assert_eq!(sent[0].1["Instances"]["KeepJobFlowAliveWhenNoSteps"], false);
    assert_eq!(emr.warnings(), [""; 0]);
}

#[test]
fn a_launch_whose_tags_are_refused_is_sent_again_without() {
    let denied_tags = || denied("RunJobFlow", "AddTags");
    let done = ("RunJobFlow", Ok(json!({"JobFlowId": "j-1"})));
    let (emr, script) = fabric(Some(config()), vec![denied_tags(), done]);
    let staged = BTreeMap::new();
    assert_eq!(emr.launch(&launch(&[], &staged)), Ok(on()));
    let sent = script.sent();
    assert!(sent[0].1["Tags"].is_array());
    assert!(sent[1].1["Tags"].is_null());
    let warnings = emr.warnings();
    assert!(warnings[0].contains("elasticmapreduce:AddTags"), "{warnings:?}");
    assert_eq!(emr.warnings(), [""; 0], "each once");
    // And then it is found by its name, where only one can be meant.
    let list = || ("ListClusters", Ok(json!({"Clusters": [{"Id": "j-1", "Name": "n"}]})));
    let describe = || ("DescribeCluster", Ok(described(&[], "")));
    script.answers.lock().unwrap().extend([list(), describe()]);
    assert_eq!(Clusters::find(&emr, &launch(&[], &staged)), Ok(Found::Yes(on())));
    // Who was never refused does not adopt it.
    let (other, _) = fabric(Some(config()), vec![list(), describe()]);
    assert_eq!(Clusters::find(&other, &launch(&[], &staged)), Ok(Found::NotYet));
}

#[test]
fn a_launch_with_all_the_tags_there_may_be_has_not_ours() {
    let tag = |n: usize| Tag { key: text(&format!("k{n}")), value: text("v") };
    let full = Config { tags: (0..50).map(tag).collect(), ..config() };
    let tags: Vec<_> = (0..50).map(|n| (format!("k{n}"), "v")).collect();
    let tags: Vec<_> = tags.iter().map(|(k, v)| (k.as_str(), *v)).collect();
    let done = ("RunJobFlow", Ok(json!({"JobFlowId": "j-1"})));
    let list = ("ListClusters", Ok(json!({"Clusters": [{"Id": "j-1", "Name": "n"}]})));
    let describe = ("DescribeCluster", Ok(described(&tags, "")));
    let (emr, script) = fabric(Some(full), vec![done, list, describe]);
    let staged = BTreeMap::new();
    assert_eq!(emr.launch(&launch(&[], &staged)), Ok(on()));
    assert_eq!(Clusters::find(&emr, &launch(&[], &staged)), Ok(Found::Yes(on())));
    assert_eq!(script.sent()[0].1["Tags"].as_array().map(Vec::len), Some(50));
}

#[test]
fn a_launch_that_is_refused_for_all_else_is_not_sent_again() {
    let staged = BTreeMap::new();
    for right in ["RunJobFlow", "iam:PassRole"] {
        let (emr, script) = fabric(Some(config()), vec![denied("RunJobFlow", right)]);
        let error = emr.launch(&launch(&[], &staged)).expect_err("it is refused");
        assert_eq!((error.kind, error.effect), (ErrorKind::Auth, Effect::None));
        assert_eq!(script.operations(), ["RunJobFlow"]);
    }
    let (emr, _) = fabric(None, Vec::new());
    let error = emr.launch(&launch(&[], &staged)).expect_err("there is nothing to launch");
    assert_eq!(error.kind, ErrorKind::Config);
}

#[test]
fn an_answer_to_an_order_that_makes_no_sense_leaves_it_in_doubt() {
    let staged = BTreeMap::new();
    for answer in [
        json!("<html>"),
        json!({}),
        json!({"JobFlowId": null}),
        json!({"JobFlowId": ""}),
        json!([]),
    ] {
        let (emr, _) = fabric(Some(config()), vec![("RunJobFlow", Ok(answer))]);
        let error = emr.launch(&launch(&[], &staged)).expect_err("it is no answer");
        assert_eq!((error.kind, error.effect), (ErrorKind::Protocol, Effect::Unknown));
    }
    let (token, step) = (Token::new("t"), step("s", "true", &[]));
    for answer in [
        json!({"StepIds": []}),
        json!({"StepIds": ["a", "b"]}),
        json!({"StepIds": [""]}),
        json!(""),
    ] {
        let (emr, _) = fabric(None, vec![("AddJobFlowSteps", Ok(answer))]);
        let error =
            emr.submit(&on(), &order(&token, &[&step], &staged)).expect_err("it is no answer");
        assert_eq!((error.kind, error.effect), (ErrorKind::Protocol, Effect::Unknown));
    }
}

#[test]
fn garbage_does_not_get_into_messages() {
    let (emr, _) = fabric(None, vec![("DescribeCluster", Ok(json!("{\"Cluster\": \"hunter2\"}")))]);
    let error = emr.inspect(&on()).expect_err("it is garbage");
    assert_eq!((error.kind, error.effect), (ErrorKind::Protocol, Effect::None));
    assert!(!error.to_string().contains("hunter2"), "{error}");
}

#[test]
fn a_cluster_is_looked_for_on_all_pages_by_exact_name() {
    let page = |ids: &[(&str, &str)], marker: Option<&str>| {
        let clusters: Vec<_> = ids.iter().map(|(id, n)| json!({"Id": id, "Name": n})).collect();
        ("ListClusters", Ok(json!({"Clusters": clusters, "Marker": marker})))
    };
    let ours = described(&[(request::RUN_TAG, "r-x.1.1")], "");
    let (emr, script) = fabric(
        Some(config()),
        vec![
            page(&[("j-7", "n2"), ("j-8", "N")], Some("m")),
            page(&[("j-1", "n")], Some("")),
            ("DescribeCluster", Ok(ours)),
        ],
    );
    let asked = launch(&[], &BTreeMap::new()).intended;
    assert_eq!(Clusters::find(&emr, &launch(&[], &BTreeMap::new())), Ok(Found::Yes(on())));
    let sent = script.sent();
    let after = sent[0].1["CreatedAfter"].as_i64().expect("a time");
    assert!((asked.as_second() - after - 300).abs() <= 5, "five minutes earlier");
    assert_eq!(sent[1].1["Marker"], "m");
    assert_eq!(sent[1].1["CreatedAfter"], sent[0].1["CreatedAfter"]);
    assert_eq!(sent[2].1, json!({"ClusterId": "j-1"}));
    let (emr, _) = fabric(Some(config()), vec![page(&[], None)]);
    assert_eq!(Clusters::find(&emr, &launch(&[], &BTreeMap::new())), Ok(Found::No));
}

#[test]
fn steps_are_found_as_far_back_as_needed() {
    let sent_step = step("s", "true", &["x"]);
    let (token, staged) = (Token::new("r-x.1.1"), BTreeMap::new());
    let shown = |id: &str, name: &str, ago: i64| {
        json!({"Id": id, "Name": name, "Config": {"Jar": "command-runner.jar", "Args": ["true", "x"]},
            "Status": {"Timeline": {"CreationDateTime": now().as_second() - ago}}})
    };
    let page = |steps: &[Value], marker: &str| {
        ("ListSteps", Ok(json!({"Steps": steps, "Marker": marker})))
    };
    let find = |along, answers| {
        let (emr, script) = fabric(None, answers);
        let order = Order { along, ..order(&token, &[&sent_step], &staged) };
        let found = Fabric::find(&emr, &on(), &order);
        (found.expect("it answers"), script.sent())
    };
    let ids = |id: &str| Found::Yes(vec![StepId::new(id)]);
    let (found, sent) =
        find(false, vec![page(&[shown("s-2", "t", 0)], "m"), page(&[shown("s-1", "s", 1)], "")]);
    assert_eq!(found, ids("s-1"));
    assert_eq!(sent[1].1, json!({"ClusterId": "j-1", "Marker": "m"}));
    // What is older is not asked for.
    let old = || page(&[shown("s-2", "t", 0), shown("s-1", "s", 400)], "m");
    assert_eq!(find(false, vec![old()]).0, Found::No);
    assert_eq!(find(true, vec![page(&[], "")]).0, Found::NotYet, "they come later");
    let twins = || page(&[shown("s-2", "s", 0), shown("s-1", "s", 1)], "");
    assert_eq!(find(false, vec![twins()]).0, Found::NotYet);
    assert_eq!(find(true, vec![twins()]).0, ids("s-1"));
}

#[test]
fn one_question_is_about_ten_steps() {
    let ids: Vec<StepId> = (0..12).map(|n| StepId::new(format!("s-{n}"))).collect();
    let answer = json!({"Steps": [
        {"Id": "s-3", "Status": {"State": "COMPLETED"}},
        {"Id": "s-0", "Status": {"State": "RUNNING"}},
        {"Id": "s-other", "Status": {"State": "FAILED"}},
    ]});
    let (emr, script) = fabric(None, vec![("ListSteps", Ok(answer))]);
    let told = emr.poll(&on(), &ids).expect("it answers");
    let told: Vec<_> = told.iter().map(|(id, status)| (id.as_str(), status.state)).collect();
    assert_eq!(told, [("s-3", StepState::Succeeded), ("s-0", StepState::Running)]);
    let sent = script.sent();
    assert_eq!(sent[0].1["StepIds"].as_array().map(Vec::len), Some(10));
    assert_eq!(emr.poll(&on(), &[]), Ok(Vec::new()), "nothing is asked about nothing");
}

#[test]
fn a_step_that_is_not_known_everywhere_yet_is_no_news() {
    let unseen = |operation| {
        let message = "`InvalidRequestException`, `NoSuchStep`: Step id 's-1' is not valid.";
        refused(operation, ErrorKind::NotFound, "InvalidRequestException", message)
    };
    let (cluster, ids) = (ClusterId::new("j-1"), [StepId::new("s-1")]);
    let (emr, _) = fabric(None, vec![unseen("ListSteps")]);
    assert_eq!(emr.poll(&cluster, &ids), Ok(Vec::new()));
    let (emr, _) = fabric(None, vec![denied("ListSteps", "ListSteps"), unseen("DescribeStep")]);
    assert_eq!(emr.poll(&cluster, &ids), Ok(Vec::new()));
    let gone = "`InvalidRequestException`, `NoSuchCluster`: Cluster id 'j-1' is not valid.";
    let gone = refused("ListSteps", ErrorKind::NotFound, "InvalidRequestException", gone);
    let (emr, _) = fabric(None, vec![gone]);
    assert_eq!(emr.poll(&cluster, &ids).map_err(|e| e.kind), Err(ErrorKind::NotFound));
}

#[test]
fn without_the_right_to_list_steps_one_is_described() {
    let describe =
        || ("DescribeStep", Ok(json!({"Step": {"Id": "s-1", "Status": {"State": "FAILED"}}})));
    let (emr, script) =
        fabric(None, vec![denied("ListSteps", "ListSteps"), describe(), describe()]);
    let ids = [StepId::new("s-1"), StepId::new("s-2")];
    for _ in 0..2 {
        let told = emr.poll(&on(), &ids).expect("it answers");
        assert_eq!(told.len(), 1);
        assert_eq!((told[0].0.as_str(), told[0].1.state), ("s-1", StepState::Failed));
    }
    assert_eq!(script.operations(), ["ListSteps", "DescribeStep", "DescribeStep"]);
    let warnings = emr.warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    let (emr, script) = fabric(
        None,
        vec![refused("ListSteps", ErrorKind::Quota, "ThrottlingException", "Rate exceeded")],
    );
    assert_eq!(emr.poll(&on(), &ids).map_err(|error| error.kind), Err(ErrorKind::Quota));
    assert_eq!(script.operations(), ["ListSteps"]);
}

/// What that means is the engine's: a run may go on without, a `down` would wait for ever.
#[test]
fn without_the_right_to_look_at_the_cluster_nothing_is_made_up() {
    for config in [None, Some(config())] {
        let (emr, _) = fabric(config, vec![denied("DescribeCluster", "DescribeCluster")]);
        assert_eq!(emr.inspect(&on()).map_err(|error| error.kind), Err(ErrorKind::Auth));
    }
}

#[test]
fn refusals_say_what_to_do() {
    let staged = BTreeMap::new();
    let (token, step) = (Token::new("t"), step("s", "true", &[]));
    let of = |message: &str| {
        let kind = ErrorKind::Config;
        let refusal = refused("AddJobFlowSteps", kind, "ValidationException", message);
        let (emr, _) = fabric(None, vec![refusal]);
        let refused = emr.submit(&on(), &order(&token, &[&step], &staged));
        let error = refused.expect_err("it is refused");
        assert_eq!(error.effect, Effect::None);
        error.kind
    };
    assert_eq!(of("Maximum number of active steps(State = 'Running', …"), ErrorKind::Quota);
    assert_eq!(of("Specified job flow ID does not exist."), ErrorKind::NotFound);
    let gone = "A job flow that is shutting down, terminated, or finished may not be modified.";
    assert_eq!(of(gone), ErrorKind::Conflict);
    let terminate = |message: &str| {
        let kind = ErrorKind::Config;
        let refusal = refused("TerminateJobFlows", kind, "ValidationException", message);
        fabric(None, vec![refusal]).0.terminate(&on()).map_err(|error| error.kind)
    };
    let protected =
        "Could not shut down one or more job flows since they are termination protected.";
    assert_eq!(terminate(protected), Err(ErrorKind::Conflict));
    assert_eq!(terminate(gone), Ok(()), "what is down need not go down");
    assert_eq!(terminate("Specified job flow ID does not exist."), Err(ErrorKind::NotFound));
}

#[test]
fn more_steps_than_emr_takes_are_not_sent() {
    let staged = BTreeMap::new();
    let (token, step) = (Token::new("t"), step("s", "true", &[]));
    for steps in [Vec::new(), vec![&step; 257]] {
        let (emr, _) = fabric(None, Vec::new());
        let error = emr.submit(&on(), &order(&token, &steps, &staged)).expect_err("not sent");
        assert_eq!((error.kind, error.effect), (ErrorKind::Config, Effect::None));
    }
}

#[test]
fn what_is_not_cancelled_is_told() {
    let info = |id: &str, status: &str, reason: &str| json!({"StepId": id, "Status": status, "Reason": reason});
    let answer = || {
        let infos = [
            info("s-1", "SUBMITTED", ""),
            info("s-2", "FAILED", "Cannot cancel step in COMPLETED state"),
            info("s-3", "FAILED", "Cannot cancel a running step of this release"),
        ];
        ("CancelSteps", Ok(json!({"CancelStepsInfoList": infos})))
    };
    let (emr, script) = fabric(None, vec![answer(), answer()]);
    let ids = ["s-1", "s-2", "s-3"].map(StepId::new);
    emr.cancel(&on(), &ids).expect("they are asked");
    emr.cancel(&on(), &ids).expect("they are asked");
    assert_eq!(script.sent()[0].1["StepCancellationOption"], "SEND_INTERRUPT");
    let warnings = emr.warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("`s-3`"), "{warnings:?}");
}

#[test]
fn clusters_are_listed_by_name_tag_and_age() {
    let summary = |id: &str, name: &str, made: i64| json!({"Id": id, "Name": name, "Status": {"State": "WAITING", "Timeline": {"CreationDateTime": made}}});
    let list = || {
        // EMR gives them in no order.
        let clusters = [summary("j-2", "n", 2), summary("j-3", "n", 3), summary("j-1", "m", 1)];
        ("ListClusters", Ok(json!({"Clusters": clusters})))
    };
    let listed = |query: &Query, more: Vec<Scripted>| {
        let (emr, script) = fabric(None, [vec![list()], more].concat());
        let clusters = emr.list(query).expect("it answers");
        let ids: Vec<_> = clusters.iter().map(|cluster| cluster.id.to_string()).collect();
        (ids.join(" "), script.sent()[0].1["ClusterStates"].to_string())
    };
    let (all, states) = listed(&Query::All, Vec::new());
    assert_eq!(all, "j-3 j-2 j-1");
    assert!(states.contains("\"TERMINATING\"") && !states.contains("\"TERMINATED\""), "{states}");
    let (named, states) = listed(&Query::Name("n".into()), Vec::new());
    assert_eq!(named, "j-3 j-2");
    assert!(!states.contains("TERMINATING"), "what goes down takes no steps");
    assert_eq!(listed(&Query::Newest("n".into()), Vec::new()).0, "j-3");
    assert_eq!(listed(&Query::Newest("x".into()), Vec::new()).0, "");
    let tags = |value| ("DescribeCluster", Ok(described(&[("k", value)], "")));
    let query = Query::Tag { key: "k".into(), value: "v".into() };
    assert_eq!(listed(&query, vec![tags("v"), tags("w"), tags("v")]).0, "j-3 j-1");
}

#[test]
fn logs_lie_below_the_log_uri() {
    let list = |keys: &[&str], next: Option<&str>| {
        let contents: Vec<_> = keys
            .iter()
            .map(|key| format!("<Contents><Key>{key}</Key><Size>3</Size></Contents>"))
            .collect();
        let more = next.map_or(String::new(), |token| {
            format!("<IsTruncated>true</IsTruncated><NextContinuationToken>{token}</NextContinuationToken>")
        });
        let xml = format!("<ListBucketResult>{more}{}</ListBucketResult>", contents.concat());
        ("ListObjectsV2", Ok(json!(xml)))
    };
    let (emr, script) = fabric(
        None,
        vec![
            ("DescribeCluster", Ok(described(&[], "s3n://b/my logs/"))),
            list(&["my logs/j-1/steps/s-1/"], Some("t")),
            list(&["my logs/j-1/steps/s-1/stderr.gz", "my logs/j-1/steps/s-1/x"], None),
            // The place is known now.
            list(&[], None),
        ],
    );
    let files = Fabric::logs(&emr, &on(), &StepId::new("s-1")).expect("it answers");
    let files: Vec<_> = files.iter().map(|f| (f.name.as_str(), f.place.as_str(), f.size)).collect();
    assert_eq!(
        files,
        [
            ("stderr", "s3://b/my logs/j-1/steps/s-1/stderr.gz", Some(3)),
            ("x", "s3://b/my logs/j-1/steps/s-1/x", Some(3))
        ]
    );
    assert_eq!(Fabric::logs(&emr, &on(), &StepId::new("s-2")), Ok(Vec::new()));
    let sent = script.sent();
    assert_eq!(sent[1].1["path"], "/b/");
    assert_eq!(
        sent[1].1["query"],
        json!([["list-type", "2"], ["prefix", "my logs/j-1/steps/s-1/"]])
    );
    assert_eq!(sent[2].1["query"][2], json!(["continuation-token", "t"]));
    let (emr, _) = fabric(None, vec![("DescribeCluster", Ok(described(&[], "")))]);
    let none = Fabric::logs(&emr, &on(), &StepId::new("s-1")).expect_err("it keeps none");
    assert_eq!(none.kind, ErrorKind::NotFound, "{none}");
}

#[test]
fn pieces_of_logs() {
    let (emr, script) = fabric(
        None,
        vec![
            ("GetObject", Ok(json!("abcde"))),
            refused("GetObject", ErrorKind::Config, "InvalidRange", "no such range"),
        ],
    );
    let file = LogFile { name: "x".into(), place: "s3://b/l/x y.gz".into(), size: None };
    let chunk = emr.read(&file, 3).expect("it answers");
    assert_eq!((chunk.bytes.as_slice(), chunk.at_end), (&b"de"[..], true));
    let chunk = emr.read(&file, 5).expect("it answers");
    assert_eq!((chunk.bytes.as_slice(), chunk.at_end), (&b""[..], true));
    let sent = script.sent();
    assert_eq!(sent[0].1["path"], "/b/l/x%20y.gz");
    assert_eq!(sent[0].1["headers"], json!([["range", "bytes=3-1048578"]]));
}

#[test]
fn the_logs_of_a_set_up_that_failed() {
    let mut cluster = described(&[], "s3://b/l");
    cluster["Cluster"]["Status"]["StateChangeReason"] = json!({"Message": "On the master instance (i-1), bootstrap action 2 returned a non-zero return code"});
    let xml = "<ListBucketResult><Contents><Key>l/j-1/node/i-1/bootstrap-actions/2/stderr.gz</Key></Contents></ListBucketResult>";
    let (emr, script) =
        fabric(None, vec![("DescribeCluster", Ok(cluster)), ("ListObjectsV2", Ok(json!(xml)))]);
    let files = Clusters::logs(&emr, &on()).expect("it answers");
    assert_eq!(files[0].place, "s3://b/l/j-1/node/i-1/bootstrap-actions/2/stderr.gz");
    assert_eq!(script.sent()[1].1["query"][1][1], "l/j-1/node/i-1/bootstrap-actions/2/");
}

#[test]
fn it_says_where_it_is_reached_and_nothing_secret() {
    let mut config = config();
    config.name = text("hunter2");
    let (emr, _) = fabric(Some(config), Vec::new());
    let reach: Vec<_> = emr.reach().into_iter().collect();
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    assert_eq!(
        reach,
        [
            pair("credentials", "env"),
            pair("endpoint", "http://127.0.0.1:1"),
            pair("region", "eu-west-1")
        ]
    );
    assert_eq!(format!("{emr:?}"), "Emr(http://127.0.0.1:1)");
    let pace = emr.asking_every(Duration::from_secs(7)).capabilities.pace;
    assert_eq!([pace.launching, pace.first, pace.longest], [Duration::from_secs(7); 3]);
}
