//! Checkboxes and radio cards.

use eframe::egui::{
    CornerRadius, CursorIcon, Rect, Response, Sense, Stroke, StrokeKind, Ui, WidgetInfo,
    accesskit::{Role, Toggled},
    vec2,
};

use super::{Paragraph, UiExt as _, focus_ring};
use crate::wizard::theme::{TextRole, Tone, icons::Icon, palette, size};

/// A checkbox, its label, and a line of small type under it (may be empty).
pub fn checkbox(ui: &mut Ui, ticked: &mut bool, label: &str, detail: &str) -> Response {
    let p = palette(ui);
    let indent = size::CHECKBOX + 11.0;
    let available = (ui.available_width() - indent).max(40.0);
    let words = Paragraph::new(ui).add(TextRole::Strong, Tone::Ink, label).galley(ui, available);
    let small = (!detail.is_empty())
        .then(|| Paragraph::new(ui).add(TextRole::Label, Tone::Faint, detail).galley(ui, available));
    let height = words.size().y + small.as_ref().map_or(0.0, |galley| galley.size().y + 1.0);
    let width = words.size().x.max(small.as_ref().map_or(0.0, |galley| galley.size().x));
    let (rect, mut response) =
        ui.allocate_exact_size(vec2(indent + width, height.max(size::CHECKBOX)), Sense::click());
    if response.clicked() {
        *ticked = !*ticked;
        response.mark_changed();
    }
    response.widget_info(|| WidgetInfo::selected(Role::CheckBox, ui.is_enabled(), *ticked, label));
    let square = Rect::from_min_size(rect.min, vec2(size::CHECKBOX, size::CHECKBOX));
    let radius = CornerRadius::same(size::SMALL_RADIUS);
    if *ticked {
        ui.painter().rect_filled(square, radius, p.accent);
        Icon::Check.paint(ui, square.shrink(3.0), p.on_accent);
    } else {
        ui.painter().rect_filled(square, radius, if response.hovered() { p.hover } else { p.card });
        ui.painter().rect_stroke(square, radius, Stroke::new(1.5, p.control), StrokeKind::Inside);
    }
    let at = rect.min + vec2(indent, 0.0);
    let below = words.size().y + 1.0;
    ui.painter().galley(at, words, p.ink);
    if let Some(small) = small {
        ui.painter().galley(at + vec2(0.0, below), small, p.faint);
    }
    if response.has_focus() {
        focus_ring(ui, square, size::SMALL_RADIUS);
    }
    response.on_hover_cursor(CursorIcon::PointingHand)
}

/// A card that works as a radio button. `content` draws its text.
pub fn radio_card(ui: &mut Ui, chosen: bool, name: &str, content: impl FnOnce(&mut Ui)) -> Response {
    let p = palette(ui);
    let background = ui.painter().add(eframe::egui::Shape::Noop);
    let border = ui.painter().add(eframe::egui::Shape::Noop);
    let left = ui.cursor().min;
    let inner = ui
        .vertical(|ui| {
            ui.set_width(ui.available_width());
            ui.spacing_mut().item_spacing = vec2(8.0, 0.0);
            ui.gap(3.0);
            ui.horizontal_top(|ui| {
                ui.gap(3.5);
                let (sign, _) =
                    ui.allocate_exact_size(vec2(size::RADIO, TextRole::Strong.line_height()), Sense::hover());
                let center = sign.center();
                if chosen {
                    ui.painter().circle_filled(center, size::RADIO / 2.0, p.accent);
                    ui.painter().circle_filled(center, size::RADIO / 5.0, p.on_accent);
                } else {
                    ui.painter().circle(center, size::RADIO / 2.0 - 0.5, p.card, Stroke::new(1.2, p.control));
                }
                ui.gap(0.5);
                ui.vertical(|ui| {
                    ui.set_width((ui.available_width() - 12.0).max(0.0));
                    ui.spacing_mut().item_spacing.y = 0.0;
                    content(ui);
                });
            });
            ui.gap(3.0);
        })
        .response;
    let rect = Rect::from_min_max(left, inner.rect.max);
    let response = ui.interact(rect, ui.scope_id().with(("radio-card", name)), Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::RadioButton, ui.is_enabled(), chosen, name));
    response.ctx.accesskit_node_builder(response.id, |node| node.set_toggled(Toggled::from(chosen)));
    let radius = CornerRadius::same(size::CARD_RADIUS);
    let fill = if chosen {
        p.accent_wash
    } else if response.hovered() {
        p.hover
    } else {
        p.card
    };
    let stroke =
        if chosen { Stroke::new(size::LINE_STRONG, p.accent) } else { Stroke::new(size::LINE, p.line) };
    ui.painter().set(background, eframe::egui::Shape::rect_filled(rect, radius, fill));
    ui.painter().set(border, eframe::egui::Shape::rect_stroke(rect, radius, stroke, StrokeKind::Inside));
    if response.has_focus() {
        focus_ring(ui, rect, size::CARD_RADIUS);
    }
    response.on_hover_cursor(CursorIcon::PointingHand)
}
