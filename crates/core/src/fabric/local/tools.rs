//! Where the programs are that steps need.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::config::Tools;
use super::process;

/// The environment of steps, and the tools as seen from it.
pub(super) struct Toolbox {
    environment: BTreeMap<OsString, OsString>,
    /// Where programs were found last: a playbook names few, often.
    found: Mutex<BTreeMap<String, PathBuf>>,
}

/// The tools that have a home of their own: its variable, and what tells that a program is one of its.
const HOMES: [(&str, &[&str]); 6] = [
    ("JAVA_HOME", &["java"]),
    ("HADOOP_HOME", &["hadoop", "hdfs", "yarn", "mapred"]),
    ("SPARK_HOME", &["spark-submit", "spark-sql", "spark-shell", "pyspark", "spark-class"]),
    ("FLINK_HOME", &["flink"]),
    ("HIVE_HOME", &["hive", "beeline"]),
    ("PIG_HOME", &["pig"]),
];

impl Toolbox {
    /// What the program was started with, then the homes of configured tools, then what the user adds.
    pub(super) fn new<'a>(
        mut environment: BTreeMap<OsString, OsString>,
        tools: &Tools,
        added: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let Tools { java, hadoop, spark, flink, hive, pig } = tools;
        let homes = [java, hadoop, spark, flink, hive, pig];
        for ((variable, _), home) in HOMES.iter().zip(homes) {
            if let Some(home) = home {
                environment.insert(variable.into(), home.into());
            }
        }
        environment.extend(added.map(|(name, value)| (name.into(), value.into())));
        Self { environment, found: Mutex::default() }
    }

    pub(super) fn environment(&self) -> &BTreeMap<OsString, OsString> {
        &self.environment
    }

    /// Finds a program by its name: below its tool's home where there is one, else in PATH.
    pub(super) fn find(&self, name: &str) -> Option<PathBuf> {
        self.found(name, |_| true)
    }

    /// The same, but looks again whether it is still there.
    pub(super) fn find_now(&self, name: &str) -> Option<PathBuf> {
        self.found(name, process::is_executable)
    }

    fn found(&self, name: &str, still: impl FnOnce(&Path) -> bool) -> Option<PathBuf> {
        // Whoever panicked while holding it cannot have left a single entry half done.
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(path) = found.get(name).filter(|path| still(path)) {
            return Some(path.clone());
        }
        let path = self.search(name)?;
        found.insert(name.to_owned(), path.clone());
        Some(path)
    }

    fn search(&self, name: &str) -> Option<PathBuf> {
        let home = HOMES.iter().find(|(_, programs)| programs.contains(&name));
        let home = home.and_then(|(variable, _)| self.variable(variable));
        match home {
            Some(home) => executable(&Path::new(home).join("bin"), name),
            None => std::env::split_paths(self.variable("PATH")?)
                // An empty or relative entry would mean the folder of the step.
                .filter(|folder| folder.is_absolute())
                .find_map(|folder| executable(&folder, name)),
        }
    }

    /// The variable that could name the home of a program.
    pub(super) fn home_variable(name: &str) -> Option<&'static str> {
        HOMES.iter().find(|(_, programs)| programs.contains(&name)).map(|(variable, _)| *variable)
    }

    fn variable(&self, name: &str) -> Option<&OsStr> {
        self.environment.get(OsStr::new(name)).map(OsString::as_os_str).filter(|v| !v.is_empty())
    }
}

fn executable(folder: &Path, name: &str) -> Option<PathBuf> {
    let files = process::program_files(name).into_iter().map(|file| folder.join(file));
    files.into_iter().find(|path| process::is_executable(path))
}

#[cfg(unix)]
#[cfg(test)]
pub(super) mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// A program that is there, for tests of command lines.
    pub(in super::super) fn program(path: &Path) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "#!/bin/sh\n").unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    #[test]
    fn configured_then_home_then_path() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        for path in ["path/flink", "home/bin/flink", "tool/bin/flink", "path/other"] {
            program(&at(path));
        }
        std::fs::write(at("path/data"), "not a program").unwrap();
        let mut environment: BTreeMap<OsString, OsString> =
            [("PATH".into(), std::env::join_paths([Path::new(""), &at("path")]).unwrap())].into();
        let none = Tools::default();
        let find = |environment: &BTreeMap<_, _>, tools: &Tools, name: &str| {
            Toolbox::new(environment.clone(), tools, std::iter::empty()).find(name)
        };
        assert_eq!(find(&environment, &none, "flink"), Some(at("path/flink")));
        assert_eq!(find(&environment, &none, "other"), Some(at("path/other")));
        assert_eq!(find(&environment, &none, "data"), None);
        environment.insert("FLINK_HOME".into(), "".into());
        assert_eq!(find(&environment, &none, "flink"), Some(at("path/flink")), "empty is not set");
        environment.insert("FLINK_HOME".into(), at("home").into());
        assert_eq!(find(&environment, &none, "flink"), Some(at("home/bin/flink")));
        let tools = Tools { flink: Some(at("tool")), ..Tools::default() };
        assert_eq!(find(&environment, &tools, "flink"), Some(at("tool/bin/flink")));
        let tools = Tools { flink: Some(at("nowhere")), ..Tools::default() };
        assert_eq!(
            find(&environment, &tools, "flink"),
            None,
            "no other than the one that was named"
        );
    }
}
