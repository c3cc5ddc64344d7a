//! What service accounts claim.

use ring::signature::{KeyPair, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};

use super::*;

/// Header and claims of a token that our key has signed.
fn verified(token: &str) -> [Value; 2] {
    let data = |part: &str| {
        let text = part.replace('-', "+").replace('_', "/");
        let padded = format!("{text}{}", "=".repeat((4 - text.len() % 4) % 4));
        base64::decode(&padded).expect("is base64")
    };
    let (text, signature) = token.rsplit_once('.').expect("has three parts");
    let pair = RsaKeyPair::from_pkcs8(&der()).expect("is a key");
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key().as_ref());
    public.verify(text.as_bytes(), &data(signature)).expect("is signed with the key");
    let (header, claims) = text.split_once('.').expect("has three parts");
    [header, claims].map(|part| serde_json::from_slice(&data(part)).expect("is JSON"))
}

#[test]
fn a_signed_claim_is_exchanged_for_a_token() {
    let bench = Bench::new(|_, _| granted("T"));
    let credentials = bench.credentials(bench.json(&service_account()), &[]).expect("makes sense");
    assert_eq!(credentials.source(), "service account");
    assert_eq!(bearer(&credentials).expect("is granted"), "T");
    let seen = bench.seen();
    assert_eq!((seen[0].method.as_str(), seen[0].target.as_str()), ("POST", "/token"));
    assert_eq!(seen[0].header("content-type"), Some("application/x-www-form-urlencoded"));
    let form = pairs(&seen[0]);
    assert_eq!(field(&form, "grant_type"), "urn:ietf:params:oauth:grant-type:jwt-bearer");
    let [header, claims] = verified(field(&form, "assertion"));
    assert_eq!(header, json!({ "alg": "RS256", "typ": "JWT", "kid": "key-1" }));
    let expected = json!({
        "iss": EMAIL,
        "scope": "https://www.googleapis.com/auth/cloud-platform",
        "aud": format!("{}/token", bench.server.url()),
        "iat": 1_700_000_000,
        "exp": 1_700_003_600,
    });
    assert_eq!(claims, expected);
    assert_eq!(credentials.project().expect("is written").as_deref(), Some("my-project"));
    assert_eq!(credentials.universe_domain().expect("is known"), "googleapis.com");
    assert_eq!(credentials.quota_project(), None);
}

#[test]
fn old_tools_write_keys_in_another_way() {
    let bench = Bench::new(|_, _| granted("T"));
    // What PKCS #8 wraps is PKCS #1.
    let old = pem("RSA PRIVATE KEY", &base64::encode(&der()[26..]));
    let file = with(service_account(), "private_key", old.into());
    assert_eq!(bench.token(&file).expect("is granted"), "T");
    verified(field(&bench.forms()[0], "assertion"));
}

#[test]
fn in_other_universes_the_claim_is_the_token() {
    let bench = Bench::new(nobody);
    let file = with(service_account(), "universe_domain", "cloud.example".into());
    let credentials = bench.credentials(bench.json(&file), &[]).expect("makes sense");
    let [_, claims] = verified(&bearer(&credentials).expect("is signed"));
    let expected = json!({
        "iss": EMAIL,
        "sub": EMAIL,
        "scope": "https://www.googleapis.com/auth/cloud-platform",
        "iat": 1_700_000_000,
        "exp": 1_700_003_600,
    });
    assert_eq!(claims, expected);
    assert_eq!(credentials.universe_domain().expect("is written"), "cloud.example");
    turn(3600 - 200);
    let [_, claims] = verified(&bearer(&credentials).expect("is signed"));
    assert_eq!(claims["iat"], 1_700_003_400);
}

fn wrong_times(date: &str) -> Answer {
    let body = json!({
        "error": "invalid_grant",
        "error_description": "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. \
                              Check your iat and exp values in the JWT claim.",
    });
    let Answer::Reply(mut reply) = answer(400, &body) else { unreachable!("is a reply") };
    reply.headers.push(("date".to_owned(), date.to_owned()));
    Answer::Reply(reply)
}

/// 1700000000 is 22:13:20.
#[test]
fn a_wrong_clock_is_corrected_once() {
    let bench = Bench::new(|_, count| match count {
        1 => wrong_times("Tue, 14 Nov 2023 22:43:20 GMT"),
        _ => granted("T"),
    });
    let credentials = bench.credentials(bench.json(&service_account()), &[]).expect("makes sense");
    assert_eq!(bearer(&credentials).expect("is granted"), "T");
    let [_, claims] = verified(field(&bench.forms()[1], "assertion"));
    assert_eq!(claims["iat"], 1_700_001_800);
    let notes = credentials.take_notes();
    assert!(notes[0].starts_with("this machine's clock is 30 minutes behind Google"), "{notes:?}");
    assert!(credentials.take_notes().is_empty());
    // A server that stays so is told about, not asked for ever.
    let bench = Bench::new(|_, count| match count {
        1 => wrong_times("Tue, 14 Nov 2023 22:43:20 GMT"),
        _ => wrong_times("Tue, 14 Nov 2023 20:00:00 GMT"),
    });
    let error = bench.token(&service_account()).expect_err("is refused");
    assert_eq!((error.kind, bench.seen().len()), (Kind::Refused, 2));
    // A clock that is right is no explanation.
    let bench = Bench::new(|_, _| wrong_times("Tue, 14 Nov 2023 22:13:25 GMT"));
    let error = bench.token(&service_account()).expect_err("is refused");
    assert_eq!((error.kind, bench.seen().len()), (Kind::Refused, 1));
    assert!(error.message.contains("a new key is needed"), "{error}");
    assert!(error.message.contains(EMAIL), "{error}");
}
