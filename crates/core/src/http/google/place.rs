//! Where credentials are, in the order of Google's libraries
//! ([how Application Default Credentials works](https://cloud.google.com/docs/authentication/application-default-credentials)).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::error::Error;
use super::{LOGIN, Source};
use crate::environment::Environment;
use crate::secret::Secret;

/// The variable that names a file.
const VARIABLE: &str = "GOOGLE_APPLICATION_CREDENTIALS";
const FILE: &str = "application_default_credentials.json";

/// One place.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// A file, and how it is called in messages.
    File(PathBuf, String),
    /// The text of such a file.
    Text(Secret),
    /// The metadata server; after all else, with what was looked at before.
    Metadata(Option<String>),
    /// A token that is at hand.
    Token(Secret),
}

impl Place {
    /// Decides by what is configured; nothing is sent.
    ///
    /// # Errors
    /// There is nothing.
    pub(super) fn choose(source: &Source, environment: &Environment) -> Result<Self, Error> {
        match source {
            Source::Default => default(environment),
            Source::File(path) => Ok(Self::File(path.clone(), format!("`{}`", path.display()))),
            Source::Json(text) => Ok(Self::Text(text.clone())),
            Source::Metadata => Ok(Self::Metadata(None)),
            Source::Token(token) => Ok(Self::Token(token.clone())),
        }
    }

    /// What is written there, and where that is in words; `None` where nothing is written.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn text(&self) -> Result<Option<(Secret, String)>, Error> {
        match self {
            Self::File(path, name) => {
                let text = fs::read_to_string(path).map_err(|e| unreadable(name, &e))?;
                Ok(Some((Secret::new(text), name.clone())))
            }
            Self::Text(text) => Ok(Some((text.clone(), "the given JSON".to_owned()))),
            Self::Metadata(_) | Self::Token(_) => Ok(None),
        }
    }
}

fn unreadable(name: &str, error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::InvalidData => {
            Error::malformed(format!("{name} is not text, so not Google's credentials"))
        }
        _ => Error::missing(format!("cannot read Google's credentials in {name}: {error}")),
    }
}

fn default(environment: &Environment) -> Result<Place, Error> {
    if let Some(path) = environment.get(VARIABLE) {
        // A file that is named and is not there is a mistake; going on would make us somebody else.
        return Ok(Place::File(PathBuf::from(path), format!("`{path}` (`{VARIABLE}`)")));
    }
    let known = well_known(environment);
    let gcloud = match &known {
        Some(path) if exists(path) => {
            let name = format!("`{}`", path.display());
            return Ok(Place::File(path.clone(), name));
        }
        Some(path) => format!("`{}` (is not there)", path.display()),
        None => "the file of gcloud (`HOME` is not set)".to_owned(),
    };
    let looked = format!("`{VARIABLE}` (is not set), {gcloud}");
    if environment.get("NO_GCE_CHECK").is_some_and(|it| it.eq_ignore_ascii_case("true")) {
        return Err(nowhere(&looked, "was not asked, as `NO_GCE_CHECK` is set"));
    }
    Ok(Place::Metadata(Some(looked)))
}

/// All places were looked at in vain; `why` of the last, the metadata server.
pub(super) fn nowhere(looked: &str, why: &str) -> Error {
    Error::missing(format!(
        "no Google credentials: looked at {looked}, and the metadata server ({why}); log in by `{LOGIN}`, or name a file \
         in `{VARIABLE}`"
    ))
}

/// Where gcloud keeps what it got by [`LOGIN`].
fn well_known(environment: &Environment) -> Option<PathBuf> {
    if let Some(folder) = environment.get("CLOUDSDK_CONFIG") {
        return Some(Path::new(folder).join(FILE));
    }
    if cfg!(windows) {
        return environment
            .get("APPDATA")
            .map(|folder| Path::new(folder).join("gcloud").join(FILE));
    }
    environment.get("HOME").map(|home| Path::new(home).join(".config/gcloud").join(FILE))
}

/// Also if it is there and cannot be read: that is not to be passed over in silence.
fn exists(path: &Path) -> bool {
    match fs::metadata(path) {
        Ok(_) => true,
        Err(e) => !matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory),
    }
}
