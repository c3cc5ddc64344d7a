//! What looks wrong in any text of a file.

use super::{Context, Lints};
use crate::diagnostic::{Diagnostic, code};
use crate::source::Span;

/// A text with fewer letters and digits is punctuation, in which spaces may be meant.
const LETTERS: usize = 3;

pub(super) fn check(span: Span, context: Context, lints: &mut Lints<'_, '_>) {
    let document = lints.document;
    let Some(inner) = document.text().get(span.start as usize + 1..(span.end as usize).max(1) - 1)
    else {
        return;
    };
    let start = span.start as usize + 1;
    s3n(inner, start, lints);
    let trimmed = inner.trim();
    let letters = || trimmed.chars().filter(|c| c.is_alphanumeric()).count();
    if !context.foreign && trimmed.len() < inner.len() && letters() >= LETTERS {
        let before = inner.len() - inner.trim_start().len();
        let behind = inner.trim_end().len();
        let (at, where_) = if before > 0 {
            (Span::new(start, start + before), "begins")
        } else {
            (Span::new(start + behind, start + inner.len()), "ends")
        };
        // A space that a template makes is not for the file to take out.
        if document.is_literal(at) {
            let message = format!("a text that {where_} with a space");
            let fault = Diagnostic::warning(code::STRAY_SPACE, message);
            lints.warn(at, fault.help("take the space out: it is part of the name"));
        }
    }
}

/// Hadoop's client for `s3n://` is gone (<https://hadoop.apache.org/docs/r3.1.1/hadoop-aws/tools/hadoop-aws/s3n.html>),
/// and EMR recommends `s3://`
/// (<https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-plan-file-systems.html>). Nothing is said of `s3a://`,
/// which is what EMR itself has used since release 7.10.0
/// (<https://docs.aws.amazon.com/emr/latest/ReleaseGuide/emr-s3a-migrate.html>).
fn s3n(text: &str, start: usize, lints: &mut Lints<'_, '_>) {
    const SCHEME: &str = "s3n";
    for (colon, _) in text.match_indices(':') {
        let Some(before) = text[..colon].strip_suffix(SCHEME) else { continue };
        let begins = !before.ends_with(|c: char| c.is_ascii_alphanumeric());
        if !begins || !text[colon..].starts_with("://") {
            continue;
        }
        let fault = Diagnostic::warning(code::S3N_URI, "`s3n://` is a scheme of the past")
            .help("write `s3://` on EMR, `s3a://` elsewhere: Hadoop's client for `s3n://` was taken out in Hadoop 3");
        lints.warn(Span::new(start + before.len(), start + colon + "://".len()), fault);
    }
}
