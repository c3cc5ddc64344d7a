use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::sync::{Arc, Barrier};

use jiff::Zoned;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::config::playbook::Playbook;
use crate::config::{self, Config};
use crate::document::Document;
use crate::source::Source;
use crate::template::{Inputs as Given, Limits, Template};

/// Inputs with nothing in them.
fn empty() -> Inputs {
    let at = "2026-11-22T10:15:00.123456789Z".parse().expect("an instant");
    let started = Started::of(&Zoned::new(at, TimeZone::UTC));
    Inputs {
        version: VERSION,
        started,
        config: None,
        playbook: None,
        variables: BTreeMap::new(),
        environment: BTreeMap::new(),
        secrets: BTreeMap::new(),
    }
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

/// What a file says, with these variables, and with `pass` for every name in the environment.
fn load(text: &str, variables: &BTreeMap<String, Value>, pass: &str) -> (Arc<Source>, Config) {
    let source = Arc::new(Source::new("f.json", text));
    let variables = variables.iter().map(|(name, it)| (name.as_str(), it.clone().into())).collect();
    let given = Given {
        variables: &variables,
        now: &|| empty().started.again(TimeZone::UTC),
        env: &|_| Some(OsString::from(pass)),
        read: &|_| Ok(pass.into()),
        limits: Limits::default(),
    };
    let rendered = Template::parse(&source).and_then(|template| template.render(&given));
    let rendered = rendered.unwrap_or_else(|error| panic!("{error}"));
    let document = Document::of(rendered);
    let (config, faults) = config::load(&document.expect("UTF-8"));
    let faults: Vec<_> = faults.sorted().iter().map(ToString::to_string).collect();
    (source, config.unwrap_or_else(|| panic!("{faults:#?}")))
}

fn kept(text: &str, pass: &str) -> Kept {
    let variables = BTreeMap::from([("p".to_owned(), json!(true)), ("k".to_owned(), json!(pass))]);
    let (source, config) = load(text, &variables, pass);
    Kept::of(&source, config.credentials(), Some(Path::new("/here")))
}

/// A playbook 1-*-* that says this of its credentials, and this before all else.
fn of_1(before: &str, credentials: &str) -> String {
    let step = r#"{"type": "CUSTOM_JAR", "name": "s", "actionOnFailure": "CONTINUE", "jar": "x", "arguments": []}"#;
    format!(
        r#"{before}{{"schema": "iglu:com.snowplowanalytics.dataflowrunner/PlaybookConfig/avro/1-0-1",
 "data": {{"region": "eu-west-1", "credentials": {{ {credentials} }}, "steps": [{step}], "tags": []}}}}"#
    )
}

/// The steps of a playbook 2-0-0: `a` with these arguments, and `b`.
fn steps(arguments: &str, pass: &str) -> Vec<Step> {
    let text = format!(
        r#"{{"schema": "iglu:com.snowplowanalytics.dataflowrunner/PlaybookConfig/avro/2-0-0", "data": {{"name": "n", "steps": [
{{"id": "a", "type": "COMMAND", "command": "x", "arguments": [{arguments}]}},
{{"id": "b", "type": "SPARK", "jar": "x", "properties": {{"k": "v{{{{systemEnv "B"}}}}"}}}},
{{"id": "c", "type": "COMMAND", "command": "x"}}]}}}}"#
    );
    let Config::Playbook(Playbook { steps, .. }) = load(&text, &BTreeMap::new(), pass).1 else {
        panic!("a playbook")
    };
    steps
}

const SECRET: &str = r#""{{systemEnv "A"}}""#;

#[test]
fn what_is_written_is_read_and_may_be_replaced() {
    let folder = folder();
    let mut inputs = empty();
    inputs.playbook = Some(kept(&of_1("", r#""accessKeyId": "a", "secretAccessKey": "b""#), ""));
    inputs.variables.insert("v".to_owned(), json!({"a": [1, 2.5, null]}));
    inputs.environment.insert("e".to_owned(), "ENV".to_owned());
    inputs.secrets.insert("s".to_owned(), "00".to_owned());
    for _ in 0..2 {
        inputs.write(folder.path()).expect("written");
        assert_eq!(Inputs::read(folder.path()).expect("read"), inputs);
        inputs.variables.clear();
    }
    let names: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|it| it.unwrap().file_name()).collect();
    assert_eq!(names, [FILE], "nothing else is left");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(folder.path().join(FILE)).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    forget(folder.path()).expect("removed");
    forget(folder.path()).expect("nothing to do");
    assert!(Inputs::read(folder.path()).is_err_and(|error| error.is_missing()));
}

#[test]
fn what_cannot_be_written_leaves_what_was_there() {
    let folder = folder();
    let inputs = empty();
    inputs.write(folder.path()).expect("written");
    // The name of the file that is not whole yet is taken.
    fs::create_dir(folder.path().join(PART)).expect("a folder");
    let error = Inputs { version: 0, ..empty() }.write(folder.path()).expect_err("in the way");
    assert!(error.to_string().starts_with("cannot write `"), "{error}");
    assert_eq!(Inputs::read(folder.path()).expect("read"), inputs);
}

#[test]
fn what_cannot_be_read_is_told_without_quoting_it() {
    let folder = folder();
    let said = |text: &str| {
        fs::write(folder.path().join(FILE), text).expect("written");
        let error = Inputs::read(folder.path()).expect_err("no inputs");
        assert!(!error.is_missing());
        format!("{error} {error:?}")
    };
    assert!(said(r#"{"version": 2, "new": {}}"#).contains("version 2, this program reads up to 1"));
    for wrong in [
        r#"{"version": "hunter2"}"#,
        r#"{"version": 1, "started": "hunter2"}"#,
        r#"{"version": 1, "hunter2"#,
        "hunter2",
    ] {
        let said = said(wrong);
        assert!(said.contains("is damaged at line 1, column "), "{said}");
        assert!(!said.contains("hunter"), "{said}");
    }
}

#[test]
fn what_is_shown_has_no_values_in_it() {
    let mut inputs = empty();
    inputs.variables.insert("name".to_owned(), json!("hunter2"));
    inputs.playbook =
        Some(kept(&of_1("{{/* hunter2 */}}", r#"{{.p}}"#).replace("{{.p}}", KEYS), ""));
    let shown = format!("{inputs:?}");
    assert!(shown.contains("name") && shown.contains("f.json") && !shown.contains("hunter2"));
}

const KEYS: &str = r#""accessKeyId": "env", "secretAccessKey": "env""#;

/// What nobody is to find.
const CANARY: &str = "CANARYcanaryCANARY00";

#[test]
fn no_literal_credential_is_kept_however_it_is_written() {
    let constant = r#"{{$k := "HERE"}}"#;
    let comment = r#"{{/* "secretAccessKey": "HERE" */}}"#;
    for (before, credentials) in [
        ("", r#""accessKeyId": "HERE", "secretAccessKey": "HERE""#),
        ("", r#""AccessKeyID": "x", "secretaccesskey":"HERE""#),
        ("", "\"accessKeyId\"\n:\n\"HERE\", \"secretAccessKey\": \"{{.k}}\""),
        // Equal keys, of which the last one counts.
        ("", r#""accessKeyId": "HERE", "accessKeyId": "env", "secretAccessKey": "env""#),
        // Branches that are taken, and that are not.
        (
            "",
            r#""accessKeyId": "{{if .p}}x{{else}}HERE{{end}}", "secretAccessKey": "{{if .p}}HERE{{else}}y{{end}}""#,
        ),
        (
            "",
            r#"{{if .p}}"accessKeyId": "env", "secretAccessKey": "env"{{else}}"accessKeyId": "HERE", "secretAccessKey": "HERE"{{end}}"#,
        ),
        (
            "",
            r#""accessKeyId": {{if .p}}"x"{{else}}"HERE"{{end}}, "secretAccessKey": {{if .p}}"HERE"{{else}}"y"{{end}}"#,
        ),
        // Between actions.
        ("", r#""accessKeyId": "{{.p}}HERE{{.p}}", "secretAccessKey": "HERE{{.k}}HERE""#),
        // A constant of the template, and the same value in a comment.
        (r#"{{$secret := "HERE"}}"#, KEYS),
        (constant, r#""accessKeyId": "{{$k}}", "secretAccessKey": "{{$k}}""#),
        (comment, KEYS),
        // Keys that are computed, or escaped: only what was read tells that these are credentials.
        ("", r#""{{"accessKey"}}{{"Id"}}": "HERE", "\u0073ecretAcces\u0073Key": "HERE""#),
        // The same of a word that is too short to be looked for elsewhere.
        ("", r#""access\u004beyId": "sh0rt", "secretAccessKey": "HERE""#),
        ("", r#""access\u004beyId": "{{.p}}sh0rt", "secretAccessKey": "HERE""#),
        // Keys of others.
        ("", &format!(r#"{KEYS}, "x": {{"fs.s3a.secret.key": "HERE", "DB_PASSWORD": "HERE"}}"#)),
    ] {
        let text = of_1(before, credentials).replace("HERE", CANARY);
        assert!(text.contains(CANARY), "{text}");
        let kept = kept(&text, "of-the-environment");
        let json = serde_json::to_string(&kept).expect("JSON");
        assert!(!json.contains(CANARY) && !json.contains("sh0rt"), "{text}\n{json}");
        assert!(json.contains(PLACEHOLDER));
        assert_eq!(kept.whole(), None);
        assert!(kept.is_of(&text));
        assert!(!kept.is_of(&json) && !kept.is_of(""), "{text}");
    }
}

#[test]
fn what_is_no_literal_credential_is_kept() {
    for credentials in [
        KEYS,
        r#""accessKeyId": "iam", "secretAccessKey": "iam""#,
        r#""accessKeyId": "default", "secretAccessKey": "default""#,
        r#""accessKeyId": "{{if .p}}env{{else}}iam{{end}}", "secretAccessKey": {{if .p}}"env"{{else}}"iam"{{end}}"#,
        r#""accessKeyId": "{{systemEnv "ID"}}", "secretAccessKey":"{{.k}}""#,
        r#""accessKeyId": {{printf "%q" .k}}, "secretAccessKey": "{{base64File "key"}}""#,
        &format!(r#"{KEYS}, "maxTokens": 5, "keyName": "k", "url": "http://u:p@h/""#),
    ] {
        let text = of_1("", credentials);
        assert_eq!(kept(&text, "canary").whole(), Some(&*text), "{text}");
    }
}

#[test]
fn a_file_is_known_again_if_only_its_credentials_changed() {
    let text = |id: &str, key: &str, region: &str| {
        let text = of_1("", &format!(r#""accessKeyId": "{id}", "secretAccessKey": "{key}""#));
        text.replace("eu-west-1", region)
    };
    let kept = kept(&text("AKIA1", "abcd", "eu-west-1"), "");
    assert!(kept.is_of(&text("AKIA1", "abcd", "eu-west-1")));
    assert!(kept.is_of(&text("AKIA2", "efgh", "eu-west-1")), "they are changed now and then");
    for (id, key, region) in
        [("AKIA", "abcd", "eu-west-1"), ("AKIA1", "añd", "eu-west-2"), ("ñññ", "abcd", "eu-west-1")]
    {
        assert!(!kept.is_of(&text(id, key, region)), "{id} {key} {region}");
    }
}

#[test]
fn a_file_is_named_as_it_was_from_the_same_folder_only() {
    let named = |name: &str, here: Option<&str>| {
        Kept::of(&Source::new(name, ""), None, here.map(Path::new))
    };
    let path = |kept: Kept, here: &str| kept.path(Some(Path::new(here)));
    assert_eq!(path(named("b/p.json", Some("/x")), "/x"), Path::new("b/p.json"));
    assert_eq!(path(named("b/p.json", Some("/x")), "/y"), Path::new("/x/b/p.json"));
    assert_eq!(path(named("/p.json", Some("/x")), "/y"), Path::new("/p.json"));
    assert_eq!(path(named("p.json", None), "/y"), Path::new("p.json"));
    assert_eq!(named("p.json", Some("/x")).path(None), Path::new("/x/p.json"));
}

#[test]
fn a_changed_secret_is_noticed_and_nothing_else_is() {
    let state = folder();
    let changed = |inputs: &Inputs, steps: &[Step]| {
        inputs.changed_secrets(steps, state.path()).expect("the key is there")
    };
    let mut inputs = empty();
    inputs.key_secrets(&steps(SECRET, "hunter2"), state.path()).expect("keyed");
    assert_eq!(inputs.secrets.keys().collect::<Vec<_>>(), ["a", "b"], "`c` has none");
    assert!(inputs.secrets.values().all(|digest| digest.len() == 64));
    assert_ne!(inputs.secrets["a"], inputs.secrets["b"], "equal secrets cannot be told");
    assert_eq!(changed(&inputs, &steps(SECRET, "hunter2")), [""; 0]);
    assert_eq!(changed(&inputs, &steps(SECRET, "hunter3")), ["a", "b"]);
    let more = format!(r#"{SECRET}, "more""#);
    assert_eq!(changed(&inputs, &steps(&more, "hunter2")), [""; 0], "that is no secret");
    assert_eq!(changed(&inputs, &steps("", "hunter2")), [""; 0], "it has none any more");
    let moved = format!(r#""", {SECRET}"#);
    assert_eq!(changed(&inputs, &steps(&moved, "hunter2")), ["a"]);

    let again = inputs.secrets.clone();
    inputs.key_secrets(&steps(SECRET, "hunter2"), state.path()).expect("keyed");
    assert_eq!(inputs.secrets, again, "the key stays");
    fs::remove_file(state.path().join("key")).expect("it was made");
    let error = inputs.changed_secrets(&steps(SECRET, "hunter2"), state.path());
    assert!(error.is_err_and(|error| error.to_string().ends_with("key` is gone")));
    assert!(!state.path().join("key").exists());
    inputs.key_secrets(&steps(SECRET, "hunter2"), state.path()).expect("keyed");
    assert_ne!(inputs.secrets, again, "another key");
}

#[test]
fn there_is_no_key_where_there_are_no_secrets() {
    let state = folder();
    let (steps, mut inputs) = (steps("", "hunter2"), empty());
    let (plain, secret) = (&steps[2..], &steps[1..]);
    inputs.key_secrets(plain, state.path()).expect("nothing to do");
    assert!(inputs.secrets.is_empty() && !state.path().join("key").exists());
    assert!(inputs.changed_secrets(secret, state.path()).is_ok_and(|changed| changed.is_empty()));
}

#[test]
fn all_who_need_a_key_at_once_agree_on_one() {
    for _ in 0..10 {
        let state = folder();
        let start = Barrier::new(8);
        let made = || {
            start.wait();
            let mut inputs = empty();
            inputs.key_secrets(&steps(SECRET, "hunter2"), state.path()).expect("keyed");
            inputs.secrets
        };
        let all: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(made)).collect();
            threads.into_iter().map(|thread| thread.join().expect("ends")).collect()
        });
        assert!(all.iter().all(|one| *one == all[0]), "{all:#?}");
    }
}

#[test]
fn a_key_is_its_owners_alone_and_whole() {
    let state = folder();
    let path = state.path().join("key");
    let keyed = || {
        let mut inputs = empty();
        inputs.key_secrets(&steps(SECRET, "hunter2"), state.path()).map(|()| inputs.secrets)
    };
    let first = keyed().expect("keyed");
    let key = fs::read(&path).expect("a key");
    assert_eq!(key.len(), 32);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(&path).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    // Its maker died.
    fs::write(&path, &key[..31]).expect("written");
    assert_ne!(keyed().expect("keyed"), first);
    assert_eq!(fs::read(&path).expect("a key").len(), 32);
    fs::write(&path, [&*key, b"x"].concat()).expect("written");
    let error = keyed().expect_err("not of ours").to_string();
    assert!(error.ends_with("key` is no key: remove it, and another is made"), "{error}");
}

/// Any JSON.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    /// Numbers, above all: one that is not the same to the last bit is another text.
    #[test]
    fn variables_are_the_same_again(value in value(), name: String, text: String) {
        let mut inputs = empty();
        inputs.variables.insert(name.clone(), value);
        inputs.environment.insert(name, text.clone());
        inputs.config = Some(Kept::of(&Source::new(text.clone(), text), None, None));
        let kept = serde_json::to_vec(&inputs).expect("JSON");
        let again: Inputs = serde_json::from_slice(&kept).expect("itself");
        prop_assert_eq!(&again, &inputs);
        let printed = |inputs: &Inputs| {
            let values = inputs.variables.values();
            values.map(|value| value.to_string()).collect::<Vec<_>>()
        };
        prop_assert_eq!(printed(&again), printed(&inputs), "also the sign of nothing");
    }

    /// Whatever is cut out of whatever text: its own text is known again, and no other.
    #[test]
    fn a_text_is_known_again(
        parts in prop::collection::vec(
            prop_oneof![
                Just("\"secretAccessKey\": \"".to_owned()),
                Just("{{".to_owned()),
                Just("}}".to_owned()),
                Just("\\".to_owned()),
                Just("\"".to_owned()),
                Just("ñ".to_owned()),
                "[a-z:,'\n ]{0,4}",
            ],
            0..12,
        ),
        other: String,
    ) {
        let text = parts.concat();
        let kept = Kept::of(&Source::new("f", text.clone()), None, None);
        prop_assert!(kept.is_of(&text));
        let longer = format!("{text}{other}");
        prop_assert_eq!(kept.is_of(&longer), other.is_empty());
        let longer = format!("{other}{text}");
        if kept.whole().is_some() {
            prop_assert_eq!(kept.is_of(&longer), other.is_empty());
        }
    }
}
