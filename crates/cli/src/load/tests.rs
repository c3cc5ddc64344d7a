//! Files that are loaded again from what was kept of them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use dataflow_runner_core::inputs::Inputs;
use jiff::Zoned;
use jiff::tz::TimeZone;

use super::again::{Again, Instead};
use super::{Around, Loader};
use crate::args;
use crate::target::Target;

const STEP: &str = r#"{"type": "CUSTOM_JAR", "name": "s", "actionOnFailure": "CONTINUE", "jar": "./x.jar", "arguments": ["{{.v}}"]}"#;

/// Two folders with a state folder beside them: one that the files are in, and one to look at them from.
struct Site(tempfile::TempDir);

impl Site {
    fn new() -> Self {
        let site = Self(tempfile::tempdir().expect("a folder"));
        for folder in ["here", "there", "state", "here/books"] {
            std::fs::create_dir(site.path(folder)).expect("a folder");
        }
        site
    }

    fn with(self, name: &str, text: &str) -> Self {
        std::fs::write(self.path(name), text).expect("written");
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn around(&self, folder: &str, env: fn(&str) -> Option<OsString>) -> Around {
        Around { env, here: Some(self.path(folder)) }
    }

    /// A loader as the command line makes it in the folder of the files.
    fn first(&self, args: &args::Variables, zone: TimeZone) -> Loader {
        let at: jiff::Timestamp = "2026-07-22T10:15:00.123456789Z".parse().expect("an instant");
        Loader::begun(args, Box::new(move || Zoned::new(at, zone)), self.around("here", env))
            .unwrap_or_else(|usage| panic!("{}", usage.text()))
    }

    /// The same from what it keeps, in another folder.
    fn again(&self, inputs: &Inputs, more: &args::Variables) -> Again {
        let instead = Instead { config: None, playbook: None, variables: more };
        again(inputs, &instead, self.around("there", env))
    }
}

fn again(inputs: &Inputs, instead: &Instead<'_>, around: Around) -> Again {
    // By way of the disk.
    let folder = tempfile::tempdir().expect("a folder");
    inputs.write(folder.path()).expect("written");
    let inputs = Inputs::read(folder.path()).expect("read");
    Loader::again_in(&inputs, instead, around).unwrap_or_else(|usage| panic!("{}", usage.text()))
}

fn env(name: &str) -> Option<OsString> {
    (name != "UNSET").then(|| format!("{name} of the environment").into())
}

fn playbook(steps: &str) -> String {
    let schema = "iglu:com.snowplowanalytics.dataflowrunner/PlaybookConfig/avro/2-0-0";
    format!(r#"{{"schema": "{schema}", "data": {{"name": "n", "steps": [{steps}]}}}}"#)
}

fn playbook_1(credentials: &str) -> String {
    let schema = "iglu:com.snowplowanalytics.dataflowrunner/PlaybookConfig/avro/1-0-1";
    format!(
        r#"{{"schema": "{schema}", "data": {{"region": "eu-west-1", "credentials": {{ {credentials} }}, "tags": [], "steps": [{STEP}]}}}}"#
    )
}

fn variables(file: &Path, var: &[&str], var_env: &[&str]) -> args::Variables {
    let words = |words: &[&str]| words.iter().map(ToString::to_string).collect();
    args::Variables {
        vars_file: file.exists().then(|| file.to_owned()),
        vars: Some("plain,1,both,2".to_owned()),
        var: words(var),
        var_env: words(var_env),
    }
}

fn said(loader: &mut Loader) -> Vec<String> {
    loader.faults().sorted().iter().map(ToString::to_string).collect()
}

/// The digests of all steps, and that nothing was wrong.
fn digests(loader: &mut Loader, playbook: &Path) -> Vec<String> {
    let plan = loader.plan(playbook);
    assert_eq!(said(loader), [""; 0]);
    plan.expect("a plan").steps().iter().map(|step| step.digest()).collect()
}

#[test]
fn what_is_loaded_again_says_the_same() {
    let arguments = [
        r#""{{.plain}} {{.both}} {{.v}} {{.e}} {{.list}} {{.map}} {{.tiny}} {{.big}} {{.none}}""#,
        r#""{{nowWithFormat "2006-01-02T15:04:05.999999999Z07:00 MST"}}""#,
        r#""{{timeWithFormat .winter "2006-01-02T15:04:05Z07:00 MST"}}""#,
        r#""--password {{systemEnv "PASS"}} {{base64File "pass"}} {{base64File "books/pass"}}""#,
        r#""{{range $k, $v := .map}}{{$k}}={{printf "%v" $v}} {{end}}""#,
    ];
    let file = r#"{"list": [1, -0.0, "ñ", null, true], "map": {"b": 1e300, "a": 18446744073709551615}, "tiny": 7.96026449149973e-309, "big": 0.1e-6, "none": null, "winter": "1768000000", "plain": "file"}"#;
    let step = |n, argument| {
        format!(
            r#"{{"id": "s{n}", "type": "SPARK", "jar": "./x.jar", "arguments": [{argument}], "properties": {{"day": "{{{{nowWithFormat "2006-01-02"}}}}"}}}}"#
        )
    };
    let steps: Vec<_> = arguments.iter().enumerate().map(|(n, it)| step(n, it)).collect();
    let site = Site::new()
        .with("here/vars.json", file)
        .with("here/pass", "one")
        .with("here/books/pass", "two")
        .with("here/books/p.json", &playbook(&steps.join(",")));
    let given = variables(&site.path("here/vars.json"), &["both=3", "v=x y"], &["e=ENV"]);
    let zones = [
        TimeZone::UTC,
        TimeZone::get("America/St_Johns").expect("a zone"),
        TimeZone::posix("EST5EDT,M3.2.0,M11.1.0").expect("a zone"),
    ];
    let path = Path::new("books/p.json");
    let mut all = Vec::new();
    for zone in zones {
        let named = zone.iana_name().is_some();
        let mut loader = site.first(&given, zone);
        let first = digests(&mut loader, path);
        let mut inputs = loader.inputs(None, Some(path));
        assert_eq!(inputs.environment["e"], "ENV");
        let steps = loader.plan(path).expect("a plan");
        inputs.key_secrets(steps.steps(), &site.path("state")).expect("keyed");

        let mut again = site.again(&inputs, &args::Variables::default());
        let playbook = again.playbook.expect("the playbook");
        assert_eq!((again.config, &playbook), (None, &site.path("here/books/p.json")));
        let mut second = digests(&mut again.loader, &playbook);
        if !named {
            // A moment of the other half of the year needs the rules of the zone.
            second[2].clone_from(&first[2]);
        }
        assert_eq!(second, first);
        let steps = again.loader.plan(&playbook).expect("a plan");
        let changed = inputs.changed_secrets(steps.steps(), &site.path("state"));
        assert_eq!(changed.expect("the key is there"), [""; 0]);
        // And the third time.
        inputs.secrets.clear();
        assert_eq!(again.loader.inputs(None, Some(&playbook)), inputs);
        all.push(first);
    }
    // The times are all told, in their zones.
    assert!((0..3).all(|zone| all[zone][1] != all[(zone + 1) % 3][1]));
    assert!((0..3).all(|zone| all[zone][3] == all[0][3]), "secrets count as their origin");
}

#[test]
fn the_copy_counts_and_not_what_became_of_the_file() {
    let site = Site::new()
        .with("here/p.json", &playbook(r#"{"id": "a", "type": "COMMAND", "command": "one"}"#))
        .with("here/c.json", &local("clusters"));
    let none = args::Variables::default();
    let (config, path) = (Path::new("c.json"), Path::new("p.json"));
    let mut loader = site.first(&none, TimeZone::UTC);
    assert!(loader.target(config).is_ok());
    let first = digests(&mut loader, path);
    let inputs = loader.inputs(Some(config), Some(path));
    std::fs::remove_file(site.path("here/p.json")).expect("removed");
    let site = site.with("here/c.json", "{").with("here/other.json", &playbook_1(ENV_KEYS));

    let mut again = site.again(&inputs, &none);
    let config = again.config.as_deref().expect("the cluster file");
    let Ok(Target::Local(config)) = again.loader.target(config) else { panic!("local") };
    // What lies beside the file is found from everywhere.
    assert_eq!(config.work_folder, Some(site.path("here/clusters")));
    assert_eq!(digests(&mut again.loader, &again.playbook.expect("the playbook")), first);

    let other = site.path("here/other.json");
    let more = variables(Path::new(""), &["v=1"], &[]);
    let instead = Instead { config: None, playbook: Some(&other), variables: &more };
    let mut again = self::again(&inputs, &instead, site.around("there", env));
    assert_eq!(again.playbook.as_deref(), Some(&*other));
    let plan = again.loader.plan(&other).expect("a plan");
    assert_eq!(plan.steps()[0].id, "step-1");
    let kept = again.loader.inputs(again.config.as_deref(), again.playbook.as_deref());
    assert_eq!(kept.config, inputs.config);
    assert_ne!(kept.playbook, inputs.playbook);
}

const ENV_KEYS: &str = r#""accessKeyId": "env", "secretAccessKey": "env""#;

fn local(work_folder: &str) -> String {
    let schema = "iglu:com.snowplowanalytics.dataflowrunner/LocalClusterConfig/avro/1-0-0";
    format!(r#"{{"schema": "{schema}", "data": {{"name": "c", "workFolder": "{work_folder}"}}}}"#)
}

#[test]
fn later_variables_win_and_those_of_the_environment_are_read_again() {
    let path = Path::new("p.json");
    let one = r#"{"id": "a", "type": "COMMAND", "command": "{{.v}} {{.e}} {{.plain}}"}"#;
    let site = Site::new().with("here/p.json", &playbook(one));
    let none = args::Variables::default();
    let given = variables(Path::new(""), &["v=1"], &["e=UNSET2"]);
    let mut loader = site.first(&given, TimeZone::UTC);
    let words = |loader: &mut Loader, path: &Path| {
        loader.plan(path).ok().map(|plan| plan.steps()[0].work.words().join(" "))
    };
    assert_eq!(words(&mut loader, path).as_deref(), Some("1 UNSET2 of the environment 1"));
    let inputs = loader.inputs(None, Some(path));
    let json = serde_json::to_string(&inputs).expect("JSON");
    assert!(!json.contains("of the environment"), "{json}");

    let mut again = site.again(&inputs, &none);
    let path = again.playbook.expect("the playbook");
    assert_eq!(words(&mut again.loader, &path).as_deref(), Some("1 UNSET2 of the environment 1"));
    let warned = said(&mut again.loader);
    assert_eq!(warned, [""; 0], "what is not used was told the first time");

    // One is of the environment now, and one is not any more.
    let more = args::Variables {
        var: vec!["e=3".to_owned()],
        var_env: vec!["v=V".to_owned()],
        ..Default::default()
    };
    let mut again = site.again(&inputs, &more);
    assert_eq!(words(&mut again.loader, &path).as_deref(), Some("V of the environment 3 1"));
    let kept = again.loader.inputs(None, Some(&path));
    assert_eq!(kept.environment.keys().collect::<Vec<_>>(), ["v"]);
    assert_eq!(kept.variables.keys().collect::<Vec<_>>(), ["both", "e", "plain"]);

    let nothing = |_: &str| None;
    let instead = Instead { config: None, playbook: None, variables: &none };
    let mut unset = self::again(&inputs, &instead, site.around("there", nothing));
    let said = said(&mut unset.loader);
    assert_eq!(
        said,
        [
            "error[environment-variable-not-set]: environment variable `UNSET2` is not set; `--var-env` takes the value of variable `e` from it"
        ]
    );
    // And it is not needed if it is given.
    let instead = Instead { variables: &variables(Path::new(""), &["e=1"], &[]), ..instead };
    let mut given = self::again(&inputs, &instead, site.around("there", nothing));
    assert_eq!(words(&mut given.loader, &path).as_deref(), Some("1 1 1"));
}

#[test]
fn faults_are_in_the_users_own_file() {
    let path = Path::new("p.json");
    let one = "\n  {\"id\": \"a\", \"type\": \"COMMAND\",\n  \"command\": \"{{.v}}\"}";
    let site = Site::new().with("here/p.json", &playbook(one));
    let mut loader = site.first(&variables(Path::new(""), &["v=1"], &[]), TimeZone::UTC);
    assert!(loader.plan(path).is_ok());
    let mut inputs = loader.inputs(None, Some(path));
    inputs.variables.remove("v");
    for (folder, name) in
        [("here", "p.json".to_owned()), ("there", site.path("here/p.json").display().to_string())]
    {
        let none = args::Variables::default();
        let instead = Instead { config: None, playbook: None, variables: &none };
        let mut again = self::again(&inputs, &instead, site.around(folder, env));
        assert!(again.loader.plan(&again.playbook.expect("the playbook")).is_err());
        let said = said(&mut again.loader);
        assert!(said[0].starts_with(&format!("{name}:3:17: ")), "{said:?}");
    }
}

#[test]
fn literal_credentials_come_from_the_file_itself() {
    let keys = r#""accessKeyId": "AKIACANARYCANARY", "secretAccessKey": "c/anary""#;
    let path = Path::new("p.json");
    let site = Site::new().with("here/p.json", &playbook_1(keys));
    let given = variables(Path::new(""), &["v=1"], &[]);
    let none = args::Variables::default();
    let mut loader = site.first(&given, TimeZone::UTC);
    let first = loader.plan(path).expect("a plan");
    let credentials =
        |plan: &super::Plan| plan.playbook().and_then(|it| it.emr.clone()).map(|it| it.credentials);
    let inputs = loader.inputs(None, Some(path));
    let json = serde_json::to_string(&inputs).expect("JSON");
    assert!(!json.contains("CANARY") && !json.contains("anary"), "{json}");

    let mut again = site.again(&inputs, &none);
    let path = again.playbook.expect("the playbook");
    let second = again.loader.plan(&path).expect("a plan");
    assert!(credentials(&second).is_some() && credentials(&second) == credentials(&first));
    assert_eq!(second.steps()[0].digest(), first.steps()[0].digest());
    let kept = again.loader.inputs(None, Some(&path));
    assert_eq!(kept, inputs);

    // Others of the same form.
    let site = site.with("here/p.json", &playbook_1(&keys.replace("CANARY", "PARROT")));
    let mut again = site.again(&inputs, &none);
    assert!(credentials(&again.loader.plan(&path).expect("a plan")) != credentials(&first));

    let site = site.with("here/p.json", &playbook_1(keys).replace("./x.jar", "./y.jar"));
    let refused = |folder: &str| {
        let instead = Instead { config: None, playbook: None, variables: &none };
        let mut again = self::again(&inputs, &instead, site.around(folder, env));
        assert!(again.loader.plan(&again.playbook.expect("the playbook")).is_err());
        said(&mut again.loader)
    };
    assert_eq!(
        refused("here"),
        [
            "error[credentials-not-kept]: the literal credentials of `p.json` are not kept with a run, and the file has changed since the run was started; put the file back as it was, or name another by --playbook"
        ]
    );
    std::fs::remove_file(site.path("here/p.json")).expect("removed");
    let said = refused("there");
    let name = site.path("here/p.json").display().to_string();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].contains(&format!(
            "`{name}` are not kept with a run, and the file cannot be read any more"
        )),
        "{said:?}"
    );
}

#[test]
fn what_is_sent_in_secret_is_hidden_in_the_words_of_others() {
    let yarn = r#""name": "y", "resourceManagers": ["https://h"], "webHdfs": ["https://h"], "credentials": {"user": "u", "password": "of-yarn"}"#;
    let dataproc = r#""name": "d", "project": "p-12345", "region": "us-central1", "credentials": {"token": "of-dataproc"}"#;
    let file = |schema: &str, data: &str| {
        format!(
            r#"{{"schema": "iglu:com.snowplowanalytics.dataflowrunner/{schema}/avro/1-0-0", "data": {{ {data} }}}}"#
        )
    };
    let keys = r#""accessKeyId": "AKIA", "secretAccessKey": "of-emr""#;
    let site = Site::new()
        .with("here/p.json", &playbook_1(keys))
        .with("here/y.json", &file("YarnClusterConfig", yarn))
        .with("here/d.json", &file("DataprocClusterConfig", dataproc));
    let mut loader = site.first(&variables(Path::new(""), &["v=1"], &[]), TimeZone::UTC);
    for name in ["p.json", "y.json", "d.json"] {
        assert!(loader.any(Path::new(name)).is_some(), "{:?}", said(&mut loader));
    }
    let hidden = loader.hidden();
    for (told, shown) in [
        ("of-emr", "‹secretAccessKey›"),
        ("of-yarn", "‹credentials›"),
        ("of-dataproc", "‹credentials›"),
        ("AWS_SECRET_ACCESS_KEY of the environment", "‹AWS_SECRET_ACCESS_KEY›"),
        ("AWS_SECRET_KEY of the environment", "‹AWS_SECRET_KEY›"),
        ("AWS_SESSION_TOKEN of the environment", "‹AWS_SESSION_TOKEN›"),
        ("CONSUL_HTTP_TOKEN of the environment", "‹CONSUL_HTTP_TOKEN›"),
    ] {
        assert_eq!(hidden.masked(told), shown);
    }
}

#[test]
fn the_program_has_a_folder_and_an_environment() {
    let none = args::Variables::default();
    let loader = Loader::new(&none).unwrap_or_else(|usage| panic!("{}", usage.text()));
    let inputs = loader.inputs(None, None);
    let instead = Instead { config: None, playbook: None, variables: &none };
    let again = Loader::again(&inputs, &instead).unwrap_or_else(|usage| panic!("{}", usage.text()));
    assert_eq!(again.loader.around.here, std::env::current_dir().ok());
    assert!((again.loader.around.env)("PATH").is_some());
    assert_eq!(again.loader.inputs(None, None), inputs);
}
