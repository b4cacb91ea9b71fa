//! An empty window, opened like ours, to compare the time to the first frame (`bash benches/first_frame/run`).
//! `empty_window glow` uses the other renderer; `empty_window word` draws one word, because an empty window never makes
//! the driver compile a shader.

#![allow(clippy::disallowed_methods, reason = "this window has no theme of ours")]

use eframe::egui;

/// With the word it draws, if any.
struct Empty(Option<&'static str>);

impl eframe::App for Empty {
    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        if let Some(word) = self.0 {
            ui.label(word);
        }
    }
}

fn main() -> eframe::Result {
    let asked = |what: &str| std::env::args().skip(1).any(|argument| argument == what);
    let (glow, word) = (asked("glow"), asked("word").then_some("word"));
    let viewport = egui::ViewportBuilder::default()
        .with_title("Empty")
        .with_inner_size(acolyte::wizard::theme::size::WINDOW);
    let mut options = eframe::NativeOptions {
        viewport,
        renderer: if glow { eframe::Renderer::Glow } else { eframe::Renderer::Wgpu },
        centered: true,
        ..eframe::NativeOptions::default()
    };
    if let eframe::egui_wgpu::WgpuSetup::CreateNew(setup) = &mut options.wgpu_options.wgpu_setup {
        setup.power_preference = wgpu::PowerPreference::LowPower;
    }
    eframe::run_native("Empty", options, Box::new(move |_| Ok(Box::new(Empty(word)))))
}
