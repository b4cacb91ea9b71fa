//! Buttons, links, and the small methods on `Ui` that pages use most.

use eframe::egui::{
    CornerRadius, CursorIcon, Response, Sense, Stroke, StrokeKind, Ui, WidgetInfo, accesskit::Role, vec2,
};

use super::{Paragraph, focus_ring};
use crate::wizard::theme::{TextRole, Tone, icons::Icon, palette, size, tokens::STEP};

/// Kind of a button, which determines its look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ButtonStyle {
    /// The one action a page is about.
    Primary,
    /// Another action.
    Secondary,
    /// An action that removes something.
    Danger,
}

/// What pages draw most.
pub trait UiExt {
    /// A piece of text.
    fn text(&mut self, kind: TextRole, tone: Tone, text: &str) -> Response;
    /// Adds space, in steps of 4 points.
    fn gap(&mut self, steps: f32);
    /// A button.
    fn action(&mut self, look: ButtonStyle, label: &str, enabled: bool) -> Response;
    /// An action that looks like a link.
    fn link_action(&mut self, label: &str, enabled: bool) -> Response;
    /// A link-like action that opens and closes something.
    fn disclosure(&mut self, open: bool, label: &str) -> Response;
}

impl UiExt for Ui {
    fn text(&mut self, kind: TextRole, tone: Tone, text: &str) -> Response {
        Paragraph::new(self).add(kind, tone, text).show(self)
    }

    #[expect(clippy::disallowed_methods, reason = "the one place where space is added")]
    fn gap(&mut self, steps: f32) {
        self.add_space(steps * STEP);
    }

    fn action(&mut self, look: ButtonStyle, label: &str, enabled: bool) -> Response {
        button(self, look, label, enabled)
    }

    fn link_action(&mut self, label: &str, enabled: bool) -> Response {
        link(self, None, label, enabled)
    }

    fn disclosure(&mut self, open: bool, label: &str) -> Response {
        let icon = if open { Icon::ChevronDown } else { Icon::ChevronRight };
        let response = link(self, Some(icon), label, true);
        response.ctx.accesskit_node_builder(response.id, |node| node.set_expanded(open));
        response
    }
}

/// Width of a button in points, to lay out its neighbours.
pub fn button_width(ui: &Ui, look: ButtonStyle, label: &str) -> f32 {
    let words =
        Paragraph::new(ui).add(TextRole::Button, Tone::Ink, label).line_galley(ui, f32::INFINITY).size().x;
    let least = if look == ButtonStyle::Primary { size::PRIMARY_MIN } else { 0.0 };
    (words + 2.0 * size::BUTTON_PADDING).max(least)
}

fn button(ui: &mut Ui, look: ButtonStyle, label: &str, enabled: bool) -> Response {
    let p = palette(ui);
    let tone = match look {
        ButtonStyle::Primary => Tone::OnAccent,
        ButtonStyle::Secondary if enabled => Tone::Ink,
        ButtonStyle::Danger if enabled => Tone::Refused,
        ButtonStyle::Secondary | ButtonStyle::Danger => Tone::Faint,
    };
    let galley = Paragraph::new(ui).add(TextRole::Button, tone, label).line_galley(ui, f32::INFINITY);
    let width = button_width(ui, look, label);
    let sense = if enabled { Sense::click() } else { Sense::hover() };
    let (rect, response) = ui.allocate_exact_size(vec2(width, size::CONTROL), sense);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, enabled && ui.is_enabled(), label));
    if ui.is_rect_visible(rect) {
        let radius = CornerRadius::same(size::BUTTON_RADIUS);
        let over = enabled && response.hovered();
        let fill = match look {
            ButtonStyle::Primary if !enabled => p.accent_off,
            ButtonStyle::Primary if over => p.accent_hover,
            ButtonStyle::Primary => p.accent,
            ButtonStyle::Secondary | ButtonStyle::Danger if over => p.hover,
            ButtonStyle::Secondary | ButtonStyle::Danger => p.card,
        };
        ui.painter().rect_filled(rect, radius, fill);
        if look != ButtonStyle::Primary {
            let border = if over { p.control } else { p.line };
            ui.painter().rect_stroke(rect, radius, Stroke::new(size::LINE, border), StrokeKind::Inside);
        }
        let text = galley.rect.translate((rect.center() - galley.rect.center()).round());
        ui.painter().galley(text.min, galley, p.ink);
        if response.has_focus() {
            focus_ring(ui, rect, size::BUTTON_RADIUS);
        }
    }
    if enabled { response.on_hover_cursor(CursorIcon::PointingHand) } else { response }
}

fn link(ui: &mut Ui, icon: Option<Icon>, label: &str, enabled: bool) -> Response {
    let p = palette(ui);
    let tone = if enabled { Tone::Accent } else { Tone::Faint };
    let icon_width = if icon.is_some() { size::ICON } else { 0.0 };
    let width = (ui.available_width() - icon_width).max(size::ICON);
    let galley = Paragraph::new(ui).add(TextRole::Button, tone, label).galley(ui, width);
    let sense = if enabled { Sense::click() } else { Sense::hover() };
    let (rect, response) = ui.allocate_exact_size(galley.size() + vec2(icon_width, 2.0), sense);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, enabled && ui.is_enabled(), label));
    if ui.is_rect_visible(rect) {
        let color = if response.hovered() && enabled { p.accent_hover } else { tone.color(p) };
        if let Some(icon) = icon {
            let row = rect
                .with_max_x(rect.left() + icon_width)
                .with_max_y(rect.top() + TextRole::Button.line_height());
            icon.paint(ui, row.shrink2(vec2(1.0, (row.height() - row.width()) / 2.0 + 1.0)), color);
        }
        let at = rect.left_top() + vec2(icon_width, 1.0);
        if response.hovered() && enabled {
            let under = at.y + galley.size().y - 2.0;
            ui.painter().hline(at.x..=at.x + galley.size().x, under, Stroke::new(size::LINE, color));
        }
        ui.painter().galley_with_override_text_color(at.round(), galley, color);
        if response.has_focus() {
            focus_ring(ui, rect, size::SMALL_RADIUS);
        }
    }
    if enabled { response.on_hover_cursor(CursorIcon::PointingHand) } else { response }
}
