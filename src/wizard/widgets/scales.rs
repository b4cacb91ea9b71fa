//! Scales: an estimate on a scale with words, and a predicted range with its measurement.

use eframe::egui::{Align2, CornerRadius, Rect, Sense, Stroke, StrokeKind, Ui, accesskit::Role, pos2, vec2};

use super::{Paragraph, describe_value};
use crate::figures::Range;
use crate::say;
use crate::text::Text;
use crate::wizard::theme::{TextRole, Tone, palette, size};

/// Tokens a second from which answers are usable, and from which they are comfortable.
const USABLE: f64 = 5.0;
const COMFORTABLE: f64 = 10.0;

/// A range of tokens per second on a scale with words. Below [`COMFORTABLE`] the scale is stretched, because differences
/// matter most there.
pub struct SpeedScale {
    top: f64,
    range: Range,
}

impl SpeedScale {
    /// The scale ends at a round number above the range, 60 at least.
    pub fn new(range: Range) -> Self {
        let top = [60.0, 120.0, 240.0, 480.0].into_iter().find(|top| range.high <= *top).unwrap_or(960.0);
        Self { top, range }
    }

    /// Position of a speed, 0 to 1: a fifth of the scale each below 5 and 10.
    fn position(&self, tokens_per_s: f64) -> f32 {
        let share = match tokens_per_s {
            s if s <= USABLE => 0.2 * s / USABLE,
            s if s <= COMFORTABLE => 0.2 + 0.2 * (s - USABLE) / (COMFORTABLE - USABLE),
            s => 0.4 + 0.6 * ((s - COMFORTABLE) / (self.top - COMFORTABLE)),
        };
        share.clamp(0.0, 1.0) as f32
    }

    /// Draws it.
    pub fn show(self, ui: &mut Ui, text: Text) {
        let p = palette(ui);
        let width = ui.available_width();
        let (rect, response) = ui.allocate_exact_size(
            vec2(width, size::BAR + 3.0 + TextRole::Label.line_height()),
            Sense::hover(),
        );
        let name = say!(text, "wizard-speed-scale", range = text.range(self.range));
        describe_value(&response, Role::Meter, &name, self.range.mid, self.top);
        let bar = rect.with_max_y(rect.top() + size::BAR - 2.0);
        let x = |speed: f64| bar.left() + bar.width() * self.position(speed);
        let radius = size::SMALL_RADIUS + 3;
        let zone = |from: f64, to: f64| bar.with_min_x(x(from)).with_max_x(x(to));
        let painter = ui.painter();
        painter.rect_filled(
            zone(0.0, USABLE),
            CornerRadius { nw: radius, sw: radius, ne: 0, se: 0 },
            p.refused_wash,
        );
        painter.rect_filled(zone(USABLE, COMFORTABLE), CornerRadius::ZERO, p.warning_wash);
        painter.rect_filled(
            zone(COMFORTABLE, self.top),
            CornerRadius { nw: 0, sw: 0, ne: radius, se: radius },
            p.good_wash,
        );
        let thumb = zone(self.range.low, self.range.high).expand2(vec2(0.0, 2.0));
        let thumb = Rect::from_center_size(thumb.center(), vec2(thumb.width().max(8.0), thumb.height()));
        painter.rect_filled(thumb, CornerRadius::same(size::SMALL_RADIUS), p.accent.gamma_multiply(0.35));
        painter.rect_stroke(
            thumb,
            CornerRadius::same(size::SMALL_RADIUS),
            Stroke::new(size::LINE_STRONG, p.accent),
            StrokeKind::Inside,
        );
        let words = [
            (x(0.0), format!("0 · {}", say!(text, "wizard-speed-slow"))),
            (x(USABLE), format!("{} · {}", text.decimal(USABLE, 0), say!(text, "wizard-speed-usable"))),
            (
                x(COMFORTABLE),
                format!("{} · {}", text.decimal(COMFORTABLE, 0), say!(text, "wizard-speed-comfortable")),
            ),
        ];
        let top = bar.bottom() + 4.0;
        for (left, word) in words {
            let galley =
                Paragraph::new(ui).add(TextRole::Source, Tone::Soft, &word).line_galley(ui, f32::INFINITY);
            ui.painter().galley(pos2(left, top), galley, p.soft);
        }
        let end = Paragraph::new(ui)
            .add(TextRole::Source, Tone::Soft, &text.decimal(self.top, 0))
            .line_galley(ui, f32::INFINITY);
        let at = Align2::RIGHT_TOP.anchor_size(pos2(bar.right(), top), end.size());
        ui.painter().galley(at.min, end, p.soft);
    }
}

/// A predicted range and a measured value on one scale that starts at zero.
pub fn prediction_scale(
    ui: &mut Ui,
    rect: Rect,
    promised: (f64, f64),
    measured: Option<f64>,
    top: f64,
    tone: Tone,
) {
    let p = palette(ui);
    let x =
        |value: f64| rect.left() + rect.width() * (value / top.max(f64::MIN_POSITIVE)).clamp(0.0, 1.0) as f32;
    let rail = Rect::from_center_size(rect.center(), vec2(rect.width(), 10.0));
    let radius = CornerRadius::same(5);
    ui.painter().rect_filled(rail, radius, p.bar[4]);
    let (low, high) = (x(promised.0), x(promised.1));
    let middle = (low + high) / 2.0;
    let half = ((high - low) / 2.0).max(4.0);
    let promise =
        rail.with_min_x((middle - half).max(rail.left())).with_max_x((middle + half).min(rail.right()));
    ui.painter().rect_filled(promise, radius, p.bar[2]);
    if let Some(measured) = measured {
        let at = x(measured).clamp(rail.left() + 1.5, rail.right() - 1.5);
        let color = if tone == Tone::Good { p.accent } else { tone.color(p) };
        let mark = Rect::from_center_size(pos2(at, rail.center().y), vec2(3.0, 16.0));
        ui.painter().rect_filled(mark, CornerRadius::same(1), color);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_speed_scale_is_monotonic_and_contains_its_range() {
        let scale = SpeedScale::new(Range { low: 90.0, mid: 100.0, high: 130.0 });
        let positions: Vec<f32> = (0..=240).map(|speed| scale.position(f64::from(speed))).collect();
        assert!(positions.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(positions[0], 0.0);
        assert_eq!(scale.position(240.0), 1.0);
        assert!(scale.position(130.0) < 1.0);
    }
}
