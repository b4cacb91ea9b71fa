//! The frame around every page: steps at the left, heading, scrolling content, buttons below.
//!
//! The parts are drawn in the order in which Tab visits them: steps, content, buttons.

use eframe::egui::{
    Align, CornerRadius, CursorIcon, Id, Layout, Rect, Response, ScrollArea, Sense, Stroke, Ui, UiBuilder,
    WidgetInfo,
    accesskit::{Live, Role},
    pos2, vec2,
};

use super::app::Wizard;
use super::pages::{Button, Footer, Intent, PageContext};
use super::sidebar_tools;
use super::steps::SidebarStep;
use super::theme::{TextRole, Tone, icons::Icon, palette, size};
use super::widgets::{ButtonStyle, Paragraph, UiExt as _, banner};
use crate::say;
use crate::text::Text;

/// Draws everything but the background, with which the window is cleared.
pub(super) fn show(wizard: &mut Wizard, ui: &mut Ui, intents: &mut Vec<Intent>) {
    let p = palette(ui);
    let whole = ui.max_rect();
    let sidebar = if is_narrow(ui) { size::SIDEBAR_NARROW } else { size::SIDEBAR };
    let (left, right) = whole.split_left_right_at_x(whole.left() + sidebar);
    let (content, footer) = right.split_top_bottom_at_y(right.bottom() - size::FOOTER);
    ui.painter().rect_filled(left, CornerRadius::ZERO, p.sidebar);
    let line = Stroke::new(size::LINE, p.line);
    ui.painter().vline(left.right() - 0.5, left.y_range(), line);
    ui.painter().hline(footer.x_range(), footer.top() + 0.5, line);
    region(ui, "sidebar", left, Role::Navigation, |ui| show_sidebar(wizard, ui, intents));
    region(ui, "content", content, Role::Main, |ui| show_content(wizard, ui, intents));
    region(ui, "footer", footer, Role::Group, |ui| show_footer(wizard, ui, intents));
}

fn region(ui: &mut Ui, id: &str, rect: Rect, role: Role, content: impl FnOnce(&mut Ui)) {
    let builder = UiBuilder::new()
        .id_salt(id)
        .max_rect(rect)
        .layout(Layout::top_down(Align::Min))
        .accessibility_role(role);
    ui.scope_builder(builder, |ui| {
        ui.set_clip_rect(rect);
        content(ui);
    });
}

fn show_content(wizard: &mut Wizard, ui: &mut Ui, intents: &mut Vec<Intent>) {
    let margin = page_margin(ui);
    let whole = ui.max_rect();
    let step = wizard.page.step();
    ScrollArea::vertical().id_salt(("page", step)).auto_shrink(false).show(ui, |ui| {
        let available = ui.available_width();
        let width = (available - 2.0 * margin).min(size::CONTENT_MAX);
        let left = ui.max_rect().left() + margin;
        let rect = Rect::from_min_size(pos2(left, ui.cursor().top()), vec2(width, f32::INFINITY));
        let bottom = ui
            .scope_builder(UiBuilder::new().max_rect(rect), |ui| {
                ui.set_width(width);
                ui.spacing_mut().item_spacing.y = 0.0;
                ui.gap(6.5);
                let (title, lead) = wizard.page.view().heading(wizard.text);
                let shown = ui.text(TextRole::Title, Tone::Ink, &title);
                ui.ctx().accesskit_node_builder(shown.id, |node| {
                    node.set_role(Role::Heading);
                    node.set_label(title);
                    node.set_live(Live::Polite);
                });
                ui.gap(1.0);
                ui.text(TextRole::Lead, Tone::Soft, &lead);
                ui.gap(5.5);
                if let Some(notice) = &wizard.notice {
                    banner(ui, notice.tone(), &notice.words(wizard.text));
                    ui.gap(3.5);
                }
                let mut cx = PageContext {
                    text: wizard.text,
                    home: &wizard.options.home,
                    engine_version: wizard.engine_version.as_deref(),
                    daily_updates: wizard.options.daily_updates.unwrap_or(false),
                    intents,
                };
                wizard.page.view_mut().show(ui, &mut cx);
                let footer = wizard.page.view().footer(wizard.text);
                if !links_fit(ui, &footer, footer_area(ui, whole).width()) {
                    ui.gap(3.5);
                    ui.horizontal_wrapped(|ui| {
                        ui.spacing_mut().item_spacing = vec2(LINK_GAP, 8.0);
                        links(ui, footer.links, intents);
                    });
                }
                scroll_to_focus(ui);
                ui.gap(6.0);
                ui.min_rect().bottom()
            })
            .inner;
        ui.advance_cursor_after_rect(Rect::from_min_max(rect.min, pos2(left + width, bottom)));
    });
}

/// Points between Back and the links next to it.
const LINK_GAP: f32 = 18.0;
/// Key of the width that the buttons at the right had in the last frame, in egui's memory.
const RIGHT_WIDTH: &str = "footer-right-width";

/// The area of the footer's buttons, within the page's margins.
fn footer_area(ui: &Ui, region: Rect) -> Rect {
    let area = region.shrink2(vec2(page_margin(ui), 0.0));
    area.with_max_x(area.right().min(area.left() + size::CONTENT_MAX))
}

fn right_width(ui: &Ui) -> f32 {
    ui.data(|data| data.get_temp(Id::unique(RIGHT_WIDTH))).unwrap_or(300.0)
}

/// Whether the links fit into the footer, between Back and the buttons at the right. If not, they are drawn at the end of
/// the page.
fn links_fit(ui: &Ui, footer: &Footer, width: f32) -> bool {
    let words = |label: &str| {
        Paragraph::new(ui).add(TextRole::Button, Tone::Ink, label).line_galley(ui, f32::INFINITY).size().x
    };
    let back = footer.back.as_ref().map_or(0.0, |back| words(&back.label) + 2.0 * size::BUTTON_PADDING);
    let links: f32 = footer.links.iter().map(|link| words(&link.label) + LINK_GAP).sum();
    footer.links.is_empty() || back + links + LINK_GAP + right_width(ui) <= width
}

fn links(ui: &mut Ui, links: Vec<Button>, intents: &mut Vec<Intent>) {
    for link in links {
        if ui.link_action(&link.label, link.enabled).clicked() {
            intents.push(link.intent);
        }
    }
}

/// Scrolls to the widget that has just received the focus, if it is part of the page.
fn scroll_to_focus(ui: &Ui) {
    let id = Id::unique("scrolled-to-focus");
    let focused = ui.ctx().memory(|memory| memory.focused());
    let before: Option<Id> = ui.data_mut(|data| std::mem::replace(data.get_temp_mut_or_default(id), focused));
    let Some(response) = focused.filter(|_| focused != before).and_then(|id| ui.ctx().read_response(id))
    else {
        return;
    };
    // A clipped widget is part of the page; steps and buttons are never clipped.
    let seen = response.interact_rect;
    if !seen.is_positive() || ui.clip_rect().contains(seen.center()) {
        ui.scroll_to_rect(response.rect.expand(size::FOCUS_MARGIN), None);
    }
}

fn show_footer(wizard: &Wizard, ui: &mut Ui, intents: &mut Vec<Intent>) {
    let footer = wizard.page.view().footer(wizard.text);
    let area = footer_area(ui, ui.max_rect());
    let row = Rect::from_center_size(area.center() + vec2(0.0, 0.5), vec2(area.width(), size::CONTROL));
    let press = |response: Response, intent: Intent, intents: &mut Vec<Intent>| {
        if response.clicked() {
            intents.push(intent);
        }
    };
    let beside = if links_fit(ui, &footer, row.width()) { footer.links } else { Vec::new() };
    let left = UiBuilder::new().id_salt("left").max_rect(row).layout(Layout::left_to_right(Align::Center));
    ui.scope_builder(left, |ui| {
        ui.spacing_mut().item_spacing.x = LINK_GAP;
        if let Some(back) = footer.back {
            press(ui.action(ButtonStyle::Secondary, &back.label, back.enabled), back.intent, intents);
        }
        links(ui, beside, intents);
    });
    // Laid out from left to right, so that Tab follows the reading order; the last frame's width aligns it at the right.
    let known = right_width(ui);
    let rect = row.with_min_x(row.right() - known);
    let right = UiBuilder::new().id_salt("right").max_rect(rect).layout(Layout::left_to_right(Align::Center));
    let width = ui
        .scope_builder(right, |ui| {
            ui.spacing_mut().item_spacing.x = 10.0;
            let both = [(ButtonStyle::Secondary, footer.secondary), (ButtonStyle::Primary, footer.primary)];
            for (look, button) in both {
                if let Some(button) = button {
                    press(ui.action(look, &button.label, button.enabled), button.intent, intents);
                }
            }
            ui.min_rect().width()
        })
        .inner;
    if (width - known).abs() > 0.5 {
        ui.data_mut(|data| data.insert_temp(Id::unique(RIGHT_WIDTH), width));
        ui.ctx().request_discard("the width of the footer's buttons has changed");
        ui.ctx().request_repaint();
    }
}

fn show_sidebar(wizard: &mut Wizard, ui: &mut Ui, intents: &mut Vec<Intent>) {
    let narrow = is_narrow(ui);
    let whole = ui.max_rect();
    let p = palette(ui);
    let text = wizard.text;
    // In a narrow window the tools under the steps are stacked.
    let tools_height = if narrow { 86.0 } else { 62.0 };
    let list_end = pos2(whole.right() - 16.0, whole.bottom() - tools_height - 2.0);
    let steps = SidebarStep::ALL.len() as f32;
    let below_name = whole.top() + 77.0;
    // In a low window the steps come closer, and then take the place of the name.
    let has_name = list_end.y - below_name >= steps * size::STEP_ROW_MIN;
    let top = if has_name { below_name } else { whole.top() + 14.0 };
    let list = Rect::from_min_max(pos2(whole.left() + 16.0, top), list_end);
    let row = (list.height() / steps).floor().clamp(1.0, size::STEP_ROW);
    if has_name {
        let mark = Rect::from_min_size(whole.min + vec2(24.0, 24.0), vec2(size::MARK, size::MARK));
        let mark = if narrow { mark.translate(vec2(-3.0, 0.0)) } else { mark };
        Icon::Mark.paint(ui, mark, p.accent);
        if !narrow {
            let name =
                Paragraph::new(ui).add(TextRole::Name, Tone::Ink, "ACOLYTE").line_galley(ui, f32::INFINITY);
            let at = pos2(mark.right() + 10.0, mark.center().y - name.size().y / 2.0);
            ui.painter().galley(at.round(), name, p.ink);
        }
    }
    let managing = wizard.page.step().is_none();
    ui.scope_builder(UiBuilder::new().id_salt("steps").max_rect(list), |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        if managing {
            let name = say!(text, "wizard-step-manage");
            step_row(ui, (narrow, row), "★", &name, StepMark::Current, false);
            return;
        }
        for (i, step) in SidebarStep::ALL.into_iter().enumerate() {
            let state = state_of(wizard, step);
            let number = (i + 1).to_string();
            let open = wizard.page.may_go_to(step);
            let response = step_row(ui, (narrow, row), &number, &step_name(text, step), state, open);
            if open && response.clicked() {
                intents.push(Intent::GoTo(step));
            }
        }
    });
    let tools = Rect::from_min_max(
        pos2(whole.left() + 24.0, whole.bottom() - tools_height),
        whole.max - vec2(8.0, 14.0),
    );
    let tools = if narrow { tools.with_min_x(whole.left() + 8.0) } else { tools };
    ui.scope_builder(UiBuilder::new().id_salt("tools").max_rect(tools), |ui| {
        ui.spacing_mut().item_spacing = vec2(10.0, 1.0);
        let both = |ui: &mut Ui| {
            sidebar_tools::languages(ui, text, narrow, intents);
            sidebar_tools::theme_switch(ui, text, intents);
            sidebar_tools::appearance(ui, text, wizard.settings.appearance, intents);
        };
        if narrow {
            ui.vertical_centered(both)
        } else {
            ui.horizontal(both)
        };
        if !narrow {
            let mut version = env!("CARGO_PKG_VERSION").to_owned();
            if let Some(engine) = &wizard.engine_version {
                version = format!("{version} · Ollama {engine}");
            }
            ui.text(TextRole::Label, Tone::Faint, &version);
        }
    });
}

/// State of a step in the sidebar.
#[derive(Clone, Copy, PartialEq, Eq)]
enum StepMark {
    Done,
    Current,
    Upcoming,
    /// Not among the steps of this choice.
    Skipped,
}

fn state_of(wizard: &Wizard, step: SidebarStep) -> StepMark {
    match wizard.page.step() {
        Some(current) if step == current => StepMark::Current,
        _ if !wizard.page.visits(step) => StepMark::Skipped,
        Some(current) if step < current => StepMark::Done,
        _ => StepMark::Upcoming,
    }
}

/// A step, in a row of this height; in a narrow sidebar without its name.
fn step_row(
    ui: &mut Ui,
    (narrow, height): (bool, f32),
    sign: &str,
    name: &str,
    state: StepMark,
    open: bool,
) -> Response {
    let p = palette(ui);
    let sense = if open { Sense::click() } else { Sense::hover() };
    let (row, response) = ui.allocate_exact_size(vec2(ui.available_width(), height), sense);
    let role = if open { Role::Button } else { Role::ListItem };
    response.widget_info(|| WidgetInfo::selected(role, open, state == StepMark::Current, name));
    let pill = row.shrink2(vec2(0.0, 1.0));
    if state == StepMark::Current {
        ui.painter().rect_filled(pill, CornerRadius::same(size::BUTTON_RADIUS), p.accent_wash);
    } else if open && response.hovered() {
        ui.painter().rect_filled(pill, CornerRadius::same(size::BUTTON_RADIUS), p.hover);
    }
    let x = if narrow { row.center().x } else { row.left() + 18.0 };
    let center = pos2(x, row.center().y);
    let radius = size::STEP_SIGN.min(height - 1.0) / 2.0;
    match state {
        StepMark::Done => {
            ui.painter().circle_filled(center, radius, p.good);
            let check = Rect::from_center_size(center, vec2(12.0, 12.0));
            Icon::Check.paint(ui, check, if ui.visuals().dark_mode { p.on_accent } else { p.card });
        }
        StepMark::Current => {
            ui.painter().circle_filled(center, radius, p.accent);
            paint_sign(ui, center, sign, Tone::OnAccent);
        }
        StepMark::Upcoming | StepMark::Skipped => {
            ui.painter().circle_stroke(center, radius - 0.5, Stroke::new(size::LINE, p.line));
            paint_sign(ui, center, if state == StepMark::Skipped { "–" } else { sign }, Tone::Faint);
        }
    }
    if !narrow {
        let (kind, tone) = match state {
            StepMark::Current => (TextRole::Strong, Tone::Ink),
            StepMark::Done | StepMark::Upcoming => (TextRole::Text, Tone::Soft),
            StepMark::Skipped => (TextRole::Text, Tone::Faint),
        };
        let galley = Paragraph::new(ui).add(kind, tone, name).line_galley(ui, row.width() - 42.0);
        let at = pos2(row.left() + 38.0, row.center().y - galley.size().y / 2.0);
        ui.painter().galley(at.round(), galley, tone.color(p));
    }
    if response.has_focus() {
        super::widgets::focus_ring(ui, pill.shrink(2.0), size::BUTTON_RADIUS);
    }
    let response = if narrow { response.on_hover_text(name) } else { response };
    if open { response.on_hover_cursor(CursorIcon::PointingHand) } else { response }
}

fn paint_sign(ui: &Ui, center: eframe::egui::Pos2, sign: &str, tone: Tone) {
    let galley = Paragraph::new(ui).add(TextRole::Source, tone, sign).line_galley(ui, f32::INFINITY);
    let at = center - galley.size() / 2.0;
    ui.painter().galley(at, galley, tone.color(palette(ui)));
}

fn step_name(text: Text, step: SidebarStep) -> String {
    match step {
        SidebarStep::Welcome => say!(text, "wizard-step-welcome"),
        SidebarStep::Hardware => say!(text, "wizard-step-hardware"),
        SidebarStep::Compatibility => say!(text, "wizard-step-compatibility"),
        SidebarStep::Profile => say!(text, "wizard-step-profile"),
        SidebarStep::Consent => say!(text, "wizard-step-consent"),
        SidebarStep::Summary => say!(text, "wizard-step-summary"),
        SidebarStep::Install => say!(text, "wizard-step-install"),
        SidebarStep::Result => say!(text, "wizard-step-result"),
    }
}

/// Margin around a page: less in a narrow window.
fn page_margin(ui: &Ui) -> f32 {
    if is_narrow(ui) { size::PAGE_MARGIN_NARROW } else { size::PAGE_MARGIN }
}

/// Whether the steps are numbers only.
fn is_narrow(ui: &Ui) -> bool {
    ui.ctx().content_rect().width() < size::NARROW
}
