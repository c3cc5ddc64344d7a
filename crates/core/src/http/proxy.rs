//! Through which proxy a request goes, if through any: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`.

use std::net::IpAddr;

use ureq::Proxy;

use crate::environment::Environment;

/// What the environment says of proxies. Names in lower case count where those in upper case are not set.
#[derive(Debug, Default)]
pub(super) struct Proxies {
    https: Option<Proxy>,
    http: Option<Proxy>,
    not_for: Vec<Exception>,
}

/// An entry of `NO_PROXY`.
#[derive(Debug, PartialEq, Eq)]
enum Exception {
    All,
    /// A host or domain with all below it, and a port if only that is meant.
    Domain(String, Option<u16>),
    Net(IpAddr, u8),
}

impl Proxies {
    /// # Errors
    /// A variable that is no URL of a proxy.
    pub(super) fn of(environment: &Environment) -> Result<Self, String> {
        let all = proxy(environment, ["ALL_PROXY", "all_proxy"])?;
        let or_all = |proxy: Option<Proxy>| proxy.or_else(|| all.clone());
        Ok(Self {
            https: or_all(proxy(environment, ["HTTPS_PROXY", "https_proxy"])?),
            http: or_all(proxy(environment, ["HTTP_PROXY", "http_proxy"])?),
            not_for: variable(environment, ["NO_PROXY", "no_proxy"])
                .map_or("", |(_, value)| value)
                .split([',', ' '])
                .filter_map(Exception::read)
                .collect(),
        })
    }

    /// The proxy for a host, which comes without the brackets of IPv6. This machine and the link-local addresses
    /// at which clouds tell their machines who they are are never behind one.
    pub(super) fn choose(&self, https: bool, host: &str, port: u16) -> Option<&Proxy> {
        let proxy = if https { &self.https } else { &self.http }.as_ref()?;
        let direct = is_near(host) || self.not_for.iter().any(|it| it.covers(host, port));
        (!direct).then_some(proxy)
    }
}

impl Exception {
    fn read(entry: &str) -> Option<Self> {
        let entry = entry.trim().to_ascii_lowercase();
        if entry.is_empty() {
            return None;
        }
        if entry == "*" {
            return Some(Self::All);
        }
        if let Some((net, bits)) = entry.split_once('/') {
            return Some(Self::Net(net.parse().ok()?, bits.parse().ok()?));
        }
        if let Ok(address) = entry.trim_matches(['[', ']']).parse::<IpAddr>() {
            return Some(Self::Net(address, 128));
        }
        let (name, port) = match entry.rsplit_once(':') {
            Some((name, port)) => (name, Some(port.parse().ok()?)),
            None => (entry.as_str(), None),
        };
        let name = name.strip_prefix('*').unwrap_or(name);
        let name = name.trim_start_matches('.').trim_matches(['[', ']']);
        Some(Self::Domain(name.to_owned(), port))
    }

    fn covers(&self, host: &str, port: u16) -> bool {
        match self {
            Self::All => true,
            Self::Net(net, bits) => host.parse().is_ok_and(|address| within(address, *net, *bits)),
            Self::Domain(name, only) => {
                let host = host.to_ascii_lowercase();
                let below = host.strip_suffix(name.as_str());
                only.is_none_or(|only| only == port)
                    && below.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            }
        }
    }
}

fn variable<'a>(
    environment: &'a Environment,
    names: [&'static str; 2],
) -> Option<(&'static str, &'a str)> {
    names.into_iter().find_map(|name| environment.get(name).map(|value| (name, value)))
}

fn proxy(environment: &Environment, names: [&'static str; 2]) -> Result<Option<Proxy>, String> {
    let Some((name, value)) = variable(environment, names) else { return Ok(None) };
    // The value may hold a password, so it is not shown.
    let proxy = Proxy::new(value).map_err(|_| {
        format!("`{name}` is no URL of a proxy, such as `http://proxy.example.com:3128`")
    })?;
    Ok(Some(proxy))
}

fn is_near(host: &str) -> bool {
    match host.parse() {
        Ok(IpAddr::V4(address)) => address.is_loopback() || address.is_link_local(),
        // fd00:ec2::/32 is where EC2 and EKS answer over IPv6.
        Ok(IpAddr::V6(address)) => {
            address.is_loopback() || address.segments()[..2] == [0xfd00, 0x0ec2]
        }
        Err(_) => ["localhost", "metadata.google.internal"]
            .iter()
            .any(|name| host.eq_ignore_ascii_case(name)),
    }
}

fn within(address: IpAddr, net: IpAddr, bits: u8) -> bool {
    let same = |a: &[u8], b: &[u8]| {
        let (whole, rest) = (usize::from(bits / 8).min(a.len()), bits % 8);
        let mask = !(0xff_u8.checked_shr(u32::from(rest)).unwrap_or(0));
        let tail = a.get(whole).zip(b.get(whole)).is_none_or(|(a, b)| a & mask == b & mask);
        a[..whole] == b[..whole] && tail
    };
    match (address, net) {
        (IpAddr::V4(a), IpAddr::V4(b)) => same(&a.octets(), &b.octets()),
        (IpAddr::V6(a), IpAddr::V6(b)) => same(&a.octets(), &b.octets()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(variables: &[(&str, &str)], https: bool, host: &str, port: u16) -> Option<String> {
        let environment = variables.iter().copied().collect();
        let proxies = Proxies::of(&environment).expect("makes sense");
        proxies.choose(https, host, port).map(|proxy| proxy.host().to_owned())
    }

    #[test]
    fn each_scheme_has_its_proxy() {
        let all = [("HTTPS_PROXY", "http://s:1"), ("http_proxy", "p:2"), ("ALL_PROXY", "a:3")];
        assert_eq!(chosen(&all, true, "example.com", 443).as_deref(), Some("s"));
        assert_eq!(chosen(&all, false, "example.com", 80).as_deref(), Some("p"));
        assert_eq!(chosen(&all[2..], true, "example.com", 443).as_deref(), Some("a"));
        assert_eq!(chosen(&all[1..2], true, "example.com", 443), None);
        for near in ["localhost", "127.0.0.1", "::1", "169.254.169.254", "fd00:ec2::254"] {
            assert_eq!(chosen(&all, false, near, 80), None, "{near}");
        }
    }

    #[test]
    fn exceptions() {
        let direct = |exceptions: &str, host, port| {
            chosen(&[("ALL_PROXY", "p:1"), ("NO_PROXY", exceptions)], true, host, port).is_none()
        };
        for (exceptions, host) in [
            ("*", "example.com"),
            ("a, example.com", "example.com"),
            ("example.com", "a.Example.com"),
            (".example.com", "a.example.com"),
            ("*.example.com", "a.example.com"),
            ("example.com:443", "example.com"),
            ("10.0.0.0/8", "10.1.2.3"),
            ("10.128.0.0/9", "10.200.2.3"),
            ("10.1.2.3", "10.1.2.3"),
            ("2001:db8::/33", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
        ] {
            assert!(direct(exceptions, host, 443), "{exceptions} {host}");
        }
        for (exceptions, host) in [
            ("", "example.com"),
            ("example.com", "notexample.com"),
            ("example.com:80", "example.com"),
            ("10.0.0.0/8", "11.1.2.3"),
            ("10.128.0.0/9", "10.1.2.3"),
            ("10.0.0.0/8", "example.com"),
            ("10.1.2.3", "10.1.2.4"),
            ("nonsense/x,a:b", "example.com"),
        ] {
            assert!(!direct(exceptions, host, 443), "{exceptions} {host}");
        }
    }

    #[test]
    fn nonsense_is_refused_without_being_shown() {
        let environment = [("HTTPS_PROXY", "ftp://user:hunter2@x:y")].into_iter().collect();
        let error = Proxies::of(&environment).expect_err("is refused");
        assert!(error.contains("HTTPS_PROXY") && !error.contains("hunter2"), "{error}");
    }
}
