//! All that the program says: results on stdout, messages on stderr.

pub(crate) mod diagnostics;
pub(crate) mod diff;
pub(crate) mod escape;
mod human;
mod json;
mod logfmt;
mod mask;
pub(crate) mod messages;
mod progress;
mod sarif;
pub(crate) mod screen;
mod voice;

use std::io::{self, IsTerminal, Write};
use std::path::Path;

use dataflow_runner_core::diagnostic::{Diagnostics, Severity};
use dataflow_runner_core::event::Event;
use serde_json::Value;

use crate::args::{Global, Level, MessageFormat, Output};
use crate::sentry::trouble::Trouble;
use jiff::Timestamp;
pub(crate) use messages::signal_name;
use messages::{Message, Messages};
use progress::Progress;
use voice::Voice;

/// Where everything that is to be seen goes through.
#[derive(Debug)]
pub(crate) struct Ui {
    voice: Voice,
    /// How wide the terminal is, if stderr is one.
    width: Option<usize>,
    progress: Option<Progress>,
    messages: Messages,
    /// What went wrong, for who is to hear of it.
    trouble: Trouble,
    stdout: Stdout,
}

/// Stdout, until its reader is gone.
#[derive(Debug)]
enum Stdout {
    Open,
    /// The reader went away, which is its right.
    Closed,
    Failed(io::Error),
}

impl Ui {
    /// As the command line wants it.
    pub(crate) fn new(global: &Global) -> Self {
        let stderr = io::stderr();
        let terminal = stderr.is_terminal();
        let by_itself = if terminal { Output::Human } else { Output::Logfmt };
        let output = global.output.unwrap_or(by_itself);
        let human = output == Output::Human;
        let styled = human && anstream::AutoStream::choice(&stderr) != anstream::ColorChoice::Never;
        let progress = (human && terminal).then(Progress::default);
        let screen = progress.as_ref().map(Progress::screen);
        Self {
            voice: Voice::new(output, global.log_level, styled, screen),
            width: terminal_size::terminal_size_of(&stderr).map(|(width, _)| width.0.into()),
            progress,
            messages: Messages::new(human),
            trouble: Trouble::default(),
            stdout: Stdout::Open,
        }
    }

    /// How messages look.
    pub(crate) fn output(&self) -> Output {
        self.voice.output
    }

    /// For who has to say something from another thread.
    pub(crate) fn voice(&self) -> Voice {
        self.voice.clone()
    }

    /// What is known of the run so far.
    pub(crate) fn messages(&self) -> &Messages {
        &self.messages
    }

    /// What went wrong so far.
    pub(crate) fn trouble(&self) -> &Trouble {
        &self.trouble
    }

    /// From now on values of variables are not to be told to anybody elsewhere.
    pub(crate) fn hide<'a>(&mut self, variables: impl Iterator<Item = (&'a str, &'a Value)>) {
        self.trouble.hide(variables);
    }

    /// Prints a result, byte for byte.
    pub(crate) fn print(&mut self, result: &[u8]) {
        if !matches!(self.stdout, Stdout::Open) {
            return;
        }
        let mut stdout = io::stdout().lock();
        match stdout.write_all(result).and_then(|()| stdout.flush()) {
            Ok(()) => {}
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe => self.stdout = Stdout::Closed,
            Err(e) => self.stdout = Stdout::Failed(e),
        }
    }

    /// Prints a result that is one message of several: where logs are wanted, as one of those.
    pub(crate) fn line(&mut self, at: Timestamp, text: &str) {
        let message = Message { level: Level::Info, text: text.to_owned() };
        let line = match self.voice.output {
            Output::Logfmt => logfmt::line(&message, at),
            Output::Human | Output::Json => human::line(&message, Some(at), false),
        };
        self.print(line.as_bytes());
    }

    /// Whether results go to a terminal.
    pub(crate) fn prints_on_a_terminal() -> bool {
        io::stdout().is_terminal()
    }

    /// Whether somebody takes results.
    pub(crate) fn is_heard(&self) -> bool {
        matches!(self.stdout, Stdout::Open)
    }

    /// Whether every result was printed, or nobody wanted to read on. Else it says what went wrong.
    pub(crate) fn printed(&mut self) -> bool {
        if let Stdout::Failed(error) = &self.stdout {
            let text = format!("cannot write to stdout: {error}");
            self.error(text);
            return false;
        }
        true
    }

    /// Says something that is not an event.
    pub(crate) fn message(&mut self, level: Level, text: impl Into<String>) {
        self.voice.message(level, text);
    }

    /// Says what went wrong that is not an event, in words that may be told elsewhere.
    pub(crate) fn error(&mut self, text: impl Into<String>) {
        let text = text.into();
        self.trouble.error(&text);
        self.message(Level::Error, text);
    }

    /// Says what is wrong with the command line, however little else is to be said.
    pub(crate) fn usage(&mut self, text: &str) {
        self.voice.level = self.voice.level.min(Level::Error);
        self.message(Level::Error, text);
    }

    /// Whether somebody sits at a terminal who can be asked.
    pub(crate) fn is_watched(&self) -> bool {
        self.progress.is_some() && io::stdin().is_terminal()
    }

    /// Takes in what happened before, in silence.
    pub(crate) fn recall(&mut self, events: &[Event]) {
        for event in events {
            self.messages.of(event);
            if let Some(progress) = &mut self.progress {
                progress.event(event, &self.messages);
            }
        }
    }

    /// Says what happened.
    pub(crate) fn event(&mut self, event: &Event) {
        let messages = self.messages.of(event);
        self.trouble.event(event, &|step| self.messages.name(step).to_owned());
        if self.voice.output == Output::Json {
            self.print(json::event(event).as_bytes());
            return;
        }
        if let Some(progress) = &mut self.progress {
            progress.event(event, &self.messages);
        }
        for message in messages {
            self.voice.say(&message, Some(event.at));
        }
    }

    /// Shows all faults, sorted, and how many there are. Says whether any is an error.
    pub(crate) fn faults(&mut self, faults: Diagnostics) -> bool {
        if faults.is_empty() {
            return false;
        }
        let faults = faults.sorted();
        faults.iter().for_each(|fault| self.trouble.fault(fault.severity, fault.code));
        if self.voice.output == Output::Json {
            let lines: String = faults.iter().map(json::diagnostic).collect();
            self.print(lines.as_bytes());
        }
        let shown = diagnostics::render(&faults, self.voice.styled, self.width);
        self.voice.write(&shown);
        faults.iter().any(|fault| fault.severity == Severity::Error)
    }

    /// The same in another form; `file` is named where a fault has no place and the form needs one.
    pub(crate) fn faults_as(
        &mut self,
        faults: Diagnostics,
        form: MessageFormat,
        file: Option<&Path>,
    ) -> bool {
        if form == MessageFormat::Human {
            return self.faults(faults);
        }
        let faults = faults.sorted();
        let text = match form {
            MessageFormat::Sarif => {
                sarif::document(&faults, file, std::env::current_dir().ok().as_deref())
            }
            MessageFormat::Human | MessageFormat::Json => {
                faults.iter().map(json::diagnostic).collect()
            }
        };
        self.print(text.as_bytes());
        faults.iter().any(|fault| fault.severity == Severity::Error)
    }

    /// Shows a piece of text as it is, such as the content of a log file.
    pub(crate) fn text(&mut self, text: &str) {
        self.voice.write(text);
    }
}
