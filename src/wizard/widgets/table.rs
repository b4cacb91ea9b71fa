//! Tables: columns that share the width, headings, rows that can be selected with pointer or keyboard.

use std::cell::Cell;

use eframe::egui::{
    Align, CornerRadius, CursorIcon, Id, Layout, Rect, Response, Sense, Stroke, Ui, UiBuilder, WidgetInfo,
    accesskit::{Role, SortDirection},
    pos2, vec2,
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
    /// Number of rows drawn so far, with the headings.
    rows: Cell<usize>,
}

impl Table {
    /// Divides the width of `ui` among the columns; each row has `side` points of padding at both ends. `content` draws the
    /// headings and the rows; `name` is for screen readers.
    pub fn show<R>(
        ui: &mut Ui,
        name: &str,
        columns: Vec<Column>,
        side: f32,
        content: impl FnOnce(&mut Ui, &Self) -> R,
    ) -> R {
        let builder = UiBuilder::new().accessibility_role(Role::Table).accessibility_label(name);
        let shown = ui.scope_builder(builder, |ui| {
            let table = Self::new(ui, columns, side);
            let inner = content(ui, &table);
            (inner, table)
        });
        let (inner, table) = shown.inner;
        ui.ctx().accesskit_node_builder(shown.response.id, |node| {
            node.set_row_count(table.rows.get());
            node.set_column_count(table.columns.len());
        });
        inner
    }

    fn new(ui: &Ui, columns: Vec<Column>, side: f32) -> Self {
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
        Self { columns, widths, gap, side, rows: Cell::new(0) }
    }

    /// Draws the headings. Returns the column that was clicked, if `sortable`.
    pub fn head(&self, ui: &mut Ui, sortable: bool) -> Option<usize> {
        let p = palette(ui);
        let (row, _) = ui.allocate_exact_size(vec2(ui.available_width(), 30.0), Sense::hover());
        let mut clicked = None;
        let ids = ui.scope_id();
        self.as_row(ui, row, |ui| {
            for (i, column) in self.columns.iter().enumerate().filter(|(_, column)| !column.head.is_empty()) {
                let id = sortable.then(|| ids.with(("head", i)));
                if self.heading(ui, self.cell(row, i), i, column, id) {
                    clicked = Some(i);
                }
            }
        });
        ui.painter().hline(row.x_range(), row.bottom(), Stroke::new(size::LINE, p.line));
        clicked
    }

    /// Draws a heading, a button with this id if the table can be sorted by it. Returns whether it was clicked.
    fn heading(&self, ui: &mut Ui, cell: Rect, i: usize, column: &Column, id: Option<Id>) -> bool {
        let p = palette(ui);
        let builder = UiBuilder::new()
            .id_salt(i)
            .max_rect(cell)
            .accessibility_role(Role::ColumnHeader)
            .accessibility_label(&column.head);
        let shown = ui.scope_builder(builder, |ui| {
            let icon = column.sorted.map_or(0.0, |_| 14.0);
            let galley = Paragraph::new(ui)
                .add(TextRole::Label, Tone::Faint, &column.head)
                .line_galley(ui, cell.width() - icon);
            let width = galley.size().x + icon;
            let left = if column.right { cell.right() - width } else { cell.left() };
            let at = pos2(left, cell.center().y - galley.size().y / 2.0).round();
            let area = Rect::from_min_size(at, vec2(width, galley.size().y));
            let words = galley.size().x;
            ui.painter().galley(at, galley, p.faint);
            if let Some(up) = column.sorted {
                let sign =
                    Rect::from_center_size(pos2(at.x + words + 8.0, area.center().y), vec2(11.0, 11.0));
                if up { Icon::ArrowUp } else { Icon::ArrowDown }.paint(ui, sign, p.faint);
            }
            let Some(id) = id else { return false };
            let response = ui.interact(area.expand(3.0), id, Sense::click());
            response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &column.head));
            if response.has_focus() {
                focus_ring(ui, area, size::SMALL_RADIUS);
            }
            response.on_hover_cursor(CursorIcon::PointingHand).clicked()
        });
        ui.ctx().accesskit_node_builder(shown.response.id, |node| {
            node.set_column_index(i);
            if let Some(up) = column.sorted {
                node.set_sort_direction(if up {
                    SortDirection::Ascending
                } else {
                    SortDirection::Descending
                });
            }
        });
        shown.inner
    }

    /// What `content` draws are the cells of a row.
    fn as_row(&self, ui: &mut Ui, row: Rect, content: impl FnOnce(&mut Ui)) {
        let index = self.rows.replace(self.rows.get() + 1);
        let builder = UiBuilder::new().id_salt(("row", index)).max_rect(row).accessibility_role(Role::Row);
        let shown = ui.scope_builder(builder, content);
        ui.ctx().accesskit_node_builder(shown.response.id, |node| node.set_row_index(index));
        ui.advance_cursor_after_rect(row);
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
        let id = ui.scope_id().with(("row", name.map(|(name, _)| name)));
        let mut response = None;
        self.as_row(ui, row, |ui| {
            for (i, column) in self.columns.iter().enumerate() {
                let align = if column.right { Layout::right_to_left } else { Layout::left_to_right };
                let builder = UiBuilder::new()
                    .id_salt(("cell", name.map(|(name, _)| name), i))
                    .max_rect(self.cell(row, i))
                    .layout(align(Align::Center))
                    .accessibility_role(if i == 0 { Role::RowHeader } else { Role::Cell });
                let shown = ui.scope_builder(builder, |ui| {
                    ui.spacing_mut().item_spacing = vec2(4.0, 2.0);
                    // In its first cell, and behind the content of all.
                    if let Some((name, chosen)) = name.filter(|_| i == 0) {
                        response = Some(select(ui, row, id, name, chosen));
                    }
                    content(ui, i);
                });
                ui.ctx().accesskit_node_builder(shown.response.id, |node| node.set_column_index(i));
            }
        });
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

/// What selects a row, by pointer or keyboard, and shows that it is selected.
fn select(ui: &Ui, row: Rect, id: Id, name: &str, chosen: bool) -> Response {
    let p = palette(ui);
    let response = ui.interact(row, id, Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::RadioButton, true, chosen, name));
    let fill = if chosen { Some(p.accent_wash) } else { response.hovered().then_some(p.hover) };
    if let Some(fill) = fill {
        ui.painter().rect_filled(row, CornerRadius::same(size::SMALL_RADIUS), fill);
    }
    if response.has_focus() {
        focus_ring(ui, row.shrink(3.0), size::SMALL_RADIUS);
    }
    response
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
