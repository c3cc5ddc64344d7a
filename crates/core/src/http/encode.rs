//! Percent-encoding (RFC 3986, upper case), as AWS's signatures and Consul's keys want it.

use std::fmt::Write as _;

/// Encodes all but `A-Z a-z 0-9 - _ . ~`.
pub fn encode(text: &str) -> String {
    encode_but(text, "")
}

/// The same, and leaves slashes: for paths.
pub fn encode_path(path: &str) -> String {
    encode_but(path, "/")
}

/// Names and values to the query of a URL, in the order in which they are signed.
pub(crate) fn query<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let pairs = pairs.into_iter().map(|(name, value)| (encode(name), encode(value)));
    let mut pairs: Vec<_> = pairs.collect();
    pairs.sort();
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

/// Decodes what is encoded; what is not UTF-8 then is replaced, and what is no encoding stays.
pub fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let coded = (first == b'%').then_some(after).and_then(|it| it.get(..2));
        let byte = coded
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.unwrap_or(first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn encode_but(text: &str, but: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        let plain = byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
        if plain || but.as_bytes().contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        assert_eq!(encode("a b/ü+~"), "a%20b%2F%C3%BC%2B~");
        assert_eq!(encode_path("a b/ü"), "a%20b/%C3%BC");
        assert_eq!(decode("a%20b%2f%C3%BC+%zz%2"), "a b/ü+%zz%2");
        assert_eq!(query([("b", "2"), ("a", "x y"), ("a", "")]), "a=&a=x%20y&b=2");
    }
}
