//! Values that may come back from elsewhere, in words that are not ours.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::fmt;

use serde_json::Value;

/// Values that must not be told, and what is told in their place.
#[derive(Clone, Default)]
pub struct Hidden {
    /// One that holds another one goes first.
    all: Vec<(String, String)>,
}

impl Hidden {
    /// From now on `words` stand for a value, unless it is shorter than `telling`, in bytes: what is so short tells
    /// nothing, and would be found everywhere.
    pub fn hide(&mut self, value: &str, words: &str, telling: usize) {
        let known = self.all.iter().any(|(hidden, _)| hidden == value);
        if value.len() < telling.max(1) || known {
            return;
        }
        let at =
            self.all.partition_point(|(hidden, _)| Reverse(hidden.len()) <= Reverse(value.len()));
        self.all.insert(at, (value.to_owned(), words.to_owned()));
    }

    /// The same for all texts and numbers in the value of a variable: its name stands for them.
    pub fn hide_variable(&mut self, name: &str, value: &Value, telling: usize) {
        let mut hide = |text: &str| self.hide(text, &format!("‹{name}›"), telling);
        match value {
            Value::Array(values) => {
                values.iter().for_each(|value| self.hide_variable(name, value, telling));
            }
            Value::Object(values) => {
                values.values().for_each(|value| self.hide_variable(name, value, telling));
            }
            Value::String(text) => hide(text),
            Value::Number(number) => hide(&number.to_string()),
            Value::Null | Value::Bool(_) => {}
        }
    }

    /// A text with other words in the place of all hidden values.
    pub fn masked<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.all.iter().fold(Cow::Borrowed(text), |text, (value, words)| {
            if text.contains(value) { text.replace(value, words).into() } else { text }
        })
    }

    /// The same, in place.
    pub fn mask(&self, text: &mut String) {
        if let Cow::Owned(masked) = self.masked(text) {
            *text = masked;
        }
    }
}

/// How many there are.
impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hidden({})", self.all.len())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_longest_first_and_nothing_short() {
        let mut hidden = Hidden::default();
        hidden.hide("hunter", "‹a›", 3);
        hidden.hide_variable("b", &json!({"x": ["hunter2", 2026, 12, null, true]}), 3);
        hidden.hide("", "‹none›", 0);
        hidden.hide("hunter2", "‹again›", 3);
        let shown = "‹a› x‹b›-y ‹b› 12 true";
        assert_eq!(hidden.masked("hunter xhunter2-y 2026 12 true"), shown);
        let mut text = "of hunter2".to_owned();
        hidden.mask(&mut text);
        assert_eq!(text, "of ‹b›");
        assert!(matches!(hidden.masked("nothing"), Cow::Borrowed(_)));
        assert_eq!(format!("{hidden:?}"), "Hidden(3)");
    }
}
