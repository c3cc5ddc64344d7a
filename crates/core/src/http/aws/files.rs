//! What AWS's own files say, and which profile counts.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::ini::{Section, parse};
use crate::environment::Environment;

/// The variables that name the profile that counts, the first one first.
pub(super) const PROFILE: [&str; 2] = ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"];

/// All that the two files say.
#[derive(Debug, Default)]
pub(super) struct Files {
    profiles: BTreeMap<String, Section>,
    sessions: BTreeMap<String, Section>,
    services: BTreeMap<String, Section>,
    /// `AWS_PROFILE` or `default`.
    pub(super) profile: String,
    /// The two files, for messages.
    pub(super) paths: [PathBuf; 2],
    /// Below which `.aws` lies.
    pub(super) home: Option<PathBuf>,
}

impl Files {
    /// Reads them. Files that are not there say nothing.
    ///
    /// # Errors
    /// A file that is there cannot be read.
    pub(super) fn read(environment: &Environment) -> Result<Self, String> {
        let home = environment.get("HOME").or_else(|| environment.get("USERPROFILE"));
        let home = home.map(PathBuf::from);
        let place = |variable, name: &str| match environment.get(variable) {
            Some(path) => expand(path, home.as_deref()),
            None => home.as_deref().map(|home| home.join(".aws").join(name)).unwrap_or_default(),
        };
        let config = place("AWS_CONFIG_FILE", "config");
        let credentials = place("AWS_SHARED_CREDENTIALS_FILE", "credentials");
        let profile = PROFILE.iter().find_map(|name| environment.get(name));
        let profile = profile.unwrap_or("default").to_owned();
        let mut files = Self { profile, ..Self::default() };
        for (name, section) in parse(&text(&config)?) {
            let (kind, rest) = name.split_once(' ').unwrap_or(("", &name));
            let place = match kind {
                "profile" => &mut files.profiles,
                "sso-session" => &mut files.sessions,
                "services" => &mut files.services,
                "" if name == "default" => &mut files.profiles,
                _ => continue,
            };
            place.entry(rest.to_owned()).or_default().extend(section);
        }
        // What the file of credentials says counts where both say something.
        for (name, section) in parse(&text(&credentials)?) {
            files.profiles.entry(name).or_default().extend(section);
        }
        Ok(Self { paths: [config, credentials], home, ..files })
    }

    /// A profile.
    pub(super) fn profile(&self, name: &str) -> Option<Profile<'_>> {
        let (name, section) = self.profiles.get_key_value(name)?;
        Some(Profile { name, section })
    }

    /// A setting of the profile that counts.
    pub(super) fn setting(&self, name: &str) -> Option<&str> {
        self.profile(&self.profile)?.get(name)
    }

    /// A setting of an `sso-session`.
    pub(super) fn session(&self, session: &str) -> Option<Profile<'_>> {
        let (name, section) = self.sessions.get_key_value(session)?;
        Some(Profile { name, section })
    }

    /// `endpoint_url` for a service in the `services` section that the profile names.
    pub(super) fn service_endpoint(&self, service: &str) -> Option<&str> {
        let section = self.services.get(self.setting("services")?)?;
        section
            .get(service)?
            .below
            .get("endpoint_url")
            .map(String::as_str)
            .filter(|it| !it.is_empty())
    }

    /// The two files in words.
    pub(super) fn places(&self) -> String {
        let [config, credentials] = &self.paths;
        format!("`{}` and `{}`", config.display(), credentials.display())
    }
}

/// A section with its name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Profile<'a> {
    pub(super) name: &'a str,
    section: &'a Section,
}

impl<'a> Profile<'a> {
    /// A setting that is not empty.
    pub(super) fn get(self, name: &str) -> Option<&'a str> {
        self.section.get(name).map(|it| it.text.as_str()).filter(|it| !it.is_empty())
    }

    /// The same, but it must be there.
    pub(super) fn need(self, name: &str) -> Result<&'a str, String> {
        self.get(name).ok_or_else(|| format!("`{}` does not say its `{name}`", self.name))
    }
}

/// A path that may begin with `~`.
pub(super) fn expand(path: &str, home: Option<&Path>) -> PathBuf {
    match (path.strip_prefix("~/").or_else(|| path.strip_prefix("~\\")), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(path),
    }
}

fn text(path: &Path) -> Result<String, String> {
    match fs::read(path) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(String::new())
        }
        Err(e) => Err(format!("cannot read `{}`: {e}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_files_and_the_profile_that_counts() {
        let home = tempfile::tempdir().expect("has a folder");
        fs::create_dir(home.path().join(".aws")).expect("makes it");
        let config = "[default]\na = 1\n[profile p]\nb = 1\nc = 1\nservices = s\n[p]\nb = no\n\
                      [services s]\nemr =\n  endpoint_url = http://e\n[sso-session x]\nsso_region = r\n[other y]\n";
        fs::write(home.path().join(".aws/config"), config).expect("writes");
        let elsewhere = home.path().join("secret");
        fs::write(&elsewhere, "[p]\nc = 2\n").expect("writes");
        let home_path = home.path().to_str().expect("is text");
        let of = |variables: &[(&str, &str)]| {
            let mut all = vec![("HOME", home_path), ("AWS_SHARED_CREDENTIALS_FILE", "~/secret")];
            all.extend(variables);
            Files::read(&all.into_iter().collect()).expect("reads")
        };
        let files = of(&[("AWS_PROFILE", "p")]);
        assert_eq!((files.setting("b"), files.setting("c")), (Some("1"), Some("2")));
        assert_eq!(files.service_endpoint("emr"), Some("http://e"));
        assert_eq!(files.service_endpoint("s3"), None);
        assert_eq!(files.session("x").and_then(|it| it.get("sso_region")), Some("r"));
        assert_eq!(
            files.session("x").expect("is there").need("y").expect_err("is not"),
            "`x` does not say its `y`"
        );
        let files = of(&[]);
        assert_eq!((files.setting("a"), files.service_endpoint("emr")), (Some("1"), None));
        // A folder in place of a file is not passed over in silence.
        let error = Files::read(&[("AWS_CONFIG_FILE", home_path)].into_iter().collect());
        assert!(error.expect_err("is refused").contains(home_path));
    }
}
