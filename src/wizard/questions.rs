//! What lies over the page until it is answered: stop the installation? remove everything? where to save the report?

use std::path::PathBuf;
use std::sync::Arc;

use eframe::egui::{CornerRadius, Frame, Id, Key, Margin, Modal, Stroke, Ui};

use super::Wizard;
use super::backend::{ManageAction, REPORT_NAME};
use super::flow::Page;
use super::pages::Intent;
use super::reference_table;
use super::theme::{TextRole, Tone, palette, size};
use super::widgets::{ButtonStyle, UiExt as _, checkbox, labelled, text_field};
use crate::install::manage::undo::Unfinished;
use crate::plan::ReferenceComputer;
use crate::say;
use crate::text::Text;

/// A question that must be answered first.
#[derive(Clone, Debug)]
pub(super) enum Question {
    /// Stop the installation?
    Cancel {
        /// Because the window is being closed.
        closing: bool,
    },
    /// Remove everything that was installed?
    Remove {
        /// But the models.
        keep_models: bool,
    },
    /// The last installation was cut short: go on with it, undo it, or later?
    CutShort(Box<Unfinished>),
    /// Memory ran out: may the KV cache be kept at 4 bits?
    FourBits,
    /// Where should the report be saved?
    Save {
        /// What is typed.
        path: String,
    },
    /// No question: the reference table, to be read and closed.
    Reference(Arc<[ReferenceComputer]>),
}

/// What was answered.
enum Answer {
    None,
    Close,
    Do,
    ByDialog,
    Undo,
}

impl Question {
    /// Where to save the report; a file beside our folder is proposed.
    pub(super) fn save(home: PathBuf) -> Self {
        let folder = home.parent().map_or_else(|| home.clone(), PathBuf::from);
        Self::Save { path: folder.join(REPORT_NAME).display().to_string() }
    }
}

impl Wizard {
    /// Draws the open question, if there is one, and does what is answered.
    pub(super) fn show_question(&mut self, ui: &mut Ui, intents: &mut Vec<Intent>) {
        let Some(mut question) = self.question.clone() else { return };
        let p = palette(ui);
        let frame = Frame::new()
            .fill(p.card)
            .stroke(Stroke::new(size::LINE, p.line))
            .corner_radius(CornerRadius::same(size::CARD_RADIUS))
            .inner_margin(Margin::same(22));
        let modal = Modal::new(Id::unique("question")).frame(frame).backdrop_color(p.veil);
        let shown = modal.show(ui.ctx(), |ui| {
            let wide = matches!(question, Question::Reference(_));
            let width = if wide { size::DIALOG_WIDE } else { size::DIALOG };
            ui.set_width(width.min(ui.ctx().content_rect().width() - 80.0));
            ui.spacing_mut().item_spacing.y = 0.0;
            self.ask(ui, &mut question)
        });
        let dismissed = shown.should_close();
        let answer = if dismissed { Answer::Close } else { shown.inner };
        self.question = Some(question);
        match answer {
            Answer::None => {}
            Answer::Close => {
                // Whoever does not want four bits wants what is left to be tried.
                if matches!(self.question.take(), Some(Question::FourBits)) && !dismissed {
                    self.four_bits(false);
                }
            }
            Answer::Do => self.answered(intents),
            Answer::Undo => {
                self.question = None;
                self.undo();
            }
            // The question stays until the report is written: where there is no dialog, a path can still be typed.
            Answer::ByDialog => {
                self.backend.save_report_as(self.about(), self.text, self.outbox.clone());
            }
        }
    }

    fn ask(&self, ui: &mut Ui, question: &mut Question) -> Answer {
        let text = self.text;
        let (title, words, refuse, agree, look) = match question {
            Question::Reference(computers) => return read(ui, text, computers),
            Question::Cancel { closing } => (
                say!(text, "wizard-ask-cancel-title"),
                say!(text, "wizard-ask-cancel"),
                say!(text, "wizard-ask-cancel-no"),
                if *closing {
                    say!(text, "wizard-ask-cancel-close")
                } else {
                    say!(text, "wizard-ask-cancel-yes")
                },
                ButtonStyle::Danger,
            ),
            Question::Remove { .. } => (
                say!(text, "wizard-ask-remove-title"),
                say!(text, "wizard-ask-remove"),
                say!(text, "wizard-ask-remove-no"),
                say!(text, "wizard-ask-remove-yes"),
                ButtonStyle::Danger,
            ),
            Question::CutShort(unfinished) => (
                say!(text, "wizard-ask-cut-short-title"),
                format!("{} {}", unfinished.words(text), say!(text, "wizard-ask-cut-short")),
                say!(text, "wizard-ask-cut-short-later"),
                say!(text, "wizard-ask-cut-short-continue"),
                ButtonStyle::Primary,
            ),
            Question::FourBits => (
                say!(text, "wizard-ask-four-bits-title"),
                say!(text, "wizard-ask-four-bits"),
                say!(text, "wizard-ask-four-bits-no"),
                say!(text, "wizard-ask-four-bits-yes"),
                ButtonStyle::Primary,
            ),
            Question::Save { .. } => (
                say!(text, "wizard-ask-save-title"),
                say!(text, "wizard-ask-save"),
                say!(text, "wizard-ask-save-no"),
                say!(text, "wizard-ask-save-yes"),
                ButtonStyle::Primary,
            ),
        };
        ui.text(TextRole::Heading, Tone::Ink, &title);
        ui.gap(2.0);
        ui.text(TextRole::Text, Tone::Soft, &words);
        let mut answer = Answer::None;
        match question {
            Question::Cancel { .. } | Question::CutShort(_) | Question::FourBits | Question::Reference(_) => {
            }
            Question::Remove { keep_models } => {
                ui.gap(3.0);
                checkbox(
                    ui,
                    keep_models,
                    &say!(text, "wizard-ask-remove-keep"),
                    &say!(text, "wizard-ask-remove-keep-detail"),
                );
            }
            Question::Save { path } => {
                ui.gap(3.0);
                labelled(ui, &say!(text, "wizard-ask-save-path"), |ui| {
                    let width = ui.available_width();
                    let field = text_field(ui, path, "", width);
                    if field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter)) {
                        answer = Answer::Do;
                    }
                });
                ui.gap(2.0);
                if ui.link_action(&say!(text, "wizard-ask-save-dialog"), true).clicked() {
                    answer = Answer::ByDialog;
                }
            }
        }
        ui.gap(5.0);
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 10.0;
            if ui.action(ButtonStyle::Secondary, &refuse, true).clicked() {
                answer = Answer::Close;
            }
            let ready =
                !matches!(question, Question::Save { path } if !PathBuf::from(path.trim()).is_absolute());
            if matches!(question, Question::CutShort(_))
                && ui.action(ButtonStyle::Danger, &say!(text, "wizard-ask-cut-short-undo"), true).clicked()
            {
                answer = Answer::Undo;
            }
            if ui.action(look, &agree, ready).clicked() {
                answer = Answer::Do;
            }
        });
        answer
    }

    fn answered(&mut self, intents: &mut Vec<Intent>) {
        match self.question.take() {
            Some(Question::Cancel { closing }) => {
                self.closing |= closing;
                if let Page::Install(page) = &mut self.page {
                    page.stop();
                }
            }
            Some(Question::Remove { keep_models }) => {
                intents.push(Intent::Act(ManageAction::Remove { keep_models }))
            }
            Some(Question::Save { path }) => {
                let path = PathBuf::from(path.trim());
                self.backend.save_report(self.about(), path, self.text, self.outbox.clone());
            }
            Some(Question::CutShort(unfinished)) => match unfinished.asked {
                Some(asked) => self.resume(asked),
                None => intents.push(Intent::ChangeProfile),
            },
            Some(Question::FourBits) => self.four_bits(true),
            Some(Question::Reference(_)) | None => {}
        }
    }

    /// Tries again, with the answer.
    fn four_bits(&mut self, agreed: bool) {
        if let Page::Install(page) = &mut self.page {
            page.summary.accept_kv_q4 = Some(agreed);
        }
        self.retry();
    }
}

/// The reference table; there is nothing to answer.
fn read(ui: &mut Ui, text: Text, computers: &[ReferenceComputer]) -> Answer {
    ui.text(TextRole::Heading, Tone::Ink, &say!(text, "plan-reference-title"));
    ui.gap(2.0);
    ui.text(TextRole::Text, Tone::Soft, &say!(text, "plan-reference-about"));
    ui.gap(3.0);
    reference_table::show(ui, text, computers);
    ui.gap(4.0);
    if ui.action(ButtonStyle::Secondary, &say!(text, "wizard-reference-close"), true).clicked() {
        Answer::Close
    } else {
        Answer::None
    }
}
