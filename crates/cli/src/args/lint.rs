//! `lint`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use dataflow_runner_core::diagnostic::{Code, allow};

use super::Variables;

/// What the help text says behind the flags.
pub(super) const AFTER: &str = "\
Examples:
  dataflow-runner lint cluster.json playbook.json
  dataflow-runner lint playbook.json --vars-file variables.json
  dataflow-runner lint . --any-vars --deny-warnings
  dataflow-runner lint . --message-format sarif > lint.sarif
  dataflow-runner lint - --stdin-name playbook.json < playbook.json

Of a folder, files are checked that end in .json, .jsont or .tmpl and hold the name of one of our
schemas; hidden ones are not. A playbook is held against the cluster file named with it, or in the
same folder, where there is just one.

A warning is silenced by a comment on its line, or before it: {{/* lint: allow CODE */}}; in the
whole file by {{/* lint: allow-file CODE */}}.

Exit codes: 0 no error (there may be warnings), 2 wrong usage, or a folder with nothing to check,
3 an error in a file, or a warning with --deny-warnings.";

/// `lint`.
#[derive(Debug, Args)]
pub(crate) struct Lint {
    /// Cluster files and playbooks, in any order, and folders of them; `-` is stdin
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// What stdin is called in messages; files beside a playbook are looked for beside it
    #[arg(long, value_name = "NAME", default_value = "<stdin>")]
    pub(crate) stdin_name: PathBuf,
    /// End with 3 if there are warnings, too
    #[arg(long)]
    pub(crate) deny_warnings: bool,
    /// Tell no warnings with these codes; may be repeated
    #[arg(long, value_name = "CODE", value_delimiter = ',', value_parser = code)]
    pub(crate) allow: Vec<Code>,
    /// How faults are told
    #[arg(long, value_enum, default_value_t = MessageFormat::Human)]
    pub(crate) message_format: MessageFormat,
    /// Pass over files that hold the name of none of our schemas, even if they are named
    #[arg(long)]
    pub(crate) only_configs: bool,
    /// Take variables that are not given, also of the environment, for texts: each for its own name
    #[arg(long)]
    pub(crate) any_vars: bool,
    #[command(flatten)]
    pub(crate) variables: Variables,
}

/// How faults are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum MessageFormat {
    /// For people, on stderr; with --output json also as json
    Human,
    /// One JSON object a line on stdout
    Json,
    /// One SARIF 2.1.0 document on stdout, for code scanning
    Sarif,
}

/// The code of that name.
fn code(name: &str) -> Result<Code, String> {
    Code::of(name).ok_or_else(|| match allow::near(name) {
        Some(near) => format!("there is no such code; did you mean `{near}`?"),
        None => {
            "there is no such code; the code of a warning stands before it, in brackets".to_owned()
        }
    })
}
