//! A graph of how full a memory was.

use eframe::egui::{
    Color32, CornerRadius, Mesh, Rect, Sense, Shape, Ui, WidgetInfo, accesskit::Role, pos2, vec2,
};

use super::Part;
use crate::wizard::theme::{palette, size};

/// Points further apart than this share of the width are not connected: between them, nothing was measured.
const LONGEST_GAP: f32 = 0.1;

/// How full the memory was at a moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GraphPoint {
    /// Where it is between the left end (0) and the right end (1).
    pub x: f32,
    /// Share in use, 0 to 1.
    pub used: f32,
    /// Share in use by the model, 0 to 1.
    pub model: f32,
}

/// Draws the graph, from left to right. `name` says for screen readers what it shows.
pub fn memory_graph(ui: &mut Ui, height: f32, name: &str, points: &[GraphPoint]) {
    let p = palette(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, name));
    let painter = ui.painter_at(rect);
    painter.rect_filled(rect, CornerRadius::same(size::SMALL_RADIUS), p.bar[Part::Free as usize]);
    let mut used = Mesh::default();
    let mut model = Mesh::default();
    for pair in points.windows(2).filter(|pair| pair[1].x - pair[0].x <= LONGEST_GAP) {
        add_area(&mut used, rect, [0, 1].map(|i| (pair[i].x, pair[i].used)), p.bar[Part::Others as usize]);
        add_area(&mut model, rect, [0, 1].map(|i| (pair[i].x, pair[i].model)), p.bar[Part::Weights as usize]);
    }
    painter.add(Shape::mesh(used));
    painter.add(Shape::mesh(model));
}

/// Adds the area between two points and the lower edge.
fn add_area(mesh: &mut Mesh, rect: Rect, points: [(f32, f32); 2], color: Color32) {
    let first = mesh.vertices.len() as u32;
    for (x, share) in points {
        let x = rect.left() + rect.width() * x.clamp(0.0, 1.0);
        mesh.colored_vertex(pos2(x, rect.bottom() - rect.height() * share.clamp(0.0, 1.0)), color);
        mesh.colored_vertex(pos2(x, rect.bottom()), color);
    }
    mesh.add_triangle(first, first + 1, first + 2);
    mesh.add_triangle(first + 1, first + 2, first + 3);
}
