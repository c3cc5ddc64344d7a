//! Secrets that are known by their own form, as those who issue them have published it.

use std::ops::Range;

use super::secrets::Kind;

/// A form: what it begins with, then at least so many characters of an alphabet.
struct Form {
    prefix: &'static str,
    least: usize,
    most: usize,
    allowed: fn(u8) -> bool,
    kind: Kind,
}

const fn form(
    prefix: &'static str,
    (least, most): (usize, usize),
    allowed: fn(u8) -> bool,
    name: &'static str,
) -> Form {
    Form { prefix, least, most, allowed, kind: Kind::Token(name) }
}

fn upper(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

fn word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn dashed(byte: u8) -> bool {
    word(byte) || byte == b'-'
}

fn base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

/// As long as there is no end to it.
const ENDLESS: usize = usize::MAX;

/// Sources:
/// - AWS: unique identifiers of IAM, <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html>.
///   The id of an access key alone opens nothing; it stands where its secret is not far.
/// - GitHub: <https://github.blog/changelog/2021-03-31-authentication-token-format-updates-are-generally-available/>,
///   and <https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github>.
/// - GitLab: <https://docs.gitlab.com/security/tokens/#token-prefixes>.
/// - Slack: <https://docs.slack.dev/authentication/tokens>.
/// - Google: API keys, <https://cloud.google.com/docs/authentication/api-keys>, begin with `AIza` and have 39 characters.
/// - Stripe: <https://docs.stripe.com/keys>.
/// - Databricks: <https://docs.databricks.com/aws/en/dev-tools/auth/pat>: `dapi` and 32 hexadecimal digits.
/// - Azure: keys of storage accounts are 64 bytes in base64, `AccountKey=` in a connection string,
///   <https://learn.microsoft.com/en-us/azure/storage/common/storage-configure-connection-string>.
const FORMS: [Form; 15] = [
    form("AKIA", (16, 16), upper, "the id of an AWS access key"),
    form("ASIA", (16, 16), upper, "the id of a temporary AWS access key"),
    form("AIza", (35, 35), dashed, "a Google API key"),
    form("AccountKey=", (86, 88), base64, "the key of an Azure storage account"),
    form("dapi", (32, 32), |byte| byte.is_ascii_hexdigit(), "a Databricks token"),
    form("ghp_", (36, ENDLESS), word, "a GitHub token"),
    form("gho_", (36, ENDLESS), word, "a GitHub token"),
    form("ghu_", (36, ENDLESS), word, "a GitHub token"),
    form("ghs_", (36, ENDLESS), word, "a GitHub token"),
    form("ghr_", (36, ENDLESS), word, "a GitHub token"),
    form("github_pat_", (22, ENDLESS), word, "a GitHub token"),
    form("glpat-", (20, ENDLESS), dashed, "a GitLab token"),
    form("xoxb-", (20, ENDLESS), dashed, "a Slack token"),
    form("xoxp-", (20, ENDLESS), dashed, "a Slack token"),
    form("sk_live_", (16, ENDLESS), word, "a Stripe key"),
];

/// How a private key begins in a text (RFC 7468), and how it ends.
const PRIVATE_KEY: (&str, &str) = ("-----BEGIN ", "PRIVATE KEY-----");

/// The token that begins at `at`, if one does, which must be the beginning of a word.
pub(super) fn at(text: &str, at: usize) -> Option<(Range<usize>, Kind)> {
    let rest = text.get(at..)?;
    if rest.starts_with('-') {
        return private_key(rest).map(|length| (at..at + length, Kind::PrivateKey));
    }
    // Most prefixes are told apart by their first byte.
    let begins = |form: &&Form| form.prefix.bytes().next() == rest.bytes().next();
    FORMS.iter().filter(begins).find_map(|form| {
        let body = rest.strip_prefix(form.prefix)?;
        let length = body.bytes().take_while(|byte| (form.allowed)(*byte)).count();
        let from = if form.prefix.ends_with('=') { at + form.prefix.len() } else { at };
        let until = at + form.prefix.len() + length;
        (form.least..=form.most).contains(&length).then_some((from..until, form.kind))
    })
}

/// The length of a private key up to its last line, or of what there is of it.
fn private_key(text: &str) -> Option<usize> {
    let (begin, kind) = PRIVATE_KEY;
    let head = text.strip_prefix(begin)?;
    let label = head.find("-----")? + "-----".len();
    if !head[..label].ends_with(kind) {
        return None;
    }
    let head = begin.len() + label;
    let end = text[head..].find("-----END ").map(|at| head + at);
    let quote = text[head..].find('"').map_or(text.len(), |at| head + at);
    Some(end.unwrap_or(quote).min(quote))
}
