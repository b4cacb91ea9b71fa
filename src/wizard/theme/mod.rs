//! How the window looks, in one place: colours and sizes ([`tokens`]), the type scale ([`TextRole`]), and egui's style.
//!
//! Pages and widgets ask for a [`TextRole`] of text and a [`Tone`], never for a size or a colour.
#![expect(clippy::disallowed_methods, reason = "the theme is the one place where colours and sizes are made")]

pub mod icons;
mod text_role;
pub mod tokens;

use std::sync::Arc;

use eframe::egui::{
    self, Context, CornerRadius, FontData, FontDefinitions, FontFamily, Id, Margin, Stroke, Style, TextStyle,
    Theme, Visuals, style::WidgetVisuals, vec2,
};

pub use text_role::{TextRole, Tone};
pub use tokens::{Palette, size};

const MEDIUM: &str = "inter-medium";
const SEMIBOLD: &str = "inter-semibold";
const HIGH_CONTRAST: &str = "high contrast";

/// Gives egui our fonts, colours, sizes and the icon loader. Call once for each context.
pub fn install(ctx: &Context) {
    egui_extras::install_image_loaders(ctx);
    ctx.set_fonts(fonts());
    apply(ctx, Appearance::default());
}

/// What the user can set beside light and dark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appearance {
    /// Zoom of everything, in percent.
    pub text_percent: u16,
    /// Black, white and strong colours: text has a contrast of 7 to 1.
    pub high_contrast: bool,
    /// No animations.
    pub still: bool,
}

impl Appearance {
    /// The sizes to choose from.
    pub const TEXT_PERCENTS: [u16; 4] = [100, 115, 130, 150];
}

impl Default for Appearance {
    fn default() -> Self {
        Self { text_percent: 100, high_contrast: false, still: false }
    }
}

/// Applies an appearance.
pub fn apply(ctx: &Context, appearance: Appearance) {
    let [light, dark] = if appearance.high_contrast {
        [&tokens::LIGHT_HIGH_CONTRAST, &tokens::DARK_HIGH_CONTRAST]
    } else {
        [&tokens::LIGHT, &tokens::DARK]
    };
    for (theme, palette) in [(Theme::Light, light), (Theme::Dark, dark)] {
        let mut style = style(theme, palette);
        if appearance.still {
            style.animation_time = 0.0;
        }
        // At 115 % nothing is aligned to whole pixels, and debug builds would mark every card.
        #[cfg(debug_assertions)]
        {
            style.debug.show_unaligned = false;
        }
        ctx.set_style_of(theme, style);
    }
    ctx.data_mut(|data| data.insert_temp(Id::unique(HIGH_CONTRAST), appearance.high_contrast));
    ctx.set_zoom_factor(f32::from(appearance.text_percent) / 100.0);
}

/// The current colours.
pub fn palette(ui: &egui::Ui) -> &'static Palette {
    let high = ui.data(|data| data.get_temp(Id::unique(HIGH_CONTRAST)).unwrap_or(false));
    match (ui.visuals().dark_mode, high) {
        (false, false) => &tokens::LIGHT,
        (true, false) => &tokens::DARK,
        (false, true) => &tokens::LIGHT_HIGH_CONTRAST,
        (true, true) => &tokens::DARK_HIGH_CONTRAST,
    }
}

/// Inter in three weights, egui's own fonts as fallback, Hack for code.
fn fonts() -> FontDefinitions {
    let mut fonts = FontDefinitions::default();
    let ours: [(&str, &'static [u8]); 3] = [
        ("inter", include_bytes!("../../../assets/fonts/Inter-Regular.otf")),
        (MEDIUM, include_bytes!("../../../assets/fonts/Inter-Medium.otf")),
        (SEMIBOLD, include_bytes!("../../../assets/fonts/Inter-SemiBold.otf")),
    ];
    let behind = fonts.families.get(&FontFamily::Proportional).cloned().unwrap_or_default();
    for (name, bytes) in ours {
        fonts.font_data.insert(name.to_owned(), Arc::new(FontData::from_static(bytes)));
        let family = if name == "inter" { FontFamily::Proportional } else { FontFamily::Name(name.into()) };
        let mut list = vec![name.to_owned()];
        list.extend(behind.iter().cloned());
        fonts.families.insert(family, list);
    }
    fonts
}

fn style(theme: Theme, palette: &Palette) -> Style {
    let mut style = Style { visuals: visuals(theme, palette), ..Style::default() };
    style.text_styles = [
        (TextStyle::Heading, TextRole::Title.font()),
        (TextStyle::Body, TextRole::Text.font()),
        (TextStyle::Button, TextRole::Button.font()),
        (TextStyle::Small, TextRole::Source.font()),
        (TextStyle::Monospace, TextRole::Code.font()),
    ]
    .into();
    style.spacing.item_spacing = vec2(8.0, 4.0);
    style.spacing.button_padding = vec2(12.0, 8.0);
    style.spacing.interact_size = vec2(40.0, 20.0);
    style.spacing.slider_rail_height = 6.0;
    style.spacing.scroll = egui::style::ScrollStyle {
        bar_width: 8.0,
        dormant_handle_opacity: 0.25,
        active_handle_opacity: 0.4,
        interact_handle_opacity: 0.6,
        ..egui::style::ScrollStyle::floating()
    };
    style.spacing.menu_margin = Margin::same(10);
    style.interaction.selectable_labels = false;
    // An idle window must not draw: a blinking cursor would repaint it twice a second.
    style.visuals.text_cursor.blink = false;
    style.animation_time = 0.08;
    style.scroll_animation = egui::style::ScrollAnimation::none();
    style
}

fn visuals(theme: Theme, p: &Palette) -> Visuals {
    let mut visuals = if theme == Theme::Dark { Visuals::dark() } else { Visuals::light() };
    let widget = |fill, border, ink| WidgetVisuals {
        bg_fill: fill,
        weak_bg_fill: fill,
        bg_stroke: Stroke::new(size::LINE, border),
        fg_stroke: Stroke::new(size::LINE, ink),
        corner_radius: CornerRadius::same(size::BUTTON_RADIUS),
        expansion: 0.0,
    };
    visuals.widgets.noninteractive = widget(p.card, p.line, p.ink);
    visuals.widgets.inactive = widget(p.card, p.line, p.ink);
    visuals.widgets.hovered = widget(p.hover, p.control, p.ink);
    visuals.widgets.active = widget(p.hover, p.accent, p.ink);
    visuals.widgets.open = widget(p.hover, p.control, p.ink);
    visuals.selection.bg_fill = p.accent_wash;
    visuals.selection.stroke = Stroke::new(size::LINE_STRONG, p.accent);
    visuals.hyperlink_color = p.accent;
    visuals.panel_fill = p.background;
    visuals.window_fill = p.card;
    visuals.window_stroke = Stroke::new(size::LINE, p.line);
    visuals.window_corner_radius = CornerRadius::same(size::CARD_RADIUS);
    visuals.menu_corner_radius = CornerRadius::same(size::BUTTON_RADIUS);
    visuals.extreme_bg_color = p.card;
    visuals.text_edit_bg_color = Some(p.card);
    visuals.faint_bg_color = p.hover;
    visuals.code_bg_color = p.hover;
    visuals.warn_fg_color = p.warning;
    visuals.error_fg_color = p.refused;
    visuals.weak_text_color = Some(p.faint);
    visuals.text_cursor.stroke = Stroke::new(size::LINE_STRONG, p.accent);
    visuals.interact_cursor = None;
    visuals.image_loading_spinners = false;
    visuals
}
