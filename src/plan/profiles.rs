//! Reads profiles and policy: text → raw values with their lines → validated types.
//!
//! Errors name file, line and key, because users edit the file.

mod raw;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use crate::built_in;
use crate::models::{Catalogue, KvCacheType, ModelTag};
use crate::plan::choice_rules::ChoiceRules;
use crate::plan::{Layers, Policy};
use crate::untrusted::UntrustedText;

/// Profiles and policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Profiles {
    /// Path of the file, for errors.
    pub path: PathBuf,
    /// Limits and assumptions.
    pub policy: Policy,
    /// In the order they are offered.
    pub profiles: Vec<Profile>,
    /// The emergency profile, which runs on the processor.
    pub emergency_cpu: Profile,
    /// The rule by which the three choices among all models are made.
    pub choices: ChoiceRules,
}

/// A validated profile.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// Its name, for example `hybrid_8gb`.
    pub id: String,
    /// Tag of the model.
    pub model: ModelTag,
    /// Type of the KV cache.
    pub kv_cache_type: KvCacheType,
    /// Tokens of context, at least [`MIN_CONTEXT_TOKENS`].
    pub context_tokens: u32,
    /// Layers on the card.
    pub layers: Layers,
    /// Prompt tokens processed at once (`num_batch`).
    pub num_batch: u32,
    /// Minimum advertised VRAM in GB; 0 for the emergency mode.
    pub min_vram_gb: u32,
    /// Minimum advertised main memory in GB.
    pub min_ram_gb: u32,
    /// Line of its model in the file, for errors found later.
    model_line: u64,
}

/// Id of the emergency mode's candidate.
pub const EMERGENCY_ID: &str = "emergency_cpu";
/// Id of the user's own choice.
pub const CUSTOM_ID: &str = "custom";
/// Default batch size of prompt processing in tokens: keeps the compute buffer small and predictable.
pub const NUM_BATCH: u32 = 512;

/// Why a file of profiles was rejected.
#[derive(Debug, thiserror::Error)]
#[error("{path}, line {line}, {key}: {mistake}")]
pub struct ProfilesError {
    /// The file.
    pub path: PathBuf,
    /// The line, counted from 1.
    pub line: u64,
    /// The key.
    pub key: UntrustedText,
    /// What is wrong.
    pub mistake: Mistake,
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mistake {
    /// An unknown key.
    #[error("unknown key")]
    UnknownKey,
    /// A required key is missing.
    #[error("this key is missing")]
    MissingKey,
    /// A duplicate key or profile.
    #[error("defined twice")]
    Twice,
    /// Not an allowed value.
    #[error("\"{found}\" is not allowed, use {allowed}")]
    Value {
        /// The value found.
        found: UntrustedText,
        /// Allowed values.
        allowed: String,
    },
    /// Less context than ACOLYTE needs.
    #[error("{0} tokens of context are fewer than the 32,768 ACOLYTE needs")]
    ContextTooSmall(u32),
    /// Not a model name that the engine accepts.
    #[error("\"{0}\" is not a model tag, write NAME:TAG")]
    TagForm(UntrustedText),
    /// A tag that is not in the catalogue.
    #[error("\"{0}\" is not in the catalogue")]
    UnknownModel(ModelTag),
    /// More context than the model's file supports.
    #[error("the model's file supports {supported} tokens of context, not {wanted}")]
    ContextNotSupported {
        /// Requested tokens.
        wanted: u32,
        /// Tokens supported.
        supported: u32,
    },
    /// Invalid YAML or structure; the parser's message.
    #[error("{0}")]
    Syntax(UntrustedText),
}

static BUILT_IN: LazyLock<Profiles> = LazyLock::new(|| {
    let (text, file) = (include_str!("../../assets/profiles.yaml"), "assets/profiles.yaml");
    built_in::valid(file, Profiles::from_yaml(text, Path::new(file), Catalogue::built_in()))
});

impl Profiles {
    /// The built-in profiles.
    pub fn built_in() -> &'static Self {
        &BUILT_IN
    }

    /// Parses and validates text, including that its models are in the catalogue; `path` is only used in errors.
    ///
    /// # Errors
    /// If anything in it is invalid; see [`Mistake`].
    pub fn from_yaml(text: &str, path: &Path, catalogue: &Catalogue) -> Result<Self, ProfilesError> {
        let profiles = raw::read(text, path)?;
        profiles.check_models(catalogue)?;
        Ok(profiles)
    }

    /// Adds the profiles of a user's own file, which holds `schema` and `profiles` only; `path` is only used in errors.
    ///
    /// # Errors
    /// If anything in it is invalid, or a profile has the id of another.
    pub fn with_user_profiles(
        mut self,
        text: &str,
        path: &Path,
        catalogue: &Catalogue,
    ) -> Result<Self, ProfilesError> {
        let profiles = raw::read_user_profiles(text, path, &self.profiles)?;
        let own = Self { path: path.to_owned(), profiles, ..self.clone() };
        own.check_models(catalogue)?;
        self.profiles.extend(own.profiles);
        Ok(self)
    }

    /// Checks that every model is in the catalogue and supports the requested context.
    fn check_models(&self, catalogue: &Catalogue) -> Result<(), ProfilesError> {
        for profile in self.profiles.iter().chain([&self.emergency_cpu]) {
            let mistake = match catalogue.find(profile.model.as_str()) {
                None => Mistake::UnknownModel(profile.model.clone()),
                Some(model) if model.trained_context_tokens < profile.context_tokens => {
                    Mistake::ContextNotSupported {
                        wanted: profile.context_tokens,
                        supported: model.trained_context_tokens,
                    }
                }
                Some(_) => continue,
            };
            return Err(ProfilesError {
                path: self.path.clone(),
                line: profile.model_line,
                key: format!("{}.model", profile.id).into(),
                mistake,
            });
        }
        Ok(())
    }

    /// The profile of an id.
    pub fn find(&self, id: &str) -> Option<&Profile> {
        self.profiles.iter().find(|profile| profile.id == id)
    }
}
