//! One window, drawn in one way, in this process.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;

use eframe::egui;
use eframe::egui_wgpu::WgpuSetup;
use wgpu::{Adapter, Backends, DeviceType, Surface};

use super::Drawing;
use super::child::Word;
use crate::say;
use crate::wizard::backend::{CommandQueue, Live};
use crate::wizard::{Wizard, WizardOptions, theme};

/// Why it is not there.
#[derive(Debug, thiserror::Error)]
pub(super) enum OpenError {
    /// The display cannot be reached.
    #[error("{0}")]
    NoConnection(String),
    /// Something panicked (a library that is missing does), or the renderer says no.
    #[error("{0}")]
    Failed(String),
}

/// Opens it and stays until it is closed. Tells when the first frame was shown, and when it was closed.
pub(super) fn open(
    drawing: Drawing,
    options: &WizardOptions,
    tell: &mut dyn FnMut(Word),
) -> Result<(), OpenError> {
    read_words_ahead(options);
    let run = || {
        tracing::debug!(%drawing, "opening the window");
        eframe::run_native(
            "ACOLYTE",
            native_options(drawing),
            Box::new(|creation| Ok(Box::new(App::new(options.clone(), &creation.egui_ctx, tell)))),
        )
    };
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error @ eframe::Error::WinitEventLoop(_))) => Err(OpenError::NoConnection(error.to_string())),
        Ok(Err(error)) => Err(OpenError::Failed(error.to_string())),
        Err(panic) => Err(OpenError::Failed(panic_text(panic.as_ref()))),
    }
}

/// Drivers take longer than anything else here; meanwhile another processor reads the words of the first page.
fn read_words_ahead(options: &WizardOptions) {
    let text = options.text();
    thread::spawn(move || say!(text, "wizard-welcome-title"));
}

fn native_options(drawing: Drawing) -> eframe::NativeOptions {
    let mut viewport = egui::ViewportBuilder::default()
        .with_title("ACOLYTE")
        .with_app_id(super::APP_ID)
        .with_inner_size(theme::size::WINDOW)
        .with_min_inner_size(theme::size::WINDOW_MIN);
    if let Some(icon) = theme::icons::window_icon() {
        viewport = viewport.with_icon(icon);
    }
    let renderer = drawing.renderer();
    let mut options =
        eframe::NativeOptions { viewport, renderer, centered: true, ..eframe::NativeOptions::default() };
    if let WgpuSetup::CreateNew(setup) = &mut options.wgpu_options.wgpu_setup {
        // OpenGL has a renderer of its own: asking its drivers here as well takes time, and may crash.
        setup.instance_descriptor.backends = Backends::from_env().unwrap_or(Backends::PRIMARY);
        let only_cards = drawing == Drawing::WgpuCard;
        setup.native_adapter_selector =
            Some(Arc::new(move |adapters, surface| adapter(adapters, surface, only_cards)));
    }
    options
}

/// The card that draws, of those that can reach the window. Left to itself, wgpu would ask all drivers again.
///
/// The card that computes is to be measured, not kept awake by our own drawing; so the order is that of wgpu for low
/// power.
fn adapter(adapters: &[Adapter], surface: Option<&Surface<'_>>, only_cards: bool) -> Result<Adapter, String> {
    let allowed = |adapter: &&Adapter| !only_cards || adapter.get_info().device_type != DeviceType::Cpu;
    let reaches = |adapter: &&Adapter| surface.is_none_or(|surface| adapter.is_surface_supported(surface));
    let rank = |adapter: &&Adapter| match adapter.get_info().device_type {
        DeviceType::IntegratedGpu => 0,
        DeviceType::DiscreteGpu => 1,
        DeviceType::Other => 2,
        DeviceType::VirtualGpu => 3,
        DeviceType::Cpu => 4,
    };
    let found = adapters.iter().filter(allowed).filter(reaches).min_by_key(rank).cloned();
    found.ok_or_else(|| {
        let what = if only_cards { "a graphics card" } else { "anything" };
        format!("none of the drivers ({}) can draw on this display with {what}", adapters.len())
    })
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|| "unknown reason".to_owned())
}

/// How far the first frame has come.
enum FirstFrame {
    Ahead,
    Drawing(u64),
    Shown,
}

/// eframe's side of the window; everything else is in [`Wizard`].
struct App<'a> {
    wizard: Wizard,
    /// What the window is called now.
    title: String,
    first_frame: FirstFrame,
    /// The page's background, and the frame that changed it.
    background: (egui::Color32, Option<u64>),
    tell: &'a mut dyn FnMut(Word),
}

impl<'a> App<'a> {
    fn new(options: WizardOptions, ctx: &egui::Context, tell: &'a mut dyn FnMut(Word)) -> Self {
        tracing::debug!("the renderer is ready");
        theme::install(ctx);
        ctx.options_mut(|options| options.fallback_theme = egui::Theme::Light);
        let waker = ctx.clone();
        let backend = Box::new(CommandQueue::new(Live::new(&options)));
        let wizard = Wizard::new(options, backend, Arc::new(move || waker.request_repaint()));
        let background = (ctx.global_style().visuals.panel_fill, None);
        Self { wizard, title: String::new(), first_frame: FirstFrame::Ahead, background, tell }
    }
}

impl App<'_> {
    /// The window is cleared with the background ([`eframe::App::clear_color`]): a rectangle over the whole window in
    /// every frame would cost as much as all the rest. But glow clears before a frame is laid out; the frame that
    /// changes the background needs the rectangle, however often it is laid out.
    fn show_background(&mut self, ui: &egui::Ui) {
        let (now, frame) = (ui.visuals().panel_fill, Some(ui.ctx().cumulative_frame_nr()));
        if self.background.0 != now {
            self.background = (now, frame);
        }
        if self.background.1 == frame {
            ui.painter().rect_filled(ui.ctx().content_rect(), 0.0, now);
        }
    }
}

impl eframe::App for App<'_> {
    /// Comes before every frame, and alone while nobody can see the window.
    fn logic(&mut self, ctx: &egui::Context, _frame: &mut eframe::Frame) {
        // A frame may be laid out several times; only when its number changes is the one before on the screen.
        let frame = ctx.cumulative_frame_nr();
        match self.first_frame {
            FirstFrame::Ahead => {
                self.first_frame = FirstFrame::Drawing(frame);
                ctx.request_repaint();
            }
            FirstFrame::Drawing(first) if frame != first => {
                self.first_frame = FirstFrame::Shown;
                tracing::debug!("the first frame is shown");
                (self.tell)(Word::Shown);
            }
            FirstFrame::Drawing(_) | FirstFrame::Shown => {}
        }
        if ctx.input(|input| input.viewport().close_requested()) && !self.wizard.may_close() {
            ctx.send_viewport_cmd(egui::ViewportCommand::CancelClose);
            // There is a question to be answered now.
            ctx.send_viewport_cmd(egui::ViewportCommand::Minimized(false));
            ctx.request_repaint();
        }
    }

    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        self.show_background(ui);
        self.wizard.show(ui);
        if let FirstFrame::Drawing(_) = self.first_frame {
            tracing::debug!("the first frame is laid out");
        }
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

    fn clear_color(&self, _visuals: &egui::Visuals) -> [f32; 4] {
        self.background.0.to_normalized_gamma_f32()
    }

    fn on_exit(&mut self, _gl: Option<&eframe::glow::Context>) {
        (self.tell)(Word::Ended(0));
    }
}
