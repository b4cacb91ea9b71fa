//! The last step: compares prediction and measurement, and writes the documents that activate the new profile.

use serde::Serialize;

use crate::SCHEMA;
use crate::estimate::first_token_s;
use crate::install::event::Activity;
use crate::install::private_server::Server;
use crate::install::run_context::Run;
use crate::install::state::documents::{ConsentFile, ProfileFile, SERVED_MODEL, to_json, to_yaml};
use crate::install::steps::engine::Engine;
use crate::install::steps::measure::Measured;
use crate::install::steps::placement::Placement;
use crate::install::{
    InstallError, Installed, LoadAttempt, PredictedFigures, Receipt, SavedRequest, Shortfall, Step,
    login_watcher,
};
use crate::models::{KvCacheType, ModelFileRecord, file_record};
use crate::ollama::store::Store;
use crate::plan::{Plan, Verdict};
use crate::platform::clock::rfc3339_now;
use crate::platform::files;

/// The outcome of an installation.
pub struct Outcome<'a> {
    pub engine: &'a Engine,
    pub server: &'a Server,
    /// The placement that is loaded.
    pub placement: Placement,
    /// The plan for that placement.
    pub plan: Plan,
    pub attempts: Vec<LoadAttempt>,
    pub measured: Measured,
}

impl Outcome<'_> {
    /// The receipt.
    pub fn receipt(&self, run: &Run<'_>) -> Receipt {
        let candidate = &self.plan.candidate;
        let predicted = predicted_of(&self.plan, &self.measured);
        let first_choice =
            self.differs_from(&run.request.plan).then(|| predicted_of(&run.request.plan, &self.measured));
        let driver_bytes = self.plan.memory.overhead_gpu_bytes;
        let figures = &self.measured.figures;
        // What tuning moved is faster there, so it is no shortfall.
        let chosen = first_choice.as_ref().filter(|_| !self.is_moved_by_tuning());
        let shortfalls = Shortfall::find(&predicted, chosen, figures, driver_bytes);
        Receipt {
            schema: SCHEMA,
            written_at: rfc3339_now().into(),
            profile: candidate.id.as_str().into(),
            model: run.request.model.clone(),
            model_file: Some(model_file(run)),
            engine_version: self.server.version.clone(),
            engine: Some(self.engine.record.clone()),
            port: self.server.launch.port,
            predicted,
            first_choice,
            measured: self.measured.figures.clone(),
            verdict: self.verdict(run),
            attempts: self.attempts.clone(),
            comparison: self.measured.comparison.clone(),
            tuning: Some(self.measured.tuning.clone()),
            shortfalls,
        }
    }

    /// Writes request, consent, profile and receipt, in this order: the receipt activates the profile.
    ///
    /// # Errors
    /// When a document or the journal cannot be written, or the user cancels.
    pub fn write(&self, run: &Run<'_>, receipt: &Receipt, autostart: bool) -> Result<(), InstallError> {
        run.reporter.started(Step::WriteReceipt, Activity::WritingReceipt);
        run.control.check()?;
        self.write_request(run)?;
        self.write_consent(run)?;
        self.write_profile(run, &self.profile(run, receipt, autostart), receipt)
    }

    /// Writes the request, profile and receipt of what was installed before and is tuned now. What the user agreed to stays.
    ///
    /// # Errors
    /// When a document or the journal cannot be written, or the user cancels.
    pub fn write_tuned(
        &self,
        run: &Run<'_>,
        receipt: &Receipt,
        installed: &Installed,
        autostart: bool,
    ) -> Result<(), InstallError> {
        run.reporter.started(Step::WriteReceipt, Activity::WritingReceipt);
        run.control.check()?;
        self.write_request(run)?;
        let before = installed.profile.clone();
        let profile = ProfileFile {
            verdict: before.verdict,
            degraded: before.degraded,
            banner: before.banner,
            limits: before.limits,
            ..self.profile(run, receipt, autostart)
        };
        self.write_profile(run, &profile, receipt)
    }

    /// Writes request, consent, profile and receipt of what was installed before and is set otherwise now. `agreed_before`:
    /// the consent of the installation covers it, so its document stays.
    ///
    /// # Errors
    /// When a document or the journal cannot be written, or the user cancels.
    pub fn write_set(
        &self,
        run: &Run<'_>,
        receipt: &Receipt,
        request: &SavedRequest,
        agreed_before: bool,
        autostart: bool,
    ) -> Result<(), InstallError> {
        run.reporter.started(Step::WriteReceipt, Activity::WritingReceipt);
        run.control.check()?;
        write_json(run, &run.paths.request(), request)?;
        if !agreed_before {
            self.write_consent(run)?;
        }
        self.write_profile(run, &self.profile(run, receipt, autostart), receipt)
    }

    /// Writes the text that the user agreed to, or removes an earlier one.
    fn write_consent(&self, run: &Run<'_>) -> Result<(), InstallError> {
        let (profile, model) = (self.plan.candidate.id.clone(), run.request.model.clone());
        match run.wording.consent(run.request, self.has_four_bits_later(run)) {
            Some(text) => {
                let consent = ConsentFile { schema: SCHEMA, agreed_at: rfc3339_now(), profile, model, text };
                write_json(run, &run.paths.consent(), &consent)
            }
            // A consent to another plan must not be taken for one to this plan.
            None => Ok(files::remove_file(&run.paths.consent())?),
        }
    }

    /// The profile of what is loaded.
    fn profile(&self, run: &Run<'_>, receipt: &Receipt, autostart: bool) -> ProfileFile {
        let (candidate, launch) = (&self.plan.candidate, &self.server.launch);
        let degraded = receipt.verdict == Verdict::Degraded;
        let limits = self.plan.consent.as_ref().filter(|_| degraded);
        ProfileFile {
            schema: SCHEMA,
            written_at: receipt.written_at.clone(),
            profile: candidate.id.as_str().into(),
            endpoint: format!("http://127.0.0.1:{}", launch.port).into(),
            port: launch.port,
            model: SERVED_MODEL.clone(),
            base_model: run.request.model.clone(),
            context_tokens: candidate.context_tokens,
            kv_cache_type: self.placement.kv_cache_type,
            gpu_layers: self.placement.gpu_layers,
            automatic_layers: self.placement.automatic,
            total_layers: self.plan.total_layers,
            num_batch: self.placement.options.num_batch.unwrap_or(candidate.num_batch),
            num_thread: self.placement.options.num_thread,
            draft_num_predict: self.placement.options.draft_num_predict,
            use_mmap: self.placement.options.use_mmap,
            n_cpu_moe: self.placement.n_cpu_moe,
            set_by_hand: run.request.by_hand.as_ref().map(|by_hand| by_hand.set).unwrap_or_default(),
            prompt_cache_mib: launch.runner.prompt_cache_mib,
            context_checkpoints: launch.runner.context_checkpoints,
            pinned_memory: self.placement.pinned_memory,
            vulkan_only: self.placement.vulkan_only,
            without_vulkan: launch.runner.without_vulkan,
            verdict: receipt.verdict,
            degraded,
            banner: run.wording.banner(&self.plan).filter(|_| degraded),
            limits: limits.map_or_else(Vec::new, |terms| terms.limits.clone()),
            engine_version: self.engine.version.as_str().into(),
            engine_program: self.engine.program.clone(),
            models_dir: launch.models_dir.clone(),
            autostart,
            watch: autostart && login_watcher::is_installed(run.paths),
            served: Store::new(&launch.models_dir).fingerprint(&SERVED_MODEL),
        }
    }

    fn write_profile(
        &self,
        run: &Run<'_>,
        profile: &ProfileFile,
        receipt: &Receipt,
    ) -> Result<(), InstallError> {
        let path = run.paths.profile();
        run.write_file(&path, &to_yaml(&path, profile)?)?;
        write_json(run, &run.paths.receipt(), receipt)
    }

    /// Writes the request with what tuning kept of it.
    fn write_request(&self, run: &Run<'_>) -> Result<(), InstallError> {
        let Some(saved) = SavedRequest::load(run.paths)? else { return Ok(()) };
        write_json(run, &run.paths.request(), &saved.tuned(self.placement.tried()))
    }

    /// Whether the KV cache has 4 bits although that was not planned.
    fn has_four_bits_later(&self, run: &Run<'_>) -> bool {
        let four_bits = KvCacheType::Q4_0;
        self.placement.kv_cache_type == four_bits && run.request.plan.candidate.kv_cache_type != four_bits
    }

    /// Whether other layers, other experts in main memory or another KV cache are kept than this plan chose.
    fn differs_from(&self, plan: &Plan) -> bool {
        self.plan.gpu_layers() != plan.gpu_layers()
            || self.plan.setting.n_cpu_moe != plan.setting.n_cpu_moe
            || self.plan.candidate.kv_cache_type != plan.candidate.kv_cache_type
    }

    /// Whether tuning put layers or experts elsewhere, or keeps another KV cache, because that is faster.
    fn is_moved_by_tuning(&self) -> bool {
        !self.placement.is_where(self.measured.untuned)
    }

    /// What tuning moved because that is faster is not a further limit.
    fn verdict(&self, run: &Run<'_>) -> Verdict {
        if !self.is_moved_by_tuning() && !self.placement.automatic {
            return self.plan.verdict;
        }
        let planned = &run.request.plan;
        match self.measured.untuned.planned(planned).verdict {
            Verdict::Refused => planned.verdict,
            verdict => verdict,
        }
    }
}

/// The file of the model; with the user's files where it was installed from these.
fn model_file(run: &Run<'_>) -> ModelFileRecord {
    let record = file_record(run.model());
    if !run.request.model.is_of_file() {
        return record;
    }
    let (store, tag) = (Store::new(run.models_dir()), &run.request.model);
    let stored = store.manifest(tag);
    let weights = stored.as_ref().and_then(|stored| stored.manifest.model_layer());
    ModelFileRecord {
        digest: weights.map(|weights| format!("sha256:{}", weights.sha256).into()),
        files: store.imported_files(tag),
        ..record
    }
}

fn write_json(run: &Run<'_>, path: &std::path::Path, document: &impl Serialize) -> Result<(), InstallError> {
    run.write_file(path, &to_json(path, document)?)
}

/// What is predicted for a plan, with the time to the first token for a prompt of the measured length.
fn predicted_of(plan: &Plan, measured: &Measured) -> PredictedFigures {
    let memory = &plan.memory;
    let prompt_tokens = measured.figures.first_token_prompt_tokens.unwrap_or(0);
    let prompt_tokens = u32::try_from(prompt_tokens).unwrap_or(u32::MAX);
    let on_gpu = memory.vram_required_bytes - memory.overhead_gpu_bytes.min(memory.vram_required_bytes);
    let apart = [memory.overhead_ram_bytes, memory.prompt_cache_ram_bytes, memory.checkpoints_ram_bytes];
    let apart = apart.into_iter().fold(0, u64::saturating_add);
    let in_ram = memory.ram_required_bytes.saturating_sub(apart);
    let all = on_gpu + in_ram;
    PredictedFigures {
        context_tokens: plan.candidate.context_tokens,
        gpu_layers: plan.gpu_layers(),
        total_layers: plan.total_layers,
        n_cpu_moe: plan.setting.n_cpu_moe,
        num_batch: Some(plan.setting.num_batch),
        kv_cache_type: plan.candidate.kv_cache_type,
        vram_bytes: memory.vram_required_bytes,
        ram_bytes: memory.ram_required_bytes,
        weights_ram_bytes: Some(memory.weights_ram_bytes),
        prompt_cache_mib: Some(plan.prompt_cache_mib()),
        gpu_share: if all == 0 { 0.0 } else { on_gpu as f64 / all as f64 },
        decode_tokens_per_s: plan.speed.decode_tokens_per_s,
        first_token_full_prompt_s: plan.speed.first_token_full_prompt_s,
        first_token_s: first_token_s(&plan.candidate.model, &plan.setting, &plan.machine, prompt_tokens),
    }
}
