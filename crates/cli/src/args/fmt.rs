//! `fmt`.

use std::path::PathBuf;

use clap::Args;

/// What the help text says behind the flags.
pub(super) const AFTER: &str = "\
Examples:
  dataflow-runner fmt cluster.json playbook.json
  dataflow-runner fmt --check --diff playbook.json
  dataflow-runner fmt - <playbook.json

Only white space between the tokens of JSON changes. Actions, strings, numbers and comments stay
byte for byte, and so does a file that is no JSON when its actions are left out.

Exit codes: 0 all is formatted, 1 with --check or --diff: something would change; else a file cannot
be written, 2 wrong usage, 3 a file that cannot be formatted: it is left as it is.";

/// `fmt`.
#[derive(Debug, Args)]
pub(crate) struct Fmt {
    /// Cluster files and playbooks, in any order; `-` formats stdin to stdout
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Write nothing: name the files that would change
    #[arg(long)]
    pub(crate) check: bool,
    /// Write nothing: show what would change
    #[arg(long)]
    pub(crate) diff: bool,
}
