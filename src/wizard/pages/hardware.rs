//! Hardware: what was found, and how each figure is known. Asking begins when the page is first shown.

use std::path::PathBuf;
use std::sync::Arc;

use eframe::egui::Ui;

use super::hardware_cards::{asking, cards};
use super::welcome::WelcomePage;
use super::{Button, Footer, Intent, PageContext, View};
use crate::say;
use crate::text::Text;
use crate::wizard::backend::{Found, WorkerError};
use crate::wizard::theme::Tone;
use crate::wizard::widgets::banner;

/// How far detection is.
pub enum Detection {
    /// Not asked yet.
    NotAsked,
    /// Workers are asking.
    Asking,
    /// It is known.
    Known(Arc<Found>),
    /// It could not be found out.
    Failed(WorkerError),
}

/// The page.
pub struct HardwarePage {
    /// How far detection is.
    pub detection: Detection,
}

impl From<HardwarePage> for WelcomePage {
    fn from(page: HardwarePage) -> Self {
        Self { found: page.found().cloned() }
    }
}

impl From<WelcomePage> for HardwarePage {
    fn from(page: WelcomePage) -> Self {
        Self { detection: page.found.map_or(Detection::NotAsked, Detection::Known) }
    }
}

impl HardwarePage {
    /// What was found, when it was.
    pub fn found(&self) -> Option<&Arc<Found>> {
        match &self.detection {
            Detection::Known(found) => Some(found),
            Detection::NotAsked | Detection::Asking | Detection::Failed(_) => None,
        }
    }

    /// Starts asking, unless it is known or being asked.
    pub fn ask(&mut self, models_dir: PathBuf, cx: &PageContext<'_>) {
        if matches!(self.detection, Detection::NotAsked) {
            self.detection = Detection::Asking;
            cx.backend.detect(models_dir, cx.text, cx.outbox.clone());
        }
    }
}

impl View for HardwarePage {
    fn heading(&self, text: Text) -> (String, String) {
        let lead = match &self.detection {
            Detection::NotAsked | Detection::Asking => say!(text, "wizard-hardware-asking"),
            Detection::Known(found) => {
                say!(text, "wizard-hardware-lead", seconds = text.decimal(found.seconds, 1))
            }
            Detection::Failed(_) => say!(text, "wizard-hardware-failed-lead"),
        };
        (say!(text, "wizard-hardware-title"), lead)
    }

    fn show(&mut self, ui: &mut Ui, cx: &mut PageContext<'_>) {
        match &self.detection {
            Detection::NotAsked | Detection::Asking => asking(ui, cx.text),
            Detection::Known(found) => {
                // The card the plans are made for, which need not be the first one.
                let machine = cx.backend.machine(&found.hardware);
                let planned = machine.gpus.first().map(|gpu| gpu.name.as_str());
                cards(ui, cx.text, &found.hardware, planned, cx.intents);
            }
            Detection::Failed(trouble) => banner(ui, Tone::Refused, &trouble.0),
        }
    }

    fn footer(&self, text: Text) -> Footer {
        let known = self.found().is_some();
        let asking = matches!(self.detection, Detection::Asking);
        Footer {
            back: Some(Button::new(say!(text, "wizard-back"), Intent::Back)),
            links: vec![
                Button::new(say!(text, "wizard-save-report"), Intent::AskWhereToSave).enabled(known),
                Button::new(say!(text, "wizard-detect-again"), Intent::DetectAgain).enabled(!asking),
            ],
            secondary: None,
            primary: Some(Button::new(say!(text, "wizard-continue"), Intent::Next).enabled(known)),
        }
    }
}
