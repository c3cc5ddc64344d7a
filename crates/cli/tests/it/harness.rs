//! Runs the program with an environment, a home and a folder of its own.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A folder of files to run the program in.
pub(crate) struct Place {
    folder: tempfile::TempDir,
}

/// How a run of the program ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) code: Option<i32>,
}

impl Place {
    /// An empty folder, with a home beside it.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::create_dir(folder.path().join("home")).expect("a home");
        std::fs::create_dir(folder.path().join("here")).expect("a folder");
        Self { folder }
    }

    /// With a file in it, or in a folder of it. Where there is a recorder, endpoints on this machine that it names are
    /// reached through that, as those of [`recorded`]; where tokens come from is not.
    pub(crate) fn with(self, name: &str, text: impl AsRef<[u8]>) -> Self {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        match std::str::from_utf8(text.as_ref()) {
            Ok(text) if recorder().is_some() => {
                let [here, named] =
                    ["127.0.0.1", "fake.test"].map(|host| format!("ndpoint\": \"http://{host}:"));
                std::fs::write(path, text.replace(&here, &named))
            }
            _ => std::fs::write(path, text),
        }
        .expect("a file");
        self
    }

    /// Another with copies of its files, and nothing in its home.
    pub(crate) fn twin(&self) -> Self {
        let files = std::fs::read_dir(self.path("")).expect("a folder");
        files.map(|file| file.expect("a file").path()).fold(Self::new(), |twin, file| {
            let name = file.file_name().expect("a name").to_string_lossy().into_owned();
            twin.with(&name, std::fs::read(file).expect("a file"))
        })
    }

    /// A path in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("here").join(name)
    }

    /// Where runs are recorded unless somebody says otherwise.
    pub(crate) fn state(&self) -> PathBuf {
        self.folder.path().join("home/.local/state/dataflow-runner")
    }

    /// The program with arguments, about to be run here.
    pub(crate) fn command<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(program());
        command
            .args(args)
            .env_clear()
            .env("HOME", self.folder.path().join("home"))
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("TZ", "UTC")
            .current_dir(self.folder.path().join("here"))
            .stdin(Stdio::null());
        if let Some(proxy) = recorder() {
            command.env("HTTP_PROXY", proxy);
        }
        command
    }

    /// Runs the program.
    pub(crate) fn run<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Ran {
        Ran::from(self.command(args).output().expect("the program starts"))
    }

    /// Starts a run of one step, and waits until that runs: the process that drives it, and what `status` tells.
    #[cfg(target_os = "linux")]
    pub(crate) fn driven<S: AsRef<OsStr>>(
        &self,
        args: impl IntoIterator<Item = S>,
    ) -> (std::process::Child, serde_json::Value) {
        let mut child = self.command(args).stderr(Stdio::null()).spawn().expect("it starts");
        loop {
            let told = serde_json::from_str(&self.words("status --json").stdout).ok();
            let told =
                told.filter(|told: &serde_json::Value| told["steps"][0]["nativeId"].is_string());
            if let Some(told) = told {
                return (child, told);
            }
            assert_eq!(child.try_wait().expect("its state"), None, "it ended");
            std::thread::yield_now();
        }
    }

    /// Runs the program with arguments that have no spaces in them.
    pub(crate) fn words(&self, line: &str) -> Ran {
        self.run(line.split_whitespace())
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("it prints UTF-8");
        Self {
            stdout: text(output.stdout),
            stderr: text(output.stderr),
            code: output.status.code(),
        }
    }
}

impl Ran {
    /// Of a program whose reader goes away before it prints anything.
    pub(crate) fn unread(command: &mut Command) -> Self {
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        drop(child.stdout.take());
        Self::from(child.wait_with_output().expect("it ends"))
    }

    /// The messages of logfmt lines, with their levels.
    pub(crate) fn messages(&self) -> Vec<&str> {
        self.stderr.lines().filter_map(|line| line.split_once(" level=")).map(|(_, m)| m).collect()
    }
}

/// The proxy through which everything goes that the program sends, where the ring of real tools records it
/// (`tests/real/emr/contract.py`).
#[expect(clippy::disallowed_methods, reason = "set by whoever runs the tests, not by a test")]
pub(crate) fn recorder() -> Option<OsString> {
    std::env::var_os("DATAFLOW_RUNNER_TEST_PROXY")
}

/// The address of a server on this machine by a name, where there is a recorder: an address of this machine never
/// goes through a proxy, and to the recorder every name in `.test` is this machine.
pub(crate) fn recorded(url: &str) -> String {
    match recorder() {
        Some(_) => url.replace("//127.0.0.1:", "//fake.test:"),
        None => url.to_owned(),
    }
}

/// The built program.
pub(crate) fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_dataflow-runner"))
}

/// A cluster file of fabric `local`, with `more` in its data.
pub(crate) fn cluster(more: &str) -> String {
    file("LocalClusterConfig/avro/1-0-0", &format!(r#"{{"name": "here"{more}}}"#))
}

/// A playbook of these steps.
pub(crate) fn playbook(steps: &str) -> String {
    file("PlaybookConfig/avro/2-0-0", &format!(r#"{{"name": "demo", "steps": [{steps}]}}"#))
}

/// A playbook of 0.7.x with one step, which says hello.
pub(crate) fn playbook_1(action: &str) -> String {
    let step = format!(
        r#"{{"type": "CUSTOM_JAR", "name": "say", "actionOnFailure": {action}, "jar": "command-runner.jar", "arguments": ["echo", "hello"]}}"#
    );
    let keys = r#""accessKeyId": "env", "secretAccessKey": "env""#;
    let data =
        format!(r#"{{"region": "eu-west-1", "credentials": {{{keys}}}, "steps": [{step}]}}"#);
    file("PlaybookConfig/avro/1-0-1", &data)
}

fn file(schema: &str, data: &str) -> String {
    let schema = format!("iglu:com.snowplowanalytics.dataflowrunner/{schema}");
    format!("{{\"schema\": \"{schema}\",\n \"data\": {data}}}")
}

/// A step that runs a script of the shell; `more` goes into the step.
pub(crate) fn script(id: &str, script: &str, more: &str) -> String {
    let script = serde_json::Value::from(script);
    format!(
        r#"{{"id": "{id}", "type": "COMMAND", "command": "sh", "arguments": ["-c", {script}]{more}}}"#
    )
}

/// A playbook of 0.7.x with these steps.
pub(crate) fn emr_playbook(names: &[&str], action: &str) -> String {
    let step = |name: &&str| {
        format!(
            r#"{{"type": "CUSTOM_JAR", "name": "{name}", "actionOnFailure": "{action}", "jar": "command-runner.jar", "arguments": ["spark-submit", "s3://b/{name}.jar"]}}"#
        )
    };
    let steps: Vec<_> = names.iter().map(step).collect();
    let keys = r#""accessKeyId": "env", "secretAccessKey": "env""#;
    let data = format!(
        r#"{{"region": "eu-west-1", "credentials": {{{keys}}}, "steps": [{}], "tags": []}}"#,
        steps.join(", ")
    );
    file("PlaybookConfig/avro/1-0-1", &data)
}

/// A cluster file for EMR.
pub(crate) fn emr_cluster() -> String {
    let instances = r#""master": {"type": "m4.large"}, "core": {"type": "m4.large", "count": 1}, "task": {"type": "m4.large", "count": 0, "bid": ""}"#;
    let data = format!(
        r#"{{"name": "c", "logUri": "s3://l/", "region": "eu-west-1", "credentials": {{"accessKeyId": "env", "secretAccessKey": "env"}}, "roles": {{"jobflow": "j", "service": "s"}}, "ec2": {{"amiVersion": "6.15.0", "keyName": "k", "location": {{"vpc": {{"subnetId": "subnet-1"}}}}, "instances": {{{instances}}}}}, "tags": [], "bootstrapActionConfigs": [], "configurations": [], "applications": ["Hadoop"], "securityConfiguration": ""}}"#
    );
    file("ClusterConfig/avro/1-1-0", &data)
}
