//! EMR over HTTP: signatures, forms, quotas, the log.

use std::time::Duration;

use jiff::SignedDuration;

use super::caller::{Caller, json_of, said};
use super::*;
use crate::http::aws::Credentials;
use crate::secret::Secret;

#[test]
fn a_call_and_its_reply() {
    let caller = Caller::new(Script::default());
    let id = caller.launch();
    let reply = caller.emr("DescribeCluster", json!({"ClusterId": id})).expect("a reply");
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), Some("application/x-amz-json-1.1"));
    assert!(reply.header("x-amzn-requestid").is_some());
    assert_eq!(json_of(&reply)["Cluster"]["Status"]["State"], "STARTING");
    caller.fake.pass(Duration::from_secs(180));
    let reply = caller.emr("DescribeCluster", json!({"ClusterId": id})).expect("a reply");
    assert_eq!(json_of(&reply)["Cluster"]["Status"]["State"], "WAITING");
    let done = caller.emr("TerminateJobFlows", json!({"JobFlowIds": [id]})).expect("a reply");
    assert_eq!(said(&done), (200, String::new()));
    caller.fake.world(|world| {
        assert_eq!(world.alive().count(), 0);
        assert_eq!(world.violations(), [] as [&str; 0]);
    });
}

#[test]
fn everything_is_logged() {
    let caller = Caller::new(Script::default());
    let id = caller.launch();
    caller.emr("DescribeCluster", json!({"ClusterId": "j-1"})).expect("a reply");
    let requests = caller.fake.requests();
    let all: Vec<_> =
        requests.iter().map(|one| (one.operation.as_str(), one.carried_out)).collect();
    assert_eq!(all, [("RunJobFlow", true), ("DescribeCluster", false)]);
    assert_eq!(requests[0].body["Name"], "nightly");
    assert_eq!(requests[1].body, json!({"ClusterId": "j-1"}));
    assert_eq!(requests[0].signer.as_ref().expect("signed").region, HERE);
    assert_eq!(json_of(requests[0].reply.as_ref().expect("answered"))["JobFlowId"], json!(id));
    assert!(requests[0].at <= requests[1].at && requests[0].elapsed <= requests[1].elapsed);
    assert_eq!((caller.fake.calls("RunJobFlow"), caller.fake.calls("*")), (1, 2));
}

#[test]
fn who_signs_wrongly_is_refused() {
    let caller = Caller::new(Script::default());
    let good = caller.signing("elasticmapreduce");
    for (signing, code) in [
        (
            caller::Signing { secret: "other".to_owned(), ..good.clone() },
            "InvalidSignatureException",
        ),
        (caller::Signing { service: "s3", ..good.clone() }, "InvalidSignatureException"),
        (
            caller::Signing { id: "AKIAOTHER".to_owned(), ..good.clone() },
            "UnrecognizedClientException",
        ),
        (
            caller::Signing { token: Some("t".to_owned()), ..good.clone() },
            "UnrecognizedClientException",
        ),
    ] {
        let reply = caller.emr_as("ListClusters", json!({}), &signing).expect("a reply");
        let told = json_of(&reply);
        assert_eq!((reply.status, told["__type"].as_str()), (400, Some(code)), "{told}");
    }
    assert!(caller.fake.requests().iter().all(|one| !one.carried_out));
    caller.fake.forget_key(&good.id);
    let reply = caller.emr_as("ListClusters", json!({}), &good).expect("a reply");
    assert_eq!(json_of(&reply)["__type"], "UnrecognizedClientException");
}

#[test]
fn keys_expire() {
    let caller = Caller::new(Script::default());
    let (id, secret) = ("ASIA1", "secret");
    caller.fake.key(Credentials {
        id: Secret::new(id),
        secret: Secret::new(secret),
        token: Some(Secret::new("t")),
        expires: Some(crate::clock::timestamp()),
    });
    let signing = caller::Signing {
        id: id.to_owned(),
        secret: secret.to_owned(),
        token: Some("t".to_owned()),
        ..caller.signing("elasticmapreduce")
    };
    let reply = caller.emr_as("ListClusters", json!({}), &signing).expect("a reply");
    assert_eq!(json_of(&reply)["__type"], "ExpiredTokenException");
}

#[test]
fn clocks_that_do_not_agree() {
    let caller = Caller::new(Script::default());
    for (minutes, words) in [(20, "Signature expired"), (-20, "Signature not yet current")] {
        caller.fake.skew(SignedDuration::from_mins(minutes));
        let reply = caller.emr("ListClusters", json!({})).expect("a reply");
        let told = json_of(&reply);
        assert_eq!(told["__type"], "InvalidSignatureException");
        assert!(told["message"].as_str().is_some_and(|text| text.starts_with(words)), "{told}");
        let date = reply.header("date").expect("a date");
        let there = jiff::fmt::rfc2822::parse(date).expect("a time").timestamp();
        let ahead = there.duration_since(crate::clock::timestamp()).as_mins();
        assert!((ahead - minutes).abs() <= 1, "{date}");
    }
}

#[test]
fn requests_have_one_form() {
    let caller = Caller::new(Script::default());
    let signing = caller.signing("elasticmapreduce");
    let target = ("x-amz-target", "ElasticMapReduce.ListClusters");
    let json = ("content-type", "application/x-amz-json-1.1");
    for (path, headers, body, code) in [
        ("/", vec![target, ("content-type", "application/json")], "{}", "SerializationException"),
        ("/", vec![target, json], "{", "SerializationException"),
        ("/", vec![target, json], "{\"States\": []}", "SerializationException"),
        ("/v1", vec![target, json], "{}", "UnknownOperationException"),
        (
            "/",
            vec![("x-amz-target", "Other.ListClusters"), json],
            "{}",
            "UnknownOperationException",
        ),
    ] {
        let reply = caller.send("POST", path, &headers, body, &signing).expect("a reply");
        assert_eq!(json_of(&reply)["__type"], code, "{path} {headers:?} {body}");
    }
}

#[test]
fn quotas_throttle() {
    let caller = Caller::new(Script { quota: Some(1.0), ..Script::default() });
    let all: Vec<_> = (0..40)
        .map(|_| caller.emr("ListSteps", json!({"ClusterId": "j-1"})).expect("a reply"))
        .collect();
    let throttled: Vec<_> =
        all.iter().filter(|reply| json_of(reply)["__type"] == "ThrottlingException").collect();
    // Ten at once, and one for each two seconds that this test may take.
    assert!(!throttled.is_empty());
    assert_eq!(throttled[0].status, 400);
    assert_eq!(json_of(throttled[0])["message"], "Rate exceeded");
    caller.fake.quota(None);
    let reply = caller.emr("ListSteps", json!({"ClusterId": "j-1"})).expect("a reply");
    assert_eq!(json_of(&reply)["__type"], "InvalidRequestException");
}

#[test]
fn a_question_moves_time_on() {
    let mut caller = Caller::new(Script::default());
    caller.fake = crate::fabric::emr::fake::Fake::start(Script {
        tempo: crate::fabric::emr::fake::Tempo::notch_of(60),
        ..Script::default()
    })
    .expect("a port");
    let id = caller.launch();
    let states: Vec<String> = (0..4)
        .map(|_| {
            let reply = caller.emr("DescribeCluster", json!({"ClusterId": id})).expect("a reply");
            json_of(&reply)["Cluster"]["Status"]["State"].as_str().expect("a state").to_owned()
        })
        .collect();
    assert_eq!(states, ["STARTING", "BOOTSTRAPPING", "WAITING", "WAITING"]);
}
