//! What the workers have to tell, and where it belongs.

use std::path::PathBuf;

use super::Wizard;
use super::backend::{InstallEnd, ManageAction, Message};
use super::flow::Page;
use super::pages::hardware::Detection;
use super::pages::manage::{ManageActivity, ManagePage};
use super::pages::result::ResultPage;
use super::pages::welcome::WelcomePage;
use super::questions::Question;
use super::theme;
use crate::say;

impl Wizard {
    pub(super) fn read_messages(&mut self) {
        while let Ok(message) = self.inbox.try_recv() {
            self.read(message);
        }
    }

    fn read(&mut self, message: Message) {
        match (message, &mut self.page) {
            // An installation that is found while the person is already on the way does not take them off it.
            (Message::Installation(Ok(Some(installation))), Page::Welcome(_) | Page::Result(_)) => {
                self.change(|page| {
                    if let Page::Result(mut page) = page {
                        page.stop_answer();
                    }
                    Page::Manage(Box::new(ManagePage::new(installation)))
                });
                self.check_health();
            }
            (Message::Installation(Err(trouble)), _) => self.notice = Some((theme::Tone::Warning, trouble.0)),
            (Message::Detected(found), Page::Hardware(page)) => {
                page.detection = match found {
                    Ok(found) => Detection::Known(found),
                    Err(trouble) => Detection::Failed(trouble),
                };
                self.walk_on();
            }
            (Message::CutShort(unfinished), Page::Welcome(_) | Page::Manage(_)) => {
                self.question = Some(Question::CutShort(unfinished));
            }
            (Message::Managed(ManageAction::Undo, end), _) => {
                self.notice = Some(match &end {
                    Ok(()) => (theme::Tone::Good, say!(self.text, "wizard-undone")),
                    Err(trouble) => (theme::Tone::Refused, trouble.0.clone()),
                });
                if let Page::Manage(page) = &mut self.page {
                    page.managed(ManageAction::Undo, end);
                }
                self.backend.look_for_installation(self.text, self.outbox.clone());
            }
            // What was on the page was taken back.
            (Message::Installation(Ok(None)), Page::Manage(page)) => page.doing = ManageActivity::Removed,
            (Message::Installation(Ok(Some(installation))), Page::Manage(page)) => {
                **page = ManagePage::new(installation);
                self.check_health();
            }
            (Message::Detected(Ok(found)), Page::Welcome(page)) => *page = WelcomePage { found: Some(found) },
            (Message::ModelFound { reference, model }, Page::Profile(page)) => {
                page.model_found(&reference, model, self.backend.as_ref());
            }
            (Message::InstallEvent(event), Page::Install(page)) => page.moved(event),
            (Message::InstallEnded(end), Page::Install(_)) => self.installed(end),
            (Message::AnswerPart(part), Page::Result(page)) => page.answer_part(&part),
            (Message::AnswerEnded(end), Page::Result(page)) => page.answer_ended(end),
            (Message::Health(health), Page::Manage(page)) => page.health_read(health),
            (Message::Managed(action, end), Page::Manage(page)) => {
                let home = page.installation.home.clone();
                let look_again = page.managed(action, end);
                self.look_at_health(home, look_again);
            }
            (Message::NewestFound(found), Page::Profile(page)) => page.choice.source.newest_found(found),
            (Message::PathPicked(of, folder), Page::Profile(page)) => page.path_picked(of, folder),
            (Message::ReportSaved(end), _) => {
                self.notice = match end {
                    Ok(Some(path)) => {
                        if matches!(self.question, Some(Question::Save { .. })) {
                            self.question = None;
                        }
                        let words = say!(self.text, "wizard-report-saved", path = path.display().to_string());
                        Some((theme::Tone::Good, words))
                    }
                    Ok(None) => None,
                    Err(trouble) => Some((theme::Tone::Refused, trouble.0)),
                };
            }
            (Message::OpenFailed(trouble), _) => self.notice = Some((theme::Tone::Refused, trouble.0)),
            // What belongs to a page that was left is of no use any more.
            _ => {}
        }
    }

    fn look_at_health(&self, home: PathBuf, wanted: bool) {
        if wanted {
            self.backend.health(home, self.text, self.outbox.clone());
        }
    }

    fn installed(&mut self, end: Result<crate::install::Receipt, InstallEnd>) {
        if self.question.as_ref().is_some_and(|question| matches!(question, Question::Cancel { .. })) {
            self.question = None;
        }
        self.wants_to_close |= self.closing;
        let (text, backend) = (self.text, self.backend.as_ref());
        self.page = match (std::mem::take(&mut self.page), end) {
            (Page::Install(page), Ok(receipt)) => {
                // Until now there was no place to keep them.
                backend.remember(self.settings);
                let banner = backend.banner(&page.summary.profile.choice.plan, text);
                Page::Result(Box::new(ResultPage::new(*page, receipt, banner)))
            }
            (Page::Install(mut page), Err(end)) => {
                if matches!(end, InstallEnd::FourBits(_)) {
                    self.question = Some(Question::FourBits);
                }
                page.ended(end);
                Page::Install(page)
            }
            (other, _) => other,
        };
    }
}
