//! Steps: started, found, asked for, stopped.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::command::{Invocation, Maker};
use super::places::{CONTROLLER, ClusterPlace, StepPlace, step_id};
use super::process::{self, Ending, FILES, Letter, Process, Wire};
use super::record::{self, End, How, Record};
use super::stop::Stopping;
use super::{Local, cluster, error, io_error, now, shim, time, watch};
use crate::crash;
use crate::fabric::{
    ClusterId, ErrorKind, Order, OrderedStep, Result, StepId, StepState, StepStatus,
};
use crate::shell;

/// A shim that has not claimed its step after so long is gone; if it is not, it finds the step void.
pub(super) const UNCLAIMED: Duration = Duration::from_secs(30);

const SUBMIT: &str = "start a step";
const POLL: &str = "look at a step";
const CANCEL: &str = "cancel a step";

impl Local {
    pub(super) fn start(&self, on: &ClusterId, order: &Order<'_>) -> Result<StepId> {
        let step = only(order)?;
        let id = step_id(order, step)?;
        let cluster = self.places.cluster(on)?;
        let place = cluster.step(&id)?;
        if cluster.stopping().exists() {
            return Err(error(ErrorKind::Conflict, SUBMIT, format!("cluster `{on}` goes down")));
        }
        let roots = self.roots.with_work(cluster.work());
        let maker = Maker::new(&self.toolbox, &roots, &self.program, Some(step.staged));
        let invocation = maker.invocation(step.step).map_err(|faults| {
            // Checked before anything started, so something went away since.
            let faults = faults.iter().filter(|fault| !fault.is_warning);
            let faults: Vec<_> = faults.map(|fault| fault.message(None)).collect();
            error(ErrorKind::Config, SUBMIT, faults.join("; "))
        })?;
        crash::point("local: before a step");
        match process::make_new_folder(&place.logs) {
            Err(err) if err.kind() == io::ErrorKind::AlreadyExists => {
                return Err(
                    error(ErrorKind::Conflict, SUBMIT, "its order was given before").in_doubt()
                );
            }
            // The logs of a cluster stay, so that its folder is gone shows below.
            made => made.map_err(|err| gone(on, &cluster, SUBMIT, &place.logs, err))?,
        }
        crash::point("local: the logs of a step are made");
        let started = self.spawn(on, &cluster, &place, step, &id, &invocation);
        match started {
            Ok(()) => Ok(id),
            Err(err) => {
                // Nothing was started, so nothing is to be found.
                _ = fs::remove_dir_all(&place.directory);
                _ = fs::remove_dir_all(&place.logs);
                Err(err)
            }
        }
    }

    fn spawn(
        &self,
        on: &ClusterId,
        cluster: &ClusterPlace,
        place: &StepPlace,
        step: &OrderedStep<'_>,
        id: &StepId,
        invocation: &Invocation,
    ) -> Result<()> {
        let directory = &place.directory;
        process::make_new_folder(directory)
            .map_err(|err| gone(on, cluster, SUBMIT, directory, err))?;
        crash::point("local: the folder of a step is made");
        for (name, file) in &invocation.files {
            let at = directory.join(name);
            process::link(file, &at).map_err(io_error(SUBMIT, &at))?;
        }
        let values: [OsString; 4] = [
            on.as_str().into(),
            step.step.id.as_str().into(),
            step.attempt.to_string().into(),
            cluster.work().into(),
        ];
        let log = |name: &str| {
            let path = place.logs.join(name);
            File::options().append(true).create(true).open(&path).map_err(io_error(SUBMIT, &path))
        };
        let names: Vec<_> = self.added.iter().map(String::as_str).chain(shim::VARIABLES).collect();
        let head = head(id, on, &place.directory, invocation, &names);
        let mut controller = log(CONTROLLER)?;
        controller
            .write_all(head.as_bytes())
            .map_err(io_error(SUBMIT, &place.logs.join(CONTROLLER)))?;
        let ahead = shim::arguments(place, self.grace, &self.here);
        let argv = invocation.argv.iter().map(|word| &word.value);
        let words = ahead.iter().chain(argv).map(OsString::as_os_str);
        let files = [controller, log("stdout")?, log("stderr")?];
        let order = Letter::of(values.iter().map(OsString::as_os_str).chain(words.clone()));
        crash::point("local: before a step is handed to a shim");
        match order {
            Some(order) => self.hand(&place.logs, &order, &files),
            None => self.start_for(&place.logs, &values, words, files),
        }
        .map_err(io_error(SUBMIT, &self.program))
    }

    /// Gives a step to a shim of ours that has none, or to a new one.
    fn hand(&self, logs: &Path, order: &Letter, files: &[File; FILES]) -> io::Result<()> {
        let send = |wire: &Wire| wire.send(order, files.each_ref());
        if self.watch.hand(logs, send) {
            crash::point("local: a step is handed to a shim");
            return Ok(());
        }
        let (wire, theirs) = Wire::pair()?;
        let mut child = self.shim(theirs, Stdio::null(), Stdio::null()).spawn()?;
        crash::point("local: a shim is started");
        if let Err(err) = send(&wire) {
            // It has nothing to do, nor will it.
            _ = child.kill();
            _ = child.wait();
            return Err(err);
        }
        crash::point("local: a new shim has its step");
        self.watch.server(logs, child, wire);
        Ok(())
    }

    /// Starts a shim for one step alone.
    fn start_for<'a>(
        &self,
        logs: &Path,
        values: &[OsString; 4],
        words: impl Iterator<Item = &'a OsStr>,
        [_, stdout, stderr]: [File; FILES],
    ) -> io::Result<()> {
        let mut command = self.shim(Stdio::null(), stdout.into(), stderr.into());
        command.args(words).envs(shim::VARIABLES.into_iter().zip(values));
        self.watch.child(logs, command.spawn()?);
        Ok(())
    }

    fn shim(&self, stdin: Stdio, stdout: Stdio, stderr: Stdio) -> Command {
        let mut command = Command::new(&self.program);
        command.arg(shim::ARGUMENT).env_clear().envs(self.toolbox.environment());
        command.stdin(stdin).stdout(stdout).stderr(stderr);
        command
    }

    pub(super) fn status(&self, on: &ClusterId, id: &StepId) -> Result<StepStatus> {
        let cluster = self.places.cluster(on)?;
        let place = cluster.step(id)?;
        let watched = self.watch.look(&place.logs);
        let runs = watched.as_ref().is_some_and(|watched| watched.ended.is_none());
        if let Some(status) = watched.as_ref().filter(|_| runs).and_then(|w| w.running.clone()) {
            return Ok(status);
        }
        let path = place.record();
        let record = match Record::read(&path) {
            Ok(record) => record,
            Err(err) if err.kind() == io::ErrorKind::InvalidData => {
                return Ok(unknown(
                    "DAMAGED",
                    format!("its record is damaged: `{}`", path.display()),
                    &place,
                ));
            }
            Err(err) => return Err(io_error(POLL, &path)(err)),
        };
        let status = match record {
            None if runs => status_of(StepState::Pending, "STARTING", &place),
            None => {
                self.unclaimed(on, &cluster, &place, watched.and_then(|w| w.ended).flatten())?
            }
            Some(record) => match told(&record, &place) {
                Some(status) => status,
                None if runs => {
                    let status = running(&record, &place);
                    if record.tool.is_some() {
                        self.watch.remember(&place.logs, &status);
                    }
                    return Ok(status);
                }
                None => self.looked_after(&record, &place)?,
            },
        };
        if status.state.is_final() {
            self.watch.forget(&place.logs);
        }
        Ok(status)
    }

    /// A step that nobody has claimed (yet).
    fn unclaimed(
        &self,
        on: &ClusterId,
        cluster: &ClusterPlace,
        place: &StepPlace,
        shim: Option<String>,
    ) -> Result<StepStatus> {
        if !place.logs.exists() {
            if !cluster.logs.exists() && !self.places.root().exists() {
                return Ok(unknown(
                    "GONE",
                    format!(
                        "the work folder `{}` is gone, and with it the record of how the step ended",
                        self.places.root().display()
                    ),
                    place,
                ));
            }
            if !cluster.logs.exists() {
                return Err(cluster::not_found(on));
            }
            return Ok(unknown(
                "GONE",
                format!("there is no record of it: `{}`", place.logs.display()),
                place,
            ));
        }
        let why = match shim {
            // It was our child, and is dead: nothing has begun, and nothing will.
            Some(how) => format!("its shim ended before it began the step: {how}"),
            None => match self.starting(place)? {
                Some(status) => return Ok(status),
                None => "no shim came for it".to_owned(),
            },
        };
        let path = place.record();
        record::fence(&path, &why).map_err(io_error(POLL, &path))?;
        // Void now, or claimed in the last moment.
        let record = read(&path, POLL)?.unwrap_or_default();
        let starting = || status_of(StepState::Pending, "STARTING", place);
        Ok(told(&record, place).unwrap_or_else(starting))
    }

    /// A step that was handed to a shim of which nothing is known, such as that of a program that is gone: it may just
    /// be about to claim it. `None`: it had its time.
    fn starting(&self, place: &StepPlace) -> Result<Option<StepStatus>> {
        let Some(left) = UNCLAIMED.checked_sub(age(&place.logs)?) else { return Ok(None) };
        self.watch.claim(place, left);
        Ok(Some(status_of(StepState::Pending, "STARTING", place)))
    }

    /// A step whose shim is not known to run: it belongs to another program, or is gone.
    fn looked_after(&self, record: &Record, place: &StepPlace) -> Result<StepStatus> {
        let Some(shim) = &record.shim else {
            let empty = || unknown("UNCLAIMED", "its record is empty".to_owned(), place);
            return Ok(self.starting(place)?.unwrap_or_else(empty));
        };
        if shim.machine != self.here {
            let why = "the machine was started anew, or it runs in another container".to_owned();
            return Ok(unknown("ELSEWHERE", why, place));
        }
        let path = place.record();
        if let Some(process) = Process::find(shim.process)
            && shim.attends(&path)
        {
            self.watch.process(place, shim, process);
            return Ok(running(record, place));
        }
        // It may have told between our two looks.
        let record = read(&path, POLL)?.unwrap_or_default();
        Ok(told(&record, place).unwrap_or_else(|| {
            let left = record.tool.filter(|tool| tool.process.is_alive());
            let left = left.map_or_else(String::new, |tool| {
                format!("; its program still runs as process {}", tool.process.pid)
            });
            let why = format!("its shim is gone without telling how the step ended{left}");
            unknown("LOST", why, place)
        }))
    }

    pub(super) fn ask_to_stop(&self, on: &ClusterId, ids: &[StepId]) -> Result<()> {
        let cluster = self.places.cluster(on)?;
        let asked = Instant::now();
        let mut orphans = Vec::new();
        for id in ids {
            let place = cluster.step(id)?;
            let path = place.record();
            let ended = |record: &Record| record.end.is_some() || record.void.is_some();
            // A record that makes no sense tells of nobody who could be asked.
            if Record::read(&path).is_ok_and(|record| record.as_ref().is_some_and(ended)) {
                continue;
            }
            // First the marker, then the look: a shim that we do not find finds it.
            let marker = place.cancel();
            crash::point("local: before a step is to stop");
            if let Err(err) = fs::write(&marker, "") {
                // Its folder may have vanished under it; if it is ours, we know whom to ask all the same.
                let asked = self.ask_watched(&place.logs);
                if asked.is_empty() {
                    return Err(gone(on, &cluster, CANCEL, &marker, err));
                }
            }
            crash::point("local: a step is to stop");
            if let Ok(Some(record)) = Record::read(&path)
                && let Some(stopping @ Stopping::Orphans(..)) =
                    Stopping::ask(&record, &path, &self.here)
            {
                orphans.push(stopping);
            }
        }
        crash::point("local: the steps are asked to stop");
        if orphans.is_empty() {
            return Ok(());
        }
        // Nobody but us looks after them.
        let grace = self.grace;
        watch::start(move || orphans.iter().for_each(|step| step.finish(asked, grace)))
            .map_err(io_error(CANCEL, &cluster.logs))
    }

    /// Asks the steps to stop that this program watches, of one step's or one cluster's folder of logs.
    pub(super) fn ask_watched(&self, logs: &Path) -> Vec<Stopping> {
        let shims = self.watch.running(logs).into_iter();
        shims.filter_map(|shim| Stopping::ask_shim(shim, &self.here)).collect()
    }
}

/// What a record tells for good; `None`: nothing yet.
fn told(record: &Record, place: &StepPlace) -> Option<StepStatus> {
    if let Some(why) = &record.void {
        // Whoever gave it up, somebody had asked for it.
        let (state, native) = match place.cancel().exists() {
            true => (StepState::Cancelled, "CANCELLED"),
            false => (StepState::Failed, "VOID"),
        };
        return Some(StepStatus { reason: Some(why.clone()), ..status_of(state, native, place) });
    }
    let End { at, how, cancelled } = record.end.as_ref()?;
    let (state, native) = match how {
        _ if *cancelled => (StepState::Cancelled, "CANCELLED"),
        How::Ran(Ending::Exited(0)) => (StepState::Succeeded, "EXITED"),
        How::Ran(Ending::Exited(_)) => (StepState::Failed, "EXITED"),
        How::Ran(Ending::Killed(_)) => (StepState::Failed, "KILLED"),
        How::Unstarted(_) => (StepState::Failed, "NOT_STARTED"),
    };
    let (exit_code, reason) = match how {
        How::Ran(ending @ Ending::Killed(_)) => (None, Some(shim::sentence(*ending, false))),
        How::Ran(Ending::Exited(code)) => (Some(*code), None),
        How::Unstarted(why) => (None, Some(why.clone())),
    };
    let ended = Timestamp::from_millisecond(*at).ok();
    Some(StepStatus { exit_code, reason, ended, ..begun(state, native, record, place) })
}

fn running(record: &Record, place: &StepPlace) -> StepStatus {
    begun(StepState::Running, "RUNNING", record, place)
}

fn begun(state: StepState, native: &str, record: &Record, place: &StepPlace) -> StepStatus {
    let started = record.tool.and_then(|tool| Timestamp::from_millisecond(tool.started).ok());
    StepStatus { started, ..status_of(state, native, place) }
}

fn unknown(native: &str, why: String, place: &StepPlace) -> StepStatus {
    StepStatus { reason: Some(why), ..status_of(StepState::Unknown, native, place) }
}

fn status_of(state: StepState, native: &str, place: &StepPlace) -> StepStatus {
    let link = Some(place.logs.display().to_string());
    StepStatus { link, ..StepStatus::new(state, native) }
}

/// The one step of an order: there is no queue here.
pub(super) fn only<'a, 'o>(order: &'o Order<'a>) -> Result<&'o OrderedStep<'a>> {
    match &order.steps[..] {
        [step] => Ok(step),
        steps => {
            let message = format!("an order is one step here, not {}", steps.len());
            Err(error(ErrorKind::Unsupported, SUBMIT, message))
        }
    }
}

pub(super) fn read(path: &Path, operation: &'static str) -> Result<Option<Record>> {
    match Record::read(path) {
        // Damaged is claimed, and nothing more.
        Err(err) if err.kind() == io::ErrorKind::InvalidData => Ok(Some(Record::default())),
        read => read.map_err(io_error(operation, path)),
    }
}

/// How long ago a folder was made, whichever way the clock was set since.
pub(super) fn age(folder: &Path) -> Result<Duration> {
    let made =
        folder.metadata().and_then(|meta| meta.modified()).map_err(io_error(POLL, folder))?;
    let made = Timestamp::try_from(made).unwrap_or(Timestamp::MIN);
    Ok(Duration::from_millis(made.as_millisecond().abs_diff(now())))
}

/// An error of a file, told apart from a cluster that is not there.
pub(super) fn gone(
    on: &ClusterId,
    cluster: &ClusterPlace,
    operation: &'static str,
    path: &Path,
    err: io::Error,
) -> crate::fabric::Error {
    if err.kind() == io::ErrorKind::NotFound && !cluster.folder.exists() {
        return cluster::not_found(on);
    }
    io_error(operation, path)(err)
}

/// The beginning of the controller log.
fn head(
    id: &StepId,
    on: &ClusterId,
    directory: &Path,
    invocation: &Invocation,
    environment: &[&str],
) -> String {
    let words: Vec<_> = invocation.argv.iter().map(|word| shell::word(word.written())).collect();
    format!(
        "{} {id} on {on}\n  run: {}\n  in: {}\n  environment added: {}\n",
        time(now()),
        words.join(" "),
        directory.display(),
        environment.join(", ")
    )
}
