//! A window with nothing in it, opened as ours is: what the first frame of ours is measured against
//! (`bash benches/first_frame/run`). `empty_window glow` takes the other renderer.

use eframe::egui;

struct Empty;

impl eframe::App for Empty {
    fn ui(&mut self, _ui: &mut egui::Ui, _frame: &mut eframe::Frame) {}
}

fn main() -> eframe::Result {
    let glow = std::env::args().nth(1).is_some_and(|renderer| renderer == "glow");
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
    eframe::run_native("Empty", options, Box::new(|_| Ok(Box::new(Empty))))
}
