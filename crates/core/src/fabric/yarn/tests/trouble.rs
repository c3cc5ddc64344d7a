//! Who does not answer, stands by, or wants to know who asks.

use super::*;
use crate::base64;
use crate::fabric::yarn::fake::{Access, Fault, Refusal, Role, StepScript};

fn asked_of(there: &There, role: Role) -> usize {
    there.fake.requests().iter().filter(|logged| logged.role == role).count()
}

#[test]
fn the_active_one_of_several_is_found_and_followed() {
    let there = There::new(Script { managers: 2, name_nodes: 2, ..Script::default() });
    there.fake.activate_manager(Some(1));
    there.fake.activate_name_node(Some(1));
    let id = there.start(1, &command("a"));
    let (before, names) = (asked_of(&there, Role::Manager(0)), asked_of(&there, Role::NameNode(0)));
    assert_eq!(there.later(5, &id).state, StepState::Running);
    there.pass(10);
    assert_eq!(there.yarn.logs(&there.home, &id).expect("it answers").len(), 2);
    let after = (asked_of(&there, Role::Manager(0)), asked_of(&there, Role::NameNode(0)));
    assert_eq!(after, (before, names), "who stands by is not asked again");
    // The other takes over.
    there.fake.activate_manager(Some(0));
    there.fake.activate_name_node(Some(0));
    assert_eq!(there.status(&id).state, StepState::Succeeded);
    assert_eq!(there.yarn.logs(&there.home, &id).expect("it answers").len(), 2);
    there.start(2, &command("b"));
}

#[test]
fn where_none_is_active_later_may_do() {
    let there = There::new(Script { managers: 2, ..Script::default() });
    let id = there.start(1, &command("a"));
    there.fake.activate_manager(None);
    let error = there.yarn.poll(&there.home, std::slice::from_ref(&id)).expect_err("nobody");
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert!(error.message.contains("stands by"), "{error}");
    let ids = there.reserve_of_nobody();
    assert_eq!(ids.kind, ErrorKind::Unavailable);
    there.fake.activate_manager(Some(1));
    assert_eq!(there.status(&id).state, StepState::Pending);
}

impl There {
    fn reserve_of_nobody(&self) -> Error {
        self.yarn.reserve(&self.home, 1).expect_err("nobody gives ids out")
    }
}

#[test]
fn one_that_is_not_there_is_passed_over() {
    let there = There::new(Script::default());
    let file = there.fake.cluster_file("");
    let yarn = fabric(
        &file.replace(r#""resourceManagers": ["#, r#""resourceManagers": ["http://127.0.0.1:1", "#),
    );
    assert_eq!(yarn.reserve(&there.home, 1).expect("it answers").len(), 1);
}

#[test]
fn kerberos_is_not_spoken() {
    let there = There::new(Script { access: Access::Kerberos, ..Script::default() });
    let error = there.reserve_of_nobody();
    assert_eq!(error.kind, ErrorKind::Auth);
    assert!(error.message.contains("wants Kerberos") && error.message.contains("Knox"), "{error}");
}

/// The gateway is told who asks; a node, to which it sends, is not.
#[test]
fn credentials_go_to_configured_hosts_alone() {
    let basic = format!("Basic {}", base64::encode(b"etl:the-password"));
    for (access, credentials) in [
        (basic.as_str(), r#"{"user": "etl", "password": "the-password"}"#),
        ("Bearer the-token", r#"{"token": "the-token"}"#),
    ] {
        let script = Script { access: Access::Gateway(access.to_owned()), ..Script::default() };
        let script = script.step("a", StepScript::exits(0, 5));
        let there = There::with(script, &format!(r#", "credentials": {credentials}"#));
        let id = there.start(1, &command("a"));
        assert_eq!(there.later(3, &id).state, StepState::Running);
        for seconds in [0, 10] {
            there.pass(seconds);
            for file in there.yarn.logs(&there.home, &id).expect("it answers") {
                there.yarn.read(&file, 0).expect("it answers");
            }
        }
        let to_nodes = asked_of(&there, Role::Node);
        assert!(to_nodes >= 4, "{to_nodes}");
        for logged in there.fake.requests() {
            assert!(!logged.request.query().contains("user.name"), "{}", logged.request.target);
        }
    }
}

#[test]
fn credentials_are_in_no_message() {
    let script = Script { access: Access::Gateway("Bearer other".to_owned()), ..Script::default() };
    let there = There::with(script, r#", "credentials": {"token": "the-token"}"#);
    let error = there.reserve_of_nobody();
    assert_eq!((error.kind, error.message.contains("the-token")), (ErrorKind::Auth, false));
    for status in [400, 401, 403, 404] {
        let refusal = Refusal::new(status, "Exception", "no Bearer the-token here");
        there.fake.fail("*", .., Fault::Refuse(refusal));
        let error = there.reserve_of_nobody();
        assert!(!error.message.contains("the-token"), "{status}: {error}");
    }
}

#[test]
fn what_is_said_is_told() {
    let there = There::new(Script::default());
    there.reserve(1);
    for (status, kind) in [
        (400, ErrorKind::Config),
        (401, ErrorKind::Auth),
        (403, ErrorKind::Auth),
        (404, ErrorKind::NotFound),
        (409, ErrorKind::Conflict),
    ] {
        let refusal = Refusal::new(status, "SomeException", "java.lang.Exception: because");
        there.fake.fail("new-application", .., Fault::Refuse(refusal));
        let error = there.reserve_of_nobody();
        assert_eq!((error.kind, error.message.as_str()), (kind, "because"), "{status}");
    }
    let silent = Refusal::new(403, "SomeException", "");
    there.fake.fail("new-application", .., Fault::Refuse(silent));
    let said = "it answers `SomeException` with status 403";
    assert_eq!(there.reserve_of_nobody().message, said);
    there.fake.fail("new-application", .., Fault::Page(404));
    assert_eq!(there.reserve_of_nobody().message, "it answers with status 404");
    for body in ["{", "", "[]", "<html>", r#"{"application-id": 7}"#] {
        there.fake.fail("new-application", .., Fault::Body(body));
        let error = there.reserve_of_nobody();
        assert_eq!((error.kind, error.effect), (ErrorKind::Protocol, Effect::None), "{body}");
    }
    there.fake.heal();
    let next = there.fake.calls("new-application") + 1;
    there.fake.fail("new-application", next..=next, Fault::Page(502));
    there.reserve(1);
}
