//! Where services are reached.
//!
//! Names follow the endpoint rules that AWS publishes with its clients (`endpoint-rule-set-1.json` of `botocore`'s
//! `emr`, `s3`, `sts`, `sso` and `sso-oidc`); whose word counts, the
//! [reference](https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html).

use super::Service;
use super::files::Files;
use crate::environment::Environment;

/// Where services are reached from one region.
#[derive(Clone, Debug)]
pub(super) struct Endpoints {
    fips: bool,
    dual_stack: bool,
    /// What the user names: EMR, S3, STS, SSO, SSO's OIDC.
    custom: [Option<String>; 5],
}

/// A part of AWS with names and keys of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Partition {
    Aws,
    China,
    Gov,
}

impl Partition {
    pub(super) fn of(region: &str) -> Self {
        match region {
            _ if region.starts_with("cn-") => Self::China,
            _ if region.starts_with("us-gov-") => Self::Gov,
            _ => Self::Aws,
        }
    }

    fn suffix(self) -> &'static str {
        if self == Self::China { "amazonaws.com.cn" } else { "amazonaws.com" }
    }

    fn dual_stack_suffix(self) -> &'static str {
        if self == Self::China { "api.amazonwebservices.com.cn" } else { "api.aws" }
    }
}

/// The services that may have an endpoint of their own, by the end of the variable and the key in the file.
const NAMES: [(&str, &str); 5] =
    [("EMR", "emr"), ("S3", "s3"), ("STS", "sts"), ("SSO", "sso"), ("SSO_OIDC", "sso_oidc")];

/// Whether a text may be the name of a region: it becomes a part of host names.
pub fn is_region(text: &str) -> bool {
    let label = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !text.is_empty() && text.chars().all(label)
}

/// Whether a text is the URL of an endpoint, with nothing in it that could be a password.
pub fn is_endpoint(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        !rest.is_empty() && !rest.starts_with('/') && !rest.contains(['?', '#', ' ', '@'])
    })
}

impl Endpoints {
    /// # Errors
    /// A setting that makes no sense.
    pub(super) fn of(
        environment: &Environment,
        files: &Files,
        region: &str,
    ) -> Result<Self, String> {
        if !is_region(region) {
            return Err(format!("`{region}` is not a region of AWS, such as `eu-west-1`"));
        }
        let flag = |variable, setting| flag(environment, files, variable, setting);
        let fips = flag("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint")?;
        if fips && Partition::of(region) == Partition::China {
            return Err(format!(
                "`{region}` has no FIPS endpoints; unset `AWS_USE_FIPS_ENDPOINT` or `use_fips_endpoint`"
            ));
        }
        let dual_stack = flag("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint")?;
        let ignored =
            flag("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls")?;
        let mut custom = [const { None }; 5];
        for (place, (variable, key)) in custom.iter_mut().zip(NAMES).filter(|_| !ignored) {
            *place = named(environment, files, variable, key)?;
        }
        Ok(Self { fips, dual_stack, custom })
    }

    /// The same, but with these whatever the user says now.
    #[must_use]
    pub(super) fn with(mut self, recorded: &[(Service, String)]) -> Self {
        for (service, url) in recorded {
            self.custom[place(*service)] = Some(without_slash(url));
        }
        self
    }

    /// What does not follow from the region.
    pub(super) fn unusual(&self, service: Service, region: &str) -> Option<String> {
        if service != Service::Emr {
            return self.custom(service).map(str::to_owned);
        }
        // The cluster is behind this one, whatever flags have made of its name.
        let url = self.url(service, region);
        let usual = format!("https://elasticmapreduce.{region}.");
        (!url.starts_with(&usual)).then_some(url)
    }

    /// What the user says, without a slash at its end.
    pub(super) fn custom(&self, service: Service) -> Option<&str> {
        self.custom[place(service)].as_deref()
    }

    /// The portal of SSO, or its OIDC.
    pub(super) fn sso(&self, oidc: bool, region: &str) -> String {
        let (name, place) = if oidc { ("oidc", 4) } else { ("portal.sso", 3) };
        let own = || format!("https://{}", self.host_of(name, region));
        self.custom[place].clone().unwrap_or_else(own)
    }

    /// Scheme and host, without a slash at the end.
    pub(super) fn url(&self, service: Service, region: &str) -> String {
        let own = || format!("https://{}", self.host(service, region));
        self.custom(service).map_or_else(own, str::to_owned)
    }

    fn host(&self, service: Service, region: &str) -> String {
        match service {
            Service::Emr => self.host_of("elasticmapreduce", region),
            Service::Sts => self.host_of("sts", region),
            Service::S3 => {
                let fips = if self.fips { "-fips" } else { "" };
                let stack = if self.dual_stack { ".dualstack" } else { "" };
                format!("s3{fips}{stack}.{region}.{}", Partition::of(region).suffix())
            }
        }
    }

    fn host_of(&self, name: &str, region: &str) -> String {
        let partition = Partition::of(region);
        // In GovCloud the ordinary ones are FIPS ones already.
        let plain = partition == Partition::Gov && !self.dual_stack;
        let fips = if self.fips && !plain { "-fips" } else { "" };
        let suffix =
            if self.dual_stack { partition.dual_stack_suffix() } else { partition.suffix() };
        format!("{name}{fips}.{region}.{suffix}")
    }

    /// The URL of a path on S3 whose first part is the bucket.
    pub(super) fn s3(&self, region: &str, path: &str) -> String {
        let (bucket, rest) = bucket(path);
        // A bucket with dots in its name is no single label, which certificates are for.
        let label = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let fits = (3..=63).contains(&bucket.len()) && bucket.chars().all(label);
        match self.custom(Service::S3) {
            None if fits => format!("https://{bucket}.{}{rest}", self.host(Service::S3, region)),
            _ => format!("{}{path}", self.url(Service::S3, region)),
        }
    }
}

fn place(service: Service) -> usize {
    match service {
        Service::Emr => 0,
        Service::S3 => 1,
        Service::Sts => 2,
    }
}

/// The bucket of a path on S3, and the rest, which begins with a slash.
pub(super) fn bucket(path: &str) -> (&str, &str) {
    let path = path.strip_prefix('/').unwrap_or(path);
    match path.find('/') {
        Some(end) => path.split_at(end),
        None => (path, "/"),
    }
}

fn flag(
    environment: &Environment,
    files: &Files,
    variable: &str,
    setting: &str,
) -> Result<bool, String> {
    let of_variable = environment.get(variable).map(|value| (variable, value));
    let said = of_variable.or_else(|| files.setting(setting).map(|value| (setting, value)));
    match said.map(|(name, value)| (name, value.to_ascii_lowercase())) {
        None => Ok(false),
        Some((_, value)) if value == "true" => Ok(true),
        Some((_, value)) if value == "false" => Ok(false),
        Some((name, value)) => Err(format!("`{name}` is `{value}`, not `true` or `false`")),
    }
}

fn named(
    environment: &Environment,
    files: &Files,
    variable: &str,
    key: &str,
) -> Result<Option<String>, String> {
    let own = format!("AWS_ENDPOINT_URL_{variable}");
    let said = [own.as_str(), "AWS_ENDPOINT_URL"]
        .into_iter()
        .find_map(|name| environment.get(name).map(|url| (name, url)))
        .or_else(|| files.service_endpoint(key).map(|url| ("services", url)))
        .or_else(|| files.setting("endpoint_url").map(|url| ("endpoint_url", url)));
    let Some((name, url)) = said else { return Ok(None) };
    if !is_endpoint(url) {
        // Not the URL itself: before an `@` there may be a password.
        return Err(format!(
            "`{name}` is no URL of an endpoint, such as `https://emr.example.com`"
        ));
    }
    Ok(Some(without_slash(url)))
}

fn without_slash(url: &str) -> String {
    url.trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoints(variables: &[(&str, &str)], region: &str) -> Result<Endpoints, String> {
        Endpoints::of(&variables.iter().copied().collect(), &Files::default(), region)
    }

    const FIPS: (&str, &str) = ("AWS_USE_FIPS_ENDPOINT", "true");
    const DUAL: (&str, &str) = ("AWS_USE_DUALSTACK_ENDPOINT", "TRUE");

    #[test]
    fn names() {
        type Row = (&'static str, &'static [(&'static str, &'static str)], [&'static str; 3]);
        let table: [Row; 10] = [
            (
                "eu-west-1",
                &[],
                [
                    "elasticmapreduce.eu-west-1.amazonaws.com",
                    "s3.eu-west-1.amazonaws.com",
                    "sts.eu-west-1.amazonaws.com",
                ],
            ),
            (
                "us-east-1",
                &[FIPS],
                [
                    "elasticmapreduce-fips.us-east-1.amazonaws.com",
                    "s3-fips.us-east-1.amazonaws.com",
                    "sts-fips.us-east-1.amazonaws.com",
                ],
            ),
            (
                "us-east-1",
                &[DUAL],
                [
                    "elasticmapreduce.us-east-1.api.aws",
                    "s3.dualstack.us-east-1.amazonaws.com",
                    "sts.us-east-1.api.aws",
                ],
            ),
            (
                "us-east-1",
                &[FIPS, DUAL],
                [
                    "elasticmapreduce-fips.us-east-1.api.aws",
                    "s3-fips.dualstack.us-east-1.amazonaws.com",
                    "sts-fips.us-east-1.api.aws",
                ],
            ),
            (
                "cn-north-1",
                &[],
                [
                    "elasticmapreduce.cn-north-1.amazonaws.com.cn",
                    "s3.cn-north-1.amazonaws.com.cn",
                    "sts.cn-north-1.amazonaws.com.cn",
                ],
            ),
            (
                "cn-north-1",
                &[DUAL],
                [
                    "elasticmapreduce.cn-north-1.api.amazonwebservices.com.cn",
                    "s3.dualstack.cn-north-1.amazonaws.com.cn",
                    "sts.cn-north-1.api.amazonwebservices.com.cn",
                ],
            ),
            (
                "us-gov-west-1",
                &[],
                [
                    "elasticmapreduce.us-gov-west-1.amazonaws.com",
                    "s3.us-gov-west-1.amazonaws.com",
                    "sts.us-gov-west-1.amazonaws.com",
                ],
            ),
            (
                "us-gov-west-1",
                &[FIPS],
                [
                    "elasticmapreduce.us-gov-west-1.amazonaws.com",
                    "s3-fips.us-gov-west-1.amazonaws.com",
                    "sts.us-gov-west-1.amazonaws.com",
                ],
            ),
            (
                "us-gov-west-1",
                &[DUAL],
                [
                    "elasticmapreduce.us-gov-west-1.api.aws",
                    "s3.dualstack.us-gov-west-1.amazonaws.com",
                    "sts.us-gov-west-1.api.aws",
                ],
            ),
            (
                "us-gov-west-1",
                &[FIPS, DUAL],
                [
                    "elasticmapreduce-fips.us-gov-west-1.api.aws",
                    "s3-fips.dualstack.us-gov-west-1.amazonaws.com",
                    "sts-fips.us-gov-west-1.api.aws",
                ],
            ),
        ];
        for (region, variables, hosts) in table {
            let endpoints = endpoints(variables, region).expect("makes sense");
            let urls =
                [Service::Emr, Service::S3, Service::Sts].map(|it| endpoints.url(it, region));
            assert_eq!(urls, hosts.map(|host| format!("https://{host}")), "{variables:?}");
        }
    }

    #[test]
    fn what_the_user_names_counts_in_this_order() {
        let home = tempfile::tempdir().expect("has a folder");
        let file = home.path().join("config");
        let config = "[default]\nendpoint_url = http://all\nservices = s\n[services s]\nemr =\n  endpoint_url = http://emr/\n";
        std::fs::write(&file, config).expect("writes");
        let file = file.to_str().expect("is text");
        let of = |variables: &[(&str, &str)]| {
            let environment =
                variables.iter().copied().chain([("AWS_CONFIG_FILE", file)]).collect();
            let files = Files::read(&environment).expect("reads");
            let endpoints = Endpoints::of(&environment, &files, "eu-west-1").expect("makes sense");
            [Service::Emr, Service::S3].map(|it| endpoints.url(it, "eu-west-1"))
        };
        assert_eq!(of(&[]), ["http://emr", "http://all"]);
        assert_eq!(of(&[("AWS_ENDPOINT_URL", "https://e")]), ["https://e", "https://e"]);
        let both = [("AWS_ENDPOINT_URL", "https://e"), ("AWS_ENDPOINT_URL_S3", "http://s:1/")];
        assert_eq!(of(&both), ["https://e", "http://s:1"]);
        let ignored = of(&[both[0], both[1], ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")]);
        assert_eq!(ignored[0], "https://elasticmapreduce.eu-west-1.amazonaws.com");
    }

    #[test]
    fn buckets_go_into_the_host_where_they_can() {
        let own = endpoints(&[], "eu-west-1").expect("makes sense");
        let url = |path| own.s3("eu-west-1", path);
        let host = "s3.eu-west-1.amazonaws.com";
        assert_eq!(url("/logs/a/b"), format!("https://logs.{host}/a/b"));
        assert_eq!(url("/logs"), format!("https://logs.{host}/"));
        for path in ["/my.logs/a", "/Logs/a", "/ab/a"] {
            assert_eq!(url(path), format!("https://{host}{path}"));
        }
        let custom = endpoints(&[("AWS_ENDPOINT_URL", "http://h:1/x")], "eu-west-1");
        assert_eq!(custom.expect("makes sense").s3("eu-west-1", "/logs/a"), "http://h:1/x/logs/a");
        assert_eq!(own.sso(false, "eu-west-1"), "https://portal.sso.eu-west-1.amazonaws.com");
        assert_eq!(own.sso(true, "cn-north-1"), "https://oidc.cn-north-1.amazonaws.com.cn");
    }

    #[test]
    fn nonsense_is_refused() {
        let error = |variables: &[(&str, &str)], region: &str| {
            endpoints(variables, region).expect_err("is refused")
        };
        assert!(
            error(&[("AWS_USE_FIPS_ENDPOINT", "yes")], "eu-west-1")
                .contains("AWS_USE_FIPS_ENDPOINT")
        );
        assert!(error(&[FIPS], "cn-north-1").contains("FIPS"));
        for url in ["emr.example.com", "https://", "http:///x", "https://a/?b", "ftp://a"] {
            assert!(
                error(&[("AWS_ENDPOINT_URL_EMR", url)], "eu-west-1")
                    .contains("AWS_ENDPOINT_URL_EMR"),
                "{url}"
            );
        }
        for region in ["", "eu-west-1.evil.example/", "EU"] {
            error(&[], region);
        }
    }
}
