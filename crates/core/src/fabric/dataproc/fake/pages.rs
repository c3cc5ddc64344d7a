//! Lists come in pages. A token is good for the very query that gave it.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::refusal::Refusal;

/// One page of `items`, which have keys in rising order, and the token of the next. `query` is all that was asked but
/// the token.
///
/// # Errors
/// The token is of another query.
pub(super) fn page<T>(
    query: &str,
    token: Option<&str>,
    size: usize,
    items: impl Iterator<Item = (String, T)>,
) -> Result<(Vec<T>, Option<String>), Refusal> {
    let query = hash(query);
    let after = match token.filter(|token| !token.is_empty()) {
        None => None,
        Some(token) => Some(
            read(token, query)
                .ok_or_else(|| Refusal::invalid(format!("Invalid page token '{token}'.")))?,
        ),
    };
    let behind = |(key, _): &(String, T)| after.as_ref().is_none_or(|after| key > after);
    let mut rest = items.filter(behind).peekable();
    let (mut page, mut last) = (Vec::new(), String::new());
    while let Some((key, item)) = rest.next_if(|_| page.len() < size.max(1)) {
        page.push(item);
        last = key;
    }
    let next =
        rest.peek().map(|_| format!("{query:016x}{}", crate::base64::encode(last.as_bytes())));
    Ok((page, next))
}

fn read(token: &str, query: u64) -> Option<String> {
    let (of, last) = token.split_at_checked(16)?;
    (u64::from_str_radix(of, 16).ok()? == query).then_some(())?;
    String::from_utf8(crate::base64::decode(last)?).ok()
}

fn hash(query: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    query.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(query: &str, token: Option<&str>) -> Result<(Vec<u32>, Option<String>), Refusal> {
        page(query, token, 2, (0..5).map(|n| (format!("{n}"), n)))
    }

    #[test]
    fn to_the_end() {
        let (first, token) = numbers("a", None).expect("a page");
        let (second, token) = numbers("a", token.as_deref()).expect("a page");
        let (last, end) = numbers("a", token.as_deref()).expect("a page");
        assert_eq!((first, second, last, end), (vec![0, 1], vec![2, 3], vec![4], None));
    }

    #[test]
    fn a_token_is_of_one_query() {
        let token = numbers("a", None).expect("a page").1.expect("more");
        for (query, token) in
            [("b", token.as_str()), ("a", "17"), ("a", "ü"), ("a", "0123456789abcdef!")]
        {
            assert_eq!(numbers(query, Some(token)).expect_err("refused").code, 400);
        }
    }
}
