//! Every page compared pixel by pixel with a reviewed picture: each page once, together covering all languages, themes
//! and sizes. They need a renderer; without one they are skipped with a message. `UPDATE_SNAPSHOTS=1` updates the
//! pictures.

use acolyte::text::Language::{self, English, Spanish};
use eframe::egui::Theme::{self, Dark, Light};
use egui_kittest::SnapshotResults;

use super::pictures::PAGES;
use super::stage::Eye;

/// Page, language, theme, pixels per point.
const PICTURES: [(&str, Language, Theme, f32); 11] = [
    ("1-welcome", English, Light, 1.0),
    ("2-hardware", Spanish, Dark, 1.0),
    ("3-compatibility", Spanish, Light, 2.0),
    ("4-profile", Spanish, Dark, 1.0),
    ("5-consent", English, Dark, 2.0),
    ("6-summary", Spanish, Light, 1.0),
    ("7-install", English, Dark, 1.0),
    ("7-install-failed", English, Light, 1.0),
    ("8-result", English, Light, 2.0),
    ("9-manage", Spanish, Dark, 2.0),
    ("9-manage-settings", English, Light, 1.0),
];

/// Whether there is a graphics adapter, if only a software one.
fn can_draw() -> bool {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    !runtime.block_on(instance.enumerate_adapters(wgpu::Backends::all())).is_empty()
}

#[test]
fn every_page_matches_its_reviewed_picture() {
    if !can_draw() {
        eprintln!("SKIPPED: snapshots need a graphics adapter (mesa's lavapipe will do) and there is none");
        return;
    }
    let mut results = SnapshotResults::new();
    for (page, language, theme, pixels_per_point) in PICTURES {
        let (_, way) = PAGES.iter().find(|(name, _)| *name == page).unwrap();
        let mut stage = way(Eye { language, theme, size: (1040.0, 700.0), pixels_per_point, paints: true });
        // Times in the log differ between runs.
        if page == "7-install-failed" {
            stage.click("wizard-hide-log");
        }
        // Remove the pointer, so that nothing is drawn as hovered.
        stage.harness.remove_cursor();
        stage.harness.run();
        let tone = if theme == Dark { "dark" } else { "light" };
        let name = format!("{page}-{}-{tone}-{pixels_per_point}x", language.tag());
        results.add(stage.harness.try_snapshot(name));
    }
}
