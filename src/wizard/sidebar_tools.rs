//! Below the steps of the sidebar: language, theme, appearance.

use eframe::egui::{
    CursorIcon, Popup, PopupCloseBehavior, Rect, Response, Sense, Ui, WidgetInfo, accesskit::Role, pos2, vec2,
};

use super::pages::Intent;
use super::theme::{Appearance, TextRole, Tone, icons::Icon, palette, size};
use super::widgets::{Paragraph, UiExt as _, checkbox, focus_ring};
use crate::say;
use crate::text::{Language, Text};

/// The current language, with a menu of all languages.
pub(super) fn languages(ui: &mut Ui, text: Text, narrow: bool, intents: &mut Vec<Intent>) {
    let p = palette(ui);
    let shown =
        if narrow { text.language().tag().to_uppercase() } else { text.language().endonym().to_owned() };
    let galley = Paragraph::new(ui).add(TextRole::Label, Tone::Faint, &shown).line_galley(ui, f32::INFINITY);
    let (rect, response) = ui.allocate_exact_size(galley.size() + vec2(14.0, 4.0), Sense::click());
    let name = say!(text, "wizard-language-switch", language = text.language().endonym());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
    let words = galley.size();
    ui.painter().galley(rect.min + vec2(0.0, 2.0), galley, p.faint);
    let chevron =
        Rect::from_center_size(pos2(rect.left() + words.x + 8.0, rect.center().y), vec2(11.0, 11.0));
    Icon::ChevronDown.paint(ui, chevron, p.faint);
    if response.has_focus() {
        focus_ring(ui, rect, size::SMALL_RADIUS);
    }
    let response = response.on_hover_cursor(CursorIcon::PointingHand);
    Popup::menu(&response).close_behavior(PopupCloseBehavior::CloseOnClick).show(|ui| {
        for language in Language::ALL {
            let chosen = language == text.language();
            if ui.selectable_label(chosen, language.endonym()).clicked() {
                intents.push(Intent::SetLanguage(language));
            }
        }
    });
}

/// Switches between light and dark.
pub(super) fn theme_switch(ui: &mut Ui, text: Text, intents: &mut Vec<Intent>) {
    let p = palette(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(20.0, 20.0), Sense::click());
    let name = if ui.visuals().dark_mode {
        say!(text, "wizard-theme-light")
    } else {
        say!(text, "wizard-theme-dark")
    };
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
    let color = if response.hovered() { p.ink } else { p.faint };
    Icon::Theme.paint(ui, Rect::from_center_size(rect.center(), vec2(13.0, 13.0)), color);
    if response.has_focus() {
        focus_ring(ui, rect, size::SMALL_RADIUS);
    }
    let response = response.on_hover_cursor(CursorIcon::PointingHand).on_hover_text(name);
    if response.clicked() {
        intents.push(Intent::SwitchTheme);
    }
}

/// The menu of text size, contrast and motion.
pub(super) fn appearance(ui: &mut Ui, text: Text, now: Appearance, intents: &mut Vec<Intent>) {
    let response = appearance_button(ui, &say!(text, "wizard-appearance"));
    Popup::menu(&response).close_behavior(PopupCloseBehavior::CloseOnClickOutside).show(|ui| {
        let mut wanted = now;
        ui.set_width(size::MENU);
        ui.spacing_mut().item_spacing.y = 0.0;
        ui.gap(1.0);
        ui.text(TextRole::Label, Tone::Faint, &say!(text, "wizard-text-size"));
        ui.gap(1.0);
        ui.horizontal(|ui| {
            for percent in Appearance::TEXT_PERCENTS {
                let label = text.percent(f64::from(percent) / 100.0);
                if ui.selectable_label(now.text_percent == percent, label).clicked() {
                    wanted.text_percent = percent;
                }
            }
        });
        ui.gap(3.0);
        let label = say!(text, "wizard-high-contrast");
        checkbox(ui, &mut wanted.high_contrast, &label, "");
        ui.gap(2.5);
        let detail = say!(text, "wizard-still-detail");
        checkbox(ui, &mut wanted.still, &say!(text, "wizard-still"), &detail);
        ui.gap(1.0);
        if wanted != now {
            intents.push(Intent::SetAppearance(wanted));
        }
    });
}

/// The button of the appearance menu: a small and a large letter.
fn appearance_button(ui: &mut Ui, name: &str) -> Response {
    let p = palette(ui);
    let small = Paragraph::new(ui).add(TextRole::Label, Tone::Faint, "A").line_galley(ui, f32::INFINITY);
    let large = Paragraph::new(ui).add(TextRole::Name, Tone::Faint, "A").line_galley(ui, f32::INFINITY);
    let (rect, response) = ui.allocate_exact_size(vec2(24.0, 20.0), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, name));
    let color = if response.hovered() { p.ink } else { p.faint };
    let (width, baseline) = (small.size().x + large.size().x, rect.center().y + large.size().y / 2.0);
    let left = rect.center().x - width / 2.0;
    let large_at = pos2(left + small.size().x, baseline - large.size().y);
    let small_at = pos2(left, baseline - small.size().y - 1.0);
    ui.painter().galley_with_override_text_color(small_at, small, color);
    ui.painter().galley_with_override_text_color(large_at, large, color);
    if response.has_focus() {
        focus_ring(ui, rect, size::SMALL_RADIUS);
    }
    response.on_hover_cursor(CursorIcon::PointingHand).on_hover_text(name)
}
