//! S3: log files when they have been delivered, and how they are listed and read.

use std::io::Read as _;
use std::time::Duration;

use super::caller::{Caller, said};
use super::*;
use crate::fabric::emr::fake::{ClusterScript, Death, Moment, StepScript, gzip};
use crate::http::aws::xml::{elements, text};

fn keys(body: &str) -> Vec<String> {
    elements(body, "Contents").filter_map(|one| text(one, "Key")).collect()
}

#[test]
fn logs_come_after_their_delivery_or_with_the_end() {
    for (end, seconds) in [(false, 240), (true, 60)] {
        let script = StepScript::fails(10)
            .with_logs(&[("stderr", "Traceback\n"), ("syslog.2024-03-25-10", "x")]);
        let mut bench = Bench::new(Script::default().step("a", script));
        let id = bench.ready();
        let steps = bench.submit(&id, &[step("a", "CONTINUE")]);
        bench.pass(10);
        if end {
            bench.call("TerminateJobFlows", json!({"JobFlowIds": [id]}));
        }
        bench.pass(seconds - 1);
        assert!(bench.world.objects("logs").is_empty());
        bench.pass(1);
        let objects = bench.world.objects("logs");
        let keys: Vec<_> = objects.iter().map(|object| object.key.clone()).collect();
        let folder = format!("emr/{id}/steps/{}", steps[0]);
        assert_eq!(
            keys,
            [format!("{folder}/stderr.gz"), format!("{folder}/syslog.2024-03-25-10.gz")]
        );
        let mut plain = String::new();
        flate2::read::GzDecoder::new(&*objects[0].body).read_to_string(&mut plain).expect("gzip");
        assert_eq!(plain, "Traceback\n");
    }
}

#[test]
fn steps_leave_logs_by_their_end() {
    let mut bench = Bench::new(Script::default().step("f", StepScript::fails(10)));
    let id = bench.ready();
    bench.submit(
        &id,
        &[step("a", "CONTINUE"), step("f", "CANCEL_AND_WAIT"), step("never", "CONTINUE")],
    );
    bench.pass(1000);
    let objects = bench.world.objects("logs");
    assert_eq!(objects.len(), 8, "a step that never ran leaves nothing");
}

#[test]
fn a_set_up_that_failed_leaves_logs() {
    for (death, folder) in [
        (Death::bootstrap(), "bootstrap-actions/1"),
        (Death::provisioning(), "provision-node/reports"),
    ] {
        let cluster = ClusterScript {
            bootstrap_logs: vec![("stderr".to_owned(), "no such package\n".to_owned())],
            ..ClusterScript::dying(Moment::Bootstrapping, death)
        };
        let mut bench = Bench::new(Script { clusters: vec![cluster], ..Script::default() });
        let id = bench.launch(true, &[]);
        bench.pass(239);
        assert!(bench.world.objects("logs").is_empty());
        bench.pass(1);
        let objects = bench.world.objects("logs");
        let keys: Vec<_> = objects.into_iter().map(|object| object.key).collect();
        assert_eq!(keys, [format!("emr/{id}/node/i-0123456789abcdef0/{folder}/stderr.gz")]);
    }
}

/// A caller with a bucket of five objects.
fn stocked(keys: usize) -> Caller {
    let caller = Caller::new(Script { keys, ..Script::default() });
    caller.fake.world(|world| {
        world.bucket("b", HERE);
        for key in ["a/1", "a/2 &ü", "a/b/3", "a/b/4", "c"] {
            world.put("b", key, key, Duration::ZERO);
        }
        world.put("b", "late", "late", Duration::from_secs(1000));
    });
    caller
}

#[test]
fn lists_have_pages_prefixes_and_groups() {
    let caller = stocked(2);
    let (_, first) = said(&caller.s3("/b?list-type=2&prefix=a%2F", &[]));
    assert_eq!(keys(&first), ["a/1", "a/2 &ü"]);
    assert_eq!(text(&first, "IsTruncated").as_deref(), Some("true"));
    let token = text(&first, "NextContinuationToken").expect("more");
    let token = crate::http::encode::encode(&token);
    let more = format!("/b?continuation-token={token}&list-type=2&prefix=a%2F");
    let (_, second) = said(&caller.s3(&more, &[]));
    assert_eq!(keys(&second), ["a/b/3", "a/b/4"]);
    assert_eq!(text(&second, "IsTruncated").as_deref(), Some("false"));
    assert_eq!(text(&second, "NextContinuationToken"), None);
    let caller = stocked(1000);
    let (_, groups) = said(&caller.s3("/b?delimiter=%2F&list-type=2", &[]));
    assert_eq!(keys(&groups), ["c"]);
    assert_eq!(elements(&groups, "CommonPrefixes").count(), 1);
    let (_, url) = said(&caller.s3("/b?encoding-type=url&list-type=2&prefix=a%2F2", &[]));
    assert_eq!(keys(&url), ["a/2%20%26%C3%BC"]);
    assert_eq!(said(&caller.s3("/b?continuation-token=x&list-type=2", &[])).0, 400);
    caller.fake.pass(Duration::from_secs(1000));
    let (_, late) = said(&caller.s3("/b?list-type=2&prefix=l", &[]));
    assert_eq!(keys(&late), ["late"]);
}

#[test]
fn objects_are_read_whole_and_in_ranges() {
    let caller = stocked(1000);
    caller.fake.world(|world| world.put("b", "digits", "0123456789", Duration::ZERO));
    let whole = caller.s3("/b/digits", &[]);
    assert_eq!(said(&whole), (200, "0123456789".to_owned()));
    for (range, status, body, header) in [
        ("bytes=2-4", 206, "234", Some("bytes 2-4/10")),
        ("bytes=8-", 206, "89", Some("bytes 8-9/10")),
        ("bytes=8-99", 206, "89", Some("bytes 8-9/10")),
        ("bytes=-3", 206, "789", Some("bytes 7-9/10")),
    ] {
        let reply = caller.s3("/b/digits", &[("range", range)]);
        assert_eq!(said(&reply), (status, body.to_owned()), "{range}");
        assert_eq!(reply.header("content-range"), header, "{range}");
    }
    let behind = caller.s3("/b/digits", &[("range", "bytes=10-")]);
    assert_eq!((behind.status, behind.header("content-range")), (416, Some("bytes */10")));
    assert_eq!(said(&caller.s3("/b/a/2%20%26%C3%BC", &[])), (200, "a/2 &ü".to_owned()));
}

#[test]
fn packed_logs_are_not_unpacked_on_the_way() {
    let caller = stocked(1000);
    caller.fake.world(|world| world.put("b", "x.gz", gzip(b"plain"), Duration::ZERO));
    assert_eq!(caller.s3("/b/x.gz", &[]).body, gzip(b"plain"));
}

#[test]
fn what_s3_refuses() {
    let caller = stocked(1000);
    let code = |target: &str| {
        let (status, body) = said(&caller.s3(target, &[]));
        (status, text(&body, "Code").unwrap_or_default())
    };
    assert_eq!(code("/b/none"), (404, "NoSuchKey".to_owned()));
    assert_eq!(code("/none/x"), (404, "NoSuchBucket".to_owned()));
    caller.fake.world(|world| world.denied.insert("ListObjectsV2".to_owned()));
    assert_eq!(code("/b?list-type=2"), (403, "AccessDenied".to_owned()));
    assert_eq!(code("/b/none"), (403, "AccessDenied".to_owned()));
    assert_eq!(code("/b/c").0, 200);
    caller.fake.world(|world| world.denied.insert("GetObject".to_owned()));
    assert_eq!(code("/b/c"), (403, "AccessDenied".to_owned()));
    let signing = caller::Signing { secret: "other".to_owned(), ..caller.signing("s3") };
    let reply = caller.send("GET", "/b/c", &[], "", &signing).expect("a reply");
    let (status, body) = said(&reply);
    assert_eq!((status, text(&body, "Code").as_deref()), (403, Some("SignatureDoesNotMatch")));
}

#[test]
fn a_bucket_that_is_elsewhere_says_where() {
    let caller = stocked(1000);
    caller.fake.world(|world| world.bucket("far", "us-west-2"));
    let reply = caller.s3("/far?list-type=2", &[]);
    assert_eq!((reply.status, reply.header("x-amz-bucket-region")), (301, Some("us-west-2")));
    assert_eq!(text(&said(&reply).1, "Code").as_deref(), Some("PermanentRedirect"));
    let there = caller::Signing { region: "us-west-2".to_owned(), ..caller.signing("s3") };
    let reply = caller.send("GET", "/far?list-type=2", &[], "", &there).expect("a reply");
    assert_eq!(reply.status, 200);
}

#[test]
fn a_bucket_may_be_in_the_host() {
    let caller = stocked(1000);
    for host in ["b.s3.eu-west-1.amazonaws.com", "b.localhost:80"] {
        assert_eq!(said(&caller.s3("/c", &[("host", host)])), (200, "c".to_owned()), "{host}");
    }
    let host = [("host", "s3.eu-west-1.amazonaws.com")];
    assert_eq!(said(&caller.s3("/b/c", &host)), (200, "c".to_owned()));
}
