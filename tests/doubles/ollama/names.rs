//! Names of models: `HOST/NAMESPACE/MODEL:TAG`, of which most parts may be left out.

use std::path::{Path, PathBuf};

/// The registry of a name without one.
pub const DEFAULT_HOST: &str = "registry.ollama.ai";

/// A complete name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    pub host: String,
    pub namespace: String,
    pub model: String,
    pub tag: String,
    /// Written with `http://` in front.
    pub plain_http: bool,
}

impl Name {
    pub fn parse(text: &str) -> Option<Self> {
        let plain_http = text.starts_with("http://");
        let text = text.split_once("://").map_or(text, |(_, rest)| rest);
        let (path, tag) = match text.rsplit_once(':') {
            Some((path, tag)) if !tag.contains('/') => (path, tag),
            _ => (text, "latest"),
        };
        let mut parts = path.rsplitn(3, '/');
        let model = parts.next()?;
        let namespace = parts.next().unwrap_or("library");
        let host = parts.next().unwrap_or(DEFAULT_HOST);
        let plain = |part: &str| {
            !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        };
        let host_is_plain = host.split(':').all(plain);
        ([model, namespace, tag].into_iter().all(plain) && host_is_plain).then(|| Self {
            host: host.to_owned(),
            namespace: namespace.to_owned(),
            model: model.to_owned(),
            tag: tag.to_owned(),
            plain_http,
        })
    }

    /// As the server shows it: without what is the default.
    pub fn shortest(&self) -> String {
        let Self { host, namespace, model, tag, .. } = self;
        match (host.as_str(), namespace.as_str()) {
            (DEFAULT_HOST, "library") => format!("{model}:{tag}"),
            (DEFAULT_HOST, _) => format!("{namespace}/{model}:{tag}"),
            _ => format!("{host}/{namespace}/{model}:{tag}"),
        }
    }

    /// Its manifest's place under the folder of the manifests.
    pub fn manifest_path(&self, manifests: &Path) -> PathBuf {
        manifests.join(&self.host).join(&self.namespace).join(&self.model).join(&self.tag)
    }
}
