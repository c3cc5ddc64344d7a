//! What finds this fabric again without its files, and the way back.

use std::collections::BTreeMap;

use super::{Access, Aws, Credentials, NAME};
use crate::diagnostic::{Diagnostic, code};
use crate::fabric::reach::Kept;
use crate::http::aws::{Recorded, Service, Source, is_endpoint, is_region};
use crate::secret::Text;
use crate::source::Span;

const REGION: &str = "region";
const CREDENTIALS: &str = "credentials";
const PROFILE: &str = "profile";
/// Services that may have been reached elsewhere than usual.
const ENDPOINTS: [(Service, &str); 3] =
    [(Service::Emr, "endpoint"), (Service::S3, "s3Endpoint"), (Service::Sts, "stsEndpoint")];
/// The word for a key that stands in a file. The other words are those of the files.
const LITERAL: &str = "literal";

/// Where credentials come from, in a word: never the credentials.
pub(super) fn word(source: &Source) -> &'static str {
    match source {
        Source::Instance => "iam",
        Source::Environment => "env",
        Source::Chain => "default",
        Source::Key { .. } => LITERAL,
    }
}

/// The words for the header of a journal.
pub(super) fn told(account: &dyn Aws) -> BTreeMap<String, String> {
    let Recorded { endpoints, profile } = account.recorded();
    let endpoint = |(service, url): (Service, String)| {
        let key = ENDPOINTS.iter().find(|(of, _)| *of == service);
        key.map(|(_, key)| (*key, url))
    };
    let told = [(REGION, account.region().to_owned()), (CREDENTIALS, account.source().to_owned())];
    let told = told.into_iter().chain(profile.map(|profile| (PROFILE, profile)));
    let told = told.chain(endpoints.into_iter().filter_map(endpoint));
    told.map(|(key, value)| (key.to_owned(), value)).collect()
}

/// Whether the header of a journal leads to credentials: those that are written in a file are in no journal. (On other
/// fabrics there are none.)
pub fn keeps_credentials(reach: &BTreeMap<String, String>) -> bool {
    reach.get(CREDENTIALS).is_none_or(|word| word != LITERAL)
}

impl Access {
    /// What reaches the clusters of an earlier run, from the header of its journal ([`crate::fabric::Fabric::reach`]):
    /// region and credentials, and where AWS was reached. A key that stood in a file is in no journal: then it comes
    /// from `files`, which is what they say now.
    ///
    /// # Errors
    /// Something is missing in it, or makes no sense; or the credentials are neither kept nor in `files`
    /// (`credentials-not-kept`).
    pub fn reached(
        reach: &BTreeMap<String, String>,
        files: Option<Self>,
    ) -> Result<(Self, Recorded), Diagnostic> {
        let kept = Kept::new(NAME, reach);
        let region = kept.need(REGION)?;
        if !is_region(region) {
            return Err(kept.wrong(REGION, "a region of AWS"));
        }
        let credentials = match (kept.need(CREDENTIALS)?, files) {
            ("iam", _) => Credentials::Instance,
            ("env", _) => Credentials::Environment,
            ("default", _) => Credentials::Chain,
            (LITERAL, Some(files)) => files.credentials,
            (LITERAL, None) => return Err(not_kept()),
            _ => {
                return Err(kept.wrong(CREDENTIALS, "`iam`, `env`, `default` or `literal`"));
            }
        };
        let mut recorded =
            Recorded { profile: kept.get(PROFILE).map(str::to_owned), ..Recorded::default() };
        for (service, key) in ENDPOINTS {
            let Some(url) = kept.get(key) else { continue };
            if !is_endpoint(url) {
                return Err(kept.wrong(key, "the URL of an endpoint"));
            }
            recorded.endpoints.push((service, url.to_owned()));
        }
        let region = Text::new(region, Span::at(0));
        Ok((Self { region, credentials }, recorded))
    }
}

fn not_kept() -> Diagnostic {
    let message =
        "the credentials of the run stood in its files as they are, and such are kept nowhere else";
    Diagnostic::error(code::CREDENTIALS_NOT_KEPT, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Environment;
    use crate::fabric::Fabric;
    use crate::fabric::emr::Emr;
    use crate::http::Client;
    use crate::http::aws::{Account, Settings};
    use crate::secret::Secret;
    use std::sync::Arc;

    fn reach(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    /// The fabric in a process with this environment.
    fn emr(access: &Access, recorded: &Recorded, variables: &[(&str, &str)]) -> Emr {
        let keys = [("AWS_ACCESS_KEY_ID", "AKIA"), ("AWS_SECRET_ACCESS_KEY", "hunter2")];
        let variables = variables.iter().chain(&keys).copied();
        let environment: Arc<Environment> = Arc::new(variables.collect());
        let client = Client::new(&environment, Arc::default()).expect("makes sense");
        let settings = Settings {
            region: access.region.expose().to_owned(),
            credentials: (&access.credentials).into(),
            environment,
            client: Arc::new(client),
            quotas: "never/used".into(),
        };
        Emr::new(None, Account::again(settings, recorded).expect("makes sense"))
    }

    fn key() -> Access {
        let (id, secret) = (Secret::new("AKIA"), Secret::new("hunter2"));
        let credentials = Credentials::Key { id, secret, at: [Span::at(0); 2] };
        Access { region: Text::new("us-east-1", Span::at(0)), credentials }
    }

    #[test]
    fn there_and_back() {
        for said in [
            reach(&[("region", "eu-west-1"), ("credentials", "env")]),
            reach(&[("region", "eu-west-1"), ("credentials", "iam")]),
            reach(&[("region", "eu-west-1"), ("credentials", "literal")]),
            reach(&[("region", "cn-north-1"), ("credentials", "default")]),
            reach(&[("region", "eu-west-1"), ("credentials", "default"), ("profile", "deploy")]),
            reach(&[
                ("region", "eu-west-1"),
                ("credentials", "env"),
                ("endpoint", "https://elasticmapreduce-fips.eu-west-1.amazonaws.com"),
                ("s3Endpoint", "http://127.0.0.1:9"),
                ("stsEndpoint", "http://sts.test/x"),
            ]),
        ] {
            let (access, recorded) = Access::reached(&said, Some(key())).expect("it makes sense");
            assert_eq!(emr(&access, &recorded, &[]).reach(), said);
        }
    }

    /// The cluster is where it was, whatever is set where somebody looks for it; but whose keys are good today is known
    /// there, not in the journal.
    #[test]
    fn endpoints_of_the_journal_count_and_a_profile_of_the_environment() {
        let said = reach(&[
            ("region", "eu-west-1"),
            ("credentials", "default"),
            ("endpoint", "http://there"),
            ("profile", "then"),
        ]);
        let (access, recorded) = Access::reached(&said, None).expect("it makes sense");
        let now = [("AWS_ENDPOINT_URL", "http://here"), ("AWS_PROFILE", "now")];
        let told = emr(&access, &recorded, &now).reach();
        assert_eq!(told["endpoint"], "http://there");
        assert_eq!(told["s3Endpoint"], "http://here", "nothing was said of it");
        assert_eq!(told["profile"], "now");
    }

    #[test]
    fn a_key_comes_from_the_files_or_not_at_all() {
        let said = reach(&[("region", "eu-west-1"), ("credentials", "literal")]);
        let (access, _) = Access::reached(&said, Some(key())).expect("they have it");
        assert_eq!(access.region.expose(), "eu-west-1", "the cluster is where it was");
        assert_eq!(access.credentials, key().credentials);
        let fault = Access::reached(&said, None).expect_err("nobody has it");
        assert_eq!(fault.code, "credentials-not-kept");
        assert!(
            !format!("{:?}", emr(&access, &Recorded::default(), &[]).reach()).contains("hunter2")
        );
    }

    #[test]
    fn what_is_missing_or_makes_no_sense_is_said() {
        let fine = [("region", "eu-west-1"), ("credentials", "env")];
        for (key, value, told) in [
            ("region", None, "does not say `region`"),
            ("credentials", None, "does not say `credentials`"),
            ("region", Some("evil.example/"), "it must be a region of AWS"),
            ("credentials", Some("hunch"), "it must be `iam`, `env`, `default` or `literal`"),
            (
                "endpoint",
                Some("there"),
                "`endpoint` is `there`, but to reach `emr` it must be the URL of an endpoint",
            ),
            ("s3Endpoint", Some("http://u:p@h"), "the URL of an endpoint"),
        ] {
            let mut said = reach(&fine);
            said.remove(key);
            said.extend(value.map(|value| (key.to_owned(), value.to_owned())));
            let fault = Access::reached(&said, None).expect_err(told);
            assert_eq!(fault.code, "journal-reach");
            assert!(fault.message.contains(told), "{}", fault.message);
        }
    }
}
