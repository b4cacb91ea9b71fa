//! Over the Compatibility page: what was once expected of six computers, beside what is computed for them.

use std::sync::Arc;

use eframe::egui::Ui;

use super::theme::{Kind, Tone};
use super::widgets::{Chip, Column, Parts as _, Table, Words, verdict_chip};
use crate::hardware::Hardware;
use crate::plan::{Policy, ReferenceComputer, ReferenceWords};
use crate::say;
use crate::text::Text;

/// The table, and which of its rows is a computer like this one.
#[derive(Clone, Debug)]
pub(super) struct Reference {
    computers: Arc<[ReferenceComputer]>,
    like_this: Option<usize>,
}

/// Height of a row of two lines.
const ROW: f32 = 44.0;
/// Free at either end of a row.
const SIDE: f32 = 8.0;

impl Reference {
    /// The table as seen from this computer.
    pub fn new(computers: Vec<ReferenceComputer>, hardware: &Hardware, policy: &Policy) -> Self {
        let like_this = computers.iter().position(|computer| computer.row.is_like(hardware, policy));
        Self { computers: computers.into(), like_this }
    }

    /// Draws the table.
    pub fn show(&self, ui: &mut Ui, text: Text) {
        let column = |head, min_width, grow| Column { head, min_width, grow, right: false, sorted: None };
        let columns = vec![
            column(say!(text, "plan-reference-computer"), 112.0, 0.6),
            column(say!(text, "plan-reference-expected"), 128.0, 0.8),
            column(say!(text, "plan-reference-computed"), 158.0, 1.0),
            column(say!(text, "wizard-table-verdict"), 92.0, 0.1),
        ];
        let table = Table::new(ui, columns, SIDE);
        table.head(ui, false);
        for (index, computer) in self.computers.iter().enumerate() {
            let words = ReferenceWords::of(computer, text);
            let last = index + 1 == self.computers.len();
            let like_this = self.like_this == Some(index);
            let (tone, verdict) = verdict_chip(text, computer.report.verdict);
            table.plain_row(ui, ROW, like_this, last, |ui, column| match column {
                0 if like_this => {
                    two_lines(ui, &words.computer, &say!(text, "wizard-reference-here"), Tone::Accent)
                }
                0 => two_lines(ui, &words.computer, &words.card, Tone::Faint),
                1 => two_lines(ui, &words.expected_speed, &words.expected_model, Tone::Faint),
                2 => two_lines(ui, &words.computed_speed, &words.computed_profile, Tone::Faint),
                _ => {
                    Chip::new(tone, &verdict).show(ui);
                }
            });
        }
    }
}

fn two_lines(ui: &mut Ui, first: &str, second: &str, tone: Tone) {
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        ui.gap(1.2);
        Words::new(ui).add(Kind::TableStrong, Tone::Ink, first).show_line(ui);
        Words::new(ui).add(Kind::Source, tone, second).show_line(ui);
    });
}
