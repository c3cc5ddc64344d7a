use super::*;

/// Whether it matches, and what its groups give.
fn found(java: &str, text: &str) -> Option<String> {
    let pattern = Pattern::new(java).unwrap_or_else(|wrong| panic!("{java}: {wrong}"));
    let groups = pattern.groups(text);
    assert_eq!(pattern.matches(text), groups.is_some(), "{java} {text}");
    groups
}

/// What Java 17 answers: `-` where it does not match, else the groups joined by `StringBuilder.append`.
const ANSWERS: &str = include_str!("answers.tsv");

#[test]
fn as_java_has_it() {
    let mut rows = 0;
    for row in ANSWERS.lines().filter(|row| !row.starts_with('#')) {
        let [java, text, answer] = row.split('\t').collect::<Vec<_>>()[..] else { panic!("{row}") };
        let text = text
            .replace("<LF>", "\n")
            .replace("<CR>", "\r")
            .replace("<TAB>", "\t")
            .replace("<VT>", "\x0B");
        let expected = (answer != "-").then(|| answer.strip_prefix('+').unwrap().to_owned());
        assert_eq!(found(java, &text), expected, "{row}");
        rows += 1;
    }
    assert!(rows > 100, "{rows}");
}

#[test]
fn what_is_refused() {
    for (java, wrong) in [
        ("a(?=b)", "looks ahead or behind, which is not supported on this machine (character 2)"),
        ("a(?!b)", "looks ahead or behind, which is not supported on this machine (character 2)"),
        ("(?<=a)b", "looks ahead or behind, which is not supported on this machine (character 1)"),
        ("(?<!a)b", "looks ahead or behind, which is not supported on this machine (character 1)"),
        (
            "(?>a)b",
            "has an independent group `(?>`, which is not supported on this machine (character 1)",
        ),
        (r"(a)\1", "refers back to a group, which is not supported on this machine (character 4)"),
        (
            r"(?<n>a)\k<n>",
            "refers back to a group, which is not supported on this machine (character 8)",
        ),
        (
            "a*+",
            "has a possessive quantifier, such as `*+`, which is not supported on this machine (character 3)",
        ),
        (
            "a{2}+",
            "has a possessive quantifier, such as `*+`, which is not supported on this machine (character 5)",
        ),
        (
            "[a[b]]",
            "has a class within a class, which is not supported on this machine (character 3)",
        ),
        (
            "[a&&b]",
            "intersects classes by `&&`, which is not supported on this machine (character 2)",
        ),
        (
            r"\p{L}",
            r"has a `\p` of other than ASCII's classes, such as `\p{Alpha}`, which is not supported on this machine (character 5)",
        ),
        (
            r"\P{",
            r"has a `\P` of other than ASCII's classes, such as `\p{Alpha}`, which is not supported on this machine (character 3)",
        ),
        (r"\R", r"has a `\R`, which is not supported on this machine (character 1)"),
        (
            "a(?i)b",
            "has flags; on this machine only `(?i)`, `(?s)` and `(?is)` at its very beginning are supported (character 2)",
        ),
        (
            "(?m)b",
            "has flags; on this machine only `(?i)`, `(?s)` and `(?is)` at its very beginning are supported (character 1)",
        ),
        (
            "(?)b",
            "has flags; on this machine only `(?i)`, `(?s)` and `(?is)` at its very beginning are supported (character 1)",
        ),
        ("(?<1>b)", "has a group with a name that Java does not take (character 5)"),
        ("(?<n", "has a group whose name does not end (character 3)"),
        ("*.csv", "has a `*` with nothing before it to repeat (character 1)"),
        ("a|+", "has a `+` with nothing before it to repeat (character 3)"),
        (
            "(?",
            "has flags; on this machine only `(?i)`, `(?s)` and `(?is)` at its very beginning are supported (character 1)",
        ),
        ("a**", "has a `*` with nothing before it to repeat (character 3)"),
        ("{a}", "has a `{` with nothing before it to repeat (character 1)"),
        ("a{b}", "has a `{` that is no number of repetitions (character 2)"),
        ("a{2,1}", "has a `{` that is no number of repetitions (character 5)"),
        ("a{1", "has a `{` that is no number of repetitions (character 3)"),
        (
            "(a*)*b",
            "repeats a group that may match nothing, which is not supported on this machine (character 5)",
        ),
        (
            "(?:(a)?|b){2}",
            "repeats a group that may match nothing, which is not supported on this machine (character 13)",
        ),
        (
            "(a|)+",
            "repeats a group that may match nothing, which is not supported on this machine (character 5)",
        ),
        (
            "(|a)+",
            "repeats a group that may match nothing, which is not supported on this machine (character 5)",
        ),
        (
            "(^$)+",
            "repeats a group that may match nothing, which is not supported on this machine (character 5)",
        ),
        ("(a", "has a `(` that is never closed"),
        ("a)", "has a `)` without a `(` (character 2)"),
        ("[a", "has a `[` that is never closed (character 2)"),
        ("[]", "has a `[` that is never closed (character 2)"),
        ("[z-a]", "has a range of characters that is none (character 4)"),
        (r"[a-\d]", "has a range of characters that is none (character 5)"),
        (r"a\", r"ends with a `\` (character 2)"),
        (r"\y", r"has a `\y`, which Java does not know here (character 2)"),
        (r"[\b]", r"has a `\b`, which Java does not know here (character 3)"),
        (r"\xg0", "has a number that is no character (character 2)"),
        (r"\uD800", "has a number that is no character (character 6)"),
        ("(a{999}){999}", "is too large for a regular expression"),
    ] {
        assert_eq!(Pattern::new(java).map(|_| ()).unwrap_err(), wrong, "{java}");
    }
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(java in r"[a-c().*+?{}\[\]\\|^$&\-0-9,:<>=!QEdpPLsiux]{0,24}", text in "[a-c0-9/]{0,12}") {
            if let Ok(pattern) = Pattern::new(&java) {
                prop_assert_eq!(pattern.matches(&text), pattern.groups(&text).is_some());
            }
        }

        #[test]
        fn what_is_quoted_matches_itself(text in r"[ -\[\]-~]{0,20}") {
            let pattern = Pattern::new(&format!(r"\Q{text}\E")).unwrap();
            prop_assert!(pattern.matches(&text));
        }
    }
}
