//! What the window is started with.

use std::path::PathBuf;
use std::sync::Arc;

use super::settings::Settings;
use crate::install::{EngineSource, InstallOptions};
use crate::machine::Hardware;
use crate::models::Model;
use crate::plan::Profiles;
use crate::text::{Language, Text};

/// What the window is started with.
#[derive(Clone, Debug, Default)]
pub struct WizardOptions {
    /// Our folder.
    pub home: PathBuf,
    /// Where the engine comes from, as the command line says it.
    pub source: EngineSource,
    /// The newest release is wanted; the window looks it up when the user reaches the profile page.
    pub wants_newest: bool,
    /// An engine that is already on this computer and recent enough may be used.
    pub may_reuse: bool,
    /// A model of the user's own, offered before the profiles.
    pub model: Option<Arc<Model>>,
    /// Plain HTTP for the model's registry.
    pub insecure_registry: bool,
    /// Use the file that the registry serves now, also where an earlier one is in the store.
    pub refresh_model: bool,
    /// Look for newer versions once a day; `None` leaves it as it is.
    pub daily_updates: Option<bool>,
    /// Ask at once whether to remove what is installed.
    pub asks_to_remove: bool,
    /// Language; the remembered one, else the system's, when `None`.
    pub language: Option<Language>,
    /// A saved hardware document to use instead of detection.
    pub hardware: Option<Arc<Hardware>>,
    /// Profiles and policy; the built-in ones when `None`.
    pub profiles: Option<Arc<Profiles>>,
    /// The saved settings of the window.
    pub settings: Settings,
}

impl WizardOptions {
    /// The initial language: the command line's, else the saved one, else the system's.
    pub(super) fn text(&self) -> Text {
        Text::new(self.language.or(self.settings.language).unwrap_or_else(Language::of_system))
    }

    /// The default options of an installation.
    pub(super) fn default_install(&self) -> InstallOptions {
        InstallOptions {
            source: self.source.clone(),
            insecure_registry: self.insecure_registry,
            refresh_model: self.refresh_model,
            daily_updates: self.daily_updates,
            ..InstallOptions::usual(&self.home)
        }
    }
}
