//! Tables: columns that share the width, headings, rows that can be selected with pointer or keyboard.

use eframe::egui::{
    Align, CornerRadius, CursorIcon, Layout, Rect, Response, Sense, Stroke, Ui, UiBuilder, WidgetInfo,
    accesskit::Role, pos2, vec2,
};

use super::{Paragraph, UiExt as _, focus_ring};
use crate::wizard::theme::{TextRole, Tone, icons::Icon, palette, size, tokens::STEP};

/// A column.
pub struct Column {
    /// Its heading.
    pub head: String,
    /// Minimum width in points.
    pub min_width: f32,
    /// Weight in the distribution of spare width.
    pub grow: f32,
    /// Whether its figures are aligned right.
    pub right: bool,
    /// Sort direction: `Some(true)` up, `Some(false)` down, `None` when not sorted.
    pub sorted: Option<bool>,
}

/// Below this width, in points, the gaps between columns are smaller.
const CLOSE: f32 = 700.0;

/// Columns that share the available width.
pub struct Table {
    columns: Vec<Column>,
    widths: Vec<f32>,
    gap: f32,
    side: f32,
}

impl Table {
    /// Divides the width of `ui`; each row has `side` points of padding at both ends.
    pub fn new(ui: &Ui, columns: Vec<Column>, side: f32) -> Self {
        let gap = if ui.available_width() < CLOSE { 6.0 } else { 8.0 };
        let width = ui.available_width() - 2.0 * side - gap * (columns.len().saturating_sub(1)) as f32;
        let least: f32 = columns.iter().map(|column| column.min_width).sum();
        let grow: f32 = columns.iter().map(|column| column.grow).sum::<f32>().max(f32::MIN_POSITIVE);
        let spare = width - least;
        let widths = columns
            .iter()
            .map(|column| {
                if spare >= 0.0 {
                    column.min_width + spare * column.grow / grow
                } else {
                    column.min_width * (width / least)
                }
            })
            .collect();
        Self { columns, widths, gap, side }
    }

    /// Draws the headings. Returns the column that was clicked, if `sortable`.
    pub fn head(&self, ui: &mut Ui, sortable: bool) -> Option<usize> {
        let p = palette(ui);
        let (row, _) = ui.allocate_exact_size(vec2(ui.available_width(), 30.0), Sense::hover());
        let mut clicked = None;
        for (i, column) in self.columns.iter().enumerate() {
            let cell = self.cell(row, i);
            if column.head.is_empty() {
                continue;
            }
            let icon = column.sorted.map_or(0.0, |_| 14.0);
            let galley = Paragraph::new(ui)
                .add(TextRole::Label, Tone::Faint, &column.head)
                .line_galley(ui, cell.width() - icon);
            let width = galley.size().x + icon;
            let left = if column.right { cell.right() - width } else { cell.left() };
            let at = pos2(left, row.center().y - galley.size().y / 2.0).round();
            let area = Rect::from_min_size(at, vec2(width, galley.size().y));
            let words = galley.size().x;
            ui.painter().galley(at, galley, p.faint);
            if let Some(up) = column.sorted {
                let sign =
                    Rect::from_center_size(pos2(at.x + words + 8.0, area.center().y), vec2(11.0, 11.0));
                if up { Icon::ArrowUp } else { Icon::ArrowDown }.paint(ui, sign, p.faint);
            }
            if sortable {
                let response = ui.interact(area.expand(3.0), ui.scope_id().with(("head", i)), Sense::click());
                response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &column.head));
                if response.clicked() {
                    clicked = Some(i);
                }
                if response.has_focus() {
                    focus_ring(ui, area, size::SMALL_RADIUS);
                }
                response.on_hover_cursor(CursorIcon::PointingHand);
            } else {
                let response = ui.interact(area, ui.scope_id().with(("head", i)), Sense::hover());
                response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &column.head));
            }
        }
        ui.painter().hline(row.x_range(), row.bottom(), Stroke::new(size::LINE, p.line));
        clicked
    }

    /// Draws a row that cannot be selected; a `marked` one is highlighted.
    pub fn plain_row(
        &self,
        ui: &mut Ui,
        height: f32,
        marked: bool,
        last: bool,
        content: impl FnMut(&mut Ui, usize),
    ) {
        if marked {
            let row = Rect::from_min_size(ui.cursor().min, vec2(ui.available_width(), height));
            ui.painter().rect_filled(row, CornerRadius::same(size::SMALL_RADIUS), palette(ui).accent_wash);
        }
        self.row(ui, height, None, last, content);
    }

    /// Draws a row of this height, in points; `content` draws one cell. A row with a name can be selected.
    pub fn row(
        &self,
        ui: &mut Ui,
        height: f32,
        name: Option<(&str, bool)>,
        last: bool,
        mut content: impl FnMut(&mut Ui, usize),
    ) -> Option<Response> {
        let p = palette(ui);
        let (row, _) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::hover());
        let response = name.map(|(name, chosen)| {
            let response = ui.interact(row, ui.scope_id().with(("row", name)), Sense::click());
            response.widget_info(|| WidgetInfo::selected(Role::RadioButton, true, chosen, name));
            let fill = if chosen { Some(p.accent_wash) } else { response.hovered().then_some(p.hover) };
            if let Some(fill) = fill {
                ui.painter().rect_filled(row, CornerRadius::same(size::SMALL_RADIUS), fill);
            }
            if response.has_focus() {
                focus_ring(ui, row.shrink(3.0), size::SMALL_RADIUS);
            }
            response
        });
        for i in 0..self.columns.len() {
            let layout = if self.columns[i].right {
                Layout::right_to_left(Align::Center)
            } else {
                Layout::left_to_right(Align::Center)
            };
            let builder = UiBuilder::new()
                .id_salt(("cell", name.map(|(name, _)| name), i))
                .max_rect(self.cell(row, i))
                .layout(layout);
            ui.scope_builder(builder, |ui| {
                ui.spacing_mut().item_spacing = vec2(4.0, 2.0);
                content(ui, i);
            });
        }
        ui.advance_cursor_after_rect(row);
        if !last {
            ui.painter().hline(row.x_range(), row.bottom(), Stroke::new(size::LINE, p.line));
        }
        response.map(|response| response.on_hover_cursor(CursorIcon::PointingHand))
    }

    fn cell(&self, row: Rect, i: usize) -> Rect {
        let left = row.left() + self.side + self.widths[..i].iter().sum::<f32>() + self.gap * i as f32;
        Rect::from_min_size(pos2(left, row.top()), vec2(self.widths[i], row.height()))
    }
}

/// Adds space above content of `height` points, so that it is centred in the row.
pub fn center_vertically(ui: &mut Ui, height: f32) {
    let spare = ui.available_height() - height;
    ui.gap((spare / 2.0 / STEP).max(0.0));
}

/// Two lines in a cell, the second one smaller, centred in the row. A row that is too low shows only the first.
pub fn two_lines(ui: &mut Ui, second: Paragraph, first: impl FnOnce(&mut Ui)) {
    let height = TextRole::Table.line_height() + TextRole::Source.line_height();
    if ui.available_height() < height {
        first(ui);
        return;
    }
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        center_vertically(ui, height);
        first(ui);
        second.show_line(ui);
    });
}
