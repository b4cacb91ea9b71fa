//! What is newer than what is installed.

use semver::Version;
use serde::{Deserialize, Serialize};

use crate::install::Installed;
use crate::install::updates::list::Wordings;
use crate::models::ModelTag;
use crate::ollama::release::Release;
use crate::ollama::store::Store;
use crate::untrusted::UntrustedText;

/// What is newer than what is installed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Updates {
    /// A newer program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub program: Option<ProgramUpdate>,
    /// A newer engine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engine: Option<EngineUpdate>,
    /// Another file under the model's tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelUpdate>,
    /// Why the list or the model could not be asked, in English.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<UntrustedText>,
}

/// A newer program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgramUpdate {
    /// Its version.
    pub version: Version,
    /// The page to download it from.
    pub page: UntrustedText,
    /// Bytes of its file for this system; `None` if the list does not say.
    pub bytes: Option<u64>,
    /// What it changes.
    pub changes: Wordings,
}

/// A newer engine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EngineUpdate {
    /// The release of the signed list; `None` for the one that this program pins.
    pub signed: Option<Box<Release>>,
    /// Its version.
    pub version: UntrustedText,
    /// Bytes to download; `None` if unknown.
    pub bytes: Option<u64>,
    /// What it changes.
    pub changes: Wordings,
}

/// Another file under the model's tag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelUpdate {
    /// The tag.
    pub model: ModelTag,
    /// Bytes to download.
    pub bytes: u64,
    /// Digest of the new weights.
    pub digest: UntrustedText,
}

impl Updates {
    /// Whether there is nothing newer.
    pub fn is_empty(&self) -> bool {
        self.program.is_none() && self.engine.is_none() && self.model.is_none()
    }

    /// What of it is still newer than what is installed now and than this program: after an update, what was found before
    /// is old.
    #[must_use]
    pub fn still_newer(mut self, installed: &Installed) -> Self {
        self.program.take_if(|program| !is_newer_program(&program.version));
        self.engine.take_if(|engine| !is_newer_engine(&engine.version, installed));
        self.model.take_if(|model| {
            model.model != installed.profile.base_model
                || stored_weights(installed).as_ref() == Some(&model.digest)
        });
        self
    }
}

/// Whether a version is newer than this program.
pub fn is_newer_program(version: &Version) -> bool {
    // The version of this program is a version.
    Version::parse(env!("CARGO_PKG_VERSION")).is_ok_and(|own| *version > own)
}

/// Whether a version of the engine is newer than the installed one.
pub fn is_newer_engine(version: &str, installed: &Installed) -> bool {
    let parse = |version: &str| Version::parse(version).ok();
    match (parse(version), parse(&installed.profile.engine_version)) {
        (Some(new), Some(old)) => new > old,
        // Which of two names is newer is not known.
        _ => false,
    }
}

/// The digest of the weights of the model as it is in the store.
pub fn stored_weights(installed: &Installed) -> Option<UntrustedText> {
    let profile = &installed.profile;
    let stored = Store::new(&profile.models_dir).manifest(&profile.base_model)?;
    Some(format!("sha256:{}", stored.manifest.model_layer()?.sha256).into())
}
