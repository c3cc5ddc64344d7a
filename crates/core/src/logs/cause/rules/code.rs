//! What is wrong with a program, or with how it is called.

use super::super::words::{between, word, word_after};
use super::{Rule, Weight};

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "wrong-java",
        weight: Weight::Known,
        says: |line| {
            let class = word_after(line, "UnsupportedClassVersionError: ")?;
            Some(format!("`{}` was compiled for a newer Java than the cluster's", dotted(class)))
        },
        advice: "compile for the cluster's Java, or choose a release of EMR with a newer one",
    },
    Rule {
        name: "missing-class",
        weight: Weight::Known,
        says: |line| {
            let before = [
                "ClassNotFoundException: ",
                "NoClassDefFoundError: ",
                "Could not find or load main class ",
                "Failed to load class ",
                "Could not initialize class ",
                "Failed to find data source: ",
                "DATA_SOURCE_NOT_FOUND] Failed to find the data source: ",
            ];
            let class = before.iter().find_map(|before| word_after(line, before))?;
            Some(format!("the class `{}` is not there", dotted(class)))
        },
        advice: "put the jar that has it into the step's own jar or its --jars or --packages, and check the name and its package",
    },
    Rule {
        name: "clash-of-versions",
        weight: Weight::Known,
        says: |line| {
            let names = [
                "NoSuchMethodError",
                "NoSuchFieldError",
                "AbstractMethodError",
                "IncompatibleClassChangeError",
            ];
            let name = names.iter().find(|name| line.contains(&format!("java.lang.{name}")))?;
            let what = word_after(line, &format!("{name}: ")).map(|what| format!(": {what}"));
            Some(format!("two versions of a library clash ({name}{})", what.unwrap_or_default()))
        },
        advice: "compile against the versions of Scala, Spark and Hadoop of the cluster's release, and shade or leave out what it brings along",
    },
    Rule {
        name: "missing-module",
        weight: Weight::Known,
        says: |line| {
            let module = word_after(line, "No module named ")?;
            Some(format!("the Python module `{module}` is not there"))
        },
        advice: "install it with a bootstrap action, or send it along (--py-files, --archives)",
    },
    Rule {
        name: "python-syntax",
        weight: Weight::Known,
        says: |line| {
            let found = ["SyntaxError: ", "IndentationError: ", "TabError: "];
            found.iter().find(|name| line.starts_with(**name))?;
            Some(format!("the Python program is not valid: {line}"))
        },
        advice: "correct it; was it written for another version of Python?",
    },
    Rule {
        name: "missing-table",
        weight: Weight::Known,
        says: |line| {
            let before = ["Table or view not found: ", "Table not found ", "Database not found: "];
            let named = before.iter().find_map(|before| word_after(line, before));
            // Of Spark 3.4 and later, each part of the name in quotes.
            let quoted = || {
                let name = between(line, "_NOT_FOUND] The ", " cannot be found")?;
                Some(name[name.find('`')?..].replace('`', ""))
            };
            let table = named.map(ToOwned::to_owned).or_else(quoted)?;
            Some(format!("the table or database `{table}` is not there"))
        },
        advice: "check its name, and that the cluster uses the catalogue (Glue, Hive metastore) that has it",
    },
    Rule {
        name: "unknown-option",
        weight: Weight::Known,
        says: |line| {
            let before = [
                "Unrecognized option: ",
                "Unrecognized option ",
                "unrecognized arguments: ",
                "unrecognized option ",
                "invalid option -- ",
                "Unknown option: ",
                "Unknown option ",
            ];
            let option = before.iter().find_map(|before| word_after(line, before))?;
            Some(format!("the program does not know the option `{option}`"))
        },
        advice: "check the step's arguments in the playbook, and their order",
    },
    Rule {
        name: "missing-argument",
        weight: Weight::Known,
        says: |line| {
            let texts = [
                "the following arguments are required: ",
                "Missing required option: ",
                "Missing required options: ",
                "Missing argument for option: ",
            ];
            let found = texts.iter().find_map(|text| line.split_once(text))?;
            Some(format!("the program misses arguments: {}", found.1.trim()))
        },
        advice: "check the step's arguments in the playbook",
    },
    Rule {
        name: "hive",
        weight: Weight::Known,
        says: |line| {
            let rest = line.split_once("FAILED: ").map(|(_, rest)| rest)?;
            let kinds = [
                "ParseException",
                "SemanticException",
                "HiveException",
                "RuntimeException",
                "NullPointerException",
                "Error in ",
                "HiveAccessControlException",
                "IllegalStateException",
            ];
            let known = rest.starts_with("Execution Error, return code")
                || kinds.iter().any(|kind| rest.starts_with(kind));
            known.then(|| format!("Hive: {}", rest.trim()))
        },
        advice: "correct the script at that place; for `return code 2` look at the containers' logs",
    },
    Rule {
        name: "pig",
        weight: Weight::Known,
        says: |line| {
            let rest = line.split_once("ERROR ").map(|(_, rest)| rest.trim_start())?;
            let rest =
                rest.strip_prefix("org.apache.pig.tools.grunt.Grunt - ERROR ").unwrap_or(rest);
            let code = between(&format!(" {rest}"), " ", ":").and_then(word)?.to_owned();
            let pig = code.len() == 4 && code.bytes().all(|b| b.is_ascii_digit());
            pig.then(|| format!("Pig: error {rest}"))
        },
        advice: "correct the script; the number stands in Pig's list of error codes",
    },
];

/// A name of a class as a person writes it.
fn dotted(class: &str) -> String {
    class.replace('/', ".")
}
