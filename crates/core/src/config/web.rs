//! Texts that say where a web service is and who asks, which are shown.

use super::read::Record;
use crate::diagnostic::{Diagnostic, code};
use crate::secret::Text;

/// A text that is shown.
pub(super) fn plain(data: &Record<'_>, name: &str) -> Option<String> {
    let text = data.filled(name).inspect(|text| data.warn_of_secret(name, text))?;
    Some(text.expose().to_owned())
}

/// The address of a web service: `http://host:port` and perhaps a path, as of a gateway.
pub(super) fn url(data: &Record<'_>, name: &str, text: &Text) -> Option<String> {
    let url = text.expose().trim_end_matches('/');
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    let good = rest.is_some_and(|rest| {
        let host = rest.split('/').next().unwrap_or_default();
        !host.is_empty() && !rest.contains(['?', '#', '@', ' ', '\n'])
    });
    if !good || text.is_secret() {
        let message = format!("`{}` must hold the address of a web service", data.path.key(name));
        let help = "write it as `http://host:port`; user and password go into `credentials`";
        data.fault(data.span_of(name), Diagnostic::error(code::ADDRESS, message).help(help));
        return None;
    }
    Some(url.to_owned())
}
