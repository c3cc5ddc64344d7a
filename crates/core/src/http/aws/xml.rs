//! As much of XML as S3 and STS speak.

/// The text of the first element of that name, unescaped. Names are looked for at any depth; attributes and
/// CDATA are not expected, as neither service sends them where this is used.
pub fn text(xml: &str, name: &str) -> Option<String> {
    elements(xml, name).next().map(unescape)
}

/// What is inside of each element of that name, as it stands there. Elements of that name inside of each other
/// are not expected.
pub fn elements<'a>(xml: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    let (open, empty, close) = (format!("<{name}>"), format!("<{name}/>"), format!("</{name}>"));
    let mut rest = xml;
    std::iter::from_fn(move || {
        let full = rest.find(&open);
        if let Some(at) = rest.find(&empty).filter(|at| full.is_none_or(|full| *at < full)) {
            rest = &rest[at + empty.len()..];
            return Some("");
        }
        let start = full? + open.len();
        let length = rest[start..].find(&close)?;
        let inside = &rest[start..start + length];
        rest = &rest[start + length + close.len()..];
        Some(inside)
    })
}

/// Replaces the five entities and those by number.
pub fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let entity = rest.find(';').map(|end| &rest[1..end]);
        match entity.and_then(|entity| Some((entity.len() + 2, character(entity)?))) {
            Some((length, character)) => {
                out.push(character);
                rest = &rest[length..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out + rest
}

/// The other way round.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn character(entity: &str) -> Option<char> {
    let number = |digits: &str, radix| char::from_u32(u32::from_str_radix(digits, radix).ok()?);
    match entity {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => match entity.strip_prefix("#x") {
            Some(digits) => number(digits, 16),
            None => number(entity.strip_prefix('#')?, 10),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_and_entities() {
        let xml =
            "<a><Key>x&amp;y</Key><KeyCount>1</KeyCount><Key/><Key>&lt;&#x41;&#66;&nope; &</Key>";
        assert_eq!(
            elements(xml, "Key").collect::<Vec<_>>(),
            ["x&amp;y", "", "&lt;&#x41;&#66;&nope; &"]
        );
        assert_eq!(text(xml, "Key").as_deref(), Some("x&y"));
        assert_eq!(text(xml, "KeyCount").as_deref(), Some("1"));
        assert_eq!(text(xml, "Other"), None);
        assert_eq!(text("<Key>never closed", "Key"), None);
        assert_eq!(unescape("&lt;&#x41;&#66;&nope; &"), "<AB&nope; &");
        assert_eq!(unescape(&escape("<a b=\"c\">&'")), "<a b=\"c\">&'");
    }
}
