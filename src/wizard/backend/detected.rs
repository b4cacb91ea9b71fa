//! What detection found, with everything the pages compute from it.

use std::sync::Arc;

use crate::hardware::evidence::Evidence;
use crate::install::InstalledBase;
use crate::install::manage::keep::KeepPreview;
use crate::install::reuse::InstalledEngine;
use crate::machine::Hardware;
use crate::models::{Catalogue, KvCacheType, Model};
use crate::plan::{self, Candidate, Inventory, Layers, Plan, Policy, Profiles, ReferenceComputer, Report};
use crate::platform::login::{AutostartKind, LoginError};

/// What detection found, and what follows from it. Everything in it is in memory: pages may use it in any frame.
#[derive(Debug)]
pub struct Detected {
    /// The machine.
    pub hardware: Hardware,
    /// What its sources answered; `None` when the machine came from a file.
    pub evidence: Option<Evidence>,
    /// Every profile planned for it.
    pub report: Report,
    /// What is on the drives already.
    pub inventory: Inventory,
    /// Profiles and policy it was planned with.
    pub profiles: Arc<Profiles>,
    /// Index of the GPU the plans are made for, which need not be the first one.
    pub planned_gpu: Option<usize>,
    /// The reference table, computed and compared with this machine.
    pub reference: Arc<[ReferenceComputer]>,
    /// An engine on this computer that is recent enough and may be used.
    pub reusable_engine: Option<InstalledEngine>,
    /// What starts the server at login on this system.
    pub autostart: Result<AutostartKind, Arc<LoginError>>,
    /// What keeping this program on the computer would change; `None` if that is unknown.
    pub keep: Option<KeepPreview>,
    /// Duration of the detection, in seconds.
    pub seconds: f64,
}

/// What a change of single settings is planned with. Everything in it is in memory.
#[derive(Debug)]
pub struct SettingSource {
    /// What is installed.
    pub base: InstalledBase,
    /// The machine, without what our model takes of it.
    pub hardware: Hardware,
    /// Limits and assumptions of the plan.
    pub policy: Policy,
}

/// A model and a setting the user chose instead of a profile.
#[derive(Clone, Debug)]
pub struct CustomModel {
    /// The model.
    pub model: Arc<Model>,
    /// Type of the KV cache.
    pub kv_cache_type: KvCacheType,
    /// Tokens of context.
    pub context_tokens: u32,
    /// Layers on the GPU; `None` for as many as fit.
    pub gpu_layers: Option<u32>,
    /// Blocks whose routed experts stay in main memory.
    pub n_cpu_moe: u32,
    /// Prompt tokens processed at once.
    pub num_batch: u32,
}

impl CustomModel {
    /// With as many layers on the GPU as fit, no experts in main memory, and the usual batch.
    pub fn usual(model: Arc<Model>, kv_cache_type: KvCacheType, context_tokens: u32) -> Self {
        let (gpu_layers, n_cpu_moe, num_batch) = (None, 0, plan::NUM_BATCH);
        Self { model, kv_cache_type, context_tokens, gpu_layers, n_cpu_moe, num_batch }
    }
}

impl Detected {
    /// Plans every profile for a machine, and `own_model` before them. Arithmetic only; the facts that need the system
    /// (a reusable engine, the kind of autostart) are for the caller to add.
    pub fn plan_for(hardware: Hardware, profiles: Arc<Profiles>, own_model: Option<Arc<Model>>) -> Self {
        let policy = &profiles.policy;
        let mut report = plan::plan_all(&hardware, Catalogue::built_in(), &profiles);
        if let Some(model) = own_model {
            let candidate = plan::own_candidate(model, Layers::Fit, policy);
            report = report.with_own(plan::make_plan(&candidate, &hardware, policy));
        }
        let planned = plan::chosen_gpu(&hardware, policy);
        let planned_gpu = planned.and_then(|gpu| hardware.gpus.iter().position(|one| std::ptr::eq(one, gpu)));
        let reference = plan::reference_computers(&hardware, Catalogue::built_in(), &profiles);
        Self {
            inventory: Inventory::of(&hardware),
            report,
            planned_gpu,
            reference: reference.into(),
            hardware,
            evidence: None,
            profiles,
            reusable_engine: None,
            autostart: Err(Arc::new(LoginError::NoFolder)),
            keep: None,
            seconds: 0.0,
        }
    }

    /// The same with what was found on the drives.
    #[must_use]
    pub fn with_inventory(mut self, inventory: Inventory) -> Self {
        self.report = self.report.with_inventory(&inventory);
        if self.evidence.is_some() {
            plan::note_disk_needs(&mut self.hardware, &self.report);
        }
        self.inventory = inventory;
        self
    }

    /// The models that can be chosen besides the profiles'.
    pub fn catalogue(&self) -> &'static [Arc<Model>] {
        &Catalogue::built_in().models
    }

    /// Plans a model of the user's own choice.
    pub fn plan_custom(&self, custom: &CustomModel) -> Plan {
        let layers = match custom.gpu_layers {
            _ if custom.n_cpu_moe > 0 => Layers::Exactly(custom.model.total_layers()),
            Some(layers) => Layers::Exactly(layers),
            None => Layers::Fit,
        };
        let policy = &self.profiles.policy;
        let model = Arc::clone(&custom.model);
        let candidate =
            plan::custom_candidate(model, custom.kv_cache_type, custom.context_tokens, layers, policy);
        let candidate = Candidate { n_cpu_moe: custom.n_cpu_moe, num_batch: custom.num_batch, ..candidate };
        plan::make_plan(&candidate, &self.hardware, policy).with_inventory(&self.inventory)
    }
}
