//! Chips: an icon and a word on a tinted background.

use eframe::egui::{CornerRadius, Rect, Response, Sense, Ui, WidgetInfo, accesskit::Role, pos2, vec2};

use super::Paragraph;
use crate::plan::Verdict;
use crate::say;
use crate::text::Text;
use crate::wizard::theme::{TextRole, Tone, icons::Icon, palette, size};

/// A chip. Its icon has the same meaning as its colour, for users who cannot distinguish colours.
pub struct Chip<'a> {
    tone: Tone,
    text: &'a str,
}

impl<'a> Chip<'a> {
    /// A chip with these words.
    pub fn new(tone: Tone, text: &'a str) -> Self {
        Self { tone, text }
    }

    /// Its width in points.
    pub fn width(&self, ui: &Ui) -> f32 {
        self.words(ui).line_galley(ui, f32::INFINITY).size().x + 2.0 * PADDING + SIGN
    }

    /// Draws it where egui puts it.
    pub fn show(self, ui: &mut Ui) -> Response {
        let wanted = vec2(self.width(ui).min(ui.available_width()), size::CHIP);
        let (rect, response) = ui.allocate_exact_size(wanted, Sense::hover());
        self.paint(ui, rect);
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, self.text));
        response
    }

    /// Draws it over a rectangle.
    pub fn paint(&self, ui: &Ui, rect: Rect) {
        let p = palette(ui);
        ui.painter().rect_filled(rect, CornerRadius::same((size::CHIP / 2.0) as u8), self.tone.wash(p));
        let icon = match self.tone {
            Tone::Good => Icon::Check,
            Tone::Warning => Icon::Exclamation,
            Tone::Refused => Icon::Cross,
            _ => Icon::Info,
        };
        let sign =
            Rect::from_center_size(pos2(rect.left() + PADDING + 4.0, rect.center().y), vec2(11.0, 11.0));
        icon.paint(ui, sign, self.tone.color(p));
        let galley = self.words(ui).line_galley(ui, rect.width() - 2.0 * PADDING - SIGN);
        let at = pos2(rect.left() + PADDING + SIGN, rect.center().y - galley.size().y / 2.0);
        ui.painter().galley(at.round(), galley, self.tone.color(p));
    }

    fn words(&self, ui: &Ui) -> Paragraph {
        Paragraph::new(ui).add(TextRole::Chip, self.tone, self.text)
    }
}

const PADDING: f32 = 9.0;
const SIGN: f32 = 13.0;

/// The chip of a verdict.
pub fn verdict_chip(text: Text, verdict: Verdict) -> (Tone, String) {
    match verdict {
        Verdict::Compatible => (Tone::Good, say!(text, "wizard-verdict-compatible")),
        Verdict::Degraded => (Tone::Warning, say!(text, "wizard-verdict-degraded")),
        Verdict::Refused => (Tone::Refused, say!(text, "wizard-verdict-refused")),
    }
}
