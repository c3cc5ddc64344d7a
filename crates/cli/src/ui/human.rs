//! Messages for people.

use anstyle::{AnsiColor, Style};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::escape;
use super::messages::Message;
use crate::args::Level;

/// A message on a line: the local time of what happened, how severe it is, what it is.
pub(super) fn line(message: &Message, at: Option<Timestamp>, styled: bool) -> String {
    let mut line = String::new();
    if let Some(at) = at {
        let time = at.to_zoned(TimeZone::system()).strftime("%H:%M:%S").to_string();
        line += &painted(&time, Style::new().dimmed(), styled);
        line.push(' ');
    }
    if let Some((word, colour)) = word(message.level) {
        line += &painted(word, Style::new().bold().fg_color(Some(colour.into())), styled);
        line += ": ";
    }
    line += &escape::line(&message.text);
    line.push('\n');
    line
}

/// What happens needs no word before it.
fn word(level: Level) -> Option<(&'static str, AnsiColor)> {
    match level {
        Level::Debug => Some(("debug", AnsiColor::Blue)),
        Level::Info => None,
        Level::Warning => Some(("warning", AnsiColor::Yellow)),
        Level::Error | Level::Fatal | Level::Panic => Some(("error", AnsiColor::Red)),
    }
}

fn painted(text: &str, style: Style, styled: bool) -> String {
    if styled { format!("{style}{text}{style:#}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_only_where_they_are_wanted() {
        let message = Message { level: Level::Warning, text: "a\x1b[2J".into() };
        assert_eq!(line(&message, None, false), "warning: a\\x1b[2J\n");
        assert_eq!(line(&message, None, true), "\x1b[1m\x1b[33mwarning\x1b[0m: a\\x1b[2J\n");
    }
}
