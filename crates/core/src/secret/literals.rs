//! Credentials that somebody wrote into a file as they are.

use std::ops::Range;

/// A stretch of a text that is the value of a credential, or a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Literal {
    /// Where it is, without quotes around it.
    pub range: Range<usize>,
    /// It stands between quotes. If not, it may have quotes in it, or be no string at all.
    pub quoted: bool,
}

/// The literal credentials of a piece of a file, in order: the values of keys of which `is_credential` says that they
/// name one.
///
/// The piece may be cut out anywhere and may be wrong: keys without quotes or in single ones, values unclosed or no
/// strings. Template actions are left out: what they say is not the secret.
pub fn literals(text: &str, is_credential: &dyn Fn(&str) -> bool) -> Vec<Literal> {
    let (mut found, mut from) = (Vec::new(), 0);
    while let Some(colon) = text[from..].find(':').map(|at| from + at) {
        from = colon + 1;
        if is_credential(key_before(&text[..colon])) {
            from = value(text, from, &mut found);
        }
    }
    found
}

/// Whether a key looks like one whose value is to be kept secret.
pub fn names_credential(key: &str) -> bool {
    let plain = |c: &char| c.is_alphanumeric();
    let lower: String = key.chars().filter(plain).flat_map(char::to_lowercase).collect();
    let parts = ["accesskey", "secret", "password", "passwd", "token", "privatekey"];
    // A whole key file of Google's, as a cluster file for Dataproc may have it.
    lower == "json" || parts.iter().any(|part| lower.contains(part))
}

/// The key that stands before a colon, without its quotes.
fn key_before(text: &str) -> &str {
    let text = text.trim_end();
    let text = text.strip_suffix(['"', '\'']).unwrap_or(text);
    let part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    &text[text.trim_end_matches(part).len()..]
}

/// Finds what is literal of the value that begins at `from`; says where it ends.
fn value(text: &str, from: usize, found: &mut Vec<Literal>) -> usize {
    let mut at = text.len() - text[from..].trim_start().len();
    // The words of 0.7.x for other sources of credentials are none.
    let words = ["\"iam\"", "\"env\"", "\"default\"", "null"];
    if let Some(word) = words.iter().find(|word| text[at..].starts_with(**word)) {
        return at + word.len();
    }
    let first = |at: usize| text[at..].chars().next();
    let mut quote = first(at).filter(|c| matches!(c, '"' | '\''));
    if text[from..].starts_with('=') {
        // Of an action, `{{$secret := …}}`: only a constant is literal.
        at = text.len() - text[from + 1..].trim_start().len();
        quote = first(at).filter(|c| matches!(c, '"' | '`'));
        if quote.is_none() {
            return at;
        }
    }
    at += quote.map_or(0, char::len_utf8);
    let mut start = at;
    let mut piece = |range: Range<usize>| {
        if !range.is_empty() {
            found.push(Literal { range, quoted: quote.is_some() });
        }
    };
    while let Some(c) = first(at) {
        if text[at..].starts_with("{{") {
            piece(start..at);
            at += action(&text[at..]);
            start = at;
            continue;
        }
        let ends = match quote {
            Some(quote) => c == quote,
            None => matches!(c, ',' | '}' | '\n'),
        };
        if ends {
            break;
        }
        at += c.len_utf8();
        if c == '\\' && quote.is_some() {
            // What is escaped ends nothing.
            at += text[at..].chars().next().map_or(0, char::len_utf8);
        }
    }
    piece(start..at);
    at
}

/// The length of the template action that `text` begins with.
pub(crate) fn action(text: &str) -> usize {
    text.find("}}").map_or(text.len(), |end| end + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_keys_that_name_credentials_are_found_but_for_actions() {
        let found = |text: &'static str| {
            let all = literals(text, &names_credential);
            all.into_iter().map(|it| (&text[it.range], it.quoted)).collect::<Vec<_>>()
        };
        assert_eq!(found(r#""SecretAccessKey" :"s/+", "x": "y"#), [("s/+", true)]);
        assert_eq!(found(r#""accessKeyId": "env", "x": "y""#), []);
        assert_eq!(
            found(r#""fs.s3a.secret.key": "a{{.b}}c\"d{{.e}}""#),
            [("a", true), ("c\\\"d", true)]
        );
        assert_eq!(
            found(r#""password": {{if .p}}"a"{{else}}"b"{{end}}, "x": "y""#),
            [("\"a\"", false), ("\"b\"", false)]
        );
        assert_eq!(found(r#""maxTokens": 5, "keyName": "k""#), [("5", false)]);
        assert_eq!(found(r#"{{$token := systemEnv "T"}}{{$secret := .s}}"#), []);
        assert_eq!(
            found("{{$token := `a\"b`}} {{$secret := \"c}\"}}"),
            [("a\"b", true), ("c}", true)]
        );
        let key = r#"{\"private_key\": \"k\"}"#;
        assert_eq!(found(r#""json": "{\"private_key\": \"k\"}", "x": "y""#), [(key, true)]);
        assert_eq!(found(r#""private_key": "k", "x.json": "y""#), [("k", true)]);
        assert_eq!(found(r#""token": "ab"#), [("ab", true)], "it need not end");
        assert_eq!(found(r#""token": "a\"#), [("a\\", true)]);
        assert_eq!(found(r#""token": "{{.x"#), []);
    }
}
