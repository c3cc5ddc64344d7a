//! Small readers of lines.

/// A line of evidence, and what is quoted in a sentence, has so many characters at most.
const SHORT: usize = 400;

/// How severe a line says it is, as Log4j and its like write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

impl Level {
    /// It need not have been the end of anything.
    pub(super) fn is_quiet(self) -> bool {
        self != Self::Error
    }
}

/// How severe a line says it is: one of its first words, as in `26/11/22 10:00:01 WARN TaskSetManager: …`.
pub(super) fn level(line: &str) -> Option<Level> {
    // A line that begins with a blank goes on with the one before.
    if line.starts_with([' ', '\t']) {
        return None;
    }
    line.split([' ', '[', ']', '|']).filter(|word| !word.is_empty()).take(6).find_map(|word| {
        Some(match word.trim_end_matches(':') {
            "TRACE" | "DEBUG" => Level::Debug,
            "INFO" => Level::Info,
            "WARN" | "WARNING" => Level::Warn,
            "ERROR" | "FATAL" => Level::Error,
            _ => return None,
        })
    })
}

/// A text that is not too long to read.
pub(super) fn short(text: &str) -> String {
    match text.char_indices().nth(SHORT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// What comes behind a text.
pub(super) fn after<'a>(line: &'a str, text: &str) -> Option<&'a str> {
    line.split_once(text).map(|(_, rest)| rest)
}

/// What stands between two texts.
pub(super) fn between<'a>(line: &'a str, before: &str, behind: &str) -> Option<&'a str> {
    Some(after(line, before)?.split_once(behind)?.0)
}

/// The first word of a text, without quotes and what ends a sentence.
pub(super) fn word(text: &str) -> Option<&str> {
    let text = text.trim_start_matches([' ', '"', '\'', '`', '[', '(', ':', '=']);
    let end = text.find([' ', '"', '\'', '`', ']', ')', ',', ';', '\t']).unwrap_or(text.len());
    let word = text[..end].trim_end_matches(['.', ':']);
    (!word.is_empty()).then_some(word)
}

/// The first word behind a text.
pub(super) fn word_after<'a>(line: &'a str, text: &str) -> Option<&'a str> {
    after(line, text).and_then(word)
}

/// The number behind a text, with its sign.
pub(super) fn number_after(line: &str, text: &str) -> Option<i32> {
    let rest = after(line, text)?.trim_start_matches([' ', ':', '\'', '"', '=']);
    let end = rest
        .char_indices()
        .find(|(at, c)| !(c.is_ascii_digit() || (*at == 0 && *c == '-')))
        .map_or(rest.len(), |(at, _)| at);
    rest[..end].parse().ok()
}

/// The first URI of a line.
pub(super) fn uri(line: &str) -> Option<&str> {
    let schemes =
        ["s3://", "s3a://", "s3n://", "hdfs://", "file:/", "gs://", "abfss://", "abfs://"];
    let at = schemes.iter().filter_map(|scheme| line.find(scheme)).min()?;
    word(&line[at..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_words_near_the_beginning() {
        for (line, level) in [
            ("26/11/22 10:00:01 WARN TaskSetManager: x", Some(Level::Warn)),
            ("2026-11-22 10:00:01,123 ERROR [main] a.B (C): x", Some(Level::Error)),
            ("2026-11-22 10:00:01,123 [main] INFO a.B - x", Some(Level::Info)),
            ("2026-11-22T10:00:01.123Z WARN Step failed", Some(Level::Warn)),
            ("INFO: x", Some(Level::Info)),
            ("\tat a.B.INFO", None),
            ("there was no ERRORs", None),
            ("a b c d e f ERROR", None),
        ] {
            assert_eq!(super::level(line), level, "{line}");
        }
    }

    #[test]
    fn words_numbers_and_uris_are_found() {
        assert_eq!(word("'a.b.C'. More"), Some("a.b.C"));
        assert_eq!(word("  "), None);
        assert_eq!(number_after("with ret '1'", "with ret"), Some(1));
        assert_eq!(number_after("exitCode: -104", "exitCode"), Some(-104));
        assert_eq!(number_after("exitCode: x", "exitCode"), None);
        assert_eq!(number_after("exitCode", "exitCode"), None);
        assert_eq!(number_after("exitCode 99999999999", "exitCode"), None);
        assert_eq!(uri("at hdfs://h:8020/a, s3://b/c"), Some("hdfs://h:8020/a"));
        assert_eq!(between("a(b)c", "(", ")"), Some("b"));
        assert_eq!(short(&"ñ".repeat(500)).chars().count(), SHORT + 1);
    }
}
