//! What finds the fabric again.

use super::*;
use crate::secret::Secret;

#[test]
fn there_and_back() {
    let there = There::with(
        Script { managers: 2, ..Script::default() },
        r#", "stagingFolder": "/apps/x", "authorities": "ca.pem""#,
    );
    let told = there.yarn.reach();
    let reached = Config::reached(&told, None).expect("it is reached");
    assert_eq!(Yarn::new(reached.clone(), client()).reach(), told);
    assert_eq!(reached.cluster(), there.home);
    assert_eq!(reached.resource_managers, there.fake.managers());
    assert_eq!(reached.staging, "/apps/x");
    assert!(reached.authorities.is_some_and(|path| path.ends_with("ca.pem")));
}

fn client() -> Arc<Client> {
    Arc::new(Client::new(&Arc::new(Environment::default()), Arc::new(Bell::new())).expect("one"))
}

/// A run that is driven by its journal alone: its steps can be looked at, stopped and read.
#[test]
fn by_a_journal_alone_steps_are_looked_at_and_stopped() {
    let there = There::new(Script::default().step("a", fake::StepScript::never_ends()));
    let id = there.start(2, &command("a"));
    let reached = Config::reached(&there.yarn.reach(), None).expect("it is reached");
    let other = Yarn::new(reached, client());
    there.pass(5);
    let ids = std::slice::from_ref(&id);
    let state = |seconds| {
        there.pass(seconds);
        other.poll(&there.home, ids).expect("it answers").remove(0).1.state
    };
    assert_eq!(state(0), StepState::Running);
    assert_eq!(other.logs(&there.home, &id).expect("it answers").len(), 2);
    other.cancel(&there.home, ids).expect("it is asked");
    assert_eq!(state(5), StepState::Cancelled);
}

#[test]
fn what_is_missing_or_makes_no_sense_is_told() {
    let there = There::new(Script::default());
    let told = there.yarn.reach();
    for key in ["name", "resourceManagers", "webHdfs", "user", "stagingFolder"] {
        let mut less = told.clone();
        less.remove(key);
        let fault = Config::reached(&less, None).expect_err(key);
        assert_eq!(fault.code, "journal-reach", "{key}");
    }
    for (key, value) in [("resourceManagers", ""), ("webHdfs", "ftp://x"), ("webHdfs", "x")] {
        let mut odd = told.clone();
        odd.insert(key.to_owned(), value.to_owned());
        assert_eq!(Config::reached(&odd, None).expect_err(key).code, "journal-reach");
    }
}

#[test]
fn credentials_are_not_kept() {
    let more = r#", "credentials": {"token": "a-secret-token"}"#;
    let there = There::with(Script::default(), more);
    let told = there.yarn.reach();
    assert!(told.values().all(|value| !value.contains("a-secret-token")), "{told:?}");
    let fault = Config::reached(&told, None).expect_err("nobody has them");
    assert_eq!(fault.code, "credentials-not-kept");
    let token = Credentials::Token(Secret::new("a-secret-token"));
    let reached = Config::reached(&told, Some(token.clone())).expect("here they are");
    assert_eq!(reached.credentials, Some(token));
    assert!(!format!("{:?} {:?}", there.yarn, reached).contains("a-secret-token"));
}
