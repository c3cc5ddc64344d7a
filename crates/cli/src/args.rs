//! The command line. Flags take one or two dashes, and each can be set by `DATAFLOW_RUNNER_<FLAG>`.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use crate::commands::Usage;
use crate::sentry::Dsn;
use clap::builder::FalseyValueParser;
use clap::{ArgAction, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use dataflow_runner_core::logs;
use dataflow_runner_core::suggest::suggest;
use duration::duration;

mod after;
mod again;
mod duration;
mod fmt;
mod init;
mod lint;
mod locks;
mod runs;

pub(crate) use again::{Attach, Cancel, Naming, Resume, Selection};
pub(crate) use fmt::Fmt;
pub(crate) use init::{Init, Start};
pub(crate) use lint::{Lint, MessageFormat};
pub(crate) use locks::{Break, Lock, Locks, Place, Status};
pub(crate) use runs::{Orphans, Prune, RunLogs, RunReport, RunStatus, Runs, RunsCommand};

/// Runs declarative playbooks of Hadoop, Spark and Flink steps.
#[derive(Debug, Parser)]
#[command(name = "dataflow-runner", version, disable_version_flag = true)]
#[command(after_help = after::HELP, arg_required_else_help = true, infer_long_args = false)]
pub(crate) struct Cli {
    /// Print the version.
    #[arg(short = 'v', long, action = ArgAction::Version)]
    version: Option<bool>,
    /// What all commands take.
    #[command(flatten)]
    pub(crate) global: Global,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What all commands take.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Global {
    /// How messages look; on a terminal human, else logfmt. With json, each event is a line on stdout.
    #[arg(long, global = true, value_enum)]
    pub(crate) output: Option<Output>,
    /// The least severe messages to show.
    #[arg(long, global = true, value_enum, default_value_t = Level::Info)]
    pub(crate) log_level: Level,
    /// Where runs are recorded [default: the platform's folder for state]
    #[arg(long, global = true, value_name = "FOLDER")]
    pub(crate) state_dir: Option<PathBuf>,
}

/// How messages look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people, with live progress on a terminal
    Human,
    /// `time=… level=… msg=…`, as 0.7.x wrote
    Logfmt,
    /// One JSON object a line on stdout
    Json,
}

/// How severe a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Level {
    /// What only matters when something is odd
    Debug,
    /// What happens
    Info,
    /// What a person should know
    #[value(alias = "warn")]
    Warning,
    /// What went wrong
    Error,
    /// Nothing but faults of the input
    Fatal,
    /// The same
    Panic,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Bring a cluster up and print its id
    Up(Up),
    /// Run a playbook on a cluster that is up
    Run(Run),
    /// Take a cluster down
    Down(Down),
    /// Bring a cluster up, run a playbook on it and take it down
    RunTransient(RunTransient),
    /// Write a cluster file and a playbook to begin with
    Init(Init),
    /// Check files and report all their faults; nothing is sent
    Lint(Lint),
    /// Format files; their templates stay as they are
    Fmt(Fmt),
    /// Print a file as its template renders it
    Render(Render),
    /// Show what a run would do; nothing is sent
    Plan(Plan),
    /// Print a playbook in a form that others run; nothing is sent
    Export(Export),
    /// Drive a run on to its end that was left
    Attach(Attach),
    /// Go on with a run that did not succeed: what is done stays done
    Resume(Resume),
    /// End a run, and what it started
    Cancel(Cancel),
    /// List the runs that were begun here, newest first
    Runs(Runs),
    /// Show how a run stands, as its journal tells
    Status(RunStatus),
    /// Tell all of a run that its journal holds
    Report(RunReport),
    /// Print the logs of a run's steps, also while they grow
    Logs(RunLogs),
    /// Look at a lock, or break it
    #[command(subcommand)]
    Lock(Lock),
    /// Print a schema of configuration files, or list them
    Schema(Schema),
}

/// `up`.
#[derive(Debug, Args)]
pub(crate) struct Up {
    #[command(flatten)]
    pub(crate) config: Config,
    #[command(flatten)]
    pub(crate) variables: Variables,
    #[command(flatten)]
    pub(crate) engine: Engine,
    #[command(flatten)]
    pub(crate) logs: Logs,
    #[command(flatten)]
    pub(crate) naming: Naming,
    #[command(flatten)]
    pub(crate) sentry: Sentry,
}

/// `run`.
#[derive(Debug, Args)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) config: Config,
    #[command(flatten)]
    pub(crate) playbook: Playbook,
    #[command(flatten)]
    pub(crate) cluster: Cluster,
    #[command(flatten)]
    pub(crate) variables: Variables,
    #[command(flatten)]
    pub(crate) steps: Steps,
    #[command(flatten)]
    pub(crate) engine: Engine,
    #[command(flatten)]
    pub(crate) logs: Logs,
    #[command(flatten)]
    pub(crate) locks: Locks,
    #[command(flatten)]
    pub(crate) naming: Naming,
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// End once the cluster has the steps; how they end is not waited for
    #[arg(long = "async")]
    pub(crate) detached: bool,
    /// The same: the cluster goes on alone, and `attach` follows it to its end
    #[arg(long)]
    pub(crate) detach: bool,
    #[command(flatten)]
    pub(crate) sentry: Sentry,
}

/// `down`.
#[derive(Debug, Args)]
pub(crate) struct Down {
    #[command(flatten)]
    pub(crate) config: Config,
    #[command(flatten)]
    pub(crate) cluster: Cluster,
    /// The cluster of this run, without its files: the run's id or the beginning of it, its name, or `last`
    #[arg(long, value_name = "RUN", conflicts_with_all = ["config", "cluster"])]
    pub(crate) run: Option<String>,
    #[command(flatten)]
    pub(crate) variables: Variables,
    #[command(flatten)]
    pub(crate) engine: Engine,
    #[command(flatten)]
    pub(crate) sentry: Sentry,
}

/// `run-transient`.
#[derive(Debug, Args)]
pub(crate) struct RunTransient {
    #[command(flatten)]
    pub(crate) config: Config,
    #[command(flatten)]
    pub(crate) playbook: Playbook,
    #[command(flatten)]
    pub(crate) variables: Variables,
    #[command(flatten)]
    pub(crate) steps: Steps,
    #[command(flatten)]
    pub(crate) engine: Engine,
    #[command(flatten)]
    pub(crate) logs: Logs,
    #[command(flatten)]
    pub(crate) locks: Locks,
    #[command(flatten)]
    pub(crate) naming: Naming,
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// End once the cluster has the steps; it goes on alone, and `attach` follows it to its end
    #[arg(long)]
    pub(crate) detach: bool,
    #[command(flatten)]
    pub(crate) sentry: Sentry,
}

/// `render`.
#[derive(Debug, Args)]
pub(crate) struct Render {
    /// The file
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) variables: Variables,
}

/// `plan`.
#[derive(Debug, Args)]
pub(crate) struct Plan {
    #[command(flatten)]
    pub(crate) config: Config,
    #[command(flatten)]
    pub(crate) playbook: Playbook,
    #[command(flatten)]
    pub(crate) variables: Variables,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `export`.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The form
    #[arg(long, value_name = "FORM")]
    pub(crate) to: Form,
    #[command(flatten)]
    pub(crate) config: Config,
    #[command(flatten)]
    pub(crate) playbook: Playbook,
    #[command(flatten)]
    pub(crate) variables: Variables,
}

/// A form that others run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// A workflow template of Google Dataproc, in JSON, for a cluster as --config describes it
    DataprocWorkflow,
}

/// `schema`.
#[derive(Debug, Args)]
pub(crate) struct Schema {
    /// Such as LocalClusterConfig or PlaybookConfig/1-0-1; without it, all names
    #[arg(value_name = "NAME", required_if_eq("json_schema", "true"))]
    pub(crate) name: Option<String>,
    /// Print a JSON Schema of whole files instead of the Avro schema of their data: for editors
    #[arg(long)]
    pub(crate) json_schema: bool,
}

/// The cluster file.
#[derive(Debug, Args)]
pub(crate) struct Config {
    /// The cluster file: which fabric, and what to ask of it
    #[arg(id = "config", long = "config", visible_alias = "emr-config", value_name = "FILE")]
    pub(crate) path: Option<PathBuf>,
}

/// The playbook.
#[derive(Debug, Args)]
pub(crate) struct Playbook {
    /// The playbook: the steps
    #[arg(id = "playbook", long = "playbook", visible_alias = "emr-playbook", value_name = "FILE")]
    pub(crate) path: Option<PathBuf>,
}

/// A cluster that is up.
#[derive(Debug, Args)]
pub(crate) struct Cluster {
    /// The cluster's id, as `up` printed it; on EMR and Dataproc also name:NAME, tag:KEY=VALUE (or label:) or newest:NAME
    #[arg(id = "cluster", long = "cluster", visible_alias = "emr-cluster", value_name = "ID")]
    #[arg(value_parser = which_cluster)]
    pub(crate) id: Option<String>,
}

/// Values for the templates. Later in this list wins.
#[derive(Debug, Default, Args)]
pub(crate) struct Variables {
    /// Variables from a JSON object; values of any type
    #[arg(long, value_name = "FILE")]
    pub(crate) vars_file: Option<PathBuf>,
    /// Variables as key,value,key,value
    #[arg(long, value_name = "K,V,…")]
    pub(crate) vars: Option<String>,
    /// One variable; may be repeated
    #[arg(long = "var", value_name = "K=V")]
    pub(crate) var: Vec<String>,
    /// One variable, its value taken from the environment; may be repeated
    #[arg(long, value_name = "K=ENV")]
    pub(crate) var_env: Vec<String>,
}

/// How a run behaves.
#[derive(Debug, Args)]
pub(crate) struct Engine {
    /// What a first SIGINT or SIGTERM does to what runs [default: cancel; of attach: leave, on a terminal it asks]
    #[arg(long, value_enum)]
    pub(crate) on_interrupt: Option<OnInterrupt>,
    /// Ask the fabric so often, such as 0.5s, 90s or 5m [default: what is usual there; on EMR 15s, and 30s while a cluster launches]
    #[arg(long, value_name = "DURATION", value_parser = duration::some)]
    pub(crate) poll_interval: Option<Duration>,
    /// Your account has so many times EMR's default quotas: runs wait accordingly less for each other
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = factor)]
    pub(crate) quota_factor: f64,
    /// What was ordered shows after so long: then an order whose answer was lost is looked for [default: what is usual there, 1m on EMR]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) settle: Option<Duration>,
    /// Wait so long at most before another cluster is launched in place of one whose set-up failed
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = duration::duration)]
    pub(crate) bootstrap_retry_delay: Duration,
    /// Give up after so long without an answer of the fabric
    #[arg(long, value_name = "DURATION", default_value = "30m", value_parser = duration::duration)]
    pub(crate) lost_contact_after: Duration,
}

/// An id, or a way to find one.
fn which_cluster(text: &str) -> Result<String, String> {
    match text.strip_prefix("tag:").or_else(|| text.strip_prefix("label:")) {
        Some(tag) if !tag.contains('=') => Err("a tag is written tag:KEY=VALUE".to_owned()),
        _ => Ok(text.to_owned()),
    }
}

/// A number above 0.
fn factor(text: &str) -> Result<f64, String> {
    let factor = text.parse::<f64>().ok().filter(|factor| factor.is_finite() && *factor > 0.0);
    factor.ok_or_else(|| "it must be a number above 0".to_owned())
}

/// What an interruption does to what runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnInterrupt {
    /// It is cancelled
    Cancel,
    /// It is left as it is
    Leave,
}

/// What is said of steps.
#[derive(Debug, Default, Args)]
pub(crate) struct Steps {
    /// Show the logs of steps that fail: on EMR the probable cause, and the last --log-lines of each
    #[arg(long)]
    pub(crate) log_failed_steps: bool,
    /// The exit code when a no-op rule ends the run early
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) noop_exit_code: u8,
}

/// What is shown of logs.
#[derive(Debug, Args)]
pub(crate) struct Logs {
    /// Show so many lines of the end of each log of what failed, where logs come late (EMR)
    #[arg(long, value_name = "N", default_value_t = logs::LINES)]
    pub(crate) log_lines: usize,
    /// Wait so long for logs that come late, such as 90s or 5m [default: as long as they may take, 10m on EMR, 1m on Dataproc]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) log_wait: Option<Duration>,
}

impl Default for Logs {
    fn default() -> Self {
        Self { log_lines: logs::LINES, log_wait: None }
    }
}

/// Reports of errors.
#[derive(Default, Args)]
pub(crate) struct Sentry {
    /// Report errors to the Sentry of this DSN
    #[arg(id = "sentry", long = "sentry", value_name = "DSN")]
    pub(crate) dsn: Option<String>,
}

/// Not the DSN: it has a key in it.
impl std::fmt::Debug for Sentry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sentry").finish_non_exhaustive()
    }
}

impl Command {
    /// As it is written on the command line.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Up(_) => "up",
            Self::Run(_) => "run",
            Self::Down(_) => "down",
            Self::RunTransient(_) => "run-transient",
            Self::Attach(_) => "attach",
            Self::Resume(_) => "resume",
            Self::Cancel(_) => "cancel",
            Self::Lint(_) => "lint",
            Self::Fmt(_) => "fmt",
            Self::Init(_) => "init",
            Self::Render(_) => "render",
            Self::Plan(_) => "plan",
            Self::Export(_) => "export",
            Self::Schema(_) => "schema",
            Self::Runs(_) => "runs",
            Self::Status(_) => "status",
            Self::Report(_) => "report",
            Self::Logs(_) => "logs",
            Self::Lock(_) => "lock",
        }
    }

    /// Where errors are to be reported, if anywhere. As in 0.7.x, an empty DSN is none.
    ///
    /// # Errors
    /// It is not a DSN.
    pub(crate) fn sentry(&self) -> Result<Option<Dsn>, Usage> {
        let sentry = match self {
            Self::Up(args) => &args.sentry,
            Self::Run(args) => &args.sentry,
            Self::Down(args) => &args.sentry,
            Self::RunTransient(args) => &args.sentry,
            Self::Attach(args) => &args.sentry,
            Self::Resume(args) => &args.sentry,
            Self::Cancel(args) => &args.sentry,
            Self::Lint(_)
            | Self::Fmt(_)
            | Self::Init(_)
            | Self::Render(_)
            | Self::Plan(_)
            | Self::Export(_)
            | Self::Schema(_)
            | Self::Runs(_)
            | Self::Status(_)
            | Self::Report(_)
            | Self::Logs(_)
            | Self::Lock(_) => return Ok(None),
        };
        let dsn = sentry.dsn.as_deref().filter(|dsn| !dsn.is_empty());
        dsn.map(Dsn::parse).transpose().map_err(|why| {
            // It is not quoted: it has a key in it.
            Usage::new(format!("--sentry takes a DSN, https://KEY@HOST/PROJECT: {why}"))
        })
    }
}

/// Reads the command line.
///
/// # Errors
/// Wrong usage, or a wish for help or the version; clap prints both.
pub(crate) fn parse(words: Vec<OsString>) -> Result<Cli, clap::Error> {
    let mut command = command();
    let words = with_two_dashes(words, &command);
    let matches = command.try_get_matches_from_mut(words)?;
    Cli::from_arg_matches(&matches).map_err(|e| e.format(&mut command))
}

/// The command with an environment variable behind each flag.
fn command() -> clap::Command {
    let with_env: fn(clap::Arg) -> clap::Arg = |arg| match arg.get_long() {
        None | Some("help" | "version") => arg,
        Some(long) => {
            let name = format!("DATAFLOW_RUNNER_{}", long.replace('-', "_").to_uppercase());
            // The values may be anybody's secrets, and the names go without saying.
            let arg = arg.env(name).hide_env(true).hide_env_values(true);
            match arg.get_action() {
                ArgAction::SetTrue => arg.value_parser(FalseyValueParser::new()),
                _ => arg,
            }
        }
    };
    fn whole(
        command: clap::Command,
        path: &str,
        with_env: fn(clap::Arg) -> clap::Arg,
    ) -> clap::Command {
        let after = after::of(path);
        let command = command.mut_args(with_env).mut_subcommands(|inner| {
            let path = format!("{path} {}", inner.get_name());
            whole(inner, path.trim_start(), with_env)
        });
        match after {
            Some(text) => command.after_help(text),
            None => command,
        }
    }
    whole(Cli::command(), "", with_env)
}

/// Gives `-flag` its second dash, and `h` as the first word the meaning of `help`, as 0.7.x did. What is nearly a flag
/// gets it too: then it is told which was meant.
fn with_two_dashes(mut words: Vec<OsString>, command: &clap::Command) -> Vec<OsString> {
    fn flags<'c>(command: &'c clap::Command, all: &mut BTreeSet<&'c str>) {
        for arg in command.get_arguments() {
            all.extend(arg.get_long());
            all.extend(arg.get_all_aliases().into_iter().flatten());
        }
        command.get_subcommands().for_each(|inner| flags(inner, all));
    }
    let mut known = BTreeSet::from(["help", "version"]);
    flags(command, &mut known);
    let nearly = |name: &str| {
        // A single letter is a short flag.
        let is_word = name.len() > 1 && name.starts_with(|c: char| c.is_ascii_alphabetic());
        is_word && suggest(name, known.iter().copied()).is_some()
    };
    if words.get(1).is_some_and(|word| word == "h") {
        words[1] = "help".into();
    }
    for word in words.iter_mut().skip(1).take_while(|word| *word != "--") {
        let Some(rest) = word.to_str().and_then(|word| word.strip_prefix('-')) else { continue };
        let name = rest.split_once('=').map_or(rest, |(name, _)| name);
        if known.contains(name) || nearly(name) {
            *word = format!("--{rest}").into();
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Cli, clap::Error> {
        parse(line.split(' ').map(OsString::from).collect())
    }

    #[test]
    fn the_command_is_well_made() {
        command().debug_assert();
    }

    #[test]
    fn one_dash_is_two_and_old_names_are_names() {
        let old = parsed(
            "dataflow-runner run -emr-config c -emr-playbook=s3/of/all/books.json --emr-cluster j -vars a,b -log-failed-steps",
        );
        let Command::Run(run) = old.expect("it parses").command else { panic!("another command") };
        assert_eq!(run.config.path, Some("c".into()));
        assert_eq!(run.playbook.path, Some("s3/of/all/books.json".into()));
        assert_eq!(run.cluster.id, Some("j".into()));
        assert_eq!(run.variables.vars.as_deref(), Some("a,b"));
        assert!(run.steps.log_failed_steps);
    }

    #[test]
    fn what_is_nearly_a_flag_is_told_with_the_one_that_was_meant() {
        for (line, meant) in [
            ("dataflow-runner run -emr-confg c", "--emr-config"),
            ("dataflow-runner run --emr-playbok p", "--emr-playbook"),
            ("dataflow-runner lint x -var-fle v", "--vars-file"),
            ("dataflow-runner lint x -vra v", "--vars"),
            ("dataflow-runner lnt x", "lint"),
        ] {
            let error = parsed(line).expect_err(line).to_string();
            assert!(error.contains(&format!("'{meant}'")), "{line}: {error}");
        }
    }

    #[test]
    fn a_tag_has_a_value() {
        for (cluster, good) in
            [("tag:a=b", true), ("tag:a=", true), ("tag:a", false), ("j-1", true)]
        {
            let line = format!("dataflow-runner down --config c --cluster {cluster}");
            assert_eq!(parsed(&line).is_ok(), good, "{cluster}");
        }
    }

    #[test]
    fn values_and_short_flags_keep_their_one_dash() {
        let words = ["x", "-h", "-v", "-1", "--", "-vars"].map(OsString::from).to_vec();
        assert_eq!(with_two_dashes(words.clone(), &command()), words);
    }

    #[test]
    fn every_flag_has_its_environment_variable() {
        let command = command();
        let inner = command.get_subcommands().flat_map(|command| command.get_subcommands());
        for command in command.get_subcommands().chain(inner) {
            for arg in command.get_arguments() {
                let Some(long) = arg.get_long() else { continue };
                let name = format!("DATAFLOW_RUNNER_{}", long.to_uppercase().replace('-', "_"));
                assert_eq!(arg.get_env(), Some(name.as_ref()), "--{long}");
            }
        }
    }
}
