//! LocalClusterConfig 1-0-0.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use super::read::{Record, check_keys};
use crate::diagnostic::code;
use crate::fabric::local::{Config, Tools};
use crate::secret::Text;

/// More slots than any machine has.
const MOST_SLOTS: i64 = 10_000;
/// A day: more is a mistake in the unit.
const LONGEST_GRACE: i64 = 86_400;

pub(super) fn read(data: Record<'_>) -> Option<Config> {
    let folder = |record: &Record<'_>, name: &str| {
        let text = record.filled(name).inspect(|text| record.warn_of_secret(name, text))?;
        Some(record.beside(&text))
    };
    let name = data.needed_name("name");
    let slots = data.integer_within("slots", 1..=MOST_SLOTS);
    let kill_after = data.integer_within("killAfterSeconds", 0..=LONGEST_GRACE).unwrap_or(10);
    let tools = data.inner("tools", |tools| Tools {
        java: folder(&tools, "java"),
        hadoop: folder(&tools, "hadoop"),
        spark: folder(&tools, "spark"),
        flink: folder(&tools, "flink"),
        hive: folder(&tools, "hive"),
        pig: folder(&tools, "pig"),
    });
    let work_folder = folder(&data, "workFolder");
    let (environment, roots) = (read_environment(&data), read_roots(&data));
    Some(Config {
        name: name?,
        work_folder,
        slots: slots.and_then(|n| u32::try_from(n).ok()).and_then(NonZeroU32::new),
        environment,
        roots,
        tools: tools.unwrap_or_default(),
        kill_after: Duration::from_secs(kill_after.unsigned_abs()),
    })
}

fn read_environment(data: &Record<'_>) -> BTreeMap<String, Text> {
    check_keys(data, "environment", code::ENVIRONMENT_NAME, |name| {
        let fault = name.is_empty() || name.contains('=');
        fault.then_some("a name is not empty and has no `=`")
    });
    data.map("environment")
}

fn read_roots(data: &Record<'_>) -> BTreeMap<String, PathBuf> {
    check_keys(data, "roots", code::ROOT_PREFIX, |prefix| {
        (!is_uri_prefix(prefix))
            .then_some("expected the beginning of a URI, such as `s3://bucket/`")
    });
    let roots = data.map("roots").into_iter().map(|(prefix, folder)| {
        data.warn_of_secret("roots", &folder);
        (prefix, data.beside(&folder))
    });
    roots.collect()
}

/// Whether it begins with a scheme, `:` and `/`.
fn is_uri_prefix(prefix: &str) -> bool {
    let Some((scheme, rest)) = prefix.split_once(':') else { return false };
    let part = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.');
    rest.starts_with('/')
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(part)
}
