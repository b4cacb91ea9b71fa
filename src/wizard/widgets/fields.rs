//! Text fields and sliders.

use std::ops::RangeInclusive;

use eframe::egui::{CornerRadius, Frame, Key, Margin, Response, ScrollArea, Slider, Stroke, TextEdit, Ui};

use super::buttons::button_width;
use super::{ButtonStyle, UiExt as _, focus_ring};
use crate::wizard::theme::{TextRole, Tone, palette, size};

/// A label above its field.
pub fn labelled<R>(ui: &mut Ui, label: &str, content: impl FnOnce(&mut Ui) -> R) -> R {
    ui.vertical(|ui| {
        let id = ui.text(TextRole::Label, Tone::Faint, label).id;
        ui.gap(0.5);
        ui.label_inputs_by(id, content)
    })
    .inner
}

/// A field of one line, `width` points wide.
pub fn text_field(ui: &mut Ui, value: &mut String, hint: &str, width: f32) -> Response {
    let p = palette(ui);
    let margin = Margin::symmetric(12, 9);
    let response = ui.add(
        TextEdit::singleline(value).hint_text(hint).font(TextRole::Text.font()).desired_width(width).frame(
            Frame::new()
                .inner_margin(margin)
                .fill(p.card)
                .stroke(Stroke::new(size::LINE, p.control))
                .corner_radius(CornerRadius::same(size::BUTTON_RADIUS)),
        ),
    );
    if response.has_focus() {
        focus_ring(ui, response.rect, size::BUTTON_RADIUS);
    }
    response
}

/// A field and a button at its right, in the available width. `ready`: whether the button can be pressed with what is
/// typed. Returns the responses of both.
pub fn field_with_button(
    ui: &mut Ui,
    value: &mut String,
    hint: &str,
    (look, button): (ButtonStyle, &str),
    ready: impl FnOnce(&str) -> bool,
) -> (Response, Response) {
    ui.horizontal(|ui| {
        let width = ui.available_width() - button_width(ui, look, button) - ui.spacing().item_spacing.x;
        let field = text_field(ui, value, hint, width);
        (field, ui.action(look, button, ready(value)))
    })
    .inner
}

/// Whether Enter was pressed in this field.
pub fn is_entered(field: &Response) -> bool {
    field.lost_focus() && field.ctx.input(|input| input.key_pressed(Key::Enter))
}

/// A long, selectable, scrolling text, `height` points high.
pub fn text_panel(ui: &mut Ui, mut text: &str, height: f32, label: &str) -> Response {
    let p = palette(ui);
    let frame = Frame::new()
        .inner_margin(Margin::symmetric(10, 8))
        .fill(p.background)
        .stroke(Stroke::new(size::LINE, p.line))
        .corner_radius(CornerRadius::same(size::BUTTON_RADIUS));
    let shown = frame.show(ui, |ui| {
        ScrollArea::vertical().id_salt("text-panel").max_height(height).auto_shrink(false).show(ui, |ui| {
            let edit = TextEdit::multiline(&mut text).font(TextRole::Code.font()).text_color(p.soft);
            ui.add(edit.desired_width(f32::INFINITY).frame(Frame::NONE))
        })
    });
    let response = shown.inner.inner;
    if response.has_focus() {
        focus_ring(ui, shown.response.rect, size::BUTTON_RADIUS);
    }
    response.accessible_name(label)
}

/// A slider over whole numbers, of the available width.
pub fn slider(ui: &mut Ui, value: &mut u32, range: RangeInclusive<u32>, label: &str) -> Response {
    let response = ui
        .scope(|ui| {
            let p = palette(ui);
            ui.spacing_mut().slider_width = ui.available_width();
            ui.visuals_mut().widgets.inactive.bg_fill = p.bar[4];
            ui.visuals_mut().widgets.inactive.fg_stroke = Stroke::new(size::LINE_STRONG, p.accent);
            ui.visuals_mut().slider_trailing_fill = true;
            ui.visuals_mut().selection.bg_fill = p.accent;
            ui.add(Slider::new(value, range).show_value(false))
        })
        .inner;
    let response = response.accessible_name(label);
    if response.has_focus() {
        focus_ring(ui, response.rect, size::SMALL_RADIUS);
    }
    response
}
