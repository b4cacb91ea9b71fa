//! How the engine reaches its registry while an installation runs.
//!
//! The engine writes its environment into its log, so it is never handed a proxy's password, and it knows no rate limit.
//! Where either matters it is sent through a small proxy of ours on this computer: that one speaks with the real proxy,
//! holds the rate down, and looks into nothing, because what passes is encrypted. Nobody else can use it: it asks for a
//! password of its own, made for this run. The server is started with it only while a model is pulled, and without it
//! again afterwards: it then needs no network, and what ended with the installation would be no way out.

mod relay;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::install::fetch::Limiter;
use crate::install::{InstallError, Source};
use crate::ollama::http::{self, ProxyAddress};
use crate::platform::files;
use relay::{Relay, Upstream};

const NOT_THROUGH_A_PROXY: &str = "localhost,127.0.0.0/8,127.0.0.1,::1";

/// The engine's way out. What it opened closes when this is dropped.
#[derive(Debug, Default)]
pub struct WayOut {
    environment: BTreeMap<String, String>,
    relay: Option<Relay>,
}

impl WayOut {
    /// As the source says, and the environment where that says nothing.
    ///
    /// # Errors
    /// When nothing can listen on loopback, or the company's certificates cannot be read.
    pub async fn open(
        source: &Source,
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
            // The engine gets the environment's own.
            (None, _) => None,
        };
        if let Some(proxy) = proxy {
            for name in ["HTTPS_PROXY", "https_proxy"] {
                environment.insert(name.to_owned(), proxy.clone());
            }
            for name in ["NO_PROXY", "no_proxy"] {
                environment.insert(name.to_owned(), NOT_THROUGH_A_PROXY.to_owned());
            }
        }
        if let Some(ca_file) = &source.http.ca_file {
            environment.insert("SSL_CERT_FILE".to_owned(), ca_file.display().to_string());
        }
        let way = Self { environment, relay };
        tracing::debug!(relayed = way.relay.is_some(), "how the engine reaches its registry");
        Ok(way)
    }

    /// Whether the engine's own environment is not enough.
    pub fn is_needed(&self) -> bool {
        !self.environment.is_empty()
    }

    /// What the engine's environment says about it.
    pub fn environment(&self) -> BTreeMap<String, String> {
        self.environment.clone()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
