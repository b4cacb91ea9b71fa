//! Text, in one or several kinds and tones.

use std::sync::Arc;

use eframe::egui::{
    Align, Galley, Label, Response, Ui,
    text::{LayoutJob, TextFormat},
};

use crate::untrusted::escaped;
use crate::wizard::theme::{Palette, TextRole, Tone, palette};

/// A paragraph of several pieces: `Paragraph::new(ui).add(TextRole::Strong, Tone::Ink, "8 GB").…show(ui)`.
pub struct Paragraph {
    palette: &'static Palette,
    job: LayoutJob,
}

impl Paragraph {
    /// An empty paragraph.
    pub fn new(ui: &Ui) -> Self {
        Self { palette: palette(ui), job: LayoutJob::default() }
    }

    /// Adds a piece.
    pub fn add(mut self, kind: TextRole, tone: Tone, text: &str) -> Self {
        let format = TextFormat {
            font_id: kind.font(),
            color: tone.color(self.palette),
            line_height: Some(kind.line_height()),
            valign: Align::Center,
            ..TextFormat::default()
        };
        self.job.append(&escaped(text), 0.0, format);
        self
    }

    /// Shows it as a label that wraps.
    pub fn show(self, ui: &mut Ui) -> Response {
        ui.add(Label::new(self.job).wrap())
    }

    /// Shows it as a label on one line, truncated with `…`; the whole text is in its tooltip.
    pub fn show_line(self, ui: &mut Ui) -> Response {
        ui.add(Label::new(self.job).truncate())
    }

    /// Lays it out for painting, wrapped at `width` points.
    pub fn galley(mut self, ui: &Ui, width: f32) -> Arc<Galley> {
        self.job.wrap.max_width = width;
        ui.painter().layout_job(self.job)
    }

    /// Lays it out for painting on one line, truncated with `…` at `width` points.
    pub fn line_galley(mut self, ui: &Ui, width: f32) -> Arc<Galley> {
        self.job.wrap.max_width = width;
        self.job.wrap.max_rows = 1;
        self.job.wrap.break_anywhere = true;
        ui.painter().layout_job(self.job)
    }

    /// Adds a sentence in which `**…**` marks strong text.
    pub fn marked(mut self, kind: TextRole, strong: TextRole, tone: Tone, text: &str) -> Self {
        for (i, piece) in text.split("**").enumerate() {
            self = if i % 2 == 0 { self.add(kind, tone, piece) } else { self.add(strong, Tone::Ink, piece) };
        }
        self
    }
}
