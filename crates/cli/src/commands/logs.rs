//! `logs`: what the steps of a run write, or have written.

mod follow;
mod which;

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use dataflow_runner_core::bell::Bell;
use dataflow_runner_core::clock::{self, Clock, add};
use dataflow_runner_core::diagnostic::{Diagnostic, Diagnostics, code};
use dataflow_runner_core::fabric::{self, Error, Fabric, LogFile};
use dataflow_runner_core::logs::look::{Look, Whose};
use dataflow_runner_core::logs::{self, Piece};
use dataflow_runner_core::report::{Report, Stand, StepReport};
use dataflow_runner_core::suggest::{list, suggest};

use super::asked::{Asked, TRIES, asked};
use super::runs::{self, Told};
use super::{Usage, credentials};
use crate::args::{self, Level};
use crate::exit::Exit;
use crate::logs::{Failed, To, Whole, say_cause};
use crate::target::{Around, Target};
use crate::ui::Ui;
use crate::ui::messages::with_hint;
use crate::{signal, state};
use which::Taken;

/// What ends the command before it is through.
pub(super) enum Stop {
    /// It is not clear what is wanted.
    Usage(Usage),
    /// All is said.
    Exit(Exit),
}

impl From<Usage> for Stop {
    fn from(usage: Usage) -> Self {
        Self::Usage(usage)
    }
}

pub(super) fn run(args: &args::RunLogs, global: &args::Global, ui: &mut Ui) -> Result<Exit, Usage> {
    match try_run(args, global, ui) {
        Ok(exit) | Err(Stop::Exit(exit)) => Ok(exit),
        Err(Stop::Usage(usage)) => Err(usage),
    }
}

fn try_run(args: &args::RunLogs, global: &args::Global, ui: &mut Ui) -> Result<Exit, Stop> {
    let told = runs::told(&args.run, global, ui)?.ok_or(Stop::Exit(Exit::Failed))?;
    let report = report(&told, ui)?;
    let step = args.step.as_deref().map(|given| which::step(given, &report.steps)).transpose()?;
    let bell = Arc::new(Bell::new());
    let fabric = reach(&told, args, global, &bell, ui)?;
    if let Err(error) = signal::ring(&bell, None) {
        ui.message(Level::Warning, format!("signals cannot be caught: {error}"));
    }
    let reader = Reader { args, fabric, bell };
    let taken = reader.taken(&report);
    if args.follow {
        let step = step.map(|step| step.id.clone());
        return follow::follow(&reader, told, step.as_deref(), ui);
    }
    let meant = match step {
        None => which::telling(&report.steps, &taken),
        Some(step) => match which::attempt(&step.id, args.attempt, &taken) {
            Some(one) => vec![one],
            None => return Err(not_begun(Some(step), &step.id, args.attempt, &taken, ui)),
        },
    };
    reader.show_all(&meant, &told, ui)
}

fn report(told: &Told, ui: &mut Ui) -> Result<Report, Stop> {
    Report::of(&told.contents, told.driven).map_err(|illegal| {
        ui.error(format!("the journal of run {} makes no sense: {illegal}", told.id));
        Stop::Exit(Exit::Failed)
    })
}

/// The fabric that a run is on; that it has what is wanted is asked first, as that takes nobody to be reached.
fn reach(
    told: &Told,
    args: &args::RunLogs,
    global: &args::Global,
    bell: &Arc<Bell>,
    ui: &mut Ui,
) -> Result<Arc<dyn Fabric>, Stop> {
    let header = &told.contents.header;
    let mut faults = Diagnostics::new();
    let config = args.config.path.as_deref();
    let access = credentials::of_files(header, told.folder(), config, &mut faults)?;
    if ui.faults(faults) {
        return Err(Stop::Exit(Exit::Invalid));
    }
    let fabric = |reach| {
        let state = state::folder(global.state_dir.as_ref(), &crate::env)?;
        let target = Target::reached(header, access.clone())?;
        let quota_factor = 1.0;
        target.fabric(&Around {
            state: &state,
            bell,
            reach,
            quota_factor,
            settle: None,
            poll: None,
            log_wait: None,
        })
    };
    let wrong = |fault: Diagnostic, ui: &mut Ui| {
        let mut faults = Diagnostics::new();
        faults.push(match fault.code {
            code::CREDENTIALS_NOT_KEPT => fault.help("name the cluster file with --config"),
            _ => fault,
        });
        ui.faults(faults);
        Stop::Exit(Exit::Invalid)
    };
    let on_paper = fabric(false).map_err(|fault| wrong(fault, ui))?;
    let fabric::Capabilities { fabric: name, logs, .. } = on_paper.capabilities();
    if let (true, fabric::Logs::Settles(delivery)) = (args.follow, logs) {
        let delivery = minutes(*delivery);
        let text = format!(
            "on `{name}` there are no logs of a step while it runs: they come within {delivery} minutes of its end; \
             without --follow what is there is shown"
        );
        return Err(Usage::new(text).into());
    }
    fabric(true).map_err(|fault| wrong(fault, ui))
}

fn minutes(time: Duration) -> u64 {
    time.as_secs().div_ceil(60)
}

/// Nothing is there of what is wanted.
fn not_begun(
    known: Option<&StepReport>,
    step: &str,
    attempt: Option<u32>,
    taken: &[Taken],
    ui: &mut Ui,
) -> Stop {
    let attempts = taken.iter().filter(|one| one.step == step).map(|one| one.attempt).max();
    match (attempt, attempts) {
        (Some(wanted), Some(last)) => {
            Usage::new(format!("step `{step}` had no attempt {wanted} yet; the last was {last}"))
                .into()
        }
        _ => {
            let reason = known.and_then(|known| known.reason.as_deref());
            let why = reason.map(|why| format!(", as {why}")).unwrap_or_default();
            ui.error(format!("step `{step}` has not begun{why}: there are no logs"));
            Stop::Exit(Exit::Failed)
        }
    }
}

/// Reads and prints logs.
struct Reader<'a> {
    args: &'a args::RunLogs,
    fabric: Arc<dyn Fabric>,
    bell: Arc<Bell>,
}

impl Reader<'_> {
    /// What the fabric took of a run.
    fn taken(&self, report: &Report) -> Vec<Taken> {
        which::taken(report, self.fabric.capabilities().pace.rings)
    }

    fn show_all(&self, meant: &[&Taken], told: &Told, ui: &mut Ui) -> Result<Exit, Stop> {
        if meant.is_empty() {
            ui.error(format!("no step of run {} has begun: there are no logs", told.id));
            return Ok(Exit::Failed);
        }
        let mut exit = Exit::Success;
        for one in meant {
            let shown = self.show(one, told.driven, ui)?;
            // The first that went wrong counts.
            if exit == Exit::Success {
                exit = shown;
            }
        }
        Ok(exit)
    }

    fn show(&self, one: &Taken, driven: bool, ui: &mut Ui) -> Result<Exit, Stop> {
        let state = self.state(one, driven);
        ui.message(Level::Info, line(one, state));
        let (files, complete) = self.files(one, state, ui)?;
        if files.is_empty() {
            ui.message(Level::Warning, self.none_yet(one, complete));
            return Ok(Exit::Failed);
        }
        let files = self.wanted(one, files)?;
        let copied = self.copy(one, &files, state == Stand::Failed, ui)?;
        if let Some(cause) = &copied.cause {
            say_cause(&failed(one), cause, ui);
        }
        if !complete {
            let more = match self.fabric.capabilities().logs {
                fabric::Logs::Live => "; --follow shows what comes",
                fabric::Logs::Settles(_) => "",
            };
            ui.message(Level::Warning, format!("The logs of step {} may go on{more}", one.id));
        }
        // What could not be read was said where it belongs.
        Ok(if copied.error.is_some() { Exit::Refused } else { Exit::Success })
    }

    /// As the journal tells; where nobody writes it any more, as the fabric does.
    fn state(&self, one: &Taken, driven: bool) -> Stand {
        if one.ended.is_some() || driven {
            return one.state;
        }
        let asked = self.fabric.poll(&one.cluster, std::slice::from_ref(&one.id));
        let status = asked.ok().and_then(|all| all.into_iter().next());
        status.map_or(one.state, |(_, status)| status.state.into())
    }

    /// The log files, and whether they are all there will be.
    fn files(&self, one: &Taken, state: Stand, ui: &mut Ui) -> Result<(Vec<LogFile>, bool), Stop> {
        let delivery = match self.fabric.capabilities().logs {
            fabric::Logs::Live => Duration::ZERO,
            fabric::Logs::Settles(delivery) => delivery,
        };
        let over = one.ended.map(|ended| add(ended, delivery));
        let wait = self.args.log_wait.unwrap_or_default();
        if let (Some(ended), Some(over)) = (one.ended, over)
            && over > clock::timestamp()
            && !wait.is_zero()
        {
            let whose = Whose::Step(one.cluster.clone(), one.id.clone());
            return self.wait(one, Look::new(whose, ended, wait.min(delivery)), ui);
        }
        let clock = Clock::machine(None);
        let files = asked(&self.bell, &clock, TRIES, || self.fabric.logs(&one.cluster, &one.id));
        match files {
            Ok(Asked::Answer(files)) => {
                let complete = match over {
                    Some(over) => over <= clock::timestamp(),
                    None => which::is_over(state) && delivery.is_zero(),
                };
                Ok((files, complete))
            }
            Ok(Asked::Signal(signal)) => Err(Stop::Exit(Exit::Signal(signal))),
            Err(error) => Err(refused(&error, ui)),
        }
    }

    /// Waits for logs that come late.
    fn wait(&self, one: &Taken, mut look: Look, ui: &mut Ui) -> Result<(Vec<LogFile>, bool), Stop> {
        let clock = Clock::machine(None);
        let mut told = false;
        loop {
            let mut go_on = || self.bell.pause(Duration::ZERO);
            match look.list(self.fabric.as_ref(), &clock, false, &mut go_on) {
                Some(Ok(listed)) => return Ok(listed),
                Some(Err(error)) => return Err(refused(&error, ui)),
                None => {}
            }
            if !std::mem::replace(&mut told, true) {
                let text = format!("Waiting for the logs of step {} (INT ends that)...", one.id);
                ui.message(Level::Info, text);
            }
            if let Some((signal, _)) = clock.wait(&self.bell, look.due()).signal {
                return Err(Stop::Exit(Exit::Signal(signal)));
            }
        }
    }

    /// Those of the files that are asked for.
    fn wanted(&self, one: &Taken, files: Vec<LogFile>) -> Result<Vec<LogFile>, Usage> {
        let Some(name) = &self.args.file else { return Ok(files) };
        let known = files.clone();
        let wanted = logs::named(files, name);
        if !wanted.is_empty() {
            return Ok(wanted);
        }
        let names = logs::names(&known);
        let help = match suggest(name, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("choose {}", list(names)),
        };
        Err(Usage::new(format!("step {} has no log `{name}`; {help}", one.id)))
    }

    /// Prints files from their beginning to their end.
    fn copy(
        &self,
        one: &Taken,
        files: &[LogFile],
        explain: bool,
        ui: &mut Ui,
    ) -> Result<logs::Copied, Stop> {
        let mut whole = Whole::new(format!("step {}", one.id), To::Stdout);
        let heard = Cell::new(true);
        let mut go_on = || heard.get() && self.bell.pause(Duration::ZERO);
        let copied =
            logs::copy(self.fabric.as_ref(), files, explain, &mut go_on, &mut |piece: Piece<
                '_,
            >| {
                whole.piece(piece, ui);
                heard.set(ui.is_heard());
            });
        self.stopped(ui)?;
        Ok(copied)
    }

    /// A signal, or nobody reads on.
    fn stopped(&self, ui: &Ui) -> Result<(), Stop> {
        if let Some((signal, _)) = self.bell.take().signal {
            return Err(Stop::Exit(Exit::Signal(signal)));
        }
        if ui.is_heard() { Ok(()) } else { Err(Stop::Exit(Exit::Success)) }
    }

    fn none_yet(&self, one: &Taken, complete: bool) -> String {
        match self.fabric.capabilities().logs {
            fabric::Logs::Settles(delivery) if !complete => {
                let minutes = minutes(delivery);
                format!(
                    "There are no logs for step {} yet: they come within {minutes} minutes of its end; \
                     --log-wait {minutes}m waits for them",
                    one.id
                )
            }
            _ => format!("There are no logs for step {}", one.id),
        }
    }
}

fn line(one: &Taken, state: Stand) -> String {
    format!("Step '{}' with id '{}': {}", one.name, one.id, state.word())
}

fn failed(one: &Taken) -> Failed {
    Failed {
        sentence: format!("Step '{}' with id '{}' failed", one.name, one.id),
        of: format!("step {}", one.id),
        link: one.link.clone(),
    }
}

fn refused(error: &Error, ui: &mut Ui) -> Stop {
    ui.error(with_hint(error));
    Stop::Exit(Exit::Refused)
}
