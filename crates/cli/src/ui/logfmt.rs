//! Messages as 0.7.x wrote them where no terminal was, so that what reads its logs reads ours.

use jiff::Timestamp;

use super::escape;
use super::messages::{Message, time};
use crate::args::Level;

/// `time="…" level=info msg="…"`.
pub(super) fn line(message: &Message, at: Timestamp) -> String {
    let level = match message.level {
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warning => "warning",
        Level::Error => "error",
        Level::Fatal => "fatal",
        Level::Panic => "panic",
    };
    let at = time(at);
    format!("time=\"{at}\" level={level} msg={}\n", escape::quoted(&message.text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_what_0_7_wrote() {
        let message = Message { level: Level::Info, text: "Step 'a \"b\"\n' ended".into() };
        assert_eq!(
            line(&message, Timestamp::UNIX_EPOCH),
            "time=\"1970-01-01T00:00:00Z\" level=info msg=\"Step 'a \\\"b\\\"\\n' ended\"\n"
        );
    }
}
