//! Where credentials come from: which of all places counts.

use std::path::PathBuf;

use super::super::files::{Files, PROFILE, Profile, expand};
use super::super::{Credentials, Source};
use super::sts::Role;
use super::{Trouble, World, container, instance, process, sso, sts};
use crate::environment::Environment;
use crate::secret::Secret;

/// One place, with all that is needed to go there.
#[derive(Debug)]
pub(super) enum Provider {
    /// Keys that are at hand, and where they were found.
    Keys(Credentials, &'static str),
    /// A role that is taken with the keys of somebody else.
    Role(Box<Provider>, Role),
    /// A role that is taken with a token in a file.
    WebIdentity(PathBuf, Role),
    /// A person who logged in.
    Sso(sso::Login),
    /// A program that knows.
    Process(String),
    /// ECS or EKS.
    Container,
    /// The role of an EC2 instance; after all else, with what was looked at before.
    Instance(Option<String>),
}

impl Provider {
    /// Decides by what is configured; nothing is sent.
    pub(super) fn choose(
        source: &Source,
        environment: &Environment,
        files: &Files,
    ) -> Result<Self, Trouble> {
        match source {
            Source::Instance => Ok(Self::Instance(None)),
            Source::Key { id, secret } => {
                let (id, secret) = (id.clone(), secret.clone());
                Ok(Self::Keys(Credentials { id, secret, token: None, expires: None }, "key"))
            }
            Source::Environment => match of_environment(environment)? {
                Some(keys) => Ok(Self::Keys(keys, "environment")),
                None => Err(Trouble::auth(
                    "the credentials are to come from the environment, but `AWS_ACCESS_KEY_ID` and \
                     `AWS_SECRET_ACCESS_KEY` are not set",
                )),
            },
            Source::Chain => chain(environment, files),
        }
    }

    /// In a word.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Keys(_, word) => word,
            Self::Role(..) => "role",
            Self::WebIdentity(..) => "web identity",
            Self::Sso(_) => "sso",
            Self::Process(_) => "process",
            Self::Container => "container",
            Self::Instance(_) => "instance",
        }
    }

    /// Goes there.
    pub(super) fn fetch(&self, world: &World) -> Result<Credentials, Trouble> {
        match self {
            Self::Keys(keys, _) => Ok(keys.clone()),
            Self::Role(source, role) => sts::assume(&source.fetch(world)?, role, world),
            Self::WebIdentity(file, role) => sts::assume_with_token(file, role, world),
            Self::Sso(login) => login.credentials(world),
            Self::Process(command) => process::run(command, world.wire.client.bell()),
            Self::Container => container::fetch(world),
            Self::Instance(before) => instance::fetch(world, before.as_deref()),
        }
    }
}

/// `None` where neither half is set.
fn of_environment(environment: &Environment) -> Result<Option<Credentials>, Trouble> {
    let either = |names: [&str; 2]| names.iter().find_map(|name| environment.get(name));
    let id = either(["AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY"]);
    let secret = either(["AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY"]);
    match (id, secret) {
        (Some(id), Some(secret)) => Ok(Some(Credentials {
            id: Secret::new(id),
            secret: Secret::new(secret),
            token: environment.get("AWS_SESSION_TOKEN").map(Secret::new),
            expires: None,
        })),
        (None, None) => Ok(None),
        (Some(_), None) => {
            Err(Trouble::auth("`AWS_ACCESS_KEY_ID` is set, but `AWS_SECRET_ACCESS_KEY` is not"))
        }
        (None, Some(_)) => {
            Err(Trouble::auth("`AWS_SECRET_ACCESS_KEY` is set, but `AWS_ACCESS_KEY_ID` is not"))
        }
    }
}

/// The order of AWS's clients: environment, token in a file, profile, container, instance.
fn chain(environment: &Environment, files: &Files) -> Result<Provider, Trouble> {
    if let Some(keys) = of_environment(environment)? {
        return Ok(Provider::Keys(keys, "environment"));
    }
    let token = environment.get("AWS_WEB_IDENTITY_TOKEN_FILE");
    if let Some((token, arn)) = token.zip(environment.get("AWS_ROLE_ARN")) {
        let role = Role::named(arn, environment.get("AWS_ROLE_SESSION_NAME"));
        return Ok(Provider::WebIdentity(PathBuf::from(token), role));
    }
    let named = PROFILE.iter().any(|it| environment.get(it).is_some());
    match files.profile(&files.profile) {
        Some(profile) => {
            if let Some(provider) = of_profile(profile, environment, files, &mut Vec::new())? {
                return Ok(provider);
            }
        }
        None if named => {
            let message = format!("there is no profile `{}` in {}", files.profile, files.places());
            return Err(Trouble::auth(message));
        }
        None => {}
    }
    if container::is_configured(environment) {
        return Ok(Provider::Container);
    }
    Ok(Provider::Instance(Some(format!(
        "the environment (`AWS_ACCESS_KEY_ID` is not set), a token in a file (`AWS_WEB_IDENTITY_TOKEN_FILE` is not \
         set), profile `{}` in {} (no credentials there), the container (`AWS_CONTAINER_CREDENTIALS_FULL_URI` is not set)",
        files.profile,
        files.places()
    ))))
}

/// What a profile says; `None`: nothing of credentials. `seen` are those that led here.
fn of_profile(
    profile: Profile<'_>,
    environment: &Environment,
    files: &Files,
    seen: &mut Vec<String>,
) -> Result<Option<Provider>, Trouble> {
    let name = profile.name;
    let again = seen.iter().any(|it| it == name);
    seen.push(name.to_owned());
    if let Some(arn) = profile.get("role_arn").filter(|_| !again) {
        return of_role(profile, arn, environment, files, seen).map(Some);
    }
    let [of_id, of_secret] = ["aws_access_key_id", "aws_secret_access_key"];
    let (id, secret) = (profile.get(of_id), profile.get(of_secret));
    if id.is_some() != secret.is_some() {
        // Going on would make us somebody else.
        let (has, lacks) = if id.is_some() { (of_id, of_secret) } else { (of_secret, of_id) };
        return Err(Trouble::config(format!("profile `{name}` has `{has}`, but no `{lacks}`")));
    }
    if let Some((id, secret)) = id.zip(secret) {
        let token = profile.get("aws_session_token").map(Secret::new);
        let (id, secret) = (Secret::new(id), Secret::new(secret));
        return Ok(Some(Provider::Keys(
            Credentials { id, secret, token, expires: None },
            "profile",
        )));
    }
    if again {
        let way = seen.join("` → `");
        return Err(Trouble::config(format!("the profiles `{way}` lead in a circle")));
    }
    if profile.get("sso_session").or_else(|| profile.get("sso_start_url")).is_some() {
        return Ok(Some(Provider::Sso(sso::Login::of(profile, files)?)));
    }
    let process = profile.get("credential_process");
    Ok(process.map(|command| Provider::Process(command.to_owned())))
}

fn of_role(
    profile: Profile<'_>,
    arn: &str,
    environment: &Environment,
    files: &Files,
    seen: &mut Vec<String>,
) -> Result<Provider, Trouble> {
    let name = profile.name;
    if profile.get("mfa_serial").is_some() {
        return Err(Trouble::config(format!(
            "profile `{name}` asks for a code of a device (`mfa_serial`), which an unattended run cannot give; get a \
             session by other means, such as `aws configure export-credentials`, and put it into the environment"
        )));
    }
    let session =
        profile.get("role_session_name").or_else(|| environment.get("AWS_ROLE_SESSION_NAME"));
    let role = Role {
        external_id: profile.get("external_id").map(str::to_owned),
        seconds: seconds(profile)?,
        ..Role::named(arn, session)
    };
    if let Some(token) = profile.get("web_identity_token_file") {
        return Ok(Provider::WebIdentity(expand(token, files.home.as_deref()), role));
    }
    let source = match (profile.get("source_profile"), profile.get("credential_source")) {
        (Some(_), Some(_)) => {
            let message =
                format!("profile `{name}` has both `source_profile` and `credential_source`");
            return Err(Trouble::config(message));
        }
        (Some(source), None) => {
            let missing = || {
                let places = files.places();
                Trouble::config(format!(
                    "profile `{name}` needs profile `{source}`, which is not in {places}"
                ))
            };
            let found =
                of_profile(files.profile(source).ok_or_else(missing)?, environment, files, seen)?;
            found.ok_or_else(|| {
                Trouble::config(format!(
                    "profile `{name}` needs profile `{source}`, which has no credentials"
                ))
            })?
        }
        (None, Some("Environment")) => match of_environment(environment)? {
            Some(keys) => Provider::Keys(keys, "environment"),
            None => {
                let message = format!(
                    "profile `{name}` takes its credentials from the environment, in which there are none"
                );
                return Err(Trouble::auth(message));
            }
        },
        (None, Some("EcsContainer")) => Provider::Container,
        (None, Some("Ec2InstanceMetadata")) => Provider::Instance(None),
        (None, Some(other)) => {
            return Err(Trouble::config(format!(
                "profile `{name}` has the `credential_source` `{other}`, which is none of `Environment`, \
                 `EcsContainer`, `Ec2InstanceMetadata`"
            )));
        }
        (None, None) => {
            return Err(Trouble::config(format!(
                "profile `{name}` has a `role_arn`, but neither `source_profile` nor `credential_source`"
            )));
        }
    };
    Ok(Provider::Role(Box::new(source), role))
}

fn seconds(profile: Profile<'_>) -> Result<Option<u32>, Trouble> {
    let Some(text) = profile.get("duration_seconds") else { return Ok(None) };
    let wrong = |_| {
        let name = profile.name;
        Trouble::config(format!(
            "`duration_seconds` of profile `{name}` is not a number of seconds"
        ))
    };
    text.parse().map(Some).map_err(wrong)
}
