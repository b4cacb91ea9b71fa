//! A modal question over the page: stop the installation? remove everything? save this report?

use std::path::PathBuf;
use std::sync::Arc;

use eframe::egui::{ScrollArea, Ui};

use super::reference_table;
use super::report_panel::{ReportPanel, SaveBy};
use super::theme::{TextRole, Tone};
use super::widgets::{ButtonStyle, UiExt as _, checkbox};
use crate::install::manage::undo::Unfinished;
use crate::install::manage::uninstall::Removal;
use crate::models::ModelTag;
use crate::plan::ReferenceComputer;
use crate::say;
use crate::text::Text;
use crate::untrusted::UntrustedText;

/// A question that must be answered first.
#[derive(Clone, Debug)]
pub(super) enum Question {
    /// Stop the installation?
    Cancel {
        /// Because the user closes the window.
        closing: bool,
    },
    /// Remove everything that was installed?
    Remove {
        /// Except the models.
        keep_models: bool,
        /// What would be removed; `None` until it is known.
        removal: Option<Removal>,
    },
    /// Remove this model from the drive?
    RemoveModel {
        /// Its tag.
        model: ModelTag,
        /// Its size, in bytes.
        bytes: u64,
    },
    /// The last installation was interrupted: resume it, undo it, or decide later?
    Interrupted(Box<Unfinished>),
    /// Memory ran out: may the KV cache be kept at 4 bits?
    FourBits,
    /// The registry cannot be reached: may the model of another store be used?
    UnverifiedModel {
        /// Its tag.
        model: ModelTag,
        /// The store that has it.
        store: PathBuf,
        /// Host of the registry.
        host: String,
    },
    /// Save this report, and where?
    Report(ReportPanel),
    /// Not a question: the reference table, to read and close.
    Reference(Arc<[ReferenceComputer]>),
}

/// What the user answers in a frame.
pub(super) enum QuestionAnswer {
    /// Nothing yet.
    None,
    /// The declining button, or the only one.
    Close,
    /// The agreeing button.
    Agree,
    /// Choose the report's file in a dialog of the system.
    SaveByDialog,
    /// Undo the interrupted installation.
    Undo,
}

impl Question {
    /// Whether it needs a wide dialog.
    pub(super) fn is_wide(&self) -> bool {
        matches!(self, Self::Reference(_) | Self::Report(_))
    }

    /// Draws it; returns what was answered.
    pub(super) fn show(&mut self, ui: &mut Ui, text: Text) -> QuestionAnswer {
        let (title, words, refuse, agree, look) = match self {
            Self::Reference(computers) => return show_reference(ui, text, computers),
            Self::Cancel { closing } => (
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
            Self::Remove { .. } => (
                say!(text, "wizard-ask-remove-title"),
                say!(text, "wizard-ask-remove"),
                say!(text, "wizard-ask-remove-no"),
                say!(text, "wizard-ask-remove-yes"),
                ButtonStyle::Danger,
            ),
            Self::RemoveModel { model, bytes } => (
                say!(text, "wizard-ask-model-title"),
                say!(text, "wizard-ask-model", model = model.shown(), size = text.file_size(*bytes)),
                say!(text, "wizard-ask-model-no"),
                say!(text, "wizard-ask-model-yes"),
                ButtonStyle::Danger,
            ),
            Self::Interrupted(unfinished) => (
                say!(text, "wizard-ask-interrupted-title"),
                format!("{} {}", unfinished.words(text), say!(text, "wizard-ask-interrupted")),
                say!(text, "wizard-ask-interrupted-later"),
                say!(text, "wizard-ask-interrupted-continue"),
                ButtonStyle::Primary,
            ),
            Self::FourBits => (
                say!(text, "wizard-ask-four-bits-title"),
                say!(text, "wizard-ask-four-bits"),
                say!(text, "wizard-ask-four-bits-no"),
                say!(text, "wizard-ask-four-bits-yes"),
                ButtonStyle::Primary,
            ),
            Self::UnverifiedModel { model, store, host } => (
                say!(text, "wizard-ask-unverified-title"),
                say!(
                    text,
                    "wizard-ask-unverified",
                    model = model.as_str(),
                    store = UntrustedText::path(store),
                    host = host.as_str()
                ),
                say!(text, "wizard-ask-unverified-no"),
                say!(text, "wizard-ask-unverified-yes"),
                ButtonStyle::Danger,
            ),
            Self::Report(_) => (
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
        let mut answer = QuestionAnswer::None;
        match self {
            Self::Cancel { .. }
            | Self::RemoveModel { .. }
            | Self::Interrupted(_)
            | Self::FourBits
            | Self::UnverifiedModel { .. }
            | Self::Reference(_) => {}
            Self::Remove { keep_models, removal } => {
                if let Some(removal) = removal {
                    show_removal(ui, text, removal, *keep_models);
                }
                ui.gap(3.0);
                checkbox(
                    ui,
                    keep_models,
                    &say!(text, "wizard-ask-remove-keep"),
                    &say!(text, "wizard-ask-remove-keep-detail"),
                );
            }
            Self::Report(panel) => {
                ui.gap(2.5);
                match panel.show(ui, text) {
                    Some(SaveBy::Path) => answer = QuestionAnswer::Agree,
                    Some(SaveBy::Dialog) => answer = QuestionAnswer::SaveByDialog,
                    None => {}
                }
            }
        }
        ui.gap(5.0);
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 10.0;
            if ui.action(ButtonStyle::Secondary, &refuse, true).clicked() {
                answer = QuestionAnswer::Close;
            }
            let ready = match self {
                Self::Report(panel) => panel.can_be_saved(),
                // The user must see what is removed before agreeing.
                Self::Remove { removal, .. } => removal.is_some(),
                _ => true,
            };
            if matches!(self, Self::Interrupted(_))
                && ui.action(ButtonStyle::Danger, &say!(text, "wizard-ask-interrupted-undo"), true).clicked()
            {
                answer = QuestionAnswer::Undo;
            }
            if ui.action(look, &agree, ready).clicked() {
                answer = QuestionAnswer::Agree;
            }
        });
        answer
    }
}

/// One line for each thing that is removed.
fn show_removal(ui: &mut Ui, text: Text, removal: &Removal, keep_models: bool) {
    let lines = removal.lines(keep_models, text);
    if lines.is_empty() {
        return;
    }
    ui.gap(2.0);
    ScrollArea::vertical().id_salt("removal").max_height(180.0).show(ui, |ui| {
        for line in lines {
            ui.text(TextRole::Label, Tone::Soft, &line);
        }
    });
}

/// The reference table; there is nothing to answer.
fn show_reference(ui: &mut Ui, text: Text, computers: &[ReferenceComputer]) -> QuestionAnswer {
    ui.text(TextRole::Heading, Tone::Ink, &say!(text, "plan-reference-title"));
    ui.gap(2.0);
    ui.text(TextRole::Text, Tone::Soft, &say!(text, "plan-reference-about"));
    ui.gap(3.0);
    reference_table::show(ui, text, computers);
    ui.gap(4.0);
    if ui.action(ButtonStyle::Secondary, &say!(text, "wizard-reference-close"), true).clicked() {
        QuestionAnswer::Close
    } else {
        QuestionAnswer::None
    }
}
