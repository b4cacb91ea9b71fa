//! All widgets of the window in all states, light and dark: `cargo run --example gallery`.

use acolyte::figures::Range;
use acolyte::text::{Language, Text};
use acolyte::wizard::theme::{self, TextRole, Tone};
use acolyte::wizard::widgets::{
    ButtonStyle, Chip, Column, Paragraph, Part, SpeedScale, StackedBar, Table, UiExt as _, banner, card,
    card_row, checkbox, fact, labelled, prediction_scale, radio_card, rule, slider, table_card, text_field,
    thin_bar,
};
use eframe::egui::{self, CentralPanel, ScrollArea, Sense, Theme, Ui, vec2};

fn main() -> eframe::Result {
    let viewport = egui::ViewportBuilder::default().with_inner_size([900.0, 800.0]);
    let options = eframe::NativeOptions { viewport, ..eframe::NativeOptions::default() };
    eframe::run_native(
        "ACOLYTE: parts",
        options,
        Box::new(|creation| {
            theme::install(&creation.egui_ctx);
            Ok(Box::new(Gallery::default()))
        }),
    )
}

/// State of the widgets.
struct Gallery {
    ticked: bool,
    typed: String,
    layers: u32,
    chosen: usize,
    open: bool,
}

impl Default for Gallery {
    fn default() -> Self {
        Self { ticked: true, typed: "/home/ana/.acolyte".to_owned(), layers: 22, chosen: 0, open: false }
    }
}

impl eframe::App for Gallery {
    fn ui(&mut self, ui: &mut Ui, _frame: &mut eframe::Frame) {
        let fill = theme::palette(ui).background;
        let frame = egui::Frame::new().fill(fill).inner_margin(egui::Margin::same(24));
        CentralPanel::default().frame(frame).show(ui, |ui| {
            ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                ui.horizontal(|ui| {
                    for (name, theme) in [("Light", Theme::Light), ("Dark", Theme::Dark)] {
                        if ui.action(ButtonStyle::Secondary, name, true).clicked() {
                            ui.ctx().set_theme(theme);
                        }
                    }
                });
                for part in [Self::text, Self::actions, Self::signs, Self::input, Self::bars, Self::rows] {
                    ui.gap(4.0);
                    card(ui, |ui| part(self, ui));
                }
            });
        });
    }
}

impl Gallery {
    fn text(&mut self, ui: &mut Ui) {
        for (kind, name) in [
            (TextRole::Title, "Title"),
            (TextRole::Lead, "Lead"),
            (TextRole::Figure, "Figure 0123456789"),
            (TextRole::Heading, "Heading"),
            (TextRole::Text, "Text"),
            (TextRole::Strong, "Strong"),
            (TextRole::Table, "Table 1,234.5"),
            (TextRole::TableStrong, "Table strong 9,876.5"),
            (TextRole::Label, "Label"),
            (TextRole::Source, "Source"),
            (TextRole::Code, "Code { }"),
        ] {
            ui.horizontal(|ui| {
                for tone in [
                    Tone::Ink,
                    Tone::Soft,
                    Tone::Faint,
                    Tone::Accent,
                    Tone::Good,
                    Tone::Warning,
                    Tone::Refused,
                ] {
                    ui.text(kind, tone, name);
                }
            });
        }
    }

    fn actions(&mut self, ui: &mut Ui) {
        for enabled in [true, false] {
            ui.horizontal(|ui| {
                ui.action(ButtonStyle::Primary, "Primary", enabled);
                ui.action(ButtonStyle::Secondary, "Secondary", enabled);
                ui.action(ButtonStyle::Danger, "Danger", enabled);
                ui.link_action("A link", enabled);
            });
        }
        if ui.disclosure(self.open, "More").clicked() {
            self.open = !self.open;
        }
    }

    fn signs(&mut self, ui: &mut Ui) {
        ui.horizontal(|ui| {
            for (tone, name) in [
                (Tone::Good, "good"),
                (Tone::Warning, "degraded"),
                (Tone::Refused, "refused"),
                (Tone::Soft, "unknown"),
            ] {
                Chip::new(tone, name).show(ui);
            }
        });
        for tone in [Tone::Accent, Tone::Good, Tone::Warning, Tone::Refused] {
            ui.gap(2.0);
            banner(ui, tone, "A banner says **one thing** and what to do about it.");
        }
    }

    fn input(&mut self, ui: &mut Ui) {
        checkbox(ui, &mut self.ticked, "A box to tick", "and a line under it");
        ui.gap(2.0);
        labelled(ui, "A field", |ui| text_field(ui, &mut self.typed, "a hint", 300.0));
        ui.gap(2.0);
        slider(ui, &mut self.layers, 0..=29, "Layers");
        ui.gap(2.0);
        for (i, name) in ["One choice", "Another choice"].into_iter().enumerate() {
            let card = radio_card(ui, self.chosen == i, name, |ui| {
                ui.text(TextRole::Strong, Tone::Ink, name);
                ui.text(TextRole::Table, Tone::Soft, "and what it brings");
            });
            if card.clicked() {
                self.chosen = i;
            }
            ui.gap(2.0);
        }
    }

    fn bars(&mut self, ui: &mut Ui) {
        let gib = 1 << 30;
        StackedBar::new("Graphics memory".to_owned(), 8 * gib)
            .part(Part::Others, gib, "other programs 1.0".to_owned())
            .part(Part::Weights, 4 * gib, "weights 4.0".to_owned())
            .part(Part::Context, gib, "context 1.0".to_owned())
            .part(Part::Buffers, gib / 2, "buffers 0.5".to_owned())
            .part(Part::Free, 3 * gib / 2, "free 1.5".to_owned())
            .show(ui);
        for (share, tone) in [(0.2, Tone::Accent), (0.7, Tone::Accent), (1.0, Tone::Refused)] {
            ui.gap(2.0);
            thin_bar(ui, share, tone, theme::size::BAR_THIN, "A share");
        }
        for (low, high) in [(2.0, 4.0), (7.0, 12.0), (38.0, 53.0), (90.0, 130.0)] {
            ui.gap(2.0);
            SpeedScale::new(Range { low, mid: (low + high) / 2.0, high })
                .show(ui, Text::new(Language::English));
        }
        for (measured, tone) in [(Some(40.0), Tone::Good), (Some(20.0), Tone::Warning), (None, Tone::Soft)] {
            ui.gap(2.0);
            let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 16.0), Sense::hover());
            prediction_scale(ui, rect, (32.0, 44.0), measured, 60.0, tone);
        }
    }

    fn rows(&mut self, ui: &mut Ui) {
        card_row(ui, "row", &[1.0, 1.0], |ui, i| {
            fact(ui, "A fact", if i == 0 { "its value" } else { "another" });
            if i == 0 {
                rule(ui);
                Paragraph::new(ui)
                    .add(TextRole::Text, Tone::Soft, "Cards of a row are as tall as the tallest.")
                    .show(ui);
            }
        });
        ui.gap(3.0);
        table_card(ui, 8, |ui| {
            let column = |head: &str, right| Column {
                head: head.to_owned(),
                min_width: 100.0,
                grow: 1.0,
                right,
                sorted: (!right).then_some(true),
            };
            ui.spacing_mut().item_spacing.y = 0.0;
            let columns = vec![column("Profile", false), column("Tokens/s", true)];
            Table::show(ui, "Profiles", columns, 6.0, |ui, table| {
                table.head(ui, true);
                for i in 0..3 {
                    let name = format!("profile_{i}");
                    table.row(ui, 40.0, Some((&name, i == 1)), i == 2, |ui, cell| {
                        let value = if cell == 0 { name.as_str() } else { "32–44" };
                        Paragraph::new(ui).add(TextRole::Table, Tone::Ink, value).show_line(ui);
                    });
                }
            });
        });
    }
}
