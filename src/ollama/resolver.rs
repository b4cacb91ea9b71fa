//! Host names of servers elsewhere, looked up without leading back to this computer.
//!
//! Whoever runs the DNS of a mirror's or registry's redirect decides which address its name has. A name that leads to
//! loopback would make us talk to the services that listen there, so such addresses are left out, unless the user named
//! the host. Addresses written as numbers and `localhost` are judged by [`super::http::HttpPolicy`]: no name is looked up
//! for them, or everybody knows what it means.

use std::collections::HashSet;
use std::error::Error;
use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Looks a host name up, as the system does; blocks.
type HostLookup = dyn Fn(&str) -> io::Result<Vec<SocketAddr>> + Send + Sync;

/// Looks names up, and leaves out addresses of this computer where the user did not name the host.
pub struct Resolver {
    named: Arc<HashSet<String>>,
    lookup: Arc<HostLookup>,
}

/// A host name has addresses of this computer only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeadsHere {
    /// The name.
    pub host: String,
}

impl Resolver {
    /// The system's, with the hosts that the user named.
    pub fn of_system(named: impl IntoIterator<Item = String>) -> Self {
        Self::with(named, |host| Ok((host, 0).to_socket_addrs()?.collect()))
    }

    /// With another way to look names up.
    pub fn with(
        named: impl IntoIterator<Item = String>,
        lookup: impl Fn(&str) -> io::Result<Vec<SocketAddr>> + Send + Sync + 'static,
    ) -> Self {
        let named = named.into_iter().map(|host| canonical(&host)).collect();
        Self { named: Arc::new(named), lookup: Arc::new(lookup) }
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (named, lookup) = (Arc::clone(&self.named), Arc::clone(&self.lookup));
        let host = name.as_str().to_owned();
        Box::pin(async move {
            let asked = host.clone();
            let found = tokio::task::spawn_blocking(move || lookup(&asked)).await??;
            let name = canonical(&host);
            if is_localhost(&name) || named.contains(&name) {
                return Ok(Box::new(found.into_iter()) as Addrs);
            }
            let had_any = !found.is_empty();
            let elsewhere: Vec<SocketAddr> = found.into_iter().filter(|found| !is_here(found)).collect();
            if had_any && elsewhere.is_empty() {
                return Err(LeadsHere { host }.into());
            }
            Ok(Box::new(elsewhere.into_iter()) as Addrs)
        })
    }
}

impl LeadsHere {
    /// The host, where this is why a request failed.
    pub fn in_causes_of(error: &reqwest::Error) -> Option<&Self> {
        let mut next: Option<&(dyn Error + 'static)> = Some(error);
        while let Some(error) = next {
            if let Some(found) = error.downcast_ref() {
                return Some(found);
            }
            next = error.source();
        }
        None
    }
}

impl fmt::Display for LeadsHere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is an address of this computer", self.host)
    }
}

impl Error for LeadsHere {}

/// Whether a name means this computer by its text alone (RFC 6761).
pub fn is_localhost(name: &str) -> bool {
    let name = canonical(name);
    name == "localhost" || name.ends_with(".localhost")
}

fn canonical(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

fn is_here(address: &SocketAddr) -> bool {
    let ip = address.ip().to_canonical();
    ip.is_loopback() || ip.is_unspecified()
}
