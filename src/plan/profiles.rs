//! Reads profiles and policy: text → raw values with their lines → checked types that cannot be wrong.
//!
//! Every mistake names file, line and key, because a person edits the file.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde::Deserialize;
use serde_saphyr::{Location, Spanned};

use crate::models::{Catalogue, KvCacheType};
use crate::plan::{Layers, Policy};
use crate::text::Text;
use crate::{MIN_CONTEXT_TOKENS, SCHEMA, say};

/// Profiles and the policy they are judged by.
#[derive(Clone, Debug, PartialEq)]
pub struct Profiles {
    /// Where they come from, for errors.
    pub path: PathBuf,
    /// Limits and assumptions.
    pub policy: Policy,
    /// In the order they are offered.
    pub profiles: Vec<Profile>,
    /// What runs on the processor where nothing else can.
    pub emergency_cpu: Profile,
}

/// One profile, as written in the file and checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// Its name, for example `hybrid_8gb`.
    pub id: String,
    /// Tag of the model.
    pub model: String,
    /// Type of the KV cache.
    pub kv_cache_type: KvCacheType,
    /// Tokens of context, at least [`MIN_CONTEXT_TOKENS`].
    pub context_tokens: u32,
    /// Layers on the card.
    pub layers: Layers,
    /// Prompt tokens handled at once.
    pub num_batch: u32,
    /// Size of card it is made for, in GB as on the box; 0 for the emergency.
    pub min_vram_gb: u32,
    /// Main memory it is made for, in GB as on the box.
    pub min_ram_gb: u32,
    /// Line of its model in the file, for errors found later.
    model_line: u64,
}

/// Id of the emergency mode's candidate.
pub const EMERGENCY_ID: &str = "emergency_cpu";
/// Id of a person's own choice.
pub const CUSTOM_ID: &str = "custom";
/// Prompt tokens handled at once where nothing else is said: makes the compute buffer small and predictable.
pub const NUM_BATCH: u32 = 512;

/// Why a file of profiles was not taken.
#[derive(Debug, thiserror::Error)]
pub enum ProfilesError {
    /// It could not be read.
    #[error("cannot read the profiles {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Something in it is wrong.
    #[error("{path}, line {line}, {key}: {mistake}")]
    Mistake {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// The key.
        key: String,
        /// What is wrong.
        mistake: Mistake,
    },
}

/// What can be wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mistake {
    /// Not a key of ours.
    #[error("unknown key")]
    UnknownKey,
    /// A key that must be there is not.
    #[error("this key is missing")]
    MissingKey,
    /// The same key, or profile, twice.
    #[error("defined twice")]
    Twice,
    /// Not an allowed value.
    #[error("\"{found}\" is not allowed, use {allowed}")]
    Value {
        /// What is there.
        found: String,
        /// What may be.
        allowed: String,
    },
    /// Less context than ACOLYTE works with.
    #[error("{0} tokens of context are fewer than the 32,768 ACOLYTE needs")]
    ContextTooSmall(u32),
    /// Not the name of a model in any form the engine takes.
    #[error("\"{0}\" is not a model tag, write NAME:TAG")]
    TagForm(String),
    /// A tag that is not in the catalogue.
    #[error("\"{0}\" is not in the catalogue")]
    UnknownModel(String),
    /// More context than the model's file carries.
    #[error("the model's file carries {carried} tokens of context, not {wanted}")]
    ContextNotCarried {
        /// Tokens asked for.
        wanted: u32,
        /// Tokens carried.
        carried: u32,
    },
    /// Not YAML of the right shape; what the parser says.
    #[error("{0}")]
    Syntax(String),
}

static BUILT_IN: LazyLock<Profiles> = LazyLock::new(|| {
    let text = include_str!("../../assets/profiles.yaml");
    // Compiled in and tested: that it parses is known before it is shipped.
    Profiles::from_yaml(text, Path::new("assets/profiles.yaml"))
        .unwrap_or_else(|error| unreachable!("built-in profiles: {error}"))
});

impl Profiles {
    /// Those compiled into the program.
    pub fn built_in() -> &'static Self {
        &BUILT_IN
    }

    /// Reads and checks a file, its models against the catalogue too.
    ///
    /// # Errors
    /// When the file cannot be read or something in it is wrong.
    pub fn from_file(path: &Path, catalogue: &Catalogue) -> Result<Self, ProfilesError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ProfilesError::Read { path: path.to_owned(), source })?;
        let profiles = Self::from_yaml(&text, path)?;
        profiles.check_models(catalogue)?;
        Ok(profiles)
    }

    /// Reads and checks text; `path` is only used in errors.
    ///
    /// # Errors
    /// When something in it is wrong.
    pub fn from_yaml(text: &str, path: &Path) -> Result<Self, ProfilesError> {
        raw::read(text, path)
    }

    /// Checks that every model is in the catalogue and carries the context that is asked of it.
    ///
    /// # Errors
    /// For the first one that is not or does not.
    pub fn check_models(&self, catalogue: &Catalogue) -> Result<(), ProfilesError> {
        for profile in self.profiles.iter().chain([&self.emergency_cpu]) {
            let mistake = match catalogue.find(&profile.model) {
                None => Mistake::UnknownModel(profile.model.clone()),
                Some(model) if model.trained_context_tokens < profile.context_tokens => {
                    Mistake::ContextNotCarried {
                        wanted: profile.context_tokens,
                        carried: model.trained_context_tokens,
                    }
                }
                Some(_) => continue,
            };
            return Err(ProfilesError::Mistake {
                path: self.path.clone(),
                line: profile.model_line,
                key: format!("{}.model", profile.id),
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

impl ProfilesError {
    /// What happened and what to do, in the person's language.
    pub fn explain(&self, text: Text) -> String {
        match self {
            Self::Read { path, source } => say!(
                text,
                "plan-profiles-unreadable",
                path = path.display().to_string(),
                why = source.to_string()
            ),
            Self::Mistake { path, line, key, mistake } => say!(
                text,
                "plan-profiles-mistake",
                path = path.display().to_string(),
                line = line.to_string(),
                key = key.as_str(),
                mistake = mistake.explain(text)
            ),
        }
    }
}

impl Mistake {
    fn explain(&self, text: Text) -> String {
        match self {
            Self::UnknownKey => say!(text, "plan-mistake-unknown-key"),
            Self::MissingKey => say!(text, "plan-mistake-missing-key"),
            Self::Twice => say!(text, "plan-mistake-twice"),
            Self::Value { found, allowed } => {
                say!(text, "plan-mistake-value", found = found.as_str(), allowed = allowed.as_str())
            }
            Self::ContextTooSmall(tokens) => say!(
                text,
                "plan-mistake-context",
                tokens = text.count(u64::from(*tokens)),
                minimum = text.count(u64::from(MIN_CONTEXT_TOKENS))
            ),
            Self::TagForm(tag) => say!(text, "plan-mistake-tag-form", tag = tag.as_str()),
            Self::UnknownModel(tag) => say!(text, "plan-mistake-unknown-model", tag = tag.as_str()),
            Self::ContextNotCarried { wanted, carried } => say!(
                text,
                "plan-mistake-not-carried",
                wanted = text.count(u64::from(*wanted)),
                carried = text.count(u64::from(*carried))
            ),
            Self::Syntax(why) => say!(text, "plan-mistake-syntax", why = why.as_str()),
        }
    }
}

/// Whether the engine could take this as a model's name: `[HOST[:PORT]/][NAMESPACE/]NAME[:TAG]`.
pub fn is_tag_form(tag: &str) -> bool {
    let (path, version) = match tag.rsplit_once(':') {
        Some((path, version)) if !version.contains('/') => (path, Some(version)),
        _ => (tag, None),
    };
    let word = |part: &str| {
        !part.is_empty()
            && part.len() <= 128
            && part.starts_with(|c: char| c.is_ascii_alphanumeric())
            && part.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
    };
    let parts: Vec<&str> = path.split('/').collect();
    let names = match parts.as_slice() {
        [host, rest @ ..] if parts.len() >= 3 => {
            let host = host
                .rsplit_once(':')
                .map_or(*host, |(host, port)| if port.parse::<u16>().is_ok() { host } else { "" });
            if !word(host) {
                return false;
            }
            rest
        }
        all => all,
    };
    parts.len() <= 4 && names.iter().all(|part| word(part)) && version.is_none_or(word)
}

/// The file's own shape. Each value carries the line it stands on.
mod raw {
    use super::*;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        schema: Spanned<u32>,
        policy: Spanned<Policy>,
        profiles: Spanned<Vec<Entry>>,
        emergency_cpu: Emergency,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Entry {
        id: Spanned<String>,
        model: Spanned<String>,
        kv_cache_type: Spanned<String>,
        context: Spanned<u32>,
        num_gpu: Option<Spanned<NumGpu>>,
        num_batch: Option<Spanned<u32>>,
        min_vram_gb: Spanned<u32>,
        min_ram_gb: Spanned<u32>,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Emergency {
        model: Spanned<String>,
        kv_cache_type: Spanned<String>,
        context: Spanned<u32>,
    }

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum NumGpu {
        Layers(u32),
        Word(String),
    }

    pub(super) fn read(text: &str, path: &Path) -> Result<Profiles, ProfilesError> {
        let options = serde_saphyr::options! { with_snippet: false };
        let file: File = serde_saphyr::from_str_with_options(text, options)
            .map_err(|error| syntax_mistake(text, path, &error))?;
        file.check(path, text)
    }

    impl File {
        fn check(self, path: &Path, text: &str) -> Result<Profiles, ProfilesError> {
            let check = Check { path };
            if self.schema.value != SCHEMA {
                return Err(check.value(&self.schema, "schema", self.schema.value, &SCHEMA.to_string()));
            }
            if let Some((key, allowed)) = self.policy.value.mistake() {
                let line = line_of_key(text, self.policy.referenced.line(), key);
                let mistake =
                    Mistake::Value { found: value_on_line(text, line), allowed: allowed.to_owned() };
                return Err(check.mistake(line, format!("policy.{key}"), mistake));
            }
            let mut profiles: Vec<Profile> = Vec::with_capacity(self.profiles.value.len());
            for entry in self.profiles.value {
                let line = entry.id.referenced.line();
                let profile = check.entry(entry)?;
                if profiles.iter().any(|other| other.id == profile.id) {
                    return Err(check.mistake(line, format!("profiles.{}", profile.id), Mistake::Twice));
                }
                profiles.push(profile);
            }
            if profiles.is_empty() {
                let line = self.profiles.referenced.line();
                return Err(check.mistake(line, "profiles".to_owned(), Mistake::MissingKey));
            }
            let emergency_cpu = check.emergency(self.emergency_cpu)?;
            Ok(Profiles { path: path.to_owned(), policy: self.policy.value, profiles, emergency_cpu })
        }
    }

    struct Check<'a> {
        path: &'a Path,
    }

    impl Check<'_> {
        fn entry(&self, entry: Entry) -> Result<Profile, ProfilesError> {
            let id = entry.id.value.clone();
            let key = |name: &str| format!("profiles.{id}.{name}");
            let id_is_plain = !id.is_empty()
                && id.len() <= 64
                && id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-');
            if !id_is_plain || id == EMERGENCY_ID || id == CUSTOM_ID {
                return Err(self.value(&entry.id, "profiles.id", &id, "a-z 0-9 _ -"));
            }
            let layers = match &entry.num_gpu {
                None => Layers::Fit,
                Some(Spanned { value: NumGpu::Word(word), .. }) if word == "fit" => Layers::Fit,
                Some(Spanned { value: NumGpu::Layers(n), .. }) if (1..=1024).contains(n) => {
                    Layers::Exactly(*n)
                }
                Some(other) => {
                    let found = match &other.value {
                        NumGpu::Layers(n) => n.to_string(),
                        NumGpu::Word(word) => word.clone(),
                    };
                    return Err(self.value(other, &key("num_gpu"), found, "fit, 1–1024"));
                }
            };
            let num_batch = match entry.num_batch {
                None => NUM_BATCH,
                Some(batch) if (32..=8192).contains(&batch.value) => batch.value,
                Some(batch) => return Err(self.value(&batch, &key("num_batch"), batch.value, "32–8192")),
            };
            for (name, size) in [("min_vram_gb", &entry.min_vram_gb), ("min_ram_gb", &entry.min_ram_gb)] {
                if !(1..=1024).contains(&size.value) {
                    return Err(self.value(size, &key(name), size.value, "1–1024"));
                }
            }
            Ok(Profile {
                model: self.tag(&entry.model, &key("model"))?,
                model_line: entry.model.referenced.line(),
                kv_cache_type: self.kv(&entry.kv_cache_type, &key("kv_cache_type"))?,
                context_tokens: self.context(&entry.context, &key("context"))?,
                layers,
                num_batch,
                min_vram_gb: entry.min_vram_gb.value,
                min_ram_gb: entry.min_ram_gb.value,
                id: entry.id.value,
            })
        }

        fn emergency(&self, emergency: Emergency) -> Result<Profile, ProfilesError> {
            Ok(Profile {
                id: EMERGENCY_ID.to_owned(),
                model: self.tag(&emergency.model, "emergency_cpu.model")?,
                model_line: emergency.model.referenced.line(),
                kv_cache_type: self.kv(&emergency.kv_cache_type, "emergency_cpu.kv_cache_type")?,
                context_tokens: self.context(&emergency.context, "emergency_cpu.context")?,
                layers: Layers::Exactly(0),
                num_batch: NUM_BATCH,
                min_vram_gb: 0,
                min_ram_gb: 0,
            })
        }

        fn tag(&self, tag: &Spanned<String>, key: &str) -> Result<String, ProfilesError> {
            if is_tag_form(&tag.value) {
                return Ok(tag.value.clone());
            }
            Err(self.mistake(tag.referenced.line(), key.to_owned(), Mistake::TagForm(tag.value.clone())))
        }

        fn kv(&self, name: &Spanned<String>, key: &str) -> Result<KvCacheType, ProfilesError> {
            name.value.parse().map_err(|_| self.value(name, key, &name.value, "f16, q8_0, q4_0"))
        }

        fn context(&self, context: &Spanned<u32>, key: &str) -> Result<u32, ProfilesError> {
            /// More than any model carries.
            const MOST: u32 = 16_777_216;
            match context.value {
                tokens if tokens < MIN_CONTEXT_TOKENS => Err(self.mistake(
                    context.referenced.line(),
                    key.to_owned(),
                    Mistake::ContextTooSmall(tokens),
                )),
                tokens if tokens > MOST => {
                    Err(self.value(context, key, tokens, &format!("{MIN_CONTEXT_TOKENS}–{MOST}")))
                }
                tokens => Ok(tokens),
            }
        }

        fn value<T>(&self, at: &Spanned<T>, key: &str, found: impl ToString, allowed: &str) -> ProfilesError {
            let mistake = Mistake::Value { found: found.to_string(), allowed: allowed.to_owned() };
            self.mistake(at.referenced.line(), key.to_owned(), mistake)
        }

        fn mistake(&self, line: u64, key: String, mistake: Mistake) -> ProfilesError {
            ProfilesError::Mistake { path: self.path.to_owned(), line, key, mistake }
        }
    }

    /// The parser's own errors, with the key that stands on their line.
    fn syntax_mistake(text: &str, path: &Path, error: &serde_saphyr::Error) -> ProfilesError {
        use serde_saphyr::Error;

        let line = error.location().map_or(0, |location: Location| location.line());
        let (key, mistake) = match error {
            Error::SerdeUnknownField { field, .. } => (field.clone(), Mistake::UnknownKey),
            Error::SerdeMissingField { field, .. } => ((*field).to_owned(), Mistake::MissingKey),
            Error::DuplicateMappingKey { key: Some(key), .. } => (key.clone(), Mistake::Twice),
            other => (key_on_line(text, line), Mistake::Syntax(plain(other))),
        };
        ProfilesError::Mistake { path: path.to_owned(), line, key, mistake }
    }

    /// The first line of the parser's message, without the position we name ourselves.
    fn plain(error: &serde_saphyr::Error) -> String {
        let message = error.to_string();
        let first = message.lines().next().unwrap_or_default();
        first.split(" at line ").next().unwrap_or(first).trim().to_owned()
    }

    fn key_on_line(text: &str, line: u64) -> String {
        let line = line_text(text, line).trim_start().trim_start_matches("- ");
        line.split_once(':').map_or(line, |(key, _)| key).trim().to_owned()
    }

    fn value_on_line(text: &str, line: u64) -> String {
        let line = line_text(text, line);
        line.split_once(':').map_or(line, |(_, value)| value).trim().to_owned()
    }

    /// Where a key of a mapping that begins on `from` stands.
    fn line_of_key(text: &str, from: u64, key: &str) -> u64 {
        let start = from.saturating_sub(1);
        (start..)
            .zip(text.lines().skip(start as usize))
            .find(|(_, line)| line.trim_start().strip_prefix(key).is_some_and(|rest| rest.starts_with(':')))
            .map_or(from, |(index, _)| index + 1)
    }

    fn line_text(text: &str, line: u64) -> &str {
        line.checked_sub(1).and_then(|index| text.lines().nth(index as usize)).unwrap_or_default()
    }
}
