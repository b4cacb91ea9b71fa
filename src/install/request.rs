//! The request for an installation.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::install::{EngineSource, Paths, SetByHand};
use crate::models::ModelTag;
use crate::plan::{ConsentTerms, Plan};

/// Sources, folders and port of an installation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InstallOptions {
    /// Our folder (`~/.acolyte`, `ACOLYTE_HOME`, `--home`).
    pub home: PathBuf,
    /// Folder of the models; `home/models` unless the user picked another.
    pub models_dir: PathBuf,
    /// The port to use; `None` for the first free one of the range.
    pub port: Option<u16>,
    /// Start the server at login.
    pub autostart: bool,
    /// Watch graphics memory from login on, and notify on the desktop. Only with `autostart`.
    #[serde(default)]
    pub watch: bool,
    /// Where the engine comes from, and how the network is reached.
    pub source: EngineSource,
    /// Plain http for the model's registry (`--insecure-registry`).
    pub insecure_registry: bool,
    /// Search for the fastest setting after loading.
    #[serde(default = "yes")]
    pub tune: bool,
    /// Use the file that the registry serves now, also where an earlier one of the same tag is in the store.
    /// Not saved: a later installation uses what is there.
    #[serde(skip)]
    pub refresh_model: bool,
    /// Look for newer versions once a day; `None` leaves it as it is.
    /// Not saved: a later installation must not repeat it.
    #[serde(skip)]
    pub daily_updates: Option<bool>,
}

/// Tuning is the default.
fn yes() -> bool {
    true
}

/// What the user agreed to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Agreement {
    /// The limits of the plan ([`Plan::consent`]).
    pub limits: bool,
    /// Fewer layers on the GPU than planned, if the engine runs out of memory. Without it and without
    /// [`Agreement::limits`] such an installation ends with an error that asks for consent.
    pub fewer_layers: bool,
    /// A KV cache at 4 bits, if the engine runs out of memory. `None` when the user was not asked; the installation then
    /// ends with an error that asks for consent.
    pub kv_q4: Option<bool>,
    /// An unverified model from another model store on this computer, if its registry cannot be reached. `None` when the
    /// user was not asked; the installation then ends with an error that asks for consent.
    pub unverified_model: Option<bool>,
}

/// What to install.
#[derive(Clone, Debug)]
pub struct Request {
    /// The model to pull: the plan's.
    pub model: ModelTag,
    /// What was chosen, with everything that was predicted.
    pub plan: Plan,
    /// What the user agreed to.
    pub agreement: Agreement,
    /// Sources, folders and port.
    pub options: InstallOptions,
    /// What the user set by hand after an earlier installation. Tuning leaves it as it is.
    pub by_hand: Option<SetByHand>,
}

impl Request {
    /// A request for a plan, with the user's choices; `None` when the plan's model cannot be pulled.
    pub fn new(plan: Plan, agreement: Agreement, options: InstallOptions) -> Option<Self> {
        let model = plan.candidate.model.tag()?.clone();
        Some(Self { model, plan, agreement, options, by_hand: None })
    }

    /// What the user agreed to, when the plan needs consent and has it.
    pub fn consent(&self) -> Option<&ConsentTerms> {
        self.plan.consent.as_ref().filter(|_| self.agreement.limits)
    }
}

impl InstallOptions {
    /// The defaults for this home: the built-in release, models below the home, start at login.
    pub fn usual(home: &Path) -> Self {
        let paths = Paths::new(home);
        Self {
            home: paths.home().to_owned(),
            models_dir: paths.models(),
            port: None,
            autostart: true,
            watch: false,
            source: EngineSource::default(),
            insecure_registry: false,
            tune: true,
            refresh_model: false,
            daily_updates: None,
        }
    }
}

/// The texts an installation writes into documents or passes to the system, in the user's language.
pub trait Wording {
    /// The consent text. `four_bits_later`: the user agreed to a KV cache at 4 bits after memory ran out.
    fn consent(&self, request: &Request, four_bits_later: bool) -> Option<String>;
    /// What ACOLYTE shows above each answer of a degraded installation.
    fn banner(&self, plan: &Plan) -> Option<String>;
    /// Why the computer must stay awake.
    fn awake_reason(&self) -> String;
}
