//! What went wrong, in words.

use std::error::Error as _;
use std::io;
use std::time::Duration;

use ureq::Error;

use super::Fault;

/// The way that a request went.
pub(super) struct Way<'a> {
    pub(super) host: &'a str,
    pub(super) port: u16,
    /// The proxy.
    pub(super) via: Option<&'a str>,
    pub(super) limit: Duration,
}

impl Way<'_> {
    /// `left`: a byte of the request did.
    pub(super) fn fault(&self, error: &Error, left: bool) -> Fault {
        let what = self.what(error, left);
        let to = match self.via {
            None => format!("`{}:{}`", self.host, self.port),
            Some(via) => format!("`{}:{}` (through the proxy `{via}`)", self.host, self.port),
        };
        match left {
            false => Fault::NotSent(format!("cannot reach {to}: {what}")),
            true => Fault::Lost(format!("no usable reply from {to}: {what}")),
        }
    }

    fn what(&self, error: &Error, left: bool) -> String {
        match error {
            Error::Timeout(_) if left => format!("it took longer than {:?}", self.limit),
            Error::Timeout(_) => format!("no connection within {:?}", self.limit),
            Error::HostNotFound => "its name is unknown".to_owned(),
            Error::BodyExceedsLimit(limit) => {
                format!("it is larger than {} MiB", limit / 1024 / 1024)
            }
            Error::Protocol(e) => format!("it is not HTTP: {e}"),
            Error::ConnectProxyFailed(e) => format!("the proxy refused: {e}"),
            Error::Other(e) => e.to_string(),
            Error::Io(e) => io(e),
            other => other.to_string(),
        }
    }
}

fn io(error: &io::Error) -> String {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner {
        Some(rustls::Error::InvalidCertificate(e)) => format!(
            "its TLS certificate is not trusted: {e}; if an authority of your own signed it, name its file in \
             `SSL_CERT_FILE` or `AWS_CA_BUNDLE`"
        ),
        Some(e) => format!("TLS failed: {e}"),
        None if error.kind() == io::ErrorKind::UnexpectedEof => "the connection was cut".to_owned(),
        None => match error.source() {
            Some(cause) => format!("{error}: {cause}"),
            None => error.to_string(),
        },
    }
}
