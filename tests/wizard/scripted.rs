//! A scripted backend: it answers at once, or when the test says so, and records its commands.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use acolyte::checksum::Sha256;
use acolyte::control::{Cancelled, Control};
use acolyte::figures::Range;
use acolyte::install::event::{Activity, ByteProgress};
use acolyte::install::keep::{KeptFile, ProgramKind};
use acolyte::install::manage::keep::KeepPreview;
use acolyte::install::manage::undo::Unfinished;
use acolyte::install::manage::uninstall::Removal;
use acolyte::install::manage::{ModelOnDrive, ModelUse};
use acolyte::install::reuse::InstalledEngine;
use acolyte::install::state::documents::SERVED_MODEL;
use acolyte::install::{
    EngineChoice, EngineSource, Event, InstallError, InstallOptions, Installed, InstalledBase,
    MeasuredFigures, PredictedFigures, ProfileFile, PublishedModel, Receipt, Request, SavedRequest,
    SettingPlan, Step, StepState,
};
use acolyte::machine::{Disk, DiskUse, Hardware};
use acolyte::models::{Catalogue, Model, ModelFile, ModelSource, ModelTag};
use acolyte::ollama::registry::UnreachableCause;
use acolyte::ollama::release::AssetRole;
use acolyte::plan::{ArchiveFile, EngineFiles, Inventory, Profiles, Tip};
use acolyte::platform::login::AutostartKind;
use acolyte::text::{Language, Text};
use acolyte::wizard::backend::{
    AnswerFigures, Backend, BackendCommand, Detected, Installation, InstallationHealth, KnownUpdates,
    LiveWatch, ManageAction, Message, ModelReference, Outbox, PathField, ReportContents, SettingSource,
    WorkerError,
};
use acolyte::wizard::{Settings, WizardOptions};

/// Commands received by the backend, and the outboxes to answer them.
#[derive(Default)]
pub struct Desk {
    /// Number of all commands.
    pub commands: usize,
    pub detections: usize,
    pub installs: Vec<(Request, Control, Outbox)>,
    /// Of each installation, whether the program is to be kept.
    pub keeps: Vec<bool>,
    pub questions: Vec<(String, Outbox)>,
    pub lookups: Vec<(ModelReference, Outbox)>,
    pub newest: Vec<(EngineSource, Outbox)>,
    pub reads: Vec<(Box<InstallOptions>, Arc<Model>, Control, Outbox)>,
    pub actions: Vec<(ManageAction, Outbox)>,
    pub tunings: Vec<(Control, Outbox)>,
    pub settings: Vec<(SettingPlan, Control, Outbox)>,
    pub removed_models: Vec<ModelTag>,
    pub reports: Vec<ReportContents>,
    pub saved: Vec<(Arc<str>, PathBuf)>,
    pub dialogs: usize,
    pub links: Vec<std::borrow::Cow<'static, str>>,
    /// Looks for newer versions: whether each was wanted now.
    pub looks: Vec<bool>,
    pub remembered: Vec<Settings>,
    pub pickers: Vec<(PathField, Outbox)>,
    pub opened: Vec<PathBuf>,
    pub watches: Vec<(LiveWatch, Outbox)>,
    pub outbox: Option<Outbox>,
    /// What is kept of the program now, if the test says so; else the scene's.
    pub kept: Option<Option<KeptFile>>,
}

/// The desk, shared by the backend and the test.
#[derive(Clone, Default)]
pub struct SharedDesk(Arc<Mutex<Desk>>);

impl SharedDesk {
    /// The desk, for the moment.
    pub fn borrow(&self) -> MutexGuard<'_, Desk> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The simulated machine, and the options of the program.
#[derive(Clone)]
pub struct Scene {
    pub hardware: Hardware,
    pub installation: Option<Installation>,
    pub unfinished: Option<Unfinished>,
    pub health: InstallationHealth,
    /// Tips for what is installed.
    pub tips: Vec<Tip>,
    pub detection_fails: bool,
    /// The test answers detection, not the script.
    pub detection_waits: bool,
    /// The test answers with a report, not the script.
    pub report_waits: bool,
    pub free_bytes: Option<u64>,
    /// Where the engine comes from, as the command line says it.
    pub source: EngineSource,
    pub wants_newest: bool,
    pub reusable_engine: Option<InstalledEngine>,
    /// How the model's file is read before the summary.
    pub file: ScriptedFile,
    /// Saved window settings.
    pub settings: Settings,
    /// What an uninstall would remove.
    pub removal: Removal,
    /// What keeping the program would change.
    pub keep: KeepPreview,
    /// The window was opened to remove what is installed.
    pub asks_to_remove: bool,
    /// What is known of newer versions.
    pub updates: KnownUpdates,
}

/// What keeping the program would change for a user with bash.
pub fn keep_preview() -> KeepPreview {
    KeepPreview {
        programs: ProgramKind::ALL.into(),
        folder: "/home/ana/.acolyte/bin".into(),
        menu_entry: Some("/home/ana/.local/share/applications/acolyte-installer.desktop".into()),
        profile_files: vec!["/home/ana/.profile".into(), "/home/ana/.bashrc".into()],
        user_path: false,
        newer_kept: None,
    }
}

/// How the script reads the file of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScriptedFile {
    /// At once: the file is the catalogue's.
    AsListed,
    /// The test answers.
    Waits,
}

/// The model of the file in the registry, with this difference from the catalogue's.
pub fn file_of(listed: &Model, change: impl FnOnce(&mut Model)) -> Arc<Model> {
    let file = ModelFile { source: ModelSource::Registry, sha256: Some(Sha256::of(b"weights")) };
    let mut model = Model { file, ..listed.clone() };
    change(&mut model);
    Arc::new(model)
}

/// The backend.
pub struct Scripted {
    scene: Scene,
    desk: SharedDesk,
}

impl Scripted {
    pub fn new(scene: Scene) -> (Self, SharedDesk) {
        let desk = SharedDesk::default();
        (Self { scene, desk: desk.clone() }, desk)
    }
}

impl Scene {
    pub fn options(&self) -> WizardOptions {
        WizardOptions {
            home: PathBuf::from("/home/ana/.acolyte"),
            source: self.source.clone(),
            wants_newest: self.wants_newest,
            settings: self.settings,
            asks_to_remove: self.asks_to_remove,
            ..WizardOptions::default()
        }
    }

    /// What a change of single settings of the installation is planned with.
    fn setting_source(&self) -> Result<SettingSource, WorkerError> {
        let Some(installation) = &self.installation else { return Err(error("Nothing is installed.")) };
        let saved = installation.request.as_deref().unwrap().clone();
        let base = InstalledBase {
            installed: installation.installed.as_ref().clone(),
            model: Catalogue::built_in().listed(&saved.model).unwrap(),
            options: saved.options.clone(),
            saved,
            was_interrupted: false,
        };
        let policy = Profiles::built_in().policy.clone();
        Ok(SettingSource { base, hardware: self.hardware.clone(), policy })
    }

    /// The models on the drive: the served one, its base, and an older one until it is removed.
    fn models(&self, desk: &Desk) -> Vec<ModelOnDrive> {
        let Some(installation) = &self.installation else { return Vec::new() };
        let models_dir = installation.installed.profile.models_dir.clone();
        let model = |tag: &ModelTag, bytes, used_by| {
            let (tag, models_dir) = (tag.clone(), models_dir.clone());
            ModelOnDrive { tag, models_dir, bytes, used_by }
        };
        let older = ModelTag::parse("qwen2.5-coder:14b").unwrap();
        let mut models = vec![
            model(&SERVED_MODEL, 487, ModelUse::Served),
            model(&installation.installed.profile.base_model, 4_683_087_561, ModelUse::Base),
        ];
        if !desk.removed_models.contains(&older) {
            models.push(model(&older, 8_988_124_298, ModelUse::Nothing));
        }
        models
    }

    /// What is on the drives: one drive for everything.
    fn inventory(&self, options: &InstallOptions) -> Inventory {
        let drive = Disk {
            path: options.home.clone(),
            free_bytes: self.free_bytes,
            used_for: vec![DiskUse::Engine, DiskUse::Models],
            ..Disk::default()
        };
        Inventory {
            drives: vec![drive],
            engine: engine_files(&options.source),
            model_bytes_here: BTreeMap::new(),
        }
    }

    /// What detection finds.
    pub fn detected(&self) -> Arc<Detected> {
        let profiles = Arc::new(Profiles::built_in().clone());
        Arc::new(Detected {
            reusable_engine: self.reusable_engine.clone(),
            autostart: Ok(AutostartKind::SystemdUser),
            keep: Some(self.keep.clone()),
            seconds: 0.4,
            ..Detected::plan_for(self.hardware.clone(), profiles, None)
        })
    }
}

/// The pinned release in the script, or the one that the options name.
fn engine_files(source: &EngineSource) -> EngineFiles {
    let archive = |download_bytes, unpacked_bytes| ArchiveFile {
        role: AssetRole::Base,
        download_bytes: Some(download_bytes),
        here_bytes: 0,
        unpacked_bytes: Some(unpacked_bytes),
        copy_bytes: 0,
    };
    let (version, archive) = match &source.choice {
        EngineChoice::Newest(release) => return EngineFiles::of_release(release),
        EngineChoice::Installed(engine) => (engine.version.clone(), archive(0, engine.bytes)),
        _ if !source.archives.is_empty() => ("0.32.15".to_owned(), archive(0, 4_000_000_000)),
        _ => ("0.32.15".to_owned(), archive(1_400_000_000, 4_000_000_000)),
    };
    EngineFiles { version: Some(version), archives: vec![archive], in_place: false }
}

/// An error with these words in it.
pub fn error(words: &str) -> WorkerError {
    WorkerError::NotStarted { cause: words.to_owned() }
}

/// The user cancelled the installation.
pub fn cancelled() -> Message {
    Message::InstallEnded(Err(InstallError::from(Cancelled).into()))
}

/// Memory ran out; a 4-bit KV cache may fit.
pub fn out_of_memory() -> Message {
    let error = InstallError::FourBitsNeedConsent { gpu_layers: 20, total_layers: 29 };
    Message::InstallEnded(Err(error.into()))
}

/// The registry cannot be reached; another store has the model.
pub fn unverified_model() -> Message {
    let error = InstallError::UnverifiedModel {
        model: ModelTag::parse("qwen2.5-coder:7b").unwrap(),
        store: "/usr/share/ollama/.ollama/models".into(),
        host: "registry.ollama.ai".to_owned(),
        cause: UnreachableCause::Silent { seconds: 20 },
    };
    Message::InstallEnded(Err(error.into()))
}

impl Backend for Scripted {
    fn execute(&self, command: BackendCommand, outbox: &Outbox) {
        let mut desk = self.desk.borrow();
        desk.commands += 1;
        let scene = &self.scene;
        let outbox = outbox.clone();
        match command {
            BackendCommand::LookForInstallation => {
                desk.outbox = Some(outbox.clone());
                outbox.send(Message::EngineVersion("0.32.15".to_owned()));
                let mut installation = scene.installation.clone();
                if let (Some(installation), Some(kept)) = (&mut installation, &desk.kept) {
                    installation.kept.clone_from(kept);
                }
                outbox.send(Message::Installation(Ok(installation)));
                // Nothing is unfinished after an undo.
                let undone = desk.actions.iter().any(|(action, _)| *action == ManageAction::Undo);
                if let Some(unfinished) = scene.unfinished.clone().filter(|_| !undone) {
                    outbox.send(Message::Interrupted(Box::new(unfinished)));
                }
            }
            BackendCommand::Detect => {
                desk.detections += 1;
                if scene.detection_fails {
                    outbox.send(Message::Detected(Err(error("The system did not answer."))));
                } else if !scene.detection_waits {
                    outbox.send(Message::Detected(Ok(scene.detected())));
                }
            }
            BackendCommand::TakeInventory { options, .. } => {
                let inventory = scene.inventory(&options);
                outbox.send(Message::Inventory(options, inventory));
            }
            BackendCommand::ReadModel { options, model, control } => match &scene.file {
                ScriptedFile::AsListed => {
                    let published = PublishedModel { model: file_of(&model, |_| ()), problem: None };
                    outbox.send(Message::ModelRead { options, asked: model, published: Ok(published) });
                }
                ScriptedFile::Waits => desk.reads.push((options, model, control, outbox)),
            },
            BackendCommand::FindNewest(source) => desk.newest.push((source, outbox)),
            BackendCommand::FindModel { reference, .. } => desk.lookups.push((reference, outbox)),
            BackendCommand::Install { request, keep, control, .. } => {
                desk.keeps.push(keep);
                desk.installs.push((*request, control, outbox))
            }
            BackendCommand::AskModel { prompt, .. } => desk.questions.push((prompt, outbox)),
            BackendCommand::CheckHealth { .. } => {
                outbox.send(Message::Health(Ok(scene.health.clone())));
                outbox.send(Message::Tips(scene.tips.clone()));
            }
            BackendCommand::LookForUpdates { now, .. } => {
                desk.looks.push(now);
                outbox.send(Message::Updates(Ok(scene.updates.clone())));
            }
            BackendCommand::SetDailyUpdates { daily, .. } => {
                outbox.send(Message::Updates(Ok(KnownUpdates { daily, ..scene.updates.clone() })));
            }
            BackendCommand::PreviewRemoval { .. } => {
                outbox.send(Message::RemovalPreviewed(Ok(scene.removal.clone())));
            }
            BackendCommand::Tune { control, .. } => desk.tunings.push((control, outbox)),
            BackendCommand::ReadSettings { .. } => {
                outbox.send(Message::SettingsRead(scene.setting_source().map(Arc::new)));
            }
            BackendCommand::ChangeSetting { plan, control, .. } => {
                desk.settings.push((*plan, control, outbox));
            }
            BackendCommand::ListModels { .. } => outbox.send(Message::ModelsListed(Ok(scene.models(&desk)))),
            BackendCommand::RemoveModel { model, .. } => {
                desk.removed_models.push(model);
                outbox.send(Message::ModelRemoved(Ok(())));
            }
            BackendCommand::Manage { action, .. } => desk.actions.push((action, outbox)),
            BackendCommand::PickPath { field, .. } => desk.pickers.push((field, outbox)),
            BackendCommand::BuildReport(contents) => {
                desk.reports.push(*contents);
                if !scene.report_waits {
                    outbox.send(Message::ReportBuilt(Ok(report())));
                }
            }
            BackendCommand::SaveReportAs(_) => {
                desk.dialogs += 1;
                outbox.send(Message::ReportSaved(Ok(None)));
            }
            BackendCommand::SaveReport { report, path } => {
                desk.saved.push((report, path.clone()));
                outbox.send(Message::ReportSaved(Ok(Some(path))));
            }
            BackendCommand::RememberSettings(settings) => desk.remembered.push(settings),
            BackendCommand::OpenLink(url) => desk.links.push(url),
            BackendCommand::OpenFolder(folder) => desk.opened.push(folder),
            BackendCommand::Watch { watch, .. } => desk.watches.push((watch, outbox)),
        }
    }
}

/// A laptop with a card of 8 GB, as `acolyte detect --json` would print it.
pub fn laptop() -> Hardware {
    hardware(
        r#"{
        "schema": 1,
        "os": {"name": "linux", "version": "12", "arch": "x86_64"},
        "cpu": {"name": "Intel Core i7-13620H", "physical_cores": 10, "logical_cores": 16, "features": ["avx2"]},
        "memory": {"total_bytes": 17179869184, "available_bytes": 11596411699, "bandwidth_gb_s": 41.0},
        "gpus": [
            {"name": "GeForce RTX 4060 Laptop", "vendor": "nvidia", "kind": "discrete",
             "vram_total_bytes": 8585740288, "vram_free_bytes": 7623567360, "memory_bandwidth_gb_s": 256.0,
             "backend": "cuda", "driver_version": "566.14", "compute_capability": "8.9",
             "sources": {"vram_total_bytes": "nvml", "memory_bandwidth_gb_s": "table"}},
            {"name": "Intel UHD Graphics", "vendor": "intel", "kind": "integrated", "vram_total_bytes": null}
        ],
        "disks": [{"path": "/home", "kind": "ssd", "free_bytes": 212000000000}],
        "engines": [{"kind": "service", "version": "0.31.2", "port": 11434}]
    }"#,
    )
}

/// A desktop whose card Ollama leaves out because of its driver, with another server, models, and a source that did not
/// answer.
pub fn troubled_desktop() -> Hardware {
    hardware(
        r#"{
        "schema": 1,
        "os": {"name": "windows", "version": "10.0.19044", "arch": "x86_64"},
        "cpu": {"name": "AMD Ryzen 5 3600", "physical_cores": 6, "logical_cores": 12, "features": ["avx2"]},
        "memory": {"total_bytes": 34359738368, "available_bytes": 21474836480, "bandwidth_gb_s": 38.0},
        "gpus": [{"name": "NVIDIA GeForce RTX 3070", "vendor": "nvidia", "kind": "discrete",
            "vram_total_bytes": 8585740288, "vram_free_bytes": 8160437862, "memory_bandwidth_gb_s": 448.0,
            "backend": "cuda", "driver_version": "472.12", "compute_capability": "8.6",
            "blocked": "nvidia_driver_too_old", "sources": {"memory_bandwidth_gb_s": "table"}}],
        "disks": [{"path": "D:\\", "kind": "hdd", "free_bytes": 3000000000, "used_for": ["engine", "models"],
            "needed_bytes": 9300000000, "fits": false}],
        "engines": [{"kind": "server", "version": "0.31.2", "port": 11434, "exposed": true,
            "loaded": [{"name": "qwen3:8b", "total_bytes": 6442450944, "vram_bytes": 5368709120}]},
            {"kind": "app", "version": "0.31.2", "path": "C:\\Users\\ana\\AppData\\Local\\Programs\\Ollama\\ollama.exe"}],
        "model_folders": [{"path": "C:\\Users\\ana\\.ollama\\models", "total_bytes": 9930000000,
            "models": [{"name": "qwen2.5-coder:7b", "size_bytes": 4700000000}, {"name": "qwen3:8b", "size_bytes": 5230000000}]}],
        "notes": [
            {"code": "source_failed", "details": {"source": "wgpu", "why": "no answer within 10 s"}},
            {"code": "nvidia_driver_too_old", "details": {"gpu": "NVIDIA GeForce RTX 3070", "driver": "472.12", "needed": "550"}},
            {"code": "windows_too_old", "details": {"version": "10.0.19044"}},
            {"code": "vram_held", "details": {"gpu": "NVIDIA GeForce RTX 3070", "program": "blender.exe", "bytes": "1610612736"}},
            {"code": "engine_exposed", "details": {"port": "11434"}},
            {"code": "model_loaded", "details": {"model": "qwen3:8b", "port": "11434", "bytes": "5368709120"}},
            {"code": "on_battery"}]
    }"#,
    )
}

/// A machine with nothing but integrated graphics.
pub fn office_machine() -> Hardware {
    hardware(
        r#"{
        "schema": 1,
        "cpu": {"name": "Intel Core i5-8250U", "physical_cores": 4, "features": ["avx2"]},
        "memory": {"total_bytes": 8589934592, "available_bytes": 4294967296},
        "gpus": [{"name": "Intel UHD 620", "vendor": "intel", "kind": "integrated", "vram_total_bytes": null}],
        "disks": [{"path": "/home", "kind": "hdd", "free_bytes": 90000000000}],
        "notes": [{"code": "source_failed", "text": "Vulkan could not be asked: the driver did not answer within 10 s"}]
    }"#,
    )
}

/// A workstation on which everything fits.
pub fn workstation() -> Hardware {
    hardware(
        r#"{
        "schema": 1,
        "cpu": {"name": "AMD Ryzen 9 7950X", "physical_cores": 16, "logical_cores": 32, "features": ["avx2", "avx512"]},
        "memory": {"total_bytes": 68719476736, "available_bytes": 55834574848, "bandwidth_gb_s": 62.0},
        "gpus": [{"name": "NVIDIA GeForce RTX 4090", "vendor": "nvidia", "kind": "discrete",
            "vram_total_bytes": 25757220864, "vram_free_bytes": 24696061952, "memory_bandwidth_gb_s": 1008.0,
            "backend": "cuda", "driver_version": "570.86", "compute_capability": "8.9",
            "sources": {"vram_total_bytes": "nvml"}}],
        "disks": [{"path": "/home", "kind": "ssd", "free_bytes": 900000000000}]
    }"#,
    )
}

fn hardware(json: &str) -> Hardware {
    Hardware::from_json(json, Path::new("scene.json")).unwrap()
}

impl Scene {
    pub fn of(hardware: Hardware) -> Self {
        Self {
            hardware,
            installation: None,
            unfinished: None,
            health: InstallationHealth {
                running: true,
                engine_version: Some("0.32.15".to_owned()),
                loaded_bytes: Some(5_400_000_000),
                problems: Vec::new(),
            },
            tips: Vec::new(),
            detection_fails: false,
            detection_waits: false,
            report_waits: false,
            free_bytes: Some(212_000_000_000),
            source: EngineSource::default(),
            wants_newest: false,
            reusable_engine: None,
            file: ScriptedFile::AsListed,
            settings: Settings::default(),
            keep: keep_preview(),
            asks_to_remove: false,
            removal: Removal::default(),
            updates: KnownUpdates::default(),
        }
    }
}

/// A receipt for a request, with all measurements as predicted.
pub fn receipt(request: &Request) -> Receipt {
    let plan = &request.plan;
    let candidate = &plan.candidate;
    let speed = &plan.speed;
    let first_token = Range { low: 2.1, mid: 2.6, high: 3.4 };
    Receipt {
        engine: None,
        comparison: None,
        tuning: None,
        first_choice: None,
        schema: acolyte::SCHEMA,
        written_at: "2026-11-23T10:20:30Z".into(),
        profile: candidate.id.as_str().into(),
        model: request.model.clone(),
        model_file: None,
        engine_version: "0.32.15".into(),
        port: 42434,
        predicted: PredictedFigures {
            context_tokens: candidate.context_tokens,
            gpu_layers: plan.gpu_layers(),
            total_layers: plan.total_layers,
            n_cpu_moe: plan.setting.n_cpu_moe,
            num_batch: Some(plan.setting.num_batch),
            kv_cache_type: candidate.kv_cache_type,
            vram_bytes: plan.memory.vram_required_bytes,
            ram_bytes: plan.memory.ram_required_bytes,
            weights_ram_bytes: Some(plan.memory.weights_ram_bytes),
            prompt_cache_mib: Some(plan.prompt_cache_mib()),
            gpu_share: 1.0,
            decode_tokens_per_s: speed.decode_tokens_per_s,
            first_token_full_prompt_s: speed.first_token_full_prompt_s,
            first_token_s: first_token,
        },
        measured: MeasuredFigures {
            context_tokens: Some(candidate.context_tokens),
            gpu_layers: Some(plan.gpu_layers()),
            gpu_share: Some(1.0),
            kv_cache_type: Some(candidate.kv_cache_type.name().into()),
            vram_bytes: Some(plan.memory.vram_required_bytes + 60_000_000),
            ram_bytes: Some(plan.memory.ram_required_bytes),
            decode_tokens_per_s: Some(speed.decode_tokens_per_s.mid),
            prefill_tokens_per_s: Some(1500.0),
            first_token_s: Some(first_token.mid),
            first_token_prompt_tokens: Some(4096),
            ..MeasuredFigures::default()
        },
        verdict: plan.verdict,
        attempts: Vec::new(),
        shortfalls: Vec::new(),
    }
}

/// A step's event without bytes.
pub fn event(step: Step, state: StepState, activity: Activity) -> Event {
    Event { step, state, bytes: None, activity }
}

/// The events of an installation halfway through its longest download.
pub fn events_half_way() -> Vec<Event> {
    let folder = PathBuf::from("/home/ana/.acolyte/llm/engines/0.32.15");
    let version = || "0.32.15".to_owned();
    let pulling = || Activity::Pulling { model: ModelTag::parse("qwen2.5-coder:7b").unwrap() };
    let mut events = Vec::new();
    for (step, begins, ends) in [
        (Step::Check, Activity::Checking, Activity::Checked { bytes: 6_100_000_000 }),
        (Step::FetchEngine, Activity::FetchingEngine { version: version() }, Activity::EngineFetched),
        (Step::UnpackEngine, Activity::Unpacking, Activity::Unpacked { path: folder }),
        (
            Step::StartServer,
            Activity::StartingServer,
            Activity::ServerStarted { version: version(), port: 42434 },
        ),
    ] {
        events.push(event(step, StepState::Started, begins));
        events.push(event(step, StepState::Done, ends));
    }
    events.push(event(Step::PullModel, StepState::Started, pulling()));
    let bytes = ByteProgress {
        done: 2_700_000_000,
        total: Some(4_700_000_000),
        per_s: Some(11_400_000.0),
        seconds_left: Some(175.0),
    };
    events.push(Event { bytes: Some(bytes), ..event(Step::PullModel, StepState::Running, pulling()) });
    events
}

/// Sends an installation halfway through its longest download.
pub fn half_way(outbox: &Outbox) {
    for event in events_half_way() {
        outbox.send(Message::InstallEvent(event));
    }
}

/// The registry has sent nothing for 45 seconds.
pub fn stalled() -> Event {
    event(Step::PullModel, StepState::Waiting, Activity::PullStalled { seconds: 45 })
}

/// Ends an installation well.
pub fn finish(request: &Request, outbox: &Outbox) {
    let (state, login) = if request.options.autostart {
        (StepState::Done, Activity::AutostartEnabled)
    } else {
        (StepState::Skipped, Activity::AutostartSkipped)
    };
    outbox.send(Message::InstallEvent(event(Step::StartAtLogin, state, login)));
    outbox.send(Message::InstallEnded(Ok(Box::new(receipt(request)))));
}

/// Ends an installation badly.
pub fn fail(outbox: &Outbox, words: &str) {
    fail_with(outbox, InstallError::WorkerPanicked { message: words.into() });
}

/// Ends an installation with this error, while the model is pulled.
pub fn fail_with(outbox: &Outbox, error: InstallError) {
    let error = Arc::new(error);
    let ended = Activity::Ended(Arc::clone(&error));
    outbox.send(Message::InstallEvent(event(Step::PullModel, StepState::Failed, ended)));
    outbox.send(Message::InstallEnded(Err(WorkerError::Install(error))));
}

/// A drive that became too full while the model was downloaded.
pub fn disk_short() -> InstallError {
    let path = PathBuf::from("/home/ana/.acolyte/models");
    InstallError::DiskShort { path, need_bytes: 2_000_000_000, free_bytes: 1_100_000_000 }
}

/// A report, longer than the panel that shows it.
pub fn report() -> Arc<str> {
    let lines: Vec<String> = (1..=400)
        .map(|n| {
            format!("    \"line {n}\": \"GeForce RTX 4060 Laptop, driver 566.14, compute capability 8.9\",")
        })
        .collect();
    format!("{{\n{}\n}}\n", lines.join("\n")).into()
}

/// Ends an answer.
pub fn answer(outbox: &Outbox, words: &str) {
    outbox.send(Message::AnswerPart(words.to_owned()));
    outbox
        .send(Message::AnswerEnded(Ok(AnswerFigures { tokens_per_s: Some(38.1), first_token_s: Some(0.4) })));
}

/// A finished installation, for the Manage page.
pub fn installation(request: &Request, language: Language) -> Installation {
    let (plan, home) = (&request.plan, request.options.home.clone());
    let candidate = &plan.candidate;
    let limits = plan.consent.as_ref().map_or_else(Vec::new, |terms| terms.limits.clone());
    let profile = ProfileFile {
        schema: acolyte::SCHEMA,
        written_at: "2026-11-23T10:20:30Z".into(),
        profile: candidate.id.as_str().into(),
        endpoint: "http://127.0.0.1:42434".into(),
        port: 42434,
        model: SERVED_MODEL.clone(),
        base_model: request.model.clone(),
        context_tokens: candidate.context_tokens,
        kv_cache_type: candidate.kv_cache_type,
        gpu_layers: plan.gpu_layers(),
        total_layers: plan.total_layers,
        automatic_layers: false,
        num_batch: candidate.num_batch,
        num_thread: None,
        draft_num_predict: None,
        use_mmap: None,
        n_cpu_moe: plan.setting.n_cpu_moe,
        set_by_hand: acolyte::install::HandSettings::default(),
        context_checkpoints: plan.context_checkpoints(),
        prompt_cache_mib: Some(plan.prompt_cache_mib()),
        pinned_memory: true,
        vulkan_only: false,
        without_vulkan: true,
        verdict: plan.verdict,
        degraded: !limits.is_empty(),
        banner: acolyte::sentences::banner(plan, Text::new(language)),
        limits,
        engine_version: "0.32.15".into(),
        engine_program: home.join("llm/engines/0.32.15/bin/ollama"),
        models_dir: request.options.models_dir.clone(),
        autostart: true,
        watch: false,
        served: None,
    };
    Installation {
        home,
        installed: Box::new(Installed { profile, receipt: Some(receipt(request)) }),
        kept: None,
        keep: Some(keep_preview()),
        request: Some(Box::new(SavedRequest::of(request))),
    }
}

/// The interrupted installation of a request, with nothing installed before it.
pub fn interrupted(request: &Request) -> Unfinished {
    let mut saved = SavedRequest::of(request);
    saved.requested_at = "2026-11-23T10:20:30Z".into();
    Unfinished { request: Some(saved), active: None }
}
