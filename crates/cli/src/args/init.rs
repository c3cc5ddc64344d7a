//! `init`: files to begin with.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// What the help text says behind the flags.
pub(super) const AFTER: &str = "\
Examples:
  dataflow-runner init local
  dataflow-runner init emr nightly

Writes cluster.json, playbook.json and vars.json, and nothing where one of them is there already.

Exit codes: 0 they are written, 2 wrong usage, or one of them is there already, 1 they cannot be written.";

/// `init`.
#[derive(Debug, Args)]
pub(crate) struct Init {
    /// Where steps are to run
    #[arg(value_name = "FABRIC", value_enum)]
    pub(crate) fabric: Start,
    /// The folder for the files; it is made if it is not there
    #[arg(value_name = "FOLDER", default_value = ".")]
    pub(crate) folder: PathBuf,
}

/// The fabrics that there are files for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Start {
    /// Amazon EMR
    Emr,
    /// Google Dataproc
    Dataproc,
    /// A Hadoop cluster that is there
    Yarn,
    /// This machine
    Local,
}
