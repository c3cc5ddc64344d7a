//! The metadata server.

use super::*;

const TOKEN: &str = "/computeMetadata/v1/instance/service-accounts/default/token?scopes=https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fcloud-platform";

fn flavored(answer: Answer) -> Answer {
    let Answer::Reply(mut reply) = answer else { return answer };
    reply.headers.push(("metadata-flavor".to_owned(), "Google".to_owned()));
    Answer::Reply(reply)
}

fn text(status: u16, text: &str) -> Answer {
    flavored(Answer::new(status, "application/text", text))
}

fn metadata(received: &Received, _: usize) -> Answer {
    assert_eq!(received.header("metadata-flavor"), Some("Google"));
    match received.target.as_str() {
        TOKEN => flavored(granted("T")),
        "/computeMetadata/v1/" => text(200, "instance/\nproject/"),
        "/computeMetadata/v1/project/project-id" => text(200, "of-the-machine\n"),
        "/computeMetadata/v1/universe/universe-domain" => text(200, "cloud.example"),
        _ => text(404, "Not Found"),
    }
}

#[test]
fn the_machine_has_a_service_account() {
    let bench = Bench::new(metadata);
    for source in [Source::Default, Source::Metadata] {
        let credentials = bench.credentials(source, &[]).expect("makes sense");
        assert_eq!(bearer(&credentials).expect("is granted"), "T");
        assert_eq!(credentials.source(), "metadata server");
        for _ in 0..2 {
            let project = credentials.project().expect("is told");
            assert_eq!(project.as_deref(), Some("of-the-machine"));
            assert_eq!(credentials.universe_domain().expect("is told"), "cloud.example");
        }
    }
    // Each is asked once, after a look whether somebody is there.
    assert_eq!(bench.seen().len(), 2 * 6);
}

#[test]
fn the_project_that_is_named_counts_first() {
    let bench = Bench::new(nobody);
    let named = [("GOOGLE_CLOUD_PROJECT", "named")];
    let credentials = bench.credentials(Source::Metadata, &named).expect("makes sense");
    assert_eq!(credentials.project().expect("is named").as_deref(), Some("named"));
}

#[test]
fn old_servers_do_not_know_of_universes() {
    let bench = Bench::new(|_, _| text(404, ""));
    let credentials = bench.credentials(Source::Metadata, &[]).expect("makes sense");
    assert_eq!(credentials.universe_domain().expect("is known"), "googleapis.com");
    assert_eq!(credentials.project().expect("is not known"), None);
}

#[test]
fn universes_that_are_none_or_another_one() {
    let bench = Bench::new(|_, _| text(200, "a/b.c"));
    let credentials = bench.credentials(Source::Metadata, &[]).expect("makes sense");
    assert_eq!(credentials.universe_domain().expect_err("is none").kind, Kind::Malformed);
    let bench = Bench::new(metadata);
    let named = [("GOOGLE_CLOUD_UNIVERSE_DOMAIN", "googleapis.com")];
    let credentials = bench.credentials(Source::Metadata, &named).expect("makes sense");
    let error = credentials.universe_domain().expect_err("is another one");
    assert!(error.message.contains("`cloud.example`"), "{error}");
}

#[test]
fn a_machine_without_a_service_account_says_so() {
    let bench = Bench::new(|received, count| match received.target.as_str() {
        TOKEN => text(404, "Not Found"),
        _ => metadata(received, count),
    });
    for source in [Source::Default, Source::Metadata] {
        let credentials = bench.credentials(source, &[]).expect("makes sense");
        let error = bearer(&credentials).expect_err("has none");
        assert_eq!(error.kind, Kind::Missing);
        assert!(error.message.contains("the machine has no service account"), "{error}");
    }
}

#[test]
fn whoever_else_answers_is_not_believed() {
    let bench = Bench::new(|_, _| granted("of-somebody-else"));
    for (source, kind) in [(Source::Default, Kind::Missing), (Source::Metadata, Kind::Malformed)] {
        let credentials = bench.credentials(source, &[]).expect("makes sense");
        let error = bearer(&credentials).expect_err("is not believed");
        assert_eq!(error.kind, kind);
        assert!(error.message.contains("Metadata-Flavor: Google"), "{error}");
    }
    // Also if only the token comes from somebody else.
    let bench = Bench::new(|received, count| match received.target.as_str() {
        TOKEN => granted("of-somebody-else"),
        _ => metadata(received, count),
    });
    let credentials = bench.credentials(Source::Metadata, &[]).expect("makes sense");
    let error = bearer(&credentials).expect_err("is not believed");
    assert_eq!(error.kind, Kind::Malformed);
    assert!(error.message.contains("Metadata-Flavor: Google"), "{error}");
}
