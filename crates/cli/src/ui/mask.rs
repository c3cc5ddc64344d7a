//! Stars out the literal credentials of a piece of a file, before anybody is shown it.

use dataflow_runner_core::suggest::suggest;

/// The piece with its literal credentials starred out, byte for byte, so that places stay right.
///
/// The piece may be cut out anywhere and is quite likely wrong, as it is shown because of a fault: keys may be
/// misspelt, without quotes or in single ones, values unclosed or no strings. Template actions stay: what they
/// say is not the secret, and the fault may be theirs.
pub(super) fn masked(text: &str) -> String {
    let mut masked = text.as_bytes().to_vec();
    let mut from = 0;
    while let Some(colon) = text[from..].find(':').map(|at| from + at) {
        from = colon + 1;
        if is_credential(key_before(&text[..colon])) {
            let end = star_out(text, from, &mut masked);
            from = from.max(end);
        }
    }
    // Only whole values are starred out, and between characters.
    String::from_utf8(masked).unwrap_or_default()
}

/// The key that stands before a colon, without its quotes.
fn key_before(text: &str) -> &str {
    let text = text.trim_end();
    let text = text.strip_suffix(['"', '\'']).unwrap_or(text);
    let part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    &text[text.trim_end_matches(part).len()..]
}

/// Whether a key looks like one whose value is to be kept secret.
fn is_credential(key: &str) -> bool {
    let plain = |c: &char| c.is_alphanumeric();
    let lower: String = key.chars().filter(plain).flat_map(char::to_lowercase).collect();
    let parts = ["accesskey", "secret", "password", "passwd", "token"];
    parts.iter().any(|part| lower.contains(part))
        || suggest(key, ["accessKeyId", "secretAccessKey"]).is_some()
}

/// Stars out the value that begins at `from`; says where it ends.
fn star_out(text: &str, from: usize, masked: &mut [u8]) -> usize {
    let mut at = from + text[from..].len() - text[from..].trim_start().len();
    // The words of 0.7.x for other sources of credentials are none.
    let words = ["\"iam\"", "\"env\"", "\"default\"", "null"];
    if let Some(word) = words.iter().find(|word| text[at..].starts_with(**word)) {
        return at + word.len();
    }
    let quote = text[at..].chars().next().filter(|c| matches!(c, '"' | '\''));
    at += usize::from(quote.is_some());
    let bytes = text.as_bytes();
    while at < bytes.len() {
        let ends = match quote {
            Some(quote) => bytes[at] == quote as u8,
            None => matches!(bytes[at], b',' | b'}' | b'\n'),
        };
        if let Some(action) = text.get(at..).filter(|rest| rest.starts_with("{{")) {
            at += action.find("}}").map_or(action.len(), |end| end + 2);
            continue;
        }
        if ends {
            break;
        }
        // What is escaped ends nothing.
        let length = if bytes[at] == b'\\' && quote.is_some() { 2 } else { 1 };
        for byte in masked.iter_mut().skip(at).take(length).filter(|byte| **byte != b'\n') {
            *byte = b'*';
        }
        at += length;
    }
    // An escape may go over the first byte of a character; the rest of it goes, too.
    while at < text.len() && !text.is_char_boundary(at) {
        masked[at] = b'*';
        at += 1;
    }
    at.min(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literal_credentials_are_starred_out() {
        for (text, shown) in [
            (
                r#"{"accessKeyId": "AKIA1", "SecretAccessKey" :"s/+", "x": "y"}"#,
                r#"{"accessKeyId": "*****", "SecretAccessKey" :"***", "x": "y"}"#,
            ),
            (r#""accessKeyId": "env","#, r#""accessKeyId": "env","#),
            (r#""secretAccessKey": ñab"#, r#""secretAccessKey": ****"#),
            // Misspelt, in the wrong quotes, without quotes.
            (r#""secretAccesKey": "a", "x": 1"#, r#""secretAccesKey": "*", "x": 1"#),
            (r#""acessKyId": "a""#, r#""acessKyId": "*""#),
            (r"'secretAccessKey': 'a\'b', 'x': 'y'", r"'secretAccessKey': '****', 'x': 'y'"),
            (
                r#"{accessKeyId: "a", secretAccessKey: 12}"#,
                r#"{accessKeyId: "*", secretAccessKey: **}"#,
            ),
            // Commas and quotes are part of a string.
            (r#""secretAccessKey": "a,b\"c", "x": 1"#, r#""secretAccessKey": "******", "x": 1"#),
            (r#""secretAccessKey": "\ñb", "x": 1"#, r#""secretAccessKey": "****", "x": 1"#),
            (r#""secretAccessKey": "abc"#, r#""secretAccessKey": "***"#),
            // No strings.
            (r#""secretAccessKey": ["a"], "x": 1"#, r#""secretAccessKey": *****, "x": 1"#),
            ("\"secretAccessKey\": hunter2\n \"x\": 1", "\"secretAccessKey\": *******\n \"x\": 1"),
            // In the properties of others.
            (
                r#""fs.s3a.secret.key": "a", "DB_PASSWORD":"b""#,
                r#""fs.s3a.secret.key": "*", "DB_PASSWORD":"*""#,
            ),
            // Actions stay.
            (
                r#""secretAccessKey": "a{{systemEnv "S"}}b""#,
                r#""secretAccessKey": "*{{systemEnv "S"}}*""#,
            ),
            // All else stays.
            (
                r#""keyName": "k", "jar": "s3://x/y.jar""#,
                r#""keyName": "k", "jar": "s3://x/y.jar""#,
            ),
        ] {
            assert_eq!(masked(text), shown, "{text}");
        }
    }
}
