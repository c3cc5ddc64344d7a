//! YarnClusterConfig 1-0-0.

use std::num::NonZeroU32;

use super::read::{Record, check_keys};
use super::web::{plain, url};
use crate::diagnostic::{Diagnostic, code};
use crate::fabric::yarn::{Config, Credentials, LONGEST_TAG};
use crate::secret::{Secret, Text};

/// More slots than any ResourceManager would like.
const MOST_SLOTS: i64 = 10_000;
const DEFAULT_SLOTS: i64 = 8;
/// The launcher alone takes about 100 MiB, and YARN's least is often 256 or more.
const LEAST_MEMORY_MB: i64 = 256;
/// Room for the launcher and for the client of Spark or Flink beside it.
const DEFAULT_MEMORY_MB: i64 = 1536;
const MOST_V_CORES: i64 = 1024;

pub(super) fn read(data: Record<'_>) -> Option<Config> {
    let name = data.needed_name("name");
    let (resource_managers, web_hdfs) = (urls(&data, "resourceManagers"), urls(&data, "webHdfs"));
    let history = data.filled("historyServer").and_then(|text| url(&data, "historyServer", &text));
    let credentials = data.inner("credentials", credentials);
    let user = user(&data, credentials.as_ref().and_then(Option::as_ref));
    let queue = plain(&data, "queue").unwrap_or_else(|| "default".to_owned());
    let number = |name: &str, range, default| {
        let n = data.integer_within(name, range).unwrap_or(default);
        u32::try_from(n).unwrap_or(u32::MAX)
    };
    let memory_mb = number("memoryMb", LEAST_MEMORY_MB..=i64::from(i32::MAX), DEFAULT_MEMORY_MB);
    let v_cores = number("vCores", 1..=MOST_V_CORES, 1);
    let slots = NonZeroU32::new(number("slots", 1..=MOST_SLOTS, DEFAULT_SLOTS));
    let authorities = data.filled("authorities").map(|text| data.beside(&text));
    let staging = staging(&data);
    check_keys(&data, "environment", code::ENVIRONMENT_NAME, |name| {
        let fault = name.is_empty() || name.contains('=');
        fault.then_some("a name is not empty and has no `=`")
    });
    let (environment, tags) = (data.map("environment"), tags(&data));
    let user = user?;
    Some(Config {
        name: name?,
        resource_managers: resource_managers?,
        web_hdfs: web_hdfs?,
        history,
        staging: staging.unwrap_or_else(|| format!("/user/{user}/.dataflow-runner")),
        user,
        credentials: credentials.flatten(),
        authorities,
        queue,
        memory_mb,
        v_cores,
        slots: slots?,
        environment,
        tags,
    })
}

/// One address or more.
fn urls(data: &Record<'_>, name: &str) -> Option<Vec<String>> {
    let texts = data.texts(name);
    // That it is absent, the schema has said.
    if data.has(name) && data.is_empty_list(name) {
        let message = format!("`{}` must name at least one address", data.path.key(name));
        data.fault(data.span_of(name), Diagnostic::error(code::EMPTY_VALUE, message));
    }
    let all: Option<Vec<_>> = texts.iter().map(|text| url(data, name, text)).collect();
    all.filter(|all| !all.is_empty())
}

/// A password with its user, or a token.
fn credentials(record: Record<'_>) -> Option<Credentials> {
    let (user, password) = (record.filled("user"), record.filled("password"));
    let token = record.filled("token");
    let secret = |text: Text| Secret::new(text.expose());
    match (user, password, token) {
        (Some(user), Some(password), None) => {
            let user = user.expose().to_owned();
            Some(Credentials::Password { user, password: secret(password) })
        }
        (None, None, Some(token)) => Some(Credentials::Token(secret(token))),
        _ => {
            let message = format!("`{}` must have `user` and `password`, or `token`", record.path);
            record.fault_here(Diagnostic::error(code::CREDENTIALS, message));
            None
        }
    }
}

/// As whom steps run: the one who is named, else the one whose password it is.
fn user(data: &Record<'_>, credentials: Option<&Credentials>) -> Option<String> {
    match (plain(data, "user"), credentials) {
        (Some(user), _) => Some(user),
        (None, Some(Credentials::Password { user, .. })) => Some(user.clone()),
        (None, _) => {
            if data.filled("user").is_none() && !data.has("user") {
                let message = format!("`{}` has no `user`: as whom do steps run?", data.path);
                data.fault_here(Diagnostic::error(code::MISSING_FIELD, message));
            }
            None
        }
    }
}

fn staging(data: &Record<'_>) -> Option<String> {
    let folder = plain(data, "stagingFolder")?;
    let trimmed = folder.trim_end_matches('/');
    let parts = trimmed.split('/').skip(1);
    if !trimmed.starts_with('/') || parts.into_iter().any(|part| matches!(part, "" | "." | "..")) {
        let path = data.path.key("stagingFolder");
        let message = format!("`{path}` must be a folder in HDFS that begins with `/`");
        data.fault(data.span_of("stagingFolder"), Diagnostic::error(code::STAGING_FOLDER, message));
    }
    Some(trimmed.to_owned())
}

fn tags(data: &Record<'_>) -> Vec<String> {
    let texts = data.texts("tags");
    let wrong = |tag: &str| {
        tag.is_empty() || tag.len() > LONGEST_TAG || tag.contains(',') || !tag.is_ascii()
    };
    if texts.iter().any(|tag| wrong(tag.expose())) {
        let message = format!(
            "a tag of `{}` must have 1 to {LONGEST_TAG} characters of ASCII and no comma",
            data.path.key("tags")
        );
        data.fault(data.span_of("tags"), Diagnostic::error(code::TAG, message));
    }
    texts.iter().for_each(|text| data.warn_of_secret("tags", text));
    texts.into_iter().map(|text| text.expose().to_lowercase()).collect()
}
