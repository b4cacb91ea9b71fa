//! Handles the backend's messages.

use super::app::Wizard;
use super::backend::{BackendCommand, ManageAction, Message, WorkerError};
use super::flow::Page;
use super::notice::Notice;
use super::pages::hardware::Detection;
use super::pages::manage::ManagePage;
use super::pages::result::ResultPage;
use super::question::Question;
use crate::install::Receipt;

impl Wizard {
    pub(super) fn handle_messages(&mut self) {
        while let Ok(message) = self.inbox.try_recv() {
            self.handle(message);
        }
    }

    fn handle(&mut self, message: Message) {
        match (message, &mut self.page) {
            (Message::EngineVersion(version), _) => self.engine_version = Some(version),
            // An installation that is found late does not interrupt a user who has moved on.
            (Message::Installation(Ok(Some(installation))), Page::Welcome(_) | Page::Result(_)) => {
                self.change_page(|page| {
                    if let Page::Result(mut page) = page {
                        page.stop_answer();
                    }
                    Page::Manage(Box::new(ManagePage::new(installation)))
                });
                self.check_health();
                if std::mem::take(&mut self.options.asks_to_remove) {
                    self.ask_to_remove();
                }
            }
            (Message::Installation(Ok(Some(installation))), Page::Manage(page)) => {
                let live = std::mem::take(&mut page.live);
                **page = ManagePage::new(installation);
                page.live = live;
                self.check_health();
            }
            // It was undone.
            (Message::Installation(Ok(None)), Page::Manage(page)) => page.removed(),
            (Message::Looked(look), Page::Manage(page)) => page.live.looked(*look),
            (Message::Installation(Err(error)), _) => self.notice = Some(Notice::LookupFailed(error)),
            (Message::Interrupted(unfinished), Page::Welcome(_) | Page::Manage(_)) => {
                self.question = Some(Question::Interrupted(unfinished));
            }
            (Message::Detected(detected), Page::Hardware(page)) => {
                page.detection = match detected {
                    Ok(detected) => Detection::Known(detected),
                    Err(error) => Detection::Failed(error),
                };
                self.resume_after_detection();
            }
            (Message::Detected(Ok(detected)), Page::Welcome(page)) => {
                page.detected = Some(detected);
            }
            (Message::Inventory(options, inventory), Page::Summary(page)) => {
                page.inventory_taken(&options, &inventory);
            }
            (Message::ModelRead { options, asked, published }, Page::Summary(page)) => {
                let was_awaited = page.model_read(&options, &asked, published);
                if was_awaited {
                    self.file_known();
                }
            }
            (Message::ModelFound { reference, model }, Page::Profile(page)) => {
                page.model_found(&reference, model);
            }
            (Message::NewestFound(found), Page::Profile(page)) => page.choice.engine.newest_found(found),
            (Message::PathPicked(field, path), Page::Profile(page)) => {
                if let Some(command) = page.path_picked(field, path) {
                    self.send(command);
                }
            }
            (Message::InstallEvent(event), Page::Install(page)) => page.progressed(event),
            (Message::ProgramKept(kept), Page::Install(page)) => page.kept = Some(kept),
            (Message::InstallEnded(end), Page::Install(_)) => self.install_ended(end),
            (Message::AnswerPart(part), Page::Result(page)) => page.answer_part(&part),
            (Message::AnswerEnded(end), Page::Result(page)) => page.answer_ended(end),
            (Message::Health(health), Page::Manage(page)) => page.health_checked(health),
            (Message::Tips(tips), Page::Manage(page)) => page.tips = tips,
            (Message::Updates(Ok(known)), Page::Manage(page)) => page.updates = Some(known),
            (Message::Updates(Err(error)), Page::Manage(page)) => page.updates_failed(error),
            (Message::RemovalPreviewed(Ok(found)), _) => {
                if let Some(Question::Remove { removal, .. }) = &mut self.question {
                    *removal = Some(found);
                }
            }
            (Message::RemovalPreviewed(Err(error)), _) => {
                if matches!(self.question, Some(Question::Remove { .. })) {
                    self.question = None;
                    self.notice = Some(Notice::Failed(error));
                }
            }
            (Message::SettingsRead(source), Page::Manage(page)) => page.settings_read(source),
            (Message::ModelsListed(models), Page::Manage(page)) => page.models_listed(models),
            (Message::ModelRemoved(end), Page::Manage(page)) => {
                page.model_removed(end);
                let home = page.installation.home.clone();
                self.send(BackendCommand::ListModels { home });
            }
            (Message::TuneEvent(event), Page::Manage(page)) => page.tuning_progressed(event),
            (Message::TuneEnded(end), Page::Manage(page)) => {
                let is_changed = page.tuning_ended(end);
                self.wants_to_close |= self.closing;
                if is_changed {
                    self.send(BackendCommand::LookForInstallation);
                }
            }
            (Message::Managed(action, end), _) => self.managed(action, end),
            (Message::ReportBuilt(report), _) => {
                if let Some(Question::Report(panel)) = &mut self.question {
                    panel.built(report);
                }
            }
            (Message::ReportSaved(Ok(Some(path))), _) => {
                if matches!(self.question, Some(Question::Report(_))) {
                    self.question = None;
                }
                self.notice = Some(Notice::ReportSaved(path));
            }
            (Message::ReportSaved(Ok(None)), _) => self.notice = None,
            (Message::ReportSaved(Err(error)) | Message::OpenFailed(error), _) => {
                self.notice = Some(Notice::Failed(error));
            }
            // Messages for a page that the user has left.
            _ => {}
        }
    }

    fn managed(&mut self, action: ManageAction, end: Result<(), WorkerError>) {
        if action == ManageAction::Undo {
            self.notice = Some(match &end {
                Ok(()) => Notice::Undone,
                Err(error) => Notice::Failed(error.clone()),
            });
        }
        let is_read_again = match action {
            ManageAction::Undo => true,
            ManageAction::Keep | ManageAction::RemoveKept => end.is_ok(),
            ManageAction::Start | ManageAction::Stop | ManageAction::Remove { .. } => false,
        };
        if let Page::Manage(page) = &mut self.page {
            let home = page.installation.home.clone();
            let check_again = page.managed(action, end);
            if check_again && !is_read_again {
                self.send(BackendCommand::CheckHealth { home });
            }
        }
        if is_read_again {
            self.send(BackendCommand::LookForInstallation);
        }
    }

    fn install_ended(&mut self, end: Result<Box<Receipt>, WorkerError>) {
        if matches!(self.question, Some(Question::Cancel { .. })) {
            self.question = None;
        }
        self.wants_to_close |= self.closing;
        match end {
            Ok(receipt) => {
                let kept = match &mut self.page {
                    Page::Install(page) => page.kept.take(),
                    _ => None,
                };
                self.change_page(|page| match page {
                    Page::Install(page) => Page::Result(Box::new(ResultPage::new(*page, *receipt))),
                    other => other,
                });
                self.notice = kept.map(|kept| match kept {
                    Ok(kept) => Notice::Kept(kept),
                    Err(error) => Notice::NotKept(error),
                });
                // Only now there is a folder to save them in.
                self.send(BackendCommand::RememberSettings(self.settings));
            }
            Err(error) => {
                if error.asks_for_four_bits() {
                    self.question = Some(Question::FourBits);
                }
                if let Some((model, store, host)) = error.asks_for_unverified_model() {
                    self.question = Some(Question::UnverifiedModel { model, store, host });
                }
                let is_replaced = error.is_model_replaced();
                if let Page::Install(page) = &mut self.page {
                    page.failed(error.clone());
                }
                if is_replaced {
                    self.show_new_figures(error);
                }
            }
        }
    }

    /// Goes back to the summary, which reads the model's file again.
    fn show_new_figures(&mut self, error: WorkerError) {
        self.change_page(|page| match page {
            Page::Install(mut page) => {
                page.summary.forget_file();
                Page::Install(page).back()
            }
            other => other,
        });
        self.notice = Some(Notice::Failed(error));
    }
}
