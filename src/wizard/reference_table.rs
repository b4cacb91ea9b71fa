//! The reference table, over the compatibility page: six computers with expected and estimated figures.

use eframe::egui::Ui;

use super::theme::{TextRole, Tone};
use super::widgets::{Chip, Column, Paragraph, Table, two_lines, verdict_chip};
use crate::plan::ReferenceComputer;
use crate::say;
use crate::sentences::ReferenceWords;
use crate::text::Text;

/// Height of a row of two lines, in points.
const ROW: f32 = 44.0;
/// Padding at both ends of a row, in points.
const SIDE: f32 = 8.0;

/// Draws the table.
pub(super) fn show(ui: &mut Ui, text: Text, computers: &[ReferenceComputer]) {
    let column = |head, min_width, grow| Column { head, min_width, grow, right: false, sorted: None };
    let columns = vec![
        column(say!(text, "plan-reference-computer"), 112.0, 0.6),
        column(say!(text, "plan-reference-expected"), 128.0, 0.8),
        column(say!(text, "plan-reference-computed"), 158.0, 1.0),
        column(say!(text, "wizard-table-verdict"), 92.0, 0.1),
    ];
    let name = say!(text, "plan-reference-title");
    Table::show(ui, &name, columns, SIDE, |ui, table| show_rows(ui, text, table, computers));
}

fn show_rows(ui: &mut Ui, text: Text, table: &Table, computers: &[ReferenceComputer]) {
    table.head(ui, false);
    for (index, computer) in computers.iter().enumerate() {
        let words = ReferenceWords::of(computer, text);
        let last = index + 1 == computers.len();
        let like_this = computer.is_like_here;
        let (tone, verdict) = verdict_chip(text, computer.report.verdict);
        let cell = |ui: &mut Ui, first: &str, second: &str, tone| {
            two_lines(ui, Paragraph::new(ui).add(TextRole::Source, tone, second), |ui| {
                Paragraph::new(ui).add(TextRole::TableStrong, Tone::Ink, first).show_line(ui);
            });
        };
        table.plain_row(ui, ROW, like_this, last, |ui, column| match column {
            0 if like_this => {
                cell(ui, &words.computer, &say!(text, "wizard-reference-here"), Tone::Accent);
            }
            0 => cell(ui, &words.computer, &words.card, Tone::Faint),
            1 => cell(ui, &words.expected_speed, &words.expected_model, Tone::Faint),
            2 => cell(ui, &words.computed_speed, &words.computed_profile, Tone::Faint),
            _ => {
                Chip::new(tone, &verdict).show(ui);
            }
        });
    }
}
