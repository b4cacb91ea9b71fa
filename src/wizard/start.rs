//! Opens the window, or says why there can be none.
//!
//! Renderers are tried in order: wgpu, then glow in the same process. Without a display there is nothing to try
//! again, so the first error counts. A library that is missing makes winit panic; that is caught and ends in an error
//! as well, so that the caller can go on in the terminal.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use eframe::{Renderer, egui};

use super::backend::{Backend, Live};
use super::{Wizard, WizardOptions, theme};

/// Why there is no window. The same steps are possible in the terminal.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No screen, or none that can be reached.
    #[error("there is no display to open a window on: {0}")]
    NoDisplay(String),
    /// Nothing can draw, or a library is missing.
    #[error("no window could be opened: {0}")]
    NoRenderer(String),
}

/// Opens the window and stays until it is closed. Must be called on the main thread.
///
/// # Errors
/// When no window could be opened; nothing has been changed then.
pub fn start(options: WizardOptions) -> Result<(), StartError> {
    if !display_is_promised() {
        return Err(StartError::NoDisplay("neither DISPLAY nor WAYLAND_DISPLAY is set".to_owned()));
    }
    let mut failures = Vec::new();
    for renderer in [Renderer::Wgpu, Renderer::Glow] {
        let opened = Arc::new(Mutex::new(false));
        let run = || {
            let (options, opened) = (options.clone(), Arc::clone(&opened));
            eframe::run_native(
                "ACOLYTE",
                native_options(renderer),
                Box::new(move |creation| {
                    *opened.lock().unwrap_or_else(PoisonError::into_inner) = true;
                    Ok(Box::new(App::new(options, &creation.egui_ctx)))
                }),
            )
        };
        match catch_unwind(AssertUnwindSafe(run)) {
            Ok(Ok(())) => return Ok(()),
            // winit's event loop cannot be made twice, so a second try would only hide the first reason.
            Ok(Err(error @ eframe::Error::WinitEventLoop(_))) => {
                return Err(StartError::NoDisplay(error.to_string()));
            }
            Ok(Err(error)) => {
                tracing::warn!(?renderer, %error, "the window could not be opened");
                failures.push(format!("{renderer}: {error}"));
            }
            Err(panic) => {
                let what = panic_text(panic.as_ref());
                tracing::error!(?renderer, what, "the window panicked");
                failures.push(format!("{renderer}: {what}"));
            }
        }
        // A window that was open and then failed may have changed things; it is not opened a second time behind
        // the person's back.
        if *opened.lock().unwrap_or_else(PoisonError::into_inner) {
            break;
        }
    }
    Err(StartError::NoRenderer(failures.join("; ")))
}

/// Whether the system says that there is a display. Only X11 and Wayland say so.
fn display_is_promised() -> bool {
    if cfg!(any(windows, target_os = "macos")) {
        return true;
    }
    ["DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET"]
        .into_iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

fn native_options(renderer: Renderer) -> eframe::NativeOptions {
    let mut viewport = egui::ViewportBuilder::default()
        .with_title("ACOLYTE")
        .with_app_id("acolyte-installer")
        .with_inner_size(theme::size::WINDOW)
        .with_min_inner_size(theme::size::WINDOW_MIN);
    if let Some(icon) = theme::icons::window_icon() {
        viewport = viewport.with_icon(icon);
    }
    let mut options =
        eframe::NativeOptions { viewport, renderer, centered: true, ..eframe::NativeOptions::default() };
    // The card is to be measured, not kept awake by our own drawing.
    if let eframe::egui_wgpu::WgpuSetup::CreateNew(setup) = &mut options.wgpu_options.wgpu_setup {
        setup.power_preference = wgpu::PowerPreference::LowPower;
    }
    options
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|| "unknown reason".to_owned())
}

/// eframe's side of the window; everything else is in [`Wizard`].
struct App {
    wizard: Wizard,
    /// What the window is called now.
    title: String,
}

impl App {
    fn new(options: WizardOptions, ctx: &egui::Context) -> Self {
        theme::install(ctx);
        ctx.options_mut(|options| options.fallback_theme = egui::Theme::Light);
        let waker = ctx.clone();
        let backend: Box<dyn Backend> = Box::new(Live::new(&options));
        let wizard = Wizard::new(options, backend, Arc::new(move || waker.request_repaint()));
        Self { wizard, title: String::new() }
    }
}

impl eframe::App for App {
    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        if ui.input(|input| input.viewport().close_requested()) && !self.wizard.may_close() {
            ui.ctx().send_viewport_cmd(egui::ViewportCommand::CancelClose);
        }
        self.wizard.show(ui);
        // The page's name in the title: for the list of windows, and for who cannot see the page.
        let title = format!("ACOLYTE – {}", self.wizard.heading());
        if title != self.title {
            ui.ctx().send_viewport_cmd(egui::ViewportCommand::Title(title.clone()));
            self.title = title;
        }
        if self.wizard.wants_to_close() {
            ui.ctx().send_viewport_cmd(egui::ViewportCommand::Close);
        }
    }
}
