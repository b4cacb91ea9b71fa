//! What the user chooses: a model, and where everything goes.

use super::engine_form::EngineForm;
use crate::install::InstallOptions;
use crate::plan::{CUSTOM_ID, Candidate, Layers, Plan, Report, Role};
use crate::wizard::backend::{CustomModel, Detected};
use crate::wizard::options::WizardOptions;
use crate::wizard::typed_path::TypedPath;

/// What is chosen, with its plan.
#[derive(Clone)]
pub struct UserChoice {
    /// The plan for it.
    pub plan: Plan,
    /// A profile, or a model of the user's own.
    pub model: ModelChoice,
    /// Folders, port, start at login.
    pub places: PlacesForm,
    /// Where the engine comes from, proxy and certificates.
    pub engine: EngineForm,
}

/// One of the three choices, a profile, the emergency mode, or a model of the user's own.
#[derive(Clone)]
pub enum ModelChoice {
    /// One of the three choices among all models.
    Best(Role),
    /// Index into the report's plans.
    Profile(usize),
    /// The best choice on the processor alone.
    Emergency,
    /// The user's own.
    Custom(CustomModel),
}

impl ModelChoice {
    /// What is selected at first: the user's own model, else the recommended choice, else the best profile; `None` when
    /// nothing runs on a card of this machine.
    pub fn recommended(report: &Report) -> Option<Self> {
        let best = report.recommended_index().map(Self::Profile);
        match report.recommended() {
            Some(own) if own.candidate.id == CUSTOM_ID => best,
            _ => report.choice(Role::Recommended).map(|choice| Self::Best(choice.role)).or(best),
        }
    }

    /// Its plan on a machine; `None` when the report has no such choice.
    pub fn plan(&self, detected: &Detected) -> Option<Plan> {
        let report = &detected.report;
        match self {
            Self::Best(role) => report.choice(*role).map(|choice| choice.plan.clone()),
            Self::Profile(index) => report.plans.get(*index).cloned(),
            Self::Emergency => report.choices.emergency_cpu.clone(),
            Self::Custom(custom) => Some(detected.plan_custom(custom)),
        }
    }
}

impl From<&Candidate> for CustomModel {
    fn from(candidate: &Candidate) -> Self {
        Self {
            model: candidate.model.clone(),
            kv_cache_type: candidate.kv_cache_type,
            context_tokens: candidate.context_tokens,
            gpu_layers: match candidate.layers {
                Layers::Exactly(layers) if candidate.n_cpu_moe == 0 => Some(layers),
                _ => None,
            },
            n_cpu_moe: candidate.n_cpu_moe,
            num_batch: candidate.num_batch,
        }
    }
}

/// Typed folders and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacesForm {
    /// Our folder.
    pub home: TypedPath,
    /// Folder of the models.
    pub models_dir: TypedPath,
    /// Port; empty for the first free one.
    pub port: String,
    /// Start at login.
    pub autostart: bool,
    /// Watch graphics memory from login on.
    pub watch: bool,
}

/// The typed text is not a port that an unprivileged program may listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a port from 1024 to 65535")]
pub struct NotAPort;

impl UserChoice {
    /// This model in the default folders; `None` when the report has no such choice.
    pub fn new(model: ModelChoice, detected: &Detected, options: &WizardOptions) -> Option<Self> {
        Some(Self {
            plan: model.plan(detected)?,
            model,
            engine: EngineForm::new(options, detected.reusable_engine.clone()),
            places: PlacesForm::from(&options.default_install()),
        })
    }

    /// The choice as a model of the user's own, to change a part of it.
    pub fn as_custom(&self) -> CustomModel {
        match &self.model {
            ModelChoice::Custom(custom) => custom.clone(),
            _ => CustomModel::from(&self.plan.candidate),
        }
    }
}

impl From<&InstallOptions> for PlacesForm {
    fn from(options: &InstallOptions) -> Self {
        Self {
            home: TypedPath::from(options.home.as_path()),
            models_dir: TypedPath::from(options.models_dir.as_path()),
            port: options.port.map(|port| port.to_string()).unwrap_or_default(),
            autostart: options.autostart,
            watch: options.watch,
        }
    }
}

impl PlacesForm {
    /// The typed port; `None` when nothing is typed.
    ///
    /// # Errors
    /// When it is not a port from 1024 to 65535.
    pub fn port(&self) -> Result<Option<u16>, NotAPort> {
        let typed = self.port.trim();
        if typed.is_empty() {
            return Ok(None);
        }
        typed.parse::<u16>().ok().filter(|port| *port >= 1024).map(Some).ok_or(NotAPort)
    }

    /// Whether both folders are absolute paths and the port is one.
    pub fn is_complete(&self) -> bool {
        self.home.is_absolute() && self.models_dir.is_absolute() && self.port().is_ok()
    }
}
