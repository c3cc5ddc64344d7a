//! Addresses with users and passwords in them, and those who hand out credentials.

use dataflow_runner_core::http::fake::{Answer, Received, Server};

use super::net::canary;
use super::world::{May, World, step};
use crate::harness::{emr_cluster, emr_playbook};

const LOCAL: &str = "run-transient --config c.json --playbook p.json";
const UP: &str = "up -emr-config c.json --lost-contact-after 0.1s --log-level debug";

/// A cluster file for EMR and an environment in which nothing of AWS is anywhere.
fn emr(word: &str) -> World {
    let playbook = emr_playbook(&["first"], "CONTINUE");
    let cluster = emr_cluster().replace("\"env\"", &format!("\"{word}\""));
    World::with(&playbook, &cluster)
        .env("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
        .env("AWS_EC2_METADATA_DISABLED", "true")
}

/// Who answers with all that it was asked, as this status.
fn echo(status: u16, content_type: &'static str) -> Server {
    let server = Server::start(move |request: &Received| {
        let headers: Vec<_> =
            request.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        let all = format!("{} {} {}", request.target, headers.join(" "), request.text());
        let body = match content_type {
            "application/x-amz-json-1.1" => {
                serde_json::json!({"__type": "ValidationException", "message": all}).to_string()
            }
            _ => all,
        };
        Answer::new(status, content_type, body)
    });
    server.expect("a port")
}

#[test]
fn whoever_answers_in_place_of_aws_with_what_it_was_asked() {
    for (status, content_type) in [
        (400, "application/x-amz-json-1.1"),
        (403, "text/plain"),
        (500, "application/x-amz-json-1.1"),
    ] {
        let server = echo(status, content_type);
        let world = emr("env").env("AWS_ENDPOINT_URL", server.url());
        let ran = world.tell(world.command(UP));
        assert!(matches!(ran.code, Some(4 | 5)), "{}", ran.stderr);
        assert!(server.accepted() > 0);
        world.look(&format!("{status} {content_type}"), &ran, May::Nothing);
    }
}

#[test]
fn addresses_of_aws() {
    let password = canary("URL password");
    let here = format!("http://user:{password}@127.0.0.1:1");
    for (variable, value) in [
        ("AWS_ENDPOINT_URL", here.clone()),
        ("AWS_ENDPOINT_URL_EMR", format!("https://{password}@h")),
        ("AWS_ENDPOINT_URL", format!("user:{password}")),
        ("AWS_ENDPOINT_URL", format!("http://h/?{password}")),
        ("HTTPS_PROXY", format!("ftp://user:{password}@h:x")),
        ("HTTP_PROXY", format!("http://user:{password}@h:99999999")),
        ("ALL_PROXY", format!("//{password}@")),
        ("https_proxy", format!("{password}@@:")),
    ] {
        let world = emr("env").env("HTTPS_PROXY", "").env("HTTP_PROXY", "").env(variable, &value);
        let ran = world.tell(world.command(UP));
        assert!(matches!(ran.code, Some(3 | 4)), "{value}: {}", ran.stderr);
        world.look(&value, &ran, May::Nothing);
    }
    for (word, variable, value, code) in [
        ("iam", "AWS_EC2_METADATA_SERVICE_ENDPOINT", here.clone(), 4),
        ("iam", "AWS_EC2_METADATA_SERVICE_ENDPOINT", format!("{password}@x y"), 4),
        ("default", "AWS_CONTAINER_CREDENTIALS_FULL_URI", here.clone(), 4),
        ("default", "AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("http://{password}@h/x"), 4),
        (
            "default",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            format!("https://u:{password}@127.0.0.1:1/"),
            4,
        ),
        ("default", "AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("x:{password}"), 4),
    ] {
        let world = without_keys(emr(word)).env(variable, &value);
        let ran = world.tell(world.command(UP));
        assert!(ran.code == Some(code) || ran.code == Some(3), "{value}: {}", ran.stderr);
        world.look(&value, &ran, May::Nothing);
    }
}

fn without_keys(world: World) -> World {
    world
        .env("AWS_EC2_METADATA_DISABLED", "false")
        .env("AWS_ACCESS_KEY_ID", "")
        .env("AWS_SECRET_ACCESS_KEY", "")
        .env("AWS_SESSION_TOKEN", "")
}

/// A proxy that wants none of it, and says why with the words of the request.
#[test]
fn proxies() {
    let server = echo(407, "text/plain");
    let proxy = format!("http://user:{}@{}", canary("proxy password"), server.address());
    for name in ["http://emr.test", "https://emr.test"] {
        let world = emr("env")
            .env("AWS_ENDPOINT_URL", name)
            .env("HTTP_PROXY", &proxy)
            .env("HTTPS_PROXY", &proxy);
        let ran = world.tell(world.command(UP));
        assert!(matches!(ran.code, Some(4 | 5)), "{}", ran.stderr);
        assert!(ran.stderr.contains("127.0.0.1"), "{}", ran.stderr);
        world.look(name, &ran, May::Nothing);
        let world = emr("env").env("AWS_ENDPOINT_URL", name);
        let ran = world.tell(world.command(UP));
        assert!(matches!(ran.code, Some(4 | 5)), "{}", ran.stderr);
        world.look("a proxy that is not there", &ran, May::Nothing);
    }
    assert!(server.accepted() > 1);
}

/// They are asked, and their keys are good for nobody.
#[test]
fn those_who_hand_out_credentials() {
    let answers =
        [
            |_: &Received| {
                serde_json::json!({
            "AccessKeyId": canary("instance key"), "SecretAccessKey": canary("container key"),
            "Token": canary("session token"), "Code": "Success",
        }).to_string()
            },
            |_: &Received| format!("{{\"SecretAccessKey\": \"{}\"", canary("container key")),
            |_: &Received| {
                serde_json::json!({
            "AccessKeyId": canary("instance key"), "SecretAccessKey": canary("container key"),
            "Expiration": canary("container key"),
        }).to_string()
            },
            |request: &Received| format!("{:?} {}", request.headers, canary("container key")),
        ];
    for answer in answers {
        let server = Server::start(move |request: &Received| {
            let body = match request.target.as_str() {
                "/latest/api/token" => canary("container token"),
                "/latest/meta-data/iam/security-credentials/" => "role".to_owned(),
                _ => answer(request),
            };
            Answer::new(200, "application/json", body)
        });
        let server = server.expect("a port");
        let refusing = echo(403, "text/plain");
        for (word, variable) in [
            ("iam", "AWS_EC2_METADATA_SERVICE_ENDPOINT"),
            ("default", "AWS_CONTAINER_CREDENTIALS_FULL_URI"),
        ] {
            let named = format!("http://user:{}@{}", canary("URL password"), refusing.address());
            for url in [server.url(), refusing.url(), named] {
                let world = without_keys(emr(word))
                    .env("AWS_ENDPOINT_URL", refusing.url())
                    .env(variable, &url);
                let ran = world.tell(world.command(UP));
                assert!(matches!(ran.code, Some(4 | 5)), "{}", ran.stderr);
                world.look(word, &ran, May::Nothing);
            }
        }
        assert!(server.accepted() > 1);
    }
}

#[test]
fn profiles_and_their_programs() {
    let key = canary("profile key");
    for text in [
        format!("[default]\naws_access_key_id = x\naws_secret_access_key {key}\n"),
        format!("[default]\naws_secret_access_key = {key}\n"),
        format!("[default]\ncredential_process = echo {key}; echo {key} >&2; exit 3\n"),
        format!(
            "[default]\ncredential_process = echo '{{\"Version\": 1, \"AccessKeyId\": \"{key}\"'\n"
        ),
        format!(
            "[default]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = none\nexternal_id = {key}\n"
        ),
        format!(
            "[default\naws_access_key_id = {key}\n[profile x]\naws_secret_access_key = {key}\n"
        ),
    ] {
        let world = without_keys(emr("default"));
        let path = world.place.path("credentials");
        std::fs::write(&path, &text).expect("a file");
        let world =
            world.env("AWS_EC2_METADATA_DISABLED", "true").env("AWS_SHARED_CREDENTIALS_FILE", path);
        let ran = world.tell(world.command(UP));
        assert!(matches!(ran.code, Some(3 | 4)), "{text}: {}", ran.stderr);
        world.look(&text, &ran, May::Nothing);
    }
}

#[test]
fn addresses_of_consul() {
    let password = canary("URL password");
    let world = World::new(&[step("a", "true")]);
    let refusing = [
        (403, "text/plain"),
        (500, "text/plain"),
        (404, "text/plain"),
        (301, "text/plain"),
        (200, "text/plain"),
    ]
    .map(|(status, kind)| echo(status, kind));
    let wrong = [
        format!("http://user:{password}@127.0.0.1:1"),
        format!("user:{password}@127.0.0.1:1"),
        format!("https://{password}@"),
        format!("127.0.0.1:{password}"),
        format!("unix://{password}"),
        format!("{password}://h"),
        format!("h/{password}?x"),
        "127.0.0.1:1".to_owned(),
    ];
    let all = wrong.into_iter().chain(refusing.iter().map(|server| server.address().to_string()));
    // All at once: some wait for a while before they ask again.
    std::thread::scope(|scope| {
        for (at, address) in all.enumerate() {
            let world = &world;
            scope.spawn(move || {
                for line in [["lock status", "lock break --yes"][at % 2], LOCAL] {
                    let line = format!("{line} --lock locks --consul {address}");
                    let ran = world.tell(world.command(&line));
                    assert!(matches!(ran.code, Some(2..=4)), "{line}: {}", ran.stderr);
                    world.look(&line, &ran, May::Nothing);
                }
            });
        }
    });
}

#[test]
fn arguments_without_form() {
    let world = World::new(&[step("a", "true")]);
    let value = canary("var");
    std::fs::write(world.place.path("wrong.json"), format!(r#"{{"of_file": "{value}" "#))
        .expect("a file");
    std::fs::write(world.place.path("list.json"), format!(r#"["{value}"]"#)).expect("a file");
    for line in [
        format!("lint p.json --var {value}"),
        format!("lint p.json --var ={value}"),
        format!("lint p.json --vars a,{value},b"),
        format!("lint p.json --var-env {value}"),
        "lint p.json --vars-file wrong.json".to_owned(),
        "lint p.json --vars-file list.json".to_owned(),
        format!("{LOCAL} --sentry https://{}@h", canary("Sentry key")),
        format!("{LOCAL} --sentry {}", canary("Sentry key")),
    ] {
        // Without the world's own flags, which would come twice.
        let mut command = world.place.command(line.split(' '));
        command.env("CANARY", canary("systemEnv"));
        let ran = world.tell(command);
        assert!(matches!(ran.code, Some(2 | 3)), "{line}: {}", ran.stderr);
        world.look(&line, &ran, May::Nothing);
    }
    // A Sentry that refuses, is not there, or whose name is unknown.
    let refusing = echo(401, "text/plain");
    for at in [refusing.address().to_string(), "127.0.0.1:1".to_owned(), "x y".to_owned()] {
        let dsn = format!("http://{}@{at}/1", canary("Sentry key"));
        let args = [
            "down",
            "--config",
            "c.json",
            "--cluster",
            "none",
            "--sentry",
            &dsn,
            "--var",
            "of_var=x",
        ];
        let mut command = world.place.command(args);
        command.env("CANARY", canary("systemEnv"));
        let ran = world.tell(command);
        assert!(matches!(ran.code, Some(2 | 4)), "{at}: {}", ran.stderr);
        world.look(&at, &ran, May::Nothing);
    }
}
