//! Words of command lines, written for people who paste them.

/// A word as one could type it into a shell: in quotes, where it is not plain already. Origins of secrets (`‹…›`)
/// count as plain.
pub fn word(word: &str) -> String {
    let plain = |c: char| {
        let sign =
            matches!(c, '-' | '_' | '.' | '/' | ':' | '=' | '@' | '%' | '+' | ',' | '‹' | '›');
        c.is_ascii_alphanumeric() || sign || (!c.is_ascii() && c.is_alphanumeric())
    };
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::word;

    #[test]
    fn words_are_quoted_when_a_shell_would_take_them_apart() {
        let words = ["a-b", "", "a b", "it's", "$HOME", "p=‹systemEnv P›"];
        let shown = words.map(word);
        assert_eq!(shown, ["a-b", "''", "'a b'", r"'it'\''s'", "'$HOME'", "'p=‹systemEnv P›'"]);
    }
}
