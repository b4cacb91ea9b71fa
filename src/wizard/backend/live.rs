//! The real backend: detection, planning, installing and managing, each on its own thread.

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Instant;

use super::command::{BackendCommand, ManageAction, ModelReference};
use super::detected::{Detected, SettingSource};
use super::error::WorkerError;
use super::interface::{Backend, FailureAnswer};
use super::message::{Installation, Message, Outbox};
use super::running_work::RunningWork;
use super::system_dialogs::SystemDialogs;
use super::watch::watch_installation;
use super::work::{ask_model, health, keep_program, look_for_updates};
use super::{report_file, system_dialogs};
use crate::control::Control;
use crate::hardware::merge::merge;
use crate::hardware::{DetectOptions, collect};
use crate::install::keep::{KeptFile, OwnPrograms, ProgramKind};
use crate::install::manage::keep::{KeepPreview, preview_keep, remove_kept, revert_interrupted_keep};
use crate::install::manage::undo::{undo, unfinished_run};
use crate::install::manage::uninstall::{preview, uninstall};
use crate::install::reuse::installed_engine;
use crate::install::updates::UpdatesFile;
use crate::install::{self, Event, InstallError, Installed, InstalledBase, Paths, SavedRequest, manage};
use crate::machine::Hardware;
use crate::ollama::lookup::{file_to_install, lookup_to_install};
use crate::ollama::release::Release;
use crate::ollama::release::newest::newest;
use crate::plan::Profiles;
use crate::platform::login::{AutostartMethod, EntryOwner};
use crate::text::Text;
use crate::wizard::options::WizardOptions;

/// The real backend.
pub struct Live {
    shared: Arc<LiveWorkers>,
    dialogs: SystemDialogs,
}

/// What the workers share.
struct LiveWorkers {
    options: WizardOptions,
    /// The release that the options name, read by the first worker that needs it. `None` when it cannot be read: the
    /// installation's first step says why.
    release: OnceLock<Option<Release>>,
    running: RunningWork,
}

impl Live {
    /// For what the program was started with.
    pub fn new(options: &WizardOptions) -> Self {
        let shared = LiveWorkers {
            options: options.clone(),
            release: OnceLock::new(),
            running: RunningWork::default(),
        };
        Self { shared: Arc::new(shared), dialogs: SystemDialogs::default() }
    }

    /// With the dialogs of a window.
    pub fn with_dialogs(self, dialogs: SystemDialogs) -> Self {
        Self { dialogs, ..self }
    }

    /// What it is doing that has to be stopped before the program ends.
    pub fn running(&self) -> RunningWork {
        self.shared.running.clone()
    }
}

impl Backend for Live {
    fn execute(&self, command: BackendCommand, outbox: &Outbox) {
        let home = &self.shared.options.home;
        match command {
            // Written on this thread, so that several changes are written in order.
            BackendCommand::RememberSettings(settings) => {
                if let Err(error) = settings.save(home) {
                    tracing::warn!(%error, "the window's settings could not be saved");
                }
            }
            BackendCommand::PickPath { field, start } => {
                let outbox = outbox.clone();
                self.dialogs.pick_path(field, &start, move |path| {
                    outbox.send(Message::PathPicked(field, path));
                });
            }
            BackendCommand::SaveReportAs(report) => {
                let outbox = outbox.clone();
                self.dialogs.pick_report_file(home, move |path| {
                    let saved = path.map(|path| report_file::write(&report, path)).transpose();
                    outbox.send(Message::ReportSaved(saved));
                });
            }
            BackendCommand::OpenLink(url) => system_dialogs::open_link(&url, outbox),
            BackendCommand::OpenFolder(folder) => system_dialogs::open_folder(&folder, outbox),
            command => self.spawn(command, outbox),
        }
    }
}

impl Live {
    /// Runs a command on its own thread. A panic there is answered too, so that the window does not wait forever.
    fn spawn(&self, command: BackendCommand, outbox: &Outbox) {
        let [not_started, crashed] = [(), ()].map(|()| FailureAnswer::new(&command, outbox));
        let (shared, outbox) = (Arc::clone(&self.shared), outbox.clone());
        let worker = move || {
            crashed.on_panic(|| {
                if let Some(message) = shared.work(command, &outbox) {
                    outbox.send(message);
                }
            });
        };
        if let Err(error) = thread::Builder::new().name("worker".to_owned()).spawn(worker) {
            not_started.send(WorkerError::NotStarted { cause: error.to_string() });
        }
    }
}

impl LiveWorkers {
    /// Does the work of a command; returns its last message.
    fn work(&self, command: BackendCommand, outbox: &Outbox) -> Option<Message> {
        Some(match command {
            BackendCommand::LookForInstallation => return self.look_for_installation(outbox),
            BackendCommand::Detect => Message::Detected(Ok(Arc::new(self.detect()))),
            BackendCommand::TakeInventory { options, model } => {
                let inventory = install::take_inventory(&options, &[model]);
                Message::Inventory(options, inventory)
            }
            BackendCommand::ReadModel { options, model, control } => {
                let published = install::read_published_model(&options, &model, &control).ok()?;
                Message::ModelRead { options, asked: model, published: Ok(published) }
            }
            BackendCommand::FindNewest(source) => {
                let found = newest(&source.mirrors, &source.http).map(Box::new);
                Message::NewestFound(found.map_err(|error| WorkerError::Newest(Arc::new(error))))
            }
            BackendCommand::FindModel { reference, http } => {
                let model = match &reference {
                    ModelReference::Typed(typed) => {
                        lookup_to_install(typed, self.options.insecure_registry, &http)
                    }
                    ModelReference::File(path) => file_to_install(path),
                    ModelReference::Saved(path, request) => install::model_of_saved_file(request, path),
                };
                let model = model.map_err(|error| WorkerError::Lookup(Arc::new(error)));
                Message::ModelFound { reference, model }
            }
            BackendCommand::Install { request, keep, text, control } => {
                let report = |event| outbox.send(Message::InstallEvent(event));
                let install = || {
                    let end = install::run(&request, &text, &report, &control);
                    if keep && end.is_ok() {
                        let kept = keep_program(&request.options.home, &control);
                        outbox.send(Message::ProgramKept(kept.map(Box::new)));
                    }
                    end
                };
                let end = self.running.run(&control, install);
                Message::InstallEnded(end.map(Box::new).map_err(WorkerError::Install))
            }
            BackendCommand::Tune { home, text, control } => {
                let report = |event| outbox.send(Message::TuneEvent(event));
                let tune = || self.tune(&home, text, &report, &control);
                Message::TuneEnded(self.running.run(&control, tune))
            }
            BackendCommand::ReadSettings { home } => {
                Message::SettingsRead(self.read_settings(&home).map(Arc::new))
            }
            BackendCommand::ChangeSetting { source, plan, text, control } => {
                let report = |event| outbox.send(Message::TuneEvent(event));
                let change = || install::change_setting(&source.base, &plan, true, &text, &report, &control);
                let end = self.running.run(&control, change);
                Message::TuneEnded(end.map(drop).map_err(WorkerError::Install))
            }
            BackendCommand::ListModels { home } => {
                Message::ModelsListed(manage::stored_models(&home).map_err(WorkerError::from))
            }
            BackendCommand::RemoveModel { home, model } => {
                let removed = manage::remove_model(&home, &model).map(drop);
                Message::ModelRemoved(removed.map_err(WorkerError::from))
            }
            BackendCommand::AskModel { home, prompt, control } => {
                Message::AnswerEnded(ask_model(&home, prompt, &control, outbox))
            }
            BackendCommand::CheckHealth { home } => {
                let found = manage::health(&home).map(health).map_err(WorkerError::from);
                if found.is_ok() {
                    outbox.send(Message::Health(found));
                    return self.tips(&home);
                }
                Message::Health(found)
            }
            BackendCommand::LookForUpdates { home, now } => {
                Message::Updates(look_for_updates(&home, now).map_err(WorkerError::from))
            }
            BackendCommand::SetDailyUpdates { home, daily } => {
                let set = UpdatesFile::set_daily(&Paths::new(&home), daily);
                let known = set.and_then(|()| look_for_updates(&home, false));
                Message::Updates(known.map_err(WorkerError::from))
            }
            BackendCommand::Watch { home, watch } => {
                watch_installation(&home, &watch, outbox);
                return None;
            }
            BackendCommand::PreviewRemoval { home } => {
                Message::RemovalPreviewed(preview(&home).map_err(WorkerError::from))
            }
            BackendCommand::Manage { home, action } => {
                let control = Control::new();
                let end = match action {
                    ManageAction::Start => manage::start(&home, &control).map(drop),
                    ManageAction::Stop => manage::stop(&home).map(drop),
                    ManageAction::Undo => undo(&home, &control).map(drop),
                    ManageAction::Keep => match keep_program(&home, &control) {
                        Ok(_) => Ok(()),
                        Err(error) => return Some(Message::Managed(action, Err(error))),
                    },
                    ManageAction::RemoveKept => remove_kept(&home).map(drop),
                    ManageAction::Remove { keep_models } => uninstall(&home, keep_models, &control).map(drop),
                };
                Message::Managed(action, end.map_err(WorkerError::from))
            }
            BackendCommand::BuildReport(contents) => {
                let options = DetectOptions::new(self.options.home.clone());
                Message::ReportBuilt(report_file::build(&contents, &options))
            }
            BackendCommand::SaveReport { report, path } => {
                Message::ReportSaved(report_file::write(&report, path).map(Some))
            }
            BackendCommand::PickPath { .. }
            | BackendCommand::SaveReportAs(_)
            | BackendCommand::RememberSettings(_)
            | BackendCommand::OpenLink(_)
            | BackendCommand::OpenFolder(_) => return None,
        })
    }

    fn release(&self) -> Option<&Release> {
        let read = || {
            let release = self.options.source.choice.release();
            release
                .inspect_err(|error| tracing::warn!(%error, "the release list cannot be read"))
                .ok()
                .flatten()
        };
        self.release.get_or_init(read).as_ref()
    }

    fn look_for_installation(&self, outbox: &Outbox) -> Option<Message> {
        let home = &self.options.home;
        if let Some(release) = self.release() {
            outbox.send(Message::EngineVersion(release.version.clone()));
        }
        let request = SavedRequest::load(&Paths::new(home)).unwrap_or_else(|error| {
            tracing::warn!(%error, "the previous request cannot be read");
            None
        });
        if let Err(error) = revert_interrupted_keep(home) {
            tracing::warn!(%error, "an interrupted run that keeps this program cannot be reverted");
        }
        let kept = KeptFile::load(&Paths::new(home)).unwrap_or_else(|error| {
            tracing::warn!(%error, "what is kept of this program cannot be read");
            None
        });
        let installed = Installed::load(home).map_err(|error| InstallError::from(error).into());
        let found = installed.map(|installed| {
            installed.map(|installed| Installation {
                home: home.clone(),
                installed: Box::new(installed),
                request: request.map(Box::new),
                kept,
                keep: keep_preview(home),
            })
        });
        outbox.send(Message::Installation(found));
        match unfinished_run(home) {
            Ok(unfinished) => unfinished.map(|unfinished| Message::Interrupted(Box::new(unfinished))),
            Err(error) => Some(Message::Installation(Err(error.into()))),
        }
    }

    fn tune(
        &self,
        home: &Path,
        text: Text,
        report: &dyn Fn(Event),
        control: &Control,
    ) -> Result<(), WorkerError> {
        let hardware = self.hardware_without_model(home)?;
        let profiles = self.options.profiles.as_deref().unwrap_or(Profiles::built_in());
        let tuned = install::retune(home, &hardware, &profiles.policy, &text, report, control);
        tuned.map(drop).map_err(WorkerError::Install)
    }

    /// The machine: as it is now, or the saved one.
    fn hardware(&self, home: &Path) -> Hardware {
        match &self.options.hardware {
            Some(saved) => saved.as_ref().clone(),
            None => merge(&collect(&DetectOptions::new(home.to_owned()))),
        }
    }

    /// Tips for what is installed; the page shows none where it cannot be planned.
    fn tips(&self, home: &Path) -> Option<Message> {
        let profiles = self.options.profiles.as_deref().unwrap_or(Profiles::built_in());
        match manage::tips_now(home, &self.hardware(home), &profiles.policy) {
            Ok(tips) => Some(Message::Tips(tips)),
            Err(error) => {
                tracing::info!(%error, "no tips for what is installed");
                None
            }
        }
    }

    fn read_settings(&self, home: &Path) -> Result<SettingSource, WorkerError> {
        let base = InstalledBase::load(home)?;
        let hardware = self.hardware_without_model(home)?;
        let profiles = self.options.profiles.as_deref().unwrap_or(Profiles::built_in());
        Ok(SettingSource { base, hardware, policy: profiles.policy.clone() })
    }

    /// The machine without our model in memory: what it takes of the card would count as taken.
    fn hardware_without_model(&self, home: &Path) -> Result<Hardware, WorkerError> {
        install::unload(home)?;
        Ok(self.hardware(home))
    }

    fn detect(&self) -> Detected {
        let began = Instant::now();
        let options = &self.options;
        let paths = Paths::new(&options.home);
        let profiles = options.profiles.clone().unwrap_or_else(|| Arc::new(Profiles::built_in().clone()));
        let (evidence, hardware) = match &options.hardware {
            Some(saved) => (None, saved.as_ref().clone()),
            None => {
                let detect = DetectOptions {
                    models_dir: Some(paths.models()),
                    ..DetectOptions::new(options.home.clone())
                };
                let evidence = collect(&detect);
                let hardware = merge(&evidence);
                (Some(evidence), hardware)
            }
        };
        let mut detected = Detected::plan_for(hardware, profiles, options.model.clone());
        detected.evidence = evidence;
        let models: Vec<_> = detected.catalogue().iter().chain(&options.model).cloned().collect();
        detected = detected.with_inventory(install::take_inventory(&options.default_install(), &models));
        if options.may_reuse {
            let minimum = Release::built_in().version.clone();
            detected.reusable_engine =
                installed_engine(&detected.hardware.engines, &minimum, &paths.engines());
        }
        detected.autostart = AutostartMethod::of_system(&EntryOwner::default())
            .map(|autostart| autostart.kind())
            .map_err(Arc::new);
        detected.keep = keep_preview(&options.home);
        detected.seconds = began.elapsed().as_secs_f64();
        detected
    }
}

/// What keeping this program, the window, would change; `None` if that cannot be told.
fn keep_preview(home: &Path) -> Option<KeepPreview> {
    let programs = OwnPrograms::of_process(ProgramKind::Window).ok()?;
    preview_keep(home, &programs).ok()
}

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::sync::mpsc;

    use super::super::command::ReportContents;
    use super::super::look::LiveWatch;
    use super::*;
    use crate::install::state::documents::DocumentError;
    use crate::platform::files;
    use crate::platform::ownership::OwnershipError;
    use crate::wizard::Settings;

    /// Whatever the window does with a home that others can change, it says so and changes nothing.
    #[test]
    fn a_home_that_others_can_change_is_refused_by_every_command() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("home");
        let paths = Paths::new(&home);
        files::create_folders(&paths.llm()).unwrap();
        files::create_folders(&paths.logs()).unwrap();
        files::write_whole(&paths.profile(), b"schema: 1\n").unwrap();
        files::write_whole(&paths.journal(), b"").unwrap();
        files::write_whole(&paths.logs().join("server.log"), b"Listening on 127.0.0.1:11434\n").unwrap();
        std::fs::set_permissions(&home, std::fs::Permissions::from_mode(0o777)).unwrap();
        let live = Live::new(&WizardOptions { home: home.clone(), ..WizardOptions::default() });
        let (sender, answers) = mpsc::channel();
        let outbox = Outbox::new(sender, Arc::new(|| ()));
        let manage = |action| BackendCommand::Manage { home: home.clone(), action };
        let commands = [
            BackendCommand::LookForInstallation,
            BackendCommand::CheckHealth { home: home.clone() },
            BackendCommand::PreviewRemoval { home: home.clone() },
            BackendCommand::AskModel { home: home.clone(), prompt: String::new(), control: Control::new() },
            manage(ManageAction::Start),
            manage(ManageAction::Stop),
            manage(ManageAction::Undo),
            manage(ManageAction::Remove { keep_models: false }),
        ];
        for command in commands {
            let asked = format!("{command:?}");
            let last = live.shared.work(command, &outbox).unwrap();
            let error = match last {
                Message::Installation(answer) => answer.map(drop).unwrap_err(),
                Message::Health(answer) => answer.map(drop).unwrap_err(),
                Message::RemovalPreviewed(answer) => answer.map(drop).unwrap_err(),
                Message::AnswerEnded(answer) => answer.map(drop).unwrap_err(),
                Message::Managed(_, answer) => answer.unwrap_err(),
                other => panic!("{asked}: {other:?}"),
            };
            assert!(is_about(&error, &home), "{asked}: {error:?}");
        }
        let watch = BackendCommand::Watch { home: home.clone(), watch: LiveWatch::default() };
        assert!(live.shared.work(watch, &outbox).is_none(), "its log is not shown");
        let told: Vec<Message> = answers.try_iter().collect();
        assert!(!told.iter().any(|message| matches!(message, Message::Looked(_))), "{told:?}");
        let found = told.iter().find_map(|message| match message {
            Message::Installation(found) => Some(found),
            _ => None,
        });
        assert!(found.is_some_and(|found| found.is_err()), "{told:?}");

        live.execute(BackendCommand::RememberSettings(Settings::default()), &outbox);
        assert!(!paths.window().exists());
        let detected = Some(Arc::new(Detected::plan_for(
            crate::machine::Hardware::with(crate::machine::MainMemory::default(), Vec::new()),
            Arc::new(Profiles::built_in().clone()),
            None,
        )));
        let contents = Box::new(ReportContents { detected, ..ReportContents::default() });
        let Some(Message::ReportBuilt(Ok(report))) =
            live.shared.work(BackendCommand::BuildReport(contents), &outbox)
        else {
            panic!("no report")
        };
        assert!(!report.contains("Listening"), "no log of it is in a report");
    }

    fn is_about(error: &WorkerError, home: &Path) -> bool {
        let WorkerError::Install(error) = error else { return false };
        let ownership = match &**error {
            InstallError::Ownership(error) => error,
            InstallError::Document(DocumentError::Ownership(error)) => error,
            _ => return false,
        };
        let real = |path: &Path| std::fs::canonicalize(path).unwrap();
        matches!(ownership, OwnershipError::Writable { path } if real(path) == real(home))
    }
}
