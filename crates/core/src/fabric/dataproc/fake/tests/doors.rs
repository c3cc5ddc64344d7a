//! Who is let in, and what goes wrong on the way.

use ring::rand::SystemRandom;
use ring::signature::RSA_PKCS1_SHA256;

use super::*;
use crate::base64;
use crate::clock::timestamp;

const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

fn plain(bytes: &[u8]) -> String {
    base64::encode(bytes).trim_end_matches('=').replace('+', "-").replace('/', "_")
}

/// An assertion of these claims.
fn assertion(claims: &Value) -> String {
    let head = plain(json!({"alg": "RS256", "typ": "JWT"}).to_string().as_bytes());
    let text = format!("{head}.{}", plain(claims.to_string().as_bytes()));
    let key = tokens::key_pair().expect("a key");
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature)
        .expect("signs");
    format!("{text}.{}", plain(&signature))
}

fn claims(bench: &Bench) -> Value {
    let account = bench.fake.service_account();
    let now = timestamp().as_second();
    json!({"iss": account["client_email"], "aud": account["token_uri"], "scope": SCOPE, "iat": now, "exp": now + 3600})
}

fn token(bench: &Bench, form: &str) -> Reply {
    let kind = [("content-type", "application/x-www-form-urlencoded")];
    bench.send("POST", format!("{}/token", bench.fake.url()), &kind, form.as_bytes())
}

fn by_assertion(bench: &Bench, claims: &Value) -> Reply {
    let grant = "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer";
    token(bench, &format!("grant_type={grant}&assertion={}", assertion(claims)))
}

fn is_let_in(bench: &Bench, token: &str) -> bool {
    let url = format!("{}/v1/projects/{PROJECT}/regions/{REGION}/clusters", bench.fake.url());
    let own = format!("Bearer {token}");
    bench.send("GET", url, &[("authorization", own.as_str())], &[]).status == 200
}

#[test]
fn nobody_comes_in_without_a_token() {
    let bench = Bench::new(Script::default().bucket("b"));
    for path in ["v1/projects/p/regions/r/clusters", "storage/v1/b/b/o", "v1/nothing"] {
        for given in ["", "Basic abc", "Bearer other"] {
            let url = format!("{}/{path}", bench.fake.url());
            let reply = bench.send("GET", url, &[("authorization", given)], &[]);
            assert_eq!((reply.status, &body(&reply)["error"]["code"]), (401, &json!(401)));
            assert!(reply.header("www-authenticate").is_some());
        }
    }
    assert_eq!(
        bench.fake.world(|world| world.violations().len()),
        0,
        "who is not let in does nothing"
    );
    bench.fake.add_token("short", Some(Duration::ZERO));
    bench.fake.add_token("long", None);
    assert_eq!([is_let_in(&bench, "short"), is_let_in(&bench, "long")], [false, true]);
    bench.fake.forget_token("long");
    assert!(!is_let_in(&bench, "long") && is_let_in(&bench, bench.fake.token()));
    bench.fake.forget_tokens();
    assert!(!is_let_in(&bench, bench.fake.token()));
}

#[test]
fn a_service_account_gets_a_token() {
    let bench = Bench::new(Script::default());
    let told = body(&by_assertion(&bench, &claims(&bench)));
    assert_eq!((&told["token_type"], &told["expires_in"]), (&json!("Bearer"), &json!(3599)));
    assert!(is_let_in(&bench, &text(&told["access_token"])));
    assert_eq!(bench.fake.calls("token"), 1);
    for (claim, value) in [
        ("iss", json!("other@fake-project.iam.gserviceaccount.com")),
        ("aud", json!("https://oauth2.googleapis.com/token")),
        ("scope", json!("https://www.googleapis.com/auth/devstorage.read_only")),
        ("exp", json!(timestamp().as_second() + 7300)),
        ("iat", json!(timestamp().as_second() - 7300)),
    ] {
        let mut claims = claims(&bench);
        claims[claim] = value;
        let reply = by_assertion(&bench, &claims);
        assert_eq!(
            (reply.status, &body(&reply)["error"]),
            (400, &json!("invalid_grant")),
            "{claim}"
        );
    }
    let forged = assertion(&claims(&bench)).replace('.', "e.");
    let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    let reply = token(&bench, &format!("grant_type={grant}&assertion={forged}"));
    assert_eq!(body(&reply)["error_description"], "Invalid JWT Signature.");
    assert_eq!(body(&token(&bench, "grant_type=password"))["error"], "unsupported_grant_type");
}

#[test]
fn a_person_gets_a_token_for_a_while() {
    let bench = Bench::new(Script { lifetime: Duration::ZERO, ..Script::default() });
    let person = bench.fake.authorized_user();
    let member = |name: &str| crate::http::encode::encode(&text(&person[name]));
    let form = format!(
        "grant_type=refresh_token&client_id={}&client_secret={}&refresh_token={}",
        member("client_id"),
        member("client_secret"),
        member("refresh_token")
    );
    let told = body(&token(&bench, &form));
    assert_eq!(told["expires_in"], 0);
    assert!(!is_let_in(&bench, &text(&told["access_token"])), "it is over");
    assert_eq!(body(&token(&bench, &format!("{form}x")))["error"], "invalid_grant");
}

#[test]
fn a_token_has_no_place_in_a_url() {
    let bench = Bench::new(Script::default());
    bench.get(&format!("clusters?access_token={}", bench.fake.token()));
    assert_eq!(bench.fake.world(|world| world.violations().to_vec()), ["a token is part of a URL"]);
}

#[test]
fn calls_go_wrong_as_it_was_said() {
    let bench = Bench::ready(Script::default().bucket("b"));
    let fake = &bench.fake;
    fake.fail("dataproc.projects.regions.clusters.get", 1..=1, Fault::throttled(Some(7)));
    fake.fail("clusters.get", 2..=2, Fault::unavailable());
    fake.fail("clusters.get", 3..=3, Fault::Page(502));
    fake.fail("clusters.get", 4..=4, Fault::Body("{}"));
    fake.fail("storage.objects.list", .., Fault::denied("storage.objects.list"));
    let get = || bench.ask("GET", "clusters/c1", &Value::Null);
    let throttled = get();
    assert_eq!((throttled.status, throttled.header("retry-after")), (429, Some("7")));
    let error = &body(&throttled)["error"];
    assert_eq!(error["status"], "RESOURCE_EXHAUSTED");
    assert_eq!(error["details"][0]["reason"], "RATE_LIMIT_EXCEEDED");
    assert_eq!([get().status, get().status], [503, 502]);
    assert_eq!(body(&get()), json!({}));
    let denied = body(&bench.storage("b/o"));
    assert_eq!(denied["error"]["errors"][0]["reason"], "forbidden");
    fake.heal();
    assert_eq!((get().status, bench.storage("b/o").status), (200, 200));
    assert_eq!(
        (fake.calls("dataproc.projects.regions.clusters.get"), fake.calls("objects.list")),
        (5, 2)
    );
    fake.fail_by(|method| (method == "clusters.list").then(Fault::internal));
    assert_eq!(bench.ask("GET", "clusters", &Value::Null).status, 500);
    bench.is_clean();
}

#[test]
fn replies_are_lost_with_or_without_their_effect() {
    let bench = Bench::ready(Script::default());
    let submit = |id: &str| {
        let url =
            format!("{}/v1/projects/{PROJECT}/regions/{REGION}/jobs:submit", bench.fake.url());
        let body = json!({"job": job(id, "c1"), "requestId": id}).to_string().into_bytes();
        let own = ("authorization".to_owned(), format!("Bearer {}", bench.fake.token()));
        let kind = ("content-type".to_owned(), "application/json".to_owned());
        let request = Request { method: "POST", url, headers: vec![own, kind], body };
        bench.client.ask(&request, Duration::from_secs(20)).is_ok()
    };
    let fail = |call: u32, fault: Fault| bench.fake.fail("jobs.submit", call..=call, fault);
    fail(1, Fault::Cut);
    fail(2, Fault::ReplyLost);
    fail(3, Fault::ReplyCut);
    assert_eq!(["cut", "lost", "half", "whole"].map(submit), [false, false, false, true]);
    let jobs =
        bench.fake.world(|world| world.jobs.iter().map(|job| job.id.clone()).collect::<Vec<_>>());
    assert_eq!(jobs, ["lost", "half", "whole"]);
    let logged = bench.fake.requests();
    let submits: Vec<_> =
        logged.iter().filter(|logged| logged.operation == "jobs.submit").collect();
    assert_eq!(
        (submits.len(), submits[1].reply.is_none(), submits[3].reply.is_some()),
        (4, true, true)
    );
    assert_eq!(submits[1].body["job"]["reference"]["jobId"], "lost");
    bench.is_clean();
}

#[test]
fn dataproc_takes_so_many_requests_a_minute() {
    let bench = Bench::new(Script { quota: Some(2), ..Script::default() }.bucket("b"));
    let get = || bench.ask("GET", "clusters", &Value::Null);
    assert_eq!([get().status, get().status, get().status], [200, 200, 429]);
    assert!(get().header("retry-after").is_some());
    assert_eq!(bench.storage("b/o").status, 200, "Cloud Storage has quotas of its own");
    bench.fake.quota(None);
    assert_eq!(get().status, 200);
}

#[test]
fn questions_move_time_on() {
    let script = Script { tempo: Tempo::notch_of(45), ..Script::default() };
    let bench = Bench::new(script);
    bench.create("c1");
    assert_eq!([bench.state("c1"), bench.state("c1")], ["CREATING", "RUNNING"]);
}

#[test]
fn time_may_be_that_of_a_clock() {
    let clock = Arc::new(Clock::turned_by_hand(jiff::Timestamp::UNIX_EPOCH));
    let fake = Fake::start_by(Script::default(), Arc::clone(&clock)).expect("a port");
    assert_eq!(fake.world(|world| world.now), jiff::Timestamp::UNIX_EPOCH);
    fake.pass(Duration::from_secs(5));
    assert_eq!(fake.world(|world| world.now.as_second()), 5);
}

#[test]
fn a_body_is_json_and_says_so() {
    let bench = Bench::new(Script::default());
    let url =
        format!("{}/v1/projects/{PROJECT}/regions/{REGION}/clusters?requestId=1", bench.fake.url());
    let order = cluster("c1").to_string();
    let send = |kind: &str, body: &str| {
        bench.send("POST", url.clone(), &[("content-type", kind)], body.as_bytes()).status
    };
    assert_eq!(send("text/plain", &order), 400);
    assert_eq!(send("application/json", "{"), 400);
    assert_eq!(send("application/json; charset=utf-8", &order), 200);
}

#[test]
fn the_cluster_file_leads_here() {
    let bench = Bench::new(Script::default());
    let file: Value =
        serde_json::from_str(&bench.fake.cluster_file(r#", "idleTtlSeconds": 600"#)).expect("JSON");
    let data = &file["data"];
    assert_eq!(
        (&data["endpoint"], &data["storageEndpoint"]),
        (&json!(bench.fake.url()), &json!(bench.fake.url()))
    );
    assert_eq!(
        (&data["credentials"]["token"], &data["idleTtlSeconds"]),
        (&json!(bench.fake.token()), &json!(600))
    );
}

#[test]
fn the_fake_holds_its_own_replies_against_the_shapes() {
    let turn = Turn::new(1, State::Running, "").in_substate("DIZZY");
    let script = ClusterScript { turns: vec![turn], ..ClusterScript::default() };
    let bench = Bench::ready(Script::default().cluster(script));
    bench.get("clusters/c1");
    bench.is_clean();
    bench.pass(1);
    bench.get("clusters/c1");
    let said = bench.fake.world(|world| world.violations().to_vec());
    assert!(said[0].contains("status.substate") && said[0].contains("DIZZY"), "{said:?}");
}

#[test]
fn who_sends_numbers_for_words_is_told_numbers() {
    let bench = Bench::new(Script::default());
    let mut order = cluster("c1");
    order["config"]["masterConfig"] = json!({"preemptibility": 1});
    let path = "clusters?requestId=1&%24alt=json%3Benum-encoding%3Dint";
    assert_eq!(bench.ask("POST", path, &order).status, 200);
    assert_eq!(bench.get("clusters/c1")["config"]["masterConfig"]["preemptibility"], 1);
    bench.is_clean();
}
