//! A few pages compared pixel by pixel with what was looked at and found good. They need something that can draw;
//! where there is nothing, they say so and pass. `UPDATE_SNAPSHOTS=1` takes them anew.

use acolyte::text::Language;
use eframe::egui::Theme;

use super::scripted::{self, Scene};
use super::stage::{Eye, Stage};

/// Whether there is an adapter, a software one at least.
fn can_draw() -> bool {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    !runtime.block_on(instance.enumerate_adapters(wgpu::Backends::all())).is_empty()
}

/// Draws a page and compares it.
fn compare(name: &str, language: Language, theme: Theme, pixels_per_point: f32, way: fn(Stage) -> Stage) {
    if !can_draw() {
        eprintln!(
            "SKIPPED {name}: snapshots need a graphics adapter (mesa's lavapipe will do) and there is none"
        );
        return;
    }
    let eye = Eye { language, theme, size: (1040.0, 700.0), pixels_per_point, paints: true };
    let mut stage = way(Stage::new(eye, Scene::of(scripted::laptop())));
    // Nothing lies under the pointer, so that nothing is drawn as hovered.
    stage.harness.remove_cursor();
    stage.harness.run();
    stage.harness.snapshot(name);
}

#[test]
fn welcome_in_english_on_white() {
    compare("welcome-en-light", Language::English, Theme::Light, 1.0, |stage| stage);
}

#[test]
fn hardware_in_spanish_on_black() {
    compare("hardware-es-dark", Language::Spanish, Theme::Dark, 1.0, Stage::reach_hardware);
}

#[test]
fn consent_in_english_on_black_at_twice_the_size() {
    compare("consent-en-dark-2x", Language::English, Theme::Dark, 2.0, Stage::reach_consent);
}
