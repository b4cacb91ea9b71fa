//! The window itself, drawn by one renderer, in this process.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use eframe::egui;
use eframe::egui_wgpu::WgpuSetup;
use wgpu::{Adapter, Backends, DeviceType, Surface};

use super::error::OpenError;
use super::protocol::ChildMessage;
use super::renderers::RendererChoice;
use super::size::WindowSize;
use crate::platform;
use crate::platform::interruptions::Interruptions;
use crate::say;
use crate::wizard::app::Wizard;
use crate::wizard::backend::{CommandQueue, Live, RunningWork, SystemDialogs};
use crate::wizard::options::WizardOptions;
use crate::wizard::theme;

/// The application ID, by which the desktop finds the program's icon and menu entry
/// (`installer/linux/acolyte-installer.desktop`).
pub const APP_ID: &str = "acolyte-installer";

/// Time for stopping what runs before the program ends. Windows allows 5 to 20 seconds.
const END_LIMIT: Duration = Duration::from_secs(20);
/// Exit code then, as shells expect it.
const INTERRUPTED: i32 = 130;

/// Opens it, and returns when it is closed. Reports when the first frame was shown, and when the window was closed.
///
/// # Errors
/// When no renderer can draw, or the window is closed by a failure.
pub(super) fn open(
    renderer: RendererChoice,
    options: &WizardOptions,
    report: &mut dyn FnMut(ChildMessage),
) -> Result<(), OpenError> {
    preload_messages(options);
    let run = || {
        tracing::debug!(%renderer, "opening the window");
        eframe::run_native(
            "ACOLYTE",
            native_options(renderer),
            Box::new(|creation| Ok(Box::new(App::new(options.clone(), creation, report)))),
        )
    };
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error @ eframe::Error::WinitEventLoop(_))) => Err(OpenError::NoConnection(error.to_string())),
        Ok(Err(error)) => Err(OpenError::Failed(error.to_string())),
        Err(panic) => Err(OpenError::Failed(panic_text(panic.as_ref()))),
    }
}

/// Parses the messages on another thread while the renderer, the slowest part, is loaded.
fn preload_messages(options: &WizardOptions) {
    let text = options.text();
    thread::spawn(move || say!(text, "wizard-welcome-title"));
}

fn native_options(choice: RendererChoice) -> eframe::NativeOptions {
    let size = WindowSize::on(platform::work_area());
    let mut viewport = egui::ViewportBuilder::default()
        .with_title("ACOLYTE")
        .with_app_id(APP_ID)
        .with_inner_size(size.inner)
        .with_min_inner_size(size.smallest);
    if let Some(icon) = theme::icons::window_icon() {
        viewport = viewport.with_icon(icon);
    }
    let renderer = choice.renderer();
    let mut options =
        eframe::NativeOptions { viewport, renderer, centered: true, ..eframe::NativeOptions::default() };
    if let WgpuSetup::CreateNew(setup) = &mut options.wgpu_options.wgpu_setup {
        // OpenGL has its own renderer; loading its drivers here as well takes time, and may crash.
        setup.instance_descriptor.backends = Backends::from_env().unwrap_or(Backends::PRIMARY);
        let only_cards = choice == RendererChoice::WgpuCard;
        setup.native_adapter_selector =
            Some(Arc::new(move |adapters, surface| adapter(adapters, surface, only_cards)));
    }
    options
}

/// Picks the adapter that draws, of those that can present to the window. Otherwise wgpu would ask all drivers again.
///
/// The order is that of wgpu for low power: our own drawing should not use the card whose speed we measure.
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

/// State of the first frame.
enum FirstFrame {
    NotDrawn,
    Drawing(u64),
    Shown,
}

/// eframe's side of the window; everything else is in [`Wizard`].
struct App<'a> {
    wizard: Wizard,
    /// The window's title.
    title: String,
    first_frame: FirstFrame,
    /// The background, and the frame that changed it.
    background: (egui::Color32, Option<u64>),
    report: &'a mut dyn FnMut(ChildMessage),
}

impl<'a> App<'a> {
    fn new(
        options: WizardOptions,
        creation: &eframe::CreationContext<'_>,
        report: &'a mut dyn FnMut(ChildMessage),
    ) -> Self {
        let ctx = &creation.egui_ctx;
        tracing::debug!("the renderer is ready");
        theme::install(ctx);
        ctx.options_mut(|options| options.fallback_theme = egui::Theme::Light);
        let waker = ctx.clone();
        let live = Live::new(&options).with_dialogs(SystemDialogs::of_window(creation));
        end_gracefully(live.running());
        let backend = Box::new(CommandQueue::new(live));
        let wizard = Wizard::new(options, backend, Arc::new(move || waker.request_repaint()));
        let background = (ctx.global_style().visuals.panel_fill, None);
        Self { wizard, title: String::new(), first_frame: FirstFrame::NotDrawn, background, report }
    }
}

/// Makes the window smaller where the system tells the screen's size only now, and not what its panels leave.
fn fit_screen(ctx: &egui::Context) {
    let (screen, inner) = ctx
        .input(|input| (input.viewport().monitor_size, input.viewport().inner_rect.map(|rect| rect.size())));
    let (Some(screen), Some(inner)) = (screen, inner) else { return };
    if platform::work_area().is_some() || screen.x < 1.0 {
        return;
    }
    let size = WindowSize::on_screen(screen.into());
    if inner.x > size.inner[0] || inner.y > size.inner[1] {
        ctx.send_viewport_cmd(egui::ViewportCommand::MinInnerSize(size.smallest.into()));
        ctx.send_viewport_cmd(egui::ViewportCommand::InnerSize(inner.min(size.inner.into())));
    }
}

/// Stops what runs before the program ends, on Ctrl-C, SIGTERM, log-off and shutdown: the server of an interrupted
/// installation does not stay behind, and the next start goes on.
fn end_gracefully(running: RunningWork) {
    let wait_and_end = move || -> std::io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            Interruptions::listen()?.next().await;
            Ok::<_, std::io::Error>(())
        })?;
        running.cancel(END_LIMIT);
        std::process::exit(INTERRUPTED);
    };
    let listen = move || {
        if let Err(error) = wait_and_end() {
            tracing::warn!(%error, "nothing is stopped when the session ends");
        }
    };
    if let Err(error) = thread::Builder::new().name("interruptions".to_owned()).spawn(listen) {
        tracing::warn!(%error, "nothing is stopped when the session ends");
    }
}

impl App<'_> {
    /// The window is cleared with the background colour ([`eframe::App::clear_color`]), because a rectangle over the whole
    /// window would cost as much as the rest of a frame. But glow clears before a frame is laid out, so the frame that
    /// changes the colour needs that rectangle, however often it is laid out.
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
    /// Called before every frame, and without a frame when the window is hidden.
    fn logic(&mut self, ctx: &egui::Context, _frame: &mut eframe::Frame) {
        // A frame may be laid out several times; the previous one is shown when the number changes.
        let frame = ctx.cumulative_frame_nr();
        match self.first_frame {
            FirstFrame::NotDrawn => {
                self.first_frame = FirstFrame::Drawing(frame);
                fit_screen(ctx);
                ctx.request_repaint();
            }
            FirstFrame::Drawing(first) if frame != first => {
                self.first_frame = FirstFrame::Shown;
                tracing::debug!("the first frame is shown");
                if cfg!(windows) {
                    // The window of a child is not in front by itself there.
                    ctx.send_viewport_cmd(egui::ViewportCommand::Focus);
                }
                (self.report)(ChildMessage::Shown);
            }
            FirstFrame::Drawing(_) | FirstFrame::Shown => {}
        }
        if ctx.input(|input| input.viewport().close_requested()) && !self.wizard.may_close() {
            ctx.send_viewport_cmd(egui::ViewportCommand::CancelClose);
            // Show the question.
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
        let title = self.wizard.title();
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
        (self.report)(ChildMessage::Ended(0));
    }
}
