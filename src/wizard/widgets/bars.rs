//! Memory bars and progress bars.

use eframe::egui::{
    Color32, CornerRadius, Rect, Response, Sense, Ui, WidgetInfo, accesskit::Role, pos2, vec2,
};

use super::{Paragraph, UiExt as _, describe_value};
use crate::wizard::theme::{Palette, TextRole, Tone, palette, size};

/// What a part of the memory is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The model's weights.
    Weights,
    /// The KV cache.
    Context,
    /// Compute buffers.
    Buffers,
    /// Other programs.
    Others,
    /// Nothing.
    Free,
}

impl Part {
    fn color(self, p: &Palette) -> Color32 {
        p.bar[self as usize]
    }
}

/// A stacked bar with a legend below.
pub struct StackedBar {
    name: String,
    whole: u64,
    parts: Vec<(Part, u64, String)>,
    height: f32,
}

impl StackedBar {
    /// An empty bar of something that holds `whole` bytes. `name` is for screen readers.
    pub fn new(name: String, whole: u64) -> Self {
        Self { name, whole, parts: Vec::new(), height: size::BAR }
    }

    /// Adds a part and its text in the legend; with an empty text it is not in the legend.
    pub fn part(mut self, part: Part, bytes: u64, legend: String) -> Self {
        if bytes > 0 {
            self.parts.push((part, bytes, legend));
        }
        self
    }

    /// A lower bar.
    pub fn height(mut self, height: f32) -> Self {
        self.height = height;
        self
    }

    /// Draws it. Parts that exceed the whole are scaled to fill the bar.
    pub fn show(self, ui: &mut Ui) {
        let p = palette(ui);
        let (rect, response) =
            ui.allocate_exact_size(vec2(ui.available_width(), self.height), Sense::hover());
        let description = std::iter::once(self.name.clone())
            .chain(self.parts.iter().map(|(_, _, legend)| legend.clone()).filter(|legend| !legend.is_empty()))
            .collect::<Vec<_>>()
            .join(", ");
        let sum: u64 =
            self.parts.iter().filter(|(part, ..)| *part != Part::Free).map(|(_, bytes, _)| bytes).sum();
        let whole = self.whole.max(sum).max(1) as f32;
        describe_value(&response, Role::Meter, &description, percent(sum as f32 / whole), 100.0);
        let radius = CornerRadius::same((self.height / 2.0).min(8.0) as u8);
        let painter = ui.painter_at(rect);
        painter.rect_filled(rect, radius, p.bar[Part::Free as usize]);
        let mut left = rect.left();
        let drawn: Vec<_> = self.parts.iter().filter(|(part, ..)| *part != Part::Free).collect();
        for (i, (part, bytes, _)) in drawn.iter().enumerate() {
            let right = (left + rect.width() * *bytes as f32 / whole).min(rect.right());
            let mut corners = CornerRadius::ZERO;
            if i == 0 {
                (corners.nw, corners.sw) = (radius.nw, radius.sw);
            }
            if rect.right() - right < 1.0 {
                (corners.ne, corners.se) = (radius.ne, radius.se);
            }
            painter.rect_filled(
                Rect::from_min_max(pos2(left, rect.top()), pos2(right, rect.bottom())),
                corners,
                part.color(p),
            );
            left = right;
        }
        if self.parts.iter().any(|(_, _, legend)| !legend.is_empty()) {
            ui.gap(1.0);
            legend(ui, &self.parts);
        }
    }
}

fn legend(ui: &mut Ui, parts: &[(Part, u64, String)]) {
    let p = palette(ui);
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing = vec2(14.0, 2.0);
        ui.horizontal_wrapped(|ui| {
            for (part, _, legend) in parts.iter().filter(|(_, _, legend)| !legend.is_empty()) {
                let galley = Paragraph::new(ui)
                    .add(TextRole::Label, Tone::Soft, legend)
                    .line_galley(ui, f32::INFINITY);
                let (rect, response) = ui.allocate_exact_size(
                    vec2(14.0 + galley.size().x, TextRole::Label.line_height()),
                    Sense::hover(),
                );
                response.widget_info(|| WidgetInfo::labeled(Role::Label, true, legend));
                let square = Rect::from_center_size(pos2(rect.left() + 4.5, rect.center().y), vec2(9.0, 9.0));
                ui.painter().rect_filled(square, CornerRadius::same(2), part.color(p));
                ui.painter().galley(rect.left_top() + vec2(14.0, 0.0), galley, p.soft);
            }
        });
    });
}

/// A thin bar, `share` (0 to 1) of it filled, with its share for screen readers.
pub fn thin_bar(ui: &mut Ui, share: f32, tone: Tone, height: f32, name: &str) {
    let response = painted_bar(ui, share, tone, height);
    describe_value(&response, Role::Meter, name, percent(share), 100.0);
}

fn percent(share: f32) -> f64 {
    (f64::from(share) * 100.0).round()
}

fn painted_bar(ui: &mut Ui, share: f32, tone: Tone, height: f32) -> Response {
    let p = palette(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::hover());
    let radius = CornerRadius::same((height / 2.0) as u8);
    ui.painter().rect_filled(rect, radius, p.bar[Part::Free as usize]);
    let filled = rect.with_max_x(rect.left() + rect.width() * share.clamp(0.0, 1.0));
    if filled.width() >= 1.0 {
        ui.painter_at(filled).rect_filled(rect, radius, tone.color(p));
    }
    response
}

/// A progress bar, with its share for screen readers.
pub fn progress_bar(ui: &mut Ui, share: f32, height: f32, name: &str) {
    let response = painted_bar(ui, share, Tone::Accent, height);
    describe_value(&response, Role::ProgressIndicator, name, percent(share), 100.0);
}
