//! Cards, rows of cards of equal height, banners, rules and facts.

use eframe::egui::{
    Align, CornerRadius, Frame, Id, Layout, Margin, Rect, Stroke, Ui, UiBuilder,
    accesskit::{Live, Role},
    pos2, vec2,
};

use super::{Paragraph, UiExt as _};
use crate::wizard::theme::{TextRole, Tone, icons::Icon, palette, size};

/// Grouped content on a card of the available width.
pub fn card<R>(ui: &mut Ui, content: impl FnOnce(&mut Ui) -> R) -> R {
    card_with_margin(ui, Margin::same(size::CARD_PADDING as i8), content)
}

/// A card for rows, with less padding above and below, and `side` points at the sides.
pub fn table_card<R>(ui: &mut Ui, side: i8, content: impl FnOnce(&mut Ui) -> R) -> R {
    card_with_margin(ui, Margin::symmetric(side, 5), content)
}

fn card_with_margin<R>(ui: &mut Ui, margin: Margin, content: impl FnOnce(&mut Ui) -> R) -> R {
    let p = palette(ui);
    Frame::new()
        .fill(p.card)
        .stroke(Stroke::new(size::LINE, p.line))
        .corner_radius(CornerRadius::same(size::CARD_RADIUS))
        .inner_margin(margin)
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            content(ui)
        })
        .inner
}

/// A card without a border, in the colour of its tone.
pub fn wash_card<R>(ui: &mut Ui, tone: Tone, content: impl FnOnce(&mut Ui) -> R) -> R {
    let p = palette(ui);
    Frame::new()
        .fill(tone.wash(p))
        .corner_radius(CornerRadius::same(size::BUTTON_RADIUS))
        .inner_margin(Margin::symmetric(14, 11))
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            content(ui)
        })
        .inner
}

/// A message with an icon. Screen readers announce it when it appears.
pub fn banner(ui: &mut Ui, tone: Tone, text: &str) {
    banner_with(ui, tone, text, |_| {});
}

/// A banner with more content below its text, such as a link.
pub fn banner_with(ui: &mut Ui, tone: Tone, text: &str, under: impl FnOnce(&mut Ui)) {
    let p = palette(ui);
    let (icon, color) = match tone {
        Tone::Good => (Icon::Check, p.good),
        Tone::Warning => (Icon::Exclamation, p.warning),
        Tone::Refused => (Icon::Cross, p.refused),
        _ => (Icon::Info, p.ink),
    };
    wash_card(ui, tone, |ui| {
        ui.horizontal_top(|ui| {
            let (sign, _) = ui.allocate_exact_size(
                vec2(size::ICON, TextRole::Text.line_height()),
                eframe::egui::Sense::hover(),
            );
            icon.paint(ui, Rect::from_center_size(sign.center(), vec2(14.0, 14.0)), color);
            ui.vertical(|ui| {
                let response =
                    Paragraph::new(ui).marked(TextRole::Text, TextRole::Strong, Tone::Ink, text).show(ui);
                ui.ctx().accesskit_node_builder(response.id, |node| {
                    node.set_role(Role::Status);
                    node.set_label(text.replace("**", ""));
                    node.set_live(Live::Polite);
                });
                under(ui);
            });
        });
    });
}

/// Lays out columns with these relative widths; stacks them when the width is small.
pub fn columns(ui: &mut Ui, weights: &[f32], mut content: impl FnMut(&mut Ui, usize)) {
    if is_stacked(ui, weights) {
        for i in 0..weights.len() {
            if i > 0 {
                ui.gap(3.5);
            }
            content(ui, i);
        }
        return;
    }
    let top = ui.cursor().min;
    let gaps = size::CARD_GAP * (weights.len() - 1) as f32;
    let width_of_all = ui.available_width() - gaps;
    let total: f32 = weights.iter().sum();
    let (mut left, mut bottom) = (top.x, top.y);
    for (i, weight) in weights.iter().enumerate() {
        let width = (width_of_all * weight / total).round();
        let rect = Rect::from_min_size(pos2(left, top.y), vec2(width, ui.available_height().max(0.0)));
        let below = ui
            .scope_builder(UiBuilder::new().id_salt(("column", i)).max_rect(rect), |ui| {
                ui.set_width(width);
                content(ui, i);
                ui.min_rect().bottom()
            })
            .inner;
        bottom = bottom.max(below);
        left += width + size::CARD_GAP;
    }
    ui.advance_cursor_after_rect(Rect::from_min_max(top, pos2(ui.max_rect().right(), bottom)));
}

/// Whether the width is too small for columns side by side.
fn is_stacked(ui: &Ui, weights: &[f32]) -> bool {
    ui.available_width() < size::COLUMN_MIN * weights.len() as f32
}

/// Cards side by side, as tall as the tallest of them.
pub fn card_row(ui: &mut Ui, id: &str, weights: &[f32], mut content: impl FnMut(&mut Ui, usize)) {
    let id: Id = ui.scope_id().with(("card-row", id));
    let stacked = is_stacked(ui, weights);
    let known: f32 = ui.data(|data| data.get_temp(id)).unwrap_or(0.0);
    let mut tallest = 0.0_f32;
    columns(ui, weights, |ui, i| {
        card(ui, |ui| {
            content(ui, i);
            tallest = tallest.max(ui.min_rect().height());
            if !stacked {
                ui.expand_to_include_y(ui.min_rect().top() + known);
            }
        });
    });
    if (tallest - known).abs() > 0.5 {
        ui.data_mut(|data| data.insert_temp(id, tallest));
        ui.ctx().request_discard("the height of a row of cards has changed");
        ui.ctx().request_repaint();
    }
}

/// A card at the left, and two at the right that are as tall together. `content` draws card 0 (left), 1 and 2.
pub fn card_beside_two(ui: &mut Ui, id: &str, mut content: impl FnMut(&mut Ui, usize)) {
    let id: Id = ui.scope_id().with(("card-beside-two", id));
    let stacked = is_stacked(ui, &[1.0, 1.0]);
    let known: [f32; 3] = ui.data(|data| data.get_temp(id)).unwrap_or_default();
    // The left card has one frame; the right ones have two and a gap between them.
    let extra = 2.0 * size::CARD_PADDING + size::CARD_GAP + 2.0 * size::LINE;
    let left = known[0].max(known[1] + known[2] + extra);
    let spare = (left - extra - known[1] - known[2]).max(0.0) / 2.0;
    let wanted = [left, known[1] + spare, known[2] + spare];
    let mut found = known;
    let mut draw = |ui: &mut Ui, i: usize| {
        card(ui, |ui| {
            content(ui, i);
            found[i] = ui.min_rect().height();
            if !stacked {
                ui.expand_to_include_y(ui.min_rect().top() + wanted[i]);
            }
        });
    };
    columns(ui, &[1.0, 1.0], |ui, i| {
        draw(ui, i);
        if i == 1 {
            ui.gap(size::CARD_GAP / crate::wizard::theme::tokens::STEP);
            draw(ui, 2);
        }
    });
    if found.iter().zip(known).any(|(found, known)| (found - known).abs() > 0.5) {
        ui.data_mut(|data| data.insert_temp(id, found));
        ui.ctx().request_discard("the height of a block of cards has changed");
        ui.ctx().request_repaint();
    }
}

/// A horizontal line of the available width.
pub fn rule(ui: &mut Ui) {
    let (rect, _) =
        ui.allocate_exact_size(vec2(ui.available_width(), size::LINE), eframe::egui::Sense::hover());
    ui.painter().hline(rect.x_range(), rect.center().y, Stroke::new(size::LINE, palette(ui).line));
}

/// One line with a label at the left and its value at the right, with `gap` steps of 4 points above and below.
pub fn label_and_value(ui: &mut Ui, gap: f32, left: Paragraph, right: Paragraph) {
    ui.gap(gap);
    ui.horizontal(|ui| {
        left.show(ui);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            right.show_line(ui);
        });
    });
    ui.gap(gap);
}

/// A small label above its value.
pub fn fact(ui: &mut Ui, label: &str, value: &str) {
    ui.text(TextRole::Label, Tone::Faint, label);
    ui.text(TextRole::Strong, Tone::Ink, value);
}
