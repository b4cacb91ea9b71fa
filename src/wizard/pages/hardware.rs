//! Hardware: what was detected, and how each figure is known.

use std::sync::Arc;

use eframe::egui::Ui;

use super::hardware_cards::{cards, placeholders};
use super::welcome::WelcomePage;
use super::{Button, Footer, Intent, PageContext, View};
use crate::say;
use crate::text::Text;
use crate::wizard::backend::{Detected, WorkerError};
use crate::wizard::theme::Tone;
use crate::wizard::widgets::banner;

/// State of the detection.
#[derive(Default)]
pub enum Detection {
    /// Not started.
    #[default]
    NotStarted,
    /// Running.
    Running,
    /// Done.
    Known(Arc<Detected>),
    /// Failed.
    Failed(WorkerError),
}

/// The page.
#[derive(Default)]
pub struct HardwarePage {
    /// State of the detection.
    pub detection: Detection,
}

impl From<HardwarePage> for WelcomePage {
    fn from(page: HardwarePage) -> Self {
        Self { detected: page.detected().cloned() }
    }
}

impl From<WelcomePage> for HardwarePage {
    fn from(page: WelcomePage) -> Self {
        Self { detection: page.detected.map_or(Detection::NotStarted, Detection::Known) }
    }
}

impl HardwarePage {
    /// What was detected, once it is known.
    pub fn detected(&self) -> Option<&Arc<Detected>> {
        match &self.detection {
            Detection::Known(detected) => Some(detected),
            Detection::NotStarted | Detection::Running | Detection::Failed(_) => None,
        }
    }

    /// Marks the detection as running. Returns whether it must be started: it was neither running nor done.
    pub fn begin_detection(&mut self) -> bool {
        let starts = matches!(self.detection, Detection::NotStarted);
        if starts {
            self.detection = Detection::Running;
        }
        starts
    }
}

impl View for HardwarePage {
    fn heading(&self, text: Text) -> (String, String) {
        let lead = match &self.detection {
            Detection::NotStarted | Detection::Running => say!(text, "wizard-hardware-querying"),
            Detection::Known(detected) => {
                say!(text, "wizard-hardware-lead", seconds = text.decimal(detected.seconds, 1))
            }
            Detection::Failed(_) => say!(text, "wizard-hardware-failed-lead"),
        };
        (say!(text, "wizard-hardware-title"), lead)
    }

    fn show(&mut self, ui: &mut Ui, cx: &mut PageContext<'_>) {
        match &self.detection {
            Detection::NotStarted | Detection::Running => placeholders(ui, cx.text),
            Detection::Known(detected) => {
                cards(ui, cx.text, &detected.hardware, detected.planned_gpu, cx.intents);
            }
            Detection::Failed(error) => banner(ui, Tone::Refused, &error.explain(cx.text)),
        }
    }

    fn footer(&self, text: Text) -> Footer {
        let known = self.detected().is_some();
        let running = matches!(self.detection, Detection::Running);
        Footer {
            back: Some(Button::new(say!(text, "wizard-back"), Intent::Back)),
            links: vec![
                Button::new(say!(text, "wizard-save-report"), Intent::ShowReport).enabled(known),
                Button::new(say!(text, "wizard-detect-again"), Intent::DetectAgain).enabled(!running),
            ],
            secondary: None,
            primary: Some(Button::new(say!(text, "wizard-continue"), Intent::Next).enabled(known)),
        }
    }
}
