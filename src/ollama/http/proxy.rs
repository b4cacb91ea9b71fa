//! Address of a proxy, with credentials that are never displayed or written.

use std::fmt;
use std::str::FromStr;

use reqwest::Url;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::error::HttpError;

/// The URL of a proxy. Displayed, logged and serialised without user name and password.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyAddress(Url);

impl ProxyAddress {
    /// The URL with user name and password, for connecting to the proxy. Never display or write it.
    pub fn with_secrets(&self) -> &Url {
        &self.0
    }

    /// Whether it contains a user name or password.
    pub fn has_secrets(&self) -> bool {
        !self.0.username().is_empty() || self.0.password().is_some()
    }
}

impl FromStr for ProxyAddress {
    type Err = HttpError;

    /// Parses `http://[USER:PASSWORD@]HOST[:PORT]`. The scheme defaults to http, as in curl.
    fn from_str(typed: &str) -> Result<Self, HttpError> {
        let typed = typed.trim();
        let whole = if typed.contains("://") { typed.to_owned() } else { format!("http://{typed}") };
        Url::parse(&whole)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https"))
            .filter(|url| url.has_host() && matches!(url.path(), "" | "/") && url.query().is_none())
            .map(Self)
            .ok_or_else(|| HttpError::Proxy { proxy: without_secrets(typed).into() })
    }
}

impl fmt::Display for ProxyAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.0.host_str().unwrap_or_default();
        write!(f, "{}://{host}", self.0.scheme())?;
        self.0.port().map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl fmt::Debug for ProxyAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Without user name and password: they are written to no file.
impl Serialize for ProxyAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ProxyAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The entered text for a message. Everything before an `@` may be a password.
fn without_secrets(typed: &str) -> String {
    match typed.rsplit_once('@') {
        Some((_, host)) => format!("…@{host}"),
        None => typed.to_owned(),
    }
}
