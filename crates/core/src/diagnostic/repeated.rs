//! A fault that a template repeats, such as in each turn of a loop, is told once.

use std::collections::HashMap;

use super::{Diagnostic, Place};

/// So many of the others are named.
const MOST_NAMES: usize = 3;

/// Keeps the first of those that say the same of the same text of the user's own file. Where they say it of different
/// items of a list, which a template made of that text, the others are named.
pub(super) fn fold(sorted: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut kept: Vec<(Diagnostic, Vec<String>)> = Vec::with_capacity(sorted.len());
    let mut firsts: HashMap<_, Vec<usize>> = HashMap::new();
    for fault in sorted {
        let place = fault.place.as_ref().map(|p| (p.source.name().to_owned(), p.span));
        let firsts =
            firsts.entry((place, fault.code, any_item(&fault.message), fault.label.clone()));
        let firsts = firsts.or_default();
        match firsts.iter().find(|first| says_the_same(&kept[**first].0, &fault)) {
            Some(&first) => {
                let (told, others) = &mut kept[first];
                if told.message != fault.message
                    && let Some(item) = item(&fault.message)
                {
                    others.push(item.to_owned());
                }
            }
            None => {
                firsts.push(kept.len());
                kept.push((fault, Vec::new()));
            }
        }
    }
    kept.into_iter().map(|(fault, others)| with_others(fault, &others)).collect()
}

/// Whether the second of two that differ by the items of lists at most is the first once more.
fn says_the_same(first: &Diagnostic, next: &Diagnostic) -> bool {
    let rendered =
        |fault: &Diagnostic| fault.place.as_ref().and_then(|place: &Place| place.rendered);
    let is_made_again = rendered(first).is_some() && rendered(first) != rendered(next);
    first.message == next.message || (is_made_again && first.help == next.help)
}

fn with_others(fault: Diagnostic, others: &[String]) -> Diagnostic {
    if others.is_empty() {
        return fault;
    }
    let mut names: Vec<_> = others.iter().take(MOST_NAMES).map(|it| format!("`{it}`")).collect();
    if others.len() > MOST_NAMES {
        names.push(format!("{} more", others.len() - MOST_NAMES));
    }
    let names = match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => names.concat(),
    };
    fault.note(format!("the same is true of {names}"), None)
}

/// The name of an item of a list that a message speaks of, such as `data.steps[1].id`.
fn item(message: &str) -> Option<&str> {
    message.split('`').skip(1).step_by(2).find(|name| name.contains('['))
}

/// A message without the numbers of items of lists.
fn any_item(message: &str) -> String {
    let mut parts = message.split('[');
    let mut any = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        any.push('[');
        any.push_str(part.trim_start_matches(|c: char| c.is_ascii_digit()));
    }
    any
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::diagnostic::code;
    use crate::source::{Source, Span};

    fn fold_all(faults: &[(&str, u32, Option<&str>)]) -> Vec<(String, Vec<String>)> {
        let source = Arc::new(Source::new("a.json", "{{range .a}}text{{end}}"));
        let faults = faults.iter().map(|(message, rendered, help)| {
            let rendered = (*rendered > 0).then(|| Span::at(*rendered as usize));
            let place = Place { rendered, ..Place::new(&source, Span::new(12, 16)) };
            let fault = Diagnostic::error(code::WRONG_TYPE, *message).at(place);
            Diagnostic { help: help.map(str::to_owned), ..fault }
        });
        let told = fold(faults.collect()).into_iter();
        told.map(|it| (it.message, it.notes.into_iter().map(|note| note.message).collect()))
            .collect()
    }

    fn alone(message: &str) -> (String, Vec<String>) {
        (message.to_owned(), Vec::new())
    }

    #[test]
    fn what_a_loop_repeats_is_told_once() {
        let told = fold_all(&[
            ("`s[0].x` is `a[0]`", 1, None),
            ("`s[1].x` is `a[0]`", 2, None),
            ("another of `s[0]`", 1, None),
            ("`s[12].x` is `a[3]`", 3, None),
        ]);
        let others = vec!["the same is true of `s[1].x` and `s[12].x`".to_owned()];
        assert_eq!(told, [("`s[0].x` is `a[0]`".to_owned(), others), alone("another of `s[0]`")]);
        let many: Vec<_> = (0..12).map(|n| format!("a `field` of `s[{n}]`")).collect();
        let many: Vec<_> =
            many.iter().zip(1..).map(|(text, at)| (text.as_str(), at, None)).collect();
        let told = fold_all(&many);
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].1, ["the same is true of `s[1]`, `s[2]`, `s[3]` and 8 more"]);
    }

    #[test]
    fn what_is_not_made_again_or_needs_other_help_is_told_again() {
        let two = |first, second| fold_all(&[("`s[0]`", first, None), ("`s[1]`", second, None)]);
        assert_eq!(
            two(1, 1),
            [alone("`s[0]`"), alone("`s[1]`")],
            "of one place in what is rendered"
        );
        assert_eq!(two(0, 0), [alone("`s[0]`"), alone("`s[1]`")], "nothing is rendered");
        let told = fold_all(&[
            ("`s[0]`", 1, Some("a")),
            ("`s[1]`", 2, Some("b")),
            ("`s[2]`", 3, Some("b")),
        ]);
        let second = ("`s[1]`".to_owned(), vec!["the same is true of `s[2]`".to_owned()]);
        assert_eq!(told, [alone("`s[0]`"), second]);
        let told = fold_all(&[("a `s[0]`", 1, None), ("a `s[0]`", 2, None)]);
        assert_eq!(told, [alone("a `s[0]`")], "it is no other than the first");
        let told = fold_all(&[("same", 0, None), ("same", 0, None), ("same", 2, Some("help"))]);
        assert_eq!(told, [alone("same")], "the very words are told once");
    }
}
