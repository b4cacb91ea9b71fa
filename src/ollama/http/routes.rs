//! Which proxy a request goes through: that of the options, else of the environment, else of the system.
//!
//! Requests to this computer go through none, whatever is set. `NO_PROXY` means what it means to curl.

use std::net::IpAddr;

use reqwest::Url;

use super::policy;
use super::proxy::ProxyAddress;
use crate::platform::environment::{Environment, computer_name};

/// The proxies in force.
#[derive(Clone, Debug)]
pub struct ProxyRoutes {
    http: Option<ProxyAddress>,
    https: Option<ProxyAddress>,
    direct: DirectHosts,
    /// Names of this computer, in lower case, besides `localhost`.
    names: Vec<String>,
    #[cfg(any(windows, target_os = "macos"))]
    system: Option<std::sync::Arc<hyper_util::client::proxy::matcher::Matcher>>,
}

impl ProxyRoutes {
    /// The proxy that the user named, else those of the environment, else of the system.
    pub fn new(named: Option<&ProxyAddress>, environment: &Environment) -> Self {
        let names = computer_name().into_iter().flat_map(|name| names_of(&name)).collect();
        Self::with_names(named, environment, names)
    }

    fn with_names(named: Option<&ProxyAddress>, environment: &Environment, names: Vec<String>) -> Self {
        let first = |variables: [&str; 2]| variables.into_iter().find_map(|name| environment.text(name));
        let proxy = |variables| {
            let typed = first(variables)?;
            let parsed = typed.parse::<ProxyAddress>();
            parsed.inspect_err(|error| tracing::warn!(%error, "a proxy of the environment is ignored")).ok()
        };
        let (http, https) = match named {
            Some(named) => (Some(named.clone()), Some(named.clone())),
            None => {
                let all = proxy(["ALL_PROXY", "all_proxy"]);
                (
                    proxy(["HTTP_PROXY", "http_proxy"]).or_else(|| all.clone()),
                    proxy(["HTTPS_PROXY", "https_proxy"]).or(all),
                )
            }
        };
        // A proxy that the user names for this run is meant for all of it.
        let direct = match named {
            Some(_) => DirectHosts::default(),
            None => DirectHosts::of(&first(["no_proxy", "NO_PROXY"]).unwrap_or_default()),
        };
        Self {
            #[cfg(any(windows, target_os = "macos"))]
            system: (http.is_none() && https.is_none())
                .then(|| std::sync::Arc::new(hyper_util::client::proxy::matcher::Matcher::from_system())),
            http,
            https,
            direct,
            names,
        }
    }

    /// The proxy for a URL, with its user name and password; `None` to connect directly.
    pub fn proxy_for(&self, url: &Url) -> Option<Url> {
        let host = url.host_str()?;
        if self.is_this_computer(url, host) || self.direct.contains(host) {
            return None;
        }
        let proxy = if url.scheme() == "https" { &self.https } else { &self.http };
        match proxy {
            Some(proxy) => Some(proxy.with_secrets().clone()),
            None => self.of_system(url),
        }
    }

    fn is_this_computer(&self, url: &Url, host: &str) -> bool {
        policy::is_this_computer(url) || self.names.contains(&canonical(host))
    }

    #[cfg(any(windows, target_os = "macos"))]
    fn of_system(&self, url: &Url) -> Option<Url> {
        let found = self.system.as_ref()?.intercept(&url.as_str().parse().ok()?)?;
        found.uri().to_string().parse().ok()
    }

    #[cfg(not(any(windows, target_os = "macos")))]
    fn of_system(&self, _: &Url) -> Option<Url> {
        None
    }
}

/// A computer's name as others write it: whole, without its domain, and in the local network.
fn names_of(name: &str) -> Vec<String> {
    let name = canonical(name);
    let short = name.split('.').next().unwrap_or_default().to_owned();
    if short.is_empty() { Vec::new() } else { vec![format!("{short}.local"), short, name] }
}

/// In lower case, without the dot at the end.
fn canonical(host: &str) -> String {
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

/// The hosts of `NO_PROXY`, as curl reads them (`lib/noproxy.c`): separated by commas or blanks; a name stands for itself and
/// what is below it, with or without a dot before it, in any case; an address for itself, or for a network with `/BITS`; a
/// lone `*` for everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct DirectHosts {
    everything: bool,
    names: Vec<String>,
    networks: Vec<(IpAddr, u32)>,
}

impl DirectHosts {
    fn of(list: &str) -> Self {
        let mut direct = Self { everything: list.trim() == "*", ..Self::default() };
        for entry in list.split(|c: char| c == ',' || c.is_whitespace()).filter(|entry| !entry.is_empty()) {
            let (address, bits) = entry.split_once('/').map_or((entry, None), |(a, bits)| (a, Some(bits)));
            match address.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
                Ok(address) => {
                    let whole = if address.is_ipv4() { 32 } else { 128 };
                    match bits.map_or(Ok(whole), str::parse) {
                        Ok(bits) if bits <= whole => direct.networks.push((address, bits)),
                        _ => tracing::warn!(entry, "an entry of NO_PROXY is ignored"),
                    }
                }
                Err(_) => {
                    let name = canonical(entry.strip_prefix('.').unwrap_or(entry));
                    direct.names.extend(Some(name).filter(|name| !name.is_empty()));
                }
            }
        }
        direct
    }

    fn contains(&self, host: &str) -> bool {
        if self.everything {
            return true;
        }
        match host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
            Ok(address) => self.networks.iter().any(|(network, bits)| is_within(address, *network, *bits)),
            Err(_) => {
                let host = canonical(host);
                let is_below =
                    |name: &String| host.strip_suffix(name.as_str()).is_some_and(|rest| rest.ends_with('.'));
                self.names.iter().any(|name| host == *name || is_below(name))
            }
        }
    }
}

fn is_within(address: IpAddr, network: IpAddr, bits: u32) -> bool {
    match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros() >= bits,
        (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros() >= bits,
        _ => false,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn routes(variables: &[(&str, &str)]) -> ProxyRoutes {
        let environment = Environment::given(variables.iter().copied());
        ProxyRoutes::with_names(None, &environment, names_of("Atalaya.oficina.example"))
    }

    fn proxy(routes: &ProxyRoutes, url: &str) -> Option<String> {
        routes.proxy_for(&url.parse().unwrap()).map(|proxy| proxy.to_string())
    }

    /// Regression test: a registry on 127.0.0.1 was asked through `HTTP_PROXY`.
    #[test]
    fn no_proxy_is_used_for_this_computer_by_any_of_its_names() {
        let environment = [("HTTP_PROXY", "http://proxy:3128"), ("HTTPS_PROXY", "http://proxy:3128")];
        let named = "proxy:3128".parse().unwrap();
        let named = ProxyRoutes::with_names(Some(&named), &Environment::default(), names_of("atalaya"));
        for routes in [&routes(&environment), &named, &routes(&[("ALL_PROXY", "proxy:3128")])] {
            for here in [
                "127.0.0.1:5055",
                "127.9.9.9",
                "localhost",
                "LOCALHOST.:80",
                "registry.localhost:5000",
                "[::1]:5000",
                "[::ffff:127.0.0.1]",
                "0.0.0.0:5000",
                "atalaya:5000",
                "ATALAYA.",
                "atalaya.local",
            ] {
                for scheme in ["http", "https"] {
                    assert_eq!(proxy(routes, &format!("{scheme}://{here}/v2/")), None, "{here}");
                }
            }
            for elsewhere in ["example.org", "192.168.1.7:5000", "127.0.0.1.example.org", "atalaya2"] {
                let found = proxy(routes, &format!("http://{elsewhere}/v2/"));
                assert_eq!(found.as_deref(), Some("http://proxy:3128/"), "{elsewhere}");
            }
        }
        assert_eq!(proxy(&routes(&environment), "http://atalaya.oficina.example/"), None);
    }

    #[test]
    fn each_scheme_has_its_proxy() {
        let both = routes(&[("http_proxy", "a:1"), ("ALL_PROXY", "https://ana:pw@b:2")]);
        assert_eq!(proxy(&both, "http://example.org/").as_deref(), Some("http://a:1/"));
        assert_eq!(proxy(&both, "https://example.org/").as_deref(), Some("https://ana:pw@b:2/"));
        assert_eq!(proxy(&routes(&[("HTTP_PROXY", "a:1")]), "https://example.org/"), None);
        assert_eq!(proxy(&routes(&[]), "https://example.org/"), None);
    }

    /// The examples of curl's own tests (`tests/unit/unit1614.c`), and of its documentation.
    #[test]
    fn no_proxy_means_what_it_means_to_curl() {
        let direct = |list: &str, host: &str| DirectHosts::of(list).contains(host);
        for (list, host) in [
            ("*", "example.org"),
            (" * ", "192.168.0.1"),
            ("www.example.com", "www.example.com"),
            ("example.com", "www.example.com"),
            (".example.com", "www.example.com"),
            (".example.com", "example.com"),
            ("example.com.", "example.com"),
            ("example.com", "example.com."),
            ("EXAMPLE.com", "www.Example.COM"),
            ("foo, example.com", "example.com"),
            ("foo example.com", "example.com"),
            ("foo\texample.com,", "example.com"),
            ("192.168.0.0/16", "192.168.7.7"),
            ("192.160.0.0/12", "192.168.0.1"),
            ("10.0.0.0/8,192.168.0.1", "192.168.0.1"),
            ("0.0.0.0/0", "203.0.113.9"),
            ("::1", "[::1]"),
            ("[2001:db8::7]", "2001:DB8::7"),
            ("fe80::/10", "fe80::1"),
        ] {
            assert!(direct(list, host), "{list} {host}");
        }
        for (list, host) in [
            ("", "example.com"),
            ("example.com", "notexample.com"),
            ("www.example.com", "example.com"),
            ("example.com", "example.com.org"),
            ("*.example.com", "www.example.com"),
            ("foo,*", "example.com"),
            ("192.168.0.1", "192.168.0.10"),
            ("192.168.0.0/24", "192.168.1.1"),
            ("192.168.0.0/33", "192.168.0.1"),
            ("192.168.0.0/x", "192.168.0.1"),
            ("168.0.1", "192.168.0.1"),
            ("fe80::/10", "192.168.0.1"),
            ("::/0", "1.2.3.4"),
            ("example.com:80", "example.com"),
        ] {
            assert!(!direct(list, host), "{list} {host}");
        }
    }
}
