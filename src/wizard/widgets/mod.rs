//! The parts pages are made of. Each is a method of [`Parts`] on egui's `Ui` or a small builder; each has an
//! accessible name and role, takes the keyboard, and shows its focus.

mod bars;
mod buttons;
mod cards;
mod choices;
mod fields;
mod scales;
mod signs;
mod table;
mod words;

use eframe::egui::{CornerRadius, Rect, Stroke, StrokeKind, Ui};

pub use bars::{Part, StackedBar, progress_bar, thin_bar};
pub use buttons::{Look, Parts, button_width};
pub use cards::{
    banner, banner_with, card, card_beside_two, card_row, columns, facing, fact, rule, table_card, wash_card,
};
pub use choices::{checkbox, radio_card};
pub use fields::{labelled, slider, text_field};
pub use scales::{SpeedScale, promise_scale};
pub use signs::{Chip, verdict_chip};
pub use table::{Column, Table, to_the_middle, two_lines};
pub use words::Words;

use super::theme::{palette, size};

/// Shows that a widget has the keyboard.
pub(super) fn focus_ring(ui: &Ui, rect: Rect, radius: u8) {
    let ring = rect.expand(size::FOCUS_GAP);
    ui.painter().rect_stroke(
        ring,
        CornerRadius::same(radius.saturating_add(2)),
        Stroke::new(size::LINE_STRONG, palette(ui).accent),
        StrokeKind::Outside,
    );
}
