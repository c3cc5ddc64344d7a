//! `lint`: is what files say right?

use std::path::PathBuf;

use clap::Args;
use dataflow_runner_core::diagnostic::Code;
use dataflow_runner_core::lint::silence;

use super::Variables;

/// What the help text says behind the flags.
pub(super) const AFTER: &str = "\
Examples:
  dataflow-runner lint cluster.json playbook.json
  dataflow-runner lint playbook.json --vars-file variables.json
  dataflow-runner lint --deny-warnings .
  dataflow-runner lint - --stdin-name playbook.json <playbook.json

Templates are tried with the variables of the command line, and with those in NAME.vars.json and
vars.json beside each file. `{{/* lint: allow CODE */}}` in a file allows a warning on the next line.

Exit codes: 0 no error (there may be warnings), 2 wrong usage, 3 an error in a file (with
--deny-warnings: or a warning).";

/// `lint`.
#[derive(Debug, Args)]
pub(crate) struct Lint {
    /// Cluster files and playbooks, folders of them, or - for stdin, in any order
    #[arg(required = true, value_name = "FILE|FOLDER")]
    pub(crate) files: Vec<PathBuf>,
    /// Warnings are as bad as errors
    #[arg(long)]
    pub(crate) deny_warnings: bool,
    /// Pass over files that are neither cluster files nor playbooks, also where they are named
    #[arg(long)]
    pub(crate) skip_others: bool,
    /// What the text from stdin is called
    #[arg(long, value_name = "NAME", default_value = "stdin")]
    pub(crate) stdin_name: PathBuf,
    #[command(flatten)]
    pub(crate) variables: Variables,
}

/// The code of a rule.
pub(super) fn rule(word: &str) -> Result<Code, String> {
    Code::of(word).ok_or_else(|| match silence::near(word) {
        Some(near) => format!("no rule has this code; did you mean {near}?"),
        None => "no rule has this code".to_owned(),
    })
}
