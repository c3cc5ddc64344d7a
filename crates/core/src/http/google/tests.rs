//! A bench on which one server is everybody who gives tokens.

use std::cell::Cell;
use std::sync::MutexGuard;

use serde_json::{Value, json};

use super::*;
use crate::base64;
use crate::bell::Bell;
use crate::http::fake::{Answer, Received, Server};

mod claims;
mod external;
mod files;
mod impersonation;
mod machine;
mod places;
mod renewal;

thread_local! {
    /// The clock of the test that runs on this thread.
    static NOW: Cell<Timestamp> = const { Cell::new(Timestamp::constant(1_700_000_000, 0)) };
}

fn now() -> Timestamp {
    NOW.get()
}

fn turn(seconds: i64) {
    NOW.set(NOW.get() + SignedDuration::from_secs(seconds));
}

type Handler = Box<dyn Fn(&Received, usize) -> Answer + Send + Sync>;

/// A server, all it was asked, and a home.
struct Bench {
    server: Server,
    home: tempfile::TempDir,
    seen: Arc<Mutex<Vec<Received>>>,
}

impl Bench {
    fn new(handler: impl Fn(&Received, usize) -> Answer + Send + Sync + 'static) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let handler: Handler = Box::new(handler);
        let server = Server::start({
            let seen = Arc::clone(&seen);
            move |received| {
                let count = {
                    let mut seen: MutexGuard<'_, Vec<Received>> = lock(&seen);
                    seen.push(received.clone());
                    seen.len()
                };
                handler(received, count)
            }
        });
        let home = tempfile::tempdir().expect("has a folder");
        Self { server: server.expect("starts"), home, seen }
    }

    fn seen(&self) -> Vec<Received> {
        lock(&self.seen).clone()
    }

    fn forms(&self) -> Vec<Vec<(String, String)>> {
        self.seen().iter().map(pairs).collect()
    }

    /// With `{}` for the server.
    fn text(&self, value: &Value) -> String {
        value.to_string().replace("{}", &self.server.url())
    }

    fn file(&self, name: &str, value: &Value) -> PathBuf {
        let path = self.home.path().join(name);
        std::fs::create_dir_all(path.parent().expect("is in a folder")).expect("makes it");
        std::fs::write(&path, self.text(value)).expect("writes");
        path
    }

    fn environment(&self, variables: &[(&str, &str)]) -> Arc<Environment> {
        let mut all = vec![
            ("HOME".to_owned(), self.home.path().to_str().expect("is text").to_owned()),
            ("GCE_METADATA_HOST".to_owned(), self.server.address().to_string()),
        ];
        let own = |(name, value): &(&str, &str)| {
            ((*name).to_owned(), value.replace("{}", &self.server.url()))
        };
        all.extend(variables.iter().map(own));
        Arc::new(all.into_iter().collect())
    }

    fn settings(&self, source: Source, variables: &[(&str, &str)]) -> Settings {
        let environment = self.environment(variables);
        let client = Client::new(&environment, Arc::new(Bell::new())).expect("makes sense");
        let client = Arc::new(client);
        Settings { source, impersonate: None, quota_project: None, environment, client }
    }

    fn json(&self, value: &Value) -> Source {
        Source::Json(Secret::new(self.text(value)))
    }

    fn credentials(
        &self,
        source: Source,
        variables: &[(&str, &str)],
    ) -> Result<Credentials, Error> {
        made(self.settings(source, variables))
    }

    /// The token of a file.
    fn token(&self, file: &Value) -> Result<String, Error> {
        self.credentials(self.json(file), &[]).and_then(|it| bearer(&it))
    }
}

fn made(settings: Settings) -> Result<Credentials, Error> {
    Credentials::with_time(settings, Time::new("Google", SKEW).by(now))
}

fn request() -> Request {
    Request {
        method: "GET",
        url: "https://dataproc.googleapis.com/".to_owned(),
        headers: vec![("authorization".to_owned(), "of somebody else".to_owned())],
        body: Vec::new(),
    }
}

/// The token that requests get.
fn bearer(credentials: &Credentials) -> Result<String, Error> {
    let mut request = request();
    credentials.authorize(&mut request)?;
    let mut found = request.headers.iter().filter(|(name, _)| name == "authorization");
    let (_, value) = found.next().expect("has the header");
    assert_eq!(found.next(), None);
    Ok(value.strip_prefix("Bearer ").expect("is a bearer's").to_owned())
}

fn answer(status: u16, body: &Value) -> Answer {
    Answer::new(status, "application/json; charset=utf-8", body.to_string())
}

/// An answer as token endpoints give it.
fn granted(token: &str) -> Answer {
    answer(200, &json!({ "access_token": token, "expires_in": 3599, "token_type": "Bearer" }))
}

fn nobody(received: &Received, _: usize) -> Answer {
    panic!("nobody was to be asked {received:?}")
}

/// The form in a body.
fn pairs(received: &Received) -> Vec<(String, String)> {
    let text = received.text();
    let pair = |it: &str| {
        let (name, value) = it.split_once('=').unwrap_or((it, ""));
        (name.to_owned(), crate::http::encode::decode(value))
    };
    text.split('&').filter(|it| !it.is_empty()).map(pair).collect()
}

fn field<'a>(form: &'a [(String, String)], name: &str) -> &'a str {
    let found = form.iter().find(|(known, _)| known == name);
    found.map_or("", |(_, value)| value)
}

/// A key made for these tests, which is good for nothing else: PKCS #8, without the lines around it.
const KEY: &str = include_str!("tests/key.b64");

fn der() -> Vec<u8> {
    base64::decode(&KEY.replace('\n', "")).expect("is base64")
}

fn pem(label: &str, text: &str) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", text.trim())
}

const EMAIL: &str = "runner@my-project.iam.gserviceaccount.com";

fn service_account() -> Value {
    json!({
        "type": "service_account",
        "project_id": "my-project",
        "private_key_id": "key-1",
        "private_key": pem("PRIVATE KEY", KEY),
        "client_email": EMAIL,
        "client_id": "123",
        "token_uri": "{}/token",
    })
}

fn user() -> Value {
    json!({
        "type": "authorized_user",
        "client_id": "client-1",
        "client_secret": "hunter-client",
        "refresh_token": "hunter-refresh",
        "token_uri": "{}/token",
    })
}

const AUDIENCE: &str =
    "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q";

fn external(source: Value) -> Value {
    json!({
        "type": "external_account",
        "audience": AUDIENCE,
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": "{}/sts",
        "credential_source": source,
    })
}

/// The same with another value in it, or without it for null.
fn with(mut file: Value, name: &str, value: Value) -> Value {
    let all = file.as_object_mut().expect("is an object");
    all.remove(name);
    if !value.is_null() {
        all.insert(name.to_owned(), value);
    }
    file
}
