//! The widgets of pages. Each is a method of [`UiExt`] on egui's `Ui` or a small builder; each has an accessible name and
//! role, can be used with the keyboard, and shows its focus.

mod bars;
mod buttons;
mod cards;
mod chips;
mod choices;
mod fields;
mod graph;
mod paragraph;
mod scales;
mod table;

use eframe::egui::{CornerRadius, Rect, Response, Stroke, StrokeKind, Ui, accesskit::Role};

pub use bars::{Part, StackedBar, progress_bar, thin_bar};
pub use buttons::{ButtonStyle, UiExt};
pub use cards::{
    banner, banner_with, card, card_beside_two, card_row, columns, fact, label_and_value, rule, table_card,
    wash_card,
};
pub use chips::{Chip, verdict_chip};
pub use choices::{checkbox, radio_card};
pub use fields::{field_with_button, is_entered, labelled, slider, text_field, text_panel};
pub use graph::{GraphPoint, memory_graph};
pub use paragraph::Paragraph;
pub use scales::{SpeedScale, prediction_scale};
pub use table::{Column, Table, center_vertically, two_lines};

use super::theme::{palette, size};

/// Gives a painted bar or scale its name and value for screen readers; the value is on a scale from 0 to `max`.
pub fn describe_value(response: &Response, role: Role, name: &str, value: f64, max: f64) {
    response.ctx.accesskit_node_builder(response.id, |node| {
        node.set_role(role);
        node.set_label(name);
        node.set_min_numeric_value(0.0);
        node.set_max_numeric_value(max);
        node.set_numeric_value(value.clamp(0.0, max));
    });
}

/// Shows that a widget has the focus.
pub(super) fn focus_ring(ui: &Ui, rect: Rect, radius: u8) {
    let ring = rect.expand(size::FOCUS_GAP);
    ui.painter().rect_stroke(
        ring,
        CornerRadius::same(radius.saturating_add(2)),
        Stroke::new(size::LINE_STRONG, palette(ui).accent),
        StrokeKind::Outside,
    );
}
