//! How messages get to stderr.

use std::io::{self, Write};

use dataflow_runner_core::clock;
use indicatif::MultiProgress;
use jiff::Timestamp;

use super::messages::Message;
use super::{human, logfmt};
use crate::args::{Level, Output};

/// Says messages, from any thread.
#[derive(Clone, Debug)]
pub(crate) struct Voice {
    pub(super) output: Output,
    pub(super) level: Level,
    /// Whether stderr takes colours.
    pub(super) styled: bool,
    /// The live lines at the foot of it.
    screen: Option<MultiProgress>,
}

impl Voice {
    pub(super) fn new(
        output: Output,
        level: Level,
        styled: bool,
        screen: Option<MultiProgress>,
    ) -> Self {
        Self { output, level, styled, screen }
    }

    /// Says something that is not an event.
    pub(crate) fn message(&self, level: Level, text: impl Into<String>) {
        self.say(&Message { level, text: text.into() }, None);
    }

    pub(super) fn say(&self, message: &Message, at: Option<Timestamp>) {
        if message.level < self.level {
            return;
        }
        let line = match self.output {
            Output::Logfmt => logfmt::line(message, at.unwrap_or_else(clock::timestamp)),
            Output::Human | Output::Json => human::line(message, at, self.styled),
        };
        self.write(&line);
    }

    /// To stderr, past the live lines. What cannot be said there cannot be said anywhere.
    pub(super) fn write(&self, text: &str) {
        let write = || {
            let mut stderr = io::stderr().lock();
            let _ = stderr.write_all(text.as_bytes());
        };
        match &self.screen {
            Some(screen) => screen.suspend(write),
            None => write(),
        }
    }
}
