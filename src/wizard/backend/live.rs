//! The real backend: detection, planning, installing and managing, each on a thread of its own.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::{
    AnswerFigures, Backend, CustomModel, EngineDefaults, Found, InstallEnd, Installation, InstallationHealth,
    ManageAction, Message, Outbox, PathField, Places, ReportContents, WorkerError, dialogs, reports,
};
use crate::control::Control;
use crate::estimate::MachineFigures;
use crate::hardware::DetectOptions;
use crate::install::manage::undo::{undo, unfinished_run};
use crate::install::manage::uninstall::uninstall;
use crate::install::reuse::installed_engine;
use crate::install::state::documents::SERVED_MODEL;
use crate::install::{self, EngineSource, InstallError, Installed, Paths, Request, SavedRequest, manage};
use crate::machine::Hardware;
use crate::models::{Catalogue, Model};
use crate::ollama::client::{Client, ClientError, GenerateOptions, GenerateRequest};
use crate::ollama::http::HttpOptions;
use crate::ollama::lookup::lookup_to_install;
use crate::ollama::release::newest::newest;
use crate::ollama::release::{AssetRole, Release};
use crate::plan::{self, Candidate, Layers, Plan, Profiles};
use crate::platform::files;
use crate::platform::login::{Kind, Means};
use crate::say;
use crate::sentences;
use crate::text::Text;
use crate::wizard::{Settings, WizardOptions};

/// How long a model may be silent before its first token: it may have to be loaded from a slow disk first.
const SILENCE: Duration = Duration::from_secs(600);
/// Tokens of an answer that is tried, at most.
const ANSWER_TOKENS: u32 = 1024;

/// The real backend.
pub struct Live {
    home: PathBuf,
    hardware: Option<Arc<Hardware>>,
    model: Option<Arc<Model>>,
    insecure_registry: bool,
    profiles: Arc<Profiles>,
    source: EngineSource,
    wants_newest: bool,
    may_reuse: bool,
    release: Option<Release>,
}

impl Live {
    /// For what the program was started with. A release file that cannot be read is said when it is needed, by the
    /// installation's first step.
    pub fn new(options: &WizardOptions) -> Self {
        let profiles = options.profiles.clone().unwrap_or_else(|| Arc::new(Profiles::built_in().clone()));
        Self {
            home: options.home.clone(),
            hardware: options.hardware.clone(),
            model: options.model.clone(),
            insecure_registry: options.insecure_registry,
            profiles,
            source: options.source.clone(),
            wants_newest: options.wants_newest,
            may_reuse: options.may_reuse,
            release: (options.source.choice.release())
                .inspect_err(|error| tracing::warn!(%error, "the release list cannot be read"))
                .ok()
                .flatten(),
        }
    }
}

/// Runs work on a thread of its own and sends what it answers. A panic there must not leave the window waiting for
/// ever, so it is answered too.
fn work(
    text: Text,
    outbox: Outbox,
    failed: impl Fn(WorkerError) -> Message + Clone + Send + 'static,
    work: impl FnOnce(&Outbox) -> Message + Send + 'static,
) {
    let spawned = thread::Builder::new().name("worker".to_owned()).spawn({
        let (outbox, failed) = (outbox.clone(), failed.clone());
        move || {
            let answer = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(&outbox)));
            outbox.send(answer.unwrap_or_else(|_| failed(WorkerError(say!(text, "wizard-worker-crashed")))));
        }
    });
    if let Err(error) = spawned {
        outbox.send(failed(WorkerError(say!(text, "wizard-no-worker", cause = error.to_string()))));
    }
}

impl Backend for Live {
    fn places(&self) -> Places {
        let paths = Paths::new(&self.home);
        Places { home: paths.home().to_owned(), models_dir: paths.models() }
    }

    fn engine_version(&self) -> Option<String> {
        self.release.as_ref().map(|release| release.version.clone())
    }

    fn engine_download_bytes(&self, hardware: &Hardware) -> Option<u64> {
        let release = self.release.as_ref()?;
        let bytes = |role| release.asset(role, std::env::consts::OS, std::env::consts::ARCH).ok()?.bytes;
        let card = plan::chosen_gpu(hardware, &self.profiles.policy).and_then(|gpu| gpu.backend);
        let extra = if card == Some(crate::machine::Backend::Rocm) { bytes(AssetRole::Rocm) } else { None };
        Some(bytes(AssetRole::Base)? + extra.unwrap_or(0))
    }

    fn source(&self, hardware: &Hardware) -> EngineDefaults {
        let minimum = Release::built_in().map(|release| release.version).unwrap_or_default();
        let ours = Paths::new(&self.home).engines();
        let here = self.may_reuse.then(|| installed_engine(&hardware.engines, &minimum, &ours)).flatten();
        EngineDefaults { source: self.source.clone(), wants_newest: self.wants_newest, here }
    }

    fn find_newest(&self, source: EngineSource, text: Text, outbox: Outbox) {
        work(
            text,
            outbox,
            |trouble| Message::NewestFound(Err(trouble)),
            move |_| {
                let found = newest(&source.mirrors, &source.http).map(Box::new);
                Message::NewestFound(found.map_err(|error| WorkerError(error.explain(text))))
            },
        );
    }

    fn look_for_installation(&self, text: Text, outbox: Outbox) {
        let home = self.home.clone();
        work(
            text,
            outbox,
            |trouble| Message::Installation(Err(trouble)),
            move |outbox| {
                let asked = SavedRequest::load(&Paths::new(&home)).unwrap_or_else(|error| {
                    tracing::warn!(%error, "what was asked for before cannot be read");
                    None
                });
                let installed = Installed::load(&home)
                    .map_err(|error| WorkerError(InstallError::from(error).explain(text)));
                let found = installed.map(|installed| installed.map(|one| installation(&home, one, asked)));
                outbox.send(Message::Installation(found));
                match unfinished_run(&home) {
                    Ok(Some(unfinished)) => Message::CutShort(Box::new(unfinished)),
                    Ok(None) => Message::Looked,
                    Err(error) => Message::Installation(Err(WorkerError(error.explain(text)))),
                }
            },
        );
    }

    fn detect(&self, models_dir: PathBuf, text: Text, outbox: Outbox) {
        let (home, saved, profiles) = (self.home.clone(), self.hardware.clone(), Arc::clone(&self.profiles));
        let (own, release) = (self.model.clone(), self.release.clone());
        work(
            text,
            outbox,
            |trouble| Message::Detected(Err(trouble)),
            move |_| {
                let began = Instant::now();
                let (evidence, hardware) = match saved {
                    Some(saved) => (None, Hardware::clone(&saved)),
                    None => {
                        let options =
                            DetectOptions { models_dir: Some(models_dir), ..DetectOptions::new(home) };
                        let (evidence, hardware) = plan::survey(&options, &profiles, release.as_ref());
                        (Some(evidence), hardware)
                    }
                };
                let report = plan::plan_all(&hardware, Catalogue::built_in(), &profiles);
                let report = match own {
                    None => report,
                    Some(model) => report.with_own(plan::make_plan(
                        &plan::own_candidate(model, Layers::Fit, &profiles.policy),
                        &hardware,
                        &profiles.policy,
                    )),
                };
                Message::Detected(Ok(Arc::new(Found {
                    hardware,
                    evidence,
                    report,
                    seconds: began.elapsed().as_secs_f64(),
                })))
            },
        );
    }

    fn catalogue(&self) -> Vec<Arc<Model>> {
        Catalogue::built_in().models.clone()
    }

    fn custom(&self, custom: &CustomModel) -> Candidate {
        plan::custom_candidate(
            Arc::clone(&custom.model),
            custom.kv_cache_type,
            custom.context_tokens,
            custom.gpu_layers.map_or(Layers::Fit, Layers::Exactly),
            &self.profiles.policy,
        )
    }

    fn make_plan(&self, candidate: &Candidate, hardware: &Hardware) -> Plan {
        plan::make_plan(candidate, hardware, &self.profiles.policy)
    }

    fn machine(&self, hardware: &Hardware) -> MachineFigures {
        plan::machine(hardware, &self.profiles.policy)
    }

    fn machine_for(&self, choice: &Plan, hardware: &Hardware) -> MachineFigures {
        plan::machine_for(&choice.candidate, hardware, &self.profiles.policy)
    }

    fn consent_text(&self, plan: &Plan, text: Text) -> String {
        sentences::consent_text(plan, text)
    }

    fn banner(&self, plan: &Plan, text: Text) -> Option<String> {
        sentences::banner(plan, text)
    }

    fn free_bytes(&self, folder: &Path) -> Option<u64> {
        files::free_bytes(folder).ok()
    }

    fn login_kind(&self, text: Text) -> String {
        match Means::of_system().map(|means| means.kind()) {
            Ok(Kind::SystemdUser) => say!(text, "wizard-login-systemd"),
            Ok(Kind::Autostart) => say!(text, "wizard-login-autostart"),
            Ok(Kind::LaunchAgent) => say!(text, "wizard-login-agent"),
            Ok(Kind::RunKey) => say!(text, "wizard-login-run-key"),
            Err(error) => error.explain(text),
        }
    }

    fn find_model(&self, reference: String, http: HttpOptions, text: Text, outbox: Outbox) {
        let insecure = self.insecure_registry;
        let asked = reference.clone();
        let failed = move |trouble| Message::ModelFound { reference: asked.clone(), model: Err(trouble) };
        work(text, outbox, failed, move |_| {
            let model = resolve(&reference, insecure, &http, text);
            Message::ModelFound { reference, model }
        });
    }

    fn install(&self, request: Request, text: Text, control: Control, outbox: Outbox) {
        work(
            text,
            outbox,
            |trouble| Message::InstallEnded(Err(InstallEnd::Failed(trouble))),
            move |outbox| {
                let tell = |event| outbox.send(Message::InstallEvent(event));
                Message::InstallEnded(install::run(&request, text, &tell, &control).map_err(|error| {
                    if error.is_cancelled() {
                        InstallEnd::Cancelled
                    } else if matches!(error, InstallError::FourBitsNeedConsent { .. }) {
                        InstallEnd::FourBits(WorkerError(say!(text, "wizard-four-bits-declined")))
                    } else {
                        InstallEnd::Failed(WorkerError(error.explain(text)))
                    }
                }))
            },
        );
    }

    fn ask(&self, port: u16, prompt: String, text: Text, control: Control, outbox: Outbox) {
        work(
            text,
            outbox,
            |trouble| Message::AnswerEnded(Err(trouble)),
            move |outbox| Message::AnswerEnded(answer(port, prompt, text, &control, outbox)),
        );
    }

    fn health(&self, home: PathBuf, text: Text, outbox: Outbox) {
        work(
            text,
            outbox,
            |trouble| Message::Health(Err(trouble)),
            move |_| {
                Message::Health(
                    manage::health(&home)
                        .map(|found| health(found, text))
                        .map_err(|error| WorkerError(error.explain(text))),
                )
            },
        );
    }

    fn manage(&self, home: PathBuf, action: ManageAction, text: Text, outbox: Outbox) {
        work(
            text,
            outbox,
            move |trouble| Message::Managed(action, Err(trouble)),
            move |_| {
                let control = Control::new();
                let done = match action {
                    ManageAction::Start => manage::start(&home, &control).map(drop),
                    ManageAction::Undo => undo(&home, &control).map(drop),
                    ManageAction::Stop => manage::stop(&home).map(drop),
                    ManageAction::Remove { keep_models } => uninstall(&home, keep_models, &control).map(drop),
                };
                Message::Managed(action, done.map_err(|error| WorkerError(error.explain(text))))
            },
        );
    }

    fn pick_path(&self, of: PathField, start: PathBuf, outbox: Outbox) {
        dialogs::pick_path(of, &start, move |path| outbox.send(Message::PathPicked(of, path)));
    }

    fn save_report_as(&self, about: ReportContents, text: Text, outbox: Outbox) {
        let options = DetectOptions::new(self.home.clone());
        dialogs::pick_file(&self.home, move |path| {
            let Some(path) = path else { return outbox.send(Message::ReportSaved(Ok(None))) };
            outbox.send(Message::ReportSaved(reports::write(&about, &options, path, text)));
        });
    }

    fn save_report(&self, about: ReportContents, path: PathBuf, text: Text, outbox: Outbox) {
        let options = DetectOptions::new(self.home.clone());
        work(
            text,
            outbox,
            |trouble| Message::ReportSaved(Err(trouble)),
            move |_| Message::ReportSaved(reports::write(&about, &options, path, text)),
        );
    }

    fn remember(&self, settings: Settings) {
        // A small file, and what is chosen twice in a row must be written in that order: not worth a thread.
        if let Err(error) = settings.save(&self.home) {
            tracing::warn!(%error, "the window's settings are not kept");
        }
    }

    fn open_link(&self, url: &'static str, text: Text, outbox: Outbox) {
        dialogs::open_link(url, text, &outbox);
    }

    fn open_folder(&self, folder: PathBuf, text: Text, outbox: Outbox) {
        dialogs::open_folder(&folder, text, &outbox);
    }
}

/// A tag of the catalogue or a reference to a registry.
fn resolve(
    reference: &str,
    insecure: bool,
    http: &HttpOptions,
    text: Text,
) -> Result<Arc<Model>, WorkerError> {
    lookup_to_install(reference, insecure, http).map_err(|error| WorkerError(error.explain(text)))
}

/// What is installed, as the window shows it.
fn installation(home: &Path, installed: Installed, asked: Option<SavedRequest>) -> Installation {
    let profile = installed.profile;
    Installation {
        profile: profile.profile,
        model: profile.base_model,
        home: home.to_owned(),
        port: profile.port,
        autostart: profile.autostart,
        banner: profile.banner,
        receipt: installed.receipt,
        engine_version: profile.engine_version,
        asked: asked.map(Box::new),
    }
}

/// How it is doing, as the window shows it.
fn health(health: manage::Health, text: Text) -> InstallationHealth {
    let promised = health.installed.as_ref().map(|installed| &installed.profile);
    let mut problems = Vec::new();
    if health.unfinished {
        problems.push(say!(text, "wizard-manage-unfinished"));
    }
    if health.running && health.version.is_none() {
        problems.push(say!(text, "wizard-manage-silent"));
    }
    if let (Some(promised), Some(loaded)) = (promised, &health.loaded)
        && (1..u64::from(promised.context_tokens)).contains(&loaded.context_length)
    {
        problems.push(say!(
            text,
            "wizard-manage-context",
            promised = text.count(u64::from(promised.context_tokens)),
            kept = text.count(loaded.context_length)
        ));
    }
    let loaded_bytes = health.loaded.map(|loaded| loaded.size);
    InstallationHealth { running: health.running, engine_version: health.version, loaded_bytes, problems }
}

/// Streams an answer and measures it. A person who leaves does not want to hear the rest.
fn answer(
    port: u16,
    prompt: String,
    text: Text,
    control: &Control,
    outbox: &Outbox,
) -> Result<AnswerFigures, WorkerError> {
    let trouble = |error: &ClientError| WorkerError(error.explain(text));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| WorkerError(say!(text, "wizard-no-worker", cause = error.to_string())))?;
    let client = Client::new(port).map_err(|error| trouble(&error))?;
    let request = GenerateRequest {
        model: SERVED_MODEL.to_owned(),
        prompt,
        raw: false,
        truncate: false,
        options: GenerateOptions { num_predict: ANSWER_TOKENS, seed: 0, temperature: 0.2 },
    };
    let began = Instant::now();
    let mut first_token_s = None;
    let generated = runtime.block_on(control.or_cancelled(client.generate(&request, SILENCE, |line| {
        let said = line.thinking.as_deref().unwrap_or_default().to_owned() + &line.response;
        if !said.is_empty() {
            first_token_s.get_or_insert_with(|| began.elapsed().as_secs_f64());
            outbox.send(Message::AnswerPart(said));
        }
    })));
    match generated {
        Err(_stopped) => Ok(AnswerFigures { tokens_per_s: None, first_token_s }),
        Ok(Err(error)) => Err(trouble(&error)),
        Ok(Ok(last)) => {
            let seconds = last.eval_duration as f64 / 1e9;
            let tokens_per_s = (seconds > 0.0).then(|| last.eval_count as f64 / seconds);
            Ok(AnswerFigures { tokens_per_s, first_token_s })
        }
    }
}
