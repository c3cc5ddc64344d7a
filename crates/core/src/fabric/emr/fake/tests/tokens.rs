//! STS: credentials for a while.

use std::time::Duration;

use super::caller::{Caller, Signing, json_of, said};
use super::*;
use crate::http::Reply;
use crate::http::aws::xml::text;

const ROLE: &str = "arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fother";

fn ask(caller: &Caller, action: &str, more: &str) -> Reply {
    let body = format!("Action={action}&Version=2011-06-15{more}");
    let form = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")];
    caller.send("POST", "/", &form, &body, &caller.signing("sts")).expect("a reply")
}

fn signing(caller: &Caller, reply: &Reply) -> Signing {
    let (_, body) = said(reply);
    let of = |name: &str| text(&body, name).expect("it is there");
    Signing {
        id: of("AccessKeyId"),
        secret: of("SecretAccessKey"),
        token: Some(of("SessionToken")),
        ..caller.signing("elasticmapreduce")
    }
}

#[test]
fn a_role_is_taken_for_a_while() {
    let caller = Caller::new(Script::default());
    let role = format!("&RoleArn={ROLE}&RoleSessionName=a.b-c");
    let reply = ask(&caller, "AssumeRole", &role);
    assert_eq!(reply.status, 200, "{:?}", said(&reply));
    let taken = signing(&caller, &reply);
    let listed = caller.emr_as("ListClusters", json!({}), &taken).expect("a reply");
    assert_eq!(listed.status, 200);
    let without = Signing { token: None, ..taken.clone() };
    let refused = caller.emr_as("ListClusters", json!({}), &without).expect("a reply");
    assert_eq!(json_of(&refused)["__type"], "UnrecognizedClientException");

    caller.fake.world(|world| world.script.lifetime = Some(Duration::ZERO));
    let over = signing(&caller, &ask(&caller, "AssumeRole", &role));
    let refused = caller.emr_as("ListClusters", json!({}), &over).expect("a reply");
    assert_eq!(json_of(&refused)["__type"], "ExpiredTokenException");
}

#[test]
fn what_sts_refuses() {
    let caller = Caller::new(Script::default());
    let code = |action: &str, more: &str| {
        let (status, body) = said(&ask(&caller, action, more));
        (status, text(&body, "Code").unwrap_or_default())
    };
    let validation = (400, "ValidationError".to_owned());
    let role = format!("&RoleArn={ROLE}");
    assert_eq!(code("AssumeRole", &role), validation);
    assert_eq!(code("AssumeRole", &format!("{role}&RoleSessionName=a%20b")), validation);
    assert_eq!(code("AssumeRole", "&RoleArn=x&RoleSessionName=ab"), validation);
    let short = format!("{role}&RoleSessionName=ab&DurationSeconds=60");
    assert_eq!(code("AssumeRole", &short), validation);
    assert_eq!(code("GetFederationToken", ""), (400, "InvalidAction".to_owned()));
    caller.fake.world(|world| world.denied.insert("AssumeRole".to_owned()));
    let good = format!("{role}&RoleSessionName=ab");
    assert_eq!(code("AssumeRole", &good), (403, "AccessDenied".to_owned()));
    caller.fake.forget_key(&caller.signing("sts").id);
    assert_eq!(code("GetCallerIdentity", ""), (403, "InvalidClientTokenId".to_owned()));
}

#[test]
fn who_am_i() {
    let caller = Caller::new(Script::default());
    let (status, body) = said(&ask(&caller, "GetCallerIdentity", ""));
    assert_eq!((status, text(&body, "Account").as_deref()), (200, Some("123456789012")));
}

#[test]
fn a_web_identity_needs_no_signature() {
    let caller = Caller::new(Script::default());
    let body = format!(
        "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn={ROLE}&RoleSessionName=ab&WebIdentityToken=t"
    );
    let request = crate::http::Request {
        method: "POST",
        url: caller.fake.url() + "/",
        headers: vec![("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())],
        body: body.into_bytes(),
    };
    let reply = caller.client.send(&request, Duration::from_secs(60)).expect("a reply");
    assert_eq!(reply.status, 200);
    let listed = caller.emr_as("ListClusters", json!({}), &signing(&caller, &reply));
    assert_eq!(listed.expect("a reply").status, 200);
}
