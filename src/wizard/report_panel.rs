//! The report for support, shown completely before it is saved or copied.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use eframe::egui::{Ui, accesskit::Live};

use super::backend::{REPORT_NAME, WorkerError};
use super::theme::{TextRole, Tone};
use super::typed_path::TypedPath;
use super::widgets::{UiExt as _, banner, is_entered, labelled, text_field, text_panel};
use crate::say;
use crate::text::Text;

/// Height of the dialog without the report, in points.
const REST: f32 = 380.0;
/// Minimum and maximum height of the report, in points.
const HEIGHTS: (f32, f32) = (90.0, 420.0);

/// A report, and where it would be saved.
#[derive(Clone, Debug)]
pub(super) struct ReportPanel {
    /// `None` while it is being built. What is saved is this text, and nothing else.
    report: Option<Result<Arc<str>, WorkerError>>,
    /// The file.
    path: TypedPath,
    copied: bool,
}

/// How the user wants to save it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SaveBy {
    /// To the typed path.
    Path,
    /// To a file chosen in a dialog of the system.
    Dialog,
}

impl ReportPanel {
    /// For a report that is being built; proposes a file next to our folder.
    pub(super) fn beside(home: &Path) -> Self {
        let folder = home.parent().unwrap_or(home);
        Self { report: None, path: TypedPath::from(folder.join(REPORT_NAME).as_path()), copied: false }
    }

    /// Shows the report. Ignores a second one.
    pub(super) fn built(&mut self, report: Result<Arc<str>, WorkerError>) {
        self.report.get_or_insert(report);
    }

    /// The report, once it is built.
    pub(super) fn report(&self) -> Option<&Arc<str>> {
        self.report.as_ref()?.as_ref().ok()
    }

    /// The file to write.
    pub(super) fn path(&self) -> PathBuf {
        self.path.path()
    }

    /// Whether there is a report, and an absolute path for it.
    pub(super) fn can_be_saved(&self) -> bool {
        self.report().is_some() && self.path().is_absolute()
    }

    /// Draws it; returns how it is to be saved, if the user wants that now.
    pub(super) fn show(&mut self, ui: &mut Ui, text: Text) -> Option<SaveBy> {
        match &self.report {
            None => _ = ui.text(TextRole::Text, Tone::Soft, &say!(text, "wizard-ask-save-building")),
            Some(Err(error)) => banner(ui, Tone::Refused, &error.explain(text)),
            Some(Ok(report)) => {
                let height = (ui.ctx().content_rect().height() - REST).clamp(HEIGHTS.0, HEIGHTS.1);
                text_panel(ui, report, height, &say!(text, "wizard-ask-save-report"));
            }
        }
        let mut save = None;
        ui.gap(2.0);
        labelled(ui, &say!(text, "wizard-ask-save-path"), |ui| {
            let width = ui.available_width();
            if is_entered(&text_field(ui, self.path.text_mut(), "", width)) {
                save = Some(SaveBy::Path);
            }
        });
        ui.gap(2.0);
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 18.0;
            let is_built = self.report().is_some();
            if ui.link_action(&say!(text, "wizard-ask-save-dialog"), is_built).clicked() {
                save = Some(SaveBy::Dialog);
            }
            let copied = say!(text, "wizard-next-copied");
            let label = if self.copied { copied } else { say!(text, "wizard-ask-save-copy") };
            let copy = ui.link_action(&label, is_built);
            ui.ctx().accesskit_node_builder(copy.id, |node| node.set_live(Live::Polite));
            if let Some(report) = self.report().filter(|_| copy.clicked()) {
                ui.ctx().copy_text(report.to_string());
                self.copied = true;
            }
        });
        save.filter(|save| *save == SaveBy::Dialog || self.can_be_saved())
    }
}
