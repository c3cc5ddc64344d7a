//! Where an identity of elsewhere is proven: the `credential_source` of a file
//! ([AIP-4117](https://google.aip.dev/auth/4117)).

use std::fs;

use serde_json::Value;

use super::World;
use super::amazon::Amazon;
use super::ask::{LIMIT, Question, get};
use super::error::Error;
use super::executable::Executable;
use super::external::External;
use super::fields::Fields;
use crate::secret::Secret;

/// One who proves who we are elsewhere.
#[derive(Debug)]
pub(super) enum Subject {
    /// A file, which somebody keeps fresh.
    File(String, Format),
    /// A server that answers to this machine.
    Url { url: String, headers: Vec<(String, Secret)>, format: Format },
    /// A program.
    Executable(Executable),
    /// AWS.
    Amazon(Amazon),
}

/// How a token is written.
#[derive(Debug)]
pub(super) enum Format {
    /// As it is.
    Text,
    /// In JSON, in this field.
    Json(String),
}

impl Subject {
    pub(super) fn read(fields: Fields<'_>) -> Result<Self, Error> {
        if fields.get("environment_id")?.is_some() {
            return Amazon::read(fields).map(Self::Amazon);
        }
        let executable = fields.object("executable")?;
        match (fields.get("file")?, fields.get("url")?, executable) {
            (Some(file), None, None) => Ok(Self::File(file.to_owned(), Format::read(fields)?)),
            (None, Some(url), None) => {
                let own = |(name, value): (&str, &str)| {
                    (name.to_ascii_lowercase(), Secret::new(value))
                };
                let headers = fields.object("headers")?;
                let headers = headers.into_iter().flat_map(Fields::all).map(own).collect();
                Ok(Self::Url { url: url.to_owned(), headers, format: Format::read(fields)? })
            }
            (None, None, Some(executable)) => {
                Executable::read(executable).map(Self::Executable)
            }
            (None, None, None) => Err(fields.wrong(
                "credential_source",
                "names none of `file`, `url`, `executable` and `environment_id` (others, such as `certificate`, are not \
                 supported)",
            )),
            _ => Err(fields.wrong("credential_source", "names more than one source")),
        }
    }

    /// In words.
    pub(super) fn words(&self) -> String {
        match self {
            Self::File(path, _) => format!("the file `{path}`"),
            Self::Url { url, .. } => format!("`{}`", crate::http::hide_secrets(url)),
            Self::Executable(_) => "the executable".to_owned(),
            Self::Amazon(_) => "AWS".to_owned(),
        }
    }

    /// A proof. Files and servers are asked each time, as what they say changes.
    pub(super) fn token(&self, external: &External, world: &World) -> Result<Secret, Error> {
        match self {
            Self::File(path, format) => {
                let text = fs::read_to_string(path).map_err(|e| {
                    Error::missing(format!("cannot read the token for Google in `{path}`: {e}"))
                })?;
                format.token(&text, &self.words())
            }
            Self::Url { url, headers, format } => {
                let who = self.words();
                let sent: Vec<_> =
                    headers.iter().map(|(name, value)| (name.as_str(), value.expose())).collect();
                let secrets: Vec<_> = headers.iter().map(|(_, value)| value.expose()).collect();
                let request = get(url.clone(), &sent);
                let question = Question { who: &who, request, secrets: &secrets, limit: LIMIT };
                let reply = question.ask(world)?;
                question.granted(&reply).map_err(|refusal| refusal.into_error(&who, ""))?;
                format.token(&String::from_utf8_lossy(&reply.body), &who)
            }
            Self::Executable(executable) => executable.token(external, world),
            Self::Amazon(amazon) => amazon.token(&external.audience, world),
        }
    }
}

impl Format {
    fn read(fields: Fields<'_>) -> Result<Self, Error> {
        let Some(format) = fields.object("format")? else { return Ok(Self::Text) };
        match format.get("type")? {
            None | Some("text") => Ok(Self::Text),
            Some("json") => Ok(Self::Json(format.need("subject_token_field_name")?.to_owned())),
            Some(_) => Err(format.wrong("format", "is neither `text` nor `json`")),
        }
    }

    fn token(&self, text: &str, who: &str) -> Result<Secret, Error> {
        let token = match self {
            Self::Text => Some(text.trim().to_owned()),
            Self::Json(field) => {
                let value: Value = serde_json::from_str(text).unwrap_or_default();
                value.get(field).and_then(Value::as_str).map(str::to_owned)
            }
        };
        token.filter(|it| !it.is_empty()).map(Secret::new).ok_or_else(|| {
            Error::garbled(match self {
                Self::Text => format!("{who} has no token for Google in it: it is empty"),
                Self::Json(field) => {
                    format!("{who} has no token for Google in it: no JSON with `{field}`")
                }
            })
        })
    }
}
