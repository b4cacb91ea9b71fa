//! The open question over the page, and what its answers do.

use std::sync::Arc;

use eframe::egui::{CornerRadius, Frame, Id, Margin, Modal, Stroke, Ui};

use super::app::Wizard;
use super::backend::{BackendCommand, ManageAction};
use super::flow::Page;
use super::notice::Notice;
use super::pages::Intent;
use super::pages::manage::ManageActivity;
use super::question::{Question, QuestionAnswer};
use super::theme::{palette, size};

impl Wizard {
    /// Draws the open question, if there is one, and carries out its answer.
    pub(super) fn show_question(&mut self, ui: &mut Ui, intents: &mut Vec<Intent>) {
        let Some(mut question) = self.question.take() else { return };
        let p = palette(ui);
        let frame = Frame::new()
            .fill(p.card)
            .stroke(Stroke::new(size::LINE, p.line))
            .corner_radius(CornerRadius::same(size::CARD_RADIUS))
            .inner_margin(Margin::same(22));
        let modal = Modal::new(Id::unique("question")).frame(frame).backdrop_color(p.backdrop);
        let shown = modal.show(ui.ctx(), |ui| {
            let width = if question.is_wide() { size::DIALOG_WIDE } else { size::DIALOG };
            ui.set_width(width.min(ui.ctx().content_rect().width() - 80.0));
            ui.spacing_mut().item_spacing.y = 0.0;
            question.show(ui, self.text)
        });
        let dismissed = shown.should_close();
        match if dismissed { QuestionAnswer::Close } else { shown.inner } {
            QuestionAnswer::None => self.question = Some(question),
            // The button that declines four bits asks for another try without them; Esc does not.
            QuestionAnswer::Close if matches!(question, Question::FourBits) && !dismissed => {
                self.four_bits(false)
            }
            QuestionAnswer::Close if matches!(question, Question::UnverifiedModel { .. }) && !dismissed => {
                self.unverified_model(false);
            }
            QuestionAnswer::Close => {}
            QuestionAnswer::Agree => self.agree(question, intents),
            QuestionAnswer::Undo => self.undo(),
            QuestionAnswer::SaveByDialog => {
                if let Question::Report(panel) = &question
                    && let Some(report) = panel.report()
                {
                    self.send(BackendCommand::SaveReportAs(Arc::clone(report)));
                }
                // The question stays until the report is written: where there is no dialog, a path can still be typed.
                self.question = Some(question);
            }
        }
    }

    fn agree(&mut self, question: Question, intents: &mut Vec<Intent>) {
        match question {
            Question::Cancel { closing } => {
                self.closing |= closing;
                if let Page::Install(page) = &mut self.page {
                    page.stop();
                }
            }
            Question::Remove { keep_models, .. } => {
                intents.push(Intent::Act(ManageAction::Remove { keep_models }));
            }
            Question::RemoveModel { model, .. } => intents.push(Intent::RemoveModel(model)),
            Question::Report(panel) => {
                if let Some(report) = panel.report().cloned() {
                    self.send(BackendCommand::SaveReport { report, path: panel.path() });
                }
            }
            Question::Interrupted(unfinished) => match unfinished.request {
                Some(request) => self.resume(request),
                None => intents.push(Intent::ChangeProfile),
            },
            Question::FourBits => self.four_bits(true),
            Question::UnverifiedModel { .. } => self.unverified_model(true),
            Question::Reference(_) => {}
        }
    }

    /// Installs once more, with the answer.
    fn four_bits(&mut self, agreed: bool) {
        if let Page::Install(page) = &mut self.page {
            page.summary.accept_kv_q4 = Some(agreed);
        }
        self.retry();
    }

    /// Installs once more, with the answer.
    fn unverified_model(&mut self, agreed: bool) {
        if let Page::Install(page) = &mut self.page {
            page.summary.accept_unverified_model = Some(agreed);
        }
        self.retry();
    }

    /// Undoes the interrupted installation.
    fn undo(&mut self) {
        let (home, action) = (self.options.home.clone(), ManageAction::Undo);
        if let Page::Manage(page) = &mut self.page {
            page.begin(ManageActivity::Acting(action));
        }
        self.notice = Some(Notice::Undoing);
        self.send(BackendCommand::Manage { home, action });
    }
}
