//! Questions to those who give tokens, and what they answer.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::error::Error;
use super::{Token, World};
use crate::http::retry::{Miss, persist};
use crate::http::{Fault, Reply, Request, encode};
use crate::secret::{Hidden, Secret};

/// Those who give tokens may have to ask others.
pub(super) const LIMIT: Duration = Duration::from_secs(10);
/// So long, in bytes, is at least what is taken out of a refusal.
const TELLING: usize = 6;
/// The longest refusal that is told, in characters.
const LONGEST: usize = 400;

/// A question.
pub(super) struct Question<'a> {
    /// Who is asked, for messages.
    pub(super) who: &'a str,
    pub(super) request: Request,
    /// What must not come back in messages.
    pub(super) secrets: &'a [&'a str],
    pub(super) limit: Duration,
}

/// Why somebody said no.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    /// Such as `invalid_grant` or `PERMISSION_DENIED`.
    pub(super) code: Option<String>,
    /// In words.
    words: String,
}

/// A question without a body.
pub(super) fn get(url: String, headers: &[(&str, &str)]) -> Request {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Request { method: "GET", url, headers: headers.collect(), body: Vec::new() }
}

/// A form.
pub(super) fn form(url: &str, pairs: &[(&str, &str)]) -> Request {
    let kind = [("content-type", "application/x-www-form-urlencoded")];
    let body = encode::query(pairs.iter().copied()).into_bytes();
    Request { method: "POST", body, ..get(url.to_owned(), &kind) }
}

impl Question<'_> {
    /// Asks, and asks again while that makes sense: asking twice for a token does no harm. A refusal is an answer.
    ///
    /// # Errors
    /// There is no answer.
    pub(super) fn ask(&self, world: &World) -> Result<Reply, Error> {
        let client = &world.client;
        // Not a question that a signal ends: what a signal orders needs a token, too.
        let asked =
            persist(client.bell(), true, |_| match client.send(&self.request, self.limit) {
                Ok(reply) if reply.status == 429 || reply.status >= 500 => {
                    Err(Miss::Lost(format!("it answered {}", reply.status)))
                }
                Ok(reply) if self.is_passing(&reply) => {
                    Err(Miss::Lost(format!("it answered {}", self.refusal(&reply).words)))
                }
                Ok(reply) => Ok(reply),
                Err(Fault::NotSent(e)) => Err(Miss::NotSent(e)),
                Err(Fault::Lost(e)) => Err(Miss::Lost(e)),
            });
        asked.map_err(|miss| {
            Error::unreachable(format!("{} cannot be asked: {}", self.who, miss.into_error()))
        })
    }

    /// Refusals that Google's own libraries take for trouble of the moment, whatever the status.
    fn is_passing(&self, reply: &Reply) -> bool {
        let passing = ["internal_failure", "server_error", "temporarily_unavailable"];
        reply.status >= 400
            && self.refusal(reply).code.is_some_and(|code| passing.contains(&code.as_str()))
    }

    /// A refusal, as OAuth words it (`error`, `error_description`) or Google's APIs do (`error.status`, `error.message`).
    pub(super) fn refusal(&self, reply: &Reply) -> Refusal {
        let value: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let error = value.get("error").unwrap_or(&Value::Null);
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(|it| self.told(it));
        let code = text(Some(error)).or_else(|| text(error.get("status")));
        let message = text(value.get("error_description")).or_else(|| text(error.get("message")));
        let words = match (&code, message) {
            (Some(code), Some(message)) => format!("{}: `{code}`: {message}", reply.status),
            (Some(code), None) => format!("{}: `{code}`", reply.status),
            (None, Some(message)) => format!("{}: {message}", reply.status),
            (None, None) => reply.status.to_string(),
        };
        Refusal { status: reply.status, code, words }
    }

    /// The answer of one who agrees.
    ///
    /// # Errors
    /// The refusal.
    pub(super) fn granted(&self, reply: &Reply) -> Result<(), Refusal> {
        if (200..300).contains(&reply.status) { Ok(()) } else { Err(self.refusal(reply)) }
    }

    /// The answer in JSON.
    ///
    /// # Errors
    /// It is none.
    pub(super) fn json(&self, reply: &Reply) -> Result<Value, Error> {
        // The reason may quote what it met.
        serde_json::from_slice(&reply.body)
            .map_err(|_| Error::garbled(format!("{} did not answer in JSON", self.who)))
    }

    /// The token in an answer by OAuth ([RFC 6749, 5.1](https://www.rfc-editor.org/rfc/rfc6749#section-5.1)).
    ///
    /// # Errors
    /// There is none in it.
    pub(super) fn token(&self, value: &Value, now: Timestamp) -> Result<Token, Error> {
        let seconds = match value.get("expires_in") {
            None | Some(Value::Null) => None,
            // Some write a number as a text.
            Some(it) => {
                let number = it.as_i64().or_else(|| it.as_str()?.parse().ok());
                Some(number.ok_or_else(|| self.lacks("expires_in"))?)
            }
        };
        let expires = seconds.and_then(|it| now.checked_add(SignedDuration::from_secs(it)).ok());
        self.token_of(value.get("access_token"), expires)
    }

    /// The same, where the token is called something else.
    ///
    /// # Errors
    /// It is no token that could be sent.
    pub(super) fn token_of(
        &self,
        value: Option<&Value>,
        expires: Option<Timestamp>,
    ) -> Result<Token, Error> {
        let text = value.and_then(Value::as_str).ok_or_else(|| self.lacks("token"))?;
        match is_token(text) {
            true => Ok(Token { value: Secret::new(text), expires }),
            false => Err(self.lacks("token")),
        }
    }

    pub(super) fn lacks(&self, what: &str) -> Error {
        Error::garbled(format!("{} gave an answer without a usable `{what}`", self.who))
    }

    /// Words of somebody else, in one line, not too many, and without what is secret.
    fn told(&self, text: &str) -> String {
        let mut hidden = Hidden::default();
        for secret in self.secrets {
            hidden.hide(secret, "‹secret›", TELLING);
            hidden.hide(&encode::encode(secret), "‹secret›", TELLING);
        }
        // Of a signature that is wrong, AWS and who quotes it show all that was to be signed.
        let text = text.split("x-amz-security-token").next().unwrap_or_default();
        let words: Vec<_> = text.split_whitespace().collect();
        let text: String = hidden.masked(&words.join(" ")).chars().take(LONGEST).collect();
        text.replace(char::is_control, " ")
    }
}

impl Refusal {
    /// As an error, with what to do.
    pub(super) fn into_error(self, who: &str, advice: &str) -> Error {
        let advice = if advice.is_empty() { String::new() } else { format!("; {advice}") };
        Error::refused(format!("{who} refused: it answered {}{advice}", self.words))
    }

    /// Whether what was shown as a proof is not good, or not any more.
    pub(super) fn is_of_grant(&self) -> bool {
        self.code.as_deref() == Some("invalid_grant")
    }
}

/// Whether a text may stand in a header as a token.
pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}
