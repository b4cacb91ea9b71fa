//! The engine's access to its registry while an installation runs.
//!
//! The engine writes its environment into its log, so it must not get a proxy's password, and it has no rate limit. Where
//! either matters it uses our relay on loopback, which authenticates to the real proxy and limits the rate.
//! The relay cannot read the traffic, which is encrypted, and requires a password made for this run. The server runs with
//! these settings only while a model is pulled and is restarted without them: the relay ends with the installation.

mod relay;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

use crate::install::fetch::Limiter;
use crate::install::{EngineSource, InstallError};
use crate::ollama::http::{self, ProxyAddress};
use crate::platform::files;
use relay::{Relay, Upstream};

const NO_PROXY: &str = "localhost,127.0.0.0/8,127.0.0.1,::1";

/// The engine's network settings during an installation. Dropping it closes the relay.
#[derive(Debug, Default)]
pub struct EgressProxy {
    environment: BTreeMap<String, OsString>,
    relay: Option<Relay>,
}

impl EgressProxy {
    /// Takes the proxy from `source`, else from the environment; `outside` looks up a variable. `ca_file` is the file of
    /// certificates in the form that the engine reads (PEM without marks).
    ///
    /// # Errors
    /// When the relay cannot listen on loopback, or the certificate file cannot be read.
    pub async fn open(
        source: &EngineSource,
        ca_file: Option<&Path>,
        outside: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, InstallError> {
        let set = || ["HTTPS_PROXY", "https_proxy"].into_iter().find_map(&outside);
        let upstream = source.http.proxy.clone().or_else(|| set()?.parse().ok());
        let mut environment = BTreeMap::new();
        let limiter = source.max_bytes_per_s.map(|rate| Arc::new(Limiter::new(rate)));
        let secret = upstream.as_ref().is_some_and(ProxyAddress::has_secrets);
        let relay = if secret || limiter.is_some() {
            let tls = http::tls(source.http.ca_file.as_deref())?;
            let upstream = upstream.clone().map(|address| Upstream { address, tls });
            let relay = Relay::start(upstream, limiter).await;
            Some(relay.map_err(files::creating(Path::new("127.0.0.1")))?)
        } else {
            None
        };
        let proxy = match (&relay, &upstream) {
            (Some(relay), _) => Some(relay.address()),
            (None, Some(upstream)) if source.http.proxy.is_some() => Some(upstream.to_string()),
            // The engine inherits the environment's proxy.
            (None, _) => None,
        };
        if let Some(proxy) = proxy {
            for name in ["HTTPS_PROXY", "https_proxy"] {
                environment.insert(name.to_owned(), proxy.clone().into());
            }
            for name in ["NO_PROXY", "no_proxy"] {
                environment.insert(name.to_owned(), NO_PROXY.into());
            }
        }
        if let Some(ca_file) = ca_file {
            environment.insert("SSL_CERT_FILE".to_owned(), ca_file.as_os_str().to_owned());
        }
        let egress = Self { environment, relay };
        tracing::debug!(relayed = egress.relay.is_some(), "network settings of the engine");
        Ok(egress)
    }

    /// Whether the engine needs more than it inherits.
    pub fn is_needed(&self) -> bool {
        !self.environment.is_empty()
    }

    /// Variables to set for the engine.
    pub fn environment(&self) -> BTreeMap<String, OsString> {
        self.environment.clone()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
