//! A place with a canary behind every door, and who looks for them afterwards.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, LazyLock, Mutex};

use dataflow_runner_core::http::fake::{Answer, Received, Server};

use super::net::{Net, canary};
use crate::harness::{Place, Ran, playbook};

/// The doors by which secrets come in, other than variables.
const SECRETS: [&str; 15] = [
    "systemEnv",
    "base64File",
    "literal password",
    "key id",
    "key",
    "session token",
    "profile key",
    "container token",
    "container key",
    "instance key",
    "Consul token",
    "Consul password",
    "Sentry key",
    "proxy password",
    "URL password",
];

/// Those of variables.
const VARIABLES: [&str; 4] = ["var", "vars", "vars-file", "var-env"];

/// What stands in a file of the user's, under a name that tells of no secret.
const LITERAL: &str = "literal";

/// What is given to a step: secrets and variables as they are, and made into something else.
pub(super) const ARGUMENTS: &str = r#""{{systemEnv "CANARY"}}", "{{systemEnv "CANARY" | printf "%s-y"}}",
 "{{systemEnv "CANARY" | printf "%x"}}", "{{base64 (systemEnv "CANARY")}}", "{{base64File "secret"}}",
 "{{.of_var}}", "--day={{.of_vars}}", "{{print .of_file "x"}}", "{{.of_env}}", "{{.of_var}}{{systemEnv "CANARY"}}",
 "{{range $i, $c := .of_list}}{{$c}}{{end}}""#;

/// What may be found in a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum May {
    /// No canary.
    Nothing,
    /// Values of variables.
    Variables,
    /// All of them.
    All,
}

/// A place, its environment, and a Sentry.
pub(super) struct World {
    pub(super) place: Place,
    environment: Vec<(OsString, OsString)>,
    /// Flags that give values to variables, and a Sentry to errors.
    flags: Vec<String>,
    told: Arc<Mutex<Vec<Received>>>,
    _sentry: Server,
}

static SECRET_NET: LazyLock<Net> = LazyLock::new(|| Net::of(&SECRETS));
static VARIABLE_NET: LazyLock<Net> = LazyLock::new(|| Net::of(&VARIABLES));
static LITERAL_NET: LazyLock<Net> = LazyLock::new(|| Net::of(&[LITERAL]));

impl World {
    /// With these steps in `p.json`, and a cluster file of fabric `local`.
    pub(super) fn new(steps: &[String]) -> Self {
        Self::with(&playbook(&steps.join(",")), &cluster())
    }

    /// With these files as `p.json` and `c.json`.
    pub(super) fn with(playbook: &str, cluster: &str) -> Self {
        let place = Place::new()
            .with("p.json", playbook)
            .with("c.json", cluster)
            .with("secret", canary("base64File"))
            .with(
                "vars.json",
                format!(r#"{{"of_file": "{0}", "of_list": ["{0}"]}}"#, canary("vars-file")),
            );
        let told = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&told);
        let sentry = Server::start(move |request: &Received| {
            kept.lock().expect("nobody panicked").push(request.clone());
            Answer::new(200, "application/json", r#"{"id": "1"}"#)
        });
        let sentry = sentry.expect("a port");
        let flags = [
            format!("--sentry=http://{}@{}/1", canary("Sentry key"), sentry.address()),
            format!("--var=of_var={}", canary("var")),
            format!("--vars=of_vars,{}", canary("vars")),
            "--vars-file=vars.json".to_owned(),
            "--var-env=of_env=CANARY_OF_VARIABLE".to_owned(),
        ];
        let nowhere = format!("http://user:{}@127.0.0.1:1", canary("proxy password"));
        let environment = [
            ("CANARY", canary("systemEnv")),
            ("CANARY_OF_VARIABLE", canary("var-env")),
            ("AWS_ACCESS_KEY_ID", canary("key id")),
            ("AWS_SECRET_ACCESS_KEY", canary("key")),
            ("AWS_SESSION_TOKEN", canary("session token")),
            ("AWS_CONTAINER_AUTHORIZATION_TOKEN", canary("container token")),
            ("CONSUL_HTTP_TOKEN", canary("Consul token")),
            ("CONSUL_HTTP_AUTH", format!("user:{}", canary("Consul password"))),
            ("HTTPS_PROXY", nowhere.clone()),
            ("HTTP_PROXY", nowhere),
            ("RUST_BACKTRACE", "1".to_owned()),
        ];
        Self {
            place,
            environment: environment.map(|(name, value)| (name.into(), value.into())).to_vec(),
            flags: flags.to_vec(),
            told,
            _sentry: sentry,
        }
    }

    /// With another environment variable, or another value of it.
    pub(super) fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// The program, about to be run, with the variables of the world if it takes any.
    pub(super) fn command(&self, line: &str) -> Command {
        let words = line.split(' ').map(ToOwned::to_owned);
        let verb = line.split(' ').next().unwrap_or_default();
        let flags: &[String] = match verb {
            "up" | "run" | "down" | "run-transient" => &self.flags,
            "lint" | "render" | "plan" => &self.flags[1..],
            "attach" | "resume" | "cancel" => &self.flags[..1],
            _ => &[],
        };
        let mut command = self.place.command(words.chain(flags.iter().cloned()));
        command.envs(self.environment.iter().cloned());
        command
    }

    /// Runs it, and looks for canaries everywhere.
    pub(super) fn run(&self, line: &str, code: i32) -> Ran {
        self.ran(line, self.command(line), code, May::Nothing)
    }

    /// The same for a command that may print some.
    pub(super) fn printing(&self, line: &str, may: May) -> Ran {
        self.ran(line, self.command(line), 0, may)
    }

    /// Runs a command, and looks for canaries everywhere.
    pub(super) fn ran(&self, line: &str, command: Command, code: i32, may: May) -> Ran {
        let ran = self.tell(command);
        assert_eq!(ran.code, Some(code), "{line}: {}\n{}", ran.stderr, ran.stdout);
        self.look(line, &ran, may);
        ran
    }

    /// Runs a command.
    pub(super) fn tell(&self, mut command: Command) -> Ran {
        Ran::from(command.output().expect("it starts"))
    }

    /// Looks for canaries everywhere; `may` be on stdout.
    pub(super) fn look(&self, line: &str, ran: &Ran, may: May) {
        self.clean(&format!("{line}: stdout"), ran.stdout.as_bytes(), may);
        self.clean(&format!("{line}: stderr"), ran.stderr.as_bytes(), May::Nothing);
        assert!(!ran.stderr.contains("panicked"), "{line}: {}", ran.stderr);
        self.files(line, &self.place.state());
        for request in self.told.lock().expect("nobody panicked").drain(..) {
            // Its key is there to be told to it.
            let mut said = format!("{} {}", request.target, request.text());
            for (name, value) in &request.headers {
                if name != "x-sentry-auth" {
                    said.push_str(value);
                }
            }
            self.clean(&format!("{line}: Sentry"), said.as_bytes(), May::Nothing);
        }
    }

    fn files(&self, line: &str, folder: &Path) {
        let Ok(entries) = std::fs::read_dir(folder) else { return };
        for entry in entries {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            self.clean(&format!("{line}: the name of {name}"), name.as_bytes(), May::Nothing);
            if path.is_dir() {
                self.files(line, &path);
                continue;
            }
            let text = std::fs::read(&path).unwrap_or_default();
            if name == "inputs.json" {
                self.inputs(line, &text);
            } else {
                self.clean(&format!("{line}: {}", path.display()), &text, May::Nothing);
            }
        }
    }

    /// The one file that has values of variables, but for those that the environment gives, and literal text.
    fn inputs(&self, line: &str, text: &[u8]) {
        let mut caught = SECRET_NET.catch(text);
        let variables = VARIABLE_NET.catch(text);
        caught.extend(variables.into_iter().filter(|door| door.starts_with("var-env")));
        assert_eq!(caught, BTreeSet::new(), "{line}: inputs.json: {}", shown(text));
    }

    /// Fails if there is a canary in a text.
    pub(super) fn clean(&self, what: &str, text: &[u8], may: May) {
        let mut caught = BTreeSet::new();
        if may != May::All {
            caught.extend(SECRET_NET.catch(text));
            caught.extend(LITERAL_NET.catch(text));
        }
        if may == May::Nothing {
            caught.extend(VARIABLE_NET.catch(text));
        }
        assert_eq!(caught, BTreeSet::new(), "{what}: {}", shown(text));
    }

    /// Whether a text has a canary of these doors in it, so that looking for them makes sense.
    pub(super) fn has(&self, text: &[u8], doors: &[&str]) -> bool {
        let mut caught = SECRET_NET.catch(text);
        caught.extend(VARIABLE_NET.catch(text));
        caught.extend(LITERAL_NET.catch(text));
        doors.iter().all(|door| caught.iter().any(|one| one.starts_with(&format!("{door} ("))))
    }
}

fn shown(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

/// A step that does this with all of [`ARGUMENTS`].
pub(super) fn step(id: &str, body: &str) -> String {
    let body = serde_json::Value::from(body);
    format!(
        r#"{{"id": "{id}", "type": "COMMAND", "command": "sh", "arguments": ["-c", {body}, {ARGUMENTS}]}}"#
    )
}

/// A cluster file of fabric `local` whose steps are given secrets by their environment.
pub(super) fn cluster() -> String {
    let (password, literal) = (canary("literal password"), canary(LITERAL));
    let environment = format!(
        "{{\"DB_PASSWORD\": \"{password}\",\n\"PLAIN\": \"{literal}\",\n\"OF_ENV\": \"{{{{systemEnv \"CANARY\"}}}}\", \
         \"OF_VARIABLE\": \"{{{{.of_var}}}}\"}}"
    );
    crate::harness::cluster(&format!(",\n\"killAfterSeconds\": 1, \"environment\": {environment}"))
}
