//! Who could not be reached.

use super::super::words::{after, between, word, word_after};
use super::{Rule, Weight};

const REACH: &str =
    "check the address, and that the cluster's subnet and security groups let it through";

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "unknown-host",
        weight: Weight::Known,
        says: |line| {
            let host = word_after(line, "UnknownHostException: ")
                .or_else(|| word_after(line, "Could not resolve host: "))
                .or_else(|| word_after(line, "Failed to resolve "));
            let found = host.is_some()
                || line.contains("Name or service not known")
                || line.contains("Temporary failure in name resolution");
            let host = host.map(|host| format!(" `{host}`"));
            found.then(|| format!("the host{} has no address", host.unwrap_or_default()))
        },
        advice: "check its name, and the name servers of the cluster's VPC",
    },
    Rule {
        name: "connection-refused",
        weight: Weight::Known,
        says: |line| {
            let found = line.contains("Connection refused") || line.contains("ECONNREFUSED");
            found.then(|| format!("a connection{} was refused", whither(line)))
        },
        advice: "nothing listens there: check that the service runs, and its port",
    },
    Rule {
        name: "connection-timed-out",
        weight: Weight::Known,
        says: |line| {
            let texts = [
                "Connection timed out",
                "connect timed out",
                "Connect timed out",
                "ConnectTimeoutException",
                "ConnectTimeoutError",
                "No route to host",
                "Network is unreachable",
            ];
            texts.iter().find(|text| line.contains(**text))?;
            Some(format!("nobody answered a connection{}", whither(line)))
        },
        advice: REACH,
    },
    Rule {
        name: "request-failed",
        weight: Weight::Known,
        says: |line| {
            let why = after(line, "Unable to execute HTTP request: ")
                .or_else(|| after(line, "Could not connect to the endpoint URL: "))?;
            Some(format!("a request failed: {}", super::super::words::short(why.trim())))
        },
        advice: REACH,
    },
    Rule {
        name: "certificate",
        weight: Weight::Known,
        says: |line| {
            let texts = [
                "SSLHandshakeException",
                "CERTIFICATE_VERIFY_FAILED",
                "PKIX path building failed",
                "certificate has expired",
            ];
            texts.iter().find(|text| line.contains(**text))?;
            Some(
                "a TLS connection failed: the certificate of the other side is not trusted"
                    .to_owned(),
            )
        },
        advice: "give the cluster the authority's certificate, or correct the server's",
    },
];

/// To whom a connection went, as far as a line tells.
fn whither(line: &str) -> String {
    let to = between(line, "Call From ", " failed on")
        .and_then(|rest| after(rest, " to "))
        .or_else(|| word_after(line, "Failed to connect to "))
        .or_else(|| word_after(line, "Connection refused: "))
        .or_else(|| word_after(line, "connect to "))
        .and_then(word);
    to.map(|to| format!(" to `{to}`")).unwrap_or_default()
}
