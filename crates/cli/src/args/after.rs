//! What the help texts say behind the flags.

/// Behind the flags of the program.
pub(super) const HELP: &str = "\
Flags take one or two dashes. Each can be set by an environment variable: --state-dir by
DATAFLOW_RUNNER_STATE_DIR, and so on. The command line wins.

Exit codes:
    0  every step succeeded, or a no-op rule ended the run early (see --noop-exit-code)
    1  the run failed: a step failed, was cancelled or timed out; the cluster failed
    2  wrong usage of the command line
    3  a configuration or playbook is invalid; nothing was sent
    4  the fabric could not be reached or refused us; nothing is running because of this run
    5  in doubt: something may be running; the message says what and how to look
   17  the lock is held by another
  129  ended by SIGHUP: everything was left as it is
  130  ended by SIGINT, after cancelling what ran
  143  ended by SIGTERM, after cancelling what ran

Examples:
  dataflow-runner lint cluster.json playbook.json
  dataflow-runner plan --config cluster.json --playbook playbook.json
  dataflow-runner run-transient --config cluster.json --playbook playbook.json --var day=2026-11-22
  id=$(dataflow-runner up --config cluster.json)
  dataflow-runner run --config cluster.json --cluster \"$id\" --playbook playbook.json
  dataflow-runner down --config cluster.json --cluster \"$id\"";

/// Behind the flags of a command, by its words.
pub(super) fn of(command: &str) -> Option<&'static str> {
    AFTER.iter().find(|(of, _)| *of == command).map(|(_, text)| *text)
}

/// The same of each command: examples, and how it may end.
const AFTER: [(&str, &str); 22] = [
    (
        "up",
        "\
Examples:
  id=$(dataflow-runner up --config cluster.json)

Exit codes: 0 it is up, 1 it failed, 2 wrong usage, 3 invalid files, 4 refused, 5 in doubt,
129, 130, 143 ended by a signal. `dataflow-runner --help` says more.",
    ),
    (
        "run",
        "\
Examples:
  dataflow-runner run --config cluster.json --cluster \"$id\" --playbook playbook.json
  dataflow-runner run --config cluster.json --cluster \"$id\" --playbook playbook.json --output json

Exit codes: 0 success, 1 a step failed, 2 wrong usage, 3 invalid files, 4 refused, 5 in doubt,
17 locked, 129, 130, 143 ended by a signal. `dataflow-runner --help` says more.",
    ),
    (
        "down",
        "\
Examples:
  dataflow-runner down --config cluster.json --cluster \"$id\"
  dataflow-runner down --run last

With --run the cluster is found by what the run's journal says. A run that is still driven is not
touched: `cancel` ends it. A key that is written in a file is in no journal: it is taken from that
file until the run has succeeded; after that, name a cluster file and the cluster instead.

Exit codes: 0 it is down, 1 it failed, 2 wrong usage, 3 invalid files, 4 refused, 5 in doubt,
129, 130, 143 ended by a signal. `dataflow-runner --help` says more.",
    ),
    (
        "run-transient",
        "\
Examples:
  dataflow-runner run-transient --config cluster.json --playbook playbook.json
  dataflow-runner run-transient --config cluster.json --playbook playbook.json --var day=2026-11-22

Exit codes: 0 success, 1 a step or the cluster failed, 2 wrong usage, 3 invalid files, 4 refused,
5 in doubt, 17 locked, 129, 130, 143 ended by a signal. `dataflow-runner --help` says more.",
    ),
    (
        "attach",
        "\
Examples:
  dataflow-runner attach
  dataflow-runner attach r-20261122T1015

Asks the fabric what became of what was ordered, and goes on from there. A step that is done never
runs again.

Exit codes: those the run itself would have had; 17 another process drives it.",
    ),
    (
        "resume",
        "\
Examples:
  dataflow-runner resume last
  dataflow-runner resume nightly --skip cleanup
  dataflow-runner resume r-20261122T1015 --playbook mended.json --accept-changes

What is done stays done, the rest runs: on the same cluster, or on a new one where the run brings
its own up. A step whose end nobody can tell is named: --skip says that it is done, --from and
--only that it is to run again.

Exit codes: those of the run; 17 another process drives it.",
    ),
    (
        "cancel",
        "\
Examples:
  dataflow-runner cancel last
  dataflow-runner cancel r-20261122T1015

A living driver is asked to do it; without one, this program does it itself.

Exit codes: 0 nothing runs any more because of the run, 1 its journal cannot be read, 2 no such
run, 4 the fabric refused, 5 in doubt, 17 another process drives it and cannot be asked.",
    ),
    ("init", super::init::AFTER),
    ("lint", super::lint::AFTER),
    ("fmt", super::fmt::AFTER),
    (
        "render",
        "\
Examples:
  dataflow-runner render playbook.json --var day=2026-11-22

The text is printed byte for byte, secrets included.

Exit codes: 0 it is printed, 1 it cannot be written, 2 wrong usage, 3 an error in the file.",
    ),
    (
        "plan",
        "\
Examples:
  dataflow-runner plan --config cluster.json --playbook playbook.json
  dataflow-runner plan --config cluster.json --playbook playbook.json --json

Exit codes: 0 it could be run, 1 it cannot be written, 2 wrong usage, 3 invalid files.",
    ),
    (
        "export",
        "\
Examples:
  dataflow-runner export --to dataproc-workflow --config cluster.json --playbook playbook.json > words.json
  gcloud dataproc workflow-templates import words --region europe-west1 --source words.json

Exit codes: 0 it is written, 1 it cannot be written, 2 wrong usage, 3 invalid files, or what another form cannot say.",
    ),
    (
        "runs",
        "\
Examples:
  dataflow-runner runs
  dataflow-runner runs --state running --state left --since 48h
  dataflow-runner runs --json
  dataflow-runner runs --orphans
  dataflow-runner runs --orphans --config cluster.json --json
  dataflow-runner runs prune --dry-run

With --orphans the fabrics are asked that the journals of this folder name, and that of --config.
EMR is asked about each cluster that is up, since only so it tells what a cluster came from.

Exit codes: 0 they are listed, 1 they cannot be read or written, 2 wrong usage; with --orphans also
3 invalid file, 4 a fabric cannot be reached or refused (what the others tell is listed).",
    ),
    (
        "runs prune",
        "\
Examples:
  dataflow-runner runs prune
  dataflow-runner runs prune --older-than 7d --keep 100 --dry-run

A run that is driven stays, and so does one whose cluster may be up. On this machine the logs of its
steps go with a run, once their cluster is gone, and staged files that no run needs any more.

Exit codes: 0 they are removed, 1 something cannot be removed, 2 wrong usage.",
    ),
    (
        "status",
        "\
Examples:
  dataflow-runner status
  dataflow-runner status r-20261122T1015
  dataflow-runner status nightly --watch
  dataflow-runner status last --json

RUN is an id, `last`, the name of a run (the newest of that name), or the beginning of an id.

Exit codes: 0 it is shown, however the run stands, 1 it cannot be read or written, 2 wrong usage or
no such run; with --watch 129, 130, 143 the watching was ended by a signal: the run goes on.",
    ),
    (
        "report",
        "\
Examples:
  dataflow-runner report
  dataflow-runner report nightly
  dataflow-runner report last --json

Every attempt of every step with its times, ids and reasons, and all else that the journal holds.
RUN is as for `status`.

Exit codes: 0 it is shown, however the run stands, 1 it cannot be read or written, 2 wrong usage or
no such run.",
    ),
    (
        "logs",
        "\
Examples:
  dataflow-runner logs
  dataflow-runner logs last load --file stderr | less
  dataflow-runner logs r-20261122T1015 --follow
  dataflow-runner logs last load --attempt 1 > load.log

Without STEP: all steps that failed; if none has, the one that began last. With --follow and
without STEP: the step that runs, or the next that begins; once the run has ended, as without
--follow. An interrupt ends only the looking: the run goes on.

What the step wrote goes to stdout as it is, unpacked; on a terminal, what would act on it is shown
by its number. Which log it is, and the probable cause of a failure, go to stderr. Nothing but the
run's journal is needed to find them: no file, and no program that drives the run. But a key that
is written in a file is in no journal: it is taken from that file until the run has succeeded; after
that, name a cluster file that has it with --config.

Exit codes: 0 they are printed, 1 there are none, or they cannot be read or written, 2 wrong usage,
no such run, step or log, 3 what is set does not lead there, such as missing credentials, 4 the
fabric could not be reached or refused, 129, 130, 143 ended by a signal.",
    ),
    (
        "lock",
        "\
Examples:
  dataflow-runner lock status --lock /var/lock/nightly
  dataflow-runner lock break --lock locks/nightly --consul consul.example:8500

Exit codes: 0 it is free, 2 wrong usage, 3 there can be no such lock, 4 Consul cannot be reached or
refused, 17 it is held.",
    ),
    (
        "lock status",
        "\
Examples:
  dataflow-runner lock status --lock /var/lock/nightly
  dataflow-runner lock status --lock locks/nightly --consul consul.example:8500 --json

Exit codes: 0 it is free, 2 wrong usage, 3 there can be no such lock, 4 Consul cannot be reached or
refused, 17 it is held.",
    ),
    (
        "lock break",
        "\
Examples:
  dataflow-runner lock break --lock /var/lock/nightly
  dataflow-runner lock break --lock locks/nightly --consul consul.example:8500 --yes

A run that still holds it goes on, without it.

Exit codes: 0 it is free, 2 wrong usage, 3 it cannot be freed, 4 Consul cannot be reached or
refused, 17 it is still held.",
    ),
    (
        "schema",
        "\
Examples:
  dataflow-runner schema
  dataflow-runner schema PlaybookConfig/2-0-0
  dataflow-runner schema --json-schema PlaybookConfig/2-0-0 > playbook.schema.json

Exit codes: 0 it is printed, 1 it cannot be written, 2 no such schema.",
    ),
];
