//! The design tokens: every colour, size and distance the window uses. Nothing else in the window names one
//! (enforced by `clippy.toml`).

use eframe::egui::Color32;

/// The colours of one theme. Text has a contrast of at least 4.5 to 1 with its background (see the test).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Palette {
    /// Background of pages.
    pub background: Color32,
    /// Background of the sidebar.
    pub sidebar: Color32,
    /// Background of cards.
    pub card: Color32,
    /// Borders and rules, 1 px wide.
    pub line: Color32,
    /// Borders of controls; 3 to 1 against the card.
    pub control: Color32,
    /// Values and titles.
    pub ink: Color32,
    /// Sentences.
    pub soft: Color32,
    /// Labels and sources.
    pub faint: Color32,
    /// Actions and selection.
    pub accent: Color32,
    /// The accent when hovered.
    pub accent_hover: Color32,
    /// The accent when disabled.
    pub accent_off: Color32,
    /// Text on the accent.
    pub on_accent: Color32,
    /// Background of the selection.
    pub accent_wash: Color32,
    /// Background of plain controls when hovered.
    pub hover: Color32,
    /// Good.
    pub good: Color32,
    /// Behind it.
    pub good_wash: Color32,
    /// With limits.
    pub warning: Color32,
    /// Behind it.
    pub warning_wash: Color32,
    /// Refused, failed.
    pub refused: Color32,
    /// Behind it.
    pub refused_wash: Color32,
    /// Memory, always in this order: weights, context, buffers, other programs, free.
    pub bar: [Color32; 5],
    /// Backdrop of a modal question.
    pub backdrop: Color32,
}

const fn rgb(hex: u32) -> Color32 {
    Color32::from_rgb((hex >> 16) as u8, (hex >> 8) as u8, hex as u8)
}

/// On white.
pub const LIGHT: Palette = Palette {
    background: rgb(0xF7F7F9),
    sidebar: rgb(0xEFEFF3),
    card: rgb(0xFFFFFF),
    line: rgb(0xDEDEE5),
    control: rgb(0x8A8A98),
    ink: rgb(0x1B1B22),
    soft: rgb(0x5A5A68),
    faint: rgb(0x666674),
    accent: rgb(0x4B4ACF),
    accent_hover: rgb(0x3D3CB8),
    accent_off: rgb(0xA9A8E6),
    on_accent: rgb(0xFFFFFF),
    accent_wash: rgb(0xECECFB),
    hover: rgb(0xF1F1F6),
    good: rgb(0x1E7A4C),
    good_wash: rgb(0xE3F3EA),
    warning: rgb(0x8A5A00),
    warning_wash: rgb(0xFBF0D9),
    refused: rgb(0xB3261E),
    refused_wash: rgb(0xFBE6E4),
    bar: [rgb(0x4B4ACF), rgb(0x8F8EEB), rgb(0xC4C4F5), rgb(0xB9B9C6), rgb(0xE7E7ED)],
    backdrop: Color32::from_rgba_premultiplied(0, 0, 0, 90),
};

/// On near-black.
pub const DARK: Palette = Palette {
    background: rgb(0x17171C),
    sidebar: rgb(0x1D1D24),
    card: rgb(0x22222A),
    line: rgb(0x34343F),
    control: rgb(0x7A7A8A),
    ink: rgb(0xF1F1F5),
    soft: rgb(0xB4B4C2),
    faint: rgb(0x9696A6),
    accent: rgb(0x8B8AF2),
    accent_hover: rgb(0xA09FF6),
    accent_off: rgb(0x50507F),
    on_accent: rgb(0x121218),
    accent_wash: rgb(0x2B2B45),
    hover: rgb(0x2A2A34),
    good: rgb(0x6FCF97),
    good_wash: rgb(0x1E3328),
    warning: rgb(0xF0BE62),
    warning_wash: rgb(0x3A2F18),
    refused: rgb(0xF28B82),
    refused_wash: rgb(0x3E2321),
    bar: [rgb(0x8B8AF2), rgb(0x6A69C9), rgb(0x4B4A8C), rgb(0x5A5A68), rgb(0x2C2C36)],
    backdrop: Color32::from_rgba_premultiplied(0, 0, 0, 140),
};

/// Black on white, with a contrast of at least 7 to 1 for words.
pub const LIGHT_HIGH_CONTRAST: Palette = Palette {
    background: rgb(0xFFFFFF),
    sidebar: rgb(0xFFFFFF),
    card: rgb(0xFFFFFF),
    line: rgb(0x55555F),
    control: rgb(0x000000),
    ink: rgb(0x000000),
    soft: rgb(0x1B1B22),
    faint: rgb(0x33333D),
    accent: rgb(0x2A29A8),
    accent_hover: rgb(0x1F1E8C),
    accent_off: rgb(0x5A59A8),
    on_accent: rgb(0xFFFFFF),
    accent_wash: rgb(0xE4E4FF),
    hover: rgb(0xECECF4),
    good: rgb(0x0B5130),
    good_wash: rgb(0xE9F7EF),
    warning: rgb(0x5C3B00),
    warning_wash: rgb(0xFDF4E1),
    refused: rgb(0x85120C),
    refused_wash: rgb(0xFDEDEB),
    bar: [rgb(0x2A29A8), rgb(0x7877E0), rgb(0xB9B8F2), rgb(0x77777F), rgb(0xE7E7ED)],
    backdrop: Color32::from_rgba_premultiplied(0, 0, 0, 150),
};

/// White on black, with the same contrast.
pub const DARK_HIGH_CONTRAST: Palette = Palette {
    background: rgb(0x000000),
    sidebar: rgb(0x000000),
    card: rgb(0x000000),
    line: rgb(0xA0A0AC),
    control: rgb(0xFFFFFF),
    ink: rgb(0xFFFFFF),
    soft: rgb(0xEDEDF4),
    faint: rgb(0xD2D2DE),
    accent: rgb(0xBDBCFF),
    accent_hover: rgb(0xD2D1FF),
    accent_off: rgb(0x8483C4),
    on_accent: rgb(0x000000),
    accent_wash: rgb(0x25254A),
    hover: rgb(0x22222C),
    good: rgb(0x8CF0B6),
    good_wash: rgb(0x0F2318),
    warning: rgb(0xFFD98A),
    warning_wash: rgb(0x2B210C),
    refused: rgb(0xFFB3AC),
    refused_wash: rgb(0x301614),
    bar: [rgb(0xBDBCFF), rgb(0x8483E8), rgb(0x5A59B0), rgb(0x8A8A98), rgb(0x2C2C36)],
    backdrop: Color32::from_rgba_premultiplied(0, 0, 0, 180),
};

/// Distances are multiples of this many points.
pub const STEP: f32 = 4.0;

/// Sizes and distances, in points.
pub mod size {
    /// Width of the sidebar.
    pub const SIDEBAR: f32 = 216.0;
    /// Its width in a narrow window, where the steps are numbers only.
    pub const SIDEBAR_NARROW: f32 = 68.0;
    /// Below this window width the steps are numbers only.
    pub const NARROW: f32 = 940.0;
    /// Minimum width of columns side by side; narrower ones are stacked.
    pub const COLUMN_MIN: f32 = 190.0;
    /// Around a page.
    pub const PAGE_MARGIN: f32 = 36.0;
    /// Around a page in a narrow window.
    pub const PAGE_MARGIN_NARROW: f32 = 24.0;
    /// Maximum width of a page: longer lines are hard to read.
    pub const CONTENT_MAX: f32 = 1040.0;
    /// Between cards.
    pub const CARD_GAP: f32 = 14.0;
    /// Inside cards.
    pub const CARD_PADDING: f32 = 18.0;
    /// Margin around the focused widget when the page scrolls to it.
    pub const FOCUS_MARGIN: f32 = 8.0;
    /// Height of the footer.
    pub const FOOTER: f32 = 67.0;
    /// Height of buttons and text fields.
    pub const CONTROL: f32 = 38.0;
    /// Horizontal padding of a button.
    pub const BUTTON_PADDING: f32 = 16.0;
    /// Minimum width of the primary button, so that it keeps its place when its label changes.
    pub const PRIMARY_MIN: f32 = 132.0;
    /// Height of one step in the sidebar.
    pub const STEP_ROW: f32 = 38.0;
    /// The same in a low window, before the name above gives way.
    pub const STEP_ROW_MIN: f32 = 24.0;
    /// Diameter of a step's sign.
    pub const STEP_SIGN: f32 = 20.0;
    /// Height of a memory bar.
    pub const BAR: f32 = 16.0;
    /// Height of a thin bar.
    pub const BAR_THIN: f32 = 6.0;
    /// Height of a chip.
    pub const CHIP: f32 = 22.0;
    /// Side of a checkbox.
    pub const CHECKBOX: f32 = 20.0;
    /// Diameter of a radio button.
    pub const RADIO: f32 = 16.0;
    /// Side of an icon in a line of text.
    pub const ICON: f32 = 16.0;
    /// Side of the logo.
    pub const MARK: f32 = 26.0;
    /// Maximum width of a question.
    pub const DIALOG: f32 = 460.0;
    /// Maximum width of a dialog with a table or a report.
    pub const DIALOG_WIDE: f32 = 660.0;
    /// Width of the appearance menu.
    pub const MENU: f32 = 240.0;
    /// Corners of cards.
    pub const CARD_RADIUS: u8 = 12;
    /// Corners of buttons and fields.
    pub const BUTTON_RADIUS: u8 = 8;
    /// Corners of small marks.
    pub const SMALL_RADIUS: u8 = 4;
    /// Width of borders.
    pub const LINE: f32 = 1.0;
    /// Width of the border of the selection.
    pub const LINE_STRONG: f32 = 2.0;
    /// Distance of the focus ring from the focused widget.
    pub const FOCUS_GAP: f32 = 2.0;
    /// Minimum size of the window.
    pub const WINDOW_MIN: [f32; 2] = [800.0, 560.0];
    /// Initial size of the window.
    pub const WINDOW: [f32; 2] = [1040.0, 700.0];
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance as WCAG 2.1 defines it.
    fn luminance(color: Color32) -> f64 {
        let linear = |channel: u8| {
            let c = f64::from(channel) / 255.0;
            if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(color.r()) + 0.7152 * linear(color.g()) + 0.0722 * linear(color.b())
    }

    fn contrast(a: Color32, b: Color32) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn words_have_the_contrast_of_wcag_aa() {
        for (name, p, least) in [
            ("light", LIGHT, 4.5),
            ("dark", DARK, 4.5),
            ("light, high contrast", LIGHT_HIGH_CONTRAST, 7.0),
            ("dark, high contrast", DARK_HIGH_CONTRAST, 7.0),
        ] {
            let mut pairs = vec![
                ("on_accent on accent", p.on_accent, p.accent),
                ("on_accent on accent_hover", p.on_accent, p.accent_hover),
                ("ink on hover", p.ink, p.hover),
                ("good on its wash", p.good, p.good_wash),
                ("warning on its wash", p.warning, p.warning_wash),
                ("refused on its wash", p.refused, p.refused_wash),
                ("ink on good wash", p.ink, p.good_wash),
                ("ink on warning wash", p.ink, p.warning_wash),
                ("ink on refused wash", p.ink, p.refused_wash),
            ];
            for surface in [p.background, p.sidebar, p.card, p.accent_wash] {
                pairs.extend([
                    ("ink", p.ink, surface),
                    ("soft", p.soft, surface),
                    ("faint", p.faint, surface),
                    ("accent", p.accent, surface),
                ]);
            }
            for surface in [p.background, p.card] {
                pairs.extend([
                    ("good", p.good, surface),
                    ("warning", p.warning, surface),
                    ("refused", p.refused, surface),
                ]);
            }
            for (what, a, b) in pairs {
                let ratio = contrast(a, b);
                assert!(ratio >= least, "{name}: {what} on {b:?} has {ratio:.2} to 1");
            }
        }
    }

    #[test]
    fn controls_and_signs_have_the_contrast_of_wcag_aa() {
        for (name, p) in [
            ("light", LIGHT),
            ("dark", DARK),
            ("light, high contrast", LIGHT_HIGH_CONTRAST),
            ("dark, high contrast", DARK_HIGH_CONTRAST),
        ] {
            for surface in [p.background, p.card] {
                for (what, color) in [("control", p.control), ("accent", p.accent), ("good", p.good)] {
                    let ratio = contrast(color, surface);
                    assert!(ratio >= 3.0, "{name}: {what} on {surface:?} has {ratio:.2} to 1");
                }
            }
        }
    }
}
