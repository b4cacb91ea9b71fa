//! Which URLs a request and its redirects may be sent to.

use std::net::IpAddr;

use reqwest::header::{HeaderMap, LOCATION};
use reqwest::{StatusCode, Url};

use crate::ollama::resolver::is_localhost;

/// Which URLs a request may be sent to: any remote host over https; hosts named by the user (mirror, registry) over
/// plain http. This computer only if the request started there, so that a remote server cannot redirect to services on
/// loopback.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HttpPolicy {
    http_allowed: Vec<(String, u16)>,
    http_anywhere: bool,
}

impl HttpPolicy {
    /// Allows plain http everywhere. Only at the user's explicit request, for data that is verified or not trusted.
    pub fn http_anywhere() -> Self {
        Self { http_anywhere: true, ..Self::default() }
    }

    /// Also allows plain http to the host and port of a URL that the user named.
    #[must_use]
    pub fn allowing_http_to(mut self, url: &Url) -> Self {
        if let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) {
            self.http_allowed.push((host.to_owned(), port));
        }
        self
    }

    /// Whether a request that started at `first` may be sent to `url` (`first` itself or a redirect target).
    pub fn allows(&self, first: &Url, url: &Url) -> bool {
        if is_this_computer(url) {
            return matches!(url.scheme(), "http" | "https") && is_this_computer(first);
        }
        match url.scheme() {
            "https" => true,
            "http" => {
                self.http_anywhere
                    || self.http_allowed.iter().any(|(host, port)| {
                        url.host_str() == Some(host.as_str()) && url.port_or_known_default() == Some(*port)
                    })
            }
            _ => false,
        }
    }
}

/// Whether a URL names this computer. Host names that DNS resolves to loopback are left to the client's resolver.
pub(super) fn is_this_computer(url: &Url) -> bool {
    let Some(host) = url.host_str() else { return false };
    match host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
        Ok(address) => {
            let address = address.to_canonical();
            address.is_loopback() || address.is_unspecified()
        }
        Err(_) => is_localhost(host),
    }
}

/// Whether a status is a redirect with a location.
pub fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// Target of a redirect; `None` without a valid location.
pub fn redirect_target(from: &Url, headers: &HeaderMap) -> Option<Url> {
    from.join(headers.get(LOCATION)?.to_str().ok()?).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn plain_http_goes_to_loopback_and_named_addresses_only() {
        let policy = HttpPolicy::default();
        let itself = |address: &str| policy.allows(&url(address), &url(address));
        for allowed in
            ["https://example.org/x", "http://127.0.0.1:8080/", "http://localhost/", "http://[::1]:9/"]
        {
            assert!(itself(allowed), "{allowed}");
        }
        for refused in [
            "http://example.org/",
            "http://127.0.0.1.example.org/",
            "http://localhost.example.org/",
            "ftp://127.0.0.1/",
            "file:///etc/passwd",
        ] {
            assert!(!itself(refused), "{refused}");
        }
        let first = url("http://mirror.example.org:8000/ollama/");
        let named = policy.allowing_http_to(&first);
        assert!(named.allows(&first, &url("http://mirror.example.org:8000/else")));
        assert!(
            !named.allows(&first, &url("http://mirror.example.org/else")),
            "another port is another server"
        );
        assert!(!named.allows(&first, &url("http://example.org:8000/else")));
    }

    #[test]
    fn a_server_elsewhere_cannot_lead_to_this_computer() {
        let far = url("https://mirror.example.org/ollama/");
        let near = url("http://127.0.0.1:5055/ollama/");
        for policy in
            [HttpPolicy::default(), HttpPolicy::default().allowing_http_to(&far), HttpPolicy::http_anywhere()]
        {
            for here in [
                "http://127.0.0.1:42434/api/delete",
                "https://127.0.0.1/",
                "http://127.9.9.9/",
                "http://2130706433/",
                "http://localhost:11434/",
                "http://LOCALHOST./",
                "http://mirror.localhost/",
                "http://[::1]/",
                "http://[::ffff:127.0.0.1]/",
                "http://0.0.0.0:42434/",
                "http://[::]:42434/",
            ] {
                assert!(!policy.allows(&far, &url(here)), "{here}");
                assert!(policy.allows(&near, &url(here)), "{here}");
            }
        }
        assert!(HttpPolicy::http_anywhere().allows(&far, &url("http://cdn.example.org/")));
    }
}
