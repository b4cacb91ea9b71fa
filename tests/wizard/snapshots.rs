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

#[test]
fn the_pages_look_as_they_were_approved() {
    if !can_draw() {
        eprintln!("SKIPPED: snapshots need a graphics adapter (mesa's lavapipe will do) and there is none");
        return;
    }
    let eye = |language, theme, pixels_per_point| Eye {
        language,
        theme,
        size: (1040.0, 700.0),
        pixels_per_point,
        paints: true,
    };
    let laptop = || Scene::of(scripted::laptop());
    let mut pages = vec![
        ("welcome-en-light", Stage::new(eye(Language::English, Theme::Light, 1.0), laptop())),
        ("hardware-es-dark", Stage::new(eye(Language::Spanish, Theme::Dark, 1.0), laptop()).reach_hardware()),
    ];
    let stage = Stage::new(eye(Language::English, Theme::Dark, 2.0), laptop()).reach_install();
    scripted::half_way(&stage.installation().1);
    pages.push(("install-en-dark-2x", stage));
    for (name, mut stage) in pages {
        stage.harness.run();
        stage.harness.snapshot(name);
    }
}
