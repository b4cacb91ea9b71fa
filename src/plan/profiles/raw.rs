//! Structure of the file. Each value has its line.

use std::path::Path;

use serde::Deserialize;
use serde_saphyr::{Location, Spanned};

use super::{CUSTOM_ID, EMERGENCY_ID, Mistake, NUM_BATCH, Profile, Profiles, ProfilesError};
use crate::models::{KvCacheType, ModelTag};
use crate::plan::choice_rules::ChoiceRules;
use crate::plan::{Layers, Policy, Role};
use crate::{MIN_CONTEXT_TOKENS, SCHEMA};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProfilesFile {
    schema: Spanned<u32>,
    policy: Spanned<Policy>,
    profiles: Spanned<Vec<RawProfile>>,
    emergency_cpu: Emergency,
    /// Absent in files written before it existed: the built-in rule.
    choices: Option<Spanned<ChoiceRules>>,
}

/// A file with profiles of the user's own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UserProfilesFile {
    schema: Spanned<u32>,
    profiles: Spanned<Vec<RawProfile>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawProfile {
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

/// Reads and checks the file.
///
/// # Errors
/// The first mistake, with its line and key.
pub(super) fn read(text: &str, path: &Path) -> Result<Profiles, ProfilesError> {
    let options = serde_saphyr::options! { with_snippet: false };
    let file: ProfilesFile = serde_saphyr::from_str_with_options(text, options)
        .map_err(|error| syntax_mistake(text, path, &error))?;
    file.check(path, text)
}

/// Reads and checks a file with profiles only, which are added to `known`.
///
/// # Errors
/// The first mistake, with its line and key.
pub(super) fn read_user_profiles(
    text: &str,
    path: &Path,
    known: &[Profile],
) -> Result<Vec<Profile>, ProfilesError> {
    let options = serde_saphyr::options! { with_snippet: false };
    let file: UserProfilesFile = serde_saphyr::from_str_with_options(text, options)
        .map_err(|error| syntax_mistake(text, path, &error))?;
    let check = Check { path };
    check.schema(&file.schema)?;
    check.profiles(file.profiles, known)
}

impl ProfilesFile {
    fn check(self, path: &Path, text: &str) -> Result<Profiles, ProfilesError> {
        let check = Check { path };
        check.schema(&self.schema)?;
        if let Some((key, allowed)) = self.policy.value.mistake() {
            let line = line_of_key(text, self.policy.referenced.line(), key);
            let mistake =
                Mistake::Value { found: value_on_line(text, line).into(), allowed: allowed.to_owned() };
            return Err(check.mistake(line, format!("policy.{key}"), mistake));
        }
        let profiles = check.profiles(self.profiles, &[])?;
        let emergency_cpu = check.emergency(self.emergency_cpu)?;
        let choices = match self.choices {
            None => Profiles::built_in().choices.clone(),
            Some(choices) => check.choices(choices, text)?,
        };
        Ok(Profiles { path: path.to_owned(), policy: self.policy.value, profiles, emergency_cpu, choices })
    }
}

struct Check<'a> {
    path: &'a Path,
}

impl Check<'_> {
    fn schema(&self, schema: &Spanned<u32>) -> Result<(), ProfilesError> {
        match schema.value {
            SCHEMA => Ok(()),
            other => Err(self.value(schema, "schema", other, &SCHEMA.to_string())),
        }
    }

    /// At least one profile, each with an id of its own, also among those that are known already.
    fn profiles(
        &self,
        entries: Spanned<Vec<RawProfile>>,
        known: &[Profile],
    ) -> Result<Vec<Profile>, ProfilesError> {
        let mut profiles: Vec<Profile> = Vec::with_capacity(entries.value.len());
        for entry in entries.value {
            let line = entry.id.referenced.line();
            let profile = self.entry(entry)?;
            if known.iter().chain(&profiles).any(|other| other.id == profile.id) {
                return Err(self.mistake(line, format!("profiles.{}", profile.id), Mistake::Twice));
            }
            profiles.push(profile);
        }
        if profiles.is_empty() {
            let line = entries.referenced.line();
            return Err(self.mistake(line, "profiles".to_owned(), Mistake::MissingKey));
        }
        Ok(profiles)
    }

    fn entry(&self, entry: RawProfile) -> Result<Profile, ProfilesError> {
        let id = entry.id.value.clone();
        let key = |name: &str| format!("profiles.{id}.{name}");
        let id_is_plain = !id.is_empty()
            && id.len() <= 64
            && id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-');
        if !id_is_plain || id == EMERGENCY_ID || id == CUSTOM_ID || Role::of_id(&id).is_some() {
            return Err(self.value(&entry.id, "profiles.id", &id, "a-z 0-9 _ -"));
        }
        let layers = match &entry.num_gpu {
            None => Layers::Fit,
            Some(Spanned { value: NumGpu::Word(word), .. }) if word == "fit" => Layers::Fit,
            Some(Spanned { value: NumGpu::Layers(n), .. }) if (1..=1024).contains(n) => Layers::Exactly(*n),
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

    fn choices(&self, choices: Spanned<ChoiceRules>, text: &str) -> Result<ChoiceRules, ProfilesError> {
        let Some((key, allowed)) = choices.value.mistake() else { return Ok(choices.value) };
        let line = line_of_key(text, choices.referenced.line(), key);
        let mistake = Mistake::Value { found: value_on_line(text, line).into(), allowed: allowed.to_owned() };
        Err(self.mistake(line, format!("choices.{key}"), mistake))
    }

    fn tag(&self, tag: &Spanned<String>, key: &str) -> Result<ModelTag, ProfilesError> {
        ModelTag::parse(&tag.value).map_err(|_| {
            self.mistake(tag.referenced.line(), key.to_owned(), Mistake::TagForm(tag.value.as_str().into()))
        })
    }

    fn kv(&self, name: &Spanned<String>, key: &str) -> Result<KvCacheType, ProfilesError> {
        name.value.parse().map_err(|_| self.value(name, key, &name.value, "f16, q8_0, q4_0"))
    }

    fn context(&self, context: &Spanned<u32>, key: &str) -> Result<u32, ProfilesError> {
        /// Upper limit of the context.
        const MAX_TOKENS: u32 = 16_777_216;
        match context.value {
            tokens if tokens < MIN_CONTEXT_TOKENS => {
                Err(self.mistake(context.referenced.line(), key.to_owned(), Mistake::ContextTooSmall(tokens)))
            }
            tokens if tokens > MAX_TOKENS => {
                Err(self.value(context, key, tokens, &format!("{MIN_CONTEXT_TOKENS}–{MAX_TOKENS}")))
            }
            tokens => Ok(tokens),
        }
    }

    fn value<T>(&self, at: &Spanned<T>, key: &str, found: impl ToString, allowed: &str) -> ProfilesError {
        let mistake = Mistake::Value { found: found.to_string().into(), allowed: allowed.to_owned() };
        self.mistake(at.referenced.line(), key.to_owned(), mistake)
    }

    fn mistake(&self, line: u64, key: String, mistake: Mistake) -> ProfilesError {
        ProfilesError { path: self.path.to_owned(), line, key: key.into(), mistake }
    }
}

/// Converts the parser's error and adds the key on its line.
fn syntax_mistake(text: &str, path: &Path, error: &serde_saphyr::Error) -> ProfilesError {
    use serde_saphyr::Error;

    let line = error.location().map_or(0, |location: Location| location.line());
    let (key, mistake) = match error {
        Error::SerdeUnknownField { field, .. } => (field.clone(), Mistake::UnknownKey),
        Error::SerdeMissingField { field, .. } => ((*field).to_owned(), Mistake::MissingKey),
        Error::DuplicateMappingKey { key: Some(key), .. } => (key.clone(), Mistake::Twice),
        other => (key_on_line(text, line), Mistake::Syntax(plain(other).into())),
    };
    ProfilesError { path: path.to_owned(), line, key: key.into(), mistake }
}

/// The first line of the parser's message, without its position, which we add ourselves.
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

/// Line of a key in the mapping that starts on line `from`.
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
