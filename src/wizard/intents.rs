//! Carries out the intents of a frame's buttons, links and keys.

use super::app::Wizard;
use super::backend::BackendCommand;
use super::flow::Page;
use super::pages::Intent;
use super::pages::hardware::HardwarePage;
use super::pages::manage::ManageActivity;
use super::question::Question;
use super::report_panel::ReportPanel;
use super::steps::SidebarStep;
use crate::install::{EngineChoice, Paths};
use crate::text::Text;

impl Wizard {
    /// Carries out one intent. `dark`: whether the dark theme is active.
    pub(super) fn carry_out(&mut self, intent: Intent, dark: bool) {
        match intent {
            Intent::Next => self.next_page(),
            Intent::Back => self.change_page(Page::back),
            Intent::GoTo(step) => self.change_page(|page| page.back_to(step)),
            Intent::SetLanguage(language) => {
                self.settings.language = Some(language);
                self.text = Text::new(language);
            }
            Intent::SwitchTheme => self.settings.dark = Some(!dark),
            Intent::SetAppearance(appearance) => self.settings.appearance = appearance,
            Intent::DetectAgain => self.change_page(|page| match page {
                Page::Hardware(_) => Page::Hardware(HardwarePage::default()),
                other => other,
            }),
            Intent::ShowReport => {
                self.question = Some(Question::Report(ReportPanel::beside(&self.options.home)));
                self.send(BackendCommand::BuildReport(Box::new(self.report_contents())));
            }
            Intent::CompareWithReference => {
                self.question =
                    self.page.detected().map(|detected| Question::Reference(detected.reference.clone()));
            }
            Intent::PickPath(field, start) => self.send(BackendCommand::PickPath { field, start }),
            Intent::LookUpModel => {
                if let Page::Profile(page) = &mut self.page {
                    let command = page.begin_lookup();
                    self.send(command);
                }
            }
            Intent::UseModelFile(path) => {
                if let Page::Profile(page) = &mut self.page {
                    let command = page.begin_file(&path);
                    self.send(command);
                }
            }
            Intent::LookForNewest => self.look_for_newest(),
            Intent::ToggleLog => {
                if let Page::Install(page) = &mut self.page {
                    page.toggle_log();
                }
            }
            Intent::TogglePause => {
                if let Page::Install(page) = &self.page {
                    page.toggle_pause();
                }
            }
            Intent::Tune => {
                if let Page::Manage(page) = &mut self.page {
                    let (home, control) = (page.installation.home.clone(), page.begin_tuning());
                    self.send(BackendCommand::Tune { home, text: self.text, control });
                }
            }
            Intent::OpenSettings => {
                if let Page::Manage(page) = &mut self.page {
                    page.settings.look();
                    let home = page.installation.home.clone();
                    self.send(BackendCommand::ReadSettings { home });
                }
            }
            Intent::CloseSettings => {
                if let Page::Manage(page) = &mut self.page {
                    page.settings.close();
                }
            }
            Intent::ApplySettings => {
                let text = self.text;
                if let Page::Manage(page) = &mut self.page
                    && let Some(command) = page.begin_setting(text)
                {
                    self.send(command);
                }
            }
            Intent::AskToRemoveModel(model, bytes) => {
                self.question = Some(Question::RemoveModel { model, bytes });
            }
            Intent::RemoveModel(model) => {
                if let Page::Manage(page) = &mut self.page {
                    page.begin(ManageActivity::RemovingModel);
                    let home = page.installation.home.clone();
                    self.send(BackendCommand::RemoveModel { home, model });
                }
            }
            Intent::SkipTuning => match &self.page {
                Page::Install(page) => page.skip_tuning(),
                Page::Manage(page) => page.skip_tuning(),
                _ => {}
            },
            Intent::StopTuning => {
                if let Page::Manage(page) = &self.page {
                    page.stop_tuning();
                }
            }
            Intent::AskToCancel => self.question = Some(Question::Cancel { closing: false }),
            Intent::Retry => self.retry(),
            Intent::ChooseAnother => self.change_page(|page| page.back_to(SidebarStep::Profile)),
            Intent::AskModel => {
                if let Page::Result(page) = &mut self.page
                    && let Some(command) = page.begin_answer()
                {
                    self.send(command);
                }
            }
            Intent::OpenFolder => self.open_folder(),
            Intent::OpenLogs => {
                if let Page::Manage(page) = &self.page {
                    let logs = Paths::new(&page.installation.home).logs();
                    self.send(BackendCommand::OpenFolder(logs));
                }
            }
            Intent::Manage => self.send(BackendCommand::LookForInstallation),
            Intent::ChangeProfile => self.change_page(|_| Page::Hardware(HardwarePage::default())),
            Intent::Repair => {
                let request = match &mut self.page {
                    Page::Manage(page) => page.installation.request.take(),
                    _ => None,
                };
                match request {
                    Some(request) => self.resume(*request),
                    None => self.carry_out(Intent::ChangeProfile, dark),
                }
            }
            Intent::AskToRemove => self.ask_to_remove(),
            Intent::Act(action) => {
                if let Page::Manage(page) = &mut self.page {
                    page.begin(ManageActivity::Acting(action));
                    let home = page.installation.home.clone();
                    self.send(BackendCommand::Manage { home, action });
                }
            }
            Intent::LookForUpdates => {
                if let Page::Manage(page) = &self.page {
                    let home = page.installation.home.clone();
                    self.send(BackendCommand::LookForUpdates { home, now: true });
                }
            }
            Intent::SetDailyUpdates(daily) => match &self.page {
                Page::Manage(page) => {
                    let home = page.installation.home.clone();
                    self.send(BackendCommand::SetDailyUpdates { home, daily });
                }
                // Saved with the installation.
                _ => self.options.daily_updates = Some(daily),
            },
            Intent::Update => self.update(),
            Intent::CheckHealth => self.check_health(),
            Intent::OpenLink(url) => self.send(BackendCommand::OpenLink(url)),
            Intent::Finish => self.wants_to_close = true,
        }
    }

    /// Checks the installation on the Manage page.
    pub(super) fn check_health(&mut self) {
        if let Page::Manage(page) = &mut self.page {
            page.begin(ManageActivity::Checking);
            let (home, is_first) = (page.installation.home.clone(), page.updates.is_none());
            self.send(BackendCommand::CheckHealth { home: home.clone() });
            self.send(BackendCommand::ListModels { home: home.clone() });
            if is_first {
                self.send(BackendCommand::LookForUpdates { home, now: false });
            }
        }
    }

    /// Installs again, with the newer engine and the newer file of the model.
    fn update(&mut self) {
        let Page::Manage(page) = &mut self.page else { return };
        let Some((known, request)) = page.updates.clone().zip(page.installation.request.take()) else {
            return;
        };
        if let Some(engine) = known.updates.engine {
            self.options.source.choice = engine.signed.map_or(EngineChoice::Pinned, EngineChoice::Signed);
        }
        self.options.refresh_model = known.updates.model.is_some();
        self.resume(*request);
    }

    /// Asks on the Manage page whether to remove everything that is installed.
    pub(super) fn ask_to_remove(&mut self) {
        if let Page::Manage(page) = &self.page {
            let home = page.installation.home.clone();
            self.question = Some(Question::Remove { keep_models: false, removal: None });
            self.send(BackendCommand::PreviewRemoval { home });
        }
    }

    fn open_folder(&self) {
        match &self.page {
            Page::Result(page) => self.send(BackendCommand::OpenFolder(page.home().to_owned())),
            Page::Manage(page) => self.send(BackendCommand::OpenFolder(page.installation.home.clone())),
            _ => {}
        }
    }
}
