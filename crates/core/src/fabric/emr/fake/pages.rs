//! Lists come in pages, newest first. A marker is good for the very query that gave it.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::Value;

use super::refusal::Refusal;

/// One page of `items`, which are newest first and have a number that falls, and the marker of the next.
///
/// # Errors
/// The marker is of another query.
pub(super) fn page<T>(
    operation: &str,
    body: &Value,
    size: usize,
    items: impl Iterator<Item = (usize, T)>,
) -> Result<(Vec<T>, Option<String>), Refusal> {
    let query = query(operation, body);
    let below = match body["Marker"].as_str() {
        None => usize::MAX,
        Some(marker) => read(marker, query).ok_or_else(|| {
            Refusal::invalid("InvalidMarker", format!("Marker '{marker}' is not valid."))
        })?,
    };
    let mut rest = items.filter(|(number, _)| *number < below).peekable();
    let (mut page, mut last) = (Vec::new(), 0);
    while let Some((number, item)) = rest.next_if(|_| page.len() < size) {
        page.push(item);
        last = number;
    }
    Ok((page, rest.peek().map(|_| format!("{query:016x}{last:08x}"))))
}

fn read(marker: &str, query: u64) -> Option<usize> {
    let (of, last) = marker.split_at_checked(16)?;
    (u64::from_str_radix(of, 16).ok()? == query).then_some(())?;
    usize::from_str_radix(last, 16).ok()
}

/// The query without its marker.
fn query(operation: &str, body: &Value) -> u64 {
    let mut body = body.clone();
    if let Some(members) = body.as_object_mut() {
        members.remove("Marker");
    }
    let mut hasher = DefaultHasher::new();
    (operation, body.to_string()).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn numbers(body: &Value, all: usize) -> Result<(Vec<usize>, Option<String>), Refusal> {
        page("ListSteps", body, 50, (0..all).rev().map(|n| (n, n)))
    }

    #[test]
    fn newest_first_and_to_the_end() {
        let (first, marker) = numbers(&json!({"ClusterId": "j-1"}), 75).expect("a page");
        assert_eq!((first.len(), first[0], first[49]), (50, 74, 25));
        // What is new meanwhile moves nothing.
        let (rest, end) =
            numbers(&json!({"ClusterId": "j-1", "Marker": marker}), 80).expect("a page");
        assert_eq!((rest.len(), rest[0], rest[24], end), (25, 24, 0, None));
        assert_eq!(numbers(&json!({}), 50).expect("a page").1, None, "no page is empty");
    }

    #[test]
    fn a_marker_is_of_one_query() {
        let marker = numbers(&json!({"ClusterId": "j-1"}), 75).expect("a page").1.expect("more");
        for body in [
            json!({"ClusterId": "j-2", "Marker": marker}),
            json!({"ClusterId": "j-1", "StepStates": ["RUNNING"], "Marker": marker}),
            json!({"ClusterId": "j-1", "Marker": "50"}),
            json!({"ClusterId": "j-1", "Marker": "ü"}),
        ] {
            assert_eq!(numbers(&body, 75).expect_err("refused").code, "InvalidRequestException");
        }
    }
}
