//! Reading what is written in files of credentials.

use serde_json::{Map, Value};

use super::error::Error;
use crate::secret::Secret;

/// An object of a file of credentials.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a> {
    /// The file, in words.
    pub(super) place: &'a str,
    all: &'a Map<String, Value>,
}

impl<'a> Fields<'a> {
    /// # Errors
    /// It is no object.
    pub(super) fn of(place: &'a str, value: &'a Value) -> Result<Self, Error> {
        match value {
            Value::Object(all) => Ok(Self { place, all }),
            _ => Err(Error::malformed(format!(
                "{place} is no file of credentials, which are a JSON object"
            ))),
        }
    }

    /// A text that is not empty.
    ///
    /// # Errors
    /// It is something else.
    pub(super) fn get(self, name: &str) -> Result<Option<&'a str>, Error> {
        match self.all.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|it| !it.is_empty())),
            Some(_) => Err(self.wrong(name, "is not a text")),
        }
    }

    /// The same, but it must be there.
    ///
    /// # Errors
    /// It is not, or is something else.
    pub(super) fn need(self, name: &str) -> Result<&'a str, Error> {
        self.get(name)?.ok_or_else(|| self.wrong(name, "is missing"))
    }

    /// One that must be there and not be shown.
    ///
    /// # Errors
    /// As [`Fields::need`].
    pub(super) fn secret(self, name: &str) -> Result<Secret, Error> {
        self.need(name).map(Secret::new)
    }

    /// The URL of one who gets secrets: over HTTPS, or on this machine.
    ///
    /// # Errors
    /// It is no such URL.
    pub(super) fn url(self, name: &str) -> Result<Option<String>, Error> {
        let Some(url) = self.get(name)? else { return Ok(None) };
        match is_safe(url) {
            true => Ok(Some(url.to_owned())),
            false => Err(self.wrong(name, "is no URL that begins with `https://`")),
        }
    }

    /// An object in it.
    ///
    /// # Errors
    /// It is something else.
    pub(super) fn object(self, name: &str) -> Result<Option<Self>, Error> {
        match self.all.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Object(all)) => Ok(Some(Self { all, ..self })),
            Some(_) => Err(self.wrong(name, "is not an object")),
        }
    }

    /// A number of seconds or milliseconds.
    ///
    /// # Errors
    /// It is something else.
    pub(super) fn number(self, name: &str) -> Result<Option<u64>, Error> {
        match self.all.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match value.as_u64() {
                Some(number) => Ok(Some(number)),
                None => Err(self.wrong(name, "is not a number")),
            },
        }
    }

    /// Texts; none if it is not there.
    ///
    /// # Errors
    /// It is something else.
    pub(super) fn texts(self, name: &str) -> Result<Vec<String>, Error> {
        let wrong = || self.wrong(name, "is not a list of texts");
        match self.all.get(name) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Array(all)) => {
                let text = |it: &Value| it.as_str().map(str::to_owned).ok_or_else(wrong);
                all.iter().map(text).collect()
            }
            Some(_) => Err(wrong()),
        }
    }

    /// All texts in it, by name.
    pub(super) fn all(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.all.iter().filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
    }

    /// What is wrong with a field. Its value is not shown.
    pub(super) fn wrong(self, name: &str, what: &str) -> Error {
        Error::malformed(format!("in the credentials of {}, `{name}` {what}", self.place))
    }
}

/// Whether what is sent there is read by nobody else.
fn is_safe(url: &str) -> bool {
    if url.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return false;
    }
    if let Some(rest) = url.strip_prefix("https://") {
        return !rest.is_empty() && !rest.starts_with('/');
    }
    let Some(rest) = url.strip_prefix("http://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // What stands before the `@` looks like a host, and is none.
    if authority.contains('@') {
        return false;
    }
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host == "localhost" || host.parse().is_ok_and(|it: std::net::IpAddr| it.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::is_safe;

    #[test]
    fn secrets_go_over_https_or_stay_here() {
        for url in ["https://a/b", "http://127.0.0.1:1/x", "http://[::1]/", "http://localhost"] {
            assert!(is_safe(url), "{url}");
        }
        for url in [
            "http://a/b",
            "http://127.0.0.1:x@a/",
            "http://127.0.0.1.a/",
            "http://localhost.a",
            "https://",
            "https:///a",
            "https://a/\nb",
            "ftp://a",
            "a",
        ] {
            assert!(!is_safe(url), "{url}");
        }
    }
}
