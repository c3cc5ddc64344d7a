//! Patterns for paths.

/// Whether `path` (names joined by `/`) is one that `pattern` means: `*` is any number of characters of one
/// name, `?` one of them, `**` any number of characters of any names, and `**/` also no folder at all. All
/// else means itself.
pub(super) fn matches(pattern: &str, path: &str) -> bool {
    let path: Vec<char> = path.chars().collect();
    // At which places of the path what was read of the pattern may end: never slower than both lengths
    // multiplied, whatever the pattern.
    let mut ends = vec![false; path.len() + 1];
    ends[0] = true;
    let mut rest = pattern;
    let mut name_begins = true;
    while let Some(next) = rest.chars().next() {
        let whole = rest.starts_with("**/") && name_begins;
        let length = match next {
            '*' if whole => 3,
            '*' if rest.starts_with("**") => 2,
            other => other.len_utf8(),
        };
        let across = next == '*' && length > 1;
        let mut after = vec![false; ends.len()];
        let mut open = false;
        for at in 0..ends.len() {
            let before = at.checked_sub(1);
            let passed = before.and_then(|before| path.get(before)).copied();
            after[at] = match next {
                '*' => {
                    // `open`: some earlier place may be the beginning of what the star stands for.
                    open = ends[at] || (open && (across || passed != Some('/')));
                    if whole { ends[at] || (open && passed == Some('/')) } else { open }
                }
                '?' => before.is_some_and(|b| ends[b]) && passed.is_some_and(|c| c != '/'),
                other => before.is_some_and(|b| ends[b]) && passed == Some(other),
            };
        }
        ends = after;
        name_begins = next == '/' || whole;
        rest = &rest[length..];
    }
    ends[path.len()]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_table() {
        for (pattern, path, expected) in [
            ("*.csv", "a.csv", true),
            ("*.csv", ".csv", true),
            ("*.csv", "a/b.csv", false),
            ("**.csv", "a/b.csv", true),
            ("**/*.csv", "b.csv", true),
            ("**/*.csv", "a/b.csv", true),
            ("**/*.csv", "a/c/b.csv", true),
            ("a/**/b", "a/b", true),
            ("a/**/b", "a/x/y/b", true),
            ("a/**/b", "a/xb", false),
            ("a/**", "a/x/y", true),
            ("a/**", "b/x", false),
            ("a**/b", "ax/y/b", true),
            ("a**/b", "a/b", true),
            ("part-?????", "part-00001", true),
            ("part-?", "part-/", false),
            ("?", "ü", true),
            ("[a]", "a", false),
            ("[a]", "[a]", true),
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("**", "", true),
            ("a", "a/", false),
        ] {
            assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
        }
    }

    /// The meaning, written down as plainly as can be.
    fn slow(pattern: &str, path: &str, name_begins: bool) -> bool {
        if pattern.is_empty() {
            return path.is_empty();
        }
        let cuts = || (0..=path.len()).map(|at| path.split_at(at));
        if let Some(rest) = pattern.strip_prefix("**/").filter(|_| name_begins) {
            return cuts().any(|(a, b)| (a.is_empty() || a.ends_with('/')) && slow(rest, b, true));
        }
        if let Some(rest) = pattern.strip_prefix("**") {
            return cuts().any(|(_, b)| slow(rest, b, false));
        }
        let (first, rest) = pattern.split_at(1);
        match first {
            "*" => cuts().any(|(a, b)| !a.contains('/') && slow(rest, b, false)),
            "?" => path.starts_with(|c| c != '/') && slow(rest, &path[1..], false),
            _ => path.starts_with(first) && slow(rest, &path[1..], first == "/"),
        }
    }

    proptest! {
        #[test]
        fn as_the_plain_meaning(pattern in "[ab*?/]{0,8}", path in "[ab/]{0,8}") {
            prop_assert_eq!(matches(&pattern, &path), slow(&pattern, &path, true), "{} {}", pattern, path);
        }
    }
}
