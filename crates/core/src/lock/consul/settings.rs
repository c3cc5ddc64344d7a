//! Where Consul is and who asks, as Consul's own clients read it.
//!
//! The variables and their meaning: <https://developer.hashicorp.com/consul/commands#environment-variables>; what the
//! page does not say (which of two tokens counts, what an address may be) is taken from `api.DefaultConfig` and
//! `api.NewClient` of github.com/hashicorp/consul/api v1.18.

use std::path::PathBuf;

use super::super::Error;
use crate::base64;
use crate::environment::Environment;
use crate::http::{Authorities, Trust};
use crate::secret::Secret;

/// How to reach Consul.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Scheme, host and what is before `/v1`, without a slash at the end.
    pub base: String,
    /// Headers of every request; names in lower case.
    pub headers: Vec<(&'static str, Secret)>,
    /// The namespace, of Consul Enterprise.
    pub namespace: Option<String>,
    /// The partition, of Consul Enterprise.
    pub partition: Option<String>,
    /// How to know the server, and be known to it.
    pub trust: Trust,
}

impl Settings {
    /// What `--consul` and the environment say. The token file is read.
    ///
    /// # Errors
    /// It makes no sense, or the file cannot be read.
    pub fn of(address: &str, environment: &Environment) -> Result<Self, Error> {
        let base = base(address, environment)?;
        let mut headers = Vec::new();
        if let Some(token) = token(environment)? {
            headers.push(("x-consul-token", token));
        }
        if let Some(auth) = environment.get("CONSUL_HTTP_AUTH") {
            // A name alone has an empty password.
            let pair = if auth.contains(':') { auth.to_owned() } else { format!("{auth}:") };
            let basic = format!("Basic {}", base64::encode(pair.as_bytes()));
            headers.push(("authorization", Secret::new(basic)));
        }
        for (name, value) in &headers {
            if value.expose().bytes().any(|byte| byte < 0x20 || byte == 0x7f) {
                return Err(Error::ours(format!(
                    "the value for Consul's header `{name}` has a line break or another control character in it"
                )));
            }
        }
        let owned = |name| environment.get(name).map(ToOwned::to_owned);
        Ok(Self {
            base,
            headers,
            namespace: owned("CONSUL_NAMESPACE"),
            partition: owned("CONSUL_PARTITION"),
            trust: trust(environment)?,
        })
    }
}

fn base(address: &str, environment: &Environment) -> Result<String, Error> {
    let wrong = |why: &str| {
        // Not the address itself: there may be a password in it.
        Error::ours(format!("the address of Consul {why}: write HOST:PORT or http(s)://HOST:PORT"))
    };
    let address = address.trim();
    let (scheme, rest) = match address.split_once("://") {
        Some((scheme, rest)) => (Some(scheme.to_ascii_lowercase()), rest),
        None => (None, address),
    };
    let rest = rest.trim_end_matches('/');
    let scheme = match scheme.as_deref() {
        // TLS that was asked for is never given up.
        _ if flag(environment, "CONSUL_HTTP_SSL")?.unwrap_or(false) => "https",
        Some("https") => "https",
        Some("http") => "http",
        Some("unix") => {
            return Err(wrong("is a Unix socket, which this program does not speak to"));
        }
        Some(_) => return Err(wrong("has an unknown scheme")),
        // The same server, said twice: once with its scheme.
        None if environment.get("CONSUL_HTTP_ADDR").is_some_and(|known| {
            known.strip_prefix("https://").is_some_and(|known| known.trim_end_matches('/') == rest)
        }) =>
        {
            "https"
        }
        None => "http",
    };
    let host = rest.split('/').next().unwrap_or_default();
    if host.is_empty() || host.starts_with(':') {
        return Err(wrong("has no host"));
    }
    if host.contains('@') {
        return Err(wrong("has a user in it; those go into CONSUL_HTTP_AUTH"));
    }
    if rest.bytes().any(|byte| byte <= b' ' || byte >= 0x7f || b"?#\"<>\\^`{|}".contains(&byte)) {
        return Err(wrong("has a character in it that no address has"));
    }
    let port = host.rsplit_once(':').filter(|(name, _)| !name.contains(':') || name.ends_with(']'));
    match port {
        Some((_, port)) if port.parse::<u16>().is_err() => Err(wrong("has no number for its port")),
        _ => Ok(format!("{scheme}://{rest}")),
    }
}

/// The file's token wins over the variable's, as in Consul's clients.
fn token(environment: &Environment) -> Result<Option<Secret>, Error> {
    if let Some(path) = environment.get("CONSUL_HTTP_TOKEN_FILE") {
        let text = std::fs::read_to_string(path).map_err(|error| {
            Error::ours(format!(
                "cannot read the token file `{path}` (CONSUL_HTTP_TOKEN_FILE): {error}"
            ))
        })?;
        let token = text.trim();
        if !token.is_empty() {
            return Ok(Some(Secret::new(token)));
        }
    }
    Ok(environment.get("CONSUL_HTTP_TOKEN").map(Secret::new))
}

fn trust(environment: &Environment) -> Result<Trust, Error> {
    let path = |name| environment.get(name).map(PathBuf::from);
    let identity = match (path("CONSUL_CLIENT_CERT"), path("CONSUL_CLIENT_KEY")) {
        (Some(certificate), Some(key)) => Some((certificate, key)),
        (None, None) => None,
        _ => {
            return Err(Error::ours(
                "CONSUL_CLIENT_CERT and CONSUL_CLIENT_KEY go together: set both or neither",
            ));
        }
    };
    // As there, the file counts where both are set.
    let authorities = match path("CONSUL_CACERT").or_else(|| path("CONSUL_CAPATH")) {
        Some(path) => Authorities::File(path),
        None => Trust::of(environment).authorities,
    };
    Ok(Trust {
        authorities,
        identity,
        server_name: environment.get("CONSUL_TLS_SERVER_NAME").map(ToOwned::to_owned),
        unchecked: flag(environment, "CONSUL_HTTP_SSL_VERIFY")? == Some(false),
    })
}

/// The words that `strconv.ParseBool` of Go takes.
fn flag(environment: &Environment, name: &str) -> Result<Option<bool>, Error> {
    match environment.get(name) {
        None => Ok(None),
        Some("1" | "t" | "T" | "true" | "TRUE" | "True") => Ok(Some(true)),
        Some("0" | "f" | "F" | "false" | "FALSE" | "False") => Ok(Some(false)),
        Some(_) => Err(Error::ours(format!("{name} is neither `true` nor `false`"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(address: &str, variables: &[(&str, &str)]) -> Result<Settings, String> {
        let environment: Environment = variables.iter().copied().collect();
        Settings::of(address, &environment).map_err(|error| error.to_string())
    }

    #[test]
    fn addresses() {
        let ssl = [("CONSUL_HTTP_SSL", "true")];
        let known = [("CONSUL_HTTP_ADDR", "https://c:8501/")];
        type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str);
        let cases: [Case<'_>; 10] = [
            ("127.0.0.1:8500", &[], "http://127.0.0.1:8500"),
            ("consul", &[], "http://consul"),
            ("http://c:8500/", &[], "http://c:8500"),
            ("HTTPS://c:8501", &[], "https://c:8501"),
            ("http://c/proxy/consul/", &[], "http://c/proxy/consul"),
            ("[::1]:8500", &[], "http://[::1]:8500"),
            ("http://c:8500", &ssl, "https://c:8500"),
            ("c:8501", &known, "https://c:8501"),
            ("other:8500", &known, "http://other:8500"),
            ("c:8501", &[("CONSUL_HTTP_ADDR", "c:8501")], "http://c:8501"),
        ];
        for (address, variables, base) in cases {
            let settings = read(address, variables).expect(address);
            assert_eq!(settings.base, base, "{address} {variables:?}");
        }
        let wrong = [
            "",
            ":8500",
            "unix:///s",
            "ftp://c",
            "c:port",
            "c:99999",
            "http://u:secret@c",
            "a b",
            "c?x",
            "c\nd",
        ];
        for address in wrong {
            let error = read(address, &[]).expect_err(address);
            assert!(error.ends_with("write HOST:PORT or http(s)://HOST:PORT"), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn the_file_has_the_token_that_counts() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let path = file.path().to_str().expect("text");
        let token = |variables: &[(&str, &str)]| {
            let headers = read("c", variables)?.headers;
            let found = headers.iter().find(|(name, _)| *name == "x-consul-token");
            Ok::<_, String>(found.map(|(_, token)| token.expose().to_owned()))
        };
        let both = [("CONSUL_HTTP_TOKEN", "v"), ("CONSUL_HTTP_TOKEN_FILE", path)];
        assert_eq!(token(&[]), Ok(None));
        assert_eq!(token(&both), Ok(Some("v".into())), "an empty file says nothing");
        std::fs::write(path, "f\n").expect("written");
        assert_eq!(token(&both), Ok(Some("f".into())));
        let error = token(&[("CONSUL_HTTP_TOKEN_FILE", "/nowhere/t")]).expect_err("no file");
        assert!(error.contains("`/nowhere/t` (CONSUL_HTTP_TOKEN_FILE)"), "{error}");
        let error = token(&[("CONSUL_HTTP_TOKEN", "a\r\nx: secret")]).expect_err("two lines");
        assert!(!error.contains("secret"), "{error}");
    }

    #[test]
    fn user_and_password() {
        for (auth, header) in [("u:p", "Basic dTpw"), ("u", "Basic dTo=")] {
            let headers = read("c", &[("CONSUL_HTTP_AUTH", auth)]).expect("settings").headers;
            assert_eq!(headers[0].0, "authorization");
            assert_eq!(headers[0].1.expose(), header);
        }
    }

    #[test]
    fn the_rest() {
        let settings = read(
            "c",
            &[
                ("CONSUL_NAMESPACE", "n"),
                ("CONSUL_PARTITION", "p"),
                ("CONSUL_CACERT", "/ca"),
                ("CONSUL_CAPATH", "/cas"),
                ("CONSUL_CLIENT_CERT", "/cert"),
                ("CONSUL_CLIENT_KEY", "/key"),
                ("CONSUL_TLS_SERVER_NAME", "s"),
                ("CONSUL_HTTP_SSL_VERIFY", "false"),
            ],
        )
        .expect("settings");
        assert_eq!(
            (settings.namespace.as_deref(), settings.partition.as_deref()),
            (Some("n"), Some("p"))
        );
        let Trust { authorities, identity, server_name, unchecked } = settings.trust;
        assert_eq!(authorities, Authorities::File("/ca".into()));
        assert_eq!(identity, Some(("/cert".into(), "/key".into())));
        assert_eq!((server_name.as_deref(), unchecked), (Some("s"), true));
        let folder = read("c", &[("CONSUL_CAPATH", "/cas")]).expect("settings").trust;
        assert_eq!(
            (folder.authorities, folder.unchecked),
            (Authorities::File("/cas".into()), false)
        );
        assert!(read("c", &[("CONSUL_CLIENT_CERT", "/cert")]).is_err());
        assert!(read("c", &[("CONSUL_HTTP_SSL", "yes")]).is_err());
    }

    #[test]
    fn secrets_do_not_show() {
        let variables = [("CONSUL_HTTP_TOKEN", "hush"), ("CONSUL_HTTP_AUTH", "u:hush")];
        let shown = format!("{:?}", read("c", &variables).expect("settings"));
        assert!(!shown.contains("hush") && !shown.contains("dTpo"), "{shown}");
    }
}
