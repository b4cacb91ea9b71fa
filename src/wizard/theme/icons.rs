//! Our icons: white SVG drawings (`assets/icons`), tinted with the colour of the text they stand beside.

use eframe::egui::{self, Color32, Image, ImageSource, Rect, Ui};

/// An icon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Icon {
    /// As it should be; done.
    Check,
    /// Refused; failed.
    Cross,
    /// With limits.
    Exclamation,
    /// Worth knowing.
    Info,
    /// A list that opens; details that are open.
    ChevronDown,
    /// Details that are closed.
    ChevronRight,
    /// Sorted from small to large.
    ArrowUp,
    /// Sorted from large to small.
    ArrowDown,
    /// Light or dark.
    Theme,
    /// A step that has not begun.
    StepWaiting,
    /// A step that runs.
    StepRunning,
    /// The logo.
    Mark,
}

impl Icon {
    fn source(self) -> ImageSource<'static> {
        match self {
            Self::Check => egui::include_image!("../../../assets/icons/check.svg"),
            Self::Cross => egui::include_image!("../../../assets/icons/cross.svg"),
            Self::Exclamation => egui::include_image!("../../../assets/icons/exclamation.svg"),
            Self::Info => egui::include_image!("../../../assets/icons/info.svg"),
            Self::ChevronDown => egui::include_image!("../../../assets/icons/chevron-down.svg"),
            Self::ChevronRight => egui::include_image!("../../../assets/icons/chevron-right.svg"),
            Self::ArrowUp => egui::include_image!("../../../assets/icons/arrow-up.svg"),
            Self::ArrowDown => egui::include_image!("../../../assets/icons/arrow-down.svg"),
            Self::Theme => egui::include_image!("../../../assets/icons/theme.svg"),
            Self::StepWaiting => egui::include_image!("../../../assets/icons/step-waiting.svg"),
            Self::StepRunning => egui::include_image!("../../../assets/icons/step-running.svg"),
            Self::Mark => egui::include_image!("../../../assets/icons/mark.svg"),
        }
    }

    /// Paints it over a rectangle. It has no accessible name, because the text next to it says the same.
    pub fn paint(self, ui: &Ui, rect: Rect, color: Color32) {
        if ui.is_rect_visible(rect) {
            Image::new(self.source()).tint(color).fit_to_exact_size(rect.size()).paint_at(ui, rect);
        }
    }
}

/// The window's icon, for systems that show one.
pub fn window_icon() -> Option<egui::IconData> {
    eframe::icon_data::from_png_bytes(include_bytes!("../../../assets/icons/app.png"))
        .inspect_err(|error| tracing::warn!(%error, "the window has no icon"))
        .ok()
}
