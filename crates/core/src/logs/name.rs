//! Which log a file is a part of.

use crate::fabric::LogFile;

/// The logs of a step, most telling first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// What the step wrote as errors.
    Stderr,
    /// What it wrote as results.
    Stdout,
    /// What the fabric wrote about it.
    Controller,
    /// What the libraries in it wrote.
    Syslog,
    /// Something else.
    Other,
}

/// A log: one file, or the parts it was written in, earliest first.
#[derive(Debug)]
pub(super) struct Log<'a> {
    pub(super) kind: Kind,
    pub(super) files: Vec<&'a LogFile>,
}

/// The logs that files make up, in the order in which a person should read them.
///
/// The log of a long step on EMR is put away every hour as `syslog.2026-11-22-10.gz`; `syslog.gz` is what came last
/// (`mrjob/logs/step.py` of <https://github.com/Yelp/mrjob>).
pub(super) fn sorted(files: &[LogFile]) -> Vec<Log<'_>> {
    let mut named: Vec<_> = files.iter().map(|file| (parts(&file.name), file)).collect();
    // A part without a time is the one that was written to last.
    let key = |(parts, file): &(Parts<'_>, &LogFile)| {
        let of = (parts.kind, folder(&file.place).to_owned(), parts.log.to_owned());
        (of, parts.time.is_none(), parts.time.map(ToOwned::to_owned))
    };
    named.sort_by_cached_key(key);
    let mut logs: Vec<((&str, &str), Log<'_>)> = Vec::new();
    for (parts, file) in named {
        let of = (folder(&file.place), parts.log);
        match logs.last_mut() {
            Some((log, known)) if *log == of => known.files.push(file),
            _ => logs.push((of, Log { kind: parts.kind, files: vec![file] })),
        }
    }
    logs.into_iter().map(|(_, log)| log).collect()
}

impl<'a> Log<'a> {
    /// Such as `stderr`.
    pub(super) fn name(&self) -> &'a str {
        self.files.first().map_or("", |file| log(&file.name))
    }
}

/// The log that a file of this name is of: without a time, `.gz` and folders.
pub(super) fn log(name: &str) -> &str {
    parts(name).log
}

/// The folder of a path or URI.
fn folder(place: &str) -> &str {
    place.rfind(['/', '\\']).map_or("", |end| &place[..end])
}

#[derive(Debug, PartialEq, Eq)]
struct Parts<'a> {
    kind: Kind,
    /// Without a time, `.gz` and folders.
    log: &'a str,
    /// `2026-11-22-10`, which sorts as it is.
    time: Option<&'a str>,
}

fn parts(name: &str) -> Parts<'_> {
    let base = name.rsplit('/').next().unwrap_or(name);
    let plain = base.strip_suffix(".gz").unwrap_or(base);
    let (log, time) = match plain.split_once('.') {
        Some((log, time)) if is_time(time) => (log, Some(time)),
        _ => (plain, None),
    };
    let kind = match log {
        "stderr" => Kind::Stderr,
        "stdout" => Kind::Stdout,
        "controller" => Kind::Controller,
        "syslog" => Kind::Syslog,
        _ => Kind::Other,
    };
    Parts { kind, log, time }
}

/// Whether a word is made of digits and dashes, as `2026-11-22-10` is.
fn is_time(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit())
        && word.bytes().all(|b| b.is_ascii_digit() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_are_in_the_order_in_which_they_are_read_and_parts_in_the_order_of_time() {
        let names = [
            "syslog.gz",
            "controller.gz",
            "syslog.2026-11-22-10.gz",
            "stdout",
            "node.log.gz",
            "syslog.2026-11-22-09.gz",
            "steps/s-1/stderr.gz",
        ];
        let file = |name: &&str| LogFile { name: (*name).into(), place: String::new(), size: None };
        let files: Vec<_> = names.iter().map(file).collect();
        let logs = sorted(&files);
        let shown: Vec<Vec<_>> = logs
            .iter()
            .map(|log| log.files.iter().map(|file| file.name.as_str()).collect())
            .collect();
        assert_eq!(
            shown,
            [
                vec!["steps/s-1/stderr.gz"],
                vec!["stdout"],
                vec!["controller.gz"],
                vec!["syslog.2026-11-22-09.gz", "syslog.2026-11-22-10.gz", "syslog.gz"],
                vec!["node.log.gz"],
            ]
        );
        assert_eq!(logs[3].kind, Kind::Syslog);
    }

    #[test]
    fn logs_of_the_same_name_from_two_machines_stay_two() {
        let file = |place: &str| LogFile {
            name: "stderr.gz".into(),
            place: format!("s3://l/node/{place}/stderr.gz"),
            size: None,
        };
        let files = [file("i-2"), file("i-1")];
        let places: Vec<_> = sorted(&files).iter().map(|log| log.files[0].place.clone()).collect();
        assert_eq!(places, ["s3://l/node/i-1/stderr.gz", "s3://l/node/i-2/stderr.gz"]);
    }
}
