//! Where Sentry takes reports, and who may send some.

use std::fmt;

/// A DSN, `https://KEY@HOST/PROJECT`, as <https://develop.sentry.dev/sdk/foundations/transport/authentication/>
/// describes it. With its key anybody can send reports, so it is never shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Dsn {
    scheme: &'static str,
    key: String,
    /// Old projects have one.
    secret: Option<String>,
    /// With a port, if there is one.
    host: String,
    /// Before the project, from a slash on; empty for none.
    path: String,
    project: String,
}

impl Dsn {
    /// Reads one.
    ///
    /// # Errors
    /// What is wrong with it, without quoting it.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let (scheme, rest) = match text.split_once("://") {
            Some(("https", rest)) => ("https", rest),
            Some(("http", rest)) => ("http", rest),
            _ => return Err("it begins with https:// or http://"),
        };
        if rest.contains(['?', '#', '\\']) || rest.contains(|c: char| c <= ' ' || !c.is_ascii()) {
            return Err("there is a character in it that does not belong there");
        }
        let (user, place) = rest.split_once('@').ok_or("the key before the @ is missing")?;
        let (key, secret) = match user.split_once(':') {
            Some((key, secret)) => (key, Some(secret.to_owned())),
            None => (user, None),
        };
        let word = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric());
        if !word(key) || !secret.as_deref().is_none_or(word) {
            return Err("the key is made of letters and digits");
        }
        let (host, path) = place.split_once('/').ok_or("the project's number is missing")?;
        let (path, project) = match path.trim_end_matches('/').rsplit_once('/') {
            Some((path, project)) => (format!("/{path}"), project),
            None => (String::new(), path.trim_end_matches('/')),
        };
        if host.is_empty() || host.contains('@') {
            return Err("the host is missing");
        }
        let known = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        if project.is_empty() || !project.bytes().all(known) {
            return Err("the project's number is missing");
        }
        let (key, host, project) = (key.to_owned(), host.to_owned(), project.to_owned());
        Ok(Self { scheme, key, secret, host, path, project })
    }

    /// Where envelopes go.
    pub(super) fn url(&self) -> String {
        let Self { scheme, host, path, project, .. } = self;
        format!("{scheme}://{host}{path}/api/{project}/envelope/")
    }

    /// The value of `x-sentry-auth`.
    pub(super) fn authentication(&self, client: &str) -> String {
        let secret = self.secret.as_ref().map(|secret| format!(", sentry_secret={secret}"));
        let (key, secret) = (&self.key, secret.unwrap_or_default());
        format!("Sentry sentry_version=7, sentry_client={client}, sentry_key={key}{secret}")
    }
}

impl fmt::Debug for Dsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dsn")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_reports_go() {
        for (dsn, url, secret) in [
            (
                "https://abc1@o1.ingest.sentry.io/42",
                "https://o1.ingest.sentry.io/api/42/envelope/",
                "",
            ),
            (
                "http://abc1:def2@h:9000/a/b/42/",
                "http://h:9000/a/b/api/42/envelope/",
                ", sentry_secret=def2",
            ),
        ] {
            let dsn = Dsn::parse(dsn).expect("a DSN");
            assert_eq!(dsn.url(), url);
            let auth = "Sentry sentry_version=7, sentry_client=c/1, sentry_key=abc1";
            assert_eq!(dsn.authentication("c/1"), format!("{auth}{secret}"));
            assert_eq!(format!("{dsn:?}"), "Dsn");
        }
    }

    #[test]
    fn what_is_none_is_told_without_quoting_it() {
        for wrong in [
            "x",
            "ftp://hunter2@h/1",
            "https://h/1",
            "https://@h/1",
            "https://hunter2@h",
            "https://hunter2@h/",
            "https://hunter2@/1",
            "https://hunter2@h/a b",
            "https://hunter2@h/1?x=y",
            "https://hunter2:@h/1",
            "https://hunter2@x@h/1",
            "https://hunter2\r\nx@h/1",
        ] {
            let told = Dsn::parse(wrong).expect_err(wrong);
            assert!(!told.contains("hunter2"), "{told}");
        }
    }
}
