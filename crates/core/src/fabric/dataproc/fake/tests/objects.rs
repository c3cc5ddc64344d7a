//! What is read from buckets.

use super::*;

fn ranged(bench: &Bench, path: &str, range: &str) -> Reply {
    let url = format!("{}/storage/v1/b/{path}", bench.fake.url());
    bench.send("GET", url, &[("range", range)], &[])
}

#[test]
fn objects_and_parts_of_them() {
    let bench = Bench::new(Script::default().bucket("b"));
    bench.fake.world(|world| world.put("b", "a/x y", "0123456789"));
    let told = body(&bench.storage("b/o/a%2Fx%20y"));
    assert_eq!(
        (&told["name"], &told["size"], &told["metageneration"]),
        (&json!("a/x y"), &json!("10"), &json!("1"))
    );
    // The sum of these very bytes in RFC 3720's polynomial.
    assert_eq!(told["crc32c"], "KAwGng==");
    let media = "b/o/a%2Fx%20y?alt=media";
    assert_eq!(bench.storage(media).body, b"0123456789");
    assert_eq!(bench.storage(media).header("x-goog-generation"), told["generation"].as_str());
    for (range, status, wanted, told) in [
        ("bytes=0-3", 206, "0123", Some("bytes 0-3/10")),
        ("bytes=8-", 206, "89", Some("bytes 8-9/10")),
        ("bytes=8-100", 206, "89", Some("bytes 8-9/10")),
        ("bytes=-3", 206, "789", Some("bytes 7-9/10")),
        ("lines=1-2", 200, "0123456789", None),
        ("bytes=10-", 416, "The requested range cannot be satisfied.", Some("bytes */10")),
    ] {
        let reply = ranged(&bench, media, range);
        assert_eq!((reply.status, reply.header("content-range")), (status, told), "{range}");
        assert_eq!(String::from_utf8_lossy(&reply.body), wanted);
    }
    let download = text(&told["mediaLink"]);
    assert_eq!(bench.send("GET", download, &[], &[]).body, b"0123456789");
    bench.is_clean();
}

#[test]
fn what_is_told_of_them_can_be_chosen() {
    let bench = Bench::new(Script::default().bucket("b"));
    bench.fake.world(|world| world.put("b", "x", "1"));
    assert_eq!(body(&bench.storage("b/o/x?fields=name")), json!({"name": "x"}));
    let some = bench.storage("b/o?fields=items(name,size),nextPageToken");
    assert_eq!(body(&some), json!({"items": [{"name": "x", "size": "1"}]}));
    assert_eq!(bench.storage("b/o?fields=items(").status, 400);
    bench.is_clean();
}

#[test]
fn conditions_on_generations() {
    let bench = Bench::new(Script::default().bucket("b"));
    bench.fake.world(|world| world.put("b", "x", "1"));
    let first = text(&body(&bench.storage("b/o/x"))["generation"]);
    bench.fake.world(|world| world.put("b", "x", "2"));
    let second = text(&body(&bench.storage("b/o/x"))["generation"]);
    assert!(second.parse::<i64>().ok() > first.parse::<i64>().ok());
    assert_eq!(bench.storage(&format!("b/o/x?generation={first}")).status, 404);
    assert_eq!(bench.storage(&format!("b/o/x?alt=media&ifGenerationMatch={first}")).status, 412);
    assert_eq!(bench.storage(&format!("b/o/x?alt=media&ifGenerationMatch={second}")).status, 200);
    assert_eq!(bench.storage(&format!("b/o/x?ifGenerationNotMatch={second}")).status, 304);
    assert_eq!(bench.storage("b/o/x?ifGenerationMatch=one").status, 400);
}

#[test]
fn what_is_not_there() {
    let bench = Bench::new(Script::default().bucket("b"));
    let error = |path: &str| {
        let reply = bench.storage(path);
        (reply.status, text(&body(&reply)["error"]["errors"][0]["reason"]))
    };
    let not_found = (404, "notFound".to_owned());
    assert_eq!(
        [error("b/o/x"), error("none/o"), error("none/o/x")].map(|it| it == not_found),
        [true; 3]
    );
    let media = bench.storage("b/o/x?alt=media");
    assert_eq!(
        (media.status, String::from_utf8_lossy(&media.body).as_ref()),
        (404, "No such object: b/x")
    );
    assert_eq!(body(&bench.storage("b/o")), json!({"kind": "storage#objects"}));
    assert_eq!(error("b/o?versions=true").0, 400, "the fake has no versions");
    assert_eq!(bench.fake.world(|world| world.violations().len()), 1);
}

#[test]
fn lists_of_objects() {
    let bench = Bench::new(Script { objects: 2, ..Script::default() }.bucket("b"));
    bench.fake.world(|world| {
        for name in ["a/1", "a/2", "a/3", "b/1", "c"] {
            world.put("b", name, name);
        }
    });
    let list = |query: &str| {
        let told = body(&bench.storage(&format!("b/o?{query}")));
        (names(&told, "items", "/name"), told["prefixes"].clone(), told["nextPageToken"].clone())
    };
    let (page, _, token) = list("prefix=a/");
    assert_eq!(page, ["a/1", "a/2"]);
    let token = crate::http::encode::encode(&text(&token));
    assert_eq!(
        list(&format!("prefix=a/&pageToken={token}")),
        (vec!["a/3".to_owned()], Value::Null, Value::Null)
    );
    assert_eq!(list("prefix=a/&maxResults=1").0, ["a/1"]);
    let (items, prefixes, token) = list("delimiter=/");
    assert_eq!((items.len(), prefixes, token.is_string()), (0, json!(["a/", "b/"]), true));
    assert_eq!(list("startOffset=a/3&endOffset=b/2").0, ["a/3", "b/1"]);
    let token = crate::http::encode::encode(&text(&token));
    let other = bench.storage(&format!("b/o?prefix=b/&pageToken={token}"));
    assert_eq!(other.status, 400, "the token is of another query");
    bench.is_clean();
}

/// The objects of the output of the job `j`: their names' ends, their texts and their generations.
fn output(bench: &Bench) -> Vec<(String, String, String)> {
    let uri = text(&bench.job("j")["driverOutputResourceUri"]);
    let (bucket, prefix) =
        uri.strip_prefix("gs://").and_then(|uri| uri.split_once('/')).expect("an object");
    let prefix = crate::http::encode::encode(prefix);
    let told = body(&bench.storage(&format!("{bucket}/o?prefix={prefix}")));
    let items = told["items"].as_array().cloned().unwrap_or_default();
    let object = |item: &Value| {
        let name = crate::http::encode::encode(&text(&item["name"]));
        let media = bench.storage(&format!("{bucket}/o/{name}?alt=media"));
        let end = text(&item["name"]).rsplit('.').next().expect("a number").to_owned();
        (end, String::from_utf8(media.body).expect("text"), text(&item["generation"]))
    };
    items.iter().map(object).collect()
}

#[test]
fn output_grows_while_a_job_runs() {
    let step = StepScript::exits(7, 30).writing(&[(0, "one\n"), (10, "two\n"), (20, "three\n")]);
    let bench = Bench::ready(Script { output_size: 10, ..Script::default() }.step("j", step));
    bench.submit("j");
    assert_eq!(output(&bench), []);
    let mut seen = Vec::new();
    for seconds in [2, 10, 10, 10] {
        bench.pass(seconds);
        seen.push(output(&bench));
    }
    let texts: Vec<Vec<&str>> =
        seen.iter().map(|all| all.iter().map(|(_, text, _)| text.as_str()).collect()).collect();
    assert_eq!(texts[0], ["one\n"]);
    assert_eq!(texts[1], ["one\ntwo\n"]);
    assert_eq!(texts[2], ["one\ntwo\nth", "ree\n"]);
    assert_eq!(texts[3].concat(), "one\ntwo\nthree\ndataflow-runner: exit code 7\n");
    assert_eq!(texts[3][1], "ree\ndatafl");
    let generations: Vec<&String> = seen.iter().map(|all| &all[0].2).collect();
    assert!(generations[0] < generations[1] && generations[1] < generations[2], "it is replaced");
    assert_eq!(generations[2], generations[3], "only the last is");
    assert_eq!(seen[3][1].0, "000000001");
    bench.is_clean();
}

#[test]
fn output_may_come_late_or_not_at_all() {
    let late = Duration::from_secs(15);
    let script = Script { late_output: late, ..Script::default() };
    let script =
        script.step("j", StepScript::exits(0, 5)).step("mute", StepScript::fails(5).writing(&[]));
    let bench = Bench::ready(script);
    bench.submit("j");
    bench.submit("mute");
    bench.pass(7);
    assert_eq!((bench.job_state("j").as_str(), output(&bench).len()), ("DONE", 0));
    bench.pass(10);
    assert_eq!(output(&bench)[0].1, "hello\n");
    bench.pass(5);
    assert_eq!(output(&bench)[0].1, "hello\ndataflow-runner: exit code 0\n");
    assert_eq!(bench.fake.world(|world| world.output("mute")), "");
}

#[test]
fn what_a_job_would_have_written_after_its_end_is_never_written() {
    let step = StepScript::never_ends().writing(&[(0, "one\n"), (100, "two\n")]);
    let bench = Bench::ready(Script::default().step("j", step));
    bench.submit("j");
    bench.pass(10);
    bench.cancel("j");
    bench.pass(1000);
    assert_eq!(bench.fake.world(|world| world.output("j")), "one\n");
}
