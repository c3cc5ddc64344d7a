//! The environment variables that the libraries of far sides are configured by, as one value.

use std::collections::BTreeMap;
use std::fmt;

/// Environment variables by name. Their values may be secrets, so they are not shown.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The value of a variable. One that is set to nothing is taken for one that is not set, as the clients of
    /// AWS, Consul and Go do.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The same, where none of `names` is set with the first of them set to `value`.
    #[must_use]
    pub fn or(&self, names: &[&str], value: &str) -> Self {
        let mut all = self.0.clone();
        if let (Some(first), true) =
            (names.first(), names.iter().all(|name| self.get(name).is_none()))
        {
            all.insert((*first).to_owned(), value.to_owned());
        }
        Self(all)
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(variables: I) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
