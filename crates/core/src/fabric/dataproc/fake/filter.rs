//! The filters of lists: `field = value AND field = value`, where spaces join as AND does.

use std::collections::BTreeMap;

use super::refusal::Refusal;

/// What is wanted: fields and values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Filter(Vec<(String, String)>);

impl Filter {
    /// What a filter says; `states` are the words that `status.state` may be, `name` the other field there is.
    ///
    /// # Errors
    /// It makes no sense.
    pub(super) fn read(text: &str, name: &str, states: &[&str]) -> Result<Self, Refusal> {
        let wrong = |why: String| Refusal::invalid(format!("Invalid list filter '{text}': {why}"));
        let spaced = text.replace('=', " = ");
        let mut words = spaced.split_whitespace().peekable();
        let mut all = Vec::new();
        while let Some(field) = words.next() {
            let value = words.next().filter(|word| *word == "=").and(words.next());
            let Some(value) = value.filter(|value| !["=", "AND"].contains(value)) else {
                return Err(wrong(format!("'{field}' has no value")));
            };
            let known = match field {
                "status.state" => value == "*" || states.contains(&value),
                field if field == name => !name.is_empty(),
                field => field.strip_prefix("labels.").is_some_and(|key| !key.is_empty()),
            };
            if !known {
                return Err(wrong(format!("'{field} = {value}' is not known")));
            }
            all.push((field.to_owned(), value.to_owned()));
            if words.next_if_eq(&"AND").is_some() && words.peek().is_none() {
                return Err(wrong("nothing follows 'AND'".to_owned()));
            }
        }
        Ok(Self(all))
    }

    /// Whether something is wanted, by its labels, its other field and whether its state is meant by a word.
    pub(super) fn takes(
        &self,
        labels: &BTreeMap<String, String>,
        name: &str,
        is: impl Fn(&str) -> bool,
    ) -> bool {
        self.0.iter().all(|(field, value)| match field.strip_prefix("labels.") {
            Some(key) => labels.get(key).is_some_and(|given| value == "*" || value == given),
            None if value == "*" => true,
            None if field == "status.state" => is(value),
            None => value == name,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Filter, Refusal> {
        Filter::read(text, "clusterName", &["ACTIVE", "ERROR"])
    }

    fn takes(text: &str) -> bool {
        let labels = BTreeMap::from([("env".to_owned(), "a-1".to_owned())]);
        read(text).expect("it is right").takes(&labels, "c1", |word| word == "ACTIVE")
    }

    #[test]
    fn fields_are_joined_by_and_or_by_spaces() {
        for text in [
            "",
            "labels.env = a-1",
            "labels.env=a-1 AND clusterName = c1",
            "labels.env = *",
            "status.state = ACTIVE clusterName = c1",
            "status.state = *",
            "clusterName = *",
        ] {
            assert!(takes(text), "{text}");
        }
        for text in [
            "labels.env = a",
            "labels.other = *",
            "clusterName = c2",
            "status.state = ERROR",
            "labels.env = a-1 AND clusterName = c2",
        ] {
            assert!(!takes(text), "{text}");
        }
    }

    #[test]
    fn what_makes_no_sense() {
        for text in [
            "env = a",
            "labels. = a",
            "labels.env",
            "labels.env = ",
            "status.state = active",
            "clusterName = c1 AND",
            "clusterName = c1 OR labels.env = a",
            "= a",
            "clusterUuid = u",
        ] {
            assert_eq!(read(text).expect_err(text).status, "INVALID_ARGUMENT");
        }
    }
}
