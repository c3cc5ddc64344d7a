//! `fixtures/gotemplate/messages.tsv`: everything that Go's text/template says is said by one of its goldens.

use super::golden::{Outcome, generated, text};

/// The constant parts of a format.
fn parts(format: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = format;
    while let Some((part, behind)) = rest.split_once('%') {
        parts.push(part);
        rest = behind.trim_start_matches('#').get(1..).unwrap_or_default();
    }
    parts.push(rest);
    parts
}

/// Whether `text` holds all parts, one behind the other.
fn has(text: &str, parts: &[&str]) -> bool {
    let mut rest = text;
    parts.iter().all(|part| match rest.split_once(part) {
        Some((_, behind)) => {
            rest = behind;
            true
        }
        None => false,
    })
}

#[test]
fn every_message_has_a_case() {
    let (_, cases) = generated();
    let errors: Vec<&str> = cases
        .iter()
        .filter_map(|made| match &made.outcome {
            Outcome::Err(error) => Some(&**error),
            _ => None,
        })
        .collect();
    let list = text("messages.tsv");
    let mut shown = 0;
    let mut silent = Vec::new();
    for line in list.lines().filter(|line| !line.starts_with('#')) {
        let (message, sample) = match line.split_once('\t') {
            Some((_, never)) if never.starts_with("never: ") => continue,
            Some((message, sample)) => (message, vec![sample]),
            None => (line, parts(line.split_once(": ").expect("FILE FUNCTION: FORMAT").1)),
        };
        assert!(sample.concat().len() > 5, "anything would do for {message}");
        shown += 1;
        if !errors.iter().any(|error| has(error, &sample)) {
            silent.push(line);
        }
    }
    assert_eq!(silent, Vec::<&str>::new());
    assert!(shown > 100, "{shown}");
}
